// Package watch asks servers for their chain, again and again, and says what each bundle that is served makes of it.
//
// A Watcher asks all its servers at a time, so that one that hangs delays no other, and judges what they send as package reach
// does. What it knows is a [Report]: what each bundle makes of each server, and what changed. The clock, the pauses and the
// network are given to it.
package watch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/path"
	"trustpool/internal/reach"
	"trustpool/internal/report"
)

// Limits.
const (
	MaxServers    = 500              // that are watched: as many are asked at a time
	MaxJudgements = 10_000           // of a server with a bundle; the first bundles by name are judged
	MaxChanges    = 100              // that a report lists: the newest
	Timeout       = 20 * time.Second // for one server to send its chain
	maxHost       = 253              // bytes of the name of a server
)

// Times.
const (
	defaultEvery = time.Hour
	minEvery     = time.Minute
	look         = time.Minute         // after so long new bundles are judged with the chains that are known
	soon         = 30 * 24 * time.Hour // before its end, a chain is said to end
	spread       = 0.1                 // the part of a pause by which jitter shortens it
)

// Answers are the chains of the servers that answered last, in the order of the servers.
func (w *Watcher) Answers() (out []reach.Server) {
	for _, address := range w.addresses() {
		out = append(out, w.chains[address])
	}
	return out
}

// A Bundle is one that chains are judged with.
type Bundle struct {
	Name, Version, SHA256 string
	Parse                 func() (*bundle.Bundle, error)
}

// Options say what is watched, and with what. All but Every and Changed must be set.
type Options struct {
	Servers []string        // HOST:PORT, each as ParseServer returns it
	Bundles func() []Bundle // what is served now, by name
	// Marked says who marked a root of a bundle for removal, and is empty for nobody.
	Marked func(bundle string, root *certificate.Certificate) string
	// Fetch asks a server for its chain, in DER. It ends when the context does.
	Fetch func(ctx context.Context, address string) ([][]byte, error)

	Every  time.Duration // from the beginning of one round to that of the next, at most; 0 means an hour
	Now    func() time.Time
	Sleep  func(context.Context, time.Duration) error // ends early, with an error, when the context does
	Jitter func() float64                             // numbers in [0, 1), by which pauses are shorter

	Changed func(Change) // is told of each change
}

// ParseServer returns HOST:PORT as it is shown and asked, or an error if it is something else.
func ParseServer(s string) (string, error) {
	host, port, err := net.SplitHostPort(s)
	if n, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || n == 0 || !validHost(host) {
		how := ""
		if strings.ContainsFunc(host, func(r rune) bool { return r > unicode.MaxASCII }) {
			how = ", with the name in ASCII, as in xn--bcher-kva.example"
		}
		return "", fmt.Errorf("%q is not a server: write HOST:PORT%s", path.Cut(s), how)
	}
	return net.JoinHostPort(strings.ToLower(host), strings.TrimLeft(port, "0")), nil
}

func validHost(host string) bool {
	if net.ParseIP(host) != nil {
		return true
	}
	return host != "" && host[0] != '-' && host[0] != '.' && len(host) <= maxHost && strings.Trim(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") == ""
}

// ParseServers reads a list of servers: one HOST:PORT in each line, and what follows # is a comment.
func ParseServers(text string) ([]string, error) {
	var out []string
	n := 0
	for line := range strings.Lines(text) {
		n++
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		server, err := ParseServer(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if out = append(out, server); len(out) > MaxServers {
			return nil, fmt.Errorf("line %d: more than %d servers, which is the limit", n, MaxServers)
		}
	}
	if len(out) == 0 {
		return nil, errors.New("no server in it: write HOST:PORT, one in each line")
	}
	return out, nil
}

// A Watcher watches servers. Run and Ask are for one goroutine, Report for any number.
type Watcher struct {
	o       Options
	report  atomic.Pointer[Report]
	chains  map[string]reach.Server // what each server sent last
	begun   time.Time               // when the servers were asked last
	bundles []string                // names and hashes of those that all chains were judged with
}

// New makes a watcher that has asked nobody yet.
func New(o Options) (*Watcher, error) {
	if o.Bundles == nil || o.Marked == nil || o.Fetch == nil || o.Now == nil || o.Sleep == nil || o.Jitter == nil {
		return nil, errors.New("watch: no bundles, no marks, no network, no clock, nothing to wait with, or no jitter")
	}
	o.Every = cmp.Or(o.Every, defaultEvery)
	if o.Every < minEvery {
		return nil, fmt.Errorf("servers cannot be asked each %v: give at least %v", o.Every, minEvery)
	}
	if o.Changed == nil {
		o.Changed = func(Change) {}
	}
	w := &Watcher{o: o, chains: map[string]reach.Server{}}
	first := &Report{Servers: []Server{}, Changes: []Change{}}
	for _, address := range o.Servers {
		if !slices.ContainsFunc(first.Servers, func(s Server) bool { return s.Address == address }) {
			first.Servers = append(first.Servers, Server{Address: address, Sent: []Certificate{}, Judged: []Judged{}})
		}
	}
	if len(first.Servers) == 0 || len(first.Servers) > MaxServers {
		return nil, fmt.Errorf("%s to watch, and there may be 1 to %d", report.Count(len(first.Servers), "server"), MaxServers)
	}
	w.report.Store(first)
	return w, nil
}

// Report is what is known now. It never changes.
func (w *Watcher) Report() *Report { return w.report.Load() }

// Recall gives the watcher what an earlier one knew of its servers, so that it sees what has changed since.
func (w *Watcher) Recall(before *Report) {
	r := *w.Report()
	r.Servers = slices.Clone(r.Servers)
	for i := range r.Servers {
		for _, s := range before.Servers {
			if s.Address == r.Servers[i].Address {
				r.Servers[i] = s
			}
		}
	}
	w.report.Store(&r)
}

// Run asks at once, and again and again until the context ends. In between it judges with bundles that have changed.
func (w *Watcher) Run(ctx context.Context) {
	for ctx.Err() == nil {
		begun := w.o.Now()
		w.Ask(ctx)
		pause := w.o.Every - time.Duration(w.o.Jitter()*spread*float64(w.o.Every)) - max(0, w.o.Now().Sub(begun))
		for pause = max(pause, time.Second); pause > 0; pause -= look {
			if w.o.Sleep(ctx, min(pause, look)) != nil {
				return
			}
			if bundles := w.o.Bundles(); !slices.Equal(identities(bundles), w.bundles) {
				w.judge(bundles, w.addresses(), nil, false)
				w.bundles = identities(bundles)
			}
		}
	}
}

func identities(bundles []Bundle) (out []string) {
	for _, b := range bundles {
		out = append(out, b.Name+" "+b.SHA256)
	}
	return out
}

// addresses are those of the servers that sent a chain when they were asked last.
func (w *Watcher) addresses() (out []string) {
	for _, s := range w.Report().Servers {
		if s.Error == "" && !s.Asked.IsZero() {
			out = append(out, s.Address)
		}
	}
	return out
}

// An answer is what came of asking a server.
type answer struct {
	address string
	server  reach.Server
	err     error
}

// Ask asks every server once. What has come is judged while the others are waited for.
func (w *Watcher) Ask(ctx context.Context) {
	servers := w.Report().Servers
	w.begun = w.o.Now().UTC().Truncate(time.Second)
	answers := make(chan answer, len(servers))
	for _, s := range servers {
		go func() { answers <- w.ask(ctx, s.Address) }()
	}
	bundles := w.o.Bundles()
	for pending := len(servers); pending > 0; {
		batch := []answer{<-answers}
		for more := true; more; {
			select {
			case a := <-answers:
				batch = append(batch, a)
			default:
				more = false
			}
		}
		pending -= len(batch)
		if ctx.Err() != nil { // the servers are not at fault if nothing more came
			continue
		}
		var came []string
		failed := map[string]error{}
		for _, a := range batch {
			if a.err != nil {
				failed[a.address] = a.err
				continue
			}
			w.chains[a.address] = a.server
			came = append(came, a.address)
		}
		w.judge(bundles, came, failed, true)
	}
	w.bundles = identities(bundles)
}

func (w *Watcher) ask(ctx context.Context, address string) answer {
	ctx, cancel := context.WithTimeoutCause(ctx, Timeout, fmt.Errorf("nothing came within %v", Timeout))
	defer cancel()
	a := answer{address: address}
	chain, err := w.o.Fetch(ctx, address)
	if err == nil {
		a.server, err = reach.FromDER(address, chain)
	}
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	a.err = err
	return a
}

// judge puts a new report in the place of the one before: of servers that sent a chain, of those that did not, and of all
// others as it was. asked says that they were asked just now.
func (w *Watcher) judge(bundles []Bundle, came []string, failed map[string]error, asked bool) {
	now, before := w.o.Now().UTC().Truncate(time.Second), w.Report()
	next := &Report{At: report.Moment{Time: now}, Servers: slices.Clone(before.Servers)}
	if most := MaxJudgements / len(next.Servers); len(bundles) > most {
		next.NotJudged = (len(bundles) - most) * len(next.Servers)
		bundles = bundles[:most]
	}
	judged := map[string][]Judged{}
	if len(came) > 0 {
		for _, b := range bundles {
			w.with(b, came, now, judged)
		}
	}
	var changes []Change
	for i := range next.Servers {
		s, old := &next.Servers[i], before.Servers[i]
		err, isFailed := failed[s.Address]
		switch {
		case isFailed:
			s.Asked, s.Error = next.At, report.Text(strings.TrimPrefix(err.Error(), s.Address+": "))
			s.Judged = slices.Clone(s.Judged)
			for k := range s.Judged {
				s.Judged[k].unanswered()
			}
		case slices.Contains(came, s.Address):
			if asked {
				s.Asked, s.Answered, s.Error = next.At, next.At, ""
			}
			s.take(w.chains[s.Address], judged[s.Address], old, now, w.o.Marked)
		default:
			continue
		}
		changes = append(changes, old.changes(s, now)...)
	}
	next.Changes = w.merged(before.Changes, changes)
	w.report.Store(next)
	for _, c := range changes {
		w.o.Changed(c)
	}
}

// merged are the changes of this round in the order of the servers, whoever answered first, and then the earlier ones.
func (w *Watcher) merged(before, changes []Change) []Change {
	earlier := slices.IndexFunc(before, func(c Change) bool { return c.At.Before(w.begun) })
	if earlier < 0 {
		earlier = len(before)
	}
	position := map[string]int{}
	for i, s := range w.Report().Servers {
		position[s.Address] = i
	}
	round := slices.Concat([]Change{}, before[:earlier], changes)
	slices.SortStableFunc(round, func(a, b Change) int { return position[a.Server] - position[b.Server] })
	all := append(round, before[earlier:]...)
	return all[:min(len(all), MaxChanges)]
}

// with judges chains with one bundle, which it parses and does not keep, and adds what it finds to what is known of each server.
func (w *Watcher) with(b Bundle, came []string, now time.Time, judged map[string][]Judged) {
	parsed, err := b.Parse()
	var found *reach.Report
	if err == nil {
		plan := reach.Plan{New: parsed, Options: reach.Options{At: now}}
		for _, address := range came {
			plan.Servers = append(plan.Servers, w.chains[address])
		}
		found, err = reach.Judge(plan)
	}
	for i, address := range came {
		j := Judged{Bundle: b.Name, Version: report.Text(b.Version), SHA256: b.SHA256}
		if err != nil {
			j.Status, j.Reason, j.Text = reach.Unknown, reasonNotJudged, report.Text(err.Error())
		} else {
			j.result(found.Servers[i].Results[0])
		}
		judged[address] = append(judged[address], j)
	}
}

// result takes what reach found.
func (j *Judged) result(r reach.Result) {
	j.Status, j.Reason, j.Text = r.Status, report.Text(r.Reason), report.Text(r.Text)
	if r.Status != reach.OK {
		return
	}
	for _, p := range r.Paths {
		j.anchors = append(j.anchors, p.Anchor())
		if end := endOf(p); end.After(j.Ends.Time) {
			j.Ends.Time = end
		}
	}
}

// endOf is when the first certificate of a path expires; the zero time if none says so. The anchor counts: whether
// devices take an expired one is not known.
func endOf(p reach.Path) (end time.Time) {
	for _, c := range p.Certificates {
		if c.NotAfter.Valid && (end.IsZero() || c.NotAfter.Before(end)) {
			end = c.NotAfter.Time
		}
	}
	return end
}

// take takes a new judgement of a server that has sent a chain.
func (s *Server) take(sent reach.Server, judged []Judged, old Server, now time.Time, marked func(string, *certificate.Certificate) string) {
	s.Sent = []Certificate{}
	for _, c := range sent.Certificates {
		s.Sent = append(s.Sent, certificateOf(c))
	}
	s.Judged = append([]Judged{}, judged...)
	for i := range s.Judged {
		j := &s.Judged[i]
		was := old.with(j.Bundle)
		if was != nil {
			j.LastRoot = was.LastRoot
		}
		j.LastStatus = j.Status
		// Of several roots to which a chain leads, the one from before stays, so that a report tells a move from a choice.
		for k, anchor := range j.anchors {
			root := certificateOf(anchor)
			if k > 0 && (j.LastRoot == nil || root.SHA256 != j.LastRoot.SHA256) {
				continue
			}
			j.Root, j.Marked = &root, report.Text(marked(j.Bundle, anchor))
		}
		if j.Root != nil {
			j.LastRoot = j.Root
		}
		j.Soon, j.anchors = !j.Ends.IsZero() && j.Ends.Sub(now) < soon, nil
	}
}

// unanswered makes a judgement unknown, and remembers what it was.
func (j *Judged) unanswered() {
	*j = Judged{
		Bundle: j.Bundle, Version: j.Version, SHA256: j.SHA256, Status: reach.Unknown, Reason: reasonNoAnswer,
		Text: "the server sent no chain when it was asked last", LastStatus: j.LastStatus, LastRoot: j.LastRoot,
	}
}

func certificateOf(c *certificate.Certificate) Certificate {
	out := Certificate{Subject: path.Cut(c.Subject.String()), SHA256: fmt.Sprintf("%x", c.SHA256)}
	if c.NotAfter.Valid {
		out.NotAfter = new(report.Stamp(c.NotAfter.Time))
	}
	return out
}
