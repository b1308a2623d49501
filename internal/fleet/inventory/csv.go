package inventory

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
)

// separator returns what is between the columns that a first line of CSV names; 0 if
// none of them is called name.
func separator(line string) rune {
	for _, c := range ",;\t" {
		for _, column := range strings.Split(line, string(c)) {
			if strings.EqualFold(strings.Trim(column, " \t\""), "name") {
				return c
			}
		}
	}
	return 0
}

// csv reads CSV (RFC 4180), the first line of which names the columns, in any order:
// name, perhaps address, platform, ssh_port and ssh_user, and any others. Semicolons or tabs may be
// between them, as some spreadsheets write. A line that begins with # is a comment.
func (l *lister) csv(data []byte) error {
	first, offset, before := firstLine(data)
	before-- // lines
	in := csv.NewReader(bytes.NewReader(data[offset:]))
	in.ReuseRecord = true
	in.Comma, in.Comment = separator(first), '#'
	var columns []string
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if parse, ok := errors.AsType[*csv.ParseError](err); ok {
			return at(before+parse.Line, parse.Err)
		}
		if err != nil {
			return err
		}
		line, _ := in.FieldPos(0)
		line += before
		if columns == nil {
			if columns, err = columnsOf(row); err != nil {
				return at(line, err)
			}
			continue
		}
		if strings.TrimSpace(strings.Join(row, "")) == "" {
			continue // as spreadsheets leave behind
		}
		d := Device{Line: line}
		address, user, port := "", "", ""
		for i, value := range row {
			if value = strings.TrimSpace(value); columns[i] == "address" {
				address = value
				continue
			}
			if len(value) > MaxCell {
				return at(line, &LimitError{fmt.Sprintf("%d bytes of the column %s", len(value), columns[i]), MaxCell})
			}
			value = strings.Clone(value) // keeps nothing else of the line
			switch columns[i] {
			case "":
				if value != "" {
					return at(before+1, fmt.Errorf("column %d has no name, and line %d has %.80q in it", i+1, line, value))
				}
			case "name":
				d.Name = value
			case "platform":
				d.Platform = value
			case "ssh_user":
				user = value
			case "ssh_port":
				port = value
			default:
				d.Columns = append(d.Columns, Column{columns[i], value})
			}
		}
		if err := d.login(user, port); err != nil {
			return at(line, fmt.Errorf("device %q: %w", d.Name, err))
		}
		if err := l.add(d, address); err != nil {
			return at(line, err)
		}
	}
}

// columnsOf returns the names of the columns, in lower case. Those without a name, as
// spreadsheets leave behind the last one, are to be empty.
func columnsOf(head []string) ([]string, error) {
	if len(head) > MaxColumns {
		return nil, &LimitError{fmt.Sprintf("%d columns", len(head)), MaxColumns}
	}
	var columns []string
	seen := map[string]bool{}
	for i, name := range head {
		name = strings.ToLower(strings.TrimSpace(name))
		if len(name) > MaxCell {
			return nil, fmt.Errorf("column %d has a name of more than %d bytes", i+1, MaxCell)
		}
		if seen[name] && name != "" {
			return nil, fmt.Errorf("the column %q is there twice", name)
		}
		seen[name] = true
		columns = append(columns, strings.Clone(name))
	}
	return columns, nil
}
