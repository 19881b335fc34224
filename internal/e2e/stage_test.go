//go:build e2e

package e2e

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/culvert-net/culvert/api/backend/mock"
	"github.com/culvert-net/culvert/api/body"
	"github.com/culvert-net/culvert/api/tunnel"
	"github.com/culvert-net/culvert/circuit"
	"github.com/culvert-net/culvert/internal/app/bridge"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/internal/app/sandbox"
	"github.com/culvert-net/culvert/mesh"
	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/directory/bundle"
	"github.com/culvert-net/culvert/mesh/directory/dirtest"
	"github.com/culvert-net/culvert/mesh/directory/mirror"
	"github.com/culvert-net/culvert/mesh/quorum"
	meshworld "github.com/culvert-net/culvert/mesh/world"
)

// stage is a world for one bridge, whose relays, mirrors, signers and provider live
// in the test, on real hosts: they speak what real ones speak, and lie when they are
// told to. Signers take no part but by their keys, three of five.
type stage struct {
	*dirtest.World
	epoch   uint64   // that it is
	actors  []*actor // three relays, which are the world's seeds and mirrors; then a provider
	shadows []*shadow
}

const (
	mirrors = 3 // of a stage: all its relays

	// seats bounds the questions and streams that an actor works on at a time.
	seats = 64

	// lookEvery is how often a bridge on a stage is looked at: there are many.
	lookEvery = 200 * time.Millisecond
)

// actor is a node that there is.
type actor struct {
	host  *mesh.Host
	onion *directory.Keyring

	mu    sync.Mutex
	store *mirror.Store                        // what it has to tell; guarded by mu
	lie   func(rw io.ReadWriter) io.ReadWriter // what it does to its answers, nil for nothing; guarded by mu
}

// shadow is a node that stands in the view of an attacker alone. Whoever is led to
// it, be it a bridge, or a relay that is to extend a circuit, dials it.
type shadow struct {
	at    net.Listener
	dials atomic.Int64
}

// newStage makes a world with epochs of a length. Nobody has a directory yet.
func newStage(t *testing.T, epoch time.Duration) *stage {
	t.Helper()
	s := &stage{World: dirtest.New(t, epoch, 3, 5)}
	s.Local = true
	s.epoch = s.Epoch(time.Now())
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	t.Cleanup(func() { cancel(); running.Wait() })

	for i := range mirrors + 1 {
		host, err := mesh.New(mesh.Config{Key: dirtest.Key(i), Local: true, Listen: []string{"/ip4/127.0.0.1/tcp/0"}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = host.Close() })
		onion, err := directory.OpenKeyring(filepath.Join(t.TempDir(), "onion.keys"), s.World.World)
		if err == nil {
			err = onion.Rotate(s.EpochStart(s.epoch - 1))
		}
		if err != nil {
			t.Fatal(err)
		}
		s.actors = append(s.actors, &actor{host: host, onion: onion})
		at, err := meshworld.ParseAddr(host.Addrs()[0])
		if err != nil {
			t.Fatal(err)
		}
		if i < mirrors {
			s.Seeds = append(s.Seeds, node.SeedAddr(at.Transport, host.Key()))
		}
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		x := &shadow{at: listener}
		s.shadows = append(s.shadows, x)
		running.Go(x.count)
		t.Cleanup(func() { _ = listener.Close() })
	}
	s.serve(s.tells(t))

	// Relays know every shadow, so that a circuit that is led to one gets there.
	everybody := directory.NewView(s.World.World)
	var known [][]byte
	for _, d := range append(s.honest(t, s.epoch-1), s.shadowed(t, s.epoch)...) {
		known = append(known, d.Canonical())
	}
	everybody.Show(directory.ReadContent(s.World.World, s.epoch, known, nil))
	if got := everybody.Snapshot().Len(); got != 2*len(s.actors) {
		t.Fatalf("relays know %d nodes, want all", got)
	}
	for i, a := range s.actors {
		kinds := []circuit.StreamKind{circuit.StreamDirectory}
		if i == mirrors {
			kinds = append(kinds, circuit.StreamHTTP)
		}
		links := node.NewLinks(a.host, everybody)
		links.Serve()
		relay, err := circuit.NewRelay(circuit.RelayConfig{
			World: s.ID, Self: a.host.Key(), CellSize: int(s.Rules.FixedCellBytes),
			Links: links, Keys: a.onion, Extend: i < mirrors, Serve: kinds, Log: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		a.host.Handle(mesh.ProtoMirror, seats, seats, func(stream *mesh.Stream) {
			if a.answer(ctx, stream) != nil {
				_ = stream.Reset()
			}
			_ = stream.Close()
		})
		running.Go(func() { _ = relay.Run(ctx) }) // it ends with ctx
		running.Go(func() {
			_ = node.ServeStreams(ctx, relay.Listener(circuit.StreamDirectory), seats, func(stream *circuit.Stream) {
				if a.answer(ctx, stream) != nil {
					_ = stream.Reset()
				}
				_ = node.Ending{Stream: stream}.Close()
			})
		})
		if i < mirrors {
			continue
		}
		server, err := tunnel.NewServer(tunnel.ServerConfig{Backend: mock.New(mock.Config{}), Budget: body.NewBudget(64 << 20)})
		if err != nil {
			t.Fatal(err)
		}
		running.Go(func() { _ = server.Run(ctx, node.Acceptor{Listener: relay.Listener(circuit.StreamHTTP)}) })
	}
	return s
}

// answer answers one question to the directory, as a mirror does or as it lies.
func (a *actor) answer(ctx context.Context, stream interface {
	io.ReadWriter
	SetDeadline(time.Time) error
},
) error {
	stop := context.AfterFunc(ctx, func() { _ = stream.SetDeadline(time.Now()) })
	defer stop()
	a.mu.Lock()
	store, lie := a.store, a.lie
	a.mu.Unlock()
	var rw io.ReadWriter = stream
	if lie != nil {
		rw = lie(rw)
	}
	return mirror.Serve(ctx, rw, store, nil)
}

// count takes connections until the listener is closed.
func (x *shadow) count() {
	for {
		c, err := x.at.Accept()
		if err != nil {
			return
		}
		x.dials.Add(1)
		_ = c.Close()
	}
}

// dialled is how often nodes were dialled that stand in the attacker's view alone.
func (s *stage) dialled() (n int64) {
	for _, x := range s.shadows {
		n += x.dials.Load()
	}
	return n
}

// honest are the descriptors of the nodes that there are, in an epoch.
func (s *stage) honest(t testing.TB, epoch uint64) (all []meshworld.Descriptor) {
	t.Helper()
	for i, a := range s.actors {
		all = append(all, s.describe(t, i, dirtest.Key(i), "honest", a.host.Addrs()[0], a.onion.Public()[0].Public, epoch)...)
	}
	return all
}

// shadowed are those of the nodes that the attacker invented. Their keys are good, as
// anybody can make some.
func (s *stage) shadowed(t testing.TB, epoch uint64) (all []meshworld.Descriptor) {
	t.Helper()
	for i, x := range s.shadows {
		at := x.at.Addr().(*net.TCPAddr)
		all = append(all, s.describe(t, i, dirtest.Key(100+i), "shadow", fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", at.Port), s.actors[i].onion.Public()[0].Public, epoch)...)
	}
	return all
}

func (s *stage) describe(t testing.TB, i int, key ed25519.PrivateKey, name, addr string, onion [32]byte, epoch uint64) []meshworld.Descriptor {
	t.Helper()
	transport, _, _ := strings.Cut(addr, "/p2p/")
	n := directory.Node{
		Name: fmt.Sprintf("%s-%d", name, i), Addrs: []string{transport},
		Onion: []directory.OnionKey{{Public: onion, NotAfter: s.EpochStart(epoch + 3).Truncate(time.Second)}},
	}
	if i == mirrors {
		n.Models = []directory.Model{{ID: mock.Model, Runtime: "openai", Context: 8192}}
	}
	ds, err := directory.Build(key, s.ID, epoch, 1, n)
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

// has is a mirror's store with bundles in it, oldest first, which believes so many
// of these signers.
func (s *stage) has(t testing.TB, threshold int, signers [][32]byte, bundles ...*bundle.Bundle) *mirror.Store {
	t.Helper()
	store, err := mirror.Open(mirror.Config{World: s.World.World, Quorum: quorum.Quorum{Signers: signers, Threshold: threshold}})
	for _, b := range bundles {
		if err == nil {
			err = store.Put(b)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// tells is a store of a mirror that believes what t of n signed.
func (s *stage) tells(t testing.TB, bundles ...*bundle.Bundle) *mirror.Store {
	t.Helper()
	return s.has(t, s.Quorum.Threshold, s.Quorum.Signers, bundles...)
}

// serve has mirrors tell what is in a store, without a lie; none named are all.
func (s *stage) serve(store *mirror.Store, who ...int) {
	s.alter(func(a *actor) { a.store, a.lie = store, nil }, who...)
}

// lies has mirrors do something to their answers.
func (s *stage) lies(lie func(io.ReadWriter) io.ReadWriter, who ...int) {
	s.alter(func(a *actor) { a.lie = lie }, who...)
}

func (s *stage) alter(f func(a *actor), who ...int) {
	if len(who) == 0 {
		who = []int{0, 1, 2}
	}
	for _, i := range who {
		a := s.actors[i]
		a.mu.Lock()
		f(a)
		a.mu.Unlock()
	}
}

// onStage is a bridge, a process of its own, on a stage.
type onStage struct {
	*stage
	t      *testing.T // that the bridge lives for; those that look at it may be shorter
	dir    string
	urls   sandbox.Ready // of the bridge, as a sandbox says them
	bridge *daemon
}

// bridgeOn starts a bridge in the world of a stage, and does not wait for it.
func bridgeOn(t *testing.T, s *stage) *onStage {
	t.Helper()
	b := &onStage{stage: s, t: t, dir: t.TempDir()}
	if err := meshworld.WriteFile(filepath.Join(b.dir, "world.toml"), s.World.World); err != nil {
		t.Fatal(err)
	}
	b.start()
	return b
}

func (b *onStage) start() {
	b.t.Helper()
	b.urls = sandbox.Ready{} // other ports
	b.bridge = daemonise(b.t, nil, "bridge", "serve", "--data", b.dir, "--listen", "127.0.0.1:0", "--status-listen", "127.0.0.1:0", "--log-format", "text")
}

// restart stops the bridge and starts it again on what it has on disk.
func (b *onStage) restart(t *testing.T) {
	t.Helper()
	b.bridge.stop(t)
	b.start()
}

// as is the bridge for a test, once it says where it is.
func (b *onStage) as(t *testing.T) *world {
	t.Helper()
	if b.urls.StatusURL == "" {
		eventuallyEvery(t, lookEvery, longest, "the bridge says where it is", func() error {
			out, err := exec.Command(program("bridge"), "status", "--json", "--data", b.dir).Output()
			var s bridge.Status
			if err == nil {
				err = json.Unmarshal(out, &s)
			}
			if err == nil {
				b.urls = sandbox.Ready{BaseURL: s.BaseURLs[0], StatusURL: s.StatusURL}
			}
			return err
		})
	}
	return &world{t: t, upstream: "mock", Ready: b.urls}
}

// chat asks for an answer.
func (b *onStage) chat(t *testing.T) reply {
	t.Helper()
	return b.as(t).ask(strings.Replace(chatBody(false), `"m"`, `"`+mock.Model+`"`, 1))
}

// readyz is what whatever watches the bridge is told.
func (b *onStage) readyz(t *testing.T) (code int, text string) {
	t.Helper()
	resp, err := http.Get(b.as(t).StatusURL + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	all, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(all)
}

// tell shows the bridge's log if a test that looks at it fails.
func (b *onStage) tell(t *testing.T) {
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the bridge said:\n%s", b.bridge.out)
		}
	})
}
