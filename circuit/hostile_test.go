package circuit_test

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/circuit"
	"github.com/culvert-net/culvert/circuit/cell"
	"github.com/culvert-net/culvert/circuit/onion"
)

// babble takes links at nd and writes what speak says to each until nobody
// reads. The first cell that came, the CREATE, is speak's.
func (nd *node) babble(tb testing.TB, speak func(l *link, create []byte)) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			got, err := nd.Accept(ctx)
			if err != nil {
				return
			}
			wg.Go(func() {
				l := got.(*link)
				defer l.Close()
				stop := context.AfterFunc(ctx, func() { l.Close() })
				defer stop()
				c := make([]byte, 512)
				if _, err := io.ReadFull(l, c); err != nil {
					return
				}
				wg.Go(func() { _, _ = io.Copy(io.Discard, l) })
				speak(l, c)
			})
		}
	})
	tb.Cleanup(func() { cancel(); wg.Wait() })
}

// created answers a CREATE as an honest node does.
func (nd *node) created(l *link, create []byte) (*onion.Keys, bool) {
	msg, err := cell.Handshake(create[1:], onion.CreateSize)
	if err != nil {
		return nil, false
	}
	answer, keys, _, err := onion.Respond(world, nd.key, nd, msg)
	if err != nil {
		return nil, false
	}
	c := make([]byte, 512)
	c[0] = byte(cell.Created)
	cell.PutHandshake(c[1:], answer)
	_, err = l.Write(c)
	return keys, err == nil
}

// noise writes n random cells that begin with one of first.
func noise(l *link, n int, first ...byte) {
	c := make([]byte, 512)
	for i := range n {
		rand.Read(c)
		if len(first) > 0 {
			c[0] = first[i%len(first)]
		}
		if _, err := l.Write(c); err != nil {
			return
		}
	}
}

// A relay that speaks garbage, in whatever state, costs builds over it and
// nothing else: requests go over others, none hangs, nothing is kept.
func TestGarbageSpeakingRelay(t *testing.T) {
	const cells = 200
	for name, speak := range map[string]func(nd *node, l *link, create []byte){
		"instead of CREATED": func(_ *node, l *link, _ []byte) { noise(l, cells) },
		"a CREATED that is none": func(_ *node, l *link, _ []byte) {
			noise(l, cells, byte(cell.Created))
		},
		"half a cell": func(_ *node, l *link, _ []byte) { _, _ = l.Write(make([]byte, 100)) },
		"after CREATED": func(nd *node, l *link, create []byte) {
			if _, ok := nd.created(l, create); ok {
				noise(l, cells)
			}
		},
		"RELAY cells that do not open": func(nd *node, l *link, create []byte) {
			if _, ok := nd.created(l, create); ok {
				noise(l, cells, byte(cell.Relay))
			}
		},
		"messages of no kind": func(nd *node, l *link, create []byte) {
			keys, ok := nd.created(l, create)
			if !ok {
				return
			}
			back := keys.Backward(world)
			for range cells {
				c := make([]byte, 512)
				rand.Read(c)
				c[0] = byte(cell.Relay)
				back.Seal(c[1:], 495)
				if _, err := l.Write(c); err != nil {
					return
				}
			}
		},
		"nothing": func(_ *node, l *link, _ []byte) {},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := stillLab(t, newNetwork(), 3, 3)
				bad := l.net.add(t, "bad")
				bad.babble(t, func(k *link, create []byte) { speak(bad, k, create) })
				l.relays = append(l.relays, bad)
				l.shuffled(7)
				l.each(t, echo)
				l.run(t)
				for i := range 30 {
					start := time.Now()
					s, err := l.client.Dial(t.Context(), l.provider.key, circuit.Group{byte(i)})
					if err != nil {
						t.Fatalf("request %d: %v", i, err)
					}
					_, _ = s.Write([]byte("prompt"))
					_ = s.CloseWrite()
					if got, err := io.ReadAll(s); err != nil || string(got) != "prompt" {
						t.Errorf("request %d: %q, %v", i, got, err)
					}
					s.Close()
					if d := time.Since(start); d > 5*time.Second {
						t.Errorf("request %d took %v", i, d)
					}
				}
				l.paths.mu.Lock()
				defer l.paths.mu.Unlock()
				if l.paths.blamed[bad.key] == 0 {
					t.Error("no build met the relay")
				}
			})
		})
	}
}

// A far end that floods a client is cut off, or read and forgotten; other
// circuits of the client do not notice, and nothing is kept.
func TestFloodingFarEnd(t *testing.T) {
	const cells = 20000
	grant := cell.Message{Kind: cell.Credit, Stream: 1, Data: []byte{0xff, 0xff}}
	for name, tt := range map[string]struct {
		msg  cell.Message
		cmd  cell.Command
		ends bool
	}{
		"data beyond credit":      {msg: cell.Message{Kind: cell.Data, Stream: 1, Data: make([]byte, 400)}, ends: true},
		"data of no stream":       {msg: cell.Message{Kind: cell.Data, Stream: 900, Data: make([]byte, 400)}, ends: true},
		"credit":                  {msg: grant, ends: true},
		"PONG":                    {msg: cell.Message{Kind: cell.Pong, Data: make([]byte, 8)}, ends: true},
		"PING":                    {msg: cell.Message{Kind: cell.Ping, Data: make([]byte, 8)}, ends: true},
		"EXTENDED":                {msg: cell.Message{Kind: cell.Extended, Data: make([]byte, onion.CreatedSize)}, ends: true},
		"RESET of a dead stream":  {msg: cell.Message{Kind: cell.Reset, Stream: 1, Data: []byte{0}}},
		"DROP":                    {msg: cell.Message{Kind: cell.Drop}},
		"PADDING":                 {cmd: cell.Padding},
		"CREATE in the other way": {cmd: cell.Create, ends: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := stillLab(t, newNetwork(), 1, 0)
				l.each(t, echo)
				bad := l.net.add(t, "flooder")
				l.paths.providers = append(l.paths.providers, bad)
				flooded := make(chan int, 1)
				opened := make(chan struct{})
				bad.babble(t, func(k *link, create []byte) {
					keys, ok := bad.created(k, create)
					if !ok {
						return
					}
					<-opened
					back, sent := keys.Backward(world), 0
					for ; sent < cells; sent++ {
						c := make([]byte, 512)
						c[0] = byte(tt.cmd)
						if tt.cmd == 0 {
							c[0] = byte(cell.Relay)
							cell.Put(c[1:496], tt.msg)
							back.Seal(c[1:], 495)
						}
						if _, err := k.Write(c); err != nil {
							break
						}
					}
					flooded <- sent
				})
				l.run(t)
				s, err := l.client.Dial(t.Context(), bad.key, circuit.Group{1})
				if err != nil {
					t.Fatal(err)
				}
				honest := l.dial(t)
				before := heap()
				close(opened)
				for range 50 { // beside the flood
					buf := []byte("a cell of somebody else's")
					if _, err := honest.Write(buf); err != nil {
						t.Fatal(err)
					}
					if _, err := io.ReadFull(honest, buf); err != nil {
						t.Fatal(err)
					}
				}
				sent := <-flooded
				if tt.ends {
					if _, err := io.Copy(io.Discard, s); !errors.Is(err, circuit.ErrProtocol) {
						t.Errorf("after %d cells: %v, want ErrProtocol", sent, err)
					}
				} else if sent != cells {
					t.Errorf("cut off after %d cells of what means nothing", sent)
				}
				if grown := heap() - before; grown > 2<<20 {
					t.Errorf("%d cells cost the client %d KiB", sent, grown>>10)
				}
				s.Close()
				honest.Close()
			})
		})
	}
}

// A client that floods a relay is cut off, or read and forgotten.
func TestFloodingClient(t *testing.T) {
	const cells = 20000
	for name, tt := range map[string]struct {
		msg cell.Message
		cmd cell.Command
	}{
		"PING":    {msg: cell.Message{Kind: cell.Ping, Data: make([]byte, 8)}},
		"DROP":    {msg: cell.Message{Kind: cell.Drop}},
		"PADDING": {cmd: cell.Padding},
		"OPEN":    {msg: cell.Message{Kind: cell.Open, Stream: 1, Data: []byte{0}}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLab(t, newNetwork(), 3, 0)
				l.each(t, echo)
				honest := l.dial(t)
				target := l.relays[0] // the honest circuit's entry
				user := l.net.add(t, "flooder")
				p := connect(t, user, target)
				go func() { _, _ = io.Copy(io.Discard, p.link) }() // PONGs
				before := heap()
				done := make(chan struct{})
				go func() {
					defer close(done)
					for range cells {
						c := make([]byte, 512)
						c[0] = byte(tt.cmd)
						if tt.cmd == 0 {
							c[0] = byte(cell.Relay)
							cell.Put(c[1:496], tt.msg)
							p.out[0].Seal(c[1:], 495)
						}
						if _, err := p.link.Write(c); err != nil {
							return
						}
					}
				}()
				for range 50 {
					buf := []byte("a cell of somebody else's")
					if _, err := honest.Write(buf); err != nil {
						t.Fatal(err)
					}
					if _, err := io.ReadFull(honest, buf); err != nil {
						t.Fatal(err)
					}
				}
				<-done
				if grown := heap() - before; grown > 2<<20 {
					t.Errorf("the flood cost the relay %d KiB", grown>>10)
				}
				p.link.Close()
				honest.Close()
			})
		})
	}
}
