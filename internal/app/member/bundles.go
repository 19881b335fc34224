package member

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/world"
)

// RulesDir is where a member keeps the rule bundles that its owner has shown it,
// each in a file named by its hash. Endorsements carry the hash alone: what a
// bundle says travels as world files do, from person to person. It is of no world,
// and stays when the node moves.
const RulesDir = "rules"

func (m *Member) bundleFile(hash world.Hash) string {
	return filepath.Join(m.cfg.Dir, RulesDir, hash.String()+".toml")
}

// keep remembers what a bundle says.
func (m *Member) keep(r world.RuleBundle) error {
	if _, known := m.bundle(r.Hash()); known {
		return nil
	}
	if err := os.MkdirAll(filepath.Join(m.cfg.Dir, RulesDir), 0o700); err != nil {
		return fmt.Errorf("keeping rules: %w", err)
	}
	return world.WriteRules(m.bundleFile(r.Hash()), r)
}

// bundle is what a bundle says, if it is known. A file whose content is not what
// its name promises is as good as none.
func (m *Member) bundle(hash world.Hash) (world.RuleBundle, bool) {
	if m.isOwn(hash) {
		return m.cfg.World.Rules, true
	}
	r, err := world.LoadRules(m.bundleFile(hash), m.cfg.World.Sandbox)
	return r, err == nil && r.Hash() == hash
}

// taken reads a bundle that a command brings, in canonical form, and keeps it.
func (m *Member) taken(canonical []byte) (world.RuleBundle, error) {
	r, err := world.DecodeRuleBundle(canonical)
	if err == nil {
		err = r.Check(m.cfg.World.Sandbox)
	}
	if err != nil {
		return r, app.Usage(err)
	}
	return r, m.keep(r)
}

// RulesIn names a bundle, or brings one to be kept.
type RulesIn struct {
	Hash   string `json:"hash,omitempty"`   // in hexadecimal; empty: this world's own
	Bundle []byte `json:"bundle,omitempty"` // canonical; nil: Hash names it
}

// RulesOut is a bundle and how it differs from this world's.
type RulesOut struct {
	Hash    string   `json:"hash"`
	Own     bool     `json:"own"` // of this world
	Bundle  []byte   `json:"bundle"`
	Changes []string `json:"changes,omitempty"`
}

// Rules tells what a bundle says, and keeps one.
func Rules() Op[RulesIn, RulesOut] {
	return Op[RulesIn, RulesOut]{Route: "/member/rules", Do: (*Ops).rules}
}

func (o *Ops) rules(_ context.Context, in RulesIn) (RulesOut, error) {
	r := o.cfg.World.Rules
	switch {
	case in.Bundle != nil:
		var err error
		if r, err = o.taken(in.Bundle); err != nil {
			return RulesOut{}, err
		}
	case in.Hash != "":
		hash, err := world.ParseHash(in.Hash)
		if err != nil {
			return RulesOut{}, app.Usage(err)
		}
		known := false
		if r, known = o.bundle(hash); !known {
			return RulesOut{}, app.Usage(fmt.Errorf("what rules %s say is not known here: get the file from a member who wants them, and keep it with: observer world rules --keep FILE", hash.Short()))
		}
	}
	return RulesOut{Hash: r.Hash().String(), Own: o.isOwn(r.Hash()), Bundle: r.Canonical(), Changes: o.cfg.World.Rules.Changes(r)}, nil
}

// EndorseIn is a bundle of rules and how much this member wants it.
type EndorseIn struct {
	Rules  string  `json:"rules,omitempty"`  // hash, in hexadecimal; or
	Bundle []byte  `json:"bundle,omitempty"` // all of it, canonical
	Weight float64 `json:"weight"`
}

// Endorsed is an endorsement that this node has made.
type Endorsed struct {
	Said
	Rules   string   `json:"rules"` // hash
	Known   bool     `json:"known"` // this node has what it says
	Changes []string `json:"changes,omitempty"`
}

// Endorse says that this member would live by other rules.
func Endorse() Op[EndorseIn, Endorsed] {
	return Op[EndorseIn, Endorsed]{Route: "/member/endorse", Do: (*Ops).endorse}
}

func (o *Ops) endorse(ctx context.Context, in EndorseIn) (Endorsed, error) {
	var hash world.Hash
	var err error
	if in.Bundle != nil {
		var r world.RuleBundle
		if r, err = o.taken(in.Bundle); err != nil {
			return Endorsed{}, err
		}
		hash = r.Hash()
	} else if hash, err = world.ParseHash(in.Rules); err != nil {
		return Endorsed{}, app.Usage(err)
	}
	if o.isOwn(hash) {
		return Endorsed{}, app.Usage(errors.New("those are this world's rules; what you said for others you take back with --weight 0"))
	}
	e, err := event.SignEndorsement(o.cfg.Key, event.Endorsement{Place: o.place(), Rules: hash, Weight: in.Weight})
	if err != nil {
		return Endorsed{}, app.Usage(err)
	}
	out := Endorsed{Rules: hash.String()}
	if r, known := o.bundle(hash); known {
		out.Known, out.Changes = true, o.cfg.World.Rules.Changes(r)
	}
	out.Said, err = o.say(ctx, e)
	return out, err
}
