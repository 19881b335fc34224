package circuit_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"

	"github.com/culvert-net/culvert/circuit"
	"github.com/culvert-net/culvert/circuit/cell"
)

// A stream beyond what a gateway takes is told so, and not like one that was
// lost: whoever dialled it may ask somebody else, or say 503.
func TestStreamBeyondTheBacklogIsToldBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, newNetwork(), 3, 0)
		const backlog = 128
		var waiting []*circuit.Stream
		for range backlog {
			waiting = append(waiting, l.dial(t))
		}
		synctest.Wait() // all of them stand in the queue that nobody empties
		for _, use := range []func(s *circuit.Stream) error{
			func(s *circuit.Stream) error { _, err := s.Read(make([]byte, 1)); return err },
			func(s *circuit.Stream) error { _, err := io.Copy(s, zeros{}); return err },
		} {
			s := l.dial(t)
			if err := use(s); !errors.Is(err, circuit.ErrBusy) {
				t.Errorf("a stream beyond the backlog: %v, want ErrBusy", err)
			}
			s.Close()
		}
		synctest.Wait()
		if s := l.provider.relay.Listener(circuit.StreamHTTP).Stats(); s != (circuit.ListenerStats{Waiting: backlog, Delivered: backlog, Busy: 2}) {
			t.Errorf("the listener counts %+v", s)
		}
		l.each(t, echo)
		s := waiting[0]
		_ = s.CloseWrite()
		if _, err := io.ReadAll(s); err != nil {
			t.Errorf("a stream that waited: %v", err)
		}
		for _, s := range waiting {
			s.Close()
		}
		again := l.dial(t) // the circuit that was refused a stream lives
		_ = again.CloseWrite()
		if _, err := io.ReadAll(again); err != nil {
			t.Errorf("a stream when there is room again: %v", err)
		}
		again.Close()
	})
}

// A provider without room for a circuit says so through the relay before it.
func TestDialToldThatTheProviderIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, newNetwork(), 3, 2)
		full := l.net.add(t, "full")
		l.paths.providers = append(l.paths.providers, full)
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		go func() {
			for {
				link, err := full.Accept(ctx)
				if err != nil {
					return
				}
				c := make([]byte, 512)
				_, _ = io.ReadFull(link, c)
				c[0], c[1] = byte(cell.Destroy), byte(cell.Busy)
				_, _ = link.Write(c)
				link.Close()
			}
		}()
		_, err := l.client.Dial(context.Background(), full.key, circuit.Group{})
		if !errors.Is(err, circuit.ErrBusy) {
			t.Errorf("Dial = %v, want ErrBusy", err)
		}
		if s := l.dial(t); s != nil { // others are not affected
			s.Close()
		}
	})
}
