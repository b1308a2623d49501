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

// A resource is what there is at a path: bytes, and the header fields that never
// change.
type resource struct {
	entry   *Entry
	release *Release
	body    []byte
	bundle  bool // body is the release itself

	modified time.Time
	header   http.Header // to be copied, not changed
	counters *counters
}

// How long others may keep an answer: what is named by what it is, for ever; what
// changes, until they have asked again.
const (
	forever  = "public, max-age=31536000, immutable"
	askFirst = "no-cache"
)

func newResource(e *Entry, r *Release, body []byte, contentType, sha256, caching string) *resource {
	return &resource{
		entry: e, release: r, body: body, modified: r.Modified,
		header: http.Header{
			"Content-Type":           {contentType},
			"Content-Length":         {strconv.Itoa(len(body))},
			"Etag":                   {`"` + sha256 + `"`},
			"Last-Modified":          {r.Modified.Format(http.TimeFormat)},
			"Cache-Control":          {caching},
			"Accept-Ranges":          {"bytes"},
			"X-Content-Type-Options": {"nosniff"},
		},
	}
}

// route fills the paths. Of two releases that would have the same one, the newer has
// it.
func (c *Catalog) route(pnp string) {
	c.paths = map[string]*resource{}
	for _, e := range c.Entries {
		current := bundleResource(e, e.Current, askFirst)
		for _, dir := range []string{"/", pathTRS, pathCurrent + e.Name + "/"} {
			c.paths[dir+e.FileName()] = current
		}
		c.addBeside(pathCurrent+e.Name+"/", e, e.Current)
		for _, r := range e.Releases() {
			fixed := bundleResource(e, r, forever)
			c.add(pathSHA256+r.SHA256, fixed)
			for _, dir := range archiveNames(r) {
				dir = pathArchive + e.Name + "/" + dir + "/"
				// A version or a day may come to mean another release after a rollback.
				c.add(dir+e.FileName(), bundleResource(e, r, askFirst))
				c.addBeside(dir, e, r)
			}
		}
	}
	if e := c.pnp(pnp); e != nil {
		current := bundleResource(e, e.Current, askFirst)
		c.paths[pathPnP] = current
		c.paths[pathPnP+"/"] = current
		c.paths[pathPnP+"/cabundle"+extension] = current
	}
}

func (c *Catalog) add(path string, s *resource) {
	if c.paths[path] == nil {
		c.paths[path] = s
	}
}

// Paths are those at which a release and what is beside it can be had, the
// bundle's own first. All of them lead to what they are named for now; a later
// catalog may have another release there, but for that with the SHA-256.
func (c *Catalog) Paths(e *Entry, r *Release) []string {
	paths := []string{pathSHA256 + r.SHA256}
	dirs := []string{pathCurrent + e.Name + "/"}
	for _, name := range archiveNames(r) {
		dirs = append(dirs, pathArchive+e.Name+"/"+name+"/")
	}
	for _, dir := range dirs {
		if s := c.paths[dir+e.FileName()]; s == nil || s.release.SHA256 != r.SHA256 {
			continue
		}
		paths[0] = dir + e.FileName()
		for _, f := range e.beside[r].files {
			paths = append(paths, dir+f.Name)
		}
		break
	}
	if e.Current.SHA256 == r.SHA256 {
		paths[0] = "/" + e.FileName()
	}
	return paths
}

// archiveNames are the directories of a release in the archive: its version, and the
// day of its publication as Cisco writes it.
func archiveNames(r *Release) []string {
	names := []string{r.Modified.Format("20060102")}
	if plain(r.Version) && r.Version != names[0] {
		names = append(names, r.Version)
	}
	return names
}

// addBeside adds what Cisco publishes next to a bundle.
func (c *Catalog) addBeside(dir string, e *Entry, r *Release) {
	for _, f := range e.beside[r].files {
		contentType := typeText
		if strings.HasSuffix(f.Name, ".json") {
			contentType = typeJSON
		}
		c.add(dir+f.Name, newResource(e, r, f.Data, contentType, digest(f.Data), askFirst))
	}
}

func bundleResource(e *Entry, r *Release, caching string) *resource {
	s := newResource(e, r, r.Raw, typeBundle, r.SHA256, caching)
	s.bundle = true
	return s
}

// pnp is the entry for plug and play: the one that is asked for, else the only one,
// else ios.
func (c *Catalog) pnp(name string) *Entry {
	switch {
	case name != "":
		return c.Lookup(name)
	case len(c.Entries) == 1:
		return c.Entries[0]
	default:
		return c.Lookup("ios")
	}
}

// at finds what there is at a path; nil for nothing. Slashes next to each other
// count as one: devices and people write http://host//ios.p7b, and a redirect is
// more than some clients understand.
func (c *Catalog) at(path string) *resource {
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	return c.paths[path]
}
