package device

import (
	"cmp"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"trustpool/bundle/certificate"
	"trustpool/internal/device/show"
)

// sourceShown is the ground of a match by what IOS XE shows.
const sourceShown = "the device shows serial number, names and dates, and no fingerprint"

// keyName is a key in words.
func keyName(k Key) string {
	switch k {
	case BySHA256:
		return "SHA-256"
	case BySHA1:
		return "SHA-1"
	case ByShownDates:
		return "serial number, names and dates"
	case ByShown:
		return "serial number and names"
	case ByIssuerSerial:
		return "issuer and serial number alone"
	}
	return string(k)
}

// certain reports whether a key tells one certificate from every other.
func (k Key) certain() bool { return k == BySHA256 || k == BySHA1 }

// A poolIndex finds a certificate in a pool. Each entry stands in one map, that
// of the strongest key it has, so that a weaker one never decides against it.
type poolIndex struct {
	entries                    []PoolEntry
	sha256, sha1, issuerSerial map[string]int // indices of entries, the first where several have the key
	shown                      map[string][]int
	first                      []int            // of each entry, the first of the same key
	taken                      map[int][32]byte // entries known by what is shown, and which certificate they were found to be
}

func indexPool(entries []PoolEntry) (poolIndex, error) {
	x := poolIndex{
		entries: entries, sha256: map[string]int{}, sha1: map[string]int{}, issuerSerial: map[string]int{},
		shown: map[string][]int{}, first: make([]int, len(entries)), taken: map[int][32]byte{},
	}
	for i := range entries {
		e := &entries[i]
		if err := e.check(); err != nil {
			return poolIndex{}, fmt.Errorf("pool entry %d: %w", i+1, err)
		}
		to, key := x.issuerSerial, e.Issuer+"\x00"+e.Serial
		switch {
		case e.SHA256 != "":
			to, key = x.sha256, e.SHA256
		case e.SHA1 != "":
			to, key = x.sha1, e.SHA1
		case e.Shown.named():
			key = shownKey(e.Serial, e.Shown.Issuer, e.Shown.Subject)
			x.shown[key] = append(x.shown[key], i)
			x.first[i] = i // that two of them are the same is not known
			continue
		}
		if _, ok := to[key]; !ok {
			to[key] = i
		}
		x.first[i] = to[key]
	}
	return x, nil
}

// find returns which entry is the certificate, and by which key; the key is empty
// where there is none.
func (x *poolIndex) find(c *certificate.Certificate) (int, Key) {
	var buf [64]byte
	hex.Encode(buf[:], c.SHA256[:])
	if i, ok := x.sha256[string(buf[:])]; ok {
		return i, cmp.Or(x.entries[i].IdentifiedBy, BySHA256)
	}
	if len(x.sha1) > 0 {
		sum := sha1.Sum(c.Raw)
		if i, ok := x.sha1[hex.EncodeToString(sum[:])]; ok {
			return i, BySHA1
		}
	}
	if c.Err != nil {
		return 0, ""
	}
	if len(x.shown) > 0 {
		if i, key := x.findShown(c); key != "" {
			return i, key
		}
	}
	if len(x.issuerSerial) > 0 {
		if i, ok := x.issuerSerial[c.Issuer.String()+"\x00"+c.Serial.String()]; ok {
			return i, ByIssuerSerial
		}
	}
	return 0, ""
}

// maxAlike is how many certificates of one serial number and names are told apart.
const maxAlike = 64

// findShown looks for an entry that IOS XE shows as it would the certificate. An
// entry is one certificate: another that is shown alike is not found in it.
func (x *poolIndex) findShown(c *certificate.Certificate) (int, Key) {
	s := show.Of(c, show.IOSXE, show.Downloaded)
	alike := x.shown[shownKey(s.Serial, s.Issuer, s.Subject)]
	for _, i := range alike[:min(len(alike), maxAlike)] {
		if by, ok := x.taken[i]; ok && by != c.SHA256 {
			continue
		}
		e := x.entries[i].Shown
		if key := shownAlike(c, e.NotBefore, e.NotAfter); key != "" {
			x.taken[i] = c.SHA256
			return i, key
		}
	}
	return 0, ""
}

// shownKey is the same for all certificates that IOS XE shows alike but for their
// dates. How many blanks begin or end a line does not count: captures lose them.
func shownKey(serial string, issuer, subject []string) string {
	var b strings.Builder
	b.WriteString(serial)
	for _, name := range [][]string{issuer, subject} {
		b.WriteByte(0)
		for _, line := range name {
			text := strings.TrimLeft(line, " ")
			if text != line {
				b.WriteByte(' ') // the rest of a value
			}
			for trimmed := ""; trimmed != text; {
				trimmed = text
				text = strings.TrimRight(strings.TrimSuffix(text, `\x20`), " ")
			}
			b.WriteString(text)
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// maxOffset is how far a zone may be from UTC: Kiribati's is 14 hours before it.
const maxOffset = 14 * time.Hour

// shownAlike reports whether dates as shown can be those of a certificate of the same
// serial number and names, and so by which key it is the same; it is empty where
// they cannot.
func shownAlike(c *certificate.Certificate, notBefore, notAfter show.Date) Key {
	key := ByShownDates
	for _, d := range []struct {
		shown show.Date
		real  certificate.Time
	}{{notBefore, c.NotBefore}, {notAfter, c.NotAfter}} {
		if d.shown.Zone == "" || !d.real.Valid {
			if d.shown.Zone != "" || d.real.Valid {
				return ""
			}
			key = ByShown
			continue
		}
		// Devices set the offset of a zone in hours and minutes.
		off := d.shown.Clock.Sub(d.real.UTC().Truncate(time.Second))
		if d.shown.Known() && off != 0 || off.Abs() > maxOffset || off%time.Minute != 0 {
			return ""
		}
	}
	return key
}

// expiredShown is Expired of a date as shown.
func expiredShown(notAfter show.Date, at time.Time) (expired, known bool) {
	off := at.Sub(notAfter.Clock)
	if notAfter.Zone == "" || !notAfter.Known() && off.Abs() <= maxOffset {
		return false, false
	}
	return off > 0, true
}
