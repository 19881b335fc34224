package sse_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/api/sse"
)

// A stream goes on after an event larger than the buffer that is kept: it once
// ended the program.
func TestAfterLargeEvent(t *testing.T) {
	for _, n := range []int{33 << 10, 40 << 10, 64 << 10, 100 << 10, 4 << 20} {
		large := "data: " + strings.Repeat("x", n) + "\n\n"
		pr, pw := io.Pipe()
		go func() {
			_, _ = io.WriteString(pw, large)
			_, _ = io.WriteString(pw, "data: small\n\n")
			_ = pw.Close()
		}()
		r := sse.NewReader(pr, sse.MaxEvent)
		if e, err := r.Next(); err != nil || string(e.Raw) != large {
			t.Errorf("%d bytes: first event: %v", n, err)
		}
		if e, err := r.Next(); err != nil || string(e.Data) != "small" {
			t.Errorf("%d bytes: second event: %v", n, err)
		}
	}
}

// The time for an event must grow with its length, however its lines end: an
// event of lines that end in CR alone once took minutes of a core. Work is
// counted in ratios of one run, so a slow machine changes nothing.
func BenchmarkLineEnds(b *testing.B) {
	for name, line := range map[string]string{"LF": "a\n", "CR": "a\r", "CRLF": "a\r\n"} {
		b.Run(name, func(b *testing.B) {
			event := append(bytes.Repeat([]byte(line), 1<<20/len(line)), "\n\n"...)
			b.SetBytes(int64(len(event)))
			for b.Loop() {
				if _, err := sse.NewReader(bytes.NewReader(event), sse.MaxEvent).Next(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
