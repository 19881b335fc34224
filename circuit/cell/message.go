package cell

import (
	"encoding/binary"
	"errors"
)

// Kind is a message's first byte: what the last hop or the client is to do.
type Kind byte

// The messages inside a RELAY cell.
const (
	Extend       Kind = 1  // →  data: CREATE bytes for the next hop
	Extended     Kind = 2  //  ← data: CREATED bytes of the next hop
	ExtendFailed Kind = 3  //  ← data: code u8 | puzzle difficulty u8
	Open         Kind = 4  // →  data: stream kind u8; stream: a new id
	Data         Kind = 5  // ⇄  data: 1 byte or more; costs one credit
	End          Kind = 6  // ⇄  data: bytes sent in this direction, u64
	Reset        Kind = 7  // ⇄  data: code u8
	Credit       Kind = 8  // ⇄  data: cells granted, u16 ≥ 1
	Ping         Kind = 9  // →  data: 8 bytes
	Pong         Kind = 10 //  ← data: the PING's 8 bytes
	Drop         Kind = 11 // ⇄  data: none; ignored
)

// HeaderSize is a message's header: kind u8 | flags u8 | stream u16 | len u16.
const HeaderSize = 6

// Offsets inside a message.
const (
	offKind   = 0
	offFlags  = 1
	offStream = 2
	offLen    = 4
)

// Message is one parsed message. Data aliases the buffer it was parsed from.
type Message struct {
	Kind   Kind
	Stream uint16
	Data   []byte
}

// ErrMessage is a message that is not exactly as this table says. Its reader
// destroys the circuit; which rule was broken is told to nobody.
var ErrMessage = errors.New("cell: malformed message")

// Put writes m over the whole of buf, zeros behind the data. m.Data must fit;
// it may already stand at its place in buf.
func Put(buf []byte, m Message) {
	if len(m.Data) > len(buf)-HeaderSize {
		panic("cell: message data larger than its cell")
	}
	n := HeaderSize + copy(buf[HeaderSize:], m.Data)
	buf[offKind] = byte(m.Kind)
	buf[offFlags] = 0
	binary.BigEndian.PutUint16(buf[offStream:], m.Stream)
	binary.BigEndian.PutUint16(buf[offLen:], uint16(len(m.Data)))
	clear(buf[n:])
}

// Parse reads the one message buf holds. It refuses unknown kinds and flags,
// a length its kind cannot have, a stream id where none belongs or the
// reverse, and padding that is not zero: padding is checked so that a hop
// cannot mark a cell on its way and read the mark further on.
func Parse(buf []byte) (Message, error) {
	if len(buf) < HeaderSize {
		return Message{}, ErrMessage
	}
	n := int(binary.BigEndian.Uint16(buf[offLen:]))
	if n > len(buf)-HeaderSize || buf[offFlags] != 0 {
		return Message{}, ErrMessage
	}
	m := Message{
		Kind:   Kind(buf[offKind]),
		Stream: binary.BigEndian.Uint16(buf[offStream:]),
		Data:   buf[HeaderSize : HeaderSize+n],
	}
	if !m.wellFormed() {
		return Message{}, ErrMessage
	}
	var dirt byte
	for _, b := range buf[HeaderSize+n:] {
		dirt |= b
	}
	if dirt != 0 {
		return Message{}, ErrMessage
	}
	return m, nil
}

// wellFormed holds each kind to its data length and to having a stream or not.
func (m Message) wellFormed() bool {
	onStream := m.Stream != 0
	n := len(m.Data)
	switch m.Kind {
	case Extend, Extended:
		return !onStream && n > 0
	case ExtendFailed:
		return !onStream && n == 2
	case Open, Reset:
		return onStream && n == 1
	case Data:
		return onStream && n > 0
	case End:
		return onStream && n == 8
	case Credit:
		return onStream && n == 2 && binary.BigEndian.Uint16(m.Data) > 0
	case Ping, Pong:
		return !onStream && n == 8
	case Drop:
		return !onStream && n == 0
	}
	return false
}
