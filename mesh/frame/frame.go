// Package frame puts messages on a stream: a length (u32, big-endian, not zero),
// then the message.
//
// Write sends one in one write, Read receives one of a bounded size. What is in
// a message is the caller's, as are deadlines. The functions keep no state; a
// stream's reads belong to one goroutine, and its writes to one.
//
// Implements: docs/spec/directory.md "Wire protocol" (frames).
package frame

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// ErrSize is wrapped by errors about a length that no peer sends.
var ErrSize = errors.New("frame of a wrong size")

// Write sends a message behind its length, in one write.
func Write(w io.Writer, message []byte) error {
	b := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(message)), uint32(len(message)))
	_, err := w.Write(append(b, message...))
	return err
}

// Read receives a message of at most limit bytes. Memory grows with what
// arrives, not with what the length claims. io.EOF means that nothing came.
func Read(r io.Reader, limit int) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n == 0 || int64(n) > int64(limit) {
		return nil, fmt.Errorf("%w: %d bytes, 1 to %d are allowed", ErrSize, n, limit)
	}
	var b bytes.Buffer
	if _, err := io.CopyN(&b, r, int64(n)); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return b.Bytes(), nil
}
