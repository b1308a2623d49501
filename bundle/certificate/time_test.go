package certificate

import (
	"slices"
	"testing"
)

// times are contents of UTCTime and GeneralizedTime, with what OpenSSL makes of
// them.
var times = []struct {
	tag    byte
	in     string
	want   string // empty where no date can be made of it
	quirks []Quirk
}{
	{tagUTCTime, "250601123456Z", "2025-06-01T12:34:56Z", nil},
	{tagUTCTime, "491231235959Z", "2049-12-31T23:59:59Z", nil},
	{tagUTCTime, "500101000000Z", "1950-01-01T00:00:00Z", nil},
	{tagUTCTime, "240229000000Z", "2024-02-29T00:00:00Z", nil},
	{tagUTCTime, "230229000000Z", "", nil},
	{tagUTCTime, "2506011234Z", "2025-06-01T12:34:00Z", []Quirk{QuirkTimeNoSeconds}},
	{tagUTCTime, "250601123456+0100", "2025-06-01T11:34:56Z", []Quirk{QuirkTimeOffset}},
	{tagUTCTime, "250601123456-0130", "2025-06-01T14:04:56Z", []Quirk{QuirkTimeOffset}},
	{tagUTCTime, "2506011234+0100", "2025-06-01T11:34:00Z", []Quirk{QuirkTimeNoSeconds, QuirkTimeOffset}},
	{tagUTCTime, "500101000000+0100", "1949-12-31T23:00:00Z", []Quirk{QuirkTimeOffset}},
	{tagUTCTime, "250601123456+1201", "2025-06-01T00:33:56Z", []Quirk{QuirkTimeOffset}},
	{tagUTCTime, "250601123456+1300", "", nil},
	{tagUTCTime, "250601123456+0060", "", nil},
	{tagUTCTime, "250601123456+01", "", nil},
	{tagUTCTime, "250601123456", "", nil},
	{tagUTCTime, "250601123456z", "", nil},
	{tagUTCTime, "250601123456ZZ", "", nil},
	{tagUTCTime, "250601123456.5Z", "", nil},
	{tagUTCTime, "251301123456Z", "", nil},
	{tagUTCTime, "250001123456Z", "", nil},
	{tagUTCTime, "250600123456Z", "", nil},
	{tagUTCTime, "250631123456Z", "", nil},
	{tagUTCTime, "250601243456Z", "", nil},
	{tagUTCTime, "250601126056Z", "", nil},
	{tagUTCTime, "250601123460Z", "", nil},
	{tagUTCTime, "25060112Z", "", nil},
	{tagUTCTime, "2506011234 6Z", "", nil},
	{tagUTCTime, "", "", nil},
	{tagGeneralizedTime, "20530404081544.704Z", "2053-04-04T08:15:44.704Z", []Quirk{QuirkTimeFraction}},
	{tagGeneralizedTime, "20530404081544.1234567899Z", "2053-04-04T08:15:44.123456789Z", []Quirk{QuirkTimeFraction}},
	{tagGeneralizedTime, "20530404081544.0Z", "2053-04-04T08:15:44Z", []Quirk{QuirkTimeFraction}},
	{tagGeneralizedTime, "20530404081544.Z", "", nil},
	{tagGeneralizedTime, "20530404081544,7Z", "", nil},
	{tagGeneralizedTime, "205304040815.7Z", "", nil},
	{tagGeneralizedTime, "20500101000000Z", "2050-01-01T00:00:00Z", nil},
	{tagGeneralizedTime, "20491231235959Z", "2049-12-31T23:59:59Z", []Quirk{QuirkTimeGeneralizedEarly}},
	{tagGeneralizedTime, "205001010000Z", "2050-01-01T00:00:00Z", []Quirk{QuirkTimeNoSeconds}},
	{tagGeneralizedTime, "20500101000000-0100", "2050-01-01T01:00:00Z", []Quirk{QuirkTimeOffset}},
	{tagGeneralizedTime, "20500101000000.5+0100", "2049-12-31T23:00:00.5Z", []Quirk{QuirkTimeFraction, QuirkTimeOffset}},
	{tagGeneralizedTime, "99991231235959Z", "9999-12-31T23:59:59Z", nil},
	{tagGeneralizedTime, "00010101000000Z", "0001-01-01T00:00:00Z", []Quirk{QuirkTimeGeneralizedEarly}},
	{tagGeneralizedTime, "99991231235959-0100", "", nil}, // the year 10000
	{tagGeneralizedTime, "00000101000000+0100", "", nil}, // the year -1
	{tagGeneralizedTime, "20500101000000", "", nil},
	{tagGeneralizedTime, "2050010100Z", "", nil},
}

func TestParseTime(t *testing.T) {
	t.Parallel()
	for _, tt := range times {
		t.Run(tt.in, func(t *testing.T) {
			t.Parallel()
			var quirks quirkSet
			got := parseTime(tt.tag, []byte(tt.in), &quirks)
			if got.Valid != (tt.want != "") || got.Valid && got.String() != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if !slices.Equal(quirks, tt.quirks) {
				t.Errorf("quirks %v, want %v", quirks, tt.quirks)
			}
			json, err := got.MarshalJSON()
			want := `"` + tt.want + `"`
			if tt.want == "" {
				want = "null"
			}
			if err != nil || string(json) != want {
				t.Errorf("JSON %s, %v", json, err)
			}
		})
	}
}
