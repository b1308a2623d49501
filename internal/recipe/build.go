package recipe

import (
	"context"
	"errors"
	"fmt"
	"time"

	"trustpool/bundle"
	"trustpool/internal/feed"
	"trustpool/internal/fetch"
	"trustpool/signing"
)

// A File is one file of a path, a pattern, a directory or a URL, or an output.
type File = fetch.File

// BuildOptions are what a build takes from the world.
type BuildOptions struct {
	// Open gives the files of a path or URL that a recipe names; a pattern gives
	// all that match, in byte order of their names.
	Open func(ctx context.Context, name string) ([]File, error)
	// System gives the root store of this machine.
	System func(ctx context.Context) ([]File, error)
	// Identity gives the key and certificates of the recipe's signer.
	Identity func(ctx context.Context, s *Signer) (*signing.Identity, error)
	// Unreadable, if set, is told of a file that cannot be read, and reports whether
	// to go on without it.
	Unreadable func(name string, err error) bool
	Limits     bundle.Limits
	// At is when the build is made: the signing time, and the time at which the
	// signatures of sources and the ends of exclusions are judged.
	At time.Time
}

// A Product is what a build makes. Nothing of it is written yet.
type Product struct {
	*Selection
	Lock  *Lock
	Files []File // with their names in the output directory
}

// Build selects the certificates, signs them and encodes the outputs.
func (r *Recipe) Build(ctx context.Context, o BuildOptions) (*Product, error) {
	result, err := r.Select(ctx, o)
	if err != nil {
		return nil, err
	}
	p := &Product{Selection: result, Lock: result.Lock(r)}
	if p.Files, err = r.encode(ctx, result, o); err != nil {
		return nil, err
	}
	return p, nil
}

func (r *Recipe) encode(ctx context.Context, result *Selection, o BuildOptions) (files []File, err error) {
	pool := &bundle.Bundle{Claims: bundle.Claims{Name: r.Name, Version: r.Version}}
	for _, e := range result.Entries {
		pool.Certificates = append(pool.Certificates, e.Certificate)
	}
	at := o.At.UTC().Truncate(time.Second)
	add := func(name string, encode func() ([]byte, error)) {
		if name == "" || err != nil {
			return
		}
		var data []byte
		if data, err = encode(); err != nil {
			err = fmt.Errorf("output %s: %w", name, err)
			return
		}
		files = append(files, File{Name: name, Data: data})
	}
	add(r.Outputs.Signed, func() ([]byte, error) {
		id, err := o.Identity(ctx, r.Signer)
		if err != nil {
			return nil, err
		}
		out, err := signing.Sign(pool, id, signing.SignOptions{Name: r.Name, Version: r.Version, Time: at})
		return out, errors.Join(err, id.Close())
	})
	add(r.Outputs.CertsOnly, func() ([]byte, error) { return bundle.EncodeCertsOnly(pool.Certificates) })
	add(r.Outputs.PEM, func() ([]byte, error) { return pemFile(result.Entries), nil })
	add(r.Outputs.JKS, func() ([]byte, error) { return feed.JKS(pool.Certificates, at) })
	add(r.Outputs.PKCS12, func() ([]byte, error) { return pkcs12File(result.Entries) })
	if err != nil || !r.Outputs.Cisco {
		return files, err
	}
	previous, err := r.previous(ctx, o)
	if err != nil {
		return nil, err
	}
	side, err := r.encodeSide(files[0].Data, pool, previous, at) // the bundle comes first
	if err != nil {
		return nil, err
	}
	return append(files, side...), nil
}

// previous is the bundle that this one follows, nil for none.
func (r *Recipe) previous(ctx context.Context, o BuildOptions) (*bundle.Bundle, error) {
	if r.Outputs.Previous == "" {
		return nil, nil
	}
	files, err := o.Open(ctx, r.Outputs.Previous)
	if err != nil {
		return nil, fmt.Errorf("previous: %w", err)
	}
	if len(files) != 1 {
		return nil, fmt.Errorf("previous: %s is not one file", r.Outputs.Previous)
	}
	b, err := o.Limits.Parse(files[0].Data)
	if err != nil {
		return nil, fmt.Errorf("previous: %s: %w", files[0].Name, err)
	}
	return b, nil
}
