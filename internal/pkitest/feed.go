package pkitest

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A feedVersion is one version of the Lab Core Bundle of feed/trs, by what it changed.
type feedVersion struct {
	Date                                time.Time // it is the version, too
	Added, Removed, Marked, NewlyMarked []string  // trees
}

// feedVersions are two years of it, the oldest first. The pool before them is CoreV1.
func feedVersions() []feedVersion {
	return []feedVersion{
		{Date: noon(2023, 6, 15)},
		{Date: noon(2023, 9, 20), Added: []string{"Hazel"}},
		{Date: noon(2023, 12, 12), Marked: []string{"Elm"}, NewlyMarked: []string{"Elm"}},
		{Date: noon(2024, 3, 12), Added: []string{"Ivy ECC"}, Marked: []string{"Elm"}},
		{Date: noon(2024, 6, 18), Removed: []string{"Elm"}, Marked: []string{"Gorse"}, NewlyMarked: []string{"Gorse"}},
		{Date: noon(2024, 9, 17), Marked: []string{"Gorse"}},
		{Date: noon(2025, 1, 14), Added: []string{"Gorse (another key)"}, Marked: []string{"Gorse", "Birch"}, NewlyMarked: []string{"Birch"}},
		{Date: noon(2025, 5, 13), Removed: []string{"Gorse"}, Marked: []string{"Birch", "Fir"}, NewlyMarked: []string{"Fir"}},
	}
}

// firstTrees are those of CoreV1, by the tree in their names.
var firstTrees = []string{"Birch", "", "Alder", "Dogwood ECC", "Elm", "Gorse", "Cedar ECC", "Fir"}

// feedTrees are the certificates of the feed, by the tree in their names.
func feedTrees() map[string][]byte {
	trees := map[string][]byte{}
	for i, tree := range firstTrees {
		trees[tree] = CoreV1()[i]
	}
	second := CoreV2()
	trees["Ivy ECC"], trees["Gorse (another key)"], trees["Hazel"] = second[1], second[2], second[5]
	return trees
}

func treeName(tree string) string {
	if tree == "" {
		return "CN=Lab Root CA,O=Trustpool Lab"
	}
	tree, _, _ = strings.Cut(tree, " (")
	return fmt.Sprintf("CN=%s Root CA,O=%s Trust Services,C=US", tree, tree)
}

// diffJSON is the diff.json of a version.
func (v *feedVersion) diffJSON(version, previous string) string {
	list := func(trees []string) string {
		var entries []string
		for _, t := range trees {
			entries = append(entries, fmt.Sprintf("\n    {\n      \"certSha256\": \"%X\",\n      \"certSubjectDn\": %q\n    }", sha256.Sum256(feedTrees()[t]), treeName(t)))
		}
		if entries == nil {
			return "[]"
		}
		return "[" + strings.Join(entries, ",") + "\n  ]"
	}
	return fmt.Sprintf("{\n  \"currentVersion\": %q,\n  \"prevVersion\": %q,\n  \"additions\": %s,\n  \"deletions\": %s,\n  \"markedForRemoval\": %s,\n  \"newlyMarkedForRemoval\": %s\n}\n",
		version, previous, list(v.Added), list(v.Removed), list(v.Marked), list(v.NewlyMarked))
}

// feedFiles are the files of feed/trs, in the layout of Cisco's: the current version of lab.p7b with what is beside it, and
// every version in the archive.
func feedFiles() []File {
	const name, title = "lab", "Lab Core Bundle"
	pool := firstTrees
	var files []File
	var items []string
	var diff string
	var current []byte
	previous := "20230301"
	for _, v := range feedVersions() {
		version := v.Date.Format("20060102")
		pool = slices.DeleteFunc(slices.Concat(pool, v.Added), func(t string) bool { return slices.Contains(v.Removed, t) })
		var certificates [][]byte
		for _, t := range pool {
			certificates = append(certificates, feedTrees()[t])
		}
		current = Bundle(Lab().Signer, title, version, v.Date, certificates...)
		files = append(files, File{fmt.Sprintf("feed/trs/archive/%s/%s/%s.p7b", name, version, name), current})
		diff = v.diffJSON(version, previous)
		added := ""
		if n := len(v.Added); n > 0 {
			added = fmt.Sprintf("%d certs added<br>", n)
		}
		items = append(items, fmt.Sprintf(`    <item>
      <title>%s Version %s</title>
      <link>https://www.example.com/trs/archive/%s/%s</link>
      <description><![CDATA[A new version of the bundle is there.<br>%s<pre>%s</pre>]]></description>
      <pubDate>%s</pubDate>
      <guid isPermaLink="false">%x</guid>
    </item>
`, title, version, name, version, added, diff, v.Date.Format("Mon, 02 Jan 2006 15:04:05 GMT"), sha256.Sum256(current)))
		previous = version
	}
	slices.Reverse(items)
	rss := fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0">
  <channel>
    <title>%s Updates</title>
    <link>https://www.example.com/trs/current/%s</link>
    <description>Updates of the %s</description>
%s  </channel>
</rss>
`, title, name, title, strings.Join(items, ""))
	var manifest bytes.Buffer
	fmt.Fprintf(&manifest, "%s bundle version: %s\n", title, previous)
	for _, t := range pool {
		cn, _, _ := strings.Cut(strings.TrimPrefix(treeName(t), "CN="), ",")
		fmt.Fprintf(&manifest, "SHA256:%X %s\n", sha256.Sum256(feedTrees()[t]), cn)
	}
	dir := "feed/trs/current/" + name + "/"
	return append(files,
		File{dir + name + ".p7b", current},
		File{dir + "rss.xml", []byte(rss)},
		File{dir + name + ".diff.json", []byte(diff)},
		File{dir + "manifest.log", manifest.Bytes()})
}
