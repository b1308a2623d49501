package hosting_test

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"trustpool/bundle"
	"trustpool/internal/feed"
	"trustpool/internal/hosting"
	"trustpool/internal/tooltest"
	"trustpool/roots"
)

// keytool reads every truststore, and finds the certificates of the bundle in it, each once.
func TestKeytoolReadsJKS(t *testing.T) {
	t.Parallel()
	tooltest.Need(t, "keytool")
	list := func(t *testing.T, data []byte, anchors []roots.Anchor) {
		dir := t.TempDir()
		put(t, filepath.Join(dir, "ios.p7b"), data, modified)
		o := options(t, hosting.Directory(dir))
		o.Anchors = anchors
		s := newServer(t, o)
		const path = "/security/pki/trs/current/ios/ios.jks"
		status, jks := get(t, s, path)
		if status != http.StatusOK {
			t.Fatalf("status %d", status)
		}
		if _, sum := get(t, s, path+".hash.sha256"); sum != string(feed.HashSHA256([]byte(jks))) {
			t.Errorf("its SHA-256 is said to be %s", sum)
		}
		if _, sum := get(t, s, path+".hash.sha512"); sum != string(feed.HashSHA512([]byte(jks))) {
			t.Errorf("its SHA-512 is said to be %s", sum)
		}
		if _, again := get(t, newServer(t, o), path); again != jks {
			t.Error("another server has other bytes")
		}
		file := filepath.Join(dir, "ios.jks")
		if err := os.WriteFile(file, []byte(jks), 0o600); err != nil {
			t.Fatal(err)
		}
		out := string(tooltest.Run(t, nil, "keytool", "-J-Duser.language=en", "-list", "-keystore", file, "-storepass", feed.TruststorePassword))
		var got, want []string
		for _, m := range regexp.MustCompile(`\(SHA-256\): ([0-9A-F:]+)`).FindAllStringSubmatch(out, -1) {
			got = append(got, strings.ReplaceAll(m[1], ":", ""))
		}
		b, err := bundle.Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range b.Certificates {
			if c.Err == nil {
				want = append(want, fmt.Sprintf("%X", c.SHA256))
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if want = slices.Compact(want); !slices.Equal(got, want) {
			t.Errorf("keytool finds %d certificates, and the bundle has %d", len(got), len(want))
		}
	}
	for _, name := range []string{"lab-core-v1.p7b", "lab-quirks-v1.p7b"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			list(t, tooltest.Bundle(t, name), labAnchors(t))
		})
	}
	for _, name := range []string{"ios-v10-2021-09-01.p7b", "ios-v3-2016-11-22.p7b", "ios_core-v4-2017-01-11.p7b"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(tooltest.Corpus(t, name))
			if err != nil {
				t.Fatal(err)
			}
			list(t, data, roots.BuiltIn())
		})
	}
}

// rss.xml has every release with its change, the newest first, in the shape of Cisco's.
func TestRSS(t *testing.T) {
	t.Parallel()
	st, dir := labStore(t)
	s := newServer(t, options(t, hosting.Store(st)))
	var rss struct {
		Channel struct {
			Title string `xml:"title"`
			Link  string `xml:"link"`
			Items []struct {
				Title       string `xml:"title"`
				Link        string `xml:"link"`
				Description string `xml:"description"`
				Date        string `xml:"pubDate"`
				GUID        string `xml:"guid"`
			} `xml:"item"`
		} `xml:"channel"`
	}
	const path = "/security/pki/trs/current/ios/rss.xml"
	status, body := get(t, s, path)
	if err := xml.Unmarshal([]byte(body), &rss); err != nil || status != http.StatusOK {
		t.Fatalf("status %d, %v in\n%s", status, err, body)
	}
	c := rss.Channel
	if c.Title != "Lab Core Bundle Updates" || c.Link != "current/ios" || len(c.Items) != 2 {
		t.Fatalf("%+v", c)
	}
	newest, oldest := c.Items[0], c.Items[1]
	_, diff := get(t, s, "/security/pki/trs/current/ios/ios.diff.json")
	if newest.Title != "Lab Core Bundle Version 2" || newest.Link != "archive/ios/2" || !strings.Contains(newest.Description, "4 certs added") ||
		!strings.Contains(newest.Description, "<pre>"+diff+"</pre>") || newest.GUID != s.Catalog().Entries[0].Current.SHA256 {
		t.Errorf("%+v", newest)
	}
	if at, err := time.Parse(time.RFC1123, newest.Date); err != nil || !at.Equal(modified.AddDate(0, 0, 1)) {
		t.Errorf("date %s: %v", newest.Date, err)
	}
	if oldest.Title != "Lab Core Bundle Version 1" || strings.Contains(oldest.Description, "<pre>") {
		t.Errorf("%+v", oldest)
	}
	if status, _ := get(t, s, "/security/pki/trs/archive/ios/2/rss.xml"); status != http.StatusNotFound {
		t.Errorf("a feed beside an older release: status %d", status)
	}

	// Of a release that is damaged nothing is said.
	old, err := filepath.Glob(filepath.Join(dir, "archive/ios/1-*/ios.p7b"))
	if err != nil || len(old) != 1 {
		t.Fatal(old, err)
	}
	put(t, old[0], tampered(t), modified)
	_, body = get(t, newServer(t, options(t, hosting.Store(st))), path)
	rss.Channel.Items = nil
	if err := xml.Unmarshal([]byte(body), &rss); err != nil || len(rss.Channel.Items) != 1 || strings.Contains(rss.Channel.Items[0].Description, "<pre>") {
		t.Errorf("%v: %+v", err, rss.Channel.Items)
	}
}
