package gossip

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"testing"
	"time"

	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// identity demands that what is read is written again as it was.
func identity[T interface{ bytes() []byte }](f *testing.F, read func([]byte) (T, error), seeds ...T) {
	for _, s := range seeds {
		f.Add(s.bytes())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := read(b)
		if err == nil && !bytes.Equal(m.bytes(), b) {
			t.Errorf("%x is read as %+v, which is written %x", b, m, m.bytes())
		}
	})
}

func FuzzHello(f *testing.F) {
	id := world.Hash{1}
	identity(f, func(b []byte) (*hello, error) {
		r := bytes.NewReader(b)
		h, err := readHello(r, id)
		if err == nil && r.Len() > 0 {
			err = io.ErrUnexpectedEOF
		}
		return h, err
	}, &hello{version: version, world: id, epoch: 7}, &hello{version: version, world: id, generation: 9, speaks: head{8, world.Hash{3}}})
}

func FuzzSummary(f *testing.F) {
	identity(f, readSummary, &summary{}, &summary{from: 900, shift: 2, first: 4, pages: []uint16{1, 2}, carried: [][4]byte{{1}}})
}

func FuzzDiffer(f *testing.F) {
	identity(f, readDiffer, &differ{}, &differ{from: 3, shift: 1, pages: []uint64{4, 5, 900}, count: 17})
}

func FuzzCells(f *testing.F) {
	identity(f, readCells, &cells{}, &cells{covered: 3, count: 4, list: true, body: []byte{1, 2, 3}, refused: []byte{4}}, &cells{count: 4, later: true})
}

func FuzzRoster(f *testing.F) {
	identity(f, readRoster, &rosterMsg{}, &rosterMsg{generation: 3, entries: [][]byte{{1}, {}}})
}

func FuzzLists(f *testing.F) {
	identity(f, readLists, listsMsg{}, listsMsg{0: {{1}}, 3: {}})
}

// shorts is a list of short ids, for identity.
type shorts []uint64

func (s shorts) bytes() []byte { return appendShorts(nil, s) }

func FuzzShorts(f *testing.F) {
	identity(f, func(b []byte) (shorts, error) { return readShorts(kindWant, b) }, shorts{}, shorts{1, 2, 1 << 60})
}

// items is a list of byte vectors, for identity.
type items [][]byte

func (i items) bytes() []byte { return appendList(nil, i) }

func FuzzEvents(f *testing.F) {
	identity(f, func(b []byte) (items, error) { return decodeList(kindEvents, b) }, items{}, items{{1}, {2, 3}})
}

func FuzzNumber(f *testing.F) {
	f.Add(number(300))
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := readNumber(kindMore, b)
		if err == nil && !bytes.Equal(postcard.AppendUint(nil, n), b) {
			t.Errorf("%x is read as %d", b, n)
		}
	})
}

func FuzzBatch(f *testing.F) {
	key := world.NewSecret([32]byte{1})
	made := time.UnixMilli(1_700_000_000_000)
	b, err := sealBatch(key, made, [][]byte{{1}, {2, 3}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b, false)
	f.Add([]byte{0, 1, 2, 1, 1, 9}, true)
	// Behind the seal stands what only a member can write: text is sealed first.
	f.Fuzz(func(t *testing.T, b []byte, seal bool) {
		if seal {
			size := (saltSize + len(b) + tagSize + bucket - 1) / bucket * bucket
			salt := make([]byte, saltSize)
			aead := key.Derive(labelPush, salt).AEAD()
			b = aead.Seal(salt, make([]byte, aead.NonceSize()), append(b[:len(b):len(b)], make([]byte, size-saltSize-tagSize-len(b))...), nil)
		}
		made, events, err := openBatch(key, b)
		if err != nil {
			return
		}
		if again, err := sealBatch(key, made, events); err != nil || len(again) != len(b) {
			t.Errorf("a batch of %d events, %d bytes, is sealed again as %d bytes, %v", len(events), len(b), len(again), err)
		}
	})
}

// FuzzSession plays a member that sends any messages at any time, on either side,
// from the summary on: what it does is a list of kinds and bodies, with a flush
// after each. The session must end, with the log no smaller and only good events
// in it.
func FuzzSession(f *testing.F) {
	message := func(k kind, b []byte) []byte {
		out := binary.BigEndian.AppendUint16([]byte{byte(k)}, uint16(len(b)))
		return append(out, b...)
	}
	d := &differ{pages: []uint64{0}, count: 20}
	c := &cells{covered: 1, count: 2, list: true, body: appendShorts(nil, []uint64{4, 5})}
	f.Add(true, message(kindCells, c.bytes()))
	f.Add(true, append(message(kindCells, c.bytes()), message(kindTurn, number(2))...))
	f.Add(false, append(message(kindDiffer, d.bytes()), message(kindMore, number(30))...))
	f.Add(false, append(message(kindDiffer, d.bytes()), message(kindRanges, []byte{0})...))
	f.Add(false, append(message(kindLists, listsMsg{0: {{1}}}.bytes()), message(kindEqual, nil)...))
	f.Add(false, append(message(kindDiffer, d.bytes()), message(kindEvents, appendList(nil, [][]byte{body(1, 2, 3, 40)}))...))
	f.Add(false, append(append(message(kindDiffer, d.bytes()), message(kindTurn, number(0))...), message(kindBye, nil)...))
	ab := nodes(f, 2)
	honest, rogue := ab[0], ab[1]
	honest.Carriers = []Carrier{list("a")}
	f.Fuzz(func(t *testing.T, opens bool, script []byte) {
		honest.log = newMemLog()
		honest.Log = honest.log
		honest.Known = new(Refusals)
		fill(honest, 1, 20, 1, 3)
		_, _ = versus(honest, rogue, opens, func(s *session, _ *summary) error {
			for len(script) >= 3 {
				n := min(int(binary.BigEndian.Uint16(script[1:])), len(script)-3)
				if err := say(s, kind(script[0]), script[3:3+n]); err != nil {
					return err
				}
				script = script[3+n:]
			}
			return s.bye()
		})
		ids := honest.log.state(0)
		if len(ids) < 20 {
			t.Fatal("events were lost")
		}
		for _, e := range honest.log.epochs {
			for id, b := range e.bodies {
				if !good(b) || idOf(b) != id {
					t.Fatal("something bad came in")
				}
			}
		}
	})
}

// FuzzStream plays one who is no member: any bytes instead of a session.
func FuzzStream(f *testing.F) {
	ab := nodes(f, 2)
	h := &hello{version: version, world: ab[0].World.ID, member: ab[1].key, epoch: ab[0].World.Epoch(time.Now())}
	h.generation, h.entry = ab[0].group.Head()
	h.ephemeral[0] = 9
	f.Add(true, h.bytes())
	f.Add(false, append(h.bytes(), make([]byte, 512)...))
	f.Fuzz(func(t *testing.T, opens bool, b []byte) {
		x, y := pipe(nil)
		if _, err := y.Write(b); err != nil {
			t.Fatal(err)
		}
		y.out.close() // the rest is silence
		var err error
		if opens {
			_, err = Initiate(context.Background(), ab[0].Config, ab[1].key, x)
		} else {
			_, err = Respond(context.Background(), ab[0].Config, x, nil)
		}
		if err == nil {
			t.Error("a session with nobody went well")
		}
	})
}
