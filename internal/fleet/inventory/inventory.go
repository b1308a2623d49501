// Package inventory reads lists of devices: CSV, and Ansible inventories.
//
// A Device has a name, and what is known of where it is: IP addresses and prefixes,
// by which logs tell of it, and a host that SSH connects to. Everything here is as
// the file says; no name is resolved, no file is read beside it, and nothing that
// an Ansible inventory holds is kept but what was asked for by its name, because
// much of it is secret.
package inventory

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"unicode"
	"unicode/utf8"

	"trustpool/internal/fetch/text"
)

// Limits of an inventory.
const (
	MaxBytes     = 256 << 20 // uncompressed
	MaxYAMLBytes = 32 << 20  // of YAML, which takes much more memory than it has bytes
	MaxDevices   = 1_000_000
	MaxAddresses = 64      // of one device
	MaxColumns   = 64      // of CSV, or variables that were asked for
	MaxCell      = 512     // bytes of a value
	MaxName      = 200     // bytes of a name
	MaxGroups    = 10_000  // of Ansible
	maxDepth     = 64      // of groups within groups
	maxGroupsOf  = 256     // groups of a host or group
	maxNodes     = 8 << 20 // keys of YAML, each as often as an alias names it
)

// A Device is one device of an inventory.
type Device struct {
	Name string
	// Addresses are its IP addresses and prefixes; a single address is a prefix of its
	// whole length. There are none if it is only known by a host name.
	Addresses []netip.Prefix
	// Host is what SSH connects to: the first host name, ssh alias or single IP address.
	// It is empty if there is none.
	Host     string
	Port     int    // of SSH; 0 if the inventory does not say
	User     string // likewise
	Platform string // as the inventory says; of Ansible's network_os the name that trustpool uses; empty if it does not say
	Columns  Columns
	Line     int // in the file; 0 if that is not known
}

// A Column is the value of a column that has no meaning here, such as the site, or of
// a variable.
type Column struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Columns are the columns of one device.
type Columns []Column

// Value returns the value of a column; empty if there is none.
func (cs Columns) Value(name string) string {
	for _, c := range cs {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// Each calls do with the place of each device, by so many goroutines, until there is
// none left or ctx ends.
func Each(ctx context.Context, devices []Device, goroutines int, do func(i int)) {
	var group sync.WaitGroup
	var begun atomic.Int64
	for range min(goroutines, len(devices)) {
		group.Go(func() {
			for ctx.Err() == nil {
				i := int(begun.Add(1)) - 1
				if i >= len(devices) {
					return
				}
				do(i)
			}
		})
	}
	group.Wait()
}

// A Form is how an inventory is written.
type Form string

// The forms.
const (
	CSV  Form = "CSV"
	INI  Form = "Ansible INI"
	YAML Form = "Ansible YAML"
	JSON Form = "Ansible JSON"
)

// A List is what an inventory holds.
type List struct {
	Form    Form
	Devices []Device // in the order of the file; of JSON in the order of their names
	Passed  []Passed // hosts of Ansible that are not devices, in the same order
}

// A Passed is a host of an Ansible inventory that was passed over.
type Passed struct {
	Name, Why string
}

// GroupsColumn is the column of an Ansible inventory with the groups of a device,
// with blanks between. Groups of groups are among them, all and ungrouped are not.
const GroupsColumn = "groups"

// An Error says what is wrong in an inventory, and where.
type Error struct {
	Line int // 0 if that is not known
	Err  error
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Err.Error()
	}
	return fmt.Sprintf("line %d: %v", e.Line, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// A LimitError says that there is more of something than this package reads.
type LimitError struct {
	What  string
	Limit int64
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("%s: the limit is %d", e.What, e.Limit)
}

// at adds the line to an error.
func at(line int, err error) error {
	if _, ok := errors.AsType[*Error](err); ok || err == nil {
		return err
	}
	return &Error{line, err}
}

// Read reads an inventory in any of the forms, which its text shows, as
// [text.NewReader] reads it. No two devices may have the same name, or the same
// address and port; a prefix may lie in another one's. Errors are an *Error or a
// *LimitError, or from package text. The variables of an Ansible inventory become
// columns; of CSV all columns are kept.
func Read(r io.Reader, variables ...string) (*List, error) {
	if len(variables) > MaxColumns {
		return nil, &LimitError{"variables", MaxColumns}
	}
	decoded, err := text.NewReader(r)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(decoded, MaxBytes+1))
	if err != nil {
		return nil, err
	}
	if len(data) > MaxBytes {
		return nil, &LimitError{"bytes of an inventory", MaxBytes}
	}
	if !utf8.Valid(data) {
		return nil, &Error{Err: errors.New("it is not UTF-8")}
	}
	if !bytes.ContainsRune(data, '\n') { // old spreadsheets end lines with a carriage return alone
		data = bytes.ReplaceAll(data, []byte("\r"), []byte("\n"))
	}
	form, err := formOf(data)
	if err != nil {
		return nil, err
	}
	l := &lister{names: map[string]int{}, addresses: map[place]string{}, list: List{Form: form}}
	a := newAnsible(variables)
	read := map[Form]func([]byte) error{CSV: l.csv, INI: a.ini, YAML: a.yaml, JSON: a.json}[form]
	if err := read(data); err != nil {
		return nil, err
	}
	if err := a.devices(l); err != nil {
		return nil, err
	}
	if len(l.list.Devices) == 0 {
		return nil, &Error{Err: errors.New("there is no device in it")}
	}
	return &l.list, nil
}

// firstLine returns the first line that is not empty, not a comment and not the
// "sep=;" that spreadsheets put before CSV, of a long one the beginning, where it
// begins, and its number from 1.
func firstLine(data []byte) (first string, offset, number int) {
	for line := range bytes.Lines(data) {
		number++
		if trimmed := bytes.TrimSpace(line); len(trimmed) > 0 && trimmed[0] != '#' && trimmed[0] != ';' && !isSeparatorLine(trimmed) {
			return string(trimmed[:min(len(trimmed), 64<<10)]), offset, number
		}
		offset += len(line)
	}
	return "", offset, number
}

func isSeparatorLine(line []byte) bool {
	return len(line) <= len("sep=;") && len(line) > 3 && bytes.EqualFold(line[:4], []byte("sep="))
}

// formOf recognizes the form.
func formOf(data []byte) (Form, error) {
	first, offset, number := firstLine(data)
	key, rest, colon := strings.Cut(first, ":")
	switch {
	case first == "":
		return "", &Error{Err: errors.New("it is empty: give CSV with the first line name,address and so on, or an Ansible inventory")}
	case first[0] == '{':
		return JSON, nil
	case separator(first) != 0:
		return CSV, nil
	case first[0] == '[' || strings.Contains(first, "ansible_") && strings.Contains(first, "="):
		return INI, nil
	case strings.HasPrefix(first, "---") || strings.HasPrefix(first, "%YAML") || colon && !strings.ContainsAny(key, ", =;\t") && (rest == "" || rest[0] == ' '):
		return YAML, nil
	}
	for line := range bytes.Lines(data[offset:]) {
		if line = bytes.TrimSpace(line); len(line) > 2 && line[0] == '[' && bytes.IndexByte(line, ']') > 0 {
			return INI, nil
		}
	}
	return "", &Error{number, errors.New("no column is called name, and it is not an Ansible inventory: the first line of CSV names the columns: name,address,platform,site")}
}

// A place is where a device is.
type place struct {
	netip.Prefix
	port int
}

// A lister gathers devices.
type lister struct {
	list      List
	names     map[string]int // the line of each
	addresses map[place]string
}

// add takes a device, with address as the file says.
func (l *lister) add(d Device, address string) error {
	if len(l.list.Devices) == MaxDevices {
		return &LimitError{"devices", MaxDevices}
	}
	if err := checkName(d.Name); err != nil {
		return at(d.Line, err)
	}
	if line, ok := l.names[d.Name]; ok {
		return at(d.Line, fmt.Errorf("the name %q is in line %d already", d.Name, line))
	}
	l.names[d.Name] = d.Line
	if err := d.locate(address); err != nil {
		return at(d.Line, fmt.Errorf("device %q: %w", d.Name, err))
	}
	for i, a := range d.Addresses {
		p := place{a, d.Port}
		if other, ok := l.addresses[p]; ok {
			if other == d.Name {
				return at(d.Line, fmt.Errorf("device %q: address %d, %s, is there twice", d.Name, i+1, Show(a)))
			}
			return at(d.Line, fmt.Errorf("devices %q and %q have the address %s in common", other, d.Name, Show(a)))
		}
		l.addresses[p] = d.Name
	}
	l.list.Devices = append(l.list.Devices, d)
	return nil
}

// locate sets where the device is: addresses with blanks between, or its name.
func (d *Device) locate(address string) error {
	fields := strings.Fields(address)
	if len(fields) > MaxAddresses {
		return &LimitError{fmt.Sprintf("%d addresses of a device", len(fields)), MaxAddresses}
	}
	if len(fields) == 0 {
		if p, err := ParsePrefix(d.Name); err == nil {
			d.Addresses = []netip.Prefix{p}
			if p.IsSingleIP() {
				d.Host = d.Name
			}
		} else if checkHost(d.Name) == nil {
			d.Host = d.Name
		}
		return nil
	}
	for _, field := range fields {
		switch p, err := ParsePrefix(field); {
		case err == nil:
			d.Addresses = append(d.Addresses, p)
			if p.IsSingleIP() && d.Host == "" {
				d.Host = p.Addr().String()
			}
		case strings.ContainsAny(field, "/:%") || strings.Trim(field, "0123456789.") == "":
			return err
		default:
			if err := checkHost(field); err != nil {
				return err
			}
			if d.Host == "" {
				d.Host = field
			}
		}
	}
	return nil
}

// login sets who logs in, and at which port; each is empty if the file does not say.
func (d *Device) login(user, port string) (err error) {
	if strings.HasPrefix(user, "-") || strings.ContainsFunc(user, func(c rune) bool { return c <= ' ' || c == 0x7f }) {
		return fmt.Errorf("%q is not the name of a user", user)
	}
	d.User = user
	if port == "" {
		return nil
	}
	if d.Port, err = strconv.Atoi(port); err != nil || d.Port < 1 || d.Port > 65535 {
		return fmt.Errorf("%q is not a port", port)
	}
	return nil
}

// checkName refuses a name that cannot be shown on one line.
func checkName(name string) error {
	switch {
	case name == "":
		return errors.New("a device has no name")
	case len(name) > MaxName:
		return &LimitError{fmt.Sprintf("%d bytes of the name %.20q…", len(name), name), MaxName}
	case strings.ContainsFunc(name, unicode.IsControl):
		return fmt.Errorf("the name %q has a control character", name)
	}
	return nil
}

// CheckFile refuses a name that cannot be that of a file in a directory: with a
// slash, or one that is hidden.
func CheckFile(name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	if strings.ContainsAny(name, `/\`) || name[0] == '.' {
		return fmt.Errorf("the name %q cannot be that of a file: it begins with a dot, or has a slash or backslash in it", name)
	}
	return nil
}

// checkHost refuses what is not the name of a host or an ssh alias, and whatever a
// program might take for one of its flags.
func checkHost(host string) error {
	bad := strings.ContainsFunc(host, func(c rune) bool {
		return !unicode.IsLetter(c) && !unicode.IsDigit(c) && !strings.ContainsRune("-._", c)
	})
	if host == "" || len(host) > 253 || host[0] == '-' || bad {
		return fmt.Errorf("%q is not an IP address, a prefix or the name of a host", host)
	}
	return nil
}

// ParsePrefix reads an IP address or a prefix, as Show writes it; IPv4 mapped into IPv6 is IPv4.
func ParsePrefix(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		if a.Zone() != "" {
			return netip.Prefix{}, fmt.Errorf("%q: an address with a zone has a meaning on one host alone", s)
		}
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return p, fmt.Errorf("%q is not an IP address or prefix", s)
	}
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	if p != p.Masked() {
		return p, fmt.Errorf("%q: a prefix with bits of a host; %s is meant, or the address alone", s, p.Masked())
	}
	return p, nil
}

// Show returns a prefix as people write it, that of a single address without its length.
func Show(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}
