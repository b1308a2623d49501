package store_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trustpool/internal/durable"
	"trustpool/internal/pkitest"
	"trustpool/internal/store"
)

// TestMain is also the publisher that tests kill.
func TestMain(m *testing.M) {
	if path := os.Getenv("STORE_TEST_PUBLISHER"); path != "" {
		os.Exit(publisher(path))
	}
	os.Exit(m.Run())
}

// publisher publishes version after version under the root of the lab until it is
// killed. It prints an empty line when it begins, and the number of each release when
// it is there.
func publisher(path string) int {
	t := &standIn{}
	o := lab(t)
	d, err := store.OpenDir(path, new(durable.Disk))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	s, ctx := store.New(d), context.Background()
	fmt.Println()
	for {
		number := 0
		if r, err := s.Current(ctx, "lab"); err == nil {
			number = r.Number
		} else if !errors.Is(err, store.ErrNotFound) {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		p, err := s.Publish(ctx, signed(coreName, fmt.Sprint(number+1), pkitest.CoreV2()...), o)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		fmt.Println(p.Release.Number)
	}
}

// A standIn is a testing.TB outside of a test.
type standIn struct{ testing.TB }

func (*standIn) Helper()           {}
func (*standIn) Fatal(args ...any) { panic(fmt.Sprint(args...)) }

const (
	killedPublishes = 200
	longestLife     = 8               // publications of one publisher, and a part of the next
	killingTime     = 5 * time.Minute // many times what it takes
)

// Publishers are killed at random points of 200 publications: what they said was
// published is, and what is current is whole.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: -short")
	}
	// Not parallel: what counts is how often it is killed.
	path, err := os.MkdirTemp("/dev/shm", "") // memory: more publications in the time; a killed process leaves as much
	if err != nil {
		path = t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(path) })
	d, err := store.OpenDir(path, new(durable.Disk))
	if err != nil {
		t.Fatal(err)
	}
	s := store.New(d)
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	published, kills, deadline := 0, 0, time.Now().Add(killingTime)
	for published < killedPublishes {
		if time.Now().After(deadline) {
			t.Fatalf("seed %d: %d publications and %d kills in %v", seed, published, kills, killingTime)
		}
		var stderr bytes.Buffer
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "STORE_TEST_PUBLISHER="+path, "GORACE=atexit_sleep_ms=0")
		cmd.Stderr = &stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		said, began, left := published, time.Now(), 1+random.IntN(longestLife)
		for lines.Scan() {
			fmt.Sscan(lines.Text(), &said)
			if left--; left == 0 {
				time.AfterFunc(time.Duration(random.Int64N(int64(time.Since(began)))), func() { _ = cmd.Process.Kill() })
			}
			began = time.Now()
		}
		_ = cmd.Wait()
		kills++
		if stderr.Len() > 0 {
			t.Fatalf("seed %d, kill %d: the publisher could not go on: %s", seed, kills, stderr.Bytes())
		}
		r, err := s.Current(t.Context(), "lab")
		if errors.Is(err, store.ErrNotFound) && said == 0 {
			continue
		}
		if err != nil {
			t.Fatalf("seed %d, kill %d: %v", seed, kills, err)
		}
		intact(t, s, r.Version)
		if r.Number < said || r.Number > said+1 || r.Version != fmt.Sprint(r.Number) {
			t.Fatalf("seed %d, kill %d: release %d, version %s is current after %d", seed, kills, r.Number, r.Version, said)
		}
		published = r.Number
	}
	t.Logf("seed %d: %d publications, %d kills", seed, published, kills)
	h, err := history(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range h {
		if _, err := s.Read(t.Context(), r); err != nil {
			t.Error(err)
		}
	}
	if _, err := s.Publish(t.Context(), signed(coreName, "10000", pkitest.CoreV2()...), lab(t)); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(path, ".trustpool-tmp-*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// A publisher fills a file system to the last byte: the last release stays.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	script := `mount -t tmpfs -o size=256k none "$STORE_TEST_PUBLISHER" || exit 77
"$0"; cp -r "$STORE_TEST_PUBLISHER"/. "$COPY"; df "$STORE_TEST_PUBLISHER"`
	saved := t.TempDir()
	cmd := exec.Command("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, os.Args[0])
	cmd.Env = append(os.Environ(), "STORE_TEST_PUBLISHER="+path, "COPY="+saved)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Skipf("skipped: no file system of 256 kB can be made here: %v: %s", err, stderr.Bytes())
	}
	if !strings.Contains(stderr.String(), "no space left on device") {
		t.Fatalf("the disk was not full: %s", stderr.Bytes())
	}
	d, err := store.OpenDir(saved, new(durable.Disk))
	if err != nil {
		t.Fatal(err)
	}
	s := store.New(d)
	r, err := s.Current(t.Context(), "lab")
	if err != nil {
		t.Fatal(err)
	}
	intact(t, s, r.Version)
	t.Logf("%d releases fit", r.Number)
	if !strings.Contains(string(out), fmt.Sprintf("%d\n", r.Number)) || strings.Contains(string(out), fmt.Sprintf("\n%d\n", r.Number+1)) {
		t.Errorf("release %d is current; the publisher said %s", r.Number, out)
	}
	if _, err := s.Publish(t.Context(), signed(coreName, "1000", pkitest.CoreV2()...), lab(t)); err != nil {
		t.Errorf("with room again: %v", err)
	}
}
