package member

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/mesh/roster"
)

// Approvals that go by hand, in a file: to founders that are no members, or whose
// machines nobody reaches.

// Sheet is a change that waits, as a file.
type Sheet struct {
	Key     string `json:"key"`
	Change  string `json:"change"`
	Missing int    `json:"missing"`
	File    string `json:"file"` // content
}

// Petition makes the file of a change that waits.
func Petition() Op[Named, Sheet] {
	return Op[Named, Sheet]{Route: "/member/petition", Do: (*Ops).petition}
}

func (o *Ops) petition(_ context.Context, in Named) (Sheet, error) {
	key, err := o.findWaiting(in.Name)
	if err != nil {
		return Sheet{}, err
	}
	q, err := o.waiting.of(key, time.Now())
	if err != nil {
		return Sheet{}, app.Usage(err)
	}
	return o.sheet(q)
}

func (o *Ops) sheet(q roster.Petition) (Sheet, error) {
	s := o.Roster().Sheet(q)
	text, err := s.Format()
	if err != nil {
		return Sheet{}, err
	}
	return Sheet{
		Key: fullKey(q.Change.Member.Key), Change: changeName(q.Change.Kind), Missing: o.Roster().Missing(q, time.Now()), File: string(text),
	}, nil
}

// SheetIn is a file that Petition made, with approvals that others gave since.
type SheetIn struct {
	File string `json:"file"`
}

// SheetOut is what came of it.
type SheetOut struct {
	Approved
	Done     bool   `json:"done"`     // the change was made
	Approves bool   `json:"approves"` // this node's own approval is among those in File
	File     string `json:"file"`
}

// Approve takes the approvals of a file, and adds this node's own if it may give
// one. The member that the change was asked of carries it out when there are enough.
func Approve() Op[SheetIn, SheetOut] {
	return Op[SheetIn, SheetOut]{Route: "/member/approve", Do: (*Ops).approveSheet}
}

func (o *Ops) approveSheet(ctx context.Context, in SheetIn) (SheetOut, error) {
	s, err := roster.ParseSheet([]byte(in.File))
	if err != nil {
		return SheetOut{}, app.Usage(err)
	}
	now := time.Now()
	q, c := s.Petition, s.Petition.Change
	switch {
	case s.World.ID != o.cfg.World.ID:
		return SheetOut{}, app.Usage(fmt.Errorf("it is of world %q (%s), and this node is in %q (%s)",
			s.World.Phrase, s.World.ID.Short(), o.cfg.World.Phrase, o.cfg.World.ID.Short()))
	case o.IsMember() != nil || o.unheard(c): // it does not know how the roster stands, and need not
		if err := s.Approve(o.cfg.Key, now); err != nil {
			return SheetOut{}, app.Usage(err)
		}
		text, err := s.Format()
		return SheetOut{
			Approved: Approved{Key: fullKey(c.Member.Key), Change: changeName(c.Kind), Missing: s.Missing(now)}, Approves: true, File: string(text),
		}, err
	case o.waiting.settled(c):
		return SheetOut{Approved: o.approved(c, 0), Done: true, File: in.File}, nil
	}
	a, mine := o.Roster().Approve(o.cfg.Key, q, o.cfg.Providers, now)
	if mine == nil {
		q.Change.Approvals = with(c.Approvals, a)
	}
	err = o.waiting.take(q, now)
	if err == nil {
		err = o.settle(ctx, now)
	}
	// Who else carries out what has its approvals may have been faster: then the
	// approvals are good no more, and that is no error.
	if o.waiting.settled(c) {
		return SheetOut{Approved: o.approved(c, 0), Done: true, Approves: mine == nil, File: in.File}, nil
	}
	if err != nil {
		return SheetOut{}, err
	}
	// What is known of it by now, also by sync.
	all := o.waiting.all(now)
	i := slices.IndexFunc(all, func(w roster.Petition) bool { return sameChange(w, q) })
	if i < 0 {
		return SheetOut{}, app.Usage(errors.Join(fmt.Errorf("the change of %x does not wait here; see: observer world show", c.Member.Key[:4]), mine))
	}
	sheet, err := o.sheet(all[i])
	return SheetOut{Approved: o.approved(c, sheet.Missing), Approves: mine == nil, File: sheet.File}, err
}

// unheard reports whether c removes somebody of whom the roster here, which may be
// behind, knows nothing. That is not somebody who was removed.
func (o *Ops) unheard(c roster.Change) bool {
	return c.Kind == roster.Remove && errors.Is(o.Roster().Check(c.Member.Key, o.cfg.Providers), roster.ErrNotMember)
}

// sameChange reports whether approvals of one petition are good for the other.
func sameChange(a, b roster.Petition) bool {
	return a.Proposer == b.Proposer && a.Change.Kind == b.Change.Kind && a.Change.Member == b.Change.Member
}

// DescribeSheet is what a file asks founders to approve, for people.
func DescribeSheet(s *roster.Sheet, now time.Time) string {
	var b bytes.Buffer
	c := s.Petition.Change
	verb := "To admit"
	switch {
	case s.Founds():
		verb = "To found the world, with"
	case c.Kind == roster.Remove:
		verb = "To evict"
	}
	fmt.Fprintf(&b, "%s %x\n  role %s", verb, c.Member.Key, c.Member.Role)
	if c.Member.Operator != "" {
		fmt.Fprintf(&b, ", operator %s", c.Member.Operator)
	}
	terms := s.World.Terms()
	fmt.Fprintf(&b, "\n  world %q (%s), mode %s, %d founders of whom %d decide\n", s.World.Phrase, s.World.ID, terms.Mode, len(terms.Founders), terms.FounderThreshold)
	if !s.Founds() {
		fmt.Fprintf(&b, "  asked for by %x\n", s.Petition.Proposer)
	}
	for _, key := range s.Approved(now) {
		fmt.Fprintf(&b, "  approved by %x\n", key)
	}
	return b.String()
}
