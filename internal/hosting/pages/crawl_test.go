package pages_test

import (
	"html"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// links are the paths that a page leads to: links, forms as they are, style and script.
func links(page string) []string {
	var all []string
	for _, m := range regexp.MustCompile(`(?:href|src|action)="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		all = append(all, html.UnescapeString(m[1]))
	}
	return all
}

// Every link of every page leads somewhere: what can be reached is fetched, from the
// first page on.
func TestCrawl(t *testing.T) {
	t.Parallel()
	s := lab(t)
	ids := map[string]map[string]bool{} // fragments that pages have
	fragments := map[string]string{}    // those that are asked for, and on which page
	seen := map[string]bool{"/": true}
	types := map[string]int{}
	for queue := []string{"/"}; len(queue) > 0; queue = queue[1:] {
		path := queue[0]
		w := get(t, s, path)
		if w.Code != http.StatusOK {
			t.Errorf("%s: status %d", path, w.Code)
		}
		kind, _, _ := strings.Cut(w.Header().Get("Content-Type"), ";")
		types[kind]++
		if kind != "text/html" {
			continue
		}
		page := w.Body.String()
		checkPage(t, path, page)
		ids[path] = map[string]bool{}
		for _, m := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(page, -1) {
			if ids[path][m[1]] {
				t.Errorf("%s: the id %s is there twice", path, m[1])
			}
			ids[path][m[1]] = true
		}
		for _, link := range links(page) {
			if link == "data:," {
				continue
			}
			u, err := url.Parse(link)
			if err != nil || u.IsAbs() || u.Host != "" {
				t.Errorf("%s leads to %q, which is elsewhere", path, link)
				continue
			}
			target, fragment, _ := strings.Cut(link, "#")
			if target == "" {
				target = path
			}
			if fragment != "" {
				fragments[target+"#"+fragment] = path
			}
			// Of combined sortings and filters those of one field are enough.
			if !seen[target] && strings.Count(target, "=") < 3 {
				seen[target] = true
				queue = append(queue, target)
			}
		}
	}
	for link, from := range fragments {
		target, fragment, _ := strings.Cut(link, "#")
		if ids[target] != nil && !ids[target][fragment] {
			t.Errorf("%s leads to %s, and there is no such id", from, link)
		}
	}
	t.Log(types)
	for _, kind := range []string{"text/html", "text/css", "text/javascript", "application/x-pkcs7-certificates", "application/x-pem-file", "application/pkix-cert", "text/csv", "application/json", "text/plain", "text/markdown", "application/yaml"} {
		if types[kind] == 0 {
			t.Errorf("nothing of type %s was found, only %q", kind, slices.Sorted(maps.Keys(types)))
		}
	}
}

// checkPage asks for what every page has.
func checkPage(t *testing.T, path, page string) {
	t.Helper()
	for _, once := range []string{"<!doctype html>", `<html lang="en">`, "<title>", "<h1>", "<main ", "<header>", "<footer>", `class="skip"`} {
		if n := strings.Count(page, once); n != 1 {
			t.Errorf("%s: %s stands %d times", path, once, n)
		}
	}
	if tables, captions := strings.Count(page, "<table"), strings.Count(page, "<caption"); tables != captions {
		t.Errorf("%s: %d tables, %d captions", path, tables, captions)
	}
	for _, no := range []string{"ZgotmplZ", "<no value>", " style=", " onclick=", "<style", "%!", "\x00", "\x1b", "\u202e", "\u2066"} {
		if strings.Contains(page, no) {
			t.Errorf("%s: %q is in it", path, no)
		}
	}
	if n := strings.Count(page, "<script"); n != 1 {
		t.Errorf("%s: %d scripts", path, n)
	}
	for _, m := range regexp.MustCompile(`<(?:input|select)[^>]*\bid="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if !strings.Contains(page, `<label for="`+m[1]+`">`) {
			t.Errorf("%s: the field %s has no label", path, m[1])
		}
	}
}
