package pages

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/report"
	"trustpool/internal/report/page"
)

// A row is a certificate in a list.
type row struct {
	Index     int    // from 1
	Page      string // empty if there is none
	Title     string
	Subject   string
	Issuer    string // empty if it is the subject
	Serial    string
	Key       string
	Signature string
	NotAfter  instant
	Soon      bool
	Quirks    []certificate.Quirk
	Mark      *mark  // nil for nothing
	Leaves    string // by the feed, why the certificate leaves the bundle; empty for nothing
	SHA256    string // the beginning
	Err       string
}

func (q *request) row(v version, index int, c *certificate.Certificate) row {
	r := row{Index: index, Page: q.pageOf(v, c.SHA256), Title: title(c), SHA256: report.ShortHash(c.SHA256[:])}
	if c.Err != nil {
		r.Err = c.Err.Error()
		return r
	}
	r.Subject, r.Serial, r.Key, r.Signature, r.Quirks = c.Subject.String(), c.Serial.String(), c.PublicKey.String(), c.SignatureAlgorithm.String(), c.Quirks
	if !c.SelfIssued() {
		r.Issuer = c.Issuer.String()
	}
	r.Mark, r.Leaves = q.pages.mark(c), v.entry.Advice.Leaves(c.SHA256)
	r.NotAfter = optional(c.NotAfter, q.at)
	r.Soon = c.NotAfter.Valid && !r.NotAfter.Past && c.NotAfter.Sub(q.at) < soon
	return r
}

// A choice is one of a select.
type choice struct {
	Value, Label string
	Chosen       bool
}

// A column is a header that sorts.
type column struct {
	Label string
	Class string
	Sort  string // aria-sort: ascending, descending or none
	Path  string
}

// A listing is a bundle's certificates, as the query asks for them.
type listing struct {
	Path    string // of the form
	Query   string // what is searched for
	Expires []choice
	Keys    []choice
	Quirks  []choice
	Sort    string // as in the query
	Error   string // of what is searched for
	Clear   string // the path of the whole list; empty if this is it

	Columns []column
	Rows    []row
	Pager   pager
	Whole   int // certificates of the bundle
	Static  bool
}

// bundlePage shows a version.
func (p *Pages) bundlePage(q *request, v version, path string) (*response, error) {
	b, err := q.parsed(v)
	if err != nil {
		return nil, err
	}
	var body struct {
		summary
		Expiry   *page.Chart
		Rules    []foundRule
		Note     string // why there is no audit
		List     listing
		Versions []summary
	}
	if body.summary, err = q.judged(v); err != nil {
		return nil, err
	}
	a, note, err := q.audit(v)
	if err != nil {
		return nil, err
	}
	if body.Note = note; a != nil {
		body.Audit, body.Rules = a.line("#audit"), q.rules(v, a, b.Certificates)
	}
	body.Expiry = q.expiry(v, b.Certificates, path)
	if body.List, err = q.list(v, b, path); err != nil {
		return nil, err
	}
	for r := range v.entry.Records() {
		body.Versions = append(body.Versions, q.summary(version{v.entry, r}))
	}
	status := http.StatusOK
	if body.List.Error != "" {
		status = http.StatusBadRequest
	}
	title := v.entry.Name
	if v.release.Version != "" {
		title += ", version " + report.Printable(v.release.Version)
	}
	return p.render("bundle", status, title, q.at, body)
}

// expiry is the chart of when certificates expire. Each of its years leads to the certificates of that year.
// One that says nothing of the present is drawn as of the day of the publication.
func (q *request) expiry(v version, certs []*certificate.Certificate, path string) *page.Chart {
	at, year := q.at, func(year int) string { return path + "?expires=" + strconv.Itoa(year) + "#found" }
	if q.pages.o.Static {
		at, year = v.release.Modified.Time, nil
	}
	ends := make([]page.End, len(certs))
	for i, c := range certs {
		if c.Err == nil && c.NotAfter.Valid {
			ends[i] = page.End{At: c.NotAfter.Time, Expired: c.NotAfter.Before(at)}
		}
	}
	return page.NewChart(ends, at, year)
}

// list finds, sorts and pages the certificates.
func (q *request) list(v version, b *bundle.Bundle, path string) (listing, error) {
	l := listing{Path: path, Whole: len(b.Certificates), Static: q.pages.o.Static, Query: q.field("q"), Sort: q.field("sort")}
	expires, key, quirk := q.field("expires"), q.field("key"), q.field("quirk")
	expiring, err := expiryFilter(expires, q.at)
	if err != nil {
		return l, err
	}
	filters := []bundle.Filter{expiring}
	if l.Query != "" {
		f, err := bundle.ParseFilter(l.Query, q.at)
		if err != nil {
			l.Error = err.Error()
			f = func(*certificate.Certificate) bool { return false }
		}
		filters = append(filters, f)
	}
	if key != "" {
		filters = append(filters, func(c *certificate.Certificate) bool { return c.Err == nil && c.PublicKey.String() == key })
	}
	switch quirk {
	case "":
	case "any":
		filters = append(filters, func(c *certificate.Certificate) bool { return len(c.Quirks) > 0 })
	case "none":
		filters = append(filters, func(c *certificate.Certificate) bool { return c.Err == nil && len(c.Quirks) == 0 })
	default:
		filters = append(filters, func(c *certificate.Certificate) bool { return c.Has(certificate.Quirk(quirk)) })
	}
	l.Expires, l.Keys, l.Quirks = expiryChoices(expires), keyChoices(b, key), quirkChoices(b, quirk)
	if l.Query+expires+key+quirk != "" {
		l.Clear = path
	}

	var found []int // positions from 0
	for i, c := range b.Certificates {
		if !slices.ContainsFunc(filters, func(f bundle.Filter) bool { return !f(c) }) {
			found = append(found, i)
		}
	}
	if l.Columns, err = q.sorted(b.Certificates, found, path, l.Sort); err != nil {
		return l, err
	}
	size := pageSize
	if l.Static {
		size = staticPageSize
	}
	var from, to int
	if l.Pager, from, to, err = q.page(path, len(found), size); err != nil {
		return l, err
	}
	l.Pager.Fragment = "found"
	for _, i := range found[from:to] {
		l.Rows = append(l.Rows, q.row(v, i+1, b.Certificates[i]))
	}
	return l, nil
}

// expiryFilter is the filter of the field expires: expired, valid, within 90d and the
// like, or a year.
func expiryFilter(s string, at time.Time) (bundle.Filter, error) {
	dated := func(want func(time.Time) bool) (bundle.Filter, error) {
		return func(c *certificate.Certificate) bool { return c.NotAfter.Valid && want(c.NotAfter.Time) }, nil
	}
	switch s {
	case "":
		return func(*certificate.Certificate) bool { return true }, nil
	case "expired":
		return bundle.ParseFilter(s, at)
	case "valid":
		return dated(func(t time.Time) bool { return !t.Before(at) })
	case "unknown":
		return func(c *certificate.Certificate) bool { return !c.NotAfter.Valid }, nil
	}
	if year, err := strconv.ParseUint(s, 10, 16); err == nil && len(s) == 4 {
		return dated(func(t time.Time) bool { return t.UTC().Year() == int(year) })
	}
	if f, err := bundle.ParseFilter("expiring:"+s, at); err == nil {
		return f, nil
	}
	return nil, bad("expires is to be expired, valid, unknown, a year, or a time such as 90d.")
}

func expiryChoices(chosen string) []choice {
	all := []choice{
		{"", "any expiry", false}, {"expired", "expired", false}, {"90d", "expires within 90 days", false},
		{"1y", "expires within a year", false}, {"5y", "expires within five years", false}, {"valid", "not expired", false}, {"unknown", "no readable date", false},
	}
	return choose(all, chosen, "expires: ")
}

// choose marks the one that is chosen, and adds it if it is none of them.
func choose(all []choice, chosen, label string) []choice {
	for i := range all {
		if all[i].Value == chosen {
			all[i].Chosen = true
			return all
		}
	}
	return append(all, choice{chosen, label + chosen, true})
}

func keyChoices(b *bundle.Bundle, chosen string) []choice {
	counts := map[string]int{}
	for _, c := range b.Certificates {
		if c.Err == nil {
			counts[c.PublicKey.String()]++
		}
	}
	return choose(append([]choice{{"", "any key", false}}, counted(counts)...), chosen, "")
}

func quirkChoices(b *bundle.Bundle, chosen string) []choice {
	counts := map[string]int{}
	for _, c := range b.Certificates {
		for _, q := range c.Quirks {
			counts[string(q)]++
		}
	}
	all := []choice{{"", "with or without quirks", false}, {"any", "any quirk", false}, {"none", "no quirk", false}}
	return choose(append(all, counted(counts)...), chosen, "")
}

// maxChoices is how many values of a bundle a select offers: the most frequent.
const maxChoices = 60

func counted(counts map[string]int) []choice {
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int { return cmp.Or(counts[b]-counts[a], cmp.Compare(a, b)) })
	var all []choice
	for _, name := range names[:min(len(names), maxChoices)] {
		all = append(all, choice{name, name + " (" + strconv.Itoa(counts[name]) + ")", false})
	}
	return all
}

// columns are those that sort, by their name in the query; a hyphen before it reverses the order. What the list is sorted by
// is a text; the position has none.
func columns() []struct {
	name, label string
	key         func(*certificate.Certificate) string
} {
	return []struct {
		name, label string
		key         func(*certificate.Certificate) string
	}{
		{"position", "#", nil},
		{"name", "Name", title},
		{"key", "Key", func(c *certificate.Certificate) string { return c.PublicKey.String() }},
		{"signature", "Signature", func(c *certificate.Certificate) string { return c.SignatureAlgorithm.String() }},
		{"expires", "Expires", func(c *certificate.Certificate) string {
			if !c.NotAfter.Valid {
				return ""
			}
			return c.NotAfter.UTC().Format("2006-01-02T15:04:05.000000000")
		}},
	}
}

// sorted sorts positions by what the query asks for, and gives the columns.
func (q *request) sorted(certs []*certificate.Certificate, found []int, path, by string) (all []column, err error) {
	by = cmp.Or(by, "position")
	name, down := strings.CutPrefix(by, "-")
	known := false
	for _, c := range columns() {
		out := column{Label: c.label, Class: c.name, Sort: "none", Path: q.with(path, "sort", c.name)}
		if c.name == name {
			known = true
			if out.Sort = "descending"; !down {
				out.Sort, out.Path = "ascending", q.with(path, "sort", "-"+c.name)
			}
			sortBy(certs, found, c.key, down)
		}
		all = append(all, out)
	}
	if !known {
		return nil, bad("sort is to be position, name, key, signature or expires, perhaps with a hyphen before it.")
	}
	return all, nil
}

// sortBy orders positions.
func sortBy(certs []*certificate.Certificate, found []int, key func(*certificate.Certificate) string, down bool) {
	keys := map[int]string{}
	for _, i := range found {
		if key != nil && certs[i].Err == nil {
			keys[i] = strings.ToLower(key(certs[i]))
		}
	}
	slices.SortStableFunc(found, func(i, j int) int {
		if down {
			i, j = j, i
		}
		if key == nil {
			return cmp.Compare(i, j)
		}
		return cmp.Compare(keys[i], keys[j])
	})
}
