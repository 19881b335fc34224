package circuit_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/circuit"
)

// Two groups never share a circuit: in a thousand requests, many at a time,
// while relays die and come back.
func TestGroupsNeverShareACircuit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const seed = 11
		rnd := rand.New(rand.NewPCG(seed, 0))
		l := stillLab(t, newNetwork(), 3, 4)
		l.paths.likely, l.paths.forgive = true, true
		paths := rand.New(rand.NewPCG(seed, 1)) // guarded by the lab's paths
		l.paths.stem = func(n int, _ [32]byte) ([]circuit.Hop, error) {
			var hops []circuit.Hop
			for _, i := range paths.Perm(len(l.relays))[:n] {
				hops = append(hops, l.relays[i].hop())
			}
			return hops, nil
		}
		l.run(t)
		l.each(t, echo)

		var mu sync.Mutex
		owner := make(map[string]circuit.Group)
		failed := 0
		ask := func(group circuit.Group) {
			s, err := l.client.Dial(context.Background(), l.provider.key, group)
			if err != nil {
				mu.Lock()
				failed++
				mu.Unlock()
				return
			}
			defer s.Close()
			mu.Lock()
			if other, ok := owner[s.Circuit()]; ok && other != group {
				t.Errorf("seed %d: circuit %s carries groups %x and %x", seed, s.Circuit(), group[0], other[0])
			}
			owner[s.Circuit()] = group
			mu.Unlock()
			_, _ = s.Write(make([]byte, 1000))
			_ = s.CloseWrite()
			_, _ = io.Copy(io.Discard, s) // cut when a relay dies under it
		}
		var wg sync.WaitGroup
		for i := range 1000 {
			wg.Go(func() { ask(circuit.Group{byte(i % 2)}) })
			if i%20 == 19 {
				r := l.relays[rnd.IntN(len(l.relays))]
				r.mu.Lock()
				links := r.links
				r.links = nil
				r.mu.Unlock()
				for _, k := range links {
					k.Close() // every circuit over this relay dies
				}
				time.Sleep(300 * time.Millisecond)
			}
		}
		wg.Wait()
		if failed > 50 {
			t.Errorf("seed %d: %d of 1000 requests found no circuit", seed, failed)
		}
		if len(owner) < 10 {
			t.Errorf("seed %d: only %d circuits were used; the relays did not die", seed, len(owner))
		}
	})
}

// A group per request, as batch work under isolation by conversation has it,
// leaves a bounded number of circuits behind, and none for long.
func TestGroupsLeaveFewCircuits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, newNetwork(), 3, 0)
		l.each(t, echo)
		open := func() int {
			n := 0
			for _, c := range l.client.Circuits() {
				if c.State == "open" {
					n++
				}
			}
			return n
		}
		for i := range 200 {
			s, err := l.client.Dial(context.Background(), l.provider.key, circuit.Group([]byte(fmt.Sprintf("%032d", i))))
			if err != nil {
				t.Fatal(err)
			}
			_ = s.CloseWrite()
			_, _ = io.Copy(io.Discard, s)
			s.Close()
			synctest.Wait()
		}
		if n := open(); n > 33 {
			t.Errorf("%d circuits are open after 200 conversations", n)
		}
		time.Sleep(6 * time.Minute)
		if n := open(); n != 0 {
			t.Errorf("%d circuits are open six minutes after the last of them was used", n)
		}
	})
}
