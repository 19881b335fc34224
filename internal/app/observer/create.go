package observer

import (
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/member"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/mesh/roster"
	"github.com/culvert-net/culvert/mesh/world"
)

// CreateOptions is what `observer world create` is told.
type CreateOptions struct {
	PlaceOptions
	Phrase    string
	From      string        // or: the world file of a world that is to be founded
	Fork      *world.World  // or: that world itself
	Mode      string        // of admission
	Founders  []string      // keys of others, in hexadecimal; this node is one always
	Threshold int           // how many founders decide
	Others    []string      // key files of other founders, if more than one decides
	Approved  []string      // or: files of a founding that was begun, with the approvals of others
	Signers   int           // how many founders sign the directory, this one first; 0: all
	SignersT  int           // how many signatures it takes; 0: more than half
	Epoch     time.Duration // 0: that of usual worlds
	Hops      int           // 0: that of usual worlds
	Quota     uint32        // events of one type that a member may publish in an epoch; 0: that of usual worlds
	Operator  string
	Chain     ChainOptions // that the world's money is on; zero: it has none
	Local     bool
	Sandbox   bool
}

// CreateResult is what Create made.
type CreateResult struct {
	World *world.World
	Key   [32]byte
	Addrs []string

	// Petition is the file that other founders have to approve first, and Missing how
	// many of them; empty if the world is founded.
	Petition string
	Missing  int
}

// Create makes a world whose first member and seed is this node. If others have to
// agree whose keys are not here, it makes what they are asked.
func Create(o CreateOptions) (_ *CreateResult, err error) {
	if len(o.Approved) > 0 {
		return o.approved()
	}
	keys, err := founderKeys(o.Others)
	if err != nil {
		return nil, err
	}
	s, err := o.begin()
	if err != nil {
		return nil, err
	}
	defer s.data.Close()
	from := o.Fork
	if o.From != "" {
		if from, err = node.LoadWorld(o.From); err != nil {
			return nil, err
		}
	}
	if err := s.free(from); err != nil {
		return nil, err
	}
	if _, err := os.Stat(s.data.Path(foundingFile)); err == nil {
		return nil, app.Usage(fmt.Errorf("a world waits here for founders' approvals: go on with --approved %s, or delete that file to begin anew", s.data.Path(foundingFile)))
	}
	addrs, err := s.addresses(o.Local || o.Sandbox || from != nil && from.Local, true)
	if err != nil {
		return nil, err
	}
	w, err := o.world(s, from, addrs)
	if err != nil {
		return nil, err
	}
	keys = append([]ed25519.PrivateKey{s.key}, keys...)
	r := &CreateResult{World: w, Key: s.public(), Addrs: addrs}
	if len(keys) < int(w.Charter.FounderThreshold) {
		r.Petition = s.data.Path(foundingFile)
		r.Missing, err = s.petition(w, keys, o.Operator)
		return r, err
	}
	if err := s.found(w, keys, member.Founder{Operator: o.Operator}); err != nil {
		return nil, err
	}
	return r, s.enter(w)
}

// free refuses a directory that has a world, but for w, if a founder has moved there
// and nobody has founded it.
func (s *setup) free(w *world.World) error {
	if _, err := os.Stat(worldPath(s.data.Dir)); err != nil {
		return nil
	}
	taken := app.Usage(fmt.Errorf("%s has a world already; choose another directory with --data", s.data.Dir))
	here, err := node.LoadWorld(worldPath(s.data.Dir))
	if err != nil || w == nil || w.ID != here.ID {
		return errors.Join(taken, err)
	}
	m, err := openMember(s.data, here, s.key, s.cfg, roster.NoProviders{}, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	generation, _ := m.Roster().Head()
	if err := m.Close(); err != nil {
		return err
	}
	if generation > 0 || s.foundedElsewhere(w) {
		return app.Usage(fmt.Errorf("%s has a world already, and %q (%s) is founded; a member there invites this machine (observer world invite)",
			s.data.Dir, w.Phrase, w.ID.Short()))
	}
	return nil
}

// foundedElsewhere reports whether this machine's key founded a world in another
// directory: who founds is a seed, where it listens there. Twice founded, a roster
// would have two beginnings.
func (s *setup) foundedElsewhere(w *world.World) bool {
	addrs, err := s.addresses(w.Local, true)
	own := s.seeds(addrs)
	return err != nil || slices.ContainsFunc(w.Seeds, func(seed string) bool {
		a, err := world.ParseAddr(seed)
		return err == nil && a.Key == s.public() && !slices.Contains(own, seed)
	})
}

// world is what is to be founded.
func (o *CreateOptions) world(s *setup, from *world.World, addrs []string) (*world.World, error) {
	if from != nil {
		if o.Chain != (ChainOptions{}) {
			return nil, app.Usage(errors.New("the file says which chain the world's money is on, if any; leave the --chain flags out"))
		}
		return s.planned(from, addrs)
	}
	mode, err := world.ParseMode(o.Mode)
	if err != nil {
		return nil, app.Usage(fmt.Errorf("--mode: %w", err))
	}
	if mode == world.ModeOpen {
		return nil, app.Usage(errors.New("--mode open admits by a bond on the chain, which comes in a later version; use vouch or closed"))
	}
	charter, err := o.charter(s.public(), mode)
	if err != nil {
		return nil, err
	}
	if charter.Chain, err = o.Chain.charter(o.Sandbox); err != nil {
		return nil, app.Usage(err)
	}
	w, err := world.New(world.World{
		Phrase: o.Phrase, Rules: o.rules(), Charter: charter, Seeds: s.seeds(addrs), Local: o.Local, Sandbox: o.Sandbox,
	})
	if err != nil {
		return nil, app.Usage(err)
	}
	return w, nil
}

// planned is the world of a file that nobody has founded yet, such as world fork
// makes, with this node as its first seed.
func (s *setup) planned(w *world.World, addrs []string) (*world.World, error) {
	if w.Charter == nil || !slices.Contains(w.Charter.Founders, s.public()) {
		return nil, app.Usage(fmt.Errorf("this machine (%x) is none of the founders of %q, so it cannot found it", s.public(), w.Phrase))
	}
	made := *w
	made.Seeds = s.seeds(addrs)
	for _, seed := range w.Seeds {
		if a, err := world.ParseAddr(seed); err == nil && a.Key != s.public() && len(made.Seeds) < world.MaxAddrs {
			made.Seeds = append(made.Seeds, seed)
		}
	}
	w, err := world.New(made)
	if err != nil {
		return nil, app.Usage(err)
	}
	return w, nil
}

// found makes the roster's first entry. What it leaves behind when it fails is of
// a world that never was.
func (s *setup) found(w *world.World, keys []ed25519.PrivateKey, first member.Founder) error {
	m, err := openMember(s.data, w, s.key, s.cfg, roster.NoProviders{}, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	// So is one that was cut short: nobody has its world file.
	if generation, _ := m.Roster().Head(); generation > 0 {
		if err := errors.Join(m.Close(), s.unfound()); err != nil {
			return err
		}
		if m, err = openMember(s.data, w, s.key, s.cfg, roster.NoProviders{}, slog.New(slog.DiscardHandler)); err != nil {
			return err
		}
	}
	first.Member, first.Role = m, roster.RoleMemory
	err = member.Found([]member.Founder{first}, keys, time.Now())
	if err = errors.Join(err, m.Close()); err == nil {
		return nil
	}
	return errors.Join(err, s.unfound())
}

// unfound removes what a member keeps of a world.
func (s *setup) unfound() error {
	var errs []error
	for _, name := range member.Files() {
		errs = append(errs, os.RemoveAll(s.data.Path(name)))
	}
	return errors.Join(errs...)
}

// founderKeys reads the keys of founders whose files are here for the founding.
func founderKeys(files []string) ([]ed25519.PrivateKey, error) {
	var out []ed25519.PrivateKey
	for _, name := range files {
		key, err := node.LoadKey(name)
		if err != nil {
			return nil, fmt.Errorf("--founder-keys: %w", err)
		}
		out = append(out, key)
	}
	return out, nil
}

// rules are those of usual worlds, but for what was said.
func (o *CreateOptions) rules() world.RuleBundle {
	rules := world.DefaultRules()
	if o.Epoch > 0 {
		rules.EpochLenMS = uint64(o.Epoch.Milliseconds())
	}
	if o.Hops > 0 {
		rules.DefaultCircuitLen = uint32(o.Hops)
	}
	return rules
}

// charter says who decides in the world.
func (o *CreateOptions) charter(self [32]byte, mode world.Mode) (*world.Charter, error) {
	founders := [][32]byte{self}
	for _, text := range o.Founders {
		b, err := hex.DecodeString(text)
		if err != nil || len(b) != len(self) {
			return nil, app.Usage(fmt.Errorf("--founders %q: a founder's key has 64 hexadecimal digits; observer init prints it", text))
		}
		if !slices.Contains(founders, [32]byte(b)) {
			founders = append(founders, [32]byte(b))
		}
	}
	signers, threshold := o.Signers, o.SignersT
	if signers == 0 {
		signers = len(founders)
	}
	if signers < 0 || signers > len(founders) {
		return nil, app.Usage(fmt.Errorf("--signers %d: directory signers are among the founders, of whom there are %d; name more with --founders", signers, len(founders)))
	}
	if threshold == 0 {
		threshold = signers/2 + 1
	}
	quota := o.Quota
	if quota == 0 {
		quota = world.DefaultQuota
	}
	rules := o.rules()
	// Where all machines are one's own, nobody has to be kept from making nodes up.
	bits := uint32(world.DefaultTicketBits)
	if o.Local || o.Sandbox {
		bits = 1
	}
	return &world.Charter{
		Version: 1, Founders: founders, FounderThreshold: uint32(o.Threshold), Mode: mode,
		DirectorySigners: slices.Clone(founders[:signers]), DirectoryThreshold: uint32(threshold), CircuitSuite: world.CircuitSuite,
		EventHorizonS:  uint64(max(world.DefaultHorizon, world.MinHorizonEpochs*time.Duration(rules.EpochLenMS)*time.Millisecond) / time.Second),
		QuotaPerAuthor: quota, TicketBits: bits,
	}, nil
}
