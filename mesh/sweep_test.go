package mesh

import (
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
)

// fakeLink has the statistics of a connection and nothing else.
type fakeLink struct {
	network.Conn
	stat network.ConnStats
}

func (f *fakeLink) Stat() network.ConnStats { return f.stat }

func link(dir network.Direction, streams int) *fakeLink {
	return &fakeLink{stat: network.ConnStats{Stats: network.Stats{Direction: dir}, NumStreams: streams}}
}

func TestIdleLinks(t *testing.T) {
	dialed, accepted := link(network.DirOutbound, 0), link(network.DirInbound, 0)
	busy := link(network.DirOutbound, 1)
	all := []network.Conn{dialed, accepted, busy}
	start := time.Now()
	var idle idleLinks
	at := func(after time.Duration) []network.Conn { return idle.due(all, start.Add(after)) }

	if got := at(0); len(got) != 0 {
		t.Fatalf("at once: %d links due", len(got))
	}
	if got := at(idleDialed - time.Second); len(got) != 0 {
		t.Fatalf("early: %d links due", len(got))
	}
	if got := at(idleDialed); len(got) != 1 || got[0] != network.Conn(dialed) {
		t.Fatalf("after idleDialed: %v, want the link we dialled", got)
	}
	// Use starts the count anew.
	accepted.stat.NumStreams = 1
	at(idleDialed + time.Second)
	accepted.stat.NumStreams = 0
	all = all[1:]
	at(idleDialed + 2*time.Second)
	if got := at(idleAccepted); len(got) != 0 {
		t.Fatalf("a link that was in use is due: %v", got)
	}
	if got := at(idleAccepted + idleDialed + 2*time.Second); len(got) != 1 || got[0] != network.Conn(accepted) {
		t.Fatalf("after idleAccepted: %v, want the link that was dialled to us", got)
	}
	// What is gone is forgotten.
	all = nil
	at(idleAccepted + idleDialed + 3*time.Second)
	if len(idle.since) != 0 {
		t.Errorf("%d closed links are remembered", len(idle.since))
	}
}

func TestSweepLeavesLinksWithStreams(t *testing.T) {
	srv, cli := server(t), bridge(t)
	s := open(t, cli, srv)
	exchange(t, s, "a")
	busy := open(t, cli, srv)
	if _, err := busy.Write([]byte("b")); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	var idle idleLinks
	idle.due(cli.swarm.Conns(), now)
	if got := idle.due(cli.swarm.Conns(), now.Add(24*time.Hour)); len(got) != 0 {
		t.Fatal("a link with a stream is due")
	}
	_, _ = s.Close(), busy.Reset()
	eventually(t, "the link has no stream", func() bool {
		idle.due(cli.swarm.Conns(), now)
		return len(idle.since) == 1
	})
	if got := idle.due(cli.swarm.Conns(), now.Add(idleDialed)); len(got) != 1 {
		t.Errorf("%d idle links are due, want 1", len(got))
	}
}
