package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"trustpool/internal/audit"
	"trustpool/internal/feed"
	"trustpool/internal/fetch"
	"trustpool/internal/yamlstrict"
)

type auditing struct {
	trust
	demands
	against, program, manifest string
	failOn                     audit.Severity
	expiring                   time.Duration
	programDate                moment
}

func (a *app) auditCommand() *cobra.Command {
	x := auditing{failOn: audit.Error}
	var listNeeds, start bool
	var as printing
	cmd := &cobra.Command{
		Use:   "audit [FILE|POOL…]",
		Short: "Say what to know about a bundle before it is imported",
		Long: `Say what to know about a bundle before it is imported: who vouches for it, what
has expired or soon will, weak keys and signatures, certificates that root
programs distrust, what is missing. docs/rules.md has every rule.

POOL is a pool file of import --save or pool read --save. It has no
certificates, only what is known of them: --with gives the bundles in which they
may be found. What is in none of them is listed, and so are the rules not
applied to it.

--against OLD marks the findings that are new, and lists those that are gone.
Then only new ones count, and those about the signature, about distrust and
about requirements.

--need names a service whose roots must be there (--list-needs shows them), or
a FILE of certificates. --program gives Mozilla's certdata.txt or a report of
the CCADB to look distrust up in; without it a short list counts that is part of
the program. Nothing is fetched for it.

--manifest compares the bundle with a manifest.log, as is published beside one:
name, version and certificates. Nothing signs that file.

--requirements gives a YAML file with what every bundle has to meet;
--write-requirements writes one to start from. docs/audit.md explains it.

Several FILEs get a section each.

Exit status: 0, or 1 if a finding at the level of --fail-on or above counts.`,
		Example: `  trustpool audit ios.p7b
  trustpool audit new/ios.p7b --against old/ios.p7b --need smart-licensing
  trustpool audit edge1.json --with ios.p7b --with ios_core.p7b
  trustpool audit ios.p7b --html -o audit.html
  trustpool audit ios.p7b --write-requirements -o requirements.yaml`,
		Args: func(cmd *cobra.Command, args []string) error {
			if listNeeds {
				return arguments()(cmd, args)
			}
			return a.files(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if listNeeds {
				return a.write(a.shown("", writeNeeds))
			}
			if start {
				as = "write-requirements"
			}
			return a.each(cmd, args, as, func(ctx context.Context, arg string) (judgement, error) {
				r, err := x.run(ctx, a, arg, as)
				if err != nil {
					return judgement{}, err
				}
				if start && r.Platform != "" {
					err := errors.New("--write-requirements takes a bundle: a pool does not have its certificates")
					return judgement{}, hinted{err, "give the bundle that the device should have"}
				}
				return judgement{yes: start || !r.Fails(), of: printings{
					"": r.WriteText, "json": r.WriteJSON, "markdown": r.WriteMarkdown, "sarif": r.WriteSARIF, "csv": r.WriteCSV,
					"html": r.WriteHTML, "cyclonedx": r.WriteCycloneDX,
					"write-requirements": func(w io.Writer) error { return audit.WriteRequirements(w, r) },
				}}, nil
			})
		},
	}
	x.trust.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&x.against, "against", "", "mark what is new since `OLD`, a bundle or a pool")
	f.StringVar(&x.manifest, "manifest", "", "compare with the manifest.log `FILE` that is published beside the bundle")
	x.demands.flags(cmd)
	f.StringVar(&x.program, "program", "", "look for distrust in a root program's `FILE`: certdata.txt or a report of the CCADB")
	f.Func("program-date", "the `DAY` of that file: 2026-11-21", x.programDate.set)
	f.Func("fail-on", "exit with status 1 at this `LEVEL`: info, warning, error, never (default error)", func(v string) (err error) {
		x.failOn, err = audit.ParseSeverity(v)
		return err
	})
	f.Func("expiring", "call expiring what ends within `DURATION`: 90d, 12w, 1y (default 90d)", duration(&x.expiring))
	as.flags(cmd, "json", "markdown", "csv", "html", "sarif", "cyclonedx", "quiet")
	f.BoolVar(&start, "write-requirements", false, "write requirements that the bundle meets, to start from; what is distrusted in it is excused, for review")
	f.BoolVar(&listNeeds, "list-needs", false, "list the names that --need takes")
	exclusive(cmd, "json", "markdown", "sarif", "csv", "html", "cyclonedx", "quiet", "write-requirements", "list-needs")
	for _, other := range []string{"need", "requirements", "against", "manifest"} { // what is demanded already is not what the bundle meets
		exclusive(cmd, "write-requirements", other)
	}
	a.outputFlag(cmd)
	return cmd
}

// run audits what a FILE argument names.
func (x *auditing) run(ctx context.Context, a *app, file string, as printing) (*audit.Report, error) {
	a.gather(as, &x.at)
	with, err := a.poolSources(ctx, x.with)
	if err != nil {
		return nil, err
	}
	pools, bundles := 0, 0
	subject := func(arg string) (*audit.Subject, error) {
		p, b, name, err := a.readEither(ctx, arg)
		if err != nil {
			return nil, err
		}
		if p != nil {
			pools++
			p.Identify(with...)
			return &audit.Subject{File: name, Platform: p.Platform, Entries: p.Entries}, nil
		}
		bundles++
		return x.subject(ctx, a, name, b)
	}
	o := audit.Criteria{At: x.at.or(a.env.Now), Expiring: x.expiring}
	s, err := subject(file)
	if err != nil {
		return nil, err
	}
	if x.against != "" {
		if s.Against, err = subject(x.against); err != nil {
			return nil, fmt.Errorf("--against: %w", err)
		}
	}
	switch {
	case pools == 0 && len(with) > 0:
		return nil, errors.New("--with is for a pool, and there is none: a bundle has its certificates")
	case bundles == 0 && len(x.trust.roots) > 0:
		return nil, errors.New("--root is about a signature, and a pool has none")
	case bundles == 0 && x.manifest != "":
		return nil, errors.New("--manifest is about a bundle, and there is none")
	case x.program == "" && !x.programDate.IsZero():
		return nil, errors.New("--program-date is the date of a root program's file: --program is missing")
	}
	if o.Needs, o.Requirements, err = x.resolve(ctx, a); err != nil {
		return nil, err
	}
	if x.program != "" {
		if o.Program, err = x.readProgram(ctx, a); err != nil {
			return nil, fmt.Errorf("--program: %w", err)
		}
	}
	if x.manifest != "" {
		if o.Manifest, err = a.readManifest(ctx, x.manifest); err != nil {
			return nil, fmt.Errorf("--manifest: %w", err)
		}
	}
	p := a.progress(nothing, "auditing %s", s.File)
	defer p.done()
	r, err := audit.Run(*s, o)
	if err != nil {
		return nil, err
	}
	r.At, r.FailOn, r.Evidence = x.at.chosen(), x.failOn, a.evidence
	return r, nil
}

// demands are what a bundle or a pool has to have, and where the certificates of a pool are.
type demands struct {
	needs, with  []string
	requirements string
}

func (d *demands) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&d.needs, "need", nil, "ask for the roots of a service, `NAME|FILE` (repeatable)")
	f.StringVar(&d.requirements, "requirements", "", "judge by what every bundle has to meet, a YAML `FILE`")
	f.StringArrayVar(&d.with, "with", nil, "look for the certificates of the pool in `BUNDLE`, any FILE of certificates (repeatable)")
}

// resolve reads what --need and --requirements name; the requirements are nil for none.
func (d *demands) resolve(ctx context.Context, a *app) (needs []audit.Need, r *audit.Requirements, err error) {
	for _, name := range d.needs {
		n, err := a.need(ctx, name)
		if err != nil {
			return nil, nil, err
		}
		needs = append(needs, n)
	}
	if d.requirements != "" {
		if r, err = a.readRequirements(d.requirements); err != nil {
			return nil, nil, fmt.Errorf("--requirements: %w", err)
		}
	}
	return needs, r, nil
}

// need is a preset, or the certificates of a file. What reads as a preset is one,
// also if a file bears that name.
func (a *app) need(ctx context.Context, name string) (audit.Need, error) {
	if n, ok := audit.LookupNeed(name); ok {
		return n, nil
	}
	if !fetch.IsURL(name) && !fileExists(name) && name != "-" {
		return audit.Need{}, hinted{fmt.Errorf("--need %s: neither a known need nor a file", name), "trustpool audit --list-needs lists the names"}
	}
	b, file, err := a.read(ctx, name)
	if err != nil {
		return audit.Need{}, fmt.Errorf("--need: %w", err)
	}
	n, err := audit.NeedFile(file, b.Certificates)
	if err != nil {
		return n, fmt.Errorf("--need %s: %w", file, err)
	}
	return n, nil
}

func (a *app) readManifest(ctx context.Context, name string) (*audit.Manifest, error) {
	f, err := a.fetchOne(ctx, name, feed.Sniff, "a manifest", "give the manifest.log in it")
	if err != nil {
		return nil, err
	}
	m, err := feed.ParseManifest(f.Data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", label(f.Name), err)
	}
	return &audit.Manifest{File: label(f.Name), ManifestLog: m}, nil
}

func (a *app) readRequirements(path string) (*audit.Requirements, error) {
	data, err := fetch.ReadAtMost(path, yamlstrict.MaxSize)
	if err != nil {
		return nil, err
	}
	a.rests(path, data)
	r, err := audit.ParseRequirements(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

func (x *auditing) readProgram(ctx context.Context, a *app) (*audit.Program, error) {
	if fetch.IsURL(x.program) {
		return nil, hinted{fmt.Errorf("%s: a root program is not fetched", fetch.Mask(x.program)), "download it, look at it, and give the file"}
	}
	_, data, err := a.fetchText(ctx, x.program, nil, "a root program", "give certdata.txt, or a report of the CCADB")
	if err != nil {
		return nil, err
	}
	p, err := audit.ParseProgram(label(x.program), data, x.programDate.Time)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", label(x.program), err)
	}
	return p, nil
}

func writeNeeds(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for i, n := range audit.Needs() {
		if i > 0 {
			fmt.Fprintln(t)
		}
		fmt.Fprintf(t, "%s\t%s\n\thosts: %s\n\t%s\n\t%s\n", n.Name, n.About, n.HostsWords(), n.Source, n.Basis)
		for _, r := range n.Roots {
			fmt.Fprintf(t, "\t%x  %s%s\n", *r.SHA256, r.Name, when(r))
			if why := r.Removal(); why != "" {
				fmt.Fprintf(t, "\t  being removed by root programs: %s\n", why)
			}
		}
	}
	return t.Flush()
}

// when is for which hosts and how long a root is needed, in words.
func when(r audit.NeededRoot) (s string) {
	if len(r.Hosts) > 0 {
		s = ", " + strings.Join(r.Hosts, ", ")
	}
	if !r.From.IsZero() {
		s += ", from " + r.From.Format(time.DateOnly)
	}
	if !r.Until.IsZero() {
		s += ", until " + r.Until.Format(time.DateOnly)
	}
	return s
}
