package cli

import (
	"bytes"
	"fmt"

	"github.com/spf13/cobra"

	"trustpool/internal/device/explain"
	"trustpool/internal/fetch"
)

func (a *app) explainCommand() *cobra.Command {
	var as printing
	cmd := &cobra.Command{
		Use:   "explain LOG",
		Short: "Say what messages of devices about trust mean, and what to do",
		Long: `Read what devices log or print, and say of each known message about trust: what
it means, the cause, what to look at, what to do, and how sure that is
(confirmed, inferred, unverified). Line breaks may be lost: several messages in
one line are each found, but not one that a terminal broke in two. The messages
known are of Smart Licensing, Call Home, trustpool imports and FIPS mode.

LOG is a file, - for standard input, or an http(s) URL.

Exit status: 0, or 1 where no message was known.`,
		Example: `  trustpool explain messages.log
  ssh edge1 show logging | trustpool explain -`,
		Args: arguments("LOG"),
		RunE: func(cmd *cobra.Command, args []string) error {
			files, err := a.fetchWith(cmd.Context(), args[0], fetch.Options{Stdin: a.env.Stdin})
			if err != nil {
				return err
			}
			if len(files) != 1 || files[0].Name != args[0] && !isURL(args[0]) {
				return hinted{fmt.Errorf("%s: a directory is no log", args[0]), "give a file, or - for standard input"}
			}
			r, err := explain.Read(bytes.NewReader(files[0].Data))
			if err != nil {
				return err
			}
			r.File = files[0].Name
			return a.answer(len(r.Findings) > 0, as, printings{"": r.WriteText, "json": r.WriteJSON})
		},
	}
	as.flags(cmd, "json")
	a.outputFlag(cmd)
	return cmd
}
