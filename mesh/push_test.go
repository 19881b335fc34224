package mesh

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/peer"
)

func everybody([32]byte) bool { return true }

func acceptAll(string, [32]byte, []byte) Verdict { return Accept }

// pusher is a host that pushes, and is subscribed to topic.
func pusher(t *testing.T, topic string, cfg PushConfig) (*Push, *Subscription) {
	t.Helper()
	if cfg.Member == nil {
		cfg.Member = everybody
	}
	if cfg.Check == nil {
		cfg.Check = acceptAll
	}
	p, err := server(t).Push(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s, err := p.Subscribe(topic)
	if err != nil {
		t.Fatal(err)
	}
	return p, s
}

func connect(t *testing.T, from, to *Push) {
	t.Helper()
	if err := from.host.link(testContext(t), Peer{to.host.Key(), []string{withoutID(t, to.host.Addrs()[0])}}); err != nil {
		t.Fatal(err)
	}
}

func withoutID(t *testing.T, addr string) string {
	t.Helper()
	_, at, err := ParseAddr(addr)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// hears waits until what from publishes reaches to, and returns it as it came.
func hears(t *testing.T, topic string, from *Push, to *Subscription) ([]byte, [32]byte) {
	t.Helper()
	ctx := testContext(t)
	for i := 0; ; i++ {
		want := fmt.Sprintf("%s %d of %x", topic, i, from.host.key[:4])
		if err := from.Publish(ctx, topic, []byte(want)); err != nil {
			t.Fatal(err)
		}
		once, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
		data, by, err := to.Next(once)
		cancel()
		if err == nil {
			return data, by
		}
		if ctx.Err() != nil {
			t.Fatalf("nothing arrived: %+v, %+v", from.Stats(), to.push.Stats())
		}
	}
}

func TestPush(t *testing.T) {
	a, _ := pusher(t, "x", PushConfig{})
	b, fromA := pusher(t, "x", PushConfig{})
	c, fromB := pusher(t, "x", PushConfig{})
	connect(t, a, b)
	connect(t, c, b)

	if _, by := hears(t, "x", a, fromA); by != a.host.Key() {
		t.Errorf("b has it from %x, want a", by)
	}
	if got := fromA.Present(); !slices.Contains(got, a.host.Key()) || slices.Contains(got, b.host.Key()) {
		t.Errorf("present with b: %x", got)
	}
	data, by := hears(t, "x", a, fromB)
	if by != b.host.Key() {
		t.Errorf("c has it from %x, want b", by)
	}
	if !bytes.HasPrefix(data, []byte("x ")) {
		t.Errorf("c has %q", data)
	}
	if s := c.Stats(); s.Peers != 1 || s.Delivered == 0 || s.Published != 0 {
		t.Errorf("c's stats: %+v", s)
	}
}

// Nothing in a message says who made it.
func TestPushNamesNoAuthor(t *testing.T) {
	a, _ := pusher(t, "x", PushConfig{})
	b, got := pusher(t, "x", PushConfig{})
	connect(t, a, b)
	hears(t, "x", a, got)
	if err := a.Publish(t.Context(), "x", []byte("bare")); err != nil {
		t.Fatal(err)
	}
	for {
		m, err := got.sub.Next(testContext(t))
		if err != nil {
			t.Fatal(err)
		}
		if string(m.GetData()) != "bare" {
			continue
		}
		if m.From != nil || m.Seqno != nil || m.Signature != nil || m.Key != nil {
			t.Errorf("message = %v, want data and topic only", m.Message)
		}
		return
	}
}

// Bytes that cannot be genuine go no further, and who brings them is heard no
// more, whatever it brings.
func TestPushForged(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	check := func(_ string, _ [32]byte, data []byte) Verdict {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, string(data))
		switch {
		case bytes.HasPrefix(data, []byte("forged")):
			return Reject
		case bytes.HasPrefix(data, []byte("old")):
			return Ignore
		}
		return Accept
	}
	bad, _ := pusher(t, "x", PushConfig{})
	b, atB := pusher(t, "x", PushConfig{Check: check})
	c, atC := pusher(t, "x", PushConfig{Check: check})
	connect(t, bad, b)
	connect(t, c, b)
	hears(t, "x", bad, atB)
	hears(t, "x", c, atB)
	hears(t, "x", b, atC)

	ctx := testContext(t)
	for _, m := range []string{"old", "forged 1", "forged 2", "forged 3"} {
		if err := bad.Publish(ctx, "x", []byte(m)); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the ban", func() bool { return b.Stats().Forged == maxForged && b.Stats().Peers == 1 })
	if err := bad.Publish(ctx, "x", []byte("good at last")); err != nil {
		t.Fatal(err)
	}
	if _, by := hears(t, "x", c, atB); by != c.host.Key() {
		t.Errorf("b has a message from %x, want c only", by)
	}
	mu.Lock()
	defer mu.Unlock()
	if slices.Contains(seen, "good at last") {
		t.Error("the message of a banned peer was looked at")
	}
	if n := b.host.Stats().Refused[ProtoPush+" misbehaviour"]; n != 1 {
		t.Errorf("%d refused for misbehaviour, want 1", n)
	}
	if s := b.Stats(); s.Ignored != 1 {
		t.Errorf("stats = %+v, want one ignored", s)
	}
	if s := c.Stats(); s.Forged != 0 {
		t.Errorf("c's stats = %+v: a forged message was passed on", s)
	}
	// The link itself stays: circuits may run over it.
	if got := b.host.Stats().Links; got != 2 {
		t.Errorf("b has %d links, want 2", got)
	}
}

// Who is no member hears nothing and is not heard, from when it is none.
func TestPushMembersOnly(t *testing.T) {
	var mu sync.Mutex
	members := make(map[[32]byte]bool)
	set := func(p *Push, is bool) {
		mu.Lock()
		defer mu.Unlock()
		members[p.host.Key()] = is
	}
	cfg := PushConfig{Member: func(key [32]byte) bool {
		mu.Lock()
		defer mu.Unlock()
		return members[key]
	}}
	a, atA := pusher(t, "x", cfg)
	b, atB := pusher(t, "x", cfg)
	c, atC := pusher(t, "x", PushConfig{}) // c thinks that all are
	set(a, true)
	set(b, true)
	connect(t, c, a)
	connect(t, b, a)
	hears(t, "x", b, atA)
	hears(t, "x", a, atB)
	eventually(t, "c to be refused", func() bool { return a.host.Stats().Refused[ProtoPush+" member"] > 0 })
	if got := a.gate.admits(c.host.node.ID()); got {
		t.Fatal("c is admitted")
	}
	if got := c.ps.ListPeers("x"); len(got) != 0 {
		t.Errorf("c was told who is in the topic: %d peers", len(got))
	}

	set(c, true)
	a.MembersChanged()
	c.MembersChanged()
	hears(t, "x", a, atC)
	hears(t, "x", c, atA)

	set(c, false)
	a.MembersChanged()
	eventually(t, "c to be cut off", func() bool { return len(a.ps.ListPeers("x")) == 1 && len(c.ps.ListPeers("x")) == 0 })
	hears(t, "x", b, atA)
}

func TestPushRefuses(t *testing.T) {
	quiet := newHost(t, Config{Quiet: true})
	if _, err := quiet.Push(PushConfig{Member: everybody, Check: acceptAll}); !errors.Is(err, ErrQuiet) {
		t.Errorf("Push of a quiet host: %v, want %v", err, ErrQuiet)
	}
	if err := quiet.KeepLinks(t.Context(), LinksConfig{}); !errors.Is(err, ErrQuiet) {
		t.Errorf("KeepLinks of a quiet host: %v, want %v", err, ErrQuiet)
	}

	p, s := pusher(t, "x", PushConfig{})
	if _, err := p.host.Push(PushConfig{Member: everybody, Check: acceptAll}); !errors.Is(err, ErrPushing) {
		t.Errorf("a second push: %v, want %v", err, ErrPushing)
	}
	for name, tt := range map[string]struct{ err, want error }{
		"twice":             {subscribe(p, "x"), ErrPushing},
		"empty":             {subscribe(p, ""), ErrTopic},
		"long":              {subscribe(p, string(make([]byte, pushTopicName+1))), ErrTopic},
		"not subscribed to": {p.Publish(t.Context(), "y", nil), ErrTopic},
		"too long":          {p.Publish(t.Context(), "x", make([]byte, MaxPush+1)), ErrTooLong},
		"longest":           {p.Publish(t.Context(), "x", make([]byte, MaxPush)), nil},
	} {
		if !errors.Is(tt.err, tt.want) {
			t.Errorf("%s: %v, want %v", name, tt.err, tt.want)
		}
	}

	p.Close()
	p.Close()
	if _, _, err := s.Next(testContext(t)); !errors.Is(err, ErrCancelled) {
		t.Errorf("Next after Close: %v, want %v", err, ErrCancelled)
	}
	if err := subscribe(p, "z"); !errors.Is(err, ErrClosed) {
		t.Errorf("Subscribe after Close: %v, want %v", err, ErrClosed)
	}
	again, err := p.host.Push(PushConfig{Member: everybody, Check: acceptAll})
	if err != nil {
		t.Fatalf("Push after Close: %v", err)
	}
	if err := again.host.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := again.host.Push(PushConfig{}); !errors.Is(err, ErrClosed) {
		t.Errorf("Push of a closed host: %v, want %v", err, ErrClosed)
	}
}

func subscribe(p *Push, topic string) error {
	_, err := p.Subscribe(topic)
	return err
}

// The longest message arrives.
func TestPushLongest(t *testing.T) {
	a, _ := pusher(t, "x", PushConfig{})
	b, got := pusher(t, "x", PushConfig{})
	connect(t, a, b)
	hears(t, "x", a, got)
	want := bytes.Repeat([]byte{7}, MaxPush)
	if err := a.Publish(t.Context(), "x", want); err != nil {
		t.Fatal(err)
	}
	for {
		data, _, err := got.Next(testContext(t))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(data, want) {
			return
		}
	}
}

// gate is one whose host only counts.
func gate() *pushGate {
	return newPushGate(&Host{refusals: &refusals{log: slog.New(slog.DiscardHandler)}}, everybody, nil)
}

func TestPushGateBans(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, id := gate(), idOf([32]byte{1})
		cuts := 0
		g.cut = func(peer.ID) { cuts++ }
		for range maxForged - 1 {
			g.forged(id)
		}
		time.Sleep(pushBan)
		g.expire(time.Now())
		g.forged(id)
		g.wg.Wait()
		if !g.admits(id) || cuts != 0 {
			t.Fatal("banned for what was long ago")
		}
		for range maxForged {
			g.forged(id)
		}
		g.wg.Wait()
		if g.admits(id) || cuts != 1 {
			t.Fatalf("admitted = %v after %d cuts, want false and one", g.admits(id), cuts)
		}
		time.Sleep(pushBan - time.Second)
		g.expire(time.Now())
		if g.admits(id) {
			t.Error("admitted before the ban's end")
		}
		time.Sleep(time.Second)
		g.expire(time.Now())
		if !g.admits(id) || len(g.records) != 0 {
			t.Errorf("admitted = %v with %d records, want true and none", g.admits(id), len(g.records))
		}
	})
}

func TestPushGateRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, id := gate(), idOf([32]byte{1})
		send := func(n, size int) int {
			rpc := &pubsub.RPC{}
			for range n {
				rpc.Publish = append(rpc.Publish, &pb.Message{Data: make([]byte, size)})
			}
			if err := g.inspect(id, rpc); err != nil {
				t.Fatal(err)
			}
			return len(rpc.Publish)
		}
		if got, want := send(pushBurst/pushLeast+5, 10), pushBurst/pushLeast; got != want {
			t.Errorf("%d small messages at once, want %d", got, want)
		}
		if got := g.dropped.Load(); got != 5 {
			t.Errorf("%d counted as dropped, want 5", got)
		}
		time.Sleep(time.Second)
		if got, want := send(100, MaxPush), pushBytes/MaxPush; got != want {
			t.Errorf("%d long messages a second later, want %d", got, want)
		}
		time.Sleep(time.Hour)
		if got, want := send(1000, MaxPush), pushBurst/MaxPush; got != want {
			t.Errorf("%d long messages an hour later, want %d", got, want)
		}
	})
}

// What comes beside messages is bounded too: all of it is read by one loop.
func TestPushGateControl(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, id := gate(), idOf([32]byte{1})
		cuts := 0
		g.cut = func(peer.ID) { cuts++ }
		said := func(ids int) *pubsub.RPC {
			topic := "a topic"
			have := &pb.ControlIHave{TopicID: &topic}
			for range ids {
				have.MessageIDs = append(have.MessageIDs, string(make([]byte, 32)))
			}
			rpc := &pubsub.RPC{}
			rpc.Control = &pb.ControlMessage{Ihave: []*pb.ControlIHave{have}}
			return rpc
		}
		for range 600 { // as much as a busy world's member has to say, for ten minutes
			if err := g.inspect(id, said(5000)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		flood := 0
		for g.inspect(id, said(1500)) == nil {
			flood++
		}
		g.wg.Wait()
		if most := pushControlBurst/(1500*34) + 1; flood > most || cuts != 1 || g.admits(id) {
			t.Errorf("%d at once, want %d; %d cuts, admitted: %v", flood, most, cuts, g.admits(id))
		}
	})
}

func TestPushGateTopics(t *testing.T) {
	g, id := gate(), idOf([32]byte{1})
	g.cut = func(peer.ID) {}
	f := pushFilter{g}
	sub := func(topic string, in bool) int {
		kept, err := f.FilterIncomingSubscriptions(id, []*pb.RPC_SubOpts{{Topicid: &topic, Subscribe: &in}})
		if err != nil {
			return -1
		}
		return len(kept)
	}
	for i := range pushTopics {
		if sub(fmt.Sprint(i), true) != 1 {
			t.Fatalf("topic %d refused", i)
		}
	}
	for _, topic := range []string{"one too many", "", string(make([]byte, pushTopicName+1))} {
		if sub(topic, true) != 0 {
			t.Errorf("topic %q kept", topic)
		}
	}
	if sub("0", true) != 1 {
		t.Error("a topic that it is in, refused")
	}
	for i := pushTopics; i < pushTopicChanges; i++ {
		if sub(fmt.Sprint(i-pushTopics), false) != 1 || sub(fmt.Sprint(i), true) != 1 {
			t.Fatalf("change %d refused", i)
		}
	}
	sub(fmt.Sprint(pushTopicChanges-1), false)
	if sub("beyond", true) != -1 {
		t.Error("changes without end")
	}
	g.wg.Wait()
	if g.admits(id) {
		t.Error("not banned")
	}
}

// The same chance chooses the same peers, whatever order they are named in, and
// keeps those it has.
func TestChooseLinks(t *testing.T) {
	var all []Peer
	for i := range 20 {
		all = append(all, Peer{Key: [32]byte{byte(i)}})
	}
	choose := func(peers []Peer, kept ...byte) []Peer {
		k := &keeper{
			host: &Host{key: [32]byte{3}}, kept: make(map[[32]byte]bool), avoid: map[[32]byte]time.Time{{4}: time.Now().Add(time.Hour)},
			turn: time.Now(), cfg: LinksConfig{Peers: func() []Peer { return peers }, Count: 6, Rand: rand.New(rand.NewPCG(1, 1))},
		}
		for _, b := range kept {
			k.kept[[32]byte{b}] = true
		}
		out, _, _ := k.choose(time.Now().Add(-time.Second))
		return out
	}
	first := choose(all)
	backward := slices.Clone(all)
	slices.Reverse(backward)
	if again := choose(append(backward, all...)); !slices.EqualFunc(first, again, samePeer) {
		t.Errorf("chose %v, then %v", first, again)
	}
	if len(first) != 6 {
		t.Errorf("chose %d, want 6", len(first))
	}
	for range 20 {
		for _, p := range choose(all) {
			if p.Key[0] == 3 || p.Key[0] == 4 {
				t.Fatalf("chose %d: itself, or one to be avoided", p.Key[0])
			}
		}
	}
	got := choose(all, 5, 9, 99)
	if !samePeer(got[0], Peer{Key: [32]byte{5}}) || !samePeer(got[1], Peer{Key: [32]byte{9}}) || len(got) != 6 {
		t.Errorf("chose %v, want 5 and 9, which are there, and four more", got)
	}
}

func samePeer(a, b Peer) bool { return a.Key == b.Key }
