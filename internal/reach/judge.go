package reach

import (
	"encoding/hex"
	"fmt"
	"slices"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/device"
	"trustpool/internal/path"
	"trustpool/internal/pool"
	"trustpool/internal/report"
)

// A Plan is a change of what a device trusts, and the servers to judge it by.
type Plan struct {
	New *bundle.Bundle
	// Old is the bundle in use, nil if none is given: then there is nothing to
	// compare with, unless Without or Pool is.
	Old *bundle.Bundle
	// Without picks certificates that are judged as though New did not have them.
	// Without Old, New as it is takes its place.
	Without []bundle.Filter

	// Device says what imports New; its Platform and At are needed, nil is none. Pool
	// is what that device has before; nil means what is built in and, after an
	// import of it, Old.
	Device *device.ImportOptions
	Pool   *pool.Pool

	Servers []Server
	Options
}

// A Verdict compares the first answer on a server with the last.
type Verdict string

// The verdicts.
const (
	Works      Verdict = "works"       // and nothing is known of before
	StillWorks Verdict = "still-works" // before and after
	NewlyWorks Verdict = "newly-works" // it did not before
	Breaks     Verdict = "breaks"      // it worked before
	MayBreak   Verdict = "may-break"   // it worked, or may have worked, before, and whether it does then is not known
	Fails      Verdict = "fails"       // and did not work before either, if that is known
	NotKnown   Verdict = "not-known"
)

// A Stage is a pool that servers were judged with.
type Stage struct {
	Name         string `json:"name"` // before, new, imported
	Certificates int    `json:"certificates"`
	Absent       int    `json:"absent"` // entries of the device's pool without their certificate at hand
}

// Names of the stages, in their order.
const (
	StageBefore   = "before"   // what is trusted now
	StageNew      = "new"      // the new bundle by itself
	StageImported = "imported" // the device's pool after the import
)

// A Loss is an anchor that a server's chain led to at an earlier stage and not at
// the last one.
type Loss struct {
	Certificate *certificate.Certificate
	Why         string
	Basis       device.Basis // of Why, if it is about a device; else empty
}

// A Fix is a certificate that would let a server be reached.
type Fix struct {
	Certificate *certificate.Certificate // nil if only its name is known
	Name        string                   // its subject
	Text        string                   // where it is, and what speaks for it
	Basis       device.Basis             // if it is about a device; else empty
}

// A ServerReport is what became of one server.
type ServerReport struct {
	Server
	HasServer bool // a server's certificate is there; else the CAs alone were judged
	Verdict   Verdict
	Results   []Result // one for each stage
	Lost      []Loss
	Fixes     []Fix // if it does not work at the last stage
}

// A Report is what Judge found.
type Report struct {
	File, Against string           // for the caller to set: what the user called the bundles; Against may be empty
	ShowAt        bool             // for the caller to set: the user gave the time
	Evidence      *report.Evidence // for the caller to set: what the report rests on; nil for nothing

	Options
	Platform *device.Platform // nil for none
	FIPS     bool
	LeftOut  []*certificate.Certificate // that Without picked
	Stages   []Stage
	Import   *device.ImportReport // of New; nil without a device
	Notes    device.Notes
	Servers  []ServerReport

	poolGiven bool // Plan.Pool was
}

// Good is false if the answer is no: with something to compare with, a server
// breaks or may break; otherwise one is not shown to work.
func (r *Report) Good() bool {
	return !slices.ContainsFunc(r.Servers, func(s ServerReport) bool {
		switch s.Verdict {
		case Breaks, MayBreak:
			return true
		case Fails, NotKnown:
			return r.Stages[0].Name != StageBefore
		}
		return false
	})
}

// Count is how many servers have a verdict.
func (r *Report) Count(v Verdict) (n int) {
	for i := range r.Servers {
		if r.Servers[i].Verdict == v {
			n++
		}
	}
	return n
}

// Judge judges every server at every stage. The device's pool is not changed. An
// error says that the plan cannot be used.
func Judge(p Plan) (*Report, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	j := judge{Plan: p, report: &Report{Options: p.Options, Notes: device.Notes{}, Servers: make([]ServerReport, 0, len(p.Servers))}}
	if err := j.stages(); err != nil {
		return nil, err
	}
	input := make([][]*certificate.Certificate, 0, len(j.pools)+len(p.Servers))
	for _, pool := range j.pools {
		input = append(input, pool.Certificates())
	}
	for _, s := range p.Servers {
		input = append(input, s.Certificates)
	}
	j.run = path.NewRun(input...)
	for _, s := range p.Servers {
		r, err := j.server(s)
		if err != nil {
			return nil, err
		}
		j.report.Servers = append(j.report.Servers, r)
	}
	return j.report, nil
}

func (p Plan) check() error {
	switch {
	case len(p.Servers) == 0:
		return fmt.Errorf("no chain of a server to judge by")
	case len(p.Servers) > MaxServers:
		return fmt.Errorf("%d chains of servers, more than %d", len(p.Servers), MaxServers)
	case p.Pool != nil && p.Device == nil:
		return fmt.Errorf("a device's pool, and no platform of it")
	}
	return p.Options.check()
}

// A judge is one run.
type judge struct {
	Plan
	report *Report
	run    *path.Run
	pools  []*Trusted                 // of the stages
	judged map[[32]byte]device.Judged // what the import did with each certificate
}

func (j *judge) leftOut(c *certificate.Certificate) bool {
	return slices.ContainsFunc(j.Without, func(f bundle.Filter) bool { return c.Err == nil && f(c) })
}

// stages makes the pools.
func (j *judge) stages() error {
	var kept []*certificate.Certificate
	for _, c := range j.New.Certificates {
		if j.leftOut(c) {
			j.report.LeftOut = append(j.report.LeftOut, c)
		} else {
			kept = append(kept, c)
		}
	}
	before := j.Old
	if before == nil && len(j.Without) > 0 {
		before = j.New
	}
	if j.Device == nil {
		if before != nil {
			j.add(StageBefore, pool.Of(before.Certificates))
		}
		j.add(StageNew, pool.Of(kept))
		return nil
	}
	return j.deviceStages(before, kept)
}

func (j *judge) add(name string, entries []pool.Entry) {
	absent := 0
	for _, e := range entries {
		if e.Certificate == nil {
			absent++
		}
	}
	t := NewTrusted(entries)
	j.pools = append(j.pools, t)
	j.report.Stages = append(j.report.Stages, Stage{name, len(t.Certificates()), absent})
}

// deviceStages plays the imports.
func (j *judge) deviceStages(before *bundle.Bundle, kept []*certificate.Certificate) error {
	j.report.Platform, j.report.FIPS, j.report.poolGiven = &j.Device.Platform, j.Device.FIPS, j.Pool != nil
	now := j.Pool
	if now == nil {
		now = j.Device.Platform.BuiltIn()
	}
	now = &pool.Pool{Platform: now.Platform, Entries: slices.Clone(now.Entries)}
	fresh := &pool.Pool{Platform: now.Platform, Entries: slices.Clone(now.Entries)}
	switch {
	case j.Pool != nil:
		j.resolve(StageBefore, now.Entries)
	case before != nil:
		r, err := device.Import(now, before, *j.Device)
		if err != nil {
			return err
		}
		if r.Refused != "" {
			j.report.Notes.Add(r.RefusedOn, "what the device has before is not known, because it would not have taken the bundle in use: %s", r.Refused)
		} else {
			j.resolve(StageBefore, now.Entries)
		}
		if before == j.New {
			now = fresh // so that what is left out was never there
		}
	}
	j.add(StageNew, pool.Of(kept))
	r, err := device.Import(now, j.New, *j.Device)
	if err != nil {
		return err
	}
	j.report.Import = r
	if r.Refused != "" {
		j.report.Notes.Add(r.RefusedOn, "nothing is imported: %s", r.Refused)
	}
	j.report.Notes = append(j.report.Notes, r.Notes...)
	if !slices.ContainsFunc(now.Entries, func(e pool.Entry) bool { return e.Origin == pool.BuiltIn }) {
		j.report.Notes.Add(device.Ground{Basis: device.Unverified, Source: "nothing found in public sources"},
			"a server whose chain leads to what %s has built in is called broken here, because that is not known", j.Device.Platform.Title)
	}
	j.judged = make(map[[32]byte]device.Judged, len(r.Certificates))
	gone := map[string]bool{}
	for _, e := range r.Certificates {
		if _, twice := j.judged[e.Certificate.SHA256]; !twice {
			j.judged[e.Certificate.SHA256] = e
		}
		if e.Outcome == device.Installed && j.leftOut(e.Certificate) {
			gone[hex.EncodeToString(e.Certificate.SHA256[:])] = true
		}
	}
	j.resolve(StageImported, slices.DeleteFunc(now.Entries, func(e pool.Entry) bool { return gone[e.SHA256] }))
	return nil
}

// resolve adds a stage of a device's pool, with those of its certificates that are
// at hand. Among what servers sent a fingerprint alone finds one: a server may send
// a certificate of its own making that has the name and serial number of a built-in
// one.
func (j *judge) resolve(name string, entries []pool.Entry) {
	sources := []pool.Source{{Name: StageNew, Certificates: j.New.Certificates}}
	if j.Old != nil {
		sources = append(sources, pool.Source{Name: StageBefore, Certificates: j.Old.Certificates})
	}
	for _, s := range j.Servers {
		sources = append(sources, pool.Source{Name: s.Name, Certificates: s.Certificates, HashesOnly: true})
	}
	(&pool.Pool{Entries: entries}).Identify(sources...)
	j.add(name, entries)
}

// server judges one server at every stage.
func (j *judge) server(s Server) (ServerReport, error) {
	r := ServerReport{Server: s, Results: make([]Result, len(j.pools))}
	if len(s.Certificates) > 0 {
		_, r.HasServer = s.target()
	}
	for i, trusted := range j.pools {
		var err error
		if r.Results[i], err = validate(j.run, s, trusted, j.Options, nil); err != nil {
			return r, err
		}
	}
	last := r.Results[len(r.Results)-1]
	r.Verdict = verdict(last.Status)
	if j.report.Stages[0].Name == StageBefore {
		r.Verdict = change(r.Results[0], last)
	}
	j.losses(&r)
	if last.Status != OK {
		if err := j.fixes(&r); err != nil {
			return r, err
		}
	}
	return r, nil
}

func verdict(s Status) Verdict {
	switch s {
	case OK:
		return Works
	case Broken:
		return Fails
	}
	return NotKnown
}

func change(before, after Result) Verdict {
	switch b, a := before.Status, after.Status; {
	case b == OK && a == OK:
		return StillWorks
	case b == Broken && a == OK:
		return NewlyWorks
	case b == OK && a == Broken:
		return Breaks
	case b != Broken && a != OK && (b != a || !before.implies(after)):
		return MayBreak
	}
	return verdict(after.Status)
}

// implies reports whether a device for which one unknown answer is yes must be one
// for which the other is: for each path there is one in the other that asks for
// nothing more.
func (r *Result) implies(o Result) bool {
	if len(r.Paths) == 0 {
		return len(o.Paths) == 0 && r.Reason == o.Reason && r.Text == o.Text
	}
	return !slices.ContainsFunc(r.Paths, func(p Path) bool {
		return !slices.ContainsFunc(o.Paths, func(q Path) bool {
			return !slices.ContainsFunc(q.Doubts, func(d Doubt) bool { return !slices.Contains(p.Doubts, d) })
		})
	})
}
