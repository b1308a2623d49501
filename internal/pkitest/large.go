package pkitest

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"

	"golang.org/x/crypto/cryptobyte/asn1"
)

// Large returns a signed bundle of n distinct certificates of LargePool, "Lab Large Bundle" version 1.
func Large(n int) []byte {
	return Bundle(Lab().Signer, "Lab Large Bundle", "1", noon(2025, 1, 15), LargePool(n)...)
}

// LargePool returns n distinct certificates that look like RSA-2048 roots, of about 1,150 bytes each. Moduli and signatures are
// a stream of SHA-256, so none verifies; making one costs a few microseconds, so that 100,000 can be had.
func LargePool(n int) [][]byte {
	var forms [13]form
	for words := range forms {
		forms[words] = newForm(words)
	}
	pool := make([][]byte, n)
	for i := range pool {
		random := stream(uint64(i), 529)
		modulus, signature, serial := random[:256], random[256:512], random[512:528]
		modulus[0] |= 0x80
		modulus[255] |= 1
		serial[0] = serial[0]&0x3f | 0x40
		id := sha256.Sum256(modulus)
		pool[i] = forms[int(random[528])%len(forms)].fill(modulus, signature, serial, id[:20], fmt.Appendf(nil, "%08d", i))
	}
	return pool
}

// A form is a certificate with blanks, and where each of them occurs.
type form struct {
	der []byte
	at  [][]int
}

// newForm makes a form; the words in the organisation's name make sizes vary as they do in the field.
func newForm(words int) form {
	blanks := make([][]byte, 5)
	for i, size := range []int{256, 256, 16, 20, 8} {
		blanks[i] = bytes.Repeat([]byte{'A' + byte(i)}, size)
	}
	modulus, signature, serial, id, number := blanks[0], blanks[1], blanks[2], blanks[3], string(blanks[4])

	algorithm := SHA256WithRSA.identifier()
	subject := NewName("C=US", "O=Large"+strings.Repeat(" Trust", words), "OU=Roots", "CN=Large Root CA "+number).DER()
	url := "http://crl.large-" + number + ".example/public-key-infrastructure/root-" + number + ".crl"
	points := sequence(sequence(TLV(explicit(0), TLV(explicit(0), TLV(asn1.Tag(6).ContextSpecific(), []byte(url))))))
	policies := sequence(sequence(OID("2.5.29.32.0").DER(), sequence(sequence(OID("1.3.6.1.5.5.7.2.1").DER(),
		TLV(asn1.IA5String, []byte("https://www.large.example/repository"))))))
	extensions := sequence(
		BasicConstraints(true, -1).DER(),
		KeyUsage(KeyCertSign, CRLSign).DER(),
		Extension{"2.5.29.14", false, octetString(id)}.DER(),
		Extension{"2.5.29.35", false, sequence(TLV(asn1.Tag(0).ContextSpecific(), id))}.DER(),
		Extension{"2.5.29.31", false, points}.DER(),
		Extension{"2.5.29.32", false, policies}.DER())
	key := sequence(RSAEncryption.identifier(), bits(sequence(TLV(asn1.INTEGER, []byte{0}, modulus), integer(65537))))
	tbs := sequence(TLV(explicit(0), integer(2)), TLV(asn1.INTEGER, serial), algorithm, subject,
		sequence(Date(2010, 1, 1).DER(), Date(2040, 1, 1).DER()), subject, key, TLV(explicit(3), extensions))

	f := form{der: sequence(tbs, algorithm, bits(signature))}
	for _, blank := range blanks {
		var at []int
		for i := 0; i+len(blank) <= len(f.der); i++ {
			if bytes.HasPrefix(f.der[i:], blank) {
				at = append(at, i)
			}
		}
		f.at = append(f.at, at)
	}
	return f
}

// fill returns the certificate with the values in its blanks.
func (f form) fill(values ...[]byte) []byte {
	der := bytes.Clone(f.der)
	for i, value := range values {
		for _, at := range f.at[i] {
			copy(der[at:], value)
		}
	}
	return der
}

// stream returns bytes that follow from the seed.
func stream(seed uint64, size int) []byte {
	var in [16]byte // the seed, a counter
	binary.BigEndian.PutUint64(in[:8], seed)
	out := make([]byte, 0, size+sha256.Size)
	for counter := uint64(0); len(out) < size; counter++ {
		binary.BigEndian.PutUint64(in[8:], counter)
		block := sha256.Sum256(in[:])
		out = append(out, block[:]...)
	}
	return out[:size]
}
