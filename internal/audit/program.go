package audit

import (
	"bytes"
	"time"

	"trustpool/internal/report"
	"trustpool/roots"
)

// ParseProgram reads a root program's file, certdata.txt or a report of the CCADB.
// The date is that of the snapshot if the user knows it; else it is the one in
// the file's head, which old ones have, or none.
func ParseProgram(name string, data []byte, date time.Time) (*Program, error) {
	if date.IsZero() {
		date = headDate(data)
	}
	p := &Program{Name: name, Date: report.Moment{Time: date}}
	var err error
	if bytes.Contains(data, []byte("\nBEGINDATA")) || bytes.Contains(data, []byte("CKA_CLASS ")) {
		p.Store, err = roots.ParseCertdata(data)
	} else {
		p.Store, err = roots.ParseCCADB(data, roots.CCADBOptions{})
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}

// maxHead is how much of a file may come before its date.
const maxHead = 16 << 10

// headDate reads the date that the version control of old wrote into a file:
// $Date: 2012/12/29 16:32:45 $.
func headDate(data []byte) time.Time {
	_, rest, ok := bytes.Cut(data[:min(len(data), maxHead)], []byte("$Date: "))
	if !ok || len(rest) < len("2006/01/02") {
		return time.Time{}
	}
	t, _ := time.Parse("2006/01/02", string(rest[:len("2006/01/02")])) // zero if it is not one
	return t
}
