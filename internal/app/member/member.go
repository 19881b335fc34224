package member

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/files"
	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/internal/kv/bolt"
	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/eventlog"
	"github.com/culvert-net/culvert/mesh/gossip"
	"github.com/culvert-net/culvert/mesh/roster"
	"github.com/culvert-net/culvert/mesh/rules"
	"github.com/culvert-net/culvert/mesh/seal"
	"github.com/culvert-net/culvert/mesh/world"
)

// Files of a member in its data directory, besides those of package roster.
const (
	GroupFile = "group.keys" // wrap key and masters
	LogFile   = "log.db"     // the event log
	StoreFile = "member.db"  // invites, approvals that are waited for, what was signed
)

// Config is what a member is made of. All fields are required.
type Config struct {
	Dir       string // data directory, whose lock the caller holds
	World     *world.World
	Key       ed25519.PrivateKey // of the member, its transport key
	Providers roster.Providers   // who stands as a provider
	Log       *slog.Logger
	Join      string // the command by which this node becomes a member, for people; empty is an observer's

	// Rules is when a rule bundle that members endorse is active here; zero is
	// rules.DefaultPolicy.
	Rules rules.Policy
}

// Member is the open files of a member, and of somebody who may become one.
type Member struct {
	cfg  Config
	self roster.Key

	chain     *roster.Chain
	keys      *roster.Keyring
	events    *eventlog.Log
	admission *eventlog.Admission
	clock     *eventlog.Clock
	book      *seal.Book
	store     *bolt.Store
	invites   *roster.Invites
	pool      *roster.Pool
	cosigner  *roster.Cosigner
	desk      *roster.Desk
	rotations *rotations
	waiting   *waiting
	endorsed  *endorsements

	mu      sync.Mutex
	changed chan struct{} // closed when the roster, its keys or what waits changed; guarded by mu
}

// Open opens the files, and makes those that are not there.
func Open(cfg Config) (_ *Member, err error) {
	m := &Member{cfg: cfg, self: [32]byte(cfg.Key.Public().(ed25519.PublicKey)), changed: make(chan struct{})}
	defer func() {
		if err != nil {
			err = errors.Join(explained(err), m.Close())
		}
	}()
	if m.chain, err = roster.OpenChain(cfg.Dir, cfg.World); err != nil {
		return m, err
	}
	path := func(name string) string { return (&app.Data{Dir: cfg.Dir}).Path(name) }
	if m.keys, err = roster.OpenKeyring(path(GroupFile), m.Roster()); err != nil {
		return m, err
	}
	if m.events, err = eventlog.Open(path(LogFile), eventlog.Config{World: cfg.World, Replica: m.replica}); err != nil {
		return m, err
	}
	if m.store, err = bolt.Open(path(StoreFile)); err != nil {
		return m, err
	}
	if m.book, err = seal.NewBook(cfg.World, sealLog{m.events}, proofs{m.store}); err != nil {
		return m, err
	}
	m.clock = eventlog.NewClock(cfg.World)
	m.admission = eventlog.NewAdmission(eventlog.AdmissionConfig{Log: m.events, Members: wasMember{m.Roster()}, Clock: m.clock})
	m.invites = roster.NewInvites(m.store, cfg.World)
	m.pool = roster.NewPool(m.Roster(), m.store, m.self)
	m.cosigner = roster.NewCosigner(cfg.Key, m.Roster(), m.store)
	m.rotations, m.waiting = &rotations{m: m}, &waiting{m: m, others: make(map[asked]roster.Petition)}
	m.endorsed = &endorsements{m: m, policy: cmp.Or(cfg.Rules, rules.DefaultPolicy())}
	m.desk = &roster.Desk{
		Chain: m.chain, Keyring: m.keys, Invites: m.invites, Pool: m.pool,
		Providers: cfg.Providers, Key: cfg.Key,
	}
	return m, nil
}

// explained gives what is wrong with files its exit code.
func explained(err error) error {
	switch {
	case errors.Is(err, files.ErrNotPrivate):
		return app.Refused(err)
	case errors.Is(err, kv.ErrDamaged), errors.Is(err, roster.ErrDamaged), errors.Is(err, eventlog.ErrNewer), errors.Is(err, eventlog.ErrOtherWorld):
		return app.Usage(err)
	}
	return err
}

// Close releases the files. It may be called twice.
func (m *Member) Close() error {
	var errs []error
	if m.events != nil {
		errs = append(errs, m.events.Close())
	}
	if m.store != nil {
		errs = append(errs, m.store.Close())
	}
	if m.chain != nil {
		errs = append(errs, m.chain.Close())
	}
	return errors.Join(errs...)
}

// Roster is who is a member.
func (m *Member) Roster() *roster.Roster { return m.chain.Roster() }

// log is the event log as sync and push need it.
func (m *Member) log() *gossip.Store {
	return &gossip.Store{Events: m.events, Admission: m.admission}
}

// Self is the own key.
func (m *Member) Self() roster.Key { return m.self }

// Wrap is the public key to which the group's masters are sealed for this node.
func (m *Member) Wrap() [32]byte { return m.keys.Wrap() }

// replica is this node's id in an epoch's version vector.
func (m *Member) replica(epoch uint64) world.Hash {
	secret := world.NewSecret([32]byte(m.cfg.Key.Seed()))
	defer secret.Erase()
	own := secret.Derive("culvert replica", m.cfg.World.ID[:])
	defer own.Erase()
	return world.KeyedReplicaID(own, m.cfg.World.ID, epoch)
}

// IsMember is nil if this node is a member, and else says why it is not, and
// what would help.
func (m *Member) IsMember() error {
	if _, is := m.Roster().Member(m.self); !is {
		err := m.Roster().Check(m.self, m.cfg.Providers)
		if errors.Is(err, roster.ErrRemoved) {
			return errors.New("this node was evicted from its world; ask a member for a new invite, for a new key")
		}
		return fmt.Errorf("this node is no member of its world yet; ask a member for an invite, then: %s", cmp.Or(m.cfg.Join, "observer join FILE"))
	}
	if _, ok := m.keys.Newest(); !ok {
		return errors.New("the group's key has not arrived yet")
	}
	return nil
}

// Updated is closed when the roster, the keys or what waits for approvals
// changed after the call.
func (m *Member) Updated() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.changed
}

// update wakes who waits for Updated.
func (m *Member) update() {
	m.mu.Lock()
	defer m.mu.Unlock()
	close(m.changed)
	m.changed = make(chan struct{})
}

// settle makes the roster's entry of what has its approvals.
func (m *Member) settle(ctx context.Context, now time.Time) error {
	before, _ := m.Roster().Head()
	err := m.desk.Settle(ctx, now)
	if after, _ := m.Roster().Head(); after != before {
		m.cfg.Log.Info("the roster has a new generation", "generation", after, "members", len(m.Roster().Members()))
		m.update()
	}
	if err != nil {
		return fmt.Errorf("carrying out what was approved: %w", err)
	}
	return nil
}

// Say puts an event of our own into the log. Others get it by push and sync.
func (m *Member) Say(ctx context.Context, e *event.Event, now time.Time) error {
	if err := m.IsMember(); err != nil {
		return err
	}
	if err := m.admission.Check(ctx, e, nil, eventlog.ViaOwn, now); err != nil {
		return err
	}
	r, err := m.events.Add(ctx, []*event.Event{e}, eventlog.ViaOwn, now)
	if err == nil && len(r.Refused) > 0 {
		err = r.Refused[0].Reason
	}
	return err
}

// wasMember is whom the log takes events of.
type wasMember struct{ r *roster.Roster }

var _ eventlog.Members = wasMember{}

// Member implements eventlog.Members.
func (w wasMember) Member(key [32]byte, epoch uint64) bool { return w.r.WasMember(key, epoch) }

// Founder is one of a world's first members.
type Founder struct {
	Member   *Member
	Role     roster.Role
	Operator string

	// Approvals are those of founders whose keys are elsewhere. Only the first one's
	// are looked at.
	Approvals []roster.Approval
}

// Found makes the first entry of a new world, of which all are the first
// members, and gives it to each. keys are of founders; with those whose approvals
// there are, as many as decide there.
func Found(all []Founder, keys []ed25519.PrivateKey, now time.Time) error {
	first := all[0].Member
	f := roster.Founding{World: *first.cfg.World, Keys: keys, Proposer: first.cfg.Key, Approvals: all[0].Approvals}
	for _, m := range all {
		if err := roster.CheckOperator(m.Operator); err != nil {
			return app.Usage(err)
		}
		f.Members = append(f.Members, roster.Member{Key: m.Member.self, Wrap: m.Member.Wrap(), Role: m.Role, Operator: m.Operator})
	}
	_, e, boxes, err := roster.Found(f, now)
	if err != nil {
		return app.Usage(err)
	}
	for _, m := range all {
		if err := m.Member.chain.Append(e, &boxes, now); err != nil {
			return err
		}
		if err := m.Member.keys.Open(m.Member.self, boxes); err != nil {
			return err
		}
	}
	return nil
}

// Files are all that a member keeps in its data directory; the last two are
// package roster's.
func Files() []string {
	return []string{GroupFile, LogFile, StoreFile, "roster.chain", "boxes"}
}
