package mesh

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/p2p/protocol/identify"
	ma "github.com/multiformats/go-multiaddr"
)

// Each limit is driven to its end, and the error must name it.
func TestLimitsAreNamed(t *testing.T) {
	limits := Limits{Conns: 10, Streams: 20, PeerStreams: 5}
	at := func(s string) ma.Multiaddr { return ma.StringCast("/ip4/" + s + "/tcp/4811") }
	for _, tt := range []struct {
		want   string
		limits Limits
		once   func(r network.ResourceManager, i int) error
	}{
		{"peer.streams.outbound", limits, func(r network.ResourceManager, _ int) error {
			_, err := r.OpenStream(idOf([32]byte{1}), network.DirOutbound)
			return err
		}},
		{"peer.streams.inbound", limits, func(r network.ResourceManager, _ int) error {
			_, err := r.OpenStream(idOf([32]byte{1}), network.DirInbound)
			return err
		}},
		{"system.streams", limits, func(r network.ResourceManager, i int) error {
			s, err := r.OpenStream(idOf([32]byte{byte(i)}), network.DirInbound)
			if err != nil {
				return err
			}
			return s.SetProtocol(ProtoCircuit)
		}},
		{"pending.streams", Limits{Streams: 2 * maxPendingStreams, PeerStreams: 5}, func(r network.ResourceManager, i int) error {
			_, err := r.OpenStream(idOf([32]byte{byte(i), byte(i >> 8)}), network.DirInbound)
			return err
		}},
		{"system.conns.inbound", limits, func(r network.ResourceManager, i int) error {
			c, err := r.OpenConnection(network.DirInbound, true, at("127.0.0.1"))
			if err != nil {
				return err
			}
			return c.SetPeer(idOf([32]byte{byte(i)}))
		}},
		{"pending.conns.inbound", Limits{Conns: 2 * maxPendingConns}, func(r network.ResourceManager, _ int) error {
			_, err := r.OpenConnection(network.DirInbound, true, at("127.0.0.1"))
			return err
		}},
		{"pending.conns.outbound", Limits{Conns: 2 * maxPendingConns}, func(r network.ResourceManager, _ int) error {
			_, err := r.OpenConnection(network.DirOutbound, false, at("192.0.2.1"))
			return err
		}},
		{"peer.conns.inbound", limits, func(r network.ResourceManager, _ int) error {
			c, err := r.OpenConnection(network.DirInbound, true, at("127.0.0.1"))
			if err != nil {
				return err
			}
			return c.SetPeer(idOf([32]byte{1}))
		}},
		{"peer.conns.outbound", limits, func(r network.ResourceManager, _ int) error {
			c, err := r.OpenConnection(network.DirOutbound, true, at("127.0.0.1"))
			if err != nil {
				return err
			}
			return c.SetPeer(idOf([32]byte{1}))
		}},
		{"address.conns.rate", Limits{}, func(r network.ResourceManager, i int) error {
			c, err := r.OpenConnection(network.DirInbound, true, at("192.0.2.1"))
			if err == nil {
				c.Done()
			}
			return err
		}},
	} {
		t.Run(tt.want, func(t *testing.T) {
			l, err := tt.limits.withDefaults()
			if err != nil {
				t.Fatal(err)
			}
			var hits []string
			r, err := newResources(l, func(e *LimitError) { hits = append(hits, e.Limit) })
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			for i := 0; err == nil && i < 1<<16; i++ {
				err = tt.once(r, i)
			}
			var limit *LimitError
			if !errors.As(err, &limit) || limit.Limit != tt.want {
				t.Errorf("error = %v, want limit %s", err, tt.want)
			}
			if !reflect.DeepEqual(hits, []string{tt.want}) {
				t.Errorf("counted %v, want %s once", hits, tt.want)
			}
		})
	}
	for text, want := range map[string]string{
		"connections per ip limit exceeded for /ip4/192.0.2.1": "address.conns",
		"something new": "unknown",
	} {
		if got := limitName(errors.New(text)); got != want {
			t.Errorf("limitName(%q) = %q, want %q", text, got, want)
		}
	}
}

// Whoever makes a relay dial chooses the address, with a descriptor of his own.
// What is counted for that must not keep out the node that lives there, nor keep
// us from it.
func TestDialsToAnAddressCloseItToNobody(t *testing.T) {
	l, err := Limits{}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	r, err := newResources(l, func(*LimitError) {})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	victim := func(port int) ma.Multiaddr {
		return ma.StringCast(fmt.Sprintf("/ip4/192.0.2.1/tcp/%d", port))
	}
	for i := range 2 * maxAddressConns { // that hang, and are followed by more
		if c, err := r.OpenConnection(network.DirOutbound, true, victim(1+i)); err == nil && i%2 == 0 {
			c.Done()
		}
	}
	for _, dir := range []network.Direction{network.DirInbound, network.DirOutbound} {
		c, err := r.OpenConnection(dir, true, victim(4811))
		if err != nil {
			t.Errorf("%v connection with the node there: %v", dir, err)
			continue
		}
		c.Done()
	}
}

// libp2p's own service cannot be used to open streams without end.
func TestIdentifyIsLimited(t *testing.T) {
	l, err := Limits{}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	r, err := newResources(l, func(*LimitError) {})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	n := 0
	for ; n < 1000; n++ {
		s, err := r.OpenStream(idOf([32]byte{1}), network.DirInbound)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.SetProtocol(identify.ID); err != nil {
			if got := limitName(err); got != "protocol.streams" {
				t.Errorf("limitName(%v) = %s, want protocol.streams", err, got)
			}
			break
		}
	}
	if n != identifyPeerStreams {
		t.Errorf("one peer opened %d identify streams, want %d", n, identifyPeerStreams)
	}
}

func TestOpenNamesTheLimit(t *testing.T) {
	srv := server(t)
	cli := newHost(t, Config{Quiet: true, Local: true, Limits: Limits{PeerStreams: 3}})
	var err error
	for range 10 {
		var s *Stream
		if s, err = cli.Open(testContext(t), testProto, srv.Key(), srv.Addrs()); err != nil {
			break
		}
		defer s.Reset()
	}
	var limit *LimitError
	if !errors.As(err, &limit) || limit.Limit != "peer.streams.outbound" {
		t.Errorf("Open = %v, want limit peer.streams.outbound", err)
	}
	if strings.Contains(err.Error(), PeerID(srv.Key())) {
		t.Errorf("error names the peer: %v", err)
	}
}

// Streams beyond the limit are reset one by one; the link and its other
// streams stay.
func TestTooManyStreamsLeaveTheLinkAlone(t *testing.T) {
	srv := newHost(t, Config{
		Listen: []string{"/ip4/127.0.0.1/tcp/0"}, Local: true, Limits: Limits{PeerStreams: 20},
	})
	srv.Handle(testProto, 100, 100, echo)
	cli := bridge(t)
	kept := open(t, cli, srv)
	for range 400 {
		s := open(t, cli, srv)
		_, _ = s.Write([]byte("x"))
	}
	exchange(t, kept, "still here")
	if n := srv.Stats().Links; n != 1 {
		t.Errorf("links = %d, want 1", n)
	}
	if srv.Stats().Refused["peer.streams.inbound"] == 0 {
		t.Errorf("Refused = %v, want peer.streams.inbound", srv.Stats().Refused)
	}
}

func TestWindowBudget(t *testing.T) {
	b := &windowBudget{limit: 100}
	w, err := b.window()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.ReserveMemory(math.MaxInt32, firstWindow); err != nil {
		t.Errorf("a first window was refused: %v", err)
	}
	if err := w.ReserveMemory(60, 128); err != nil {
		t.Errorf("growth within the budget was refused: %v", err)
	}
	if err := w.ReserveMemory(60, 128); !errors.Is(err, errWindowBudget) {
		t.Errorf("growth beyond the budget = %v, want errWindowBudget", err)
	}
	w.Done()
	w.Done()
	if used := b.used.Load(); used != 0 {
		t.Errorf("used = %d after Done, want 0", used)
	}
}

func TestRefusalsAreLoggedOnce(t *testing.T) {
	var lines strings.Builder
	r := &refusals{log: slog.New(slog.NewTextHandler(&lines, nil))}
	for range 100 {
		r.count("system.conns")
	}
	r.count("system.streams")
	r.count(limitProtocol) // no operator's business
	if n := strings.Count(lines.String(), "\n"); n != 2 {
		t.Errorf("logged %d lines, want 2:\n%s", n, lines.String())
	}
	if got := r.snapshot(); got["system.conns"] != 100 || got[limitProtocol] != 1 {
		t.Errorf("snapshot = %v", got)
	}
}
