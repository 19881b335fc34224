package gossip

import (
	"context"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"github.com/culvert-net/culvert/mesh/recon"
	"github.com/culvert-net/culvert/mesh/world"
)

// ErrEntry is wrapped by a Group or Carrier when what a peer sent could not have
// come from an honest one.
var ErrEntry = errors.New("not a valid entry")

// Config is what every session of a member needs.
type Config struct {
	World *world.World
	// Key is the member's own key, with which it was admitted.
	Key   ed25519.PrivateKey
	Group Group
	Log   Log
	// Carriers are the lists that travel too, in the same order with all members; a
	// peer that has fewer shares the first ones. At most 8.
	Carriers []Carrier
	// Known remembers what our log refused, for all sessions of one log. Nil: each
	// session asks for it again.
	Known *Refusals
	// Intake keeps sessions of one log from taking the same events at once. Nil:
	// each takes what it lacks.
	Intake *Intake

	claim *claim // of the sessions with one peer; nil: each has its own
}

// member is our own key as others know it.
func (c *Config) member() [32]byte { return [32]byte(c.Key.Public().(ed25519.PublicKey)) }

// Mode is how a session found out what differs.
type Mode string

// The modes, cheapest first.
const (
	ModeNone   Mode = ""       // it did not come so far
	ModeEqual  Mode = "equal"  // the logs were the same
	ModeList   Mode = "list"   // by a list of short ids
	ModeCells  Mode = "cells"  // by coded cells
	ModeRanges Mode = "ranges" // by ranges, after cells or a list failed
)

// Result is what a session did. It is good also when the session failed.
type Result struct {
	Peer   [32]byte // who was dialled, or has shown who it is
	Proved bool     // it has shown it
	Mode   Mode
	Theirs int // events that the peer had and we lacked
	Ours   int // events that we had and the peer lacked

	Sent     int // events
	Received int
	Added    int
	Refused  int // by our log, without blame

	// Left says that there is more to do: the logs differ in more than one
	// session looks at, something was gone when it was asked for, or Deferred.
	Left bool
	// Deferred says that events were not asked for since another peer was sending
	// many.
	Deferred bool

	// Entries is how many roster entries were taken from the peer.
	Entries int

	Size Size
	// Learn is what it took to learn the ids, before padding, from the summary on.
	Learn Bytes
	// RoundTrips counts from the hello on, as the opener sees them; LearnTrips
	// those it took to learn the ids once the summary was there, which comes with
	// the hello.
	RoundTrips int
	LearnTrips int

	Work int64 // units spent, of which a session has 1,000,000,000
}

// session is one side of one.
type session struct {
	*Config
	ch     *channel
	opener bool
	admit  func(member [32]byte) Reason // nil: everybody

	ctx        context.Context // of run, which everything here is called by
	us, them   string          // directions, as in keys
	claim      *claim
	mine, peer *hello
	agreed     *agreement
	short      recon.Key // of short ids; set once the roster is one

	result Result
}

// Initiate runs a session on a stream that we opened to a member, and closes the
// stream. Errors are *Error.
func Initiate(ctx context.Context, cfg *Config, member [32]byte, stream io.ReadWriteCloser) (Result, error) {
	s := &session{Config: cfg, opener: true, us: fromOpener, them: fromAnswerer}
	s.result.Peer = member
	return s.run(ctx, stream, func() error { return s.open(member) })
}

// Respond runs a session on a stream that somebody opened to us, and closes it.
// admit, unless nil, is asked for a reason to refuse once the peer has shown who
// it is.
func Respond(ctx context.Context, cfg *Config, stream io.ReadWriteCloser, admit func(member [32]byte) Reason) (Result, error) {
	s := &session{Config: cfg, us: fromAnswerer, them: fromOpener, admit: admit}
	return s.run(ctx, stream, s.answer)
}

// run runs a side and sees to it that it ends.
func (s *session) run(ctx context.Context, stream io.ReadWriteCloser, side func() error) (Result, error) {
	ctx, cancel := context.WithTimeout(ctx, sessionTimeout)
	defer cancel()
	defer stream.Close() // it may be closed already, by what follows
	var late atomic.Bool
	cut := func() { late.Store(true); stream.Close() }
	stop := context.AfterFunc(ctx, cut)
	defer stop()
	idle := time.AfterFunc(idleTimeout, cut)
	defer idle.Stop()
	s.ch = newChannel(stream, func() { idle.Reset(idleTimeout) })
	s.ctx = ctx
	if s.claim = s.Config.claim; s.claim == nil {
		s.claim = s.Intake.claim(s.opener)
		defer s.claim.drop()
	}

	err := side()
	if err != nil && late.Load() {
		err = &Error{Reason: ReasonTimeout}
	}
	var e *Error
	if errors.As(err, &e) && !e.Told && !late.Load() {
		idle.Reset(partingTimeout)
		s.part(e.Reason)
	}
	s.result.Size, s.result.RoundTrips = s.ch.size, s.ch.roundTrips
	return s.result, err
}

// part tells the peer why the session ends, if there is a key to tell it under.
// That it does not arrive changes nothing.
func (s *session) part(r Reason) {
	if s.ch.out.aead == nil || r == ReasonClosed || r == ReasonTimeout {
		return
	}
	if s.ch.send(kindError, []byte{byte(r)}) == nil {
		_ = s.ch.flush()
	}
}

// work counts what a session costs us.
func (s *session) work(units int64) error {
	if s.result.Work += units; s.result.Work > maxWork {
		return fail(ReasonWork, "%d units", s.result.Work)
	}
	return nil
}

// greet makes our hello.
func (s *session) greet() (*ecdh.PrivateKey, error) {
	ephemeral, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, &Error{Reason: ReasonLocal, err: err}
	}
	h := &hello{
		version: version, world: s.World.ID, ephemeral: [32]byte(ephemeral.PublicKey().Bytes()),
		member: s.member(), epoch: s.World.Epoch(time.Now()),
	}
	h.generation, h.entry = s.Group.Head()
	if g, e := s.Group.Speaks(); g < h.generation { // the head may have moved in between
		h.speaks = head{g, e}
	}
	if _, err := rand.Read(h.nonce[:]); err != nil {
		return nil, &Error{Reason: ReasonLocal, err: err}
	}
	s.mine = h
	return ephemeral, nil
}

// sendHello sends it, in the clear.
func (s *session) sendHello() error {
	if _, err := s.ch.w.Write(s.mine.bytes()); err != nil {
		return closed(err)
	}
	s.ch.size.Wire.Sent += helloSize
	s.ch.waiting = true
	return nil
}

// takeHello reads the peer's and looks at what can be seen in it.
func (s *session) takeHello() error {
	h, err := readHello(s.ch.r, s.World.ID)
	if err != nil {
		return err
	}
	s.ch.alive()
	s.ch.size.Wire.Received += helloSize
	if h.member == s.mine.member {
		return fail(ReasonStranger, "it is this node itself")
	}
	// Who is no member gets no answer, not even who we are; but one whose roster is
	// newer may have been admitted since ours.
	if h.generation <= s.mine.generation && !s.Group.Member(h.member) {
		return &Error{Reason: ReasonStranger}
	}
	s.peer = h
	return nil
}

// link computes the keys that both have before they agree on a roster.
func (s *session) link(ephemeral *ecdh.PrivateKey) error {
	first, second := s.hellos()
	var err error
	if s.agreed, err = agree(first, second, ephemeral, s.peer.ephemeral); err != nil {
		return err
	}
	s.ch.in = direction{aead: s.agreed.linkKey(s.them).AEAD()}
	s.ch.out = direction{aead: s.agreed.linkKey(s.us).AEAD()}
	if a, b := s.mine.epoch, s.peer.epoch; max(a, b)-min(a, b) > 1 {
		return fail(ReasonClock, "it is in epoch %d, we are in %d", b, a)
	}
	return nil
}

// hellos are both, the opener's first.
func (s *session) hellos() (opener, answerer *hello) {
	if s.opener {
		return s.mine, s.peer
	}
	return s.peer, s.mine
}

// sendAuth shows who we are.
func (s *session) sendAuth() error { return s.ch.send(kindAuth, s.agreed.sign(s.Key, s.us)) }

// takeAuth checks that the peer is who its hello says.
func (s *session) takeAuth() error {
	_, sig, err := s.ch.recv(kindAuth)
	if err != nil {
		return err
	}
	if !s.agreed.verify(s.peer.member, sig, s.them) {
		return &Error{Reason: ReasonSeal}
	}
	s.result.Peer, s.result.Proved = s.peer.member, true
	return nil
}

// groupKeys computes the keys of members for the roster's head, or for an older entry
// where one side has not got the head's master. What we send changes to them at once,
// what we take with rekeyIn.
func (s *session) groupKeys(at head) (in *world.Secret, err error) {
	if !s.Group.Member(s.peer.member) {
		return nil, &Error{Reason: ReasonStranger}
	}
	at = s.common(at)
	first, second := s.hellos()
	cpk := s.Group.Key(at.entry, first.epoch)
	if cpk == nil {
		return nil, fail(ReasonKey, "generation %d", at.generation)
	}
	s.short = s.agreed.shortKey(cpk, first, second)
	if err := s.ch.rekeyOut(s.agreed.groupKey(cpk, s.us)); err != nil {
		return nil, err
	}
	return s.agreed.groupKey(cpk, s.them), nil
}

// collect takes what we have in the pages.
func (s *session) collect(from uint64, shift uint8, pages []uint64) (*collection, error) {
	epochs, err := s.Log.Epochs()
	if err != nil {
		return nil, &Error{Reason: ReasonLocal, err: err}
	}
	return collect(s.Log, epochs, from, shift, pages)
}

// index gives what we have short ids.
func (s *session) index(c *collection) ([]uint64, error) {
	if err := s.work(int64(len(c.events)) * workID); err != nil {
		return nil, err
	}
	shorts, ok := c.index(s.short)
	if !ok {
		return nil, fail(ReasonLocal, "two of our ids are one in short; the next session has another key")
	}
	return shorts, nil
}

// blame is what an error of reconciliation means.
func blame(err error) error {
	switch {
	case errors.Is(err, recon.ErrLimit):
		return &Error{Reason: ReasonWork, err: err}
	case errors.Is(err, recon.ErrMalformed):
		return &Error{Reason: ReasonMalformed, err: err}
	default:
		return &Error{Reason: ReasonCells, err: err}
	}
}
