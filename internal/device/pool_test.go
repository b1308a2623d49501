package device_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"trustpool/internal/device"
	"trustpool/internal/pool"
)

func TestPoolRoundTrip(t *testing.T) {
	t.Parallel()
	pools := []*pool.Pool{{Platform: "asa"}}
	for _, p := range device.Platforms() {
		fresh := p.BuiltIn()
		if p.Advice == "" {
			doImport(t, fresh, fixture(t, "lab-quirks-v1.p7b"), lab(t, p.Name))
		}
		pools = append(pools, fresh)
	}
	for _, want := range pools {
		var first, second bytes.Buffer
		if err := want.WriteJSON(&first); err != nil {
			t.Fatal(err)
		}
		got, err := pool.Read(bytes.NewReader(first.Bytes()), device.CheckName)
		if err != nil {
			t.Fatalf("%v\n%s", err, first.Bytes())
		}
		for i := range want.Entries {
			want.Entries[i].Certificate = nil // a pool file does not hold it
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: read\n%+v\nwritten\n%+v", want.Platform, got, want)
		}
		if err := got.WriteJSON(&second); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Errorf("%s: written twice, and differs: %v", want.Platform, err)
		}
	}
}

// A pool file has the platform's own name.
func TestCheckName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"asa": "", "asav": `write "asa"`, "ASA": `write "asa"`, "junos": "is not a platform", "": "is not a platform"} {
		if err := device.CheckName(name); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v", name, err)
		}
	}
}
