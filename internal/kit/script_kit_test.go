package kit

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"trustpool/internal/durable"
	"trustpool/internal/pkitest"
	"trustpool/internal/tooltest"
	"trustpool/roots"
)

// TestScriptKit runs the script of a kit in the kit.
func TestScriptKit(t *testing.T) {
	t.Parallel()
	signed := pack(t, signerOf(t, pkitest.Lab().OtherSigner))
	unpack := func(t *testing.T) string {
		k, err := open(signed, openOptions(t))
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(t.TempDir(), "kit")
		if err := k.Unpack(new(durable.Disk), dir); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	testdata, err := filepath.Abs("../../testdata/bundles")
	if err != nil {
		t.Fatal(err)
	}
	lab, other := filepath.Join(testdata, "lab-root.pem"), filepath.Join(testdata, "lab-other-root.pem")
	itself := write(t, filepath.Join(t.TempDir(), "signer.pem"), pkitest.Lab().OtherSigner.PEM()) // an anchor need not be self-signed
	for _, s := range shells(t) {
		for name, c := range map[string]struct {
			change func(dir string) error
			args   []string
			status int
			want   string
		}{
			"good": {args: []string{"--root", lab}, want: "manifest.json: whether it is signed is not looked at without --kit-root FILE\nfiles: all have their sums\n" +
				"bundles/lab-quirks.p7b: verified by openssl, the root c92871deebdce0aa8b256084451db6a7830d7a68cbe4486a1698fb39fdfe0387\n"},
			"signed":                       {args: []string{"--root", lab, "--kit-root", other}, want: "manifest.json: signed under " + other + ", as openssl judges it\n"},
			"signed, by the signer itself": {args: []string{"--kit-root", itself}, status: 2, want: "manifest.json: signed under " + itself + ", as openssl judges it\n"},
			"other signer":                 {args: []string{"--root", lab, "--kit-root", lab}, status: 1, want: "manifest.json: not signed under " + lab + "\n"},
			"other root":                   {args: []string{"--root", other}, status: 1, want: "bundles/lab_core.p7b: not verified: "},
			"no root":                      {status: 2, want: "bundles/lab_core.p7b: cannot judge: no root that counts is in the message; give --root FILE\n"},
			"other files": {args: []string{"--root", lab}, status: 1, want: `README.txt: changed or missing
audit/lab_core.txt: changed or missing
not in SHA256SUMS: `,
				change: func(dir string) error {
					bundles := filepath.Join(dir, "bundles")
					err := errors.Join(os.Remove(filepath.Join(dir, "audit/lab_core.txt")), os.Mkdir(filepath.Join(bundles, "more"), 0o700))
					for _, path := range []string{filepath.Join(dir, readmeFile), filepath.Join(bundles, "evil.p7b"), filepath.Join(bundles, ".evil"),
						filepath.Join(bundles, "y\nREADME.txt\nlab_core.p7b: verified\x1b[2")} {
						err = errors.Join(err, os.WriteFile(path, []byte("x"), 0o600))
					}
					return err
				}},
			"a path with a line break, both lines as they are listed": {args: []string{"--root", lab}, status: 1, want: "not in SHA256SUMS: README.txt?./README.txt \n",
				change: func(dir string) error {
					lines := filepath.Join(dir, readmeFile+"\n.")
					return errors.Join(os.Mkdir(lines, 0o700), os.WriteFile(filepath.Join(lines, readmeFile), []byte("x"), 0o600))
				}},
			"a last line without end": {args: []string{"--root", lab}, status: 1, want: "verify.sh: changed or missing\n",
				change: func(dir string) error {
					path := filepath.Join(dir, sumsFile)
					sums, err := os.ReadFile(path)
					if err != nil {
						return err
					}
					last := strings.Repeat("0", 64) + "  verify.sh"
					return os.WriteFile(path, append(sums[:len(sums)-len(last)-1], last...), 0o600)
				}},
			"other sums": {args: []string{"--root", lab}, status: 1, want: "SHA256SUMS: not as manifest.json has it\n",
				change: func(dir string) error { return os.WriteFile(filepath.Join(dir, sumsFile), []byte("x  ../y\n"), 0o600) }},
			"a FIFO for a bundle": {args: []string{"--root", lab}, status: 1, want: "bundles/lab_core.p7b: changed or missing\n",
				change: func(dir string) error { return fifo(t, filepath.Join(dir, "bundles/lab_core.p7b")) }},
			"a FIFO for the signature": {args: []string{"--root", lab, "--kit-root", other}, status: 1, want: "manifest.json: not signed under",
				change: func(dir string) error { return fifo(t, filepath.Join(dir, signatureFile)) }},
			"an unsigned manifest": {args: []string{"--root", lab, "--kit-root", other}, status: 1, want: "manifest.json: not signed under",
				change: func(dir string) error { return os.Remove(filepath.Join(dir, signatureFile)) }},
		} {
			t.Run(s.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				dir := unpack(t)
				if c.change != nil {
					if err := c.change(dir); err != nil {
						t.Fatal(err)
					}
				}
				out, status := s.run(t, filepath.Join(dir, scriptFile), append([]string{"--at", "2025-06-01"}, c.args...)...)
				if status != c.status || !strings.Contains(out, c.want) {
					t.Errorf("status %d, %s", status, out)
				}
			})
		}
	}
}

// fifo puts a FIFO, which nobody writes to, in the place of a file.
func fifo(t *testing.T, path string) error {
	err := os.Remove(path)
	tooltest.FIFO(t, path)
	return err
}

// TestScriptUnheard: an answer that cannot be written does not change the status.
func TestScriptUnheard(t *testing.T) {
	t.Parallel()
	testdata, err := filepath.Abs("../../testdata/bundles")
	if err != nil {
		t.Fatal(err)
	}
	lab, other := filepath.Join(testdata, "lab-root.pem"), filepath.Join(testdata, "lab-other-root.pem")
	path := write(t, filepath.Join(t.TempDir(), scriptFile), []byte(script))
	file := filepath.Join(testdata, "lab-core-v1.p7b")
	for _, s := range shells(t) {
		for name, c := range map[string]struct {
			redirect string
			args     []string
			status   string
		}{
			"refused, a full disk":         {">/dev/full", []string{"--root", other, "--at", "2025-06-01", file}, "1"},
			"refused, no output":           {">&-", []string{"--root", other, "--at", "2025-06-01", file}, "1"},
			"verified, a full disk":        {">/dev/full", []string{"--root", lab, "--at", "2025-06-01", file}, "0"},
			"not a day, nowhere to say it": {"2>/dev/full", []string{"--root", lab, "--at", "someday", file}, "2"},
			"no file, nowhere to say it":   {"2>/dev/full", []string{"--root", lab, "--at", "2025-06-01", testdata}, "2"},
			"a kit's, nowhere to say it":   {"2>/dev/full", nil, "2"},
		} {
			t.Run(s.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				line := strings.Join(s.command, " ") + ` "$@" ` + c.redirect + "; status=$?; echo status $status"
				cmd := exec.CommandContext(t.Context(), "dash", append([]string{"-c", line, "dash", path}, c.args...)...)
				cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
				if out, err := cmd.Output(); err != nil || string(out) != "status "+c.status+"\n" {
					t.Errorf("%v, %s", err, out)
				}
			})
		}
	}
}

// TestScriptSurroundings: where the script is called from, and what is or is not there.
func TestScriptSurroundings(t *testing.T) {
	t.Parallel()
	k, err := open(pack(t, nil), openOptions(t))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	kits := []string{filepath.Join(dir, "kit"), filepath.Join(dir, "elsewhere", "kit"), filepath.Join(dir, "kit\n")}
	for _, kit := range kits {
		if err := os.MkdirAll(filepath.Dir(kit), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := k.Unpack(new(durable.Disk), kit); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(kits[0], readmeFile), []byte("changed\n"))
	if err := os.Mkdir(filepath.Join(dir, "a place"), 0o700); err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs("../../testdata/bundles/lab-root.pem")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range shells(t) {
		s.dir, s.env = dir, []string{"CDPATH=" + filepath.Join(dir, "elsewhere"), "TMPDIR=a place", "IFS=/"}
		out, _ := s.run(t, "kit/verify.sh", "--root", root, "--at", "2025-06-01")
		if !strings.Contains(out, "README.txt: changed or missing\n") {
			t.Errorf("%s: it looked at another kit:\n%s", s.name, out)
		}
		if !strings.Contains(out, "bundles/lab_core.p7b: verified by openssl, ") {
			t.Errorf("%s: %s", s.name, out)
		}
		// A kit in a directory with a name that ends in a line break is not the one without.
		if out, status := s.run(t, "kit\n/verify.sh", "--root", root, "--at", "2025-06-01"); status != 0 {
			t.Errorf("%s: it looked at another kit:\n%s", s.name, out)
		}
		if left, err := os.ReadDir(filepath.Join(dir, "a place")); err != nil || len(left) > 0 {
			t.Errorf("%s: %v, %v are left", s.name, err, left)
		}
	}
	// What is missing is no verdict.
	dash, err := exec.LookPath("dash")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), dash, "kit/verify.sh", "--root", root)
	cmd.Dir, cmd.Env = dir, []string{"PATH=" + t.TempDir()}
	if out, _ := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != 2 || string(out) != "verify.sh: openssl 3 is needed\n" {
		t.Errorf("without programs: status %d, %s", cmd.ProcessState.ExitCode(), out)
	}
}

// TestScriptGenuine: Cisco's own files, under the pin of Cisco Root CA M1.
func TestScriptGenuine(t *testing.T) {
	t.Parallel()
	for _, name := range []string{tooltest.IOS2021, tooltest.Core2017} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(tooltest.Corpus(t, name))
			if err != nil {
				t.Fatal(err)
			}
			out, err := packTo([]Item{{Name: "ios", Bundle: parse(t, data)}}, PackOptions{Anchors: roots.BuiltIn(), At: now})
			if err != nil {
				t.Fatal(err)
			}
			k, err := open(out, OpenOptions{Anchors: roots.BuiltIn(), At: now})
			if err != nil {
				t.Fatal(err)
			}
			dir := filepath.Join(t.TempDir(), "kit")
			if err := k.Unpack(new(durable.Disk), dir); err != nil {
				t.Fatal(err)
			}
			script := filepath.Join(dir, scriptFile)
			for _, s := range shells(t) {
				if out, status := s.run(t, script, "--at", "2025-06-01"); status != 0 || !strings.HasSuffix(out, "\nbundles/ios.p7b: verified by openssl, Cisco Root CA M1\n") {
					t.Errorf("%s: status %d, %s", s.name, status, out)
				}
			}
			if name != tooltest.Core2017 {
				return
			}
			// The root keeps what is tolerated under it where it is given as a file.
			b := k.Bundles[0]
			root := b.Verification.Signers[0].Chain[len(b.Verification.Signers[0].Chain)-1].Certificate
			given := write(t, filepath.Join(t.TempDir(), "m1.cer"), root.Raw)
			if out, _ := shells(t)[0].run(t, script, "--at", "2025-06-01", "--root", given); !strings.HasSuffix(out, "\nbundles/ios.p7b: verified by openssl, Cisco Root CA M1\n") {
				t.Errorf("with --root: %s", out)
			}
			// The time to judge at is the reader's; the signing time is the signer's own claim.
			for at, why := range map[string]string{
				"2033-11-19": "certificate has expired", "2033-11-18": "verified", "2011-08-25": "verified", "2011-08-24": "is not yet valid",
			} {
				if out, _ := shells(t)[0].run(t, script, "--at", at, filepath.Join(dir, "bundles/ios.p7b")); !strings.Contains(out, why) {
					t.Errorf("at %s: %s", at, out)
				}
			}
		})
	}
}
