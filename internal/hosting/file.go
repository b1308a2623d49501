package hosting

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// A File is what is at a path, as a file of a site.
type File struct {
	Name        string // the path without its first slash: security/pki/trs/ios.p7b
	ContentType string
	Modified    time.Time // of a release, as signed; zero for what is made here
	Forever     bool      // no other bytes will ever have the name
	Size        int64
	SHA256      string                                // in hex
	Data        func(context.Context) ([]byte, error) // makes it once more: not all are in memory
}

// Files returns everything that devices and mirrors can ask for, in the order of the paths: what a [Server] answers from
// a catalog, but for what depends on the time or the request. What is of a release that is not good any more is left out;
// bad counts it.
func (c *Catalog) Files(ctx context.Context) (all []File, bad int, err error) {
	for _, path := range c.paths() {
		f := c.at(path)
		b, err := hold(c.body(ctx, f))
		if _, gone := errors.AsType[*BadReleaseError](err); gone {
			bad++
			continue
		}
		if err != nil {
			return nil, 0, fmt.Errorf("%s: %w", path, err)
		}
		file := File{Name: strings.TrimPrefix(path, "/"), ContentType: f.beside.contentType(), Forever: f.caching == forever, Size: int64(len(b.data)), SHA256: b.sha256}
		if f.beside == "" {
			file.Modified = f.record.Modified.Time
		}
		file.Data = func(ctx context.Context) ([]byte, error) {
			b, err := hold(c.body(ctx, f))
			if err != nil {
				return nil, err
			}
			return b.data, nil
		}
		all = append(all, file)
	}
	return all, bad, nil
}
