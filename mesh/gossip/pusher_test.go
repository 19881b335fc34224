package gossip

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// hub is a Broadcaster for all pushers of a test: it gives a message to everybody
// who is in a topic, through their Check.
type hub struct {
	mu       sync.Mutex
	ears     map[string]map[*hubEar]bool
	messages [][]byte
	topics   []string
	fates    map[Fate]int
}

func newHub() *hub { return &hub{ears: map[string]map[*hubEar]bool{}, fates: map[Fate]int{}} }

// port is one pusher's way to the hub.
type port struct {
	*hub
	key    [32]byte
	pusher *Pusher
}

type hubEar struct {
	port  *port
	name  string
	queue chan []byte
	once  sync.Once
	gone  chan struct{}
}

func (p *port) Subscribe(name string) (Subscription, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := &hubEar{port: p, name: name, queue: make(chan []byte, 1000), gone: make(chan struct{})}
	if p.ears[name] == nil {
		p.ears[name] = map[*hubEar]bool{}
	}
	p.ears[name][e] = true
	return e, nil
}

func (e *hubEar) Next(ctx context.Context) ([]byte, [32]byte, error) {
	select {
	case b := <-e.queue:
		return b, [32]byte{}, nil
	case <-e.gone:
		return nil, [32]byte{}, errors.New("cancelled")
	case <-ctx.Done():
		return nil, [32]byte{}, ctx.Err()
	}
}

func (e *hubEar) Present() (out [][32]byte) {
	e.port.mu.Lock()
	defer e.port.mu.Unlock()
	for other := range e.port.ears[e.name] {
		if other.port != e.port {
			out = append(out, other.port.key)
		}
	}
	return out
}

func (e *hubEar) Cancel() {
	e.once.Do(func() {
		close(e.gone)
		e.port.mu.Lock()
		defer e.port.mu.Unlock()
		delete(e.port.ears[e.name], e)
	})
}

func (p *port) Publish(_ context.Context, name string, data []byte) error {
	p.mu.Lock()
	p.messages, p.topics = append(p.messages, data), append(p.topics, name)
	p.mu.Unlock()
	p.deliver(p, name, data)
	return nil
}

// deliver gives a message to everybody but the one it is from.
func (h *hub) deliver(from *port, name string, data []byte) {
	h.mu.Lock()
	var ears []*hubEar
	for e := range h.ears[name] {
		if e.port != from {
			ears = append(ears, e)
		}
	}
	h.mu.Unlock()
	for _, e := range ears {
		fate := e.port.pusher.Check(name, data)
		h.mu.Lock()
		h.fates[fate]++
		h.mu.Unlock()
		if fate == Accept {
			e.queue <- data
		}
	}
}

// pushers makes n nodes whose pushers run until the test ends.
func pushers(t *testing.T, n int) ([]*node, []*port, *hub, func()) {
	t.Helper()
	all, h := nodes(t, n), newHub()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var ports []*port
	for _, x := range all {
		p := &port{hub: h, key: x.key}
		pusher, err := NewPusher(PusherConfig{World: x.World, Group: x.group, Log: x.log, Judge: x.log, Broadcast: p})
		if err != nil {
			t.Fatal(err)
		}
		p.pusher = pusher
		ports = append(ports, p)
		wg.Go(func() { _ = pusher.Run(ctx) })
	}
	synctest.Wait()
	return all, ports, h, func() { cancel(); wg.Wait() }
}

func TestPush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all, ports, h, stop := pushers(t, 3)
		defer stop()
		epoch := all[0].World.Epoch(time.Now())
		e1, e2 := body(epoch, 1, 1, 300), body(epoch, 1, 2, 300)
		all[0].log.add(e1, e2)
		ports[0].pusher.Push(e1)
		ports[0].pusher.Push(e2)
		time.Sleep(2 * batchDelay)
		synctest.Wait()
		for i, x := range all {
			if len(x.log.state(0)) != 2 {
				t.Errorf("member %d has %d events", i, len(x.log.state(0)))
			}
		}
		if len(h.messages) != 1 || len(h.messages[0])%bucket != 0 {
			t.Fatalf("%d messages, want both events in one", len(h.messages))
		}
		s, r := ports[0].pusher.Status(), ports[1].pusher.Status()
		if s.Sent != 2 || s.Batches != 1 || r.Received != 1 || r.Added != 2 {
			t.Errorf("status %+v and %+v", s, r)
		}
		// The same batch again, later, or the events in another one: not sent on.
		clear(h.fates)
		h.deliver(ports[0], h.topics[0], h.messages[0])
		cpk := ports[1].pusher.keys[h.topics[0]]
		again, err := sealBatch(cpk, time.Now(), [][]byte{e1, e2})
		if err != nil {
			t.Fatal(err)
		}
		h.deliver(ports[0], h.topics[0], again)
		stale, _ := sealBatch(cpk, time.Now().Add(-replayWindow-time.Second), [][]byte{body(epoch, 1, 3, 40)})
		h.deliver(ports[0], h.topics[0], stale)
		if h.fates[Ignore] != 6 || len(h.fates) != 1 {
			t.Errorf("fates of repeats %v", h.fates)
		}
		// Who sends on what others may refuse, or find bad, would answer for it.
		clear(h.fates)
		for _, x := range all {
			x.log.refuse = func(_ uint64, e []byte) bool { return e[8] == 9 }
		}
		mixed, _ := sealBatch(cpk, time.Now(), [][]byte{body(epoch, 1, 5, 40), body(epoch, 9, 1, 40)})
		h.deliver(ports[0], h.topics[0], mixed)
		if h.fates[Ignore] != 2 || len(h.fates) != 1 {
			t.Errorf("fates of a batch of which one event is refused %v", h.fates)
		}
		// What is no batch, or has a bad event in it, is blamed on who sent it on.
		clear(h.fates)
		bad, _ := sealBatch(cpk, time.Now(), [][]byte{body(epoch, 1, 4, 40), {1, 2}})
		h.deliver(ports[0], h.topics[0], bad)
		h.deliver(ports[0], h.topics[0], make([]byte, 512))
		h.deliver(ports[0], h.topics[0], nil)
		if h.fates[Reject] != 6 || len(h.fates) != 1 {
			t.Errorf("fates of bad batches %v", h.fates)
		}
		if got := ports[1].pusher.Status(); got.Bad != 3 || got.Replayed != 2 {
			t.Errorf("status %+v", got)
		}
	})
}

// Around the beginning of an epoch, and of a generation, what is pushed by either
// name is heard; later the old names are left.
func TestTopicsOverlap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all, ports, h, stop := pushers(t, 2)
		defer stop()
		w, listener := all[0].World, ports[1].pusher
		begins := w.EpochStart(w.Epoch(time.Now()) + 1)
		count := func(at time.Time, want int) {
			t.Helper()
			time.Sleep(time.Until(at) + 2*earTick)
			synctest.Wait()
			if got := listener.Status().Topics; got != want {
				t.Errorf("%v from the beginning, %d topics, want %d", time.Until(begins), got, want)
			}
		}
		count(begins.Add(-30*time.Second), 1)
		count(begins.Add(-15*time.Second), 2)
		count(begins, 2)
		count(begins.Add(20*time.Second), 1)
		// A push just before and just after a boundary arrives.
		number := uint64(0)
		push := func() {
			t.Helper()
			number++
			e := body(w.Epoch(time.Now()), 1, number, 40)
			ports[0].pusher.Push(e)
			time.Sleep(2 * batchDelay)
			synctest.Wait()
			if got := len(all[1].log.state(0)); got != int(number) {
				t.Errorf("%d of %d events arrived", got, number)
			}
		}
		for range 3 {
			next := w.EpochStart(w.Epoch(time.Now()) + 1)
			time.Sleep(time.Until(next) - batchDelay/2)
			push()
			push()
		}
		// The listener's roster is behind by half a minute, then the pusher's.
		time.Sleep(time.Until(w.EpochStart(w.Epoch(time.Now())+1)) + 20*time.Second)
		for _, first := range []int{1, 0} {
			all[first].group.rotate(all[0].key, all[1].key)
			time.Sleep(5 * time.Second)
			if first == 1 {
				push() // under the old name
			}
			all[1-first].group.rotate(all[0].key, all[1].key)
			time.Sleep(2 * earTick)
			push()
			time.Sleep(rosterOverlap + 2*earTick)
			synctest.Wait()
			if got := listener.Status().Topics; got > 2 {
				t.Errorf("%d topics a minute after the roster changed", got)
			}
		}
		if len(h.fates) != 1 || h.fates[Accept] == 0 {
			t.Errorf("fates %v", h.fates)
		}
	})
}

// What is said right after a generation begins reaches those that learn of it later,
// within seconds, and is not said for ever.
func TestPushIsRepeatedToWhoComesLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all, ports, h, stop := pushers(t, 4)
		defer stop()
		time.Sleep(time.Until(all[0].World.EpochStart(all[0].World.Epoch(time.Now())+1)) + 20*time.Second)
		members := all[0].group.Members()
		say := func(n uint64) {
			e := body(all[0].World.Epoch(time.Now()), 1, n, 300)
			all[0].log.add(e)
			ports[0].pusher.Push(e)
			time.Sleep(2 * batchDelay)
			synctest.Wait()
		}
		// The others learn of the new generation a few seconds apart.
		all[0].group.rotate(members...)
		say(1)
		for i, x := range all[1:] {
			if len(x.log.state(0)) != 0 {
				t.Fatalf("member %d heard what it has no key for", i+1)
			}
			x.group.rotate(members...)
			time.Sleep(echoEvery + 2*earTick)
			synctest.Wait()
			if got := len(x.log.state(0)); got != 1 {
				t.Errorf("member %d has %d events %v after it came", i+1, got, echoEvery+2*earTick)
			}
		}
		if s := ports[0].pusher.Status(); s.Repeated != 3 || s.Sent != 1 || h.fates[Reject] != 0 {
			t.Errorf("status %+v, fates %v", s, h.fates)
		}
		// One that comes and goes has nothing repeated more often than that, and
		// nobody who was there has.
		before := len(h.messages)
		for n := range byte(20) {
			other := &port{hub: h, key: [32]byte{n}, pusher: ports[3].pusher}
			ear, err := other.Subscribe(h.topics[len(h.topics)-1])
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(echoEvery)
			ear.Cancel()
		}
		if got := len(h.messages) - before; got != 0 {
			t.Errorf("an event was said %d times more", got)
		}
		say(2)
		time.Sleep(echoFor)
		if s := ports[0].pusher.Status(); s.Repeated != 3 || s.Sent != 2 {
			t.Errorf("status %+v", s)
		}
		// Long after, nothing is left to be repeated to who comes.
		other := &port{hub: h, key: [32]byte{99}, pusher: ports[3].pusher}
		ear, err := other.Subscribe(topic(ports[0].pusher.key(time.Now())))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * echoEvery)
		ear.Cancel()
		if s := ports[0].pusher.Status(); s.Repeated != 3 {
			t.Errorf("an event of long ago was repeated: %+v", s)
		}
	})
}

// What is kept to be said again is bounded.
func TestEchoIsBounded(t *testing.T) {
	e := echo{}
	const size = 60 << 10
	for range 100 {
		e.note([][]byte{make([]byte, size)}, nil, testNow)
	}
	if e.size > maxEcho || len(e.said) != maxEcho/size {
		t.Errorf("%d bytes in %d batches", e.size, len(e.said))
	}
	if e.idle(testNow) || !e.idle(testNow.Add(echoFor+time.Second)) || e.size != 0 {
		t.Errorf("%d bytes are left", e.size)
	}
}

// The queue is bounded; what is dropped is counted.
func TestPushQueueIsBounded(t *testing.T) {
	x := nodes(t, 1)[0]
	p, err := NewPusher(PusherConfig{World: x.World, Group: x.group, Log: x.log, Judge: x.log, Broadcast: &port{hub: newHub()}})
	if err != nil {
		t.Fatal(err)
	}
	const size = 16 << 10
	for n := range uint64(maxQueue/size + 10) {
		p.Push(body(1, 1, n, size))
	}
	p.Push(make([]byte, maxBatch))
	if s := p.Status(); s.Dropped != 11 || p.queued > maxQueue {
		t.Errorf("%d bytes wait, %d events dropped", p.queued, s.Dropped)
	}
	total := 0
	for {
		batch := p.next()
		if len(batch) == 0 {
			break
		}
		cpk := x.group.Key(x.group.chain[0].hash(), 1)
		if b, err := sealBatch(cpk, testNow, batch); err != nil || len(b) > maxBatch {
			t.Fatalf("a batch of %d bytes, %v", len(b), err)
		}
		total += len(batch)
	}
	if total != maxQueue/size {
		t.Errorf("%d events came off the queue", total)
	}
}
