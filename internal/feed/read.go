package feed

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"trustpool/bundle"
	"trustpool/internal/fetch/text"
	"trustpool/internal/report"
)

// A Feed is what the files beside a bundle say together. Nothing signs them: it is
// advice of whoever answers there.
type Feed struct {
	Name     string // of the bundle; empty if no file has it
	Files    []Source
	Versions []*Version   // the newest first
	Manifest *ManifestLog // nil if there is no manifest.log
	// Contradictions are where the files do not agree, Notes what else to know of them, in words.
	Contradictions, Notes []string
}

// A Source is a file that a feed was read from.
type Source struct {
	Name   string `json:"name"`
	Kind   Kind   `json:"kind"`
	Size   int    `json:"size"`
	SHA256 Sum    `json:"sha256"`
}

// A Version is what a feed says of one version of the bundle.
type Version struct {
	Version   string
	Published time.Time // zero if the feed does not say it
	Link      string
	Change    *Change // nil if the feed does not say what changed
}

// maxSaid is how many contradictions, and how many notes, are kept.
const maxSaid = 100

func say(to *[]string, format string, args ...any) {
	switch {
	case len(*to) < maxSaid:
		*to = append(*to, report.Printable(fmt.Sprintf(format, args...)))
	case len(*to) == maxSaid:
		*to = append(*to, "and more, which are not listed")
	}
}

// ErrNoFeed says that there is none of the files.
var ErrNoFeed = errors.New("none of rss.xml, diff.json and manifest.log is there")

// A File is one that is published beside a bundle. What it is, its content says.
type File struct {
	Name string `json:"name"`
	Data []byte `json:"data"`
}

// kindOf tells from a file which it is to be.
func kindOf(data []byte) (Kind, error) {
	data, err := text.Decode(data, MaxFile)
	if err != nil {
		return noneKind, err
	}
	data = bytes.TrimSpace(data)
	line, _, _ := bytes.Cut(data, []byte("\n"))
	switch what := text.Name(data); {
	case len(data) == 0:
		return noneKind, &SyntaxError{noneKind, "", "it is empty"}
	case what != "" && what != "XML":
		return noneKind, &SyntaxError{noneKind, "", what + ", not what is published beside a bundle"}
	case data[0] == '<':
		return RSS, nil
	case data[0] == '{':
		return Diff, nil
	case bytes.Contains(line, []byte(manifestVersion)):
		return Listing, nil
	}
	return noneKind, &SyntaxError{noneKind, "", "neither rss.xml, diff.json nor manifest.log"}
}

// Read reads the files of one feed, each kind at most once.
func Read(files ...File) (*Feed, error) {
	f := &Feed{}
	var rss *Channel
	var rssFile string
	var diff *Change
	for _, file := range files {
		kind, err := kindOf(file.Data)
		if err == nil {
			switch {
			case kind == RSS && rss == nil:
				rssFile = file.Name
				rss, err = ParseRSS(file.Data)
			case kind == Diff && diff == nil:
				diff, err = ParseDiff(file.Data)
			case kind == Listing && f.Manifest == nil:
				f.Manifest, err = ParseManifest(file.Data)
			default:
				err = fmt.Errorf("a second %s: a feed is of one bundle", kind)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file.Name, err)
		}
		f.Files = append(f.Files, Source{file.Name, kind, len(file.Data), sha256.Sum256(file.Data)})
	}
	if len(f.Files) == 0 {
		return nil, ErrNoFeed
	}
	if rss != nil {
		if f.Name = rss.Name(); f.Name == "" {
			say(&f.Notes, "rss.xml does not say which bundle it is about")
		}
		if err := f.addItems(rss); err != nil {
			return nil, fmt.Errorf("%s: %w", rssFile, err)
		}
		if !f.sort() {
			say(&f.Notes, "the items of rss.xml are not in the order of their versions")
		}
	}
	if m := f.Manifest; m != nil {
		if m.Name != "" && f.Name != "" && m.Name != f.Name {
			return nil, fmt.Errorf("two bundles: rss.xml is about %q, and manifest.log about %q", report.Printable(f.Name), report.Printable(m.Name))
		}
		f.Name = cmp.Or(f.Name, m.Name)
		if m.Unended {
			say(&f.Notes, "the last line of manifest.log has no end: the file may be cut short, so that it does not show what is not in the bundle")
		}
		if m.Repeated > 0 {
			say(&f.Notes, "manifest.log names certificates again: %d", m.Repeated)
		}
	}
	if diff != nil {
		f.merge(f.version(diff.Version), string(Diff), diff)
	}
	if m := f.Manifest; m != nil && m.Version != "" {
		f.version(m.Version)
	}
	f.sort()
	f.noteOrder()
	if m := f.Manifest; m != nil && m.Version != "" && len(f.Versions) > 0 && !sameVersion(m.Version, f.Versions[0].Version) {
		say(&f.Contradictions, "manifest.log is of version %s, and the newest version is %s", m.Version, f.Versions[0].Version)
	}
	w := f.walk(nil)
	f.Contradictions = append(f.Contradictions, w.contradictions...)
	return f, nil
}

// versionKey is the same for two versions that are one: numbers may have zeros before them.
func versionKey(version string) string {
	if bundle.IsNumber(version) {
		return strings.TrimLeft(version, "0")
	}
	return "=" + version
}

func sameVersion(a, b string) bool { return versionKey(a) == versionKey(b) }

// version finds a version, and makes it if there is none.
func (f *Feed) version(version string) *Version {
	if at := slices.IndexFunc(f.Versions, func(v *Version) bool { return sameVersion(v.Version, version) }); at >= 0 {
		return f.Versions[at]
	}
	v := &Version{Version: version}
	f.Versions = append(f.Versions, v)
	return v
}

func (f *Feed) addItems(rss *Channel) error {
	seen, times := map[string]*Version{}, map[string]int{} // by versionKey
	for i := range rss.Items {
		item := &rss.Items[i]
		version := item.Version()
		if c := item.Change; c != nil {
			if version != "" && !sameVersion(version, c.Version) {
				say(&f.Contradictions, "item %d of rss.xml has version %s in its title, and %s in its diff.json, which counts", i+1, version, c.Version)
			}
			version = c.Version
		}
		if item.Date != "" && item.Published.IsZero() {
			say(&f.Notes, "the date of version %s is not read: %q", version, short(item.Date))
		}
		key := versionKey(version)
		if times[key]++; times[key] > MaxSame { // each is compared with all before it
			return &SyntaxError{RSS, fmt.Sprintf("item %d", i+1), fmt.Sprintf("version %s is there more than %d times, which is the limit", short(version), MaxSame)}
		}
		v := seen[key]
		if v == nil {
			v = &Version{Version: version, Published: item.Published, Link: item.Link}
			seen[key] = v
			f.Versions = append(f.Versions, v)
		} else {
			say(&f.Notes, "version %s is there twice in rss.xml", version)
			if !v.Published.Equal(item.Published) {
				say(&f.Contradictions, "version %s has two dates in rss.xml: %s and %s", version, stampOr(v.Published), stampOr(item.Published))
			}
		}
		if item.Change != nil {
			f.merge(v, "rss.xml", item.Change)
		}
	}
	return nil
}

func stampOr(t time.Time) string {
	if t.IsZero() {
		return "none"
	}
	return report.Stamp(t)
}

// merge adds what a file says of a version to what is known of it. If both do not agree, what either
// says counts: advice errs on the side of a warning.
func (f *Feed) merge(v *Version, file string, c *Change) {
	if c.Repeated > 0 {
		say(&f.Notes, "%s names certificates of version %s again: %d", file, v.Version, c.Repeated)
	}
	known := v.Change
	if known == nil {
		v.Change = c
		return
	}
	if !sameVersion(known.Previous, c.Previous) {
		say(&f.Contradictions, "before version %s there was %s, and by %s %s", v.Version, dash(known.Previous), file, dash(c.Previous))
	}
	merged := *known
	more := c.lists()
	for i, l := range merged.lists() {
		before, after := setOf(*l.list), setOf(*more[i].list)
		for _, x := range *l.list {
			if !after[x.SHA256] {
				say(&f.Contradictions, "version %s %s %s (%x), and not by %s", v.Version, l.does, x.Label(), x.SHA256, file)
			}
		}
		list := slices.Clip(*l.list)
		for _, x := range *more[i].list {
			if !before[x.SHA256] {
				say(&f.Contradictions, "version %s %s %s (%x) by %s alone", v.Version, l.does, x.Label(), x.SHA256, file)
				list = append(list, x)
			}
		}
		*l.list = list
	}
	v.Change = &merged
}

func dash(version string) string { return cmp.Or(version, "none") }

func setOf(list []Certificate) map[[32]byte]bool {
	set := make(map[[32]byte]bool, len(list))
	for _, c := range list {
		set[c.SHA256] = true
	}
	return set
}

// sort puts the newest version first: by number if all are numbers, else by date if
// all have one, else as they are in the file. It reports whether they were in that order.
func (f *Feed) sort() bool {
	before := slices.Clone(f.Versions)
	switch f.order() {
	case byNumber:
		slices.SortStableFunc(f.Versions, func(a, b *Version) int {
			order, _ := bundle.CompareVersions(b.Version, a.Version) // numbers are compared
			return order
		})
	case byDate:
		slices.SortStableFunc(f.Versions, func(a, b *Version) int { return b.Published.Compare(a.Published) })
	}
	return slices.Equal(before, f.Versions)
}

// What the order of versions is by.
const (
	byNumber = iota
	byDate
	byFile
)

func (f *Feed) order() int {
	numbers, dates := true, true
	for _, v := range f.Versions {
		numbers = numbers && bundle.IsNumber(v.Version)
		dates = dates && !v.Published.IsZero()
	}
	switch {
	case numbers:
		return byNumber
	case dates:
		return byDate
	}
	return byFile
}

// noteOrder says what is odd about the order of the versions.
func (f *Feed) noteOrder() {
	switch f.order() {
	case byDate:
		say(&f.Notes, "not all versions are numbers: they are in the order of their dates")
	case byFile:
		say(&f.Notes, "not all versions are numbers, and not all have a date: they are in the order of the file")
	}
	var newer *Version // with a date
	for _, v := range f.Versions {
		if v.Published.IsZero() {
			continue
		}
		if newer != nil && v.Published.After(newer.Published) {
			say(&f.Notes, "version %s has a later date than version %s, which is newer", v.Version, newer.Version)
		}
		newer = v
	}
}

// Newest is the version that is newest; empty if the feed names none.
func (f *Feed) Newest() string { return f.newest().Version }

// Published is when the newest version came; zero if the feed does not say it.
func (f *Feed) Published() time.Time { return f.newest().Published }

func (f *Feed) newest() *Version {
	if len(f.Versions) == 0 {
		return &Version{}
	}
	return f.Versions[0]
}

// A Mark is a certificate that is to be removed by a later version.
type Mark struct {
	Certificate
	Since string `json:"since"` // the first of the versions that mark it without a break up to the newest
	Newly bool   `json:"newly"`
	Gap   bool   `json:"-"` // the feed lacks versions after Since, or right before it
}

// Marked are the certificates that the newest version whose change is known marks for removal, and
// that version; both are empty if there is none.
func (f *Feed) Marked() (marks []Mark, version string) {
	at := slices.IndexFunc(f.Versions, func(v *Version) bool { return v.Change != nil })
	if at < 0 {
		return nil, ""
	}
	newest := f.Versions[at].Change
	newly, open := setOf(newest.NewlyMarked), map[[32]byte]int{} // by their place in marks
	for _, c := range slices.Concat(newest.Marked, newest.NewlyMarked) {
		if _, ok := open[c.SHA256]; !ok {
			open[c.SHA256] = len(marks)
			marks = append(marks, Mark{Certificate: c, Since: newest.Version, Newly: newly[c.SHA256]})
		}
	}
	for sum := range newly { // says the newest version itself
		delete(open, sum)
	}
	previous := newest.Previous
	for _, v := range f.Versions[at+1:] {
		if v.Change == nil || !sameVersion(previous, v.Version) {
			for _, i := range open {
				marks[i].Gap = true
			}
		}
		if v.Change == nil || len(open) == 0 {
			break
		}
		marked := setOf(slices.Concat(v.Change.Marked, v.Change.NewlyMarked))
		for sum, i := range open {
			if marked[sum] {
				marks[i].Since = v.Version
			} else {
				delete(open, sum)
			}
		}
		previous = v.Change.Previous
	}
	return marks, f.Versions[at].Version
}
