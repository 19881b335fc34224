package frame_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/culvert-net/culvert/mesh/frame"
)

func TestRead(t *testing.T) {
	for _, c := range []struct {
		name string
		in   string
		want string
		err  error
	}{
		{"nothing", "", "", io.EOF},
		{"half a length", "\x00\x00", "", io.ErrUnexpectedEOF},
		{"empty", "\x00\x00\x00\x00", "", frame.ErrSize},
		{"too long", "\x00\x00\x00\x04abcd", "", frame.ErrSize},
		{"huge", "\xff\xff\xff\xffabcd", "", frame.ErrSize},
		{"cut", "\x00\x00\x00\x03ab", "", io.ErrUnexpectedEOF},
		{"cut to nothing", "\x00\x00\x00\x03", "", io.ErrUnexpectedEOF},
		{"whole", "\x00\x00\x00\x03abcd", "abc", nil},
	} {
		got, err := frame.Read(bytes.NewReader([]byte(c.in)), 3)
		if string(got) != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: Read = %q, %v, want %q, %v", c.name, got, err, c.want, c.err)
		}
	}
}

// writes counts how often it is called.
type writes struct {
	bytes.Buffer
	n int
}

func (w *writes) Write(b []byte) (int, error) {
	w.n++
	return w.Buffer.Write(b)
}

func TestWriteIsOneWrite(t *testing.T) {
	var w writes
	if err := frame.Write(&w, []byte("message")); err != nil || w.n != 1 {
		t.Fatalf("%d writes, %v", w.n, err)
	}
	if got, err := frame.Read(&w, 7); err != nil || string(got) != "message" {
		t.Errorf("Read = %q, %v", got, err)
	}
}
