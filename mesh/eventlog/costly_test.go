package eventlog

import (
	"context"
	"errors"
	"testing"

	"github.com/culvert-net/culvert/mesh/world"
)

// A member that signs receipts with tickets that only look good has two of them
// computed in an epoch, however it sends them: one by one, in batches, or from
// another peer.
func TestBadTicketsAreBounded(t *testing.T) {
	w := testWorld(t, terms{quota: 100, ticketBits: 1})
	l := fresh(t, w)
	now := midOf(w, someEpoch)
	a := NewAdmission(AdmissionConfig{Log: l, Members: authors(2)})
	bad := func(author, n int) Candidate {
		return Candidate{Bytes: ticketed(t, w, someEpoch, author, n, &world.Ticket{Nonce: world.Hash{byte(n)}}).Canonical()}
	}
	for n := range 10 {
		e := ticketed(t, w, someEpoch, 0, n, &world.Ticket{Nonce: world.Hash{byte(n)}})
		if err := a.Check(context.Background(), e, nil, ViaPush, now); !errors.Is(err, ReasonTicket) {
			t.Fatalf("Check = %v, want %v", err, ReasonTicket)
		}
	}
	for n := range 10 {
		r, err := a.Ingest(context.Background(), []Candidate{bad(0, n), bad(0, n+100)}, ViaSync, now)
		if err != nil || len(r.Refused) != 2 {
			t.Fatalf("Ingest = %+v, %v", r, err)
		}
	}
	late := ticketed(t, w, someEpoch, 0, 50, ticket(t, w, someEpoch, 0))
	if err := a.Check(context.Background(), late, nil, ViaPush, now); !errors.Is(err, ReasonTicket) {
		t.Errorf("after %d bad tickets a good one is %v: it was computed", maxTries, err)
	}
	// That is held against nobody else, nor against another epoch.
	good := ticketed(t, w, someEpoch, 1, 1, ticket(t, w, someEpoch, 1))
	next := ticketed(t, w, someEpoch-1, 0, 1, ticket(t, w, someEpoch-1, 0))
	r, err := a.Ingest(context.Background(), []Candidate{{Bytes: good.Canonical()}, {Bytes: next.Canonical()}}, ViaSync, now)
	if err != nil || r.Added != 2 {
		t.Errorf("Ingest = %+v, %v, want both added", r, err)
	}
}

// A stamp stands beside a descriptor and not in it, so that one is bad is the fault
// of who sent it. One is computed of all that come at once, whatever else would be
// known of the descriptors.
func TestBadStamps(t *testing.T) {
	w := testWorld(t, terms{quota: 100, ticketBits: 1})
	l := fresh(t, w)
	now := midOf(w, someEpoch)
	a := NewAdmission(AdmissionConfig{Log: l, Members: authors(0)})
	var sent []Candidate
	for n := range 10 {
		sent = append(sent, Candidate{Bytes: descriptor(t, w, someEpoch, n, 1).Canonical(), Stamp: &world.Ticket{Nonce: world.Hash{1}}})
	}
	// The last one is good: that it is refused shows that it was not computed.
	sent = append(sent, Candidate{Bytes: descriptor(t, w, someEpoch, 20, 1).Canonical(), Stamp: ticket(t, w, someEpoch, 20)})
	r, err := a.Ingest(context.Background(), sent, ViaSync, now)
	if err != nil || len(r.Refused) != len(sent) {
		t.Fatalf("Ingest = %+v, %v", r, err)
	}
	for _, x := range r.Refused {
		if x.Reason != ReasonStamp {
			t.Errorf("refused for %v, want %v", x.Reason, ReasonStamp)
		}
	}
	// Beside what is known already it is no better.
	known := descriptor(t, w, someEpoch, 9, 1)
	stamp := ticket(t, w, someEpoch, 9)
	if r, err := a.Ingest(context.Background(), []Candidate{{Bytes: known.Canonical(), Stamp: stamp}}, ViaSync, now); err != nil || r.Added != 1 {
		t.Fatalf("Ingest = %+v, %v", r, err)
	}
	for name, x := range map[string]struct {
		stamp *world.Ticket
		want  error
	}{
		"its stamp": {stamp, ErrKnown},
		"no stamp":  {nil, ErrKnown},
		"another":   {&world.Ticket{Nonce: world.Hash{2}}, ReasonStamp},
	} {
		if err := a.Check(context.Background(), known, x.stamp, ViaPush, now); !errors.Is(err, x.want) {
			t.Errorf("what is known with %s: %v, want %v", name, err, x.want)
		}
	}
}
