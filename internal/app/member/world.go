package member

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/roster"
	"github.com/culvert-net/culvert/mesh/world"
)

// What a member's owner asks of the world's roster.

// Shown is the world as this member knows it.
type Shown struct {
	World            string       `json:"world"`
	Phrase           string       `json:"phrase"`
	Mode             string       `json:"mode"`
	Founders         []string     `json:"founders"`
	FounderThreshold uint32       `json:"founder_threshold"`
	Signers          []string     `json:"signers"`
	Threshold        uint32       `json:"signer_threshold"`
	Generation       uint64       `json:"generation"`
	Entry            string       `json:"entry"`
	Self             string       `json:"self"`
	Problem          string       `json:"problem,omitempty"` // why this node is no member that reads
	Alarm            string       `json:"alarm,omitempty"`
	Branches         []ShownFork  `json:"branches,omitempty"` // of a roster that has forked
	Rules            []ShownRules `json:"rules"`              // that members endorse
	Members          []ShownOne   `json:"members"`
	Waiting          []ShownWait  `json:"waiting"`
	Invites          []ShownAsked `json:"invites"`
}

// ShownFork is one branch of a roster that has forked.
type ShownFork struct {
	Entry    string `json:"entry"`
	Proposer string `json:"proposer"`
	Changes  int    `json:"changes"`
}

// ShownOne is one member.
type ShownOne struct {
	Key      string `json:"key"`
	Role     string `json:"role"`
	Operator string `json:"operator,omitempty"`
	Self     bool   `json:"self,omitempty"`
	Founder  bool   `json:"founder,omitempty"`
	Signer   bool   `json:"signer,omitempty"`
	Provider bool   `json:"provider,omitempty"` // it stands as one too, and is spoken with no more
}

// ShownWait is a change that waits for approvals.
type ShownWait struct {
	Change  string `json:"change"` // admit or evict
	Key     string `json:"key"`
	Role    string `json:"role"`
	By      string `json:"operator,omitempty"`
	Missing int    `json:"missing"`
}

// ShownAsked is an invite that this node gave out.
type ShownAsked struct {
	ID       string    `json:"id"`
	Expires  time.Time `json:"expires"`
	Role     string    `json:"role,omitempty"`
	Operator *string   `json:"operator,omitempty"`
	Attempts int       `json:"attempts_left"`
	UsedBy   string    `json:"used_by,omitempty"`
}

// Show tells who is in the world.
func Show() Op[None, Shown] {
	return Op[None, Shown]{Route: "/member/show", Do: (*Ops).show}
}

func (o *Ops) show(ctx context.Context, _ None) (Shown, error) {
	w, r, now := o.cfg.World, o.Roster(), time.Now()
	terms := w.Terms()
	generation, entry := r.Head()
	s := Shown{
		World: w.ID.String(), Phrase: w.Phrase, Mode: terms.Mode.String(), Founders: hexes(terms.Founders), FounderThreshold: terms.FounderThreshold,
		Signers: hexes(terms.Signers), Threshold: terms.DirectoryThreshold, Generation: generation, Entry: entry.String(), Self: fullKey(o.self),
		Alarm: r.Alarm(), Members: []ShownOne{}, Waiting: []ShownWait{}, Invites: []ShownAsked{},
	}
	if err := o.IsMember(); err != nil {
		s.Problem = err.Error()
	}
	for _, m := range r.Members() {
		s.Members = append(s.Members, ShownOne{
			Key: fullKey(m.Key), Role: m.Role.String(), Operator: m.Operator, Self: m.Key == o.self,
			Founder: slices.Contains(terms.Founders, m.Key), Signer: slices.Contains(terms.Signers, m.Key),
			Provider: o.cfg.Providers.IsProvider(m.Key),
		})
	}
	for _, q := range o.waiting.all(now) {
		c := q.Change
		s.Waiting = append(s.Waiting, ShownWait{
			Change: changeName(c.Kind), Key: fullKey(c.Member.Key), Role: c.Member.Role.String(), By: c.Member.Operator, Missing: r.Missing(q, now),
		})
	}
	if fork, ok := r.Forked(); ok {
		for _, e := range fork.Branches {
			s.Branches = append(s.Branches, ShownFork{Entry: e.Hash().String(), Proposer: fullKey(e.Proposer), Changes: len(e.Changes)})
		}
	}
	var err error
	if s.Rules, err = o.endorsed.standing(now); err != nil {
		return s, err
	}
	invites, err := o.invites.List(ctx, now)
	if err != nil {
		return s, err
	}
	for _, i := range invites {
		row := ShownAsked{ID: i.ID.String(), Expires: i.Expires, Operator: i.Operator, Attempts: i.Attempts}
		if i.Role != nil {
			row.Role = i.Role.String()
		}
		if i.Used {
			row.UsedBy = fullKey(i.Member)
		}
		s.Invites = append(s.Invites, row)
	}
	return s, nil
}

func changeName(k roster.Kind) string {
	if k == roster.Remove {
		return "evict"
	}
	return "admit"
}

func hexes(keys [][32]byte) []string {
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = fullKey(k)
	}
	return out
}

// InviteIn is whom an invite is for.
type InviteIn struct {
	Role     string  `json:"role"` // empty: the newcomer's choice
	Operator *string `json:"operator,omitempty"`
}

// Invited is an invite and its phrase, which is kept nowhere.
type Invited struct {
	ID      string    `json:"id"`
	Phrase  string    `json:"phrase"`
	Expires time.Time `json:"expires"`
	File    string    `json:"file"` // content
}

// Invite makes an invite.
func Invite() Op[InviteIn, Invited] {
	return Op[InviteIn, Invited]{Route: "/member/invite", Do: (*Ops).invite}
}

func (o *Ops) invite(ctx context.Context, in InviteIn) (Invited, error) {
	if err := o.IsMember(); err != nil {
		return Invited{}, app.NotReady(err)
	}
	var role *roster.Role
	if in.Role != "" {
		r, err := roster.ParseRole(in.Role)
		if err != nil {
			return Invited{}, app.Usage(err)
		}
		role = &r
	}
	addrs := o.Addrs()
	if len(addrs) == 0 {
		return Invited{}, app.NotReady(errors.New("this node has no address at which a newcomer could reach it; see: observer doctor"))
	}
	inv, phrase, err := o.invites.Create(ctx, addrs[:min(len(addrs), roster.MaxInviteAddrs)], role, in.Operator, time.Now())
	if err != nil {
		return Invited{}, app.Usage(err)
	}
	text, err := inv.Format()
	if err != nil {
		return Invited{}, err
	}
	return Invited{ID: inv.ID.String(), Phrase: phrase, Expires: inv.Expires, File: string(text)}, nil
}

// Named is what is done to somebody or something, by its name.
type Named struct {
	Name string `json:"name"`
}

// Revoke ends an invite.
func Revoke() Op[Named, None] {
	return Op[Named, None]{Route: "/member/revoke", Do: (*Ops).revoke}
}

func (o *Ops) revoke(ctx context.Context, in Named) (None, error) {
	id, err := roster.ParseInviteID(in.Name)
	if err != nil {
		return None{}, app.Usage(err)
	}
	return None{}, o.invites.Revoke(ctx, id)
}

// Approved is what came of an approval.
type Approved struct {
	Key        string `json:"key"`
	Change     string `json:"change"`
	Missing    int    `json:"missing"` // approvals; 0: it is done
	Generation uint64 `json:"generation"`
}

// Admit approves a change that waits.
func Admit() Op[Named, Approved] {
	return Op[Named, Approved]{Route: "/member/admit", Do: (*Ops).admit}
}

func (o *Ops) admit(ctx context.Context, in Named) (Approved, error) {
	key, err := o.findWaiting(in.Name)
	if err != nil {
		return Approved{}, err
	}
	c, missing, err := o.waiting.approve(ctx, key, time.Now())
	if err != nil {
		return Approved{}, app.Usage(err)
	}
	return o.approved(c, missing), nil
}

func (o *Ops) approved(c roster.Change, missing int) Approved {
	if o.waiting.settled(c) {
		missing = 0
	}
	generation, _ := o.Roster().Head()
	o.update()
	return Approved{Key: fullKey(c.Member.Key), Change: changeName(c.Kind), Missing: missing, Generation: generation}
}

// Evict removes a member, as far as this node's approval goes. It takes effect at
// once: with it the group has a new key, which the evicted is not given.
func Evict() Op[Named, Approved] {
	return Op[Named, Approved]{Route: "/member/evict", Do: (*Ops).evict}
}

func (o *Ops) evict(ctx context.Context, in Named) (Approved, error) {
	key, err := o.findMember(in.Name)
	if err != nil {
		return Approved{}, err
	}
	if key == o.self {
		return Approved{}, app.Usage(errors.New("that is this node itself; another member has to evict it"))
	}
	m, _ := o.Roster().Member(key) // find has looked
	now := time.Now()
	c := roster.Change{Kind: roster.Remove, Member: m}
	q := roster.Petition{Proposer: o.self, Change: c}
	for _, other := range o.waiting.all(now) {
		// Somebody asked for it before, and means it: one that nobody approved may have
		// been made to keep others from asking.
		if other.Change.Kind == c.Kind && other.Change.Member == m && len(other.Change.Approvals) > 0 {
			done, missing, err := o.waiting.approve(ctx, key, now)
			if err != nil {
				return Approved{}, app.Usage(err)
			}
			return o.approved(done, missing), nil
		}
	}
	a, err := o.Roster().Approve(o.cfg.Key, q, o.cfg.Providers, now)
	if err != nil {
		return Approved{}, app.Usage(err)
	}
	c.Approvals = []roster.Approval{a}
	q.Change = c
	if err := o.pool.Put(ctx, c, now); err != nil {
		return Approved{}, err
	}
	if err := o.settle(ctx, now); err != nil {
		return Approved{}, err
	}
	return o.approved(c, o.Roster().Missing(q, now)), nil
}

// findMember is find among members.
func (o *Ops) findMember(name string) (roster.Key, error) {
	return o.find(name, func(yield func(roster.Key)) {
		for _, m := range o.Roster().Members() {
			yield(m.Key)
		}
	})
}

// findWaiting is find among those that wait for approvals.
func (o *Ops) findWaiting(name string) (roster.Key, error) {
	key, err := o.find(name, func(yield func(roster.Key)) {
		for _, c := range o.waiting.all(time.Now()) {
			yield(c.Change.Member.Key)
		}
	})
	if err == nil {
		return key, nil
	}
	if m, there := o.findMember(name); there == nil {
		return key, app.Usage(fmt.Errorf("%s is a member, and no change of it waits for approvals; see: observer world show", short(m)))
	}
	return key, err
}

// find is the key that a name means: a key in hexadecimal, or the beginning of
// one that only one of them has.
func (o *Ops) find(name string, all func(yield func(roster.Key))) (found roster.Key, err error) {
	name = strings.ToLower(strings.TrimSpace(name))
	if len(name) < 4 {
		return found, app.Usage(fmt.Errorf("%q: give four digits of the key or more; see: observer world show", name))
	}
	n := 0
	all(func(k roster.Key) {
		if strings.HasPrefix(fullKey(k), name) && (n == 0 || k != found) { // two may ask for one key
			found = k
			n++
		}
	})
	switch n {
	case 0:
		return found, app.Usage(fmt.Errorf("nobody's key begins with %s; see: observer world show", name))
	case 1:
		return found, nil
	}
	return found, app.Usage(fmt.Errorf("%d keys begin with %s; give more digits", n, name))
}

// ChooseIn chooses a branch of a forked roster, by its entry, or signs a choice
// that another founder has begun.
type ChooseIn struct {
	Name string `json:"name"`
}

// Chosen is what came of it.
type Chosen struct {
	Choice string `json:"choice"` // in hexadecimal, for other founders to sign
	Done   bool   `json:"done"`
}

// Choose is for founders of a world whose roster has forked.
func Choose() Op[ChooseIn, Chosen] {
	return Op[ChooseIn, Chosen]{Route: "/member/choose", Do: (*Ops).choose}
}

func (o *Ops) choose(_ context.Context, in ChooseIn) (Chosen, error) {
	raw, err := hex.DecodeString(strings.TrimSpace(in.Name))
	var choice roster.Choice
	switch {
	case err != nil:
		return Chosen{}, app.Usage(fmt.Errorf("%q is neither an entry nor a choice in hexadecimal; see: observer world show", in.Name))
	case len(raw) == len(world.Hash{}):
		choice, err = o.Roster().ProposeChoice(o.cfg.Key, world.Hash(raw))
	default:
		if choice, err = roster.DecodeChoice(raw); err == nil {
			choice.Sign(o.cfg.Key)
		}
	}
	if err != nil {
		return Chosen{}, app.Usage(err)
	}
	err = o.chain.Choose(choice)
	if err != nil && !errors.Is(err, roster.ErrApproval) {
		return Chosen{}, app.Usage(err)
	}
	o.update()
	return Chosen{Choice: hex.EncodeToString(choice.Canonical()), Done: err == nil}, nil
}

// Said is an event that this node has made.
type Said struct {
	ID    string `json:"id"`
	Epoch uint64 `json:"epoch"`
}

// place is here and now.
func (o *Ops) place() event.Place {
	return event.Place{WorldID: o.cfg.World.ID, EpochID: o.cfg.World.Epoch(time.Now())}
}

// say puts an event into the log, and tells others if this node runs.
func (o *Ops) say(ctx context.Context, e *event.Event) (Said, error) {
	var err error
	if o.Service != nil {
		err = o.Service.Say(ctx, e)
	} else {
		err = o.Member.Say(ctx, e, time.Now())
	}
	if err != nil {
		return Said{}, err
	}
	return Said{ID: e.ID.String(), Epoch: e.Epoch()}, nil
}
