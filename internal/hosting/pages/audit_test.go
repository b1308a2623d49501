package pages_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"trustpool/internal/hosting"
	"trustpool/internal/hosting/pages"
	"trustpool/internal/pkitest"
	"trustpool/internal/tooltest"
)

// The pages of a version say what an audit finds, and those of a certificate what it finds of that.
func TestAudit(t *testing.T) {
	t.Parallel()
	s := lab(t)
	page := body(t, s, "/pages/bundles/quirks")
	has(t, page, `<h2 id="audit">Audit</h2>`, `Audit: <a href="#audit"><span class="bad">1 error</span></a>, <a href="#audit"><span class="warn">11 warnings</span></a>`,
		`<span class="warn">warning</span> Signed with MD5 or MD2 <span class="number">1</span>`, "An element is not a certificate")
	lacks(t, page, "No longer valid") // the list says what has expired
	md5 := regexp.MustCompile(`<span class="warn">warning</span> Signed with MD5 or MD2.*?<a href="([^"]+)">#[0-9]+ <bdi>`).FindStringSubmatch(page)
	if md5 == nil {
		t.Fatal("the certificate that is signed with MD5 is not named")
	}
	has(t, body(t, s, md5[1]), `<ul class="findings"><li><span class="warn">warning</span> Signed with MD5 or MD2<span class="sub">`)
	has(t, body(t, s, "/pages/bundles/ios"), "<p>Nothing was found.</p>")

	// The first page waits for audits for a moment only; the next time they are there.
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(body(t, s, "/"), `Audit: <a href="/pages/bundles/quirks#audit"><span class="bad">1 error</span></a>`); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the first page never says what the audit found")
		}
	}

	// Text of certificates is text.
	has(t, body(t, s, "/pages/bundles/hostile"), "A name holds characters that do not show")
}

// A version with more certificates than are audited says so, and costs no audit.
func TestAuditLimit(t *testing.T) {
	t.Parallel()
	s := file(t, pkitest.Large(pages.MaxAudited+1), pages.Options{})
	began := time.Now()
	page := body(t, s, "/pages/bundles/ios")
	has(t, page, "Versions of more than 20000 certificates are not audited here: trustpool audit does it.")
	t.Logf("the page of %d certificates takes %v", pages.MaxAudited+1, time.Since(began))
	lacks(t, body(t, s, "/"), "Audit:")
}

// What root programs distrust is marked in lists, and on the page of the certificate.
func TestDistrusted(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(tooltest.Corpus(t, tooltest.IOS2021))
	if err != nil {
		t.Fatal(err)
	}
	s := genuine(t, data)
	page := body(t, s, "/pages/bundles/ios?q=trustcor")
	has(t, page, `<span class="sub bad">distrusted by root programs</span>`)
	link := regexp.MustCompile(`href="(/pages/bundles/ios/[0-9a-f]{16}/[0-9a-f]{64})"`).FindStringSubmatch(page)
	if link == nil {
		t.Fatal("no certificate is found")
	}
	has(t, body(t, s, link[1]), "Root programs distrust the certificate, or its key")
}

// A page says when the mirror last succeeded, if that is known.
func TestMirrored(t *testing.T) {
	t.Parallel()
	known := func(name string) (time.Time, bool) { return at.AddDate(0, 0, -3), name == "ios" }
	s := newServer(t, hosting.Store(publish(t)), pages.Options{Mirrored: known})
	has(t, body(t, s, "/pages/bundles/ios"), `<dt>Mirror last succeeded</dt><dd><time datetime="2025-05-29T00:00:00Z" title="2025-05-29 00:00:00 UTC">2025-05-29</time> <span class="ago">3 days ago</span>`)
	lacks(t, body(t, s, "/pages/bundles/quirks"), "Mirror")
	lacks(t, body(t, lab(t), "/pages/bundles/ios"), "Mirror")
}
