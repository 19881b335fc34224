package circuit_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/circuit"
)

// payLab is a lab whose provider serves requests and payments, and says on each
// stream which of the two it was.
func payLab(t *testing.T, pairs bool) *lab {
	t.Helper()
	l := stillLab(t, newNetwork(), 3, 0)
	kinds := []circuit.StreamKind{circuit.StreamHTTP, circuit.StreamPay}
	seller := l.net.add(t, "seller")
	seller.serve(t, func(c *circuit.RelayConfig) { c.Extend, c.Serve = false, kinds })
	l.provider, l.paths.providers = seller, []*node{seller}
	client, err := circuit.NewClient(circuit.ClientConfig{
		World: world, Hops: 3, CellSize: 512, Links: l.user, Paths: l.paths, Log: slog.New(slog.DiscardHandler), Pairs: pairs,
	})
	if err != nil {
		t.Fatal(err)
	}
	l.client = client
	var wg sync.WaitGroup
	t.Cleanup(func() { seller.cancel(); wg.Wait() })
	for _, kind := range kinds {
		wg.Go(func() {
			for {
				c, err := seller.relay.Listener(kind).Accept()
				if err != nil {
					return
				}
				wg.Go(func() {
					_, _ = c.Write([]byte{byte(kind)}) // the client's read shows what arrived
					_, _ = io.Copy(io.Discard, c)
					_ = c.Close()
				})
			}
		})
	}
	l.run(t)
	return l
}

// hear reads the one byte by which a stream says of what kind it is.
func hear(t *testing.T, s *circuit.Stream) byte {
	t.Helper()
	var b [1]byte
	if _, err := io.ReadFull(s, b[:]); err != nil {
		t.Fatalf("reading a stream: %v", err)
	}
	return b[0]
}

// A stream beside another runs on its circuit, is of the kind that was asked
// for, is no request of the circuit's, and outlives the other.
func TestBeside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := payLab(t, true)
		s := l.dial(t)
		pay, err := s.Beside(t.Context(), circuit.StreamPay)
		if err != nil {
			t.Fatal(err)
		}
		if pay.Circuit() != s.Circuit() || hear(t, s) != 0 || hear(t, pay) != 1 {
			t.Errorf("the stream beside is on circuit %s, want %s, or of another kind", pay.Circuit(), s.Circuit())
		}
		for _, c := range l.client.Circuits() {
			if c.ID == s.Circuit() && (c.Requests != 1 || c.Streams != 2) {
				t.Errorf("the circuit has carried %d requests on %d streams, want 1 on 2", c.Requests, c.Streams)
			}
		}
		_ = s.Reset()
		synctest.Wait()
		if _, err := pay.Write([]byte("still here")); err != nil {
			t.Errorf("writing after the other was reset: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.Beside(ctx, circuit.StreamPay); !errors.Is(err, context.Canceled) {
			t.Errorf("with a context that has ended: %v", err)
		}
		_ = pay.Close()
	})
}

// Where pairs are kept, as many Dials as come at once each have room for a stream
// beside theirs; where they are not, a circuit that is full says so.
func TestBesideHasRoom(t *testing.T) {
	for _, pairs := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			l := payLab(t, pairs)
			const n = 8
			var wg sync.WaitGroup
			var mu sync.Mutex
			carried := make(map[string]int)
			full := 0
			ready := make(chan struct{})
			for range n {
				wg.Go(func() {
					s, err := l.client.Dial(context.Background(), l.provider.key, circuit.Group{})
					if err != nil {
						t.Error(err)
						return
					}
					defer s.Close()
					mu.Lock()
					if carried[s.Circuit()]++; carried[s.Circuit()] > 4 && pairs {
						t.Errorf("circuit %s carries %d requests, want at most 4", s.Circuit(), carried[s.Circuit()])
					}
					mu.Unlock()
					<-ready
					pay, err := s.Beside(context.Background(), circuit.StreamPay)
					if errors.Is(err, circuit.ErrBusy) && !pairs {
						mu.Lock()
						full++
						mu.Unlock()
						return
					}
					if err != nil {
						t.Errorf("pairs %v: %v", pairs, err)
						return
					}
					if hear(t, pay) != 1 {
						t.Error("the stream beside is of another kind")
					}
					_ = pay.Close()
				})
			}
			time.Sleep(time.Minute)
			close(ready)
			wg.Wait()
			if !pairs && full == 0 {
				t.Error("without pairs no circuit was full, so the test shows nothing")
			}
		})
	}
}

// A second stream beside the same one has no place kept for it, and takes none
// that is kept for another.
func TestBesideTakesNobodysPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := payLab(t, true)
		var all []*circuit.Stream
		for range 4 {
			all = append(all, l.dial(t))
		}
		for range 2 {
			// The first takes its own place; then all others are kept.
			pay, err := all[0].Beside(t.Context(), circuit.StreamPay)
			if len(all) == 4 && err != nil || len(all) == 5 && !errors.Is(err, circuit.ErrBusy) {
				t.Fatalf("%d streams: %v", len(all), err)
			}
			if err == nil {
				all = append(all, pay)
			}
		}
		for _, s := range all[1:4] {
			pay, err := s.Beside(t.Context(), circuit.StreamPay)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, pay)
		}
		for _, s := range all {
			_ = s.Close()
		}
	})
}

// The errors of a circuit that has ended are those of Dial; one that does not
// serve the kind resets it, and the request goes on.
func TestBesideFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := payLab(t, false)
		s := l.dial(t)
		other, err := s.Beside(t.Context(), circuit.StreamJoin)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(other); !errors.Is(err, circuit.ErrReset) {
			t.Errorf("a stream of a kind that is not served: %v, want it reset", err)
		}
		if hear(t, s) != 0 {
			t.Error("the request's stream suffered")
		}
		l.provider.cancel()
		_, _ = io.Copy(io.Discard, s)
		synctest.Wait()
		if _, err := s.Beside(t.Context(), circuit.StreamPay); !errors.Is(err, circuit.ErrDestroyed) {
			t.Errorf("on a circuit that has ended: %v, want ErrDestroyed", err)
		}
	})
}
