package cli

import (
	"context"

	"github.com/spf13/cobra"

	"trustpool/bundle"
)

func (a *app) diffCommand() *cobra.Command {
	var t trust
	var asJSON, asMarkdown, asCisco bool
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Say what changed between two bundles",
		Long: `Say what changed between two bundles: certificates added and removed, re-issued
(same key and name) and re-keyed (same name, another key), and changes of
signature, name, version and signer. The order of a file does not count.

Exit status: 0 the same pool, 1 the pools differ.`,
		Example: `  trustpool diff old/ios.p7b new/ios.p7b
  trustpool diff old/ios.p7b new/ios.p7b --markdown -o change.md`,
		Args: arguments("OLD", "NEW"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var sides [2]struct {
				bundle    *bundle.Bundle
				name, sig string
			}
			for i, arg := range args {
				s := &sides[i]
				var err error
				if s.bundle, s.name, err = a.read(cmd.Context(), arg); err != nil {
					return err
				}
				if s.sig, err = t.summary(cmd.Context(), a, s.bundle); err != nil {
					return err
				}
			}
			d := bundle.Compare(sides[0].bundle, sides[1].bundle)
			d.Old.File, d.Old.Signature = sides[0].name, sides[0].sig
			d.New.File, d.New.Signature = sides[1].name, sides[1].sig
			print := d.WriteText
			switch {
			case asJSON:
				print = d.WriteJSON
			case asMarkdown:
				print = d.WriteMarkdown
			case asCisco:
				print = d.WriteCisco
			}
			if err := a.write(print); err != nil {
				return err
			}
			if !d.Same() {
				return errNo
			}
			return nil
		},
	}
	t.flags(cmd)
	f := cmd.Flags()
	f.BoolVar(&asJSON, "json", false, "JSON")
	f.BoolVar(&asMarkdown, "markdown", false, "Markdown, for a change ticket")
	f.BoolVar(&asCisco, "cisco-json", false, "the diff.json that Cisco publishes beside a bundle")
	exclusive(cmd, "json", "markdown", "cisco-json")
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
