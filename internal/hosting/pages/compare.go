package pages

import (
	"net/http"
	"net/url"
	"path"
	"strings"

	"trustpool/bundle"
	"trustpool/internal/hosting"
	"trustpool/internal/report/page"
)

func compareURL(from, to version) string {
	return pathCompare + "?" + url.Values{"from": {from.key()}, "to": {to.key()}}.Encode()
}

// A change is the difference between two versions.
type change struct {
	Alone    bool      // there is nothing to compare
	From, To []group   // what can be chosen
	Sides    []summary // the old one, and the new
	Same     bool
	Diff     *bundle.Diff
	Added    changed
	Removed  changed
	Reissued [][2]row // the old one, and the new
	Rekeyed  [][2]row
	Cut      bool // there are more than maxChanged of some
	Files    []download
	Static   bool
	Links    []page.Link // to each version's change, if Static
}

// A group is the versions of a bundle in a select.
type group struct {
	Name    string
	Choices []choice
}

type changed struct {
	Rows  []row
	Total int
}

func versionGroups(c *hosting.Catalog, chosen string) []group {
	var all []group
	for _, v := range versions(c) {
		if len(all) == 0 || all[len(all)-1].Name != v.entry.Name {
			all = append(all, group{Name: v.entry.Name})
		}
		g := &all[len(all)-1]
		label := v.entry.Name + ", " + versionName(v)
		if v.current() {
			label += ", current"
		}
		g.Choices = append(g.Choices, choice{v.key(), label, v.key() == chosen})
	}
	return all
}

// sides are the versions that the query names: if it names none, the current
// version of the first bundle that has an older one, and that.
func (q *request) sides() (from, to *version, err error) {
	names := [2]string{q.query.Get("from"), q.query.Get("to")}
	if names[0] == "" && names[1] == "" {
		for _, v := range versions(q.catalog) {
			if before := v.before(); before != nil && v.current() {
				return before, &v, nil
			}
		}
		return nil, nil, nil
	}
	var found [2]version
	for i, name := range names {
		if found[i], err = findKey(q.catalog, name); err != nil {
			return nil, nil, err
		}
	}
	return &found[0], &found[1], nil
}

func (q *request) compare(from, to version) (*bundle.Diff, error) {
	older, err := q.parsed(from)
	if err != nil {
		return nil, err
	}
	newer, err := q.parsed(to)
	if err != nil {
		return nil, err
	}
	d := bundle.Compare(older, newer)
	for v, side := range map[*version]*bundle.Side{&from: &d.Old, &to: &d.New} {
		r, err := q.open(*v)
		if err != nil {
			return nil, err
		}
		side.File, side.Signature = v.entry.FileName(), q.pages.o.Judge(r).Summary()
	}
	return d, nil
}

func (p *Pages) comparePage(q *request) (*response, error) {
	from, to, err := q.sides()
	if err != nil {
		return nil, err
	}
	c := change{Static: p.o.Static}
	for _, v := range versions(q.catalog) {
		if before := v.before(); before != nil && p.o.Static {
			c.Links = append(c.Links, page.Link{Path: compareURL(*before, v), Label: v.entry.Name + ", " + versionName(v), Current: to != nil && v == *to})
		}
	}
	title := "Changes"
	if all := versions(q.catalog); from == nil {
		c.Alone = len(all) < 2
		if !c.Alone { // two that differ, to begin with
			c.From, c.To = versionGroups(q.catalog, all[1].key()), versionGroups(q.catalog, all[0].key())
		}
	} else {
		title = "Changes from " + from.entry.Name + " " + versionName(*from) + " to " + to.entry.Name + " " + versionName(*to)
		c.From, c.To = versionGroups(q.catalog, from.key()), versionGroups(q.catalog, to.key())
		if c.Diff, err = q.compare(*from, *to); err != nil {
			return nil, err
		}
		c.Same = c.Diff.Same()
		for _, v := range []version{*from, *to} {
			about, err := q.judged(v)
			if err != nil {
				return nil, err
			}
			c.Sides = append(c.Sides, about)
		}
		c.Added, c.Removed = q.changed(*to, c.Diff.Added), q.changed(*from, c.Diff.Removed)
		c.Reissued, c.Rekeyed = q.pairs(*from, *to, c.Diff.Reissued), q.pairs(*from, *to, c.Diff.Rekeyed)
		c.Cut = max(len(c.Diff.Added), len(c.Diff.Removed), len(c.Diff.Reissued), len(c.Diff.Rekeyed)) > maxChanged
		at, query, _ := strings.Cut(compareURL(*from, *to), "?")
		at = hosting.FilesPrefix + path.Base(at)
		c.Files = []download{{at + ".txt?" + query, "text", ""}, {at + ".md?" + query, "Markdown", "for a change ticket"}, {at + ".json?" + query, "JSON", "for programs"}}
	}
	return p.render("compare", http.StatusOK, title, q.at, c)
}

func (q *request) changed(v version, entries []bundle.DiffEntry) changed {
	c := changed{Total: len(entries)}
	for _, e := range entries[:min(len(entries), maxChanged)] {
		c.Rows = append(c.Rows, q.row(v, e.Index, e.Certificate))
	}
	return c
}

func (q *request) pairs(from, to version, pairs []bundle.DiffPair) (all [][2]row) {
	for _, p := range pairs[:min(len(pairs), maxChanged)] {
		all = append(all, [2]row{q.row(from, p.Old.Index, p.Old.Certificate), q.row(to, p.New.Index, p.New.Certificate)})
	}
	return all
}
