package pkitest

import (
	"crypto/elliptic"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/cryptobyte/asn1"
)

// poolName is the name of a root that has nothing to do with the lab's.
func poolName(tree string) Name {
	return NewName("C=US", "O="+tree+" Trust Services", "CN="+tree+" Root CA")
}

// poolRoot is an ordinary root of a pool.
func poolRoot(tree string, key *Key) Template {
	t := RootTemplate(poolName(tree), key)
	t.Serial = []byte{1}
	return t
}

// edit makes an expression of a few assignments.
func edit(t Template, change func(*Template)) Template {
	change(&t)
	return t
}

// CoreV1 is the pool of the Lab Core Bundle, version 1: eight roots, the bundle's own anchor among them.
func CoreV1() [][]byte {
	return [][]byte{
		poolRoot("Birch", RSA("birch")).Sign(nil), // RSA-4096
		Lab().Root.DER,
		poolRoot("Alder", RSA("alder")).Sign(nil),
		poolRoot("Dogwood ECC", ECDSA("dogwood", elliptic.P384())).Sign(nil),
		poolRoot("Elm", RSA("elm")).Sign(nil),
		gorse().Sign(nil),
		poolRoot("Cedar ECC", ECDSA("cedar", elliptic.P256())).Sign(nil),
		fir().Sign(nil),
	}
}

// CoreV2 is version 2, in another order: Hazel and Ivy added, Elm removed, Fir re-issued under the same key and name, Gorse with
// another key under the same name.
func CoreV2() [][]byte {
	return [][]byte{
		poolRoot("Alder", RSA("alder")).Sign(nil),
		poolRoot("Ivy ECC", ECDSA("ivy", elliptic.P384())).Sign(nil),
		edit(poolRoot("Gorse", RSA("gorse-new")), func(t *Template) {
			t.Serial = []byte{2}
			t.NotBefore = Date(2024, 6, 1)
		}).Sign(nil),
		Lab().Root.DER,
		edit(fir(), func(t *Template) {
			t.Serial = []byte{3}
			t.NotAfter = Date(2055, 1, 1)
		}).Sign(nil),
		poolRoot("Hazel", RSA("hazel")).Sign(nil),
		poolRoot("Dogwood ECC", ECDSA("dogwood", elliptic.P384())).Sign(nil),
		poolRoot("Birch", RSA("birch")).Sign(nil),
		poolRoot("Cedar ECC", ECDSA("cedar", elliptic.P256())).Sign(nil),
	}
}

func fir() Template { return poolRoot("Fir", RSA("fir")).SignedWith(SHA384WithRSA) }

func gorse() Template { return poolRoot("Gorse", RSA("gorse")).SignedWith(SHA512WithRSA) }

// A Quirk is one oddity that is met in genuine bundles, and an element of a certificate set that has it, and as a rule no other.
type Quirk struct {
	Name  string // a slug
	About string
	DER   []byte
}

// Quirks returns the oddities in the order of lab-quirks-v1.p7b. Those that take two certificates are two entries.
func Quirks() []Quirk {
	var quirks []Quirk
	add := func(name, about string, der []byte) { quirks = append(quirks, Quirk{name, about, der}) }
	// Each root has a key of its own, which follows from the slug.
	root := func(slug, cn string, change func(*Template)) []byte {
		t := RootTemplate(NewName("O=Quirk Lab", "CN="+cn), ECDSA("quirk-"+slug, elliptic.P256()))
		change(&t)
		return t.Sign(nil)
	}
	one := func(slug, about string, change func(*Template)) {
		add(slug, about, root(slug, "Quirk "+slug, change))
	}

	one("fractional-not-after", "notAfter is a GeneralizedTime with a fraction of a second (RFC 5280 section 4.1.2.5.2)", func(t *Template) {
		t.NotAfter = Time{asn1.GeneralizedTime, "20530404081544.704Z"}
	})
	one("negative-serial", "the serial number is negative (RFC 5280 section 4.1.2.2)", func(t *Template) {
		t.Serial = []byte{0x8d, 0x01, 0x02, 0x03}
	})
	one("bit-string-in-name", "a value in the name is a BIT STRING (x500UniqueIdentifier)", func(t *Template) {
		t.Subject = t.Subject.With("UID", asn1.BIT_STRING, []byte{0, 0xca, 0xfe})
	})
	one("version-1", "X.509 version 1: no extensions", func(t *Template) {
		t.Version, t.Extensions = 1, nil
	})
	rsaRoot := func(slug, about, key string, algorithm Algorithm) {
		one(slug, about, func(t *Template) {
			*t = RootTemplate(t.Subject, RSA(key)).SignedWith(algorithm)
		})
	}
	rsaRoot("rsa-1024", "an RSA key of 1024 bits", "rsa-1024", 0)
	rsaRoot("exponent-3", "the public exponent is 3", "exponent-3", 0)
	rsaRoot("exponent-43147", "the public exponent is 43147", "exponent-43147", 0)
	rsaRoot("exponent-50557", "the public exponent is 50557", "exponent-50557", 0)
	rsaRoot("exponent-62353", "the public exponent is 62353", "exponent-62353", 0)
	rsaRoot("md5-signature", "the signature is made with MD5", "md5-self", MD5WithRSA)
	rsaRoot("sha1-signature", "the signature is made with SHA-1", "sha1-self", SHA1WithRSA)
	one("serial-0", "the serial number is zero", func(t *Template) { t.Serial = []byte{0} })
	one("serial-21-octets", "the serial number has 21 bytes; RFC 5280 section 4.1.2.2 allows 20", func(t *Template) {
		t.Serial = slices.Concat([]byte{0x7f}, make([]byte, 19), []byte{0x15})
	})
	one("generalized-time-before-2050", "notAfter is a GeneralizedTime before 2050 (RFC 5280 section 4.1.2.5)", func(t *Template) {
		t.NotAfter = Time{asn1.GeneralizedTime, "20450101000000Z"}
	})
	one("t61-string", "a value in the name is a T61String, with a byte beyond ASCII", func(t *Template) {
		t.Subject = t.Subject.With("OU", asn1.T61String, []byte("Z\xfcrich"))
	})
	one("bmp-string", "a value in the name is a BMPString", func(t *Template) {
		t.Subject = t.Subject.With("OU", BMPString, []byte{0x01, 0x41, 0, 'o', 0x01, 0x7a}) // Łoź
	})
	one("cn-over-64", "the common name has more than the 64 characters that RFC 5280 appendix A.1 allows", func(t *Template) {
		t.Subject = NewName("O=Quirk Lab", "CN=Quirk cn-over-64 "+strings.Repeat("long ", 12)+"Root CA")
	})
	one("key-usage-not-der", "the BIT STRING of keyUsage has trailing zero bits (X.690 section 11.2.2)", func(t *Template) {
		*t = t.With(KeyUsageNotDER())
	})
	one("no-basic-constraints", "version 3 without basicConstraints", func(t *Template) {
		*t = t.Without("2.5.29.19")
	})
	add("intermediate", "an intermediate among roots", edit(
		IntermediateTemplate(NewName("O=Quirk Lab", "CN=Quirk intermediate"), ECDSA("quirk-intermediate", elliptic.P256())),
		func(t *Template) { *t = t.With(AuthorityKeyID(Lab().Root.Key)) }).Sign(Lab().Root))
	one("broken-self-signature", "self-issued, and the signature is not by its key", func(t *Template) { t.Corrupt = true })
	one("lower-case-country", "the country code is in lower case", func(t *Template) {
		t.Subject = append(NewName("C=us"), t.Subject...)
	})
	one("non-ascii-name", "the name is UTF-8 beyond ASCII", func(t *Template) {
		t.Subject = NewName("C=PL", "O=Główny Urząd Prób", "CN=Żółta Główna Jaźń 根証明書")
	})
	one("multi-valued-rdn", "a relative distinguished name has two values", func(t *Template) {
		t.Subject = append(t.Subject, RDN{
			{nameTypes["OU"], asn1.UTF8String, []byte("Left")},
			{nameTypes["L"], asn1.UTF8String, []byte("Right")},
		})
	})
	same := NewName("O=Quirk Lab", "CN=Quirk same issuer and serial")
	for i, slug := range []string{"same-issuer-serial-a", "same-issuer-serial-b"} {
		one(slug, "one of two with the same issuer and serial number 01 and different keys", func(t *Template) {
			t.Subject, t.Serial = same, []byte{1}
			t.NotAfter = Date(2040+i, 1, 1)
		})
	}
	twice := ECDSA("quirk-same-name", elliptic.P256())
	for i, slug := range []string{"same-name-key-a", "same-name-key-b"} {
		one(slug, "one of two with the same subject, issuer and key, and different serial numbers", func(t *Template) {
			*t = RootTemplate(NewName("O=Quirk Lab", "CN=Quirk same name and key"), twice)
			t.Serial = []byte{byte(i + 1)}
		})
	}
	one("expired", "expired in 2015", func(t *Template) {
		t.NotBefore, t.NotAfter = Date(1999, 1, 1), Date(2015, 1, 1)
	})
	one("hostile-text", "escape sequences, a bell, line breaks and a right-to-left override in the name", func(t *Template) {
		t.Subject = NewName("O=Quirk Lab", "CN=Hostile\x1b[31m\x07\r\nInstalled: 999\u202etxt.gpj")
	})
	add("ber-framed", "the certificate's outer length is indefinite (BER)", root("ber-framed", "Quirk ber-framed", func(t *Template) {
		t.Framing = Indefinite
	}))
	add("ber-long-length", "the certificate's outer length is written with more bytes than needed (BER)", root("ber-long-length", "Quirk ber-long-length", func(t *Template) {
		t.Framing = LongLength
	}))
	add("not-a-certificate", "a SEQUENCE that is no certificate", sequence(TLV(asn1.UTF8String, []byte("not a certificate"))))
	return quirks
}

// QuirkPool is the certificates of Quirks.
func QuirkPool() [][]byte {
	var pool [][]byte
	for _, quirk := range Quirks() {
		pool = append(pool, quirk.DER)
	}
	return pool
}

// smallPool is what vectors sign: two roots with small keys.
func smallPool() []byte {
	return CertsOnly(
		poolRoot("Dogwood ECC", ECDSA("dogwood", elliptic.P384())).Sign(nil),
		poolRoot("Cedar ECC", ECDSA("cedar", elliptic.P256())).Sign(nil))
}

// noon is when the fixtures are signed.
func noon(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 12, 0, 0, 0, time.UTC)
}
