package onion

import (
	"crypto/cipher"
	"encoding/binary"
	"errors"

	"golang.org/x/crypto/chacha20poly1305"
)

// Overhead is what one layer adds: the Poly1305 tag.
const Overhead = chacha20poly1305.Overhead

// Directions of a layer, as they stand in its associated data.
const (
	directionForward  byte = 1 // client → provider
	directionBackward byte = 2 // provider → client

	// relayCommand is the command byte of the cells layers travel in; a test
	// holds it equal to cell.Relay.
	relayCommand byte = 3
)

// ErrOpen is a cell that does not open: altered, replayed, dropped before,
// out of order, or not for this hop. Where it failed is not told.
var ErrOpen = errors.New("onion: layer does not open")

// Layer is one direction of one hop's encryption: ChaCha20-Poly1305 with
// associated data world ‖ direction ‖ command and an implicit nonce, base XOR
// counter. The nonce cannot repeat under its key: a Layer belongs to one
// owner, counts every cell once, and panics before its counter wraps.
// A Layer is used by one goroutine at a time.
type Layer struct {
	_       [0]func()
	aead    cipher.AEAD
	base    [nonceSize]byte
	nonce   [nonceSize]byte // of the current cell; a field so that it never escapes
	ad      [34]byte
	counter uint64
}

// Forward is the layer for cells from client to provider.
func (k *Keys) Forward(world [32]byte) *Layer {
	return newLayer(&k.forward, world, directionForward)
}

// Backward is the layer for cells from provider to client.
func (k *Keys) Backward(world [32]byte) *Layer {
	return newLayer(&k.backward, world, directionBackward)
}

func newLayer(c *chain, world [32]byte, direction byte) *Layer {
	aead, err := chacha20poly1305.New(c.key[:])
	if err != nil {
		panic("onion: key is 32 bytes: " + err.Error())
	}
	l := &Layer{aead: aead, base: c.base}
	copy(l.ad[:32], world[:])
	l.ad[32], l.ad[33] = direction, relayCommand
	return l
}

// next sets the nonce of the next cell.
func (l *Layer) next() {
	if l.counter == 1<<64-1 {
		panic("onion: layer counter would wrap")
	}
	l.nonce = l.base
	tail := l.nonce[nonceSize-8:]
	binary.BigEndian.PutUint64(tail, binary.BigEndian.Uint64(tail)^l.counter)
	l.counter++
}

// Seal encrypts buf[:n] in place; the result is buf[:n+Overhead].
func (l *Layer) Seal(buf []byte, n int) {
	l.next()
	l.aead.Seal(buf[:0], l.nonce[:], buf[:n], l.ad[:])
}

// Open decrypts buf in place; the plaintext is buf[:len(buf)-Overhead]. After
// an error the layer is of no more use: its circuit must be destroyed.
func (l *Layer) Open(buf []byte) error {
	l.next()
	if _, err := l.aead.Open(buf[:0], l.nonce[:], buf, l.ad[:]); err != nil {
		return ErrOpen
	}
	return nil
}
