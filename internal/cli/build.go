package cli

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
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

Every certificate that a source has and the bundle has not is reported with the
reason, then each output with its SHA-256. Paths in the recipe are relative to
it. Nothing is written on failure.

The same recipe, sources, key and time give the same bytes. The time is that of
--at, else of SOURCE_DATE_EPOCH, else the present.

Exit status: 0, or 1 where --locked or --check find a difference.`,
		Example: `  trustpool build core.yaml -o out/
  trustpool build core.yaml -o out/ --locked
  trustpool build core.yaml -o out/ --check`,
		Args: arguments("RECIPE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := a.readRecipe(args[0])
			if err != nil {
				return err
			}
			now, err := a.signingTime(t.at)
			if err != nil {
				return err
			}
			p, err := r.Build(cmd.Context(), a.buildOptions(args[0], now, s))
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			o := outputs{dir: dir, recipe: args[0], lock: args[0] + ".lock", product: p}
			if err := o.checkPaths(); err != nil {
				return err
			}
			differences, err := o.lockDifferences()
			if err != nil {
				return err
			}
			same := true
			if locked || check {
				for _, d := range differences {
					a.warn("%s: %s", o.lock, d)
				}
				same = len(differences) == 0
			}
			if check {
				unchanged, err := a.compareOutputs(o)
				if err != nil {
					return err
				}
				same = same && unchanged
			} else if same {
				if err := o.write(len(differences) > 0); err != nil {
					return err
				}
			}
			return a.answer(same, "", printings{"": func(w io.Writer) error { return writeProduct(w, p, quiet) }})
		},
	}
	f := cmd.Flags()
	f.StringVarP(&dir, "output", "o", "", "write the outputs to `DIR`")
	required(cmd, "output")
	f.BoolVar(&locked, "locked", false, "refuse to change RECIPE.lock")
	f.BoolVar(&check, "check", false, "write nothing; compare what is there")
	f.Var(&t.at, "at", "build as of `TIME`: 2026-11-21 or 2026-11-21T08:30:00Z (default SOURCE_DATE_EPOCH, or now)")
	f.StringVar(&s.passphraseFile, "passphrase-file", "", "read the key's passphrase or the token's PIN from the first line of `FILE`")
	f.StringVar(&s.module, "pkcs11-module", "", "load the PKCS#11 library `FILE` where the URI has no module-path")
	f.BoolVarP(&quiet, "quiet", "q", false, "print neither what was dropped nor the outputs")
	exclusive(cmd, "locked", "check")
	return cmd
}

func (a *app) readRecipe(path string) (*recipe.Recipe, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, recipe.MaxSize+1))
	if err != nil {
		return nil, err
	}
	r, err := recipe.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// buildOptions gives a build its sources: paths are relative to the recipe.
func (a *app) buildOptions(path string, now time.Time, s signer) recipe.Options {
	dir := filepath.Dir(path)
	locate := func(name string) string {
		if isURL(name) || filepath.IsAbs(name) {
			return name
		}
		if name = filepath.Join(dir, name); name == "-" { // a file of that name: a recipe reads no standard input
			return "." + string(filepath.Separator) + name
		}
		return name
	}
	limits := a.limits
	limits.Bytes = int64(a.size)
	return recipe.Options{
		Open: func(ctx context.Context, name string) ([]recipe.File, error) {
			path := locate(name)
			if !strings.ContainsAny(name, "*?[") || isURL(name) {
				return a.readAny(ctx, path)
			}
			if _, err := os.Lstat(path); err == nil { // a file with such a name
				return a.readAny(ctx, path)
			}
			pattern := name
			if !filepath.IsAbs(name) {
				pattern = filepath.Join(literal(dir), name)
			}
			paths, err := filepath.Glob(pattern)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			var out []recipe.File
			for _, p := range paths {
				if hidden(p) && !hidden(name) { // as the shell has it, and as in a directory
					continue
				}
				files, err := a.readAny(ctx, p)
				if err != nil {
					return nil, err
				}
				out = append(out, files...)
			}
			return out, nil
		},
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
					*file = locate(*file)
				}
			}
			return s.identity(ctx, a)
		},
		Limits: limits,
		At:     now,
	}
}

func hidden(path string) bool { return strings.HasPrefix(filepath.Base(path), ".") }

// literal makes a pattern of a path that matches it and nothing else.
func literal(path string) string {
	if os.PathSeparator == '\\' { // where patterns have no escapes
		return path
	}
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// readAny is fetch of what need not be a bundle: certdata.txt does not begin like one.
func (a *app) readAny(ctx context.Context, path string) ([]recipe.File, error) {
	files, err := a.fetchWith(ctx, path, fetch.Options{})
	var out []recipe.File
	for _, f := range files {
		out = append(out, recipe.File{Name: f.Name, Data: f.Data})
	}
	return out, err
}

// outputs are where a product goes.
type outputs struct {
	dir, recipe, lock string
	product           *recipe.Product
}

// lockDifferences are those between the lock that is there and the one to write.
func (o outputs) lockDifferences() ([]string, error) {
	f, err := os.Open(o.lock)
	if errors.Is(err, fs.ErrNotExist) {
		return []string{"there is no lock"}, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, recipe.MaxLockSize+1))
	if err != nil {
		return nil, err
	}
	var same bytes.Buffer
	if err := o.product.Lock.WriteJSON(&same); err != nil || bytes.Equal(data, same.Bytes()) {
		return nil, err
	}
	old, err := recipe.ParseLock(data)
	if err != nil {
		return nil, hinted{fmt.Errorf("%s: %w", o.lock, err), "remove it to start anew"}
	}
	return old.Differences(o.product.Lock), nil
}

func (o outputs) path(f recipe.File) string { return filepath.Join(o.dir, f.Name) }

// checkPaths refuses an output that would take the place of the recipe or of its
// lock.
func (o outputs) checkPaths() error {
	for _, f := range o.product.Files {
		for _, kept := range []string{o.recipe, o.lock} {
			if samePath(o.path(f), kept) {
				return fmt.Errorf("the output %s would take the place of %s", f.Name, kept)
			}
		}
	}
	return nil
}

func samePath(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	if errX == nil && errY == nil {
		return os.SameFile(x, y)
	}
	absA, _ := filepath.Abs(a)
	absB, _ := filepath.Abs(b)
	return absA == absB
}

// compareOutputs reports which outputs a build would change.
func (a *app) compareOutputs(o outputs) (same bool, err error) {
	same = true
	for _, f := range o.product.Files {
		old, err := os.ReadFile(o.path(f))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			a.warn("%s: missing", o.path(f))
		case err != nil:
			return false, err
		case !bytes.Equal(old, f.Data):
			a.warn("%s: differs", o.path(f))
		default:
			continue
		}
		same = false
	}
	return same, nil
}

// write writes everything or nothing. A lock that says the same already stays.
func (o outputs) write(withLock bool) error {
	var files []durable.File
	for _, f := range o.product.Files {
		files = append(files, durable.File{Path: o.path(f), Data: f.Data})
	}
	if withLock {
		var lock bytes.Buffer
		if err := o.product.Lock.WriteJSON(&lock); err != nil {
			return err
		}
		files = append(files, durable.File{Path: o.lock, Data: lock.Bytes()})
	}
	made := !fileExists(o.dir)
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return err
	}
	err := durable.WriteAll(files, 0o644)
	if err != nil && made {
		_ = os.Remove(o.dir) // which is empty
	}
	return err
}

// writeProduct says what a build made and what it left out.
func writeProduct(w io.Writer, p *recipe.Product, quiet bool) error {
	fmt.Fprintf(w, "%d in the bundle, %d dropped\n", len(p.Entries), len(p.Dropped))
	for _, n := range p.Notes {
		fmt.Fprintf(w, "note: %s\n", n)
	}
	if quiet {
		return nil
	}
	table := report.Table(w)
	if len(p.Dropped) > 0 {
		fmt.Fprintln(table, "\ndropped\tsource\treason\tsubject")
	}
	for _, d := range p.Dropped {
		subject := "-"
		if d.Certificate.Err == nil {
			subject = report.Printable(d.Certificate.Subject.String())
		}
		fmt.Fprintf(table, "%x\t%s\t%s\t%s\n", d.Certificate.SHA256[:8], d.Source, d.Reason, subject)
	}
	fmt.Fprintln(table, "\noutput\tSHA-256")
	for _, f := range p.Files {
		fmt.Fprintf(table, "%s\t%x\n", f.Name, sha256.Sum256(f.Data))
	}
	return table.Flush()
}
