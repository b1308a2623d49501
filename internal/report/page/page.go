// Package page is the frame, the style and the chart of every HTML page that trustpool makes: those that a server answers with, and
// reports in one file. A page asks for nothing from elsewhere, can be read without script, in light and dark, at 390 pixels and on
// paper.
//
// [Templates] has the templates "frame", "chart" and "evidence", which is given a [report.Evidence] or nil. A page adds "main", which is
// given [Frame.Body], and "foot", which is given [Frame.Foot]. Every text from a certificate, a file or a request goes through the function p.
package page

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"io"

	"trustpool/internal/report"
)

//go:embed *.html style.css
var files embed.FS

// A Frame is what is around the content of a page.
type Frame struct {
	Title  string
	Home   string // the path of the first page; empty for a page that is alone
	Nav    []Link
	Style  string       // the path of the style sheet; empty to write it into the page, which then may load nothing at all
	Script string       // the path of a script; empty for none
	More   template.CSS // style of this page alone; it is for a frame without the path of a style sheet
	Inline template.JS  // a script that is written into the page, which needs none to be read; empty for none
	Body   any
	Foot   any
}

// A Link leads to another page.
type Link struct {
	Path, Label string
	Current     bool // it is the page that is shown
}

// Sheet is the style sheet, for a frame that has no path of one.
func (f *Frame) Sheet() (template.CSS, error) {
	css, err := Style()
	return template.CSS(css), err
}

// InlineHash is what a Content-Security-Policy calls the script that is in the page.
func (f *Frame) InlineHash() string {
	sum := sha256.Sum256([]byte(f.Inline))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// Style returns the style sheet that pages share.
func Style() ([]byte, error) { return files.ReadFile("style.css") }

// Templates returns the templates that pages share, with two functions: p makes a text safe to show, count is [report.Count].
func Templates() (*template.Template, error) {
	return template.New("frame").Funcs(template.FuncMap{"p": printable, "count": report.Count}).ParseFS(files, "*.html")
}

// Write writes a report of one file: the frame around what the template of the name "main", in body, makes of f.Body.
func Write(w io.Writer, body string, f *Frame) error {
	t, err := Templates()
	if err != nil {
		return err
	}
	if t, err = t.Parse(body); err != nil {
		return err
	}
	return t.ExecuteTemplate(w, "frame", f)
}

// printable is report.Printable, also for fields of reports that may be absent.
func printable(v any) string {
	switch v := v.(type) {
	case string:
		return report.Printable(v)
	case report.Text:
		return report.Printable(string(v))
	case *string:
		if v != nil {
			return report.Printable(*v)
		}
	}
	return ""
}
