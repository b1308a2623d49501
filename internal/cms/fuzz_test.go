package cms_test

import (
	"bytes"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"unsafe"

	"trustpool/internal/cms"
)

// seeds gives every message below testdata, and what the tables of these tests
// are made of.
func seeds(f *testing.F, add func(data []byte)) {
	f.Helper()
	for _, pattern := range []string{"bundles/*.p7b", "bundles/*.der", "vectors/*.txt"} {
		paths, err := filepath.Glob(filepath.Join("..", "..", "testdata", pattern))
		if err != nil || len(paths) == 0 {
			f.Fatalf("%s: %d files, %v", pattern, len(paths), err)
		}
		for _, path := range paths {
			data, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			if block, _ := pem.Decode(data); block != nil {
				data = block.Bytes
			}
			add(data)
		}
	}
	for _, tt := range transcoded {
		add(unhex(f, tt.in))
	}
	for _, s := range malformed {
		add(unhex(f, s.in))
	}
}

// within reports whether part is a piece of the memory of whole.
func within(part, whole []byte) bool {
	if len(part) == 0 {
		return true
	}
	first := uintptr(unsafe.Pointer(unsafe.SliceData(whole)))
	at := uintptr(unsafe.Pointer(unsafe.SliceData(part)))
	return at >= first && at+uintptr(len(part)) <= first+uintptr(len(whole))
}

func FuzzParseSignedData(f *testing.F) {
	seeds(f, func(data []byte) { f.Add(data) })
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		sd, err := cms.ParseSignedData(data, 0, cms.Limits{})
		if !bytes.Equal(before, data) {
			t.Fatal("the input was changed")
		}
		if err != nil {
			checkSyntaxError(t, err, len(data))
			return
		}
		checkWithin(t, sd, data)
		for i := range sd.Signers {
			s := &sd.Signers[i]
			if s.SignedAttrs == nil {
				continue
			}
			signed := s.SignedBytes()
			if signed[0] != 0x31 || !bytes.Equal(signed[1:], s.SignedAttrs[1:]) {
				t.Errorf("signer %d: the signed bytes are not the attributes as a SET", i+1)
			}
			if s.CheckAttributesDER() == nil {
				if der, err := cms.ToDER(s.SignedAttrs, 0); err != nil || !bytes.Equal(der, s.SignedAttrs) {
					t.Errorf("signer %d: attributes that are DER are changed by ToDER: %v", i+1, err)
				}
			}
		}
		der, err := cms.ToDER(data, 0)
		if err != nil {
			return // what is left unread, such as CRLs, may be anything at all
		}
		again, err := cms.ParseSignedData(der, 0, cms.Limits{})
		if err != nil {
			t.Fatalf("read, and not as DER: %v", err)
		}
		checkSame(t, sd, again)
	})
}

// checkSyntaxError says whether an error tells where in n bytes the fault is.
func checkSyntaxError(t *testing.T, err error, n int) {
	t.Helper()
	var syntax *cms.SyntaxError
	if !errors.As(err, &syntax) {
		t.Fatalf("no *SyntaxError: %v", err)
	}
	if syntax.Offset < 0 || syntax.Offset > n {
		t.Fatalf("%v: the input has %d bytes", err, n)
	}
}

// checkWithin says whether what was left unread lies where it is said to.
func checkWithin(t *testing.T, sd *cms.SignedData, data []byte) {
	t.Helper()
	for i, c := range sd.Certificates {
		if !within(c, data) {
			t.Errorf("certificate %d is not in the input", i+1)
		}
	}
	for i, s := range sd.Signers {
		parts := [][]byte{s.SignedAttrs, s.Serial, s.DigestAlgorithm.Parameters, s.SignatureAlgorithm.Parameters}
		for _, a := range s.Attributes {
			parts = append(parts, a.Values...)
		}
		for _, part := range parts {
			if !within(part, data) {
				t.Errorf("signer %d: %x is not of the input", i+1, part)
			}
		}
	}
	if sd.ContentOffset > len(data) || len(sd.Content) > len(data) {
		t.Errorf("%d bytes of content at offset %d of %d", len(sd.Content), sd.ContentOffset, len(data))
	}
	if within(sd.Content, data) && !bytes.HasPrefix(data[sd.ContentOffset:], sd.Content) {
		t.Errorf("the content is not at its offset %d", sd.ContentOffset)
	}
}

// checkSame compares what a message says with what its DER says.
func checkSame(t *testing.T, a, b *cms.SignedData) {
	t.Helper()
	same := func(what string, ok bool) {
		t.Helper()
		if !ok {
			t.Errorf("%s differs in the DER of the message", what)
		}
	}
	same("the version", a.Version == b.Version)
	same("the content type", a.ContentType == b.ContentType)
	if a.ContentType == cms.OIDData {
		same("the content", bytes.Equal(a.Content, b.Content))
	}
	same("the presence of content", (a.Content == nil) == (b.Content == nil))
	same("the number of digest algorithms", len(a.DigestAlgorithms) == len(b.DigestAlgorithms))
	for i := range min(len(a.DigestAlgorithms), len(b.DigestAlgorithms)) {
		same("a digest algorithm", a.DigestAlgorithms[i].OID == b.DigestAlgorithms[i].OID)
	}
	same("the number of certificates", len(a.Certificates) == len(b.Certificates))
	for i := range min(len(a.Certificates), len(b.Certificates)) {
		der, err := cms.ToDER(a.Certificates[i], 0)
		same("a certificate", err == nil && bytes.Equal(der, b.Certificates[i]))
	}
	same("the number of signers", len(a.Signers) == len(b.Signers))
	for i := range min(len(a.Signers), len(b.Signers)) {
		s, u := a.Signers[i], b.Signers[i]
		same("a signer", s.Version == u.Version && bytes.Equal(s.Issuer, u.Issuer) && bytes.Equal(s.Serial, u.Serial) &&
			s.DigestAlgorithm.OID == u.DigestAlgorithm.OID && s.SignatureAlgorithm.OID == u.SignatureAlgorithm.OID &&
			bytes.Equal(s.Signature, u.Signature) && (s.SignedAttrs == nil) == (u.SignedAttrs == nil))
		same("a signer's key identifier", bytes.Equal(s.SubjectKeyID, u.SubjectKeyID))
		same("the number of attributes", len(s.Attributes) == len(u.Attributes))
		for j := range min(len(s.Attributes), len(u.Attributes)) {
			same("an attribute", s.Attributes[j].Type == u.Attributes[j].Type && len(s.Attributes[j].Values) == len(u.Attributes[j].Values))
		}
	}
}

func FuzzToDER(f *testing.F) {
	seeds(f, func(data []byte) { f.Add(data, 0) })
	f.Add(unhex(f, "3080 3080 0201 01 0000 0000"), 2)
	f.Fuzz(func(t *testing.T, data []byte, depth int) {
		depth = min(depth, 1000)
		before := bytes.Clone(data)
		der, err := cms.ToDER(data, depth)
		if !bytes.Equal(before, data) {
			t.Fatal("the input was changed")
		}
		if err != nil {
			checkSyntaxError(t, err, len(data))
			if cms.CheckDER(data, depth) == nil && cms.CheckOne(data) == nil {
				t.Fatalf("one element in DER is refused: %v", err)
			}
			return
		}
		// A definite length takes more bytes than an indefinite one with its end
		// from 65,536 bytes on: at most two for each, of which at most the depth
		// nest.
		if most := len(data) + 2*max(depth, cms.DefaultMaxDepth)*(len(data)>>16); len(der) > most {
			t.Fatalf("%d bytes became %d", len(data), len(der))
		}
		if err := cms.CheckDER(der, depth); err != nil {
			t.Fatalf("the result is not DER: %v", err)
		}
		again, err := cms.ToDER(der, depth)
		if err != nil || !bytes.Equal(again, der) {
			t.Fatalf("the result is changed again: %v", err)
		}
		if cms.CheckDER(data, depth) == nil && !bytes.Equal(der, data) {
			t.Fatal("DER is changed")
		}
		first, rest, err := cms.First(data)
		if err != nil || len(rest) > 0 || !bytes.Equal(first, data) {
			t.Fatalf("not one element: %d bytes follow, %v", len(rest), err)
		}
	})
}

func FuzzCheckSetOrder(f *testing.F) {
	seeds(f, func(data []byte) {
		for !f.Failed() && len(data) > 2 && data[0]&0x20 != 0 {
			children, err := cms.Children(data, 1000)
			if err != nil || len(children) == 0 {
				break
			}
			f.Add(bytes.Join(children, nil))
			data = children[len(children)-1]
		}
	})
	f.Fuzz(func(t *testing.T, body []byte) {
		err := cms.CheckSetOrder(body)
		if err != nil {
			checkSyntaxError(t, err, len(body))
		}
		var elements [][]byte
		for rest := body; len(rest) > 0; {
			var first []byte
			var bad error
			if first, rest, bad = cms.First(rest); bad != nil {
				if err == nil {
					t.Fatalf("in order, and not elements: %v", bad)
				}
				return
			}
			elements = append(elements, first)
		}
		size := 0
		for _, e := range elements {
			size = max(size, len(e))
		}
		if size*len(elements) > 1<<20 {
			return
		}
		sorted := true
		for i := 1; i < len(elements); i++ {
			a, b := make([]byte, size), make([]byte, size)
			copy(a, elements[i-1])
			copy(b, elements[i])
			sorted = sorted && bytes.Compare(a, b) <= 0
		}
		if sorted != (err == nil) {
			t.Fatalf("sorted as padded byte strings: %t; %v", sorted, err)
		}
	})
}

func FuzzOIDString(f *testing.F) {
	for _, tt := range oids {
		f.Add(unhex(f, tt.in))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		s, ok := cms.OIDString(body)
		if ok != (s != "") {
			t.Fatalf("%q, %t", s, ok)
		}
		if !ok {
			return
		}
		for _, c := range s {
			if c != '.' && (c < '0' || c > '9') {
				t.Fatalf("%q", s)
			}
		}
		if der := encodeOID(t, s); !bytes.Equal(der, body) {
			t.Fatalf("%q is %x, not %x", s, der, body)
		}
	})
}
