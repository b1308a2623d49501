package kit

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"trustpool/internal/durable"
	"trustpool/internal/pkitest"
	"trustpool/internal/report"
	"trustpool/internal/tooltest"
	"trustpool/roots"
	"trustpool/signing"
)

func TestPackTwice(t *testing.T) {
	t.Parallel()
	for _, signer := range []*signing.Identity{nil, signerOf(t, pkitest.Lab().P256Signer)} {
		first := pack(t, signer)
		if !bytes.Equal(pack(t, signer), first) {
			t.Error("packed twice, the bytes differ")
		}
		o := packOptions(t)
		o.Signer, o.At = signer, time.Date(2026, 1, 1, 0, 0, 0, 0, time.FixedZone("", 3600))
		list := items(t)
		list[0], list[1] = list[1], list[0]
		if again, err := packTo(list, o); err != nil || !bytes.Equal(again, first) {
			t.Errorf("the day, or the order of the bundles, is in the kit: %v", err)
		}
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	k, err := open(pack(t, signerOf(t, pkitest.Lab().OtherSigner)), openOptions(t))
	if err != nil {
		t.Fatal(err)
	}
	if k.Manifest.Time != "2025-01-15T12:00:00Z" || k.Manifest.TimeFrom != FromSigningTime {
		t.Errorf("the time is %s from %s", k.Manifest.Time, k.Manifest.TimeFrom)
	}
	want := "manifest.json manifest.json.p7s README.txt SHA256SUMS audit/lab_core.html audit/lab_core.txt bundles/lab-quirks.p7b bundles/lab-quirks.pem " +
		"bundles/lab_core.p7b bundles/lab_core.pem changes/lab_core.diff.json changes/lab_core.txt commands/iosxr.txt verify.sh"
	if got := strings.Join(k.paths, " "); got != want {
		t.Errorf("files: %s", got)
	}
	if !bytes.Equal(contentsOf(t, k)["bundles/lab_core.p7b"], lab(t, "lab-core-v2.p7b").Raw) {
		t.Error("the bundle is not the file")
	}
	if k.Signer != nil {
		t.Error("a signature that nobody asked about was judged")
	}
	o := openOptions(t)
	o.KitAnchors = []roots.Anchor{anchor(t, "lab-other-root.pem")}
	if k, err = open(pack(t, signerOf(t, pkitest.Lab().OtherSigner)), o); err != nil || k.Signer == nil {
		t.Errorf("under its root: %v", err)
	}

	p := packOptions(t)
	p.Epoch, p.ShowAt = time.Unix(0, 0), true
	out, err := packTo(items(t), p)
	if err != nil {
		t.Fatal(err)
	}
	if k, err = open(out, openOptions(t)); err != nil {
		t.Fatal(err)
	}
	if k.Manifest.Time != "1970-01-01T00:00:00Z" || k.Manifest.TimeFrom != FromSourceDateEpoch || *k.Manifest.Bundles[0].Verification.At != "2025-06-01T00:00:00Z" {
		t.Errorf("the manifest says %+v", k.Manifest)
	}
}

// What is not verified is not packed.
func TestPackRefused(t *testing.T) {
	t.Parallel()
	signed := func(name, version string) []byte {
		return pkitest.Bundle(pkitest.Lab().Signer, name, version, now, pkitest.CoreV1()...)
	}
	for name, c := range map[string]struct {
		items  []Item
		change func(*PackOptions)
		want   string
	}{
		"not signed":        {items: []Item{{Name: "a", Bundle: lab(t, "lab-certs-only.p7b")}}, want: "not verified: not-signed"},
		"not covered":       {items: []Item{{Name: "a", Bundle: lab(t, "lab-outer.p7b")}}, want: "not verified: pool-not-covered"},
		"other root":        {items: []Item{{Name: "a", Bundle: lab(t, "lab-p256.p7b")}}, want: "not verified: chain-no-anchor"},
		"expired":           {items: items(t), change: func(o *PackOptions) { o.At = now.AddDate(100, 0, 0) }, want: "not verified: chain-expired"},
		"old not verified":  {items: []Item{{Name: "a", Bundle: lab(t, "lab-core-v2.p7b"), Old: lab(t, "lab.pem")}}, want: "the bundle to compare it with: not verified"},
		"no signed name":    {items: []Item{{Name: "a", Bundle: parse(t, signed("", "1"))}}, want: "no name or no version"},
		"no signed version": {items: []Item{{Name: "a", Bundle: parse(t, signed("n", ""))}}, want: "no name or no version"},
		"twice":             {items: append(items(t), items(t)[0]), want: "two bundles of this name"},
		"same bundle":       {items: append(items(t), Item{Name: "other", Bundle: lab(t, "lab-core-v1.p7b")}), want: `two bundles are called "Lab Core Bundle"`},
		"other case":        {items: append(items(t), Item{Name: "LAB_CORE", Bundle: parse(t, signed("n", "1"))}), want: "is there twice"},
		"a bad name":        {items: []Item{{Name: "a/b", Bundle: lab(t, "lab-core-v1.p7b")}}, want: "characters other than"},
		"no bundle":         {want: "no bundle says when"},
		"no anchors":        {items: items(t), change: func(o *PackOptions) { o.Anchors = nil }, want: "no anchors"},
		"before 1970":       {items: items(t), change: func(o *PackOptions) { o.Epoch = time.Unix(-1, 0) }, want: "not one that a tar file can have"},
		"after 2242":        {items: items(t), change: func(o *PackOptions) { o.Epoch = time.Unix(maxTime+1, 0) }, want: "not one that a tar file can have"},
		"a bad platform":    {items: items(t), change: func(o *PackOptions) { o.Commands[0].Platform = "../x" }, want: "not the path of a file of a kit"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := packOptions(t)
			if c.change != nil {
				c.change(&o)
			}
			out, err := packTo(c.items, o)
			if err == nil || !strings.Contains(err.Error(), c.want) || out != nil {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestPrevious(t *testing.T) {
	t.Parallel()
	signed := func(version string, pool [][]byte) *Previous {
		return &Previous{"v" + version, parse(t, pkitest.Bundle(pkitest.Lab().Signer, "Lab Core Bundle", version, now, pool...))}
	}
	for name, c := range map[string]struct {
		here []*Previous
		want string // "": it is taken
	}{
		"older here":               {here: []*Previous{signed("1", pkitest.CoreV1())}},
		"leading zeroes":           {here: []*Previous{signed("0001", pkitest.CoreV1())}},
		"other name":               {here: []*Previous{{"quirks", lab(t, "lab-quirks-v1.p7b")}}},
		"the same file":            {here: []*Previous{{"same", lab(t, "lab-core-v2.p7b")}}},
		"newer here":               {here: []*Previous{signed("3", pkitest.CoreV1())}, want: "version 2 of \"Lab Core Bundle\", and v3 is version 3"},
		"newer, two digits":        {here: []*Previous{signed("10", pkitest.CoreV1())}, want: "v10 is version 10"},
		"newest of several":        {here: []*Previous{signed("1", pkitest.CoreV1()), signed("4", pkitest.CoreV1()), signed("2", pkitest.CoreV1())}, want: "v4 is version 4"},
		"same signed, other bytes": {here: []*Previous{{"ber", parse(t, pkitest.ToBER(lab(t, "lab-core-v2.p7b").Raw, 100))}}},
		"same version, other":      {here: []*Previous{signed("2", pkitest.CoreV1())}, want: "something else was signed there"},
		"no number":                {here: []*Previous{signed("two", pkitest.CoreV1())}, want: "cannot be told"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := openOptions(t)
			for _, p := range c.here {
				o.Previous = append(o.Previous, *p)
			}
			_, err := open(pack(t, nil), o)
			var r *Refusal
			if c.want == "" && err != nil || c.want != "" && (!errors.As(err, &r) || r.Reason != Older || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	o := openOptions(t)
	o.Previous = []Previous{{"lab.pem", lab(t, "lab.pem")}}
	if _, err := open(pack(t, nil), o); err == nil || errors.As(err, new(*Refusal)) {
		t.Errorf("compared with what is not verified: %v", err)
	}
}

func TestUnpack(t *testing.T) {
	t.Parallel()
	k, err := open(pack(t, nil), openOptions(t))
	if err != nil {
		t.Fatal(err)
	}
	parent := t.TempDir()
	dir := filepath.Join(parent, "kit")
	if err := k.Unpack(new(durable.Disk), dir); err != nil {
		t.Fatal(err)
	}
	n := 0
	err = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		n++
		data, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		if !bytes.Equal(data, contentsOf(t, k)[filepath.ToSlash(rel)]) {
			t.Errorf("%s is another file", rel)
		}
		return err
	})
	if err != nil || n != len(k.paths) {
		t.Errorf("%d files of %d: %v", n, len(k.paths), err)
	}
	// Nothing is overwritten: no directory, full or empty, no file, no link that leads nowhere.
	empty, file, link := filepath.Join(parent, "empty"), filepath.Join(parent, "file"), filepath.Join(parent, "link")
	if err := errors.Join(os.Mkdir(empty, 0o755), os.WriteFile(file, nil, 0o600), os.Symlink("nowhere", link)); err != nil {
		t.Fatal(err)
	}
	for _, there := range []string{dir, empty, file, link, filepath.Join(parent, "no", "parent")} {
		if err := k.Unpack(new(durable.Disk), there); err == nil {
			t.Errorf("%s was overwritten", there)
		}
	}
	// A file that cannot be written leaves nothing.
	k.paths = append(k.paths, "README.txt")
	if err := k.Unpack(new(durable.Disk), filepath.Join(parent, "broken")); err == nil {
		t.Error("one file was written twice")
	}
	names, err := filepath.Glob(filepath.Join(parent, "*"))
	hidden, err2 := filepath.Glob(filepath.Join(parent, ".*"))
	if err != nil || err2 != nil || len(names) != 4 || len(hidden) != 0 {
		t.Errorf("left over: %q %q", names, hidden)
	}
}

// A kit that changes after it was proved is not unpacked.
func TestUnpackChanged(t *testing.T) {
	t.Parallel()
	data := pack(t, nil)
	k, err := open(data, openOptions(t))
	if err != nil {
		t.Fatal(err)
	}
	data[at(t, data, readmeFile)+blockSize] ^= 1
	dir := filepath.Join(t.TempDir(), "kit")
	if err := k.Unpack(new(durable.Disk), dir); err == nil || !strings.Contains(err.Error(), "README.txt has changed since it was proved") {
		t.Errorf("%v", err)
	}
	if _, err := os.Lstat(dir); err == nil {
		t.Error("something is left")
	}
}

// README.txt is trustpool's only if nothing in it is the sender's: the version that
// changes are from is proved by nothing.
func TestReadmeVersion(t *testing.T) {
	t.Parallel()
	k, err := open(pack(t, nil), openOptions(t))
	if err != nil {
		t.Fatal(err)
	}
	c := k.Manifest.Bundles[slices.IndexFunc(k.Manifest.Bundles, func(e Entry) bool { return e.Changes != nil })].Changes
	for version, repeated := range map[string]bool{
		"1": true, "2024.1": true, "": false, "1 in changes.\n\n2. Run program/other first": false, "1\x1b[2K": false, strings.Repeat("1", maxVersion+1): false, "http://lab.example": false,
	} {
		c.Version = version
		var out strings.Builder
		if err := readme(k.Manifest, k.paths, false)(&out); err != nil {
			t.Fatal(err)
		}
		text := out.String()
		if strings.Contains(text, "changes since version "+version+" in "+c.Text) != repeated || strings.Contains(text, "changes since the bundle that it was compared with in "+c.Text) == repeated {
			t.Errorf("%q:\n%s", version, text)
		}
	}
}

// A program goes with a kit, to be run; there is one at most.
func TestProgram(t *testing.T) {
	t.Parallel()
	o := packOptions(t)
	o.Program = &Program{"trustpool.exe", []byte("MZ program\n")}
	out, err := packTo(items(t), o)
	if err != nil {
		t.Fatal(err)
	}
	k, err := open(out, openOptions(t))
	if err != nil {
		t.Fatal(err)
	}
	if f := k.program(); f == nil || f.Path != "program/trustpool.exe" || f.SHA256 != sumsOf("", o.Program.Data).SHA256 {
		t.Errorf("the manifest says %+v", f)
	}
	if !bytes.Contains(contentsOf(t, k)[readmeFile], []byte("program/trustpool.exe is a program that the sender put into this kit.")) || k.Readme() != FromThis {
		t.Errorf("the README does not say what the program is:\n%s", contentsOf(t, k)[readmeFile])
	}
	dir := filepath.Join(t.TempDir(), "kit")
	if err := k.Unpack(new(durable.Disk), dir); err != nil {
		t.Fatal(err)
	}
	for file, runs := range map[string]bool{"program/trustpool.exe": true, scriptFile: false, readmeFile: false} {
		if fi, err := os.Stat(filepath.Join(dir, file)); err != nil || fi.Mode()&0o100 != 0 != runs {
			t.Errorf("%s: %v, %v", file, fi.Mode(), err)
		}
	}
	for _, name := range []string{"", "../x", "a/b", "con"} {
		o.Program.Name = name
		if _, err := packTo(items(t), o); err == nil {
			t.Errorf("a program called %q was packed", name)
		}
	}
	f := newForge(t, out)
	f.add("program/second")
	if _, err := open(f.tar(t), openOptions(t)); err == nil || !strings.Contains(err.Error(), "second program") {
		t.Errorf("two programs: %v", err)
	}
}

// The first line of a report says whether the files that every kit has are as
// trustpool writes them, and what was proved.
func TestHeadline(t *testing.T) {
	t.Parallel()
	good, signed := pack(t, nil), pack(t, signerOf(t, pkitest.Lab().OtherSigner))
	change := func(path string) func(*forge) { return func(f *forge) { f.put(path, []byte("run evil.sh\n")) } }
	o := openOptions(t)
	withRoot := o
	withRoot.KitAnchors = []roots.Anchor{anchor(t, "lab-other-root.pem")}
	for name, c := range map[string]struct {
		kit    []byte
		change func(*forge)
		o      OpenOptions
		want   string
	}{
		"unsigned":            {kit: good, o: o, want: "bundles proved, other files not"},
		"signature not asked": {kit: signed, o: o, want: "bundles proved, other files not"},
		"signed":              {kit: signed, o: withRoot, want: "proved"},
		"another script":      {kit: good, o: o, change: change(scriptFile), want: "bundles proved, other files not; not as trustpool writes it: verify.sh"},
		"another README":      {kit: good, o: o, change: change(readmeFile), want: "bundles proved, other files not; not as trustpool writes it: README.txt"},
		"both": {kit: good, o: o, change: func(f *forge) { change(scriptFile)(f); change(readmeFile)(f) },
			want: "bundles proved, other files not; not as trustpool writes it: verify.sh, README.txt"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := c.kit
			if c.change != nil {
				f := newForge(t, data)
				c.change(f)
				data = f.tar(t)
			}
			k, err := open(data, c.o)
			if err != nil {
				t.Fatal(err)
			}
			var text bytes.Buffer
			r := NewReport(k, k.SHA256, nil, nil)
			if err := r.WriteText(&text); err != nil {
				t.Fatal(err)
			}
			if first, _, _ := strings.Cut(text.String(), "\n"); first != c.want {
				t.Errorf("%q, want %q", first, c.want)
			}
		})
	}
}

// Scripts of earlier versions are known by their hash.
func TestEarlierScript(t *testing.T) {
	t.Parallel()
	for _, sum := range earlierScripts {
		if !report.IsHex(sum, 32) {
			t.Errorf("%q is no SHA-256", sum)
		}
	}
	k, err := open(pack(t, nil), openOptions(t))
	if err != nil {
		t.Fatal(err)
	}
	for i := range k.Manifest.Files {
		if f := &k.Manifest.Files[i]; f.Path == scriptFile {
			f.SHA256 = earlierScripts[0]
		}
	}
	r := NewReport(k, k.SHA256, nil, nil)
	var text bytes.Buffer
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(text.String(), "bundles proved, other files not\n") || !strings.Contains(text.String(), "\n  script   verify.sh of an earlier version\n") {
		t.Errorf("%s", text.String())
	}
}

// Other programs read a kit.
func TestTools(t *testing.T) {
	t.Parallel()
	tooltest.Need(t, "tar", "sha256sum", "openssl")
	dir := t.TempDir()
	file := filepath.Join(dir, "kit.tar")
	if err := os.WriteFile(file, pack(t, signerOf(t, pkitest.Lab().OtherSigner)), 0o600); err != nil {
		t.Fatal(err)
	}
	list := string(tooltest.Run(t, nil, "tar", "--utc", "-tvf", file))
	if strings.Count(list, "\n") != 14 || strings.Count(list, "-rw-r--r-- 0/0 ") != 14 || strings.Count(list, " 2025-01-15 12:00 ") != 14 {
		t.Errorf("tar lists\n%s", list)
	}
	tooltest.Run(t, nil, "tar", "-xf", file, "-C", dir)
	if out := string(tooltest.Run(t, nil, "sh", "-c", "cd "+dir+" && sha256sum -c --strict SHA256SUMS")); strings.Count(out, ": OK\n") != 11 {
		t.Errorf("sha256sum says\n%s", out)
	}
	tooltest.Run(t, nil, "openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", filepath.Join(dir, "manifest.json.p7s"),
		"-content", filepath.Join(dir, "manifest.json"), "-purpose", "any", "-no_check_time", "-CAfile", "../../testdata/bundles/lab-other-root.pem", "-out", os.DevNull)
}
