package certificate

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/bits"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"trustpool/internal/cms"
)

// quirkSet collects quirks, each once.
type quirkSet []Quirk

func (s *quirkSet) add(q Quirk) {
	if !slices.Contains(*s, q) {
		*s = append(*s, q)
	}
}

// ReadAll reads each element of a pool as Read does. All processors share the
// work if there is enough of it. More than 10,000 elements that are not
// certificates are an error.
func ReadAll(elements [][]byte) ([]*Certificate, error) {
	out := make([]*Certificate, len(elements))
	const share = 256 // certificates that are worth a goroutine
	workers := min(runtime.GOMAXPROCS(0), len(elements)/share)
	var next, broken atomic.Int64
	work := func() {
		for {
			end := int(next.Add(share))
			begin := end - share
			if begin >= len(elements) {
				return
			}
			end = min(end, len(elements))
			slab := make([]Certificate, end-begin) // cheaper than one by one
			for i := range slab {
				slab[i].decode(elements[begin+i])
				out[begin+i] = &slab[i]
				if slab[i].Err != nil && broken.Add(1) > maxBroken {
					return
				}
			}
		}
	}
	var others sync.WaitGroup
	for range workers - 1 {
		others.Go(work)
	}
	work()
	others.Wait()
	if broken.Load() > maxBroken {
		return nil, fmt.Errorf("more than %d entries that are not certificates", maxBroken)
	}
	return out, nil
}

// maxBroken is how many entries of a pool may be something other than a certificate. One takes more
// memory than it has bytes.
const maxBroken = 10_000

// Read reads one certificate. It always returns one: if raw is not a certificate,
// Err says why. The certificate keeps raw, which must not be changed afterwards.
func Read(raw []byte) *Certificate {
	c := new(Certificate)
	c.decode(raw)
	return c
}

// ReadTrusted reads OpenSSL's TRUSTED CERTIFICATE: a certificate, then settings.
func ReadTrusted(der []byte) *Certificate {
	first, settings, err := cms.First(der)
	if err != nil {
		return Read(der) // which says what is wrong
	}
	c := Read(first)
	if len(settings) > 0 && c.Err == nil {
		c.Quirks = append(c.Quirks, QuirkTrustSettings)
	}
	return c
}

// decode reads one element of a pool. Whatever OpenSSL's d2i_X509 takes is read;
// for anything else Err says why it is not a certificate.
func (c *Certificate) decode(raw []byte) {
	err := c.readDER(raw, raw, nil)
	if err == nil {
		return
	}
	// Perhaps it is BER: then its identity is what OpenSSL would write of it.
	if identity, der, notBER := reframe(raw); notBER == nil && !bytes.Equal(der, raw) {
		if err = c.readDER(identity, der, quirkSet{QuirkBERFraming}); err == nil {
			c.RawTBS = signedPart(c.Raw)
			return
		}
	}
	*c = Certificate{Raw: raw, SHA256: sha256.Sum256(raw), Err: err}
}

// readDER fills c with the certificate whose bytes are identity and which der
// is in the framing of DER.
func (c *Certificate) readDER(identity, der []byte, quirks quirkSet) error {
	*c = Certificate{Raw: identity}
	if err := c.read(der, &quirks); err != nil {
		return err
	}
	c.SHA256 = sha256.Sum256(c.Raw)
	c.Quirks = quirks
	return nil
}

// reframe gives a certificate framed in BER the framing of DER in two ways: as
// OpenSSL writes it, which keeps the bytes of the signed part as they came,
// and wholly, for reading.
func reframe(raw []byte) (identity, all []byte, err error) {
	all, err = cms.ToDER(raw, 0)
	if err != nil {
		return nil, nil, err
	}
	parts, err := cms.Children(raw, 3)
	if err != nil || len(parts) == 0 {
		return nil, nil, errors.New("it is empty")
	}
	body := slices.Clone(parts[0])
	for _, part := range parts[1:] {
		der, err := cms.ToDER(part, 0)
		if err != nil {
			return nil, nil, err
		}
		body = append(body, der...)
	}
	return cms.AppendTLV(nil, all[0], body), all, nil
}

// signedPart is the first element within a certificate that was read.
func signedPart(raw []byte) []byte {
	parts, err := cms.Children(raw, 3)
	if err != nil || len(parts) == 0 {
		return nil
	}
	return parts[0]
}

var (
	tagExplicitVersion = asn1.Tag(0).Constructed().ContextSpecific()
	tagIssuerUnique    = asn1.Tag(1).ContextSpecific()
	tagSubjectUnique   = asn1.Tag(2).ContextSpecific()
	tagExtensions      = asn1.Tag(3).Constructed().ContextSpecific()
)

// read fills c from its DER (RFC 5280 section 4.1). It is strict if OpenSSL
// is: in the structure and in the form of integers, strings and identifiers.
func (c *Certificate) read(der []byte, quirks *quirkSet) error {
	in := cryptobyte.String(der)
	var cert, tbsElement, tbs cryptobyte.String
	if !in.ReadASN1(&cert, asn1.SEQUENCE) {
		return errors.New("not a certificate: no SEQUENCE")
	}
	if !in.Empty() {
		return errors.New("not a certificate: something follows it")
	}
	if !cert.ReadASN1Element(&tbsElement, asn1.SEQUENCE) {
		return errors.New("not a certificate: the part to be signed is not a SEQUENCE")
	}
	c.RawTBS = tbsElement
	tbsElement.ReadASN1(&tbs, asn1.SEQUENCE)

	outer, err := readAlgorithm(&cert, "signature algorithm")
	if err != nil {
		return err
	}
	c.SignatureAlgorithm = outer
	var unused byte
	if c.Signature, unused, err = readBitString(&cert, asn1.BIT_STRING, "signature"); err != nil {
		return err
	}
	if !cert.Empty() {
		return errors.New("not a certificate: something follows the signature")
	}
	if unused != 0 {
		quirks.add(QuirkSignatureBits)
		c.clearPadding(unused, quirks)
	}
	inner, err := c.readTBS(&tbs, quirks)
	if err != nil {
		return err
	}
	c.addSignatureQuirks(inner, quirks)
	return nil
}

// readTBS reads the TBSCertificate and gives the signature algorithm within it.
func (c *Certificate) readTBS(tbs *cryptobyte.String, quirks *quirkSet) (inner Algorithm, err error) {
	c.Version = 1
	var explicit cryptobyte.String
	var present bool
	if !tbs.ReadOptionalASN1(&explicit, &present, tagExplicitVersion) {
		return inner, errors.New("its version cannot be read")
	}
	if present {
		n, err := readInteger(&explicit, "version")
		if err != nil {
			return inner, err
		}
		if !explicit.Empty() {
			return inner, errors.New("something follows its version")
		}
		if c.Version = 0; len(n) == 1 && n[0] < 0x7f {
			c.Version = int(n[0]) + 1
		}
		if c.Version < 1 || c.Version > 3 {
			quirks.add(QuirkVersionUnknown)
		}
	}
	if c.Version == 1 || c.Version == 2 {
		quirks.add(QuirkVersion1)
	}
	serial, err := readInteger(tbs, "serial number")
	if err != nil {
		return inner, err
	}
	c.Serial = serial
	c.addSerialQuirks(quirks)
	if inner, err = readAlgorithm(tbs, "inner signature algorithm"); err != nil {
		return inner, err
	}
	if c.Issuer, err = readNameElement(tbs, "issuer", quirks); err != nil {
		return inner, err
	}
	if err := c.readValidity(tbs, quirks); err != nil {
		return inner, err
	}
	if c.Subject, err = readNameElement(tbs, "subject", quirks); err != nil {
		return inner, err
	}
	if !c.SelfIssued() {
		quirks.add(QuirkIntermediate)
	}
	if err := c.readPublicKey(tbs, quirks); err != nil {
		return inner, err
	}
	for _, tag := range []asn1.Tag{tagIssuerUnique, tagSubjectUnique} {
		if tbs.PeekASN1Tag(tag) {
			if _, _, err := readBitString(tbs, tag, "unique identifier"); err != nil {
				return inner, err
			}
		}
	}
	return inner, c.readExtensions(tbs, quirks)
}

func readNameElement(in *cryptobyte.String, what string, quirks *quirkSet) (Name, error) {
	var el cryptobyte.String
	if !readListElement(in, &el, asn1.SEQUENCE, quirks) || !readName(Name(el), quirks) {
		return nil, errors.New("its " + what + " cannot be read")
	}
	return Name(el), nil
}

// readListElement reads a SEQUENCE OF or SET OF. Like OpenSSL it takes one that
// is not marked as constructed.
func readListElement(in, el *cryptobyte.String, tag asn1.Tag, quirks *quirkSet) bool {
	if unmarked := tag &^ 0x20; in.PeekASN1Tag(unmarked) {
		quirks.add(QuirkBERFraming)
		tag = unmarked
	}
	return in.ReadASN1Element(el, tag)
}

// contents are those of an element that cryptobyte has read: its tag is one byte
// and its length minimal.
func contents(el cryptobyte.String) cryptobyte.String {
	header := 2
	if el[1] >= 0x80 {
		header += int(el[1] & 0x7f)
	}
	return el[header:]
}

func (c *Certificate) addSerialQuirks(quirks *quirkSet) {
	switch {
	case c.Serial.Negative():
		quirks.add(QuirkSerialNegative)
	case len(c.Serial) == 1 && c.Serial[0] == 0:
		quirks.add(QuirkSerialZero)
	}
	if len(c.Serial) > 20 {
		quirks.add(QuirkSerialLong)
	}
}

func (c *Certificate) addSignatureQuirks(inner Algorithm, quirks *quirkSet) {
	if !bytes.Equal(inner.OID, c.SignatureAlgorithm.OID) || !bytes.Equal(inner.Parameters, c.SignatureAlgorithm.Parameters) {
		quirks.add(QuirkAlgorithmsDiffer)
	}
	switch c.SignatureAlgorithm.String() {
	case "md2WithRSAEncryption", "md5WithRSAEncryption":
		quirks.add(QuirkSignatureMD5)
	case "sha1WithRSAEncryption", "sha1WithRSA", "dsaWithSHA1", "ecdsa-with-SHA1":
		quirks.add(QuirkSignatureSHA1)
	case "rsassaPss":
		if pssWithSHA1(c.SignatureAlgorithm.Parameters) {
			quirks.add(QuirkSignatureSHA1)
		}
	}
}

// pssWithSHA1 reports whether RSASSA-PSS-params (RFC 4055 section 3.1) give SHA-1
// as the hash, which is the default.
func pssWithSHA1(params []byte) bool {
	in := cryptobyte.String(params)
	var seq, explicit, alg, oid cryptobyte.String
	if !in.ReadASN1(&seq, asn1.SEQUENCE) || !seq.PeekASN1Tag(asn1.Tag(0).Constructed().ContextSpecific()) {
		return true
	}
	return seq.ReadASN1(&explicit, asn1.Tag(0).Constructed().ContextSpecific()) && explicit.ReadASN1(&alg, asn1.SEQUENCE) &&
		alg.ReadASN1(&oid, asn1.OBJECT_IDENTIFIER) && string(oid) == "\x2b\x0e\x03\x02\x1a"
}

func (c *Certificate) readValidity(tbs *cryptobyte.String, quirks *quirkSet) error {
	var validity cryptobyte.String
	if !tbs.ReadASN1(&validity, asn1.SEQUENCE) {
		return errors.New("its validity cannot be read")
	}
	if !readTime(&validity, &c.NotBefore, QuirkNotBeforeUnreadable, quirks) ||
		!readTime(&validity, &c.NotAfter, QuirkNotAfterUnreadable, quirks) {
		return errors.New("its validity has no two dates")
	}
	if !validity.Empty() {
		return errors.New("something follows the dates of its validity")
	}
	return nil
}

// readTime reads a Time; it is false if there is none. One that is there but
// makes no date is a quirk.
func readTime(in *cryptobyte.String, to *Time, unreadable Quirk, quirks *quirkSet) bool {
	var value cryptobyte.String
	var tag asn1.Tag
	if !in.ReadAnyASN1(&value, &tag) || tag != asn1.UTCTime && tag != asn1.GeneralizedTime {
		return false
	}
	if *to = parseTime(byte(tag), value, quirks); !to.Valid {
		quirks.add(unreadable)
	}
	return true
}

// readInteger gives the contents bytes of an INTEGER in minimal form.
func readInteger(in *cryptobyte.String, what string) ([]byte, error) {
	var body cryptobyte.String
	if !in.ReadASN1(&body, asn1.INTEGER) || len(body) == 0 ||
		len(body) > 1 && (body[0] == 0 && body[1] < 0x80 || body[0] == 0xff && body[1] >= 0x80) {
		return nil, errors.New("its " + what + " is not an INTEGER")
	}
	return body, nil
}

// readBitString gives the bytes of a BIT STRING and how many bits of the last
// are unused.
func readBitString(in *cryptobyte.String, tag asn1.Tag, what string) (content []byte, unused byte, err error) {
	var body cryptobyte.String
	if !in.ReadASN1(&body, tag) || len(body) == 0 || body[0] > 7 {
		return nil, 0, errors.New("its " + what + " is not a BIT STRING")
	}
	return body[1:], body[0], nil
}

// clearPadding makes the unused bits of the signature zero, which DER asks for
// (X.690 section 11.2.1) and OpenSSL does; of an empty signature it makes their
// number zero. The signature ends the certificate.
func (c *Certificate) clearPadding(unused byte, quirks *quirkSet) {
	n, last := len(c.Signature), len(c.Raw)-1
	padding := byte(1)<<unused - 1
	if n == 0 {
		padding = 0xff // the last byte is the number itself
	}
	if c.Raw[last]&padding == 0 {
		return
	}
	c.Raw = slices.Clone(c.Raw)
	c.Raw[last] &^= padding
	c.Signature = c.Raw[last+1-n:]
	quirks.add(QuirkBERFraming)
}

func readAlgorithm(in *cryptobyte.String, what string) (Algorithm, error) {
	var seq, oid cryptobyte.String
	if !in.ReadASN1(&seq, asn1.SEQUENCE) || !seq.ReadASN1(&oid, asn1.OBJECT_IDENTIFIER) || !validOID(oid) {
		return Algorithm{}, errors.New("its " + what + " cannot be read")
	}
	if !seq.Empty() && !validParameters(seq) {
		return Algorithm{}, errors.New("the parameters of its " + what + " cannot be read")
	}
	return Algorithm{OID: ObjectID(oid), Parameters: seq}, nil
}

// validParameters reports whether parameters of an algorithm are one element whose
// contents its type can have, which is all that OpenSSL asks of them
// (crypto/asn1/tasn_dec.c, asn1_ex_c2i).
func validParameters(b []byte) bool {
	if string(b) == "\x05\x00" { // NULL: most are
		return true
	}
	if cms.CheckOne(b) != nil {
		return false
	}
	in := cryptobyte.String(b)
	var body cryptobyte.String
	var tag asn1.Tag
	if !in.ReadAnyASN1(&body, &tag) {
		return true // a tag number or a length that cryptobyte does not take
	}
	n := len(body)
	switch byte(tag) {
	case 1: // BOOLEAN
		return n == 1
	case 2, 10: // INTEGER, ENUMERATED
		whole := cryptobyte.String(cms.AppendTLV(nil, 2, body))
		_, err := readInteger(&whole, "")
		return err == nil
	case tagBitString:
		return n > 0 && body[0] < 8
	case 5: // NULL
		return n == 0
	case 6: // OBJECT IDENTIFIER
		return validOID(body)
	case tagBMPString:
		return n%2 == 0
	case tagUniversalString:
		return n%4 == 0
	}
	// A string in segments that could not be joined.
	return tag&0x20 == 0 || !cms.IsString(byte(tag))
}

// validOID reports whether bytes are the contents of an object identifier (X.690
// section 8.19).
func validOID(b []byte) bool {
	if len(b) == 0 || b[len(b)-1] >= 0x80 {
		return false
	}
	for i, o := range b {
		if o == 0x80 && (i == 0 || b[i-1] < 0x80) {
			return false
		}
	}
	return true
}

// Object identifiers of public keys (RFC 3279, RFC 4055, RFC 5480, RFC 8410).
const (
	oidRSA     = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"
	oidRSAX509 = "\x55\x08\x01\x01" // X.509 (1988) annex G; OpenSSL takes it for oidRSA
	oidRSAPSS  = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"
	oidEC      = "\x2a\x86\x48\xce\x3d\x02\x01"
	oidDSA     = "\x2a\x86\x48\xce\x38\x04\x01"
	oidEd25519 = "\x2b\x65\x70"
	oidEd448   = "\x2b\x65\x71"
)

// curves are the named curves of RFC 5480 and those beside them that
// certificates have been seen with.
var curves = map[string]struct {
	name string
	bits int
}{
	"\x2a\x86\x48\xce\x3d\x03\x01\x01":     {"P-192", 192},
	"\x2b\x81\x04\x00\x21":                 {"P-224", 224},
	"\x2a\x86\x48\xce\x3d\x03\x01\x07":     {"P-256", 256},
	"\x2b\x81\x04\x00\x22":                 {"P-384", 384},
	"\x2b\x81\x04\x00\x23":                 {"P-521", 521},
	"\x2b\x81\x04\x00\x0a":                 {"secp256k1", 256},
	"\x2b\x24\x03\x03\x02\x08\x01\x01\x07": {"brainpoolP256r1", 256},
	"\x2b\x24\x03\x03\x02\x08\x01\x01\x0b": {"brainpoolP384r1", 384},
	"\x2b\x24\x03\x03\x02\x08\x01\x01\x0d": {"brainpoolP512r1", 512},
}

func (c *Certificate) readPublicKey(tbs *cryptobyte.String, quirks *quirkSet) error {
	var el, spki cryptobyte.String
	if !tbs.ReadASN1Element(&el, asn1.SEQUENCE) {
		return errors.New("its public key cannot be read")
	}
	c.RawSPKI = el
	el.ReadASN1(&spki, asn1.SEQUENCE)
	alg, err := readAlgorithm(&spki, "public key algorithm")
	if err != nil {
		return err
	}
	key, _, err := readBitString(&spki, asn1.BIT_STRING, "public key")
	if err != nil {
		return err
	}
	if !spki.Empty() {
		return errors.New("something follows its public key")
	}
	pk, ok := publicKey(alg, key)
	c.PublicKey = pk
	if !ok {
		quirks.add(QuirkPublicKeyUnreadable)
		return nil
	}
	if pk.Algorithm == "RSA" || pk.Algorithm == "RSASSA-PSS" {
		if pk.Bits < 2048 {
			quirks.add(QuirkRSAShort)
		}
		if pk.Exponent != 65537 {
			quirks.add(QuirkRSAExponent)
		}
	}
	return nil
}

// publicKey reads what a report says of a key; it is false if the value is
// not what the algorithm has. The algorithm is given in any case.
func publicKey(alg Algorithm, key []byte) (PublicKey, bool) {
	in, params := cryptobyte.String(key), cryptobyte.String(alg.Parameters)
	switch string(alg.OID) {
	case oidRSA, oidRSAX509, oidRSAPSS:
		name := "RSA"
		if string(alg.OID) == oidRSAPSS {
			name = "RSASSA-PSS"
		}
		var seq cryptobyte.String
		if !in.ReadASN1(&seq, asn1.SEQUENCE) || !in.Empty() {
			return PublicKey{Algorithm: name}, false
		}
		n, okN := positive(&seq)
		e, okE := positive(&seq)
		if !okN || !okE || !seq.Empty() {
			return PublicKey{Algorithm: name}, false
		}
		pk := PublicKey{Algorithm: name, Bits: bitLen(n)}
		if len(e) <= 8 {
			for _, o := range e {
				pk.Exponent = pk.Exponent<<8 | uint64(o)
			}
		}
		return pk, true
	case oidEC:
		pk := PublicKey{Algorithm: "ECDSA"}
		var oid cryptobyte.String
		if !params.ReadASN1(&oid, asn1.OBJECT_IDENTIFIER) {
			return pk, false // explicit parameters, or none
		}
		if curve, ok := curves[string(oid)]; ok {
			pk.Curve, pk.Bits = curve.name, curve.bits
			return pk, true
		}
		pk.Curve = ObjectID(oid).Dotted()
		return pk, true
	case oidEd25519:
		return PublicKey{Algorithm: "Ed25519", Bits: 256}, len(key) == 32
	case oidEd448:
		return PublicKey{Algorithm: "Ed448", Bits: 456}, len(key) == 57
	case oidDSA:
		var seq cryptobyte.String
		if !params.ReadASN1(&seq, asn1.SEQUENCE) {
			return PublicKey{Algorithm: "DSA"}, false
		}
		p, ok := positive(&seq)
		return PublicKey{Algorithm: "DSA", Bits: bitLen(p)}, ok
	}
	return PublicKey{Algorithm: alg.OID.Dotted()}, true
}

// positive reads an INTEGER above zero and gives its bytes without leading zeroes.
func positive(in *cryptobyte.String) ([]byte, bool) {
	n, err := readInteger(in, "number")
	if err != nil || n[0] >= 0x80 {
		return nil, false
	}
	if n[0] == 0 {
		n = n[1:]
	}
	return n, len(n) > 0
}

func bitLen(n []byte) int {
	if len(n) == 0 {
		return 0
	}
	return 8*(len(n)-1) + bits.Len8(n[0])
}
