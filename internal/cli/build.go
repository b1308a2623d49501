package cli

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"trustpool/internal/durable"
	"trustpool/internal/fetch"
	"trustpool/internal/recipe"
	"trustpool/internal/report"
	"trustpool/roots"
	"trustpool/signing"
)

func (a *app) buildCommand() *cobra.Command {
	var t trust
	var dir string
	var locked, check, quiet bool
	var s signer
	cmd := &cobra.Command{
		Use:   "build RECIPE -o DIR",
		Short: "Make a bundle from a recipe",
		Long: `Make a bundle from a recipe: the outputs it names, in DIR, and RECIPE.lock
beside the recipe, which lists every certificate. A review of the lock is a
review of the bundle: commit both. trustpool recipe init writes a recipe to
start from.

A recipe can run a command: its signer's key may be exec:COMMAND. Read a recipe
from a stranger first, or give --no-exec.

Every certificate that a source has and the bundle has not is reported with the
reason, then each output with its SHA-256. Paths in the recipe are relative to
it. Nothing is written on failure.

The same recipe, sources, key and time give the same bytes. The time is that of
--at, else of SOURCE_DATE_EPOCH, else the present.

Exit status: 0, or 1 if --locked or --check find a difference.`,
		Example: `  trustpool build core.yaml -o out/
  trustpool build core.yaml -o out/ --locked
  trustpool build core.yaml -o out/ --check`,
		Args: arguments("RECIPE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := readRecipe(args[0], s.noExec)
			if err != nil {
				return err
			}
			now, err := a.signingTime(t.at)
			if err != nil {
				return err
			}
			working := a.progress(nothing, "building %s", args[0])
			p, err := r.Build(cmd.Context(), a.buildOptions(args[0], now, s))
			working.done()
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			o := recipe.Placement{Product: p, Dir: dir, Recipe: args[0]}
			if err := o.Check(); err != nil {
				return err
			}
			differences, err := o.LockDifferences()
			if damaged, ok := errors.AsType[*recipe.DamagedLockError](err); ok {
				return hinted{damaged, "remove it to start anew"}
			}
			if err != nil {
				return err
			}
			var wrong []string
			if locked || check {
				for _, d := range differences {
					wrong = append(wrong, o.LockPath()+": "+d)
				}
			}
			if check {
				changed, err := o.OutputDifferences()
				if err != nil {
					return err
				}
				wrong = append(wrong, changed...)
			}
			for _, d := range wrong {
				a.warn("%s", d)
			}
			if !check && len(wrong) == 0 {
				// A lock that says the same already stays.
				if err := a.onDisk(func(disk *durable.Disk) error { return o.Write(disk, len(differences) > 0) }); err != nil {
					return err
				}
			}
			return a.answer(len(wrong) == 0, "", printings{"": func(w io.Writer) error { return writeProduct(w, p, quiet) }})
		},
	}
	f := cmd.Flags()
	f.StringVarP(&dir, "output", "o", "", "write the outputs to `DIR`")
	required(cmd, "output")
	f.BoolVar(&locked, "locked", false, "refuse to change RECIPE.lock")
	f.BoolVar(&check, "check", false, "write nothing; compare what is there")
	f.Func("at", "build as of `TIME`: 2026-11-21 or 2026-11-21T08:30:00Z (default SOURCE_DATE_EPOCH, or now)", t.at.set)
	s.openFlags(cmd)
	f.BoolVarP(&quiet, "quiet", "q", false, "print neither what was dropped nor the outputs")
	exclusive(cmd, "locked", "check")
	return cmd
}

// readRecipe reads a recipe. With noExec one that runs a command is an error, before
// anything of it is done.
func readRecipe(path string, noExec bool) (*recipe.Recipe, error) {
	r, err := recipe.ReadFile(path)
	if err == nil && noExec && r.Signer != nil && signing.RunsCode(r.Signer.Key) {
		return nil, fmt.Errorf("%s: signer: key: %w: --no-exec", path, signing.ErrNoExec)
	}
	return r, err
}

// buildOptions gives a build its sources: paths are relative to the recipe.
func (a *app) buildOptions(path string, now time.Time, s signer) recipe.BuildOptions {
	dir := filepath.Dir(path)
	return recipe.BuildOptions{
		Open: recipe.OpenIn(dir, a.readAny),
		System: func(ctx context.Context) ([]recipe.File, error) {
			files, dirs := roots.SystemPaths(a.getenv("SSL_CERT_FILE"), a.getenv("SSL_CERT_DIR"))
			for _, p := range append(files, dirs...) {
				if fileExists(p) {
					return a.readAny(ctx, p)
				}
			}
			return nil, fmt.Errorf("this machine has no root store at %s", strings.Join(append(files, dirs...), ", "))
		},
		Identity: func(ctx context.Context, by *recipe.Signer) (*signing.Identity, error) {
			s.key, s.cert, s.chain, s.inRecipe = by.Key, by.Certificate, by.Chain, true
			for _, file := range []*string{&s.key, &s.cert, &s.chain} {
				if *file != "" && !strings.HasPrefix(*file, "exec:") && !strings.HasPrefix(*file, "pkcs11:") {
					*file = recipe.Locate(dir, *file)
				}
			}
			return s.identity(ctx, a)
		},
		Unreadable: func(name string, err error) bool { return a.listed[name] && a.skip(name, err) },
		Limits:     a.limits,
		At:         now,
	}
}

// readAny reads what need not be a bundle: certdata.txt does not begin like one.
func (a *app) readAny(ctx context.Context, path string) ([]recipe.File, error) {
	files, err := a.fetch(ctx, path, nil)
	if a.listed == nil {
		a.listed = map[string]bool{}
	}
	for _, f := range files {
		if f.Name != path && !fetch.IsURL(path) {
			a.listed[f.Name] = true
		}
	}
	return files, err
}

func writeProduct(w io.Writer, p *recipe.Product, quiet bool) error {
	fmt.Fprintf(w, "%d in the bundle, %d dropped\n", len(p.Entries), len(p.Dropped))
	for _, n := range p.Notes {
		fmt.Fprintf(w, "note: %s\n", n)
	}
	if quiet {
		return nil
	}
	screen := report.ScreenOf(w)
	dropped := screen.Table(w, report.Column{Title: "dropped", Kind: report.Hash}, report.Column{Title: "source"}, report.Column{Title: "reason", Kind: report.Prose},
		report.Column{Title: "subject", Kind: report.Name})
	for _, d := range p.Dropped {
		subject := "-"
		if d.Certificate.Err == nil {
			subject = report.Printable(d.Certificate.Subject.String())
		}
		dropped.Row(report.ShortHash(d.Certificate.SHA256[:]), d.Source, string(d.Reason), subject)
	}
	if len(p.Dropped) > 0 {
		fmt.Fprintln(w)
		if err := dropped.Flush(); err != nil {
			return err
		}
	}
	fmt.Fprintln(w)
	table := screen.Table(w, report.Column{Title: "output", Kind: report.Name}, report.Column{Title: "SHA-256"})
	for _, f := range p.Files {
		table.Row(f.Name, fmt.Sprintf("%x", sha256.Sum256(f.Data)))
	}
	return table.Flush()
}
