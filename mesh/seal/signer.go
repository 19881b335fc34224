package seal

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/culvert-net/culvert/mesh/quorum"
	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// Config is what a Signer is made of. All fields are required.
type Config struct {
	World  *world.World
	Key    ed25519.PrivateKey // a directory signer's
	Memory *quorum.Memory     // of all that this key signs
	Book   *Book
	Peers  Peers
	Drafts Drafts

	// First is the epoch in which the world began, as far as it is known.
	First func() uint64
	Log   *slog.Logger
}

// Peers reaches other signers.
type Peers interface {
	// Ask asks one of them.
	Ask(ctx context.Context, signer [32]byte, r Request) (Answer, error)

	// Sync makes its log and ours the same, as far as they can be.
	Sync(ctx context.Context, signer [32]byte) error
}

// Drafts keeps what this signer has promised: it could not help to finish a seal
// of which it knows no more than the hash.
type Drafts interface {
	// PutDraft is durable on return.
	PutDraft(ctx context.Context, epoch uint64, draft []byte) error
	// Draft is nil if there is none.
	Draft(ctx context.Context, epoch uint64) ([]byte, error)
}

// Signer seals epochs with the other signers of a world.
type Signer struct {
	cfg     Config
	quorum  quorum.Quorum
	signers [][32]byte // in the order of their keys
	self    [32]byte
	behind  chan [32]byte // signers that hold what we lack

	mu      sync.Mutex
	dropped map[uint64]map[world.Hash]bool // ids that we leave out of our drafts; guarded by mu
	tried   map[uint64]attempt             // when we proposed last; guarded by mu
	heard   map[[32]byte]bool              // signers that answered our last question; guarded by mu
	talked  map[uint64]map[int]bool        // turns in which we asked or were asked, and there was an answer; guarded by mu
}

// attempt is a proposal that came to nothing.
type attempt struct {
	turn  int
	pause int   // laps until the next, if nothing changes before
	after state // what was known then
}

// state is what the outcome of a proposal depends on, as far as it is known here.
// What changes at another signer makes that one propose.
type state struct {
	events  [32]byte   // fingerprint of the epoch
	dropped int        // how many of them we leave out
	signed  world.Hash // what we have promised
	patient bool
	heard   string // the signers that answer
}

// New returns a Signer that does nothing until it is run or asked.
func New(cfg Config) (*Signer, error) {
	s := &Signer{
		cfg: cfg, quorum: quorum.Of(cfg.World), self: [32]byte(cfg.Key.Public().(ed25519.PublicKey)), behind: make(chan [32]byte, quorum.MaxSigners),
		dropped: make(map[uint64]map[world.Hash]bool), tried: make(map[uint64]attempt), heard: make(map[[32]byte]bool),
		talked: make(map[uint64]map[int]bool),
	}
	if err := s.quorum.Check(); err != nil {
		return nil, err
	}
	if !s.quorum.Has(s.self) {
		return nil, errors.New("this key is no directory signer of its world")
	}
	s.signers = slices.SortedFunc(slices.Values(s.quorum.Signers), func(a, b [32]byte) int { return bytes.Compare(a[:], b[:]) })
	return s, nil
}

// Grace is how long after its end an epoch is sealed.
func Grace(w *world.World) time.Duration { return min(max(w.EpochLen()/2, minGrace), maxGrace) }

func turnOf(w *world.World) time.Duration { return min(max(w.EpochLen()/16, minTurn), maxTurn) }

// cutoff is the moment before which what was here belongs into an epoch's seal. It
// leaves half of the grace period for a round of sync.
func (s *Signer) cutoff(epoch uint64) time.Time {
	return s.cfg.World.EpochStart(epoch + 1).Add(Grace(s.cfg.World) / 2)
}

// turn is the number of the turn that an epoch's sealing is in, negative before
// it begins.
func (s *Signer) turn(epoch uint64, now time.Time) int {
	since := now.Sub(s.cfg.World.EpochStart(epoch + 1).Add(Grace(s.cfg.World)))
	if since < 0 {
		return -1
	}
	return int(since / turnOf(s.cfg.World))
}

// patient reports whether this signer still insists on all that it holds. What
// counts is turns in which signers talked: while they could not, nothing could be
// repaired either.
func (s *Signer) patient(epoch uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.talked[epoch]) < patience*len(s.signers)
}

// talk notes that signers talk about an epoch.
func (s *Signer) talk(epoch uint64) {
	turn := s.turn(epoch, time.Now())
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.talked[epoch] == nil {
		s.talked[epoch] = make(map[int]bool)
	}
	s.talked[epoch][turn] = true
}

// Run proposes whenever it is this signer's turn, until ctx ends.
func (s *Signer) Run(ctx context.Context) error {
	tick := time.NewTicker(turnOf(s.cfg.World) / 4)
	defer tick.Stop()
	for {
		s.due(ctx)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		case signer := <-s.behind:
			s.catchUp(ctx, signer)
		}
	}
}

// catchUp gets from another signer what its draft names and we lack.
func (s *Signer) catchUp(ctx context.Context, signer [32]byte) {
	ctx, cancel := context.WithTimeout(ctx, turnOf(s.cfg.World)) // our own turn may be next
	defer cancel()
	if err := s.cfg.Peers.Sync(ctx, signer); err != nil {
		s.cfg.Log.Debug("a signer holds what this one lacks, and was not reached", "signer", short(signer), "err", err)
	}
}

// due proposes the seals of epochs whose turn is ours.
func (s *Signer) due(ctx context.Context) {
	current := s.cfg.World.Epoch(time.Now())
	first := max(s.cfg.First(), current-min(current, lookBack))
	silent := make(map[[32]byte]bool) // who does not answer now is not asked about other epochs either
	for epoch := first; epoch < current && ctx.Err() == nil; epoch++ {
		if _, done := s.cfg.Book.Sealed(epoch); done {
			continue
		}
		turn := s.turn(epoch, time.Now())
		if turn < 0 || s.signers[(epoch+uint64(turn))%uint64(len(s.signers))] != s.self || !s.worthwhile(epoch, turn) {
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, turnOf(s.cfg.World))
		err := s.propose(ctx, epoch, silent)
		cancel()
		if err != nil {
			s.cfg.Log.Info("an epoch was not sealed in this signer's turn; it is tried again", "epoch", epoch, "turn", turn, "err", err)
			s.tryLater(epoch, turn)
		}
		if s.tooFew(silent) {
			break // whichever epoch it is, nothing comes of it now
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	over := func(epoch uint64) bool { return epoch < first }
	maps.DeleteFunc(s.tried, func(e uint64, _ attempt) bool { return over(e) })
	maps.DeleteFunc(s.dropped, func(e uint64, _ map[world.Hash]bool) bool { return over(e) })
	maps.DeleteFunc(s.talked, func(e uint64, _ map[int]bool) bool { return over(e) })
}

// tooFew reports whether without some signers there is no quorum.
func (s *Signer) tooFew(silent map[[32]byte]bool) bool {
	return len(s.signers)-len(silent) < s.quorum.Threshold
}

// worthwhile reports whether to propose in this turn: not twice in one, and ever
// more rarely as long as nothing changes on which the outcome depends.
func (s *Signer) worthwhile(epoch uint64, turn int) bool {
	s.mu.Lock()
	last, ok := s.tried[epoch]
	s.mu.Unlock()
	if !ok {
		return true
	}
	return turn > last.turn && (turn >= last.turn+last.pause*len(s.signers) || s.state(epoch) != last.after)
}

// tryLater notes that a proposal came to nothing.
func (s *Signer) tryLater(epoch uint64, turn int) {
	now := s.state(epoch)
	s.mu.Lock()
	defer s.mu.Unlock()
	pause := 1
	if last, ok := s.tried[epoch]; ok && last.after == now {
		pause = min(2*last.pause, maxPause)
	}
	s.tried[epoch] = attempt{turn, pause, now}
}

func (s *Signer) state(epoch uint64) state {
	now := state{patient: s.patient(epoch)}
	now.events, _ = s.cfg.Book.log.Fingerprint(epoch) // what cannot be read is no news, and the proposal says so
	now.signed, _ = s.cfg.Memory.Signed(quorum.SealOf(epoch))
	s.mu.Lock()
	defer s.mu.Unlock()
	now.dropped = len(s.dropped[epoch])
	for _, signer := range s.signers {
		if s.heard[signer] {
			now.heard += string(signer[:])
		}
	}
	return now
}

// Why a proposal came to nothing. They are wrapped with figures.
var (
	ErrTooFew = errors.New("too few signers hold the same events")
	ErrLost   = errors.New("what this signer has signed for the epoch is not here any more")
)

// Propose tries to seal an epoch: the others look at what we hold, we sync with
// those that hold more, and leave out what cannot be had in common. When enough
// would sign, they are asked to.
func (s *Signer) Propose(ctx context.Context, epoch uint64) error {
	return s.propose(ctx, epoch, make(map[[32]byte]bool))
}

// propose asks no signer that is silent, and puts those there that do not answer.
func (s *Signer) propose(ctx context.Context, epoch uint64, silent map[[32]byte]bool) error {
	ids, promised, err := s.promise(ctx, epoch)
	if err != nil {
		return err
	}
	agreed := 0
	for i := range maxReviews {
		if !promised {
			if ids, err = s.held(epoch); err != nil {
				return err
			}
		}
		var again bool
		agreed, again, err = s.review(ctx, epoch, &ids, &promised, silent)
		if err != nil {
			return err
		}
		if _, done := s.cfg.Book.Sealed(epoch); done {
			return nil
		}
		if agreed >= s.quorum.Threshold {
			// What one more signer has shown us meanwhile should be named too.
			if again && !promised && i+1 < maxReviews {
				if more, err := s.held(epoch); err == nil && !slices.Equal(more, ids) {
					continue
				}
			}
			return s.collect(ctx, epoch, ids, silent)
		}
		if !again {
			break
		}
	}
	return fmt.Errorf("%w: %d of the %d it takes", ErrTooFew, agreed, s.quorum.Threshold)
}

// held is what this signer proposes.
func (s *Signer) held(epoch uint64) ([]world.Hash, error) {
	all, err := s.cfg.Book.log.Sealable(epoch, time.Time{})
	if err != nil {
		return nil, err
	}
	if len(all) > MaxIDs {
		return nil, fmt.Errorf("%d events, more than the %d that a seal names", len(all), MaxIDs)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(all, func(id world.Hash) bool { return s.dropped[epoch][id] }), nil
}

// promise is what this signer has signed for an epoch.
func (s *Signer) promise(ctx context.Context, epoch uint64) (ids []world.Hash, ok bool, err error) {
	content, ok := s.cfg.Memory.Signed(quorum.SealOf(epoch))
	if !ok {
		return nil, false, nil
	}
	raw, err := s.cfg.Drafts.Draft(ctx, epoch)
	if err != nil {
		return nil, false, err
	}
	d := postcard.NewDecoder(raw)
	ids = readIDs(d, MaxIDs)
	if d.Finish() != nil || s.statement(epoch, ids).Content != content {
		return nil, false, ErrLost
	}
	return ids, true, nil
}

func (s *Signer) statement(epoch uint64, ids []world.Hash) quorum.Statement {
	return Of(s.cfg.World.ID, epoch, ids).Statement()
}

// told is what one signer answered.
type told struct {
	signer [32]byte
	answer Answer
	err    error
}

// ask asks all others at once that are not silent. Who gives no answer for a third
// of a turn is: the rest of the turn is for those that do.
func (s *Signer) ask(ctx context.Context, r Request, silent map[[32]byte]bool) []told {
	out := make([]told, 0, len(s.signers))
	for _, signer := range s.signers {
		if signer != s.self && !silent[signer] {
			out = append(out, told{signer: signer})
		}
	}
	var wg sync.WaitGroup
	for i := range out {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, turnOf(s.cfg.World)/3)
			defer cancel()
			out[i].answer, out[i].err = s.cfg.Peers.Ask(ctx, out[i].signer, r)
		})
	}
	wg.Wait()
	if slices.ContainsFunc(out, func(t told) bool { return t.err == nil }) {
		s.talk(r.Epoch)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range out {
		s.heard[t.signer] = t.err == nil
		if t.err != nil {
			silent[t.signer] = true
		}
	}
	return out
}

// review has the others look at a draft. It reports how many would sign it, with
// us, and whether another draft could do better. The draft becomes another
// signer's if that one has signed it.
func (s *Signer) review(ctx context.Context, epoch uint64, ids *[]world.Hash, promised *bool, silent map[[32]byte]bool) (agreed int, again bool, err error) {
	agreed = 1
	others, most := make(map[world.Hash]int), 0
	var adopted []world.Hash
	for _, t := range s.ask(ctx, Request{Epoch: epoch, IDs: *ids}, silent) {
		switch a := &t.answer; {
		case t.err != nil:
			s.cfg.Log.Debug("a signer was not reached about a seal", "signer", short(t.signer), "err", t.err)
		case a.Kind == Agreed:
			agreed++
		case a.Kind == Sealed:
			switch err := s.cfg.Book.Learn(a.Seal, nil); {
			case errors.Is(err, ErrContradiction):
				s.cfg.Log.Error("directory signers have signed two seals of one epoch", "err", err)
			case err != nil:
				s.cfg.Log.Warn("a signer gave a seal that is none", "signer", short(t.signer), "err", err)
			}
			again = s.cfg.Peers.Sync(ctx, t.signer) == nil || again // with what it holds
		case a.Kind == Differs && !*promised:
			dropped, err := s.drop(epoch, a.Lacking)
			if err != nil {
				return agreed, false, err
			}
			synced := len(a.Missing) > 0 && s.cfg.Peers.Sync(ctx, t.signer) == nil
			again = again || dropped || synced
			s.cfg.Log.Debug("a signer holds other events", "epoch", epoch, "signer", short(t.signer), "lacks", len(a.Lacking), "misses", len(a.Missing))
		case a.Kind == Other && !*promised:
			draft, ok, err := s.other(t.signer, epoch, a)
			if err != nil {
				return agreed, false, err
			}
			if content := s.statement(epoch, a.IDs).Content; ok {
				if others[content]++; others[content] > most {
					most, adopted = others[content], draft
				}
			}
		}
	}
	if most > 0 && agreed < s.quorum.Threshold {
		*ids, *promised, again = adopted, true, true // what others signed they cannot take back
	}
	_, err = s.cfg.Book.Retry()
	return agreed, again, err
}

// other is a draft that another signer has signed, if we may sign it too.
func (s *Signer) other(signer [32]byte, epoch uint64, a *Answer) ([]world.Hash, bool, error) {
	signed := quorum.Signed{Statement: s.statement(epoch, a.IDs), Signatures: []quorum.Signature{a.Signature}}
	if a.Signature.Signer != signer || signed.VerifySome(s.cfg.World.ID, s.quorum) != nil {
		return nil, false, nil
	}
	lacking, missing, err := s.differ(epoch, a.IDs)
	return a.IDs, err == nil && len(lacking) == 0 && len(missing) == 0, err
}

// drop leaves events out of our drafts that another signer does not have: those of
// authors who said more than they may, of which logs keep different ones for ever;
// and, when patience has an end, all others.
func (s *Signer) drop(epoch uint64, lacking []world.Hash) (any bool, err error) {
	patient := s.patient(epoch)
	for _, id := range lacking {
		full := false
		if patient {
			if full, err = s.cfg.Book.log.Full(id); err != nil {
				return any, err
			}
		}
		if !full && patient {
			continue
		}
		s.mu.Lock()
		if s.dropped[epoch] == nil {
			s.dropped[epoch] = make(map[world.Hash]bool)
		}
		any = any || !s.dropped[epoch][id]
		s.dropped[epoch][id] = true
		s.mu.Unlock()
	}
	return any, nil
}

// collect signs a draft and asks for the signatures of the others. We sign first:
// else t − 1 of them could be bound to what then is never finished.
func (s *Signer) collect(ctx context.Context, epoch uint64, ids []world.Hash, silent map[[32]byte]bool) error {
	sig, err := s.sign(ctx, epoch, ids, func() error { return nil })
	if err != nil {
		return err
	}
	body := Of(s.cfg.World.ID, epoch, ids)
	signed := quorum.Signed{Statement: body.Statement()}
	signed.Add(sig)
	for _, t := range s.ask(ctx, Request{Sign: true, Epoch: epoch, IDs: ids}, silent) {
		if t.err != nil || t.answer.Kind != Signed || t.answer.Signature.Signer != t.signer {
			continue
		}
		one := quorum.Signed{Statement: signed.Statement, Signatures: []quorum.Signature{t.answer.Signature}}
		if one.VerifySome(s.cfg.World.ID, s.quorum) == nil {
			signed.Add(t.answer.Signature)
		}
	}
	if n := len(signed.Signatures); n < s.quorum.Threshold {
		return fmt.Errorf("%w: %d signed of the %d it takes", ErrTooFew, n, s.quorum.Threshold)
	}
	if err := s.cfg.Book.Set(Seal{Body: body, Signatures: signed.Signatures}, ids); err != nil {
		return err
	}
	s.cfg.Log.Info("an epoch is sealed", "epoch", epoch, "events", body.Count, "signatures", len(signed.Signatures))
	return nil
}

// sign keeps the draft, then signs.
func (s *Signer) sign(ctx context.Context, epoch uint64, ids []world.Hash, check func() error) (quorum.Signature, error) {
	return s.cfg.Memory.Sign(s.cfg.Key, s.statement(epoch, ids), func() error {
		if err := check(); err != nil {
			return err
		}
		return s.cfg.Drafts.PutDraft(ctx, epoch, appendIDs(nil, ids))
	})
}

func short(key [32]byte) string { return fmt.Sprintf("%x", key[:4]) }
