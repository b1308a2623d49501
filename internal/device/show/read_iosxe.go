package show

import (
	"fmt"
	"strings"
)

// Indents of IOS XE, beyond that of the first line of a certificate.
const (
	fieldIndent = 2
	valueIndent = 4 // no field is so far to the right
	restIndent  = 5 // beyond the values: the rest of a value after a comma
)

const xeHead = "CA Certificate"

// iosxe reads a line of IOS XE. A line as far to the right as values are is one,
// whatever is in it; any other is a field, if it reads as one.
func (r *reader) iosxe(l line) error {
	e := r.current
	if e != nil && e.section == noLabel && !l.paged {
		if field, _ := r.label(l.text); field != noLabel {
			e.field = l.indent
		}
	}
	if e == nil || l.indent < e.threshold() || e.section == noLabel {
		switch field, rest := r.label(l.text); {
		case l.text == xeHead:
			return r.begin(l)
		case e == nil && strings.Contains(l.text, xeHead+" ") && strings.Contains(l.text, "Issuer:"):
			return fmt.Errorf("the line breaks are lost, and with them where a part of a name ends: capture it again")
		case e == nil:
			return r.outside(l, field)
		case field != noLabel:
			return r.xeField(field, rest)
		case l.indent >= e.margin+fieldIndent && !l.paged && isField(l.text):
			return e.take(labelOther)
		}
	}
	return e.xeValue(l)
}

// threshold is as far to the right as values begin.
func (e *entry) threshold() int { return max(e.margin+valueIndent, e.field+1) }

// isField reports whether a line looks like a field, of any name: Words in it: value
func isField(text string) bool {
	name, rest, ok := strings.Cut(text, ":")
	return ok && (rest == "" || rest[0] == ' ') && name != "" && 'A' <= name[0] && name[0] <= 'Z' && !strings.Contains(name, "=")
}

func (r *reader) xeField(field label, rest string) error {
	e := r.current
	if err := e.take(field); err != nil {
		return err
	}
	e.base = 0
	switch field {
	case labelStatus:
		e.Status = rest
	case labelSerial:
		return e.serial(rest)
	case labelUsage:
		e.Usage = rest
	case labelTrustpoints:
		e.Trustpoints = append(e.Trustpoints, strings.Fields(rest)...)
	case labelStorage:
		e.Storage = rest
	case labelOrigin: // the last
		if err := e.origin(rest); err != nil {
			return err
		}
		return r.end()
	default:
		if rest != "" {
			return fmt.Errorf("%.60q where a line should end: the line breaks are lost, capture it again", rest)
		}
	}
	return nil
}

// xeValue is a line of a section.
func (e *entry) xeValue(l line) error {
	text := l.text
	indented := l.indent >= e.threshold()
	if indented {
		e.indents = true
		base := e.threshold()
		switch {
		case l.paged:
		case e.base == 0 && isAttribute(text):
			e.base, e.tab = l.indent, l.tab
		case e.base != 0 && l.tab != e.tab:
			return fmt.Errorf("%.60q and other parts of the name are indented with tabs and without: capture it again", text)
		}
		if e.base != 0 {
			base = e.base
		}
		shift := max(0, l.indent-base)
		switch {
		case l.paged && shift < restIndent-1 && isAttribute(text): // of what a pager left
			shift = 0
		case l.tab && !isAttribute(text): // as wide as tabs made it
			shift = min(shift, restIndent)
		}
		text = strings.Repeat(" ", shift) + text
	}
	switch e.section {
	case labelIssuer, labelSubject, labelCRLs:
		if !indented && e.indents && !l.paged {
			return fmt.Errorf("%.60q is neither a field nor, without its indent, a part of the %s", text, e.section.title())
		}
	case labelSerial:
		if isHex(strings.TrimSpace(text)) {
			return errSerial
		}
		return nil
	default:
		return e.xeDate(text)
	}
	lines := &e.Issuer
	switch e.section {
	case labelSubject:
		lines = &e.Subject
	case labelCRLs:
		e.CRLs = append(e.CRLs, text)
		return nil
	}
	switch {
	case len(*lines) == 0:
		if text = strings.TrimLeft(text, " "); !isAttribute(text) {
			return fmt.Errorf("%.60q where the %s was expected", text, e.section.title())
		}
	case !strings.HasPrefix(text, " ") && !isAttribute(text):
		text = " " + text // the rest of a value
	}
	*lines = append(*lines, text)
	return nil
}

// xeDate reads a line of the validity; other sections have nothing to read.
func (e *entry) xeDate(text string) (err error) {
	if !e.seen[labelValidity] || e.section != labelValidity && e.section != labelNotBefore && e.section != labelNotAfter {
		return nil
	}
	name, rest, _ := strings.Cut(text, ":")
	switch strings.Join(strings.Fields(name), " ") {
	case "start date":
		if err = e.take(labelNotBefore); err == nil {
			e.NotBefore, err = parseDate(strings.TrimSpace(rest))
		}
	case "end date":
		if err = e.take(labelNotAfter); err == nil {
			e.NotAfter, err = parseDate(strings.TrimSpace(rest))
		}
	}
	return err
}
