package doctor

import (
	"crypto/sha256"
	"fmt"
	"mime"
	"net/http"
	"strings"
)

func (e *exam) compression() (Result, string) {
	a := e.got["gzip"]
	if encoding := a.encoding(); encoding != "" {
		return Warning, encoding
	}
	return e.judgeFile(a, Warning)
}

func (e *exam) contentType() (Result, string) {
	v := e.file.header.Get("Content-Type")
	media, _, _ := mime.ParseMediaType(v)
	switch {
	case v == ContentType:
		return OK, v
	case v == "":
		return Warning, "there is none"
	case strings.HasPrefix(media, "text/") || strings.HasPrefix(media, "multipart/"):
		return Fail, v
	}
	return Warning, v
}

func (e *exam) connectionClose() (Result, string) {
	switch e.got["ios"].end {
	case saidMore:
		return Fail, "bytes follow the answer"
	case stayedOpen:
		return Warning, fmt.Sprintf("still open after %v", min(closeWait, e.o.Timeout))
	case closed:
		return OK, "closed"
	}
	return Skipped, "there was no answer"
}

func (e *exam) http11() (Result, string) {
	for _, id := range []string{"ios", "iosxr"} {
		if a := e.got[id]; a.err == nil {
			if a.proto != "HTTP/1.1" {
				return Warning, a.probe.as + ": " + a.describe()
			}
			return OK, a.proto
		}
	}
	return Skipped, "there was no answer"
}

func (e *exam) notFound() (Result, string) {
	switch a := e.got["missing"]; {
	case a.err == nil && a.status == http.StatusOK:
		return Fail, fmt.Sprintf("200 for %s, %d bytes of %s", missingName, a.n, a.header.Get("Content-Type"))
	case a.err == nil && (a.status == http.StatusNotFound || a.status == http.StatusGone):
		return OK, a.describe()
	default:
		return Warning, a.describe()
	}
}

func (e *exam) etag() (Result, string) {
	tag := e.file.header.Get("ETag")
	for _, a := range e.wholes() {
		if other := a.header.Get("ETag"); other != tag {
			return Warning, fmt.Sprintf("%s: %q; %s: %q", e.file.probe.as, tag, a.probe.as, other)
		}
	}
	switch {
	case tag == "":
		return Warning, "there is none"
	case strings.HasPrefix(tag, "W/"):
		return Warning, "a weak one: " + tag
	case len(tag) < 2 || tag[0] != '"' || tag[len(tag)-1] != '"':
		return Warning, "not in quotes: " + tag
	}
	return OK, tag
}

func (e *exam) lastModified() (Result, string) {
	v := e.file.header.Get("Last-Modified")
	if v == "" {
		return Warning, "there is none"
	}
	if _, err := http.ParseTime(v); err != nil {
		return Warning, "not a date of HTTP: " + v
	}
	return OK, v
}

func notModified(id string) func(*exam) (Result, string) {
	return func(e *exam) (Result, string) {
		a := e.got[id]
		switch {
		case a == nil:
			return Skipped, "there is nothing to ask with"
		case a.err == nil && a.status == http.StatusNotModified:
			return OK, a.describe()
		case e.same(a):
			return Warning, a.describe()
		}
		return Fail, a.describe()
	}
}

func (e *exam) head() (Result, string) {
	a := e.got["head"]
	switch {
	case a.err != nil || a.status != http.StatusOK:
		return Warning, a.describe()
	case a.end == saidMore:
		return Fail, "there is a body"
	case a.length < 0:
		return Warning, "no Content-Length"
	case a.length != e.file.n:
		return Fail, fmt.Sprintf("Content-Length %d, and GET gave %d bytes", a.length, e.file.n)
	}
	for _, name := range []string{"ETag", "Last-Modified", "Content-Type"} {
		if a.header.Get(name) != e.file.header.Get(name) {
			return Warning, fmt.Sprintf("%s is %q, and with GET %q", name, a.header.Get(name), e.file.header.Get(name))
		}
	}
	return OK, fmt.Sprintf("200, Content-Length %d", a.length)
}

func (e *exam) ranges() (Result, string) {
	a := e.got["range"]
	if e.same(a) {
		return OK, "the whole file"
	}
	if a.err != nil || a.status != http.StatusPartialContent {
		return Fail, a.describe()
	}
	first := e.fileBody[:min(100, len(e.fileBody))]
	want := fmt.Sprintf("bytes 0-%d/%d", len(first)-1, len(e.fileBody))
	switch got := a.header.Get("Content-Range"); {
	case a.sum != sha256.Sum256(first):
		return Fail, fmt.Sprintf("206 with %d bytes that are not the first %d", a.n, len(first))
	case got != want:
		return Fail, fmt.Sprintf("206 with Content-Range %q, not %q", got, want)
	}
	return OK, "206, " + want
}
