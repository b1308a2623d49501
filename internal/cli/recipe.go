package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"trustpool/internal/recipe"
)

func (a *app) recipeCommand() *cobra.Command {
	start := &cobra.Command{
		Use:     "init [-o RECIPE]",
		Short:   "Print a recipe to start from",
		Example: `  trustpool recipe init -o core.yaml`,
		Args:    arguments(),
		RunE: func(*cobra.Command, []string) error {
			if a.output != "" && a.output != "-" && fileExists(a.output) {
				return hinted{fmt.Errorf("%s is there already", a.output), "give another name"}
			}
			return a.write(func(w io.Writer) error {
				_, err := io.WriteString(w, recipe.Example)
				return err
			})
		},
	}
	a.outputFlag(start)
	var s signer
	check := &cobra.Command{
		Use:   "check RECIPE",
		Short: "Check a recipe without opening its sources",
		Args:  arguments("RECIPE"),
		RunE: func(_ *cobra.Command, args []string) error {
			if _, err := readRecipe(args[0], s.noExec); err != nil {
				return err
			}
			_, err := fmt.Fprintf(a.env.Stdout, "%s: good\n", args[0])
			return err
		},
	}
	s.noExecFlag(check)
	return parent("recipe", "Start a recipe, or check one", "trustpool recipe init, or trustpool recipe check RECIPE", start, check)
}
