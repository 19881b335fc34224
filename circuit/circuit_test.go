package circuit_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/circuit"
)

func echo(s *circuit.Stream) {
	defer s.Close()
	if _, err := io.Copy(s, s); err == nil {
		_ = s.CloseWrite()
	}
}

func TestEchoAtEveryLength(t *testing.T) {
	for hops := 1; hops <= 5; hops++ {
		t.Run(fmt.Sprintf("%d hops", hops), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLab(t, newNetwork(), hops, 0)
				l.each(t, echo)
				for _, n := range []int{0, 1, 456, 457, 458, 64 * 457, 64*457 + 1, 1 << 20} {
					want := make([]byte, n)
					rand.Read(want)
					s := l.dial(t)
					go func() {
						_, _ = s.Write(want)
						_ = s.CloseWrite()
					}()
					got, err := io.ReadAll(s)
					if err != nil {
						t.Fatalf("%d bytes: %v", n, err)
					}
					if !bytes.Equal(got, want) {
						t.Fatalf("%d bytes: came back different", n)
					}
					s.Close()
				}
			})
		})
	}
}

func TestStreamsShareACircuit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, newNetwork(), 3, 0)
		l.each(t, echo)
		sums := make(chan error, 20)
		for i := range 20 { // more than one circuit's eight
			go func() {
				s, err := l.client.Dial(context.Background(), l.provider.key, circuit.Group{})
				if err != nil {
					sums <- err
					return
				}
				defer s.Close()
				want := bytes.Repeat([]byte{byte(i)}, 100_000+i)
				go func() {
					_, _ = s.Write(want)
					_ = s.CloseWrite()
				}()
				h := sha256.New()
				if _, err := io.Copy(h, s); err != nil {
					sums <- err
					return
				}
				if [32]byte(h.Sum(nil)) != sha256.Sum256(want) {
					sums <- fmt.Errorf("stream %d came back different", i)
					return
				}
				sums <- nil
			}()
		}
		for range 20 {
			if err := <-sums; err != nil {
				t.Error(err)
			}
		}
	})
}

// A reader must be able to tell a stream that is complete from one that was
// cut, in each of the ways it can be cut.
func TestCutIsNeverAnEnd(t *testing.T) {
	for name, cut := range map[string]func(l *lab, s *circuit.Stream){
		"provider resets":      func(_ *lab, s *circuit.Stream) { s.Reset() },
		"provider just closes": func(_ *lab, s *circuit.Stream) { s.Close() },
		"middle relay dies":    func(l *lab, _ *circuit.Stream) { l.relays[1].kill() },
		"entry relay dies":     func(l *lab, _ *circuit.Stream) { l.relays[0].kill() },
		"provider dies":        func(l *lab, _ *circuit.Stream) { l.provider.kill() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLab(t, newNetwork(), 3, 0)
				l.each(t, func(s *circuit.Stream) {
					_, _ = io.ReadAll(s)
					_, _ = s.Write([]byte("half an ans"))
					synctest.Wait()
					cut(l, s)
				})
				s := l.dial(t)
				defer s.Close()
				s.CloseWrite()
				got, err := io.ReadAll(s)
				if err == nil {
					t.Fatalf("read %q and a clean end", got)
				}
				if string(got) != "half an ans" {
					t.Errorf("read %q before the cut", got)
				}
				select {
				case <-s.Done():
				default:
					t.Error("Done is not closed after the cut")
				}
			})
		})
	}
}

func TestResetReachesTheHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, newNetwork(), 3, 0)
		seen := make(chan time.Time, 1)
		l.each(t, func(s *circuit.Stream) {
			defer s.Close()
			_, _ = io.ReadAll(s) // the request is over; the handler works on
			<-s.Done()
			seen <- time.Now()
		})
		s := l.dial(t)
		s.CloseWrite()
		synctest.Wait()
		s.Reset()
		<-seen
	})
}

// A reset overtakes what is queued: the other end must not have to read a
// whole window before it learns that nobody wants the rest.
func TestStalledReaderStopsTheWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, newNetwork(), 3, 0)
		wrote := make(chan int64, 1)
		l.each(t, func(s *circuit.Stream) {
			defer s.Close()
			n, _ := io.Copy(s, zeros{})
			wrote <- n
		})
		s := l.dial(t)
		synctest.Wait() // everything that can move has moved
		s.Reset()
		n := <-wrote
		if limit := int64(64*457 + 32<<10); n == 0 || n > limit {
			t.Errorf("the writer got rid of %d bytes at a reader that read none, want at most %d", n, limit)
		}
	})
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, newNetwork(), 3, 0)
		l.each(t, func(s *circuit.Stream) { <-s.Done(); s.Close() })
		s := l.dial(t)
		defer s.Close()
		start := time.Now()
		s.SetReadDeadline(start.Add(3 * time.Second))
		if _, err := s.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Read = %v, want ErrDeadlineExceeded", err)
		}
		if d := time.Since(start); d != 3*time.Second {
			t.Errorf("Read returned after %v, want 3s", d)
		}
		s.SetWriteDeadline(time.Now().Add(time.Second))
		if _, err := s.Write(make([]byte, 1<<20)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Write = %v, want ErrDeadlineExceeded", err)
		}
		s.SetDeadline(time.Time{})
		var ne net.Error
		if !errors.As(os.ErrDeadlineExceeded, &ne) || !ne.Timeout() {
			t.Error("a deadline is not a net.Error timeout")
		}
	})
}

// A relay that stops without a word is found by PING; a provider that is slow
// to answer is not mistaken for one.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, newNetwork(), 3, 0)
		release := make(chan struct{})
		l.each(t, func(s *circuit.Stream) {
			defer s.Close()
			_, _ = io.ReadAll(s)
			<-release
			_, _ = s.Write([]byte("at last"))
			_ = s.CloseWrite()
		})
		s := l.dial(t)
		s.CloseWrite()
		time.AfterFunc(14*time.Minute, func() { close(release) })
		got, err := io.ReadAll(s)
		if err != nil || string(got) != "at last" {
			t.Fatalf("a long prefill: %q, %v", got, err)
		}
		s.Close()
	})
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		freeze := make(chan struct{})
		frozen := &freezer{frozen: freeze}
		n.wrap = func(_, _ [32]byte, c net.Conn) net.Conn { return &freezeConn{c, frozen} }
		l := newLab(t, n, 3, 0)
		l.each(t, func(s *circuit.Stream) { <-s.Done(); s.Close() })
		s := l.dial(t)
		defer s.Close()
		synctest.Wait()
		close(freeze)
		start := time.Now()
		_, err := s.Read(make([]byte, 1))
		if !errors.Is(err, circuit.ErrSilent) {
			t.Fatalf("Read over a frozen link = %v, want ErrSilent", err)
		}
		if d := time.Since(start); d > 15*time.Second {
			t.Errorf("found after %v", d)
		}
	})
}

type freezer struct{ frozen chan struct{} }

// freezeConn swallows what is written once frozen.
type freezeConn struct {
	net.Conn
	f *freezer
}

func (c *freezeConn) Write(p []byte) (int, error) {
	select {
	case <-c.f.frozen:
		return len(p), nil
	default:
		return c.Conn.Write(p)
	}
}

func TestDeadRelayIsRoutedAround(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, newNetwork(), 3, 1)
		l.each(t, echo)
		l.dial(t).Close()
		l.relays[1].kill()
		synctest.Wait() // until then a stream may still start on the dying circuit
		s := l.dial(t)
		defer s.Close()
		s.CloseWrite()
		if _, err := io.ReadAll(s); err != nil {
			t.Fatal(err)
		}
		for _, c := range l.client.Circuits() {
			for _, h := range c.Hops {
				if h == l.relays[1].name {
					t.Errorf("circuit %s still goes over the dead relay: %v", c.ID, c.Hops)
				}
			}
		}
	})
}

func TestDeadProvider(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, newNetwork(), 3, 1)
		l.each(t, echo)
		l.provider.kill()
		_, err := l.client.Dial(context.Background(), l.provider.key, circuit.Group{})
		if err == nil {
			t.Fatal("Dial of a dead provider succeeded")
		}
		if hop, ok := errors.AsType[*circuit.HopError](err); !ok || hop.Place != 3 || hop.Name != l.provider.hop().Name {
			t.Errorf("Dial of a dead provider = %v, want it named as hop 3", err)
		}
		other := l.net.add(t, "provider-2")
		other.serve(t, func(c *circuit.RelayConfig) { c.Extend, c.Serve = false, []circuit.StreamKind{circuit.StreamHTTP} })
		l.paths.providers = append(l.paths.providers, other)
		s, err := l.client.Dial(context.Background(), other.key, circuit.Group{})
		if err != nil {
			t.Fatalf("Dial of another provider on the stems that are left: %v", err)
		}
		s.Close()
		if _, err := l.client.Dial(context.Background(), [32]byte{1}, circuit.Group{}); !errors.Is(err, circuit.ErrUnknownNode) {
			t.Errorf("Dial of an unknown provider = %v, want ErrUnknownNode", err)
		}
	})
}

func TestPoolIsReadyBeforeAnyoneAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		l := newLab(t, n, 3, 0)
		l.paths.mu.Lock()
		l.paths.likely = true
		l.paths.mu.Unlock()
		l.client.Changed()
		time.Sleep(time.Second)
		stems, open := 0, 0
		for _, c := range l.client.Circuits() {
			switch c.State {
			case "stem":
				stems++
			case "open":
				open++
			}
		}
		if stems != 2 || open != 1 {
			t.Errorf("%d stems and %d open circuits ready, want 2 and 1", stems, open)
		}
		if err := l.client.Ready(); err != nil {
			t.Error(err)
		}
	})
}

// A circuit retires after 200 requests or ten minutes, and its relays are
// told so.
func TestRetirement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, newNetwork(), 3, 0)
		l.each(t, echo)
		first := ""
		for i := range 201 {
			s := l.dial(t)
			s.CloseWrite()
			if _, err := io.ReadAll(s); err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				first = s.Circuit()
			}
			if i == 200 && s.Circuit() == first {
				t.Error("the 201st request still runs over the first circuit")
			}
			s.Close()
		}
		time.Sleep(11 * time.Minute)
		for _, c := range l.client.Circuits() {
			if c.Age > 10*time.Minute+20*time.Second {
				t.Errorf("circuit of age %v is still there", c.Age)
			}
		}
		var open int
		for _, r := range l.relays {
			open += r.relay.Stats().Circuits
		}
		if mine := 2 * len(l.client.Circuits()); open != mine {
			t.Errorf("relays hold %d circuits, the client's live ones make %d", open, mine)
		}
	})
}
