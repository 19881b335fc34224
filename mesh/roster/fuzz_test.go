package roster

import (
	"bytes"
	"testing"
	"time"

	"github.com/culvert-net/culvert/mesh/world"
)

// identity fuzzes a decoder: what it accepts encodes to the same bytes again.
func identity[T interface{ Canonical() []byte }](f *testing.F, decode func([]byte) (T, error), seeds ...T) {
	for _, s := range seeds {
		f.Add(s.Canonical())
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, in []byte) {
		v, err := decode(in)
		if err != nil {
			return
		}
		if out := v.Canonical(); !bytes.Equal(out, in) {
			t.Errorf("%x decodes and encodes to %x", in, out)
		}
	})
}

// sample is one of each message.
func sample(tb testing.TB) (Entry, Boxes, Choice, Request) {
	g := newGroup(tb, spec{n: 2, m: 2, t: 2})
	g.later(time.Hour)
	p := someone(20, "op-20")
	c := g.approved(Change{Kind: Add, Member: p.Member}, g.founders...)
	e, boxes, err := g.roster.Propose(g.founders[0].key, []Change{c}, NoProviders{}, g.now)
	if err != nil {
		tb.Fatal(err)
	}
	e.Sign(g.founders[1].key)
	e.Changes[0].Ticket = &Ticket{Epoch: 300, Ticket: world.Ticket{Anchor: []byte("anchor")}}
	choice := Choice{World: g.world.ID, Parent: e.Previous, Chosen: e.Hash(), Number: 1}
	choice.Sign(g.founders[0].key)
	q := Request{Version: requestVersion, World: g.world.ID, Member: p.Member, Ticket: e.Changes[0].Ticket, Approval: &e.Changes[0].Approvals[0]}
	return e, boxes, choice, q
}

func FuzzEntry(f *testing.F) {
	e, _, _, _ := sample(f)
	identity(f, DecodeEntry, e, Entry{})
}

func FuzzPetition(f *testing.F) {
	e, _, _, _ := sample(f)
	identity(f, DecodePetition, Petition{e.Proposer, e.Changes[0]}, Petition{Change: Change{Kind: Remove}})
}

func FuzzApproval(f *testing.F) {
	e, _, _, _ := sample(f)
	identity(f, DecodeApproval, e.Changes[0].Approvals[0])
}

func FuzzSignature(f *testing.F) {
	e, _, _, _ := sample(f)
	identity(f, DecodeSignature, e.Signatures[0])
}

func FuzzChoice(f *testing.F) {
	_, _, c, _ := sample(f)
	identity(f, DecodeChoice, c, Choice{})
}

func FuzzBoxes(f *testing.F) {
	_, b, _, _ := sample(f)
	identity(f, DecodeBoxes, b, Boxes{})
}

func FuzzRequest(f *testing.F) {
	_, _, _, q := sample(f)
	identity(f, DecodeRequest, q, Request{})
}

func FuzzAnswer(f *testing.F) {
	e, b, c, _ := sample(f)
	identity(f, DecodeAnswer,
		Answer{Kind: Admitted, Entries: []Entry{e, e}, Choices: []Choice{c}, Entry: e.Hash(), Box: b.Sealed[0].Box},
		Answer{Kind: Pending, Missing: 2}, Answer{Kind: Refused, Reason: ReasonUsed})
}

// FuzzInvite feeds invite files: no panic, and what is accepted is written to
// one that means the same.
func FuzzInvite(f *testing.F) {
	b, err := sampleInvite(f).Format()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte("invite_format = 1\nworld = '''\n'''"))
	f.Fuzz(func(t *testing.T, in []byte) {
		v, err := ParseInvite(in)
		if err != nil {
			return
		}
		out, err := v.Format()
		if err != nil {
			t.Fatalf("accepted %q but cannot write it: %v", in, err)
		}
		again, err := ParseInvite(out)
		if err != nil || again.ID != v.ID || !again.Expires.Equal(v.Expires) || again.World.ID != v.World.ID || len(again.Addrs) != len(v.Addrs) {
			t.Errorf("%q came back as %+v, %v", in, again, err)
		}
	})
}

// FuzzChain feeds files of records: no panic, and what is good is a prefix.
func FuzzChain(f *testing.F) {
	g := newGroup(f, spec{n: 1, m: 1, t: 1})
	var good []byte
	for _, e := range g.roster.Entries(0) {
		good = append(good, record(kindEntry, e.Canonical())...)
	}
	f.Add(good)
	f.Add(append(good, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
	f.Fuzz(func(t *testing.T, in []byte) {
		n, err := New(g.world).load(in)
		if err != nil {
			return
		}
		if again, err := New(g.world).load(in[:n]); err != nil || again != n {
			t.Errorf("of %x %d bytes are good, and of these %d, %v", in, n, again, err)
		}
	})
}

// FuzzRecords feeds the records of the stores of invites and of the pool.
func FuzzRecords(f *testing.F) {
	role, operator := RoleProber, "acme"
	rec := inviteRecord{phrase: world.NewSecret([32]byte{1}), OpenInvite: OpenInvite{
		Role: &role, Operator: &operator, Expires: start(), Attempts: 3, Used: true,
	}}
	f.Add(rec.encode())
	f.Fuzz(func(t *testing.T, in []byte) {
		if rec, err := decodeInvite(in); err == nil {
			if again, err := decodeInvite(rec.encode()); err != nil || again.ID != rec.ID || again.Attempts != rec.Attempts || again.Used != rec.Used {
				t.Errorf("%x comes back as %+v, %v", in, again, err)
			}
		}
		if c, _, err := decodeWaiting(in); err == nil && !bytes.HasSuffix(in, c.append(nil)) {
			t.Errorf("%x decodes and encodes to %x", in, c.append(nil))
		}
	})
}

// FuzzKeyFile feeds keyring files whose checksum is right.
func FuzzKeyFile(f *testing.F) {
	g := newGroup(f, spec{n: 1, m: 1, t: 1})
	f.Add(make([]byte, 33))
	f.Add(append(make([]byte, 32), 1, 1))
	f.Fuzz(func(t *testing.T, in []byte) {
		b := append(fileHead(keyMagic, g.world.ID), in...)
		sum := world.Sum(b)
		k := &Keyring{roster: g.roster}
		if err := k.decode(append(b, sum[:]...)); err == nil && len(in) < 33 {
			t.Errorf("%x is no key file", in)
		}
	})
}

func FuzzSheet(f *testing.F) {
	text, err := sampleSheet(f).Format()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte("petition_format = 1"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := ParseSheet(text)
		if err != nil {
			return
		}
		out, err := s.Format()
		if err != nil {
			t.Skip(err) // a world file that another file cannot hold
		}
		again, err := ParseSheet(out)
		if err != nil || again.World.ID != s.World.ID || again.Standing != s.Standing || !bytes.Equal(again.Petition.Canonical(), s.Petition.Canonical()) {
			t.Fatalf("read again: %+v, %v; want %+v", again, err, s)
		}
	})
}
