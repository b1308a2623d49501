package feed

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"time"

	"trustpool/bundle"
	"trustpool/internal/report"
)

// RSSFile is the name of the feed of a bundle's versions, the same beside every bundle.
const RSSFile = "rss.xml"

// An Edition is a version of a bundle in a feed.
type Edition struct {
	Version   string
	Link      string // to its directory
	SHA256    string // of the bundle's file, in hex
	Published time.Time
	Diff      []byte // what [WriteDiff] writes of it; nil for none
	Added     int    // of the diff
	Removed   int
}

// NewEdition makes an edition of a bundle. d leads from the one before to it; nil for none.
func NewEdition(version, link, sha256 string, published time.Time, d *bundle.Diff) (Edition, error) {
	e := Edition{Version: version, Link: link, SHA256: sha256, Published: published}
	if d == nil {
		return e, nil
	}
	var b bytes.Buffer
	if err := WriteDiff(&b, d); err != nil {
		return Edition{}, err
	}
	e.Diff, e.Added, e.Removed = b.Bytes(), len(d.Added), len(d.Removed)
	return e, nil
}

// WriteRSS writes the feed of a bundle in the shape of the rss.xml that Cisco publishes beside it: an item for each
// edition, the newest first. name is what the signer calls the bundle, and link is where the newest edition is.
func WriteRSS(w io.Writer, name, link string, editions []Edition) error {
	type text struct {
		Text string `xml:",cdata"`
	}
	type guid struct {
		IsPermaLink bool   `xml:"isPermaLink,attr"`
		ID          string `xml:",chardata"`
	}
	type item struct {
		Title       string `xml:"title"`
		Link        string `xml:"link"`
		Description text   `xml:"description"`
		Date        string `xml:"pubDate"`
		GUID        guid   `xml:"guid"`
	}
	var rss struct {
		XMLName xml.Name `xml:"rss"`
		Version string   `xml:"version,attr"`
		Channel struct {
			Title       string `xml:"title"`
			Link        string `xml:"link"`
			Description string `xml:"description"`
			Items       []item `xml:"item"`
		} `xml:"channel"`
	}
	name = report.Printable(name)
	rss.Version = "2.0"
	rss.Channel.Title, rss.Channel.Link = name+updates, link
	rss.Channel.Description = "Versions of the " + name
	for _, e := range editions {
		title := name + titleVersion + report.Printable(e.Version)
		description := title + "<br>\n"
		for _, n := range []struct {
			count int
			what  string
		}{{e.Added, "added"}, {e.Removed, "removed"}} {
			if n.count > 0 {
				description += fmt.Sprintf("%d certs %s<br>\n", n.count, n.what)
			}
		}
		if e.Diff != nil {
			description += "<pre>" + string(e.Diff) + "</pre>\n"
		}
		rss.Channel.Items = append(rss.Channel.Items, item{
			Title: title, Link: e.Link, Description: text{description},
			Date: e.Published.UTC().Format(time.RFC1123), GUID: guid{false, e.SHA256},
		})
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(rss); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
