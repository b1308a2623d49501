package recipe_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/pkitest"
	"trustpool/internal/recipe"
)

var at = time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)

// The certificates of the tests, by the first word of their common names.
func pool(t testing.TB) map[string]*certificate.Certificate {
	t.Helper()
	out := map[string]*certificate.Certificate{}
	for _, der := range slices.Concat(pkitest.CoreV1(), pkitest.CoreV2(), [][]byte{pkitest.Lab().OtherRoot.DER}) {
		c := certificate.Read(der)
		word, _, _ := strings.Cut(c.Subject.CommonName(), " ")
		if word == "Lab" {
			word = strings.TrimSuffix(c.Subject.CommonName(), " Root CA")
		}
		if out[word] == nil {
			out[word] = c
		}
	}
	return out
}

// files are what the recipes of tests find; several of one name are a directory.
type files map[string][][]byte

func (f files) options() recipe.BuildOptions {
	return recipe.BuildOptions{
		Open: func(_ context.Context, name string) (out []recipe.File, err error) {
			data, ok := f[name]
			if !ok {
				return nil, fmt.Errorf("open %s: %w", name, fs.ErrNotExist)
			}
			for i, d := range data {
				file := name
				if len(data) > 1 {
					file = fmt.Sprintf("%s/%d", name, i)
				}
				out = append(out, recipe.File{Name: file, Data: d})
			}
			return out, nil
		},
		System: func(context.Context) ([]recipe.File, error) {
			return []recipe.File{{Name: "system", Data: f["system"][0]}}, nil
		},
		At: at,
	}
}

var madeFiles struct {
	sync.Once
	files
}

func testFiles(t testing.TB) files {
	t.Helper()
	madeFiles.Do(func() { madeFiles.files = makeFiles(t) })
	return maps.Clone(madeFiles.files)
}

func makeFiles(t testing.TB) files {
	t.Helper()
	p := pool(t)
	only := func(names ...string) []byte {
		var der [][]byte
		for _, n := range names {
			if p[n] == nil {
				t.Fatalf("no certificate %s", n)
			}
			der = append(der, p[n].Raw)
		}
		return pkitest.CertsOnly(der...)
	}
	return files{
		"abc":      {only("Alder", "Birch", "Cedar")},
		"cde":      {only("Cedar", "Dogwood", "Elm")},
		"gc":       {only("Gorse", "Cedar")},
		"dir":      {only("Fir"), only("Alder"), only("Fir")},
		"none":     {},
		"quirks":   {pkitest.CertsOnly(pkitest.QuirkPool()...)},
		"lab.p7b":  {pkitest.Bundle(pkitest.Lab().Signer, "Lab Core Bundle", "1", at, pkitest.CoreV1()...)},
		"root.pem": {pkitest.Lab().Root.PEM()},
		"other":    {pkitest.Lab().OtherRoot.PEM()},
		"certdata": {pkitest.Certdata(pkitest.SmallCertdata()...)},
		"pem.csv":  {pkitest.CCADBIncluded()},
		"all.csv":  {pkitest.CCADBRecords()},
		"system":   {only("Alder")},
		"sub":      {pkitest.Lab().Intermediate.DER},
		"html":     {[]byte("<html>")},
	}
}

// shorthand makes a recipe of a set over sources and more fields.
func shorthand(sources, set, more string) string {
	return head + "sources: {" + sources + "}\nset: " + set + "\noutputs: {pem: a.pem}\n" + more
}

func words(r *recipe.Selection) string {
	var out []string
	for _, e := range r.Entries {
		word, _, _ := strings.Cut(e.Certificate.Subject.CommonName(), " ")
		out = append(out, word)
	}
	return strings.Join(out, " ")
}

func drops(r *recipe.Selection) string {
	var out []string
	for _, d := range r.Dropped {
		word := "-"
		if d.Certificate.Err == nil {
			word, _, _ = strings.Cut(d.Certificate.Subject.CommonName(), " ")
		}
		out = append(out, word+" ("+d.Source+"): "+d.Reason)
	}
	return strings.Join(out, "\n")
}

func TestSelect(t *testing.T) {
	t.Parallel()
	p := pool(t)
	sum := func(name string) string { return fmt.Sprintf("%x", p[name].SHA256) }
	key := func(name string) string { return fmt.Sprintf("%x", p[name].KeyID()) }
	const abc, cde, gc = "abc: {files: abc}", "cde: {files: cde}", "gc: {files: gc}"
	certdata := "mozilla: {certdata: certdata, purpose: serverAuth}"
	dirSum := sha256.New()
	for _, data := range testFiles(t)["dir"] {
		dirSum.Write(data)
	}
	for _, tt := range []struct {
		name, recipe, want string
		drops, notes       []string // parts of them
		err                string
	}{
		{name: "one source", recipe: shorthand(abc, "abc", ""), want: "Alder Birch Cedar"},
		{name: "a directory", recipe: shorthand("d: {files: dir}", "d", ""), want: "Fir Alder"},
		{name: "several files", recipe: shorthand("d: {files: [cde, dir]}", "d", ""), want: "Cedar Dogwood Elm Fir Alder"},
		{name: "the system's", recipe: shorthand("s: {system: true}", "s", ""), want: "Alder"},
		{name: "union", recipe: shorthand(abc+", "+cde, "{union: [cde, abc]}", ""), want: "Cedar Dogwood Elm Alder Birch"},
		{name: "intersect", recipe: shorthand(abc+", "+cde+", "+gc, "{intersect: [abc, cde, gc]}", ""), want: "Cedar",
			drops: []string{"Alder (abc): not in the set", "Gorse (gc): not in the set"}},
		{name: "minus", recipe: shorthand(abc+", "+cde, "{minus: [abc, cde]}", ""), want: "Alder Birch", drops: []string{"Cedar (abc, cde): not in the set"}},
		{name: "nested", recipe: shorthand(abc+", "+cde+", "+gc, "{minus: [{union: [gc, abc]}, {intersect: [abc, cde]}]}", ""), want: "Gorse Alder Birch"},
		{name: "nothing left", recipe: shorthand(abc, "{minus: [abc, abc]}", ""), err: "no certificate is left"},

		{name: "a pin", recipe: shorthand("d: {files: cde, sha256: "+fmt.Sprintf("%x", sha256.Sum256(testFiles(t)["cde"][0]))+"}", "d", ""), want: "Cedar Dogwood Elm"},
		{name: "a pin of several files", recipe: shorthand("d: {files: dir, sha256: "+fmt.Sprintf("%x", dirSum.Sum(nil))+"}", "d", ""), want: "Fir Alder"},
		{name: "another pin", recipe: shorthand("d: {files: cde, sha256: "+hash+"}", "d", ""), err: "source d: cde: the SHA-256 is "},
		{name: "another pin of several files", recipe: shorthand("d: {files: dir, sha256: "+hash+"}", "d", ""), err: "source d: dir/0 and 2 more files together: the SHA-256 is "},
		{name: "a missing source", recipe: shorthand("d: {files: [abc, missing]}", "d", ""), err: "source d: open missing: file does not exist"},
		{name: "a pattern without match", recipe: shorthand("d: {files: [abc, none]}", "d", ""), err: "source d: none: nothing there"},
		{name: "too large", recipe: shorthand("d: {files: [abc, gc, lab.p7b]}", "d", ""), err: "source d: lab.p7b: with it the source is larger than the limit"},
		{name: "no bundle", recipe: shorthand("d: {files: html}", "d", ""), err: "source d: html: an HTML page"},

		{name: "a verified bundle", recipe: shorthand("lab: {bundle: lab.p7b, root: root.pem}", "lab", ""), want: "Birch Lab Alder Dogwood Elm Gorse Cedar Fir"},
		{name: "a bundle under Cisco's roots", recipe: shorthand("lab: {bundle: lab.p7b}", "lab", ""), err: "source lab: lab.p7b: not verified: "},
		{name: "a bundle under another root", recipe: shorthand("lab: {bundle: lab.p7b, root: other}", "lab", ""), err: "not verified: "},
		{name: "a bundle without signature", recipe: shorthand("lab: {bundle: abc}", "lab", ""), err: "not verified: "},
		{name: "a root that is missing", recipe: shorthand("lab: {bundle: lab.p7b, root: missing}", "lab", ""), err: "source lab: root: open missing"},

		{name: "order der", recipe: shorthand(abc, "abc", "bundle: {order: subject}\n"), want: "Alder Birch Cedar"},

		{name: "not yet valid", recipe: shorthand(abc, "abc", "filter: {valid-at: 1999-01-01}\n"), err: "no certificate is left"},
		{name: "key sizes", recipe: shorthand(abc, "abc", "filter: {min-rsa-bits: 3072}\n"), want: "Birch Cedar", drops: []string{"Alder (abc): a key of RSA 2048"}},
		{name: "curves", recipe: shorthand(abc, "abc", "filter: {min-ec-bits: 512}\n"), want: "Alder Birch", drops: []string{"Cedar (abc): a key of ECDSA P-"}},
		{name: "hashes", recipe: shorthand(abc, "abc", "filter: {signature-hashes: sha512}\n"), err: "no certificate is left"},

		{name: "require", recipe: shorthand(abc, "abc", "require: [{sha256: "+sum("Alder")+"}, {spki: "+key("Cedar")+"}]\n"), want: "Alder Birch Cedar"},
		{name: "require what is dropped", recipe: shorthand(abc, "abc", "filter: {min-rsa-bits: 3072}\nrequire:\n- sha256: "+sum("Alder")+"\n"),
			err: "line 7, column 3: a required certificate is not in the bundle: a key of RSA 2048"},
		{name: "require a key that is dropped", recipe: shorthand(abc, "abc", "filter: {min-rsa-bits: 3072}\nrequire: [{spki: "+key("Alder")+"}]\n"),
			err: "a required certificate is not in the bundle: a key of RSA 2048"},
		{name: "require what is nowhere", recipe: shorthand(abc, "abc", "require: [{sha256: "+sum("Elm")+"}]\n"), err: "line 5, column 11: a required certificate is not in the bundle: no source has it"},
		{name: "include", recipe: shorthand(abc+", "+cde, "{minus: [cde, abc]}", "filter: {min-rsa-bits: 3072}\ninclude: [{sha256: "+sum("Alder")+", reason: r}]\n"),
			want: "Dogwood Alder", drops: []string{"Elm (cde): a key of RSA 2048"}},
		{name: "include what is nowhere", recipe: shorthand(abc, "abc", "include: [{sha256: "+sum("Elm")+", reason: r}]\n"), err: "line 5, column 11: include: no source has this certificate"},
		{name: "exclude", recipe: shorthand(abc, "abc", "exclude: [{sha256: "+sum("Alder")+", reason: replaced}]\n"), want: "Birch Cedar", drops: []string{"Alder (abc): excluded: replaced"}},
		{name: "exclude a key until later", recipe: shorthand(abc, "abc", "exclude: [{spki: "+key("Alder")+", reason: r, until: 2025-06-02}]\n"), want: "Birch Cedar"},
		{name: "exclude until now", recipe: shorthand(abc, "abc", "exclude: [{spki: "+key("Alder")+", reason: r, until: 2025-06-01}]\n"), want: "Alder Birch Cedar",
			notes: []string{"line 5: CN=Alder Root CA,O=Alder Trust Services,C=US is no longer excluded: that ended on 2025-06-01"}},
		{name: "exclude what is nowhere", recipe: shorthand(abc, "abc", "exclude: [{sha256: "+sum("Elm")+", reason: r}]\n"), want: "Alder Birch Cedar",
			notes: []string{"line 5: the exclusion names a certificate that no source has"}},
		{name: "exclude and include", recipe: shorthand(abc, "abc", "exclude: [{sha256: "+sum("Alder")+", reason: r}]\ninclude: [{spki: "+key("Alder")+", reason: r}]\n"),
			err: "line 5, column 11: CN=Alder Root CA,O=Alder Trust Services,C=US is both excluded and included"},

		{name: "certdata", recipe: shorthand(certdata, "mozilla", ""), want: "Alder Birch Żółta Quirk Quirk",
			drops: []string{
				"- (mozilla (certdata, line ", "not readable: ",
				"Cedar (mozilla): mozilla: the root program does not trust it for serverAuth",
				"Elm (mozilla): mozilla: the root program distrusts it for serverAuth",
				"Fir (mozilla): mozilla: an unknown constraint: CKA_NSS_NAME_CONSTRAINTS",
				"Gorse (mozilla): mozilla: an unknown constraint: CKA_NSS_MOZILLA_CA_POLICY",
				"Lab (mozilla): mozilla: the root program does not say whether it is trusted for serverAuth",
			},
			notes: []string{"mozilla does not trust what CN=Birch Root CA,O=Birch Trust Services,C=US issued for serverAuth after 2024-11-30"}},
		{name: "certdata for two purposes", recipe: shorthand("m: {certdata: certdata, purpose: [codeSigning, emailProtection]}", "m", ""), want: "Alder Cedar Dogwood"},
		{name: "what a program has not given", recipe: shorthand(certdata+", "+cde, "{intersect: [cde, mozilla]}", ""), err: "no certificate is left"},
		{name: "distrusted elsewhere", recipe: shorthand(certdata+", "+cde, "{union: [cde, mozilla]}", ""),
			err: "CN=Elm Root CA,O=Elm Trust Services,C=US (SHA-256 " + sum("Elm") + ") is distrusted: mozilla distrusts it for codeSigning (by its certificate); exclude it, or name it under allow-distrusted"},
		{name: "distrusted, and included", recipe: shorthand(certdata, "mozilla", "include: [{sha256: "+sum("Elm")+", reason: r}]\n"), err: "is distrusted: mozilla"},
		{name: "distrusted, and filtered", recipe: shorthand(certdata+", "+cde, "{union: [cde, mozilla]}", "filter: {signature-hashes: sha384}\n"), want: "Dogwood",
			drops: []string{"Elm (cde, mozilla): signed with sha256WithRSAEncryption"}},
		{name: "distrusted, and excluded", recipe: shorthand(certdata+", "+cde, "{union: [cde, mozilla]}", "exclude: [{sha256: "+sum("Elm")+", reason: r}]\n"),
			want: "Cedar Dogwood Alder Birch Żółta Quirk Quirk"},
		{name: "distrusted, and named", recipe: shorthand(certdata+", "+cde, "{union: [cde, mozilla]}", "allow-distrusted: [{sha256: "+sum("Elm")+", reason: for a museum}]\n"),
			want:  "Cedar Dogwood Elm Alder Birch Żółta Quirk Quirk",
			notes: []string{"line 5: CN=Elm Root CA,O=Elm Trust Services,C=US is in the bundle although mozilla distrusts it for codeSigning (by its certificate): for a museum"}},
		{name: "named, and not distrusted", recipe: shorthand(abc, "abc", "allow-distrusted: [{sha256: "+sum("Alder")+", reason: r}]\n"), want: "Alder Birch Cedar",
			notes: []string{"line 5: nothing distrusts CN=Alder Root CA"}},
		{name: "named, and nowhere", recipe: shorthand(abc, "abc", "allow-distrusted: [{sha256: "+sum("Elm")+", reason: r}]\n"), err: "line 5, column 20: allow-distrusted: no source has this certificate"},
		{name: "distrusted by issuer and serial number", recipe: shorthand(certdata+", sub: {files: sub}", "{union: [sub, mozilla]}", ""),
			err: "is distrusted: mozilla distrusts it for codeSigning (by its issuer and serial)"},
		{name: "constrained elsewhere", recipe: shorthand(certdata+", d: {files: dir}", "{union: [d, mozilla]}", ""), want: "Fir Alder Birch Żółta Quirk Quirk",
			notes: []string{"CN=Fir Root CA,O=Fir Trust Services,C=US is in the bundle although mozilla says: an unknown constraint: CKA_NSS_NAME_CONSTRAINTS"}},

		{name: "CCADB", recipe: shorthand("c: {ccadb: pem.csv, purpose: serverAuth}", "c", ""), want: "Alder Birch",
			drops: []string{"Cedar (c): c: the root program does not say", "Fir (c): c: an unknown constraint", "Gorse (c): c: the root program does not say"},
			notes: []string{"c does not trust what CN=Birch Root CA"}},
		{name: "CCADB by fingerprint", recipe: shorthand("c: {ccadb: all.csv, purpose: serverAuth}, "+abc, "{intersect: [abc, c]}", ""), want: "Alder",
			drops: []string{"Birch (abc, c): c: the root program does not say", "Cedar (abc, c): c: the root program does not say"},
			notes: []string{"c (all.csv, line 7): "}},
		{name: "CCADB alone by fingerprint", recipe: shorthand("c: {ccadb: all.csv, purpose: serverAuth}", "c", ""), err: "no certificate is left"},
		{name: "CCADB of what is nowhere", recipe: shorthand("c: {ccadb: all.csv, purpose: serverAuth}, "+gc, "{union: [gc, c]}", ""), want: "Gorse Cedar",
			notes: []string{"c only names certificates that it trusts, and no source has them: 1"}},
		{name: "certdata that is none", recipe: shorthand("c: {certdata: abc, purpose: serverAuth}", "c", ""), err: "source c: abc: "},
		{name: "certdata in several files", recipe: shorthand("c: {certdata: dir, purpose: serverAuth}", "c", ""), err: "source c: certdata is to be one file, and is 3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, err := recipe.Parse([]byte(tt.recipe))
			if err != nil {
				t.Fatal(err)
			}
			o := testFiles(t).options()
			if tt.name == "too large" {
				o.Limits.Bytes = 5_000
			}
			result, err := r.Select(t.Context(), o)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("got the error %v; want %s", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := words(result); got != tt.want {
				t.Errorf("got %s; want %s", got, tt.want)
			}
			for _, want := range tt.drops {
				if got := drops(result); !strings.Contains(got, want) {
					t.Errorf("dropped\n%s\nlacks %s", got, want)
				}
			}
			for _, want := range tt.notes {
				if !slices.ContainsFunc(result.Notes, func(n string) bool { return strings.Contains(n, want) }) {
					t.Errorf("notes\n%s\nlack %s", strings.Join(result.Notes, "\n"), want)
				}
			}
			if tt.notes == nil && len(result.Notes) > 0 && !strings.Contains(tt.recipe, "certdata") {
				t.Errorf("notes: %s", result.Notes)
			}
		})
	}
}

// Every certificate of every source is in the bundle or among the dropped.
func TestSelectLosesNothing(t *testing.T) {
	t.Parallel()
	for _, filter := range []string{"", "ca-only: true", "valid-at: 2025-06-01", "valid-at: 2025-06-01, valid-for: 20y", "min-rsa-bits: 2048",
		"signature-hashes: [sha256, sha384, sha512]", "without-quirks: [serial-negative]"} {
		r, err := recipe.Parse([]byte(shorthand("q: {files: quirks}, a: {files: abc}", "{minus: [q, a]}", "filter: {"+filter+"}\n")))
		if err != nil {
			t.Fatal(err)
		}
		result, err := r.Select(t.Context(), testFiles(t).options())
		if err != nil {
			t.Fatal(err)
		}
		seen := map[[32]byte]bool{}
		for _, e := range result.Entries {
			seen[e.Certificate.SHA256] = true
		}
		for _, d := range result.Dropped {
			if d.Reason == "" || d.Source == "" {
				t.Errorf("%q: dropped without a word: %x", filter, d.Certificate.SHA256)
			}
			seen[d.Certificate.SHA256] = true
		}
		for _, der := range slices.Concat(pkitest.QuirkPool(), pkitest.CoreV1()[:1]) {
			if c := certificateOrNot(der); !seen[c] {
				t.Errorf("%q: lost %x", filter, c)
			}
		}
		if filter != "" && len(result.Dropped) < 2 {
			t.Errorf("%q drops nothing", filter)
		}
	}
}

// certificateOrNot is the identity of what may be no certificate, or in BER.
func certificateOrNot(der []byte) [32]byte {
	if b, err := bundle.Parse(pkitest.CertsOnly(der, pkitest.CoreV1()[0])); err == nil {
		return b.Certificates[0].SHA256
	}
	return sha256.Sum256(der)
}

// A certificate with the key of an excluded one is noted, and one with the key of
// a distrusted one is an error.
func TestSelectSameKey(t *testing.T) {
	t.Parallel()
	lab := pkitest.Lab()
	again := pkitest.RootTemplate(pkitest.NewName("CN=Again \x1b[2J"), lab.OtherRoot.Key).Sign(nil)
	f := testFiles(t)
	f["both"] = [][]byte{pkitest.CertsOnly(lab.OtherRoot.DER, again)}
	f["again"] = [][]byte{again}
	f["distrusted"] = [][]byte{pkitest.Certdata(pkitest.CertdataRoot{Label: "No", DER: lab.OtherRoot.DER, Server: pkitest.NotTrusted},
		pkitest.CertdataRoot{Label: "Yes", DER: pkitest.CoreV1()[0], Server: pkitest.TrustedDelegator})}

	r, err := recipe.Parse([]byte(shorthand("b: {files: both}", "b", fmt.Sprintf("exclude: [{sha256: %x, reason: r}]\n", sha256.Sum256(lab.OtherRoot.DER)))))
	if err != nil {
		t.Fatal(err)
	}
	result, err := r.Select(t.Context(), f.options())
	if err != nil {
		t.Fatal(err)
	}
	if len(result.Notes) != 1 || result.Notes[0] != `line 5: CN=Again \1B[2J is in the bundle and has the key of the excluded certificate: name the key (spki) to exclude both` {
		t.Errorf("notes: %q", result.Notes)
	}

	r, err = recipe.Parse([]byte(shorthand("a: {files: again}, d: {certdata: distrusted, purpose: emailProtection}", "{union: [a, d]}", "")))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Select(t.Context(), f.options()); err == nil || !strings.Contains(err.Error(), "is distrusted: d distrusts it for serverAuth (by its key)") {
		t.Errorf("got %v", err)
	}
}

// A key that is excluded or distrusted is so however it is written.
func TestSelectKeyWrittenInOtherWays(t *testing.T) {
	t.Parallel()
	same := pkitest.SameKey()
	f := testFiles(t)
	f["same"] = [][]byte{pkitest.CertsOnly(append(same, pkitest.CoreV1()[0])...)}
	for i, der := range same {
		r, err := recipe.Parse([]byte(shorthand("s: {files: same}", "s", fmt.Sprintf("exclude: [{spki: %x, reason: r}]\n", certificate.Read(der).KeyID()))))
		if err != nil {
			t.Fatal(err)
		}
		if result, err := r.Select(t.Context(), f.options()); err != nil || len(result.Entries) != 1 || len(result.Dropped) != len(same) {
			t.Errorf("the key of %d: %+v, %v", i, result, err)
		}
		f["distrusted"] = [][]byte{pkitest.Certdata(pkitest.CertdataRoot{Label: "No", DER: der, Server: pkitest.NotTrusted},
			pkitest.CertdataRoot{Label: "Yes", DER: pkitest.CoreV1()[0], Server: pkitest.TrustedDelegator})}
		for j, other := range same {
			f["one"] = [][]byte{other}
			r, err := recipe.Parse([]byte(shorthand("a: {files: one}, d: {certdata: distrusted, purpose: emailProtection}", "{union: [a, d]}", "")))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := r.Select(t.Context(), f.options()); err == nil || !strings.Contains(err.Error(), "is distrusted: d distrusts it for serverAuth (by its ") {
				t.Errorf("%d with %d distrusted: %v", j, i, err)
			}
		}
	}
}

// The sources of an entry are those that give it, and its place is in the first
// of them.
func TestSelectSources(t *testing.T) {
	t.Parallel()
	r, err := recipe.Parse([]byte(shorthand("m: {certdata: certdata, purpose: serverAuth}, d: {files: dir}", "{union: [m, d]}", "")))
	if err != nil {
		t.Fatal(err)
	}
	result, err := r.Select(t.Context(), testFiles(t).options())
	if err != nil {
		t.Fatal(err)
	}
	if got := words(result); got != "Alder Birch Żółta Quirk Quirk Fir" {
		t.Errorf("got %s", got)
	}
	if first, last := result.Entries[0].Sources, result.Entries[len(result.Entries)-1].Sources; !slices.Equal(first, []string{"m", "d"}) || !slices.Equal(last, []string{"d"}) {
		t.Errorf("sources %q, %q", first, last)
	}
}

func TestSelectOrders(t *testing.T) {
	t.Parallel()
	orders := map[string]func(a, b recipe.SelectedEntry) int{
		"der": func(a, b recipe.SelectedEntry) int { return slices.Compare(a.Certificate.Raw, b.Certificate.Raw) },
		"sha256": func(a, b recipe.SelectedEntry) int {
			return slices.Compare(a.Certificate.SHA256[:], b.Certificate.SHA256[:])
		},
		"subject": func(a, b recipe.SelectedEntry) int {
			return strings.Compare(a.Certificate.Subject.String(), b.Certificate.Subject.String())
		},
	}
	for order, compare := range orders {
		r, err := recipe.Parse([]byte(shorthand("q: {files: quirks}, a: {files: cde}", "{union: [q, a]}", "bundle: {order: "+order+"}\n")))
		if err != nil {
			t.Fatal(err)
		}
		result, err := r.Select(t.Context(), testFiles(t).options())
		if err != nil {
			t.Fatal(err)
		}
		if !slices.IsSortedFunc(result.Entries, compare) {
			t.Errorf("not in the order %s", order)
		}
	}
}

func TestSelectNeedsATime(t *testing.T) {
	t.Parallel()
	r, err := recipe.Parse([]byte(shorthand("a: {files: abc}", "a", "")))
	if err != nil {
		t.Fatal(err)
	}
	o := testFiles(t).options()
	o.At = time.Time{}
	if _, err := r.Select(t.Context(), o); err == nil {
		t.Error("built at no time")
	}
	if _, err := r.Select(t.Context(), files{}.options()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
