package hosting

import (
	"context"
	"time"

	"trustpool/internal/feed"
	"trustpool/internal/report"
	"trustpool/internal/store"
)

// An Advice is what was mirrored beside a bundle. Nothing signs it: it is shown, and decides nothing. What is served as
// rss.xml, diff.json and manifest.log is made from the releases themselves.
type Advice struct {
	From    string    // the URL of its directory
	Fetched time.Time // when it was first like this
	// Feed is what it says, also of the current release; nil if it cannot be read, as Problem says in words.
	Feed    *feed.Report
	Problem string

	kept    store.Advice
	current *Release
}

// report is what the feed says; nil if nothing is known.
func (a *Advice) report() *feed.Report {
	if a == nil {
		return nil
	}
	return a.Feed
}

// Leaves says why a certificate of the current release leaves it, by the feed: it is marked for removal, or a newer version
// does not have it. It is empty if the feed does not say that.
func (a *Advice) Leaves(sum [32]byte) string {
	r := a.report()
	if r == nil {
		return ""
	}
	for _, l := range r.Leaving {
		if l.SHA256[0] == sum {
			return l.Why
		}
	}
	return ""
}

// advice is what was mirrored beside the current release of an offer; nil for nothing.
func (l loader) advice(ctx context.Context, o offer, current *Release) *Advice {
	if o.advice == nil {
		return nil
	}
	kept := *o.advice
	if l.before != nil {
		if a := l.before.Advice; a != nil && a.kept == kept && a.current == current && a.Problem == "" {
			return a
		}
	}
	a := &Advice{From: kept.From, Fetched: kept.Fetched, kept: kept, current: current}
	files, err := o.readAdvice(ctx, &kept)
	if err == nil {
		var f *feed.Feed
		if f, err = feed.Read(files...); err == nil {
			a.Feed, err = l.judge(f, o.name, current)
		}
	}
	if err != nil {
		a.Problem = report.Printable(err.Error())
		if l.before != nil && l.before.Advice != nil && l.before.Advice.kept == kept && l.before.Advice.Problem == a.Problem {
			return l.before.Advice
		}
	}
	return a
}

// judge compares a feed with the current release.
func (l loader) judge(f *feed.Feed, name string, current *Release) (*feed.Report, error) {
	b, err := l.Limits.Parse(current.Raw)
	if err != nil {
		return nil, err
	}
	held := &feed.Held{File: name + extension, Name: current.SignedName, Version: current.Version, Certificates: b.Certificates}
	r := f.Judge(feed.Question{Held: held})
	held.Certificates = nil // which would keep the whole pool in memory
	return r, nil
}
