package kit

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"trustpool/internal/report"
	"trustpool/roots"
)

// builtIn reports whether receivers trust an anchor without being told to.
func builtIn(a anchorID) bool {
	return slices.ContainsFunc(roots.BuiltIn(), func(b roots.Anchor) bool { return pin(b).SHA256 == a.SHA256 })
}

// since names the bundle that the changes are from. Nothing in a kit proves its
// version, so only what looks like one is repeated: any other text in a README of
// trustpool's would be taken for trustpool's.
func (c *changes) since() string {
	if v := c.Version; v != "" && len(v) <= maxVersion && strings.Trim(v, "0123456789.") == "" {
		return "version " + v
	}
	return "the bundle that it was compared with"
}

// maxVersion is how many characters of a version README.txt repeats.
const maxVersion = 20

// readme tells the person who receives a kit what to do.
func readme(m *Manifest, paths []string, signed bool) []byte {
	has := map[string]bool{}
	program := ""
	for _, p := range paths {
		has[path.Dir(p)] = true
		if strings.HasPrefix(p, programDir) {
			program = p
		}
	}
	var out strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&out, format+"\n", args...) }
	line("A kit of trust bundles for Cisco devices, made by trustpool.")
	line("")
	for _, b := range m.Bundles {
		when := "at a time that is not given"
		if b.SigningTime != nil {
			when = *b.SigningTime
		}
		line("%s", b.File)
		line("  %s, version %s, signed %s, %s", report.Printable(b.Name), report.Printable(b.Version), when, report.Count(b.Certificates, "certificate"))
		line("  verified when it was packed, under %s", report.Printable(b.Verification.Anchor.Name))
		line("    SHA-256 of that root  %s", b.Verification.Anchor.SHA256)
		if b.Changes != nil {
			line("  changes since %s in %s", b.Changes.since(), b.Changes.Text)
		}
	}
	line("")
	line("1. Prove it, before anything in it is used. The best way needs no network:")
	line("")
	root := ""
	if slices.ContainsFunc(m.Bundles, func(e Entry) bool { return !builtIn(e.Verification.Anchor) }) {
		root = " --root BUNDLES.pem"
	}
	if signed {
		line("     trustpool receive KIT.tar --kit-root KITS.pem%s -o DIR", root)
		line("")
		line("   where KITS.pem is the root of those who sign kits, had from them by another way.")
	} else {
		line("     trustpool receive KIT.tar%s -o DIR", root)
		line("")
		line("   Nobody has signed this kit. What is proved is each bundle, by its own signature;")
		line("   the other files are what the sender wrote.")
	}
	if root != "" {
		line("   BUNDLES.pem is the root named above; it is not one of Cisco's.")
	}
	line("   Without trustpool: unpack into an empty directory, take verify.sh from a place that")
	line("   you trust more than this kit, put it there, and run")
	line("")
	line("     sh verify.sh%s", root)
	line("")
	line("   sha256sum -c SHA256SUMS finds damage. It finds no forgery.")
	if program != "" {
		line("   %s is a program that the sender put into this kit. Run it only", program)
		line("   if you know by another way that its SHA-256 is that of a release.")
	}
	line("")
	step := 2
	var read []string
	for _, dir := range []string{"audit", "changes"} {
		if has[dir] {
			read = append(read, dir+"/")
		}
	}
	if read != nil {
		line("2. Read %s: what an import would bring.", strings.Join(read, " and "))
		line("")
		step++
	}
	line("%d. Copy the bundle to the device. Where that computes an MD5 (verify /md5), compare it", step)
	line("   with manifest.json: it finds damage, and no forgery.")
	if has["commands"] {
		line("   Then type what commands/ has for the platform.")
	} else {
		line("   Then import it.")
	}
	return []byte(out.String())
}
