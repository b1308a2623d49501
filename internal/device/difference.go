package device

import (
	"trustpool/bundle"
	"trustpool/internal/pool"
	"trustpool/internal/report"
)

// A PoolDiff is how a pool differs from a bundle. Each certificate of the bundle
// counts once, and so does each entry of the pool that is known to be another.
type PoolDiff struct {
	PoolFile, File string           // for the caller to set: what the user called the pool and the bundle
	Signature      string           // for the caller to set, as of a bundle.Side
	Evidence       *report.Evidence // for the caller to set: what it rests on; nil for nothing

	Platform     string // of the pool
	Entries      int    // of the pool
	Certificates int    // entries of the bundle

	Missing []bundle.DiffEntry // of the bundle and not in the pool, in its order
	Extra   []PoolExtra        // of the pool and not in the bundle, in its order
	Common  []PoolCommon       // in both, in the order of the bundle
}

// A PoolExtra is an entry of a pool that is not in the bundle.
type PoolExtra struct {
	Index int // from 1
	Entry *pool.Entry
}

// A PoolCommon is a certificate that is in both.
type PoolCommon struct {
	bundle.DiffEntry
	PoolIndex int      // of the entry, from 1
	By        pool.Key // what showed that they are the same
}

// Same reports whether the pool has the certificates of the bundle, and no others.
func (d *PoolDiff) Same() bool { return len(d.Missing) == 0 && len(d.Extra) == 0 }

// Compare finds how a pool differs from a bundle, in linear time. An element of
// the bundle that is not a certificate is passed over: no device has it. An entry of
// the pool that could not be matched is an error.
func Compare(p *pool.Pool, b *bundle.Bundle) (*PoolDiff, error) {
	index, err := p.Index()
	if err != nil {
		return nil, err
	}
	d := &PoolDiff{Platform: p.Platform, Entries: len(p.Entries), Certificates: len(b.Certificates)}
	seen := make(map[[32]byte]bool, len(b.Certificates))
	matched := make([]bool, len(p.Entries))
	for i, c := range b.Certificates {
		if c.Err != nil || seen[c.SHA256] {
			continue
		}
		seen[c.SHA256] = true
		at, key := index.Find(c)
		if key == "" {
			d.Missing = append(d.Missing, bundle.DiffEntry{Index: i + 1, Certificate: c})
			continue
		}
		matched[at] = true
		d.Common = append(d.Common, PoolCommon{bundle.DiffEntry{Index: i + 1, Certificate: c}, at + 1, key})
	}
	for i := range p.Entries {
		if index.First(i) == i && !matched[i] {
			d.Extra = append(d.Extra, PoolExtra{i + 1, &p.Entries[i]})
		}
	}
	return d, nil
}
