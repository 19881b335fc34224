package member

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/mesh"
	"github.com/culvert-net/culvert/mesh/roster"
)

// joinPipe is one end of a stream with a request to join.
type joinPipe struct{ net.Conn }

// Reset implements JoinStream.
func (p joinPipe) Reset() error { return p.Close() }

// Strangers on links who open streams and say nothing keep nobody from joining.
func TestSilentStrangersOnLinks(t *testing.T) {
	const strangers = maxAsking + 2
	runHosted(t, strangers+2, func(t *testing.T, h *hosted) {
		h.start(0)
		host := h.members[0].Member
		dial := func(i int) *mesh.Stream {
			t.Helper()
			s, err := h.net.Hosts[i].Open(t.Context(), mesh.ProtoJoin, host.Self(), h.net.Peer(0).Addrs)
			try(t, err)
			return s
		}
		for i := range strangers {
			s := dial(1 + i)
			defer func() { _ = s.Reset() }()
			_, err := s.Write([]byte{1}) // one byte of a key
			try(t, err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if n := h.members[0].door.links.Len(); n != maxAsking {
			t.Fatalf("%d strangers wait, want %d", n, maxAsking)
		}
		m := open(t, host.cfg.World, newKey(t))
		ask := request(t, host, m)
		s := dial(strangers + 1)
		defer s.Close()
		_ = s.SetDeadline(time.Now().Add(10 * time.Second))
		answer, err := exchange(s, ask, h.world.ID, m.Self(), host.Self())
		if err != nil || answer.Kind != roster.Admitted {
			t.Errorf("behind silent strangers: %+v, %v; want to be admitted", answer.Kind, err)
		}
	})
}

// Nor do those who come over circuits, say nonsense or do not take their answer; and
// each is let go in time.
func TestStrangersOverCircuits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newKey(t)
		host := open(t, makeWorld(t, 1, a), a)
		try(t, foundBy(host, "", time.Now(), a))
		s := start(t, host)[0]
		var running sync.WaitGroup
		serve := func() net.Conn {
			here, there := net.Pipe()
			running.Go(func() { s.ServeJoin(context.Background(), joinPipe{there}) })
			return here
		}
		for range 2 * maxAsking {
			here := serve()
			defer here.Close()
		}
		synctest.Wait()
		if n := s.door.circuits.Len(); n != maxAsking {
			t.Errorf("%d are at the door, want %d", n, maxAsking)
		}
		for range 2 * maxAsking {
			here := serve()
			defer here.Close()
			running.Go(func() { // a request of the right form, whose answer nobody reads
				_, err := here.Write(make([]byte, 32))
				_, _, err2 := nonces(here)
				_ = errors.Join(err, err2, writeMessage(here, []byte("nonsense"))) // it may be ended before
			})
		}
		synctest.Wait()
		if n := s.door.circuits.Len(); n == 0 || n > maxAsking || len(s.door.judged) > 0 {
			t.Errorf("%d are at the door, %d judged, want at most %d and none", n, len(s.door.judged), maxAsking)
		}
		before := time.Now()
		m := open(t, host.cfg.World, newKey(t))
		ask := request(t, host, m)
		answer, err := exchange(serve(), ask, host.cfg.World.ID, m.Self(), host.Self())
		if err != nil || answer.Kind != roster.Admitted || time.Since(before) > 0 {
			t.Errorf("behind strangers: %+v, %v after %v; want to be admitted at once", answer.Kind, err, time.Since(before))
		}
		// One that says a byte now and then has no more time than one that is silent.
		dripping := serve()
		defer dripping.Close()
		running.Go(func() {
			for {
				if _, err := dripping.Write([]byte{1}); err != nil {
					return
				}
				time.Sleep(askingLimit / 4)
			}
		})
		time.Sleep(askingLimit + time.Second)
		synctest.Wait()
		if n := s.door.circuits.Len(); n != 0 {
			t.Errorf("%d are at the door after their time", n)
		}
		running.Wait()
	})
}
