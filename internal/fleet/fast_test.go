package fleet

import (
	"encoding/json"
	"testing"
)

// What the fast reader takes, encoding/json reads the same.
func FuzzFast(f *testing.F) {
	for _, s := range []string{
		`{"time":"2025-05-20T08:00:00.25+02:00","level":"INFO","msg":"request","remote":"10.0.0.1","status":200,"bytes":8829,"duration":1.9e-05,"size":0}`,
		`{"TIME":"x","status":01}`, `{"a":,"b":1}`, `{"status":""}`, `{"msg":1}`, `{"x":0x1}`, `{"msg":"a","msg":"b"}`, `{}`, `{"time":"2025-05-20T8:00:00Z"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		var quick, slow jsonLine
		if !quick.fast(line) {
			return
		}
		if err := json.Unmarshal(line, &slow); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if !quick.Time.Equal(slow.Time) {
			t.Errorf("%v, not %v", quick.Time, slow.Time)
		}
		quick.Time = slow.Time
		if quick != slow {
			t.Errorf("%+v, not %+v", quick, slow)
		}
	})
}

// The lines of trustpool serve are for it.
func TestFast(t *testing.T) {
	t.Parallel()
	var j jsonLine
	if !j.fast([]byte(`{"time":"2026-11-21T23:48:57.937913516Z","level":"INFO","msg":"request","remote":"127.0.0.1","user_agent":"cisco-IOS","method":"GET","path":"/lab.p7b","protocol":"HTTP/1.1","status":304,"bytes":0,"duration":0.00001996,"bundle":"lab","version":"1","sha256":"f168df10420e3fc7","size":8829}`)) {
		t.Error("not taken")
	}
}
