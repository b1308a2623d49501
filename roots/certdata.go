package roots

import (
	"bytes"
	"cmp"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"trustpool/bundle/certificate"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// A CertdataError says in which line a file is not a certdata.txt.
type CertdataError struct {
	Line int
	Msg  string
}

func (e *CertdataError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Msg) }

// ParseCertdata reads certdata.txt, in which Mozilla's root program is kept (NSS,
// lib/ckfw/builtins): PKCS #11 objects in text, certificates and what trust is
// put into each. Its beginning documents the attributes; the words for trust are
// those of NSS (pkcs11n.h) and of PKCS #11 v3.2 section 4.19.
//
// Every certificate is one entry, whatever it is trusted for. A certificate that
// cannot be read, or that its object contradicts, is an entry with Err; an
// attribute, a class or a value that is not known is a constraint. Trust objects
// are joined to certificates by issuer and serial number and by the hashes that
// they state; one that has no certificate in the file is an entry without one.
// Objects of the same certificate become one entry, and the stricter counts.
// Only what is not a certdata.txt at all is an error, of type *CertdataError if
// there is a line.
//
// What Firefox does besides is not in the file: NSS limits the names below a root
// of TUBITAK in its code (CERT_GetImposedNameConstraints), and CCADB's report
// says so if this file does not.
func ParseCertdata(data []byte) (*Store, error) {
	if err := checkFile(data, "a certdata.txt"); err != nil {
		return nil, err
	}
	r := lineReader{rest: bytes.TrimPrefix(data, []byte(byteOrderMark))}
	for begun := false; !begun; {
		line, err := r.next()
		if errors.Is(err, io.EOF) {
			return nil, errors.New("no BEGINDATA line in it: not a certdata.txt")
		}
		if err != nil {
			return nil, err
		}
		begun = string(line) == "BEGINDATA"
	}
	var d certdata
	var object []attribute
	for objects, end := 0, false; !end; {
		a, err := r.attribute()
		if end = errors.Is(err, io.EOF); err != nil && !end {
			return nil, err
		}
		begins := a.name == "CKA_CLASS"
		if (begins || end) && len(object) > 0 {
			if objects++; objects > MaxRoots {
				return nil, r.errorf("more than %d objects", MaxRoots)
			}
			d.add(object)
			object = nil
		}
		if !begins && !end && len(object) == 0 {
			return nil, r.errorf("%s is before the first CKA_CLASS", a.name)
		}
		object = append(object, a)
	}
	if len(d.certificates)+len(d.trust) == 0 {
		return nil, errors.New("no certificate and no trust in it")
	}
	return NewStore(d.join()), nil
}

// A lineReader reads the lines of certdata.txt.
type lineReader struct {
	rest []byte
	line int // of the line that was read last
}

func (r *lineReader) errorf(format string, args ...any) error {
	return &CertdataError{r.line, fmt.Sprintf(format, args...)}
}

// next gives the next line without white space around it; the error is io.EOF at the end.
func (r *lineReader) next() (line []byte, err error) {
	if len(r.rest) == 0 {
		return nil, io.EOF
	}
	r.line++
	line, r.rest, _ = bytes.Cut(r.rest, []byte("\n"))
	if len(line) > MaxStoreLine {
		return nil, r.errorf("more than %d bytes", MaxStoreLine)
	}
	return bytes.TrimSpace(line), nil
}

// An attribute is one attribute of an object. bytes is what a MULTILINE_OCTAL
// gives, value all else.
type attribute struct {
	name, kind, value string
	content           []byte
	line              int
}

// is reports whether the attribute has the type and the value.
func (a attribute) is(kind, value string) bool { return a.kind == kind && a.value == value }

func (a attribute) String() string {
	return strings.TrimSpace(a.name + " " + a.kind + " " + a.value)
}

// attribute reads the next attribute: its name, its type and its value, which may take
// several lines. Empty lines mean nothing, as they mean nothing to NSS (certdata.perl).
func (r *lineReader) attribute() (attribute, error) {
	line, err := r.next()
	for err == nil && (len(line) == 0 || line[0] == '#' || bytes.HasPrefix(line, []byte("CVS_ID"))) {
		line, err = r.next()
	}
	if err != nil {
		return attribute{}, err
	}
	whole := withoutComment(string(line))
	name, rest := cutWord(whole)
	kind, value := cutWord(rest)
	a := attribute{name: name, kind: kind, value: value, line: r.line}
	if !isAttributeName(name) || kind == "" {
		return a, r.errorf("neither an attribute nor a comment: %q", whole[:min(len(whole), 40)])
	}
	for strings.HasPrefix(kind, "MULTILINE") {
		line, err := r.next()
		switch {
		case errors.Is(err, io.EOF):
			return a, &CertdataError{a.line, "the file ends before the END of " + a.name}
		case err != nil:
			return a, err
		case string(line) == "END":
			return a, nil
		case kind != "MULTILINE_OCTAL":
			continue // of a type that is not known; the attribute is then empty for those who need it
		}
		var ok bool
		if a.content, ok = appendOctal(a.content, line); !ok {
			return a, r.errorf("no octal bytes, in the value of %s", a.name)
		}
	}
	return a, nil
}

// cutWord gives the first word of a line, and what follows the white space after
// it.
func cutWord(s string) (word, rest string) {
	if i := strings.IndexAny(s, " \t"); i >= 0 {
		return s[:i], strings.TrimLeft(s[i:], " \t")
	}
	return s, ""
}

// withoutComment cuts a comment off that follows an attribute.
func withoutComment(line string) string {
	quoted := false
	for i := 0; i < len(line); i++ {
		switch {
		case line[i] == '"':
			quoted = !quoted
		case line[i] == '\\' && quoted:
			i++
		case line[i] == '#' && !quoted:
			return strings.TrimSpace(line[:i])
		}
	}
	return line
}

func isAttributeName(s string) bool {
	s, ok := strings.CutPrefix(s, "CKA_")
	return ok && s != "" && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == ""
}

// appendOctal appends the bytes of a line such as \060\202; false if it is
// not such a line.
func appendOctal(content, line []byte) ([]byte, bool) {
	if len(line)%4 != 0 {
		return nil, false
	}
	for ; len(line) > 0; line = line[4:] {
		a, b, c := line[1]-'0', line[2]-'0', line[3]-'0'
		if line[0] != '\\' || a > 3 || b > 7 || c > 7 {
			return nil, false
		}
		content = append(content, a<<6|b<<3|c)
	}
	return content, true
}

// certdata collects the objects of a file.
type certdata struct {
	certificates []*certificateObject
	trust        []*Root // what trust objects say; they have no certificate yet
}

// A certificateObject is an entry and the bytes of its certificate as they are
// in the file.
type certificateObject struct {
	root *Root
	der  []byte
}

func (d *certdata) add(object []attribute) {
	root := &Root{Line: object[0].line}
	seen := make(map[string]bool, len(object))
	for _, a := range object {
		if seen[a.name] {
			root.fail(fmt.Errorf("line %d: %s a second time", a.line, a.name))
		}
		seen[a.name] = true
	}
	switch class := object[0].value; class {
	case "CKO_NSS_BUILTIN_ROOT_LIST", "CKO_NETSCAPE_BUILTIN_ROOT_LIST":
	case "CKO_CERTIFICATE":
		d.certificates = append(d.certificates, &certificateObject{root, root.readCertificateObject(object)})
	default:
		if class != "CKO_NSS_TRUST" && class != "CKO_NETSCAPE_TRUST" && class != "CKO_TRUST" {
			root.constrain("an object " + class)
		}
		root.readTrustObject(object)
		d.trust = append(d.trust, root)
	}
}

// readCertificateObject reads a certificate and what its object says of it, and
// gives the bytes as they are in the file.
func (r *Root) readCertificateObject(object []attribute) (der []byte) {
	var issuer, subject, serial []byte
	for _, a := range object {
		switch a.name {
		case "CKA_CLASS", "CKA_TOKEN", "CKA_PRIVATE", "CKA_MODIFIABLE", "CKA_ID", "CKA_NSS_EMAIL", "CKA_NETSCAPE_EMAIL":
		case "CKA_LABEL":
			r.Label = unquote(a.value)
		case "CKA_CERTIFICATE_TYPE":
			if !a.is("CK_CERTIFICATE_TYPE", "CKC_X_509") {
				r.fail(fmt.Errorf("line %d: a certificate of another type, %s", a.line, a))
			}
		case "CKA_SUBJECT":
			subject = a.content
		case "CKA_ISSUER":
			issuer = a.content
		case "CKA_SERIAL_NUMBER":
			serial = a.content
		case "CKA_VALUE":
			der = a.content
		case "CKA_NSS_MOZILLA_CA_POLICY":
			if !a.is("CK_BBOOL", "CK_TRUE") {
				r.constrain(a.String()) // not by the rules of Mozilla's program
			}
		default:
			if !r.readDistrustAfter(a) {
				r.constrain(a.String())
			}
		}
	}
	r.setName(issuer, serial)
	if len(der) == 0 {
		r.fail(errors.New("an object without a certificate"))
		return nil
	}
	stated, statedSerial := r.Issuer, r.Serial
	r.set(der)
	if c := r.Certificate; c.Err == nil && (len(issuer) > 0 && !bytes.Equal(c.Issuer, stated) ||
		len(serial) > 0 && !bytes.Equal(c.Serial, statedSerial) || len(subject) > 0 && !bytes.Equal(c.Subject, subject)) {
		r.fail(errors.New("issuer, subject or serial number of the certificate are not those of its object"))
	}
	return der
}

// setName takes issuer and serial number, each an element.
func (r *Root) setName(issuer, serial []byte) {
	r.Issuer = issuer
	in, number := cryptobyte.String(serial), cryptobyte.String(nil)
	if len(serial) > 0 && (!in.ReadASN1(&number, asn1.INTEGER) || !in.Empty()) {
		r.fail(errors.New("its CKA_SERIAL_NUMBER is no INTEGER"))
	}
	r.Serial = certificate.Serial(number)
}

// distrustAfterPurposes are the attributes that distrust what is issued after a day.
var distrustAfterPurposes = map[string]Purpose{
	"CKA_NSS_SERVER_DISTRUST_AFTER": ServerAuth,
	"CKA_NSS_EMAIL_DISTRUST_AFTER":  EmailProtection,
}

// readDistrustAfter reads CK_FALSE, which means no date, or the characters of a
// UTCTime. NSS takes nothing else (PK11_ReadDistrustAfterAttribute). It reports
// whether the attribute is about a date at all. The attribute belongs into the
// certificate's object, where NSS looks for it; the file of April 2026 has the one
// of Izenpe.com in the trust object, and what it says counts there too.
func (r *Root) readDistrustAfter(a attribute) bool {
	p, ok := distrustAfterPurposes[a.name]
	if !ok || a.is("CK_BBOOL", "CK_FALSE") {
		return ok
	}
	t, err := time.Parse("060102150405Z", string(a.content))
	if err != nil || len(a.content) != len("060102150405Z") {
		r.constrain(strings.TrimSpace(fmt.Sprintf("%s %s", a, a.content)))
		return true
	}
	if t.Year() >= 2050 { // RFC 5280 section 4.1.2.5.1; Go turns at 69
		t = t.AddDate(-100, 0, 0)
	}
	r.distrustAfter(p, t)
	return true
}

// trustPurposes are the attributes of trust objects that are about a purpose.
var trustPurposes = map[string]Purpose{
	"CKA_TRUST_SERVER_AUTH":      ServerAuth,
	"CKA_TRUST_CLIENT_AUTH":      ClientAuth,
	"CKA_TRUST_CODE_SIGNING":     CodeSigning,
	"CKA_TRUST_EMAIL_PROTECTION": EmailProtection,
	"CKA_TRUST_TIME_STAMPING":    TimeStamping,
}

// trustValues are the values of these attributes: those of NSS, what they were
// called until 2011, and those of PKCS #11 v3.2. Trust in one certificate, which
// is not an anchor, and CAs that are not either, must be verified.
var trustValues = map[string]Trust{
	"CKT_NSS_TRUSTED_DELEGATOR":      Trusted,
	"CKT_NSS_TRUSTED":                MustVerify,
	"CKT_NSS_VALID_DELEGATOR":        MustVerify,
	"CKT_NSS_MUST_VERIFY_TRUST":      MustVerify,
	"CKT_NSS_TRUST_UNKNOWN":          MustVerify,
	"CKT_NSS_NOT_TRUSTED":            Distrusted,
	"CKT_NETSCAPE_TRUSTED_DELEGATOR": Trusted,
	"CKT_NETSCAPE_TRUSTED":           MustVerify,
	"CKT_NETSCAPE_VALID":             MustVerify,
	"CKT_NETSCAPE_VALID_DELEGATOR":   MustVerify,
	"CKT_NETSCAPE_MUST_VERIFY":       MustVerify,
	"CKT_NETSCAPE_TRUST_UNKNOWN":     MustVerify,
	"CKT_NETSCAPE_UNTRUSTED":         Distrusted,
	"CKT_TRUST_ANCHOR":               Trusted,
	"CKT_TRUSTED":                    MustVerify,
	"CKT_TRUST_MUST_VERIFY_TRUST":    MustVerify,
	"CKT_TRUST_UNKNOWN":              MustVerify,
	"CKT_NOT_TRUSTED":                Distrusted,
}

// readTrustObject reads what trust is put into a certificate.
func (r *Root) readTrustObject(object []attribute) {
	var issuer, serial []byte
	for _, a := range object {
		switch a.name {
		case "CKA_CLASS", "CKA_TOKEN", "CKA_PRIVATE", "CKA_MODIFIABLE", "CKA_NAME_HASH_ALGORITHM", "CKA_TRUST_STEP_UP_APPROVED":
		case "CKA_LABEL":
			r.Label = unquote(a.value)
		case "CKA_ISSUER":
			issuer = a.content
		case "CKA_SERIAL_NUMBER":
			serial = a.content
		case "CKA_CERT_SHA1_HASH", "CKA_CERT_MD5_HASH", "CKA_HASH_OF_CERTIFICATE":
			r.readHash(a)
		default:
			if !r.readDistrustAfter(a) {
				r.readTrust(a)
			}
		}
	}
	if r.setName(issuer, serial); len(r.Issuer) == 0 || len(r.Serial) == 0 {
		r.fail(errors.New("a trust object that names no certificate"))
	}
	if len(r.Trust) == 0 && len(r.Constraints) == 0 {
		r.fail(errors.New("a trust object that says nothing"))
	}
}

// readHash takes a hash of the certificate; its length says which.
func (r *Root) readHash(a attribute) {
	switch len(a.content) {
	case 16:
		r.MD5 = a.content
	case 20:
		r.SHA1 = a.content
	case 32:
		r.SHA256 = [32]byte(a.content)
	default:
		r.constrain(a.String())
	}
}

func (r *Root) readTrust(a attribute) {
	t, known := trustValues[a.value]
	p, isPurpose := trustPurposes[a.name]
	switch {
	case a.kind == "CK_TRUST" && known && isPurpose:
		r.trust(p, t)
	case a.kind == "CK_TRUST" && known && t != Distrusted && strings.HasPrefix(a.name, "CKA_TRUST_"):
		// trusted for something that is not asked for here
	default:
		r.constrain(a.String())
	}
}

// join gives each certificate what trust objects say of it.
func (d *certdata) join() []*Root {
	var roots []*Root
	bySHA256 := make(map[[32]byte]*Root)
	byName := make(map[string][]*Root)
	byHash := make(map[string]*certificateObject) // SHA-1, MD5 and SHA-256 of the bytes in the file
	for _, c := range d.certificates {
		if c.der != nil {
			sum1, sum5, sum256 := sha1.Sum(c.der), md5.Sum(c.der), sha256.Sum256(c.der)
			byHash[string(sum1[:])], byHash[string(sum5[:])], byHash[string(sum256[:])] = c, c, c
			if first := bySHA256[c.root.SHA256]; first != nil {
				first.merge(c.root)
				c.root = first
				continue
			}
			bySHA256[c.root.SHA256] = c.root
		}
		roots = append(roots, c.root)
		k := nameKey(c.root.Issuer, c.root.Serial)
		byName[k] = append(byName[k], c.root)
	}
	noHash := make(map[string]*Root) // what is said without a hash, of each name
	for _, t := range d.trust {
		k := nameKey(t.Issuer, t.Serial)
		named := len(t.Issuer) > 0 && len(t.Serial) > 0
		switch hash := t.hash(); {
		case named && hash == "" && len(byName[k]) > 0:
			if first := noHash[k]; first != nil {
				first.merge(t)
			} else {
				noHash[k] = t
			}
			continue
		case hash != "":
			c := byHash[hash]
			if c == nil || !t.hashesAre(c.der) {
				break
			}
			if named && nameKey(c.root.Issuer, c.root.Serial) == k {
				c.root.merge(t)
				continue
			}
			c.root.constrain("trust under the name of another certificate")
		}
		if len(t.With(Distrusted)) == 0 && len(t.Constraints) == 0 {
			t.fail(errors.New("trust in a certificate that is not in the file"))
		}
		roots = append(roots, t)
	}
	for k, t := range noHash {
		if len(byName[k]) > 1 && len(t.With(Trusted)) > 0 {
			t.constrain("trust without a hash, for one of several certificates")
		}
		for _, r := range byName[k] {
			r.merge(t)
		}
	}
	slices.SortStableFunc(roots, func(a, b *Root) int { return cmp.Compare(a.Line, b.Line) })
	return roots
}

// hash is the strongest hash that the entry states.
func (r *Root) hash() string {
	switch {
	case r.SHA256 != [32]byte{}:
		return string(r.SHA256[:])
	case len(r.SHA1) > 0:
		return string(r.SHA1)
	}
	return string(r.MD5)
}

// unquote reads a string as certdata.txt writes it: between quotes, with \x and
// two digits for what is not ASCII.
func unquote(s string) string {
	if text, err := strconv.Unquote(s); err == nil {
		s = text
	} else {
		s = strings.Trim(s, `"`)
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
