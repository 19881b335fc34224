package cell_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/culvert-net/culvert/circuit/cell"
)

const size = 463 // of a message at the third of three hops, in 512-byte cells

func valid() []cell.Message {
	return []cell.Message{
		{Kind: cell.Extend, Data: make([]byte, 74)},
		{Kind: cell.Extended, Data: make([]byte, 64)},
		{Kind: cell.ExtendFailed, Data: []byte{1, 0}},
		{Kind: cell.Open, Stream: 1, Data: []byte{0}},
		{Kind: cell.Data, Stream: 65535, Data: bytes.Repeat([]byte{7}, size-cell.HeaderSize)},
		{Kind: cell.Data, Stream: 1, Data: []byte{1}},
		{Kind: cell.End, Stream: 2, Data: make([]byte, 8)},
		{Kind: cell.Reset, Stream: 2, Data: []byte{0}},
		{Kind: cell.Credit, Stream: 3, Data: []byte{0, 32}},
		{Kind: cell.Ping, Data: []byte("12345678")},
		{Kind: cell.Pong, Data: []byte("12345678")},
		{Kind: cell.Drop},
	}
}

func TestPutThenParse(t *testing.T) {
	for _, m := range valid() {
		buf := bytes.Repeat([]byte{0xff}, size)
		cell.Put(buf, m)
		got, err := cell.Parse(buf)
		if err != nil {
			t.Fatalf("Parse(kind %d): %v", m.Kind, err)
		}
		if got.Kind != m.Kind || got.Stream != m.Stream || !bytes.Equal(got.Data, m.Data) {
			t.Errorf("kind %d came back as %+v", m.Kind, got)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	put := func(m cell.Message, change func(b []byte)) []byte {
		b := make([]byte, size)
		cell.Put(b, m)
		change(b)
		return b
	}
	data := cell.Message{Kind: cell.Data, Stream: 1, Data: []byte("x")}
	for name, b := range map[string][]byte{
		"short":              make([]byte, cell.HeaderSize-1),
		"all zero":           make([]byte, size),
		"unknown kind":       put(data, func(b []byte) { b[0] = 12 }),
		"flag":               put(data, func(b []byte) { b[1] = 1 }),
		"dirt in padding":    put(data, func(b []byte) { b[size-1] = 1 }),
		"length beyond cell": put(data, func(b []byte) { binary.BigEndian.PutUint16(b[4:], size) }),
		"empty data":         put(data, func(b []byte) { b[5], b[6] = 0, 0 }),
		"data without stream": put(data, func(b []byte) {
			b[2], b[3] = 0, 0
		}),
		"ping on a stream": put(cell.Message{Kind: cell.Ping, Data: make([]byte, 8)}, func(b []byte) { b[3] = 1 }),
		"zero credit":      put(cell.Message{Kind: cell.Credit, Stream: 1, Data: []byte{0, 1}}, func(b []byte) { b[7] = 0 }),
		"long end": put(cell.Message{Kind: cell.End, Stream: 1, Data: make([]byte, 8)}, func(b []byte) {
			b[5] = 9
		}),
		"drop with data": put(cell.Message{Kind: cell.Drop}, func(b []byte) { b[5] = 1 }),
	} {
		if _, err := cell.Parse(b); !errors.Is(err, cell.ErrMessage) {
			t.Errorf("%s: Parse = %v, want ErrMessage", name, err)
		}
	}
}

func TestHandshakeLength(t *testing.T) {
	body := make([]byte, 511)
	msg := bytes.Repeat([]byte{9}, 74)
	if n := cell.PutHandshake(body, msg); n != 76 {
		t.Fatalf("PutHandshake used %d bytes, want 76", n)
	}
	got, err := cell.Handshake(body, 74)
	if err != nil || !bytes.Equal(got, msg) {
		t.Fatalf("Handshake = %x, %v", got, err)
	}
	for _, c := range []struct {
		name string
		body []byte
		want int
	}{
		{"other suite's length", body, 75},
		{"cut", body[:60], 74},
		{"empty", nil, 74},
		{"announces more than the cell", append([]byte{0xff, 0xff}, body[2:]...), 0xffff},
	} {
		if _, err := cell.Handshake(c.body, c.want); !errors.Is(err, cell.ErrLength) {
			t.Errorf("%s: %v, want ErrLength", c.name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, m := range valid() {
		b := make([]byte, size)
		cell.Put(b, m)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := cell.Parse(b)
		if err != nil {
			return
		}
		again := make([]byte, len(b))
		cell.Put(again, m)
		if !bytes.Equal(again, b) {
			t.Fatalf("Put(Parse(b)) differs from b:\n%x\n%x", again, b)
		}
	})
}

func FuzzHandshake(f *testing.F) {
	f.Add(append([]byte{0, 74}, make([]byte, 509)...), 74)
	f.Add([]byte{0}, 64)
	f.Fuzz(func(t *testing.T, b []byte, want int) {
		if want < 0 || want > 4*cell.MaxSize {
			return
		}
		msg, err := cell.Handshake(b, want)
		if err == nil && len(msg) != want {
			t.Fatalf("Handshake gave %d bytes, want %d", len(msg), want)
		}
	})
}
