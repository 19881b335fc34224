package circuit_test

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/culvert-net/culvert/circuit"
)

// Streams of every kind that a node serves arrive where they belong, over one
// circuit; one of another kind is reset and costs the others nothing.
func TestKindsOfStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, newNetwork(), 3, 0)
		member := l.net.add(t, "member")
		member.serve(t, func(c *circuit.RelayConfig) {
			c.Extend, c.Serve = false, []circuit.StreamKind{circuit.StreamDirectory, circuit.StreamSync}
		})
		l.paths.mu.Lock()
		l.paths.providers = append(l.paths.providers, member)
		l.paths.mu.Unlock()
		var wg sync.WaitGroup
		t.Cleanup(func() { member.cancel(); wg.Wait() })
		for kind, says := range map[circuit.StreamKind]string{circuit.StreamDirectory: "directory", circuit.StreamSync: "sync"} {
			wg.Go(func() {
				for {
					c, err := member.relay.Listener(kind).Accept()
					if err != nil {
						return
					}
					wg.Go(func() {
						s := c.(*circuit.Stream)
						_, _ = io.WriteString(s, says) // the client's read shows what arrived
						_ = s.CloseWrite()
						_, _ = io.Copy(io.Discard, s)
						_ = s.Close()
					})
				}
			})
		}
		if member.relay.Listener(circuit.StreamHTTP) != nil {
			t.Error("there is a listener for a kind that is not served")
		}
		ask := func(kind circuit.StreamKind) (string, string, error) {
			s, err := l.client.DialKind(context.Background(), member.key, circuit.Group{}, kind)
			if err != nil {
				return "", "", err
			}
			defer s.Close()
			_ = s.CloseWrite()
			text, err := io.ReadAll(s)
			return string(text), s.Circuit(), err
		}
		// At once, so that they wait for the same circuit.
		var all sync.WaitGroup
		var circuits [2]string
		for i, kind := range []circuit.StreamKind{circuit.StreamDirectory, circuit.StreamSync} {
			all.Go(func() {
				text, circ, err := ask(kind)
				circuits[i] = circ
				if want := []string{"directory", "sync"}[i]; text != want || err != nil {
					t.Errorf("stream of kind %d: %q, %v; want %q", kind, text, err, want)
				}
			})
		}
		all.Wait()
		for _, kind := range []circuit.StreamKind{circuit.StreamHTTP, circuit.StreamPay, circuit.StreamJoin, 255} {
			if text, _, err := ask(kind); !errors.Is(err, circuit.ErrReset) {
				t.Errorf("stream of kind %d: %q, %v; want it reset", kind, text, err)
			}
		}
		text, circ, err := ask(circuit.StreamSync)
		if text != "sync" || err != nil || circ != circuits[0] || circ != circuits[1] {
			t.Errorf("after those: %q, %v on circuit %s; want it on the one of before, %q", text, err, circ, circuits)
		}
		if s := member.relay.Stats(); s.ResetStreams != 4 {
			t.Errorf("%d streams reset, want 4", s.ResetStreams)
		}
	})
}

// A circuit may end at a node that does not extend, and never goes on from it.
func TestNodeThatDoesNotExtend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := stillLab(t, newNetwork(), 3, 0)
		member := l.net.add(t, "member")
		member.serve(t, func(c *circuit.RelayConfig) { c.Extend = false })
		l.paths.relays = append(l.paths.relays[:1], member)
		l.run(t)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if _, err := l.client.Dial(ctx, l.provider.key, circuit.Group{}); err == nil {
			t.Error("a circuit was built through a node that does not extend")
		}
		if s := member.relay.Stats(); s.Extended != 0 || s.ExtendRefused == 0 {
			t.Errorf("the node extended %d times and refused %d; want it to refuse", s.Extended, s.ExtendRefused)
		}
	})
}

// The bytes are fixed: other programs speak them.
func TestKindsHaveTheirBytes(t *testing.T) {
	for kind, want := range map[circuit.StreamKind]byte{
		circuit.StreamHTTP: 0, circuit.StreamPay: 1, circuit.StreamDirectory: 2, circuit.StreamSync: 3, circuit.StreamJoin: 4, circuit.StreamChain: 5,
	} {
		if byte(kind) != want {
			t.Errorf("a kind has byte %d, want %d", kind, want)
		}
	}
}
