package main

import (
	"bytes"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
)

// serveFeeds adds the feed of testdata to what scripts find at $URL, and what is wrong with others.
func serveFeeds(mux *http.ServeMux, testdata string) {
	trs := filepath.Join(testdata, "feed", "trs")
	mux.Handle("/trs/", http.StripPrefix("/trs", http.FileServer(http.Dir(trs))))
	serve := func(w http.ResponseWriter, r *http.Request, path ...string) {
		http.ServeFile(w, r, filepath.Join(path...))
	}
	// A bundle at a flat URL, as devices have it, and the rest below it.
	mux.HandleFunc("/flat/", func(w http.ResponseWriter, r *http.Request) {
		path := strings.TrimPrefix(r.URL.Path, "/flat/")
		if path == "lab.p7b" {
			path = "current/lab/lab.p7b"
		}
		if path == "rss.xml" { // as some servers answer for what is not there
			fmt.Fprint(w, "<!DOCTYPE html><title>Not found</title>")
			return
		}
		serve(w, r, trs, filepath.FromSlash(path))
	})
	// Half a feed.
	mux.HandleFunc("/half/lab.p7b", func(w http.ResponseWriter, r *http.Request) { serve(w, r, trs, "current", "lab", "lab.p7b") })
	mux.HandleFunc("/half/rss.xml", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `<?xml version="1.0"?><rss version="2.0"><channel><title>Lab Core Bundle Updates</title><item>`)
	})
	// Feeds of 100 MB and more, announced and not.
	mux.HandleFunc("/huge/rss.xml", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "100000000") })
	mux.HandleFunc("/endless/rss.xml", func(w http.ResponseWriter, r *http.Request) {
		for _, err := w.Write([]byte("<rss>")); err == nil && r.Context().Err() == nil; {
			_, err = w.Write(bytes.Repeat([]byte(" "), 1<<16))
		}
	})
	// A feed that says what is not so of its archive.
	mux.HandleFunc("/odd/current/lab/rss.xml", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `<?xml version="1.0"?><rss version="2.0"><channel><title>Lab Core Bundle Updates</title>`)
		for _, version := range []string{"20240106", "20240105", "20240104", "20240103", "20240102", "20240101", "../x"} {
			link := "https://other.example/archive/lab/" + version
			if version == "20240106" {
				link = "https://other.example/archive/lab/20240312"
			}
			fmt.Fprintf(w, "<item><title>Lab Core Bundle Version %s</title><link>%s</link></item>", version, link)
		}
		fmt.Fprint(w, "</channel></rss>")
	})
	bundles := filepath.Join(testdata, "bundles")
	for path, file := range map[string]string{
		"current/lab": filepath.Join(trs, "current", "lab", "lab.p7b"), "archive/lab/20240102": filepath.Join(bundles, "lab-p256.p7b"),
		"archive/lab/20240103": filepath.Join(trs, "current", "lab", "lab.p7b"), "archive/lab/20240104": filepath.Join(bundles, "lab-quirks-v1.p7b"),
		"archive/lab/20240105": filepath.Join(trs, "archive", "lab", "20240618", "lab.p7b"), "archive/lab/20240312": filepath.Join(trs, "archive", "lab", "20240312", "lab.p7b"),
	} {
		mux.HandleFunc("/odd/"+path+"/lab.p7b", func(w http.ResponseWriter, r *http.Request) { serve(w, r, file) })
	}
}
