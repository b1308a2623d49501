package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"trustpool/internal/report"
)

// A colour is the value of --color.
type colour string

func (c *colour) String() string { return string(*c) }
func (c *colour) Type() string   { return "WHEN" }

func (c *colour) Set(v string) error {
	for _, known := range colours() {
		if v == known {
			*c = colour(v)
			return nil
		}
	}
	return fmt.Errorf("%q is not one: give auto, always or never", v)
}

func colours() []string { return []string{"auto", "always", "never"} }

// screenFlags adds the flags on how text is shown.
func (a *app) screenFlags(root *cobra.Command) {
	a.color = "auto"
	f := root.PersistentFlags()
	f.Var(&a.color, "color", "colour text `WHEN`: auto, on a terminal without NO_COLOR and TERM=dumb; always; never")
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
	s.Color = a.color == "always" || a.color == "auto" && terminal && a.getenv("NO_COLOR") == "" && a.hasColors()
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
