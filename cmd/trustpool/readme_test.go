package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"trustpool/internal/tooltest"
)

// A command is what README.md shows of a run.
type command struct {
	line   int
	text   string // after the prompt
	output string
}

// genuine is the name that README.md gives to a file of Cisco's, and which of the corpus it is.
const genuine, genuineFile = "ios_core.p7b", "ios_core-v4-2017-01-11.p7b"

// TestReadme runs the commands that README.md shows on files of testdata, from the top of the project, and compares what they print. With
// TRUSTPOOL_CORPUS it also runs those that it shows on Cisco's file.
func TestReadme(t *testing.T) {
	t.Parallel()
	tooltest.Need(t, "bash")
	root := filepath.Dir(testdata(t))
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("skipped: there is no README.md")
	}
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir() // so that what a command writes is not written into the project
	if err := os.Symlink(testdata(t), filepath.Join(dir, "testdata")); err != nil {
		t.Fatal(err)
	}
	corpus := os.Getenv("TRUSTPOOL_CORPUS")
	if corpus != "" {
		if err := os.Symlink(filepath.Join(corpus, genuineFile), filepath.Join(dir, genuine)); err != nil {
			t.Fatal(err)
		}
	}
	ran := 0
	for _, c := range commands(string(readme)) {
		ours := strings.Contains(c.text, "testdata/")
		ciscos := strings.Contains(c.text, " "+genuine) && c.output != ""
		if ciscos && corpus == "" {
			t.Logf("README.md:%d: not run, because TRUSTPOOL_CORPUS is not set: %s", c.line, c.text)
		}
		if !ours && (!ciscos || corpus == "") {
			continue // on the reader's own files
		}
		ran++
		cmd := exec.Command("bash", "-c", strings.TrimPrefix(c.text, "./bin/"))
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "CLOCK=real", "GORACE="+noSleep)
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() > 1 && !strings.Contains(c.output, "trustpool: ") {
			t.Errorf("README.md:%d: %s: %v\n%s", c.line, c.text, err, out)
			continue
		}
		if c.output != "" && !matches(string(out), c.output) {
			t.Errorf("README.md:%d: %s\nprints\n%s\nand README.md shows\n%s", c.line, c.text, out, c.output)
		}
	}
	if ran == 0 {
		t.Error("README.md shows no command that can be run")
	}
}

// commands finds the commands of trustpool: in blocks of the language console
// after a prompt, with their output, and in blocks of sh without either.
func commands(readme string) []command {
	var found []command
	language, fenced := "", false
	var open *command // whose output is being read
	for i, line := range strings.Split(readme, "\n") {
		if rest, ok := strings.CutPrefix(line, "```"); ok {
			fenced, language, open = !fenced, rest, nil
			continue
		}
		if !fenced {
			continue
		}
		text, prompt := strings.CutPrefix(line, "$ ")
		isCommand := language == "console" && prompt || language == "sh"
		switch {
		case isCommand:
			open = nil
			if strings.HasPrefix(text, "trustpool ") || strings.HasPrefix(text, "./bin/trustpool ") {
				found = append(found, command{line: i + 1, text: text})
				if language == "console" {
					open = &found[len(found)-1]
				}
			}
		case open != nil:
			open.output += line + "\n"
		}
	}
	return found
}

// matches reports whether the output is as shown, where a line of three dots, or of
// an ellipsis, stands for any number of lines.
func matches(output, shown string) bool {
	parts := strings.Split("\n"+strings.ReplaceAll(shown, "\n...\n", "\n…\n"), "\n…\n")
	output = "\n" + output
	for i, part := range parts {
		if i > 0 {
			part = "\n" + part
		}
		at := strings.Index(output, part)
		if at < 0 || i == 0 && at > 0 {
			return false
		}
		output = output[at+max(len(part)-1, 0):] // the line break may begin the next part
	}
	return len(output) <= 1 || strings.HasSuffix(shown, "\n…\n") || strings.HasSuffix(shown, "\n...\n")
}

func TestCommands(t *testing.T) {
	t.Parallel()
	const readme = "$ trustpool no\n```console\n$ trustpool one a\nout\n\nmore\n$ ls\nx\n$ ./bin/trustpool two\n```\n" +
		"```sh\ntrustpool three\nmake demo\n```\n    $ trustpool no\n```go\n$ trustpool no\n```\n"
	got := fmt.Sprint(commands(readme))
	if want := fmt.Sprint([]command{{3, "trustpool one a", "out\n\nmore\n"}, {9, "./bin/trustpool two", ""}, {12, "trustpool three", ""}}); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for _, tt := range []struct {
		output, shown string
		want          bool
	}{
		{"a\nb\nc\n", "a\nb\nc\n", true},
		{"a\nb\nc\n", "a\n…\nc\n", true},
		{"a\nb\nc\n", "a\n...\n", true},
		{"a\nc\n", "a\n…\nc\n", true},
		{"a\nb\nc\n", "…\nc\n", true},
		{"a\nb\nc\n", "a\nb\n", false},
		{"a\nb\nc\n", "b\nc\n", false},
		{"a\nb\nc\nd\n", "a\n…\nc\n", false},
		{"a\nb\n", "a\n…\nc\n", false},
		{"a\nbc\n", "a\n…\nc\n", false},
	} {
		if got := matches(tt.output, tt.shown); got != tt.want {
			t.Errorf("matches(%q, %q) is %t", tt.output, tt.shown, got)
		}
	}
}
