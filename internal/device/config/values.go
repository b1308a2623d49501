package config

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// The characters that a value may have beside ASCII letters and digits. None of
// them means anything to a device's command line, to a shell, to YAML within
// quotes or to Jinja.
const (
	urlCharacters       = "-._~:/%+,=@[]()"
	fileCharacters      = "-._:/+"
	vrfCharacters       = "-._:"
	interfaceCharacters = "-./:"
	nameCharacters      = "-_"
	expectCharacters    = "-_. "
)

// ErrOneSource says that the options name no source of certificates, or several.
var ErrOneSource = errors.New("give exactly one of a URL, a file on the device, and certificates")

// byPolicy reports whether the device is to fetch by its policy: a VRF and an interface
// are settings of that.
func (o *Options) byPolicy() bool { return o.Policy || o.VRF != "" || o.SourceInterface != "" }

// check refuses options that no script can be made of.
func (o *Options) check() error {
	given := 0
	for _, is := range []bool{o.URL != "", o.File != "", len(o.PEM) > 0} {
		if is {
			given++
		}
	}
	if given != 1 {
		return ErrOneSource
	}
	p := o.Platform
	if err := cmp.Or(
		value("the URL", o.URL, urlCharacters, MaxURL),
		value("the file", o.File, fileCharacters, MaxFile),
		value("the VRF", o.VRF, vrfCharacters, MaxVRF),
		value("the source interface", o.SourceInterface, interfaceCharacters, MaxInterface),
		value("the trustpoint", o.Trustpoint, nameCharacters, MaxTrustpoint),
	); err != nil {
		return err
	}
	for _, e := range o.Expect {
		if e == "" || strings.TrimSpace(e) != e {
			return fmt.Errorf("the expected text %q is empty or has blanks around it", e)
		}
		if err := value("the expected text", e, expectCharacters, MaxExpect); err != nil {
			return err
		}
		if strings.Trim(e, expectCharacters) == "" {
			return fmt.Errorf("the expected text %q is in every pool", e)
		}
	}
	if err := cmp.Or(o.checkURL(), o.checkFile(), o.checkPEM()); err != nil {
		return err
	}
	fetches := slices.Contains([]string{"ios", "iosxe", "iosxr", "nxos"}, p.Name)
	switch {
	case o.URL == "" && o.Policy:
		return errors.New("a policy needs a URL to fetch from")
	case o.URL == "" && (o.VRF != "" || o.SourceInterface != ""):
		return errors.New("a VRF and a source interface are for a URL: nothing else is fetched")
	case o.VRF != "" && !fetches:
		return fmt.Errorf("no setting of %s is known that takes a VRF for this", p.Title)
	case o.SourceInterface != "" && !fetches:
		return fmt.Errorf("no setting of %s is known that takes a source interface for this", p.Title)
	case o.Clean && (p.Name == "fxos" || p.Name == "nxos" || p.Name == "asa" && len(o.PEM) > 0):
		return fmt.Errorf("no command of %s is known that drops downloaded certificates here", p.Title)
	}
	return nil
}

func (o *Options) checkPEM() error {
	if len(o.PEM) > MaxPEM {
		return fmt.Errorf("%d certificates are too many to paste: the limit is %d", len(o.PEM), MaxPEM)
	}
	for i, c := range o.PEM {
		if c.Err != nil {
			return fmt.Errorf("entry %d is not a certificate: %w", i+1, c.Err)
		}
	}
	if trustpoints := slices.Contains([]string{"asa", "fxos", "nxos"}, o.Platform.Name); o.Trustpoint != "" && !(trustpoints && len(o.PEM) > 0) {
		return errors.New("a trustpoint is named only if certificates are pasted into one: on asa, fxos and nxos")
	}
	return nil
}

// value refuses a value with a character outside of ASCII letters, digits and
// more, or over the limit.
func value(what, v, more string, limit int) error {
	for i, r := range v {
		if r < unicode.MaxASCII && (r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune(more, r)) {
			continue
		}
		name, why, _ := strings.Cut(character(r), ", ")
		return fmt.Errorf("%s has %s at byte %d, %s", what, name, i+1, why)
	}
	if len(v) > limit {
		return fmt.Errorf("%s has %d characters, and the limit is %d", what, len(v), limit)
	}
	if strings.HasPrefix(v, "-") {
		return fmt.Errorf("%s begins with a hyphen", what)
	}
	return nil
}

// character names a character that a line cannot have, and says why.
func character(r rune) string {
	known := map[rune]string{
		' ': "a blank, which ends a word",
		'?': "a question mark, which command lines take as a call for help: give a URL without a query",
		'!': "an exclamation mark, which begins a comment",
		'|': "a bar, which filters a command's output",
		';': "a semicolon, which begins another command",
	}
	switch {
	case known[r] != "":
		return known[r]
	case strings.ContainsRune("\"'`", r):
		return fmt.Sprintf("a quotation mark %c, which a command line may take for something else", r)
	case r == unicode.ReplacementChar:
		return "a byte of no UTF-8 or U+FFFD, which is not ASCII"
	case unicode.IsControl(r):
		return fmt.Sprintf("the control character %U, which could end the line", r)
	case unicode.In(r, unicode.Bidi_Control):
		return fmt.Sprintf("the character %U, which changes the direction of text", r)
	case r > unicode.MaxASCII:
		return fmt.Sprintf("the character %U, which is not ASCII", r)
	}
	return fmt.Sprintf("the character %c, which a command line may take for something else", r)
}

// schemes are the URL schemes that a platform's command takes: those of IOS XE
// are in its YANG model (Cisco-IOS-XE-crypto, 16.9 to 26.1.1). Of the others
// http is confirmed.
func schemes(platform string) []string {
	if platform == "ios" || platform == "iosxe" {
		return []string{"http", "https", "ftp", "scp", "tftp"}
	}
	return []string{"http", "https"}
}

func (o *Options) checkURL() error {
	if o.URL == "" {
		return nil
	}
	u, err := url.Parse(o.URL)
	if err != nil {
		return errors.New("the URL cannot be read as one")
	}
	if u.User != nil {
		return errors.New("the URL has credentials: they would stay in the device's configuration and in its log")
	}
	known := schemes(o.Platform.Name)
	if scheme, _, _ := strings.Cut(o.URL, ":"); !slices.Contains(known, scheme) { // in small letters, as sources have it
		return fmt.Errorf("the URL begins with none of %s:, which %s takes", strings.Join(known, ":, "), o.Platform.Title)
	}
	if u.Hostname() == "" || u.Opaque != "" {
		return errors.New("the URL names no server")
	}
	if strings.Trim(u.Path, "/") == "" {
		return errors.New("the URL names no file")
	}
	return nil
}

// knownFiles are the prefixes of a path on the device that a source shows.
func knownFiles(platform string) []string {
	switch platform {
	case "ios", "iosxe":
		return []string{"bootflash:", "harddisk:", "flash:", "nvram:", "webui:"}
	case "iosxr":
		return []string{"/tmp/"}
	}
	return nil
}

func (o *Options) checkFile() error {
	if o.File == "" {
		return nil
	}
	disk, rest, isDisk := strings.Cut(o.File, ":")
	switch {
	case isDisk && slices.Contains([]string{"http", "https", "ftp", "scp", "tftp", "sftp"}, strings.ToLower(disk)):
		return errors.New("the file is a URL: give it as one")
	case isDisk && (disk == "" || strings.Trim(rest, "/") == "") || strings.HasSuffix(o.File, "/"):
		return errors.New("the file has no name")
	case strings.Contains(rest, ":"):
		return errors.New("the file has two colons")
	case o.Platform.Name == "iosxr" && !isDisk && !strings.HasPrefix(o.File, "/"):
		return errors.New("the file is not a full path: write /tmp/NAME")
	case o.Platform.Name == "asa" && !isDisk:
		return errors.New("the file has no file system: write disk0:/NAME")
	case (o.Platform.Name == "ios" || o.Platform.Name == "iosxe") && !isDisk:
		return fmt.Errorf("the file has no file system: write flash:NAME (known are %s)", strings.Join(knownFiles(o.Platform.Name), " "))
	}
	return nil
}

// fileKnown reports whether a source shows an import from such a place.
func (s *Script) fileKnown() bool {
	return slices.ContainsFunc(knownFiles(s.Platform.Name), func(prefix string) bool { return strings.HasPrefix(s.File, prefix) })
}

// hostOf is the host of a URL; empty if there is none.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// Loopback reports whether a URL leads a device to itself.
func Loopback(address string) bool {
	host := strings.TrimSuffix(strings.ToLower(hostOf(address)), ".")
	a, err := netip.ParseAddr(host)
	a = a.Unmap()
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && (a.IsLoopback() || a.IsUnspecified())
}
