package pages

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"trustpool/internal/hosting"
)

// Paths of the pages, below hosting.PagesPrefix:
//
//	bundles/NAME                the current version of a bundle, its certificates
//	bundles/NAME/ID             the version whose SHA-256 begins with ID
//	bundles/NAME/ID/SHA256      a certificate
//	compare?from=NAME/ID&to=…   the change between two versions
//	commands?bundle=NAME&…      what to type on devices
//	watch                       the servers that are watched
//	files/…                     what is downloaded; see files.go
const (
	pathBundles  = hosting.PagesPrefix + "bundles/"
	pathCompare  = hosting.PagesPrefix + "compare"
	pathCommands = hosting.PagesPrefix + "commands"
	pathWatch    = hosting.PagesPrefix + "watch"
)

// shortID is how many digits of its SHA-256 name a version.
const shortID = 16

func (p *Pages) answer(r *http.Request, taken *slots) (*response, error) {
	if a, ok := p.assets[r.URL.Path]; ok {
		return &response{http.StatusOK, a.contentType, "", "public, max-age=31536000, immutable", a.data}, nil
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, bad("The query of this URL cannot be read.")
	}
	q := &request{r, query, p.o.Catalog(), p.o.Now().UTC(), taken, p}
	if p.o.Static {
		q.at = time.Time{}
	}
	if err := q.checkFields(); err != nil {
		return nil, err
	}
	switch path := r.URL.Path; path {
	case "/", hosting.PagesPrefix:
		return p.bundlesPage(q)
	case pathCompare:
		return p.comparePage(q)
	case pathCommands:
		return p.commandsPage(q)
	case pathWatch:
		return p.watchPage(q)
	default:
		if rest, ok := strings.CutPrefix(path, hosting.FilesPrefix); ok {
			return p.file(q, strings.Split(rest, "/"))
		}
		if rest, ok := strings.CutPrefix(path, pathBundles); ok {
			return p.bundleOrCertificate(q, strings.Split(rest, "/"))
		}
		return nil, notFound("There is no such page.")
	}
}

func (p *Pages) bundleOrCertificate(q *request, parts []string) (*response, error) {
	e := q.catalog.Lookup(parts[0])
	if e == nil {
		return nil, notFound("No bundle of that name is served.")
	}
	if len(parts) == 1 {
		return p.bundlePage(q, current(e), pathBundles+e.Name)
	}
	v, err := find(q.catalog, parts[0], parts[1])
	if err != nil {
		return nil, err
	}
	switch len(parts) {
	case 2:
		return p.bundlePage(q, v, v.page())
	case 3:
		return p.certificatePage(q, v, parts[2])
	}
	return nil, notFound("There is no such page.")
}

// A version is a release and the bundle that it is one of.
type version struct {
	entry   *hosting.Entry
	release *hosting.Record
}

// current is the version of a bundle that is current.
func current(e *hosting.Entry) version { return version{e, &e.Current.Record} }

func (v version) id() string { return v.release.SHA256[:shortID] }

// key names the version in a form.
func (v version) key() string  { return v.entry.Name + "/" + v.id() }
func (v version) page() string { return pathBundles + v.key() }

// file is the path of a derived file.
func (v version) file(name string) string { return hosting.FilesPrefix + v.key() + "/" + name }

func (v version) current() bool { return v.release == &v.entry.Current.Record }

// find finds a version by the beginning of its SHA-256: the newest, if it was
// published more than once.
func find(c *hosting.Catalog, name, id string) (version, error) {
	e := c.Lookup(name)
	if e == nil {
		return version{}, notFound("No bundle of that name is served.")
	}
	if len(id) >= shortID {
		for r := range e.Records() {
			if strings.HasPrefix(r.SHA256, id) {
				return version{e, r}, nil
			}
		}
	}
	return version{}, notFound("No such version of the bundle is served. It may be older than those that are kept.")
}

// findKey finds a version by its key.
func findKey(c *hosting.Catalog, key string) (version, error) {
	name, id, _ := strings.Cut(key, "/")
	return find(c, name, id)
}

// versions are all of the catalog, by bundle, the newest first.
func versions(c *hosting.Catalog) []version {
	var all []version
	for _, e := range c.Entries {
		for r := range e.Records() {
			all = append(all, version{e, r})
		}
	}
	return all
}
