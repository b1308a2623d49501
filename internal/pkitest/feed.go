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
	Version                             string
	Date                                time.Time
	Added, Removed, Marked, NewlyMarked []string // trees
}

// feedVersions are two years of it, the oldest first. The pool before them is CoreV1.
func feedVersions() []feedVersion {
	version := func(year int, month time.Month, day int) feedVersion {
		date := noon(year, month, day)
		return feedVersion{Version: date.Format("20060102"), Date: date}
	}
	with := func(v feedVersion, change func(*feedVersion)) feedVersion {
		change(&v)
		return v
	}
	return []feedVersion{
		version(2023, 6, 15),
		with(version(2023, 9, 20), func(v *feedVersion) { v.Added = []string{"Hazel"} }),
		with(version(2023, 12, 12), func(v *feedVersion) { v.Marked, v.NewlyMarked = []string{"Elm"}, []string{"Elm"} }),
		with(version(2024, 3, 12), func(v *feedVersion) { v.Added, v.Marked = []string{"Ivy ECC"}, []string{"Elm"} }),
		with(version(2024, 6, 18), func(v *feedVersion) {
			v.Removed, v.Marked, v.NewlyMarked = []string{"Elm"}, []string{"Gorse"}, []string{"Gorse"}
		}),
		with(version(2024, 9, 17), func(v *feedVersion) { v.Marked = []string{"Gorse"} }),
		with(version(2025, 1, 14), func(v *feedVersion) {
			v.Added, v.Marked, v.NewlyMarked = []string{"Gorse (another key)"}, []string{"Gorse", "Birch"}, []string{"Birch"}
		}),
		with(version(2025, 5, 13), func(v *feedVersion) {
			v.Removed, v.Marked, v.NewlyMarked = []string{"Gorse"}, []string{"Birch", "Fir"}, []string{"Fir"}
		}),
	}
}

// feedTrees are the certificates of the feed, by the tree in their names.
func feedTrees() map[string][]byte {
	trees := map[string][]byte{}
	for i, tree := range []string{"Birch", "", "Alder", "Dogwood ECC", "Elm", "Gorse", "Cedar ECC", "Fir"} {
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
func (v *feedVersion) diffJSON(previous string) string {
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
		v.Version, previous, list(v.Added), list(v.Removed), list(v.Marked), list(v.NewlyMarked))
}

// feedFiles are the files of feed/trs, in the layout of Cisco's: the current version of lab.p7b with what is beside it, and
// every version in the archive.
func feedFiles() []File {
	const name, title = "lab", "Lab Core Bundle"
	pool := []string{"Birch", "", "Alder", "Dogwood ECC", "Elm", "Gorse", "Cedar ECC", "Fir"}
	var files []File
	var items []string
	var diff string
	var current []byte
	previous := "20230301"
	for _, v := range feedVersions() {
		pool = slices.DeleteFunc(slices.Concat(pool, v.Added), func(t string) bool { return slices.Contains(v.Removed, t) })
		var certificates [][]byte
		for _, t := range pool {
			certificates = append(certificates, feedTrees()[t])
		}
		current = Bundle(Lab().Signer, title, v.Version, v.Date, certificates...)
		files = append(files, File{fmt.Sprintf("feed/trs/archive/%s/%s/%s.p7b", name, v.Version, name),
			fmt.Sprintf("%s, version %s, signed %s: %s", title, v.Version, v.Date.Format(time.DateOnly), v.about()), current})
		diff = v.diffJSON(previous)
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
`, title, v.Version, name, v.Version, added, diff, v.Date.Format("Mon, 02 Jan 2006 15:04:05 GMT"), sha256.Sum256(current)))
		previous = v.Version
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
		File{dir + name + ".p7b", "the last of them", current},
		File{dir + "rss.xml", "what is published beside it: every version, with its diff.json", []byte(rss)},
		File{dir + name + ".diff.json", "the change of the last version, and what is marked for removal", []byte(diff)},
		File{dir + "manifest.log", "its certificates", manifest.Bytes()})
}

// about says what a version changed, in words.
func (v *feedVersion) about() string {
	var parts []string
	for _, l := range []struct {
		trees []string
		what  string
	}{{v.Added, "added"}, {v.Removed, "removed"}, {v.NewlyMarked, "newly marked for removal"}} {
		if len(l.trees) > 0 {
			parts = append(parts, strings.Join(l.trees, " and ")+" "+l.what)
		}
	}
	if parts == nil {
		return "nothing changed"
	}
	return strings.Join(parts, ", ")
}
