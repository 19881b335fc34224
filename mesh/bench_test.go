package mesh

import (
	"fmt"
	"io"
	"testing"
)

// BenchmarkStream is the floor under everything that goes over a link: two
// hosts in one process, on loopback; TCP with Noise and yamux, or QUIC.
func BenchmarkStream(b *testing.B) {
	b.Run("tcp", func(b *testing.B) { benchStream(b, onTCP) })
	b.Run("quic", func(b *testing.B) { benchStream(b, onQUIC) })
}

func benchStream(b *testing.B, listen string) {
	for _, size := range []int{512, 4 << 10, 64 << 10} {
		b.Run(fmt.Sprintf("throughput/%d", size), func(b *testing.B) {
			srv, cli := serverOn(b, listen), bridge(b)
			done := make(chan int64, 1)
			srv.Handle("/culvert/sink/1", 1, 1, func(s *Stream) {
				defer s.Close()
				n, _ := io.CopyBuffer(struct{ io.Writer }{io.Discard}, s, make([]byte, 64<<10))
				done <- n
			})
			s, err := cli.Open(b.Context(), "/culvert/sink/1", srv.Key(), srv.Addrs())
			if err != nil {
				b.Fatal(err)
			}
			buf := make([]byte, size)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Write(buf); err != nil {
					b.Fatal(err)
				}
			}
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
			<-done
		})
	}
	b.Run("roundtrip/512", func(b *testing.B) {
		srv, cli := serverOn(b, listen), bridge(b)
		s, err := cli.Open(b.Context(), testProto, srv.Key(), srv.Addrs())
		if err != nil {
			b.Fatal(err)
		}
		defer s.Reset()
		buf := make([]byte, 512)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := s.Write(buf); err != nil {
				b.Fatal(err)
			}
			if _, err := io.ReadFull(s, buf); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("open", func(b *testing.B) {
		srv, cli := serverOn(b, listen), bridge(b)
		srv.Handle("/culvert/once/1", 10, 10, func(s *Stream) {
			defer s.Close()
			var cell [512]byte
			if _, err := io.ReadFull(s, cell[:]); err == nil {
				_, _ = s.Write(cell[:])
			}
		})
		addrs := srv.Addrs()
		buf := make([]byte, 512)
		b.ReportAllocs()
		for b.Loop() {
			s, err := cli.Open(b.Context(), "/culvert/once/1", srv.Key(), addrs)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := s.Write(buf); err != nil {
				b.Fatal(err)
			}
			if _, err := io.ReadFull(s, buf); err != nil {
				b.Fatal(err)
			}
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
