package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"trustpool/internal/device/explain"
	"trustpool/internal/fetch"
)

func (a *app) explainCommand() *cobra.Command {
	var as printing
	cmd := &cobra.Command{
		Use:   "explain [LOG]",
		Short: "Say what messages of devices about trust mean, and what to do",
		Long: `Read what devices log or print, and say of each known message about trust: what
it means, the cause, what to look at, what to do, and how sure that is
(confirmed, inferred, unverified). Messages that give a reason are told apart by
it; a reason that no source explains is shown, with what to look at.

The messages known are of Smart Licensing, Call Home, trustpool imports,
certificates and FIPS mode, on IOS, IOS XE, IOS XR, NX-OS, ASA and FXOS. Line
breaks may be lost, or added by a narrow terminal.

LOG is a file, plain or gzip, - for standard input, or an http(s) URL. A text is
refused if fewer than one in ten lines have the form of a message or a command.

Exit status: 0, or 1 if no message was known.`,
		Example: `  trustpool explain messages.log
  ssh edge1 show logging | trustpool explain`,
		Args: a.oneFile("LOG"),
		RunE: func(cmd *cobra.Command, args []string) error {
			log, name, err := a.open(cmd.Context(), orStdin(args)[0])
			if err != nil {
				return err
			}
			r, err := explain.Read(log)
			if err = errors.Join(err, log.Close()); err != nil {
				return fmt.Errorf("%s: %w", label(name), err)
			}
			r.File = name
			return a.answer(len(r.Findings) > 0, as, printings{"": r.WriteText, "json": r.WriteJSON})
		},
	}
	as.flags(cmd, "json", "quiet")
	a.outputFlag(cmd)
	return cmd
}

// A logFile is a log that is being read, as its progress shows.
type logFile struct {
	countingReader
	io.Closer
}

func (l logFile) Close() error {
	l.p.done()
	return l.Closer.Close()
}

// open opens a log, which is not held in memory unless it is fetched.
func (a *app) open(ctx context.Context, arg string) (log io.ReadCloser, name string, err error) {
	var in io.ReadCloser
	size := int64(-1)
	switch {
	case fetch.IsURL(arg):
		files, err := a.fetch(ctx, arg, nil)
		if err != nil {
			return nil, "", err
		}
		in, name = io.NopCloser(bytes.NewReader(files[0].Data)), files[0].Name
	case arg == "-":
		if a.env.Stdin == nil {
			return nil, "", errors.New("stdin: there is none")
		}
		in, name = io.NopCloser(a.env.Stdin), arg
	default:
		f, err := os.Open(arg)
		if err != nil {
			return nil, "", err
		}
		fi, err := f.Stat()
		if err == nil && fi.IsDir() {
			f.Close()
			return nil, "", hinted{fmt.Errorf("%s: a directory is not a log", arg), "give a file, or - for standard input"}
		}
		if err == nil && fi.Mode().IsRegular() {
			size = fi.Size()
		}
		in, name = f, arg
	}
	return logFile{countingReader{in, a.progress(bytesRead, "reading %s", name), size}, in}, name, nil
}
