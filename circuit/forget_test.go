package circuit_test

import (
	"io"
	"runtime"
	"testing"
	"testing/synctest"
	"weak"

	"github.com/culvert-net/culvert/circuit"
)

// A stream whose ends have both been said is held by nothing, at either end: a
// gateway closes most before the last cell of them has left, and would keep a
// minute's worth of streams, each with the circuit it was of. The runtime drops
// stopped timers in bulk, so a few may still hang on one.
func TestFinishedStreamsAreForgotten(t *testing.T) {
	const requests = 100
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, newNetwork(), 3, 0)
		served := make(chan weak.Pointer[circuit.Stream], requests)
		l.each(t, func(s *circuit.Stream) {
			answer(s)
			served <- weak.Make(s)
		})
		var near, far []weak.Pointer[circuit.Stream]
		for range requests {
			s := l.dial(t)
			_ = s.CloseWrite()
			if _, err := io.ReadAll(s); err != nil {
				t.Fatal(err)
			}
			s.Close()
			near, far = append(near, weak.Make(s)), append(far, <-served)
		}
		synctest.Wait()
		runtime.GC()
		runtime.GC()
		held := func(all []weak.Pointer[circuit.Stream]) (n int) {
			for _, p := range all {
				if p.Value() != nil {
					n++
				}
			}
			return n
		}
		if n, m := held(near), held(far); n > requests/2 || m > requests/2 {
			t.Errorf("of %d streams that are over the client holds %d, the provider %d", requests, n, m)
		}
	})
}

// answer reads a request, and closes before any cell of the answer can be
// written.
func answer(s *circuit.Stream) {
	_, _ = io.ReadAll(s)
	_, _ = s.Write([]byte("answer"))
	_ = s.CloseWrite()
	s.Close()
}
