package pages_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"trustpool/bundle"
	"trustpool/internal/audit"
	"trustpool/internal/hosting"
	"trustpool/internal/hosting/pages"
	"trustpool/internal/pool"
	"trustpool/internal/report"
	"trustpool/internal/tooltest"
)

// wide and narrow are the sizes of window that are tested.
var (
	wide   = chromedp.EmulateViewport(1280, 900)
	narrow = chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile)
)

// A browser is Chromium, and a server with pages on loopback.
type browser struct {
	*testing.T
	ctx    context.Context
	server *hosting.Server
	base   string
	page   string // of the current ios
}

func startBrowser(t *testing.T) browser {
	tooltest.Need(t, "chromium")
	s := newServer(t, hosting.Store(publish(t)), pages.Options{Watch: watchedLab(t).Report})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serverCtx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.Serve(serverCtx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return browser{t, startChromium(t), s, "http://" + l.Addr().String(), page(s, "ios")}
}

// startChromium starts a browser that ends with the test.
func startChromium(t *testing.T) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath("chromium"), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.UserDataDir(t.TempDir()))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // waits until it is gone, and with it its files
		cancel()
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// tab opens a tab, in which anything that the browser complains of fails the test.
func (b browser) tab(t *testing.T) browser {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 60*time.Second)
	t.Cleanup(cancel)
	b.T, b.ctx = t, ctx
	err := chromedp.Listen(ctx, func(event any) {
		switch e := event.(type) {
		case *log.EventEntryAdded:
			if e.Entry.Level == log.EntryLevelError && !strings.Contains(e.Entry.Text, "status of 400") {
				t.Errorf("the browser says: %s %s", e.Entry.Text, e.Entry.URL)
			}
		case *runtime.EventExceptionThrown:
			t.Errorf("the script fails: %s", e.ExceptionDetails.Text)
		case *network.EventRequestWillBeSent:
			if u := e.Request.URL; !strings.HasPrefix(u, b.base) && !strings.HasPrefix(u, "data:") {
				t.Errorf("it asks for %s", u)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	// Each tab is as if it were the one in front.
	b.run(wide, command(emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}))
	return b
}

func (b browser) run(actions ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		b.Fatal(err)
	}
}

func (b browser) open(path string) {
	b.Helper()
	b.run(chromedp.Navigate(b.base + path))
}

// ask evaluates an expression, also of a promise.
func ask[T any](b browser, expression string) T {
	b.Helper()
	return value(b, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// value runs an action that gives one.
func value[T any](b browser, action chromedp.Action[T]) T {
	b.Helper()
	v, err := chromedp.Run(b.ctx, action)
	if err != nil {
		b.Fatal(err)
	}
	return v
}

// command is an action that sends a command.
func command[P, R any](c cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, c, params)
		return chromedp.Void{}, err
	}
}

// until waits until an expression is true.
func (b browser) until(expression string) {
	b.Helper()
	value(b, chromedp.Poll[bool](expression, chromedp.WithPollingInterval(20*time.Millisecond), chromedp.WithPollingTimeout(10*time.Second)))
}

// shoot keeps a picture of the whole page, where it is asked for.
func (b browser) shoot(name string) {
	b.Helper()
	if *shots == "" {
		return
	}
	png := value(b, chromedp.FullScreenshot(100))
	if err := os.WriteFile(filepath.Join(*shots, name+".png"), png, 0o644); err != nil {
		b.Fatal(err)
	}
}

// media is where a page is shown, screen or print, in light or dark.
func media(where, scheme string) chromedp.Action[chromedp.Void] {
	features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}
	return command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: where, Features: features})
}

// kinds are a page of each kind.
func (b browser) kinds() map[string]string {
	certificate := ""
	for _, l := range links(body(b.T, b.server, b.page)) {
		if strings.HasPrefix(l, b.page+"/") {
			certificate = l
			break
		}
	}
	return map[string]string{
		"bundles": "/", "bundle": "/pages/bundles/ios", "quirks": "/pages/bundles/quirks", "hostile": "/pages/bundles/hostile", "large": "/pages/bundles/large?page=2&sort=-expires",
		"certificate": certificate, "compare": "/pages/compare", "commands": "/pages/commands?clean=1&vrf=Mgmt", "watch": "/pages/watch", "none": b.page + "?q=nothing", "wrong": b.page + "?q=quirk:x",
	}
}

func TestBrowser(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	plain := command(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	for name, test := range map[string]func(browser){
		"search": testSearch, "search without script": func(b browser) { b.run(plain); testPlainSearch(b) }, "hostile": testHostile,
		"keyboard": testKeyboard, "copy": testCopy, "layout": testLayout, "print": testPrint, "accessibility": testAccessibility, "picture": testPicture,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(b.tab(t))
		})
	}
}

// With script the list follows what is typed, and so does the address.
func testSearch(b browser) {
	b.open("/pages/bundles/ios")
	b.run(chromedp.SendKeys(chromedp.CSS("#q"), "fir"))
	b.until(`location.search === "?q=fir"`)
	if got := ask[string](b, `document.getElementById("found").textContent + " " + location.search + " " + document.activeElement.id`); got != "1 of 9 certificates ?q=fir q" {
		b.Errorf("it says %q", got)
	}
	choose := func(key string) {
		ask[bool](b, fmt.Sprintf(`document.getElementById("q").value = "", document.getElementById("key").value = %q,
			document.getElementById("key").dispatchEvent(new Event("input", {bubbles: true}))`, key))
	}
	choose("ECDSA P-384")
	b.until(`document.getElementById("found").textContent === "2 of 9 certificates"`)
	choose("")
	b.run(chromedp.SendKeys(chromedp.CSS("#q"), "quirk:nonsense\r"))
	b.until(`document.getElementById("found").textContent.includes("no quirk is called")`)
}

// Without it there is a button.
func testPlainSearch(b browser) {
	b.open("/pages/bundles/ios")
	b.run(chromedp.SendKeys(chromedp.CSS("#q"), "fir"), chromedp.Click(chromedp.CSS(`form.search button`)), chromedp.WaitVisible(chromedp.CSS("#results a[href='/pages/bundles/ios#found']")))
	if found := value(b, chromedp.Text(chromedp.CSS("#found"))); found != "1 of 9 certificates" {
		b.Errorf("found: %q", found)
	}
	b.open("/pages/commands")
	if buttons := value(b, chromedp.Nodes(chromedp.CSSAll("button.copy"), chromedp.AtLeast(0))); len(buttons) != 0 {
		b.Errorf("%d buttons do nothing", len(buttons))
	}
}

// What stands in names runs nothing and changes nothing.
func testHostile(b browser) {
	b.open("/pages/bundles/hostile?q=%3Cscript%3Edocument.title%3D1%3C/script%3E")
	b.open("/pages/bundles/hostile")
	for _, path := range append([]string{"/pages/bundles/hostile"}, ask[[]string](b, `[...document.querySelectorAll("th.name a")].map(a => a.pathname)`)...) {
		b.open(path)
		if got := ask[string](b, `document.title`); !strings.HasSuffix(got, "trustpool") {
			b.Errorf("%s: the title is %q", path, got)
		}
		if n := ask[int](b, `document.querySelectorAll("main script, main img, main iframe").length`); n != 0 {
			b.Errorf("%s: %d elements come from a name", path, n)
		}
	}
}

// Tab reaches everything that can be acted on, in the order in which it stands, and
// what has the focus shows it.
func testKeyboard(b browser) {
	for _, path := range []string{"/", "/pages/bundles/ios", "/pages/compare", "/pages/commands"} {
		b.open(path)
		want := ask[int](b, `(() => {
			window.stops = [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, summary")].filter(e => e.checkVisibility());
			return window.stops.length;
		})()`)
		b.run(chromedp.KeyEvent("\t"))
		if got := ask[string](b, `document.activeElement.textContent`); got != "Skip to the content" {
			b.Errorf("%s: first is %q", path, got)
		}
		for i := range want {
			got := ask[struct {
				Index   int
				Outline string
				Width   float64
				What    string
			}](b, `(() => {
				const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
				return {Index: window.stops.indexOf(e), Outline: style.outlineStyle, Width: box.width, What: e.outerHTML.slice(0, 80)};
			})()`)
			if got.Index != i || got.Outline == "none" || got.Width == 0 {
				b.Fatalf("%s: at stop %d of %d is %+v", path, i, want, got)
			}
			b.run(chromedp.KeyEvent("\t"))
		}
	}
	b.open("/")
	b.run(chromedp.KeyEvent("\t"), chromedp.KeyEvent("\r"))
	b.until(`location.hash === "#main"`)
	b.run(chromedp.KeyEvent("\t"))
	if got := ask[bool](b, `document.querySelector("main").contains(document.activeElement)`); !got {
		b.Error("the skip link does not lead into the content")
	}
}

// What is copied, by a button or by a click and Ctrl+C, is what is to be typed.
func testCopy(b browser) {
	b.open("/pages/commands?bundle=ios")
	want := "configure terminal\ncrypto pki trustpool import url " + b.base + "/ios.p7b\nend\n"
	const pre = `document.querySelector("section[aria-labelledby=iosxe] pre.cmd")`
	if got := ask[string](b, pre+`.textContent`); got != want {
		b.Errorf("the lines are %q", got)
	}
	b.run(chromedp.Click(chromedp.CSS("section[aria-labelledby=iosxe] pre.cmd")))
	if got := ask[string](b, `String(getSelection())`); strings.TrimSpace(got) != strings.TrimSpace(want) {
		b.Errorf("selected is %q", got)
	}
	ask[bool](b, `(window.copied = "", document.addEventListener("copy", () => window.copied = document.activeElement.value || String(getSelection())), true)`)
	ask[bool](b, `(Object.defineProperty(navigator, "clipboard", {value: undefined}), true)`) // as over HTTP
	b.run(chromedp.Click(chromedp.CSS("section[aria-labelledby=iosxe] button.copy")))
	b.until(`document.querySelector("section[aria-labelledby=iosxe] button.copy").textContent === "Copied"`)
	if got := ask[string](b, `window.copied`); got != want {
		b.Errorf("copied is %q", got)
	}
}

// The two sides of a change are as wide as each other, names have room beside the other
// columns, and no text of a drawing lies upon another.
func testLayout(b browser) {
	tablet := chromedp.EmulateViewport(768, 1024)
	for _, size := range []chromedp.Action[chromedp.Void]{wide, tablet, narrow} {
		b.run(size)
		b.open("/pages/compare")
		if got := ask[[]float64](b, `[...document.querySelectorAll(".sides thead th")].map(e => e.getBoundingClientRect().width)`); len(got) != 2 || got[0] != got[1] {
			b.Errorf("the sides are %v pixels wide", got)
		}
		for _, name := range []string{"ios", "quirks", "large"} {
			b.open("/pages/bundles/" + name)
			if got := ask[float64](b, `document.querySelector("td.expires").closest("tr").querySelector("th").offsetWidth / document.querySelector("main").offsetWidth`); got < 0.35 {
				b.Errorf("%s: names have %.2f of the width", name, got)
			}
			if got := ask[[]string](b, `(() => {
				const texts = [...document.querySelectorAll(".chart text")].filter(e => e.checkVisibility()).map(e => [e.textContent, e.getBoundingClientRect()]);
				return texts.flatMap(([a, p], i) => texts.slice(i + 1).filter(([, q]) => p.left < q.right && q.left < p.right && p.top < q.bottom && q.top < p.bottom).map(([b]) => a + " and " + b));
			})()`); len(got) > 0 {
				b.Errorf("%s: texts lie upon each other: %q", name, got)
			}
		}
	}
}

// Paper has no navigation, no form and no dark, and the numbers of the chart although nobody can open them there.
func testPrint(b browser) {
	b.run(media("screen", "dark"))
	b.open("/pages/bundles/ios")
	b.run(media("print", "dark"))
	for _, gone := range []string{"header nav", "form.search", ".skip"} {
		if got := ask[string](b, fmt.Sprintf(`getComputedStyle(document.querySelector(%q)).display`, gone)); got != "none" {
			b.Errorf("%s is printed", gone)
		}
	}
	if got := ask[string](b, `getComputedStyle(document.body).backgroundColor + getComputedStyle(document.body).color`); got != "rgb(255, 255, 255)rgb(0, 0, 0)" {
		b.Errorf("printed in %s", got)
	}
	if !ask[bool](b, `document.querySelector(".years").checkVisibility()`) {
		b.Error("the numbers of the chart are not printed")
	}
	pdf := value(b, chromedp.PrintToPDF())
	if *shots != "" {
		if err := os.WriteFile(filepath.Join(*shots, "bundle.pdf"), pdf, 0o644); err != nil {
			b.Fatal(err)
		}
	}
}

// auditPage is an audit report, which has the frame, the style and the chart of these pages.
func auditPage(t *testing.T) string {
	data := tooltest.Bundle(t, "lab-quirks-v1.p7b")
	b, err := bundle.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	r, err := audit.Run(audit.Subject{File: "quirks.p7b", Entries: pool.Of(b.Certificates)}, audit.Criteria{At: at})
	if err != nil {
		t.Fatal(err)
	}
	r.Evidence = report.NewEvidence("v1.2.3", at)
	for _, name := range []string{"quirks.p7b", "requirements.yaml", "/a/long/path/to/a/directory/of/certificates/" + strings.Repeat("x", 80) + ".pem", hostileScript} {
		r.Evidence.Add(name, []byte(name))
	}
	var out strings.Builder
	if err := r.WriteHTML(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// No rule of WCAG 2.1 A and AA that axe-core knows is broken, wide and narrow, light
// and dark; nothing is wider than the window; and the colours follow the reader's.
func testAccessibility(b browser) {
	kinds := b.kinds()
	kinds["audit"] = "" // a page that is alone
	b.accessible(kinds)
}

// accessible asks that of pages.
func (b browser) accessible(kinds map[string]string) {
	b.Helper()
	axe := tooltest.File(b.T, "TRUSTPOOL_AXE", "axe-core's axe.min.js")
	source, err := os.ReadFile(axe)
	if err != nil {
		b.Fatal(err)
	}
	grounds := map[string]string{}
	for name, path := range kinds {
		if path != "" {
			b.open(path)
		} else {
			b.run(chromedp.Navigate("about:blank"))
			ask[bool](b, fmt.Sprintf(`(document.open(), document.write(%q), document.close(), true)`, auditPage(b.T)))
		}
		b.run(chromedp.Evaluate[chromedp.Void](string(source)))
		for _, as := range []struct {
			size, colours string
			action        chromedp.Action[chromedp.Void]
		}{{"wide", "light", wide}, {"narrow", "dark", narrow}} {
			if as.size == "wide" && strings.Contains(path, "?") && *shots == "" {
				continue // as the same page above
			}
			b.run(as.action, media("screen", as.colours))
			where := strings.Join([]string{name, as.size, as.colours}, "-")
			b.shoot(where)
			result := ask[struct {
				Passes     int
				Violations []json.RawMessage
			}](b, `axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"], resultTypes: ["violations"], preload: location.protocol !== "file:"})
				.then(r => ({Passes: r.passes.length, Violations: r.violations.map(v => ({id: v.id, help: v.help, nodes: v.nodes.slice(0, 3).map(n => [n.html, n.failureSummary])}))}))`)
			for _, v := range result.Violations {
				b.Errorf("%s: %s", where, v)
			}
			if result.Passes < 20 {
				b.Errorf("%s: axe-core asked for %d things only", where, result.Passes)
			}
			if over := ask[int](b, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); over > 0 {
				b.Errorf("%s: %d pixels wider than the window", where, over)
			}
			grounds[as.colours] = ask[string](b, `getComputedStyle(document.body).backgroundColor`)
		}
	}
	if grounds["light"] == grounds["dark"] {
		b.Errorf("light and dark are both %s", grounds["light"])
	}
}

// The picture of README.md is the beginning of a page.
func testPicture(b browser) {
	if *picture == "" {
		b.Skip("skipped: -picture FILE writes it")
	}
	b.run(chromedp.EmulateViewport(960, 640), media("screen", "light"))
	b.open("/pages/bundles/quirks")
	if err := os.WriteFile(*picture, value(b, chromedp.CaptureScreenshot()), 0o644); err != nil {
		b.Fatal(err)
	}
}
