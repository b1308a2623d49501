package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"trustpool/bundle"
	"trustpool/internal/device"
	"trustpool/internal/device/show"
	"trustpool/internal/fetch/text"
	"trustpool/internal/pool"
	"trustpool/internal/report"
)

func (a *app) poolCommand() *cobra.Command {
	return parent("pool", "Read what a device shows of its pool, and print a pool as it would",
		"trustpool pool read FILE --platform NAME, or trustpool pool show POOL", a.poolReadCommand(), a.poolShowCommand())
}

func (a *app) poolShowCommand() *cobra.Command {
	var platform, style string
	var with []string
	cmd := &cobra.Command{
		Use:   "show POOL|--platform NAME",
		Short: "Print a pool as the device would",
		Long: `Print a pool in the words of show crypto pki trustpool (iosxe) or of show crypto
ca trustpool (iosxr), with what is built in. POOL is a pool file of import
--save or pool read --save; --platform prints what a device has from the
factory. The style is the pool's own unless --style names another.

A pool file has what the device showed: --with gives bundles with the
certificates, and then all is there that a device shows. What is not known is
left out, and said so.`,
		Example: `  trustpool pool show edge1.json --style iosxe
  trustpool pool show --platform iosxr`,
		Args: func(cmd *cobra.Command, args []string) error {
			if platform != "" {
				return arguments()(cmd, args)
			}
			return arguments("POOL")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			var p *pool.Pool
			name := "the pool"
			if platform != "" {
				known, err := device.Lookup(platform)
				if err != nil {
					return fmt.Errorf("--platform: %w", err)
				}
				if p = known.BuiltIn(); len(p.Entries) == 0 {
					return fmt.Errorf("--platform: what is built into %s is not known", known.Title)
				}
			} else {
				b := (*bundle.Bundle)(nil)
				var err error
				if p, b, name, err = a.readEither(cmd.Context(), args[0]); err != nil {
					return err
				}
				if b != nil {
					return hinted{fmt.Errorf("%s: not a pool file but a bundle", label(name)), "trustpool inspect --style prints one in a device's words"}
				}
			}
			words, ok := show.Lookup(cmp.Or(style, map[string]string{"ios": "iosxe"}[p.Platform], p.Platform))
			if !ok && style != "" {
				return fmt.Errorf("--style: no style is called %q: give iosxe or iosxr", style)
			}
			if !ok {
				return fmt.Errorf("what %s shows of its pool is not known: give --style iosxe or iosxr", p.Platform)
			}
			sources, err := a.poolSources(cmd.Context(), with)
			if err != nil {
				return err
			}
			p.Identify(sources...)
			list, incomplete := p.Show(words)
			if incomplete > 0 {
				a.warn("%s: of %s not all is known that a device shows", label(name), report.Count(incomplete, "entry"))
			}
			return a.write(func(w io.Writer) error { return show.Print(w, words, list) })
		},
	}
	f := cmd.Flags()
	f.StringVar(&platform, "platform", "", "print what is built into the platform `NAME`")
	f.StringVar(&style, "style", "", "print what a device of the kind `NAME`, iosxe or iosxr, would show of these certificates")
	f.StringArrayVar(&with, "with", nil, "look for the certificates of the pool in `BUNDLE`, any FILE of certificates (repeatable)")
	a.outputFlag(cmd)
	return cmd
}

func (a *app) poolReadCommand() *cobra.Command {
	var t trust
	var with []string
	var platform, against, save string
	var as printing
	cmd := &cobra.Command{
		Use:   "read [FILE] --platform NAME",
		Short: "Read what a device shows of its pool",
		Long: `Read what a device shows of its pool, and say what is in it: built-in and
downloaded certificates, and which have expired.

NAME is iosxr (show crypto ca trustpool), or iosxe or ios (show crypto pki
trustpool), or nxos (by its documented fields). FILE is the session as it was
captured: prompts, --More--, other commands, log messages, times and marks of
quotation before each line do no harm, nor what a playbook made of it in JSON.
A lost line is an error.

IOS XR shows a SHA-1 fingerprint. IOS XE shows none, so a certificate is matched
by its serial number, names and dates, and the report says so. --with gives the
certificates to look for; --against also says what differs from a bundle.

--save writes a pool file for import --pool, diff and audit. It is no more
certain than the capture: whoever can alter the text can make it say anything.

Exit status: 0, or 1 if --against finds a difference.`,
		Example: `  trustpool pool read edge1.log --platform iosxr --with ios.p7b
  trustpool pool read edge1.log --platform iosxe --against ios_core.p7b
  trustpool pool read edge1.log --platform iosxe --with roots/ --save edge1.json`,
		Args: a.oneFile("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := device.Lookup(platform)
			if err != nil {
				return fmt.Errorf("--platform: %w", err)
			}
			l, err := a.readListing(cmd.Context(), orStdin(args)[0], p, &t)
			if err != nil {
				return err
			}
			if err := a.identify(cmd.Context(), l, with, against, &t); err != nil {
				return err
			}
			yes := l.Difference == nil || l.Difference.Same()
			of := printings{"": l.WriteText, "json": func(w io.Writer) error { return l.WriteJSON(w, t.at.given) }}
			if save != "" {
				return a.answerWith(yes, as, of, save, l.Pool().WriteJSON)
			}
			return a.answer(yes, as, of)
		},
	}
	f := cmd.Flags()
	f.StringVar(&platform, "platform", "", "the device's `NAME`: iosxe, ios, iosxr or nxos")
	required(cmd, "platform")
	f.StringArrayVar(&with, "with", nil, "look for the certificates of the pool in `BUNDLE`, any FILE of certificates (repeatable)")
	f.StringVar(&against, "against", "", "say what differs from `BUNDLE`, and look there too")
	t.flags(cmd)
	f.StringVar(&save, "save", "", "write the pool to `FILE`, for import --pool, diff and audit")
	as.flags(cmd, "json", "quiet")
	a.outputFlag(cmd)
	return cmd
}

func (a *app) readListing(ctx context.Context, arg string, p device.Platform, t *trust) (*device.Listing, error) {
	name, data, err := a.fetchText(ctx, arg, sniffText, "a capture", "give one file: what one device shows")
	if err != nil {
		return nil, err
	}
	l, err := device.ReadListing(data, p, t.at.or(a.env.Now))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", label(name), err)
	}
	l.File = name
	return l, nil
}

// sniffText refuses what is not text by its beginning.
func sniffText(prefix []byte) (int64, error) { return 0, text.Sniff(prefix) }

// identify looks for the certificates of a listing, and compares it.
func (a *app) identify(ctx context.Context, l *device.Listing, with []string, against string, t *trust) error {
	sources, err := a.poolSources(ctx, with)
	if err != nil {
		return err
	}
	if against == "" {
		if len(sources) > 0 {
			l.Identify(sources...)
		}
		return nil
	}
	b, name, err := a.read(ctx, against)
	if err != nil {
		return fmt.Errorf("--against: %w", err)
	}
	l.Identify(append(sources, pool.Source{Name: name, Certificates: b.Certificates})...)
	l.Difference, err = t.comparePool(ctx, a, l.Pool(), l.File, b, name)
	return err
}

// poolSources reads the bundles of --with, in which the certificates of a pool may be.
func (a *app) poolSources(ctx context.Context, with []string) (sources []pool.Source, err error) {
	for _, arg := range with {
		b, name, err := a.read(ctx, arg)
		if err != nil {
			return nil, fmt.Errorf("--with: %w", err)
		}
		sources = append(sources, pool.Source{Name: name, Certificates: b.Certificates})
	}
	return sources, nil
}

// comparePool compares a pool with a bundle, and judges the signature of that.
func (t *trust) comparePool(ctx context.Context, a *app, p *pool.Pool, poolName string, b *bundle.Bundle, name string) (*device.PoolDiff, error) {
	d, err := device.Compare(p, b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", label(poolName), err)
	}
	d.PoolFile, d.File = poolName, name
	d.Signature, err = t.summary(ctx, a, b)
	return d, err
}
