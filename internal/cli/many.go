package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"trustpool/internal/report"
)

// files asks for FILE arguments, one or more, as oneFile does.
func (a *app) files(cmd *cobra.Command, args []string) error {
	return a.oneFile("FILE")(cmd, args[:min(len(args), 1)])
}

// oneFile asks for one argument. If there is none and standard input is a pipe or a file,
// that is read.
func (a *app) oneFile(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) > 0:
			return arguments(name)(cmd, args)
		case !a.piped():
			return hinted{fmt.Errorf("%s: %s is missing", verb(cmd), name), "give a " + name + ", or - to read standard input"}
		}
		return nil
	}
}

// orStdin is args, and standard input if there are none.
func orStdin(args []string) []string {
	if len(args) == 0 {
		return []string{"-"}
	}
	return args
}

// piped reports whether standard input is a pipe or a file with something in it.
func (a *app) piped() bool {
	f, ok := a.env.Stdin.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() && info.Mode()&os.ModeNamedPipe == 0 {
		return false
	}
	in := bufio.NewReader(f)
	a.env.Stdin = in
	_, err = in.Peek(1)
	return err == nil
}

// A judgement is what a verb has to say of one FILE.
type judgement struct {
	yes bool
	of  printings
	// heading goes before the text, in a list of several.
	heading string
	// line is the judgement in one line, for a list of several; nil if a section is to
	// be printed for each.
	line func(report.Screen) string
}

// each answers for every FILE. Of one it prints what was asked for. Of several it prints
// a list. The status is the worst: a FILE that cannot be read is an error, after the text
// of the others.
func (a *app) each(cmd *cobra.Command, args []string, as printing, judge func(ctx context.Context, arg string) (judgement, error)) error {
	args = orStdin(args)
	if len(args) == 1 {
		j, err := judge(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		return a.answer(j.yes, as, j.of)
	}
	if err := listable(args, as); err != nil {
		return err
	}
	yes := true
	var failed []error
	document := as != "" || a.output != "" && a.output != "-" // one that lacks a FILE would be half of what was asked for
	p := a.progress(items, "%s", verb(cmd))
	defer p.done()
	judgements := func(yield func(judgement) bool) {
		for _, arg := range args {
			j, err := judge(cmd.Context(), arg)
			p.add(1, int64(len(args)))
			p.clear() // what is written may go to the same terminal
			if err != nil {
				failed = append(failed, err)
			}
			yes = yes && j.yes
			if err != nil && document || err == nil && !yield(j) {
				return
			}
		}
	}
	err := a.write(a.shown(as, func(w io.Writer) error {
		err := writeList(w, cmd, as, judgements)
		if document {
			err = errors.Join(err, errors.Join(failed...))
		}
		return err
	}))
	if !document {
		err = errors.Join(err, errors.Join(failed...))
	}
	if err != nil {
		return err
	}
	return answer(yes)
}

// listable reports as an error that several FILEs cannot be printed so.
func listable(args []string, as printing) error {
	if !slices.Contains([]printing{"", "json", "pem", "long", "quiet"}, as) {
		return fmt.Errorf("--%s takes one FILE", as)
	}
	if i := slices.Index(args, "-"); i >= 0 && slices.Contains(args[i+1:], "-") {
		return errors.New("standard input (-) is given twice, and can be read once")
	}
	return nil
}

// writeList writes several judgements: the text is a line or a section for each, and the
// JSON the list "trustpool.VERB-list/1" of their documents; --pem, --long and --quiet write
// one after the other.
func writeList(w io.Writer, cmd *cobra.Command, as printing, all iter.Seq[judgement]) error {
	before, between, end := "", "", ""
	switch as {
	case "json":
		before = fmt.Sprintf("{\n  \"schema\": \"trustpool.%s-list/1\",\n  \"files\": [\n    ", strings.ReplaceAll(verb(cmd), " ", "-"))
		between, end = ",\n    ", "\n  ]\n}\n"
	case "":
		between = "\n"
	}
	for j := range all {
		if as == "" && j.line != nil {
			if _, err := fmt.Fprintln(w, j.line(report.ScreenOf(w))); err != nil {
				return err
			}
			continue
		}
		section := w
		switch as {
		case "json":
			section = &shifted{w: w, by: "    "}
		case "":
			before += j.heading
		}
		if _, err := io.WriteString(w, before); err != nil {
			return err
		}
		if err := j.of.get(as)(section); err != nil {
			return err
		}
		before = between
	}
	_, err := io.WriteString(w, end)
	return err
}

// A shifted writer writes every line but the first farther to the right, and not the
// end of the last.
type shifted struct {
	w     io.Writer
	by    string
	ended bool // a line, which is not yet written
}

func (s *shifted) Write(b []byte) (int, error) {
	for line := range bytes.Lines(b) {
		if s.ended {
			if _, err := io.WriteString(s.w, "\n"+s.by); err != nil {
				return 0, err
			}
		}
		line, s.ended = bytes.CutSuffix(line, []byte("\n"))
		if _, err := s.w.Write(line); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}
