package roots

import (
	"bytes"
	"encoding/csv"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// A Program is a root program whose decisions CCADB reports.
type Program string

// The root programs of CCADB (https://www.ccadb.org/rootstores/).
const (
	Apple     Program = "apple"
	Chrome    Program = "chrome"
	Microsoft Program = "microsoft"
	Mozilla   Program = "mozilla"
)

// programColumns are the columns of a program's decisions in the reports about
// several programs: what it is, and what for.
var programColumns = map[Program]struct{ status, bits []string }{
	Apple:     {[]string{"Apple Status"}, []string{"Apple Trust Bits"}},
	Chrome:    {[]string{"Google Chrome Status", "Chrome Status"}, nil},
	Microsoft: {[]string{"Microsoft Status"}, []string{"Microsoft EKUs"}},
	Mozilla:   {[]string{"Mozilla Status"}, []string{"Mozilla Trust Bits", "Trust Bits"}},
}

// CCADBOptions say how a report is to be read.
type CCADBOptions struct {
	// Program is the one whose decisions count. Empty is Mozilla.
	Program Program
	// Purposes are what the roots of a report are trusted for that holds nothing
	// but them and was asked for by purpose, as IncludedRootsPEMCSV is with
	// TrustBitsInclude=Websites. A report that says so itself is not asked.
	Purposes []Purpose
}

// Columns that reports share. Names and meanings are those of
// https://www.ccadb.org/resources.
var (
	columnPEM         = []string{"PEM Info", "PEM", "X.509 Certificate (PEM)"}
	columnSHA256      = []string{"SHA-256 Fingerprint"}
	columnLabel       = []string{"Common Name or Certificate Name", "CA Common Name or Certificate Name", "Certificate Name", "Certificate Subject Common Name"}
	columnTLSAfter    = []string{"Distrust for TLS After Date"}
	columnEmailAfter  = []string{"Distrust for S/MIME After Date"}
	columnRevocation  = []string{"Revocation Status"}
	columnsOfRemovals = "Removal" // "Removal Bug No. or Date" of the reports of removed roots
)

// trustBits are the words for purposes: Mozilla's trust bits, Microsoft's and
// Apple's extended key usages. Others give trust for what is not asked for here.
var trustBits = map[string]Purpose{
	"websites":              ServerAuth,
	"email":                 EmailProtection,
	"code":                  CodeSigning,
	"server authentication": ServerAuth,
	"client authentication": ClientAuth,
	"secure email":          EmailProtection,
	"code signing":          CodeSigning,
	"time stamping":         TimeStamping,
	"serverauth":            ServerAuth,
	"clientauth":            ClientAuth,
	"emailprotection":       EmailProtection,
	"codesigning":           CodeSigning,
	"timestamping":          TimeStamping,
}

// ParseCCADB reads one of the public reports of the Common CA Database in CSV,
// whichever it is: columns are found by their names.
//
//	IncludedCACertificateReportPEMCSV and those like it   Mozilla's roots, with certificates and trust bits
//	IncludedRootsPEMCSV, IncludedRootsPEMCSVForMSFT       certificates alone: see CCADBOptions.Purposes
//	AllIncludedRootCertsCSV                               the roots of all programs, by fingerprint
//	AllCertificateRecordsCSVFormat                        every certificate, by fingerprint, with each program's status
//	PublicIntermediateCertsRevokedWithPEMCSV              revoked intermediates
//
// A report without certificates gives entries without them. Each row is one
// entry; one that is damaged has Err. Only what is not a report is an error.
//
// A date after which a root is distrusted counts from its beginning, in UTC,
// which is up to a day stricter than certdata.txt. Constraints that Mozilla
// applies, any status that is neither "Included" nor the absence of it, and any
// filled column about distrust, disabling or constraints that is not known keep
// a root out. "Blocked", "Disabled" and "Revoked" are distrust for every purpose.
func ParseCCADB(data []byte, o CCADBOptions) (*Store, error) {
	if err := checkFile(data, "a report of CCADB"); err != nil {
		return nil, err
	}
	if o.Program == "" {
		o.Program = Mozilla
	}
	if _, ok := programColumns[o.Program]; !ok {
		return nil, fmt.Errorf("no root program of CCADB is called %q", o.Program)
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte(byteOrderMark))))
	r.ReuseRecord = true
	header, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("not a report of CCADB: %w", err)
	}
	c, err := newColumns(header, o)
	if err != nil {
		return nil, err
	}
	var roots []*Root
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil && !errors.Is(err, csv.ErrFieldCount) {
			return nil, fmt.Errorf("damaged, or cut off: %w", err)
		}
		if len(roots) == MaxRoots {
			return nil, fmt.Errorf("more than %d rows", MaxRoots)
		}
		line, _ := r.FieldPos(0)
		root := &Root{Line: line}
		if err != nil {
			root.Err = fmt.Errorf("%d columns, and the first line has %d", len(row), len(header))
		} else {
			c.read(root, row)
		}
		roots = append(roots, root)
	}
	if len(roots) == 0 {
		return nil, errors.New("a report without a row")
	}
	return NewStore(roots), nil
}

// columns are where a report has what is read of it; -1 if it does not.
type columns struct {
	pem, sha256, label, status, bits, tlsAfter, emailAfter, revocation int

	unknown []namedColumn // that restrict trust in a way that is not known
	assume  []Purpose     // if the report does not say what for
	removed bool          // a report of removed roots: its trust bits are history
}

type namedColumn struct {
	index int
	name  string
}

func newColumns(header []string, o CCADBOptions) (*columns, error) {
	names := make([]string, len(header))
	for i, name := range header {
		names[i] = strings.TrimSpace(name)
	}
	find := func(wanted []string) int {
		for _, w := range wanted {
			if i := slices.IndexFunc(names, func(n string) bool { return strings.EqualFold(n, w) }); i >= 0 {
				return i
			}
		}
		return -1
	}
	program := programColumns[o.Program]
	c := &columns{
		pem: find(columnPEM), sha256: find(columnSHA256), label: find(columnLabel),
		status: find(program.status), bits: find(program.bits),
		tlsAfter: find(columnTLSAfter), emailAfter: find(columnEmailAfter), revocation: find(columnRevocation),
	}
	if c.pem < 0 && c.sha256 < 0 {
		return nil, fmt.Errorf("not a report of CCADB: no column is called %q, nor %q", columnPEM[0], columnSHA256[0])
	}
	for i, name := range names {
		lower := strings.ToLower(name)
		if strings.HasPrefix(name, columnsOfRemovals) {
			c.removed = true
		}
		if i == c.tlsAfter || i == c.emailAfter || otherProgram(name, o.Program) {
			continue
		}
		for _, word := range []string{"distrust", "constraint", "disable", "notbefore", "not before", "block"} {
			if strings.Contains(lower, word) {
				c.unknown = append(c.unknown, namedColumn{i, name})
				break
			}
		}
	}
	decides := c.revocation >= 0
	for _, p := range programColumns {
		decides = decides || find(p.status) >= 0 || find(p.bits) >= 0
	}
	switch {
	case !decides && !c.removed:
		c.assume = o.Purposes
	case o.Program == Chrome && c.status >= 0:
		c.assume = []Purpose{ServerAuth} // it is for nothing else
	}
	return c, nil
}

// otherProgram reports whether a column is about another program than p.
func otherProgram(column string, p Program) bool {
	column = strings.ToLower(strings.TrimPrefix(column, "Google "))
	first, _, _ := strings.Cut(column, " ")
	_, isProgram := programColumns[Program(first)]
	return isProgram && Program(first) != p
}

func (c *columns) read(r *Root, row []string) {
	cell := func(i int) string {
		if i < 0 {
			return ""
		}
		return strings.TrimSpace(row[i])
	}
	r.Label = strings.Clone(cell(c.label))
	c.readCertificate(r, cell(c.sha256), cell(c.pem))
	c.readStatus(r, cell(c.status), cell(c.bits))
	switch s := cell(c.revocation); s {
	case "", "Not Revoked":
	case "Revoked", "Parent Cert Revoked":
		r.distrust()
	default:
		r.constrain("Revocation Status: " + s)
	}
	for _, after := range []struct {
		purpose Purpose
		index   int
	}{{ServerAuth, c.tlsAfter}, {EmailProtection, c.emailAfter}} {
		s := cell(after.index)
		if t, ok := ccadbDate(s); ok {
			r.distrustAfter(after.purpose, t)
		} else if s != "" {
			r.constrain("Distrust After Date: " + s)
		}
	}
	for _, u := range c.unknown {
		if s := cell(u.index); s != "" {
			r.constrain(u.name + ": " + s)
		}
	}
}

// readCertificate takes the certificate, which is between apostrophes so that no
// spreadsheet changes it, and its fingerprint.
func (c *columns) readCertificate(r *Root, fingerprint, text string) {
	sum, ok := ParseSHA256(fingerprint)
	switch {
	case ok:
		r.SHA256 = sum
	case fingerprint != "" || c.pem < 0:
		r.fail(fmt.Errorf("no SHA-256 fingerprint: %q", fingerprint[:min(len(fingerprint), 80)]))
	}
	if text = strings.Trim(text, "'"); text == "" {
		if r.SHA256 == [32]byte{} {
			r.fail(errors.New("neither a certificate nor its fingerprint"))
		}
		return
	}
	block, rest := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE" || len(bytes.TrimSpace(rest)) > 0 {
		r.fail(errors.New("its PEM is not that of one certificate"))
		return
	}
	r.set(block.Bytes)
	if ok && r.SHA256 != sum {
		r.fail(fmt.Errorf("its fingerprint is that of another certificate, %x", sum))
	}
}

// readStatus takes the program's decision.
func (c *columns) readStatus(r *Root, status, bits string) {
	r.Status = strings.Clone(status)
	if c.removed {
		return
	}
	switch status {
	case "Included":
	case "Blocked", "Disabled", "Revoked":
		r.distrust()
		return
	case "":
		if c.status >= 0 {
			return
		}
	case "Removed", "Not Included", "Not Yet Included", "Not Trusted", "N/A":
		return
	default:
		r.constrain("status: " + status)
	}
	for _, p := range c.assume {
		r.trust(p, Trusted)
	}
	for bit := range strings.SplitSeq(bits, ";") {
		if p, ok := trustBits[strings.ToLower(strings.TrimSpace(bit))]; ok {
			r.trust(p, Trusted)
		}
	}
	if strings.Contains(bits, "Turned Off") && len(r.Trust) > 0 {
		r.constrain("trust bits: " + bits)
	}
}

// ccadbDate reads a date as reports write it.
func ccadbDate(s string) (time.Time, bool) {
	for _, layout := range []string{"2006.01.02", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
