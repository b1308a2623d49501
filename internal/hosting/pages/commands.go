package pages

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"trustpool/bundle"
	"trustpool/internal/device"
	"trustpool/internal/device/config"
	"trustpool/internal/hosting"
	"trustpool/internal/hosting/watch"
	"trustpool/internal/report/page"
)

// base is how devices reach this server: as Options.BaseURL says, else as the reader
// of the page did.
func (p *Pages) base(q *request) (string, error) {
	if p.o.BaseURL != "" {
		return p.o.BaseURL, nil
	}
	if !validHost(q.Host) {
		return "", bad("The name of this server, which the request should give in its header Host, cannot be part of a command.")
	}
	if q.TLS != nil {
		return "https://" + q.Host, nil
	}
	return "http://" + q.Host, nil
}

// commands reports whether there are pages of commands: they need a URL.
func (p *Pages) commands() bool { return !p.o.Static || p.o.BaseURL != "" }

// validHost reports whether s is a host name or an address, perhaps with a port, and
// nothing else that could end up in a command.
func validHost(s string) bool {
	if _, _, err := net.SplitHostPort(s); err != nil {
		s += ":80"
	}
	server, err := watch.ParseServer(s)
	return err == nil && strings.HasPrefix(s, "[") == strings.HasPrefix(server, "[") // which an address of IPv6 has, and nothing else
}

// A script is what to type on a platform.
type script struct {
	Name    string // iosxe
	Title   string // Cisco IOS XE
	Error   string // of the options
	Script  *config.Script
	Outcome *outcome
	Files   []download
	Steps   []step
}

// A step is lines that belong together, and what is to be known of them.
type step struct {
	Title   string
	Lines   []config.Line // those to paste
	Answers []config.Line
	Remarks []remark
}

// A remark is what to know of lines.
type remark struct {
	Lines []string
	Text  string // what to know before they are typed; may be empty
	device.Ground
}

// An outcome is what the platform would do with the bundle now.
type outcome struct {
	Refused string
	device.Ground
	Installed, Duplicates, Expired, Failed int
}

// A commands is the page of commands.
type commands struct {
	Bundles   []choice
	Bundle    summary
	URL       string
	Loopback  bool
	Fixed     bool // the URL is that of Options
	Static    bool
	Links     []page.Link // to the commands for each bundle, if Static
	VRF       string
	Interface string
	Policy    bool
	Clean     bool
	Platforms []script
}

// options are those of the query, but for the platform.
func (q *request) options() (o config.Options, e *hosting.Entry, err error) {
	base, err := q.pages.base(q)
	if err != nil {
		return o, nil, err
	}
	if len(q.catalog.Entries) == 0 {
		return o, nil, notFound("Nothing is served.")
	}
	e = q.catalog.Entries[0]
	if name := q.field("bundle"); name != "" {
		if e = q.catalog.Lookup(name); e == nil {
			return o, nil, notFound("No bundle of that name is served.")
		}
	}
	o.URL, o.VRF, o.SourceInterface = base+"/"+e.FileName(), q.field("vrf"), q.field("interface")
	o.Policy, o.Clean = q.query.Get("policy") != "", q.query.Get("clean") != ""
	return o, e, nil
}

func (p *Pages) commandsPage(q *request) (*response, error) {
	o, e, err := q.options()
	if err != nil {
		return nil, err
	}
	v := current(e)
	b, err := q.parsed(v)
	if err != nil {
		return nil, err
	}
	about, err := q.judged(v)
	if err != nil {
		return nil, err
	}
	body := commands{
		Bundle: about, URL: o.URL, Loopback: config.Loopback(o.URL), Fixed: p.o.BaseURL != "", Static: p.o.Static, VRF: o.VRF, Interface: o.SourceInterface, Policy: o.Policy, Clean: o.Clean,
	}
	if p.o.Static {
		q.query.Set("bundle", e.Name) // in the names of files
	}
	for _, other := range q.catalog.Entries {
		body.Bundles = append(body.Bundles, choice{other.Name, other.Name, other == e})
		body.Links = append(body.Links, page.Link{Path: pathCommands + "?bundle=" + other.Name, Label: other.Name, Current: other == e})
	}
	status := http.StatusBadRequest
	for _, platform := range device.Platforms() {
		o.Platform = platform
		s := q.script(o, b)
		if s.Error == "" {
			status = http.StatusOK
		}
		body.Platforms = append(body.Platforms, s)
	}
	return p.render("commands", status, "Commands", q.at, body)
}

// script makes the commands of a platform.
func (q *request) script(o config.Options, b *bundle.Bundle) script {
	out := script{Name: o.Platform.Name, Title: o.Platform.Title}
	s, err := config.New(o)
	if err != nil {
		out.Error = err.Error()
		return out
	}
	out.Script = s
	if s.Refused != "" {
		return out
	}
	out.Outcome = foresee(o, b, q)
	for _, st := range s.Steps {
		out.Steps = append(out.Steps, newStep(st))
	}
	query := url.Values{}
	for _, name := range []string{"bundle", "vrf", "interface", "policy", "clean"} {
		if v := q.query.Get(name); v != "" {
			query.Set(name, v)
		}
	}
	suffix := ""
	if len(query) > 0 {
		suffix = "?" + query.Encode()
	}
	path := hosting.FilesPrefix + "commands/" + o.Platform.Name
	out.Files = []download{{path + ".txt" + suffix, "text", ""}, {path + ".json" + suffix, "JSON", ""}}
	if playbook(o.Platform) {
		out.Files = append(out.Files, download{path + ".yml" + suffix, "Ansible playbook", ""})
	}
	return out
}

// playbook reports whether config writes playbooks for a platform.
func playbook(p device.Platform) bool {
	return slices.Contains([]string{"ios", "iosxe", "iosxr", "asa"}, p.Name)
}

// foresee plays the import of the bundle into a device of the platform as it comes
// from the factory; nil if nothing is known of such an import.
func foresee(o config.Options, b *bundle.Bundle, q *request) *outcome {
	if q.pages.o.Static || o.Platform.Anchors() == nil { // what has expired changes with the day
		return nil
	}
	r, err := device.Import(nil, b, device.ImportOptions{Platform: o.Platform, At: q.at, Clean: o.Clean})
	if err != nil {
		return nil
	}
	out := &outcome{r.Refused, r.RefusedOn, r.Installed, r.Duplicates, r.Expired, r.Failed}
	if r.Refused == "" {
		out.Basis, out.Source = device.Confirmed, "trustpool import --platform "+o.Platform.Name+" says it of each certificate, for a device as it comes from the factory"
		for _, e := range r.Certificates { // as sure as the least sure of them
			if e.Basis == device.Unverified || e.Basis == device.Inferred && out.Basis == device.Confirmed {
				out.Basis = e.Basis
			}
		}
	}
	return out
}

func newStep(s config.Step) step {
	out := step{Title: s.Title}
	for _, l := range s.Lines {
		if l.Mode == config.Answer {
			out.Answers = append(out.Answers, l)
		} else {
			out.Lines = append(out.Lines, l)
		}
		if l.Basis == device.Confirmed && l.Comment == nil {
			continue
		}
		comment := ""
		if l.Comment != nil {
			comment = *l.Comment
		}
		if i := slices.IndexFunc(out.Remarks, func(r remark) bool { return r.Text == comment && r.Ground == l.Ground }); i >= 0 {
			out.Remarks[i].Lines = append(out.Remarks[i].Lines, l.Text)
			continue
		}
		out.Remarks = append(out.Remarks, remark{[]string{l.Text}, comment, l.Ground})
	}
	return out
}
