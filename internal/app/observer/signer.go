package observer

import (
	"context"
	"time"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/member"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/directory/mirror"
	"github.com/culvert-net/culvert/mesh/directory/notary"
	"github.com/culvert-net/culvert/mesh/quorum"
	"github.com/culvert-net/culvert/mesh/world"
)

// Files of an observer's part in a signed directory.
const (
	ownFile    = "own.db"    // what it said of itself
	signedFile = "signed.db" // what it signed, if it is a directory signer
)

// join makes this node's part in the directory: it mirrors what signers sign,
// takes publications if it is a seed, and signs if it is one of them.
func (ob *observer) join(home *node.Home, m *member.Member) ([]app.Part, error) {
	view := directory.NewView(ob.world)
	add := func(ds []world.Descriptor) { ob.set.Add(ds, time.Now()) }
	ob.taken = make(chan published, maxTaken)
	var err error
	ob.directory, err = node.OpenSigned(node.SignedConfig{
		World: ob.world, View: view, Dir: home.Data.Path(""), Host: ob.host,
		Key: home.Key, Keys: home.Onion, Say: ob.self, Said: add, Stamped: func(ds []world.Descriptor, stamp []byte) {
			for _, d := range ds {
				ob.publish(d, stamp)
			}
		}, File: home.Data.Path(ownFile), Log: ob.log,
	})
	if err != nil {
		return nil, err
	}
	parts := []app.Part{
		{Name: "directory", Run: ob.directory.Run},
		// What the last root says is known here too, whoever published where.
		{Name: "directory watch", Run: func(ctx context.Context) error {
			return node.Follow(ctx, view, func() {
				snap := view.Snapshot()
				add(snap.Descriptors())
				ob.set.AddSheets(snap.Sheets(), true, time.Now())
			})
		}},
		{Name: "descriptors to members", Run: ob.tellMembers},
		{Name: "descriptors of members", Run: ob.hearMembers},
	}
	if ob.memory == nil {
		return parts, nil
	}
	ob.notary, err = notary.New(notary.Config{
		World: ob.world, Quorum: quorum.Of(ob.world), Key: home.Key, Memory: ob.memory, Set: ob.set, Store: ob.directory.Store,
		Peers: node.Signers{Host: ob.host, World: ob.world, Nodes: ob.set}, Roster: rosterOf{m},
		FirstNodes: ob.cfg.Directory.FirstNodes, Behind: ob.directory.Refresh, Log: ob.log,
	})
	if err != nil {
		return nil, err
	}
	return append(parts, app.Part{Name: "directory signer", Run: ob.notary.Run}), nil
}

// openMemory opens what this node has signed, if it is a directory signer: roots
// and seals. There is one memory for all that its key signs; of two, each would
// write the file without what the other knows.
func (ob *observer) openMemory(data *app.Data) (err error) {
	if quorum.Of(ob.world).Has(ob.host.Key()) {
		ob.memory, err = quorum.OpenMemory(data.Path(signedFile), ob.world.ID)
	}
	return err
}

// serveDirectory answers questions to the directory until ctx ends.
func (ob *observer) serveDirectory(ctx context.Context) {
	var desk mirror.Desk
	if ob.isSeed() {
		desk = notary.NewDesk(ob.world, ob.set, ob.publish)
	}
	node.ServeMirror(ctx, ob.host, ob.directory.Store, desk, ob.log)
	if ob.notary != nil {
		node.ServeSigners(ob.host, ob.notary, quorum.Of(ob.world), ob.log)
	}
}

// rosterOf is what roots say of the roster.
type rosterOf struct{ m *member.Member }

var _ notary.Roster = rosterOf{}

// Head implements notary.Roster.
func (r rosterOf) Head() (uint64, world.Hash) { return r.m.Roster().Head() }

// Knows implements notary.Roster.
func (r rosterOf) Knows(generation uint64, hash world.Hash) bool {
	if g, h := r.m.Roster().Head(); g == generation && h == hash {
		return true
	}
	e, ok := r.m.Roster().Entry(hash)
	return ok && e.Generation == generation
}
