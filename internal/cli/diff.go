package cli

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"

	"trustpool/bundle"
	"trustpool/internal/feed"
	"trustpool/internal/inspect"
	"trustpool/internal/pool"
)

func (a *app) diffCommand() *cobra.Command {
	var t trust
	var as printing
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Say what changed between two bundles, or a pool and a bundle",
		Long: `Say what changed between two bundles: certificates added and removed, re-issued
(same key and name) and re-keyed (same name, another key), and changes of
signature, name, version and signer. The order of a file does not count.

OLD or NEW may be a pool file of import --save or pool read --save. Then it says
what of the bundle is missing on the device, what is on the device only, and by
what the others were matched.

Exit status: 0, or 1 if the pools differ.`,
		Example: `  trustpool diff old/ios.p7b new/ios.p7b
  trustpool diff old/ios.p7b new/ios.p7b --markdown -o change.md
  trustpool diff edge1.json ios.p7b`,
		Args: arguments("OLD", "NEW"),
		RunE: func(cmd *cobra.Command, args []string) error {
			a.gather(as, &t.at)
			var sides [2]struct {
				bundle *bundle.Bundle
				pool   *pool.Pool
				name   string
			}
			for i, arg := range args {
				s := &sides[i]
				var err error
				if s.pool, s.bundle, s.name, err = a.readEither(cmd.Context(), arg); err != nil {
					return err
				}
			}
			old, newer := &sides[0], &sides[1]
			if newer.pool != nil {
				old, newer = newer, old
			}
			switch {
			case newer.pool != nil:
				return hinted{errors.New("both are pools of devices, and one side has to be a bundle"), "compare each with the bundle that both should have"}
			case old.pool != nil && as != "" && as != "json" && as != "quiet":
				return errors.New("--markdown and --cisco-json are for two bundles, not for a pool")
			case old.pool != nil:
				d, err := t.comparePool(cmd.Context(), a, old.pool, old.name, newer.bundle, newer.name)
				if err != nil {
					return err
				}
				d.Evidence = a.evidence
				return a.answer(d.Same(), as, printings{"": d.WriteText, "json": d.WriteJSON})
			}
			d := inspect.Diff{Diff: bundle.Compare(sides[0].bundle, sides[1].bundle)}
			for i, side := range []*bundle.Side{&d.Old, &d.New} {
				side.File = sides[i].name
				var err error
				if side.Signature, err = t.summary(cmd.Context(), a, sides[i].bundle); err != nil {
					return err
				}
			}
			d.Evidence = a.evidence
			return a.answer(d.Same(), as, printings{
				"": d.WriteText, "json": d.WriteJSON, "markdown": d.WriteMarkdown,
				"cisco-json": func(w io.Writer) error { return feed.WriteDiff(w, d.Diff) },
			})
		},
	}
	t.flags(cmd)
	as.flags(cmd, "json", "markdown", "cisco-json", "quiet")
	a.outputFlag(cmd)
	return cmd
}

// summary is the judgement on a signature in one line.
func (t *trust) summary(ctx context.Context, a *app, b *bundle.Bundle) (string, error) {
	r, err := t.verify(ctx, a, b)
	if err != nil {
		return "", err
	}
	return r.Summary(), nil
}
