package cms_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"trustpool/internal/cms"
	"trustpool/internal/pkitest"
	"trustpool/internal/tooltest"
)

func tlv(tag byte, parts ...[]byte) []byte { return cms.AppendTLV(nil, tag, bytes.Join(parts, nil)) }

func seq(parts ...[]byte) []byte { return tlv(0x30, parts...) }

func set(parts ...[]byte) []byte { return tlv(0x31, parts...) }

func context(n byte, parts ...[]byte) []byte { return tlv(0xa0|n, parts...) }

func oid(t testing.TB, s string) []byte { return tlv(6, encodeOID(t, s)) }

func repeat(b []byte, n int) []byte { return bytes.Repeat(b, n) }

// A message is the parts of a SignedData, each in DER and each replaceable.
type message struct {
	typ, version, digests, content, certificates, crls, signers []byte
}

// A signer is the parts of a SignerInfo.
type signer struct {
	version, sid, digest, attributes, algorithm, signature, unsigned []byte
}

func newSigner(t testing.TB) signer {
	t.Helper()
	sha256 := seq(oid(t, "2.16.840.1.101.3.4.2.1"), []byte{5, 0})
	return signer{
		version:    []byte{2, 1, 1},
		sid:        seq(seq(), []byte{2, 1, 9}),
		digest:     sha256,
		attributes: context(0, seq(oid(t, "1.2.840.113549.1.9.3"), set(oid(t, cms.OIDData)))),
		algorithm:  seq(oid(t, "1.2.840.113549.1.1.1"), []byte{5, 0}),
		signature:  tlv(4, []byte("signature")),
	}
}

func (s signer) der() []byte {
	return seq(s.version, s.sid, s.digest, s.attributes, s.algorithm, s.signature, s.unsigned)
}

func newMessage(t testing.TB) message {
	t.Helper()
	return message{
		typ:          oid(t, cms.OIDSignedData),
		version:      []byte{2, 1, 1},
		digests:      set(newSigner(t).digest),
		content:      seq(oid(t, cms.OIDData), context(0, tlv(4, []byte("content")))),
		certificates: context(0, seq([]byte{5, 0})),
		signers:      set(newSigner(t).der()),
	}
}

func (m message) der() []byte {
	return seq(m.typ, context(0, seq(m.version, m.digests, m.content, m.certificates, m.crls, m.signers)))
}

func TestParseSignedData(t *testing.T) {
	t.Parallel()
	data := newMessage(t).der()
	sd, err := cms.ParseSignedData(data, 0, cms.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if sd.Version != 1 || len(sd.DigestAlgorithms) != 1 || sd.DigestAlgorithms[0].OID != "2.16.840.1.101.3.4.2.1" ||
		string(sd.DigestAlgorithms[0].Parameters) != "\x05\x00" || sd.ContentType != cms.OIDData {
		t.Errorf("%+v", sd)
	}
	if string(sd.Content) != "content" || !bytes.HasPrefix(data[sd.ContentOffset:], []byte("content")) {
		t.Errorf("content %q at offset %d", sd.Content, sd.ContentOffset)
	}
	checkWithin(t, sd, data)
	if len(sd.Certificates) != 1 || len(sd.Signers) != 1 {
		t.Fatalf("%d certificates, %d signers", len(sd.Certificates), len(sd.Signers))
	}
	s := sd.Signers[0]
	if s.Version != 1 || string(s.Issuer) != "\x30\x00" || string(s.Serial) != "\x09" || s.SubjectKeyID != nil || string(s.Signature) != "signature" ||
		s.DigestAlgorithm.OID != "2.16.840.1.101.3.4.2.1" || s.SignatureAlgorithm.OID != "1.2.840.113549.1.1.1" {
		t.Errorf("%+v", s)
	}
	if len(s.Attributes) != 1 || s.Attributes[0].Type != "1.2.840.113549.1.9.3" || len(s.Attributes[0].Values) != 1 {
		t.Errorf("%+v", s.Attributes)
	}
	if err := s.CheckAttributesDER(); err != nil {
		t.Error(err)
	}
	signed := s.SignedBytes()
	if signed[0] != 0x31 || s.SignedAttrs[0] != 0xa0 || !bytes.Equal(signed[1:], s.SignedAttrs[1:]) {
		t.Errorf("signed is %x, the attributes are %x", signed, s.SignedAttrs)
	}
}

// What may be otherwise in a message that is read.
func TestParseSignedDataVariants(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(m *message, s *signer)
		ok     func(sd *cms.SignedData) bool
	}{
		{"no content", func(m *message, _ *signer) { m.content = seq(oid(t, cms.OIDData)) },
			func(sd *cms.SignedData) bool { return sd.Content == nil }},
		{"empty content", func(m *message, _ *signer) { m.content = seq(oid(t, cms.OIDData), context(0, tlv(4))) },
			func(sd *cms.SignedData) bool { return sd.Content != nil && len(sd.Content) == 0 }},
		{"content in segments", func(m *message, _ *signer) {
			m.content = seq(oid(t, cms.OIDData), context(0, tlv(0x24, tlv(4, []byte("con")), tlv(0x24, tlv(4, []byte("te"))), tlv(4, []byte("nt")))))
		}, func(sd *cms.SignedData) bool { return string(sd.Content) == "content" }},
		{"content in an indefinite length", func(m *message, _ *signer) {
			m.content = seq(oid(t, cms.OIDData), unhex(t, "a0 80 24 80 0407 636f6e74656e74 0000 0000"))
		}, func(sd *cms.SignedData) bool { return string(sd.Content) == "content" }},
		{"content of another type", func(m *message, _ *signer) { m.content = seq(oid(t, "1.2.3"), context(0, seq([]byte{5, 0}))) },
			func(sd *cms.SignedData) bool {
				return sd.ContentType == "1.2.3" && string(sd.Content) == "\x30\x02\x05\x00"
			}},
		{"no certificates", func(m *message, _ *signer) { m.certificates = nil },
			func(sd *cms.SignedData) bool { return len(sd.Certificates) == 0 }},
		{"an empty set of certificates", func(m *message, _ *signer) { m.certificates = context(0) },
			func(sd *cms.SignedData) bool { return len(sd.Certificates) == 0 }},
		{"certificates that are none", func(m *message, _ *signer) { m.certificates = context(0, []byte{5, 0}, context(1, []byte{5, 0})) },
			func(sd *cms.SignedData) bool {
				return len(sd.Certificates) == 2 && string(sd.Certificates[1]) == "\xa1\x02\x05\x00"
			}},
		{"CRLs", func(m *message, _ *signer) { m.crls = context(1, seq([]byte{5, 0})) },
			func(sd *cms.SignedData) bool { return len(sd.Certificates) == 1 && len(sd.Signers) == 1 }},
		{"no signers", func(m *message, _ *signer) { m.signers, m.digests = set(), set() },
			func(sd *cms.SignedData) bool { return len(sd.Signers) == 0 && len(sd.DigestAlgorithms) == 0 }},
		{"two signers", func(m *message, s *signer) { m.signers = set(s.der(), s.der()) },
			func(sd *cms.SignedData) bool { return len(sd.Signers) == 2 }},
		{"a signer by key identifier", func(_ *message, s *signer) { s.sid = tlv(0x80, []byte("id")) },
			func(sd *cms.SignedData) bool {
				return string(sd.Signers[0].SubjectKeyID) == "id" && sd.Signers[0].Issuer == nil && sd.Signers[0].Serial == nil
			}},
		{"a key identifier in segments", func(_ *message, s *signer) { s.sid = context(0, tlv(4, []byte("i")), tlv(4, []byte("d"))) },
			func(sd *cms.SignedData) bool { return string(sd.Signers[0].SubjectKeyID) == "id" }},
		{"an issuer in BER", func(_ *message, s *signer) { s.sid = seq(unhex(t, "3080 0000"), []byte{2, 1, 9}) },
			func(sd *cms.SignedData) bool { return string(sd.Signers[0].Issuer) == "\x30\x00" }},
		{"no signed attributes", func(_ *message, s *signer) { s.attributes = nil },
			func(sd *cms.SignedData) bool {
				return sd.Signers[0].SignedAttrs == nil && sd.Signers[0].Attributes == nil
			}},
		{"an empty set of signed attributes", func(_ *message, s *signer) { s.attributes = context(0) },
			func(sd *cms.SignedData) bool {
				return string(sd.Signers[0].SignedAttrs) == "\xa0\x00" && sd.Signers[0].Attributes == nil
			}},
		{"an attribute without values", func(_ *message, s *signer) { s.attributes = context(0, seq(oid(t, "1.2.3"), set())) },
			func(sd *cms.SignedData) bool {
				return len(sd.Signers[0].Attributes) == 1 && sd.Signers[0].Attributes[0].Values == nil
			}},
		{"unsigned attributes", func(_ *message, s *signer) { s.unsigned = context(1, seq(oid(t, "1.2.3"), set([]byte{5, 0}))) },
			func(sd *cms.SignedData) bool { return len(sd.Signers[0].Attributes) == 1 }},
		{"algorithms without parameters", func(_ *message, s *signer) { s.digest, s.algorithm = seq(oid(t, "1.2.3")), seq(oid(t, "1.2.4")) },
			func(sd *cms.SignedData) bool {
				return sd.Signers[0].DigestAlgorithm.Parameters == nil && sd.Signers[0].SignatureAlgorithm.OID == "1.2.4"
			}},
		{"a signature in segments", func(_ *message, s *signer) { s.signature = tlv(0x24, tlv(4, []byte("sig")), tlv(4, []byte("nature"))) },
			func(sd *cms.SignedData) bool { return string(sd.Signers[0].Signature) == "signature" }},
		{"version 3", func(m *message, s *signer) { m.version, s.version = []byte{2, 1, 3}, []byte{2, 1, 3} },
			func(sd *cms.SignedData) bool { return sd.Version == 3 && sd.Signers[0].Version == 3 }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m, s := newMessage(t), newSigner(t)
			m.signers = nil
			tt.change(&m, &s)
			if m.signers == nil {
				m.signers = set(s.der())
			}
			sd, err := cms.ParseSignedData(m.der(), 0, cms.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if !tt.ok(sd) {
				t.Errorf("%+v", sd)
			}
		})
	}
}

func TestParseSignedDataRefuses(t *testing.T) {
	t.Parallel()
	null := []byte{5, 0}
	attribute := seq(oid(t, "1.2.3"), set(null))
	tests := []struct {
		name   string
		change func(m *message, s *signer)
		msg    string
	}{
		{"another type", func(m *message, _ *signer) { m.typ = oid(t, "1.2.840.113549.1.7.3") }, "a PKCS#7 message of type 1.2.840.113549.1.7.3, not signed-data"},
		{"no type", func(m *message, _ *signer) { m.typ = nil }, "its content type expected, identifier byte 0xa0 found"},
		{"a type that is none", func(m *message, _ *signer) { m.typ = unhex(t, "0602 2a86") }, "its content type is not an object identifier"},
		{"no version", func(m *message, _ *signer) { m.version = nil }, "a version expected, identifier byte 0x31 found"},
		{"a version of two bytes", func(m *message, _ *signer) { m.version = []byte{2, 2, 1, 0} }, "a version that is not a small number"},
		{"a negative version", func(m *message, _ *signer) { m.version = []byte{2, 1, 0xff} }, "a version that is not a small number"},
		{"no digest algorithms", func(m *message, _ *signer) { m.digests = nil }, "digestAlgorithms expected, identifier byte 0x30 found"},
		{"a digest algorithm that is none", func(m *message, _ *signer) { m.digests = set(null) }, "a digest algorithm expected, identifier byte 0x05 found"},
		{"too many digest algorithms", func(m *message, s *signer) { m.digests = set(repeat(s.digest, 65)) }, "more than 64 digest algorithms"},
		{"no content info", func(m *message, _ *signer) { m.content = nil }, "encapContentInfo expected, identifier byte 0xa0 found"},
		{"data that is not an OCTET STRING", func(m *message, _ *signer) { m.content = seq(oid(t, cms.OIDData), context(0, null)) }, "content of type data that is not an OCTET STRING"},
		{"two contents", func(m *message, _ *signer) { m.content = seq(oid(t, cms.OIDData), context(0, tlv(4), tlv(4))) }, "trailing bytes after eContent"},
		{"something after the content", func(m *message, _ *signer) { m.content = seq(oid(t, cms.OIDData), context(0, tlv(4)), null) }, "trailing bytes after eContent"},
		{"an empty [0]", func(m *message, _ *signer) { m.content = seq(oid(t, cms.OIDData), context(0)) }, "eContent: the data ends where an element should begin"},
		{"segments of another type", func(m *message, _ *signer) {
			m.content = seq(oid(t, cms.OIDData), context(0, tlv(0x24, tlv(0x0c, []byte("x")))))
		}, "eContent: a segment of another type (0x0c) in a string"},
		{"no signers", func(m *message, _ *signer) { m.signers = []byte{} }, "signerInfos is missing"},
		{"signers that are none", func(m *message, _ *signer) { m.signers = set(null) }, "a SignerInfo expected, identifier byte 0x05 found"},
		{"too many signers", func(m *message, s *signer) { m.signers = set(repeat(s.der(), cms.MaxSigners+1)) }, "more than 16 signers"},
		{"something after the signers", func(m *message, s *signer) { m.signers = append(set(s.der()), 5, 0) }, "trailing bytes after the signers"},
		{"certificates after CRLs", func(m *message, _ *signer) { m.crls, m.certificates = m.certificates, context(1) }, "signerInfos expected, identifier byte 0xa0 found"},

		{"a signer without version", func(_ *message, s *signer) { s.version = nil }, "signer 1: a version expected"},
		{"a signer without identifier", func(_ *message, s *signer) { s.sid = nil }, "signer 1: the signer's issuer expected"},
		{"an identifier without number", func(_ *message, s *signer) { s.sid = seq(seq()) }, "signer 1: the signer's serial number is missing"},
		{"an identifier and more", func(_ *message, s *signer) { s.sid = seq(seq(), []byte{2, 1, 9}, null) }, "signer 1: trailing bytes after the signer's serial number"},
		{"a key identifier of other segments", func(_ *message, s *signer) { s.sid = context(0, null) }, "signer 1: a segment of the subjectKeyIdentifier expected"},
		{"a signer without digest", func(_ *message, s *signer) { s.digest = nil }, "signer 1: digestAlgorithm expected"},
		{"an algorithm and more", func(_ *message, s *signer) { s.digest = seq(oid(t, "1.2.3"), null, null) }, "signer 1: trailing bytes after digestAlgorithm"},
		{"an attribute that is none", func(_ *message, s *signer) { s.attributes = context(0, null) }, "signer 1: an attribute expected"},
		{"an attribute without type", func(_ *message, s *signer) { s.attributes = context(0, seq(set(null))) }, "signer 1: an attribute's type expected"},
		{"an attribute without a set", func(_ *message, s *signer) { s.attributes = context(0, seq(oid(t, "1.2.3"))) }, "signer 1: an attribute's values is missing"},
		{"an attribute and more", func(_ *message, s *signer) { s.attributes = context(0, seq(oid(t, "1.2.3"), set(null), null)) }, "signer 1: trailing bytes after an attribute's values"},
		{"too many attributes", func(_ *message, s *signer) { s.attributes = context(0, repeat(attribute, 65)) }, "signer 1: more than 64 attributes"},
		{"too many values", func(_ *message, s *signer) { s.attributes = context(0, seq(oid(t, "1.2.3"), set(repeat(null, 65)))) }, "signer 1: more than 64 values in an attribute"},
		{"no signature algorithm", func(_ *message, s *signer) { s.algorithm = nil }, "signer 1: signatureAlgorithm expected"},
		{"no signature", func(_ *message, s *signer) { s.signature = nil }, "signer 1: the signature is missing"},
		{"a signature of another type", func(_ *message, s *signer) { s.signature = tlv(3, []byte{0}) }, "signer 1: the signature expected, identifier byte 0x03 found"},
		{"a signer and more", func(_ *message, s *signer) { s.unsigned = null }, "signer 1: trailing bytes after the signer"},
		{"unsigned attributes twice", func(_ *message, s *signer) { s.unsigned = append(context(1), context(1)...) }, "signer 1: trailing bytes after the signer"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m, s := newMessage(t), newSigner(t)
			m.signers = nil
			tt.change(&m, &s)
			if m.signers == nil {
				m.signers = set(s.der())
			}
			data := m.der()
			sd, err := cms.ParseSignedData(data, 0, cms.Limits{})
			if err == nil {
				t.Fatalf("%+v", sd)
			}
			if sd != nil {
				t.Error("a message beside the error")
			}
			checkSyntaxError(t, err, len(data))
			if !strings.Contains(err.Error(), tt.msg) {
				t.Errorf("%v, not %q", err, tt.msg)
			}
		})
	}
}

// Limits are the last that is allowed.
func TestMessageLimits(t *testing.T) {
	t.Parallel()
	m, s := newMessage(t), newSigner(t)
	m.digests = set(repeat(s.digest, cms.MaxAlgorithms))
	s.attributes = context(0, repeat(seq(oid(t, "1.2.3"), set(repeat([]byte{5, 0}, cms.MaxAttributes))), cms.MaxAttributes))
	m.signers = set(repeat(s.der(), cms.MaxSigners))
	m.certificates = context(0, repeat([]byte{5, 0}, 10))
	sd, err := cms.ParseSignedData(m.der(), 0, cms.Limits{MaxCertificates: 10})
	if err != nil {
		t.Fatal(err)
	}
	if len(sd.Signers) != cms.MaxSigners || len(sd.DigestAlgorithms) != cms.MaxAlgorithms || len(sd.Signers[cms.MaxSigners-1].Attributes) != cms.MaxAttributes || len(sd.Certificates) != 10 {
		t.Errorf("%d signers, %d digests, %d certificates", len(sd.Signers), len(sd.DigestAlgorithms), len(sd.Certificates))
	}
	if _, err := cms.ParseSignedData(m.der(), 0, cms.Limits{MaxCertificates: 9}); err == nil || !strings.HasPrefix(err.Error(), "more than 9 certificates at offset ") {
		t.Error(err)
	}
	m.certificates = context(0, repeat([]byte{5, 0}, cms.DefaultMaxCertificates+1))
	if _, err := cms.ParseSignedData(m.der(), 0, cms.Limits{}); err == nil || !strings.HasPrefix(err.Error(), "more than 200000 certificates at offset ") {
		t.Error(err)
	}
}

// Offsets are those of the user's file.
func TestBaseOffset(t *testing.T) {
	t.Parallel()
	data := newMessage(t).der()
	sd, err := cms.ParseSignedData(data, 1000, cms.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if at := bytes.Index(data, []byte("content")); sd.ContentOffset != 1000+at {
		t.Errorf("the content is at offset %d, not %d", sd.ContentOffset, 1000+at)
	}
	var syntax *cms.SyntaxError
	if _, err := cms.ParseSignedData(append(data, 0), 1000, cms.Limits{}); !errors.As(err, &syntax) || syntax.Offset != 1000+len(data) {
		t.Error(err)
	}
}

// A message cut short anywhere is refused, with an offset within what is left.
func TestTruncated(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"lab-core-v1.p7b", "lab-ber.p7b", "lab-outer.p7b", "lab-ski.p7b"} {
		data := tooltest.Bundle(t, name)
		for n := range data {
			if _, err := cms.ParseSignedData(data[:n], 0, cms.Limits{}); err == nil {
				t.Fatalf("%s: its first %d bytes are read", name, n)
			} else {
				checkSyntaxError(t, err, n)
			}
			if _, err := cms.ToDER(data[:n], 0); err == nil {
				t.Fatalf("%s: its first %d bytes become DER", name, n)
			}
		}
		if _, err := cms.ParseSignedData(data, 0, cms.Limits{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// BER says what its DER says.
func TestBERSaysTheSame(t *testing.T) {
	t.Parallel()
	der := pkitest.Bundle(pkitest.Lab().Signer, "Lab", "1", time.Date(2024, 1, 15, 12, 0, 0, 0, time.UTC), pkitest.CoreV1()...)
	want, err := cms.ParseSignedData(der, 0, cms.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, chunk := range []int{1, 7, 1000, 1 << 20} {
		ber := pkitest.ToBER(der, chunk)
		got, err := cms.ParseSignedData(ber, 0, cms.Limits{})
		if err != nil {
			t.Fatalf("chunks of %d: %v", chunk, err)
		}
		checkWithin(t, got, ber)
		checkSame(t, got, want)
		if back, err := cms.ToDER(ber, 0); err != nil || !bytes.Equal(back, der) {
			t.Errorf("chunks of %d: not the same DER: %v", chunk, err)
		}
	}
}

func TestCheckAttributesDER(t *testing.T) {
	t.Parallel()
	a, b := seq(oid(t, "1.2.3"), set([]byte{5, 0})), seq(oid(t, "1.2.4"), set([]byte{5, 0}))
	tests := []struct {
		name  string
		attrs []byte
		ok    bool
	}{
		{"sorted", context(0, a, b), true},
		{"twice the same", context(0, a, a), true},
		{"unsorted", context(0, b, a), false},
		{"values sorted", context(0, seq(oid(t, "1.2.3"), set([]byte{2, 1, 4}, []byte{2, 1, 5}))), true},
		{"values unsorted", context(0, seq(oid(t, "1.2.3"), set([]byte{2, 1, 5}, []byte{2, 1, 4}))), false},
		{"the shorter first", context(0, seq(oid(t, "1.2.3"), set([]byte{5, 0})), seq(oid(t, "1.2.3"), set([]byte{2, 1, 0}))), true},
		{"no value", context(0, seq(oid(t, "1.2.3"), set()), a), false},
		{"a boolean of 1", context(0, seq(oid(t, "1.2.3"), set([]byte{1, 1, 1}))), false},
		{"a boolean of 255", context(0, seq(oid(t, "1.2.3"), set([]byte{1, 1, 255}))), true},
		{"a padded integer", context(0, seq(oid(t, "1.2.3"), set([]byte{2, 2, 0, 1}))), false},
		{"a null with contents", context(0, seq(oid(t, "1.2.3"), set([]byte{5, 1, 0}))), false},
		{"a bit string with unused bits set", context(0, seq(oid(t, "1.2.3"), set([]byte{3, 2, 1, 1}))), false},
		{"an end of contents", context(0, seq(oid(t, "1.2.3"), set([]byte{0, 0}))), false},
		{"a constructed integer", context(0, seq(oid(t, "1.2.3"), set([]byte{0x22, 3, 2, 1, 1}))), false},
		{"a sequence not marked constructed", context(0, seq(oid(t, "1.2.3"), set([]byte{0x10, 0}))), false},
		{"a padded object identifier", context(0, seq(oid(t, "1.2.3"), set([]byte{6, 3, 0x2a, 0x80, 1}))), false},
		{"indefinite", unhex(t, "a080 3007 0602 2a03 3102 0500 0000"), false},
		{"a long length", unhex(t, "a081 09 3007 0602 2a03 3101 05"), false},
		{"a long length within", unhex(t, "a00b 3009 0602 2a03 3103 0581 00"), false},
		{"a value in segments", context(0, seq(oid(t, "1.2.3"), set(tlv(0x24, tlv(4, []byte{1}))))), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := cms.SignerInfo{SignedAttrs: tt.attrs}
			if err := s.CheckAttributesDER(); (err == nil) != tt.ok {
				t.Error(err)
			}
		})
	}
}

func ExampleToDER() {
	der, err := cms.ToDER([]byte{0x30, 0x80, 0x24, 0x80, 4, 1, 'a', 4, 1, 'b', 0, 0, 0, 0}, 0)
	fmt.Printf("%x %v\n", der, err)
	_, err = cms.ToDER([]byte{0x30, 0x80, 4, 5, 'a', 0, 0}, 0)
	fmt.Println(err)
	// Output:
	// 300404026162 <nil>
	// an element of 5 bytes where 3 are left: truncated or damaged at offset 2
}
