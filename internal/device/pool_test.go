package device_test

import (
	"bytes"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"trustpool/internal/device"
	"trustpool/internal/device/show"
)

const sum64 = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

// document is a pool file with these entries.
func document(entries string) string {
	return `{"schema": "trustpool.pool/1", "platform": "asa", "certificates": [` + entries + `]}`
}

func TestPoolRoundTrip(t *testing.T) {
	t.Parallel()
	pools := []*device.Pool{{Platform: "asa"}}
	for _, p := range device.Platforms() {
		pool := p.BuiltIn()
		if p.Advice == "" {
			doImport(t, pool, fixture(t, "lab-quirks-v1.p7b"), lab(t, p.Name))
		}
		pools = append(pools, pool)
	}
	for _, pool := range pools {
		var first, second bytes.Buffer
		if err := pool.WriteJSON(&first); err != nil {
			t.Fatal(err)
		}
		got, err := device.ReadPool(bytes.NewReader(first.Bytes()))
		if err != nil {
			t.Fatalf("%v\n%s", err, first.Bytes())
		}
		if !reflect.DeepEqual(got, pool) {
			t.Errorf("%s: read\n%+v\nwritten\n%+v", pool.Platform, got, pool)
		}
		if err := got.WriteJSON(&second); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Errorf("%s: written twice, and differs: %v", pool.Platform, err)
		}
	}
}

func TestPoolText(t *testing.T) {
	t.Parallel()
	pool := &device.Pool{Platform: "asa", Entries: []device.PoolEntry{
		{Origin: device.BuiltIn, Issuer: "CN=A<&>B", Serial: "-01", Source: "a test"},
		{Origin: device.Downloaded, SHA256: sum64},
	}}
	var b strings.Builder
	if err := pool.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	same(t, "text", b.String(), `{
  "schema": "trustpool.pool/1",
  "platform": "asa",
  "certificates": [
    {
      "origin": "built-in",
      "issuer": "CN=A<&>B",
      "serial": "-01",
      "source": "a test"
    },
    {
      "origin": "downloaded",
      "sha256": "`+sum64+`"
    }
  ]
}
`)
	b.Reset()
	if err := (&device.Pool{Platform: "ios"}).WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	same(t, "empty", b.String(), "{\n  \"schema\": \"trustpool.pool/1\",\n  \"platform\": \"ios\",\n  \"certificates\": []\n}\n")
	pool.Entries[1].SHA256 = "?"
	if err := pool.WriteJSON(io.Discard); err == nil || !strings.Contains(err.Error(), "pool entry 2") {
		t.Errorf("wrote an entry that cannot be read: %v", err)
	}
}

func TestReadPoolRefuses(t *testing.T) {
	t.Parallel()
	ok := `{"origin": "built-in", "sha256": "` + sum64 + `"}`
	if _, err := device.ReadPool(strings.NewReader(document(ok))); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, file, want string }{
		{"empty", "", "unexpected EOF"},
		{"truncated", document(ok)[:60], "unexpected EOF"},
		{"an array", "[]", "[ where { was expected"},
		{"text", "hello", "invalid character"},
		{"second document", document(ok) + document(ok), "something follows"},
		{"text behind", document(ok) + "x", "invalid character"},
		{"unknown field", `{"schema": "trustpool.pool/1", "color": 1}`, `unknown field "color"`},
		{"unknown field of an entry", document(`{"origin": "built-in", "colour": 1}`), `entry 1: offset`},
		{"field twice", `{"schema": "trustpool.pool/1", "schema": "trustpool.pool/1"}`, "twice"},
		{"other case", `{"Schema": "trustpool.pool/1"}`, "unknown field"},
		{"no schema", `{"platform": "asa", "certificates": []}`, `schema ""`},
		{"other schema", `{"schema": "trustpool.pool/2", "platform": "asa", "certificates": []}`, "trustpool.pool/2"},
		{"no certificates", `{"schema": "trustpool.pool/1", "platform": "asa"}`, "no field certificates"},
		{"certificates null", `{"schema": "trustpool.pool/1", "platform": "asa", "certificates": null}`, "expected"},
		{"no platform", `{"schema": "trustpool.pool/1", "certificates": []}`, "is no platform"},
		{"other platform", `{"schema": "trustpool.pool/1", "platform": "junos", "certificates": []}`, "is no platform"},
		{"alias", `{"schema": "trustpool.pool/1", "platform": "asav", "certificates": []}`, `write "asa"`},
		{"no origin", document(ok + `,{"sha256": "` + sum64 + `"}`), `entry 2: origin ""`},
		{"other origin", document(`{"origin": "found", "sha256": "` + sum64 + `"}`), "origin"},
		{"upper case", document(`{"origin": "built-in", "sha256": "` + strings.ToUpper(sum64) + `"}`), "entry 1: sha256"},
		{"short SHA-256", document(`{"origin": "built-in", "sha256": "ab"}`), "entry 1: sha256"},
		{"SHA-1 with colons", document(`{"origin": "built-in", "sha1": "45:AD"}`), "entry 1: sha1"},
		{"odd serial", document(`{"origin": "built-in", "issuer": "CN=A", "serial": "509"}`), "serial"},
		{"lower-case serial", document(`{"origin": "built-in", "issuer": "CN=A", "serial": "ab"}`), "serial"},
		{"padded serial", document(`{"origin": "built-in", "issuer": "CN=A", "serial": "0001"}`), "serial"},
		{"sign alone", document(`{"origin": "built-in", "issuer": "CN=A", "serial": "-"}`), "serial"},
		{"nothing known", document(`{"origin": "built-in", "serial": "01", "subject": "CN=A"}`), "nothing identifies it"},
		{"null", document(`null`), "origin"},
		{"shown without names", document(`{"origin": "built-in", "serial": "01", "shown": {"subject": []}}`), "nothing identifies it"},
		{"shown without serial", document(`{"origin": "built-in", "shown": {"subject": ["cn=A"]}}`), "nothing identifies it"},
		{"shown on no day", document(`{"origin": "built-in", "serial": "01", "shown": {"subject": ["cn=A"], "not_after": "soon"}}`), "is no date"},
		{"identified by itself", document(`{"origin": "built-in", "sha256": "` + sum64 + `", "identified_by": "sha256"}`), "identified_by"},
		{"identified as nothing", document(`{"origin": "built-in", "sha1": "` + sum64[:40] + `", "identified_by": "sha1"}`), "identified_by"},
		{"no date", document(`{"origin": "built-in", "sha256": "` + sum64 + `", "not_after": "2030-02-30"}`), "entry 1"},
		{"year 10000", document(`{"origin": "built-in", "sha256": "` + sum64 + `", "not_after": "9999-12-31T23:59:59-01:00"}`), "years"},
	} {
		p, err := device.ReadPool(strings.NewReader(tt.file))
		if err == nil || p != nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "not a pool file: ") {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

// FuzzReadPool: what is accepted, written and read again is the same.
func FuzzReadPool(f *testing.F) {
	f.Add([]byte(document("")))
	f.Add([]byte(document(`{"origin":"built-in","sha256":"` + sum64 + `","subject":"CN=A","source":"a test"},{"origin":"built-in","issuer":"CN=A","serial":"01"}`)))
	f.Add([]byte(document(`{"origin":"downloaded","sha1":"45ad6bb499011bb4e84e84316a81c27d89ee5ce7","not_after":"2053-04-04T08:15:44.704+02:00"}`)))
	f.Add([]byte(document(`{"origin":"built-in","serial":"01","shown":{"issuer":["cn=A"],"subject":["cn=B"," c"],"not_before":"18:27:00 IST Nov 24 2006","not_after":"unreadable"}}`)))
	f.Add([]byte(document(`{"origin":"built-in","sha256":"` + sum64 + `","identified_by":"sha1","shown":{"not_before":"unreadable","not_after":"unreadable"}}`)))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := device.ReadPool(bytes.NewReader(data))
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := p.WriteJSON(&b); err != nil {
			t.Fatal(err)
		}
		again, err := device.ReadPool(bytes.NewReader(b.Bytes()))
		if err != nil || !reflect.DeepEqual(p, again) {
			t.Fatalf("%v\n%+v\n%+v", err, p, again)
		}
	})
}

// What an entry says of its dates is said with how far they may be off.
func TestValidity(t *testing.T) {
	t.Parallel()
	day := func(d int) time.Time { return time.Date(2030, 1, d, 0, 0, 0, 0, time.UTC) }
	shown := func(zone string) *device.Shown {
		return &device.Shown{NotBefore: show.Date{Clock: day(1), Zone: zone}, NotAfter: show.Date{Clock: day(2), Zone: zone}}
	}
	for name, test := range map[string]struct {
		entry     device.PoolEntry
		from, end time.Time
		within    time.Duration
	}{
		"known":      {device.PoolEntry{NotBefore: day(3), NotAfter: day(4), Shown: shown("IST")}, day(3), day(4), 0},
		"UTC":        {device.PoolEntry{Shown: shown("UTC")}, day(1), day(2), 0},
		"some zone":  {device.PoolEntry{Shown: shown("IST")}, day(1), day(2), 14 * time.Hour},
		"unreadable": {device.PoolEntry{Shown: shown("")}, time.Time{}, time.Time{}, 0},
		"nothing":    {},
	} {
		from, end, within := test.entry.Validity()
		if !from.Equal(test.from) || !end.Equal(test.end) || within != test.within {
			t.Errorf("%s: %s to %s, %s", name, from, end, within)
		}
	}
}

// Only a hash that the device shows makes an entry certain.
func TestCertain(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		entry device.PoolEntry
		want  bool
	}{
		{device.PoolEntry{SHA256: "x"}, true},
		{device.PoolEntry{SHA256: "x", IdentifiedBy: device.BySHA1}, true},
		{device.PoolEntry{SHA256: "x", SHA1: "y", IdentifiedBy: device.ByShownDates}, false},
		{device.PoolEntry{SHA1: "y"}, true},
		{device.PoolEntry{Issuer: "i", Serial: "01"}, false},
	} {
		if got := test.entry.Certain(); got != test.want {
			t.Errorf("%+v: %t", test.entry, got)
		}
	}
}
