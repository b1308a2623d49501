package kit

import (
	"context"
	"errors"
	"testing"

	"trustpool/internal/durable"
	"trustpool/internal/pkitest"
	"trustpool/internal/store"
)

func TestPublish(t *testing.T) {
	t.Parallel()
	k, err := open(packed(t, "2"), openOptions(t))
	if err != nil {
		t.Fatal(err)
	}
	dir, err := store.OpenDir(t.TempDir(), new(durable.Disk))
	if err != nil {
		t.Fatal(err)
	}
	s := store.New(dir)
	o := store.PublishOptions{Anchors: openOptions(t).Anchors, At: now, Now: now, From: "kit.tar"}
	publish := func(k *Kit, o store.PublishOptions, want ...store.Outcome) {
		t.Helper()
		done, err := k.Publish(context.Background(), s, o)
		refused := len(want) > 0 && want[len(want)-1] == store.OutcomeRefused
		if refused != errors.As(err, new(*store.RefusedError)) || !refused && err != nil || len(done) != len(want) {
			t.Fatalf("%d outcomes: %v", len(done), err)
		}
		for i, p := range done {
			if p.Outcome() != want[i] {
				t.Errorf("bundle %d: %s, want %s", i+1, p.Outcome(), want[i])
			}
		}
	}
	dry := o
	dry.DryRun = true
	publish(k, dry, store.OutcomePublished, store.OutcomePublished)
	publish(k, o, store.OutcomePublished, store.OutcomePublished)
	publish(k, o, store.OutcomeUnchanged, store.OutcomeUnchanged)

	// The second bundle is older than what is there: so the first, which is newer, is not published either.
	mixed, err := open(packed(t, "1"), openOptions(t))
	if err != nil {
		t.Fatal(err)
	}
	publish(mixed, o, store.OutcomePublished, store.OutcomeRefused)
	publish(k, o, store.OutcomeUnchanged, store.OutcomeUnchanged)
}

// packed is a kit of two bundles: of the first the version counts up while that
// of the second counts down.
func packed(t *testing.T, version string) []byte {
	t.Helper()
	other := map[string]string{"1": "2", "2": "1"}[version]
	signer := pkitest.Lab().Signer
	out, err := packTo([]Item{
		{Name: "first", Bundle: parse(t, pkitest.Bundle(signer, "First Bundle", other, now, pkitest.CoreV1()...))},
		{Name: "second", Bundle: parse(t, pkitest.Bundle(signer, "Second Bundle", version, now, pkitest.CoreV1()...))},
	}, packOptions(t))
	if err != nil {
		t.Fatal(err)
	}
	return out
}
