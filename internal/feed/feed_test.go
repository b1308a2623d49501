package feed

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"trustpool/bundle"
	"trustpool/internal/fetch/text"
)

const lab = "../../testdata/feed/trs/"

func labFile(t testing.TB, name string) File {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(lab, name))
	if err != nil {
		t.Fatal(err)
	}
	return File{filepath.Base(name), data}
}

func labFeed(t testing.TB) *Feed {
	t.Helper()
	return mustRead(t, labFile(t, "current/lab/rss.xml"), labFile(t, "current/lab/lab.diff.json"), labFile(t, "current/lab/manifest.log"))
}

func mustRead(t testing.TB, files ...File) *Feed {
	t.Helper()
	f, err := Read(files...)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func labBundle(t testing.TB, version string) *Held {
	t.Helper()
	b, err := bundle.Parse(labFile(t, "archive/lab/"+version+"/lab.p7b").Data)
	if err != nil {
		t.Fatal(err)
	}
	return &Held{File: "lab.p7b", Name: b.Name, Version: b.Version, Certificates: b.Certificates}
}

// sum finds a certificate of the feed by its name.
func sum(t testing.TB, f *Feed, name string) [32]byte {
	t.Helper()
	for _, v := range f.Versions {
		if v.Change == nil {
			continue
		}
		for _, list := range [][]Certificate{v.Change.Added, v.Change.Removed, v.Change.Marked} {
			for _, c := range list {
				if strings.Contains(c.Name, name) {
					return c.SHA256
				}
			}
		}
	}
	for _, c := range f.Manifest.Certificates {
		if strings.Contains(c.Name, name) {
			return c.SHA256
		}
	}
	t.Fatalf("no %s", name)
	return [32]byte{}
}

// The two years of testdata/feed, from every version of the bundle.
func TestTwoYears(t *testing.T) {
	t.Parallel()
	f := labFeed(t)
	if f.Name != "Lab Core Bundle" || f.Newest() != "20250513" || len(f.Versions) != 8 || f.Contradictions != nil || f.Notes != nil {
		t.Errorf("%+v", f)
	}
	marks, by := f.Marked()
	if by != "20250513" || len(marks) != 2 || marks[0].Newly || marks[0].Since != "20250114" || !marks[1].Newly || marks[1].Since != "20250513" {
		t.Errorf("marks by %s: %+v", by, marks)
	}
	elm, birch, hazel := sum(t, f, "Elm"), sum(t, f, "Birch"), sum(t, f, "Hazel")
	for i, v := range f.Versions {
		h := labBundle(t, v.Version)
		r := f.Judge(Question{Held: h, Needed: []Needed{{SHA256: [][32]byte{elm}}, {SHA256: [][32]byte{birch}}, {SHA256: [][32]byte{hazel}}, {SHA256: [][32]byte{{1}}}, {SHA256: [][32]byte{{1}, hazel}}, {}}})
		if len(r.Newer) != i || r.HeldContradictions != nil || r.Position != map[bool]Position{true: Same, false: Behind}[i == 0] {
			t.Errorf("%s: %s %q, %q", v.Version, r.Position, r.Newer, r.HeldContradictions)
		}
		var got []State
		for _, n := range r.Needed {
			got = append(got, n.State)
		}
		want := []State{Gone, ToBeRemoved, Listed, NotListed, Listed, NotMentioned}
		if v.Version > "20240618" { // the bundle shows that Elm is not there
			want[0] = NotListed
		}
		if want[0] = Gone; got[0] != Gone && got[0] != NotListed || !slices.Equal(got[1:], want[1:]) || r.Warnings() != 3 {
			t.Errorf("%s: %q, %d warnings", v.Version, got, r.Warnings())
		}
		leaving := map[string]int{"20230615": 4, "20230920": 4, "20231212": 4, "20240312": 4, "20240618": 3, "20240917": 3, "20250114": 3, "20250513": 2}[v.Version]
		if len(r.Leaving) != leaving || len(f.Leaving(h)) != leaving {
			t.Errorf("%s: %d leave: %+v", v.Version, len(r.Leaving), r.Leaving)
		}
	}
	for version, position := range map[string]Position{"4": Behind, "20260101": Ahead, "x": NotCompare, "": NotCompare} {
		h := labBundle(t, "20240312")
		h.Version = version
		if r := f.Judge(Question{Held: h}); r.Position != position {
			t.Errorf("%q: %s", version, r.Position)
		}
	}
	h := labBundle(t, "20240312")
	h.Name = "Another Bundle"
	if r := f.Judge(Question{Held: h}); r.Position != OtherName || len(r.HeldContradictions) != 1 {
		t.Errorf("%s, %q", r.Position, r.HeldContradictions)
	}
	h = labBundle(t, "20240312") // with the version of another one
	h.Version = "20250513"
	if r := f.Judge(Question{Held: h}); len(r.HeldContradictions) < 3 {
		t.Errorf("%q", r.HeldContradictions)
	}
}

// diffOf is a diff.json with one certificate in each list, as it is spelled.
func diffOf(version, previous string, lists ...string) string {
	for len(lists) < 4 {
		lists = append(lists, "[]")
	}
	return fmt.Sprintf(`{"currentVersion":%s,"prevVersion":%s,"additions":%s,"deletions":%s,"markedForRemoval":%s,"newlyMarkedForRemoval":%s}`,
		version, previous, lists[0], lists[1], lists[2], lists[3])
}

func entry(sum, name string) string {
	text, err := json.Marshal(name)
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf(`[{"certSha256":%q,"certSubjectDn":%s}]`, sum, text)
}

func rssOf(items ...string) string {
	return `<?xml version="1.0"?><rss version="2.0"><channel><title>X Updates</title>` + strings.Join(items, "") + `</channel></rss>`
}

func itemOf(version, date, diff string) string {
	return fmt.Sprintf("<item><title>X Version %s</title><description><![CDATA[New.<br><pre>%s</pre>]]></description><pubDate>%s</pubDate></item>", version, diff, date)
}

var aa = strings.Repeat("aa", 32)

// Every spelling of a hash, a version and a date is the same.
func TestSpellings(t *testing.T) {
	t.Parallel()
	for _, s := range []string{aa, strings.ToUpper(aa), strings.TrimSuffix(strings.Repeat("AA:", 32), ":"), "SHA256:" + aa, strings.TrimSpace(strings.Repeat("aaaaaaaa ", 8))} {
		c, err := ParseDiff([]byte(diffOf(`"7"`, "6", entry(s, "n"))))
		if err != nil || c.Version != "7" || c.Previous != "6" || fmt.Sprintf("%x", c.Added[0].SHA256) != aa {
			t.Errorf("%s: %+v, %v", s, c, err)
		}
	}
	for _, line := range []string{"SHA256:" + aa + " n", "sha256: " + strings.ToUpper(aa) + " n", "SHA-256:" + strings.TrimSuffix(strings.Repeat("AA:", 32), ":") + "  n\r"} {
		m, err := ParseManifest([]byte("X bundle version: 7\r\n\n" + line + "\n"))
		if err != nil || m.Name != "X" || m.Version != "7" || fmt.Sprintf("%x", m.Certificates[0].SHA256) != aa || m.Certificates[0].Name != "n" || m.Unended {
			t.Errorf("%s: %+v, %v", line, m, err)
		}
	}
	const want = "2026-08-05 08:00:00 +0000 UTC"
	for _, date := range []string{
		"Wed, 05 Aug 2026 08:00:00 GMT", "Wed, 05 Aug 2026 10:00:00 +0200", "5 Aug 26 08:00 UT", "Wed, 5 Aug 2026 04:00:00 EDT", "Wed,  05 Aug 2026 01:00:00 PDT",
		"2026-08-05T10:00:00+02:00", "Wed, 05 Aug 2026 08:00:00 Z",
	} {
		if got := parseDate(date).String(); got != want {
			t.Errorf("%s: %s", date, got)
		}
	}
	for _, date := range []string{"", "yesterday", "Wed, 05 Aug 2026 08:00:00 CEST", "Wed, 05 Aug 2026 08:00:00 XYZ", "Wed, 45 Aug 2026 08:00:00 GMT", "Wed, 05 Aug 2026", "9999-12-31T23:59:59-23:59", "0000-01-01T00:00:00Z"} {
		if got := parseDate(date); !got.IsZero() {
			t.Errorf("%s: %s", date, got)
		}
	}
}

// What is not a feed is an error, and never half an answer.
func TestRefused(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("<a>", 1000)
	rss := string(labFile(t, "current/lab/rss.xml").Data)
	diff := string(labFile(t, "current/lab/lab.diff.json").Data)
	manifest := string(labFile(t, "current/lab/manifest.log").Data)
	for name, c := range map[string]struct{ data, want string }{
		"empty":            {" \n", "it is empty"},
		"HTML":             {"<!DOCTYPE html>\n<html><title>Log in</title></html>", "an HTML page"},
		"XHTML":            {`<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"/>`, "an HTML page"},
		"Atom":             {`<feed xmlns="http://www.w3.org/2005/Atom"/>`, "Atom"},
		"entity bomb":      {`<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><rss version="2.0"><channel><title>&b;</title></channel></rss>`, "DOCTYPE"},
		"external entity":  {`<!DOCTYPE rss SYSTEM "file:///etc/passwd"><rss/>`, "DOCTYPE"},
		"unknown entity":   {rssOf("<item><title>&nbsp; Version 1</title></item>"), "invalid character entity"},
		"deep":             {rssOf(deep), "nest more than 16 levels"},
		"deep item":        {rssOf("<item>" + deep), "nest more than 16 levels"},
		"half the RSS":     {rss[:len(rss)/2], "cut short"},
		"no end of RSS":    {strings.TrimSuffix(strings.TrimSpace(rss), "</rss>"), "cut short"},
		"two documents":    {rss + rss[strings.Index(rss, "<rss"):], "second document"},
		"text after":       {rss + "more", "text outside"},
		"two titles":       {rssOf("<item><title>X Version 1</title><title>X Version 2</title></item>"), "twice"},
		"title with more":  {rssOf("<item><title>X <b>Version</b> 1</title></item>"), "is to be text"},
		"Latin-1":          {`<?xml version="1.0" encoding="ISO-8859-1"?>` + rss[strings.Index(rss, "<rss"):], "UTF-8 and UTF-16 are read"},
		"not UTF-8":        {rssOf("<item><title>\xff Version 1</title></item>"), "invalid UTF-8"},
		"control":          {rssOf("<item><title>\x1b[2J Version 1</title></item>"), "illegal character"},
		"RSS 1.0":          {`<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>`, "RSS 2.0 is read"},
		"no channel":       {`<rss version="2.0"></rss>`, "no channel"},
		"no item":          {rssOf(), "no item"},
		"no version":       {rssOf("<item><title>News</title></item>"), "names a version"},
		"half the diff":    {diff[:len(diff)/2], "cut short"},
		"half in an item":  {rssOf(itemOf("7", "", diff[:len(diff)/2])), "not a rss.xml"},
		"second pre":       {rssOf(itemOf("7", "", diff+"</pre><pre>"+diff)), "second one"},
		"no pre":           {rssOf("<item><title>X Version 7</title><description><![CDATA[" + diff + "]]></description></item>"), "not within <pre>"},
		"more after diff":  {diff + "{}", "more after its end"},
		"list":             {"{}", "no currentVersion"},
		"doubled member":   {`{"currentVersion":"1","currentVersion":"2","prevVersion":"0","additions":[],"deletions":[],"markedForRemoval":[],"newlyMarkedForRemoval":[]}`, "twice"},
		"other letters":    {strings.Replace(diffOf("1", "0"), "deletions", "Deletions", 1), "no deletions"},
		"no marks":         {`{"currentVersion":"1","prevVersion":"0","additions":[],"deletions":[]}`, "no markedForRemoval"},
		"short hash":       {diffOf("1", "0", entry(aa[2:], "n")), "entry 1: certSha256"},
		"SHA-1":            {diffOf("1", "0", entry(aa[:40], "n")), "not a SHA-256"},
		"hash of type":     {diffOf("1", "0", `[{"certSha256":7}]`), "not a string"},
		"list of strings":  {diffOf("1", "0", `["`+aa+`"]`), "not an object"},
		"fraction":         {diffOf("1.5", "0"), "whole number"},
		"long name":        {diffOf("1", "0", entry(aa, strings.Repeat("n", MaxText+1))), "more than 4096 bytes"},
		"half the hash":    {manifest[:len("Lab Core Bundle bundle version: 20250513\n")+30], "line 2"},
		"other algorithm":  {"X bundle version: 1\nSHA1:" + aa + " n\n", "line 2"},
		"line of manifest": {"X bundle version: 1\n" + aa + " n\n", "line 2"},
		"no line feeds":    {"X bundle version: 1\rSHA256:" + aa + " n\r", "is not a version"},
		"no certificate":   {"X bundle version: 1\n", "lists no certificate"},
		"certificate":      {"-----BEGIN CERTIFICATE-----\n", "PEM"},
		"words":            {"Not found\n", "neither rss.xml"},
	} {
		f, err := Read(File{"it", []byte(c.data)})
		if err == nil || f != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, not %q", name, err, c.want)
		}
		if err != nil && (len(err.Error()) > 600 || strings.ContainsAny(err.Error(), "\x1b\n")) {
			t.Errorf("%s: an error of %d bytes: %q", name, len(err.Error()), err)
		}
	}
	if _, err := Read(); !errors.Is(err, ErrNoFeed) {
		t.Errorf("of nothing: %v", err)
	}
	if _, err := Read(File{"a", []byte(diff)}, File{"b", []byte(diff)}); err == nil || !strings.Contains(err.Error(), "a second diff.json") {
		t.Errorf("two: %v", err)
	}
	if _, err := Read(File{"a", []byte(rss)}, File{"b", []byte("Y bundle version: 1\nSHA256:" + aa + " n\n")}); err == nil || !strings.Contains(err.Error(), "two bundles") {
		t.Errorf("two bundles: %v", err)
	}
}

// Everything is bounded, in total too.
func TestLimits(t *testing.T) {
	t.Parallel()
	large := append([]byte("<rss>"), bytes.Repeat([]byte(" "), MaxFile)...)
	some := func(n int) string {
		return "[" + strings.Repeat(strings.Trim(entry(aa, ""), "[]")+",", n) + entry(aa, "")[1:]
	}
	third := itemOf("1", "", diffOf("1", "0", some(MaxCertificates/3)))
	for name, data := range map[string]string{
		"bytes":        string(large),
		"gzip":         zipped(large),
		"items":        rssOf(strings.Repeat("<item><title>X Version 1</title></item>", MaxItems+1)),
		"one version":  rssOf(strings.Repeat(itemOf("1", "", diffOf("1", "0")), MaxSame+1)),
		"certificates": diffOf("1", "0", some(MaxCertificates)),
		"in items":     rssOf(third + third + third),
		"description":  rssOf("<item><title>X Version 1</title><description>" + strings.Repeat("x", MaxDescription+1) + "</description></item>"),
		"title":        rssOf("<item><title>" + strings.Repeat("x", MaxText+1) + "</title></item>"),
		"line":         "X bundle version: 1\nSHA256:" + aa + " " + strings.Repeat("x", MaxText) + "\n",
	} {
		if _, err := Read(File{"it", []byte(data)}); err == nil {
			t.Errorf("%s: no error", name)
		} else if !strings.HasPrefix(err.Error(), "it: ") {
			t.Errorf("%s: %v does not say which file", name, err)
		} else if _, ok := errors.AsType[*text.LimitError](err); (name == "bytes" || name == "gzip") && !ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func zipped(data []byte) string {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, _ = z.Write(data)
	_ = z.Close()
	return out.String()
}

// UTF-16, gzip and both, CDATA and its escapes read the same.
func TestEncodings(t *testing.T) {
	t.Parallel()
	rss := string(labFile(t, "current/lab/rss.xml").Data)
	wide := func(s string) string {
		var out bytes.Buffer
		out.WriteString("\xff\xfe")
		for _, u := range utf16.Encode([]rune(s)) {
			out.Write([]byte{byte(u), byte(u >> 8)})
		}
		return out.String()
	}
	escaped := rss
	for {
		before, rest, ok := strings.Cut(escaped, "<![CDATA[")
		if !ok {
			break
		}
		inner, after, _ := strings.Cut(rest, "]]>")
		escaped = before + strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(inner) + after
	}
	quoted := rss
	for {
		before, rest, ok := strings.Cut(quoted, "<pre>{\n")
		if !ok {
			break
		}
		inner, after, _ := strings.Cut(rest, "</pre>")
		quoted = before + "<pre>{" + strings.NewReplacer(`"`, "&quot;", "\n", "").Replace(inner) + "</PRE>" + after
	}
	quoted = strings.ReplaceAll(quoted, "</PRE>", "</pre>")
	for name, data := range map[string]string{
		"gzip": zipped([]byte(rss)), "UTF-16": wide(strings.Replace(rss, "UTF-8", "UTF-16", 1)), "UTF-16 in gzip": zipped([]byte(wide(rss))),
		"byte order mark": "\xef\xbb\xbf" + rss, "escaped": escaped, "quotes of HTML": quoted, "CRLF": strings.ReplaceAll(rss, "\n", "\r\n"),
		"comments": strings.ReplaceAll(rss, "<item>", "<!-- one --><item><x:y xmlns:x=\"urn:x\"><title>no</title></x:y>"),
	} {
		f, err := Read(File{"rss.xml", []byte(data)})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if marks, _ := f.Marked(); len(f.Versions) != 8 || len(marks) != 2 || f.Notes != nil || f.Contradictions != nil {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

// Files that do not agree are said, and the worse counts.
func TestDisagree(t *testing.T) {
	t.Parallel()
	bb, cc := strings.Repeat("bb", 32), strings.Repeat("cc", 32)
	first := itemOf("6", "", diffOf("6", "5", entry(aa, "A")))
	for name, c := range map[string]struct {
		rss, diff, manifest string
		contradictions      []string
		notes               []string
		state               State // of A
	}{
		"removed, and listed": {rssOf(itemOf("7", "", diffOf("7", "6", "[]", entry(aa, "A"))), first), "", "X bundle version: 7\nSHA256:" + aa + " A\n", []string{"manifest.log lists A"}, nil, Gone},
		"marked by one":       {rssOf(itemOf("7", "", diffOf("7", "6")), first), diffOf("7", "6", "[]", "[]", entry(aa, "A")), "", []string{"marks A"}, nil, ToBeRemoved},
		"removed by one":      {rssOf(itemOf("7", "", diffOf("7", "6", "[]", entry(aa, "A"))), first), diffOf("7", "6"), "", []string{"removes A"}, nil, Gone},
		"other before":        {rssOf(itemOf("7", "", diffOf("7", "6")), first), diffOf("7", "5"), "", []string{"before version 7 there was 6, and by diff.json 5"}, nil, Listed},
		"removed twice":       {rssOf(itemOf("8", "", diffOf("8", "7", "[]", entry(aa, "A"))), itemOf("7", "", diffOf("7", "6", "[]", entry(aa, "A"))), first), "", "", []string{"removes A"}, nil, Gone},
		"back again":          {rssOf(itemOf("8", "", diffOf("8", "7", entry(aa, "A"))), itemOf("7", "", diffOf("7", "6", "[]", entry(aa, "A"))), first), "", "", nil, nil, Listed},
		"adds and removes":    {rssOf(itemOf("7", "", diffOf("7", "6", entry(aa, "A"), entry(aa, "A")))), "", "", []string{"adds and removes A"}, nil, Gone},
		"old manifest":        {rssOf(itemOf("7", "", diffOf("7", "6")), first), "", "X bundle version: 6\nSHA256:" + aa + " A\n", []string{"manifest.log is of version 6"}, nil, Listed},
		"not in the list":     {rssOf(itemOf("7", "", diffOf("7", "6")), first), "", "X bundle version: 7\nSHA256:" + bb + " B\n", []string{"does not list A"}, nil, NotListed},
		"half the list":       {"", "", "X bundle version: 7\nSHA256:" + bb + " B", nil, []string{"no end"}, NotMentioned},
		"order":               {rssOf(first, itemOf("7", "", diffOf("7", "6"))), "", "", nil, []string{"not in the order"}, Listed},
		"twice":               {rssOf(first, first), "", "", nil, []string{"there twice"}, Listed},
		"twice, other":        {rssOf(first, itemOf("06", "", diffOf(`"06"`, "5", entry(cc, "C")))), "", "", []string{"adds A", "adds C"}, []string{"there twice"}, Listed},
		"title":               {rssOf(itemOf("9", "", diffOf("6", "5", entry(aa, "A")))), "", "", []string{"has version 9 in its title"}, nil, Listed},
		"dates":               {rssOf(itemOf("7", "5 Aug 2026 08:00 GMT", diffOf("7", "6")), itemOf("6", "6 Aug 2026 08:00 GMT", diffOf("6", "5"))), "", "", nil, []string{"later date"}, NotMentioned},
		"date":                {rssOf(itemOf("6", "noon", diffOf("6", "5"))), "", "", nil, []string{"is not read"}, NotMentioned},
		"words for versions":  {rssOf(itemOf("b", "", diffOf(`"b"`, `"a"`)), itemOf("a", "", diffOf(`"a"`, `""`, entry(aa, "A")))), "", "", nil, []string{"order of the file"}, Listed},
	} {
		var files []File
		for name, data := range map[string]string{"rss.xml": c.rss, "x.diff.json": c.diff, "manifest.log": c.manifest} {
			if data != "" {
				files = append(files, File{name, []byte(data)})
			}
		}
		slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
		f := mustRead(t, files...)
		a, _ := parseSHA256(aa)
		r := f.Judge(Question{Needed: []Needed{{SHA256: [][32]byte{a}}}})
		contains := func(what string, said, want []string) {
			if len(said) != len(want) {
				t.Errorf("%s: %s: %q", name, what, said)
				return
			}
			for i := range want {
				if !strings.Contains(said[i], want[i]) {
					t.Errorf("%s: %s: %q", name, what, said)
				}
			}
		}
		contains("contradictions", r.Contradictions, c.contradictions)
		contains("notes", r.Notes, c.notes)
		if r.Needed[0].State != c.state {
			t.Errorf("%s: %s: %s", name, r.Needed[0].State, r.Needed[0].Why)
		}
	}
}

// A gap hides what changed, and is said.
func TestGap(t *testing.T) {
	t.Parallel()
	f := mustRead(t, File{"rss.xml", []byte(rssOf(itemOf("9", "", diffOf("9", "8")), "<item><title>X Version 7</title></item>", itemOf("6", "", diffOf("6", "5", entry(aa, "A")))))})
	r := f.Judge(Question{})
	if len(r.Gaps) != 2 {
		t.Errorf("%q", r.Gaps)
	}
}

// A certificate was marked since a version only as far as the feed has no gap there.
func TestMarkedAcrossGap(t *testing.T) {
	t.Parallel()
	marks := func(version, previous string) string {
		return itemOf(version, "", diffOf(version, previous, "[]", "[]", entry(aa, "A")))
	}
	for want, items := range map[string][]string{
		"marked for removal since version 7":                                          {marks("8", "7"), marks("7", "6"), itemOf("6", "", diffOf("6", "5"))},
		"marked for removal since version 8":                                          {marks("8", "7"), itemOf("7", "", diffOf("7", "5")), marks("4", "3")},
		"marked for removal since version 6 or another one: the feed has a gap there": {marks("8", "7"), marks("6", "5"), itemOf("5", "", diffOf("5", "4"))},
		"marked for removal since version 8 or another one: the feed has a gap there": {marks("8", "7"), itemOf("6", "", diffOf("6", "5"))},
		"marked for removal since version 9 or another one: the feed has a gap there": {marks("9", "8"), "<item><title>X Version 8</title></item>", marks("7", "6")},
		"newly marked for removal by version 8":                                       {itemOf("8", "", diffOf("8", "7", "[]", "[]", "[]", entry(aa, "A"))), marks("6", "5")},
	} {
		f := mustRead(t, File{"rss.xml", []byte(rssOf(items...))})
		a, _ := parseSHA256(aa)
		if r := f.Judge(Question{Needed: []Needed{{SHA256: [][32]byte{a}}}}); r.Needed[0].Why != want {
			t.Errorf("%q, not %q", r.Needed[0].Why, want)
		}
	}
}

// Nothing that a feed says reaches a terminal, a table or a list as anything but text.
func TestHostileText(t *testing.T) {
	t.Parallel()
	name := "\u202e</pre>\n| <b> \x1b[31m\\ `x`"
	f := mustRead(t, File{"\x1b.xml", []byte(rssOf(itemOf("7", "", diffOf(`"7"`, `"6\n"`, entry(aa, name), "[]", entry(strings.Repeat("bb", 32), name)))))})
	a, _ := parseSHA256(aa)
	r := f.Judge(Question{Needed: []Needed{{For: "\x1b", SHA256: [][32]byte{a}}}})
	for _, write := range []func(*bytes.Buffer) error{
		func(b *bytes.Buffer) error { return r.WriteText(b) }, func(b *bytes.Buffer) error { return r.WriteMarkdown(b) }, func(b *bytes.Buffer) error { return r.WriteJSON(b) },
	} {
		var out bytes.Buffer
		if err := write(&out); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(out.String(), "\x1b\u202e") || !strings.Contains(out.String(), "pre") {
			t.Errorf("%s", &out)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, name := range []string{"current/lab/rss.xml", "current/lab/lab.diff.json", "current/lab/manifest.log"} {
		f.Add(labFile(f, name).Data)
	}
	f.Add([]byte(rssOf(itemOf("1", "5 Aug 26 08:00 UT", diffOf("1", "0", entry(aa, "n"))))))
	f.Add([]byte("<!DOCTYPE x [<!ENTITY a 'b'>]><rss/>"))
	f.Fuzz(func(t *testing.T, data []byte) {
		feed, err := Read(File{"it", data})
		if err != nil {
			return
		}
		r := feed.Judge(Question{Held: &Held{File: "b", Name: feed.Name, Version: feed.Newest()}, Needed: []Needed{{SHA256: [][32]byte{{1}}}}})
		var out bytes.Buffer
		if err := errors.Join(r.WriteText(&out), r.WriteMarkdown(&out), r.WriteJSON(&out)); err != nil {
			t.Fatal(err)
		}
		if i := strings.IndexFunc(out.String(), func(r rune) bool { return r < ' ' && r != '\n' || r == '\u202e' }); i >= 0 {
			t.Errorf("%q", out.String()[i:])
		}
	})
}
