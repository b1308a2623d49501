package hosting_test

import (
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"testing"

	"trustpool/internal/hosting"
	"trustpool/internal/pkitest"
)

type nothing struct{ header http.Header }

func (n *nothing) Header() http.Header         { return n.header }
func (n *nothing) WriteHeader(int)             {}
func (n *nothing) Write(b []byte) (int, error) { return len(b), nil }

// BenchmarkHandler is what a request costs here, without net/http and the system.
func BenchmarkHandler(b *testing.B) {
	dir, data := b.TempDir(), pkitest.Large(126)
	put(b, filepath.Join(dir, "ios.p7b"), data, modified)
	for _, log := range []string{"slog", "ours", "none"} {
		b.Run("log="+log, func(b *testing.B) {
			o := options(b, hosting.Directory(dir))
			switch log {
			case "slog":
				o.AccessLog = slog.New(slog.NewJSONHandler(io.Discard, nil))
			case "ours":
				l, err := hosting.OpenAccessLog(func() (io.WriteCloser, error) { return discard{io.Discard}, nil }, nil)
				if err != nil {
					b.Fatal(err)
				}
				go l.Run(b.Context())
				o.AccessLog = l.Logger()
			}
			s := newServer(b, o)
			r, err := http.NewRequest(http.MethodGet, "/ios.p7b", nil)
			if err != nil {
				b.Fatal(err)
			}
			r.RemoteAddr, r.Header["User-Agent"] = "192.0.2.1:4711", []string{"cisco-IOS"}
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				s.ServeHTTP(&nothing{http.Header{}}, r)
			}
		})
	}
}

type discard struct{ io.Writer }

func (discard) Close() error { return nil }
