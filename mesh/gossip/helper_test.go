package gossip

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"lukechampine.com/blake3"

	"github.com/culvert-net/culvert/mesh/recon"
	"github.com/culvert-net/culvert/mesh/world"
)

// testWorld has epochs of a minute, as a sandbox has.
func testWorld(t testing.TB) *world.World {
	t.Helper()
	rules := world.DefaultRules()
	rules.EpochLenMS = 60_000
	w, err := world.New(world.World{Phrase: "gossip test", Rules: rules})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// body is a test's event: epoch, author, a number, padding, and a mark by which a
// good one is known.
func body(epoch, author, n uint64, size int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, epoch)
	b = binary.LittleEndian.AppendUint64(b, author)
	b = binary.LittleEndian.AppendUint64(b, n)
	b = append(b, make([]byte, max(0, size-len(b)-4))...)
	sum := blake3.Sum256(b)
	return append(b, sum[:4]...)
}

func good(b []byte) bool {
	if len(b) < 28 || len(b) > 16<<10 {
		return false
	}
	sum := blake3.Sum256(b[:len(b)-4])
	return bytes.Equal(sum[:4], b[len(b)-4:])
}

// memLog is an event log in memory.
type memLog struct {
	mu     sync.Mutex
	epochs map[uint64]*memEpoch
	floor  uint64                            // epochs before it are pruned
	refuse func(epoch uint64, b []byte) bool // nil: nothing
	sent   bool                              // refused for how it was sent
}

type memEpoch struct {
	ids    []ID
	bodies map[ID][]byte
	sum    recon.Fingerprint
	pruned bool
}

func newMemLog() *memLog { return &memLog{epochs: make(map[uint64]*memEpoch)} }

func (l *memLog) Epochs() ([]Epoch, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []Epoch
	for n, e := range l.epochs {
		out = append(out, Epoch{Epoch: n, Count: e.sum.Count(), Sum: e.sum.Sum(), Pruned: e.pruned})
	}
	slices.SortFunc(out, func(a, b Epoch) int { return int(a.Epoch) - int(b.Epoch) })
	return out, nil
}

func (l *memLog) Snapshot(epoch uint64) ([]ID, *recon.Fingerprint, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.epochs[epoch]
	if e == nil || e.pruned {
		return nil, new(recon.Fingerprint), nil
	}
	sum := e.sum
	return slices.Clone(e.ids), &sum, nil
}

func (l *memLog) Get(epoch uint64, id ID) ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.epochs[epoch]; e != nil {
		return e.bodies[id], nil
	}
	return nil, nil
}

func (l *memLog) Admit(_ context.Context, events [][]byte, _ Via) (added int, out []Verdict, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, b := range events {
		if !good(b) {
			out = append(out, Verdict{Outcome: Bad})
			continue
		}
		v := Verdict{ID: blake3.Sum256(b), Epoch: binary.LittleEndian.Uint64(b)}
		e := l.epochs[v.Epoch]
		switch {
		case v.Epoch < l.floor, l.refuse != nil && l.refuse(v.Epoch, b):
			v.Outcome, v.Sent = Refused, l.sent
		case e != nil && e.bodies[v.ID] != nil:
		default:
			added++
			if e == nil {
				e = &memEpoch{bodies: make(map[ID][]byte)}
				l.epochs[v.Epoch] = e
			}
			e.ids = append(e.ids, v.ID)
			e.bodies[v.ID] = b
			e.sum.Add(&v.ID)
		}
		out = append(out, v)
	}
	return added, out, nil
}

// add puts a test's events in.
func (l *memLog) add(events ...[]byte) { _, _, _ = l.Admit(context.Background(), events, ViaSync) }

// prune drops epochs before one.
func (l *memLog) prune(before uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.floor = max(l.floor, before)
	for n, e := range l.epochs {
		if n < l.floor {
			e.ids, e.bodies, e.pruned = nil, nil, true
		}
	}
}

// state is what is there from an epoch on, in order.
func (l *memLog) state(from uint64) []ID {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []ID
	for n, e := range l.epochs {
		if n >= from {
			out = append(out, e.ids...)
		}
	}
	slices.SortFunc(out, func(a, b ID) int { return bytes.Compare(a[:], b[:]) })
	return out
}

// memGroup is a group whose roster entries are a generation, a parent, and who is
// a member from then on.
type memGroup struct {
	mu    sync.Mutex
	chain []memEntry // from generation 1 on
	self  [32]byte
	noise int // of how many entries at the end the master is not here
}

type memEntry struct {
	parent  world.Hash
	members [][32]byte
}

func (e memEntry) bytes() []byte {
	b := e.parent[:]
	b = slices.Clone(b)
	for _, m := range e.members {
		b = append(b, m[:]...)
	}
	return b
}

func (e memEntry) hash() world.Hash { return world.Hash(blake3.Sum256(e.bytes())) }

func newGroup(self [32]byte, members ...[32]byte) *memGroup {
	g := &memGroup{self: self}
	g.chain = []memEntry{{members: members}}
	return g
}

// rotate appends an entry with other members.
func (g *memGroup) rotate(members ...[32]byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.chain = append(g.chain, memEntry{parent: g.chain[len(g.chain)-1].hash(), members: members})
}

func (g *memGroup) Head() (uint64, world.Hash) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return uint64(len(g.chain)), g.chain[len(g.chain)-1].hash()
}

func (g *memGroup) Speaks() (uint64, world.Hash) {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := len(g.chain) - g.noise
	return uint64(n), g.chain[n-1].hash()
}

func (g *memGroup) Missing(generation uint64, _ world.Hash, limit int) ([][]byte, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	var out [][]byte
	for i := int(min(generation, 1<<20)); i < len(g.chain) && limit > 0; i++ {
		out = append(out, g.chain[i].bytes())
		limit -= len(g.chain[i].bytes())
	}
	return out, nil
}

func (g *memGroup) Learn(entries [][]byte) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, b := range entries {
		if len(b)%32 != 0 || len(b) == 0 {
			return ErrEntry
		}
		e := memEntry{parent: world.Hash(b[:32])}
		for i := 32; i < len(b); i += 32 {
			e.members = append(e.members, [32]byte(b[i:]))
		}
		if e.parent == g.chain[len(g.chain)-1].hash() {
			g.chain = append(g.chain, e)
		}
	}
	return nil
}

func (g *memGroup) Member(key [32]byte) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Contains(g.chain[len(g.chain)-1].members, key)
}

func (g *memGroup) Members() [][32]byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.chain[len(g.chain)-1].members)
}

// Key gives masters to whoever is a member by the entry, as boxes would.
func (g *memGroup) Key(entry world.Hash, epoch uint64) *world.Secret {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, e := range g.chain[:len(g.chain)-g.noise] {
		if e.hash() == entry && slices.Contains(e.members, g.self) {
			return world.ControlPlaneKey(world.NewSecret(entry), world.Hash{}, epoch)
		}
	}
	return nil
}

// pipe is both ends of a stream in memory, each direction with a buffer that has
// no bound. fault, unless nil, sees every write: it returns what arrives in its
// place, and whether the stream is cut behind it.
func pipe(fault func(fromA bool, b []byte) ([]byte, bool)) (a, b *end) {
	if fault == nil {
		fault = func(_ bool, b []byte) ([]byte, bool) { return b, false }
	}
	ab, ba := newQueue(), newQueue()
	a = &end{in: ba, out: ab, fault: func(b []byte) ([]byte, bool) { return fault(true, b) }}
	b = &end{in: ab, out: ba, fault: func(b []byte) ([]byte, bool) { return fault(false, b) }}
	return a, b
}

type queue struct {
	mu     sync.Mutex
	cond   *sync.Cond
	b      []byte
	closed bool
}

func newQueue() *queue {
	q := new(queue)
	q.cond = sync.NewCond(&q.mu)
	return q
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.cond.Broadcast()
}

type end struct {
	in, out *queue
	fault   func([]byte) ([]byte, bool)
}

func (e *end) Read(b []byte) (int, error) {
	e.in.mu.Lock()
	defer e.in.mu.Unlock()
	for len(e.in.b) == 0 && !e.in.closed {
		e.in.cond.Wait()
	}
	if len(e.in.b) == 0 {
		return 0, io.EOF
	}
	n := copy(b, e.in.b)
	e.in.b = e.in.b[n:]
	return n, nil
}

func (e *end) Write(b []byte) (int, error) {
	got, cut := e.fault(b)
	e.out.mu.Lock()
	defer e.out.mu.Unlock()
	if e.out.closed {
		return 0, errors.New("closed pipe")
	}
	e.out.b = append(e.out.b, got...)
	e.out.cond.Broadcast()
	if cut {
		e.out.closed = true
		go e.in.close()
		return 0, errors.New("cut pipe")
	}
	return len(b), nil
}

func (e *end) Close() error {
	e.in.close()
	e.out.close()
	return nil
}

// node is one member of a test.
type node struct {
	*Config
	log   *memLog
	group *memGroup
	key   [32]byte
}

// nodes makes n members of one group.
func nodes(t testing.TB, n int) []*node {
	t.Helper()
	w := testWorld(t)
	all := make([]*node, n)
	members := make([][32]byte, n)
	for i := range all {
		seed := blake3.Sum256([]byte{byte(i), byte(i >> 8)})
		key := ed25519.NewKeyFromSeed(seed[:])
		members[i] = [32]byte(key.Public().(ed25519.PublicKey))
		all[i] = &node{Config: &Config{World: w, Key: key, Known: new(Refusals)}, log: newMemLog(), key: members[i]}
		all[i].Log = all[i].log
	}
	for _, x := range all {
		x.group = newGroup(x.key, members...)
		x.Group = x.group
	}
	return all
}

// sync runs a session that a opens to b.
func (a *node) sync(b *node, fault func(bool, []byte) ([]byte, bool)) (opener, answerer Result, err, answerErr error) {
	x, y := pipe(fault)
	var wg sync.WaitGroup
	wg.Go(func() { answerer, answerErr = Respond(context.Background(), b.Config, y, nil) })
	opener, err = Initiate(context.Background(), a.Config, b.key, x)
	wg.Wait()
	return opener, answerer, err, answerErr
}

// mustSync demands that both sides are content.
func (a *node) mustSync(t testing.TB, b *node) (opener, answerer Result) {
	t.Helper()
	opener, answerer, err, answerErr := a.sync(b, nil)
	if err != nil || answerErr != nil {
		t.Fatalf("session: opener %v, answerer %v", err, answerErr)
	}
	return opener, answerer
}

func same(a, b *node) bool {
	from := max(a.log.floor, b.log.floor)
	return slices.Equal(a.log.state(from), b.log.state(from))
}

// testNow is some time, where none passes.
var testNow = time.Unix(1_700_000_000, 0)

func idOf(b []byte) ID { return blake3.Sum256(b) }

func sorted(list []uint64) []uint64 {
	slices.Sort(list)
	return list
}

// Judge implements Judge.
func (l *memLog) Judge(b []byte) (Outcome, bool) {
	if !good(b) {
		return Bad, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	epoch := binary.LittleEndian.Uint64(b)
	if epoch < l.floor || l.refuse != nil && l.refuse(epoch, b) {
		return Refused, false
	}
	e := l.epochs[epoch]
	return Kept, e == nil || e.bodies[idOf(b)] == nil
}

type fingerprint = recon.Fingerprint
