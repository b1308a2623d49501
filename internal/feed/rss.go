package feed

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"io"
	"strings"
	"time"

	"trustpool/internal/fetch/text"
)

// A Channel is an rss.xml: the versions of one bundle.
type Channel struct {
	Title, Link string
	Items       []Item // in the order of the file
}

// An Item is what rss.xml says of one version.
type Item struct {
	Title, Link string
	Date        string    // as it is written
	Published   time.Time // zero if no time can be made of Date
	Change      *Change   // nil if the item has no diff.json
}

// updates ends the title of a channel, after the name of the bundle.
const updates = " Updates"

// Name is the name of the bundle, by the title.
func (c *Channel) Name() string { return strings.TrimSpace(strings.TrimSuffix(c.Title, updates)) }

// titleVersion is before the version in the title of an item.
const titleVersion = " Version "

// Version is the version that the title of the item names; empty if it does not.
func (i *Item) Version() string {
	at := strings.LastIndex(i.Title, titleVersion)
	if at < 0 {
		return ""
	}
	return strings.TrimSpace(i.Title[at+len(titleVersion):])
}

// ParseRSS reads an rss.xml, in RSS 2.0. It takes no document type, and so no entity
// but the five of XML.
func ParseRSS(data []byte) (*Channel, error) {
	encoding := text.Detect(data)
	data, err := decode(RSS, data)
	if err != nil {
		return nil, err
	}
	r := &rssReader{budget: MaxCertificates, bytes: len(data), decoded: encoding != text.UTF8}
	r.d = xml.NewDecoder(bytes.NewReader(data))
	r.d.CharsetReader = r.charset
	c, err := r.read()
	if err != nil {
		if s, ok := errors.AsType[*SyntaxError](err); ok {
			return nil, s
		}
		line, _ := r.d.InputPos()
		return nil, &SyntaxError{RSS, fmt.Sprintf("line %d", line), xmlError(err, r.d.InputOffset() >= int64(len(data)))}
	}
	return c, nil
}

func xmlError(err error, ended bool) string {
	s, ok := errors.AsType[*xml.SyntaxError](err)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), ok && ended && strings.Contains(s.Msg, "unexpected EOF"):
		return "it was cut short"
	case ok:
		return s.Msg
	}
	return err.Error()
}

// An rssReader reads one file.
type rssReader struct {
	d       *xml.Decoder
	budget  int // of certificates
	bytes   int
	decoded bool // the file was UTF-16, or in gzip
	depth   int
}

// charset is asked for every encoding that the file names and that is not UTF-8.
func (r *rssReader) charset(label string, in io.Reader) (io.Reader, error) {
	switch strings.ToLower(label) {
	case "utf8", "us-ascii", "ascii": // a part of UTF-8, which the decoder checks
		return in, nil
	case "utf-16", "utf-16le", "utf-16be":
		if r.decoded {
			return in, nil
		}
	}
	return nil, fmt.Errorf("it says that it is written in %q; UTF-8 and UTF-16 are read", short(label))
}

// token returns the next one that counts.
func (r *rssReader) token() (xml.Token, error) {
	for {
		t, err := r.d.Token()
		if err != nil {
			return nil, err
		}
		switch t.(type) {
		case xml.Directive:
			return nil, errors.New("it has a document type (DOCTYPE), which a feed does not need")
		case xml.StartElement:
			if r.depth++; r.depth > MaxDepth {
				return nil, fmt.Errorf("elements nest more than %d levels deep", MaxDepth)
			}
		case xml.EndElement:
			r.depth--
		case xml.Comment, xml.ProcInst:
			continue
		}
		return t, nil
	}
}

func (r *rssReader) read() (*Channel, error) {
	var channel *Channel
	for {
		t, err := r.token()
		if errors.Is(err, io.EOF) && channel != nil {
			return channel, nil
		}
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.CharData:
			if len(bytes.TrimSpace(t)) > 0 {
				return nil, errors.New("there is text outside of its element")
			}
		case xml.StartElement:
			if err := checkRoot(t); err != nil {
				return nil, err
			}
			if channel != nil {
				return nil, errors.New("there is a second document after its end")
			}
			err := r.children(func(child xml.StartElement) error {
				if child.Name.Local != "channel" {
					return r.skip()
				}
				if channel != nil {
					return errors.New("it has two channels")
				}
				channel = &Channel{}
				return r.channel(channel)
			})
			if err != nil {
				return nil, err
			}
			if channel == nil {
				return nil, errors.New("it has no channel")
			}
			if channel.Items == nil {
				return nil, errors.New("it has no item, so that it says nothing of any version")
			}
		}
	}
}

func checkRoot(e xml.StartElement) error {
	switch name := strings.ToLower(e.Name.Local); {
	case name == "html":
		return &SyntaxError{noneKind, "", "an HTML page, not what is published beside a bundle"}
	case name == "feed":
		return &SyntaxError{noneKind, "", "an Atom feed; RSS 2.0 is read"}
	case e.Name.Local != "rss" || e.Name.Space != "":
		return fmt.Errorf("its element is %q; RSS 2.0 is read", short(e.Name.Local))
	}
	for _, a := range e.Attr {
		if a.Name.Local == "version" && a.Name.Space == "" && !strings.HasPrefix(a.Value, "2") && !strings.HasPrefix(a.Value, "0.9") {
			return fmt.Errorf("it is RSS %q; RSS 2.0 is read", short(a.Value))
		}
	}
	return nil
}

// children calls f for each element without a namespace in the present one, which f
// reads to its end. It passes over text and other elements.
func (r *rssReader) children(f func(xml.StartElement) error) error {
	for {
		t, err := r.token()
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.EndElement:
			return nil
		case xml.StartElement:
			read := f
			if t.Name.Space != "" {
				read = func(xml.StartElement) error { return r.skip() }
			}
			if err := read(t); err != nil {
				return err
			}
		}
	}
}

// skip reads the present element to its end.
func (r *rssReader) skip() error {
	for depth := r.depth; r.depth >= depth; {
		if _, err := r.token(); err != nil {
			return err
		}
	}
	return nil
}

// text reads an element of text into s, which must be empty: nothing is there twice.
func (r *rssReader) text(e xml.StartElement, s *string, most int) error {
	if *s != "" {
		return fmt.Errorf("<%s> is there twice", e.Name.Local)
	}
	var out []byte
	for {
		t, err := r.token()
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.StartElement:
			return fmt.Errorf("<%s> is within <%s>, which is to be text", short(t.Name.Local), e.Name.Local)
		case xml.EndElement:
			*s = strings.TrimSpace(string(out))
			return nil
		case xml.CharData:
			if out = append(out, t...); len(out) > most {
				return fmt.Errorf("<%s> has more than %d bytes, which is the limit", e.Name.Local, most)
			}
		}
	}
}

func (r *rssReader) channel(c *Channel) error {
	return r.children(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "title":
			return r.text(e, &c.Title, MaxText)
		case "link":
			return r.text(e, &c.Link, MaxText)
		case "item":
			if len(c.Items) == MaxItems {
				return fmt.Errorf("more than %d items, which is the limit", MaxItems)
			}
			item, err := r.item()
			if err != nil {
				line, _ := r.d.InputPos()
				return &SyntaxError{RSS, fmt.Sprintf("line %d, item %d", line, len(c.Items)+1), xmlError(err, r.d.InputOffset() >= int64(r.bytes))}
			}
			c.Items = append(c.Items, item)
			return nil
		}
		return r.skip()
	})
}

func (r *rssReader) item() (Item, error) {
	var i Item
	var description string
	err := r.children(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "title":
			return r.text(e, &i.Title, MaxText)
		case "link":
			return r.text(e, &i.Link, MaxText)
		case "pubDate":
			return r.text(e, &i.Date, MaxText)
		case "description":
			return r.text(e, &description, MaxDescription)
		}
		return r.skip()
	})
	if err != nil {
		return i, err
	}
	i.Published = parseDate(i.Date)
	if i.Change, err = r.described(description); err != nil {
		return i, fmt.Errorf("the diff.json in it: %w", err)
	}
	if i.Version() == "" && i.Change == nil {
		return i, errors.New("neither its title nor a diff.json in it names a version")
	}
	return i, nil
}

// described reads the diff.json in a description, which is HTML; nil if there is none.
func (r *rssReader) described(description string) (*Change, error) {
	_, code, ok := strings.Cut(description, "<pre>")
	if !ok {
		if strings.Contains(description, "currentVersion") {
			return nil, errors.New("it is not within <pre>")
		}
		return nil, nil
	}
	if unescaped := strings.TrimLeft(code, " \t\r\n{"); strings.HasPrefix(unescaped, "&quot;") || strings.HasPrefix(unescaped, "&#34;") {
		code = html.UnescapeString(code)
	}
	// A name may have </pre> in it, so what ends the code is found by reading it.
	c, rest, err := parseDiff([]byte(code), &r.budget)
	if err != nil {
		return nil, err
	}
	after := strings.TrimSpace(string(rest))
	switch {
	case !strings.HasPrefix(after, "</pre>"):
		return nil, errors.New("there is more after its end")
	case strings.Contains(after, "<pre>"):
		return nil, errors.New("there is a second one")
	}
	return c, nil
}

// zones are those that RFC 822 section 5.1 names; time.Parse takes every other
// abbreviation for UTC.
func zones() map[string]string {
	return map[string]string{
		"UT": "+0000", "GMT": "+0000", "UTC": "+0000", "Z": "+0000",
		"EST": "-0500", "EDT": "-0400", "CST": "-0600", "CDT": "-0500", "MST": "-0700", "MDT": "-0600", "PST": "-0800", "PDT": "-0700",
	}
}

// parseDate reads a date of RFC 822 with a year of two or four digits, or of RFC 3339;
// zero if it is neither, or if its year in UTC has no four digits, as RFC 3339 wants it.
func parseDate(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		fields := strings.Fields(s[strings.Index(s, ",")+1:]) // after the day of the week
		if len(fields) == 5 {
			fields[4] = cmp.Or(zones()[strings.ToUpper(fields[4])], fields[4])
		}
		for _, layout := range []string{"2 Jan 2006 15:04:05 -0700", "2 Jan 2006 15:04 -0700", "2 Jan 06 15:04:05 -0700", "2 Jan 06 15:04 -0700"} {
			if t, err = time.Parse(layout, strings.Join(fields, " ")); err == nil {
				break
			}
		}
	}
	if t = t.UTC(); err != nil || t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}
	}
	return t
}
