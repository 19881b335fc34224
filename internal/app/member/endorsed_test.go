package member

import (
	"bytes"
	"crypto/ed25519"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/roster"
	"github.com/culvert-net/culvert/mesh/rules"
)

// The owner is told once that enough members want other rules, who was a member in
// an epoch counts in it, and what was said before is not read again.
func TestWantedIsSaidOnce(t *testing.T) {
	_, key, err := ed25519.GenerateKey(nil)
	try(t, err)
	w := makeWorld(t, 1, key)
	var log bytes.Buffer
	m, err := Open(Config{
		Dir: t.TempDir(), World: w, Key: key, Providers: roster.NoProviders{}, Log: slog.New(slog.NewTextHandler(&log, nil)),
		Rules: rules.Policy{Threshold: 1, Epochs: 1, Lasts: 2},
	})
	try(t, err)
	t.Cleanup(func() { try(t, m.Close()) })
	now := time.Now()
	try(t, Found([]Founder{{Member: m, Role: roster.RoleMemory}}, keysOf(key), now))
	other := w.Rules
	other.EpochLenMS /= 2
	ops := &Ops{Member: m}
	if _, err := ops.endorse(t.Context(), EndorseIn{Bundle: other.Canonical(), Weight: 1}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if s, err := m.endorsed.standing(now); err != nil || len(s) != 1 || !s[0].Active || !s[0].Known {
			t.Fatalf("standing = %+v, %v; want one, active and known", s, err)
		}
		m.endorsed.watch(now)
	}
	if n := strings.Count(log.String(), "enough members want other rules"); n != 1 {
		t.Errorf("said %d times, want once:\n%s", n, log.String())
	}
	if r := m.endorsed.wanted(); r == nil || r.Hash != other.Hash().String() {
		t.Errorf("wanted = %+v", r)
	}
	if read, all := m.endorsed.read, len(m.endorsed.all); read == 0 || all != 1 {
		t.Errorf("%d endorsements kept after three looks, read up to %d; want each read once", all, read)
	}
	// Two epochs later it counts no more, and is forgotten.
	later := w.EpochStart(w.Epoch(now) + 2)
	if s, err := m.endorsed.standing(later); err != nil || len(s) != 0 || m.endorsed.wanted() != nil || len(m.endorsed.all) != 0 {
		t.Errorf("two epochs later: %+v, %v, %d kept; want nothing", s, err, len(m.endorsed.all))
	}
	if _, err := ops.endorse(t.Context(), EndorseIn{Bundle: []byte("x"), Weight: 1}); err == nil {
		t.Error("half a bundle is endorsed")
	}
	strange := other
	strange.FixedCellBytes = 1
	if _, err := ops.endorse(t.Context(), EndorseIn{Bundle: strange.Canonical(), Weight: 1}); err == nil {
		t.Error("rules that no world may have are endorsed")
	}
	e, err := event.SignEndorsement(key, event.Endorsement{Place: ops.place(), Rules: w.Rules.Hash(), Weight: 1})
	try(t, err)
	try(t, m.Say(t.Context(), e, now))
	if s, err := m.endorsed.standing(now); err != nil || m.endorsed.wanted() != nil {
		t.Errorf("the world's own rules: %+v, wanted %+v, %v; nobody has to move for them", s, m.endorsed.wanted(), err)
	}
}
