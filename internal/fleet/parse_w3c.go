package fleet

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// directive reads a line that begins with #, as #Fields: date time c-ip.
func (p *Parser) directive(line string) error {
	name, value, ok := strings.Cut(line[1:], ":")
	if !ok || name == "" || strings.Trim(name, letters+"-") != "" {
		return errors.New("neither a request nor a directive (#Fields: and others)")
	}
	switch strings.ToLower(name) {
	case "fields":
		p.columns = strings.Fields(strings.ToLower(value))
	case "date":
		p.day, _, _ = strings.Cut(strings.TrimSpace(value), " ")
	}
	return ErrNoRequest
}

// parseW3C reads a line of the W3C extended log format by the columns of the last
// #Fields. Its times are in UTC, and sc-bytes counts the header.
func (p *Parser) parseW3C(line string) (Request, error) {
	values := w3cValues(line)
	if len(values) != len(p.columns) {
		return Request{}, fmt.Errorf("%d values, and #Fields names %d", len(values), len(p.columns))
	}
	r := Request{Bytes: -1, Header: true}
	day, clock, address, status := p.day, "", "", ""
	for i, v := range values {
		switch p.columns[i] {
		case "date":
			day = v
		case "time":
			clock = v
		case "c-ip":
			address = v
		case "cs-method":
			r.Method = v
		case "cs-uri-stem", "cs-uri":
			r.Path, _, _ = strings.Cut(v, "?")
		case "cs(referer)":
			if v == doctorAgent {
				r.UserAgent = doctorAgent
			}
		case "cs(user-agent)":
			if v != "-" && r.UserAgent == "" {
				r.UserAgent = strings.ReplaceAll(v, "+", " ")
			}
		case "sc-status":
			status = v
		case "sc-win32-status":
			r.Cut = v != "0" && v != "-"
		case "sc-bytes":
			if v == "-" {
				break
			}
			n, err := strconv.ParseInt(v, 10, 64)
			if err != nil || n < 0 {
				return Request{}, errors.New("sc-bytes is not a number of bytes")
			}
			r.Bytes = n
		}
	}
	var err error
	if r.Address, _, err = parseClient(address); err != nil {
		return Request{}, errors.New("c-ip is not an IP address, or #Fields does not name it")
	}
	if r.Status, err = parseStatus(status); err != nil {
		return Request{}, errors.New("sc-status is not a status, or #Fields does not name it")
	}
	if r.Time, err = time.Parse(time.DateTime, day+" "+clock); err != nil {
		return Request{}, errors.New("date and time are not as 2006-01-02 15:04:05, or #Fields does not name them")
	}
	if r.Method == "" || r.Path == "" {
		return Request{}, errors.New("#Fields names no cs-method or no cs-uri-stem")
	}
	return r, nil
}

// w3cValues splits a line at blanks and tabs. A value may be in quotes, with those
// inside doubled.
func w3cValues(line string) (values []string) {
	for line = strings.TrimLeft(line, " \t"); line != ""; line = strings.TrimLeft(line, " \t") {
		var value string
		if inside, ok := strings.CutPrefix(line, `"`); ok {
			for {
				part, rest, found := strings.Cut(inside, `"`)
				value += part
				if line = rest; !found || !strings.HasPrefix(rest, `"`) {
					break
				}
				value += `"`
				inside = rest[1:]
			}
		} else {
			end := strings.IndexAny(line, " \t")
			if end < 0 {
				end = len(line)
			}
			value, line = line[:end], line[end:]
		}
		values = append(values, value)
	}
	return values
}
