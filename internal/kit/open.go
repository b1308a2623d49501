package kit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"

	"trustpool/bundle"
	"trustpool/roots"
	"trustpool/signing"
)

// A Refusal says why a kit is refused.
type Refusal struct {
	Reason Reason
	Err    error
}

func (r *Refusal) Error() string { return fmt.Sprintf("refused: %s: %v", r.Reason, r.Err) }
func (r *Refusal) Unwrap() error { return r.Err }

func refuse(r Reason, format string, args ...any) error {
	return &Refusal{r, fmt.Errorf(format, args...)}
}

// OpenOptions say what to trust, when, and what is here already. Anchors and At
// must be set.
type OpenOptions struct {
	Anchors []roots.Anchor // of bundles
	At      time.Time
	// KitAnchors are those of who signs kits. With any a kit must be signed under
	// one; without, its signature is not looked at.
	KitAnchors []roots.Anchor
	Previous   []Previous
}

// Previous is a bundle that is here already.
type Previous struct {
	File   string
	Bundle *bundle.Bundle
}

// A Kit is one that was proved.
type Kit struct {
	Manifest  *Manifest
	Signature []byte                // over the manifest, nil for none
	Signer    *signing.Verification // of that signature, nil if it was not looked at
	Bundles   []Bundle              // in the order of the manifest
	SHA256    [32]byte              // of the whole

	manifest []byte   // as it came
	paths    []string // in the order of the tar
	contents map[string]content
}

// A Bundle is one of a kit.
type Bundle struct {
	Entry
	Bundle       *bundle.Bundle
	Verification *signing.Verification
	// Previous is the newest bundle of that name that is here, nil for none.
	Previous *Previous
	// PreviousVersion is its version.
	PreviousVersion string
}

// Open proves a kit: its form, its sums, the signature of its manifest if
// o.KitAnchors asks for it, the signature of each bundle, and that no bundle is
// older than one of its name in o.Previous. It writes nothing. Of the files it
// keeps the bundles alone: Unpack reads the others again, and holds them to the
// manifest again.
//
// A *Refusal says why a kit is refused; another error, that o is unusable.
func Open(tar io.ReaderAt, size int64, o OpenOptions) (*Kit, error) {
	have, err := o.versions()
	if err != nil {
		return nil, err
	}
	k, err := read(tar, size)
	if err != nil {
		return nil, err
	}
	whole := sha256.New()
	if _, err := io.Copy(whole, io.NewSectionReader(tar, 0, size)); err != nil {
		return nil, err
	}
	whole.Sum(k.SHA256[:0])
	if err := k.checkSignature(o); err != nil {
		return nil, err
	}
	for _, e := range k.Manifest.Bundles {
		b, err := k.open(e, o)
		if err != nil {
			return nil, err
		}
		if err := b.compare(have[e.Name]); err != nil {
			return nil, err
		}
		k.Bundles = append(k.Bundles, *b)
	}
	return k, nil
}

// read takes a kit apart and holds every byte to the manifest.
func read(tar io.ReaderAt, size int64) (*Kit, error) {
	if size > MaxSize {
		return nil, refuse(TooLarge, "%d bytes, more than %d", size, MaxSize)
	}
	r := reader{tar: tar, size: size}
	m, raw, err := r.manifest()
	if err != nil {
		return nil, err
	}
	k := &Kit{Manifest: m, manifest: raw, paths: []string{manifestFile}, contents: map[string]content{manifestFile: held(raw)}}
	h, err := r.peek(blockSize)
	if err != nil {
		return nil, err
	}
	if len(h) == blockSize && string(bytes.TrimRight(h[:100], "\x00")) == signatureFile {
		size, ok := octal(h[124:136])
		if !ok || size > signing.MaxDetached {
			return nil, refuse(TooLarge, "a signature of %q bytes, more than %d", h[124:136], signing.MaxDetached)
		}
		file, err := r.next(signatureFile, size)
		if err != nil {
			return nil, err
		}
		if k.Signature, err = io.ReadAll(file); err != nil {
			return nil, err
		}
		k.paths, k.contents[signatureFile] = append(k.paths, signatureFile), held(k.Signature)
	}
	for _, f := range m.Files {
		file, err := r.next(f.Path, f.Size)
		if err != nil {
			return nil, err
		}
		k.paths, k.contents[f.Path] = append(k.paths, f.Path), section(file)
		got, err := newFile(f.Path, k.contents[f.Path])
		if err != nil {
			return nil, err
		}
		if got != f {
			return nil, refuse(WrongSum, "%s is not the file that the manifest lists: its SHA-256 is %s", f.Path, got.SHA256)
		}
	}
	if err := r.end(); err != nil {
		return nil, err
	}
	if !k.has(sumsFile, held(sums(m.Files))) {
		return nil, refuse(FileDiffers, "%s does not have the sums of the manifest", sumsFile)
	}
	return k, nil
}

// section is the content of a file in the tar.
func section(file *io.SectionReader) content {
	return func(w io.Writer) error {
		_, err := io.Copy(w, io.NewSectionReader(file, 0, file.Size()))
		return err
	}
}

// has reports whether a file of the kit is the given content, by the sums of the
// manifest, which its bytes have.
func (k *Kit) has(path string, data content) bool {
	got, err := newFile(path, data)
	return err == nil && slices.Contains(k.Manifest.Files, got)
}

// copy is the content of a file, which must still be the one that the manifest
// lists when it is written.
func (k *Kit) copy(path string) content {
	return func(w io.Writer) error {
		got, err := newFile(path, func(sums io.Writer) error { return k.contents[path](io.MultiWriter(sums, w)) })
		if err == nil && path != manifestFile && path != signatureFile && !slices.Contains(k.Manifest.Files, got) {
			err = fmt.Errorf("%s has changed since it was proved", path)
		}
		return err
	}
}

// A reader takes files from the front of a tar file.
type reader struct {
	tar     io.ReaderAt
	at      int64 // what was taken
	size    int64
	seconds int64 // the time of every file
}

// peek reads the next n bytes, or all that are left, without taking them.
func (r *reader) peek(n int64) ([]byte, error) {
	b := make([]byte, min(n, r.size-r.at))
	if _, err := r.tar.ReadAt(b, r.at); err != nil && !(errors.Is(err, io.EOF) && r.at+int64(len(b)) == r.size) {
		return nil, err
	}
	return b, nil
}

// manifest reads the first file, from whose header the size and the time are
// taken; all else must be as header has it.
func (r *reader) manifest() (*Manifest, []byte, error) {
	h, err := r.peek(blockSize)
	if err != nil {
		return nil, nil, err
	}
	if len(h) < blockSize {
		return nil, nil, refuse(NotAKit, "%d bytes are not a tar file", len(h))
	}
	if string(h[257:263]) != "ustar\x00" {
		return nil, nil, refuse(NotAKit, "not a tar file of the ustar format: it begins with %q", h[:16])
	}
	size, ok := octal(h[124:136])
	seconds, ok2 := octal(h[136:148])
	if r.seconds = seconds; !ok || !ok2 {
		return nil, nil, refuse(NotAKit, "the first header has the size %q and the time %q, which are not 11 octal digits", h[124:136], h[136:148])
	}
	if want := header(manifestFile, size, seconds); !bytes.Equal(h, want) {
		return nil, nil, refuse(NotAKit, "it begins with %w", differs(h, want))
	}
	if size > MaxManifest {
		return nil, nil, refuse(TooLarge, "a manifest of %d bytes, more than %d", size, MaxManifest)
	}
	file, err := r.next(manifestFile, size)
	if err != nil {
		return nil, nil, err
	}
	raw, err := io.ReadAll(file)
	if err != nil {
		return nil, nil, err
	}
	m, err := parseManifest(raw)
	if err != nil {
		return nil, nil, refuse(BadManifest, "%s: %w", manifestFile, err)
	}
	if t, _ := m.time(); t.Unix() != seconds {
		return nil, nil, refuse(TarForm, "the files have the time %d, the manifest says %s", seconds, m.Time)
	}
	return m, raw, nil
}

// next takes the file that must come next.
func (r *reader) next(path string, size int64) (*io.SectionReader, error) {
	h, err := r.peek(blockSize)
	if err != nil {
		return nil, err
	}
	if len(h) < blockSize {
		return nil, refuse(Truncated, "the kit ends before %s", path)
	}
	if want := header(path, size, r.seconds); !bytes.Equal(h, want) {
		return nil, refuse(TarForm, "in the kit is %w", differs(h, want))
	}
	r.at += blockSize
	if r.size-r.at < size+int64(padding(size)) {
		return nil, refuse(Truncated, "the kit ends within %s", path)
	}
	file := io.NewSectionReader(r.tar, r.at, size)
	r.at += size
	after, err := r.peek(int64(padding(size)))
	if err != nil {
		return nil, err
	}
	if !isZero(after) {
		return nil, refuse(TarForm, "something is in the padding after %s", path)
	}
	r.at += int64(len(after))
	return file, nil
}

// end asks for the end, and nothing after it.
func (r *reader) end() error {
	rest, err := r.peek(endSize)
	left := r.size - r.at
	switch {
	case err != nil:
		return err
	case left < endSize && isZero(rest):
		return refuse(Truncated, "the end of the tar file is missing")
	case left >= blockSize && !isZero(rest[:blockSize]):
		return refuse(TarForm, "in the kit is one file more than the manifest lists: %q", bytes.TrimRight(rest[:100], "\x00"))
	case left > endSize || !isZero(rest):
		return refuse(TrailingBytes, "%d bytes follow the last file, which end it with %d zeroes", left, endSize)
	}
	return nil
}

func isZero(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }

func (k *Kit) checkSignature(o OpenOptions) error {
	if len(o.KitAnchors) == 0 {
		return nil
	}
	if k.Signature == nil {
		return refuse(KitUnsigned, "nobody has signed the manifest, and a root of who signs kits was given")
	}
	v, err := signing.VerifyDetached(k.manifest, k.Signature, signing.VerifyOptions{Anchors: o.KitAnchors, At: o.At})
	if err != nil {
		return refuse(KitSignature, "%s: %w", signatureFile, err)
	}
	k.Signer = v
	return nil
}

// open proves one bundle, and that manifest and PEM say of it what is so.
func (k *Kit) open(e Entry, o OpenOptions) (*Bundle, error) {
	var raw bytes.Buffer
	i := slices.IndexFunc(k.Manifest.Files, func(f fileSums) bool { return f.Path == e.File })
	raw.Grow(int(k.Manifest.Files[i].Size))
	if err := k.copy(e.File)(&raw); err != nil {
		return nil, err
	}
	b, err := bundle.Parse(raw.Bytes())
	if err != nil {
		return nil, refuse(BundleUnverified, "%s: %w", e.File, err)
	}
	v, err := signing.Verify(b, signing.VerifyOptions{Anchors: o.Anchors, At: o.At})
	if r := (*signing.VerifyError)(nil); errors.As(err, &r) {
		return nil, refuse(BundleUnverified, "%s: %w", e.File, err)
	} else if err != nil {
		return nil, err
	}
	if _, wrapped := b.Unwrap(); wrapped {
		return nil, refuse(FileDiffers, "%s is text around DER, which no device is known to read, and pack writes DER", e.File)
	}
	want := newEntry(strings.TrimSuffix(strings.TrimPrefix(e.File, "bundles/"), ".p7b"), b, v)
	want.Verification.At, want.Changes = e.Verification.At, e.Changes // these two are not of the bundle
	if !reflect.DeepEqual(want, e) {
		return nil, refuse(ManifestDiffers, "%s: the manifest says otherwise of its name, version, time, number of certificates or anchor", e.File)
	}
	if !k.has(e.PEM, pemOf(b)) {
		return nil, refuse(FileDiffers, "%s does not hold the certificates of %s", e.PEM, e.File)
	}
	return &Bundle{Entry: e, Bundle: b, Verification: v}, nil
}

// versions are the newest of the bundles that are here, by their signed name.
func (o *OpenOptions) versions() (map[string]Bundle, error) {
	newest := map[string]Bundle{}
	for _, p := range o.Previous {
		v, err := signing.Verify(p.Bundle, signing.VerifyOptions{Anchors: o.Anchors, At: o.At})
		if err != nil {
			return nil, fmt.Errorf("%s, with which the kit is to be compared: %w", p.File, err)
		}
		b := Bundle{Bundle: p.Bundle, Verification: v, Previous: &p, PreviousVersion: v.Version}
		if have, ok := newest[v.Name]; ok {
			c, err := bundle.CompareVersions(have.PreviousVersion, v.Version)
			if err != nil {
				return nil, fmt.Errorf("%s and %s: %w", have.Previous.File, p.File, err)
			}
			if c >= 0 {
				continue
			}
		}
		newest[v.Name] = b
	}
	return newest, nil
}

// compare refuses a bundle that is older than the one that is here, or another of
// the same version.
func (b *Bundle) compare(here Bundle) error {
	if here.Previous == nil {
		return nil
	}
	b.Previous, b.PreviousVersion = here.Previous, here.PreviousVersion
	c, err := bundle.CompareVersions(b.Version, here.PreviousVersion)
	switch {
	case err != nil:
		return refuse(Older, "%s: %w", b.File, err)
	case c < 0:
		return refuse(Older, "%s is version %s of %q, and %s is version %s", b.File, b.Version, b.Name, here.Previous.File, here.PreviousVersion)
	case c == 0 && !sameSigned(b.Verification, here.Verification):
		return refuse(Older, "%s is version %s of %q, as is %s, and something else was signed there", b.File, b.Version, b.Name, here.Previous.File)
	}
	return nil
}

// sameSigned reports whether two bundles have a signer in common that signed the
// same: the bytes around that can be changed by anybody.
func sameSigned(a, b *signing.Verification) bool {
	return slices.ContainsFunc(a.Signers, func(s signing.Signer) bool {
		return slices.ContainsFunc(b.Signers, func(o signing.Signer) bool { return s.Signed == o.Signed })
	})
}

// An Origin says who wrote a file that every kit has.
type Origin string

// The origins.
const (
	FromThis    Origin = "current" // trustpool of this version writes it so
	FromEarlier Origin = "earlier" // an earlier version did
	FromOther   Origin = "other"   // no version that is known here
)

// Script is where verify.sh is from.
func (k *Kit) Script() Origin {
	if k.has(scriptFile, held([]byte(Script()))) {
		return FromThis
	}
	if slices.ContainsFunc(k.Manifest.Files, func(f fileSums) bool { return f.Path == scriptFile && slices.Contains(earlierScripts, f.SHA256) }) {
		return FromEarlier
	}
	return FromOther
}

// Readme is where README.txt is from. It follows from the manifest.
func (k *Kit) Readme() Origin {
	if k.has(readmeFile, readme(k.Manifest, k.paths, k.Signature != nil)) {
		return FromThis
	}
	return FromOther
}

// program is the program that goes with the kit; nil for none.
func (k *Kit) program() *fileSums {
	i := slices.IndexFunc(k.Manifest.Files, func(f fileSums) bool { return strings.HasPrefix(f.Path, programDir) })
	if i < 0 {
		return nil
	}
	return &k.Manifest.Files[i]
}

// pin is an anchor as the manifest names it.
func pin(a roots.Anchor) anchorID { return anchorID{a.Name, hex.EncodeToString(a.SHA256[:])} }
