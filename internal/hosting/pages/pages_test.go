package pages_test

import (
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/hosting"
	"trustpool/internal/hosting/pages"
	"trustpool/internal/inspect"
	"trustpool/internal/pkitest"
	"trustpool/internal/tooltest"
)

func TestBundles(t *testing.T) {
	t.Parallel()
	s := lab(t)
	page := body(t, s, "/")
	has(t, page, "<bdi>Lab Core Bundle</bdi>, version 2", "Signature verified", "under <bdi>Lab Root CA</bdi>", "judged <time datetime=\"2025-06-01T00:00:00Z\">",
		"Next expiry", `<a href="/ios.p7b">ios.p7b</a>`, "/security/pki/trs/current/ios/ios.p7b.hash.sha256", "/security/pki/trs/current/ios/manifest.log", "Not signed")
	// Audits that a busy machine did not finish in time are there the next time.
	for range 20 {
		if body(t, s, "/pages/") == body(t, s, "/") {
			return
		}
	}
	t.Error("/pages/ is another page than /")
}

// A page is for people, a file for programs too.
func TestDevices(t *testing.T) {
	t.Parallel()
	s := lab(t)
	for agent, accept := range map[string]string{
		"cisco-IOS": "text/html", "Mozilla/4.0 (compatible; MSIE 5.0; Cisco PKI)": "text/html", "libcurl/8.14.1": "text/html", "": "*/*",
	} {
		for _, path := range []string{"/", "/pages/bundles/ios", "/pages/commands", "/pages/nothing", "/pages/files/nothing"} {
			w := get(t, s, path, "User-Agent", agent, "Accept", accept)
			if w.Code != http.StatusNotFound || w.Header().Get("Content-Type") != "text/plain; charset=utf-8" {
				t.Errorf("%s asks for %s: status %d, %s", agent, path, w.Code, w.Header().Get("Content-Type"))
			}
		}
		if w := get(t, s, strings.Replace(page(s, "ios"), "bundles", "files", 1)+"/ios.pem", "User-Agent", agent, "Accept", accept); w.Code != http.StatusOK {
			t.Errorf("%s asks for a file: status %d", agent, w.Code)
		}
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	s := lab(t)
	ios := page(s, "ios")
	for path, want := range map[string]int{
		"/pages/x": 404, "/pages/bundles/": 404, "/pages/bundles/none": 404, "/pages/bundles/ios/": 404, "/pages/bundles/ios/12": 404, ios + "/": 404,
		ios + "/zz": 404, ios + "/" + strings.Repeat("0", 64): 404, ios + "/1/2": 404, ios + "?page=0": 400, ios + "?page=x": 400, ios + "?page=2": 404, ios + "?sort=x": 400,
		ios + "?expires=x": 400, ios + "?q=quirk:x": 400, ios + "?q=%zz": 400, ios + "?q=" + strings.Repeat("x", pages.MaxText+1): 400, ios + "?page=99999999999999999999": 400,
		"/pages/compare?from=ios&to=ios": 404, "/pages/compare?from=a/b": 404, "/pages/commands?bundle=x": 404, "/pages/commands?vrf=a%0ab": 400,
		"/pages/commands?vrf=" + strings.Repeat("x", pages.MaxText+1): 400, "/pages/files/x": 404, "/pages/files/compare.exe": 404, "/pages/files/commands/x.txt": 404, "/pages/files/commands/ftd.yml": 404,
	} {
		w := get(t, s, path)
		if w.Code != want {
			t.Errorf("%s: status %d, want %d", path, w.Code, want)
		}
		if got := w.Header().Get("Cache-Control"); got != "no-store" {
			t.Errorf("%s: Cache-Control %q", path, got)
		}
		if strings.HasPrefix(path, "/pages/files/") == strings.Contains(w.Body.String(), "<") {
			t.Errorf("%s: %.60q", path, w.Body)
		}
	}
}

// rows are the names of the listed certificates.
func rows(page string) []string {
	var all []string
	for _, m := range regexp.MustCompile(`class="name"><a href="[^"]*"><bdi>([^<]*)</bdi>`).FindAllStringSubmatch(page, -1) {
		all = append(all, strings.TrimSuffix(html.UnescapeString(m[1]), " Root CA"))
	}
	return all
}

func TestSearch(t *testing.T) {
	t.Parallel()
	s := lab(t)
	for query, want := range map[string]string{
		"":                                      "Alder,Ivy ECC,Gorse,Lab,Fir,Hazel,Dogwood ECC,Birch,Cedar ECC",
		"?q=FIR":                                "Fir",
		"?q=ecc&sort=name":                      "Cedar ECC,Dogwood ECC,Ivy ECC",
		"?key=ECDSA+P-384&sort=-name":           "Ivy ECC,Dogwood ECC",
		"?expires=2055":                         "Fir",
		"?expires=expired":                      "",
		"?expires=26y":                          "Alder,Ivy ECC,Gorse,Lab,Hazel,Dogwood ECC,Birch,Cedar ECC",
		"?expires=valid&q=text:gorse":           "Gorse",
		"?sort=-expires&q=i":                    "Fir",
		"?sort=-position&q=algorithm:P-256":     "Cedar ECC",
		"?quirk=any":                            "",
		"?sort=key&q=algorithm:ecdsa&page=1":    "Cedar ECC,Ivy ECC,Dogwood ECC",
		"?q=alder&q=ignored&unknown=%3Cx%3E%22": "Alder",
	} {
		page := body(t, s, "/pages/bundles/ios"+query)
		got := rows(page)
		if query == "?sort=-expires&q=i" { // the first alone
			got = got[:1]
		}
		if strings.Join(got, ",") != want {
			t.Errorf("%q: %q, want %q", query, got, want)
		}
	}
	page := body(t, s, "/pages/bundles/ios?q=ecc&sort=name")
	has(t, page, "3 of 9 certificates", `value="ecc"`, `aria-sort="ascending"><a href="/pages/bundles/ios?q=ecc&amp;sort=-name#found">Name`, "Show all")
	page = body(t, s, "/pages/bundles/large?page=2")
	has(t, page, "page 2 of 2", "120 certificates", "101 to 120")
	if n := len(rows(page)); n != 20 {
		t.Errorf("%d rows on the second page", n)
	}
}

// The drawing and the table say the same.
func TestChart(t *testing.T) {
	t.Parallel()
	s := lab(t)
	page := body(t, s, "/pages/bundles/quirks")
	bars := strings.Count(page, "<rect")
	cells := regexp.MustCompile(`</th><td>(\d+)</td><td>(\d+)</td></tr>`).FindAllStringSubmatch(page, -1)
	cells = cells[:len(cells)-1] // the last row is their sum
	filled, total := 0, 0
	for _, c := range cells {
		for _, n := range c[1:] {
			var count int
			if _, err := fmt.Sscan(n, &count); err != nil {
				t.Fatal(err)
			}
			total += count
			if count > 0 {
				filled++
			}
		}
	}
	if bars == 0 || bars != filled {
		t.Errorf("%d bars, %d counts in the table", bars, filled)
	}
	var drawn int
	if _, err := fmt.Sscanf(regexp.MustCompile(`<desc id="chart-text">\d+`).FindString(page), `<desc id="chart-text">%d`, &drawn); err != nil || drawn != total {
		t.Errorf("%d in the drawing's description, %d in the table: %v", drawn, total, err)
	}
	b, err := bundle.Parse(s.Catalog().Lookup("quirks").Current.Raw)
	if err != nil {
		t.Fatal(err)
	}
	unknown := 0
	for _, c := range b.Certificates {
		if c.Err != nil || !c.NotAfter.Valid {
			unknown++
		}
	}
	if unknown == 0 || drawn+unknown != len(b.Certificates) {
		t.Errorf("%d with a date, %d without, of %d", drawn, unknown, len(b.Certificates))
	}
	has(t, page, fmt.Sprintf("Not counted: %d entr", unknown))
}

func TestCertificate(t *testing.T) {
	t.Parallel()
	s := file(t, tooltest.Bundle(t, "lab-core-v1.p7b"), pages.Options{})
	c := first(t, s)
	one := page(s, "ios") + "/" + hex.EncodeToString(c.SHA256[:])
	text := body(t, s, one)
	block := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	has(t, html.UnescapeString(text), "<bdi>"+c.Subject.String()+"</bdi>", c.PublicKey.String()+", exponent 65537", "the same name", block)
	r := inspect.NewCertificateReport(c, 1)
	for _, hash := range []string{r.SHA256, strings.ToUpper(r.SHA1), "SHA256:" + strings.ToUpper(r.SHA256)} {
		has(t, text, `<code class="pick">`+hash+"</code>")
	}
	has(t, text, fmt.Sprintf("%s %s %s %s</code>", r.MD5[:8], r.MD5[8:16], r.MD5[16:24], r.MD5[24:]))

	s = lab(t)
	text = body(t, s, "/pages/bundles/quirks")
	seen := 0
	for _, q := range certificate.Quirks() {
		if path := "/pages/bundles/quirks?quirk=" + string(q); strings.Contains(text, `value="`+string(q)+`"`) {
			listed := body(t, s, path)
			l := regexp.MustCompile(`class="name"><a href="([^"]*)"`).FindStringSubmatch(listed)
			detail := body(t, s, l[1])
			has(t, detail, `quirk=`+string(q)+`#found">`+string(q)+`</a></dt><dd>`)
			lacks(t, detail, string(q)+`</a></dt><dd></dd>`)
			seen++
		}
	}
	if seen < 15 {
		t.Errorf("%d quirks seen only", seen)
	}
	listed := body(t, s, "/pages/bundles/quirks?expires=unknown")
	has(t, listed, "not a certificate")
}

func first(t testing.TB, s *hosting.Server) *certificate.Certificate {
	t.Helper()
	b, err := bundle.Parse(s.Catalog().Entries[0].Current.Raw)
	if err != nil {
		t.Fatal(err)
	}
	return b.Certificates[0]
}

func TestCompare(t *testing.T) {
	t.Parallel()
	s := lab(t)
	text := body(t, s, "/pages/compare")
	has(t, text, "<strong>4</strong> added", "<strong>3</strong> removed", "<strong>5</strong> in both", "<strong>1</strong> re-issued", "<strong>1</strong> re-keyed")
	e := s.Catalog().Lookup("ios")
	has(t, text, "<title>Changes from ios version 1, signed", e.Current.SHA256+"</td>", e.Archive[0].SHA256+"</td>")
	from, to := "ios/"+e.Archive[0].SHA256[:16], "ios/"+e.Current.SHA256[:16]
	query := "?" + url.Values{"from": {to}, "to": {from}}.Encode()
	has(t, body(t, s, "/pages/compare"+query), "<strong>3</strong> added", "<strong>4</strong> removed")
	has(t, body(t, s, "/pages/compare?from="+to+"&to="+to), "The same 9 certificates")
	has(t, body(t, s, "/pages/files/compare.md"+query), "# Change of trust bundle", "verified, Lab Root CA")
	has(t, body(t, s, "/pages/files/compare.json"+query), `"trustpool.diff/1"`)

	alone := file(t, tooltest.Bundle(t, "lab-core-v1.p7b"), pages.Options{})
	text = body(t, alone, "/pages/compare")
	has(t, text, "there is nothing to compare")
	lacks(t, text, "<form")
	dir := t.TempDir()
	for i, name := range []string{"one.p7b", "two.p7b"} {
		if err := os.WriteFile(filepath.Join(dir, name), tooltest.Bundle(t, fmt.Sprintf("lab-core-v%d.p7b", i+1)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	two := newServer(t, hosting.Directory(dir), pages.Options{})
	text = body(t, two, "/pages/compare")
	has(t, text, "No bundle has more than one version here") // two are chosen that differ
	if chosen := regexp.MustCompile(`value="(\w+)/\w+" selected`).FindAllStringSubmatch(text, -1); len(chosen) != 2 || chosen[0][1] == chosen[1][1] {
		t.Errorf("chosen are %q", chosen)
	}
}

// Names are shown, and are nothing else.
func TestHostile(t *testing.T) {
	t.Parallel()
	s := lab(t)
	text := body(t, s, "/pages/bundles/hostile")
	has(t, text, html.EscapeString(hostileScript[3:]), `<bdi>`+arabic[3:]+`</bdi>`, `evil\u202egpj.exe\u2066\x00\x1b[31m`)
	lacks(t, text, "<script>document", "<img", `href="javascript`)
	for _, l := range links(text) {
		if strings.HasPrefix(l, page(s, "hostile")+"/") {
			checkPage(t, l, body(t, s, l))
		}
	}
	query := url.QueryEscape(`"><script>x</script>`)
	for _, path := range []string{"/pages/bundles/ios?q=" + query, "/pages/bundles/ios?key=" + query, "/pages/bundles/ios?quirk=" + query, "/pages/commands?vrf=" + query, "/pages/compare?from=" + query, "/pages/" + query, "/pages/bundles/" + query} {
		lacks(t, get(t, s, path).Body.String(), "<script>x")
	}
}

// A page of a large bundle is no larger than one of a small one.
func TestLarge(t *testing.T) {
	t.Parallel()
	s := file(t, pkitest.Large(5000), pages.Options{})
	for _, path := range []string{"/", "/pages/bundles/ios", "/pages/bundles/ios?q=large&sort=-name&page=37", "/pages/commands", page(s, "ios")} {
		if w := get(t, s, path); w.Code != http.StatusOK || w.Body.Len() > 128<<10 {
			t.Errorf("%s: status %d, %d bytes", path, w.Code, w.Body.Len())
		}
	}
}

// Genuine bundles, and what is known of them.
func TestGenuine(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(tooltest.Corpus(t, tooltest.IOS2021))
	if err != nil {
		t.Fatal(err)
	}
	s := genuine(t, data)
	text := body(t, s, "/pages/bundles/ios")
	has(t, text, "<bdi>Trusted Intersect Bundle</bdi>, version 10", "under <bdi>Cisco Root CA M1</bdi>", "108 certificates", "SHA-1, tolerated under this anchor alone", "page 1 of 2")
	text = body(t, s, "/pages/commands")
	lacks(t, text, "would refuse the bundle")
	has(t, text, "What is to be expected:")
	if n := strings.Count(body(t, s, "/pages/bundles/ios?sort=name&page=2"), `scope="row" class="name"><a`); n != 8 {
		t.Errorf("%d certificates on the second page", n)
	}
}
