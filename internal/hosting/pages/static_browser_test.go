package pages_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"trustpool/internal/durable"
	"trustpool/internal/hosting"
	"trustpool/internal/hosting/site"
	"trustpool/internal/tooltest"
)

// writeSite writes a site of what the tests look at.
func writeSite(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "trustpool-site-") // which the workers of a web server may read
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	place, err := site.OpenDir(dir, new(durable.Disk))
	if err != nil {
		t.Fatal(err)
	}
	o := site.Options{
		Source: hosting.Store(publish(t)), Anchors: labAnchors(t), Now: now,
		Settings: func(site.Settings) site.Settings { return site.Settings{BaseURL: baseURL} },
	}
	if _, err := site.Write(t.Context(), place, o); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// startNginx runs nginx with the configuration that the project has for a site.
func startNginx(t *testing.T, dir string) string {
	t.Helper()
	address := tooltest.FreeAddress(t)
	text, err := os.ReadFile("../../../packaging/web/nginx.conf")
	if err != nil {
		t.Fatal(err)
	}
	return tooltest.Nginx(t, address, strings.NewReplacer("listen 80", "listen "+address, "listen [::]:80 default_server;", "", "/var/www/pki", dir).Replace(string(text)))
}

// Pages that are files work from the disk and from a web server, with its headers.
func TestStaticBrowser(t *testing.T) {
	t.Parallel()
	tooltest.Need(t, "chromium")
	dir := writeSite(t)
	ctx := startChromium(t)
	for name, base := range map[string]string{"disk": "file://" + dir, "nginx": startNginx(t, dir)} {
		b := browser{t, ctx, nil, base, ""}
		for what, test := range map[string]func(browser){
			"search": testStaticSearch, "times": testStaticTimes, "hostile": testStaticHostile, "links": testStaticLinks, "accessibility": testStaticAccessibility,
		} {
			t.Run(name+" "+what, func(t *testing.T) {
				t.Parallel()
				test(b.tab(t))
			})
		}
	}
}

func testStaticSearch(b browser) {
	b.open("/pages/bundles/ios/index.html")
	b.run(chromedp.SendKeys(chromedp.CSS("#q"), "fir"))
	b.until(`document.getElementById("found").textContent === "1 of 9 certificates"`)
	shown := func() []string {
		return ask[[]string](b, `[...document.querySelectorAll(".certificates tbody tr")].filter(r => r.checkVisibility()).map(r => r.querySelector("th bdi").textContent)`)
	}
	if got := shown(); len(got) != 1 || !strings.Contains(got[0], "Fir") {
		b.Errorf("found %q", got)
	}
	set := func(id, value string) {
		ask[bool](b, fmt.Sprintf(`document.getElementById(%[1]q).value = %[2]q, document.getElementById(%[1]q).dispatchEvent(new Event("input", {bubbles: true}))`, id, value))
	}
	digits := ask[string](b, `document.querySelector(".certificates tbody tr:nth-child(3) th a").href.match(/[0-9a-f]{64}/)[0].toUpperCase().match(/../g).join(":")`)
	set("q", digits)
	if got := shown(); len(got) != 1 {
		b.Errorf("a fingerprint finds %q", got)
	}
	set("q", "")
	set("key", "ECDSA P-384")
	if got := shown(); len(got) != 2 {
		b.Errorf("a key finds %q", got)
	}
	set("key", "")
	set("expires", "unknown")
	if got := ask[string](b, `document.getElementById("found").textContent`); got != "0 of 9 certificates" {
		b.Errorf("it says %q", got)
	}
	set("expires", "")
	b.run(chromedp.Click(chromedp.CSS("th.name button")))
	names := shown()
	if lower := slices.Clone(names); len(names) != 9 || !slices.IsSortedFunc(lower, func(x, y string) int { return strings.Compare(strings.ToLower(x), strings.ToLower(y)) }) {
		b.Errorf("sorted by name: %q", names)
	}
	b.run(chromedp.Click(chromedp.CSS("th.name button")))
	if got := shown(); got[0] != names[8] || ask[string](b, `document.querySelector("th.name").ariaSort`) != "descending" {
		b.Errorf("sorted the other way: %q", got)
	}
}

// Ages are of the reader's clock.
func testStaticTimes(b browser) {
	b.open("/pages/bundles/ios/index.html")
	ages := ask[[]string](b, `[...document.querySelectorAll("time + span")].map(e => e.textContent)`)
	if len(ages) < 10 {
		b.Errorf("only %d times have an age: %q", len(ages), ages)
	}
	for _, age := range ages {
		if age != "today" && !strings.Contains(age, " ago") && !strings.HasPrefix(age, "in ") {
			b.Errorf("an age is %q", age)
		}
	}
	years := time.Now().Year() - 2025 // since it was signed
	if got := ask[string](b, `document.querySelector(".facts time + span").textContent`); years > 3 && !strings.HasSuffix(got, "years ago") {
		b.Errorf("signed %s", got)
	}
	if got := ask[[]string](b, `[...document.querySelectorAll(".facts div:not([hidden]) dt")].map(e => e.textContent)`); !slices.Equal(got, []string{"Signed", "Published here", "Certificates", "Expired", "Next expiry"}) {
		b.Errorf("the facts are %q", got)
	}
}

func testStaticHostile(b browser) {
	b.open("/pages/bundles/hostile/index.html")
	for _, path := range ask[[]string](b, `[...document.querySelectorAll("th.name a")].map(a => a.pathname)`) {
		if _, at, found := strings.Cut(path, "/pages/"); found {
			path = "/pages/" + at
		}
		b.open(path)
		if got := ask[string](b, `document.title`); !strings.HasSuffix(got, "trustpool") {
			b.Errorf("%s: the title is %q", path, got)
		}
		if n := ask[int](b, `document.querySelectorAll("main script, main img, main iframe").length`); n != 0 {
			b.Errorf("%s: %d elements come from a name", path, n)
		}
	}
}

// A reader gets from the first page to a certificate and back.
func testStaticLinks(b browser) {
	b.open("/index.html")
	for _, click := range []string{"article h2 a", "th.name a", ".path a", "header nav a:nth-child(2)", "header nav a:nth-child(3)", ".mark"} {
		b.run(chromedp.Navigate(ask[string](b, fmt.Sprintf(`document.querySelector(%q).href`, click))))
		if got := ask[string](b, `document.title + getComputedStyle(document.querySelector("header")).display`); !strings.HasSuffix(got, "trustpoolflex") {
			b.Errorf("%s leads to %q", click, got)
		}
	}
	if got := ask[string](b, `location.href`); got != b.base+"/index.html" {
		b.Errorf("at last at %s", got)
	}
}

func testStaticAccessibility(b browser) {
	b.open("/pages/bundles/ios/index.html")
	certificate := ask[string](b, `document.querySelector("th.name a").getAttribute("href")`)
	if strings.HasPrefix(b.base, "file:") { // the other pages are the same from a web server
		b.accessible(map[string]string{"disk-bundles": "/index.html", "disk-bundle": "/pages/bundles/ios/index.html"})
		return
	}
	b.accessible(map[string]string{
		"static-bundles": "/index.html", "static-bundle": "/pages/bundles/ios/index.html", "static-quirks": "/pages/bundles/quirks/index.html", "static-large": "/pages/bundles/large/index.html",
		"static-certificate": "/pages/bundles/ios/" + certificate, "static-compare": "/pages/compare.html", "static-commands": "/pages/commands.html",
	})
}
