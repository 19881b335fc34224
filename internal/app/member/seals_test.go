package member

import (
	"bytes"
	"context"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/telemetry"
	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/eventlog"
	"github.com/culvert-net/culvert/mesh/quorum"
	"github.com/culvert-net/culvert/mesh/world"
)

// saidIn says something in an epoch that may be over.
func saidIn(t testing.TB, m *Member, epoch uint64, rules byte) world.Hash {
	t.Helper()
	e, err := event.SignEndorsement(m.cfg.Key, event.Endorsement{
		Place: event.Place{WorldID: m.cfg.World.ID, EpochID: epoch}, Rules: world.Hash{rules}, Weight: 1,
	})
	try(t, err)
	try(t, m.Say(t.Context(), e, time.Now()))
	return e.ID
}

// A signer closes an epoch with what it has from all; the seal goes with sync, with
// what came too late, and both are told apart by everybody, also after a restart.
func TestSealsTravel(t *testing.T) {
	a, b, c := newKey(t), newKey(t), newKey(t)
	w := makeWorld(t, 1, a)
	ma, mb, mc := open(t, w, a), open(t, w, b), open(t, w, c)
	long := time.Now().Add(-3 * w.EpochLen())
	try(t, foundBy(ma, "", long, a))
	joinDirectlyAt(t, ma, mb, nil, long)
	joinDirectlyAt(t, ma, mc, nil, long)
	s := start(t, ma, mb, mc)
	memory := quorum.NewMemory(w.ID)
	try(t, s[0].Sign(memory, Links{}))
	over := w.Epoch(time.Now()) - 1

	in := []world.Hash{saidIn(t, ma, over, 1), saidIn(t, mb, over, 2)}
	for _, m := range []*Service{s[2], s[1], s[2]} { // c brings b the roster
		if why := meet(t, m, ma); why != "none" {
			t.Fatalf("%s with a: %s", short(m.Self()), why)
		}
	}
	try(t, s[0].signer.Propose(t.Context(), over))
	if seal, ok := ma.book.Sealed(over); !ok || seal.Count != 2 {
		t.Fatalf("sealed %v, with %d events; want 2", ok, seal.Count)
	}
	late := saidIn(t, mb, over, 3)
	meet(t, s[1], ma) // b gets the seal, a the late event
	meet(t, s[1], ma) // b hears what is late
	meet(t, s[2], mb) // c never meets the signer again
	for _, m := range []*Member{ma, mb, mc} {
		_, err := m.book.Retry()
		try(t, err)
		for _, id := range in {
			if state, err := m.events.InSeal(over, id); state != eventlog.SealIn || err != nil {
				t.Errorf("%s: an event is %v, %v", short(m.Self()), state, err)
			}
		}
		x, err := (&Ops{Member: m}).explain(t.Context(), Named{Name: late.String()})
		try(t, err)
		if !x.Stored || x.Seal != eventlog.SealOutside.String() {
			t.Errorf("%s: the late event is explained as %+v", short(m.Self()), x)
		}
		if st := m.sealStatus(); st.Newest != over || st.Sealed != 1 || st.Pending != 0 || m.Alarm() != "" {
			t.Errorf("%s: %+v, alarm %q", short(m.Self()), st, m.Alarm())
		}
	}
	if content, ok := memory.Signed(quorum.SealOf(over)); !ok || content == (world.Hash{}) {
		t.Error("the signer does not remember the seal")
	}
	draft, err := (drafts{ma.store}).Draft(t.Context(), over)
	if err != nil || !bytes.Contains(draft, in[0][:]) {
		t.Errorf("the draft is not kept: %x, %v", draft, err)
	}
}

// Two seals of one epoch need a signer that lies. Who sees both says so, after a
// restart too, and does not stop to sync with who brought the second.
func TestDoubleSealIsAnAlarm(t *testing.T) {
	a, b := newKey(t), newKey(t)
	w := makeWorld(t, 1, a)
	ma, mb := open(t, w, a), open(t, w, b)
	try(t, foundBy(ma, "", time.Now(), a))
	joinDirectlyAt(t, ma, mb, nil, time.Now())
	s := start(t, ma, mb)
	over := w.Epoch(time.Now()) - 1
	try(t, s[0].Sign(quorum.NewMemory(w.ID), Links{}))
	try(t, s[0].signer.Propose(t.Context(), over))
	twin := open(t, w, a) // the signer once more, without its memory
	try(t, twin.chain.AppendAll(ma.Roster().Entries(1), nil, time.Now()))
	add(t, twin, over)
	other, err := twin.Start(net1{}, nil)
	try(t, err)
	try(t, other.Sign(quorum.NewMemory(w.ID), Links{}))
	try(t, other.signer.Propose(t.Context(), over))
	for _, m := range []*Member{ma, twin} {
		if err := (seals{mb}).Merge((seals{m}).Items()); err != nil {
			t.Errorf("Merge = %v, want no session ended by it", err)
		}
	}
	alarmed := func(m *Member) {
		t.Helper()
		if s := m.sealStatus(); s.Double != 1 || !slices.Equal(s.DoubleBy, []string{fullKey(ma.Self())}) || !strings.Contains(m.Alarm(), short(ma.Self())) {
			t.Errorf("%+v, alarm %q; want one that names the signer", s, m.Alarm())
		}
		if s, ok := m.book.Sealed(over); !ok || s.Count != 0 {
			t.Errorf("the first seal does not stand: %v, %d events", ok, s.Count)
		}
	}
	alarmed(mb)
	mb = reopen(t, mb)
	alarmed(mb)
	if text := metrics(t, start(t, mb)[0]); !strings.Contains(text, "\nculvert_seal_double 1\n") {
		t.Errorf("after a restart metrics do not tell of the two seals: %s", text)
	}
}

// metrics are what a service counts, as they are scraped.
func metrics(t testing.TB, s *Service) string {
	t.Helper()
	r := telemetry.New("observer", "test")
	Watch(r, func() *Service { return s })
	w := httptest.NewRecorder()
	r.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	return w.Body.String()
}

// add puts an event into a log as if it had come by sync.
func add(t testing.TB, m *Member, epoch uint64) {
	t.Helper()
	e, err := event.SignEndorsement(m.cfg.Key, event.Endorsement{
		Place: event.Place{WorldID: m.cfg.World.ID, EpochID: epoch}, Rules: world.Hash{9}, Weight: 1,
	})
	try(t, err)
	r, err := m.events.Add(context.Background(), []*event.Event{e}, eventlog.ViaSync, time.Now())
	if err != nil || r.Added != 1 {
		t.Fatalf("Add = %+v, %v", r, err)
	}
}

// Drafts are kept as long as they may be asked for, and no longer.
func TestDraftsAreBounded(t *testing.T) {
	m := open(t, makeWorld(t, 1, newKey(t)), newKey(t))
	d := drafts{m.store}
	for epoch := range uint64(200) {
		try(t, d.PutDraft(t.Context(), epoch, []byte{1}))
	}
	for _, x := range []struct {
		epoch uint64
		kept  bool
	}{{0, false}, {199 - keptDrafts - 1, false}, {199 - keptDrafts, true}, {199, true}, {200, false}} {
		b, err := d.Draft(t.Context(), x.epoch)
		if err != nil || (b != nil) != x.kept {
			t.Errorf("the draft of epoch %d: %x, %v; kept should be %v", x.epoch, b, err, x.kept)
		}
	}
}
