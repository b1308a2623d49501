package show

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime/quotedprintable"
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	filetext "trustpool/internal/fetch/text"
)

// Limits of Read.
const (
	MaxSize  = 64 << 20 // bytes of text
	MaxShown = 200_000  // certificates
)

// Read reads what a device shows of its pool, in the order of the text. It
// verifies nothing: whoever can alter a capture can make it say anything.
//
// It is liberal about how the text was got. What is before, between and after
// the certificates is passed over: prompts, the command's echo, the time, other
// commands. So are fields that are not known, what pagers leave ("--More--",
// backspaces), carriage returns, blanks lost at the beginning or the end of a line,
// a margin, and of IOS XR the loss of all line breaks within a certificate.
//
// It is strict about what it returns. A certificate without one of its fields, a
// field that is there twice and a second capture in the same text are errors that
// say the line. Indents and line breaks are what tells names from fields; where
// they are lost, which Shown.Lossy says, a name that was made for it can pass for
// others, and the rest of a value after a comma for the next part of the name.
//
// What Print printed is read exactly. No certificates, more than MaxSize or
// MaxShown are errors.
func Read(text []byte, style Style) ([]Shown, error) {
	if len(text) > MaxSize {
		return nil, fmt.Errorf("more than %d bytes", MaxSize)
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if bytes.IndexByte(text, '\n') < 0 { // lines may end with a carriage return alone
		text = bytes.ReplaceAll(text, []byte("\r"), []byte("\n"))
	}
	if isQuotedPrintable(text) {
		decoded, err := io.ReadAll(quotedprintable.NewReader(bytes.NewReader(text)))
		if err != nil {
			return nil, fmt.Errorf("a mail in quoted-printable that cannot be read: %w", err)
		}
		text = decoded
	}
	d, err := dialectOf(style)
	if err != nil {
		return nil, err
	}
	if data := jsonOf(text); data != nil {
		return d.readJSON(data)
	}
	return d.readText(string(text))
}

// A dialect is the words of a style in a text.
type dialect struct {
	style    Style
	command  string // that shows the pool
	head     string // the line of its own that each certificate has
	labels   map[string]label
	required []label // without which nothing is known of a certificate, or the text is not what the platform prints
	read     func(*reader, line) error
}

func dialectOf(style Style) (*dialect, error) {
	required := []label{labelSerial, labelIssuer, labelSubject, labelNotBefore, labelNotAfter, labelOrigin, labelSHA1}
	xr := map[string]label{
		"Trustpool": labelOrigin, "Serial Number": labelSerial, "Subject": labelSubject, "Issued By": labelIssuer,
		"Validity Start": labelNotBefore, "Validity End": labelNotAfter, "SHA1 Fingerprint": labelSHA1,
	}
	switch style {
	case IOSXE:
		return &dialect{style, "show crypto pki trustpool", xeHead, map[string]label{
			"Status": labelStatus, "Certificate Serial Number (hex)": labelSerial, "Certificate Serial Number": labelSerial,
			"Certificate Usage": labelUsage, "Issuer": labelIssuer, "Subject": labelSubject, "CRL Distribution Points": labelCRLs,
			"Validity Date": labelValidity, "Associated Trustpoints": labelTrustpoints, "Storage": labelStorage, "Trustpool": labelOrigin,
		}, required[:6], (*reader).iosxe}, nil
	case IOSXR:
		return &dialect{style, "show crypto ca trustpool", xrHead, xr, required, (*reader).iosxr}, nil
	case NXOS: // which does not say what is built in
		nx := map[string]label{}
		for name, l := range xr {
			nx[strings.ToLower(name)] = l
		}
		return &dialect{style, "show crypto ca trustpool", xrHead, nx, required[:5], (*reader).nxos}, nil
	}
	return nil, fmt.Errorf("no style is called %q", style)
}

// label is the field that a line begins with, and what is behind its colon.
func (d *dialect) label(text string) (label, string) {
	name, rest, ok := strings.Cut(text, ":")
	switch {
	case !ok:
		return noLabel, ""
	case d.style == IOSXR:
		name = strings.TrimRight(name, " ")
	case d.style == NXOS: // the words of the documented fields, with blanks or hyphens
		name = strings.ReplaceAll(strings.ReplaceAll(strings.ToLower(strings.TrimSpace(name)), "-", " "), "_", " ")
	}
	return d.labels[name], strings.TrimSpace(rest)
}

// isQuotedPrintable reports whether a text is as mails have it: each equals sign begins a
// byte in hex, or ends a line, and there are some of what is in every name.
func isQuotedPrintable(text []byte) bool {
	return bytes.Contains(text, []byte("=3D")) && !unquoted().Match(text)
}

// unquoted is an equals sign that quoted-printable does not have: neither two digits in hex
// nor the end of the line are behind it.
var unquoted = pattern(`=(?:[^0-9A-F \t\r\n]|[0-9A-F](?:[^0-9A-F]|$)|[ \t\r]+[^ \t\r\n])`)

// readText reads a capture that is text.
func (d *dialect) readText(text string) ([]Shown, error) {
	r := reader{dialect: d}
	count := strings.Count(text, "\n") + 1
	if strings.Count(text, `\n`) > 8*count {
		return nil, errors.New(`its line breaks are written as \n: give the text as the device printed it, or as JSON`)
	}
	raw := make([]string, 0, count)
	for l := range strings.Lines(text) {
		raw = append(raw, bare(l))
	}
	undecorate(raw)
	lines := make([]line, 0, len(raw))
	for i, s := range raw {
		l := clean(s)
		if l.text != "" {
			l.number, l.last, l.width = i+1, i+1, l.indent+utf8.RuneCountInString(l.text)
			if strings.HasSuffix(s, " ") && !strings.HasSuffix(s, "  ") {
				l.blank = true
				l.width++
			}
			lines = append(lines, l)
		}
	}
	s := r.split(r.join(lines))
	if err := r.wrong(s); err != nil && !r.isOther(text) {
		return nil, err
	}
	for _, l := range s.lines {
		passed, err := r.passMessage(l)
		if err == nil && !passed {
			err = r.read(&r, l)
		}
		if err != nil {
			if r.isOther(text) {
				return nil, r.nothing(text)
			}
			return nil, fmt.Errorf("line %d: %w", l.number, err)
		}
		if len(r.list) > MaxShown {
			return nil, fmt.Errorf("line %d: more than %d certificates", l.number, MaxShown)
		}
	}
	if r.current != nil && r.style == NXOS && r.missing() == "" {
		if err := r.end(); err != nil {
			return nil, err
		}
	}
	if r.current != nil {
		return nil, fmt.Errorf("line %d: the text ends within this certificate, which has no %s", r.current.Line, r.missing())
	}
	if len(r.list) == 0 {
		return nil, r.nothing(text)
	}
	if err := secondCapture(r.list); err != nil {
		return nil, err
	}
	return r.list, nil
}

// secondCapture is the error for the pools of two devices without a prompt between
// them: what is built in is there twice.
func secondCapture(list []Shown) error {
	type shown struct {
		serial, issuer, subject, sha1 string
		notBefore, notAfter           Date
	}
	seen := map[shown]int{}
	var again []int // the lines
	for _, s := range list {
		if s.Origin != BuiltIn {
			continue
		}
		key := shown{s.Serial, strings.Join(s.Issuer, "\n"), strings.Join(s.Subject, "\n"), s.SHA1, s.NotBefore, s.NotAfter}
		if seen[key]++; seen[key] == 2 {
			again = append(again, s.Line)
		}
	}
	if len(again) < 2 { // the same certificate may be shown twice
		return nil
	}
	return fmt.Errorf("line %d: what is built in is shown again, so a second capture has begun before: give one at a time, the newest", again[0])
}

// A reader reads one text.
type reader struct {
	*dialect
	list    []Shown
	current *entry // the certificate that is being read
	echo    bool   // after certificates the command is there again
	over    bool   // after certificates there is a prompt
	members int    // lines that may still belong to the message before
}

// An entry is a certificate that is being read.
type entry struct {
	Shown
	margin  int  // blanks before its first line
	field   int  // blanks before its fields
	base    int  // blanks before the lines of the name that is being read, if it has any
	tab     bool // there are tabs among them
	named   bool // the line before was a name
	number  bool // the line before was the serial number
	seen    [labels]bool
	section label // whose values come next
	indents bool  // its values are indented, so the blanks are not lost
}

// A label is a field of a certificate.
type label int

const (
	noLabel label = iota
	labelStatus
	labelSerial
	labelUsage
	labelIssuer
	labelSubject
	labelCRLs
	labelValidity // IOS XE: has the two below
	labelNotBefore
	labelNotAfter
	labelTrustpoints
	labelStorage
	labelOrigin
	labelSHA1
	labelOther // a field that is not known

	labels
)

// title is a field in the words of an error.
func (l label) title() string {
	return [labels]string{
		labelStatus: "status", labelSerial: "serial number", labelUsage: "usage", labelIssuer: "issuer", labelSubject: "subject",
		labelCRLs: "distribution points", labelValidity: "validity", labelNotBefore: "start of its validity",
		labelNotAfter: "end of its validity", labelTrustpoints: "trustpoints", labelStorage: "storage",
		labelOrigin: "line Trustpool", labelSHA1: "SHA-1 fingerprint",
	}[l]
}

// begin starts a certificate.
func (r *reader) begin(l line) error {
	if r.current != nil {
		return fmt.Errorf("another certificate begins, and that of line %d has no %s", r.current.Line, r.missing())
	}
	if r.echo {
		return errors.New("a second capture begins: give one at a time, the newest")
	}
	r.over = false
	r.current = &entry{Shown: Shown{Line: l.number}, margin: l.indent}
	return nil
}

// end adds the certificate that was read.
func (r *reader) end() error {
	if missing := r.missing(); missing != "" {
		return fmt.Errorf("the certificate of line %d has no %s", r.current.Line, missing)
	}
	for _, name := range [][]string{r.current.Issuer, r.current.Subject} {
		if len(name) == 0 {
			return fmt.Errorf("the certificate of line %d has an issuer or a subject without a name", r.current.Line)
		}
	}
	r.current.Lossy = r.current.Lossy || r.style == IOSXE && !r.current.indents
	r.list, r.current = append(r.list, r.current.Shown), nil
	return nil
}

// missing is the first field that the certificate lacks.
func (r *reader) missing() string {
	for _, l := range r.required {
		if !r.current.seen[l] || l == labelSHA1 && r.current.SHA1 == "" {
			return l.title()
		}
	}
	return ""
}

// take notes that a field is there, once.
func (e *entry) take(l label) error {
	if e.seen[l] && l != labelOther {
		return fmt.Errorf("the %s of the certificate of line %d is there twice", l.title(), e.Line)
	}
	e.seen[l], e.section = true, l
	return nil
}

// outside judges a line that belongs to no certificate.
func (r *reader) outside(l line, field label) error {
	switch {
	case l.text == notListed:
		r.list = append(r.list, Shown{Line: l.number, NotListed: true})
	case field == labelSerial, field == labelSHA1, field == labelOrigin:
		return fmt.Errorf("the %s of a certificate whose beginning is missing", field.title())
	case len(r.list) > 0 && echoes(l.text):
		r.echo = true
	case len(r.list) > 0 && complains(l.text):
		return fmt.Errorf("the device says %.80q after a certificate: the pool may not be whole, capture it again", l.text)
	case isPrompt(l.text):
		r.over = true
	case len(r.list) > 0 && !r.over && lost().MatchString(l.text):
		return fmt.Errorf("%.80q after a certificate, and no prompt before it: the pool may not be whole, capture it again", l.text)
	}
	return nil
}

// complains reports whether a line is an error of the device.
func complains(text string) bool {
	return strings.HasPrefix(text, "% ") || strings.HasPrefix(text, "ERROR:")
}

// givesUp reports whether behind a line there is no more of the pool.
func givesUp(text string) bool { return complains(text) || lost().MatchString(text) }

// lost is what programs print when the session ends before the device has printed all.
var lost = pattern(`(?i)^(?:(?:ssh|telnet|plink|error|fatal|client_loop|packet_write_wait|write failed)\b.{0,80}?[: ] *)?(?:.{0,80}\b(?:connection|session|socket|channel)\b.{0,80}\b(?:closed|reset|timed out|lost|aborted|refused|terminated|expired|timeout)|broken pipe|.{0,80}\b(?:timed out|timeout)\b|timeout[, ])|^\^C`)

// echoes reports whether a line has the command, perhaps shortened: show crypto pki
// trustpool.
func echoes(text string) bool { return commandIn(text) >= 0 }

// commandIn is where the command begins in a line; -1 if the line does not have it.
func commandIn(text string) int {
	if !strings.Contains(text, "trustp") {
		return -1
	}
	words := strings.Fields(text)
	at := 0 // of the word
	for i := 0; i+3 < len(words); i++ {
		at += strings.Index(text[at:], words[i])
		prompt := strings.LastIndexAny(words[i], "#>") + 1
		show := words[i][prompt:]
		if strings.HasPrefix(show, "sh") && strings.HasPrefix("show", show) && strings.HasPrefix(words[i+1], "cr") &&
			(words[i+2] == "pki" || words[i+2] == "ca") && strings.HasPrefix(words[i+3], "trustp") {
			return at + prompt
		}
		at += len(words[i])
	}
	return -1
}

// isOther reports whether a text is what the other style prints.
func (r *reader) isOther(text string) bool {
	other := xrHead
	if r.style != IOSXE {
		other = xeHead
	}
	return strings.Contains(text, other) && !strings.Contains(text, r.head)
}

// nothing is the error for a text without certificates.
func (r *reader) nothing(text string) error {
	other := "IOS XR"
	if r.style != IOSXE {
		other = "IOS XE"
	}
	if r.isOther(text) {
		return fmt.Errorf("this is what %s prints; that of another platform was expected", other)
	}
	if kind := filetext.Name([]byte(text[:min(len(text), filetext.SniffBytes)])); kind != "" {
		return fmt.Errorf("no certificate in it: it is %s; give the whole output of %s, as text", kind, r.command)
	}
	return fmt.Errorf("no certificate in it: give the whole output of %s", r.command)
}

// origin reads the words behind Trustpool.
func (e *entry) origin(text string) error {
	for _, o := range []Origin{Downloaded, BuiltIn} {
		if strings.EqualFold(text, string(o)) {
			e.Origin = o
			return nil
		}
	}
	return fmt.Errorf("the field Trustpool is %.40q, not %s or %s", text, Downloaded, BuiltIn)
}

// serial reads hex in whole bytes, with colons between them or without.
func (e *entry) serial(text string) error {
	digits, negative := strings.CutPrefix(strings.ToUpper(strings.ReplaceAll(text, ":", "")), "-")
	if strings.HasSuffix(text, ":") || digits == "" || len(digits)%2 != 0 || !only(digits, "0123456789ABCDEF") {
		return fmt.Errorf("the serial number %.80q is not hex in whole bytes", text)
	}
	for len(digits) > 2 && strings.HasPrefix(digits, "00") {
		digits = digits[2:]
	}
	if e.Serial = digits; negative {
		e.Serial = "-" + digits
	}
	return nil
}

// isHex reports whether a line is the rest of a serial number that was broken.
func isHex(text string) bool { return only(text, "0123456789ABCDEFabcdef:") }

// only reports whether a text has no bytes but those.
func only(text, those string) bool {
	for i := range len(text) {
		if strings.IndexByte(those, text[i]) < 0 {
			return false
		}
	}
	return true
}

// errSerial is that of a line that isHex, after a serial number.
var errSerial = errors.New("the serial number goes on in this line: capture it again")

// fingerprint reads a SHA-1.
func (e *entry) fingerprint(text string) error {
	e.SHA1 = strings.ToUpper(strings.ReplaceAll(strings.ReplaceAll(text, ":", ""), " ", ""))
	if len(e.SHA1) != 40 || !only(e.SHA1, "0123456789ABCDEF") {
		return fmt.Errorf("the SHA-1 fingerprint %.80q is not 40 hex digits", text)
	}
	return nil
}

// maxZone is how long the name of a zone may be. Devices have names of a few
// letters.
const maxZone = 20

// parseDate reads "18:27:00 UTC Nov 24 2006", of IOS XR with the day of the week
// before the month.
func parseDate(text string) (Date, error) {
	if text == unreadable {
		return Date{}, nil
	}
	words := strings.Fields(text)
	bad := func() error { return fmt.Errorf("%.60q is not a date such as 18:27:00 UTC Nov 24 2006", text) }
	if len(words) < 5 || len(words) > 6 || len(words[0]) != len(clockLayout) || len(words[1]) > maxZone || !only(words[1], letters+"+-") {
		return Date{}, bad()
	}
	day := words[len(words)-3:]
	clock, err := time.Parse(clockLayout+" "+xeLayout, words[0]+" "+strings.Join(day, " "))
	if err != nil {
		return Date{}, bad()
	}
	if weekday := words[2]; len(words) == 6 && clock.Format("Mon") != weekday {
		return Date{}, fmt.Errorf("%.60q is no %.20s", text, weekday)
	}
	return Date{clock, words[1]}, nil
}

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// isAttribute reports whether a line begins as an attribute of a name: cn=
func isAttribute(text string) bool {
	key, _, ok := strings.Cut(text, "=")
	return ok && key != "" && only(key, letters+"-.")
}

// flatExpressions are those for IOS XR without its line breaks: the beginning of a
// certificate, and a whole one.
var flatExpressions = sync.OnceValues(func() (head, whole *regexp.Regexp) {
	const start = `Trustpool:\s*((?i:Built-In|Downloaded))\s*=+\s*CA certificate\s*`
	return regexp.MustCompile(start), regexp.MustCompile(`^` + start + `Serial Number\s*:\s*([-0-9A-Fa-f:]+?)\s*Subject\s*:\s*(.*?)\s*Issued By\s*:\s*(.*?)\s*` +
		`Validity Start\s*:\s*(.*?)\s*Validity End\s*:\s*(.*?)\s*SHA1 Fingerprint\s*:\s*([0-9A-Fa-f]{40})`)
})
