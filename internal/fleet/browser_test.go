package fleet_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"trustpool/internal/audit"
	"trustpool/internal/tooltest"
)

// The page is shown in a browser, wide and narrow, light and dark: its script filters and sorts, nothing is wider than the
// window, and no rule of WCAG 2.1 A and AA that axe-core knows is broken.
func TestPage(t *testing.T) {
	t.Parallel()
	tooltest.Need(t, "chromium")
	axe, err := os.ReadFile(tooltest.File(t, "TRUSTPOOL_AXE", "axe-core's axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	list := generated(t, dir, 70, 7, 7)
	o := labOptions(t)
	o.Needs = []audit.Need{firRoot(t)}
	r := judged(t, list, dir, o, "192.0.2.9 - - [01/May/2025:10:00:00 +0000] \"GET /lab-core.p7b HTTP/1.1\" 200 5\n")
	r.URL = "http://192.0.2.1/ios.p7b"
	path := filepath.Join(t.TempDir(), "fleet.html")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.WriteHTML(f); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath("chromium"), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, time.Minute)
	t.Cleanup(cancel)
	run := func(actions ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		if err := chromedp.Do(ctx, actions...); err != nil {
			t.Fatal(err)
		}
	}
	run(chromedp.Navigate("file://" + path))
	type rows struct {
		Shown  int
		First  string
		Output string
		Sorted string
	}
	look := func(do string) rows {
		t.Helper()
		v, err := chromedp.Run(ctx, chromedp.Evaluate[rows](do+`; (() => { const shown = Array.from(document.querySelectorAll("#devices tbody tr")).filter(r => !r.hidden);
			return {Shown: shown.length, First: shown.length ? shown[0].cells[0].textContent : "", Output: document.querySelector("output").textContent,
				Sorted: Array.from(document.querySelectorAll("#devices th[aria-sort]"), h => h.textContent + " " + h.getAttribute("aria-sort")).join()}; })()`))
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	const event = `const fire = (s, e, v) => { const x = document.querySelector(s); x.value = v; x.dispatchEvent(new Event(e)); };`
	if got := look(""); got.Shown != 70 || got.Output != "70 of 70" {
		t.Errorf("%+v", got)
	}
	if got := look(event + `fire("select", "change", "unreadable")`); got.Shown != 7 || got.First != "edge000000" {
		t.Errorf("%+v", got)
	}
	if got := look(`{` + event + `fire("select", "change", ""); fire("input", "input", "SITE3 lacks")}`); got.Shown == 0 || got.Shown > 10 {
		t.Errorf("%+v", got)
	}
	if got := look(`{` + event + `fire("input", "input", ""); for (let i = 0; i < 2; i++) document.querySelector("#devices th button").click()}`); got.Shown != 70 || got.First != "edge000069" || got.Sorted != "Device descending" {
		t.Errorf("%+v", got)
	}
	run(chromedp.Evaluate[chromedp.Void](string(axe)))
	for _, as := range []struct {
		name, scheme string
		size         chromedp.Action[chromedp.Void]
	}{
		{"wide", "light", chromedp.EmulateViewport(1280, 900)}, {"wide", "dark", chromedp.EmulateViewport(1280, 900)},
		{"narrow", "light", chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile)}, {"narrow", "dark", chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile)},
	} {
		run(as.size, func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
			_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Media: "screen", Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: as.scheme}},
			})
			return chromedp.Void{}, err
		})
		type result struct {
			Passes     int
			Wide       bool
			Violations []json.RawMessage
		}
		got, err := chromedp.Run(ctx, chromedp.Evaluate[result](`axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"], resultTypes: ["violations"]})
			.then(r => ({Passes: r.passes.length, Wide: document.documentElement.scrollWidth > innerWidth,
				Violations: r.violations.map(v => ({id: v.id, help: v.help, nodes: v.nodes.slice(0, 3).map(n => [n.html, n.failureSummary])}))}))`, chromedp.EvalAwaitPromise))
		if err != nil {
			t.Fatal(err)
		}
		if got.Wide || got.Passes < 10 {
			t.Errorf("%s, %s: wider than the window: %v; %d passes", as.name, as.scheme, got.Wide, got.Passes)
		}
		for _, v := range got.Violations {
			t.Errorf("%s, %s: %s", as.name, as.scheme, v)
		}
	}
}
