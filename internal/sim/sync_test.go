package sim

import (
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/mesh"
	"github.com/culvert-net/culvert/mesh/gossip"
	"github.com/culvert-net/culvert/mesh/meshtest"
	"github.com/culvert-net/culvert/mesh/recon"
	"github.com/culvert-net/culvert/mesh/world"
	"lukechampine.com/blake3"
)

// shelf is an event log in memory, of events that are 16 bytes: the epoch, and
// what makes them different.
type shelf struct {
	mu     sync.Mutex
	epochs map[uint64]*shelfEpoch // guarded by mu
}

type shelfEpoch struct {
	ids    []gossip.ID
	bodies map[gossip.ID][]byte
	sum    recon.Fingerprint
}

var (
	_ gossip.Log   = (*shelf)(nil)
	_ gossip.Judge = (*shelf)(nil)
)

func (s *shelf) Epochs() ([]gossip.Epoch, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []gossip.Epoch
	for n, e := range s.epochs {
		out = append(out, gossip.Epoch{Epoch: n, Count: e.sum.Count(), Sum: e.sum.Sum()})
	}
	slices.SortFunc(out, func(a, b gossip.Epoch) int { return int(a.Epoch) - int(b.Epoch) })
	return out, nil
}

func (s *shelf) Snapshot(epoch uint64) ([]gossip.ID, *recon.Fingerprint, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.epochs[epoch]
	if e == nil {
		return nil, new(recon.Fingerprint), nil
	}
	sum := e.sum
	return slices.Clone(e.ids), &sum, nil
}

func (s *shelf) Get(epoch uint64, id gossip.ID) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.epochs[epoch]; e != nil {
		return e.bodies[id], nil
	}
	return nil, nil
}

func (s *shelf) Admit(_ context.Context, events [][]byte, _ gossip.Via) (added int, out []gossip.Verdict, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range events {
		if len(b) != 16 {
			out = append(out, gossip.Verdict{Outcome: gossip.Bad})
			continue
		}
		v := gossip.Verdict{ID: blake3.Sum256(b), Epoch: binary.LittleEndian.Uint64(b)}
		e := s.epochs[v.Epoch]
		if e == nil {
			e = &shelfEpoch{bodies: make(map[gossip.ID][]byte)}
			s.epochs[v.Epoch] = e
		}
		if e.bodies[v.ID] == nil {
			added++
			e.ids, e.bodies[v.ID] = append(e.ids, v.ID), b
			e.sum.Add(&v.ID)
		}
		out = append(out, v)
	}
	return added, out, nil
}

func (s *shelf) Judge(b []byte) (gossip.Outcome, bool) {
	if len(b) != 16 {
		return gossip.Bad, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.epochs[binary.LittleEndian.Uint64(b)]
	return gossip.Kept, e == nil || e.bodies[blake3.Sum256(b)] == nil
}

// all is what the shelf holds, and over which ids.
func (s *shelf) all() (n int, sum [32]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var f recon.Fingerprint
	for _, e := range s.epochs {
		for i := range e.ids {
			f.Add(&e.ids[i])
			n++
		}
	}
	return n, f.Sum()
}

// circle is a group of which the members never change.
type circle [][32]byte

// turn is how one member of a circle sees it: by the generation it has learned of.
type turn struct {
	circle
	generation *atomic.Uint32
}

var _ gossip.Group = turn{}

func (t turn) Head() (uint64, world.Hash) {
	n := t.generation.Load()
	return uint64(n), world.Hash{byte(n)}
}

func (t turn) Speaks() (uint64, world.Hash) { return t.Head() }

func (circle) Missing(uint64, world.Hash, int) ([][]byte, error) { return nil, nil }
func (circle) Learn([][]byte) error                              { return nil }
func (c circle) Member(key [32]byte) bool                        { return slices.Contains(c, key) }
func (c circle) Members() [][32]byte                             { return slices.Clone(c) }
func (circle) Key(entry world.Hash, epoch uint64) *world.Secret {
	return world.ControlPlaneKey(world.NewSecret(entry), world.Hash{1}, epoch)
}

// air is a host's push as gossip has it.
type air struct{ *mesh.Push }

func (a air) Subscribe(topic string) (gossip.Subscription, error) { return a.Push.Subscribe(topic) }

// line opens streams for sync.
type line struct {
	host *mesh.Host
	at   map[[32]byte]mesh.Peer // by member
}

func (l line) Open(ctx context.Context, member [32]byte) (io.ReadWriteCloser, error) {
	p, ok := l.at[member]
	if !ok {
		return nil, errors.New("no such member")
	}
	return l.host.Open(ctx, mesh.ProtoSync, p.Key, p.Addrs)
}

// syncing is a host with all that a member runs for its log.
type syncing struct {
	log        *shelf
	pusher     *gossip.Pusher
	syncer     *gossip.Syncer
	generation atomic.Uint32 // that it has learned of
}

// members makes hosts that push and repair.
func members(t *testing.T, n *meshtest.Network, every time.Duration) []*syncing {
	t.Helper()
	rules := world.DefaultRules()
	rules.EpochLenMS = 60_000
	w, err := world.New(world.World{Phrase: "virtual time", Rules: rules})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	t.Cleanup(func() { cancel(); wg.Wait() })
	keys := make([]ed25519.PrivateKey, len(n.Hosts))
	at := make(map[[32]byte]mesh.Peer)
	var group circle
	for i := range keys {
		seed := blake3.Sum256(binary.LittleEndian.AppendUint64(nil, uint64(i)))
		keys[i] = ed25519.NewKeyFromSeed(seed[:])
		key := [32]byte(keys[i].Public().(ed25519.PublicKey))
		group, at[key] = append(group, key), n.Peer(i)
	}
	out := make([]*syncing, len(n.Hosts))
	for i, h := range n.Hosts {
		m := &syncing{log: &shelf{epochs: make(map[uint64]*shelfEpoch)}}
		m.generation.Store(1)
		group := turn{group, &m.generation}
		out[i] = m
		push, err := h.Push(mesh.PushConfig{
			Member: func([32]byte) bool { return true },
			Check: func(topic string, _ [32]byte, data []byte) mesh.Verdict {
				switch m.pusher.Check(topic, data) {
				case gossip.Accept:
					return mesh.Accept
				case gossip.Reject:
					return mesh.Reject
				default:
					return mesh.Ignore
				}
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		m.pusher, err = gossip.NewPusher(gossip.PusherConfig{World: w, Group: group, Log: m.log, Judge: m.log, Broadcast: air{push}})
		if err != nil {
			t.Fatal(err)
		}
		m.syncer, err = gossip.NewSyncer(gossip.SyncerConfig{
			Session: gossip.Config{World: w, Key: keys[i], Group: group, Log: m.log},
			Dial:    line{h, at}, Every: every,
		})
		if err != nil {
			t.Fatal(err)
		}
		h.Handle(mesh.ProtoSync, 4, 64, func(s *mesh.Stream) { _ = m.syncer.Serve(ctx, s) })
		wg.Go(func() { _ = m.pusher.Run(ctx) })
		wg.Go(func() { _ = m.syncer.Run(ctx) })
		wg.Go(func() {
			_ = h.KeepLinks(ctx, mesh.LinksConfig{Peers: n.Peers, Count: mesh.PushDegree / 2, Rand: rand.New(rand.NewPCG(2, uint64(i)))})
		})
	}
	return out
}

// Real hosts with the real push and sync: two parts that heard nothing of each
// other are the same two rounds after the heal.
func TestSimHostsSync(t *testing.T) {
	b := &table{t: t}
	defer b.print()
	const every = 30 * time.Second
	took := time.Duration(0)
	synctest.Test(t, func(t *testing.T) {
		n := meshtest.New(t, meshtest.Config{Hosts: syncHosts, Seed: 4})
		all := members(t, n, every)
		time.Sleep(10 * time.Second)
		tell := func(round uint64) {
			epoch := uint64(time.Now().UnixMilli()) / 60_000
			for i, m := range all {
				e := binary.LittleEndian.AppendUint64(nil, epoch)
				e = binary.LittleEndian.AppendUint64(e, round<<32|uint64(i))
				if _, _, err := m.log.Admit(t.Context(), [][]byte{e}, gossip.ViaPush); err != nil {
					t.Fatal(err)
				}
				m.pusher.Push(e)
			}
		}
		// same reports whether these hold the same, and how much.
		same := func(of []*syncing) (bool, int) {
			count, first := of[0].log.all()
			for _, m := range of[1:] {
				if _, sum := m.log.all(); sum != first {
					return false, count
				}
			}
			return true, count
		}
		tell(1)
		time.Sleep(2 * time.Second)
		if ok, got := same(all); !ok || got != syncHosts {
			t.Errorf("two seconds after the push: alike = %v, %d of %d events", ok, got, syncHosts)
		}
		for i, m := range all {
			if s := m.pusher.Status(); s.Added == 0 || s.Bad != 0 {
				t.Errorf("host %d: %+v", i, s)
			}
		}

		part := syncHosts * 2 / 5
		var cut []int
		for i := range part {
			cut = append(cut, i)
		}
		n.Partition(cut...)
		time.Sleep(2 * time.Minute)
		tell(2)
		time.Sleep(30 * time.Second)
		for _, half := range [][]*syncing{all[:part], all[part:]} {
			if ok, got := same(half); !ok || got != syncHosts+len(half) {
				t.Errorf("apart: alike = %v, %d of %d events", ok, got, syncHosts+len(half))
			}
		}
		n.Heal()
		healed := time.Now()
		for {
			if ok, got := same(all); ok && got == 2*syncHosts {
				break
			}
			if time.Since(healed) > 5*time.Minute {
				t.Error("not the same five minutes after the heal")
				break
			}
			time.Sleep(500 * time.Millisecond)
		}
		took = time.Since(healed)
	})
	// Rounds are every apart, give or take a fifth.
	b.row(fmt.Sprintf("%d real hosts, 40 %% apart: alike after the heal", syncHosts), took.String(), "≤ 2 rounds: 72 s", took <= 2*every*6/5)
}

// A new generation begins, and what is said at once by who learns of it first is
// known to all seconds after they have learned of it too: long before repair.
func TestSimHostsRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const every, apart = 5 * time.Minute, 6 * time.Second
		n := meshtest.New(t, meshtest.Config{Hosts: 12, Seed: 6})
		all := members(t, n, every)
		// Far from the ends of epochs, when other rounds begin.
		time.Sleep(time.Minute - time.Duration(time.Now().UnixNano())%time.Minute + 20*time.Second)
		var wg sync.WaitGroup
		for i, m := range all {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * apart / time.Duration(len(all)))
				m.generation.Store(2)
			})
		}
		synctest.Wait()
		e := binary.LittleEndian.AppendUint64(nil, uint64(time.Now().UnixMilli())/60_000)
		e = binary.LittleEndian.AppendUint64(e, 6)
		if _, _, err := all[0].log.Admit(t.Context(), [][]byte{e}, gossip.ViaPush); err != nil {
			t.Fatal(err)
		}
		all[0].pusher.Push(e)
		wg.Wait()
		time.Sleep(10 * time.Second)
		for i, m := range all {
			if got, _ := m.log.all(); got != 1 {
				t.Errorf("host %d has %d events ten seconds after it learned of the generation", i, got)
			}
		}
	})
}
