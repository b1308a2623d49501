// Package cli is the command line: a file a verb, flags in, reports out. Nothing
// is decided here.
package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"trustpool/bundle"
	"trustpool/docs"
	"trustpool/internal/durable"
	"trustpool/internal/fetch"
	"trustpool/internal/fleet/collect"
	"trustpool/internal/report"
)

// Env is what a command sees of the world.
type Env struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Terminal       bool // Stderr is one
	// Screen says how many columns Stdout has, 0 if that is not known, and whether it is
	// a terminal; nil if it is none.
	Screen func() (columns int, terminal bool)
	Now    func() time.Time
	Build  *debug.BuildInfo    // what the program was made from; nil if that is not known
	Getenv func(string) string // nil if no variable is set
	// Environ is the environment of programs that commands run, and Program the name by
	// which this one was run.
	Environ func() []string
	Program string
	// Interrupts gives a context that ends when the user or the system wants the
	// process to end, with the cause [Interrupted]; nil for none. While it is not
	// used, that ends the process as the system does.
	Interrupts func(context.Context) (context.Context, context.CancelFunc)
	// Reloads gives a channel that receives when the user asks a server to look
	// anew at what it serves, and is closed when the context ends; nil for never.
	Reloads func(context.Context) <-chan os.Signal
	// Sleep waits, and ends early with an error when the context does; nil for a
	// real wait.
	Sleep func(context.Context, time.Duration) error
}

// Exit statuses, the same for every command.
const (
	statusYes    = 0   // done, the answer is yes
	statusNo     = 1   // done, the answer is no
	statusFailed = 2   // could not
	statusSignal = 128 // ended by a signal, whose number is added
)

// Interrupted is why a command ended early: the number of a signal.
type Interrupted int

func (i Interrupted) Error() string { return fmt.Sprintf("interrupted by signal %d", int(i)) }

// errNo ends a command whose answer is no; the report has said so.
var errNo = errors.New("the answer is no")

// A hinted error has advice for the user.
type hinted struct {
	error
	hint string
}

func (h hinted) Unwrap() error { return h.error }

// Run runs one command line and gives the exit status.
func Run(ctx context.Context, args []string, env Env) int {
	a := &app{env: env}
	if socket := a.getenv(collect.AskpassVariable); socket != "" {
		if err := askpass(socket, args, env.Stdout); err != nil {
			writeError(env.Stderr, err)
			return statusFailed
		}
		return statusYes
	}
	a.disk = &durable.Disk{Warn: func(err error) { a.warn("%v", err) }}
	root := a.command(args)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return statusYes
	case errors.Is(err, errNo):
		return statusNo
	}
	if i, ok := errors.AsType[Interrupted](err); ok {
		return statusSignal + int(i)
	}
	if _, ok := errors.AsType[hinted](err); !ok && !a.started { // wrong flags or arguments
		err = hinted{err, usageHint(root, args)}
	}
	writeError(env.Stderr, err)
	return statusFailed
}

// An app is one run: the world, and the flags that all commands share.
type app struct {
	env     Env
	started bool // the command has begun to work

	offline bool
	limits  bundle.Limits
	output  string
	color   string
	wide    bool
	working *progress // what is shown of work

	evidence *report.Evidence // takes in every file that is read; nil if the report will not show it

	skipUnreadable bool            // files of a directory
	listed         map[string]bool // files of directories that a recipe names
	disk           *durable.Disk
	guarded        bool // by guard
}

// helpWidth is how many columns the help takes.
const helpWidth = 80

// command makes the command line for the given arguments.
func (a *app) command(args []string) *cobra.Command {
	root := &cobra.Command{
		Use:   "trustpool",
		Short: "Know, host, carry and make the trust bundles of Cisco devices",
		Long: `Trustpool is for the PKCS#7 bundles of CA certificates that Cisco devices import
into their trustpool (ios.p7b, ios_core.p7b): what is in one, who vouches for
it, what changed, what a device would do with each certificate and what to type
there; a server of bundles for devices, and kits for places without a network.

FILE is a path, a directory, - for standard input, or an http(s) URL.`,
		Example: `  trustpool inspect ios.p7b
  trustpool verify ios.p7b
  trustpool diff old/ios.p7b new/ios.p7b
  trustpool import ios.p7b --platform iosxr
  trustpool serve ios.p7b`,
		Version:                    a.version(),
		SilenceErrors:              true,
		SilenceUsage:               true,
		SuggestionsMinimumDistance: 2,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("no command is called %q", args[0])
			}
			return nil
		},
	}
	root.RunE = func(*cobra.Command, []string) error {
		root.SetOut(a.env.Stderr)
		_ = root.Usage()
		return errors.New("no command given")
	}
	root.SetIn(a.env.Stdin)
	root.SetOut(a.env.Stdout)
	root.SetErr(a.env.Stderr)
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), ".FlagUsages |", fmt.Sprintf(".FlagUsagesWrapped %d |", helpWidth)))
	root.SetVersionTemplate("trustpool {{.Version}}\n")
	flags := root.PersistentFlags()
	flags.SortFlags = false
	flags.BoolVar(&a.offline, "offline", false, "use no network, even if FILE is a URL")
	flags.BoolVar(&a.skipUnreadable, "skip-unreadable", false, "go on without files of a directory that cannot be read, and name them")
	flags.Func("max-size", "read at most `SIZE` of a file: 64M, 1G (default 256M)", size(&a.limits.Bytes))
	flags.Func("max-depth", "let ASN.1 nest at most `N` levels deep (default 32)", count(&a.limits.Depth))
	flags.Func("max-certificates", "read at most `N` certificates of a file (default 200000)", count(&a.limits.Certificates))
	a.screenFlags(root)
	a.addVerbs(root, args)
	a.markStart(root)
	return root
}

// addVerbs adds the verb that the first argument names, and if it names none
// all of them and the help: making them takes as long as reading a small bundle.
func (a *app) addVerbs(root *cobra.Command, args []string) {
	type verb struct {
		name  string
		make  func() *cobra.Command
		meant string // the words that people try for it
	}
	groups := []struct {
		title string
		verbs []verb
	}{
		{"Know a bundle:", []verb{
			{"inspect", a.inspectCommand, "show list ls dump print info view cat"},
			{"verify", a.verifyCommand, "check validate test signature"},
			{"diff", a.diffCommand, "compare changes"},
			{"audit", a.auditCommand, "lint scan"},
			{"feed", a.feedCommand, "news rss updates removals"},
			{"extract", a.extractCommand, "split unpack export"},
			{"anchors", a.anchorsCommand, "roots cas"},
		}},
		{"Know a device:", []verb{
			{"import", a.importCommand, "import-bundle install simulate load"},
			{"pool", a.poolCommand, "trustpool certificates"},
			{"reach", a.reachCommand, "connect servers ping"},
			{"watch", a.watchCommand, "monitor poll"},
			{"config", a.configCommand, "commands snippet configure"},
			{"explain", a.explainCommand, "why log logs syslog"},
			{"collect", a.collectCommand, "ssh gather capture"},
		}},
		{"Host bundles:", []verb{
			{"serve", a.serveCommand, "server host http start"},
			{"site", a.siteCommand, "static www"},
			{"publish", a.publishCommand, "push upload add"},
			{"history", a.historyCommand, "releases versions"},
			{"rollback", a.rollbackCommand, ""},
			{"mirror", a.mirrorCommand, "fetch download sync pull update"},
			{"fleet", a.fleetCommand, "devices inventory"},
			{"doctor", a.doctorCommand, "diagnose health grade"},
			{"alerts", a.alertsCommand, "alert rules prometheus"},
		}},
		{"Carry bundles:", []verb{
			{"pack", a.packCommand, "kit bundle tar"},
			{"receive", a.receiveCommand, "open untar"},
		}},
		{"Make bundles:", []verb{
			{"recipe", a.recipeCommand, ""},
			{"build", a.buildCommand, "make create assemble"},
			{"sign", a.signCommand, ""},
			{"keygen", a.keygenCommand, "genkey newkey"},
		}},
		{"", []verb{{"version", a.versionCommand, ""}, {"exit-status", exitStatusTopic, ""}, {"formats", formatsTopic, ""}}},
	}
	for _, g := range groups {
		for _, v := range g.verbs {
			if len(args) > 0 && args[0] == v.name {
				root.AddCommand(v.make())
				root.CompletionOptions.DisableDefaultCmd = true
				return
			}
		}
	}
	for _, g := range groups {
		if g.title != "" {
			root.AddGroup(&cobra.Group{ID: g.title, Title: g.title})
		}
		for _, v := range g.verbs {
			cmd := v.make()
			cmd.GroupID = g.title
			cmd.SuggestFor = strings.Fields(v.meant)
			root.AddCommand(cmd)
		}
	}
	if completing(args) {
		a.completions(root)
	}
	helpCommands(root)
}

// helpCommands adds cobra's commands about other commands, and makes an error
// of a name that they do not know.
func helpCommands(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	if completion, _, err := root.Find([]string{"completion"}); err == nil {
		completion.RunE = func(*cobra.Command, []string) error {
			return hinted{errors.New("completion: no shell given"), "trustpool completion bash, fish, powershell or zsh"}
		}
	}
	root.SetHelpCommand(&cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Show the help of a command or a topic",
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			var names []string
			if of, _, err := root.Find(args); err == nil {
				for _, c := range of.Commands() {
					names = append(names, c.Name()+"\t"+c.Short)
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			cmd, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return hinted{fmt.Errorf("help: no command or topic is called %q", strings.Join(args, " ")), usageHint(root, args)}
			}
			cmd.InitDefaultHelpFlag()
			cmd.InitDefaultVersionFlag()
			return cmd.Help()
		},
	})
	root.InitDefaultHelpCmd()
}

// markStart notes when a command starts to work. Until then an error is one of
// usage, wherever in cobra it comes from.
func (a *app) markStart(cmd *cobra.Command) {
	if run := cmd.RunE; run != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			a.started = true
			return run(cmd, args)
		}
	}
	for _, c := range cmd.Commands() {
		a.markStart(c)
	}
}

// grace is how long what was interrupted may take to end by itself.
const grace = 50 * time.Millisecond

// guard runs what writes: f. When the user interrupts it, it returns at once, and
// nothing is half written. Commands that write nothing need no guard: the system
// ends them, and to prepare for that would take as long as to read a small bundle.
func (a *app) guard(ctx context.Context, f func(context.Context) error) error {
	if a.env.Interrupts == nil || a.guarded {
		return f(ctx)
	}
	a.guarded = true
	defer func() { a.guarded = false }()
	ctx, stop := a.env.Interrupts(ctx)
	defer stop()
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	select {
	case err := <-done:
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return err
	case <-ctx.Done():
	}
	select {
	case <-done:
	case <-time.After(grace):
		a.disk.Abandon()
	}
	return context.Cause(ctx)
}

// onDisk is guard for what writes files.
func (a *app) onDisk(write func(*durable.Disk) error) error {
	return a.guard(context.Background(), func(context.Context) error { return write(a.disk) })
}

// usageHint is the advice after a usage error: the command that was meant, or
// the help of the one that was given.
func usageHint(root *cobra.Command, args []string) string {
	cmd, rest, err := root.Find(args)
	if err == nil && cmd != root {
		return "see " + cmd.CommandPath() + " --help"
	}
	for _, word := range rest {
		if s := root.SuggestionsFor(word); len(s) > 0 && !strings.HasPrefix(word, "-") {
			return "did you mean trustpool " + strings.Join(s, ", or trustpool ") + "?"
		}
		for _, c := range root.Commands() {
			if c.IsAdditionalHelpTopicCommand() && strings.HasPrefix(c.Name(), word) {
				return "did you mean trustpool help " + c.Name() + "?"
			}
		}
	}
	return "see trustpool --help"
}

// parent is a command with no more to it than its subcommands.
func parent(name, short, hint string, subcommands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: name, Short: short, Args: arguments()}
	cmd.RunE = func(*cobra.Command, []string) error {
		return hinted{fmt.Errorf("%s: no subcommand given", name), hint}
	}
	cmd.AddCommand(subcommands...)
	return cmd
}

// arguments asks for exactly the named arguments.
func arguments(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < len(names) {
			return fmt.Errorf("%s: %s is missing", verb(cmd), names[len(args)])
		}
		if len(args) > len(names) {
			if cmd.HasSubCommands() {
				return fmt.Errorf("%s: no command is called %q", verb(cmd), args[0])
			}
			return fmt.Errorf("%s: one argument too many: %q", verb(cmd), args[len(names)])
		}
		return nil
	}
}

// oneOrMore asks for arguments of one kind.
func oneOrMore(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return fmt.Errorf("%s: %s is missing", verb(cmd), name)
		}
		return nil
	}
}

// Commands returns the tree of all commands, for its documentation; none can be run.
func Commands() *cobra.Command { return new(app).command(nil) }

func exitStatusTopic() *cobra.Command {
	return &cobra.Command{Use: "exit-status", Short: "What the exit status of each command says", Long: ExitStatus}
}

func formatsTopic() *cobra.Command {
	topic := &cobra.Command{Use: "formats", Short: "What is read, and every field of what is written"}
	topic.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		cmd.Long = docs.Text(docs.Formats, helpWidth) // only now: whoever presses TAB does not wait for it
		cmd.Parent().HelpFunc()(cmd, args)
	})
	return topic
}

// ExitStatus is the help on exit statuses.
const ExitStatus = `Every command exits with one of these statuses:

  0  done, and the answer is yes: verified, the same pool, nothing failed
  1  done, and the answer is no: not verified, the pools differ, a filter
     matched nothing, a certificate failed or the file was refused, a finding
     of an audit counts, a platform has no such commands, no message was
     known, a server would break, a watched server changed, a feed warns, a
     device is not current or was not collected, a site differs, a server
     failed a check
  2  could not: wrong usage, unreadable input, a file that cannot be written
  130, 143  interrupted by SIGINT (control-C) or SIGTERM: it ends at once, and
     nothing is half written; serve and mirror --every end with 0

The help of a command says when its answer is no; if it does not, the command
has none. With status 2 standard error has a line for each cause, perhaps a
hint, and there is no partial output.`

// write gives the report to standard output, or whole to the file of --output.
func (a *app) write(report func(io.Writer) error) error {
	if a.output != "" && a.output != "-" {
		p := a.progress(nothing, "writing %s", a.output)
		defer p.done()
		return a.onDisk(func(disk *durable.Disk) error { return disk.Write(a.output, 0o644, report) })
	}
	b := bufio.NewWriterSize(a.env.Stdout, 16<<10)
	if err := report(b); err != nil {
		return err
	}
	return b.Flush()
}

// outputFlag adds --output to a command that prints a report.
func (a *app) outputFlag(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&a.output, "output", "o", "", "write to `FILE`, whole or not at all (default standard output)")
}

// warn tells the user something that is not part of the result.
func (a *app) warn(format string, args ...any) {
	a.working.clear()
	fmt.Fprintf(a.env.Stderr, "trustpool: %s\n", fetch.MaskText(report.Printable(fmt.Sprintf(format, args...))))
}

// verb is how an error calls a command: pool read.
func verb(cmd *cobra.Command) string {
	return strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" ")
}

// checked has check look at the flags of a run. What was said before of the command
// holds as well.
func checked(cmd *cobra.Command, check func(*pflag.FlagSet) error) {
	before := cmd.PreRunE
	cmd.PreRunE = func(cmd *cobra.Command, args []string) error {
		err := check(cmd.Flags())
		if err == nil && before != nil {
			err = before(cmd, args)
		}
		return err
	}
}

// required makes flags necessary.
func required(cmd *cobra.Command, names ...string) {
	for _, name := range names {
		_ = cmd.MarkFlagRequired(name) // for completion; cobra's own error comes too late
	}
	checked(cmd, func(f *pflag.FlagSet) error {
		for _, name := range names {
			if !f.Changed(name) {
				return fmt.Errorf("%s: --%s is missing", verb(cmd), name)
			}
		}
		return nil
	})
}

// exclusive makes at most one of the flags usable in a run.
func exclusive(cmd *cobra.Command, names ...string) {
	checked(cmd, func(f *pflag.FlagSet) error {
		given := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !f.Changed(name) })
		if len(given) > 1 {
			return fmt.Errorf("--%s and --%s exclude each other", given[0], given[1])
		}
		return nil
	})
}

// fileExists tells a file from a fingerprint.
func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
