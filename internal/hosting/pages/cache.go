package pages

import (
	"sync"

	"trustpool/bundle"
	"trustpool/internal/hosting"
)

// maxParsed is how many certificates are kept parsed, about 0.6 kB each beside the bytes. A version with
// more of them is parsed for each request.
const maxParsed = 20_000

// A cache keeps versions parsed: those asked for last.
type cache struct {
	limits bundle.Limits

	lock   sync.Mutex
	items  map[*hosting.Release]*cached
	used   int // certificates
	clock  int
	parses int // for the tests
}

type cached struct {
	parse func() (*bundle.Bundle, error)
	size  int
	last  int // when it was asked for
}

func (c *cache) get(r *hosting.Release) (*bundle.Bundle, error) { return c.item(r).parse() }

func (c *cache) item(r *hosting.Release) *cached {
	c.lock.Lock()
	defer c.lock.Unlock()
	c.clock++
	if i := c.items[r]; i != nil {
		i.last = c.clock
		return i
	}
	c.parses++
	// Two requests for one that is not there yet parse it once.
	i := &cached{sync.OnceValues(func() (*bundle.Bundle, error) { return c.limits.Parse(r.Raw) }), r.Certificates, c.clock}
	if i.size > maxParsed {
		return i
	}
	for c.used+i.size > maxParsed {
		c.dropOldest()
	}
	if c.items == nil {
		c.items = map[*hosting.Release]*cached{}
	}
	c.items[r] = i
	c.used += i.size
	return i
}

func (c *cache) dropOldest() {
	var oldest *hosting.Release
	for r, i := range c.items {
		if oldest == nil || i.last < c.items[oldest].last {
			oldest = r
		}
	}
	c.used -= c.items[oldest].size
	delete(c.items, oldest)
}
