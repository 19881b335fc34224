package roster

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/culvert-net/culvert/mesh/world"
)

// verifier checks what costs time.
type verifier struct {
	signature func(key Key, message, sig []byte) bool
	ticket    func(t *Ticket, id world.Hash, key Key, bits uint32) error
	wrap      func(wrap [32]byte) error
}

func realVerifier() verifier {
	probe, err := ecdh.X25519().NewPrivateKey(append(make([]byte, 31), 64)) // any key will do
	if err != nil {
		panic("roster: X25519 takes every key of 32 bytes: " + err.Error())
	}
	return verifier{
		wrap:      func(wrap [32]byte) error { return checkWrap(probe, wrap) },
		signature: func(key Key, message, sig []byte) bool { return ed25519.Verify(key[:], message, sig) },
		ticket: func(t *Ticket, id world.Hash, key Key, bits uint32) error {
			return t.Check(id, t.Epoch, key, bits)
		},
	}
}

// rules are the world's, with what follows from them.
type rules struct {
	world   *world.World
	terms   world.Terms
	life    uint64 // epochs an approval is good for
	verify  verifier
	master  func() *world.Secret // makes the master of an entry
	decides int                  // founders it takes
}

func newRules(w *world.World) rules {
	terms := w.Terms()
	return rules{
		world: w, terms: terms, verify: realVerifier(), master: world.RandomSecret, decides: int(terms.FounderThreshold),
		life: max(1, uint64(math.Ceil(float64(ApprovalLife)/float64(w.EpochLen())))),
	}
}

// check compares an entry with the rules, in the state of its parent: cheap
// things first, signatures after, tickets last. It returns who vouched for each
// change.
func (r *rules) check(s *state, e *Entry) (vouchers [][]Key, err error) {
	if err := r.checkForm(s, e); err != nil {
		return nil, err
	}
	if err := r.checkChanges(s, e); err != nil {
		return nil, err
	}
	if err := r.checkProposer(s, e); err != nil {
		return nil, err
	}
	if err := r.checkSignatures(s, e); err != nil {
		return nil, err
	}
	vouchers = make([][]Key, len(e.Changes))
	for i := range e.Changes {
		if vouchers[i], err = r.checkApprovals(s, e, i, vouchers[:i]); err != nil {
			return nil, err
		}
	}
	for i, c := range e.Changes {
		if len(vouchers[i]) == 0 {
			continue
		}
		if err := r.verify.ticket(c.Ticket, r.world.ID, c.Member.Key, r.terms.TicketBits); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrTicket, err)
		}
	}
	return vouchers, nil
}

// checkForm looks at the entry's place and time.
func (r *rules) checkForm(s *state, e *Entry) error {
	parent := &s.at.entry // of the root all is zero
	at := time.UnixMilli(int64(min(e.Time, math.MaxInt64)))
	switch {
	case e.Version != Version:
		return fmt.Errorf("%w: version %d", ErrVersion, e.Version)
	case e.World != r.world.ID:
		return fmt.Errorf("%w: %s", ErrWorld, e.World.Short())
	case len(r.terms.Founders) == 0:
		return ErrFounders
	case e.Generation != parent.Generation+1:
		return fmt.Errorf("%w: %d after %d", ErrGeneration, e.Generation, parent.Generation)
	case len(e.Changes) > MaxChanges:
		return fmt.Errorf("%w: %d changes; an entry has at most %d", ErrForm, len(e.Changes), MaxChanges)
	case e.Time > math.MaxInt64 || e.Epoch != r.world.Epoch(at):
		return fmt.Errorf("%w: %s is not in epoch %d", ErrTime, at.UTC().Format(time.RFC3339), e.Epoch)
	case e.Time < parent.Time:
		return fmt.Errorf("%w: it is %v before its parent", ErrTime, time.Duration(parent.Time-e.Time)*time.Millisecond)
	case s.masters[e.MasterHash]:
		return ErrMaster
	case e.Rotation() && s.at.parent == nil:
		return fmt.Errorf("%w: the first entry adds at least one member", ErrForm)
	case e.Rotation() && e.Time-parent.Time < uint64(MinRotation/time.Millisecond):
		return fmt.Errorf("%w: the master is %v old; it is rotated after %v", ErrRotation,
			time.Duration(e.Time-parent.Time)*time.Millisecond, MinRotation)
	}
	if n := len(e.Canonical()); n > MaxEntry {
		return fmt.Errorf("%w: %d bytes; it has at most %d", ErrForm, n, MaxEntry)
	}
	return nil
}

// checkChanges looks at who comes and goes, and at what is left.
func (r *rules) checkChanges(s *state, e *Entry) error {
	wraps := make(map[[32]byte]bool) // of those who are added
	count := len(s.members)
	for i, c := range e.Changes {
		m := c.Member
		if i > 0 && byMember(e.Changes[i-1], c) >= 0 {
			return fmt.Errorf("%w: changes are sorted, one per key", ErrForm)
		}
		switch old, is := s.members[m.Key]; {
		case c.Kind == Add && is:
			return fmt.Errorf("%w: %s", ErrMember, short(m.Key))
		case c.Kind == Add:
			if err := r.checkNew(s, m, wraps); err != nil {
				return err
			}
			count++
		case c.Kind != Remove:
			return fmt.Errorf("%w: unknown kind of change", ErrForm)
		case !is:
			return fmt.Errorf("%w: %s", ErrNotMember, short(m.Key))
		case old != m:
			return fmt.Errorf("%w: %s is not a member with these fields", ErrNotMember, short(m.Key))
		case c.Ticket != nil:
			return fmt.Errorf("%w: a removal has no ticket", ErrForm)
		default:
			count--
		}
	}
	if count > MaxMembers {
		return fmt.Errorf("%w: it has %d members", ErrFull, MaxMembers)
	}
	// What a removed key cannot do any more must not be missed.
	if n := r.left(s, e, r.terms.Founders); n < r.decides {
		return fmt.Errorf("%w: %d founders of the %d needed", ErrQuorum, n, r.decides)
	}
	if n := r.left(s, e, r.terms.Signers); n < int(r.terms.DirectoryThreshold) {
		return fmt.Errorf("%w: %d directory signers of the %d needed", ErrQuorum, n, r.terms.DirectoryThreshold)
	}
	return nil
}

// checkNew looks at one who is added.
func (r *rules) checkNew(s *state, m Member, wraps map[[32]byte]bool) error {
	if r.terms.Mode == world.ModeOpen {
		return ErrOpen
	}
	if m.Role >= roles || CheckOperator(m.Operator) != nil {
		return fmt.Errorf("%w: role or operator of %s", ErrForm, short(m.Key))
	}
	// Two members with one wrap key are one reader: the removal of one of them
	// would take nothing away.
	if _, taken := s.wraps[m.Wrap]; taken || wraps[m.Wrap] {
		return fmt.Errorf("%w: that of %s is another member's", ErrWrapKey, short(m.Key))
	}
	if err := r.verify.wrap(m.Wrap); err != nil {
		return fmt.Errorf("%w of %s: %w", ErrWrapKey, short(m.Key), err)
	}
	wraps[m.Wrap] = true
	return nil
}

// checkWrap refuses the points that every key maps to zero: nothing could be
// sealed to them, so one such member would end all rotations.
func checkWrap(probe *ecdh.PrivateKey, wrap [32]byte) error {
	public, err := ecdh.X25519().NewPublicKey(wrap[:])
	if err != nil {
		return err
	}
	_, err = probe.ECDH(public)
	return err
}

// left is how many of keys may decide after the entry.
func (r *rules) left(s *state, e *Entry, keys []Key) int {
	n := 0
	for _, key := range keys {
		i := changeOf(e, key)
		if i >= 0 && e.Changes[i].Kind == Add || i < 0 && !s.removed(key) {
			n++
		}
	}
	return n
}

// changeOf is the index of key's change, -1 for none.
func changeOf(e *Entry, key Key) int {
	return slices.IndexFunc(e.Changes, func(c Change) bool { return c.Member.Key == key })
}

// checkProposer: whoever makes a master must be one of those who may have it,
// before the entry and after.
func (r *rules) checkProposer(s *state, e *Entry) error {
	_, is := s.members[e.Proposer]
	i := changeOf(e, e.Proposer)
	switch {
	case s.removed(e.Proposer):
		return fmt.Errorf("%w: %s: %w", ErrProposer, short(e.Proposer), ErrRemoved)
	case is && i >= 0:
		return fmt.Errorf("%w: %s is removed by the entry itself", ErrProposer, short(e.Proposer))
	case s.at.parent == nil && i >= 0: // the first entry: one of those it adds
		return nil
	case !is:
		return fmt.Errorf("%w: %s: %w", ErrProposer, short(e.Proposer), ErrNotMember)
	}
	return nil
}

// checkSignatures: an entry with changes has its proposer's, since the changes
// have their approvals; a rotation has those of t directory signers as well.
func (r *rules) checkSignatures(s *state, e *Entry) error {
	message := e.SignedMessage()
	proposed, signers := false, 0
	for i, sig := range e.Signatures {
		isSigner := e.Rotation() && slices.Contains(r.terms.Signers, sig.Key)
		switch {
		case i > 0 && slices.ContainsFunc(e.Signatures[:i], func(o Signature) bool { return o.Key == sig.Key }):
			return fmt.Errorf("%w: %s signed twice", ErrForm, short(sig.Key))
		case isSigner && s.removed(sig.Key):
			return fmt.Errorf("%w: directory signer %s: %w", ErrSignature, short(sig.Key), ErrRemoved)
		case sig.Key != e.Proposer && !isSigner:
			return fmt.Errorf("%w: %s has nothing to sign here", ErrSignature, short(sig.Key))
		case !r.verify.signature(sig.Key, message, sig.Signature[:]):
			return fmt.Errorf("%w: that of %s", ErrSignature, short(sig.Key))
		}
		proposed = proposed || sig.Key == e.Proposer
		if isSigner {
			signers++
		}
	}
	if !proposed {
		return fmt.Errorf("%w: that of the proposer is missing", ErrSignature)
	}
	if t := int(r.terms.DirectoryThreshold); e.Rotation() && signers < t {
		return fmt.Errorf("%w: %d directory signers of the %d needed", ErrSignature, signers, t)
	}
	return nil
}

// checkApprovals checks the approvals of change i and returns those who used up
// a vouch. Founders decide in every mode; in vouch mode members may as well.
func (r *rules) checkApprovals(s *state, e *Entry, i int, before [][]Key) ([]Key, error) {
	c := &e.Changes[i]
	if len(c.Approvals) > MaxApprovals {
		return nil, fmt.Errorf("%w: %d approvals; a change has at most %d", ErrForm, len(c.Approvals), MaxApprovals)
	}
	founders := 0
	for j, a := range c.Approvals {
		if j > 0 && slices.ContainsFunc(c.Approvals[:j], func(o Approval) bool { return o.Key == a.Key }) {
			return nil, fmt.Errorf("%w: %s approved twice", ErrForm, short(a.Key))
		}
		if k := changeOf(e, a.Key); k >= 0 && e.Changes[k].Kind == Remove {
			return nil, fmt.Errorf("%w: %s is removed by the entry itself", ErrApproval, short(a.Key))
		}
		if err := r.checkApproval(s, Petition{e.Proposer, *c}, a, e.Epoch); err != nil {
			return nil, err
		}
		if slices.Contains(r.terms.Founders, a.Key) {
			founders++
		}
	}
	if founders == len(c.Approvals) && founders >= r.decides {
		return nil, nil
	}
	if c.Kind == Remove || r.terms.Mode != world.ModeVouch || s.at.parent == nil {
		return nil, fmt.Errorf("%w: %d founders of the %d needed for %s", ErrApproval, founders, r.decides, short(c.Member.Key))
	}
	return r.checkVouches(s, e, i, before)
}

// checkApproval checks one approval: whose it is, until when, and its signature.
func (r *rules) checkApproval(s *state, q Petition, a Approval, epoch uint64) error {
	c := &q.Change
	_, member := s.members[a.Key]
	vouches := c.Kind == Add && r.terms.Mode == world.ModeVouch && member
	switch {
	case s.removed(a.Key):
		return fmt.Errorf("%w: %s: %w", ErrApproval, short(a.Key), ErrRemoved)
	case !vouches && !slices.Contains(r.terms.Founders, a.Key):
		return fmt.Errorf("%w: %s may not approve it", ErrApproval, short(a.Key))
	case a.Expiry < epoch:
		return fmt.Errorf("%w: that of %s ended with epoch %d", ErrExpired, short(a.Key), a.Expiry)
	case a.Expiry-epoch > r.life:
		return fmt.Errorf("%w: that of %s lasts %d epochs; at most %d are allowed", ErrExpired, short(a.Key), a.Expiry-epoch, r.life)
	}
	message := ApprovalMessage(r.world.ID, q, s.standing(c.Member.Key), a.Expiry)
	if !r.verify.signature(a.Key, message, a.Signature[:]) {
		return fmt.Errorf("%w: approval of %s by %s; it is for one proposer (here %s), and one that was used, or made before the key last came or went, is good no more",
			ErrSignature, short(c.Member.Key), short(a.Key), short(q.Proposer))
	}
	return nil
}

// checkVouches checks an addition that members vouch for.
func (r *rules) checkVouches(s *state, e *Entry, i int, before [][]Key) ([]Key, error) {
	c := &e.Changes[i]
	operators := make(map[string]bool)
	vouchers := make([]Key, 0, len(c.Approvals))
	for _, a := range c.Approvals {
		m, is := s.members[a.Key]
		if !is {
			return nil, fmt.Errorf("%w: founder %s is no member; too few founders approve %s, and only members vouch",
				ErrApproval, short(a.Key), short(c.Member.Key))
		}
		if s.young(a.Key, e.Time) {
			return nil, fmt.Errorf("%w: %s; it takes %d days", ErrYoung, short(a.Key), VouchAge/(24*time.Hour))
		}
		count := s.vouched(a.Key, e.Time)
		for _, earlier := range before {
			if slices.Contains(earlier, a.Key) {
				count++
			}
		}
		if count >= MaxVouches {
			return nil, fmt.Errorf("%w: %s vouched %d times in %d days", ErrVouches, short(a.Key), count, VouchWindow/(24*time.Hour))
		}
		if m.Operator != "" { // without a tag nobody can tell it from another
			operators[m.Operator] = true
		}
		vouchers = append(vouchers, a.Key)
	}
	if len(operators) < MinVouchers {
		return nil, fmt.Errorf("%w: members of %d operators vouch for %s; it takes %d", ErrApproval, len(operators), short(c.Member.Key), MinVouchers)
	}
	if err := r.checkTicketAge(c, e.Epoch); err != nil {
		return nil, err
	}
	return vouchers, nil
}

// checkTicketAge looks at what a ticket says without computing it.
func (r *rules) checkTicketAge(c *Change, epoch uint64) error {
	switch t := c.Ticket; {
	case t == nil:
		return fmt.Errorf("%w: %s has none", ErrTicket, short(c.Member.Key))
	case t.Epoch > epoch:
		return fmt.Errorf("%w: it is of epoch %d, which is to come", ErrTicket, t.Epoch)
	case epoch-t.Epoch > r.life:
		return fmt.Errorf("%w: it is %d epochs old; at most %d are allowed", ErrTicket, epoch-t.Epoch, r.life)
	}
	return nil
}

// checkChoice compares a choice with the rules, in the state of its parent.
func (r *rules) checkChoice(s *state, c *Choice) error {
	message := c.SignedMessage()
	founders := 0
	for i, sig := range c.Signatures {
		switch {
		case i > 0 && slices.ContainsFunc(c.Signatures[:i], func(o Signature) bool { return o.Key == sig.Key }):
			return fmt.Errorf("%w: %s signed twice", ErrForm, short(sig.Key))
		case !slices.Contains(r.terms.Founders, sig.Key):
			return fmt.Errorf("%w: %s is no founder", ErrSignature, short(sig.Key))
		case s.removed(sig.Key):
			return fmt.Errorf("%w: founder %s: %w", ErrSignature, short(sig.Key), ErrRemoved)
		case !r.verify.signature(sig.Key, message, sig.Signature[:]):
			return fmt.Errorf("%w: that of %s", ErrSignature, short(sig.Key))
		}
		founders++
	}
	if founders < r.decides {
		return fmt.Errorf("%w: %d founders of the %d needed", ErrApproval, founders, r.decides)
	}
	return nil
}

// short shows a key to people.
func short(key Key) string { return world.Hash(key).Short() }
