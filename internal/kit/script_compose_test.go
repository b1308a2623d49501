package kit

import (
	"crypto"
	"crypto/elliptic"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte/asn1"

	"trustpool/bundle"
	"trustpool/internal/pkitest"
	"trustpool/roots"
	"trustpool/signing"
)

// A composer makes messages that are signed well and odd otherwise.
type composer struct{ *rand.Rand }

func pick[T any](c composer, from ...T) T { return from[c.IntN(len(from))] }

func raw(oid pkitest.OID, critical bool, value string) pkitest.Extension {
	der, err := hex.DecodeString(value)
	if err != nil {
		panic(err)
	}
	return pkitest.Extension{Type: oid, Critical: critical, Value: der}
}

// extension is one with a value that is usual, odd or wrong.
func (c composer) extension() pkitest.Extension {
	critical := c.IntN(2) == 0
	switch c.IntN(5) {
	case 0:
		return raw("2.5.29.19", critical, pick(c, "3000", "30030101ff", "3003010101", "3003010100", "30060101ff020100", "30060101ff020101", "30060101ff02017f",
			"30060101ff0201ff", "30070101ff02020100", "3003020100", "3081030101ff", "30040101ff00", "30030101ff00", "0101ff", ""))
	case 1:
		return raw("2.5.29.15", critical, pick(c, "03020780", "03020640", "03020204", "03020186", "030206c0", "03020520", "030100", "0302008c", "030200ff", "03030780c0", "03030700c0",
			"030307a680", "03020800", "040186", "0302018600", ""))
	case 2:
		bundles, email, code, any, server := "06082b06010301091502"+"03", "06082b06010505070304", "06082b06010505070303", "0604551d2500", "06082b06010505070301"
		list := ""
		for range c.IntN(4) {
			list += pick(c, bundles, "06092b0601040109150203", email, code, any, server, "0600", "0401ff", "0603551d")
		}
		switch n := len(list) / 2; c.IntN(6) {
		case 0:
			return raw("2.5.29.37", critical, fmt.Sprintf("3081%02x%s", n, list))
		case 1:
			return raw("2.5.29.37", critical, fmt.Sprintf("30%02x%s", (n+1)%128, list))
		case 2:
			return raw("2.5.29.37", critical, fmt.Sprintf("30%02x%s0500", n, list))
		default:
			return raw("2.5.29.37", critical, fmt.Sprintf("30%02x%s", n, list))
		}
	case 3:
		return raw("2.5.29.14", critical, pick(c, "0403010203", "0400", "040301020300", ""))
	}
	return pick(c, pkitest.UnknownCritical(), raw("1.3.6.1.4.1.99999.1", false, "0500"), raw("2.5.29.17", critical, "300382016a"),
		raw("2.5.29.32", critical, "300a300806062a0304050607"), raw("2.5.29.36", critical, "3003800100"), raw("2.5.29.54", critical, "020100"), raw("2.5.29.30", critical, "3000"))
}

// moment is now, or about now, in one of several forms.
func (c composer) moment(usual pkitest.Time) pkitest.Time {
	if c.IntN(3) > 0 {
		return usual
	}
	t := pkitest.At(now.Add(time.Duration(c.IntN(3)-1) * time.Second))
	return pick(c, t, t, pkitest.Time{Tag: asn1.GeneralizedTime, Text: "20" + t.Text}, pkitest.Time{Tag: asn1.UTCTime, Text: t.Text[:10] + "Z"},
		pkitest.Time{Tag: asn1.UTCTime, Text: strings.Replace(t.Text, "5", "\x03", 1)}, pkitest.Time{Tag: asn1.UTCTime, Text: "501332000000Z"})
}

func (c composer) certificate(t pkitest.Template) pkitest.Template {
	t.NotBefore, t.NotAfter = c.moment(t.NotBefore), c.moment(t.NotAfter)
	for range c.IntN(3) {
		if e := c.extension(); c.IntN(4) > 0 {
			t = t.With(e)
		} else { // perhaps twice
			t.Extensions = append(slices.Clone(t.Extensions), e)
		}
	}
	if c.IntN(12) == 0 {
		t.Version = 1
	}
	return t
}

func (c composer) attributes(list []pkitest.Attribute) []pkitest.Attribute {
	printable := func(s string) []byte { return pkitest.TLV(asn1.PrintableString, []byte(s)) }
	value := pick(c, printable("7"), printable("7\x02"), printable("\x04"), printable("7\x00"), printable("7\x80"), printable(""), printable("7*"), printable("7 '()+,-./:=?"), printable(strings.Repeat("7", 300)),
		pkitest.TLV(asn1.UTF8String, []byte("7")), pkitest.TLV(asn1.IA5String, []byte("7")), pkitest.TLV(asn1.INTEGER, []byte{7}), pkitest.TLV(asn1.UTCTime, []byte("250101000000Z")),
		pkitest.TLV(asn1.UTCTime, []byte("25010100000\x02Z")), pkitest.TLV(asn1.UTCTime, []byte("250230000000Z")), pkitest.TLV(asn1.UTCTime, []byte("2501010000Z")),
		pkitest.TLV(asn1.GeneralizedTime, []byte("20500101000000Z")), pkitest.TLV(asn1.GeneralizedTime, []byte("20490101000000Z")), pkitest.TLV(asn1.SEQUENCE),
		pkitest.TLV(asn1.OCTET_STRING, []byte("x")), pkitest.OID("1.2.840.113549.1.7.2").DER())
	a := pkitest.Attribute{Type: pick(c, pkitest.AttributeName, pkitest.AttributeVersion, pkitest.AttributeSigningTime, pkitest.AttributeContentType, pkitest.AttributeMessageDigest,
		"1.2.840.113549.1.9.15", "1.3.6.1.4.1.99999.2"), Values: [][]byte{value}}
	if c.IntN(8) == 0 {
		a.Values = append(a.Values, printable("8"))
	}
	if c.IntN(3) > 0 { // in place of the one that is there
		list = slices.DeleteFunc(list, func(b pkitest.Attribute) bool { return b.Type == a.Type })
	}
	return append(list, a)
}

func (c composer) message() []byte {
	lab := pkitest.Lab()
	name := func(cn string) pkitest.Name { return pkitest.NewName("O=Trustpool Lab", "CN="+cn) }
	issuer := lab.Root
	for i := range c.IntN(3) {
		issuer = c.certificate(pkitest.IntermediateTemplate(name(fmt.Sprint("Composed CA ", i)), pick(c, pkitest.RSA("lab-intermediate"), pkitest.ECDSA("composed", elliptic.P256())))).Issue(issuer)
	}
	m := pkitest.Message{Content: pkitest.CertsOnly(lab.Root.DER)}
	for i := range pick(c, 1, 1, 1, 2) {
		t := pkitest.SignerTemplate(name(fmt.Sprint("Composed Signer ", i)), pick(c, pkitest.RSA("lab-signer"), pkitest.ECDSA("composed", elliptic.P384())))
		if c.IntN(2) == 0 {
			t = c.certificate(t)
		}
		s := pkitest.SignerInfo{Signer: t.Issue(issuer), Name: "Composed", Version: pick(c, "7", "7", "7", "8"), Time: pkitest.Date(2025, 1, 15), ByKeyID: c.IntN(4) == 0,
			Digest: pick(c, 0, 0, crypto.SHA384, crypto.SHA512)}
		if c.IntN(2) == 0 {
			s.Attributes = c.attributes
		}
		m.Signers = append(m.Signers, s)
	}
	return m.DER()
}

// TestScriptComposed: of messages that are signed well and odd otherwise the script
// never says "verified" where Verify does not, nor "not verified" where it does.
func TestScriptComposed(t *testing.T) {
	t.Parallel()
	dash := shells(t)[0]
	const composed = 80
	c, dir := composer{rand.New(rand.NewPCG(7, 7))}, t.TempDir()
	a := anchor(t, "lab-root.pem")
	verified, reasons := map[string]bool{}, map[string]string{}
	var files []string
	for i := range composed {
		message := c.message()
		name := fmt.Sprint(i)
		files = append(files, write(t, filepath.Join(dir, name), message))
		b, err := bundle.Parse(message)
		if err == nil {
			_, err = signing.Verify(b, signing.VerifyOptions{Anchors: []roots.Anchor{a}, At: now})
		}
		verified[name], reasons[name] = err == nil, fmt.Sprint(err)
	}
	script := write(t, filepath.Join(dir, "verify.sh"), []byte(Script()))
	for share := range slices.Chunk(files, (composed+3)/4) {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			out, _ := dash.run(t, script, append([]string{"--bundle", "--at", "2025-06-01", "--root", "../../testdata/bundles/lab-root.pem"}, share...)...)
			for name, answer := range answers(t, out) {
				if verified[name] && strings.HasPrefix(answer, "not verified") || !verified[name] && strings.HasPrefix(answer, "verified") {
					t.Errorf("%s: %q, and Verify says %s", name, answer, reasons[name])
				}
			}
		})
	}
}
