package device_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode"

	"trustpool/internal/device"
	"trustpool/internal/pkitest"
)

func text(t *testing.T, r *device.ImportReport, quiet bool) string {
	t.Helper()
	var b strings.Builder
	if err := r.WriteText(&b, quiet); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

const block = `Trustpool import:
   attempted:  8
   installed:  8
   duplicates: 0
   expired:    0
   failed:     0
`

func TestTextASA(t *testing.T) {
	t.Parallel()
	o := lab(t, "asa")
	r := doImport(t, nil, fixture(t, "lab-core-v1.p7b"), o)
	same(t, "quiet", text(t, r, true), "Root file signature verified.\n"+block)
	if long := text(t, r, false); !strings.HasPrefix(long, "Root file signature verified.\n"+block+"\nnote: judged as a lab device") || strings.Contains(long, "index") {
		t.Errorf("nothing to list:\n%s", long)
	}

	o.AcceptUnsigned = true
	r = doImport(t, nil, fixture(t, "lab-certs-only.p7b"), o)
	same(t, "unsigned", text(t, r, true), block)

	o = lab(t, "asa")
	b := signed(t, newRoot("Good", nil), newRoot("Old", func(t *pkitest.Template) { t.NotAfter = pkitest.Date(2024, 1, 1) }), []byte{0x30, 0})
	r = doImport(t, nil, b, o)
	r.Notes = nil
	same(t, "table", text(t, r, false), `Root file signature verified.
Trustpool import:
   attempted:  3
   installed:  1
   duplicates: 0
   expired:    1
   failed:     1

index  outcome  reason                                                      basis     subject
2      expired  expired 2024-01-01T00:00:00Z                                inferred  CN=Old,O=Device Test
3      failed   not a certificate: the part to be signed is not a SEQUENCE  inferred  -
`)
}

func TestTextIOS(t *testing.T) {
	t.Parallel()
	o := lab(t, "iosxe")
	o.Location = "http://192.0.2.1/ios_core.p7b"
	own := "Reading file from http://192.0.2.1/ios_core.p7b\nLoading http://192.0.2.1/ios_core.p7b\n"
	have := o.Platform.BuiltIn()
	r := doImport(t, have, fixture(t, "lab-core-v1.p7b"), o)
	same(t, "quiet", text(t, r, true), own+"% PEM files import succeeded.\n")
	r.Notes = nil
	same(t, "text", text(t, r, false), own+"% PEM files import succeeded.\n\ncounted by trustpool; Cisco IOS XE prints no counters:\n"+
		strings.TrimPrefix(block, "Trustpool import:\n"))

	// What it prints when there was nothing to install is not known.
	r = doImport(t, have, fixture(t, "lab-core-v1.p7b"), o)
	same(t, "nothing new", text(t, r, true), own)
	if long := text(t, r, false); !strings.Contains(long, "is not known:\n   attempted:  8\n   installed:  0\n   duplicates: 8\n") {
		t.Error(long)
	}
}

func TestTextXR(t *testing.T) {
	t.Parallel()
	r := doImport(t, nil, fixture(t, "lab-core-v1.p7b"), lab(t, "iosxr"))
	same(t, "text", text(t, r, true), "counted by trustpool; Cisco IOS XR's own text is not known:\n"+strings.TrimPrefix(block, "Trustpool import:\n"))
}

func TestTextRefused(t *testing.T) {
	t.Parallel()
	r := doImport(t, nil, fixture(t, "lab.pem"), device.ImportOptions{Platform: platform(t, "iosxr"), At: at})
	got := text(t, r, false)
	want := "refused: Cisco IOS XR takes a bundle only if it is signed under Cisco Root CA M1; this one is not verified: not-signed: "
	if !strings.HasPrefix(got, want) || !strings.Contains(got, "\n   confirmed: Cisco field notice FN72290\n") {
		t.Error(got)
	}
	if quiet := text(t, r, true); strings.Count(quiet, "\n") != 1 || !strings.HasPrefix(got, quiet) {
		t.Error(quiet)
	}
	r = doImport(t, nil, fixture(t, "lab.pem"), device.ImportOptions{Platform: platform(t, "fxos"), At: at})
	if got := text(t, r, false); !strings.HasPrefix(got, "refused: Cisco FXOS imports no bundle: make one trustpoint per root") {
		t.Error(got)
	}
}

// TestTextHostile prints names that try to look like output.
func TestTextHostile(t *testing.T) {
	t.Parallel()
	o := lab(t, "iosxe")
	o.FIPS = true
	o.Location = "evil\x1b[2J\n% PEM files import succeeded."
	o.Anchors[0].Name = "Root\x07\u202e"
	bad := newRoot("x", func(t *pkitest.Template) {
		*t = pkitest.RootTemplate(pkitest.NewName("O=a\tb\xff", "CN=Bad\x1b[31m\r\nInstalled: 999\u202etxt"), pkitest.RSA("sha1-self"))
		t.Algorithm = pkitest.SHA1WithRSA
		t.Subject = t.Subject.With("OU", 22, []byte("\x85\x9b31m"))
	})
	r := doImport(t, nil, signed(t, newRoot("Good", nil), bad, bad), o)
	r.Notes = append(r.Notes, device.Note{Text: "\x1b"})
	for _, quiet := range []bool{false, true} {
		for _, c := range text(t, r, quiet) {
			if c != '\n' && !unicode.IsPrint(c) {
				t.Errorf("prints %U", c)
			}
		}
	}
	if strings.Count(text(t, r, false), "\n% PEM") != 1 {
		t.Error("the location made a line of its own")
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	good := newRoot("Good", nil)
	b := signed(t, good, good, []byte{0x30, 0})
	r := doImport(t, nil, b, lab(t, "asa"))
	r.Notes = r.Notes[:1]
	var out bytes.Buffer
	if err := r.WriteJSON(&out, true); err != nil {
		t.Fatal(err)
	}
	sums := []any{hexSum(b.Certificates[0].SHA256), hexSum(b.Certificates[0].SHA256), hexSum(b.Certificates[2].SHA256), hexSum(labAnchor(t)[0].SHA256)}
	got := out.String()
	for i, name := range []string{"SUM1", "SUM1", "SUM3", "ROOT"} {
		got = strings.ReplaceAll(got, sums[i].(string), name)
	}
	same(t, "document", got, `{
  "schema": "trustpool.import/1",
  "platform": "asa",
  "at": "2025-06-01T00:00:00Z",
  "refused": null,
  "refused_basis": null,
  "refused_source": null,
  "attempted": 3,
  "installed": 1,
  "duplicates": 1,
  "expired": 0,
  "failed": 1,
  "signature": "verified",
  "anchor": {
    "name": "Lab Root CA",
    "sha256": "ROOT"
  },
  "lab_root": true,
  "via": "file",
  "notes": [
    {
      "text": "judged as a lab device would that has Lab Root CA built in; a genuine Cisco ASA takes bundles under Cisco Root CA M1",
      "basis": "unverified",
      "source": "ASA command reference, not seen: the user is asked"
    }
  ],
  "evidence": null,
  "certificates": [
    {
      "index": 1,
      "sha256": "SUM1",
      "subject": "CN=Good,O=Device Test",
      "outcome": "installed",
      "reason": "new to the pool",
      "basis": "confirmed",
      "source": "Cisco Community, certificate change on tools.cisco.com, October 2018",
      "matched_by": null
    },
    {
      "index": 2,
      "sha256": "SUM1",
      "subject": "CN=Good,O=Device Test",
      "outcome": "duplicate",
      "reason": "the same as certificate 1 of the file",
      "basis": "inferred",
      "source": "the counter's name in Cisco Community, certificate change on tools.cisco.com, October 2018",
      "matched_by": "sha256"
    },
    {
      "index": 3,
      "sha256": "SUM3",
      "subject": null,
      "outcome": "failed",
      "reason": "not a certificate: the part to be signed is not a SEQUENCE",
      "basis": "inferred",
      "source": "reasoned: what cannot be read cannot be installed",
      "matched_by": null
    }
  ]
}
`)
	if !json.Valid(out.Bytes()) {
		t.Error("not JSON")
	}
}

func TestJSONRefused(t *testing.T) {
	t.Parallel()
	o := device.ImportOptions{Platform: platform(t, "iosxr"), At: time.Date(2025, 6, 1, 2, 0, 0, 500, time.FixedZone("", 7200))}
	r := doImport(t, nil, fixture(t, "lab-core-v1.p7b"), o)
	for _, showAt := range []bool{false, true} {
		var out bytes.Buffer
		if err := r.WriteJSON(&out, showAt); err != nil {
			t.Fatal(err)
		}
		var doc map[string]any
		if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
			t.Fatal(err)
		}
		var wantAt any
		if showAt {
			wantAt = "2025-06-01T00:00:00.0000005Z"
		}
		same(t, "at", doc["at"], wantAt)
		same(t, "signature", doc["signature"], any("chain-no-anchor"))
		same(t, "basis", doc["refused_basis"], any("confirmed"))
		same(t, "empty lists", [2]any{doc["certificates"], doc["notes"]}, [2]any{[]any{}, []any{}})
		if s, _ := doc["refused"].(string); s == "" {
			t.Error("not refused")
		}
	}
	r = doImport(t, nil, fixture(t, "lab-core-v1.p7b"), device.ImportOptions{Platform: platform(t, "ftd"), At: at})
	var out bytes.Buffer
	if err := r.WriteJSON(&out, false); err != nil || !strings.Contains(out.String(), `"signature": null`) {
		t.Error(err, out.String())
	}
}

// lines refuses long writes, and all after the first n.
type lines struct{ n, longest int }

func (l *lines) Write(b []byte) (int, error) {
	l.longest = max(l.longest, len(b))
	if l.n--; l.n < 0 {
		return 0, errors.New("full")
	}
	return len(b), nil
}

// TestStreams writes much in small pieces, and stops where writing does.
func TestStreams(t *testing.T) {
	t.Parallel()
	r := doImport(t, nil, parse(t, pkitest.Large(2000)), lab(t, "iosxr"))
	w := &lines{n: 1 << 30}
	if err := r.WriteJSON(w, false); err != nil || w.longest > 1<<16 {
		t.Errorf("%v, %d bytes at once", err, w.longest)
	}
	if err := r.WriteJSON(&lines{n: 3}, false); err == nil || err.Error() != "full" {
		t.Error(err)
	}
	for n := range 2 {
		if err := r.WriteText(&lines{}, n == 0); err == nil {
			t.Error("an error of the writer is lost")
		}
		if err := r.Platform.BuiltIn().WriteJSON(&lines{}); err == nil {
			t.Error("an error of the writer is lost")
		}
	}
}
