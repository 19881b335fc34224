// Package cell is the byte table of a circuit: the fixed-size frames that
// cross a link, and the messages that travel inside a RELAY cell's layers.
//
// Seal sites fill a message with Put and read one with Parse; link code asks
// Command and Body. The package has no I/O, no clock, no keys and no state,
// and must not know what a message's data means. Everything is safe for
// concurrent use on distinct buffers. Integers are big-endian.
//
// Spec: docs/spec/circuit.md §1 (cells) and §4 (messages); a test holds that
// document's tables against these constants.
package cell

import "errors"

// DefaultSize is C, the size in bytes of every frame on every link, unless
// the world's fixed_cell_bytes says otherwise.
const DefaultSize = 512

// MaxSize is the largest cell size a world may choose.
const MaxSize = 4096

// TagSize is what one layer takes of a body: the Poly1305 tag.
const TagSize = 16

// ValidSize reports whether a world may use cells of n bytes.
func ValidSize(n int) bool {
	return n == 512 || n == 1024 || n == 2048 || n == 4096
}

// Command is the first byte of a cell, the only byte a link shows.
type Command byte

// The commands of a cell.
const (
	Create  Command = 1 // body: length u16 | handshake message | random
	Created Command = 2 // body: length u16 | handshake message | random
	Relay   Command = 3 // body: layers around one message
	Destroy Command = 4 // body: reason u8 | random
	Padding Command = 5 // body: random; ignored
)

// Reason is why a circuit ended, for the neighbour that is told. A relay
// passes every reason on as Closed, so a reason travels one link.
type Reason byte

// The reasons of a DESTROY.
const (
	Closed   Reason = 0 // the circuit is over; nothing more is said
	Finished Reason = 1 // its maker is done with it
	Busy     Reason = 2 // no room for another circuit
)

// ErrLength is a handshake message whose announced length is not the one its
// suite fixes, or does not fit the cell.
var ErrLength = errors.New("cell: handshake length does not fit")

// PutHandshake writes a handshake message into the body of a CREATE or
// CREATED cell: its length, then its bytes. The rest of body is the caller's
// to fill with random bytes.
func PutHandshake(body, msg []byte) (used int) {
	body[0], body[1] = byte(len(msg)>>8), byte(len(msg))
	return 2 + copy(body[2:], msg)
}

// Handshake is the handshake message in the body of a CREATE or CREATED cell.
// want is the length its suite fixes; any other is refused before a byte of
// the message is looked at. The result aliases body.
func Handshake(body []byte, want int) ([]byte, error) {
	if len(body) < 2+want || int(body[0])<<8|int(body[1]) != want {
		return nil, ErrLength
	}
	return body[2 : 2+want], nil
}
