package pool

import (
	"strings"

	"trustpool/internal/device/show"
	"trustpool/internal/report"
)

// Show returns what a device of a style shows of the pool, in its order, built-in
// entries included. Of an entry with its certificate it is what the device shows of
// that; of another, what is known of it. incomplete is how many entries lack
// something that the device would show.
func (p *Pool) Show(style show.Style) (list []show.Shown, incomplete int) {
	for i := range p.Entries {
		s := p.Entries[i].show(style)
		list = append(list, s)
		if !s.NotListed && (s.Serial == "" || s.NotBefore.Zone == "" || s.NotAfter.Zone == "" || style == show.IOSXR && s.SHA1 == "") {
			incomplete++
		}
	}
	return list, incomplete
}

func (e *Entry) show(style show.Style) show.Shown {
	origin := show.Downloaded
	if e.Origin == BuiltIn {
		origin = show.BuiltIn
	}
	if e.Certificate != nil {
		return show.Of(e.Certificate, style, origin)
	}
	s := show.Shown{
		Origin: origin, Serial: e.Serial, NotBefore: shownDate(e.ValidFrom()), NotAfter: shownDate(e.ValidTo()),
		Issuer: show.NameLines(e.Issuer, style), Subject: show.NameLines(e.Subject, style),
	}
	if style == show.IOSXR {
		s.SHA1 = strings.ToUpper(e.SHA1)
	} else {
		s.Status, s.Usage, s.Trustpoints = "Available", "Signature", []string{"Trustpool"}
	}
	if e.Shown == nil {
		return s
	}
	s.NotBefore, s.NotAfter = e.Shown.NotBefore, e.Shown.NotAfter
	if e.Shown.named() {
		s.Issuer, s.Subject = printable(e.Shown.Issuer), printable(e.Shown.Subject)
		if style == show.IOSXR { // which has a name on one line
			s.Issuer, s.Subject = []string{strings.Join(s.Issuer, ",")}, []string{strings.Join(s.Subject, ",")}
		}
	}
	return s
}

// printable makes lines safe to print: those of a pool file may hold anything.
func printable(lines []string) (out []string) {
	for _, l := range lines {
		out = append(out, report.Printable(l))
	}
	return out
}

// shownDate is a moment as a device in UTC prints it.
func shownDate(m Moment) show.Date {
	if !m.Valid {
		return show.Date{}
	}
	return show.Date{Clock: m.UTC(), Zone: "UTC"}
}
