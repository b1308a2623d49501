package cli

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"trustpool/internal/audit"
	"trustpool/internal/device"
	"trustpool/internal/device/config"
	"trustpool/internal/durable"
	"trustpool/internal/fetch"
	"trustpool/internal/kit"
	"trustpool/internal/report"
	"trustpool/signing"
)

type packing struct {
	trust
	signer
	diffs   []string
	program string // file of --with-program
}

func (a *app) packCommand() *cobra.Command {
	var x packing
	var quiet bool
	cmd := &cobra.Command{
		Use:   "pack FILE… -o KIT.tar",
		Short: "Make a kit of bundles, to carry them to a place without a network",
		Long: `Make one tar file of bundles and of what goes with them: each bundle byte for
byte, its certificates as PEM, its audit, the commands for each platform, the
changes since the bundle that was carried last (--diff OLD), sums, a manifest,
and verify.sh, which checks it with openssl alone. trustpool receive proves a
kit; --with-program carries it to where it is missing, as program/NAME.

Each bundle must be verified, under --root or Cisco's roots; no other is packed,
and no flag changes that. --sign signs the manifest, so that who knows the root
of that key can trust the other files too.

The same files make the same kit; the audit judges dates at --at, so give it for
the same bytes on another day. The files in a kit have the time of
SOURCE_DATE_EPOCH, else that of the newest signature of the bundles; the
manifest says which.

Exit status: 0, or 1 if a bundle is not verified.`,
		Example: `  trustpool pack ios.p7b -o kit.tar
  trustpool pack ios.p7b ios_core.p7b --diff carried/ios.p7b -o kit.tar
  trustpool pack ios.p7b --sign kit-key.pem --cert kit-chain.pem -o kit.tar`,
		Args: oneOrMore("FILE"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			defer debug.SetGCPercent(debug.SetGCPercent(packGarbage))
			items, o, err := x.prepare(cmd.Context(), a, args)
			if err != nil {
				return err
			}
			if o.Signer != nil {
				defer func() { err = errors.Join(err, o.Signer.Close()) }()
			}
			sum, size := sha256.New(), counter(0)
			write := func(w io.Writer) error {
				p := a.progress(nothing, "packing %s", a.output)
				defer p.done()
				out := bufio.NewWriterSize(w, 1<<20)
				return errors.Join(kit.Pack(io.MultiWriter(out, sum, &size), items, o), out.Flush())
			}
			if a.output == "-" {
				err = write(a.env.Stdout)
			} else {
				err = a.onDisk(func(disk *durable.Disk) error { return disk.Write(a.output, 0o644, write) })
			}
			if refused := (*signing.VerifyError)(nil); errors.As(err, &refused) {
				a.warn("not packed: %v", err)
				return errNo
			}
			if err != nil {
				return err
			}
			if size > fetch.DefaultMaxBytes {
				a.warn("hint: %s", hintSize(int64(size)))
			}
			if quiet || a.output == "-" {
				return nil
			}
			_, err = fmt.Fprintf(a.env.Stdout, "%s: %s, %d bytes, SHA-256 %x\n", report.Printable(a.output), report.Count(len(items), "bundle"), size, sum.Sum(nil))
			return err
		},
	}
	f := cmd.Flags()
	f.StringVarP(&a.output, "output", "o", "", "write to `KIT.tar`, whole or not at all; - is standard output")
	required(cmd, "output")
	f.BoolVarP(&quiet, "quiet", "q", false, "do not say what was written")
	f.StringArrayVar(&x.diffs, "diff", nil, "tell the changes since `OLD`, the bundle of the same signed name that was carried last (repeatable)")
	f.StringVar(&x.program, "with-program", "", "put the program `FILE` into the kit, for whoever receives it: a released trustpool")
	x.trust.flags(cmd)
	x.signer.flags(cmd, "sign", "sign the manifest with `KEY`")
	return cmd
}

// hintSize is what to do with a kit that is larger than receive takes by default.
func hintSize(bytes int64) string {
	return fmt.Sprintf("the kit has more than %dM: receive it with --max-size %dM", fetch.DefaultMaxBytes>>20, (bytes+1<<20-1)>>20)
}

// packGarbage is how much garbage pack lets gather, in percent of what is in use. It holds every bundle, and these the
// collector passes over at once: to run often costs little time and saves the space of as many bundles again.
const packGarbage = 25

// prepare reads what goes into the kit.
func (x *packing) prepare(ctx context.Context, a *app, args []string) (items []kit.Item, o kit.PackOptions, err error) {
	o = kit.PackOptions{At: x.at.or(a.env.Now), ShowAt: x.at.given}
	fail := func(err error) ([]kit.Item, kit.PackOptions, error) { return nil, kit.PackOptions{}, err }
	if o.Epoch, err = a.sourceDateEpoch(); err != nil {
		return fail(err)
	}
	if o.Anchors, err = x.chosen(ctx, a); err != nil {
		return fail(err)
	}
	if x.program != "" {
		if o.Program, err = readProgram(x.program); err != nil {
			return fail(fmt.Errorf("--with-program: %w", err))
		}
	}
	for _, arg := range args {
		it, err := x.item(ctx, a, arg)
		if err != nil {
			return fail(err)
		}
		items = append(items, it)
	}
	if err := x.pair(ctx, a, items); err != nil {
		return fail(err)
	}
	for i := range items {
		if err := x.audit(ctx, a, &items[i]); err != nil {
			return fail(fmt.Errorf("%s: %w", items[i].Name, err))
		}
	}
	if o.Commands, err = commands(items); err != nil {
		return fail(err)
	}
	if x.key == "" && (x.cert != "" || x.chain != "") {
		return fail(errors.New("--cert and --chain are for --sign KEY, which is missing"))
	}
	if x.key != "" {
		if o.Signer, err = x.identity(ctx, a); err != nil {
			return fail(err)
		}
	}
	return items, o, nil
}

// readProgram reads a program for whoever receives a kit.
func readProgram(path string) (*kit.Program, error) {
	p := &kit.Program{Name: filepath.Base(path)}
	if err := kit.CheckName(p.Name); err != nil {
		return nil, err
	}
	var err error
	if p.Data, err = fetch.ReadAtMost(path, kit.MaxFile); err != nil {
		return nil, err
	}
	switch {
	case len(p.Data) == 0:
		return nil, fmt.Errorf("%s: empty file", path)
	case len(p.Data) > kit.MaxFile:
		return nil, fmt.Errorf("%s: more than %d bytes", path, kit.MaxFile)
	}
	return p, nil
}

type counter int64

func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}

// item is a bundle to pack under the name of its file.
func (x *packing) item(ctx context.Context, a *app, arg string) (kit.Item, error) {
	b, name, err := a.read(ctx, arg)
	if err != nil {
		return kit.Item{}, err
	}
	base := filepath.Base(name)
	if u, err := url.Parse(name); fetch.IsURL(name) && err == nil {
		base = path.Base(u.Path)
	}
	b, wrapped := b.Unwrap()
	if wrapped {
		a.warn("%s: text around DER: the DER within is packed, which devices read", label(name))
	}
	it := kit.Item{Bundle: b, Name: strings.TrimSuffix(base, ".p7b")}
	if err := kit.CheckName(it.Name); err != nil {
		return it, hinted{fmt.Errorf("%s: %w", label(name), err), "give the file a name such as ios.p7b"}
	}
	return it, nil
}

// pair gives each bundle the one of --diff that claims the same name; kit.Pack
// verifies both.
func (x *packing) pair(ctx context.Context, a *app, items []kit.Item) error {
	for _, arg := range x.diffs {
		old, name, err := a.read(ctx, arg)
		if err != nil {
			return fmt.Errorf("--diff: %w", err)
		}
		i := slices.IndexFunc(items, func(it kit.Item) bool { return it.Bundle.Name == old.Name })
		if i < 0 {
			return fmt.Errorf("--diff %s: it is called %q, and none of the bundles to pack is", label(name), old.Name)
		}
		if items[i].Old != nil {
			return fmt.Errorf("--diff %s: there are two of %q", label(name), old.Name)
		}
		items[i].Old = old
	}
	return nil
}

// audit gives a bundle its audit, against the one that was carried last. Its name
// in there is that in the kit: where it came from is no concern of the receiver.
func (x *packing) audit(ctx context.Context, a *app, it *kit.Item) error {
	s, err := x.subject(ctx, a, it.Name+".p7b", it.Bundle)
	if err != nil {
		return err
	}
	if it.Old != nil {
		if s.Against, err = x.subject(ctx, a, it.Name+".p7b, carried last", it.Old); err != nil {
			return err
		}
	}
	p := a.progress(nothing, "auditing %s", it.Name)
	defer p.done()
	r, err := audit.Run(*s, audit.Criteria{At: x.at.or(a.env.Now)})
	if err != nil {
		return err
	}
	r.At, r.FailOn = x.at.chosen(), audit.Error
	it.AuditHTML, it.AuditText = r.WriteHTML, r.WriteText
	return nil
}

// commands are, for each platform, what to type for each bundle once it is on the
// device.
func commands(items []kit.Item) ([]kit.Commands, error) {
	var out []kit.Commands
	for _, p := range device.Platforms() {
		var text bytes.Buffer
		for i, it := range items {
			s, err := config.New(config.Options{Platform: p, File: onDevice(p.Name) + it.Name + ".p7b"})
			if err != nil {
				return nil, fmt.Errorf("%s: commands for %s: %w", it.Name, p.Name, err)
			}
			if i > 0 {
				text.WriteString("\n")
			}
			if err := s.WriteText(&text); err != nil {
				return nil, err
			}
			if s.Refused != "" {
				break // the same for every bundle
			}
		}
		out = append(out, kit.Commands{Platform: p.Name, Text: text.Bytes()})
	}
	return out, nil
}

// onDevice is where a file is usually put on a device.
func onDevice(platform string) string {
	switch platform {
	case "iosxr":
		return "/tmp/"
	case "asa":
		return "disk0:/"
	}
	return "flash:"
}
