package pages

import (
	"maps"
	"strconv"

	"trustpool/internal/report"
)

// A pager leads through a list that is more than one page.
type pager struct {
	First, Last, Total int // entries, from 1
	Page, Pages        int
	Previous, Next     string // paths; empty if there is none
	Fragment           string // of them: where the list begins
}

// page cuts a list of n entries at what the query asks for.
func (q *request) page(path string, n, per int) (p pager, from, to int, err error) {
	p = pager{Total: n, Page: 1, Pages: max(1, (n+per-1)/per)}
	if s := q.query.Get("page"); s != "" {
		number, err := strconv.ParseUint(s, 10, 31)
		if err != nil || number == 0 {
			return pager{}, 0, 0, bad("The page is to be a number above zero.")
		}
		p.Page = int(number)
	}
	if p.Page > p.Pages {
		return pager{}, 0, 0, notFound("The list has " + report.Count(p.Pages, "page") + ".")
	}
	from, to = (p.Page-1)*per, min(n, p.Page*per)
	p.First, p.Last = from+1, to
	if p.Page > 1 {
		p.Previous = q.with(path, "page", strconv.Itoa(p.Page-1))
	}
	if p.Page < p.Pages {
		p.Next = q.with(path, "page", strconv.Itoa(p.Page+1))
	}
	return p, from, to, nil
}

// with is the path with the query, in which a field has another value; any other
// field than page goes back to the first page.
func (q *request) with(path, name, value string) string {
	query := maps.Clone(q.query)
	for field, values := range query {
		if len(values) == 0 || values[0] == "" || field == "page" {
			delete(query, field)
		}
	}
	query.Set(name, value)
	if value == "" {
		query.Del(name)
	}
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}
