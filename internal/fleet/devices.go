package fleet

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"unicode/utf8"

	"trustpool/internal/fetch/text"
)

// Limits of a list of devices.
const (
	MaxDevicesBytes = 256 << 20
	MaxDevices      = 1_000_000
	MaxAddresses    = 64  // of one device
	MaxColumns      = 64  // of the list
	maxCell         = 512 // bytes
)

// A Device is a line of the list of devices.
type Device struct {
	Name      string
	Addresses []netip.Prefix // a single address is a prefix of its whole length
	Platform  string
	Labels    []Label // the other columns, in their order
}

// A Label is the value of a column of the list that has no meaning here, such as
// the site.
type Label struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// ReadDevices reads a list of devices: CSV (RFC 4180), as [text.NewReader] reads
// it, whose first line names the columns, in any order. There must be name and
// address, there may be platform and any others. An address is an IP address or a
// prefix such as 10.1.0.0/16, or several of them with blanks between. No two
// devices may have the same name or address; a prefix may lie in another one's, and
// the longest one that holds an address counts. Errors name the line.
func ReadDevices(r io.Reader) ([]Device, error) {
	decoded, err := text.NewReader(r)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(decoded, MaxDevicesBytes+1))
	if err != nil {
		return nil, err
	}
	if len(data) > MaxDevicesBytes {
		return nil, fmt.Errorf("it has more than %d bytes, which is the limit", MaxDevicesBytes)
	}
	if !utf8.Valid(data) {
		return nil, errors.New("it is not UTF-8")
	}
	in := csv.NewReader(bytes.NewReader(data))
	in.ReuseRecord = true
	head, err := in.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("it is empty: the first line is to be name,address and so on")
	}
	if err != nil {
		return nil, err
	}
	columns, err := columnsOf(head)
	if err != nil {
		return nil, err
	}
	var devices []Device
	names, addresses := map[string]int{}, map[netip.Prefix]int{} // the line of each
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err // names the line
		}
		line, _ := in.FieldPos(0)
		if len(devices) == MaxDevices {
			return nil, fmt.Errorf("line %d: more than %d devices, which is the limit", line, MaxDevices)
		}
		d, err := parseDevice(columns, row)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		if other, ok := names[d.Name]; ok {
			return nil, fmt.Errorf("line %d: the name %q stands in line %d already", line, d.Name, other)
		}
		names[d.Name] = line
		for _, a := range d.Addresses {
			if other, ok := addresses[a]; ok {
				return nil, fmt.Errorf("line %d: the address %s stands in line %d already", line, show(a), other)
			}
			addresses[a] = line
		}
		devices = append(devices, d)
	}
	if len(devices) == 0 {
		return nil, errors.New("there is no device in it")
	}
	return devices, nil
}

// columnsOf are the names of the columns, in lower case.
func columnsOf(head []string) ([]string, error) {
	if len(head) > MaxColumns {
		return nil, fmt.Errorf("line 1: %d columns, and the limit is %d", len(head), MaxColumns)
	}
	var columns []string
	seen := map[string]bool{}
	for _, name := range head {
		name = strings.ToLower(strings.TrimSpace(name))
		if name == "" || len(name) > maxCell {
			return nil, errors.New("line 1: a column has no name, or too long a one")
		}
		if seen[name] {
			return nil, fmt.Errorf("line 1: the column %q stands twice", name)
		}
		seen[name] = true
		columns = append(columns, name)
	}
	for _, name := range []string{"name", "address"} {
		if !seen[name] {
			return nil, fmt.Errorf("line 1: no column is called %s; the first line names the columns, with commas between", name)
		}
	}
	return columns, nil
}

func parseDevice(columns, row []string) (Device, error) {
	var d Device
	for i, value := range row {
		value = strings.Clone(strings.TrimSpace(value))
		if len(value) > maxCell && columns[i] != "address" {
			return d, fmt.Errorf("%s has more than %d bytes, which is the limit", columns[i], maxCell)
		}
		switch columns[i] {
		case "name":
			d.Name = value
		case "platform":
			d.Platform = value
		case "address":
			fields := strings.Fields(value)
			if len(fields) > MaxAddresses {
				return d, fmt.Errorf("%d addresses, and the limit is %d", len(fields), MaxAddresses)
			}
			for _, field := range fields {
				p, err := parsePrefix(field)
				if err != nil {
					return d, err
				}
				d.Addresses = append(d.Addresses, p)
			}
		default:
			d.Labels = append(d.Labels, Label{columns[i], value})
		}
	}
	if d.Name == "" || len(d.Addresses) == 0 {
		return d, errors.New("no name or no address")
	}
	return d, nil
}

// parsePrefix reads an address or a prefix, as parseAddress does.
func parsePrefix(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		if a.Zone() != "" {
			return netip.Prefix{}, fmt.Errorf("%q: an address with a zone is not known to a server's log", s)
		}
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return p, fmt.Errorf("%q is no IP address or prefix", s)
	}
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	if p != p.Masked() {
		return p, fmt.Errorf("%q: a prefix with bits of a host; %s is meant, or the address alone", s, p.Masked())
	}
	return p, nil
}

// show writes a prefix, one of a single address as that.
func show(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}
