package circuit

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/culvert-net/culvert/circuit/cell"
)

// mux is one end of a circuit: it turns messages into sealed cells on the
// link and back, and carries the circuit's streams. A client has one per
// circuit; so has the hop that is last.
//
// Two goroutines: the owner's, in read, and one in write. Reading never waits
// for writing: what reading must answer is noted in a reserved slot (one
// grant and one reset per stream, one pong, one reply) and the writer finds
// it there.
type mux struct {
	link     Link
	codec    codec // seal: writer; open: reader
	cellSize int
	pool     *batches
	filler   filler // owned by the writer, for DESTROY
	events   muxEvents

	wake chan struct{} // 1 slot: there may be something to write
	done chan struct{} // closed with err

	mu       sync.Mutex
	err      error // why the circuit is over; nil while it lives
	streams  map[uint16]*Stream
	ready    []*Stream     // streams with something to write, each at most once
	windows  int           // sum of the windows of streams
	trip     time.Duration // the shortest time a grant took to be used; 0: not known
	lastID   uint16        // highest stream id ever used
	control  *cell.Message
	final    bool // control is the last message this mux writes
	ping     *[8]byte
	pong     *[8]byte
	goodbye  bool // write DESTROY and close
	received time.Time
	paused   bool // an EXTEND is under way: no message may come or go
	handover bool // the hop was extended: cells are no longer ours to read
}

// muxEvents is what the two roles do differently. All are called by the
// reader; a nil func refuses what it is for.
type muxEvents struct {
	// opened takes a new stream, under mu, or resets it. Hop only.
	opened func(s *Stream, kind byte)
	// extend takes an EXTEND's data, which it must copy. Hop only.
	extend func(create []byte) error
	// answered takes EXTENDED or EXTEND_FAILED. Client only.
	answered func(m cell.Message) error
	// ending is told why the circuit is about to end, before any stream is, if
	// the link or the far end is the reason. It may be told twice. Client only.
	ending func(err error)
	// pong takes a PONG's data. Client only.
	pong func(echo []byte) error
}

// errHandover ends read when the hop was extended.
var errHandover = errors.New("circuit: extended")

func newMux(link Link, c codec, cellSize int, pool *batches, ev muxEvents) *mux {
	return &mux{
		link: link, codec: c, cellSize: cellSize, pool: pool, filler: newFiller(), events: ev,
		wake: make(chan struct{}, 1), done: make(chan struct{}),
		streams: make(map[uint16]*Stream), received: time.Now(),
	}
}

// kick tells the writer that there may be something to write.
func (m *mux) kick() {
	select {
	case m.wake <- struct{}{}:
	default: // it is told already
	}
}

// fail ends the circuit with err, once, and resets its link. It returns the
// error the circuit ended with.
func (m *mux) fail(err error) error {
	if m.events.ending != nil && !errors.Is(err, ErrClosed) {
		m.events.ending(err)
	}
	err = m.end(err)
	// A reset of a link that is over already changes nothing.
	_ = m.link.Reset()
	return err
}

// end ends the circuit's streams with err, once.
func (m *mux) end(err error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err == nil {
		m.err = err
		close(m.done)
		for _, s := range m.streams {
			s.abort(err)
		}
		clear(m.streams)
		m.ready = nil
	}
	return m.err
}

// retire ends the circuit in good order: DESTROY, then the end of the link.
func (m *mux) retire() {
	m.mu.Lock()
	m.goodbye = true
	m.mu.Unlock()
	m.kick()
}

// alive is nil, or why the circuit is over.
func (m *mux) alive() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.err
}

// read takes cells off the link until it ends, and returns why. With
// errHandover the returned cells, if any, are the first that were not read.
func (m *mux) read(r *batchReader) ([]byte, error) {
	for {
		cells, err := r.read()
		if err != nil {
			// Not wrapped: a link that ends in good order says io.EOF, and no
			// stream that was cut may look like one that is complete.
			return nil, m.fail(fmt.Errorf("%w: %v", ErrDestroyed, err))
		}
		if m.handedOver() {
			return cells, errHandover
		}
		heard := false
		for len(cells) > 0 {
			if err := m.readCell(cells[:m.cellSize]); err != nil {
				return nil, m.fail(err)
			}
			heard = heard || cell.Command(cells[0]) == cell.Relay
			cells = cells[m.cellSize:]
		}
		if heard {
			// Only what opened counts: PADDING is the neighbour's word alone, and
			// would let it hide that the rest of the circuit is dead.
			m.mu.Lock()
			m.received = time.Now()
			m.mu.Unlock()
		}
	}
}

func (m *mux) handedOver() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.handover
}

func (m *mux) readCell(c []byte) error {
	switch cell.Command(c[0]) {
	case cell.Padding:
		return nil
	case cell.Destroy:
		return ErrDestroyed
	case cell.Relay:
	default:
		return fmt.Errorf("%w: cell command %d", ErrProtocol, c[0])
	}
	buf, err := m.codec.open(c[1:])
	if err != nil {
		return fmt.Errorf("%w: %w", ErrProtocol, err)
	}
	msg, err := cell.Parse(buf)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrProtocol, err)
	}
	return m.dispatch(msg)
}

// dispatch acts on one message.
func (m *mux) dispatch(msg cell.Message) error {
	switch msg.Kind {
	case cell.Extended, cell.ExtendFailed:
		if m.events.answered == nil {
			return violation(msg.Kind)
		}
		return m.events.answered(msg)
	case cell.Pong:
		if m.events.pong == nil {
			return violation(msg.Kind)
		}
		return m.events.pong(msg.Data)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.paused {
		return fmt.Errorf("%w: message while an extend is under way", ErrProtocol)
	}
	switch msg.Kind {
	case cell.Drop:
		return nil
	case cell.Extend:
		if m.events.extend == nil || len(m.streams) > 0 {
			return violation(msg.Kind)
		}
		m.paused = true
		return m.events.extend(msg.Data)
	case cell.Ping:
		if m.events.extend == nil || m.pong != nil {
			return violation(msg.Kind)
		}
		echo := [8]byte(msg.Data)
		m.pong = &echo
		m.kick()
		return nil
	case cell.Open:
		return m.accept(msg)
	}
	return m.onStream(msg)
}

func violation(k cell.Kind) error {
	return fmt.Errorf("%w: message kind %d", ErrProtocol, k)
}

// accept makes the stream an OPEN asks for. mu is held.
func (m *mux) accept(msg cell.Message) error {
	if m.events.opened == nil || msg.Stream <= m.lastID || len(m.streams) >= maxStreams {
		return violation(msg.Kind)
	}
	m.lastID = msg.Stream
	s := newStream(m, msg.Stream)
	m.add(s)
	m.events.opened(s, msg.Data[0])
	return nil
}

// onStream acts on a message of an open stream. One for a closed stream is
// dropped: its sender may not know yet. One for a stream that never was ends
// the circuit. mu is held.
func (m *mux) onStream(msg cell.Message) error {
	s, ok := m.streams[msg.Stream]
	if !ok {
		if msg.Stream > m.lastID {
			return violation(msg.Kind)
		}
		return nil
	}
	s.heard = true
	switch msg.Kind {
	case cell.Data:
		return s.onData(msg.Data)
	case cell.End:
		return s.onEnd(binary.BigEndian.Uint64(msg.Data))
	case cell.Credit:
		return s.onCredit(int(binary.BigEndian.Uint16(msg.Data)))
	case cell.Reset:
		s.onReset(msg.Data[0])
		return nil
	}
	return violation(msg.Kind)
}

// say notes a message without a stream for the writer; last makes it the
// final one. There is at most one at a time by the protocol's own rules.
func (m *mux) say(msg cell.Message, last bool) {
	m.mu.Lock()
	m.control, m.final = &msg, last
	m.mu.Unlock()
	m.kick()
}

// schedule puts s among the streams with something to write. mu is held.
func (m *mux) schedule(s *Stream) {
	if !s.queued && m.err == nil {
		s.queued = true
		m.ready = append(m.ready, s)
		m.kick()
	}
}

// unschedule takes a stream that has nothing more to say out of the queue, so
// that a link that takes nothing does not keep the streams of its past. mu is
// held.
func (m *mux) unschedule(s *Stream) {
	if s.queued {
		m.ready = slices.DeleteFunc(m.ready, func(other *Stream) bool { return other == s })
		s.queued = false
	}
}

// add and drop keep the open streams. mu is held.
func (m *mux) add(s *Stream) {
	m.streams[s.id] = s
	m.windows += s.size
}

func (m *mux) drop(s *Stream) {
	if m.streams[s.id] == s {
		delete(m.streams, s.id)
		m.windows -= s.size
	}
	m.unschedule(s)
}

// write seals and sends what there is until the circuit ends or the final
// message is out. Cells that are ready together leave in one write.
func (m *mux) write() error {
	stall := newStall(m.link)
	defer stall.Stop()
	for {
		select {
		case <-m.done:
			return m.err
		case <-m.wake:
		}
		if more, err := m.flush(stall); !more || err != nil {
			return err
		}
	}
}

// flush writes all there is now. more is false after the final message.
func (m *mux) flush(stall *time.Timer) (more bool, err error) {
	out := m.pool.get()
	defer m.pool.put(out)
	for {
		n, final := m.collect(out[:len(out)/m.cellSize*m.cellSize])
		if n == 0 {
			return true, nil
		}
		for c := out[:n]; len(c) > 0; c = c[m.cellSize:] {
			if cell.Command(c[0]) == cell.Relay {
				m.codec.seal(c[1:m.cellSize])
			}
		}
		stall.Reset(stallTimeout)
		_, err := m.link.Write(out[:n])
		stall.Stop()
		if err != nil {
			return false, m.fail(fmt.Errorf("%w: %v", ErrDestroyed, err))
		}
		if final && cell.Command(out[n-m.cellSize]) == cell.Destroy {
			// Close, unlike Reset, lets the DESTROY arrive.
			err := m.end(ErrClosed)
			_ = m.link.Close()
			return false, err
		}
		if final {
			return false, nil
		}
	}
}

// collect puts plain messages into out, a cell each, and returns the bytes
// used: control first, then the streams in turn, a cell at a time.
func (m *mux) collect(out []byte) (n int, final bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return 0, false
	}
	put := func(msg cell.Message) {
		out[n] = byte(cell.Relay)
		cell.Put(out[n+1:n+1+m.codec.size()], msg)
		n += m.cellSize
	}
	if m.pong != nil {
		put(cell.Message{Kind: cell.Pong, Data: m.pong[:]})
		m.pong = nil
	}
	if m.ping != nil {
		put(cell.Message{Kind: cell.Ping, Data: m.ping[:]})
		m.ping = nil
	}
	if m.control != nil {
		put(*m.control)
		m.control = nil
		if m.final {
			return n, true
		}
	}
	for len(m.ready) > 0 && n < len(out) {
		s := m.ready[0]
		// Moved down, not sliced: a slice that only walks forward reallocates.
		m.ready = slices.Delete(m.ready, 0, 1)
		msg, ok, more := s.next()
		if ok {
			put(msg)
		}
		if more {
			m.ready = append(m.ready, s)
		} else {
			s.queued = false
		}
	}
	if m.goodbye && n < len(out) {
		out[n], out[n+1] = byte(cell.Destroy), byte(cell.Finished)
		m.filler.fill(out[n+2 : n+m.cellSize])
		n += m.cellSize
		return n, true
	}
	return n, false
}
