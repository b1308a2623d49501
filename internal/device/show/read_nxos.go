package show

import (
	"errors"
	"fmt"
	"strings"
)

// nxos reads a line of NX-OS. A certificate begins with its serial number.
func (r *reader) nxos(l line) error {
	e := r.current
	field, rest := r.label(l.text)
	if e != nil && (e.section == labelIssuer || e.section == labelSubject) && isAttribute(l.text) {
		return e.nxValue(e.section, l.text)
	}
	switch {
	case field == labelSerial:
		if e != nil {
			if err := r.end(); err != nil {
				return err
			}
		}
		if err := r.begin(l); err != nil {
			return err
		}
		e = r.current
	case field == labelOrigin || l.text == xrHead || strings.Trim(l.text, "=-") == "":
		if e != nil {
			return r.end()
		}
		return nil
	case e == nil && field != noLabel:
		return fmt.Errorf("the %s of a certificate whose beginning is missing", field.title())
	case e == nil:
		return r.outside(l, noLabel)
	case isPrompt(l.text), field == noLabel && givesUp(l.text):
		if err := r.end(); err != nil {
			return err
		}
		return r.outside(l, noLabel)
	case field == noLabel && (e.section == labelIssuer || e.section == labelSubject):
		return fmt.Errorf("%.60q where the %s was expected", l.text, e.section.title())
	case field == noLabel && e.number && isHex(l.text):
		return errSerial
	case field == noLabel && e.named:
		return fmt.Errorf("%.60q is neither a field nor, after the name, a part of it", l.text)
	case field == noLabel:
		return nil
	}
	if err := e.take(field); err != nil {
		return err
	}
	if rest == "" && field != labelSerial {
		return nil // on a line of its own
	}
	return e.nxValue(field, rest)
}

// nxValue is what a field has.
func (e *entry) nxValue(field label, text string) error {
	if err := e.xrValue(field, text); err != nil {
		return err
	}
	switch field { // in the lines of IOS XE, by which certificates are compared
	case labelSubject:
		e.Subject = NameLines(text, IOSXE)
	case labelIssuer:
		e.Issuer = NameLines(text, IOSXE)
	}
	return nil
}

// readTable reads TABLE_ca_trustpool: one ROW_ca_trustpool, or a list of them.
func readTable(table any) (list []Shown, err error) {
	object, ok := table.(map[string]any)
	rows, many := object["ROW_ca_trustpool"].([]any)
	if row := object["ROW_ca_trustpool"]; !many && row != nil {
		rows = []any{row}
	}
	switch {
	case !ok:
		return nil, errRows
	case len(rows) == 0:
		return nil, errors.New("no certificate in it")
	case len(rows) > MaxShown:
		return nil, fmt.Errorf("more than %d certificates", MaxShown)
	}
	for i, value := range rows {
		row, ok := value.(map[string]any)
		if !ok {
			return nil, errRows
		}
		var e entry
		for _, f := range []struct {
			label
			name string
		}{
			{labelSerial, "serial-number"}, {labelSubject, "subject"}, {labelIssuer, "issued-by"},
			{labelNotBefore, "validity-start"}, {labelNotAfter, "validity-end"},
		} {
			text, ok := row[f.name].(string)
			if !ok {
				return nil, fmt.Errorf("ROW_ca_trustpool[%d] has no %s", i, f.name)
			}
			if err := e.nxValue(f.label, strings.TrimSpace(text)); err != nil {
				return nil, fmt.Errorf("ROW_ca_trustpool[%d].%s: %w", i, f.name, err)
			}
		}
		list = append(list, e.Shown)
	}
	return list, nil
}

var errRows = errors.New("its ROW_ca_trustpool is neither an object nor a list of objects")
