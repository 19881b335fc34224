package sim

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/mesh"
	"github.com/culvert-net/culvert/mesh/meshtest"
)

// cohort is real hosts that push, on a simulated network.
type cohort struct {
	net    *meshtest.Network
	pushes []*mesh.Push
	subs   []*mesh.Subscription
}

// muster makes hosts that are linked and subscribed to one topic. They keep as
// many links as give each some six in all, which is what its mesh needs, and the
// test fewer handshakes.
func muster(t *testing.T, n int) *cohort {
	t.Helper()
	c := &cohort{net: meshtest.New(t, meshtest.Config{Hosts: n, Seed: 1})}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	t.Cleanup(func() { cancel(); wg.Wait() })
	for i, h := range c.net.Hosts {
		p, err := h.Push(mesh.PushConfig{
			Member: func([32]byte) bool { return true },
			Check: func(_ string, _ [32]byte, data []byte) mesh.Verdict {
				if len(data) != eventSize {
					return mesh.Reject
				}
				return mesh.Accept
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		s, err := p.Subscribe("epoch 1")
		if err != nil {
			t.Fatal(err)
		}
		c.pushes, c.subs = append(c.pushes, p), append(c.subs, s)
		wg.Go(func() {
			_ = h.KeepLinks(ctx, mesh.LinksConfig{Peers: c.net.Peers, Count: mesh.PushDegree / 2, Rand: rand.New(rand.NewPCG(1, uint64(i)))})
		})
	}
	time.Sleep(5 * time.Second)
	return c
}

// eventSize is small: the number of messages is what this is about, and packets
// are what a simulated network costs.
const eventSize = 64

// push has each of these hosts push an event, and returns when every one of them
// has those of all others, and how long that took. Nobody may get another's.
func (c *cohort) push(t *testing.T, round int, hosts []int) time.Duration {
	t.Helper()
	began := time.Now()
	for _, i := range hosts {
		data := binary.LittleEndian.AppendUint64(make([]byte, 0, eventSize), uint64(round)<<32|uint64(i))
		if err := c.pushes[i].Publish(t.Context(), "epoch 1", data[:eventSize]); err != nil {
			t.Fatal(err)
		}
	}
	among := make(map[uint64]bool)
	for _, i := range hosts {
		among[uint64(round)<<32|uint64(i)] = true
	}
	var wg sync.WaitGroup
	for _, i := range hosts {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			got := make(map[uint64]bool)
			for len(got) < len(hosts)-1 {
				data, _, err := c.subs[i].Next(ctx)
				if err != nil {
					t.Errorf("round %d: host %d has %d of %d: %v", round, i, len(got), len(hosts)-1, err)
					return
				}
				id := binary.LittleEndian.Uint64(data)
				if !among[id] || got[id] {
					t.Errorf("round %d: host %d has %x, which is another's or there twice", round, i, id)
				}
				got[id] = true
			}
		})
	}
	wg.Wait()
	return time.Since(began)
}

// cpu is what this process has used.
func cpu(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// Real hosts push an event each, and every host gets all. The bar is 15 s; on a
// machine that others use too, it is what two cores do in that time.
func TestSimHosts(t *testing.T) {
	// Hosts hold some 1 MB each; collecting as rarely as that allows is a fifth
	// of the time.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	b := &table{t: t}
	defer b.print()
	began, used := time.Now(), cpu(t)
	var took time.Duration
	synctest.Test(t, func(t *testing.T) {
		c := muster(t, hosts)
		var all []int
		for i := range hosts {
			all = append(all, i)
		}
		took = c.push(t, 1, all)
		for i, p := range c.pushes {
			if s := p.Stats(); s.Dropped != 0 || s.Forged != 0 {
				t.Errorf("host %d: %+v", i, s)
			}
		}
	})
	spent := cpu(t) - used
	b.row(fmt.Sprintf("%d real hosts push an event each: all have all after", hosts), fmt.Sprintf("%d ms", took.Milliseconds()), "≤ 1,000 ms", took <= time.Second)
	real := time.Since(began)
	b.row("  real time, CPU", fmt.Sprintf("%.1f s, %.1f s", real.Seconds(), spent.Seconds()), "≤ 15 s, or ≤ 30 s", real <= 15*time.Second || spent <= 30*time.Second)
}

// Two parts hear themselves, and after the heal each other again, over links
// that they made anew.
func TestSimHostsPartition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := muster(t, min(20, hosts))
		part, rest := []int{}, []int{}
		for i := range c.net.Hosts {
			if i < len(c.net.Hosts)*2/5 {
				part = append(part, i)
			} else {
				rest = append(rest, i)
			}
		}
		all := append(append([]int{}, part...), rest...)
		c.push(t, 1, all)
		c.net.Partition(part...)
		time.Sleep(3 * time.Minute) // links across it end, and others are made
		c.push(t, 2, part)
		c.push(t, 3, rest)
		time.Sleep(10 * time.Second) // what was said lately is offered after a heal too
		c.net.Heal()
		time.Sleep(3 * time.Minute)
		c.push(t, 4, all)
		for i, s := range c.subs {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			if data, _, err := s.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("host %d has one more: %x, %v", i, data[:8], err)
			}
			cancel()
		}
	})
}
