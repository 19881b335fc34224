package event_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/event/eventtest"
	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

func TestRoundTrip(t *testing.T) {
	seen := make(map[event.Type]bool)
	for name, e := range eventtest.All(t) {
		b := e.Canonical()
		back, err := event.Decode(b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !reflect.DeepEqual(back, e) {
			t.Errorf("%s came back as %+v, want %+v", name, back.Body, e.Body)
		}
		if !bytes.Equal(back.Canonical(), b) {
			t.Errorf("%s encodes to other bytes", name)
		}
		if err := back.Verify(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if back.World() != eventtest.Place().WorldID || back.Epoch() != eventtest.Place().EpochID || back.Author() == [32]byte{} {
			t.Errorf("%s: world %v, epoch %d, author %x", name, back.World(), back.Epoch(), back.Author())
		}
		if _, is := back.Subject(); is != (back.Type() == event.TypeReceipt || back.Type() == event.TypeAttestation) {
			t.Errorf("%s: Subject says %v", name, is)
		}
		if parsed, err := event.ParseType(back.Type().String()); err != nil || parsed != back.Type() {
			t.Errorf("%v parses to %v, %v", back.Type(), parsed, err)
		}
		seen[back.Type()] = true
	}
	if len(seen) != len(event.Types()) {
		t.Errorf("%d of %d types are tested", len(seen), len(event.Types()))
	}
}

// Every bit of an event counts: whichever is flipped, it is refused by form, by
// an id or by the signature.
func TestEveryBitCounts(t *testing.T) {
	for name, e := range eventtest.All(t) {
		b := e.Canonical()
		for i := range len(b) * 8 {
			b[i/8] ^= 1 << (i % 8)
			if got, err := event.Decode(b); err == nil && got.Verify() == nil {
				t.Errorf("%s: bit %d may be flipped", name, i)
			}
			b[i/8] ^= 1 << (i % 8)
		}
		for n := range b {
			if _, err := event.Decode(b[:n]); err == nil {
				t.Errorf("%s: cut at %d it is accepted", name, n)
			}
		}
		if _, err := event.Decode(append(b, 0)); !errors.Is(err, postcard.ErrTrailing) {
			t.Errorf("%s with a byte more: %v", name, err)
		}
	}
}

// envelope builds an event by hand.
func envelope(body []byte, w world.Hash, epoch uint64, typ event.Type) []byte {
	id := world.Sum(body)
	b := slices.Concat(id[:], w[:])
	b = postcard.AppendUint(b, epoch)
	return append(postcard.AppendUint(b, uint64(typ)), body...)
}

func TestEnvelopeMustFit(t *testing.T) {
	for name, e := range eventtest.All(t) {
		body := e.Body.Canonical()
		for _, typ := range event.Types() {
			if _, err := event.Decode(envelope(body, e.World(), e.Epoch(), typ)); (err == nil) != (typ == e.Type()) || err != nil && !errors.Is(err, event.ErrType) {
				t.Errorf("%s in the envelope of a %v: %v", name, typ, err)
			}
		}
		if _, err := event.Decode(envelope(body, e.World(), e.Epoch(), 0)); !errors.Is(err, event.ErrType) {
			t.Errorf("%s of no type: %v", name, err)
		}
		if _, err := event.Decode(envelope(body, e.World(), e.Epoch(), 10)); !errors.Is(err, postcard.ErrVariant) {
			t.Errorf("%s of an unknown type: %v", name, err)
		}
		for _, p := range []event.Place{{WorldID: eventtest.Hash(0x12), EpochID: e.Epoch()}, {WorldID: e.World(), EpochID: e.Epoch() + 1}} {
			got, err := event.Decode(envelope(body, p.WorldID, p.EpochID, e.Type()))
			if err == nil { // the two that are placed by their envelope
				err = got.Verify()
			}
			if want := event.ErrPlace; !errors.Is(err, want) && !errors.Is(err, event.ErrSignature) {
				t.Errorf("%s moved to %v: %v", name, p, err)
			}
		}
	}
}

func TestDescriptorOnlyInItsEpoch(t *testing.T) {
	d := eventtest.Descriptor()
	for _, p := range []event.Place{{WorldID: d.DescriptorUnsigned.World, EpochID: d.DescriptorUnsigned.Epoch + 1}, {WorldID: eventtest.Hash(1), EpochID: d.DescriptorUnsigned.Epoch}} {
		e := event.New(&event.DescriptorPublish{Place: p, Descriptor: d})
		if _, err := event.Decode(e.Canonical()); !errors.Is(err, event.ErrPlace) {
			t.Errorf("published in %v: %v", p, err)
		}
	}
}

// A body whose signature is of another domain, world, epoch or key does not
// verify.
func TestSignatureIsBound(t *testing.T) {
	for name, e := range eventtest.All(t) {
		if e.Type() == event.TypeDescriptor {
			continue
		}
		msg := event.SignedMessage(e.Body)
		own := string(msg)
		for _, d := range world.Domains() {
			rest, ok := strings.CutPrefix(own, string(d))
			if !ok {
				continue
			}
			for _, other := range world.Domains() {
				resign(t, e, []byte(string(other)+rest))
				if err := e.Verify(); (err == nil) != (other == d) {
					t.Errorf("%s signed under %s: %v", name, other, err)
				}
			}
			moved := []byte(own)
			moved[len(d)] ^= 1
			resign(t, e, moved)
			if err := e.Verify(); !errors.Is(err, event.ErrSignature) {
				t.Errorf("%s signed for another world: %v", name, err)
			}
		}
	}
}

// resign puts a signature over msg into the event's body.
func resign(t *testing.T, e *event.Event, msg []byte) {
	t.Helper()
	s := reflect.ValueOf(e.Body).Elem().FieldByName("Signed").Addr().Interface().(*event.Signed)
	s.Signature = [64]byte(ed25519.Sign(eventtest.Key(1), msg))
}

func TestWrongIDs(t *testing.T) {
	for name, e := range eventtest.All(t) {
		f := reflect.ValueOf(e.Body).Elem().FieldByName("ID")
		if f.IsValid() {
			f.Set(reflect.ValueOf(eventtest.Hash(0xff)))
			if _, err := event.Decode(event.New(e.Body).Canonical()); !errors.Is(err, event.ErrID) {
				t.Errorf("%s with a wrong id: %v", name, err)
			}
		}
		switch b := e.Body.(type) {
		case *event.DescriptorPublish:
			b.Descriptor.ID = eventtest.Hash(0xff)
		case *event.Shard:
			b.Digest = eventtest.Hash(0xff)
		default:
			continue
		}
		if _, err := event.Decode(event.New(e.Body).Canonical()); !errors.Is(err, event.ErrID) {
			t.Errorf("%s with a wrong inner hash: %v", name, err)
		}
	}
}

func TestBounds(t *testing.T) {
	key := eventtest.Key(1)
	long := func(n int) string { return strings.Repeat("x", n) }
	withMetrics := func(change func(*event.Metrics)) func() (*event.Event, error) {
		return func() (*event.Event, error) {
			m := eventtest.Metrics()
			change(&m)
			return event.SignAttestation(key, event.Attestation{Place: eventtest.Place(), Metrics: m})
		}
	}
	for name, make := range map[string]func() (*event.Event, error){
		"success above 1":      withMetrics(func(m *event.Metrics) { m.SuccessRate = math.Nextafter(1, 2) }),
		"success NaN":          withMetrics(func(m *event.Metrics) { m.SuccessRate = math.NaN() }),
		"refusal negative":     withMetrics(func(m *event.Metrics) { m.RefusalConsistency = -0.1 }),
		"tools infinite":       withMetrics(func(m *event.Metrics) { m.ToolFidelity = math.Inf(1) }),
		"robustness above 1":   withMetrics(func(m *event.Metrics) { m.Robustness = 2 }),
		"drift negative":       withMetrics(func(m *event.Metrics) { m.Drift = -1 }),
		"p50 above p95":        withMetrics(func(m *event.Metrics) { m.LatencyP50 = m.LatencyP95 + 1 }),
		"latency of two hours": withMetrics(func(m *event.Metrics) { m.LatencyP95 = 7_200_000 }),
		"freshness unknown":    withMetrics(func(m *event.Metrics) { m.Freshness = 3 }),
		"anchor too long": func() (*event.Event, error) {
			return event.SignAttestation(key, event.Attestation{Place: eventtest.Place(), Metrics: eventtest.Metrics(), Anchor: make129()})
		},
		"ticket's anchor too long": func() (*event.Event, error) {
			return event.SignReceipt(key, event.Receipt{Place: eventtest.Place(), Ticket: &world.Ticket{Anchor: make129()}})
		},
		"dispute of one event": func() (*event.Event, error) {
			return event.SignDispute(key, event.Dispute{Place: eventtest.Place(), EventA: eventtest.Hash(1), EventB: eventtest.Hash(1)})
		},
		"long reason": func() (*event.Event, error) {
			return event.SignDispute(key, event.Dispute{Place: eventtest.Place(), EventA: eventtest.Hash(1), Reason: long(event.MaxReason + 1)})
		},
		"link hint of one target": func() (*event.Event, error) {
			return event.SignLinkHint(key, event.LinkHint{Place: eventtest.Place()})
		},
		"compatibility NaN": func() (*event.Event, error) {
			return event.SignLinkHint(key, event.LinkHint{Place: eventtest.Place(), TargetA: eventtest.Hash(1), Compatibility: math.NaN()})
		},
		"weight too large": func() (*event.Event, error) {
			return event.SignEndorsement(key, event.Endorsement{Place: eventtest.Place(), Weight: event.MaxWeight + 1})
		},
		"no verdict": func() (*event.Event, error) {
			return event.SignVerdict(key, event.Verdict{Place: eventtest.Place(), Verdict: "maybe"})
		},
		"too many reasons": func() (*event.Event, error) {
			var reasons []string
			for i := range event.MaxReasons + 1 {
				reasons = append(reasons, long(i))
			}
			return event.SignVerdict(key, event.Verdict{Place: eventtest.Place(), Verdict: event.VerdictAccept, Reasons: reasons})
		},
		"long reason of a verdict": func() (*event.Event, error) {
			return event.SignVerdict(key, event.Verdict{Place: eventtest.Place(), Verdict: event.VerdictAccept, Reasons: []string{long(event.MaxReason + 1)}})
		},
		"payload too large": func() (*event.Event, error) {
			return event.SignShard(key, event.Shard{Place: eventtest.Place(), Payload: []byte(long(event.MaxPayload + 1))})
		},
		"source too long": func() (*event.Event, error) {
			return event.SignShard(key, event.Shard{Place: eventtest.Place(), Source: long(event.MaxName + 1)})
		},
		"too many shards": func() (*event.Event, error) {
			var shards []world.Hash
			for i := range event.MaxShards + 1 {
				shards = append(shards, world.Hash{byte(i), byte(i >> 8)})
			}
			return event.SignManifest(key, event.Manifest{Place: eventtest.Place(), Shards: shards})
		},
		"method too long": func() (*event.Event, error) {
			return event.SignManifest(key, event.Manifest{Place: eventtest.Place(), Method: long(event.MaxName + 1)})
		},
		"model's name too long": func() (*event.Event, error) {
			return event.SignManifest(key, event.Manifest{Place: eventtest.Place(), BaseModel: long(event.MaxName + 1)})
		},
	} {
		if _, err := make(); !errors.Is(err, event.ErrBounds) {
			t.Errorf("%s: %v, want %v", name, err, event.ErrBounds)
		}
	}
	// The largest of each kind fit.
	if _, err := event.SignShard(key, event.Shard{Place: eventtest.Place(), Source: long(event.MaxName), Payload: make([]byte, event.MaxPayload)}); err != nil {
		t.Error(err)
	}
	var shards []world.Hash
	for i := range event.MaxShards {
		shards = append(shards, world.Hash{byte(i), byte(i >> 8)})
	}
	if _, err := event.SignManifest(key, event.Manifest{Place: eventtest.Place(), BaseModel: long(event.MaxName), Method: long(event.MaxName), Shards: shards}); err != nil {
		t.Error(err)
	}
}

func make129() []byte { return make([]byte, world.MaxAnchor+1) }

// Decode looks at bounds too, not only Sign.
func TestDecodeChecksBounds(t *testing.T) {
	e, err := event.SignEndorsement(eventtest.Key(1), event.Endorsement{Place: eventtest.Place(), Weight: 1})
	if err != nil {
		t.Fatal(err)
	}
	e.Body.(*event.Endorsement).Weight = event.MaxWeight + 1
	if _, err := event.Decode(event.New(e.Body).Canonical()); !errors.Is(err, event.ErrBounds) {
		t.Errorf("Decode = %v, want %v", err, event.ErrBounds)
	}
	if _, err := event.Decode(make([]byte, event.MaxEvent+1)); !errors.Is(err, event.ErrTooLarge) {
		t.Errorf("Decode of too much = %v, want %v", err, event.ErrTooLarge)
	}
}

func TestReasonsAreSortedByCanonicalBytes(t *testing.T) {
	e, err := event.SignVerdict(eventtest.Key(1), event.Verdict{Place: eventtest.Place(), Verdict: event.VerdictReject, Reasons: []string{"b", "aa", "a", "b", ""}})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := e.Body.(*event.Verdict).Reasons, []string{"", "a", "b", "aa"}; !slices.Equal(got, want) {
		t.Errorf("reasons = %q, want %q", got, want)
	}
	for _, wrong := range [][]string{{"aa", "b"}, {"a", "a"}} {
		v := *e.Body.(*event.Verdict)
		v.Reasons = wrong
		if _, err := event.Decode(event.New(&v).Canonical()); !errors.Is(err, postcard.ErrOrder) {
			t.Errorf("reasons %q: %v, want %v", wrong, err, postcard.ErrOrder)
		}
	}
}

// Tickets have one set of parameters; others are refused before anybody
// computes.
func TestTicketParameters(t *testing.T) {
	body := eventtest.All(t)["receipt with options"].Body.Canonical()
	own := postcard.AppendUint(postcard.AppendUint(postcard.AppendUint(nil, world.TicketN), world.TicketR), world.TicketP)
	other := postcard.AppendUint(postcard.AppendUint(postcard.AppendUint(nil, 1<<20), world.TicketR), world.TicketP)
	if bytes.Count(body, own) != 1 {
		t.Fatal("the parameters are not where the test looks for them")
	}
	b := envelope(bytes.Replace(body, own, other, 1), eventtest.Place().WorldID, eventtest.Place().EpochID, event.TypeReceipt)
	if _, err := event.Decode(b); !errors.Is(err, event.ErrTicketForm) {
		t.Errorf("Decode = %v, want %v", err, event.ErrTicketForm)
	}
}

func TestAggregate(t *testing.T) {
	m := eventtest.Metrics().Aggregate()
	want := eventtest.Metrics()
	want.SuccessRate = 62.0 / 64 // 0.97 · 64 = 62.08
	if m != want {
		t.Errorf("Aggregate = %+v, want %+v", m, want)
	}
	if again := m.Aggregate(); again != m {
		t.Errorf("Aggregate of it = %+v, want %+v", again, m)
	}
	back, err := event.DecodeMetrics(m.Canonical())
	if err != nil || back != m {
		t.Errorf("DecodeMetrics = %+v, %v, want %+v", back, err, m)
	}
}
