package show

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// nxLabel is the field that a line begins with, and what is behind its colon: in
// the words of the documented fields, with blanks or hyphens.
func nxLabel(text string) (label, string) {
	before, rest, ok := strings.Cut(text, ":")
	if !ok {
		return noLabel, ""
	}
	rest = strings.TrimSpace(rest)
	switch strings.ReplaceAll(strings.ReplaceAll(strings.ToLower(strings.TrimSpace(before)), "-", " "), "_", " ") {
	case "trustpool":
		return labelOrigin, rest
	case "serial number":
		return labelSerial, rest
	case "subject":
		return labelSubject, rest
	case "issued by":
		return labelIssuer, rest
	case "validity start":
		return labelNotBefore, rest
	case "validity end":
		return labelNotAfter, rest
	case "sha1 fingerprint":
		return labelSHA1, rest
	}
	return noLabel, ""
}

// nxos reads a line of NX-OS. A certificate begins with its serial number.
func (r *reader) nxos(l line) error {
	e := r.current
	field, rest := nxLabel(l.text)
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
	case isPrompt(l.text):
		return r.end()
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
	switch field {
	case labelSubject:
		e.Subject = rdnLinesOf(text)
	case labelIssuer:
		e.Issuer = rdnLinesOf(text)
	}
	return nil
}

// rdnLinesOf makes of a name on one line the lines that IOS XE shows of it, by which
// certificates are compared.
func rdnLinesOf(name string) (lines []string) {
	var parts []string
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		switch c := name[i]; {
		case c == '\\' && i+1 < len(name) && strings.IndexByte(`,+"\<>;=# `, name[i+1]) >= 0:
			i++
			if name[i] == ',' {
				b.WriteByte(0) // a comma within a value
			} else {
				b.WriteByte(name[i])
			}
		case c == ',':
			parts = append(parts, b.String())
			b.Reset()
		default:
			b.WriteByte(c)
		}
	}
	for i, part := range append(parts, b.String()) {
		if trimmed := strings.TrimLeft(part, " "); isAttribute(trimmed) {
			part = trimmed
		} else if i > 0 && !strings.HasPrefix(part, " ") {
			part = " " + part // the rest of a value
		}
		first, rest, more := strings.Cut(part, "\x00")
		if key, value, ok := strings.Cut(first, "="); ok && key == strings.ToUpper(key) {
			first = strings.ToLower(key) + "=" + value
		}
		lines = append(lines, first)
		for more {
			var piece string
			if piece, rest, more = strings.Cut(rest, "\x00"); !strings.HasPrefix(piece, " ") {
				piece = " " + piece
			}
			lines = append(lines, piece)
		}
	}
	return lines
}

// readTable reads TABLE_ca_trustpool: one ROW_ca_trustpool, or a list of them.
func readTable(table any) ([]Shown, error) {
	data, err := json.Marshal(table)
	if err != nil {
		return nil, err
	}
	type row struct {
		Serial    *string `json:"serial-number"`
		Subject   *string `json:"subject"`
		Issuer    *string `json:"issued-by"`
		NotBefore *string `json:"validity-start"`
		NotAfter  *string `json:"validity-end"`
	}
	var rows []row
	var many struct {
		Rows []row `json:"ROW_ca_trustpool"`
	}
	var one struct {
		Row *row `json:"ROW_ca_trustpool"`
	}
	switch {
	case json.Unmarshal(data, &many) == nil:
		rows = many.Rows
	case json.Unmarshal(data, &one) == nil && one.Row != nil:
		rows = []row{*one.Row}
	default:
		return nil, errors.New("its ROW_ca_trustpool is neither an object nor a list of objects")
	}
	if len(rows) == 0 {
		return nil, errors.New("no certificate in it")
	}
	if len(rows) > MaxShown {
		return nil, fmt.Errorf("more than %d certificates", MaxShown)
	}
	var list []Shown
	for i, row := range rows {
		e := entry{}
		for _, f := range []struct {
			field label
			name  string
			value *string
		}{
			{labelSerial, "serial-number", row.Serial}, {labelSubject, "subject", row.Subject}, {labelIssuer, "issued-by", row.Issuer},
			{labelNotBefore, "validity-start", row.NotBefore}, {labelNotAfter, "validity-end", row.NotAfter},
		} {
			if f.value == nil {
				return nil, fmt.Errorf("ROW_ca_trustpool[%d] has no %s", i, f.name)
			}
			if err := e.nxValue(f.field, strings.TrimSpace(*f.value)); err != nil {
				return nil, fmt.Errorf("ROW_ca_trustpool[%d].%s: %w", i, f.name, err)
			}
		}
		list = append(list, e.Shown)
	}
	return list, nil
}
