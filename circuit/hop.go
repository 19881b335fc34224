package circuit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/culvert-net/culvert/circuit/cell"
	"github.com/culvert-net/culvert/circuit/onion"
)

// hop is one circuit at one relay. It is last, and reads messages through its
// mux, until it has sent EXTENDED; from then on it only passes cells on.
type hop struct {
	relay *Relay
	link  Link // towards the client
	codec *hopCodec
	place byte
	name  string // on this machine

	mux     *mux
	written chan struct{}  // closed when the mux writes no more
	helpers sync.WaitGroup // the mux's writer; an extend and then the pump back
	next    Link           // towards the provider; set before mux.handover
	ended   sync.Once      // what ended it first was counted
}

// Codes of EXTEND_FAILED. They say what the client can do next, not what the
// relay saw.
const (
	failUnknown     byte = 1 // no descriptor: take another relay
	failUnreachable byte = 2 // no answer, or not the right one
	failRefused     byte = 3 // this node does not extend, or not there
	failBusy        byte = 4 // the node has no room for another circuit
)

// run carries the circuit until its end. in is the client side's reader.
func (h *hop) run(ctx context.Context, in *batchReader) {
	ctx, cancel := context.WithCancel(ctx)
	defer h.helpers.Wait()
	defer cancel()
	h.written = make(chan struct{})
	h.mux = newMux(h.link, h.codec, h.relay.cfg.CellSize, h.relay.pool, muxEvents{
		opened: h.opened,
		extend: func(create []byte) error {
			create = bytes.Clone(create)
			h.helpers.Go(func() { h.extend(ctx, create) })
			return nil
		},
	})
	h.helpers.Go(func() {
		defer close(h.written)
		_ = h.mux.write() // its error is the mux's, which read returns
	})
	cells, err := h.mux.read(in)
	if errors.Is(err, errHandover) {
		err = h.passForward(in, cells)
	}
	h.over(err)
	h.relay.cfg.Log.Debug("circuit ended", "circuit", h.name, "err", err)
}

// over counts the end of the circuit by its first reason: the end of one
// direction ends the other.
func (h *hop) over(err error) {
	h.ended.Do(func() { h.relay.stats.ended[endOf(err)].Add(1) })
}

// opened takes a stream that ends here.
func (h *hop) opened(s *Stream, kind byte) {
	s.name = h.name
	switch l := h.relay.Listener(StreamKind(kind)); {
	case l == nil:
		h.relay.stats.resetStreams.Add(1)
		s.reset(ErrReset)
	case !l.deliver(s):
		s.refuse()
	}
}

// extend reaches the next hop, answers the client, and then carries what
// comes back until the circuit ends.
func (h *hop) extend(ctx context.Context, create []byte) {
	next, in, created, code := h.reach(ctx, create)
	h.relay.stats.extends[code].Add(1)
	if code != 0 {
		h.mux.mu.Lock()
		h.mux.paused = false
		h.mux.mu.Unlock()
		h.mux.say(cell.Message{Kind: cell.ExtendFailed, Data: []byte{code, 0}}, false)
		return
	}
	defer in.release()
	stop := context.AfterFunc(ctx, func() { _ = next.Reset() })
	defer stop()
	h.next = next
	h.mux.mu.Lock()
	h.mux.handover = true
	h.mux.mu.Unlock()
	h.mux.say(cell.Message{Kind: cell.Extended, Data: created}, true)
	<-h.written // from here on this goroutine seals and writes towards the client
	if h.mux.alive() != nil {
		_ = next.Reset()
		return
	}
	h.passBackward(in)
}

// reach opens a link to the node an EXTEND names and brings back its CREATED
// bytes, or the code to answer with.
func (h *hop) reach(ctx context.Context, create []byte) (Link, *batchReader, []byte, byte) {
	cfg := &h.relay.cfg
	req, err := onion.ParseCreate(create)
	if err != nil || !cfg.Extend || req.Place != h.place+1 ||
		req.Target == cfg.Self || req.Target == h.link.Peer() {
		return nil, nil, nil, failRefused
	}
	ctx, cancel := context.WithTimeout(ctx, extendTimeout)
	defer cancel()
	next, err := cfg.Links.Open(ctx, req.Target)
	if err != nil {
		cfg.Log.Debug("extend", "circuit", h.name, "err", err)
		if errors.Is(err, ErrUnknownNode) {
			return nil, nil, nil, failUnknown
		}
		return nil, nil, nil, failUnreachable
	}
	in := newBatchReader(next, cfg.CellSize, h.relay.pool)
	created, err := exchange(ctx, next, in, cfg.CellSize, create)
	if err != nil {
		cfg.Log.Debug("extend", "circuit", h.name, "err", err)
		in.release()
		if errors.Is(err, errHopBusy) {
			return nil, nil, nil, failBusy
		}
		return nil, nil, nil, failUnreachable
	}
	return next, in, created, 0
}

// exchange sends CREATE on a fresh link and reads CREATED. On an error, and
// when ctx ends first, the link is reset.
func exchange(ctx context.Context, link Link, in *batchReader, size int, create []byte) (created []byte, err error) {
	stop := context.AfterFunc(ctx, func() { _ = link.Reset() })
	defer func() {
		if !stop() && err == nil {
			err = ctx.Err()
		}
		if err != nil {
			_ = link.Reset()
		}
	}()
	body := make([]byte, 2+len(create))
	cell.PutHandshake(body, create)
	if err := writeCell(link, newFiller(), size, cell.Create, body); err != nil {
		return nil, err
	}
	cells, err := in.read()
	if err != nil {
		return nil, fmt.Errorf("read created: %w", err)
	}
	if len(cells) == size && cell.Command(cells[0]) == cell.Destroy && cell.Reason(cells[1]) == cell.Busy {
		return nil, errHopBusy
	}
	if len(cells) != size || cell.Command(cells[0]) != cell.Created {
		return nil, fmt.Errorf("%w: create was not answered by created", ErrProtocol)
	}
	created, err = cell.Handshake(cells[1:], onion.CreatedSize)
	return bytes.Clone(created), err
}

// passForward carries cells from the client side to the next hop, the given
// ones first.
func (h *hop) passForward(in *batchReader, cells []byte) error {
	return h.pass(in, h.next, h.link, cells, forward, h.codec.fillIn, h.codec.passForward)
}

// passBackward carries cells from the next hop to the client side.
func (h *hop) passBackward(in *batchReader) {
	err := h.pass(in, h.link, h.next, nil, backward, h.codec.fillOut, func(body []byte) error {
		h.codec.seal(body)
		return nil
	})
	h.relay.cfg.Log.Debug("next hop ended", "circuit", h.name, "err", err)
}

// pass reads what has arrived, changes every cell in place and writes all of
// it at once, until one side ends; then it ends the other. A DESTROY is told
// onwards only as closed.
func (h *hop) pass(in *batchReader, to, from Link, cells []byte, way int, f filler, change func(body []byte) error) error {
	var err error
	// from too: while this goroutine waits for to, nobody notices its end.
	stall := newStall(to, from)
	defer stall.Stop()
	for {
		cells, err = h.changed(cells, change)
		if len(cells) > 0 {
			stall.Reset(stallTimeout)
			if _, werr := to.Write(cells); werr != nil {
				err = werr
			} else {
				h.relay.stats.cells[way].Add(uint64(len(cells) / h.relay.cfg.CellSize))
			}
			stall.Stop()
		}
		if err != nil {
			break
		}
		if cells, err = in.read(); err != nil {
			break
		}
	}
	h.over(err)
	if errors.Is(err, onion.ErrOpen) || errors.Is(err, ErrProtocol) {
		_ = to.Reset()
		_ = from.Reset()
		return err
	}
	destroy(to, f, h.relay.cfg.CellSize, cell.Closed)
	_ = from.Close()
	return err
}

// changed applies change to each RELAY cell and takes PADDING out. With an
// error it returns the cells before the one that gave it.
func (h *hop) changed(cells []byte, change func(body []byte) error) ([]byte, error) {
	size := h.relay.cfg.CellSize
	kept := 0
	for at := 0; at < len(cells); at += size {
		c := cells[at : at+size]
		switch cell.Command(c[0]) {
		case cell.Relay:
			if err := change(c[1:]); err != nil {
				return cells[:kept], err
			}
			if kept != at {
				copy(cells[kept:], c)
			}
			kept += size
		case cell.Padding:
		case cell.Destroy:
			return cells[:kept], ErrDestroyed
		default:
			return cells[:kept], fmt.Errorf("%w: cell command %d", ErrProtocol, c[0])
		}
	}
	return cells[:kept], nil
}
