package cli

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"trustpool/internal/durable"
	"trustpool/internal/fetch"
	"trustpool/internal/kit"
	"trustpool/internal/store"
	"trustpool/roots"
)

type receiving struct {
	trust
	kitRoots, previous []string
	store              string
	trusted            []roots.Anchor // by --root, or built in
	dryRun             bool
	dir                string // of --output
	as                 printing
}

func (a *app) receiveCommand() *cobra.Command {
	var x receiving
	cmd := &cobra.Command{
		Use:   "receive KIT.tar -o DIR|--store URL|--dry-run",
		Short: "Prove a kit, and unpack or publish it",
		Long: `Prove a kit that pack made, without network: that it is what pack makes and
holds nothing else; the sums; the signature of each bundle, under --root or
Cisco's roots; with --kit-root the signature of the manifest, which covers every
file; and that no bundle is older than those of --previous. Then unpack it to
DIR, which must not be there: all of it, or nothing. Or publish its bundles in a
store, if the gate of publish lets all of them pass.

Without --kit-root the files other than the bundles are what the sender wrote,
and the report says so. Whose kits are trusted is not built in.

Exit status: 0, or 1 if the kit is refused, or the store refuses it; then
nothing is written.`,
		Example: `  trustpool receive kit.tar --dry-run
  trustpool receive kit.tar --previous kits/2026-10 -o kits/2026-11
  trustpool receive kit.tar --kit-root kit-root.pem --store /srv/trustpool`,
		Args: arguments("KIT.tar"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if x.dir == "" && x.store == "" && !x.dryRun {
				return hinted{errors.New("receive: nothing says where to"), "give -o DIR, --store URL, or --dry-run to prove the kit only"}
			}
			tar, name, closed, err := a.openTar(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			defer closed()
			k, r, err := x.prove(cmd.Context(), a, tar, name)
			if err != nil {
				return err
			}
			yes := false
			if k != nil {
				err := a.guard(cmd.Context(), func(ctx context.Context) (err error) {
					yes, err = x.put(ctx, a, k, r)
					return err
				})
				if err != nil {
					return err
				}
			}
			return a.answer(yes, x.as, printings{"": r.WriteText, "json": r.WriteJSON})
		},
	}
	f := cmd.Flags()
	f.StringVarP(&x.dir, "output", "o", "", "unpack to `DIR`, which must not be there yet")
	f.StringVar(&x.store, "store", "", "publish its bundles in the store at `URL`: a directory, or s3://BUCKET/PREFIX")
	f.BoolVar(&x.dryRun, "dry-run", false, "write nothing, and say what would happen")
	x.trust.flags(cmd)
	f.StringArrayVar(&x.kitRoots, "kit-root", nil, "the kit must be signed under `FILE|SHA256`: the root of those who sign kits (repeatable)")
	f.StringArrayVar(&x.previous, "previous", nil, "refuse bundles older than `FILE|DIR`: a bundle, or a kit that was unpacked (repeatable)")
	x.as.flags(cmd, "json", "quiet")
	exclusive(cmd, "output", "store")
	return cmd
}

// put unpacks or publishes a kit that was proved, and reports whether the store took it.
func (x *receiving) put(ctx context.Context, a *app, k *kit.Kit, r *kit.Report) (yes bool, err error) {
	r.DryRun = x.dryRun
	p := a.progress(nothing, "writing to %s", cmp.Or(x.store, x.dir))
	defer p.done()
	switch {
	case x.store != "":
		s, err := a.openStore(x.store)
		if err != nil {
			return false, err
		}
		done, err := k.Publish(ctx, s, store.PublishOptions{
			Anchors: x.trusted, At: x.at.or(a.env.Now), Now: a.env.Now(), From: r.File, DryRun: x.dryRun, Limits: a.limits,
		})
		_, refused := errors.AsType[*store.RefusedError](err)
		if err != nil && !refused {
			return false, err
		}
		r.Published(x.store, done)
		return !refused, nil
	case !x.dryRun:
		if err := a.onDisk(func(disk *durable.Disk) error { return k.Unpack(disk, x.dir) }); err != nil {
			return false, err
		}
		r.Unpacked = &x.dir
	}
	return true, nil
}

// prove opens a kit; it is nil if it is refused.
func (x *receiving) prove(ctx context.Context, a *app, tar *io.SectionReader, name string) (*kit.Kit, *kit.Report, error) {
	o := kit.OpenOptions{At: x.at.or(a.env.Now)}
	var err error
	if o.Anchors, err = x.chosen(ctx, a); err != nil {
		return nil, nil, err
	}
	if o.KitAnchors, err = a.readAnchors(ctx, "--kit-root", x.kitRoots); err != nil {
		return nil, nil, err
	}
	for _, arg := range x.previous {
		p, err := a.readPrevious(ctx, arg)
		if err != nil {
			return nil, nil, fmt.Errorf("--previous: %w", err)
		}
		o.Previous = append(o.Previous, p...)
	}
	x.trusted = o.Anchors
	p := a.progress(nothing, "proving %s", name)
	defer p.done()
	k, err := kit.Open(tar, tar.Size(), o)
	var refused *kit.Refusal
	if err != nil && !errors.As(err, &refused) {
		return nil, nil, err
	}
	sum := sha256.New() // of a kit that is refused, too
	if _, err := io.Copy(sum, tar); err != nil {
		return nil, nil, err
	}
	r := kit.NewReport(k, [sha256.Size]byte(sum.Sum(nil)), refused, x.at.chosen())
	r.File = name
	return k, &r, nil
}

// openTar opens what is to be a kit, and says what reports call it. One on disk is not held in memory.
func (a *app) openTar(ctx context.Context, arg string) (tar *io.SectionReader, name string, closed func() error, err error) {
	if fi, err := os.Stat(arg); err == nil && fi.Mode().IsRegular() {
		if limit := cmp.Or(a.limits.Bytes, fetch.DefaultMaxBytes); fi.Size() > limit {
			return nil, "", nil, &fetch.TooLargeError{Name: arg, Size: fi.Size(), Limit: limit}
		}
		f, err := os.Open(arg)
		if err != nil {
			return nil, "", nil, err
		}
		return io.NewSectionReader(f, 0, fi.Size()), arg, f.Close, nil
	}
	f, err := a.fetchOne(ctx, arg, nil, "a kit", "give the tar file of pack")
	return io.NewSectionReader(bytes.NewReader(f.Data), 0, int64(len(f.Data))), f.Name, func() error { return nil }, err
}

// readPrevious reads the bundles that are here: one, those of a kit that was
// unpacked, or those of a directory.
func (a *app) readPrevious(ctx context.Context, arg string) ([]kit.Previous, error) {
	paths := []string{arg}
	if fi, err := os.Stat(arg); err == nil && fi.IsDir() {
		paths = nil
		for _, dir := range []string{arg, filepath.Join(arg, "bundles")} {
			found, err := os.ReadDir(dir)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
			for _, f := range found {
				if filepath.Ext(f.Name()) == ".p7b" {
					paths = append(paths, filepath.Join(dir, f.Name()))
				}
			}
		}
		if paths == nil {
			return nil, fmt.Errorf("%s: no *.p7b in it, nor in its bundles", arg)
		}
	}
	var out []kit.Previous
	for _, path := range paths {
		b, name, err := a.read(ctx, path)
		if err != nil {
			return nil, err
		}
		out = append(out, kit.Previous{File: name, Bundle: b})
	}
	return out, nil
}
