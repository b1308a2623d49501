package hosting

import (
	"context"
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
	// Data gives the bytes, which were verified, or made of what was. Those of an older release are read for it; the
	// error is, or wraps, a *BadReleaseError if it is not good any more.
	Data func(context.Context) ([]byte, error)
}

// Files returns everything that devices and mirrors can ask for, in the order of the paths: what a [Server] answers from
// a catalog, but for what depends on the time or the request.
func (c *Catalog) Files() []File {
	var all []File
	for _, path := range c.paths() {
		f := c.at(path)
		all = append(all, File{
			Path: path, ContentType: f.contentType(), Modified: f.record.Modified, Bundle: f.beside == "", Forever: f.caching == forever,
			Data: func(ctx context.Context) ([]byte, error) {
				b, err := hold(c.body(ctx, f))
				if err != nil {
					return nil, err
				}
				return b.data, nil
			},
		})
	}
	return all
}
