package circuit

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"regexp"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// What docs/design/bounds.md says of this package's bounds is what they are.
func TestBoundsTable(t *testing.T) {
	text, err := os.ReadFile("../docs/design/bounds.md")
	if err != nil {
		t.Fatal(err)
	}
	said := make(map[string]string)
	for _, m := range regexp.MustCompile("(?m)^\\| `circuit` `(\\w+)` \\| ([^|]+) \\|").FindAllStringSubmatch(string(text), -1) {
		said[m[1]] = m[2]
	}
	is := map[string]any{
		"maxStreams": maxStreams, "maxCredit": maxCredit, "SendQueue": SendQueue, "acceptQueue": acceptQueue,
		"maxRelayCircuits": maxRelayCircuits, "maxFarewells": maxFarewells, "maxReadBatches": maxReadBatches,
		"batchBytes": batchBytes, "idleBytes": idleBytes, "maxClean": maxClean, "readyStems": readyStems,
		"maxIdleGroups": maxIdleGroups, "dialAttempts": dialAttempts, "maxHedges": maxHedges, "estimateWindow": estimateWindow,
	}
	for name, v := range is {
		if said[name] != fmt.Sprint(v) {
			t.Errorf("%s is %v and said to be %q", name, v, said[name])
		}
	}
	if len(said) != len(is) {
		t.Errorf("%d bounds in the document, %d here", len(said), len(is))
	}
}

// deaf is a link that takes nothing.
type deaf struct {
	net.Conn
	resets *atomic.Int64
}

func (d deaf) Peer() [32]byte { return [32]byte{} }
func (d deaf) Reset() error   { d.resets.Add(1); return d.Close() }

// crowd opens n deaf links and then no more.
type crowd struct {
	n      int
	resets atomic.Int64
	others []net.Conn
}

func (c *crowd) Open(context.Context, [32]byte) (Link, error) { return nil, ErrUnknownNode }

func (c *crowd) Accept(ctx context.Context) (Link, error) {
	if c.n == 0 {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	c.n--
	near, far := net.Pipe()
	c.others = append(c.others, far)
	return deaf{near, &c.resets}, nil
}

type noKeys struct{ OnionKeys }

// A full relay says so to a bounded number of links that do not listen; the
// others are reset at once.
func TestFullRelayRefusesWithoutWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		links := &crowd{n: 3 * maxFarewells}
		r, err := NewRelay(RelayConfig{CellSize: 512, Links: links, Keys: noKeys{}, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		r.slots = make(chan struct{}) // no room for any
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = r.Run(ctx)
		}()
		synctest.Wait()
		if n := links.resets.Load(); n != 2*maxFarewells {
			t.Errorf("%d links were reset at once, want %d", n, 2*maxFarewells)
		}
		if s := r.Stats(); s.Refused != 3*maxFarewells || s.Full != s.Refused {
			t.Errorf("%d refusals are counted, %d for want of room; want %d", s.Refused, s.Full, 3*maxFarewells)
		}
		cancel()
		<-done
	})
}
