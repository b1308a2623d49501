package pages_test

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/fetch"
	"trustpool/internal/hosting"
	"trustpool/internal/hosting/pages"
	"trustpool/internal/hosting/watch"
	"trustpool/internal/pkitest"
	"trustpool/internal/tooltest"
)

// watching makes a watcher that judges with the bundles of lab, and asks servers as fetch says.
func watching(t testing.TB, now func() time.Time, fetch func(context.Context, string) ([][]byte, error), servers ...string) *watch.Watcher {
	t.Helper()
	w, err := watch.New(watch.Options{
		Servers: servers,
		Bundles: func() (out []watch.Bundle) {
			for _, b := range []struct {
				name string
				data []byte
			}{{"hostile", hostile()}, {"ios", tooltest.Bundle(t, "lab-core-v2.p7b")}} {
				out = append(out, watch.Bundle{
					Name: b.name, Version: "2", SHA256: fmt.Sprintf("%x", sha256.Sum256(b.data)), Parse: func() (*bundle.Bundle, error) { return bundle.Parse(b.data) },
				})
			}
			return out
		},
		Marked: func(_ string, c *certificate.Certificate) string {
			if c.Subject.CommonName() == "Lab Root CA" {
				return "Example <Program> removes it"
			}
			return ""
		},
		Fetch: fetch, Now: now, Sleep: func(context.Context, time.Duration) error { return nil }, Jitter: func() float64 { return 0 },
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// watchedLab is a watcher that has asked a good server, a broken one, one that does not answer, and one of hostile names.
func watchedLab(t testing.TB) *watch.Watcher {
	t.Helper()
	evil := pkitest.RootTemplate(pkitest.NewName(hostileScript), pkitest.RSA("alder")).Issue(nil)
	good := pkitest.Lab().Intermediate
	w := watching(t, now, func(_ context.Context, address string) ([][]byte, error) {
		host, _, _ := strings.Cut(address, ":")
		leaf := pkitest.ServerTemplate(host)
		switch host {
		case "tools.lab.example":
			return [][]byte{leaf.Sign(good), good.DER}, nil
		case "evil.lab.example":
			return [][]byte{leaf.Sign(evil)}, nil
		}
		return nil, errors.New("no chain: <script>\x1b[31m connection refused")
	}, "tools.lab.example:443", "evil.lab.example:443", "away.lab.example:8443")
	w.Ask(t.Context())
	return w
}

func TestWatchPage(t *testing.T) {
	t.Parallel()
	w := watchedLab(t)
	s := newServer(t, hosting.Store(publish(t)), pages.Options{Watch: w.Report})
	page := body(t, s, "/pages/watch")
	checkPage(t, "/pages/watch", page)
	root := "/pages/bundles/ios/" + s.Catalog().Lookup("ios").Current.SHA256[:16] + "/c92871deebdce0aa8b256084451db6a7830d7a68cbe4486a1698fb39fdfe0387"
	has(t, page, `<dt>Servers</dt><dd>3</dd>`, `<dt>Broken</dt><dd class="bad">2</dd>`, `<dt>Not known</dt><dd class="warn">1</dd>`, `<strong>tools.lab.example:443</strong> <span class="note">asked <time`,
		`<span class="good">reachable</span> to <a href="`+root+`"><bdi>CN=Lab Root CA,O=Trustpool Lab</bdi></a>`, `this root is marked for removal: Example &lt;Program&gt; removes it`,
		`<span class="bad">broken</span><span class="sub">chain-no-anchor: `, `<span class="bad">no answer</span><span class="sub">no chain: &lt;script&gt;\x1b[31m connection refused</span>`, "no answer yet",
		`<a href="/pages/watch" aria-current="page">Watch</a>`)
	lacks(t, page, "<script>", "\x1b")
	body(t, s, root)

	for _, s := range []http.Handler{lab(t)} {
		if w := get(t, s, "/pages/watch"); w.Code != http.StatusNotFound {
			t.Errorf("a server that watches nothing answers %d", w.Code)
		}
		lacks(t, body(t, s, "/"), "/pages/watch")
	}
	unasked := watching(t, now, refusing, "a.example:1")
	has(t, body(t, newServer(t, hosting.Store(publish(t)), pages.Options{Watch: unasked.Report}), "/pages/watch"), "not asked yet", "None since this server was started")
	if w := get(t, s, "/pages/watch?page=2"); w.Code != http.StatusNotFound {
		t.Errorf("a page that there is not: %d", w.Code)
	}
}

func refusing(context.Context, string) ([][]byte, error) { return nil, errors.New("nothing") }

// A server on loopback swaps its chain for one under another root, of the bundle and then of none: each is in the metrics and
// on the page after the next time that it is asked.
func TestSwappedChain(t *testing.T) {
	t.Parallel()
	var chain atomic.Pointer[tls.Certificate]
	leaf := pkitest.ServerTemplate("127.0.0.1")
	under := func(issuer *pkitest.Authority, middle ...[]byte) {
		chain.Store(&tls.Certificate{Certificate: append([][]byte{leaf.Sign(issuer)}, middle...), PrivateKey: leaf.Key.Signer})
	}
	lab := pkitest.Lab()
	under(lab.Intermediate, lab.Intermediate.DER)
	web := httptest.NewUnstartedServer(http.NotFoundHandler())
	web.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		return &tls.Config{Certificates: []tls.Certificate{*chain.Load()}}, nil
	}}
	web.Config.ErrorLog = log.New(io.Discard, "", 0)
	web.StartTLS()
	t.Cleanup(web.Close)
	address := web.Listener.Addr().String()

	clock := at
	w := watching(t, func() time.Time { return clock }, func(ctx context.Context, address string) ([][]byte, error) {
		return fetch.Chain(ctx, address, fetch.Options{})
	}, address)
	var server *hosting.Server
	p, err := pages.New(pages.Options{Catalog: func() *hosting.Catalog { return server.Catalog() }, Judge: judgeOf(&server), Now: func() time.Time { return clock }, Watch: w.Report})
	if err != nil {
		t.Fatal(err)
	}
	server, err = hosting.New(t.Context(), hosting.Options{Source: hosting.Store(publish(t)), Anchors: labAnchors(t), Now: func() time.Time { return clock }, Pages: p, Watch: w})
	if err != nil {
		t.Fatal(err)
	}
	ask := func() (metrics, page string) {
		clock = clock.Add(time.Hour)
		w.Ask(t.Context())
		return body(t, server, "/metrics"), body(t, server, "/pages/watch")
	}
	labels := `{server="` + address + `",bundle="ios"} `
	metrics, page := ask()
	has(t, metrics, "trustpool_watch_reachable"+labels+"1\n", `,root="CN=Lab Root CA,O=Trustpool Lab",sha256="c92871deebdce0aa"} 1`, "trustpool_watch_chain_expiry_timestamp_seconds"+labels,
		`trustpool_watch_last_success_timestamp_seconds{server="`+address+`"} 1.7487396e+09`, "trustpool_watch_root_marked_for_removal"+labels+"1\n")
	has(t, page, "CN=Lab Root CA")
	lacks(t, page, "moved")

	alder := pkitest.RootTemplate(pkitest.NewName("C=US", "O=Alder Trust Services", "CN=Alder Root CA"), pkitest.RSA("alder")).Issue(nil)
	under(alder)
	metrics, page = ask()
	has(t, metrics, "trustpool_watch_reachable"+labels+"1\n", `,root="CN=Alder Root CA,O=Alder Trust Services,C=US"`)
	lacks(t, metrics, `bundle="ios",root="CN=Lab Root CA`)
	has(t, page, "it moved to the root CN=Alder Root CA,O=Alder Trust Services,C=US", `before: the root CN=Lab Root CA,O=Trustpool Lab`)

	under(pkitest.RootTemplate(pkitest.NewName("CN=Nobody's"), pkitest.RSA("alder")).Issue(nil))
	metrics, page = ask()
	has(t, metrics, "trustpool_watch_reachable"+labels+"0\n")
	lacks(t, metrics, "trustpool_watch_info{server=\""+address+"\",bundle=\"ios\"", "trustpool_watch_chain_expiry_timestamp_seconds"+labels)
	has(t, page, "broken, chain-no-anchor: ")

	web.Close()
	metrics, _ = ask()
	lacks(t, metrics, "trustpool_watch_reachable"+labels)
	has(t, metrics, `trustpool_watch_answering{server="`+address+`"} 0`)
}
