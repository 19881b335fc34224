package member

import (
	"slices"
	"sync"
	"time"

	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/eventlog"
	"github.com/culvert-net/culvert/mesh/rules"
	"github.com/culvert-net/culvert/mesh/world"
)

// endorsements is which rule bundles members would rather have, by the log.
type endorsements struct {
	m      *Member
	policy rules.Policy

	mu     sync.Mutex
	all    []rules.Endorsement // that may still count; guarded by mu
	read   uint64              // place of the log up to which all are read; guarded by mu
	active *ShownRules         // when it was last looked; guarded by mu
	told   string              // the active bundle that the owner was last told of; guarded by mu
}

// ShownRules is how a rule bundle stands among members.
type ShownRules struct {
	Hash    string   `json:"hash"`
	Share   float64  `json:"share"` // of the operators, in the last epoch
	For     uint64   `json:"epochs"`
	Active  bool     `json:"active"`            // for long enough
	Known   bool     `json:"known"`             // this node has what it says
	Changes []string `json:"changes,omitempty"` // from this world's rules, if it is known
}

// standing is how the bundles stand that members endorse.
func (d *endorsements) standing(now time.Time) ([]ShownRules, error) {
	epoch := d.m.cfg.World.Epoch(now)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.catchUp(epoch); err != nil {
		return nil, err
	}
	all, err := rules.Fold(d.all, epoch, d.policy, func(epoch uint64) []rules.Voter {
		var voters []rules.Voter
		for _, m := range d.m.Roster().MembersIn(epoch) {
			voters = append(voters, rules.Voter{Key: m.Key, Operator: m.Operator})
		}
		return voters
	})
	if err != nil {
		return nil, err
	}
	out := []ShownRules{}
	d.active = nil
	for _, x := range all {
		s := ShownRules{Hash: x.Bundle.String(), Share: x.Share, For: x.For, Active: x.Active}
		if r, ok := d.m.bundle(x.Bundle); ok {
			s.Known, s.Changes = true, d.m.cfg.World.Rules.Changes(r)
		}
		out = append(out, s)
		// The world's own rules are nothing to move for.
		if s.Active && !d.m.isOwn(x.Bundle) {
			d.active = &s
		}
	}
	return out, nil
}

// catchUp reads what came since the last time, and forgets what counts no more.
// The caller holds mu.
func (d *endorsements) catchUp(epoch uint64) error {
	err := d.m.events.Scan(eventlog.Filter{Type: event.TypeEndorsement, After: d.read}, func(e *event.Event, meta eventlog.Meta) error {
		b := e.Body.(*event.Endorsement) // its type says so
		d.all = append(d.all, rules.Endorsement{Event: e.ID, Epoch: e.Epoch(), Author: e.Author(), Bundle: b.Rules, Weight: min(1, b.Weight)})
		d.read = meta.Place
		return nil
	})
	if err != nil {
		return err
	}
	// The first epoch that is looked at is policy.Epochs-1 before this one.
	d.all = slices.DeleteFunc(d.all, func(e rules.Endorsement) bool {
		return e.Epoch+d.policy.Lasts+d.policy.Epochs <= epoch+1
	})
	return nil
}

// wanted is the bundle that was active when it was last looked; nil: none.
func (d *endorsements) wanted() *ShownRules {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.active
}

// watch tells the owner once that a bundle became active.
func (d *endorsements) watch(now time.Time) {
	if _, err := d.standing(now); err != nil {
		d.m.cfg.Log.Warn("which rules members want is not known; it is looked again", "err", err)
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.active != nil && d.active.Hash != d.told {
		d.told = d.active.Hash
		d.m.cfg.Log.Info("enough members want other rules; see: observer world show", "rules", d.active.Hash, "share", d.active.Share, "known", d.active.Known)
	}
}

// isOwn reports whether a bundle is that of this world.
func (m *Member) isOwn(bundle world.Hash) bool { return bundle == m.cfg.World.Rules.Hash() }
