package meshtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/mesh"
)

const (
	proto = "/culvert/test/1"

	// patience is virtual.
	patience = time.Minute
)

// ask has one host send a byte to another, which answers.
func ask(ctx context.Context, n *Network, from, to int) error {
	p := n.Peer(to)
	s, err := n.Hosts[from].Open(ctx, proto, p.Key, p.Addrs)
	if err != nil {
		return err
	}
	defer s.Reset()
	if d, ok := ctx.Deadline(); ok {
		if err := s.SetDeadline(d); err != nil {
			return err
		}
	}
	if _, err := s.Write([]byte{1}); err != nil {
		return err
	}
	_, err = io.ReadFull(s, make([]byte, 1))
	return err
}

func serve(n *Network) {
	for _, h := range n.Hosts {
		h.Handle(proto, 64, 64, func(s *mesh.Stream) {
			defer s.Close()
			b := make([]byte, 1)
			if _, err := s.Read(b); err == nil {
				_, _ = s.Write(b)
			}
		})
	}
}

func TestPartition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(t, Config{Hosts: 3, Seed: 1})
		serve(n)
		short := func(from, to int) error {
			ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
			defer cancel()
			return ask(ctx, n, from, to)
		}
		n.Partition(0)
		if err := short(0, 1); !errors.Is(err, mesh.ErrUnreachable) {
			t.Errorf("across the partition: %v, want %v", err, mesh.ErrUnreachable)
		}
		if err := short(1, 2); err != nil {
			t.Errorf("within a part: %v", err)
		}
		n.Heal()
		time.Sleep(2 * time.Second) // a failed dial is remembered for a second
		if err := short(0, 1); err != nil {
			t.Errorf("after the heal: %v", err)
		}
		n.Loss(1)
		if err := short(1, 2); err == nil {
			t.Error("answered though every packet is lost")
		}
	})
}

// The same seed is the same network.
func TestSeed(t *testing.T) {
	ways := func(seed uint64) (out []time.Duration) {
		synctest.Test(t, func(t *testing.T) {
			n := New(t, Config{Hosts: 8, Seed: seed})
			serve(n)
			for to := 1; to < 8; to++ {
				began := time.Now()
				if err := ask(t.Context(), n, 0, to); err != nil {
					t.Fatal(err)
				}
				out = append(out, time.Since(began).Round(step))
			}
		})
		return out
	}
	first := fmt.Sprint(ways(7))
	if again := fmt.Sprint(ways(7)); again != first {
		t.Errorf("the same seed: %v, then %v", first, again)
	}
	if other := fmt.Sprint(ways(8)); other == first {
		t.Errorf("another seed: %v too", first)
	}
}

// pushing starts the push on every host, and links.
func pushing(t *testing.T, n *Network, links int) []*mesh.Push {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	t.Cleanup(func() { cancel(); wg.Wait() })
	var out []*mesh.Push
	for i, h := range n.Hosts {
		p, err := h.Push(mesh.PushConfig{
			Member: func([32]byte) bool { return true },
			Check:  func(string, [32]byte, []byte) mesh.Verdict { return mesh.Accept },
		})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
		wg.Go(func() {
			_ = h.KeepLinks(ctx, mesh.LinksConfig{Peers: n.Peers, Count: links, Rand: rand.New(rand.NewPCG(n.cfg.Seed, uint64(i)))})
		})
	}
	return out
}

// Topics change for ever; what a topic took is given back.
func TestPushRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(t, Config{Hosts: 8, Seed: 3})
		all := pushing(t, n, 3)
		subs := make([]*mesh.Subscription, len(all))
		var first int
		for epoch := range 40 {
			topic := fmt.Sprintf("epoch %d", epoch)
			for i, p := range all {
				old := subs[i]
				var err error
				if subs[i], err = p.Subscribe(topic); err != nil {
					t.Fatal(err)
				}
				if old != nil {
					old.Cancel()
					old.Cancel()
					if _, _, err := old.Next(t.Context()); !errors.Is(err, mesh.ErrCancelled) {
						t.Fatalf("Next after Cancel: %v, want %v", err, mesh.ErrCancelled)
					}
				}
			}
			time.Sleep(time.Minute)
			if err := all[epoch%len(all)].Publish(t.Context(), topic, []byte(topic)); err != nil {
				t.Fatal(err)
			}
			for i, s := range subs {
				if i == epoch%len(all) {
					continue
				}
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				data, _, err := s.Next(ctx)
				cancel()
				if err != nil || string(data) != topic {
					t.Fatalf("epoch %d: host %d got %q, %v", epoch, i, data, err)
				}
			}
			synctest.Wait()
			if epoch == 9 {
				first = runtime.NumGoroutine()
			}
		}
		// Links come and go, a dozen goroutines each; one a topic and host would
		// be 240.
		if last := runtime.NumGoroutine(); last > first+160 {
			t.Errorf("%d goroutines after 10 topics, %d after 40", first, last)
		}
	})
}

// A host that is gone is replaced, and who dialled us does not count.
func TestKeepLinks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(t, Config{Hosts: 6, Seed: 5})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			done <- n.Hosts[0].KeepLinks(ctx, mesh.LinksConfig{Peers: n.Peers, Count: 3, Rand: rand.New(rand.NewPCG(1, 1))})
		}()
		time.Sleep(10 * time.Second)
		if got := n.Hosts[0].Stats().Links; got != 3 {
			t.Fatalf("%d links, want 3", got)
		}
		lost := -1
		for i := 1; i < 6 && lost < 0; i++ {
			if n.Hosts[i].Stats().Links == 1 {
				lost = i
			}
		}
		if err := n.Hosts[lost].Close(); err != nil {
			t.Fatal(err)
		}
		// Its goodbye may be lost with it; then it is the link's silence that tells.
		time.Sleep(2 * time.Minute)
		linked := 0
		for i := 1; i < 6; i++ {
			if i != lost {
				linked += n.Hosts[i].Stats().Links
			}
		}
		if linked != 3 {
			t.Errorf("%d links to hosts that are there, want 3", linked)
		}
		// One after another everybody is linked to for a while.
		met := make(map[int]bool)
		for range 60 {
			time.Sleep(30 * time.Second)
			for i := 1; i < 6; i++ {
				met[i] = met[i] || i != lost && n.Hosts[i].Stats().Links > 0
			}
			if got := n.Hosts[0].Stats().Links; got > 3 {
				t.Fatalf("%d links, want 3: what is given up must be closed", got)
			}
		}
		for i := 1; i < 6; i++ {
			if i != lost && !met[i] {
				t.Errorf("host %d was never linked to", i)
			}
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("KeepLinks: %v, want %v", err, context.Canceled)
		}
	})
}
