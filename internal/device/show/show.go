// Package show prints certificates as the platforms print those of their pool, and
// reads what they print: "show crypto ca trustpool" of IOS XR and "show crypto pki
// trustpool" of IOS XE.
//
// A text here is made to be compared with that of a device, and to be read back:
// printing what was read from it gives it again, byte for byte. Indentation
// counts. No value, whatever is in it, begins a line at the left of the other
// values, so none can pass for a field or for a certificate; none has a line
// break, and no line of a value ends in a blank, which copying would lose.
package show

import (
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"trustpool/bundle/certificate"
	"trustpool/internal/report"
)

// A Style is the words of one platform.
type Style string

// The styles. The text of a certificate comes from the certificate alone: times
// are in UTC, a device's are in its own zone.
const (
	// IOSXE is white space for white space what IOS XE 17 prints (Cisco's test
	// library genieparser, ShowCryptoPkiTrustpool, holds a capture):
	//
	//	CA Certificate
	//	  Status: Available
	//	  Certificate Serial Number (hex): 0509
	//	  Certificate Usage: Signature
	//	  Issuer:␣
	//	    cn=QuoVadis Root CA 2
	//	    o=QuoVadis Limited
	//	    c=BM
	//	  Subject:␣
	//	    …
	//	  CRL Distribution Points:␣                    only where there are some
	//	    http://www.cisco.com/security/pki/crl/crca2048.crl
	//	  Validity Date:␣
	//	    start date: 18:27:00 UTC Nov 24 2006
	//	    end   date: 18:23:33 UTC Nov 24 2031
	//	  Associated Trustpoints: Trustpool␣
	//	  Trustpool: Built-In
	//
	// A name has one RDN a line, the last of the encoding first. A comma within
	// a value is dropped, and what follows it is on a line of its own with
	// at least one blank more, which the value often has by itself.
	//
	// Ours, because no capture shows it: the keys other than cn, ou, o, c, st
	// and serialNumber; several values of one RDN joined by "+"; a date that cannot
	// be read as "unreadable"; a negative serial number with a minus sign; the
	// escapes of report.Printable, and \x20 for a blank at the end of a line.
	//
	// Lost are fractions of a second; the difference between "a,b" and "a, b",
	// between a "+" in a value and one between values, and between an escape and
	// the same characters as text; the types of strings; and everything that is
	// not printed, the key and the fingerprints among it. A device names other
	// trustpoints for a few built-in certificates, and sometimes a storage.
	IOSXE Style = "iosxe"

	// IOSXR has the words of IOS XR in their order, as in Cisco's field notice
	// FN72290. The notice has lost line breaks and indents: those are ours, and
	// so is everything that IOSXE lists, but for names.
	//
	//	Trustpool: Built-In
	//	==================================================
	//	CA certificate
	//	  Serial Number  : 05:09
	//	  Subject:
	//	        CN=QuoVadis Root CA 2,O=QuoVadis Limited,C=BM
	//	  Issued By      :
	//	        CN=QuoVadis Root CA 2,O=QuoVadis Limited,C=BM
	//	  Validity Start : 18:27:00 UTC Fri Nov 24 2006
	//	  Validity End   : 18:23:33 UTC Mon Nov 24 2031
	//	  SHA1 Fingerprint:
	//	        CA3AFBCF1240364B44B216208880483919937CF7
	//
	// A name is one line in the escapes of RFC 4514, to which \u and \U are added
	// for characters that do not print; nothing but the types of its strings is
	// lost. An empty one has no line. Lost otherwise are fractions of a second and
	// what is not printed; the fingerprint tells which certificate it is.
	IOSXR Style = "iosxr"
)

// NXOS is the style of what NX-OS shows, for Read alone: its fields are documented,
// and no device's output is known. It does not say which certificates are built in.
const NXOS Style = "nxos"

// Styles are those in which certificates are printed.
func Styles() []Style { return []Style{IOSXE, IOSXR} }

// Lookup gives the style of that name: iosxe, iosxr.
func Lookup(name string) (Style, bool) {
	return Style(name), slices.Contains(Styles(), Style(name))
}

// An Origin says how a certificate came into a pool.
type Origin string

// The origins in the words of the platforms.
const (
	Downloaded Origin = "Downloaded"
	BuiltIn    Origin = "Built-In"
)

// Write prints certificates in the given order, as Print does what Of makes of
// them. An origin is Downloaded or Built-In.
func Write(w io.Writer, style Style, certs []*certificate.Certificate, origin Origin) error {
	if origin != Downloaded && origin != BuiltIn {
		return errors.New("an origin is Downloaded or Built-In")
	}
	return printAll(w, style, func(yield func(Shown) bool) {
		for _, c := range certs {
			if !yield(Of(c, style, origin)) {
				return
			}
		}
	})
}

// Of is what a device of the style shows of a certificate; of one that cannot be
// decoded, that it is not listed.
func Of(c *certificate.Certificate, style Style, origin Origin) Shown {
	if c.Err != nil {
		return Shown{NotListed: true}
	}
	s := Shown{Origin: origin, Serial: c.Serial.String(), NotBefore: dateOf(c.NotBefore), NotAfter: dateOf(c.NotAfter)}
	if style == IOSXR {
		s.Issuer, s.Subject = nameLine(c.Issuer.String()), nameLine(c.Subject.String())
		s.SHA1 = fmt.Sprintf("%X", sha1.Sum(c.Raw))
		return s
	}
	s.Status, s.Usage, s.Trustpoints = "Available", "Signature", []string{"Trustpool"}
	s.Issuer, s.Subject = Names(c)
	for _, uri := range c.CRLDistributionPoints(maxCRLURIs) {
		s.CRLs = append(s.CRLs, closed(report.Printable(uri)))
	}
	return s
}

// Names returns the lines in which IOS XE shows the names of a certificate that is decoded.
func Names(c *certificate.Certificate) (issuer, subject []string) {
	subject = rdnLines(c.Subject)
	if c.SelfIssued() {
		return slices.Clone(subject), subject
	}
	return rdnLines(c.Issuer), subject
}

// rdnLines are the lines of a name, one RDN a line; what followed a comma begins
// with a blank.
func rdnLines(n certificate.Name) (lines []string) {
	attrs := n.Attributes()
	for i := len(attrs) - 1; i >= 0; i-- {
		text := attribute(attrs[i])
		for ; i > 0 && attrs[i-1].JoinedToNext; i-- {
			text += "+" + attribute(attrs[i-1])
		}
		lines = appendRDN(lines, text)
	}
	return lines
}

// appendRDN appends the lines of one RDN.
func appendRDN(lines []string, text string) []string {
	first, rest, more := strings.Cut(text, ",")
	lines = append(lines, closed(first))
	for more {
		var piece string
		piece, rest, more = strings.Cut(rest, ",")
		if piece = closed(piece); piece == "" {
			piece = blank
		}
		if piece[0] != ' ' {
			piece = " " + piece
		}
		lines = append(lines, piece)
	}
	return lines
}

// NameLines returns the lines in which a device of the style shows a name that is
// known only as text in the escapes of RFC 4514, as [certificate.Name.String] has
// it. It cannot tell an escape from the same characters as text. What follows a comma
// and is no attribute is the rest of a value, as devices show it.
func NameLines(name string, style Style) (lines []string) {
	if name == "" {
		return nil
	}
	if style == IOSXR {
		return nameLine(name)
	}
	for i, rdn := range splitRDNs(name) {
		if i > 0 && !isAttribute(rdn) && !strings.HasPrefix(rdn, " ") {
			rdn = " " + rdn
		}
		lines = appendRDN(lines, report.Printable(rdn))
	}
	return lines
}

// splitRDNs takes a name apart at the commas that are not escaped, and takes its
// escapes away. Keys that are all capitals come in small letters.
func splitRDNs(name string) (rdns []string) {
	var rdn []byte
	key := 0 // where in it a key begins; -1 within a value
	for i := 0; i <= len(name); i++ {
		switch {
		case i == len(name) || name[i] == ',':
			rdns = append(rdns, string(rdn))
			rdn, key = rdn[:0], 0
		case name[i] == '+':
			rdn = append(rdn, '+')
			key = len(rdn)
		case name[i] == '=' && key >= 0:
			text := string(rdn[key:])
			if key == 0 {
				text = strings.TrimLeft(text, " ")
			}
			rdn, key = append(rdn[:key], typeName(text)+"="...), -1
		case name[i] == '\\' && i+2 < len(name) && isHexDigit(name[i+1]) && isHexDigit(name[i+2]):
			rdn, _ = hex.AppendDecode(rdn, []byte(name[i+1:i+3]))
			i += 2
		case name[i] == '\\' && i+1 < len(name) && strings.IndexByte(`,+"\<>;=# `, name[i+1]) >= 0:
			i++
			rdn = append(rdn, name[i])
		default:
			rdn = append(rdn, name[i])
		}
	}
	return rdns
}

func isHexDigit(c byte) bool { return strings.IndexByte("0123456789ABCDEFabcdef", c) >= 0 }

// attribute is key=value. IOS XE writes cn, ou, o, c and st in small letters, and
// serialNumber as here; other keys that are all capitals go with the former.
func attribute(a certificate.Attribute) string {
	return typeName(a.Type) + "=" + report.Printable(a.Value)
}

func typeName(key string) string {
	if key == strings.ToUpper(key) {
		return strings.ToLower(key)
	}
	return key
}

const blank = `\x20`

// closed is a line that does not end in a blank.
func closed(line string) string {
	if before, ok := strings.CutSuffix(line, " "); ok {
		return before + blank
	}
	return line
}

// nameLine is a name on one line, none for an empty one. RFC 4514 allows a last
// blank as "\\ " and as "\\20".
func nameLine(name string) []string {
	text := report.Printable(name)
	if text == "" {
		return nil
	}
	if before, ok := strings.CutSuffix(text, `\ `); ok {
		text = before + `\20`
	}
	return []string{text}
}

// maxCRLURIs is how many distribution points of a certificate are printed.
// No genuine one has been seen with more than two.
const maxCRLURIs = 16
