package fleet

import (
	"crypto/sha256"
	"path"
	"slices"
	"strings"

	"trustpool/bundle"
	"trustpool/internal/report"
)

// How says how the version of a download is known.
type How string

// The ways to know a version.
const (
	ByLog           How = "log"             // trustpool serve wrote it
	ByPath          How = "path"            // the path names it: /sha256/HEX, /archive/NAME/VERSION/…
	BySize          How = "size"            // exactly one known bundle has as many bytes
	BySizeAndHeader How = "size and header" // likewise with up to 512 bytes more, which the response header may be
	NotModified     How = "not modified"    // 304: the device has what trustpool serve served then
	ByNone          How = "not known"       // a bundle, or something called so, was fetched

	tooShort How = "too short" // shorter than each version that it could be one of
)

// doctorAgent is what doctor calls itself, also where it asks as a device does: then
// it is the Referer, and trustpool's own log has it in front of the device's name.
const doctorAgent = "trustpool-doctor"

// own reports whether a User-Agent is that of trustpool itself.
func own(agent string) bool {
	return agent == "trustpool" || strings.HasPrefix(agent, "trustpool/") || strings.HasPrefix(agent, doctorAgent)
}

// identify says which version a request was for, as far as that is known, and
// whether it was for a bundle at all.
func (t *Tally) identify(r *Request) (v version, how How, asked bool) {
	if r.Own && (r.Bundle != "" || r.SHA256 != "") {
		v = version{shorten(r.Bundle, maxNameInLog), shorten(r.Version, maxNameInLog), ""}
		if isHash(r.SHA256) {
			v.sha256 = r.SHA256
		}
		return v, ByLog, true
	}
	v, asked = fromPath(r.Path)
	if r.Own { // an error: our server would have said which bundle it is
		return version{}, ByNone, asked
	}
	if b := t.given(v); b != nil {
		if r.Status == 200 && r.Method == "GET" && r.Bytes > b.Size+headerSlack { // such as a page that says why not
			return version{bundle: b.Name}, ByNone, true
		}
		return version{b.Name, b.Version, b.SHA256}, ByPath, true
	}
	if v.named() {
		return v, ByPath, true
	}
	if r.Status != 200 || r.Method != "GET" {
		return v, ByNone, asked
	}
	return t.bySize(v, r, asked)
}

// bySize looks for the one known bundle of so many bytes: among those of the
// name in the path, or among all where the path has no name of one. An
// exact size tells also of a path that is not called like a bundle.
func (t *Tally) bySize(v version, r *Request, asked bool) (version, How, bool) {
	if r.Bytes < 0 {
		return version{bundle: v.bundle}, ByNone, asked
	}
	var exact, about []*Bundle
	bytes, least := r.Bytes, int64(0)
	named := slices.ContainsFunc(t.o.Bundles, func(b Bundle) bool { return b.Name == v.bundle })
	for i := range t.o.Bundles {
		b := &t.o.Bundles[i]
		if named && b.Name != v.bundle {
			continue
		}
		if least == 0 || b.Size < least {
			least = b.Size
		}
		switch {
		case bytes == b.Size && !r.Header:
			exact = append(exact, b)
		case bytes > b.Size && bytes <= b.Size+headerSlack:
			about = append(about, b)
		}
	}
	switch {
	case len(exact) == 1:
		return version{exact[0].Name, exact[0].Version, exact[0].SHA256}, BySize, true
	case asked && len(exact) == 0 && len(about) == 1:
		return version{about[0].Name, about[0].Version, about[0].SHA256}, BySizeAndHeader, true
	case asked && named && bytes < least:
		return v, tooShort, true
	}
	return version{bundle: v.bundle}, ByNone, asked
}

// given is the known bundle that a version names, if there is one.
func (t *Tally) given(v version) *Bundle {
	for i := range t.o.Bundles {
		b := &t.o.Bundles[i]
		if v.sha256 != "" && strings.HasPrefix(b.SHA256, v.sha256) || v.version != "" && b.Name == v.bundle && b.Version == v.version {
			return b
		}
	}
	return nil
}

// fromPath reads the paths under which bundles are served, by Cisco and by
// trustpool serve; asked is false for any other.
func fromPath(p string) (v version, asked bool) {
	if p == "" || len(p) > MaxLine {
		return v, false
	}
	parts := strings.Split(strings.TrimPrefix(path.Clean("/"+p), "/"), "/")
	base := parts[len(parts)-1]
	if stem, ok := cutSuffixFold(base, ".p7b"); ok {
		asked = true
		if !strings.EqualFold(stem, "cabundle") { // the name that a PnP agent asks for, whatever it gets
			v.bundle = shorten(stem, maxNameInLog)
		}
	}
	for i, part := range parts {
		switch {
		case part == "sha256" && i+1 < len(parts):
			stem, _ := cutSuffixFold(parts[i+1], ".p7b")
			if sum := strings.ToLower(stem); report.IsHex(sum, sha256.Size) {
				return version{sha256: sum}, true
			}
		case part == "archive" && i+3 < len(parts) && asked:
			number, _, _ := strings.Cut(parts[i+2], "-")
			if bundle.IsNumber(number) && len(number) < len("20060102") { // eight digits are the day of the publication
				return version{bundle: shorten(parts[i+1], maxNameInLog), version: number}, true
			}
		}
	}
	return v, asked || strings.HasSuffix(path.Clean("/"+p), "/ca/trustpool")
}

func cutSuffixFold(s, suffix string) (string, bool) {
	if n := len(s) - len(suffix); n > 0 && strings.EqualFold(s[n:], suffix) {
		return s[:n], true
	}
	return s, false
}

// isHash reports whether s is a SHA-256 in lower-case hex, or enough of its beginning.
func isHash(s string) bool {
	return len(s) >= hashDigits && len(s) <= 64 && strings.Trim(s, "0123456789abcdef") == ""
}

// hashDigits is how many digits of a SHA-256 tell versions apart here: as many as
// trustpool serve writes into its log.
const hashDigits = 16
