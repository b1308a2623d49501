package path

import (
	"encoding/hex"
	"math/big"
	"testing"

	"trustpool/bundle/certificate"
	"trustpool/internal/pkitest"
)

// A key with arithmetic that would take minutes is not tried.
func TestHugeKey(t *testing.T) {
	t.Parallel()
	c := &certificate.Certificate{PublicKey: certificate.PublicKey{Algorithm: "RSA", Bits: maxRSABits + 1}}
	if _, err := PublicKey(c); err == nil {
		t.Error("a key beyond the limit was read")
	}
}

// An RSA key is held to the limits by whichever identifier it is one.
func TestRSAByEachIdentifier(t *testing.T) {
	t.Parallel()
	lab := pkitest.Lab()
	for _, oid := range []pkitest.OID{"1.2.840.113549.1.1.1", "2.5.8.1.1"} {
		for bits, ok := range map[int]bool{minRSABits - 1: false, 2048: true, maxRSABits: true, maxRSABits + 1: false} {
			n := new(big.Int).SetBit(big.NewInt(1), bits-1, 1)
			number := n.Bytes()
			if bits%8 == 0 {
				number = append([]byte{0}, number...)
			}
			key := pkitest.TLV(0x30, pkitest.TLV(0x02, number), []byte{2, 1, 3})
			template := pkitest.LabSignerTemplate()
			template.SPKI = pkitest.TLV(0x30, pkitest.TLV(0x30, oid.DER(), []byte{5, 0}), pkitest.TLV(0x03, []byte{0}, key))
			c := certificate.Read(template.Sign(lab.Root))
			if c.Err != nil || c.PublicKey.Algorithm != "RSA" || c.PublicKey.Bits != bits {
				t.Fatalf("%s, %d bits: read as %v, %v", oid, bits, c.PublicKey, c.Err)
			}
			if _, err := PublicKey(c); (err == nil) != ok {
				t.Errorf("%s, %d bits: %v", oid, bits, err)
			}
		}
	}
}

// RSASSA-PSS-params as RFC 4055 section 3.1 has them, and what is refused of them.
func TestPSSParameters(t *testing.T) {
	t.Parallel()
	const (
		sha256 = "300d06096086480165030402010500"
		mgf    = "301a06092a864886f70d010108" + sha256
	)
	field := func(tag, body string) string { return tag + hex.EncodeToString([]byte{byte(len(body) / 2)}) + body }
	sequence := func(parts ...string) string {
		all := ""
		for _, p := range parts {
			all += p
		}
		return field("30", all)
	}
	hash, mask := field("a0", sha256), field("a1", mgf)
	salt := func(n int64) string {
		return field("a2", field("02", hex.EncodeToString(big.NewInt(n).FillBytes(make([]byte, 1)))))
	}
	for _, test := range []struct {
		name, params string
		salt         int // 0 where refused
	}{
		{"a salt of 32", sequence(hash, mask, salt(32)), 32},
		{"the default salt", sequence(hash, mask), 20},
		{"no salt", sequence(hash, mask, salt(0)), 0},
		{"the defaults, which are SHA-1", sequence(), 0},
		{"no mask", sequence(hash, salt(32)), 0},
		{"another trailer", sequence(hash, mask, salt(32), "a303020102"), 0},
		{"the trailer", sequence(hash, mask, salt(32), "a303020101"), 32},
		{"parameters of the hash", sequence(field("a0", sequence("0609608648016503040201", "020100")), mask, salt(32)), 0},
		{"something after them", sequence(hash, mask, salt(32), "0500"), 0},
	} {
		params, err := hex.DecodeString(test.params)
		if err != nil {
			t.Fatal(err)
		}
		a, err := pssAlgorithm(params)
		if (err == nil) != (test.salt > 0) || err == nil && a.salt != test.salt {
			t.Errorf("%s: salt %d, %v", test.name, a.salt, err)
		}
	}
}
