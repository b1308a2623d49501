package cli

import (
	"cmp"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"trustpool/bundle"
	"trustpool/internal/durable"
	"trustpool/internal/report"
)

func (a *app) extractCommand() *cobra.Command {
	var dir string
	var quiet bool
	cmd := &cobra.Command{
		Use:   "extract [FILE…] -o DIR",
		Short: "Write each certificate to a PEM file of its own",
		Long: `Write each certificate of a bundle to a PEM file of its own. The names have the
position, the common name reduced to safe characters, and the start of the
SHA-256: 007-QuoVadis-Root-CA-2-85a0dd7dd720adb7.pem. DIR is made; a file that
is there already is kept if it is the same, and otherwise nothing is written.

Each of several FILEs gets a directory of its own below DIR, named after it.

Exit status: 0, or 1 if something in a file is not a certificate.`,
		Example: `  trustpool extract ios.p7b -o roots/`,
		Args:    a.files,
		RunE: func(cmd *cobra.Command, args []string) error {
			args = orStdin(args)
			dirs := directories(dir, args)
			whole := true
			for i, arg := range args {
				all, err := a.extract(cmd.Context(), arg, dirs[i], quiet)
				if err != nil {
					return err
				}
				whole = whole && all
			}
			return answer(whole)
		},
	}
	cmd.Flags().BoolVarP(&quiet, "quiet", "q", false, "do not say how many certificates were written")
	cmd.Flags().StringVarP(&dir, "output", "o", "", "write to `DIR`")
	required(cmd, "output")
	return cmd
}

// directories are where the certificates of each FILE go: into dir, and of several each
// into a directory of its own.
func directories(dir string, args []string) []string {
	if len(args) == 1 {
		return []string{dir}
	}
	var out []string
	for _, arg := range args {
		base := filepath.Base(arg)
		name := cmp.Or(safeName(strings.TrimSuffix(base, filepath.Ext(base))), "file")
		below := filepath.Join(dir, name)
		for n := 2; slices.Contains(out, below); n++ {
			below = filepath.Join(dir, fmt.Sprintf("%s-%d", name, n))
		}
		out = append(out, below)
	}
	return out
}

// extract writes the certificates of one FILE, and reports whether all of its entries
// are certificates.
func (a *app) extract(ctx context.Context, arg, dir string, quiet bool) (all bool, err error) {
	b, name, err := a.read(ctx, arg)
	if err != nil {
		return false, err
	}
	if err := a.writeNew(dir, len(b.Certificates), pemFiles(b)); err != nil {
		return false, err
	}
	n := 0
	for i, c := range b.Certificates {
		if c.Err == nil {
			n++
		} else {
			a.warn("%s: entry %d is left out, it is not a certificate: %v", name, i+1, c.Err)
		}
	}
	if !quiet {
		_, err = fmt.Fprintf(a.env.Stdout, "%s in %s\n", report.Count(n, "certificate"), dir)
	}
	return n == len(b.Certificates), err
}

// A file is one to be made.
type file struct {
	name string
	data []byte
	mode fs.FileMode
}

// pemFiles are the files of a bundle's certificates, each made when its turn comes.
func pemFiles(b *bundle.Bundle) iter.Seq[file] {
	width := max(3, len(fmt.Sprint(len(b.Certificates))))
	return func(yield func(file) bool) {
		for i, c := range b.Certificates {
			if c.Err != nil {
				continue
			}
			called := strings.TrimPrefix(safeName(c.Subject.CommonName())+"-", "-")
			name := fmt.Sprintf("%0*d-%s%s.pem", width, i+1, called, report.ShortHash(c.SHA256[:]))
			if !yield(file{name, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}), 0o644}) {
				return
			}
		}
	}
}

// maxName bounds the part of a file name that comes from a certificate.
const maxName = 60

// safeName keeps ASCII letters and digits, and makes one hyphen of anything else between them.
func safeName(s string) string {
	words := strings.FieldsFunc(s, func(r rune) bool { return r >= 0x80 || !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	s = strings.Join(words, "-")
	return strings.TrimSuffix(s[:min(len(s), maxName)], "-")
}

// writeNew writes the files, about n of them, into dir, or none of them: one that is
// there with other bytes is an error before the first is written.
func (a *app) writeNew(dir string, n int, files iter.Seq[file]) error {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return a.addAll(dir, n, files)
	}
	there := map[string]bool{}
	for f := range files {
		path := filepath.Join(dir, f.name)
		switch old, err := os.ReadFile(path); {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return err
		case string(old) != string(f.data):
			return hinted{fmt.Errorf("%s is there already and is another certificate", path), "give an empty directory"}
		default:
			there[f.name] = true
		}
	}
	return a.addAll(dir, n-len(there), func(yield func(file) bool) {
		for f := range files {
			if !there[f.name] && !yield(f) {
				return
			}
		}
	})
}

// addAll adds files, about n of them, to dir, all of them or none.
func (a *app) addAll(dir string, n int, files iter.Seq[file]) error {
	p := a.progress(items, "writing %s", dir)
	defer p.done()
	return a.onDisk(func(disk *durable.Disk) error {
		return disk.Add(dir, func(t *durable.Tree) error {
			for f := range files {
				p.add(1, int64(n))
				if err := t.WriteFile(f.name, f.data, f.mode); err != nil {
					return err
				}
			}
			return nil
		})
	})
}
