package hosting

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Media types of what is served.
const (
	typeBundle = "application/x-pkcs7-certificates"
	typeText   = "text/plain; charset=utf-8"
	typeJSON   = "application/json"
	typeJKS    = "application/x-java-keystore"
	typeRSS    = "application/rss+xml"
)

// Paths of Cisco's own server, so that a device needs no more than another host
// name, and those of the plug and play agent.
const (
	pathTRS     = "/security/pki/trs/"
	pathCurrent = pathTRS + "current/"
	pathArchive = pathTRS + "archive/"
	pathPnP     = "/ca/trustpool"
	pathSHA256  = "/sha256/"
)

// IndexPath is where the list of what is served is.
const IndexPath = "/index.json"

// How long others may keep an answer: what is named by what it is, for ever; what
// changes, until they have asked again.
const (
	forever  = "public, max-age=31536000, immutable"
	askFirst = "no-cache"
)

// A route is a pattern of paths and what there is at them. In a pattern NAME is a bundle, RELEASE an older or the current
// release of it, by its version or the day of its publication, HEX any release by its SHA-256, and FILE the bundle or a
// file beside it.
type route struct {
	pattern string
	caching string
}

const (
	anyName    = "NAME"
	anyRelease = "RELEASE"
	anyHash    = "HEX"
	anyFile    = "FILE"
)

// routes are all paths at which there is something of a bundle. What a server answers and what Files lists are both
// made from them. Of two releases that would have the same path, the newer has it.
func routes() []route {
	return []route{
		{"/" + anyName + extension, askFirst},
		{pathTRS + anyName + extension, askFirst},
		{pathCurrent + anyName + "/" + anyFile, askFirst},
		// A version or a day may come to mean another release after a rollback.
		{pathArchive + anyName + "/" + anyRelease + "/" + anyFile, askFirst},
		{pathSHA256 + anyHash, forever},
		{pathPnP, askFirst},
		{pathPnP + "/", askFirst},
		{pathPnP + "/cabundle" + extension, askFirst},
	}
}

// A place is what the variables of a route's pattern are.
type place struct{ name, release, hash, file string }

// match reports whether a path is one of the route's, and which place it is.
func (r route) match(path string) (p place, ok bool) {
	pattern := r.pattern
	for {
		literal, variable := cutVariable(pattern)
		if path, ok = strings.CutPrefix(path, literal); !ok {
			return p, false
		}
		if variable == "" {
			return p, path == ""
		}
		pattern = pattern[len(literal)+len(variable):]
		end := strings.IndexByte(path, '/')
		if end < 0 {
			end = len(path)
		}
		if pattern != "" && pattern[0] != '/' { // of NAME.p7b
			if end -= len(pattern); end <= 0 || path[end:] != pattern {
				return p, false
			}
		}
		if end == 0 {
			return p, false
		}
		*p.variable(variable), path = path[:end], path[end:]
	}
}

// path is the path of a place.
func (r route) path(p place) string {
	var b strings.Builder
	for pattern := r.pattern; ; {
		literal, variable := cutVariable(pattern)
		b.WriteString(literal)
		if variable == "" {
			return b.String()
		}
		b.WriteString(*p.variable(variable))
		pattern = pattern[len(literal)+len(variable):]
	}
}

// has reports whether a variable is in the pattern.
func (r route) has(variable string) bool { return strings.Contains(r.pattern, variable) }

// cutVariable gives what is before the first variable of a pattern, and that.
func cutVariable(pattern string) (literal, variable string) {
	start := strings.IndexFunc(pattern, func(c rune) bool { return 'A' <= c && c <= 'Z' })
	if start < 0 {
		return pattern, ""
	}
	end := start
	for end < len(pattern) && 'A' <= pattern[end] && pattern[end] <= 'Z' {
		end++
	}
	return pattern[:start], pattern[start:end]
}

func (p *place) variable(name string) *string {
	switch name {
	case anyName:
		return &p.name
	case anyRelease:
		return &p.release
	case anyHash:
		return &p.hash
	default:
		return &p.file
	}
}

// A resource is what there is at a path.
type resource struct {
	entry   *Entry
	record  *Record
	beside  side // empty for the release itself
	caching string
}

// isCurrent reports whether it is the current release where it may be another one tomorrow.
func (f *resource) isCurrent() bool {
	return f.beside == "" && f.caching == askFirst && f.record == &f.entry.Current.Record
}

func (f *resource) contentType() string {
	if f.beside == "" {
		return typeBundle
	}
	return f.beside.contentType()
}

// at finds what there is at a path; nil for nothing. Slashes next to each other
// count as one: devices and people write http://host//ios.p7b, and a redirect is
// more than some clients understand.
func (c *Catalog) at(path string) *resource {
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	for _, r := range c.routes {
		if p, ok := r.match(path); ok {
			return c.find(r, p)
		}
	}
	return nil
}

// find finds what there is at a place; nil for nothing.
func (c *Catalog) find(r route, p place) *resource {
	found := resource{entry: c.pnp, caching: r.caching}
	switch {
	case p.hash != "":
		return c.hashed(p.hash, r.caching)
	case p.name != "":
		found.entry = c.Lookup(p.name)
	}
	if found.entry == nil {
		return nil
	}
	found.record = &found.entry.Current.Record
	if p.release != "" {
		if found.record = found.entry.called(p.release); found.record == nil {
			return nil
		}
	}
	if p.file != "" && p.file != found.entry.FileName() {
		for _, s := range found.entry.sides(found.record, p.release == "") {
			if s.name(found.entry) == p.file {
				found.beside = s
				return &found
			}
		}
		return nil
	}
	return &found
}

// hashed finds a release by its SHA-256.
func (c *Catalog) hashed(sum, caching string) *resource {
	for _, e := range c.Entries {
		for r := range e.each() {
			if r.SHA256 == sum {
				return &resource{entry: e, record: r, caching: caching}
			}
		}
	}
	return nil
}

// called is the newest release with a version, or of a day; nil for none.
func (e *Entry) called(name string) *Record {
	for r := range e.each() {
		if r.Version == name && plain(name) || r.day() == name {
			return r
		}
	}
	return nil
}

// day is that of a release's publication, as Cisco writes it.
func (r *Record) day() string { return r.Modified.Format("20060102") }

// archiveNames are the directories of a release in the archive: the day of its publication, and its version.
func (r *Record) archiveNames() []string {
	names := []string{r.day()}
	if plain(r.Version) && r.Version != names[0] {
		names = append(names, r.Version)
	}
	return names
}

// places are all places of a route.
func (c *Catalog) places(r route) []place {
	entries := c.Entries
	if !r.has(anyName) && !r.has(anyHash) {
		entries = nil
		if c.pnp != nil {
			entries = []*Entry{c.pnp}
		}
	}
	var all []place
	for _, e := range entries {
		p := place{name: e.Name}
		records := []*Record{&e.Current.Record}
		if r.has(anyRelease) || r.has(anyHash) {
			records = e.Records()
		}
		for _, record := range records {
			names := []string{""}
			if r.has(anyRelease) {
				names = record.archiveNames()
			}
			for _, p.release = range names {
				p.hash, p.file = "", ""
				if r.has(anyHash) {
					p.hash = record.SHA256
				}
				if !r.has(anyFile) {
					all = append(all, p)
					continue
				}
				p.file = e.FileName()
				all = append(all, p)
				for _, s := range e.sides(record, p.release == "") {
					p.file = s.name(e)
					all = append(all, p)
				}
			}
		}
	}
	return all
}

// route makes the routes of a catalog that is complete. The entry for plug and play is the one that is asked for, else
// the only one, else ios.
func (c *Catalog) route(pnp string) {
	c.routes = routes()
	switch {
	case pnp != "":
		c.pnp = c.Lookup(pnp)
	case len(c.Entries) == 1:
		c.pnp = c.Entries[0]
	default:
		c.pnp = c.Lookup("ios")
	}
	for _, e := range c.Entries {
		if e.header == nil {
			e.header = header(typeBundle, e.Current.Size, e.Current.SHA256, askFirst, e.Current.Modified)
		}
	}
}

// header has the fields of an answer that do not depend on the request.
func header(contentType string, size int, sha256, caching string, modified time.Time) http.Header {
	return http.Header{
		"Content-Type":           {contentType},
		"Content-Length":         {strconv.Itoa(size)},
		"Etag":                   {`"` + sha256 + `"`},
		"Last-Modified":          {modified.Format(http.TimeFormat)},
		"Cache-Control":          {caching},
		"Accept-Ranges":          {"bytes"},
		"X-Content-Type-Options": {"nosniff"},
	}
}

// Paths are those at which a release and what is beside it can be had, the
// bundle's own first. All of them lead to what they are named for now; a later
// catalog may have another release there, but for that with the SHA-256.
func (c *Catalog) Paths(e *Entry, r *Record) []string {
	paths := []string{pathSHA256 + r.SHA256}
	dirs := []string{}
	if r == &e.Current.Record {
		dirs = append(dirs, pathCurrent+e.Name+"/")
		paths[0] = "/" + e.FileName()
	}
	for _, name := range r.archiveNames() {
		dirs = append(dirs, pathArchive+e.Name+"/"+name+"/")
	}
	for i, dir := range dirs {
		if found := c.at(dir + e.FileName()); found == nil || found.record != r {
			continue
		}
		if r != &e.Current.Record {
			paths[0] = dir + e.FileName()
		}
		for _, s := range e.sides(r, i == 0 && r == &e.Current.Record) {
			paths = append(paths, dir+s.name(e))
		}
		break
	}
	return paths
}
