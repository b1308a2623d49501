package kit

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"trustpool/bundle"
	"trustpool/internal/pkitest"
	"trustpool/internal/tooltest"
	"trustpool/roots"
	"trustpool/signing"
)

// A shell is one that the script must run in.
type shell struct {
	name    string
	command []string
	path    string // in front of PATH
	dir     string // where it runs
	env     []string
}

func shells(t *testing.T) []shell {
	t.Helper()
	if raceEnabled {
		t.Skip("-race: what runs here is in other processes, and the run without it has them all")
	}
	tooltest.Need(t, "openssl", "dash", "busybox")
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		t.Fatal(err)
	}
	// With busybox the other programs are its own, too.
	dir := t.TempDir()
	for _, applet := range []string{"awk", "cut", "date", "find", "grep", "mktemp", "rm", "sed", "sort", "tr"} {
		if err := os.Symlink(busybox, filepath.Join(dir, applet)); err != nil {
			t.Fatal(err)
		}
	}
	return []shell{{"dash", []string{"dash"}, "", "", nil}, {"busybox", []string{busybox, "sh"}, dir, "", nil}}
}

// run gives what the script prints, without the list of what it does not judge, and
// its exit status.
func (s shell) run(t *testing.T, script string, args ...string) (string, int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), s.command[0], slices.Concat(s.command[1:], []string{script}, args)...)
	cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir(), "LANG=C.UTF-8")
	cmd.Dir, cmd.Env = s.dir, append(cmd.Env, s.env...)
	if s.path != "" {
		cmd.Env = append(cmd.Env, "PATH="+s.path+string(filepath.ListSeparator)+os.Getenv("PATH"))
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if stderr.Len() > 0 {
		t.Errorf("%s: %s", s.name, stderr.String())
	}
	answer, limits, ok := strings.Cut(string(out), "\n\nNot judged here, but by \"trustpool receive\"")
	if !ok || !strings.HasSuffix(limits, "is older than the one that is here.\n") {
		t.Errorf("%s: it does not say what it does not judge: %s", s.name, out)
	}
	return answer + "\n", cmd.ProcessState.ExitCode()
}

func write(t testing.TB, path string, data []byte) string {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// answers are those of the script, by file.
func answers(t *testing.T, out string) map[string]string {
	t.Helper()
	got := map[string]string{}
	for line := range strings.Lines(out) {
		file, answer, ok := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		if !ok {
			t.Errorf("the line %q is no answer", line)
		}
		got[filepath.Base(file)] = answer
	}
	return got
}

// notJudged is, for each reason of vectors that Verify refuses and the script takes,
// the words of the script about it.
var notJudged = map[string]string{
	"attributes-not-der":          "whether they are DER",
	"content-type-differs":        "the values of the signed attributes, name, version, signing time and content type",
	"content-type-not-data":       "the values of the signed attributes, name, version, signing time and content type",
	"name-malformed":              "the values of the signed attributes, name, version, signing time and content type",
	"version-malformed":           "the values of the signed attributes, name, version, signing time and content type",
	"signing-time-malformed":      "the values of the signed attributes, name, version, signing time and content type",
	"signers-disagree":            "whether several signers agree on them",
	"content-not-certs-only":      "whether what was signed is a list of certificates and nothing else",
	"malformed":                   "whether bytes follow it",
	"chain-purpose":               "what intermediates are for",
	"chain-policy":                "certificate policies",
	"policy-constraints":          "certificate policies",
	"chain-weak":                  "certificates signed with MD5",
	"chain-algorithm-unsupported": "or by unusual algorithms",
}

// notTaken are the vectors that Verify takes and openssl perhaps does not.
var notTaken = map[string]string{
	"good-ed25519":      "OpenSSL verifies messages with Ed25519 from 3.2 on",
	"good-signer-decoy": "two certificates with the signer's issuer and serial number: OpenSSL tries the first",
}

// TestScriptVectors: the script says verified of no vector that Verify refuses, but
// for the reasons that it says it does not judge.
func TestScriptVectors(t *testing.T) {
	t.Parallel()
	vectors, err := pkitest.ReadVectors("../../testdata/vectors")
	if err != nil {
		t.Fatal(err)
	}
	type group struct {
		root, at string
		tolerant bool
	}
	groups, expect, dir := map[group][]string{}, map[string]string{}, t.TempDir()
	for _, v := range vectors {
		g := group{v.Root, v.At.Format(time.DateOnly), v.SHA1Links}
		groups[g] = append(groups[g], write(t, filepath.Join(dir, v.Name), v.Message))
		expect[v.Name] = v.Expect
	}
	const share = 40 // vectors of one run
	for i, s := range shells(t) {
		for g, all := range groups {
			if i > 0 { // what openssl says of each does not depend on the shell
				all = all[:(len(all)+5)/6]
			}
			root := "lab-" + g.root + "-root.pem"
			if g.root == "lab" {
				root = "lab-root.pem"
			}
			a := anchor(t, root)
			a.SHA1Links = g.tolerant // which only a pin can be
			args := []string{"--at", g.at, "--root", filepath.Join("..", "..", "testdata", "bundles", root)}
			script := write(t, filepath.Join(t.TempDir(), "verify.sh"), []byte(scriptFor([]roots.Anchor{a})))
			for files := range slices.Chunk(all, share) {
				t.Run(s.name, func(t *testing.T) {
					t.Parallel()
					out, _ := s.run(t, script, append(args, files...)...)
					got := answers(t, out)
					for _, file := range files {
						name := filepath.Base(file)
						taken := strings.HasPrefix(got[name], "verified by openssl, ")
						words, listed := notJudged[expect[name]]
						switch {
						case expect[name] == "verified":
							if !taken && notTaken[name] == "" {
								t.Errorf("%s: %q, and it is verified", name, got[name])
							}
						case !taken && !strings.HasPrefix(got[name], "not verified: "):
							t.Errorf("%s: %q", name, got[name])
						case taken && !listed:
							t.Errorf("%s: %q, and it is %s, which the script does not say that it does not judge", name, got[name], expect[name])
						case taken && !strings.Contains(strings.Join(strings.Fields(Script()), " "), words):
							t.Errorf("%s: the script does not say %q", name, words)
						}
					}
				})
			}
		}
	}
}

// TestScriptMutants: of messages with wrong bytes the script never says verified if
// Verify does not, but for the reasons that it says it does not judge.
func TestScriptMutants(t *testing.T) {
	t.Parallel()
	dash := shells(t)[0]
	const mutants = 60
	random := rand.New(rand.NewPCG(5, 5)) // the same ones each time
	dir, reasons := t.TempDir(), map[string]string{}
	a := anchor(t, "lab-root.pem")
	var files []string
	for _, source := range []string{"lab-core-v1.p7b", "lab-intermediate.p7b"} {
		good := lab(t, source)
		pool := good.Message.ContentOffset
		for i := range mutants / 2 {
			message := slices.Clone(good.Raw)
			at := random.IntN(len(message) - len(good.Message.Content)) // not in the pool, whose digest tells
			if at >= pool {
				at += len(good.Message.Content)
			}
			message[at] ^= 1 << random.IntN(8)
			name := fmt.Sprintf("%s-%d-%d", source, at, i)
			files = append(files, write(t, filepath.Join(dir, name), message))
			b, err := bundle.Parse(message)
			if err != nil {
				reasons[name] = "malformed"
				continue
			}
			_, err = signing.Verify(b, signing.VerifyOptions{Anchors: []roots.Anchor{a}, At: now})
			if refused, ok := errors.AsType[*signing.VerifyError](err); ok {
				reasons[name] = string(refused.Reason)
			}
		}
	}
	script := write(t, filepath.Join(dir, "verify.sh"), []byte(Script()))
	for share := range slices.Chunk(files, mutants/4) {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			out, _ := dash.run(t, script, append([]string{"--at", "2025-06-01", "--root", "../../testdata/bundles/lab-root.pem"}, share...)...)
			for name, answer := range answers(t, out) {
				if reason := reasons[name]; reason != "" && notJudged[reason] == "" && strings.HasPrefix(answer, "verified") {
					t.Errorf("%s: %q, and Verify says %s", name, answer, reason)
				}
			}
		})
	}
}

// TestScriptForms runs the script over the forms of bundles.
func TestScriptForms(t *testing.T) {
	t.Parallel()
	script := write(t, filepath.Join(t.TempDir(), "verify.sh"), []byte(Script()))
	const verified = "verified by openssl, the root c92871deebdce0aa8b256084451db6a7830d7a68cbe4486a1698fb39fdfe0387"
	want := map[string]string{
		"lab-core-v1.p7b": verified, "lab-core-v2.p7b": verified, "lab-intermediate.p7b": verified, "lab-ski.p7b": verified,
		"lab-pss.p7b": verified, "lab-two-signers.p7b": verified, "lab-ber.p7b": verified,
		"lab-p256.p7b":       "not verified: openssl says self-signed certificate in certificate chain",
		"lab-certs-only.p7b": "not verified: openssl says no content",
		"lab-outer.p7b":      "not verified: openssl says no content",
		"lab.pem":            "not verified: openssl says nested asn1 error",
	}
	args := []string{"--at", "2025-06-01", "--root", "../../testdata/bundles/lab-root.pem"}
	for name := range want {
		args = append(args, "../../testdata/bundles/"+name)
	}
	for _, s := range shells(t) {
		out, status := s.run(t, script, args...)
		for name, answer := range answers(t, out) {
			if answer != want[name] {
				t.Errorf("%s: %s: %q, want %q", s.name, name, answer, want[name])
			}
		}
		if status != 1 {
			t.Errorf("%s: status %d", s.name, status)
		}
		// Without a root Cisco's count alone; a verdict other than yes is a status.
		for file, want := range map[string]int{"lab-core-v1.p7b": 2, "lab-certs-only.p7b": 2, "lab.pem": 2} {
			if out, status := s.run(t, script, "../../testdata/bundles/"+file); status != want || strings.Contains(out, ": verified") {
				t.Errorf("%s: %s: status %d, %s", s.name, file, status, out)
			}
		}
	}
}
