package circuit_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/circuit"
)

// together dials n times at once for one group and returns what came of it.
func together(l *lab, n int, ctxOf func(i int) context.Context) (streams []*circuit.Stream, errs []error) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			s, err := l.client.Dial(ctxOf(i), l.provider.key, circuit.Group{7})
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				errs = append(errs, err)
				return
			}
			streams = append(streams, s)
		})
	}
	wg.Wait()
	return streams, errs
}

func anyContext(int) context.Context { return context.Background() }

// closeAll closes streams, so that the test's bubble can end.
func closeAll(streams []*circuit.Stream) {
	for _, s := range streams {
		s.Close()
	}
}

// Many Dials at once, when nothing is ready, build the circuits that they fill
// and no more: they used to build one each.
func TestColdStartBuildsFewCircuits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := stillLab(t, newNetwork(), 3, 0)
		built := 0
		l.paths.stem = only(func(call int) []circuit.Hop {
			built = call
			return []circuit.Hop{l.relays[0].hop(), l.relays[1].hop()}
		})
		l.run(t)
		l.each(t, echo)
		streams, errs := together(l, 20, anyContext)
		defer closeAll(streams)
		if len(errs) > 0 || len(streams) != 20 {
			t.Fatalf("%d streams, errors %v; want 20", len(streams), errs)
		}
		if built != 3 { // of 8 streams each
			t.Errorf("%d circuits were built for 20 streams, want 3", built)
		}
		for _, c := range l.client.Circuits() {
			if c.Streams > 8 {
				t.Errorf("circuit %s has %d streams", c.ID, c.Streams)
			}
		}
	})
}

// Who waits for another's circuit shares its failures, and no more of them than
// one Dial alone would meet.
func TestFailedFlightIsShared(t *testing.T) {
	for name, c := range map[string]struct {
		bad, met int // proposals with an entry that does not answer; builds over it
	}{
		"once":   {1, 1},
		"always": {100, 4}, // as often as a Dial tries
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork()
				slow := n.add(t, "slow") // takes links and answers nothing
				l := stillLab(t, n, 3, 0)
				l.paths.stem = only(func(call int) []circuit.Hop {
					if call <= c.bad {
						return []circuit.Hop{slow.hop(), l.relays[0].hop()}
					}
					return []circuit.Hop{l.relays[0].hop(), l.relays[1].hop()}
				})
				l.run(t)
				l.each(t, echo)
				streams, errs := together(l, 8, anyContext)
				defer closeAll(streams)
				slow.mu.Lock()
				met := len(slow.links)
				slow.mu.Unlock()
				if met != c.met || (len(errs) > 0) != (c.bad > 1) || len(errs)+len(streams) != 8 {
					t.Errorf("%d builds met the slow entry, errors %v; want %d", met, errs, c.met)
				}
				for _, err := range errs {
					if hop, ok := errors.AsType[*circuit.HopError](err); !ok || hop.Place != 1 || hop.Name != slow.name {
						t.Errorf("Dial = %v, want the entry named", err)
					}
				}
			})
		})
	}
}

// A Dial that is given up takes nobody with it.
func TestAbandonedFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		slow := n.add(t, "slow") // takes links and answers nothing
		l := stillLab(t, n, 3, 0)
		l.paths.stem = only(func(call int) []circuit.Hop {
			if call == 1 {
				return []circuit.Hop{slow.hop(), l.relays[0].hop()}
			}
			return []circuit.Hop{l.relays[0].hop(), l.relays[1].hop()}
		})
		l.run(t)
		l.each(t, echo)
		short, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		led := make(chan error)
		go func() {
			_, err := l.client.Dial(short, l.provider.key, circuit.Group{7})
			led <- err
		}()
		synctest.Wait() // it leads
		began := time.Now()
		var streams []*circuit.Stream
		var errs []error
		done := make(chan struct{})
		go func() {
			defer close(done)
			streams, errs = together(l, 3, anyContext)
		}()
		if err := <-led; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the Dial that was given up = %v, want DeadlineExceeded", err)
		}
		<-done
		defer closeAll(streams)
		if len(errs) > 0 || time.Since(began) > 2*time.Second {
			t.Errorf("the others: %v after %v; want streams as soon as the leader gave up", errs, time.Since(began))
		}
	})
}
