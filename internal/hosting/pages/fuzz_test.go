package pages_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
)

// Whatever is asked for: an answer of 200, 304, 400 or 404, and no harm.
func FuzzRequest(f *testing.F) {
	s := lab(f)
	ios := page(s, "ios")
	for _, seed := range []string{
		"/", "/pages/", ios, ios + "?q=fir&expires=90d&key=RSA+2048&quirk=any&sort=-name&page=1", "/pages/bundles/quirks?expires=2015&sort=expires", ios + "/85a0dd7dd720adb7",
		"/pages/compare?from=ios/1&to=ios/2", "/pages/commands?bundle=ios&vrf=a&interface=b&policy=1&clean=1", "/pages/files/compare.md", "/pages/files/commands/iosxe.yml?bundle=ios",
		"/pages/files" + ios[len("/pages/bundles"):] + "/ios.pem", "/pages/files//", "/pages/bundles/ios?q=%ff%00&q=quirk:",
	} {
		f.Add(seed, "pki.example.com")
	}
	f.Add("/pages/commands", "[::1]:80")
	f.Fuzz(func(t *testing.T, target, host string) {
		u, err := url.ParseRequestURI(target)
		if err != nil {
			return
		}
		r := &http.Request{Method: http.MethodGet, URL: u, Host: host, Header: http.Header{"User-Agent": {firefox}, "Accept": {"text/html"}}, RemoteAddr: "192.0.2.1:1"}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		switch w.Code {
		case http.StatusOK, http.StatusNotModified, http.StatusBadRequest, http.StatusNotFound:
		default:
			t.Errorf("%q: status %d: %.200s", target, w.Code, w.Body)
		}
	})
}
