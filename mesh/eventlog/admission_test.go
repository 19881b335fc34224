package eventlog

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/world"
)

// asked counts how often somebody asks for members.
type asked struct {
	members
	times int
}

func (a *asked) Member(key [32]byte, epoch uint64) bool {
	a.times++
	return a.members.Member(key, epoch)
}

// ticketed is a receipt with a ticket.
func ticketed(tb testing.TB, w *world.World, epoch uint64, author, n int, t *world.Ticket) *event.Event {
	tb.Helper()
	r := event.Receipt{Place: event.Place{WorldID: w.ID, EpochID: epoch}, Challenge: world.Hash{0: byte(n)}, Ticket: t}
	e, err := event.SignReceipt(key(author), r)
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

func ticket(tb testing.TB, w *world.World, epoch uint64, author int) *world.Ticket {
	tb.Helper()
	t, err := world.MakeTicket(context.Background(), w.ID, epoch, public(author), nil, w.Terms().TicketBits)
	if err != nil {
		tb.Fatal(err)
	}
	return &t
}

// forged is a receipt that was changed behind its signature, its id made to fit.
func forged(tb testing.TB, w *world.World, epoch uint64, author, n int) []byte {
	tb.Helper()
	e := receipt(tb, w, epoch, author, n)
	b, body := e.Canonical(), len(e.Body.Canonical())
	b[len(b)-1] ^= 1
	id := world.Sum(b[len(b)-body:])
	copy(b, id[:])
	if e, err := event.Decode(b); err != nil || e.Verify() == nil {
		tb.Fatalf("the forged receipt = %v, %v; want one that decodes and does not verify", e, err)
	}
	return b
}

// Every reason, and that nothing dearer than it was asked before.
func TestAdmission(t *testing.T) {
	w := testWorld(t, terms{quota: 2, ticketBits: 1})
	other := testWorld(t, terms{quota: 3, ticketBits: 1})
	now := midOf(w, someEpoch)
	good := ticket(t, w, someEpoch, 0)
	bad := *good
	bad.Nonce[0] ^= 1
	link, err := event.SignLinkHint(key(0), event.LinkHint{
		Place: event.Place{WorldID: w.ID, EpochID: someEpoch}, TargetA: target(1), TargetB: target(2),
	})
	if err != nil {
		t.Fatal(err)
	}
	full := make([]*event.Event, 3)
	for i := range full {
		full[i], err = event.SignDispute(key(1), event.Dispute{
			Place: event.Place{WorldID: w.ID, EpochID: someEpoch}, EventA: world.Hash{0: byte(i)}, EventB: world.Hash{31: 1},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	swapped := link.Canonical()
	swapped[len(swapped)-200] ^= 1
	for _, tt := range []struct {
		name  string
		bytes []byte
		stamp *world.Ticket
		via   Via
		want  Reason
		dear  bool // it was asked whether the author is a member
	}{
		{"good", ticketed(t, w, someEpoch, 0, 1, good).Canonical(), nil, ViaPush, 0, true},
		{"good, of the next epoch", link3(t, w, someEpoch+1), nil, ViaPush, 0, true},
		{"good, of the last epoch", link3(t, w, someEpoch-1), nil, ViaPush, 0, true},
		{"empty", nil, nil, ViaPush, ReasonSize, false},
		{"short", make([]byte, 64), nil, ViaPush, ReasonSize, false},
		{"long", make([]byte, event.MaxEvent+1), nil, ViaPush, ReasonSize, false},
		{"other world", receipt(t, other, someEpoch, 0, 1).Canonical(), nil, ViaPush, ReasonWorld, false},
		{"a byte changed", swapped, nil, ViaPush, ReasonMalformed, false},
		{"a byte more", append(link.Canonical(), 0), nil, ViaPush, ReasonMalformed, false},
		{"unwanted type", endorsement(t, w), nil, ViaPush, ReasonType, false},
		{"early", link3(t, w, someEpoch+2), nil, ViaPush, ReasonEarly, false},
		{"early by sync", link3(t, w, someEpoch+2), nil, ViaSync, ReasonEarly, false},
		{"late", link3(t, w, someEpoch-2), nil, ViaPush, ReasonLate, false},
		{"late, by sync", link3(t, w, someEpoch-2), nil, ViaSync, 0, true},
		{"behind the horizon", link3(t, w, someEpoch-7), nil, ViaSync, ReasonHorizon, false},
		{"dropped", link3(t, w, someEpoch-6), nil, ViaSync, ReasonPruned, false},
		{"over quota", full[2].Canonical(), nil, ViaPush, ReasonQuota, false},
		{"of a stranger", receipt(t, w, someEpoch, 9, 1).Canonical(), nil, ViaPush, ReasonStranger, true},
		{"forged", forged(t, w, someEpoch, 0, 1), nil, ViaPush, ReasonSignature, true},
		{"receipt without a ticket", receipt(t, w, someEpoch, 0, 1).Canonical(), nil, ViaPush, ReasonTicket, true},
		{"receipt with a bad one", ticketed(t, w, someEpoch, 0, 1, &bad).Canonical(), nil, ViaPush, ReasonTicket, true},
		{"receipt with another's", ticketed(t, w, someEpoch, 1, 1, good).Canonical(), nil, ViaPush, ReasonTicket, true},
		{"descriptor of a stranger", descriptor(t, w, someEpoch, 9, 1).Canonical(), nil, ViaPush, 0, false},
		{"descriptor with a stamp", descriptor(t, w, someEpoch, 9, 1).Canonical(), ticket(t, w, someEpoch, 9), ViaPush, 0, false},
		{"descriptor with another's", descriptor(t, w, someEpoch, 9, 1).Canonical(), good, ViaPush, ReasonStamp, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := fresh(t, w)
			add(t, l, now.Add(-time.Hour), receipt(t, w, someEpoch-7, 0, 1))
			add(t, l, now, full[0], full[1], receipt(t, w, someEpoch-4, 1, 1))
			if _, err := l.Prune(now); err != nil {
				t.Fatal(err)
			}
			if tt.want == ReasonPruned { // as a clock that went ahead and was set back leaves it
				if _, err := l.Prune(now.Add(5 * time.Hour)); err != nil {
					t.Fatal(err)
				}
			}
			m := &asked{members: authors(3)}
			types := []event.Type{event.TypeReceipt, event.TypeLinkHint, event.TypeDispute, event.TypeDescriptor}
			a := NewAdmission(AdmissionConfig{Log: l, Members: m, Types: types})
			r, err := a.Ingest(context.Background(), []Candidate{{tt.bytes, tt.stamp}}, tt.via, now)
			var refused []Refusal
			if tt.want != 0 {
				refused = []Refusal{{0, tt.want}}
			}
			if err != nil || !slices.Equal(r.Refused, refused) || r.Added != 1-len(refused) || r.Known != 0 {
				t.Fatalf("Ingest = %+v, %v; want reason %v", r, err, tt.want)
			}
			if m.times > 0 != tt.dear {
				t.Errorf("members were asked %d times", m.times)
			}
			if tt.want != 0 && l.Refused(tt.want) != 1 {
				t.Errorf("%d refused for being %s, want 1", l.Refused(tt.want), tt.want.Label())
			}
			whole(t, l)
		})
	}
}

// link3 is a link hint of author 2.
func link3(tb testing.TB, w *world.World, epoch uint64) []byte {
	tb.Helper()
	e, err := event.SignLinkHint(key(2), event.LinkHint{
		Place: event.Place{WorldID: w.ID, EpochID: epoch}, TargetA: target(1), TargetB: target(2),
	})
	if err != nil {
		tb.Fatal(err)
	}
	return e.Canonical()
}

func endorsement(tb testing.TB, w *world.World) []byte {
	tb.Helper()
	e, err := event.SignEndorsement(key(0), event.Endorsement{Place: event.Place{WorldID: w.ID, EpochID: someEpoch}, Weight: 1})
	if err != nil {
		tb.Fatal(err)
	}
	return e.Canonical()
}

// One ticket pays for all of a prober's receipts of the epoch, in whatever order
// they come, and after a restart.
func TestOneTicketPaysForAnEpoch(t *testing.T) {
	w := testWorld(t, terms{quota: 10, ticketBits: 1})
	now := midOf(w, someEpoch)
	l := fresh(t, w)
	ingest := func(want Result, events ...*event.Event) {
		t.Helper()
		var sent []Candidate
		for _, e := range events {
			sent = append(sent, Candidate{Bytes: e.Canonical()})
		}
		a := NewAdmission(AdmissionConfig{Log: l, Members: authors(2)})
		got, err := a.Ingest(context.Background(), sent, ViaPush, now)
		if err != nil || got.Added != want.Added || !slices.Equal(got.Refused, want.Refused) {
			t.Fatalf("Ingest = %+v, %v; want %+v", got, err, want)
		}
	}
	bare := func(n int) *event.Event { return ticketed(t, w, someEpoch, 0, n, nil) }
	ingest(Result{Refused: []Refusal{{0, ReasonTicket}}}, bare(1))
	ingest(Result{Added: 2}, bare(1), ticketed(t, w, someEpoch, 0, 2, ticket(t, w, someEpoch, 0)))
	ingest(Result{Added: 1}, bare(3))
	// Neither for the next epoch nor for another prober.
	ingest(Result{Refused: []Refusal{{0, ReasonTicket}, {1, ReasonTicket}}},
		ticketed(t, w, someEpoch+1, 0, 1, nil), ticketed(t, w, someEpoch, 1, 1, nil))
}

// What its epoch's seal names owes no ticket, and a descriptor there is not
// counted among those that cost nothing.
func TestSealedOwesNoTicket(t *testing.T) {
	w := testWorld(t, terms{quota: 10, ticketBits: 20})
	now := midOf(w, someEpoch)
	l := fresh(t, w)
	in, out := receipt(t, w, someEpoch-3, 0, 1), receipt(t, w, someEpoch-3, 1, 1)
	if err := l.SetSeal(someEpoch-3, []byte("seal"), []world.Hash{in.ID}); err != nil {
		t.Fatal(err)
	}
	a := NewAdmission(AdmissionConfig{Log: l, Members: authors(2)})
	got, err := a.Ingest(context.Background(), []Candidate{{in.Canonical(), nil}, {out.Canonical(), nil}}, ViaSync, now)
	if want := []Refusal{{1, ReasonTicket}}; err != nil || got.Added != 1 || !slices.Equal(got.Refused, want) {
		t.Fatalf("Ingest = %+v, %v; want one added and %v", got, err, want)
	}
}

// Descriptors without a stamp are bounded in an epoch, those with one are not,
// and the stamp is kept to be handed on.
func TestUnstampedDescriptorsAreBounded(t *testing.T) {
	w := testWorld(t, terms{quota: 10, ticketBits: 1})
	now := midOf(w, someEpoch)
	l := fresh(t, w)
	for from := 0; from < maxUnstamped; from += 1024 {
		var events []*event.Event
		for i := range 1024 {
			events = append(events, descriptor(t, w, someEpoch, 100+(from+i)/quotaDescriptors, i))
		}
		add(t, l, now, events...)
	}
	a := NewAdmission(AdmissionConfig{Log: l, Members: authors(0)})
	stamp := ticket(t, w, someEpoch, 9)
	e := descriptor(t, w, someEpoch, 9, 1)
	if err := a.Check(context.Background(), e, nil, ViaPush, now); !errors.Is(err, ReasonUnstamped) {
		t.Fatalf("Check without a stamp = %v, want ReasonUnstamped", err)
	}
	if err := a.Check(context.Background(), e, stamp, ViaPush, now); err != nil {
		t.Fatalf("Check with a stamp = %v", err)
	}
	r, err := a.Ingest(context.Background(), []Candidate{{e.Canonical(), stamp}}, ViaPush, now)
	if err != nil || r.Added != 1 {
		t.Fatalf("Ingest with a stamp = %+v, %v", r, err)
	}
	_, meta, err := l.Get(someEpoch, e.ID)
	if err != nil || !slices.Equal(meta.Stamp, stamp.Bytes()) {
		t.Errorf("Get = stamp of %d bytes, %v; want that which was sent", len(meta.Stamp), err)
	}
	if err := a.Check(context.Background(), e, stamp, ViaPush, now); !errors.Is(err, ErrKnown) {
		t.Errorf("Check of what is there = %v, want ErrKnown", err)
	}
	whole(t, l)
}

// A batch of everything at once, larger than one transaction, on all cores.
func TestIngestMixed(t *testing.T) {
	w := testWorld(t, terms{quota: 3000})
	now := midOf(w, someEpoch)
	l := fresh(t, w)
	a := NewAdmission(AdmissionConfig{Log: l, Members: authors(2)})
	var sent []Candidate
	var want Result
	for i := range groupEvents + 700 {
		switch i % 5 {
		case 0:
			sent = append(sent, Candidate{Bytes: receipt(t, w, someEpoch, 5, i).Canonical()})
			want.Refused = append(want.Refused, Refusal{i, ReasonStranger})
		case 1:
			sent = append(sent, Candidate{Bytes: sent[max(0, len(sent)-3)].Bytes})
			if i < 3 {
				want.Refused = append(want.Refused, Refusal{i, ReasonStranger})
			} else {
				want.Known++
			}
		default:
			sent = append(sent, Candidate{Bytes: receipt(t, w, someEpoch-uint64(i%3), i%2, i).Canonical()})
			want.Added++
		}
	}
	got, err := a.Ingest(context.Background(), sent, ViaSync, now)
	if err != nil || got.Added != want.Added || got.Known != want.Known || !slices.Equal(got.Refused, want.Refused) {
		t.Fatalf("Ingest = %d added, %d known, %d refused, %v; want %d, %d, %d",
			got.Added, got.Known, len(got.Refused), err, want.Added, want.Known, len(want.Refused))
	}
	if r := whole(t, l); r.Events != uint64(want.Added) {
		t.Errorf("%d events in the log, want %d", r.Events, want.Added)
	}
}

func TestIngestEnds(t *testing.T) {
	w := testWorld(t, terms{quota: 10, ticketBits: 1})
	l := fresh(t, w)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	a := NewAdmission(AdmissionConfig{Log: l, Members: authors(1)})
	e := ticketed(t, w, someEpoch, 0, 1, ticket(t, w, someEpoch, 0))
	if _, err := a.Ingest(ctx, []Candidate{{e.Canonical(), nil}}, ViaPush, midOf(w, someEpoch)); !errors.Is(err, context.Canceled) {
		t.Errorf("Ingest = %v, want context.Canceled", err)
	}
}

// Reasons are a closed list: the codes are on the wire.
func TestReasons(t *testing.T) {
	want := []string{
		"size", "world", "malformed", "type", "early", "late", "horizon", "pruned", "quota",
		"stranger", "signature", "ticket", "unstamped", "stamp", "sealed",
	}
	for i, r := range Reasons() {
		if r.Code() != uint8(i+1) || r.Label() != want[i] || r.Error() == "" {
			t.Errorf("reason %d is %q, code %d; want %q, %d", i+1, r.Label(), r.Code(), want[i], i+1)
		}
	}
	if len(Reasons()) != len(want) || Reason(0).Label() != "unknown" || Reason(200).Label() != "unknown" {
		t.Errorf("%d reasons, want %d, and no name for others", len(Reasons()), len(want))
	}
}

// A node whose clock is behind refuses what others push, and learns from it that
// it is the clock: from members who signed, not from whoever says so.
func TestRefusalsTellOfTheClock(t *testing.T) {
	w := testWorld(t, terms{quota: 10})
	l := fresh(t, w)
	clock := NewClock(w)
	a := NewAdmission(AdmissionConfig{Log: l, Members: authors(5), Clock: clock})
	push := func(e []byte) {
		t.Helper()
		r, err := a.Ingest(context.Background(), []Candidate{{Bytes: e}}, ViaPush, w.EpochStart(someEpoch-4))
		if err != nil || len(r.Refused) != 1 || r.Refused[0].Reason != ReasonEarly {
			t.Fatalf("Ingest = %+v, %v; want it refused as early", r, err)
		}
	}
	for i := range 5 {
		push(forged(t, w, someEpoch, i, 1))
		push(receipt(t, w, someEpoch, 20+i, 1).Canonical())
	}
	if s := clock.Skew(); s.Peers != 0 {
		t.Errorf("Skew = %+v from what nobody signed, and from strangers", s)
	}
	for i := range 5 {
		push(receipt(t, w, someEpoch, i, 1).Canonical())
	}
	if s := clock.Skew(); !s.Wrong || !s.Behind || s.Epochs != 4 {
		t.Errorf("Skew = %+v (%v), want 4 epochs behind", s, s)
	}
}
