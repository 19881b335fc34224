package roster

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"slices"
	"time"

	"github.com/culvert-net/culvert/mesh/world"
)

// Approve consents to a petition, as a founder or, in vouch mode, as a member. It
// refuses what the roster would refuse, and providers.
func (r *Roster) Approve(key ed25519.PrivateKey, q Petition, p Providers, now time.Time) (Approval, error) {
	c := q.Change
	r.mu.Lock()
	defer r.mu.Unlock()
	fail := func(err error) (Approval, error) {
		return Approval{}, fmt.Errorf("approving the change of %s: %w", short(c.Member.Key), err)
	}
	epoch := r.rules.world.Epoch(now)
	if err := r.mayChange(c, p, epoch, now); err != nil {
		return fail(err)
	}
	public := publicKey(key)
	_, member := r.state.members[public]
	if member && !slices.Contains(r.rules.terms.Founders, public) && c.Kind == Add && r.rules.terms.Mode == world.ModeVouch {
		if r.state.young(public, uint64(now.UnixMilli())) {
			return fail(fmt.Errorf("%w; it takes %d days", ErrYoung, VouchAge/(24*time.Hour)))
		}
		if n := r.state.vouched(public, uint64(now.UnixMilli())); n >= MaxVouches {
			return fail(fmt.Errorf("%w: %d in %d days", ErrVouches, n, VouchWindow/(24*time.Hour)))
		}
		if err := r.rules.checkTicketAge(&c, epoch); err != nil {
			return fail(err)
		}
		if err := r.rules.verify.ticket(c.Ticket, r.rules.world.ID, c.Member.Key, r.rules.terms.TicketBits); err != nil {
			return fail(fmt.Errorf("%w: %w", ErrTicket, err))
		}
	}
	a := signApproval(key, r.rules.world.ID, q, r.state.standing(c.Member.Key), epoch+r.rules.life)
	if err := r.rules.checkApproval(r.state, q, a, epoch); err != nil {
		return fail(err)
	}
	return a, nil
}

// mayChange refuses a change that no approvals could make good. The caller
// holds mu.
func (r *Roster) mayChange(c Change, p Providers, epoch uint64, now time.Time) error {
	if c.Kind == Add {
		if err := checkProvider(c.Member, p); err != nil {
			return err
		}
	}
	e := Entry{Epoch: epoch, Time: uint64(now.UnixMilli()), Changes: []Change{c}}
	return r.rules.checkChanges(r.state, &e)
}

// Missing is how many more approvals a petition needs: 0 if it has enough. Those
// that are no good, any more or at all, do not count.
func (r *Roster) Missing(q Petition, now time.Time) int {
	c := q.Change
	r.mu.Lock()
	defer r.mu.Unlock()
	founders, vouchers := r.good(q, now)
	missing := r.rules.decides - len(founders)
	if c.Kind == Add && r.rules.terms.Mode == world.ModeVouch && r.state.at.parent != nil && c.Ticket != nil {
		missing = min(missing, MinVouchers-len(vouchers))
	}
	return max(0, missing)
}

// good sorts a petition's good approvals into founders' and one of each operator.
// The caller holds mu.
func (r *Roster) good(q Petition, now time.Time) (founders, vouchers []Approval) {
	epoch := r.rules.world.Epoch(now)
	operators := make(map[string]bool)
	for _, a := range q.Change.Approvals {
		if r.rules.checkApproval(r.state, q, a, epoch) != nil {
			continue
		}
		if slices.Contains(r.rules.terms.Founders, a.Key) {
			founders = append(founders, a)
		}
		m, is := r.state.members[a.Key]
		if is && m.Operator != "" && !operators[m.Operator] && !r.state.young(a.Key, uint64(now.UnixMilli())) && r.state.vouched(a.Key, uint64(now.UnixMilli())) < MaxVouches {
			operators[m.Operator] = true
			vouchers = append(vouchers, a)
		}
	}
	return founders, vouchers
}

// Propose makes the entry of changes that have their approvals, and the boxes
// with its master. Nothing is appended: hand both to Chain.Extend, and send them when
// they are on the disk. Approvals beyond those needed are left out.
func (r *Roster) Propose(key ed25519.PrivateKey, changes []Change, p Providers, now time.Time) (Entry, Boxes, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(changes) == 0 {
		return Entry{}, Boxes{}, fmt.Errorf("proposing a roster entry: %w: it has no changes; rotations are made with directory signers", ErrForm)
	}
	changes = slices.SortedFunc(slices.Values(changes), byMember)
	for i, c := range changes {
		if c.Kind == Add {
			if err := checkProvider(c.Member, p); err != nil {
				return Entry{}, Boxes{}, fmt.Errorf("proposing a roster entry: %w", err)
			}
		}
		founders, vouchers := r.good(Petition{publicKey(key), c}, now)
		switch {
		case len(founders) >= r.rules.decides:
			changes[i].Approvals, changes[i].Ticket = founders[:r.rules.decides], nil
		case len(vouchers) >= MinVouchers:
			changes[i].Approvals = vouchers[:MinVouchers]
		}
	}
	e, boxes, err := r.entry(key, changes, now)
	if err == nil {
		_, err = r.check(&e, e.Hash(), now)
	}
	if err != nil {
		return Entry{}, Boxes{}, fmt.Errorf("proposing a roster entry: %w", err)
	}
	return e, boxes, nil
}

// entry makes an entry after the head, signed by its proposer, and its boxes.
// The caller holds mu.
func (r *Roster) entry(key ed25519.PrivateKey, changes []Change, now time.Time) (Entry, Boxes, error) {
	if r.stuck() {
		return Entry{}, Boxes{}, ErrForked
	}
	at := r.state.at
	t := max(uint64(max(0, now.UnixMilli())), at.entry.Time) // a parent may be a little ahead of our clock
	master := r.rules.master()
	defer master.Erase()
	e := Entry{
		Version: Version, World: r.rules.world.ID, Generation: at.entry.Generation + 1, Previous: at.hash,
		Epoch: r.rules.world.Epoch(time.UnixMilli(int64(t))), Time: t, Changes: changes,
		MasterHash: masterHash(r.rules.world.ID, master), Proposer: publicKey(key),
	}
	if err := r.rules.checkForm(r.state, &e); err != nil {
		return Entry{}, Boxes{}, err
	}
	if err := r.rules.checkChanges(r.state, &e); err != nil {
		return Entry{}, Boxes{}, err
	}
	if err := r.rules.checkProposer(r.state, &e); err != nil {
		return Entry{}, Boxes{}, err
	}
	e.Sign(key)
	boxes, err := sealBoxes(key, e, r.after(e.Changes), master)
	return e, boxes, err
}

// after are the members after changes that were checked.
func (r *Roster) after(changes []Change) []Member {
	list := r.state.list()
	for _, c := range changes {
		if c.Kind == Remove {
			list = slices.DeleteFunc(list, func(m Member) bool { return m.Key == c.Member.Key })
		} else {
			list = append(list, c.Member)
		}
	}
	slices.SortFunc(list, func(a, b Member) int { return bytes.Compare(a.Key[:], b.Key[:]) })
	return list
}
