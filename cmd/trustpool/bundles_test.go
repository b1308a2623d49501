package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trustpool/internal/cli"
)

// TestTwins: beside each bundle of testdata stands what inspect shows of it, as
// NAME.txt and NAME.json, so that a reviewer can read it. Roots have none: they
// stand in the bundles.
func TestTwins(t *testing.T) {
	t.Chdir("../..") // so that the files are named from the top of the project
	const dir = "testdata/bundles/"
	paths, err := filepath.Glob(dir + "*")
	if err != nil {
		t.Fatal(err)
	}
	bundles := 0
	for _, path := range paths {
		name := filepath.Base(path)
		switch ext := filepath.Ext(name); {
		case ext == ".txt" || ext == ".json":
			if _, err := os.Stat(strings.TrimSuffix(path, ext)); err != nil {
				t.Errorf("%s has no bundle", path)
			}
			continue
		case strings.HasSuffix(name, "-root.pem"):
			continue
		}
		bundles++
		root := dir + strings.TrimSuffix(name, filepath.Ext(name)) + "-root.pem"
		if _, err := os.Stat(root); err != nil {
			root = dir + "lab-root.pem"
		}
		args := []string{"inspect", "--at", "2025-06-01", "--root", root, path}
		twin(t, path+".txt", args)
		twin(t, path+".json", append(args, "--json"))
	}
	if bundles == 0 {
		t.Error("there are no bundles")
	}
}

// twin compares what the command prints with the file.
func twin(t *testing.T, path string, args []string) {
	t.Helper()
	var out, stderr bytes.Buffer
	if got := cli.Run(context.Background(), args, cli.Env{Stdout: &out, Stderr: &stderr, Now: now}); got != 0 {
		t.Errorf("trustpool %q: status %d: %s", args, got, &stderr)
		return
	}
	if *update {
		if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(out.Bytes(), want) {
		t.Errorf("%s is not what trustpool %q prints; go test ./cmd/trustpool -update writes it (%v)", path, args, err)
	}
}
