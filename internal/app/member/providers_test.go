package member

import (
	"crypto/ed25519"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/roster"
	"github.com/culvert-net/culvert/mesh/world"
)

// Who serves a model is no member that anybody speaks with. What a provider says
// of others, such as who runs them, cuts nobody off: it signs for its own key only.
func TestProviders(t *testing.T) {
	founder := newKey(t)
	m := open(t, makeWorld(t, 1, founder), founder)
	try(t, foundBy(m, "acme", time.Now(), founder))

	provides := func(key ed25519.PrivateKey) *Providers {
		epoch := m.cfg.World.Epoch(time.Now())
		n := directory.Node{
			Addrs: []string{"/ip4/127.0.0.1/tcp/4811"}, Models: []directory.Model{{ID: "m", Runtime: "vllm"}},
			Onion: []directory.OnionKey{{Public: [32]byte{1}, NotAfter: m.cfg.World.EpochStart(epoch + 1)}},
		}
		ds, err := directory.Build(key, m.cfg.World.ID, epoch, 1, n)
		try(t, err)
		u := ds[0].DescriptorUnsigned
		u.ContactPoints = append(slices.Clone(u.ContactPoints), "operator:acme")
		set := directory.NewSet(m.cfg.World)
		if r := set.Add([]world.Descriptor{world.SignDescriptor(key, u)}, time.Now()); r.Added != 1 {
			t.Fatalf("Add = %+v", r)
		}
		return NewProviders(set)
	}
	if err := m.Roster().Check(m.Self(), provides(newKey(t))); err != nil {
		t.Errorf("a provider that names a member's operator: %v", err)
	}
	if err := m.Roster().Check(m.Self(), provides(founder)); !errors.Is(err, roster.ErrProvider) {
		t.Errorf("a member that serves a model: %v, want ErrProvider", err)
	}
}
