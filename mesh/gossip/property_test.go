package gossip

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
)

// fully is given by "make sim", which has the time for 10,000 interleavings
// and for logs of half a million events.
var fully = flag.Bool("full", false, "try 10,000 interleavings, and the largest logs")

// Whatever happens to replicas of a log (events here and there, some pushed and
// some of those lost or doubled, partitions, sessions cut or spoilt at any byte,
// epochs pruned at different times, the roster rotated while others are away),
// two rounds after the network healed all hold the same events.
func TestConvergence(t *testing.T) {
	n := 100
	if *fully {
		n = 10_000
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for !t.Failed() {
				seed := next.Add(1)
				if seed > int64(n) {
					return
				}
				if err := converge(t, uint64(seed)); err != nil {
					t.Errorf("seed %d: %v", seed, err)
				}
			}
		})
	}
	wg.Wait()
}

func converge(t *testing.T, seed uint64) error {
	rnd := rand.New(rand.NewPCG(seed, 17))
	all := nodes(t, 2+rnd.IntN(3))
	const epochs = 4
	side := make([]int, len(all)) // of the partition
	number := uint64(0)
	for range 4 + rnd.IntN(12) {
		a, b := rnd.IntN(len(all)), rnd.IntN(len(all))
		switch rnd.IntN(10) {
		case 0, 1, 2: // events, some pushed
			for range 1 + rnd.IntN(6) {
				number++
				e := body(uint64(rnd.IntN(epochs)), uint64(a), number, 40)
				all[a].log.add(e)
				for i, x := range all {
					for range rnd.IntN(3) { // not at all, once or twice
						if side[i] == side[a] {
							x.log.add(e)
						}
					}
				}
			}
		case 3:
			for i := range side {
				side[i] = rnd.IntN(2)
			}
		case 4:
			all[a].log.prune(uint64(rnd.IntN(epochs - 1)))
		case 5: // only one proposes, so there is no fork
			all[0].group.rotate(all[0].group.Members()...)
		default:
			if a == b || side[a] != side[b] {
				continue
			}
			at, kind, sent := rnd.IntN(6000), rnd.IntN(4), 0
			var mu sync.Mutex
			_, _, _, _ = all[a].sync(all[b], func(_ bool, w []byte) ([]byte, bool) {
				mu.Lock()
				defer mu.Unlock()
				from := sent
				sent += len(w)
				if kind == 0 || at < from || at >= sent {
					return w, false
				}
				switch kind {
				case 1:
					return w[:at-from], true
				case 2:
					w = append([]byte(nil), w...)
					w[at-from] ^= 1
					return w, true
				default:
					return append(append([]byte(nil), w...), w...), true
				}
			})
		}
	}
	for round := 1; ; round++ {
		for _, a := range all {
			for _, b := range all {
				if a == b {
					continue
				}
				if _, _, err, answerErr := a.sync(b, nil); err != nil || answerErr != nil {
					return fmt.Errorf("round %d: opener %w, answerer %w", round, err, answerErr)
				}
			}
		}
		equal := true
		for _, x := range all[1:] {
			equal = equal && same(all[0], x)
		}
		switch {
		case equal:
			return nil
		case round == 2:
			return fmt.Errorf("after two rounds the logs differ")
		}
	}
}
