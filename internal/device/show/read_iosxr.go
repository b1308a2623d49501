package show

import (
	"errors"
	"fmt"
	"strings"
)

const xrHead = "CA certificate"

// iosxr reads a line of IOS XR. No name begins as a field does: a name begins
// with a key and an equals sign.
func (r *reader) iosxr(l line) error {
	e := r.current
	if e != nil && (e.section == labelIssuer || e.section == labelSubject) && isAttribute(l.text) {
		return e.xrValue(e.section, l.text)
	}
	var named, number bool
	if e != nil {
		named, number = e.named, e.number
		e.named, e.number = false, false
	}
	field, rest := r.label(l.text)
	switch {
	case e == nil && strings.Contains(l.text, "Trustpool:") && strings.Contains(l.text, xrHead):
		return r.flat(l)
	case e == nil && (field != labelOrigin || rest == ""):
		return r.outside(l, field)
	case field == labelOrigin:
		if err := r.begin(l); err != nil {
			return err
		}
		if err := r.current.take(labelOrigin); err != nil {
			return err
		}
		return r.current.origin(rest)
	case field != noLabel:
		if err := e.take(field); err != nil {
			return err
		}
		if rest == "" && (field == labelSubject || field == labelIssuer || field == labelSHA1) {
			return nil // on a line of its own
		}
		if err := e.xrValue(field, rest); err != nil {
			return err
		}
	case e.section == labelSHA1:
		if err := e.xrValue(labelSHA1, l.text); err != nil {
			return err
		}
	case number && isHex(l.text):
		return errSerial
	case named && !isField(l.text):
		return fmt.Errorf("%.60q is neither a field nor, after the name, a part of it: capture it again", l.text)
	case e.section == labelIssuer || e.section == labelSubject:
		return fmt.Errorf("%.60q where the %s was expected", l.text, e.section.title())
	}
	if e.SHA1 != "" { // the last
		return r.end()
	}
	return nil
}

// xrValue is what a field has.
func (e *entry) xrValue(field label, text string) (err error) {
	e.section, e.named, e.number = noLabel, field == labelSubject || field == labelIssuer, field == labelSerial
	switch field {
	case labelSerial:
		return e.serial(text)
	case labelSubject, labelIssuer:
		if !isAttribute(text) || strings.HasSuffix(text, ",") && !strings.HasSuffix(text, `\,`) {
			return fmt.Errorf("%.60q is not a name", text)
		}
		if field == labelSubject {
			e.Subject = []string{text}
		} else {
			e.Issuer = []string{text}
		}
	case labelNotBefore:
		e.NotBefore, err = parseDate(text)
	case labelNotAfter:
		e.NotAfter, err = parseDate(text)
	case labelSHA1:
		return e.fingerprint(text)
	}
	return err
}

// flat reads a line of whole certificates, whose line breaks are lost, as in
// field notice FN72290. A name with the words of a field is an error; one with those
// of the rest of a certificate and of another cannot be told.
func (r *reader) flat(l line) error {
	head, whole := flatExpressions()
	starts := head.FindAllStringIndex(l.text, -1)
	if len(starts) == 0 {
		return errors.New("a certificate begins, and it cannot be read: the order of its fields is another")
	}
	if len(r.list) > 0 && echoes(l.text[:starts[0][0]]) {
		r.echo = true
	}
	for i, start := range starts {
		end := len(l.text)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		text := l.text[start[0]:end]
		for _, field := range []string{"Trustpool:", xrHead, "Serial Number", "Subject:", "Issued By", "Validity Start", "Validity End", "SHA1 Fingerprint"} {
			if n := strings.Count(text, field); n != 1 {
				return fmt.Errorf("column %d: the line breaks are lost, and %q is there %d times in a certificate: capture it again", l.indent+start[0]+1, field, n)
			}
		}
		m := whole.FindStringSubmatch(text)
		if m == nil {
			return fmt.Errorf("column %d: a certificate without line breaks that cannot be read", l.indent+start[0]+1)
		}
		if err := r.begin(l); err != nil {
			return err
		}
		e := r.current
		e.Lossy = true
		for i, field := range []label{labelOrigin, labelSerial, labelSubject, labelIssuer, labelNotBefore, labelNotAfter, labelSHA1} {
			value := m[i+1]
			e.seen[field] = true
			err := error(nil)
			switch {
			case field == labelOrigin:
				err = e.origin(value)
			case value != "":
				err = e.xrValue(field, value)
			}
			if err != nil {
				return fmt.Errorf("column %d: %w", l.indent+start[0]+1, err)
			}
		}
		if err := r.end(); err != nil {
			return err
		}
		if len(r.list) > MaxShown {
			return nil // Read says so
		}
	}
	return nil
}
