package roster

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/culvert-net/culvert/mesh/world"
)

// Desk is where newcomers ask: the inviter's side of an invite. It also carries
// out what has its approvals.
type Desk struct {
	Chain     *Chain
	Keyring   *Keyring
	Invites   *Invites
	Pool      *Pool
	Providers Providers

	// Key is this member's, who proposes.
	Key ed25519.PrivateKey
	// Founders are founders' keys that are here. To invite is to approve: they
	// and Key do so for who comes with an invite.
	Founders []ed25519.PrivateKey

	mu sync.Mutex // held while an entry is made
}

// Ask answers a request in the bytes of one session. proved says that whoever asks
// knows an invite's phrase, granted or not. The error is for this node's operator,
// beside the answer.
func (k *Desk) Ask(ctx context.Context, request []byte, t Transcript, now time.Time) (answer []byte, proved bool, err error) {
	ans, secret, err := k.ask(ctx, request, t, now)
	if proved = secret != nil; proved {
		ans.Proof = ans.proof(secret, t)
		secret.Erase()
	}
	b := ans.Canonical()
	if len(b) > MaxAnswer {
		err = fmt.Errorf("the roster has grown beyond the %d bytes of an answer", MaxAnswer)
		b = Answer{Kind: Refused, Reason: ReasonUnavailable}.Canonical()
	}
	return b, proved, err
}

func (k *Desk) ask(ctx context.Context, request []byte, t Transcript, now time.Time) (Answer, *world.Secret, error) {
	refuse := func(r Reason) Answer { return Answer{Kind: Refused, Reason: r} }
	q, err := DecodeRequest(request)
	switch {
	case err != nil || q.Version != requestVersion:
		return refuse(ReasonMalformed), nil, nil
	case q.World != k.Chain.roster.rules.world.ID:
		return refuse(ReasonWorld), nil, nil
	case !q.verify(t):
		return refuse(ReasonSignature), nil, nil
	}
	secret, err := k.Invites.prove(ctx, q, t, now)
	ans := Answer{}
	if err == nil {
		ans, err = k.admit(ctx, q, now)
	}
	var told refusal
	switch {
	case err == nil:
		return ans, secret, nil
	case errors.As(err, &told):
		return refuse(told.reason), secret, nil
	default:
		return refuse(reasonOf(err)), secret, fmt.Errorf("request of %s to join: %w", short(q.Member.Key), err)
	}
}

// admit takes a request whose proof was right as far as it gets.
func (k *Desk) admit(ctx context.Context, q Request, now time.Time) (Answer, error) {
	r := k.Chain.roster
	if m, is := r.Member(q.Member.Key); is && m == q.Member {
		// It was told to wait, or the answer was lost on its way.
		if err := k.Invites.use(ctx, q.Invite, q.Member); err != nil {
			return Answer{}, err
		}
		return k.Chain.welcome(q.Member.Key)
	}
	c := Change{Kind: Add, Member: q.Member, Ticket: q.Ticket}
	if err := r.mayAsk(c, k.Providers, now); err != nil {
		return Answer{}, err
	}
	if err := k.Invites.use(ctx, q.Invite, q.Member); err != nil {
		return Answer{}, err
	}
	for _, key := range append(append([]ed25519.PrivateKey{}, k.Founders...), k.Key) {
		// A key that may not approve, or has vouched enough, leaves it to others.
		if a, err := r.Approve(key, Petition{publicKey(k.Key), c}, k.Providers, now); err == nil {
			c.Approvals = merge(c.Approvals, []Approval{a})
		}
	}
	if a := q.Approval; a != nil && a.Key == q.Member.Key && r.CheckApproval(Petition{publicKey(k.Key), c}, *a, now) == nil {
		c.Approvals = merge(c.Approvals, []Approval{*a})
	}
	if err := k.Pool.Put(ctx, c, now); err != nil {
		return Answer{}, err
	}
	if err := k.Settle(ctx, now); err != nil {
		return Answer{}, err
	}
	if _, is := r.Member(q.Member.Key); is {
		return k.Chain.welcome(q.Member.Key)
	}
	list, err := k.Pool.List(ctx, now)
	if err != nil {
		return Answer{}, err
	}
	for _, w := range list {
		if w.Change.Member == q.Member {
			return Answer{Kind: Pending, Missing: uint32(w.Missing)}, nil
		}
	}
	return Answer{}, refusal{ReasonUnavailable}
}

// mayAsk says what no approvals could make good. In vouch mode a newcomer
// brings its ticket at once, since vouchers are asked without it.
func (r *Roster) mayAsk(c Change, p Providers, now time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	epoch := r.rules.world.Epoch(now)
	if err := r.mayChange(c, p, epoch, now); err != nil {
		return err
	}
	if r.rules.terms.Mode != world.ModeVouch {
		return nil
	}
	if err := r.rules.checkTicketAge(&c, epoch); err != nil {
		return err
	}
	if err := r.rules.verify.ticket(c.Ticket, r.rules.world.ID, c.Member.Key, r.rules.terms.TicketBits); err != nil {
		return fmt.Errorf("%w: %w", ErrTicket, err)
	}
	return nil
}

// Settle makes the entry of all changes that have their approvals, if any do,
// and keeps its master. Whoever spreads entries finds it at the roster's head.
func (k *Desk) Settle(ctx context.Context, now time.Time) error {
	k.mu.Lock() // who comes second finds what is left
	defer k.mu.Unlock()
	list, err := k.Pool.List(ctx, now)
	if err != nil {
		return err
	}
	var ready []Change
	for _, w := range list {
		if w.Missing == 0 && len(ready) < MaxChanges {
			ready = append(ready, w.Change)
		}
	}
	if len(ready) == 0 {
		return nil
	}
	err = k.extend(ctx, ready, now)
	if err == nil || len(ready) == 1 {
		return err
	}
	// One of them stands in the way of all, or they fill more than an entry.
	var last error
	for _, c := range ready {
		if err := k.extend(ctx, []Change{c}, now); err != nil {
			last = err
		}
	}
	return last
}

// extend carries out changes in one entry.
func (k *Desk) extend(ctx context.Context, changes []Change, now time.Time) error {
	e, boxes, err := k.Chain.roster.Propose(k.Key, changes, k.Providers, now)
	if err != nil {
		return err
	}
	if err := k.Chain.Extend(e, boxes, now); err != nil {
		return err
	}
	if err := k.Keyring.Open(publicKey(k.Key), boxes); err != nil {
		return err
	}
	for _, c := range changes {
		if err := k.Pool.Drop(ctx, c.Member.Key); err != nil {
			return err
		}
	}
	return nil
}

// welcome is the answer to a member: the roster, and its box of the newest
// generation of which there is one.
func (c *Chain) welcome(key Key) (Answer, error) {
	for _, entry := range c.roster.line(lookBack) {
		boxes, err := c.Boxes(entry)
		if err != nil {
			continue
		}
		if box, ok := boxes.For(key); ok {
			return Answer{
				Kind: Admitted, Entries: c.roster.Entries(0), Choices: c.roster.Choices(), Entry: entry, Box: box,
			}, nil
		}
	}
	return Answer{}, fmt.Errorf("no boxes for %s are here", short(key))
}

// lookBack is how many generations back a box is looked for: others make
// entries too, and their boxes come after them.
const lookBack = 16

// line are the newest entries up to the head, newest first.
func (r *Roster) line(most int) []world.Hash {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []world.Hash
	for n := r.head; n.parent != nil && len(out) < most; n = n.parent {
		out = append(out, n.hash)
	}
	return out
}

// Join takes an answer that admits over into an empty chain and its keyring.
func Join(c *Chain, k *Keyring, a Answer, now time.Time) error {
	if err := c.AppendAll(a.Entries, a.Choices, now); err != nil {
		return fmt.Errorf("joining: %w", err)
	}
	if err := k.Put(a.Entry, a.Box); err != nil {
		return fmt.Errorf("joining: %w", err)
	}
	return nil
}
