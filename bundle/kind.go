package bundle

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"trustpool/internal/cms"
	"trustpool/internal/fetch/text"
)

// A TypeError says that a file, or a part of it, is something other than
// certificates, what it is, and what to do. It is a *SyntaxError, too.
type TypeError struct {
	Type   string // with its article: "a PKCS#12 key store"
	Offset int    // where it begins
	Advice string

	within  bool   // the file holds more than this
	damaged bool   // it is meant to be certificates
	label   string // of the PEM block that it is
}

func (e *TypeError) Error() string { return e.summary().Error() + ": " + e.Advice }

func (e *TypeError) summary() *SyntaxError {
	msg := e.Type
	switch {
	case e.damaged:
	case e.label != "" && strings.Contains(e.label, "PRIVATE KEY"):
		msg = fmt.Sprintf("%s (PEM block %q), which is no part of a bundle,", e.Type, e.label)
	case e.label != "":
		msg = fmt.Sprintf("a PEM block %q, which is no part of a bundle,", e.label)
	case e.within:
		msg += ", which is no part of a bundle,"
	default:
		msg += ", not a bundle,"
	}
	return &SyntaxError{Offset: e.Offset, Msg: msg}
}

func (e *TypeError) Unwrap() error { return e.summary() }

// Advice that several kinds share.
const (
	adviceKey     = "leave it out: a bundle is public"
	adviceRemove  = "leave it out"
	advicePKCS12  = "extract its certificates: openssl pkcs12 -in FILE -nokeys -out FILE.pem"
	adviceRequest = "a CA has yet to make a certificate of it; get that"
	adviceAgain   = "get it again in binary mode, and compare its SHA-256"
)

// oidTrustList is the content type of Microsoft's certificate trust lists.
const oidTrustList = "1.3.6.1.4.1.311.10.1"

// labels are what PEM blocks hold that are not certificates.
var labels = []struct{ label, name, advice string }{
	{"PRIVATE KEY", "a private key", adviceKey}, // and what ends so
	{"X509 CRL", "a CRL", adviceRemove},
	{"CERTIFICATE REQUEST", "a certificate request", adviceRequest},
	{"NEW CERTIFICATE REQUEST", "a certificate request", adviceRequest},
	{"PUBLIC KEY", "a public key", adviceRemove},
	{"RSA PUBLIC KEY", "a public key", adviceRemove},
	{"ATTRIBUTE CERTIFICATE", "an attribute certificate", adviceRemove},
	{"PKCS12", "a PKCS#12 key store", advicePKCS12},
	{"PGP SIGNED MESSAGE", "a message signed with OpenPGP", "verify it, and give what was signed: gpg --decrypt"},
	{"PGP SIGNATURE", "an OpenPGP signature", adviceRemove},
	{"PGP PUBLIC KEY BLOCK", "an OpenPGP key", adviceRemove},
}

// refuseLabel is the error for a PEM block with another label, which may hold a certificate.
func refuseLabel(label string, at int, certificate bool) error {
	for _, known := range certificateLabels {
		if strings.EqualFold(strings.Join(strings.Fields(label), " "), known) {
			return &TypeError{Type: "a certificate or message of certificates", Offset: at, label: label, within: true, Advice: fmt.Sprintf("its label is not written as %q", known)}
		}
	}
	const other = "something else than certificates"
	e := &TypeError{Type: other, Offset: at, Advice: adviceRemove, label: label, within: true}
	for _, l := range labels {
		if l.label == label || l.label == "PRIVATE KEY" && strings.Contains(label, l.label) {
			e.Type, e.Advice = l.name, l.advice
			break
		}
	}
	switch {
	case label == "" || strings.Contains(label, "PRIVATE KEY"):
	case e.Type == other && certificate:
		e.Type, e.Advice = "a certificate or message of certificates", fmt.Sprintf("it begins as a certificate or a message of certificates, and their labels are %q and %q", labelCertificate, labelPKCS7)
	default:
		e.Advice = "it is " + e.Type + ": " + e.Advice
	}
	if label == "" {
		return syntaxErr(at, "a PEM block %q, which is no part of a bundle,", label)
	}
	return e
}

// wrongType is the error for text that text.Decode refused.
func wrongType(err error) error {
	binary, ok := errors.AsType[*text.BinaryError](err)
	switch {
	case !ok:
		return err
	case binary.Gzipped:
		return &TypeError{Type: "a gzip file", Advice: "decompress it with gunzip"}
	}
	return &TypeError{Type: cmp.Or(binary.Name, "a file that is not text"), Advice: binary.Advice}
}

// identify names what data is, if it is binary, or nil.
func identify(data []byte, at int) *TypeError {
	if k, ok := text.Identify(data); ok && (len(data) == 0 || data[0] != 0x30) {
		return &TypeError{Type: k.Name, Advice: k.Advice, Offset: at}
	}
	if damage := damagedDER(data); damage != nil {
		return damage
	}
	return nil
}

// identifyDER names what DER is that is not a certificate, or nil.
func identifyDER(der []byte, at int) error {
	name, advice := kindOfDER(der)
	if name == "" {
		return nil
	}
	return &TypeError{Type: name, Advice: advice, Offset: at, within: at > 0}
}

func kindOfDER(der []byte) (name, advice string) {
	in := cryptobyte.String(der)
	var seq, first cryptobyte.String
	var tag asn1.Tag
	if !in.ReadASN1(&seq, asn1.SEQUENCE) || !seq.ReadAnyASN1(&first, &tag) {
		return "", ""
	}
	next := func(tags ...asn1.Tag) bool {
		for _, t := range tags {
			if seq.PeekASN1Tag(t) {
				return true
			}
		}
		return false
	}
	small := func(n byte) bool { return tag == asn1.INTEGER && len(first) == 1 && first[0] == n }
	context0 := asn1.Tag(0).Constructed().ContextSpecific()
	switch {
	case small(3) && next(asn1.SEQUENCE):
		return "a PKCS#12 key store", advicePKCS12
	case small(1) && next(asn1.SEQUENCE) && !holdsKey(seq):
		return "a time-stamp request", adviceRemove
	case (small(0) || small(1)) && next(asn1.SEQUENCE, asn1.INTEGER, asn1.OCTET_STRING):
		return "a private key", adviceKey
	case tag == asn1.INTEGER && next(asn1.INTEGER) && len(first) > 50:
		return "a public key", adviceRemove
	case tag == asn1.ENUM && (len(seq) == 0 || next(context0)):
		return "an OCSP response", adviceRemove
	case tag != asn1.SEQUENCE:
		return "", ""
	}
	// A SEQUENCE within a SEQUENCE.
	var element cryptobyte.String
	switch {
	case first.PeekASN1Tag(asn1.OBJECT_IDENTIFIER) && next(asn1.BIT_STRING):
		return "a public key", adviceRemove
	case first.PeekASN1Tag(asn1.OBJECT_IDENTIFIER) && next(asn1.OCTET_STRING):
		return "a private key", adviceKey
	case first.PeekASN1Tag(asn1.SEQUENCE) && isOCSPRequest(first):
		return "an OCSP request", adviceRemove
	case first.PeekASN1Tag(asn1.INTEGER) && countElements(first) == 1 && cms.IsContentInfo(seq):
		return "a time-stamp response", adviceRemove
	case first.PeekASN1Tag(asn1.INTEGER):
		first.ReadASN1(&element, asn1.INTEGER)
		rest := first
		rest.SkipASN1(asn1.SEQUENCE)
		switch {
		case len(element) == 1 && element[0] == 0 && rest.PeekASN1Tag(asn1.SEQUENCE) && countElements(first) <= 4:
			return "a certificate request", adviceRequest
		case isCRL(first):
			return "a CRL", adviceRemove
		}
	case isCRL(first):
		return "a CRL", adviceRemove
	}
	return "", ""
}

// holdsKey reports whether the algorithm of a key comes first, and then the key
// (RFC 5208 section 5).
func holdsKey(in cryptobyte.String) bool {
	return in.SkipASN1(asn1.SEQUENCE) && in.PeekASN1Tag(asn1.OCTET_STRING)
}

// isOCSPRequest reports whether a TBSRequest goes on with the list of requests: the
// algorithm of a hash comes first in each (RFC 6960 section 4.1.1).
func isOCSPRequest(in cryptobyte.String) bool {
	for range 4 { // requestList, Request, CertID, hashAlgorithm
		if !in.ReadASN1(&in, asn1.SEQUENCE) {
			return false
		}
	}
	return in.PeekASN1Tag(asn1.OBJECT_IDENTIFIER)
}

// isCRL reports whether a TBSCertList goes on after its version: an algorithm, a
// name and a date.
func isCRL(in cryptobyte.String) bool {
	if !in.SkipASN1(asn1.SEQUENCE) {
		return false
	}
	return in.SkipASN1(asn1.SEQUENCE) && (in.PeekASN1Tag(asn1.UTCTime) || in.PeekASN1Tag(asn1.GeneralizedTime))
}

func countElements(in cryptobyte.String) int {
	n := 0
	var el cryptobyte.String
	var tag asn1.Tag
	for n < 10 && in.ReadAnyASN1(&el, &tag) {
		n++
	}
	return n
}

// damagedDER says how a transfer made something else of DER, or nil.
func damagedDER(data []byte) *TypeError {
	if len(data) < 16 || data[0] != 0x30 {
		return nil
	}
	damaged := func(what, advice string) *TypeError {
		return &TypeError{Type: "DER damaged in transfer (" + what + ")", Advice: advice, damaged: true}
	}
	switch {
	case bytes.HasPrefix(data[1:], []byte("\xef\xbf\xbd")):
		return damaged("bytes were replaced by U+FFFD, the character for what is not UTF-8", adviceAgain)
	case data[1] == 0xc2 && data[2] >= 0x80 && data[2] <= 0x84:
		return damaged("its bytes were taken for Latin-1 and written as UTF-8", adviceAgain)
	case data[1] == '?' && bytes.IndexFunc(data, func(r rune) bool { return r >= 0x80 }) < 0:
		return damaged("bytes were replaced by question marks", adviceAgain)
	}
	length := cms.Length(data)
	pairs := bytes.Count(data, []byte("\r\n"))
	crlf := length > 0 && pairs > 0 && pairs == bytes.Count(data, []byte("\n")) // each, not one by chance
	is := func(old ...string) bool {
		if !crlf {
			return false
		}
		restored := []byte(strings.NewReplacer(old...).Replace(string(data)))
		_, rest, err := cms.First(restored)
		return err == nil && len(restored) < len(data) && startsAsCertificate(restored) && (len(rest) == 0 || startsAsCertificate(rest))
	}
	switch {
	case is("\r\n", "\n"):
		return damaged("each LF became CR LF: it was transferred as text", adviceAgain)
	case is("\r\n", "\n", "\r\x00", "\r"):
		return damaged("each LF became CR LF and each CR became CR NUL: it was transferred as netascii", adviceAgain)
	case len(data) >= minForStatistics && length > int64(len(data)) && bytes.IndexByte(data, '\r') < 0:
		return damaged("each CR is missing: it was transferred as text", adviceAgain)
	case len(data) >= minForStatistics && length > int64(len(data)) && bytes.IndexByte(data, '\n') < 0:
		return damaged("each LF is missing: it was transferred as text", adviceAgain)
	}
	return nil
}

// minForStatistics bytes of DER hold every byte at least once, all but surely.
const minForStatistics = 3 << 10

// texts are kinds of text that are mistaken for certificates.
func texts() []textKind {
	return []textKind{
		{regexp.MustCompile(`^version https://git-lfs\.github\.com/spec`), "a git-lfs pointer", "get the file itself: git lfs pull"},
		{regexp.MustCompile(`(?m)^(CKA_CLASS |BEGINDATA\s*$|CVS_ID )`), "Mozilla's certdata.txt", "give it to trustpool audit --program FILE, or as a source of kind certdata to a recipe"},
		{regexp.MustCompile(`^---- BEGIN SSH2 PUBLIC KEY`), "an SSH public key", "devices' trustpools hold X.509 certificates"},
		{regexp.MustCompile(`^(ssh-(rsa|dss|ed25519)|ecdsa-sha2-\S+|sk-\S+@openssh\.com|\S+-cert-v01@openssh\.com) +AAAA`), "an SSH public key", "devices' trustpools hold X.509 certificates"},
		{dump(), "a hex dump", "turn it back into the file with xxd -r"},
		{regexp.MustCompile(`^0[0-7]{6}( [0-7]{6}| [0-7]{3}){4}`), "an octal dump", "get the file itself"},
		{regexp.MustCompile(`^(Certificate:\s+Data:\s|    Data:\s+Version: )`), "the text of a certificate, as openssl x509 -text prints it, without the certificate", "print it as PEM: openssl x509 -in FILE"},
		{regexp.MustCompile(`(?m)^ *(CA |Router Self-Signed |Trustpool |General Purpose )?Certificate *$\s+Status: `), "what a device shows of its certificates", "it names them without holding them; trustpool pool read takes what show crypto pki trustpool prints"},
		{regexp.MustCompile(`(?m)^ *CA Certificate:? *$\s+(Status|Serial|Trustpoint)`), "what a device shows of its certificates", "it names them without holding them; trustpool pool read takes what show crypto pki trustpool prints"},
		{regexp.MustCompile(`^Keystore type: |^(Certificate\[\d+\]:\s+)?Owner: .*\s+Issuer: `), "a list of keytool without the certificates", "print them as PEM: keytool -list -rfc"},
		{regexp.MustCompile(`^X\.509 Certificate Information:`), "the text of a certificate, as certtool prints it, without the certificate", "print it as PEM: certtool --certificate-info --outfile FILE"},
		{regexp.MustCompile(`(?m)^Trustpool: (Built-In|Downloaded)\s*$`), "what a device shows of its certificates", "it names them without holding them; trustpool pool read takes what show crypto ca trustpool prints"},
		{regexp.MustCompile(`(?m)^crypto (pki|ca) (trustpoint|trustpool|certificate)\b`), "the configuration of a device", "give the certificates as PEM or DER"},
		{regexp.MustCompile(`^.{1,100} bundle version: \d+\s+SHA256:[0-9A-F]{64} `), "Cisco's manifest.log", "compare it with its bundle: trustpool audit --manifest"},
		{regexp.MustCompile(`^ *0:d=0 +hl=`), "the structure of a file, as openssl asn1parse prints it", "give the file itself"},
		{regexp.MustCompile(`^SEQUENCE \{`), "the structure of a file", "give the file itself"},
		{regexp.MustCompile(`(?i)^MIME-Version: |^Content-Type: |^From:? .*\s+(To|Subject|Date|Received|Message-ID): `), "a mail or an HTTP answer", "save its attachment, or its body, as a file of its own"},
		{regexp.MustCompile(`^HTTP/[0-9.]+ [0-9]{3}`), "an HTTP answer with its header", "save its body alone"},
		{regexp.MustCompile(`^\s*[\[{]\s*("|\}|\]|\[|\{|[0-9])`), "JSON", "give the certificates as PEM or DER"},
	}
}

// A textKind is one of texts.
type textKind struct {
	pattern      *regexp.Regexp // at the beginning, after white space
	name, advice string
}

// dump is the first line of what xxd and hexdump -C print.
func dump() *regexp.Regexp {
	return regexp.MustCompile(`^[0-9A-Fa-f]{5,10}:? +([0-9A-Fa-f]{2,8} +){4}`)
}

// errSpelled is the error for a certificate as spelled found it.
func errSpelled(data []byte, at int) error {
	line := data[bytes.LastIndexByte(data[:at], '\n')+1:]
	if dump().Match(line[:min(len(line), 100)]) {
		return &TypeError{Type: "a hex dump", Offset: at, within: at > maxLabel, Advice: "turn it back into the file with xxd -r"}
	}
	how := spelled(data, at)
	e := &TypeError{Type: "a certificate in " + how, Offset: at, within: at > 0, Advice: "get it as PEM or DER"}
	if how == "hexadecimal" {
		e.Advice = "turn it into binary with xxd -r -p, or " + e.Advice
	}
	return e
}

// errNested is the error for PEM that is in base64 once more.
func errNested(at int) error {
	return &TypeError{Type: "PEM in base64 once more, as in a Kubernetes Secret", Offset: at, within: true, damaged: true, Advice: "decode it with base64 -d"}
}

// errHidden is the error for base64 of something else that holds certificates.
func errHidden(at int) error {
	return &TypeError{Type: "base64 of a file with certificates in it", Offset: at, within: true, damaged: true, Advice: "decode it with base64 -d"}
}

// identifyText is the error for text without a certificate.
func identifyText(data []byte) error {
	if err := identify(data, 0); err != nil {
		return err
	}
	start := skipSpace(data)
	start = start[:min(len(start), MaxPreamble)]
	if isMarkup(start) {
		if lower := bytes.ToLower(start); !bytes.Contains(lower, []byte("<html")) && !bytes.Contains(lower, []byte("<!doctype html")) {
			return &TypeError{Type: "an HTML page or XML", Advice: "look at what the server answered, and give the certificates as PEM or DER"}
		}
		return &TypeError{Type: "an HTML page", Advice: "look at what the server answered: an error, a login or a page that links to the file"}
	}
	for _, t := range texts() {
		if t.pattern.Match(start) {
			return &TypeError{Type: t.name, Advice: t.advice}
		}
	}
	return notABundle(data)
}
