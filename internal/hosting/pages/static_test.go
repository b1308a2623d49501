package pages_test

import (
	"bytes"
	"html"
	"net/http"
	"path"
	"regexp"
	"strings"
	"testing"
	"time"

	"trustpool/internal/hosting"
	"trustpool/internal/hosting/pages"
)

const baseURL = "http://pki.example.com"

// static makes the pages of what a server has as files, at a time.
func static(t testing.TB, s *hosting.Server, o pages.Options, at time.Time) []hosting.File {
	t.Helper()
	o.Static, o.Version = true, "v1.2.3"
	o.Catalog, o.Judge, o.Now = s.Catalog, s.Judge, func() time.Time { return at }
	p, err := pages.New(o)
	if err != nil {
		t.Fatal(err)
	}
	files, err := p.Files(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func data(t testing.TB, f hosting.File) []byte {
	t.Helper()
	data, err := f.Data(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Every link of a page that is a file leads to a file, or to what the catalog has, and its fragments are there.
func TestStaticCrawl(t *testing.T) {
	t.Parallel()
	s := lab(t)
	files := static(t, s, pages.Options{BaseURL: baseURL}, at)
	there := map[string]bool{"index.json": true}
	others, _, err := s.Catalog().Files(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range others {
		there[f.Name] = true
	}
	byName := map[string]string{}
	ids := map[string]bool{}
	for _, f := range files {
		if there[f.Name] {
			t.Errorf("%s is there twice", f.Name)
		}
		there[f.Name] = true
		body := data(t, f)
		byName[f.Name] = string(body)
		for _, m := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(string(body), -1) {
			ids[f.Name+"#"+m[1]] = true
		}
	}
	for _, f := range files {
		if !strings.HasPrefix(f.ContentType, "text/html") {
			continue
		}
		page := byName[f.Name]
		checkPage(t, f.Name, page)
		for _, no := range []string{"days ago", "years ago", "in 5 years", "judged", "2025-06-01"} {
			if strings.Contains(page, no) {
				t.Errorf("%s: %q changes with the day", f.Name, no)
			}
		}
		for _, link := range links(page) {
			if link == "data:," {
				continue
			}
			target, fragment, _ := strings.Cut(link, "#")
			name := f.Name
			if target != "" {
				name = path.Join(path.Dir(f.Name), target)
			}
			if strings.HasPrefix(target, "/") || strings.ContainsAny(target, "?:") || !there[name] || fragment != "" && !ids[name+"#"+fragment] {
				t.Errorf("%s leads to %q", f.Name, link)
			}
		}
	}
	for _, name := range []string{"index.html", "pages/bundles/ios/index.html", "pages/compare.html", "pages/commands.html", "pages/commands/ios/index.html", "pages/files/commands/ios/iosxe.txt"} {
		if byName[name] == "" {
			t.Errorf("there is no %s", name)
		}
	}
}

// The files are the same at another time.
func TestStaticSame(t *testing.T) {
	t.Parallel()
	s := lab(t)
	then := static(t, s, pages.Options{BaseURL: baseURL}, at.AddDate(0, 1, 3))
	for i, f := range static(t, s, pages.Options{BaseURL: baseURL}, at) {
		if then[i].Name != f.Name || then[i].SHA256 != f.SHA256 || !bytes.Equal(data(t, then[i]), data(t, f)) {
			t.Errorf("%s is not the same at another time: %s", f.Name, then[i].Name)
		}
	}
}

// Without the URL of a server there are no commands.
func TestStaticWithoutURL(t *testing.T) {
	t.Parallel()
	about := regexp.MustCompile(`(?:href|src|action)="[^"]*commands|Commands`) // an advice of the audit has the word, too
	for _, f := range static(t, lab(t), pages.Options{}, at) {
		if strings.Contains(f.Name, "commands") || about.Match(data(t, f)) {
			t.Errorf("%s is about commands", f.Name)
		}
	}
}

// What differs between a page of a server and the same as a file, beside the links: what depends on the present, what a
// query decides, and the foot.
var differing = []*regexp.Regexp{
	regexp.MustCompile(`(?s)<form.*?</form>|<footer>.*?</footer>|<p class="note" id="q-help">.*?</p>|<nav class="ways" aria-label="Bundles">.*?</nav>|<nav aria-label="Versions">.*?</nav>`),
	regexp.MustCompile(`(?s)<svg.*?</details>`),
	regexp.MustCompile(`(?s)<div( data-ends="[^"]*" hidden| hidden)?><dt>(Expired|Next expiry)</dt>.*?</div>`),
	regexp.MustCompile(` <span class="(ago|warn|bad)"( data-expiry)?>[^<]*</span>|, judged <time[^>]*>[^<]*</time>| <span class="sub">judged <time[^>]*>[^<]*</time></span>`),
	regexp.MustCompile(`(?s)<p class="seal"><span class="bad">Expired.*?</p>|<p class="seal">Expires.*?</p>|<p class="note">What is to be expected.*?</p>|<p class="notice"><strong class="bad">This device would.*?</p>`),
	regexp.MustCompile(`<a href="[^"]*\?(quirk|sort)=[^"]*">([^<]*(<span class="hidden">[^<]*</span>)?)</a>`),
	regexp.MustCompile(` (href|src)="[^"]*"`),
	regexp.MustCompile(`<p class="note"><a>Show all</a></p>`),
	regexp.MustCompile(`\n+`),
}

func common(page string) string {
	for i, d := range differing {
		with := ""
		switch i {
		case 5:
			with = "$2"
		case len(differing) - 1:
			with = "\n"
		}
		page = d.ReplaceAllString(page, with)
	}
	return page
}

// A page that is a file is what a server answers, and leads to the same.
func TestStaticAsServed(t *testing.T) {
	t.Parallel()
	s := newServer(t, hosting.Store(publish(t)), pages.Options{BaseURL: baseURL})
	files := map[string]hosting.File{}
	for _, f := range static(t, s, pages.Options{BaseURL: baseURL}, at) {
		files[f.Name] = f
	}
	// The same links, of the server and of the files, side by side.
	seen := map[string]bool{"index.html": true}
	type both struct{ served, name string }
	for queue := []both{{"/", "index.html"}}; len(queue) > 0; queue = queue[1:] {
		b := queue[0]
		w := get(t, s, b.served)
		if w.Code != http.StatusOK {
			t.Fatalf("%s: status %d", b.served, w.Code)
		}
		f, page := files[b.name], w.Body.String()
		if f.ContentType != w.Header().Get("Content-Type") {
			t.Errorf("%s: %s, and the server says %s", b.name, f.ContentType, w.Header().Get("Content-Type"))
		}
		own := string(data(t, f))
		if !strings.HasPrefix(f.ContentType, "text/html") {
			judged := regexp.MustCompile(`"at": "[^"]*"`)
			if own != judged.ReplaceAllString(page, `"at": null`) && !strings.Contains(b.name, "script-") {
				t.Errorf("%s is not what is at %s", b.name, b.served)
			}
			continue
		}
		if a, b2 := common(own), common(page); a != b2 {
			t.Errorf("%s is not what is at %s:\n%s", b.name, b.served, difference(a, b2))
		}
		for _, m := range regexp.MustCompile(`<a [^>]*href="([^"]*)"`).FindAllStringSubmatch(own, -1) {
			name, _, _ := strings.Cut(path.Join(path.Dir(b.name), html.UnescapeString(m[1])), "#")
			if _, ok := files[name]; !ok || seen[name] || strings.HasPrefix(name, "pages/bundles/large/") { // whose list is on more pages of a server
				continue
			}
			if served := servedAs(name, s); served != "" {
				seen[name] = true
				queue = append(queue, both{served, name})
			}
		}
	}
	if len(seen) < 60 {
		t.Errorf("only %d files were compared", len(seen))
	}
}

// servedAs is the path at which a server has the page of a name.
func servedAs(name string, s *hosting.Server) string {
	if m := regexp.MustCompile(`^pages/bundles/([^/]+)/([0-9a-f]{64})\.html$`).FindStringSubmatch(name); m != nil {
		for r := range s.Catalog().Lookup(m[1]).Records() {
			if served := "/pages/bundles/" + m[1] + "/" + r.SHA256[:16] + "/" + m[2]; status(s, served) == http.StatusOK {
				return served
			}
		}
	}
	if m := regexp.MustCompile(`^pages/(files/)?compare/([^/]+)/([0-9a-f]+)-([0-9a-f]+)\.(html|txt|md|json)$`).FindStringSubmatch(name); m != nil {
		extension := "." + m[5]
		if extension == ".html" {
			extension = ""
		}
		return "/pages/" + m[1] + "compare" + extension + "?from=" + m[2] + "%2F" + m[3] + "&to=" + m[2] + "%2F" + m[4]
	}
	if m := regexp.MustCompile(`^pages/(files/)?commands/([^/]+)/(.*)$`).FindStringSubmatch(name); m != nil {
		if m[3] == "index.html" {
			return "/pages/commands?bundle=" + m[2]
		}
		return "/pages/files/commands/" + m[3] + "?bundle=" + m[2]
	}
	if m := regexp.MustCompile(`^pages/files/([^/]+)/([0-9a-f]{64}\..*)$`).FindStringSubmatch(name); m != nil {
		for r := range s.Catalog().Lookup(m[1]).Records() {
			if served := "/pages/files/" + m[1] + "/" + r.SHA256[:16] + "/" + m[2]; status(s, served) == http.StatusOK {
				return served
			}
		}
	}
	return "/" + strings.TrimSuffix(strings.TrimSuffix(name, ".html"), "/index")
}

func status(s *hosting.Server, path string) int {
	w := &recorderOfStatus{}
	r, err := http.NewRequest(http.MethodGet, path, nil)
	if err != nil {
		return 0
	}
	r.Header.Set("User-Agent", "Mozilla/5.0")
	s.ServeHTTP(w, r)
	return w.status
}

type recorderOfStatus struct{ status int }

func (r *recorderOfStatus) Header() http.Header         { return http.Header{} }
func (r *recorderOfStatus) WriteHeader(status int)      { r.status = status }
func (r *recorderOfStatus) Write(b []byte) (int, error) { return len(b), nil }

// difference is the first place where two texts differ.
func difference(a, b string) string {
	i := 0
	for i < min(len(a), len(b)) && a[i] == b[i] {
		i++
	}
	from := max(0, i-80)
	return a[from:min(len(a), i+160)] + "\n--- served:\n" + b[from:min(len(b), i+160)]
}
