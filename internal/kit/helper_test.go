package kit

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/pkitest"
	"trustpool/internal/tooltest"
	"trustpool/roots"
	"trustpool/signing"
)

var now = time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)

func parse(t testing.TB, data []byte) *bundle.Bundle {
	t.Helper()
	b, err := bundle.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func lab(t testing.TB, file string) *bundle.Bundle {
	t.Helper()
	return parse(t, tooltest.Bundle(t, file))
}

func anchor(t testing.TB, file string) roots.Anchor {
	t.Helper()
	a, err := roots.FromCertificate(lab(t, file).Certificates[0])
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// signerOf is the identity of an authority of the test PKI.
func signerOf(t testing.TB, a *pkitest.Authority) *signing.Identity {
	t.Helper()
	var certs []*certificate.Certificate
	for _, der := range a.Chain() {
		certs = append(certs, parse(t, der).Certificates[0])
	}
	id, err := signing.NewIdentity(a.Key.Signer, certs)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func items(t testing.TB) []Item {
	t.Helper()
	return []Item{
		{Name: "lab_core", Bundle: lab(t, "lab-core-v2.p7b"), Old: lab(t, "lab-core-v1.p7b"),
			AuditHTML: held([]byte("<!DOCTYPE html>\n<title>audit</title>\n")), AuditText: held([]byte("nothing found\n"))},
		{Name: "lab-quirks", Bundle: lab(t, "lab-quirks-v1.p7b")},
	}
}

func packOptions(t testing.TB) PackOptions {
	t.Helper()
	return PackOptions{
		Anchors: []roots.Anchor{anchor(t, "lab-root.pem")}, At: now,
		Commands: []Commands{{"iosxr", []byte("crypto ca trustpool import url /tmp/lab_core.p7b\n")}},
	}
}

func pack(t testing.TB, signer *signing.Identity) []byte {
	t.Helper()
	o := packOptions(t)
	o.Signer = signer
	out, err := packTo(items(t), o)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// packTo is Pack to memory.
func packTo(items []Item, o PackOptions) ([]byte, error) {
	var out bytes.Buffer
	if err := Pack(&out, items, o); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// open is Open of bytes.
func open(data []byte, o OpenOptions) (*Kit, error) {
	return Open(bytes.NewReader(data), int64(len(data)), o)
}

// contentsOf are the bytes of a kit's files.
func contentsOf(t testing.TB, k *Kit) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for path, data := range k.contents {
		var b bytes.Buffer
		if err := data(&b); err != nil {
			t.Fatal(err)
		}
		out[path] = b.Bytes()
	}
	return out
}

// tarFile is one file of a tar.
func tarFile(path string, data []byte, seconds int64) []byte {
	var out bytes.Buffer
	if err := writeTarFile(&out, path, int64(len(data)), seconds, held(data)); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// sumsOf are the sums of bytes.
func sumsOf(path string, data []byte) fileSums {
	f, err := newFile(path, held(data))
	if err != nil {
		panic(err)
	}
	return f
}

func openOptions(t testing.TB) OpenOptions {
	t.Helper()
	return OpenOptions{Anchors: []roots.Anchor{anchor(t, "lab-root.pem")}, At: now}
}

// A forge makes kits that Pack would not.
type forge struct {
	m         Manifest
	contents  map[string][]byte
	signature []byte
	raw       func([]byte) []byte // changes the manifest's bytes
	seconds   int64
}

func newForge(t testing.TB, good []byte) *forge {
	t.Helper()
	k, err := read(bytes.NewReader(good), int64(len(good)))
	if err != nil {
		t.Fatal(err)
	}
	when, err := k.Manifest.time()
	if err != nil {
		t.Fatal(err)
	}
	m := *k.Manifest
	m.Files, m.Bundles = slices.Clone(m.Files), slices.Clone(m.Bundles)
	return &forge{m: m, contents: contentsOf(t, k), seconds: when.Unix()}
}

// put changes a file, and everything that is known of it.
func (f *forge) put(path string, data []byte) {
	f.contents[path] = data
	f.file(path, func(e *fileSums) { *e = sumsOf(path, data) })
	f.sum()
}

// sum makes the sums those of the manifest.
func (f *forge) sum() {
	f.contents[sumsFile] = sums(f.m.Files)
	f.file(sumsFile, func(e *fileSums) { *e = sumsOf(sumsFile, f.contents[sumsFile]) })
}

func (f *forge) file(path string, change func(*fileSums)) {
	for i := range f.m.Files {
		if f.m.Files[i].Path == path {
			change(&f.m.Files[i])
		}
	}
}

// add lists a file more, in its place.
func (f *forge) add(path string) {
	f.contents[path] = []byte("x\n")
	f.m.Files = append(f.m.Files, sumsOf(path, f.contents[path]))
	slices.SortStableFunc(f.m.Files, func(a, b fileSums) int { return bytes.Compare([]byte(a.Path), []byte(b.Path)) })
	f.sum()
}

func (f *forge) drop(path string) {
	f.m.Files = slices.DeleteFunc(f.m.Files, func(e fileSums) bool { return e.Path == path })
	f.sum()
}

func (f *forge) manifest(t testing.TB) []byte {
	t.Helper()
	raw, err := f.m.encode()
	if err != nil {
		t.Fatal(err)
	}
	if f.raw != nil {
		raw = f.raw(raw)
	}
	return raw
}

func (f *forge) tar(t testing.TB) []byte {
	t.Helper()
	var out bytes.Buffer
	write := func(path string, data []byte) {
		if err := writeTarFile(&out, path, int64(len(data)), f.seconds, held(data)); err != nil {
			t.Fatal(err)
		}
	}
	write(manifestFile, f.manifest(t))
	if f.signature != nil {
		write(signatureFile, f.signature)
	}
	for _, e := range f.m.Files {
		write(e.Path, f.contents[e.Path])
	}
	out.Write(make([]byte, endSize))
	return out.Bytes()
}

// at is where in a tar the header of a file is.
func at(t testing.TB, tar []byte, path string) int {
	t.Helper()
	i := bytes.Index(tar, append([]byte(path), 0))
	for i >= 0 && i%blockSize != 0 {
		next := bytes.Index(tar[i+1:], append([]byte(path), 0))
		if next < 0 {
			i = -1
			break
		}
		i += 1 + next
	}
	if i < 0 {
		t.Fatalf("no %s in the tar", path)
	}
	return i
}

// edit changes the header of a file and makes its sum right again.
func edit(t testing.TB, tar []byte, path string, change func(h []byte)) []byte {
	t.Helper()
	h := tar[at(t, tar, path):][:blockSize]
	change(h)
	resum(h)
	return tar
}

func resum(h []byte) {
	copy(h[148:156], "        ")
	sum := 0
	for _, c := range h {
		sum += int(c)
	}
	for i, shift := 0, 15; i < 6; i, shift = i+1, shift-3 {
		h[148+i] = byte('0' + sum>>shift&7)
	}
	h[154] = 0
}

func insert(tar []byte, at int, blocks ...[]byte) []byte {
	return slices.Insert(tar, at, bytes.Join(blocks, nil)...)
}
