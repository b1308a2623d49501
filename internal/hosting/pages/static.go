package pages

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strings"

	"trustpool/internal/hosting"
)

// Limits of pages that are files.
const (
	MaxFiles            = 100_000
	maxCertificatePages = 2000 // of a bundle; those of its newest version first
)

// Files returns all pages and what they lead to, but for what [hosting.Catalog.Files] has, in the order in which they are
// found from the first page on. They lead to each other by relative links. Options.Static must be set.
func (p *Pages) Files(ctx context.Context) ([]hosting.File, error) {
	if !p.o.Static {
		return nil, errors.New("pages: these are made for a server")
	}
	var all []hosting.File
	names := map[string]string{} // the link to each
	var queue []string
	add := func(link string) (name string, err error) {
		name, page, err := fileName(link)
		if err != nil || !page {
			return name, err
		}
		known, ok := names[name]
		if !ok {
			names[name] = link
			queue = append(queue, link)
		} else if known != link {
			err = fmt.Errorf("%s and %s would both be the file %s", known, link, name)
		}
		return name, err
	}
	if _, err := add("/"); err != nil {
		return nil, err
	}
	for ; len(queue) > 0; queue = queue[1:] {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if len(all) == MaxFiles {
			return nil, fmt.Errorf("the pages are more than %d files, which is the limit", MaxFiles)
		}
		link := queue[0]
		name, _, err := fileName(link)
		if err != nil {
			return nil, err
		}
		a, err := p.asFile(ctx, link, name, add)
		if missing, ok := errors.AsType[problem](err); ok && missing.status == http.StatusNotFound {
			continue // of a release that is not good any more, which has no file of its own either
		}
		if err != nil {
			return nil, err
		}
		all = append(all, hosting.File{
			Name: name, ContentType: a.contentType, Forever: strings.Contains(a.caching, "immutable"), Size: int64(len(a.body)), SHA256: hosting.Digest(a.body),
			Data: func(ctx context.Context) ([]byte, error) {
				a, err := p.asFile(ctx, link, name, add)
				if err != nil {
					return nil, err
				}
				return a.body, nil
			},
		})
	}
	return all, nil
}

// asFile answers what a link leads to, with relative links if it is a page.
func (p *Pages) asFile(ctx context.Context, link, name string, add func(string) (string, error)) (*response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, link, nil)
	if err != nil {
		return nil, err
	}
	var taken slots
	defer taken.free()
	a, err := p.answer(r, &taken)
	if err == nil && a.status != http.StatusOK {
		err = fmt.Errorf("status %d", a.status)
	}
	if err == nil && strings.HasPrefix(a.contentType, "text/html") {
		a.body, err = relative(a.body, name, add)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", link, err)
	}
	return a, nil
}

// ownLink is a link to this server. Templates write no other, and escape the quotes of all text.
var ownLink = regexp.MustCompile(` (?:href|src|action)="(/[^"]*)"`)

// relative makes the links of the page with that name relative.
func relative(body []byte, from string, add func(string) (string, error)) ([]byte, error) {
	var out []byte
	end := 0
	for _, m := range ownLink.FindAllSubmatchIndex(body, -1) {
		link, fragment, _ := strings.Cut(html.UnescapeString(string(body[m[2]:m[3]])), "#")
		to, err := add(link)
		if err != nil {
			return nil, err
		}
		if to = relativeTo(from, to); fragment != "" {
			to += "#" + fragment
		}
		out = append(append(out, body[end:m[2]]...), html.EscapeString(to)...)
		end = m[3]
	}
	return append(out, body[end:]...), nil
}

// relativeTo is the path of a file as seen from another.
func relativeTo(from, to string) string {
	a, b := strings.Split(from, "/"), strings.Split(to, "/")
	for len(a) > 1 && len(b) > 1 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	return strings.Repeat("../", len(a)-1) + strings.Join(b, "/")
}

// fileName is the name of the file that a link leads to, and whether it is one of the pages.
func fileName(link string) (name string, page bool, err error) {
	u, err := url.Parse(link)
	if err != nil {
		return "", false, err
	}
	query := u.Query()
	number := ""
	if n := query.Get("page"); n != "" {
		number = "-" + n
	}
	at := strings.TrimPrefix(u.Path, "/")
	switch u.Path {
	case "/", hosting.PagesPrefix:
		return "index" + number + ".html", true, nil
	case pathCompare, hosting.FilesPrefix + "compare.txt", hosting.FilesPrefix + "compare.md", hosting.FilesPrefix + "compare.json":
		extension := path.Ext(at)
		at = strings.TrimSuffix(at, extension)
		if extension == "" {
			extension = ".html"
		}
		if from, to := query.Get("from"), query.Get("to"); from != "" || to != "" {
			bundle, id, _ := strings.Cut(from, "/")
			other, newer, _ := strings.Cut(to, "/")
			if bundle != other {
				return "", false, fmt.Errorf("%s: a change from one bundle to another has no file", link)
			}
			at += "/" + bundle + "/" + id + "-" + newer
		}
		return at + extension, true, nil
	case pathCommands:
		if bundle := query.Get("bundle"); bundle != "" {
			return at + "/" + bundle + "/index.html", true, nil
		}
		return at + ".html", true, nil
	}
	if rest, ok := strings.CutPrefix(u.Path, pathBundles); ok {
		switch parts := strings.Split(rest, "/"); len(parts) {
		case 1:
			return at + "/index" + number + ".html", true, nil
		case 3: // a certificate, whatever the version
			return path.Join(path.Dir(path.Dir(at)), parts[2]) + ".html", true, nil
		}
		return at + number + ".html", true, nil
	}
	if rest, ok := strings.CutPrefix(u.Path, hosting.FilesPrefix); ok {
		parts := strings.Split(rest, "/")
		if bundle := query.Get("bundle"); len(parts) == 2 && bundle != "" { // commands
			return path.Join(path.Dir(at), bundle, parts[1]), true, nil
		}
		if len(parts) == 3 && strings.IndexByte(parts[2], '.') == 2*sha256.Size { // a certificate
			return path.Join(path.Dir(path.Dir(at)), parts[2]), true, nil
		}
	}
	if u.RawQuery != "" {
		return "", false, fmt.Errorf("%s: what a query decides has no file", link)
	}
	return at, strings.HasPrefix(u.Path, hosting.PagesPrefix), nil
}

// pageOf is the path of a certificate's page, by its SHA-256: of pages that are files that in the newest version that holds
// it, and empty if there would be too many.
func (q *request) pageOf(v version, sum [sha256.Size]byte) string {
	digits := hex.EncodeToString(sum[:])
	if !q.pages.o.Static {
		return v.page() + "/" + digits
	}
	if newest, ok := q.holding(v.entry)[sum]; ok {
		return version{v.entry, newest}.page() + "/" + digits
	}
	return ""
}

// holding is the newest release that holds each certificate of a bundle, of maxCertificatePages.
func (q *request) holding(e *hosting.Entry) map[[sha256.Size]byte]*hosting.Record {
	p := q.pages
	p.newestLock.Lock()
	defer p.newestLock.Unlock()
	if known, ok := p.newest[e]; ok {
		return known
	}
	newest := map[[sha256.Size]byte]*hosting.Record{}
	for r := range e.Records() {
		b, err := q.parsed(version{e, r})
		if err != nil { // it has no page
			continue
		}
		for _, c := range b.Certificates {
			if _, ok := newest[c.SHA256]; !ok && len(newest) < maxCertificatePages {
				newest[c.SHA256] = r
			}
		}
	}
	p.newest[e] = newest
	return newest
}
