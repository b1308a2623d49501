package show

import (
	"bufio"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"trustpool/bundle/certificate"
)

// A Shown is what a device prints of one certificate, and nothing more. What the
// platform does not print, or the device left out, is empty.
type Shown struct {
	Line int // where it begins in the text that Read read, from 1; 0 if it was not read

	// Lossy is set if line breaks or the blanks before lines are lost in the
	// text. A name could pass for fields then, or for another certificate.
	Lossy bool

	// NotListed is the line that Write prints in place of a certificate
	// that cannot be decoded. All else is empty then.
	NotListed bool

	Origin Origin
	Serial string // as certificate.Serial prints it

	// The lines of the names, without the indent. IOS XE has one RDN a line, and
	// of a value with commas a line more for each, which begins with a blank; IOS
	// XR has one line. An empty name has none.
	Issuer, Subject []string

	NotBefore, NotAfter Date

	SHA1 string // IOS XR: upper-case hex

	Status, Usage string   // IOS XE
	CRLs          []string // IOS XE: distribution points
	Trustpoints   []string // IOS XE: associated trustpoints
	Storage       string   // IOS XE
}

// A Date is a date as a device prints it: what the clock says, and in which zone.
// The zero Date is one that cannot be read.
type Date struct {
	Clock time.Time // as if the zone were UTC, whole seconds
	Zone  string    // UTC, IST, …; empty if there is no date
}

// Known reports whether the zone's name says how far it is from UTC: a device's zone
// may be called anything, IST for one is used for four.
func (d Date) Known() bool { return d.Zone == "UTC" || d.Zone == "GMT" }

const (
	clockLayout = "15:04:05"
	xeLayout    = "Jan 2 2006"
	xrLayout    = "Mon Jan 02 2006"
	unreadable  = "unreadable"
)

func (d Date) format(layout string) string {
	if d.Zone == "" {
		return unreadable
	}
	return d.Clock.Format(clockLayout) + " " + d.Zone + " " + d.Clock.Format(layout)
}

// String is the date as IOS XE prints it.
func (d Date) String() string { return d.format(xeLayout) }

// MarshalText gives String.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what IOS XE or IOS XR prints.
func (d *Date) UnmarshalText(text []byte) (err error) {
	*d, err = parseDate(string(text))
	return err
}

func dateOf(t certificate.Time) Date {
	if !t.Valid {
		return Date{}
	}
	return Date{t.UTC().Truncate(time.Second), "UTC"}
}

// Print prints what Of or Read made, in the given order, an empty line between
// them.
func Print(w io.Writer, style Style, list []Shown) error {
	return printAll(w, style, slices.Values(list))
}

const notListed = "% Not a certificate: a device does not list it."

func printAll(w io.Writer, style Style, list iter.Seq[Shown]) error {
	if !slices.Contains(Styles(), style) {
		return fmt.Errorf("no style is called %q", style)
	}
	out := bufio.NewWriter(w)
	between := false
	for s := range list {
		if between {
			out.WriteByte('\n')
		}
		between = true
		switch {
		case s.NotListed:
			fmt.Fprintln(out, notListed)
		case style == IOSXE:
			s.printIOSXE(out)
		default:
			s.printIOSXR(out)
		}
	}
	return out.Flush() // a bufio.Writer keeps its first error
}

func (s *Shown) printIOSXE(out *bufio.Writer) {
	field := func(label, value string) {
		if value != "" {
			fmt.Fprintf(out, "  %s: %s\n", label, value)
		}
	}
	section := func(label string, lines []string) {
		fmt.Fprintf(out, "  %s: \n", label)
		printLines(out, "    ", lines)
	}
	out.WriteString("CA Certificate\n")
	field("Status", s.Status)
	field("Certificate Serial Number (hex)", s.Serial)
	field("Certificate Usage", s.Usage)
	section("Issuer", s.Issuer)
	section("Subject", s.Subject)
	if len(s.CRLs) > 0 {
		section("CRL Distribution Points", s.CRLs)
	}
	section("Validity Date", []string{"start date: " + s.NotBefore.String(), "end   date: " + s.NotAfter.String()})
	if len(s.Trustpoints) > 0 {
		fmt.Fprintf(out, "  Associated Trustpoints: %s \n", strings.Join(s.Trustpoints, " "))
	}
	field("Storage", s.Storage)
	field("Trustpool", string(s.Origin))
}

func (s *Shown) printIOSXR(out *bufio.Writer) {
	fmt.Fprintf(out, "Trustpool: %s\n%s\nCA certificate\n  Serial Number  : %s\n", s.Origin, strings.Repeat("=", 50), colons(s.Serial))
	out.WriteString("  Subject:\n")
	printLines(out, "        ", s.Subject)
	out.WriteString("  Issued By      :\n")
	printLines(out, "        ", s.Issuer)
	fmt.Fprintf(out, "  Validity Start : %s\n  Validity End   : %s\n", s.NotBefore.format(xrLayout), s.NotAfter.format(xrLayout))
	fmt.Fprintf(out, "  SHA1 Fingerprint:\n        %s\n", s.SHA1)
}

func printLines(out *bufio.Writer, indent string, lines []string) {
	for _, line := range lines {
		out.WriteString(indent)
		out.WriteString(line)
		out.WriteByte('\n')
	}
}

// colons is a serial number with a colon between its bytes.
func colons(serial string) string {
	digits, negative := strings.CutPrefix(serial, "-")
	var pairs []string
	for pair := range slices.Chunk([]byte(digits), 2) {
		pairs = append(pairs, string(pair))
	}
	joined := strings.Join(pairs, ":")
	if negative {
		return "-" + joined
	}
	return joined
}
