package circuit

import (
	"bytes"
	"io"
	"testing"

	"github.com/culvert-net/culvert/circuit/cell"
	"github.com/culvert-net/culvert/circuit/onion"
)

// Budget of 2026-11: a relayed cell costs no allocation in either direction,
// and neither does reading a batch of them.
func TestRelayedCellsAllocateNothing(t *testing.T) {
	world := [32]byte{1}
	h := &hop{
		relay: &Relay{cfg: RelayConfig{CellSize: 512}, pool: newBatches()},
		codec: newHopCodec(511, 1, world, new(onion.Keys)),
	}
	client := new(onion.Keys).Forward(world)
	cells := make([]byte, 64*512)
	forward := func() {
		for c := cells; len(c) > 0; c = c[512:] {
			c[0] = byte(cell.Relay)
			client.Seal(c[1:512], 495)
		}
		if _, err := h.changed(cells, h.codec.passForward); err != nil {
			t.Fatal(err)
		}
	}
	if n := testing.AllocsPerRun(100, forward); n != 0 {
		t.Errorf("64 cells forward: %v allocations, want 0", n)
	}
	seal := func(body []byte) error {
		h.codec.seal(body)
		return nil
	}
	backward := func() {
		if _, err := h.changed(cells, seal); err != nil {
			t.Fatal(err)
		}
	}
	if n := testing.AllocsPerRun(100, backward); n != 0 {
		t.Errorf("64 cells backward: %v allocations, want 0", n)
	}
	in := newBatchReader(endless{}, 512, h.relay.pool)
	read := func() {
		if _, err := in.read(); err != nil {
			t.Fatal(err)
		}
	}
	if n := testing.AllocsPerRun(100, read); n != 0 {
		t.Errorf("reading a batch: %v allocations, want 0", n)
	}
}

// endless is a link on which much has always arrived, never in whole cells.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return max(1, len(p)-7), nil }

// A batch reader gives whole cells in order however the bytes arrive, and
// tells an end between cells from one within.
func TestBatchReader(t *testing.T) {
	var sent []byte
	for i := range 1000 {
		sent = append(sent, bytes.Repeat([]byte{byte(i)}, 512)...)
	}
	for _, chunk := range []int{1, 511, 512, 513, 2048, 5000, 1 << 16, 1 << 20} {
		in := newBatchReader(&chunks{sent, chunk}, 512, newBatches())
		var got []byte
		for {
			cells, err := in.read()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("chunks of %d: %v", chunk, err)
			}
			if len(cells)%512 != 0 || len(cells) == 0 {
				t.Fatalf("chunks of %d: read gave %d bytes", chunk, len(cells))
			}
			got = append(got, cells...)
		}
		in.release()
		if !bytes.Equal(got, sent) {
			t.Errorf("chunks of %d: cells came out different", chunk)
		}
	}
	in := newBatchReader(bytes.NewReader(sent[:700]), 512, newBatches())
	if _, err := in.read(); err != nil {
		t.Fatal(err)
	}
	if _, err := in.read(); err != io.ErrUnexpectedEOF {
		t.Errorf("end within a cell = %v, want ErrUnexpectedEOF", err)
	}
}

type chunks struct {
	b []byte
	n int
}

func (c *chunks) Read(p []byte) (int, error) {
	if len(c.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), c.n)], c.b)
	c.b = c.b[n:]
	return n, nil
}

// What silent links hold in large buffers is bounded, whatever was sent
// before: four cells and silence once cost 64 KiB each.
func TestSilentLinksHoldABoundedAmount(t *testing.T) {
	for _, size := range []int{512, 1024, 2048, 4096} {
		if n := heldAfter(size, 1, 50); n > 0 {
			t.Errorf("cells of %d: %d of 50 links hold a large buffer after one cell", size, n)
		}
	}
	if n := heldAfter(512, 4, 2000); n > maxReadBatches {
		t.Errorf("%d of 2000 links hold a large buffer for a peer that sent 2 KiB and fell silent", n)
	}
}

// heldAfter counts the readers that hold a large buffer after a burst of
// cells and the read that found no more.
func heldAfter(size, burst, links int) int {
	pool := newBatches()
	held := 0
	for range links {
		in := newBatchReader(&chunks{make([]byte, burst*size), burst * size}, size, pool)
		for {
			if _, err := in.read(); err != nil {
				break
			}
		}
		if in.large != nil {
			held++
		}
	}
	return held
}
