package circuit_test

import (
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/circuit"
)

// slowPipe is a link whose bytes take delay each way and which has at most
// room bytes on the way, as a yamux stream with its window has.
func slowPipe(delay time.Duration, room int) (a, b net.Conn) {
	ab, ba := newWay(delay, room), newWay(delay, room)
	return &slowConn{in: ba, out: ab}, &slowConn{in: ab, out: ba}
}

// way is one direction of a slow link.
type way struct {
	delay time.Duration
	room  int

	mu     sync.Mutex
	cond   *sync.Cond
	queue  []parcel
	size   int
	closed bool
}

type parcel struct {
	data []byte
	due  time.Time
}

func newWay(delay time.Duration, room int) *way {
	w := &way{delay: delay, room: room}
	w.cond = sync.NewCond(&w.mu)
	return w
}

type slowConn struct {
	net.Conn // none: only what circuit.Link needs is there
	in, out  *way
}

func (c *slowConn) Write(p []byte) (int, error) {
	w := c.out
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.size+len(p) > w.room && !w.closed {
		w.cond.Wait()
	}
	if w.closed {
		return 0, net.ErrClosed
	}
	w.queue = append(w.queue, parcel{append([]byte(nil), p...), time.Now().Add(w.delay)})
	w.size += len(p)
	w.cond.Broadcast()
	return len(p), nil
}

func (c *slowConn) Read(p []byte) (int, error) {
	w := c.in
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		if len(w.queue) > 0 {
			first := &w.queue[0]
			if wait := time.Until(first.due); wait > 0 {
				w.mu.Unlock()
				time.Sleep(wait)
				w.mu.Lock()
				continue
			}
			n := copy(p, first.data)
			if first.data = first.data[n:]; len(first.data) == 0 {
				w.queue = w.queue[1:]
			}
			w.size -= n
			w.cond.Broadcast()
			return n, nil
		}
		if w.closed {
			return 0, io.EOF
		}
		w.cond.Wait()
	}
}

func (c *slowConn) Close() error {
	for _, w := range []*way{c.in, c.out} {
		w.mu.Lock()
		w.closed = true
		w.cond.Broadcast()
		w.mu.Unlock()
	}
	return nil
}

// Over a round trip of 100 ms bulk runs at more than the 5 MB/s that are
// promised, in both directions: credit grows to what is on the way, and none of
// it lies idle. With the window it begins with it would be 0.3 MB/s.
func TestBulkOverALongPath(t *testing.T) {
	const total, least = 64 << 20, 7.5 // bytes, MB/s; the window allows 9.3
	for name, f := range map[string]struct {
		serve func(s *circuit.Stream)
		use   func(s *circuit.Stream) (int64, error)
	}{
		"download": {
			func(s *circuit.Stream) {
				_, _ = io.CopyN(s, zeros{}, total)
				_ = s.CloseWrite()
				_, _ = io.Copy(io.Discard, s)
			},
			func(s *circuit.Stream) (int64, error) {
				_ = s.CloseWrite()
				return io.Copy(io.Discard, s)
			},
		},
		"upload": {
			func(s *circuit.Stream) {
				_, _ = io.Copy(io.Discard, s)
				_ = s.CloseWrite()
			},
			func(s *circuit.Stream) (int64, error) {
				n, err := io.CopyN(s, zeros{}, total)
				_ = s.CloseWrite()
				if err == nil {
					_, err = io.ReadAll(s) // its end says that all arrived
				}
				return n, err
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork()
				n.dial = func() (net.Conn, net.Conn) { return slowPipe(100*time.Millisecond/6, 512<<10) }
				l := newLab(t, n, 3, 0)
				l.each(t, func(s *circuit.Stream) {
					defer s.Close()
					f.serve(s)
				})
				s := l.dial(t)
				defer s.Close()
				start := time.Now()
				got, err := f.use(s)
				if err != nil || got != total {
					t.Fatalf("%d of %d bytes, %v", got, total, err)
				}
				rate := float64(total) / time.Since(start).Seconds() / 1e6
				t.Logf("%.2f MB/s", rate)
				if rate < least {
					t.Errorf("%.2f MB/s at a round trip of 100 ms, want %.1f", rate, least)
				}
			})
		})
	}
}
