package tooltest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Credentials of an S3 server.
const (
	S3Key    = "TESTKEY"
	S3Secret = "not-secret"
)

// An S3 is a server of buckets, versitygw, over a directory of its own.
type S3 struct {
	Endpoint string // http://127.0.0.1:PORT
	Dir      string // a bucket is a directory in it
	address  string
	cmd      *exec.Cmd
}

// StartS3 starts a server with a bucket called "bucket", and ends it with the
// test, which it skips if there is none.
func StartS3(t testing.TB) *S3 {
	t.Helper()
	Need(t, "versitygw")
	s := &S3{Dir: t.TempDir(), address: FreeAddress(t)}
	s.Endpoint = "http://" + s.address
	if err := os.Mkdir(filepath.Join(s.Dir, "bucket"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.Start(t)
	t.Cleanup(s.Stop)
	return s
}

// URL is that of a store below a prefix of the bucket.
func (s *S3) URL(prefix string) string {
	return fmt.Sprintf("s3://bucket/%s?endpoint=%s", prefix, s.Endpoint)
}

// Getenv gives the credentials as the environment does.
func (s *S3) Getenv(name string) string {
	return map[string]string{"AWS_ACCESS_KEY_ID": S3Key, "AWS_SECRET_ACCESS_KEY": S3Secret}[name]
}

// Start starts a server that was stopped.
func (s *S3) Start(t testing.TB) {
	t.Helper()
	s.cmd = exec.Command("versitygw", "--quiet", "--access", S3Key, "--secret", S3Secret, "--port", s.address, "posix", s.Dir)
	if err := Start(s.cmd, s.address); err != nil {
		t.Fatal(err)
	}
}

// Stop ends the server; its directory stays.
func (s *S3) Stop() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}
