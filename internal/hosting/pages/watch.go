package pages

import (
	"net/http"

	"trustpool/internal/hosting/watch"
	"trustpool/internal/reach"
)

// PageServers is how many watched servers are on a page.
const PageServers = 50

// A watchedServer is what a page says of a watched server.
type watchedServer struct {
	*watch.Server
	Asked, Answered instant
	Rows            []watchedRow
}

// A watchedRow is what one bundle makes of the server's chain.
type watchedRow struct {
	*watch.Judged
	Page, RootPage string // empty if there is none
	Class, Verdict string // good reachable, bad broken, warn not known
	Ends           instant
}

type watchedChange struct {
	At instant
	watch.Change
}

// watchPage shows the watched servers.
func (p *Pages) watchPage(q *request) (*response, error) {
	if p.o.Watch == nil {
		return nil, notFound("No servers are watched here: see trustpool serve --watch.")
	}
	r := p.o.Watch()
	pages, from, to, err := q.page(pathWatch, len(r.Servers), PageServers)
	if err != nil {
		return nil, err
	}
	pages.Fragment = "main"
	var body struct {
		*watch.Report
		Counts  map[string]int // servers, by the answer that matters most
		Servers []watchedServer
		Changes []watchedChange
		Pager   pager
	}
	body.Pager, body.Report, body.Counts = pages, r, map[string]int{}
	for i := range r.Servers {
		body.Counts[string(worst(&r.Servers[i]))]++
	}
	for i := range r.Servers[from:to] {
		body.Servers = append(body.Servers, q.watched(&r.Servers[from+i]))
	}
	for _, c := range r.Changes {
		body.Changes = append(body.Changes, watchedChange{moment(c.At, q.at), c})
	}
	return p.render("watch", http.StatusOK, "Watched servers", q.at, body)
}

// worst is the answer on a server that matters most.
func worst(s *watch.Server) reach.Status {
	if len(s.Judged) == 0 || s.Error != "" {
		return reach.Unknown
	}
	out := reach.OK
	for _, j := range s.Judged {
		if j.Status == reach.Broken || out == reach.OK {
			out = j.Status
		}
	}
	return out
}

func (q *request) watched(s *watch.Server) watchedServer {
	out := watchedServer{Server: s, Asked: noted(s.Asked.Time, q.at), Answered: noted(s.Answered.Time, q.at)}
	if s.Error != "" {
		return out
	}
	for i := range s.Judged {
		j := &s.Judged[i]
		row := watchedRow{Judged: j, Class: "warn", Verdict: "not known", Ends: noted(j.Ends.Time, q.at)}
		switch j.Status {
		case reach.OK:
			row.Class, row.Verdict = "good", "reachable"
		case reach.Broken:
			row.Class, row.Verdict = "bad", "broken"
		}
		if v, err := find(q.catalog, j.Bundle, j.SHA256); err == nil {
			row.Page = v.page()
			if j.Root != nil {
				row.RootPage = row.Page + "/" + j.Root.SHA256
			}
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}
