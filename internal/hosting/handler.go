package hosting

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"trustpool/internal/device"
	"trustpool/internal/report"
)

// PagesPrefix is below what Options.Pages answers, besides / itself. What is below
// FilesPrefix is no HTML, and for programs too.
const (
	PagesPrefix = "/pages/"
	FilesPrefix = PagesPrefix + "files/"
)

// ServeHTTP answers from the catalog of the moment: GET and HEAD, without redirects,
// compression or chunks, which not every device understands. There is no
// http.ServeMux here because it redirects.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := s.o.Now()
	a := answer{ResponseWriter: w, head: r.Method == http.MethodHead, counters: s.metrics.other}
	s.answer(&a, r)
	end := s.o.Now()
	a.counters.count(a.status, a.sent)
	s.metrics.durations.Update(end.Sub(start).Seconds())
	if s.o.AccessLog != nil {
		s.access(&a, r, start, end)
	}
}

// An answer is a response that remembers what it was.
type answer struct {
	http.ResponseWriter
	head     bool // net/http takes a body, and does not send it
	status   int
	sent     int64 // bytes of the body
	counters *counters
	resource *resource // nil if it is none
}

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(b []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	n, err := a.ResponseWriter.Write(b)
	if !a.head {
		a.sent += int64(n)
	}
	return n, err
}

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (s *Server) answer(w *answer, r *http.Request) {
	if r.ContentLength != 0 {
		// Who fetches a file sends none. If a proxy and this server do not agree on where a
		// body ends, what follows would be answered to somebody else (RFC 9112 section 11.2).
		w.Header().Set("Connection", "close")
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		refuse(w, http.StatusMethodNotAllowed, "only GET and HEAD are answered here")
		return
	}
	if found := s.catalog.Load().at(r.URL.Path); found != nil {
		w.resource, w.counters = found, found.entry.counters
		s.serve(w, r, found)
		return
	}
	switch path := r.URL.Path; {
	case path == IndexPath:
		s.generate(w, typeJSON, http.StatusOK, s.Catalog().Index(s.o.Now()).WriteJSON)
	case path == "/healthz":
		s.generate(w, typeText, http.StatusOK, func(w io.Writer) error { _, err := io.WriteString(w, "alive\n"); return err })
	case path == "/readyz":
		ready := s.Ready()
		status := http.StatusOK
		if !ready.Ready {
			status = http.StatusServiceUnavailable
		}
		s.generate(w, typeJSON, status, ready.WriteJSON)
	case path == "/metrics":
		s.generate(w, "text/plain; version=0.0.4; charset=utf-8", http.StatusOK, s.writeMetrics)
	case path == "/" && isDevice(r):
		w.Header().Set("Vary", negotiated)
		refuse(w, http.StatusNotFound, "there is no bundle at /; "+IndexPath+" lists what there is")
	case path == "/" && (s.o.Pages == nil || !asksForHTML(r.Header.Values("Accept"))):
		w.Header().Set("Vary", negotiated)
		s.generate(w, typeText, http.StatusOK, func(w io.Writer) error { return s.Catalog().writeText(w, s.o.Pages != nil) })
	case s.o.Pages != nil && (path == "/" || strings.HasPrefix(path, PagesPrefix) && (strings.HasPrefix(path, FilesPrefix) || !isDevice(r))):
		if path == "/" {
			w.Header().Set("Vary", negotiated)
		}
		s.o.Pages.ServeHTTP(w, r)
	default:
		refuse(w, http.StatusNotFound, "there is nothing here; /index.json lists what there is")
	}
}

// serve answers with a resource, whole if nothing else was asked for.
func (s *Server) serve(w *answer, r *http.Request, found *resource) {
	b, done, err := s.Catalog().body(r.Context(), found)
	defer done()
	if err != nil {
		if _, bad := errors.AsType[*BadReleaseError](err); bad {
			refuse(w, http.StatusNotFound, "it was published, and is not good any more")
			return
		}
		w.Header().Set("Retry-After", "5")
		refuse(w, http.StatusServiceUnavailable, "it cannot be had now")
		return
	}
	fields := found.entry.header
	if found.beside != "" || found.caching != askFirst || found.record != &found.entry.Current.Record {
		fields = header(found.beside.contentType(), len(b.data), b.sha256, found.caching, found.record.Modified.Time)
	}
	maps.Copy(w.Header(), fields)
	if conditional(r.Header) {
		normalizeRange(r)
		// Only of the very time that it was given, as with nginx: a file that was put back with
		// its old time, or published by a clock that was ahead, is another one all the same.
		if since := r.Header["If-Modified-Since"]; since != nil && since[0] != fields.Get("Last-Modified") {
			r.Header.Del("If-Modified-Since")
		}
		w.Header().Del("Content-Length") // that of the part, or of nothing
		http.ServeContent(w, r, "", found.record.Modified.Time, bytes.NewReader(b.data))
		return
	}
	if r.Method == http.MethodHead {
		w.WriteHeader(http.StatusOK)
		return
	}
	_, _ = w.Write(b.data) // an error is the client's, and shows in the count
}

// conditional reports whether a request asks for less than the whole.
func conditional(h http.Header) bool {
	return slices.ContainsFunc([]string{"If-None-Match", "If-Modified-Since", "Range", "If-Match", "If-Unmodified-Since"}, func(name string) bool { return h[name] != nil })
}

// normalizeRange takes away a Range that is not one range of bytes: RFC 9110 section
// 14.2 lets a server ignore those, and http.ServeContent would refuse them or answer
// in several parts. One that lies behind the end stays, to be answered with 416.
func normalizeRange(r *http.Request) {
	values := r.Header["Range"]
	if values == nil {
		return
	}
	if r.Method == http.MethodGet && len(values) == 1 {
		if spec, ok := strings.CutPrefix(values[0], "bytes="); ok {
			first, last, ok := strings.Cut(spec, "-")
			if ok && sensible(first, last) {
				return
			}
		}
	}
	r.Header.Del("Range")
}

// sensible reports whether a range is one of at least a byte, wherever that lies.
func sensible(first, last string) bool {
	switch {
	case !number(first) || !number(last):
		return false
	case first == "": // the last so many; of none of them http.ServeContent would make a 206 without a body
		return strings.Trim(last, "0") != ""
	case last == "":
		return true
	}
	x, _ := strconv.ParseInt(first, 10, 64)
	y, _ := strconv.ParseInt(last, 10, 64)
	return x <= y
}

// number reports whether s is empty or a decimal number of a sensible length.
func number(s string) bool { return len(s) <= 18 && strings.Trim(s, "0123456789") == "" }

// generate answers with what is made for the request.
func (s *Server) generate(w *answer, contentType string, status int, write func(io.Writer) error) {
	var body bytes.Buffer
	if err := write(&body); err != nil {
		refuse(w, http.StatusInternalServerError, "the answer could not be made")
		return
	}
	send(w, contentType, status, body.Bytes())
}

// refuse answers with an error, in a line of plain text: a device that takes it for a
// bundle finds nothing in it.
func refuse(w http.ResponseWriter, status int, why string) {
	send(w, typeText, status, fmt.Appendf(nil, "%d %s: %s\n", status, http.StatusText(status), why))
}

// send answers with what is not to be kept.
func send(w http.ResponseWriter, contentType string, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// negotiated are the fields of a request on which it depends what is at /.
const negotiated = "Accept, User-Agent"

// asksForHTML reports whether Accept names HTML (RFC 9110 section 12.5.1). What accepts anything does not ask for it.
func asksForHTML(accept []string) bool {
	for entry := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		media, parameters, err := mime.ParseMediaType(entry)
		if err != nil || media != "text/html" && media != "application/xhtml+xml" {
			continue
		}
		if q, err := strconv.ParseFloat(parameters["q"], 64); err != nil || q > 0 {
			return true
		}
	}
	return false
}

// isDevice reports whether a request is one of a device, as far as is known: by its user agent, or because it has none
// and does not ask for HTML. A device never gets a page.
func isDevice(r *http.Request) bool {
	agent := r.UserAgent()
	if _, known := device.LookupClient(agent); known || strings.Contains(strings.ToLower(agent), "cisco") {
		return true
	}
	return agent == "" && !asksForHTML(r.Header.Values("Accept"))
}

// Limits of what the client says of itself, in the log.
const (
	maxLogPath  = 256 // bytes
	maxLogAgent = 128
)

// doctorReferer tells the requests of doctor, which are like those of devices.
const doctorReferer = "trustpool-doctor"

// access writes the line of the log.
func (s *Server) access(a *answer, r *http.Request, start, end time.Time) {
	agent := r.UserAgent()
	if r.Referer() == doctorReferer {
		agent = doctorReferer + " as " + agent
	}
	attrs := append(make([]slog.Attr, 0, 12),
		slog.String("remote", host(r.RemoteAddr)),
		slog.String("user_agent", clean(agent, maxLogAgent)),
		slog.String("method", clean(r.Method, 16)),
		slog.String("path", clean(r.URL.Path, maxLogPath)),
		slog.String("protocol", r.Proto),
		slog.Int("status", a.status),
		slog.Int64("bytes", a.sent),
		slog.Float64("duration", end.Sub(start).Seconds()))
	if a.resource != nil && a.resource.beside == "" {
		attrs = append(attrs,
			slog.String("bundle", a.resource.entry.Name),
			slog.String("version", clean(a.resource.record.Version, maxLogAgent)),
			slog.String("sha256", a.resource.record.SHA256[:sha256Prefix]),
			slog.Int("size", a.resource.record.Size))
	}
	// Not through the Logger, which reads the clock itself and looks for its caller.
	record := slog.NewRecord(end, slog.LevelInfo, "request", 0)
	record.AddAttrs(attrs...)
	_ = s.o.AccessLog.Handler().Handle(r.Context(), record)
}

// sha256Prefix is how many digits of a SHA-256 are in the log.
const sha256Prefix = 16

// host is an address without its port and brackets.
func host(address string) string {
	if i := strings.LastIndexByte(address, ':'); i >= 0 {
		address = address[:i]
	}
	return strings.Trim(address, "[]")
}

// clean makes what a client sent fit for a log.
func clean(s string, most int) string {
	if len(s) > most {
		s = s[:most]
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return report.Printable(s)
		}
	}
	return s
}
