package circuit_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	mrand "math/rand/v2"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/circuit"
	"github.com/culvert-net/culvert/circuit/cell"
	"github.com/culvert-net/culvert/circuit/onion"
)

// tap records what crosses each link, and may change it.
type tap struct {
	mu     sync.Mutex
	chunks map[string]*bytes.Buffer                             // "from→to", by name
	change func(from, to string, cell []byte, nth int) [][]byte // nil: as it is
	seen   map[string]int
}

func newTap() *tap {
	return &tap{chunks: make(map[string]*bytes.Buffer), seen: make(map[string]int)}
}

// over puts t on every link of n.
func (t *tap) over(n *network) {
	n.wrap = func(from, to [32]byte, c net.Conn) net.Conn {
		n.mu.Lock()
		defer n.mu.Unlock()
		return &tapConn{Conn: c, tap: t, from: n.nodes[from].name, to: n.nodes[to].name}
	}
}

// pass records b on the way from→to and returns what is to go on.
func (t *tap) pass(from, to string, b []byte) [][]byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	way := from + "→" + to
	if t.chunks[way] == nil {
		t.chunks[way] = new(bytes.Buffer)
	}
	t.chunks[way].Write(b)
	var out [][]byte
	for ; len(b) >= 512; b = b[512:] {
		nth := t.seen[way]
		t.seen[way]++
		if t.change == nil {
			out = append(out, bytes.Clone(b[:512]))
			continue
		}
		out = append(out, t.change(from, to, bytes.Clone(b[:512]), nth)...)
	}
	return append(out, b)
}

// tapConn is the dialing end of a link. What it reads is rewritten a cell at
// a time, as what it writes.
type tapConn struct {
	net.Conn
	tap      *tap
	from, to string
	in       []byte
}

func (c *tapConn) Write(p []byte) (int, error) {
	for _, b := range c.tap.pass(c.from, c.to, p) {
		if len(b) == 0 {
			continue
		}
		if _, err := c.Conn.Write(b); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

func (c *tapConn) Read(p []byte) (int, error) {
	for len(c.in) == 0 {
		var b [512]byte
		n, err := io.ReadFull(c.Conn, b[:])
		for _, out := range c.tap.pass(c.to, c.from, b[:n]) {
			c.in = append(c.in, out...)
		}
		if err != nil && len(c.in) == 0 {
			return 0, err
		}
	}
	n := copy(p, c.in)
	c.in = c.in[n:]
	return n, nil
}

// Every frame on every link is one cell, whatever happens; what a relay
// passes on shares no 16 bytes with what it got; and a reply does not either.
func TestLinksShowOneSizeAndNothingInCommon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, tp := newNetwork(), newTap()
		tp.over(n)
		l := newLab(t, n, 3, 0)
		l.each(t, echo)
		secret := make([]byte, 300_000)
		rand.Read(secret)
		s := l.dial(t)
		go func() {
			_, _ = s.Write(secret)
			_ = s.CloseWrite()
		}()
		if got, err := io.ReadAll(s); err != nil || !bytes.Equal(got, secret) {
			t.Fatalf("echo: %v", err)
		}
		s.Close()
		l.client.Dial(context.Background(), [32]byte{}, circuit.Group{}) // a refusal crosses links too
		tp.mu.Lock()
		defer tp.mu.Unlock()
		if len(tp.chunks) < 6 {
			t.Fatalf("recorded %d directions, want 6 or more", len(tp.chunks))
		}
		windows := make(map[[16]byte]string)
		for way, buf := range tp.chunks {
			b := buf.Bytes()
			if len(b)%512 != 0 {
				t.Errorf("%s carried %d bytes, not whole cells", way, len(b))
			}
			if bytes.Contains(b, secret[1000:1016]) {
				t.Errorf("%s shows the content", way)
			}
			for i := 0; i+16 <= len(b); i++ {
				w := [16]byte(b[i : i+16])
				if other, ok := windows[w]; ok && other != way {
					t.Fatalf("%s and %s share the 16 bytes %x", way, other, w)
				}
				windows[w] = way
			}
		}
	})
}

// A marked cell does not get past the next hop: whoever changes, repeats,
// drops or reorders cells ends the circuit, and the far end gets no byte that
// was not sent.
func TestTagging(t *testing.T) {
	type attack struct {
		name string
		do   func(c []byte, state *[]byte) [][]byte
	}
	rnd := mrand.New(mrand.NewPCG(1, 2))
	attacks := []attack{
		{"flip", func(c []byte, _ *[]byte) [][]byte {
			c[1+rnd.IntN(400)] ^= 1 << rnd.IntN(8)
			return [][]byte{c}
		}},
		{"command", func(c []byte, _ *[]byte) [][]byte { c[0] = 0x80 | c[0]; return [][]byte{c} }},
		{"duplicate", func(c []byte, _ *[]byte) [][]byte { return [][]byte{c, bytes.Clone(c)} }},
		{"drop", func([]byte, *[]byte) [][]byte { return nil }},
		{"swap", func(c []byte, held *[]byte) [][]byte {
			if *held == nil {
				*held = c
				return nil
			}
			return [][]byte{c, *held}
		}},
		{"truncate", func(c []byte, _ *[]byte) [][]byte { return [][]byte{c[:100]} }},
	}
	ways := [][2]string{
		{"user", "relay-1"},
		{"relay-1", "relay-2"},
		{"relay-2", "provider"},
		{"provider", "relay-2"},
		{"relay-2", "relay-1"},
		{"relay-1", "user"},
	}
	for _, a := range attacks {
		for _, way := range ways {
			t.Run(fmt.Sprintf("%s %s→%s", a.name, way[0], way[1]), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					n, tp := newNetwork(), newTap()
					tp.over(n)
					l := newLab(t, n, 3, 0)
					sent := make([]byte, 100_000)
					rand.Read(sent)
					arrived := make(chan []byte, 8)
					l.each(t, func(s *circuit.Stream) {
						defer s.Close()
						got, err := io.ReadAll(io.TeeReader(s, s))
						if err == nil {
							_ = s.CloseWrite()
						}
						arrived <- got
					})
					s := l.dial(t)
					defer s.Close()
					synctest.Wait()
					tp.mu.Lock()
					start := tp.seen[way[0]+"→"+way[1]]
					var held []byte
					var tampered bool
					tp.change = func(from, to string, c []byte, nth int) [][]byte {
						if from != way[0] || to != way[1] || nth < start+5 || nth > start+6 {
							return [][]byte{c}
						}
						if a.name != "swap" && nth != start+5 {
							return [][]byte{c}
						}
						tampered = true
						return a.do(c, &held)
					}
					tp.mu.Unlock()
					go func() {
						_, _ = s.Write(sent)
						_ = s.CloseWrite()
					}()
					got, err := io.ReadAll(s)
					if !tampered {
						t.Fatal("nothing was tampered with")
					}
					if err == nil {
						t.Fatalf("read %d bytes and a clean end", len(got))
					}
					if !bytes.HasPrefix(sent, got) {
						t.Error("the client got bytes nobody sent")
					}
					if far := <-arrived; !bytes.HasPrefix(sent, far) {
						t.Error("the provider got bytes nobody sent")
					}
				})
			})
		}
	}
}

// rawPeer is a neighbour of a relay that speaks cells by hand.
type rawPeer struct {
	t    *testing.T
	link circuit.Link
	in   []*onion.Layer
	out  []*onion.Layer
}

// connect makes a circuit of one hop to nd.
func connect(t *testing.T, from, nd *node) *rawPeer {
	t.Helper()
	link, err := from.Open(context.Background(), nd.key)
	if err != nil {
		t.Fatal(err)
	}
	hs, err := onion.Initiate(world, 1, nd.key, nd.hop().Onion)
	if err != nil {
		t.Fatal(err)
	}
	p := &rawPeer{t: t, link: link}
	c := make([]byte, 512)
	c[0] = byte(cell.Create)
	cell.PutHandshake(c[1:], hs.Create())
	p.write(c)
	c = p.read()
	msg, err := cell.Handshake(c[1:], onion.CreatedSize)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := hs.Finish(msg)
	if err != nil {
		t.Fatal(err)
	}
	p.out, p.in = []*onion.Layer{keys.Forward(world)}, []*onion.Layer{keys.Backward(world)}
	return p
}

// answerCreate answers the next CREATE that reaches nd, by hand, and gives the
// far end of that circuit.
func answerCreate(t *testing.T, nd *node) <-chan *rawPeer {
	made := make(chan *rawPeer, 1)
	go func() {
		p := &rawPeer{t: t, link: <-nd.accept}
		c := make([]byte, 512)
		if _, err := io.ReadFull(p.link, c); err != nil {
			return
		}
		msg, err := cell.Handshake(c[1:], onion.CreateSize)
		if err != nil {
			return
		}
		created, keys, _, err := onion.Respond(world, nd.key, nd, msg)
		if err != nil {
			return
		}
		c[0] = byte(cell.Created)
		cell.PutHandshake(c[1:], created)
		p.out, p.in = []*onion.Layer{keys.Backward(world)}, []*onion.Layer{keys.Forward(world)}
		if _, err := p.link.Write(c); err != nil {
			return
		}
		made <- p
		_, _ = io.Copy(io.Discard, p.link)
	}()
	return made
}

func (p *rawPeer) write(c []byte) {
	p.t.Helper()
	if _, err := p.link.Write(c); err != nil {
		p.t.Fatal(err)
	}
}

func (p *rawPeer) read() []byte {
	p.t.Helper()
	c := make([]byte, 512)
	if _, err := io.ReadFull(p.link, c); err != nil {
		p.t.Fatal(err)
	}
	return c
}

func (p *rawPeer) say(m cell.Message) {
	p.t.Helper()
	c := make([]byte, 512)
	c[0] = byte(cell.Relay)
	cell.Put(c[1:496], m)
	p.out[0].Seal(c[1:], 495)
	p.write(c)
}

func (p *rawPeer) hear() cell.Message {
	p.t.Helper()
	c := p.read()
	if err := p.in[0].Open(c[1:]); err != nil {
		p.t.Fatal(err)
	}
	m, err := cell.Parse(c[1:496])
	if err != nil {
		p.t.Fatal(err)
	}
	return m
}

// What a last hop must not accept ends the circuit, not the relay.
func TestRelayDestroysOnViolations(t *testing.T) {
	open := cell.Message{Kind: cell.Open, Stream: 1, Data: []byte{0}}
	data := cell.Message{Kind: cell.Data, Stream: 1, Data: make([]byte, 400)}
	end := func(n uint64) cell.Message {
		return cell.Message{Kind: cell.End, Stream: 1, Data: binary.BigEndian.AppendUint64(nil, n)}
	}
	for name, msgs := range map[string][]cell.Message{
		"data for a stream that never was": {data},
		"stream id used twice":             {open, open},
		"stream id that falls": {
			{Kind: cell.Open, Stream: 5, Data: []byte{0}}, {Kind: cell.Open, Stream: 4, Data: []byte{0}},
		},
		"ninth stream": func() (m []cell.Message) {
			for i := range 9 {
				m = append(m, cell.Message{Kind: cell.Open, Stream: uint16(i + 1), Data: []byte{0}})
			}
			return m
		}(),
		"credit overrun":          append([]cell.Message{open}, slices.Repeat([]cell.Message{data}, 65)...),
		"data after end":          {open, end(0), data},
		"end with a false count":  {open, data, end(401)},
		"two ends":                {open, end(0), end(0)},
		"credit overflow":         {open, {Kind: cell.Credit, Stream: 1, Data: []byte{0xff, 0xff}}},
		"extended from a client":  {{Kind: cell.Extended, Data: []byte{1}}},
		"pong nobody asked for":   {{Kind: cell.Pong, Data: make([]byte, 8)}},
		"extend beside a stream":  {open, {Kind: cell.Extend, Data: make([]byte, onion.CreateSize)}},
		"message while extending": {{Kind: cell.Extend, Data: extendTo([32]byte{1}, 2)}, {Kind: cell.Drop}, {Kind: cell.Drop}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork()
				user, nd := n.add(t, "user"), n.add(t, "node")
				slow := n.add(t, "slow") // accepts links, answers nothing
				nd.serve(t, func(c *circuit.RelayConfig) { c.Serve = []circuit.StreamKind{circuit.StreamHTTP} })
				p := connect(t, user, nd)
				go func() { // a refusal to read would hide a refusal to go on
					for _, m := range msgs {
						if m.Kind == cell.Extend && len(m.Data) == onion.CreateSize && m.Data[0] == 2 {
							m.Data = extendTo(slow.key, 2)
						}
						c := make([]byte, 512)
						c[0] = byte(cell.Relay)
						cell.Put(c[1:496], m)
						p.out[0].Seal(c[1:], 495)
						if _, err := p.link.Write(c); err != nil {
							return
						}
					}
				}()
				start := time.Now()
				_, _ = io.Copy(io.Discard, p.link)
				if d := time.Since(start); d > 2*time.Second {
					t.Errorf("the circuit lived on for %v", d)
				}
				connect(t, user, nd).link.Close() // the relay does
			})
		})
	}
}

// extendTo is CREATE bytes for a node that will not answer them.
func extendTo(target [32]byte, place byte) []byte {
	b := make([]byte, onion.CreateSize)
	b[0], b[1] = place, onion.Suite1
	copy(b[10:], target[:])
	b[42] = 9
	return b
}

// An EXTEND that cannot be is answered, and leaves the hop last: it still
// answers PING and can be extended elsewhere.
func TestExtendFailedLeavesTheHopLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		user, nd, good := n.add(t, "user"), n.add(t, "node"), n.add(t, "good")
		nd.serve(t, nil)
		good.serve(t, nil)
		p := connect(t, user, nd)
		for name, create := range map[string][]byte{
			"itself":        extendTo(nd.key, 2),
			"back":          extendTo(user.key, 2),
			"unknown":       extendTo([32]byte{0xee}, 2),
			"another place": extendTo(good.key, 3),
			"not our suite": append([]byte{2, 9}, extendTo(good.key, 2)[2:]...),
			"wrong key id":  extendTo(good.key, 2),
			"cut":           {2, 1, 0},
		} {
			p.say(cell.Message{Kind: cell.Extend, Data: create})
			if m := p.hear(); m.Kind != cell.ExtendFailed {
				t.Fatalf("%s: answered by message kind %d", name, m.Kind)
			}
		}
		p.say(cell.Message{Kind: cell.Ping, Data: []byte("are you?")})
		if m := p.hear(); m.Kind != cell.Pong || string(m.Data) != "are you?" {
			t.Fatalf("PING answered by %+v", m)
		}
		hs, err := onion.Initiate(world, 2, good.key, good.hop().Onion)
		if err != nil {
			t.Fatal(err)
		}
		p.say(cell.Message{Kind: cell.Extend, Data: hs.Create()})
		m := p.hear()
		if m.Kind != cell.Extended {
			t.Fatalf("extend to a good node answered by message kind %d", m.Kind)
		}
		if _, err := hs.Finish(m.Data); err != nil {
			t.Error(err)
		}
		p.link.Close()
		synctest.Wait()
		s := nd.relay.Stats()
		if s.Created != 1 || s.Extended != 1 || s.ExtendRefused != 5 || s.ExtendUnknown != 1 || s.ExtendUnreachable != 1 || s.EndedLost != 1 {
			t.Errorf("the relay counts %+v", s)
		}
	})
}

// What does not begin with one CREATE costs the relay a cell's read and five
// seconds, and no key.
func TestLinksThatBeginBadly(t *testing.T) {
	full := func(cmd cell.Command) []byte {
		c := make([]byte, 512)
		c[0] = byte(cmd)
		return c
	}
	hs, err := onion.Initiate(world, 1, [32]byte{}, [32]byte{9})
	if err != nil {
		t.Fatal(err)
	}
	valid := full(cell.Create)
	cell.PutHandshake(valid[1:], hs.Create())
	for name, b := range map[string][]byte{
		"silence":         nil,
		"half a cell":     full(cell.Create)[:256],
		"relay first":     full(cell.Relay),
		"no length":       full(cell.Create),
		"another's":       valid,
		"two creates":     append(bytes.Clone(valid), valid...),
		"http":            append([]byte("GET / HTTP/1.1\r\n\r\n"), make([]byte, 512)...),
		"unknown command": full(0xff),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork()
				user, nd := n.add(t, "user"), n.add(t, "node")
				nd.serve(t, nil)
				link, err := user.Open(context.Background(), nd.key)
				if err != nil {
					t.Fatal(err)
				}
				go func() { _, _ = link.Write(b) }()
				start := time.Now()
				got, _ := io.ReadAll(link)
				if len(got) != 0 {
					t.Errorf("answered with %d bytes", len(got))
				}
				if d := time.Since(start); d > 5*time.Second {
					t.Errorf("the link lived on for %v", d)
				}
				synctest.Wait()
				if s := nd.relay.Stats(); s.Refused != 1 || s.Created != 0 {
					t.Errorf("stats = %+v", s)
				}
			})
		})
	}
}

// A DESTROY's reason stops at the relay that reads it.
func TestDestroyIsToldOnwardsAsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, tp := newNetwork(), newTap()
		tp.over(n)
		l := newLab(t, n, 3, 0)
		l.each(t, echo)
		l.dial(t).Close()
		time.Sleep(11 * time.Minute) // the circuits retire
		tp.mu.Lock()
		defer tp.mu.Unlock()
		reasons := make(map[string]map[cell.Reason]int)
		for _, way := range []string{"user→relay-1", "relay-1→relay-2", "relay-2→provider"} {
			reasons[way] = make(map[cell.Reason]int)
			for b := tp.chunks[way].Bytes(); len(b) > 0; b = b[512:] {
				if cell.Command(b[0]) == cell.Destroy {
					reasons[way][cell.Reason(b[1])]++
				}
			}
		}
		if reasons["user→relay-1"][cell.Finished] == 0 {
			t.Error("the client retired nothing")
		}
		for _, way := range []string{"relay-1→relay-2", "relay-2→provider"} {
			if len(reasons[way]) != 1 || reasons[way][cell.Closed] == 0 {
				t.Errorf("%s: reasons %v, want closed alone", way, reasons[way])
			}
		}
	})
}

// Bytes behind a hop's reach are never passed on: a mark that one relay
// leaves there is gone two hops further.
func TestMarkedRefillIsNotPassedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, tp := newNetwork(), newTap()
		mark := bytes.Repeat([]byte("MARK"), 4)
		marked := 0
		tp.change = func(from, to string, c []byte, _ int) [][]byte {
			if from == "relay-1" && to == "relay-2" && cell.Command(c[0]) == cell.Relay {
				copy(c[496:], mark)
				marked++
			}
			return [][]byte{c}
		}
		tp.over(n)
		l := newLab(t, n, 4, 0)
		l.each(t, echo)
		s := l.dial(t)
		_, _ = s.Write(make([]byte, 20_000))
		s.CloseWrite()
		if _, err := io.ReadAll(s); err != nil {
			t.Fatalf("a mark behind the next hop's reach disturbed it: %v", err)
		}
		tp.mu.Lock()
		defer tp.mu.Unlock()
		if marked == 0 {
			t.Fatal("nothing was marked")
		}
		for _, way := range []string{"relay-2→relay-3", "relay-3→provider"} {
			if bytes.Contains(tp.chunks[way].Bytes(), mark) {
				t.Errorf("the mark is seen on %s", way)
			}
		}
	})
}
