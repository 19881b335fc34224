package sim

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"

	"github.com/culvert-net/culvert/mesh/terrain"
	"github.com/culvert-net/culvert/mesh/world"
	"lukechampine.com/blake3"
)

// words is how many 64-bit words a set of messages has.
const words = 2

// set is a set of messages.
type set [words]uint64

func (s *set) has(m uint16) bool { return s[m/64]>>(m%64)&1 == 1 }
func (s *set) add(m uint16)      { s[m/64] |= 1 << (m % 64) }

// Gossipsub's offers: a node tells what it heard in the last window beats to as
// many peers outside the mesh as it has in it.
const (
	beatEvery = 1000
	window    = 3
)

// Never stands for more milliseconds than a run lasts.
const Never = span

// Result is what came of a Config. Only honest nodes count.
type Result struct {
	// Milliseconds until a message was there, over all that should get it; Never
	// where that share did not get it at all.
	P50, P99, P999, Max int

	Pushed     float64  // share of arrivals that push alone brought
	Complete   bool     // every honest node has had every message
	Alike      bool     // all honest nodes hold the same at the end
	Rounds     int      // repair periods from the last disturbance until complete
	Back       int      // pruned messages that came back: must be 0
	Copies     uint64   // messages sent, duplicates included
	Duplicates uint64   // of them
	Events     uint64   // of the simulation
	Trace      [32]byte // of everything that changed a node's set, in order
}

// node flags.
const (
	dropper = 1 << iota
	offline
	otherPart
)

// world of one run. The names of fields are as in Config.
type run struct {
	cfg   Config
	rnd   *rand.Rand
	graph *graph
	wheel *wheel
	trace *blake3.Hasher
	buf   []byte

	flags   []uint8
	split   bool          // the network is in two parts
	held    []set         // by node
	dropped []set         // by node: pruned
	fresh   [][window]set // by node: what came in this beat and those before it
	beats   []bool        // by node: a beat is queued
	epoch   []uint32      // by node: in which it is

	born    []int    // by message: when
	topic   []uint32 // by message: the epoch it was published in
	total   int      // arrivals that are owed: honest nodes for each message
	arrived int
	disturb int // when the last disturbance ended
	done    int // when everything had arrived; 0: not yet

	ring   *terrain.Map
	drawn  uint32   // the epoch that ring and mesh are of
	place  []uint32 // by node: on the ring
	keys   [][32]byte
	nodeOf map[[32]byte]uint32

	byTime []uint64 // arrivals, by the milliseconds they took
	pushed uint64
	res    Result
}

// Run plays a world to its end: until every honest node has everything and
// nothing is to come any more, or until cfg.Until.
func Run(cfg Config) Result {
	r := newRun(cfg)
	cfg = r.cfg
	for events := r.wheel.next(); events != nil && r.wheel.now <= cfg.Until; events = r.wheel.next() {
		for _, e := range events {
			r.happen(e)
		}
		r.res.Events += uint64(len(events))
		r.wheel.done(events)
		if r.over() {
			break
		}
	}
	return r.result()
}

// newRun draws the world, and queues what is to happen.
func newRun(cfg Config) *run {
	cfg.defaults()
	if cfg.Messages > MaxMessages || cfg.Nodes < 8 {
		panic("sim: a world has at least eight nodes, and at most 128 messages")
	}
	n := cfg.Nodes
	r := &run{
		cfg: cfg, rnd: rand.New(rand.NewPCG(cfg.Seed, 0x5eed)), wheel: new(wheel), trace: blake3.New(32, nil),
		flags: make([]uint8, n), held: make([]set, n), dropped: make([]set, n), fresh: make([][window]set, n), beats: make([]bool, n), epoch: make([]uint32, n),
		born: make([]int, cfg.Messages), topic: make([]uint32, cfg.Messages), byTime: make([]uint64, Never),
	}
	r.graph = drawGraph(&r.cfg, r.rnd)
	r.graph.drawMesh(&r.cfg, r.rnd)
	r.schedule()
	return r
}

// schedule draws who is what, and queues all that does not follow from
// something else.
func (r *run) schedule() {
	cfg, n := &r.cfg, r.cfg.Nodes
	order := r.rnd.Perm(n)
	bad := int(float64(n) * cfg.Droppers)
	for _, i := range order[:bad] {
		r.flags[i] |= dropper
	}
	honest := order[bad:]
	for _, i := range honest[:int(float64(len(honest))*cfg.Away)] {
		r.wheel.put(1000+r.rnd.IntN(max(1, cfg.Messages*cfg.Every)), event{node: uint32(i), kind: leave, other: uint32(5000 + r.rnd.IntN(20_000))})
	}
	for m := range cfg.Messages {
		r.wheel.put(1+(m+1)*cfg.Every, event{node: uint32(honest[r.rnd.IntN(len(honest))]), kind: publish, msg: uint16(m)})
	}
	r.total = cfg.Messages * len(honest)
	r.disturb = 1 + cfg.Messages*cfg.Every
	if cfg.Heal > 0 {
		for _, i := range r.rnd.Perm(n)[:int(float64(n)*cfg.Part)] {
			r.flags[i] |= otherPart
		}
		r.wheel.put(cfg.Cleave, event{kind: cleave})
		r.wheel.put(cfg.Heal, event{kind: heal})
		r.disturb = max(r.disturb, cfg.Heal)
	}
	if cfg.Epoch > 0 {
		for i := range n {
			r.comesEpoch(uint32(i), 1)
		}
	}
	if cfg.Repair > 0 {
		r.keys, r.place, r.nodeOf = make([][32]byte, n), make([]uint32, n), make(map[[32]byte]uint32, n)
		for i := range r.keys {
			r.keys[i] = blake3.Sum256(binary.LittleEndian.AppendUint64(nil, cfg.Seed<<32|uint64(i)))
			r.nodeOf[r.keys[i]] = uint32(i)
		}
		r.drawRing()
		for i := range n {
			r.wheel.put(1+r.rnd.IntN(cfg.Repair), event{node: uint32(i), kind: round})
		}
	}
}

// over reports whether nothing more can change.
func (r *run) over() bool {
	return r.arrived == r.total && r.wheel.now >= r.disturb && r.cfg.Horizon == 0
}

func (r *run) happen(e event) {
	switch e.kind {
	case publish:
		r.publish(e)
	case arrive:
		r.arrive(e)
	case beat:
		r.beat(int(e.node))
	case round:
		r.round(e.node)
	case synced:
		r.synced(e.node, e.other)
	case leave:
		r.flags[e.node] |= offline
		r.wheel.put(r.wheel.now+int(e.other), event{node: e.node, kind: rejoin})
	case rejoin:
		r.flags[e.node] &^= offline
		r.disturb = max(r.disturb, r.wheel.now)
	case enter:
		r.enter(e.node, e.other)
	case cleave, heal:
		r.split = e.kind == cleave
	}
}

// publish is by the node, or by the next honest one that is online.
func (r *run) publish(e event) {
	for r.flags[e.node]&(dropper|offline) != 0 {
		e.node = (e.node + 1) % uint32(r.cfg.Nodes)
	}
	r.born[e.msg], r.topic[e.msg] = r.wheel.now, r.epoch[e.node]
	r.take(e.node, e.msg)
	// Our own message goes to every peer.
	r.send(e.node, e.msg, int(r.graph.first[e.node]), int(r.graph.first[e.node+1]))
}

// arrive is one copy's coming.
func (r *run) arrive(e event) {
	// Who has not entered the message's topic does not hear it, nor does who
	// has left it.
	if r.held[e.node].has(e.msg) {
		r.res.Duplicates++
		return
	}
	if r.flags[e.node]&offline != 0 || r.topic[e.msg] != r.epoch[e.node] {
		return
	}
	r.take(e.node, e.msg)
	if r.flags[e.node]&dropper != 0 {
		return
	}
	r.pushed++
	first := int(r.graph.first[e.node])
	r.send(e.node, e.msg, first, first+int(r.graph.inner[e.node]))
}

// take puts a message into a node's set.
func (r *run) take(node uint32, m uint16) {
	if r.dropped[node].has(m) {
		r.res.Back++
	}
	r.held[node].add(m)
	r.buf = binary.LittleEndian.AppendUint64(r.buf, uint64(r.wheel.now)<<16|uint64(m))
	r.buf = binary.LittleEndian.AppendUint32(r.buf, node)
	if len(r.buf) >= 1<<16 {
		r.flush()
	}
	if r.flags[node]&dropper != 0 {
		return
	}
	if took := r.wheel.now - r.born[m]; took > 0 { // else it is the node's own
		r.byTime[min(took, len(r.byTime)-1)]++
	}
	r.fresh[node][0].add(m)
	if !r.beats[node] {
		// A node's beats have a phase of their own, 409 being prime to a second.
		phase := int(node) * 409 % beatEvery
		r.beats[node] = true
		r.wheel.put(r.wheel.now+1+((phase-r.wheel.now)%beatEvery+beatEvery)%beatEvery, event{node: node, kind: beat})
	}
	if r.arrived++; r.arrived == r.total {
		r.done = r.wheel.now
	}
}

// send puts copies of a message on some of a node's links.
func (r *run) send(node uint32, m uint16, from, to int) {
	for i := from; i < to; i++ {
		r.copy(node, r.graph.peer[i], m, int(r.graph.way[i])+r.cfg.Hop)
	}
}

// copy sends one copy. What can only be a duplicate is counted, not queued.
func (r *run) copy(from, to uint32, m uint16, way int) {
	r.res.Copies++
	if r.held[to].has(m) {
		r.res.Duplicates++
		return
	}
	if r.reaches(from, to) {
		r.wheel.put(r.wheel.now+way, event{node: to, kind: arrive, msg: m})
	}
}

func (r *run) reaches(a, b uint32) bool {
	return r.flags[a]&offline == 0 && r.flags[b]&offline == 0 && (!r.split || (r.flags[a]^r.flags[b])&otherPart == 0)
}

// beat offers what came lately to peers outside the mesh. Who lacks something
// asks for it, and gets it: three ways.
func (r *run) beat(node int) {
	var all set
	for _, s := range r.fresh[node] {
		for w := range all {
			all[w] |= s[w]
		}
	}
	copy(r.fresh[node][1:], r.fresh[node][:window-1])
	r.fresh[node][0] = set{}
	if all == (set{}) {
		r.beats[node] = false
		return
	}
	r.wheel.put(r.wheel.now+beatEvery, event{node: uint32(node), kind: beat})
	if r.flags[node]&offline != 0 {
		return
	}
	lo, hi := int(r.graph.first[node])+int(r.graph.inner[node]), int(r.graph.first[node+1])
	for range min(r.cfg.Degree, hi-lo) {
		i := lo + r.rnd.IntN(hi-lo)
		to := r.graph.peer[i]
		for w := range all {
			for left := all[w] &^ r.held[to][w]; left != 0; left &= left - 1 {
				m := uint16(w*64 + bits.TrailingZeros64(left))
				if r.topic[m] == r.epoch[node] {
					r.copy(uint32(node), to, m, 3*int(r.graph.way[i])+r.cfg.Hop)
				}
			}
		}
	}
}

// round asks all partners.
func (r *run) round(node uint32) {
	r.wheel.put(r.wheel.now+r.cfg.Repair, event{node: node, kind: round})
	if r.flags[node]&offline != 0 {
		return
	}
	for _, p := range r.ring.PartnersAt(int(r.place[node]), r.cfg.Near, r.cfg.Random, r.rnd) {
		other := r.nodeOf[p.Key]
		if r.reaches(node, other) && (r.flags[node]|r.flags[other])&dropper == 0 {
			// Two round trips and the bodies.
			r.wheel.put(r.wheel.now+6*int(r.cfg.latency(r.rnd))+r.cfg.Hop, event{node: node, other: other, kind: synced})
		}
	}
}

// synced makes two nodes the same, but for what either has pruned.
func (r *run) synced(a, b uint32) {
	if !r.reaches(a, b) {
		return
	}
	for _, p := range [2][2]uint32{{a, b}, {b, a}} {
		for w := range r.held[a] {
			for left := r.held[p[0]][w] &^ r.held[p[1]][w]; left != 0; left &= left - 1 {
				m := uint16(w*64 + bits.TrailingZeros64(left))
				if !r.pruned(p[1], m) {
					r.take(p[1], m)
				}
			}
		}
	}
}

// pruned reports whether a node keeps a message no more.
func (r *run) pruned(node uint32, m uint16) bool {
	return r.cfg.Horizon > 0 && r.topic[m]+uint32(r.cfg.Horizon) <= r.epoch[node]
}

// enter is a node's new epoch: another topic, and what is too old is dropped.
func (r *run) enter(node, epoch uint32) {
	if epoch > r.drawn { // by the first whose clock says so
		r.drawn = epoch
		r.graph.drawMesh(&r.cfg, r.rnd)
		if r.cfg.Repair > 0 {
			r.drawRing()
		}
	}
	r.epoch[node] = epoch
	for m := range uint16(r.cfg.Messages) {
		if r.held[node].has(m) && r.pruned(node, m) {
			r.held[node][m/64] &^= 1 << (m % 64)
			r.dropped[node].add(m)
		}
	}
	r.comesEpoch(node, epoch+1)
}

// comesEpoch queues a node's entry.
func (r *run) comesEpoch(node, epoch uint32) {
	r.wheel.put(int(epoch)*r.cfg.Epoch+1+r.rnd.IntN(max(1, r.cfg.Skew)), event{node: node, other: epoch, kind: enter})
}

// drawRing puts all nodes on the epoch's map, with the code that members run.
func (r *run) drawRing() {
	id := world.Hash{1}
	cpk := world.ControlPlaneKey(world.NewSecret(blake3.Sum256(binary.LittleEndian.AppendUint64(nil, r.cfg.Seed))), id, uint64(r.drawn))
	r.ring = terrain.Draw(cpk, id, uint64(r.drawn), r.keys)
	for i, p := range r.ring.Places() {
		r.place[r.nodeOf[p.Key]] = uint32(i)
	}
}

func (r *run) flush() {
	_, _ = r.trace.Write(r.buf) // a hash takes everything
	r.buf = r.buf[:0]
}

// alike compares the honest nodes' sets.
func (r *run) alike() bool {
	var first *set
	for i := range r.held {
		switch {
		case r.flags[i]&dropper != 0:
		case first == nil:
			first = &r.held[i]
		case r.held[i] != *first:
			return false
		}
	}
	return true
}

// result reads off what came of it.
func (r *run) result() Result {
	r.flush()
	res := &r.res
	r.trace.Sum(res.Trace[:0])
	res.Complete = r.arrived == r.total
	res.Pushed = float64(r.pushed) / float64(r.total-r.cfg.Messages)
	if res.Complete && r.cfg.Repair > 0 && r.done > r.disturb {
		res.Rounds = (r.done - r.disturb + r.cfg.Repair - 1) / r.cfg.Repair
	}
	res.Alike = r.alike()
	quantile := func(q float64) int {
		var seen uint64
		for ms, n := range r.byTime {
			if seen += n; float64(seen) >= q*float64(r.total-r.cfg.Messages) {
				return ms
			}
		}
		return Never
	}
	res.P50, res.P99, res.P999, res.Max = quantile(.5), quantile(.99), quantile(.999), quantile(1)
	return *res
}
