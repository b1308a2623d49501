package hosting

import (
	"net/http"
	"slices"
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

// pathsPnP are the paths that the plug and play agent asks for.
func pathsPnP() []string { return []string{pathPnP, pathPnP + "/", pathPnP + "/cabundle" + extension} }

// paths are all paths at which there is something of a bundle, in order; at finds what it is. If an older release would have a
// path that a newer one has, it is the newer one's.
func (c *Catalog) paths() (all []string) {
	for _, e := range c.Entries {
		all = append(all, "/"+e.FileName(), pathTRS+e.FileName())
		for r := range e.Records() {
			all = append(all, pathSHA256+r.SHA256)
			for _, dir := range e.directories(r) {
				all = append(all, dir+e.FileName())
				for _, s := range e.sides(r, dir == e.directory()) {
					all = append(all, dir+s.name(e))
				}
			}
		}
	}
	if c.pnp != nil {
		all = append(all, pathsPnP()...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// directory is that of what is current.
func (e *Entry) directory() string { return pathCurrent + e.Name + "/" }

// directories are those of a release: that of what is current, and those of the archive. A version or a day may come to
// mean another release after a rollback.
func (e *Entry) directories(r *Record) (all []string) {
	if r == &e.Current.Record {
		all = append(all, e.directory())
	}
	for _, name := range r.archiveNames() {
		all = append(all, pathArchive+e.Name+"/"+name+"/")
	}
	return all
}

// A resource is what there is at a path.
type resource struct {
	entry   *Entry
	record  *Record
	beside  side // empty for the bundle itself
	caching string
}

// at finds what there is at a path; nil for nothing. Slashes next to each other
// count as one: devices and people write http://host//ios.p7b, and a redirect is
// more than some clients understand.
func (c *Catalog) at(path string) *resource {
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	at := strings.LastIndexByte(path, '/') + 1
	dir, file := path[:at], path[at:]
	var e *Entry
	switch name, ok := strings.CutSuffix(file, extension); {
	case slices.Contains(pathsPnP(), path):
		e = c.pnp
	case dir == pathSHA256:
		return c.hashed(file)
	case ok && (dir == "/" || dir == pathTRS):
		e = c.Lookup(name)
	default:
		return c.inDirectory(dir, file)
	}
	if e == nil {
		return nil
	}
	return &resource{entry: e, record: &e.Current.Record, caching: askFirst}
}

// inDirectory finds what there is in a directory of a release; nil for nothing.
func (c *Catalog) inDirectory(dir, file string) *resource {
	rest, archived := strings.CutPrefix(dir, pathArchive)
	name, release, _ := strings.Cut(strings.TrimPrefix(rest, pathCurrent), "/")
	e := c.Lookup(name)
	if e == nil || !archived && dir != e.directory() {
		return nil
	}
	found := &resource{entry: e, record: &e.Current.Record, caching: askFirst}
	if archived {
		if found.record = e.called(strings.TrimSuffix(release, "/")); found.record == nil {
			return nil
		}
	}
	if file == e.FileName() {
		return found
	}
	for _, found.beside = range e.sides(found.record, !archived) {
		if found.beside.name(e) == file {
			return found
		}
	}
	return nil
}

// hashed finds a release by its SHA-256.
func (c *Catalog) hashed(sum string) *resource {
	for _, e := range c.Entries {
		for r := range e.Records() {
			if r.SHA256 == sum {
				return &resource{entry: e, record: r, caching: forever}
			}
		}
	}
	return nil
}

// called is the newest release with a version, or of a day; nil for none.
func (e *Entry) called(name string) *Record {
	for r := range e.Records() {
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

// route makes a catalog that is complete ready for requests. The entry for plug and play is the one that is asked for, else
// the only one, else ios.
func (c *Catalog) route(pnp string) {
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
			e.header = header(typeBundle, e.Current.Size, e.Current.SHA256, askFirst, e.Current.Modified.Time)
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
	current := r == &e.Current.Record
	if current {
		paths[0] = "/" + e.FileName()
	}
	for _, dir := range e.directories(r) {
		if found := c.at(dir + e.FileName()); found == nil || found.record != r {
			continue
		}
		if !current {
			paths[0] = dir + e.FileName()
		}
		for _, s := range e.sides(r, current) {
			paths = append(paths, dir+s.name(e))
		}
		break
	}
	return paths
}
