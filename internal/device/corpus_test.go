package device_test

import (
	"crypto/sha1"
	"encoding/hex"
	"testing"
	"time"

	"trustpool/internal/device"
	"trustpool/internal/pool"
)

func hexSum(sum [32]byte) string { return hex.EncodeToString(sum[:]) }

func TestGenuineBundles(t *testing.T) {
	t.Parallel()
	then, now := time.Date(2018, 10, 10, 0, 0, 0, 0, time.UTC), time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	const core, ios3, ios10 = "ios_core-v4-2017-01-11.p7b", "ios-v3-2016-11-22.p7b", "ios-v10-2021-09-01.p7b"
	fips := func(o *device.ImportOptions) { o.FIPS = true }
	for _, tt := range []struct {
		file, platform string
		at             time.Time
		change         func(*device.ImportOptions)
		want           [4]int // installed, duplicates, expired, failed
	}{
		{core, "asa", then, nil, [4]int{17, 0, 0, 0}},
		{core, "asa", then, fips, [4]int{7, 0, 0, 10}},
		{core, "asa", now, nil, [4]int{15, 0, 2, 0}},
		{core, "iosxr", then, nil, [4]int{13, 4, 0, 0}},
		{core, "iosxe", then, nil, [4]int{7, 10, 0, 0}},
		{core, "iosxr", then, func(o *device.ImportOptions) { o.DisableRSA1024 = true }, [4]int{13, 4, 0, 0}}, // the one of 1024 bits is built in
		{ios3, "asa", now, nil, [4]int{103, 0, 29, 0}},
		{ios10, "asa", now, nil, [4]int{102, 0, 6, 0}},
		{ios10, "iosxe", then, func(o *device.ImportOptions) { o.At = now; o.UniqueNames = true }, [4]int{}}, // see below
	} {
		b := corpus(t, tt.file)
		o := device.ImportOptions{Platform: platform(t, tt.platform), At: tt.at}
		if tt.change != nil {
			tt.change(&o)
		}
		r := doImport(t, nil, b, o)
		if o.UniqueNames {
			// GTS Root R1 to R4 stand twice, re-issued under the same key and name.
			n := 0
			for _, e := range r.Certificates {
				if e.MatchedBy == device.ByNames {
					n++
				}
			}
			same(t, "same names", n, 4)
			continue
		}
		same(t, tt.file+" "+tt.platform, counts(r), tt.want)
		if r.Verification == nil || r.LabRoot {
			t.Errorf("%s: %s", tt.file, r.Refused)
		}
	}
}

// TestGenuineText prints the block of the ASA that the community article shows.
func TestGenuineText(t *testing.T) {
	t.Parallel()
	o := device.ImportOptions{Platform: platform(t, "asa"), At: time.Date(2018, 10, 10, 0, 0, 0, 0, time.UTC)}
	r := doImport(t, nil, corpus(t, "ios_core-v4-2017-01-11.p7b"), o)
	same(t, "block", text(t, r, true), `Root file signature verified.
Trustpool import:
   attempted:  17
   installed:  17
   duplicates: 0
   expired:    0
   failed:     0
`)
}

// TestBuiltIn holds the tables of built-in certificates against the genuine ones.
func TestBuiltIn(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]int{"iosxe": 17, "iosxr": 4, "ios": 0, "asa": 0, "fxos": 0} {
		have := platform(t, name).BuiltIn()
		same(t, name, len(have.Entries), want)
		for i, e := range have.Entries {
			if e.Origin != pool.BuiltIn || e.NotBefore.IsZero() || e.NotAfter.IsZero() || e.Source == "" || e.Serial == "" || e.Subject == "" || e.Issuer == "" {
				t.Errorf("%s %d: %+v", name, i+1, e)
			}
		}
	}
	t.Run("corpus", func(t *testing.T) {
		found := map[string]bool{}
		for _, file := range []string{"ios_core-v4-2017-01-11.p7b", "ios-v3-2016-11-22.p7b", "ios-v10-2021-09-01.p7b"} {
			for _, c := range corpus(t, file).Certificates {
				sum := sha1.Sum(c.Raw)
				for _, name := range []string{"iosxe", "iosxr"} {
					for _, e := range platform(t, name).BuiltIn().Entries {
						if e.Issuer != c.Issuer.String() || e.Serial != c.Serial.String() {
							continue
						}
						found[name+e.Subject] = true
						if e.SHA1 != hex.EncodeToString(sum[:]) || name == "iosxe" && e.SHA256 != hexSum(c.SHA256) ||
							e.Subject != c.Subject.String() || !e.NotBefore.Equal(c.NotBefore.Time) || !e.NotAfter.Equal(c.NotAfter.Time) {
							t.Errorf("%s: %+v is not %s", name, e, c.Subject)
						}
					}
				}
			}
		}
		same(t, "found", len(found), 12+4) // five of IOS XE's are in none of these bundles
	})
}

// TestMatchedBy: a pool is matched by what is known of its certificates.
func TestMatchedBy(t *testing.T) {
	t.Parallel()
	b := corpus(t, "ios_core-v4-2017-01-11.p7b")
	for name, want := range map[string]pool.Key{"iosxr": pool.BySHA1, "iosxe": pool.BySHA256} {
		r := doImport(t, nil, b, device.ImportOptions{Platform: platform(t, name), At: time.Date(2018, 10, 10, 0, 0, 0, 0, time.UTC)})
		for _, e := range r.Certificates {
			if e.Outcome == device.Duplicate && e.MatchedBy != want {
				t.Errorf("%s: %s by %s", name, e.Certificate.Subject, e.MatchedBy)
			}
		}
	}
}
