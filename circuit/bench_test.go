package circuit_test

import (
	"context"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/culvert-net/culvert/circuit"
)

// benchLab is a world of three hops over TCP on loopback, in this process.
func benchLab(b *testing.B, hops int, f func(*circuit.Stream)) *lab {
	n := newNetwork()
	n.dial = tcpPair(b)
	l := newLab(b, n, hops, 0)
	l.each(b, f)
	return l
}

// BenchmarkRoundTrip is 64 bytes there and back on an open stream: what a
// circuit adds to one exchange.
func BenchmarkRoundTrip(b *testing.B) {
	for _, hops := range []int{1, 2, 3} {
		b.Run(fmt.Sprintf("hops=%d", hops), func(b *testing.B) {
			l := benchLab(b, hops, echo)
			s := l.dial(b)
			buf := make([]byte, 64)
			var took []time.Duration
			b.ReportAllocs()
			for b.Loop() {
				start := time.Now()
				if _, err := s.Write(buf); err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(s, buf); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(start))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
			s.Close()
		})
	}
}

// BenchmarkDownload is bulk from provider to client through three hops.
func BenchmarkDownload(b *testing.B) {
	l := benchLab(b, 3, func(s *circuit.Stream) {
		defer s.Close()
		_, _ = io.Copy(s, zeros{})
	})
	s := l.dial(b)
	buf := make([]byte, 32<<10)
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := io.ReadFull(s, buf); err != nil {
			b.Fatal(err)
		}
	}
	s.Close()
}

// BenchmarkRequest is one stream per exchange on a warm pool, as the tunnel
// uses it.
func BenchmarkRequest(b *testing.B) {
	l := benchLab(b, 3, echo)
	buf := make([]byte, 400)
	b.ReportAllocs()
	for b.Loop() {
		s, err := l.client.Dial(context.Background(), l.provider.key, circuit.Group{})
		if err != nil {
			b.Fatal(err)
		}
		_, _ = s.Write(buf)
		_ = s.CloseWrite()
		if _, err := io.ReadAll(s); err != nil {
			b.Fatal(err)
		}
		s.Close()
	}
}

// BenchmarkNewGroup is a request that shares no circuit with the one before, as
// a new conversation is: one round trip over a ready stem, or a whole build.
func BenchmarkNewGroup(b *testing.B) {
	l := benchLab(b, 3, echo)
	buf := make([]byte, 400)
	var group circuit.Group
	b.ReportAllocs()
	for b.Loop() {
		for i := range group { // the next one
			if group[i]++; group[i] != 0 {
				break
			}
		}
		s, err := l.client.Dial(context.Background(), l.provider.key, group)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = s.Write(buf)
		_ = s.CloseWrite()
		if _, err := io.ReadAll(s); err != nil {
			b.Fatal(err)
		}
		s.Close()
	}
}
