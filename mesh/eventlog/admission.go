package eventlog

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"

	"github.com/culvert-net/culvert/mesh/authorkey"
	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/world"
)

// ErrKnown is returned by Check for an event that is in the log.
var ErrKnown = errors.New("the event is in the log already")

// Members says who belongs to the world.
type Members interface {
	// Member reports whether the holder of a transport key was a member in an
	// epoch. It is asked for every event, from many goroutines, and must be
	// quick.
	Member(key [32]byte, epoch uint64) bool
}

// Candidate is what somebody sent.
type Candidate struct {
	Bytes []byte        // canonical, or so it is claimed; not to be changed before Ingest returns
	Stamp *world.Ticket // of a descriptor; nil: none
}

// Admission decides what comes into a log, in an order in which what is wrong
// costs little: size, world, form, type, epoch, known, pruned, quota,
// membership, signature, ticket. The first that fails is the reason.
type Admission struct {
	log     *Log
	members Members
	clock   *Clock
	types   []event.Type
	checker *authorkey.Checker

	cores   chan struct{} // held by who decodes or verifies
	tickets chan struct{} // held by who computes a ticket: 16 MiB each

	mu    sync.Mutex
	paid  map[world.Hash]bool // guarded by mu: tickets that were found good
	tried map[payer]int       // guarded by mu: bad tickets of an author
}

// AdmissionConfig is what NewAdmission needs.
type AdmissionConfig struct {
	Log     *Log
	Members Members

	// Clock learns from what is pushed how this node's clock stands to those of
	// others. Nil: nobody does.
	Clock *Clock

	// Types are the types of events that are taken. Nil: all.
	Types []event.Type
}

// NewAdmission returns the admission to a log.
func NewAdmission(cfg AdmissionConfig) *Admission {
	n := runtime.GOMAXPROCS(0)
	return &Admission{
		log: cfg.Log, members: cfg.Members, clock: cfg.Clock, types: slices.Clone(cfg.Types), checker: authorkey.New(),
		cores:   make(chan struct{}, n),
		tickets: make(chan struct{}, max(1, n/2)),
		paid:    make(map[world.Hash]bool), tried: make(map[payer]int),
	}
}

// Ingest admits what a peer sent and stores it. Signatures are verified on all
// cores, shared with all other callers; tickets one after the other, so a peer
// whose messages come through one caller has one computed at a time. The error
// is of the disk or of ctx, never about what was sent.
func (a *Admission) Ingest(ctx context.Context, sent []Candidate, via Via, now time.Time) (Result, error) {
	all := make([]candidate, len(sent))
	for i := range all {
		all[i] = candidate{Candidate: sent[i], via: via, now: now}
	}
	if err := a.admit(ctx, all); err != nil {
		return Result{}, err
	}
	var result Result
	var entries []entry
	var from []int // where each of them stands in sent
	for i := range all {
		switch c := &all[i]; {
		case c.known:
			result.Known++
		case c.reason != 0:
			result.Refused = append(result.Refused, Refusal{i, c.reason})
			a.log.refuse(refused{id: c.entry.id, reason: c.reason, via: via, at: now})
		default:
			entries, from = append(entries, c.entry), append(from, i)
		}
	}
	for len(entries) > 0 {
		n := part(entries)
		stored, err := a.log.submit(ctx, newRequest(entries[:n], via, now))
		if err != nil {
			return Result{}, err
		}
		result.Added, result.Known = result.Added+stored.Added, result.Known+stored.Known
		for _, x := range stored.Refused {
			result.Refused = append(result.Refused, Refusal{from[x.Index], x.Reason})
		}
		entries, from = entries[n:], from[n:]
	}
	slices.SortFunc(result.Refused, func(x, y Refusal) int { return x.Index - y.Index })
	return result, nil
}

// part is how many entries, at least one, make up a transaction.
func part(entries []entry) int {
	bytes, most := 0, min(len(entries), groupEvents)
	for n := range most {
		if bytes += len(entries[n].canonical); bytes > groupBytes {
			return max(n, 1)
		}
	}
	return most
}

// Check decides about one event that was decoded, without storing it or
// remembering a refusal. The error is nil, ErrKnown, a Reason, or one of the
// disk or of ctx.
func (a *Admission) Check(ctx context.Context, e *event.Event, stamp *world.Ticket, via Via, now time.Time) error {
	all := []candidate{{Candidate: Candidate{Bytes: e.Canonical(), Stamp: stamp}, via: via, now: now}}
	if err := a.admit(ctx, all); err != nil {
		return err
	}
	switch c := &all[0]; {
	case c.known:
		return ErrKnown
	case c.reason != 0:
		return c.reason
	}
	return nil
}

// candidate is a Candidate on its way.
type candidate struct {
	Candidate
	via Via
	now time.Time

	event  *event.Event
	entry  entry
	sealed bool // its epoch's seal names it: t signers found it good
	free   bool // its author has a receipt in this epoch, and so has paid
	known  bool
	reason Reason
	// restamped says that it is known, and came with a stamp that is not the one here.
	restamped bool
}

// out reports whether there is nothing left to find out.
func (c *candidate) out() bool { return c.known || c.reason != 0 }

// admit finds out about each what is known, and why it is refused.
func (a *Admission) admit(ctx context.Context, all []candidate) error {
	a.each(all, a.form)
	if err := ctx.Err(); err != nil {
		return err
	}
	err := a.log.view(func(tx *bbolt.Tx) error {
		epochs := make(map[uint64]*seen)
		for i := range all {
			if err := a.log.look(tx, epochs, &all[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	a.each(all, a.author)
	return a.work(ctx, all)
}

// each calls f for all that are not out, on as many cores as are free.
func (a *Admission) each(all []candidate, f func(*candidate)) {
	const block = 16 // below that a goroutine costs more than it helps
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(cap(a.cores), (len(all)+block-1)/block) {
		wg.Go(func() {
			a.cores <- struct{}{}
			defer func() { <-a.cores }()
			for {
				to := int(next.Add(block))
				from := to - block
				if from >= len(all) {
					return
				}
				for i := from; i < min(to, len(all)); i++ {
					if !all[i].out() {
						f(&all[i])
					}
				}
			}
		})
	}
	wg.Wait()
}

// form looks at the bytes alone.
func (a *Admission) form(c *candidate) {
	const worldAt = len(world.Hash{}) // an event begins with its id and its world
	switch {
	case len(c.Bytes) <= 2*worldAt || len(c.Bytes) > event.MaxEvent:
		c.reason = ReasonSize
		return
	case world.Hash(c.Bytes[worldAt:2*worldAt]) != a.log.cfg.World.ID:
		c.reason = ReasonWorld
		return
	}
	e, err := event.Decode(c.Bytes)
	if err != nil {
		c.reason = ReasonMalformed
		return
	}
	c.event = e
	c.entry = newEntry(e, c.Bytes)
	if a.types != nil && !slices.Contains(a.types, e.Type()) {
		c.reason = ReasonType
		return
	}
	c.reason = a.log.window(c.entry.epoch, c.via, c.now)
	if c.via == ViaPush && (c.reason == ReasonEarly || c.reason == ReasonLate) {
		a.doubt(c)
	}
}

// seen is an epoch as the log has it, for all candidates of a call.
type seen struct {
	head         head
	bucket       *bbolt.Bucket // nil: nothing of the epoch is here
	ids, authors *bbolt.Bucket
}

// seeEpoch returns an epoch from epochs, or from the log.
func seeEpoch(tx *bbolt.Tx, epochs map[uint64]*seen, epoch uint64) (*seen, error) {
	if s := epochs[epoch]; s != nil {
		return s, nil
	}
	s := new(seen)
	var err error
	if s.head, err = headOf(tx, epoch); err != nil {
		return nil, err
	}
	if s.bucket = tx.Bucket(bucketEvents).Bucket(be64(epoch)); s.bucket != nil {
		s.ids, s.authors = s.bucket.Bucket(bucketIDs), s.bucket.Bucket(bucketAuthors)
	}
	epochs[epoch] = s
	return s, nil
}

// look finds what the log knows: doubles, pruned epochs, quotas, seals.
func (l *Log) look(tx *bbolt.Tx, epochs map[uint64]*seen, c *candidate) error {
	if c.out() {
		return nil
	}
	e := &c.entry
	if e.epoch < number(tx.Bucket(bucketMeta).Get(keyFloor)) {
		c.reason = ReasonPruned
		return nil
	}
	s, err := seeEpoch(tx, epochs, e.epoch)
	if err != nil || s.bucket == nil {
		return err
	}
	if place := s.ids.Get(e.id[:]); place != nil {
		c.known = true
		if c.Stamp != nil {
			rec, err := decodeRecord(s.bucket.Bucket(bucketRecords).Get(place))
			if err != nil {
				return err
			}
			c.restamped = !bytes.Equal(rec.stamp, c.Stamp.Bytes())
		}
		return nil
	}
	author := newAuthorKey(e.author, e.kind)
	count := count32(s.authors.Get(author[:]))
	c.free = e.kind == event.TypeReceipt && count > 0
	c.sealed = s.head.flags&flagSealed != 0 && sealState(tx, e.epoch, e.id) == SealIn
	bare := s.head.unstamped
	if c.Stamp != nil {
		bare = 0 // decided when the stamp was looked at
	}
	if c.reason = l.share(e, count, bare, c.sealed); c.reason == 0 && tooLate(e, c.via, s.head, c.sealed) {
		c.reason = ReasonSealed
	}
	return nil
}

// author looks at who signed, and whether they did.
func (a *Admission) author(c *candidate) {
	// Descriptors are of providers and relays, who are no members.
	if c.entry.kind != event.TypeDescriptor && !a.members.Member(c.entry.author, c.entry.epoch) {
		c.reason = ReasonStranger
		return
	}
	if c.event.VerifyWith(a.checker.Verify) != nil {
		c.reason = ReasonSignature
		return
	}
	if c.via == ViaPush && a.clock != nil {
		a.clock.Observe(c.entry.author, c.entry.epoch, c.now)
	}
}

// doubt learns from an event that is of another epoch than ours what that says
// of our clock: only from a member, and once per member and epoch, since a
// signature has to be verified for it.
func (a *Admission) doubt(c *candidate) {
	if a.clock == nil || !a.clock.Wants(c.entry.author, c.entry.epoch) ||
		!a.members.Member(c.entry.author, c.entry.epoch) || c.event.VerifyWith(a.checker.Verify) != nil {
		return
	}
	a.clock.Observe(c.entry.author, c.entry.epoch, c.now)
}
