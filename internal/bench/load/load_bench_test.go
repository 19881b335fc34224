package load

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/internal/bench/script"
	"github.com/culvert-net/culvert/internal/bench/upstream"
)

// What the generator and the mock upstream need themselves, for a profile.
func BenchmarkAsk(b *testing.B) {
	s := httptest.NewServer(upstream.New(upstream.Config{}))
	defer s.Close()
	addr := strings.TrimPrefix(s.URL, "http://")
	for _, bb := range []struct {
		name string
		load Load
	}{
		{"whole", Load{Order: script.Order{Tokens: 32}}},
		{"stream", Load{Order: script.Order{Tokens: 32}, Stream: true}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			l := bb.load
			l.Clients, l.Count = 4, b.N
			if r := Run(b.Context(), addr, l); r.Right != b.N {
				b.Fatalf("%d of %d answers are right: %q", r.Right, b.N, r.Why)
			}
		})
	}
}
