package fetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	dialTimeout    = 10 * time.Second // for the connection, and again for the TLS handshake
	maxHeaderBytes = 64 << 10         // of one answer
)

// StatusError says that a server answered with something else than the file.
type StatusError struct {
	URL  string // without user and query
	Code int
}

func (e *StatusError) Error() string {
	// The server's own phrase is not repeated: it may be anything.
	return strings.TrimSpace(fmt.Sprintf("%s: the server answered %d %s", e.URL, e.Code, http.StatusText(e.Code)))
}

// clientOptions is what a test needs to change in the client.
type clientOptions struct {
	roots *x509.CertPool // nil: the system's
}

// IsURL reports whether Read takes name for a URL: "://" is behind a scheme. Any other name that holds it is a path.
func IsURL(name string) bool {
	scheme, _, ok := strings.Cut(name, "://")
	return ok && isScheme(scheme)
}

// isScheme reports whether s is the scheme of a URL (RFC 3986 section 3.1).
func isScheme(s string) bool {
	for i, c := range []byte(s) {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (i == 0 || !strings.ContainsRune("0123456789+-.", rune(c))) {
			return false
		}
	}
	return s != ""
}

func fetchURL(ctx context.Context, raw, scheme string, o Options) (File, error) {
	if scheme != "http" && scheme != "https" {
		return File{}, fmt.Errorf("%s: cannot fetch %s URLs; give a file or an http or https URL", maskRaw(raw), scheme)
	}
	u, err := url.Parse(raw)
	if err == nil && u.Host == "" {
		err = errors.New("no host in it")
	}
	if err != nil {
		// url.Parse quotes what it could not read, which may be the password.
		shown, reason := maskRaw(raw), err
		if urlError, ok := errors.AsType[*url.Error](err); ok {
			reason = urlError.Err
		}
		if strings.Contains(raw, "@") {
			return File{}, fmt.Errorf("%s: malformed URL; percent-encode the user name and password", shown)
		}
		return File{}, fmt.Errorf("%s: malformed URL: %w", shown, reason)
	}
	name := mask(u)
	if o.Offline {
		return File{}, fmt.Errorf("%s: %w", name, ErrOffline)
	}

	timed, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	f, err := get(timed, u, name, o)
	switch {
	case err == nil:
		f.Name = name
		return f, nil
	case ctx.Err() != nil:
		return File{}, fmt.Errorf("%s: %w", name, context.Cause(ctx))
	case timed.Err() != nil:
		return File{}, fmt.Errorf("%s: not fetched within %v: %w", name, o.Timeout, timed.Err())
	}
	return File{}, err
}

// get fetches u, which errors call name.
func get(ctx context.Context, u *url.URL, name string, o Options) (f File, err error) {
	transport := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: dialTimeout}).DialContext,
		TLSClientConfig:        &tls.Config{RootCAs: o.client.roots},
		TLSHandshakeTimeout:    dialTimeout,
		ResponseHeaderTimeout:  o.HeaderTimeout,
		MaxResponseHeaderBytes: maxHeaderBytes,
		DisableCompression:     true, // the bytes as published, whatever the server would like to send
		ForceAttemptHTTP2:      true,
	}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, CheckRedirect: checkRedirect}

	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return File{}, fmt.Errorf("%s: malformed URL", name)
	}
	req.Header.Set("User-Agent", o.UserAgent)
	req.Header.Set("Accept-Encoding", "identity")
	if o.ETag != "" {
		req.Header.Set("If-None-Match", o.ETag)
	}
	resp, err := client.Do(req)
	if err != nil {
		if urlError, ok := errors.AsType[*url.Error](err); ok {
			err = urlError.Err // it repeats the URL, and masks the password alone
		}
		return File{}, fmt.Errorf("%s: %w", name, err)
	}
	defer resp.Body.Close()
	if resp.Request.Response != nil { // the answer that redirected here
		name = fmt.Sprintf("%s (redirected to %s)", name, mask(resp.Request.URL))
	}
	if resp.StatusCode == http.StatusNotModified && o.ETag != "" {
		return File{}, fmt.Errorf("%s: %w", name, ErrNotModified)
	}
	if resp.StatusCode != http.StatusOK {
		return File{}, &StatusError{URL: name, Code: resp.StatusCode}
	}
	length := resp.ContentLength // -1 if it is not told
	if length > o.MaxBytes {
		return File{}, &TooLargeError{Name: name, Size: length, Limit: o.MaxBytes}
	}
	if f.ETag = resp.Header.Get("ETag"); len(f.ETag) > MaxETag {
		f.ETag = ""
	}
	if f.Encoding = resp.Header.Get("Content-Encoding"); strings.EqualFold(f.Encoding, "identity") {
		f.Encoding = ""
	}
	f.Data, err = readAll(o.watched(resp.Body, length), name, length, o.MaxBytes, o.Sniff)
	return f, err
}

func checkRedirect(req *http.Request, via []*http.Request) error {
	req.Header.Del("Referer") // it would tell the next server the query of this one
	last := via[len(via)-1].URL
	switch to := req.URL; {
	case len(via) > MaxRedirects:
		return fmt.Errorf("redirected more than %d times", MaxRedirects)
	case to.Scheme != "http" && to.Scheme != "https":
		return fmt.Errorf("redirected to a URL of scheme %q, which is not followed", to.Scheme)
	case last.Scheme == "https" && to.Scheme == "http":
		return fmt.Errorf("redirected from https to %s, which is not followed; fetch that URL itself if it is to be trusted", mask(to))
	}
	return nil
}

// Mask spells a name that Read takes as its errors and File.Name do: a URL without user, query and fragment, which may be
// credentials.
func Mask(name string) string {
	u, err := url.Parse(name)
	if !IsURL(name) {
		return name
	} else if err != nil {
		return maskRaw(name)
	}
	return mask(u)
}

// MaskText is Mask for every URL in a text, such as an error of something that takes no URL and quotes what it was given.
func MaskText(text string) string {
	var out strings.Builder
	for {
		at := strings.Index(text, "://")
		if at < 0 {
			out.WriteString(text)
			return out.String()
		}
		begin := strings.LastIndexFunc(text[:at], func(r rune) bool { return !isScheme("x" + string(r)) }) + 1
		for begin < at && !isScheme(text[begin:at]) { // it begins with a letter
			begin++
		}
		end := len(text)
		if n := strings.IndexAny(text[at:], " \t\r\n\"'<>`"); n >= 0 {
			end = at + n
		}
		name := strings.TrimRight(text[begin:end], ".,:;)") // a sentence goes on
		end = begin + len(name)
		end = max(end, at+len("://"))
		out.WriteString(text[:begin])
		out.WriteString(Mask(text[begin:end]))
		text = text[end:]
	}
}

// mask is Mask for a URL. A token is as often the user name as it is the password, and in signed URLs the query.
func mask(u *url.URL) string {
	masked := *u
	masked.User, masked.RawQuery, masked.ForceQuery, masked.Fragment, masked.RawFragment = nil, "", false, "", ""
	return masked.String()
}

// maskRaw is mask for what may not parse: it takes everything before the last @ for credentials.
func maskRaw(raw string) string {
	scheme, rest, _ := strings.Cut(raw, "://")
	rest = rest[strings.LastIndexByte(rest, '@')+1:]
	rest, _, _ = strings.Cut(rest, "?")
	rest, _, _ = strings.Cut(rest, "#")
	return scheme + "://" + rest
}
