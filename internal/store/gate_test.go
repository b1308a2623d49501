package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"trustpool/internal/pkitest"
	"trustpool/internal/store"
)

const coreName = "Lab Core Bundle"

// signed signs a bundle with the lab's key.
func signed(name, version string, pool ...[]byte) []byte {
	return pkitest.Bundle(pkitest.Lab().Signer, name, version, time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), pool...)
}

// Each gate refuses, alone and with others, and each but the signature's can be
// allowed; what was allowed stands in the history.
func TestGates(t *testing.T) {
	t.Parallel()
	core := pkitest.CoreV2() // nine certificates
	broken := append(slices.Clone(core), []byte{0x30, 0x03, 0x02, 0x01, 0x01})
	const u, on, nv, ol, sv, fe, un = store.GateUnchanged, store.GateOtherName, store.GateNoVersion, store.GateOlder,
		store.GateSameVersion, store.GateFewer, store.GateUndecodable
	for _, tt := range []struct {
		what    string
		current string // version
		data    []byte
		share   int
		want    []store.Gate
	}{
		{"newer", "9", signed(coreName, "10", core...), 0, nil},
		{"much newer", "9", signed(coreName, "0"+strings.Repeat("9", 100), core...), 0, nil},
		{"the same bytes", "9", signed(coreName, "9", core...), 0, []store.Gate{u}},
		{"older", "10", signed(coreName, "9", core...), 0, []store.Gate{ol}},
		{"older by its zeros", "10", signed(coreName, "009", core...), 0, []store.Gate{ol}},
		{"the same version", "10", signed(coreName, "10", core[1:]...), 0, []store.Gate{sv}},
		{"the same version, written otherwise", "10", signed(coreName, "010", core...), 0, []store.Gate{sv}},
		{"another name", "10", signed("Lab Union Bundle", "1", core...), 0, []store.Gate{on}},
		{"no number", "10", signed(coreName, "11a", core...), 0, []store.Gate{nv}},
		{"after what is not a number", "2024-01", signed(coreName, "11", core...), 0, []store.Gate{nv}},
		{"half as many", "10", signed(coreName, "11", core[:5]...), 0, nil},
		{"fewer than half", "10", signed(coreName, "11", core[:4]...), 0, []store.Gate{fe}},
		{"fewer than all", "10", signed(coreName, "11", core[:8]...), 100, []store.Gate{fe}},
		{"fewer, by a share of 1", "10", signed(coreName, "11", core[:1]...), 1, nil},
		{"undecodable", "10", signed(coreName, "11", broken...), 0, []store.Gate{un}},
		{"everything", "10", signed(coreName, "9", broken[8:]...), 0, []store.Gate{ol, fe, un}},
	} {
		t.Run(tt.what, func(t *testing.T) {
			t.Parallel()
			s, o := dir(t), lab(t)
			o.MinShare = tt.share
			if _, err := s.Publish(t.Context(), signed(coreName, tt.current, core...), o); err != nil {
				t.Fatal(err)
			}
			p, err := s.Publish(t.Context(), tt.data, o)
			if tt.want == nil {
				if err != nil || p.Release.Number != 2 || len(p.Release.Allowed) != 0 {
					t.Errorf("%+v, %v", p, err)
				}
				return
			}
			refused, ok := errors.AsType[*store.RefusedError](err)
			if !ok || p != refused.Publication {
				t.Fatalf("let it pass: %+v, %v", p, err)
			}
			if got := gatesOf(refused); !slices.Equal(got, tt.want) {
				t.Errorf("refused for %s, not %s", got, tt.want)
			}
			if r, err := s.Current(t.Context(), "lab"); err != nil || r.Number != 1 {
				t.Errorf("release %d is current, %v", r.Number, err)
			}
			for i := range tt.want { // all but one are not enough
				o.Allow = slices.Delete(slices.Clone(tt.want), i, i+1)
				if _, err := s.Publish(t.Context(), tt.data, o); !errors.As(err, &refused) || !slices.Equal(gatesOf(refused), tt.want[i:i+1]) {
					t.Errorf("allowed %s: %v", o.Allow, err)
				}
			}
			o.Allow = store.Gates()[1:]
			if _, err := s.Publish(t.Context(), tt.data, o); err != nil {
				t.Fatal(err)
			}
			r, err := s.Current(t.Context(), "lab")
			if err != nil || r.Number != 2 || !slices.Equal(r.Allowed, tt.want) {
				t.Errorf("recorded %+v, %v", r, err)
			}
		})
	}
}

func gatesOf(e *store.RefusedError) (gates []store.Gate) {
	for _, r := range e.Publication.Refusals {
		gates = append(gates, r.Gate)
	}
	return gates
}

// What is not verified passes in no way, nor are its claims believed.
func TestNotVerified(t *testing.T) {
	t.Parallel()
	tampered := signed(coreName, "99", pkitest.CoreV2()...)
	tampered[len(tampered)-1] ^= 1
	late := lab(t)
	late.At = time.Date(2090, 1, 1, 0, 0, 0, 0, time.UTC)
	for what, tt := range map[string]struct {
		data []byte
		o    store.PublishOptions
	}{
		"unsigned": {read(t, "lab-certs-only.p7b"), lab(t)},
		"outer":    {read(t, "lab-outer.p7b"), lab(t)},
		"tampered": {tampered, lab(t)},
		"other":    {read(t, "lab-p256.p7b"), lab(t)},
		"too late": {read(t, "lab-core-v2.p7b"), late},
		"a pem":    {read(t, "lab.pem"), lab(t)},
		"one":      {read(t, "one.der"), lab(t)},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := dir(t)
			tt.o.Allow = store.Gates()[1:]
			_, err := s.Publish(t.Context(), tt.data, tt.o)
			refused, ok := errors.AsType[*store.RefusedError](err)
			if !ok || !slices.Equal(gatesOf(refused), []store.Gate{store.GateSignature}) {
				t.Fatalf("%v", err)
			}
			if r := refused.Publication.Release; r.SignedName != "" || r.Version != "" || r.SigningTime != nil || r.Anchor != (store.Anchor{}) {
				t.Errorf("claims of what is not verified: %+v", r)
			}
			if names, err := s.Names(t.Context()); err != nil || len(names) != 0 {
				t.Errorf("%q, %v", names, err)
			}
		})
	}
	o := lab(t)
	o.Allow = []store.Gate{store.GateSignature}
	if _, err := dir(t).Publish(t.Context(), read(t, "lab-core-v1.p7b"), o); err == nil {
		t.Error("the gate of the signature can be allowed")
	}
	data := read(t, "lab-core-v1.p7b")
	if _, err := dir(t).Publish(t.Context(), data[:len(data)/2], lab(t)); err == nil || errors.As(err, new(*store.RefusedError)) {
		t.Errorf("half a file: %v", err)
	}
}

func TestPublishOptions(t *testing.T) {
	t.Parallel()
	for what, spoil := range map[string]func(*store.PublishOptions){
		"no anchors": func(o *store.PublishOptions) { o.Anchors = nil },
		"no time":    func(o *store.PublishOptions) { o.At = time.Time{} },
		"no now":     func(o *store.PublishOptions) { o.Now = time.Time{} },
		"a share":    func(o *store.PublishOptions) { o.MinShare = 101 },
		"a name":     func(o *store.PublishOptions) { o.Name = "../lab" },
	} {
		o := lab(t)
		spoil(&o)
		if _, err := dir(t).Publish(t.Context(), read(t, "lab-core-v1.p7b"), o); err == nil {
			t.Errorf("%s: accepted", what)
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for name, ok := range map[string]bool{
		"ios": true, "ios_core": true, "a": true, "0.x-y": true, strings.Repeat("a", store.MaxName): true,
		"": false, "IOS": false, ".a": false, "_a": false, "a/b": false, "..": false, "a\x00": false, "ä": false,
		"ios.p7b": false, strings.Repeat("a", store.MaxName+1): false,
	} {
		if err := store.CheckName(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, tt := range []struct{ signed, file, want string }{
		{"Trusted Core Bundle", "x", "ios_core"}, {"Trusted Intersect Bundle", "x", "ios"}, {"Trusted External Bundle", "x", "ios"},
		{"Trusted Union Bundle", "x", "ios_union"}, {coreName, "dir/lab.core.p7b", "lab.core"},
		{coreName, "https://host/a/Lab.p7b?token=x/y", "lab"}, {coreName, `C:\lab.p7b`, "lab"},
	} {
		s, o := dir(t), lab(t)
		o.Name, o.From = "", tt.file
		p, err := s.Publish(t.Context(), signed(tt.signed, "1", pkitest.CoreV2()...), o)
		if err != nil || p.Release.Name != tt.want {
			t.Errorf("%s in %s: %v", tt.signed, tt.file, err)
		}
	}
	o := lab(t)
	o.Name, o.From = "", "-"
	if _, err := dir(t).Publish(t.Context(), read(t, "lab-core-v1.p7b"), o); err == nil {
		t.Error("a file without a name got one")
	}
}

func TestDryRun(t *testing.T) {
	t.Parallel()
	s, o := dir(t), lab(t)
	o.DryRun = true
	for range 2 {
		if p, err := s.Publish(t.Context(), read(t, "lab-core-v1.p7b"), o); err != nil || p.Release.Number != 1 {
			t.Errorf("%+v, %v", p, err)
		}
	}
	for _, prefix := range []string{"current/", "archive/"} {
		if keys, err := s.Backend().List(t.Context(), prefix); err != nil || len(keys) > 0 {
			t.Errorf("wrote %q, %v", keys, err)
		}
	}
}

// A rollback over several releases takes all of them out of service, not only the one that was current.
func TestRollbackOverSeveral(t *testing.T) {
	t.Parallel()
	s, o := dir(t), lab(t)
	ctx := t.Context()
	files := map[string][]byte{}
	publish := func(v, want string) {
		t.Helper()
		if files[v] == nil {
			files[v] = signed(coreName, v, pkitest.CoreV2()...)
		}
		_, err := s.Publish(ctx, files[v], o)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", v, err, want)
		}
	}
	rollback := func(to string) {
		t.Helper()
		if _, err := s.Rollback(ctx, "lab", to, o); err != nil {
			t.Fatal(err)
		}
	}
	for _, v := range []string{"1", "2", "3", "4"} {
		publish(v, "")
	}
	rollback("2")                                    // release 5
	publish("3", "withdrawn: release 5, a rollback") // which it went over
	publish("4", "withdrawn: release 5, a rollback")
	rollback("1") // release 6
	for _, v := range []string{"2", "3", "4"} {
		publish(v, "withdrawn: release ")
	}
	publish("5", "") // a newer one is none of them
	rollback("3")    // release 8: in service again, and no longer withdrawn when something else takes its place
	publish("2", "withdrawn: release ")
	publish("5", "withdrawn: release 8, a rollback")
	publish("6", "")
	publish("3", "older-version")
	if h, err := history(ctx, s); err != nil || len(h) != 9 {
		t.Errorf("%d releases, %v", len(h), err)
	}
}

func TestRollback(t *testing.T) {
	t.Parallel()
	s, o := dir(t), lab(t)
	ctx := t.Context()
	files := map[string][]byte{}
	for _, v := range []string{"1", "2", "3"} {
		files[v] = signed(coreName, v, pkitest.CoreV2()...)
		if _, err := s.Publish(ctx, files[v], o); err != nil {
			t.Fatal(err)
		}
	}
	back := func(to, want string, allowed ...store.Gate) {
		t.Helper()
		p, err := s.Rollback(ctx, "lab", to, o)
		if want == "" {
			if err == nil {
				t.Errorf("to %q: %+v", to, p.Release)
			}
			return
		}
		if err != nil {
			t.Fatalf("to %q: %v", to, err)
		}
		r, err := s.Current(ctx, "lab")
		if err != nil || r.Kind != store.RolledBack || r.Version != want || !slices.Equal(r.Allowed, allowed) {
			t.Errorf("to %q: %+v, %v", to, r, err)
		}
		if data, err := s.Read(ctx, *r); err != nil || string(data) != string(files[want]) {
			t.Errorf("to %q: %v", to, err)
		}
	}
	back("", "2", store.GateOlder)
	if _, err := s.Publish(ctx, files["3"], o); !errors.As(err, new(*store.RefusedError)) || !strings.Contains(err.Error(), "withdrawn: release 4, a rollback") {
		t.Errorf("what was withdrawn: %v", err)
	}
	back("", "1", store.GateOlder) // not forth to 3
	back("", "")                   // nothing before
	back("1", "")                  // is current
	back("7", "")
	back("abc", "")
	h, err := history(ctx, s)
	if err != nil || len(h) != 5 {
		t.Fatalf("%+v, %v", h, err)
	}
	back(h[2].SHA256[:8], "3", store.GateWithdrawn)
	back("2", "2", store.GateOlder, store.GateWithdrawn)
	withdrawnAllowed := o
	withdrawnAllowed.Allow = []store.Gate{store.GateWithdrawn}
	if _, err := s.Publish(ctx, files["3"], withdrawnAllowed); err != nil {
		t.Errorf("allowed: %v", err)
	}
	late := o
	late.At = time.Date(2090, 1, 1, 0, 0, 0, 0, time.UTC)
	if _, err := s.Rollback(ctx, "lab", "1", late); !errors.As(err, new(*store.RefusedError)) || !strings.Contains(err.Error(), "not-verified: ") {
		t.Errorf("what is no longer verified: %v", err)
	}
	if _, err := s.Rollback(ctx, "none", "", o); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("of nothing: %v", err)
	}
}

// Two files of one version are told apart by their hashes.
func TestRollbackAmbiguous(t *testing.T) {
	t.Parallel()
	s, o := dir(t), lab(t)
	o.Allow = []store.Gate{store.GateSameVersion}
	core := pkitest.CoreV2()
	for i := range 3 {
		if _, err := s.Publish(t.Context(), signed(coreName, "1", core[i:]...), o); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Rollback(t.Context(), "lab", "1", o); err == nil || !strings.Contains(err.Error(), "several releases") {
		t.Errorf("%v", err)
	}
}

// A release's place in the archive is within it, whatever the signer says.
func TestReleaseDir(t *testing.T) {
	t.Parallel()
	sum := strings.Repeat("0123456789abcdef", 4)
	for version, want := range map[string]string{
		"10": "10", "": "_", "..": "_", "../../x": "_.._x", "a b/ä": "a_b__", strings.Repeat("1", 99): strings.Repeat("1", 32),
	} {
		r := store.Release{Contents: store.Contents{SHA256: sum, Version: version}}
		if got := r.Dir(); got != want+"-0123456789abcdef" {
			t.Errorf("%q: %s", version, got)
		}
	}
	for _, v := range []string{"../../x", "..", strings.Repeat("9", 5000)} {
		s, o := dir(t), lab(t)
		p, err := s.Publish(t.Context(), signed(coreName, v, pkitest.CoreV2()...), o)
		if refused, ok := errors.AsType[*store.RefusedError](err); ok { // no PrintableString
			t.Log(fmt.Sprint(gatesOf(refused)))
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Read(t.Context(), p.Release); err != nil {
			t.Error(err)
		}
	}
}
