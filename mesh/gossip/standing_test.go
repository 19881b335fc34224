package gossip

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"
)

// closes plays a member that takes its peer for none: after the hello it says nothing.
func closes(y io.ReadWriteCloser) {
	_, _ = io.ReadFull(y, make([]byte, helloSize))
	_ = y.Close()
}

// silent plays one whose link has died without a word.
func silent(y io.ReadWriteCloser) {
	_, _ = io.Copy(io.Discard, y)
	_ = y.Close()
}

// A node learns within seconds that nobody takes it for a member any more, and does
// not take for that what a broken network does, nor one member that plays a trick.
func TestShunned(t *testing.T) {
	for _, c := range []struct {
		name string
		play []func(io.ReadWriteCloser) // the others; nil: cannot be reached
		want bool
	}{
		{"all close", []func(io.ReadWriteCloser){closes, closes, closes}, true},
		{"one of three can be reached, and closes", []func(io.ReadWriteCloser){nil, closes, nil}, true},
		{"the only other closes", []func(io.ReadWriteCloser){closes}, true},
		{"two close, one is silent", []func(io.ReadWriteCloser){closes, silent, closes}, true},
		{"a partition", []func(io.ReadWriteCloser){nil, nil, nil}, false},
		{"links that died", []func(io.ReadWriteCloser){silent, silent, silent}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				all, syncs, net := syncers(t, 1+len(c.play))
				for i, play := range c.play {
					if play == nil {
						net.apart[all[1+i].key] = 1
					} else {
						net.instead[all[1+i].key] = play
					}
				}
				ctx, cancel := context.WithCancel(t.Context())
				net.wg.Go(func() { _ = syncs[0].Run(ctx) })
				time.Sleep(3*doubtAgain + time.Second)
				synctest.Wait()
				if got := syncs[0].Shunned(); got != c.want {
					t.Errorf("after some seconds shunned %v, want %v", got, c.want)
				}
				time.Sleep(10 * time.Minute)
				synctest.Wait()
				if got := syncs[0].Shunned(); got != c.want {
					t.Errorf("shunned %v, want %v", got, c.want)
				}
				// One that answers is enough to know better.
				net.mu.Lock()
				clear(net.apart)
				clear(net.instead)
				net.mu.Unlock()
				syncs[0].Kick()
				time.Sleep(time.Minute) // a round with the silent may be under way
				synctest.Wait()
				if syncs[0].Shunned() {
					t.Error("shunned though all answer")
				}
				cancel()
				net.wg.Wait()
			})
		})
	}
}

// While others answer, what one member does says nothing, in whatever order it comes.
func TestOneDoesNotShun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all, syncs, net := syncers(t, 4)
		net.instead[all[2].key] = closes
		for range 20 {
			syncs[0].Round(t.Context())
			if syncs[0].Shunned() {
				t.Fatal("one member closes, others answer, and the node takes itself for shunned")
			}
			time.Sleep(time.Minute)
		}
		net.wg.Wait()
	})
}

// What others open counts as an answer; what a broken link does is no close.
func TestStanding(t *testing.T) {
	sent := Size{Wire: Bytes{Sent: helloSize}}
	var s standing
	for i := range 10 {
		for _, err := range []error{closed(io.ErrClosedPipe), closed(nil), &Error{Reason: ReasonTimeout}, &Error{Reason: ReasonUnreachable}} {
			s.take(&Result{Peer: [32]byte{byte(i)}, Size: sent}, err)
		}
		if s.take(&Result{Peer: [32]byte{byte(i)}}, closed(io.EOF)); s.closed > 0 {
			t.Fatalf("%+v of links that break", s)
		}
	}
	for range 10 {
		for range shunnedTimes - 1 {
			if !s.take(&Result{Peer: [32]byte{1}, Size: sent}, closed(io.EOF)) || s.shunned() {
				t.Fatal("one member is enough to be shunned, or leaves no doubt")
			}
		}
		s.take(&Result{Peer: [32]byte{2}, Proved: true}, nil) // a session that it opened
	}
	s.take(&Result{Peer: [32]byte{1}, Size: sent}, closed(io.EOF))
	if doubt := s.take(&Result{Peer: [32]byte{2}, Size: sent}, closed(io.EOF)); doubt || !s.shunned() {
		t.Errorf("two members close: %+v", s)
	}
}
