package hosting

import (
	"cmp"
	"slices"
	"time"
)

// A File is what a catalog has at a path.
type File struct {
	Path        string // as in a URL: /ios.p7b
	ContentType string
	Modified    time.Time // what Last-Modified says
	// Bundle reports whether the bytes are those of a release, as signed.
	Bundle bool
	// Forever reports whether no other bytes will ever be at the path.
	Forever bool
	Data    func() ([]byte, error)
}

// Files returns everything that devices and mirrors can ask for, in the order of the paths: what a [Server] answers from
// a catalog, but for what depends on the time or the request.
func (c *Catalog) Files() []File {
	all := make([]File, 0, len(c.paths))
	for path, s := range c.paths {
		all = append(all, File{
			Path: path, ContentType: s.header.Get("Content-Type"), Modified: s.modified, Bundle: s.bundle,
			Forever: s.header.Get("Cache-Control") == forever, Data: func() ([]byte, error) { return s.body, nil },
		})
	}
	slices.SortFunc(all, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	return all
}
