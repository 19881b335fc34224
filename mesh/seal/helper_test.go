package seal_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"lukechampine.com/blake3"

	"github.com/culvert-net/culvert/mesh/quorum"
	"github.com/culvert-net/culvert/mesh/seal"
	"github.com/culvert-net/culvert/mesh/world"
)

func try(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func hash(format string, args ...any) world.Hash {
	return blake3.Sum256(fmt.Appendf(nil, format, args...))
}

func key(n byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(append(make([]byte, 31), n))
}

func public(n byte) [32]byte { return [32]byte(key(n).Public().(ed25519.PublicKey)) }

// testWorld has n signers, of whom more than half sign, and epochs of a minute.
func testWorld(t testing.TB, n int) *world.World {
	t.Helper()
	rules := world.DefaultRules()
	rules.EpochLenMS = 60_000
	c := &world.Charter{
		Version: 1, FounderThreshold: 1, DirectoryThreshold: uint32(n/2 + 1), CircuitSuite: world.CircuitSuite,
		EventHorizonS: uint64(world.DefaultHorizon / time.Second), QuotaPerAuthor: 100, TicketBits: 1,
	}
	for i := range n {
		c.DirectorySigners = append(c.DirectorySigners, public(byte(i+1)))
	}
	c.Founders = c.DirectorySigners[:1]
	w, err := world.New(world.World{Phrase: "seals", Rules: rules, Charter: c, Local: true})
	try(t, err)
	return w
}

// memLog is an event log in memory. Events of full authors come in no other way
// than by add.
type memLog struct {
	mu    sync.Mutex
	held  map[uint64]map[world.Hash]time.Time
	full  map[world.Hash]bool
	seals map[uint64][]byte
	named map[uint64]map[world.Hash]bool
	floor uint64
}

func newLog() *memLog {
	return &memLog{
		held: make(map[uint64]map[world.Hash]time.Time), full: make(map[world.Hash]bool),
		seals: make(map[uint64][]byte), named: make(map[uint64]map[world.Hash]bool),
	}
}

func (l *memLog) add(epoch uint64, ids ...world.Hash) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held[epoch] == nil {
		l.held[epoch] = make(map[world.Hash]time.Time)
	}
	for _, id := range ids {
		if _, known := l.held[epoch][id]; !known {
			l.held[epoch][id] = time.Now()
		}
	}
}

func sorted(ids []world.Hash) []world.Hash {
	slices.SortFunc(ids, func(a, b world.Hash) int { return slices.Compare(a[:], b[:]) })
	return ids
}

func (l *memLog) Sealable(epoch uint64, before time.Time) ([]world.Hash, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []world.Hash
	for id, at := range l.held[epoch] {
		if before.IsZero() || at.Before(before) {
			out = append(out, id)
		}
	}
	return sorted(out), nil
}

func (l *memLog) Fingerprint(epoch uint64) ([32]byte, error) {
	all, _ := l.Sealable(epoch, time.Time{})
	return seal.Of(world.Hash{}, epoch, all).Sum, nil
}

func (l *memLog) Outside(epoch uint64, limit int) ([]world.Hash, error) {
	all, _ := l.Sealable(epoch, time.Time{})
	l.mu.Lock()
	defer l.mu.Unlock()
	out := slices.DeleteFunc(all, func(id world.Hash) bool { return l.named[epoch][id] })
	return out[:min(len(out), limit)], nil
}

func (l *memLog) Full(id world.Hash) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.full[id], nil
}

func (l *memLog) SetSeal(epoch uint64, statement []byte, ids []world.Hash) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seals[epoch] != nil {
		return errors.New("a second seal")
	}
	l.seals[epoch], l.named[epoch] = slices.Clone(statement), make(map[world.Hash]bool)
	for _, id := range ids {
		l.named[epoch][id] = true
	}
	return nil
}

func (l *memLog) Seal(epoch uint64) ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seals[epoch], nil
}

func (l *memLog) Floor() (uint64, error) { return l.floor, nil }

func (l *memLog) SealedEpochs() ([]uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Sorted(maps.Keys(l.seals)), nil
}

// in is what an epoch's seal names, nil without one.
func (l *memLog) in(epoch uint64) []world.Hash {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seals[epoch] == nil {
		return nil
	}
	return sorted(slices.AppendSeq([]world.Hash{}, maps.Keys(l.named[epoch])))
}

// memProofs keeps proofs in memory.
type memProofs struct {
	kept map[uint64][]byte
	fail error // of the next writes
}

func newProofs() *memProofs { return &memProofs{kept: make(map[uint64][]byte)} }

func (p *memProofs) PutProof(epoch uint64, proof []byte) error {
	if p.fail != nil {
		return p.fail
	}
	p.kept[epoch] = slices.Clone(proof)
	return nil
}

func (p *memProofs) Proofs() ([][]byte, error) { return slices.Collect(maps.Values(p.kept)), nil }

// node is one signer of a test.
type node struct {
	n      byte
	log    *memLog
	book   *seal.Book
	memory *quorum.Memory
	signer *seal.Signer
	net    *network

	withhold map[world.Hash]bool                                 // it gives these to nobody; guarded by log.mu
	lie      func(from byte, r seal.Request) (seal.Answer, bool) // guarded by net.mu

	mu     sync.Mutex
	drafts map[uint64][]byte // guarded by mu
	asked  map[uint64]int    // questions to others, by epoch; guarded by mu
}

// withholds makes x give some events to nobody.
func (x *node) withholds(ids ...world.Hash) {
	x.log.mu.Lock()
	defer x.log.mu.Unlock()
	x.withhold = make(map[world.Hash]bool)
	for _, id := range ids {
		x.withhold[id] = true
	}
}

func (x *node) PutDraft(_ context.Context, epoch uint64, b []byte) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.drafts[epoch] = b
	return nil
}

func (x *node) Draft(_ context.Context, epoch uint64) ([]byte, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.drafts[epoch], nil
}

// network is the signers of a test, some of whom may be cut off from others.
type network struct {
	all []*node

	mu     sync.Mutex
	apart  func(a, b byte) bool // guarded by mu; nil: nobody
	silent byte                 // takes questions and never answers; guarded by mu; 0: nobody
}

func (n *network) isSilent(x byte) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.silent == x
}

// asked is how many questions all signers have asked about an epoch.
func (n *network) asked(epoch uint64) (sum int) {
	for _, x := range n.all {
		x.mu.Lock()
		sum += x.asked[epoch]
		x.mu.Unlock()
	}
	return sum
}

func (n *network) cut(apart func(a, b byte) bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.apart = apart
}

func (n *network) reach(a, b byte) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.apart != nil && n.apart(a, b) {
		return errors.New("no way there")
	}
	return nil
}

func (n *network) find(signer [32]byte) *node {
	return n.all[slices.IndexFunc(n.all, func(x *node) bool { return public(x.n) == signer })]
}

// Ask implements seal.Peers, with what travels encoded.
func (x *node) Ask(ctx context.Context, signer [32]byte, r seal.Request) (seal.Answer, error) {
	to := x.net.find(signer)
	x.mu.Lock()
	x.asked[r.Epoch]++
	x.mu.Unlock()
	if x.net.isSilent(to.n) {
		<-ctx.Done()
		return seal.Answer{}, ctx.Err()
	}
	if err := x.net.reach(x.n, to.n); err != nil {
		return seal.Answer{}, err
	}
	r, err := seal.DecodeRequest(r.Canonical())
	if err != nil {
		return seal.Answer{}, err
	}
	var a seal.Answer
	lied := false
	x.net.mu.Lock()
	lie := to.lie
	x.net.mu.Unlock()
	if lie != nil {
		a, lied = lie(x.n, r)
	}
	if !lied {
		if a, err = to.signer.Answer(ctx, public(x.n), r); err != nil {
			return seal.Answer{}, err
		}
	}
	return seal.DecodeAnswer(a.Canonical())
}

// Sync implements seal.Peers, for logs and seals.
func (x *node) Sync(_ context.Context, signer [32]byte) error {
	return x.sync(x.net.find(signer))
}

func (x *node) sync(y *node) error {
	if err := x.net.reach(x.n, y.n); err != nil {
		return err
	}
	for _, way := range [][2]*node{{x, y}, {y, x}} {
		from, to := way[0], way[1]
		from.log.mu.Lock()
		all := make(map[uint64][]world.Hash)
		for epoch, ids := range from.log.held {
			for id := range ids {
				if !from.withhold[id] && !from.log.full[id] {
					all[epoch] = append(all[epoch], id)
				}
			}
		}
		from.log.mu.Unlock()
		for epoch, ids := range all {
			to.log.add(epoch, ids...)
		}
		items, err := from.book.Items()
		if err != nil {
			return err
		}
		if err := to.book.Merge(items); err != nil {
			return err
		}
	}
	return nil
}

// gossip is a round in which everybody syncs with everybody.
func (n *network) gossip() {
	for i, x := range n.all {
		for _, y := range n.all[:i] {
			_ = x.sync(y) // who is apart does not
		}
	}
}

// signers runs n of them in a bubble, from the beginning of an epoch, with a round
// of gossip every ten seconds, while f runs.
func signers(t *testing.T, n int, f func(w *world.World, net *network, epoch uint64)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := testWorld(t, n)
		net := &network{}
		begin := w.Epoch(time.Now()) + 1
		time.Sleep(time.Until(w.EpochStart(begin)))
		for i := range n {
			x := &node{n: byte(i + 1), log: newLog(), net: net, drafts: make(map[uint64][]byte), asked: make(map[uint64]int), memory: quorum.NewMemory(w.ID)}
			var err error
			x.book, err = seal.NewBook(w, x.log, newProofs())
			try(t, err)
			x.signer, err = seal.New(seal.Config{
				World: w, Key: key(x.n), Memory: x.memory, Book: x.book, Peers: x, Drafts: x,
				First: func() uint64 { return begin }, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
			})
			try(t, err)
			net.all = append(net.all, x)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for _, x := range net.all {
			wg.Go(func() { _ = x.signer.Run(ctx) })
		}
		wg.Go(func() {
			for ctx.Err() == nil {
				net.gossip()
				select {
				case <-ctx.Done():
				case <-time.After(10 * time.Second):
				}
			}
		})
		f(w, net, begin)
		cancel()
		wg.Wait()
	})
}
