package notary

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"flag"
	"fmt"
	"hash"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/mesh/directory/dirtest"
	"github.com/culvert-net/culvert/mesh/quorum"
	"github.com/culvert-net/culvert/mesh/world"
)

// fully is given by "make sim", which has the time for 10,000 interleavings.
var fully = flag.Bool("full", false, "try 10,000 interleavings")

// Whatever is lost, delayed or killed, in whatever order: an epoch has one root
// at most, ever, and no signer's name stands under two. And once nothing is lost
// any more, the next epoch has one.
//
// Each seed is one interleaving of up to four proposers at once, the same in every
// run. Nothing depends on a clock: signers are stepped one message at a time.
func TestAtMostOneRoot(t *testing.T) {
	seeds := 900
	switch {
	case *fully:
		seeds = 10_000
	case testing.Short():
		seeds = 300
	}
	for _, size := range []struct{ t, n int }{{2, 3}, {3, 4}, {3, 5}} {
		t.Run(fmt.Sprintf("%d of %d", size.t, size.n), func(t *testing.T) {
			t.Parallel()
			// What does not change from seed to seed is made once.
			w := dirtest.New(t, 5*time.Minute, size.t, size.n)
			said := make(map[uint64][][]world.Descriptor)
			var finished, empty, mended, split int
			for seed := range seeds / 3 {
				synctest.Test(t, func(t *testing.T) {
					s := newStepper(t, w, said, uint64(seed))
					s.run()
					f, e := s.check()
					finished, empty = finished+f, empty+e
					switch {
					case seed%4 == 1:
						done, stuck := s.mend()
						mended, split = mended+done, split+stuck
					case *fully || seed%4 == 0:
						s.heal()
					}
				})
				if t.Failed() {
					return
				}
			}
			t.Logf("%d epochs with a root, %d without; %d in which nothing was lost any more had one in the end, %d had none", finished, empty, mended, split)
			// Some of those are what the others will not sign, as they know more by then:
			// three of 833 with three of four signers.
			if split*100 > mended {
				t.Errorf("%d epochs that could have had a root had none, of %d; want at most one of a hundred", split, mended)
			}
			// A test in which all goes well, or nothing does, would show nothing.
			if finished == 0 || empty == 0 {
				t.Errorf("%d epochs with a root, %d without", finished, empty)
			}
		})
	}
}

// A seed is one interleaving: what fails can be looked at.
func TestInterleavingsAreTheSame(t *testing.T) {
	w := dirtest.New(t, 5*time.Minute, 3, 5)
	said := make(map[uint64][][]world.Descriptor)
	for seed := range uint64(10) {
		var traces [2]string
		for i := range traces {
			synctest.Test(t, func(t *testing.T) {
				s := newStepper(t, w, said, seed)
				s.run()
				s.heal()
				traces[i] = fmt.Sprintf("%x", s.trace.Sum(nil))
			})
		}
		if traces[0] != traces[1] {
			t.Errorf("seed %d: what was said differs from run to run", seed)
		}
	}
}

// stepper runs signers one message at a time.
type stepper struct {
	*meeting
	t    *testing.T
	seed uint64
	rnd  *rand.Rand

	calls    []*call              // under way
	busy     map[int]int          // proposals a signer has under way
	errs     map[int]error        // how the last one went
	named    map[signature]string // what a signer gave its name to
	epochs   []uint64
	said     map[uint64][][]world.Descriptor // by nodes, by epoch
	now      time.Time
	reliable bool
	trace    hash.Hash // of all that was said, in its order
}

// signature is a place for one name.
type signature struct {
	signer [32]byte
	epoch  uint64
}

// call is one question on its way.
type call struct {
	from, to int
	request  []byte
	answer   []byte // nil until it arrived
	done     chan []byte
}

func newStepper(t *testing.T, w *dirtest.World, said map[uint64][][]world.Descriptor, seed uint64) *stepper {
	s := &stepper{
		meeting: gather(t, w), t: t, seed: seed, rnd: rand.New(rand.NewPCG(seed, uint64(len(w.Signers)))), said: said,
		busy: make(map[int]int), errs: make(map[int]error), named: make(map[signature]string), trace: sha256.New(),
	}
	for i := range s.signers {
		s.restart(i)
	}
	s.now = s.EpochStart(s.Epoch(time.Now())).Add(2 * time.Minute)
	s.enter()
	return s
}

// restart makes a signer that has its disk, and no memory of what was under way.
func (s *stepper) restart(i int) {
	s.start(s.t, i, 1)
	s.signers[i].cfg.Peers = stepped{s, i}
}

// stepped is a signer's way to the others, one step at a time.
type stepped struct {
	*stepper
	from int
}

func (l stepped) Ask(ctx context.Context, key [32]byte, request []byte) ([]byte, error) {
	c := &call{from: l.from, to: l.number(key), request: request, done: make(chan []byte, 1)}
	l.mu.Lock()
	l.calls = append(l.calls, c)
	l.mu.Unlock()
	answer := <-c.done
	if answer == nil {
		return nil, errLost
	}
	return answer, nil
}

// propose starts an attempt of a signer.
func (s *stepper) propose(i int) {
	n, now := s.signers[i].Notary, s.now
	s.mu.Lock()
	s.busy[i]++
	s.mu.Unlock()
	go func() {
		err := n.Propose(context.Background(), now)
		s.mu.Lock()
		s.errs[i] = err
		s.busy[i]--
		s.mu.Unlock()
	}()
	synctest.Wait()
}

// take removes a call at random; nil if there is none. What is there does not
// depend on the scheduler, but its order does, so it is put in order first.
func (s *stepper) take() *call {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.calls) == 0 {
		return nil
	}
	slices.SortStableFunc(s.calls, func(a, b *call) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to), bytes.Compare(a.request, b.request), bytes.Compare(a.answer, b.answer))
	})
	i := s.rnd.IntN(len(s.calls))
	c := s.calls[i]
	s.calls = append(s.calls[:i], s.calls[i+1:]...)
	return c
}

// step moves one message, or loses it.
func (s *stepper) step() (any bool) {
	c := s.take()
	switch {
	case c == nil:
		return false
	case !s.reliable && s.rnd.IntN(5) == 0:
		c.done <- nil // lost on its way there, or back
	case c.answer == nil:
		c.answer = s.signers[c.to].Answer(c.request, s.now)
		s.watch(c)
		s.mu.Lock()
		s.calls = append(s.calls, c)
		s.mu.Unlock()
	default:
		c.done <- c.answer
	}
	synctest.Wait()
	return true
}

// watch looks at every name that is on its way.
func (s *stepper) watch(c *call) {
	s.trace.Write(c.request)
	s.trace.Write(c.answer)
	q, err := decodeRequest(c.request)
	if err != nil {
		s.t.Fatal(err)
	}
	a, err := decodeAnswer(c.answer)
	if err != nil {
		s.t.Fatal(err)
	}
	s.names(q.proposal.Statement(), q.proposal.Signatures)
	switch a.kind {
	case answerSigned:
		s.names(q.proposal.Statement(), a.signatures)
	case answerHave:
		s.names(a.have.Statement(), a.have.Signatures)
	case answerTaken:
		s.names(a.taken.Statement(), a.taken.Signatures)
	}
}

func (s *stepper) names(st quorum.Statement, sigs []quorum.Signature) {
	for _, sig := range sigs {
		at := signature{sig.Signer, st.Slot.Number}
		content := st.Content.String()
		if old, ok := s.named[at]; ok && old != content {
			s.t.Errorf("seed %d: a signer gave its name to two roots of epoch %d", s.seed, at.epoch)
		}
		s.named[at] = content
	}
}

// run lets things happen in a random order, over two epochs.
func (s *stepper) run() {
	for range 2 {
		s.muddle()
		s.nextEpoch()
	}
	s.drain()
}

// muddle lets things happen in an epoch.
func (s *stepper) muddle() {
	for range 30 {
		switch k := s.rnd.IntN(20); {
		case k < 3:
			if i := s.rnd.IntN(len(s.signers)); s.busy[i] == 0 {
				s.propose(i)
			}
		case k == 3: // a node is heard of, here
			nodes := s.nodes()
			s.know(nodes[s.rnd.IntN(len(nodes))], s.now.Add(-time.Minute), s.rnd.IntN(len(s.signers)))
		case k == 4:
			s.restart(s.rnd.IntN(len(s.signers)))
		default:
			s.step()
		}
	}
}

func (s *stepper) nextEpoch() {
	s.now = s.now.Add(s.EpochLen())
	s.enter()
}

// enter begins an epoch: some nodes have told some signers that they are there.
func (s *stepper) enter() {
	s.epochs = append(s.epochs, s.Epoch(s.now))
	for _, ds := range s.nodes() {
		for i := range s.signers {
			if s.rnd.IntN(4) > 0 {
				s.know(ds, s.now.Add(-time.Minute), i)
			}
		}
	}
}

// nodes are what nodes say in this epoch.
func (s *stepper) nodes() [][]world.Descriptor {
	epoch := s.Epoch(s.now)
	if s.said[epoch] == nil {
		for node := range 2 {
			s.said[epoch] = append(s.said[epoch], s.Node(s.t, node, epoch, 1))
		}
	}
	return s.said[epoch]
}

// drain lets all that is under way end.
func (s *stepper) drain() {
	for s.step() {
	}
}

// check looks at the roots of all signers, and counts epochs with and without.
func (s *stepper) check() (finished, empty int) {
	roots := make(map[uint64]world.Hash)
	for i, signer := range s.signers {
		if err := signer.store.Forked(); err != nil {
			s.t.Errorf("seed %d: signer %d: %v", s.seed, i, err)
		}
		all := signer.store.Roots()
		if h := signer.store.Highest(); h != nil {
			all = append(all, *h)
		}
		for _, r := range all {
			if old, ok := roots[r.Epoch]; ok && old != r.ID() {
				s.t.Errorf("seed %d: epoch %d has two roots", s.seed, r.Epoch)
			}
			roots[r.Epoch] = r.ID()
		}
	}
	for _, e := range s.epochs[:2] {
		if _, ok := roots[e]; ok {
			finished++
		} else {
			empty++
		}
	}
	return finished, empty
}

// mend lets one more epoch go wrong, and then nothing. Unless votes are split for
// good by then, or what most have signed is lost or lacks what others know, that
// epoch has a root too once every signer has had some turns.
func (s *stepper) mend() (mended, split int) {
	s.know(s.nodes()[0], s.now.Add(-time.Minute), s.all()...)
	s.muddle()
	s.drain()
	s.reliable = true
	possible := s.possible()
	for range maxYields + 2 {
		for i := range s.signers {
			s.propose(i)
			s.drain()
		}
	}
	s.check()
	epoch := s.Epoch(s.now)
	for i := range s.signers {
		if h := s.signers[i].store.Highest(); h == nil || h.Epoch != epoch {
			if possible {
				return 0, 1
			}
			return 0, 0
		}
	}
	return 1, 0
}

// possible reports whether the epoch can still have a root: something that is still
// known has been signed by so many that those who signed nothing are enough.
func (s *stepper) possible() bool {
	slot := quorum.RootOf(s.Epoch(s.now))
	votes, free := make(map[world.Hash]int), 0
	for _, x := range s.signers {
		if content, ok := x.memory.Signed(slot); ok {
			votes[content]++
		} else {
			free++
		}
	}
	if free >= s.Quorum.Threshold {
		return true
	}
	return slices.ContainsFunc(s.signers, func(x *signer) bool {
		return x.pending != nil && x.pending.Epoch == slot.Number && votes[x.pending.ID()]+free >= s.Quorum.Threshold
	})
}

func (s *stepper) all() (all []int) {
	for i := range s.signers {
		all = append(all, i)
	}
	return all
}

// heal shows that what happened does not last: the next epoch, in which nothing
// is lost, has a root at everybody, by the first attempt of whoever makes one. A
// proposer needs three rounds of review to know the newest root, what others miss,
// and that they would sign, and one to collect signatures.
func (s *stepper) heal() {
	s.reliable = true
	s.nextEpoch()
	for i := range s.signers { // one that knows nobody does not propose
		s.know(s.nodes()[0], s.now.Add(-time.Minute), i)
	}
	first := s.rnd.IntN(len(s.signers))
	s.propose(first)
	s.drain()
	epoch := s.Epoch(s.now)
	for i := range s.signers {
		if h := s.signers[i].store.Highest(); h == nil || h.Epoch != epoch {
			s.t.Errorf("seed %d: signer %d has no root of the epoch in which nothing was lost; signer %d proposed: %v", s.seed, i, first, s.errs[first])
		}
	}
	s.check()
	if len(s.signers[0].store.Newest().Root.Signatures) < s.Quorum.Threshold {
		s.t.Errorf("seed %d: a root with too few signatures", s.seed)
	}
}
