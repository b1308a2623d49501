package cli

import (
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"trustpool/internal/report"
)

func colours() []string { return []string{"auto", "always", "never"} }

// screenFlags adds the flags on how text is shown.
func (a *app) screenFlags(root *cobra.Command) {
	f := root.PersistentFlags()
	f.Func("color", "colour text `WHEN`: auto, on a terminal without NO_COLOR and TERM=dumb; always; never (default auto)", func(v string) error {
		if a.color = v; !slices.Contains(colours(), v) {
			return fmt.Errorf("%q is not one: give auto, always or never", v)
		}
		return nil
	})
	f.BoolVar(&a.wide, "wide", false, "do not fit text to the terminal's width")
}

// screen is that of standard output, as the flags and the environment have it.
func (a *app) screen() (s report.Screen) {
	terminal := false
	if a.env.Screen != nil {
		s.Width, terminal = a.env.Screen()
	}
	if a.wide {
		s.Width = 0
	}
	s.Color = a.color == "always" || a.color != "never" && terminal && a.getenv("NO_COLOR") == "" && a.hasColors()
	return s
}

// hasColors reports whether the terminal says that it shows colours. On Windows it is
// Windows Terminal that has no TERM.
func (a *app) hasColors() bool {
	term := a.getenv("TERM")
	return term != "" && term != "dumb" || term == "" && a.getenv("WT_SESSION") != ""
}

// shown is a printing for where it goes: text on standard output is for its screen.
func (a *app) shown(as printing, write func(io.Writer) error) func(io.Writer) error {
	if as != "" || a.output != "" && a.output != "-" {
		return write
	}
	return func(w io.Writer) error { return a.screen().Show(w, write) }
}
