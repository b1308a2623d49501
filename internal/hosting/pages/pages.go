// Package pages shows what a server hosts to people: the bundles, their
// certificates, the change between any two versions, the commands that make devices
// use them, and downloads in other forms.
//
// The pages are whole without script; the one script makes search live and adds
// buttons that copy. There are no cookies, nothing is loaded from elsewhere, and no
// request changes anything.
package pages

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"trustpool/internal/distrust"
	"trustpool/internal/hosting"
	"trustpool/internal/hosting/watch"
	"trustpool/internal/report"
	"trustpool/internal/report/page"
	"trustpool/signing"
)

// Limits of what is asked for and of what is shown at a time.
const (
	MaxText     = 200 // bytes of a text to search for, and of any other field
	pageSize    = 100 // certificates on a page
	pageBundles = 50  // bundles on a page
	// staticPageSize is pageSize of pages that are files: the script searches among those.
	staticPageSize = 1000
	maxChanged     = 500 // certificates in each list of a change; the files have all

	// MaxRequests are answered at a time: each holds its answer in memory until it is
	// taken, which devices' bundles do not.
	MaxRequests = 64

	// MaxLarge are answered at a time if the answer is a file made of more than
	// largeBytes of bundles: it is as large as they, or larger.
	MaxLarge   = 4
	largeBytes = 4 << 20
)

// Options say what pages are made of. Catalog, Judge and Now must be set.
type Options struct {
	Catalog func() *hosting.Catalog
	Judge   func(*hosting.Release) signing.Report // whether it is verified now
	Now     func() time.Time

	// BaseURL is how devices reach this server, http://pki.example.com:8080, for
	// their commands. Empty means as the reader of the page did.
	BaseURL string
	Version string // of the program; may be empty

	// Static is for pages that [Pages.Files] writes as files, which no server makes for
	// their reader. They say nothing of the present, so that they are the same bytes each
	// day, and their script does what a query does otherwise. Without BaseURL there are no
	// commands.
	Static bool

	// Mirrored says when the mirror of a bundle last succeeded; nil if nothing is known of mirrors.
	Mirrored func(name string) (time.Time, bool)

	Watch func() *watch.Report // what is known of watched servers; nil if none are
}

// Pages answers requests for / and below hosting.PagesPrefix. It is an http.Handler.
type Pages struct {
	o        Options
	distrust func() *distrust.Index // what root programs say against roots
	slots    chan struct{}          // one for each request that is answered
	large    chan struct{}          // and for each large file
	pages    map[string]*template.Template
	assets   map[string]asset // by path
	style    string           // the path of style.css
	script   string           // the path of script.js

	newestLock sync.Mutex
	newest     map[*hosting.Entry]map[[sha256.Size]byte]*hosting.Record // see holding
}

type asset struct {
	contentType string
	data        []byte
}

//go:embed templates/*.html assets/*
var files embed.FS

// New makes the pages.
func New(o Options) (*Pages, error) {
	if o.Catalog == nil || o.Judge == nil || o.Now == nil {
		return nil, errors.New("pages: no catalog, no judge, or no clock")
	}
	if o.Static {
		judge := o.Judge
		o.Judge = func(r *hosting.Release) signing.Report {
			report := judge(r)
			report.At = nil
			return report
		}
	}
	if o.BaseURL != "" {
		u, err := url.Parse(o.BaseURL)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || !validHost(u.Host) || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
			return nil, fmt.Errorf("%q is not the URL of a server: write http://HOST or https://HOST, with a port if it needs one", o.BaseURL)
		}
		o.BaseURL = u.Scheme + "://" + u.Host
	}
	p := &Pages{o: o, distrust: sync.OnceValue(distrust.NewIndex), slots: make(chan struct{}, MaxRequests), large: make(chan struct{}, MaxLarge),
		assets: map[string]asset{}, newest: map[*hosting.Entry]map[[sha256.Size]byte]*hosting.Record{}}
	var err error
	if p.pages, err = parseTemplates(); err != nil {
		return nil, err
	}
	style, err := page.Style()
	if err != nil {
		return nil, err
	}
	if p.style, err = p.asset("style-%s.css", "text/css; charset=utf-8", style, "style.css"); err != nil {
		return nil, err
	}
	script := "live.js"
	if o.Static {
		script = "static.js"
	}
	p.script, err = p.asset("script-%s.js", "text/javascript; charset=utf-8", nil, script, "copy.js")
	return p, err
}

// asset adds what is made of parts, and returns its path. It is named by what it is, so that it can be kept for ever.
func (p *Pages) asset(format, contentType string, data []byte, parts ...string) (string, error) {
	for _, name := range parts {
		part, err := files.ReadFile("assets/" + name)
		if err != nil {
			return "", err
		}
		data = append(data, part...)
	}
	path := hosting.PagesPrefix + fmt.Sprintf(format, tag(data))
	p.assets[path] = asset{contentType, data}
	return path, nil
}

// tag is the beginning of a hash in hex.
func tag(data []byte) string { return hosting.Digest(data)[:16] }

// parseTemplates joins each page with the frame.
func parseTemplates() (map[string]*template.Template, error) {
	frame, err := page.Templates()
	if err == nil {
		frame, err = frame.Funcs(template.FuncMap{"size": size}).ParseFS(files, "templates/parts.html")
	}
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(files, "templates/page-*.html")
	if err != nil {
		return nil, err
	}
	pages := map[string]*template.Template{}
	for _, name := range names {
		t, err := frame.Clone()
		if err == nil {
			t, err = t.ParseFS(files, name)
		}
		if err != nil {
			return nil, err
		}
		pages[strings.TrimSuffix(strings.TrimPrefix(name, "templates/page-"), ".html")] = t
	}
	return pages, nil
}

// A problem is an answer that is not a page of its own: what was asked for is not there,
// or cannot be understood.
type problem struct {
	status int
	text   string
}

func (p problem) Error() string { return p.text }

func notFound(what string) error { return problem{http.StatusNotFound, what} }

func bad(format string, args ...any) error {
	return problem{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

// A request is what a page is made from.
type request struct {
	*http.Request
	query   url.Values
	catalog *hosting.Catalog
	at      time.Time // zero for a page that says nothing of the present
	taken   *slots
	pages   *Pages
}

// checkFields asks that the fields of the query have a sensible length.
func (q *request) checkFields() error {
	for _, name := range []string{"q", "expires", "key", "quirk", "sort", "bundle", "vrf", "interface"} {
		if n := len(q.query.Get(name)); n > MaxText {
			return bad("%s has %d characters, and the limit is %d.", name, n, MaxText)
		}
	}
	return nil
}

// field is a field of the query.
func (q *request) field(name string) string { return strings.TrimSpace(q.query.Get(name)) }

// How long others may keep an answer: until they have asked again, those who keep
// answers for several readers not at all if it is private.
const (
	askFirst = "no-cache"
	private  = "private, no-cache"
)

// A response is what is sent.
type response struct {
	status      int
	contentType string
	attachment  string // the name under which a browser saves it; empty for a page
	caching     string
	body        []byte
}

// ServeHTTP answers GET and HEAD.
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "405 Method Not Allowed: only GET and HEAD are answered here", http.StatusMethodNotAllowed)
		return
	}
	var taken slots
	defer taken.free() // when all is written
	if !taken.take(p.slots) {
		w.Header().Set("Retry-After", "5")
		http.Error(w, "503 Service Unavailable: too many pages are asked for at a time", http.StatusServiceUnavailable)
		return
	}
	answer, err := p.answer(r, &taken)
	if err != nil {
		answer = p.failed(r, err)
	}
	answer.write(w, r)
}

// slots are those that a request has taken.
type slots []chan struct{}

func (s *slots) take(c chan struct{}) bool {
	select {
	case c <- struct{}{}:
		*s = append(*s, c)
		return true
	default:
		return false
	}
}

func (s *slots) free() {
	for _, c := range *s {
		<-c
	}
}

// policy lets pages load nothing but their own style and script, and be part of no
// other site. The image is the icon, which is empty: else browsers ask for one.
const policy = "default-src 'none'; img-src data:; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func (a *response) write(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", a.contentType)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", policy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", a.caching)
	if a.attachment != "" {
		h.Set("Content-Disposition", `attachment; filename="`+a.attachment+`"`)
	}
	if a.status == http.StatusOK {
		h.Set("Etag", `"`+tag(a.body)+`"`)
		if r.Header["If-None-Match"] != nil {
			r.Header.Del("Range") // a page is sent whole
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.body))
			return
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(a.body) // an error is the client's
	}
}

// failed is the answer to what cannot be answered: a page, and below
// hosting.FilesPrefix a line of text.
func (p *Pages) failed(r *http.Request, err error) *response {
	known, ok := errors.AsType[problem](err)
	if !ok {
		known = problem{http.StatusInternalServerError, "The page could not be made: " + err.Error()}
	}
	title := http.StatusText(known.status)
	if !strings.HasPrefix(r.URL.Path, hosting.FilesPrefix) {
		body := struct {
			Status      int
			Title, Text string
		}{known.status, title, known.text}
		if a, err := p.render("error", known.status, title, p.o.Now(), body); err == nil {
			return a
		}
	}
	text := fmt.Sprintf("%d %s: %s\n", known.status, title, report.Printable(known.text))
	return &response{known.status, "text/plain; charset=utf-8", "", "no-store", []byte(text)}
}

// render makes a page from the template of that name.
func (p *Pages) render(name string, status int, title string, at time.Time, body any) (*response, error) {
	frame := page.Frame{Title: title, Home: "/", Style: p.style, Script: p.script, Body: body}
	for _, l := range []struct{ path, label, shows string }{
		{"/", "Bundles", "bundles bundle certificate"}, {pathCompare, "Changes", "compare"}, {pathCommands, "Commands", "commands"}, {pathWatch, "Watch", "watch"},
	} {
		if l.path == pathCommands && !p.commands() || l.path == pathWatch && p.o.Watch == nil {
			continue
		}
		frame.Nav = append(frame.Nav, page.Link{Path: l.path, Label: l.label, Current: slices.Contains(strings.Fields(l.shows), name)})
	}
	foot := struct{ At, Version string }{"", p.o.Version}
	if !p.o.Static {
		foot.At = report.Day(at)
	}
	frame.Foot = foot
	var b bytes.Buffer
	if err := p.pages[name].ExecuteTemplate(&b, "frame", &frame); err != nil {
		return nil, err
	}
	// They differ by the reader's Host and User-Agent, so no shared cache may keep them.
	caching := private
	if status != http.StatusOK {
		caching = "no-store"
	}
	return &response{status, "text/html; charset=utf-8", "", caching, b.Bytes()}, nil
}
