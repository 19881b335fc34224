package directory

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/culvert-net/culvert/mesh/world"
	"github.com/multiformats/go-multiaddr"
	"lukechampine.com/blake3"
)

// testWorld is a sandbox with epochs of five minutes and the given seeds.
func testWorld(t testing.TB, seeds ...string) *world.World {
	t.Helper()
	return makeWorld(t, world.World{Phrase: "test", Seeds: seeds, Sandbox: true}, 5*time.Minute)
}

func makeWorld(t testing.TB, w world.World, epochLen time.Duration) *world.World {
	t.Helper()
	w.Rules = world.DefaultRules()
	w.Rules.EpochLenMS = uint64(epochLen.Milliseconds())
	out, err := world.New(w)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// testKey is the n-th transport key.
func testKey(n int) ed25519.PrivateKey {
	seed := blake3.Sum256(binary.BigEndian.AppendUint64([]byte("transport key"), uint64(n)))
	return ed25519.NewKeyFromSeed(seed[:])
}

func publicOf(key ed25519.PrivateKey) [32]byte { return [32]byte(key.Public().(ed25519.PublicKey)) }

// testOnion is an onion key that is good for the epoch of now and the next.
func testOnion(t testing.TB, w *world.World, n int, now time.Time) OnionKey {
	t.Helper()
	seed := blake3.Sum256(binary.BigEndian.AppendUint64([]byte("onion key"), uint64(n)))
	private, err := ecdh.X25519().NewPrivateKey(seed[:])
	if err != nil {
		t.Fatal(err)
	}
	return OnionKey{Public: [32]byte(private.PublicKey().Bytes()), NotAfter: w.EpochStart(w.Epoch(now) + 2)}
}

// testNode is the n-th node: a relay, or a provider of models.
func testNode(t testing.TB, w *world.World, n int, now time.Time, models ...string) Node {
	t.Helper()
	node := Node{
		Name:  fmt.Sprintf("node-%d", n),
		Addrs: []string{fmt.Sprintf("/ip4/127.0.%d.%d/tcp/4811", n/250, n%250+1)},
		Onion: []OnionKey{testOnion(t, w, n, now)},
	}
	for _, id := range models {
		node.Models = append(node.Models, Model{ID: id, Runtime: "vllm", Context: 8192, Caps: []string{"tools"}})
	}
	return node
}

// build is Build under the n-th key in now's epoch.
func build(t testing.TB, w *world.World, n int, now time.Time, seq uint64, node Node) []world.Descriptor {
	t.Helper()
	ds, err := Build(testKey(n), w.ID, w.Epoch(now), seq, node)
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

// resign changes d's unsigned part and signs it anew under the n-th key.
func resign(d world.Descriptor, n int, change func(*world.DescriptorUnsigned)) world.Descriptor {
	u := d.DescriptorUnsigned
	u.ContactPoints = append([]string(nil), u.ContactPoints...)
	if m := u.Capability.Manifest; m != nil {
		copied := *m
		u.Capability.Manifest = &copied
	}
	change(&u)
	return world.SignDescriptor(testKey(n), u)
}

// peerAddr is a loopback address that ends in the peer id of the n-th key.
func peerAddr(t testing.TB, n int) string {
	t.Helper()
	public := publicOf(testKey(n))
	id := append([]byte{0x00, 0x24, 0x08, 0x01, 0x12, 0x20}, public[:]...)
	b := append(multiaddr.CodeToVarint(multiaddr.P_P2P), byte(len(id)))
	m, err := multiaddr.NewMultiaddrBytes(append(b, id...))
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("/ip4/127.0.0.1/tcp/%d%s", 5000+n, m)
}

// network is the fake of Seeds: servers of the directory by seed address, each
// reached over a pipe, with hooks to break them.
type network struct {
	mu      sync.Mutex
	servers map[string]*server
	wg      sync.WaitGroup // of serving goroutines
}

// server is one seed.
type server struct {
	set    *Set
	accept bool
	down   bool                     // cannot be reached
	handle func(io.ReadWriteCloser) // instead of Serve

	asked    [][]byte    // first bytes of every request: all that a client says
	openedAt []time.Time // one per stream
}

var errDown = errors.New("connection refused")

func newNetwork() *network { return &network{servers: make(map[string]*server)} }

// add puts a server of set at an address.
func (n *network) add(addr string, set *Set) *server {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := &server{set: set, accept: true}
	n.servers[addr] = s
	return s
}

// with runs f while nothing else looks at servers.
func (n *network) with(f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f()
}

func (n *network) Open(_ context.Context, seed string) (io.ReadWriteCloser, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.servers[seed]
	if s == nil || s.down {
		return nil, errDown
	}
	i := len(s.asked)
	s.asked = append(s.asked, nil)
	s.openedAt = append(s.openedAt, time.Now())
	near, far := net.Pipe()
	handle := s.handle
	n.wg.Go(func() {
		defer far.Close()
		rec := &recorder{ReadWriteCloser: far}
		if handle != nil {
			handle(rec)
		} else {
			_ = Serve(context.Background(), rec, s.set, s.accept) // told to the client
		}
		n.mu.Lock()
		defer n.mu.Unlock()
		s.asked[i] = rec.read.Bytes()
	})
	return near, nil
}

// opened is how often a server was called.
func (n *network) opened(addr string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.servers[addr].openedAt)
}

// requests are what a server was told, whole.
func (n *network) requests(addr string) [][]byte {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([][]byte(nil), n.servers[addr].asked...)
}

// recorder keeps what was read.
type recorder struct {
	io.ReadWriteCloser
	read bytes.Buffer
}

func (r *recorder) Read(p []byte) (int, error) {
	n, err := r.ReadWriteCloser.Read(p)
	r.read.Write(p[:n])
	return n, err
}

// stall reads the request and never answers.
func stall(rw io.ReadWriteCloser) { _, _ = io.Copy(io.Discard, rw) }
