package dirtest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"time"
)

// What a mirror does to its own answers before they go out: each of these stands
// between mirror.Serve, which writes one frame at a time, and a stream.

// Garble inverts one byte of each frame, counted from its first; below zero, from
// its end.
func Garble(rw io.ReadWriter, at int) io.ReadWriter { return garbler{rw, at} }

type garbler struct {
	io.ReadWriter
	at int
}

func (g garbler) Write(b []byte) (int, error) {
	at := g.at
	if at < 0 {
		at += len(b)
	}
	b = bytes.Clone(b)
	if at >= 0 && at < len(b) {
		b[at] ^= 0xff
	}
	return g.ReadWriter.Write(b)
}

// bundleRequest is how long a request for a bundle is: its variant and three
// hashes. A request for roots has one hash.
const bundleRequest = 1 + 3*32

// Shrink answers for roots as it should, and changes the last leaf of a bundle.
func Shrink(rw io.ReadWriter) io.ReadWriter {
	return &inBundle{ReadWriter: rw, change: func(b []byte) ([]byte, error) {
		if len(b) > 200 { // a part, not the end
			b = bytes.Clone(b)
			b[len(b)-1] ^= 1
		}
		return b, nil
	}}
}

// Withhold answers for roots as it should, and gives no part of a bundle: it
// keeps whoever asks for one waiting until enough is closed.
func Withhold(rw io.ReadWriter, enough <-chan struct{}) io.ReadWriter {
	return &inBundle{ReadWriter: rw, change: func([]byte) ([]byte, error) {
		<-enough
		return nil, errors.New("nothing more comes")
	}}
}

// inBundle changes the answer to a request for a bundle.
type inBundle struct {
	io.ReadWriter
	change func([]byte) ([]byte, error)
	asked  bool
}

func (s *inBundle) Read(p []byte) (int, error) {
	n, err := s.ReadWriter.Read(p)
	s.asked = s.asked || n == bundleRequest
	return n, err
}

func (s *inBundle) Write(b []byte) (int, error) {
	if s.asked {
		changed, err := s.change(b)
		if err != nil {
			return 0, err
		}
		b = changed
	}
	return s.ReadWriter.Write(b)
}

// Shift moves the time that a mirror says it is. The frame of an answer of roots
// is a length, the variant, and the time as a varint of six bytes.
func Shift(rw io.ReadWriter, by time.Duration) io.ReadWriter { return shifter{rw, by} }

type shifter struct {
	io.ReadWriter
	by time.Duration
}

func (s shifter) Write(b []byte) (int, error) {
	if len(b) > 11 && b[4] == 0 {
		millis, n := binary.Uvarint(b[5:])
		moved := binary.AppendUvarint(nil, uint64(int64(millis)+s.by.Milliseconds()))
		if len(moved) != n {
			return 0, errors.New("the time has another length then")
		}
		b = bytes.Clone(b)
		copy(b[5:], moved)
	}
	return s.ReadWriter.Write(b)
}
