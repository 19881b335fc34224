// Package meshtest runs many hosts on a network that exists in memory, in the
// virtual time of a testing/synctest bubble: hundreds of them, with latency,
// loss and partitions, in seconds of real time.
//
// New makes a Network; its Hosts are real ones of package mesh, that speak QUIC
// over simulated sockets. Partition, Heal and Loss change the network while it
// runs. It is for tests only, and what is above the links is the test's business.
//
// Latency, loss and whatever the test draws from Rand follow the seed. The order
// in which goroutines run does not: two runs agree in what arrives, not in each
// packet's time.
//
// A Network may be used concurrently.
package meshtest

import (
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/culvert-net/culvert/mesh"
	"github.com/marcopolo/simnet"
	"lukechampine.com/blake3"
)

// Config says what network there is to be. Zero fields mean the defaults.
type Config struct {
	Hosts int // how many there are

	// Keys are the hosts' identities; those without one make a fresh one.
	Keys []ed25519.PrivateKey

	Seed uint64 // of everything that is drawn

	// Near and Far bound a packet's way between two hosts: 10 and 70 ms by
	// default, drawn once for each pair, in steps of 10.
	Near, Far time.Duration
}

// bandwidth is what a host may send and receive, in bits per second: more than
// the tests have to say, so that latency is what they see.
const bandwidth = 100 * simnet.Mibps

// port is where every host listens.
const port = 4811

// Network is a simulated network and the hosts on it.
type Network struct {
	Hosts []*mesh.Host // immutable
	Rand  *rand.Rand   // drawn from the seed, for the test; not for concurrent use

	cfg Config
	sim *simnet.Simnet

	mu   sync.Mutex
	loss float64            // guarded by mu
	draw *rand.Rand         // guarded by mu
	side map[netip.Addr]int // guarded by mu: by host, 0 if it is not named
}

// New makes a network, which ends with the test. It must be called in a bubble.
func New(tb testing.TB, cfg Config) *Network {
	tb.Helper()
	if cfg.Far == 0 {
		cfg.Near, cfg.Far = 10*time.Millisecond, 70*time.Millisecond
	}
	// A bubble begins in the year 2000, before hosts' certificates do.
	time.Sleep(time.Until(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)))
	n := &Network{
		cfg: cfg, Rand: rand.New(rand.NewPCG(cfg.Seed, 1)), draw: rand.New(rand.NewPCG(cfg.Seed, 2)),
		side: make(map[netip.Addr]int),
	}
	n.sim = &simnet.Simnet{LatencyFunc: n.latency, Logger: slog.New(slog.DiscardHandler)}
	n.sim.Start()
	tb.Cleanup(n.close)
	for i := range cfg.Hosts {
		var key ed25519.PrivateKey
		if i < len(cfg.Keys) {
			key = cfg.Keys[i]
		}
		h, err := mesh.New(mesh.Config{
			Key:       key,
			Listen:    []string{fmt.Sprintf("/ip4/%s/udp/%d/quic-v1", Addr(i), port)},
			ListenUDP: (&machine{net: n, addr: Addr(i)}).listen,
		})
		if err != nil {
			tb.Fatalf("host %d: %v", i, err)
		}
		n.Hosts = append(n.Hosts, h)
	}
	return n
}

func (n *Network) close() {
	var wg sync.WaitGroup
	for _, h := range n.Hosts {
		wg.Go(func() { _ = h.Close() })
	}
	wg.Wait()
	n.sim.Close()
}

// Addr is the address of a host, each in a network of its own.
func Addr(host int) netip.Addr {
	return netip.AddrFrom4([4]byte{20 + byte(host>>16), byte(host >> 8), byte(host), 1})
}

// Peer is a host as others dial it.
func (n *Network) Peer(host int) mesh.Peer {
	return mesh.Peer{Key: n.Hosts[host].Key(), Addrs: []string{fmt.Sprintf("/ip4/%s/udp/%d/quic-v1", Addr(host), port)}}
}

// Peers are all hosts.
func (n *Network) Peers() []mesh.Peer {
	var out []mesh.Peer
	for i := range n.Hosts {
		out = append(out, n.Peer(i))
	}
	return out
}

// Partition keeps packets from passing between these hosts and all others.
func (n *Network) Partition(hosts ...int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, h := range hosts {
		n.side[Addr(h)] = 1
	}
}

// Heal ends all partitions.
func (n *Network) Heal() {
	n.mu.Lock()
	defer n.mu.Unlock()
	clear(n.side)
}

// Loss is the share of packets that are lost from now on.
func (n *Network) Loss(share float64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.loss = share
}

// lost decides about one packet.
func (n *Network) lost(from, to netip.Addr) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.side[from] != n.side[to] || n.loss > 0 && n.draw.Float64() < n.loss
}

// step is what latencies are a multiple of. What then arrives at one time is
// handled and sent on together, as it is where there is much to do, and a network
// that is busy costs a third of what it does with each packet at its own time.
const step = 10 * time.Millisecond

// latency is the same for every packet of a pair, either way, so that none
// overtakes another.
func (n *Network) latency(p *simnet.Packet) time.Duration {
	a, b := host(p.From), host(p.To)
	if b.Less(a) {
		a, b = b, a
	}
	seed := binary.LittleEndian.AppendUint64(nil, n.cfg.Seed)
	sum := blake3.Sum256(append(append(seed, a.AsSlice()...), b.AsSlice()...))
	span := uint64(n.cfg.Far-n.cfg.Near) + 1
	return (n.cfg.Near + time.Duration(binary.LittleEndian.Uint64(sum[:])%span)).Round(step)
}

func host(a net.Addr) netip.Addr { return a.(*net.UDPAddr).AddrPort().Addr().Unmap() }

// machine is what a host's sockets belong to.
type machine struct {
	net  *Network
	addr netip.Addr

	mu   sync.Mutex
	used uint16 // guarded by mu: ports that were given to sockets that asked for none
}

// listen makes a socket, as mesh.Config.ListenUDP.
func (m *machine) listen(netw string, at *net.UDPAddr) (net.PacketConn, error) {
	if netw != "udp4" {
		return nil, errors.New("the simulated network has IPv4 only")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	p := uint16(at.Port)
	if p == 0 {
		m.used++
		p = 1<<15 + m.used
	}
	// Four bytes, as quic-go has addresses: simnet compares them as they are.
	ip := m.addr.As4()
	m.net.mu.Lock() // simnet has no lock for it
	defer m.net.mu.Unlock()
	conn := m.net.sim.NewEndpoint(&net.UDPAddr{IP: ip[:], Port: int(p)}, simnet.NodeBiDiLinkSettings{
		Uplink:   simnet.LinkSettings{BitsPerSecond: bandwidth, FlowBucketCount: 1},
		Downlink: simnet.LinkSettings{BitsPerSecond: bandwidth, FlowBucketCount: 1},
	})
	return &socket{SimConn: conn, net: m.net, addr: m.addr}, nil
}

// socket is a simulated one whose packets may be lost.
type socket struct {
	*simnet.SimConn
	net  *Network
	addr netip.Addr
}

// WriteTo implements net.PacketConn.
func (s *socket) WriteTo(p []byte, to net.Addr) (int, error) {
	udp, ok := to.(*net.UDPAddr)
	if !ok {
		return 0, errors.New("not a UDP address")
	}
	ip := udp.IP.To4()
	if ip == nil {
		return 0, errors.New("the simulated network has IPv4 only")
	}
	if s.net.lost(s.addr, host(to)) {
		return len(p), nil
	}
	return s.SimConn.WriteTo(p, &net.UDPAddr{IP: ip, Port: udp.Port})
}
