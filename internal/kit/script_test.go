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

// cannotJudge are the vectors that the script leaves to trustpool, each with the reason.
var cannotJudge = map[string]string{
	"attributes-not-der-indefinite": "openssl asn1parse gives no length to elements of indefinite length: BER",
	"good-ber":                      "BER",
	"good-ber-content":              "BER in the signed content",
	"good-key-id-ber":               "BER",
	"malformed-ber-unended":         "BER",
	"malformed-truncated":           "openssl asn1parse stops in the middle of a line",
	"name-malformed-characters":     "openssl asn1parse prints the line break of the name as it is, so that its lines are no elements any more",
	"chain-too-complex":             "more than 16 certificates beside the signature",
	"chain-path-length-copy":        "two certificates of an issuer's name: openssl tries one, trustpool both",
	"good-signer-decoy":             "two certificates with the signer's issuer and serial number: openssl tries the first, trustpool both",
	"good-ed25519":                  "OpenSSL verifies messages with Ed25519 from 3.2 on",
}

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
	for _, applet := range []string{"awk", "cat", "cut", "date", "dd", "dirname", "mktemp", "od", "rm", "sed", "tr"} {
		if err := os.Symlink(busybox, filepath.Join(dir, applet)); err != nil {
			t.Fatal(err)
		}
	}
	return []shell{{"dash", []string{"dash"}, "", "", nil}, {"busybox", []string{busybox, "sh"}, dir, "", nil}}
}

// run gives what the script prints, and its exit status.
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
	return string(out), cmd.ProcessState.ExitCode()
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

// TestScriptVectors holds the script to Verify on every vector that openssl can
// judge, and to silence on the others.
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
	for name := range cannotJudge {
		if expect[name] == "" {
			t.Errorf("there is no vector %s", name)
		}
	}
	const share = 40 // vectors of one run
	for _, s := range shells(t) {
		for g, all := range groups {
			root := "lab-" + g.root + "-root.pem"
			if g.root == "lab" {
				root = "lab-root.pem"
			}
			args := []string{"--bundle", "--at", g.at, "--root", filepath.Join("..", "..", "testdata", "bundles", root)}
			a := anchor(t, root)
			if a.SHA1Links = g.tolerant; g.tolerant { // which only a pin can be
				args = args[:3]
			}
			script := write(t, filepath.Join(t.TempDir(), "verify.sh"), []byte(scriptFor([]roots.Anchor{a})))
			for files := range slices.Chunk(all, share) {
				t.Run(s.name, func(t *testing.T) {
					t.Parallel()
					out, _ := s.run(t, script, append(args, files...)...)
					got := answers(t, out)
					for _, file := range files {
						name := filepath.Base(file)
						want, answer := "not verified: ", got[name]
						if expect[name] == "verified" {
							want = "verified"
						}
						if cannotJudge[name] != "" {
							want = "cannot judge: "
						}
						if !strings.HasPrefix(answer, want) {
							t.Errorf("%s: %q, and it is %s", name, answer, expect[name])
						}
					}
				})
			}
		}
	}
}

// TestScriptMutants: of messages with wrong bytes the script never says
// "verified" where Verify does not, nor "not verified" where it does.
func TestScriptMutants(t *testing.T) {
	t.Parallel()
	dash := shells(t)[0]
	const mutants = 60
	random := rand.New(rand.NewPCG(5, 5)) // the same ones each time
	dir, verified := t.TempDir(), map[string]bool{}
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
			if err == nil {
				_, err = signing.Verify(b, signing.VerifyOptions{Anchors: []roots.Anchor{a}, At: now})
			}
			verified[name] = err == nil
		}
	}
	script := write(t, filepath.Join(dir, "verify.sh"), []byte(Script()))
	for share := range slices.Chunk(files, mutants/4) {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			out, _ := dash.run(t, script, append([]string{"--bundle", "--at", "2025-06-01", "--root", "../../testdata/bundles/lab-root.pem"}, share...)...)
			for name, answer := range answers(t, out) {
				if verified[name] && strings.HasPrefix(answer, "not verified") || !verified[name] && strings.HasPrefix(answer, "verified") {
					t.Errorf("%s: %q, and Verify says %v", name, answer, verified[name])
				}
			}
		})
	}
}

// TestScriptForms runs the script over the forms of bundles.
func TestScriptForms(t *testing.T) {
	t.Parallel()
	script := write(t, filepath.Join(t.TempDir(), "verify.sh"), []byte(Script()))
	want := map[string]string{
		"lab-core-v1.p7b": "verified", "lab-core-v2.p7b": "verified", "lab-intermediate.p7b": "verified", "lab-ski.p7b": "verified",
		"lab-pss.p7b": "verified", "lab-two-signers.p7b": "verified",
		"lab-p256.p7b": "not verified: it does not lead to the pinned root", "lab-certs-only.p7b": "not verified: nobody has signed it",
		"lab-outer.p7b": "not verified: what was signed is not in the message",
		"lab-ber.p7b":   "cannot judge: it is framed in BER, not DER", "lab.pem": "cannot judge: it is not DER; PEM and base64 are not read here",
		"lab-ed25519.p7b": "cannot judge: it is signed with ED25519, which openssl verifies in messages from 3.2 on, or never",
	}
	args := []string{"--bundle", "--at", "2025-06-01", "--root", "../../testdata/bundles/lab-root.pem"}
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
		for file, want := range map[string]int{"lab-core-v1.p7b": 2, "lab-certs-only.p7b": 2, "lab-ber.p7b": 2} {
			if out, status := s.run(t, script, "--bundle", "../../testdata/bundles/"+file); status != want || strings.Contains(out, ": verified") {
				t.Errorf("%s: %s: status %d, %s", s.name, file, status, out)
			}
		}
	}
}
