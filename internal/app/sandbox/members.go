package sandbox

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/culvert-net/culvert/internal/app/bridge"
	"github.com/culvert-net/culvert/internal/app/devchain/ready"
	"github.com/culvert-net/culvert/internal/app/member"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/internal/app/observer"
	"github.com/culvert-net/culvert/mesh/roster"
	"github.com/culvert-net/culvert/mesh/world"
)

// charter is that of a world whose memory nodes sign its directory, and of which
// the first is the founder; with the chain's market, if there is one.
func (p *plan) charter(chain *ready.File) *world.Charter {
	c := &world.Charter{
		Version: 1, Founders: [][32]byte{p.memories[0].key}, FounderThreshold: 1, Mode: world.ModeClosed,
		DirectoryThreshold: memories/2 + 1, CircuitSuite: world.CircuitSuite,
		EventHorizonS: uint64(horizon / time.Second), QuotaPerAuthor: world.DefaultQuota,
	}
	if chain != nil {
		c.Chain = &world.Chain{ID: chain.ChainID, Contract: chain.Market.Address, RuntimeCodeHash: world.Hash(chain.Market.CodeHash)}
	}
	for _, s := range p.memories {
		c.DirectorySigners = append(c.DirectorySigners, s.key)
	}
	return c
}

// nodes is how many nodes stand in the directory. Its first root waits for all.
func (p *plan) nodes() int { return len(p.memories) + len(p.relays) + len(p.providers) }

// found makes the members' data directories, and with them the world's roster,
// unless an earlier run has. One that was killed in between is begun again:
// nobody has used that world.
func (p *plan) found(w *world.World) error {
	done, err := p.tryFound(w)
	if done || err != nil {
		return err
	}
	for _, s := range append([]*spec{p.bridge}, p.memories...) {
		for _, name := range member.Files() {
			if err := os.RemoveAll(filepath.Join(s.dir, name)); err != nil {
				return fmt.Errorf("preparing %s: %w", s.name, err)
			}
		}
	}
	if done, err = p.tryFound(w); err == nil && !done {
		err = errors.New("founding the world: some members have a roster, and some have none")
	}
	return err
}

// tryFound is false if some members have a roster and some have none.
func (p *plan) tryFound(w *world.World) (done bool, err error) {
	all, open, err := p.members(w)
	defer func() {
		for i := range open {
			err = errors.Join(err, open[len(open)-1-i].Close())
		}
	}()
	if err != nil {
		return false, err
	}
	have := 0
	for _, f := range all {
		if generation, _ := f.Member.Roster().Head(); generation > 0 {
			have++
		}
	}
	if have > 0 {
		return have == len(all), nil
	}
	key, err := node.LoadKey(filepath.Join(p.memories[0].dir, node.KeyFile))
	if err != nil {
		return false, err
	}
	return true, member.Found(all, []ed25519.PrivateKey{key}, time.Now())
}

// members opens what the first members know, and what must be closed again, the
// last first.
func (p *plan) members(w *world.World) (all []member.Founder, open []io.Closer, err error) {
	for i, s := range p.memories {
		cfg := observer.Defaults()
		cfg.Node.Name, cfg.Node.Listen = s.name, []string{s.addr, s.quic}
		cfg.Status.Listen = "" // its admin socket says the same
		cfg.Debug.Listen = s.debug
		cfg.Directory.FirstNodes = p.nodes()
		m, data, err := observer.Prepare(s.dir, cfg, w)
		if err != nil {
			return all, open, err
		}
		open = append(open, data, m)
		// Each of another operator, as memory nodes of real worlds are.
		all = append(all, member.Founder{Member: m, Role: roster.RoleMemory, Operator: fmt.Sprintf("operator-%d", i+1)})
	}
	m, data, err := bridge.PrepareMember(p.bridge.dir, w)
	if err != nil {
		return all, open, err
	}
	return append(all, member.Founder{Member: m, Role: roster.RoleBridge}), append(open, data, m), nil
}
