package member

import (
	"context"
	"crypto/ed25519"
	"errors"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/culvert-net/culvert/mesh"
	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/roster"
	"github.com/culvert-net/culvert/mesh/world"
)

func try(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newKey(t testing.TB) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	try(t, err)
	return key
}

func public(key ed25519.PrivateKey) [32]byte { return [32]byte(key.Public().(ed25519.PublicKey)) }

// makeWorld is a closed world of these founders, of whom so many decide and as many
// sign.
func makeWorld(t testing.TB, decide int, founders ...ed25519.PrivateKey) *world.World {
	t.Helper()
	return makeWorldOf(t, world.DefaultRules(), decide, founders...)
}

// makeWorldOf is makeWorld with rules of its own.
func makeWorldOf(t testing.TB, rules world.RuleBundle, decide int, founders ...ed25519.PrivateKey) *world.World {
	t.Helper()
	c := &world.Charter{
		Version: 1, FounderThreshold: uint32(decide), DirectoryThreshold: uint32(len(founders)/2 + 1), CircuitSuite: world.CircuitSuite,
		Mode: world.ModeClosed, EventHorizonS: uint64(world.DefaultHorizon / time.Second), QuotaPerAuthor: 100, TicketBits: 1,
	}
	for _, k := range founders {
		c.Founders = append(c.Founders, public(k))
	}
	c.DirectorySigners = c.Founders
	w, err := world.New(world.World{Phrase: "member", Rules: rules, Charter: c, Local: true})
	try(t, err)
	return w
}

func open(t testing.TB, w *world.World, key ed25519.PrivateKey) *Member {
	t.Helper()
	m, err := Open(Config{Dir: t.TempDir(), World: w, Key: key, Providers: roster.NoProviders{}, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	try(t, err)
	t.Cleanup(func() { try(t, m.Close()) })
	return m
}

// reopen is m after a restart.
func reopen(t testing.TB, m *Member) *Member {
	t.Helper()
	try(t, m.Close())
	again, err := Open(m.cfg)
	try(t, err)
	t.Cleanup(func() { try(t, again.Close()) })
	return again
}

// net1 opens sessions between members of one test.
type net1 map[[32]byte]*Service

// Open implements gossip.Dialer.
func (n net1) Open(_ context.Context, member [32]byte) (io.ReadWriteCloser, error) {
	s := n[member]
	if s == nil {
		return nil, errors.New("nobody there")
	}
	a, b := net.Pipe()
	go s.Serve(context.Background(), b) // ends with the session
	return a, nil
}

// start makes a service of each member, all of which reach one another.
func start(t testing.TB, all ...*Member) []*Service {
	t.Helper()
	n := make(net1)
	var out []*Service
	for _, m := range all {
		s, err := m.Start(n, directory.NewSet(m.cfg.World))
		try(t, err)
		n[m.Self()] = s
		out = append(out, s)
	}
	return out
}

// meet is one session.
func meet(t testing.TB, s *Service, with *Member) string {
	t.Helper()
	p := s.with(t.Context(), with.Self()).Partners[0]
	return p.Error.Label()
}

// answerJoin hears and answers a request to join.
func answerJoin(m *Member, rw io.ReadWriter) error {
	r, err := m.hearJoin(rw)
	if err != nil {
		return err
	}
	answer, _ := m.judgeJoin(context.Background(), r)
	return writeMessage(rw, answer)
}

// request makes what m asks of a host that will admit it.
func request(t testing.TB, host, m *Member) *roster.Ask {
	t.Helper()
	inv, phrase, err := host.invites.Create(t.Context(), []string{"/ip4/127.0.0.1/tcp/1/p2p/" + mesh.PeerID(host.Self())}, nil, nil, time.Now())
	try(t, err)
	ask, err := roster.NewAsk(inv, phrase, m.cfg.Key, m.Wrap(), roster.RoleMemory, "", nil, time.Now())
	try(t, err)
	return ask
}

// admitted brings m into the world through a desk, as a request to join does.
func admitted(t testing.TB, host, m *Member) {
	t.Helper()
	ask := request(t, host, m)
	a, b := net.Pipe()
	done := make(chan error, 1)
	go func() { done <- answerJoin(host, b) }()
	answer, err := exchange(a, ask, m.cfg.World.ID, m.Self(), host.Self())
	try(t, err)
	try(t, <-done)
	if answer.Kind == roster.Admitted {
		try(t, roster.Join(m.chain, m.keys, answer, time.Now()))
	}
}

func keysOf(keys ...ed25519.PrivateKey) []ed25519.PrivateKey { return keys }

// joinDirectly makes m a member by the word of the founders whose keys are given.
func joinDirectly(t testing.TB, host, m *Member, founders ...ed25519.PrivateKey) {
	t.Helper()
	joinDirectlyAt(t, host, m, founders[0], time.Now())
}

func joinDirectlyAt(t testing.TB, host, m *Member, founder ed25519.PrivateKey, now time.Time) {
	t.Helper()
	c := roster.Change{Kind: roster.Add, Member: roster.Member{Key: m.Self(), Wrap: m.Wrap(), Role: roster.RoleMemory}}
	for _, key := range []ed25519.PrivateKey{host.cfg.Key, founder} {
		if key == nil { // one founder is enough
			continue
		}
		a, err := host.Roster().Approve(key, roster.Petition{Proposer: host.Self(), Change: c}, roster.NoProviders{}, now)
		try(t, err)
		c.Approvals = append(c.Approvals, a)
	}
	e, boxes, err := host.Roster().Propose(host.cfg.Key, []roster.Change{c}, roster.NoProviders{}, now)
	try(t, err)
	try(t, host.chain.Append(e, &boxes, now))
	try(t, host.keys.Open(host.Self(), boxes))
	box, ok := boxes.For(m.Self())
	if !ok {
		t.Fatal("there is no box for the newcomer")
	}
	try(t, roster.Join(m.chain, m.keys, roster.Answer{Entries: host.Roster().Entries(0), Entry: e.Hash(), Box: box}, now))
}

// foundBy founds m's world, with m as its first member.
func foundBy(m *Member, operator string, now time.Time, keys ...ed25519.PrivateKey) error {
	return Found([]Founder{{Member: m, Role: roster.RoleMemory, Operator: operator}}, keys, now)
}
