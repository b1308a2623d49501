package cli

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"trustpool/bundle"
	"trustpool/internal/audit"
	"trustpool/internal/device"
	"trustpool/internal/fetch"
	"trustpool/internal/fetch/text"
	"trustpool/internal/pool"
	"trustpool/internal/report"
	"trustpool/roots"
	"trustpool/signing"
)

// read reads and parses what a FILE argument names. The name is that for
// reports: of a URL without its credentials.
func (a *app) read(ctx context.Context, arg string) (b *bundle.Bundle, name string, err error) {
	return a.readAs(ctx, arg, bundle.Limits.Parse)
}

// readAs is read with a parser of the caller's choice.
func (a *app) readAs(ctx context.Context, arg string, parse parser) (b *bundle.Bundle, name string, err error) {
	files, err := a.fetch(ctx, arg, bundle.Sniff)
	if err != nil {
		return nil, "", err
	}
	return a.parse(files, arg, parse)
}

type parser func(bundle.Limits, []byte) (*bundle.Bundle, error)

// parse parses what a FILE argument was read as.
func (a *app) parse(files []fetch.File, arg string, parse parser) (b *bundle.Bundle, name string, err error) {
	if len(files) == 1 && (files[0].Name == arg || fetch.IsURL(arg)) {
		if b, err = parse(a.limits, files[0].Data); err != nil {
			return nil, "", fmt.Errorf("%s: %w", label(files[0].Name), err)
		}
		return b, files[0].Name, nil
	}
	var parts []*bundle.Bundle
	for _, f := range files {
		b, err := parse(a.limits, f.Data)
		if err == nil {
			parts = append(parts, b)
		} else if err = fmt.Errorf("%s: %w", f.Name, err); !a.skip(f.Name, err) {
			return nil, "", err
		}
	}
	if len(parts) == 0 {
		return nil, "", fmt.Errorf("%s: there are no files in this directory that can be read", arg)
	}
	return bundle.Join(parts), arg, nil
}

// readEither is read for a FILE that may also be a pool file: one that begins as JSON
// does and holds no certificate.
func (a *app) readEither(ctx context.Context, arg string) (p *pool.Pool, b *bundle.Bundle, name string, err error) {
	readJSON := func(data []byte) (decoded []byte, ok bool) {
		decoded, err := text.Decode(data, cmp.Or(a.limits.Bytes, fetch.DefaultMaxBytes))
		return decoded, err == nil && bytes.HasPrefix(bytes.TrimLeft(decoded, " \t\r\n"), []byte("{")) && !bundle.SniffCertificate(decoded)
	}
	captured := false
	defer func() {
		if err != nil && captured {
			err = hinted{err, "of what a device shows make a pool file first: trustpool pool read FILE --platform NAME --save POOL"}
		}
	}()
	files, err := a.fetch(ctx, arg, func(prefix []byte) (int64, error) {
		captured = bytes.Contains(prefix, []byte("Trustpool: "))
		if _, ok := readJSON(prefix); ok {
			return 0, nil
		}
		return bundle.Sniff(prefix)
	})
	if err != nil {
		return nil, nil, "", err
	}
	if len(files) == 1 {
		if decoded, ok := readJSON(files[0].Data); ok {
			p, err = pool.Read(bytes.NewReader(decoded), device.CheckName)
			if err != nil {
				err = fmt.Errorf("%s: %w", label(files[0].Name), err)
			}
			return p, nil, files[0].Name, err
		}
	}
	b, name, err = a.parse(files, arg, bundle.Limits.Parse)
	return nil, b, name, err
}

// fetch gets what sniff, which may be nil, does not refuse, under the limits that the flags set.
func (a *app) fetch(ctx context.Context, arg string, sniff func([]byte) (int64, error)) ([]fetch.File, error) {
	o := a.fetchOptions()
	o.Sniff = sniff
	o.Directory = fetch.Directory{Companion: isCompanion, Wanted: bundle.SniffCertificate, Unreadable: a.skip}
	return a.fetchWith(ctx, arg, o)
}

// fetchOptions are those that the flags set.
func (a *app) fetchOptions() fetch.Options {
	return fetch.Options{MaxBytes: a.limits.Bytes, Stdin: a.env.Stdin, Offline: a.offline, UserAgent: "trustpool/" + a.version()}
}

// fetchWith is fetch with options of the caller's choice.
func (a *app) fetchWith(ctx context.Context, arg string, o fetch.Options) ([]fetch.File, error) {
	p := a.progress(bytesRead, "reading %s", fetch.Mask(arg))
	defer p.done()
	o.Progress = p.add
	passed := map[fetch.Passed]int{}
	o.Directory.Passed = func(_ string, why fetch.Passed) { passed[why]++ }
	files, err := fetch.Read(ctx, arg, o)
	for _, f := range files {
		a.rests(f.Name, f.Data)
	}
	if err == nil && len(passed) > 0 {
		a.warn("%s: %s read; passed over: %s", arg, report.Count(len(files), "file"), countPassed(passed))
	}
	return files, err
}

// fetchOne is fetch of one file. A directory is an error, which says what it is not, and what to do.
func (a *app) fetchOne(ctx context.Context, arg string, sniff func([]byte) (int64, error), what, hint string) (fetch.File, error) {
	files, err := a.fetch(ctx, arg, sniff)
	if err != nil {
		return fetch.File{}, err
	}
	if len(files) != 1 || files[0].Name != arg && !fetch.IsURL(arg) {
		return fetch.File{}, hinted{fmt.Errorf("%s: a directory is not %s", arg, what), hint}
	}
	return files[0], nil
}

// fetchText is fetchOne of a text, in UTF-8.
func (a *app) fetchText(ctx context.Context, arg string, sniff func([]byte) (int64, error), what, hint string) (name string, data []byte, err error) {
	f, err := a.fetchOne(ctx, arg, sniff, what, hint)
	if err == nil {
		data, err = a.decode(f)
	}
	return f.Name, data, err
}

// gather begins the evidence of a report that is judged at a time and printed as one
// that people file. From here on it takes in every file that is read.
func (a *app) gather(as printing, at *moment) {
	at.pin(a.env.Now)
	a.evidence = nil
	if as == "" || as == "quiet" {
		return
	}
	a.evidence = report.NewEvidence(a.knownVersion(), at.Time)
}

// rests adds a file to what a report rests on.
func (a *app) rests(name string, data []byte) {
	if a.evidence != nil {
		a.evidence.Add(name, data)
	}
}

// witness is rests for a file that is yet to be read, from in. When all of it was read, noted
// adds it.
func (a *app) witness(name string, r io.Reader) (in io.Reader, noted func()) {
	if a.evidence == nil {
		return r, func() {}
	}
	hash := sha256.New()
	return io.TeeReader(r, hash), func() { a.evidence.AddSum(name, [sha256.Size]byte(hash.Sum(nil))) }
}

// decode returns the UTF-8 of a text that was read.
func (a *app) decode(f fetch.File) ([]byte, error) {
	data, err := text.Decode(f.Data, cmp.Or(a.limits.Bytes, fetch.DefaultMaxBytes))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", label(f.Name), err)
	}
	return data, nil
}

// countPassed lists what is passed over in a directory.
func countPassed(passed map[fetch.Passed]int) string {
	var out []string
	for _, why := range []fetch.Passed{fetch.PassedCompanion, fetch.PassedLink, fetch.PassedHidden, fetch.PassedDirectory, fetch.PassedSpecial} {
		n := passed[why]
		switch {
		case n == 0:
		case n > 1 && why == fetch.PassedLink:
			out = append(out, fmt.Sprintf("%d links to files that were read", n))
		case n > 1 && why == fetch.PassedDirectory:
			out = append(out, fmt.Sprintf("%d directories", n))
		default:
			out = append(out, report.Count(n, string(why)))
		}
	}
	return strings.Join(out, ", ")
}

// skip reports whether to go on without a file of a directory, as
// --skip-unreadable asks, and says so.
func (a *app) skip(_ string, err error) bool {
	if a.skipUnreadable {
		a.warn("skipped: %v", err)
	}
	return a.skipUnreadable
}

// isCompanion reports by its name whether a file goes with the certificates of a
// trust anchor package, such as those of the IGTF, unless one is in it: where CRLs
// are (.crl_url), what a CA may sign (.namespaces, .signing_policy), what it is
// (.info), its CRLs (.r0), checksums and signatures, and what people are to read.
func isCompanion(name string) bool {
	lower := strings.ToLower(name)
	ext := filepath.Ext(lower)
	switch ext {
	case ".info", ".namespaces", ".signing_policy", ".crl_url", ".crl", ".lsc", ".md5", ".sha1", ".sha256", ".sha512", ".asc", ".sig", ".md":
		return true
	}
	if len(ext) > 2 && ext[1] == 'r' && strings.Trim(ext[2:], "0123456789") == "" {
		return true
	}
	switch strings.TrimSuffix(lower, ext) {
	case "readme", "license", "licence", "copying", "changes", "changelog", "makefile", "md5sums", "sha1sums", "sha256sums", "sha512sums":
		return ext == "" || ext == ".txt"
	}
	return false
}

// parseFilters reads the values of a flag that picks certificates.
func parseFilters(flag string, values []string, at time.Time) (filters []bundle.Filter, err error) {
	for _, v := range values {
		f, err := bundle.ParseFilter(v, at)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", flag, err)
		}
		filters = append(filters, f)
	}
	return filters, nil
}

// label is how an error names a source.
func label(name string) string {
	if name == "-" {
		return "stdin"
	}
	return name
}

// trust are the flags that say what to trust and when.
type trust struct {
	roots []string
	at    moment
}

func (t *trust) flags(cmd *cobra.Command) {
	t.rootFlag(cmd)
	cmd.Flags().Func("at", "judge dates at `TIME`: 2026-11-21 or 2026-11-21T08:30:00Z (default now)", t.at.set)
}

func (t *trust) rootFlag(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&t.roots, "root", nil, "trust `FILE|SHA256` alone: a certificate, or the SHA-256 of one (repeatable; default Cisco's roots, see trustpool anchors)")
}

// chosen are the anchors that --root names, and Cisco's if it is not given.
func (t *trust) chosen(ctx context.Context, a *app) ([]roots.Anchor, error) {
	anchors, err := a.readAnchors(ctx, "--root", t.roots)
	if err == nil && anchors == nil {
		anchors = roots.BuiltIn()
	}
	return anchors, err
}

// subject is a bundle to be audited.
func (t *trust) subject(ctx context.Context, a *app, name string, b *bundle.Bundle) (*audit.Subject, error) {
	r, err := t.verify(ctx, a, b)
	return &audit.Subject{File: name, Entries: pool.Of(b.Certificates), Signature: &r}, err
}

// readAnchors makes an anchor of each value of a flag, a file or a SHA-256.
func (a *app) readAnchors(ctx context.Context, flag string, values []string) ([]roots.Anchor, error) {
	var out []roots.Anchor
	for _, arg := range values {
		// What reads as a hash is one, even if a file bears that name: nobody
		// changes a pin by putting a file there.
		if sum, ok := roots.ParseSHA256(arg); ok {
			out = append(out, roots.FromSHA256(sum))
			continue
		}
		if fetch.IsURL(arg) {
			return nil, hinted{fmt.Errorf("%s %s: what is trusted is not fetched", flag, fetch.Mask(arg)), "download it, check its SHA-256, and give the file"}
		}
		f, err := a.fetchOne(ctx, arg, bundle.Sniff, "an anchor", "give the root's certificate, or its SHA-256")
		if err != nil {
			return nil, fmt.Errorf("%s: %w", flag, err)
		}
		anchors, err := roots.FromFile(f.Data)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", flag, label(f.Name), err)
		}
		out = append(out, anchors...)
	}
	return out, nil
}

// verify judges a bundle's signature under --root, or under Cisco's roots.
func (t *trust) verify(ctx context.Context, a *app, b *bundle.Bundle) (signing.Report, error) {
	anchors, err := t.chosen(ctx, a)
	if err != nil {
		return signing.Report{}, err
	}
	v, err := signing.Verify(b, signing.VerifyOptions{Anchors: anchors, At: t.at.or(a.env.Now)})
	var refused *signing.VerifyError
	if err != nil && !errors.As(err, &refused) {
		return signing.Report{}, err
	}
	return signing.NewReport(v, refused, t.at.chosen()), nil
}
