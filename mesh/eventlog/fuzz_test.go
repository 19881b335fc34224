package eventlog

import (
	"bytes"
	"testing"

	"github.com/culvert-net/culvert/mesh/event"
)

// What is read as a record is what the same record writes.
func FuzzRecord(f *testing.F) {
	w := testWorld(f, terms{quota: 1})
	for _, r := range []record{
		{via: ViaOwn, kind: 1, received: 1, event: receipt(f, w, someEpoch, 0, 0).Canonical()},
		{via: ViaSync, kind: 9, received: 1 << 40, stamp: make([]byte, 64), event: descriptor(f, w, someEpoch, 0, 0).Canonical()},
		{via: ViaPush, kind: 255, stamp: make([]byte, maxStamp), event: make([]byte, event.MaxEvent)},
	} {
		f.Add(r.encode())
	}
	f.Add([]byte{1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := decodeRecord(b)
		if err != nil {
			return
		}
		if len(r.event) == 0 || len(r.event) > event.MaxEvent || len(r.stamp) > maxStamp || !bytes.Equal(r.encode(), b) {
			t.Errorf("decodeRecord(%x) = %+v, which is written as %x", b, r, r.encode())
		}
		c := r.clone()
		if e, err := c.read(); err == nil && uint32(e.Type()) != uint32(r.kind) {
			t.Errorf("a record of type %d has an event of type %v", r.kind, e.Type())
		}
	})
}

func FuzzHead(f *testing.F) {
	f.Add((&head{flags: flagSealed, count: 3, newest: 4, unstamped: 1, sum: [32]byte{1}}).encode())
	f.Add(make([]byte, headSize))
	f.Fuzz(func(t *testing.T, b []byte) {
		if h, err := decodeHead(b); err == nil && !bytes.Equal(h.encode(), b) {
			t.Errorf("decodeHead(%x) = %+v, which is written as %x", b, h, h.encode())
		}
	})
}

func TestRecordRefuses(t *testing.T) {
	good := record{via: ViaPush, kind: 1, received: 5, stamp: []byte{1, 2}, event: []byte{3}}
	for i := range good.encode() {
		if r, err := decodeRecord(good.encode()[:i]); err == nil {
			t.Errorf("cut to %d bytes: %+v", i, r)
		}
	}
	for name, change := range map[string]func(*record){
		"no way here":       func(r *record) { r.via = 0 },
		"another way":       func(r *record) { r.via = ViaSync + 1 },
		"no type":           func(r *record) { r.kind = 0 },
		"no time":           func(r *record) { r.received = 1 << 63 },
		"long stamp":        func(r *record) { r.stamp = make([]byte, maxStamp+1) },
		"no event":          func(r *record) { r.event = nil },
		"an event too long": func(r *record) { r.event = make([]byte, event.MaxEvent+1) },
	} {
		r := good
		change(&r)
		if got, err := decodeRecord(r.encode()); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
