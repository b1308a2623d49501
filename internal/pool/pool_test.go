package pool_test

import (
	"bytes"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"trustpool/bundle/certificate"
	"trustpool/internal/device/show"
	"trustpool/internal/pool"
)

const sum64 = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

// document is a pool file with these entries.
func document(entries string) string {
	return `{"schema": "trustpool.pool/1", "platform": "asa", "certificates": [` + entries + `]}`
}

// read reads a pool file of an ASA or an IOS device.
func read(r io.Reader) (*pool.Pool, error) {
	return pool.Read(r, func(platform string) error {
		if platform != "asa" && platform != "ios" {
			return fmt.Errorf("platform %q", platform)
		}
		return nil
	})
}

func same[T any](t testing.TB, what string, got, want T) {
	t.Helper()
	if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
		t.Errorf("%s:\n got %s\nwant %s", what, g, w)
	}
}

func TestPoolText(t *testing.T) {
	t.Parallel()
	p := &pool.Pool{Platform: "asa", Entries: []pool.Entry{
		{Origin: pool.BuiltIn, Issuer: "CN=A<&>B", Serial: "-01", Source: "a test"},
		{Origin: pool.Downloaded, SHA256: sum64},
	}}
	var b strings.Builder
	if err := p.WriteJSON(&b); err != nil {
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
	if err := (&pool.Pool{Platform: "ios"}).WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	same(t, "empty", b.String(), "{\n  \"schema\": \"trustpool.pool/1\",\n  \"platform\": \"ios\",\n  \"certificates\": []\n}\n")
	p.Entries[1].SHA256 = "?"
	if err := p.WriteJSON(io.Discard); err == nil || !strings.Contains(err.Error(), "pool entry 2") {
		t.Errorf("wrote an entry that cannot be read: %v", err)
	}
}

func TestReadPoolRefuses(t *testing.T) {
	t.Parallel()
	ok := `{"origin": "built-in", "sha256": "` + sum64 + `"}`
	if _, err := read(strings.NewReader(document(ok))); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, file, want string }{
		{"empty", "", "unexpected EOF"},
		{"truncated", document(ok)[:60], "unexpected EOF"},
		{"an array", "[]", "[ instead of {"},
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
		{"certificates null", `{"schema": "trustpool.pool/1", "platform": "asa", "certificates": null}`, "instead of ["},
		{"no platform", `{"schema": "trustpool.pool/1", "certificates": []}`, "platform"},
		{"other platform", `{"schema": "trustpool.pool/1", "platform": "junos", "certificates": []}`, "platform"},
		{"alias", `{"schema": "trustpool.pool/1", "platform": "asav", "certificates": []}`, "platform"},
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
		{"shown on no day", document(`{"origin": "built-in", "serial": "01", "shown": {"subject": ["cn=A"], "not_after": "soon"}}`), "is not a date"},
		{"identified by itself", document(`{"origin": "built-in", "sha256": "` + sum64 + `", "identified_by": "sha256"}`), "identified_by"},
		{"identified as nothing", document(`{"origin": "built-in", "sha1": "` + sum64[:40] + `", "identified_by": "sha1"}`), "identified_by"},
		{"no date", document(`{"origin": "built-in", "sha256": "` + sum64 + `", "not_after": "2030-02-30"}`), "entry 1"},
		{"year 10000", document(`{"origin": "built-in", "sha256": "` + sum64 + `", "not_after": "9999-12-31T23:59:59-01:00"}`), "years"},
	} {
		p, err := read(strings.NewReader(tt.file))
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
		p, err := read(bytes.NewReader(data))
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := p.WriteJSON(&b); err != nil {
			t.Fatal(err)
		}
		again, err := read(bytes.NewReader(b.Bytes()))
		if err != nil || !reflect.DeepEqual(p, again) {
			t.Fatalf("%v\n%+v\n%+v", err, p, again)
		}
	})
}

// What an entry says of its dates is said with how far they may be off.
func TestMoments(t *testing.T) {
	t.Parallel()
	day := func(d int) time.Time { return time.Date(2030, 1, d, 0, 0, 0, 0, time.UTC) }
	shown := func(zone string) *pool.Shown {
		return &pool.Shown{NotBefore: show.Date{Clock: day(1), Zone: zone}, NotAfter: show.Date{Clock: day(2), Zone: zone}}
	}
	moment := func(t time.Time, within time.Duration) pool.Moment {
		return pool.Moment{Time: certificate.Time{Time: t, Valid: true}, Within: within}
	}
	for name, test := range map[string]struct {
		entry     pool.Entry
		from, end pool.Moment
	}{
		"known":      {pool.Entry{NotBefore: day(3), NotAfter: day(4), Shown: shown("IST")}, moment(day(3), 0), moment(day(4), 0)},
		"UTC":        {pool.Entry{Shown: shown("UTC")}, moment(day(1), 0), moment(day(2), 0)},
		"some zone":  {pool.Entry{Shown: shown("IST")}, moment(day(1), 14*time.Hour), moment(day(2), 14*time.Hour)},
		"one zone":   {pool.Entry{NotAfter: day(4), Shown: shown("IST")}, moment(day(1), 14*time.Hour), moment(day(4), 0)},
		"unreadable": {pool.Entry{Shown: shown("")}, pool.Moment{}, pool.Moment{}},
		"nothing":    {},
	} {
		same(t, name+", from", test.entry.ValidFrom(), test.from)
		same(t, name+", to", test.entry.ValidTo(), test.end)
	}
	for _, test := range []struct {
		m             pool.Moment
		at            time.Time
		before, after bool
		known         bool
	}{
		{moment(day(2), 0), day(1), false, true, true},
		{moment(day(2), 0), day(2), false, false, true},
		{moment(day(2), 0), day(3), true, false, true},
		{moment(day(2), 14*time.Hour), day(2).Add(14 * time.Hour), false, false, false},
		{moment(day(2), 14*time.Hour), day(2).Add(14*time.Hour + 1), true, false, true},
		{moment(day(2), 14*time.Hour), day(2).Add(-14*time.Hour - 1), false, true, true},
		{pool.Moment{}, day(1), false, false, false},
	} {
		before, known := test.m.Before(test.at)
		after, knownToo := test.m.After(test.at)
		if before != test.before || after != test.after || known != test.known || knownToo != test.known {
			t.Errorf("%v and %s: %t, %t; %t, %t", test.m, test.at, before, known, after, knownToo)
		}
	}
}

// Only a hash that the device shows makes an entry certain.
func TestCertain(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		entry pool.Entry
		want  bool
	}{
		{pool.Entry{SHA256: "x"}, true},
		{pool.Entry{SHA256: "x", IdentifiedBy: pool.BySHA1}, true},
		{pool.Entry{SHA256: "x", SHA1: "y", IdentifiedBy: pool.ByShownDates}, false},
		{pool.Entry{SHA1: "y"}, true},
		{pool.Entry{Issuer: "i", Serial: "01"}, false},
	} {
		if got := test.entry.Certain(); got != test.want {
			t.Errorf("%+v: %t", test.entry, got)
		}
	}
}
