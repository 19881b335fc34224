package observer

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/culvert-net/culvert/circuit"
	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/member"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/internal/serve"
	"github.com/culvert-net/culvert/internal/telemetry"
	"github.com/culvert-net/culvert/mesh"
	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/directory/notary"
	"github.com/culvert-net/culvert/mesh/quorum"
	"github.com/culvert-net/culvert/mesh/world"
)

// Options is what an observer runs on.
type Options struct {
	Data   string    // data directory, made by Init, Create or Join
	Config *Config   // loaded and checked
	Err    io.Writer // the log
}

// observer is a running observer. Immutable once Serve has made it.
type observer struct {
	cfg       *Config
	log       *slog.Logger
	world     *world.World
	started   time.Time
	statusURL string

	host      *mesh.Host
	set       *directory.Set
	directory *node.Signed
	notary    *notary.Notary // nil: this node is no directory signer
	taken     chan published // descriptors that other members are to be told of
	relay     *circuit.Relay
	clock     *node.ClockWatch
	member    *member.Service
	memory    *quorum.Memory // nil: this node is no directory signer
	metrics   *telemetry.Registry
}

// Serve is a member of its world until ctx ends.
func Serve(ctx context.Context, o Options) (err error) {
	home, err := node.OpenHome(ctx, node.HomeConfig{
		Program: program, Dir: o.Data, Err: o.Err, Name: o.Config.Node.Name,
		Log: o.Config.Log, Status: o.Config.Status, Debug: o.Config.Debug, Fits: o.Config.fits,
	})
	if err != nil {
		return err
	}
	defer home.Close()
	ob := &observer{cfg: o.Config, log: home.Log, world: home.World, started: time.Now().UTC(), statusURL: home.Pages.StatusURL()}
	ob.set = directory.NewSet(ob.world)
	m, err := openMember(home.Data, ob.world, home.Key, o.Config, member.NewProviders(ob.set), ob.log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	// Files are open before anybody connects: a node that listens is to answer soon.
	if ob.host, err = home.Listen(o.Config.Node.Listen, o.Config.Node.Announce); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ob.host.Close()) }()
	parts, err := ob.wire(home, m)
	if err != nil {
		return err
	}
	// Requests for the directory end with the host, which outlives the parts.
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	ob.serveDirectory(serving)
	ob.member.ServeHost(serving, ob.host)
	status := serve.Status(ob.ready, func() any { return ob.status() }, ob.metrics.Handler())
	ops := &member.Ops{Member: m, Service: ob.member, Addrs: ob.seedAddrs}
	parts = append(home.Pages.Parts(status, &serve.Server{Handler: ops.Handler(status)}, ob.log), parts...)
	if why := m.IsMember(); why != nil {
		ob.log.Warn("this node is no member that reads", "err", why)
	}
	ob.log.Info("observer is serving", "roles", o.Config.Node.Roles, "seed", ob.isSeed(), "version", app.Version())
	return app.RunParts(ctx, parts...)
}

// addrs are where others are told to find this node.
func (ob *observer) addrs() []string {
	if len(ob.cfg.Node.Announce) > 0 {
		return ob.cfg.Node.Announce
	}
	return ob.host.Addrs()
}

// seedAddrs are where a newcomer finds this node.
func (ob *observer) seedAddrs() []string {
	var out []string
	for _, addr := range ob.addrs() {
		if a, err := world.ParseAddr(addr); err == nil { // some end in the peer id already
			out = append(out, node.SeedAddr(a.Transport, ob.host.Key()))
		}
	}
	return out
}

// isSeed reports whether the world file sends newcomers here.
func (ob *observer) isSeed() bool { return node.IsSeed(ob.world, ob.host.Key()) }

// wire joins directory, circuits and what members do. The parts are in the order
// of starting: sync stops before the circuits over which it is asked for.
func (ob *observer) wire(home *node.Home, m *member.Member) ([]app.Part, error) {
	if err := ob.openMemory(home.Data); err != nil {
		return nil, err
	}
	directoryParts, err := ob.join(home, m)
	if err != nil {
		return nil, err
	}
	links := node.NewLinks(ob.host, ob.set)
	links.Serve()
	ob.relay, err = circuit.NewRelay(circuit.RelayConfig{
		World: ob.world.ID, Self: ob.host.Key(), CellSize: int(ob.world.Rules.FixedCellBytes),
		Links: links, Keys: home.Onion, Log: ob.log,
		Serve: []circuit.StreamKind{circuit.StreamDirectory, circuit.StreamSync, circuit.StreamJoin},
	})
	if err != nil {
		return nil, err
	}
	ob.clock = &node.ClockWatch{
		World: ob.world, Host: ob.host, First: clockFirst, Every: clockEvery, Log: ob.log,
	}
	if ob.member, err = m.StartHost(member.Links{Host: ob.host, Set: ob.set}); err != nil {
		return nil, err
	}
	if ob.memory != nil {
		if err := ob.member.Sign(ob.memory, member.Links{Host: ob.host, Set: ob.set}); err != nil {
			return nil, err
		}
	}
	ob.makeMetrics()
	parts := []app.Part{
		{Name: "circuits", Run: ob.relay.Run},
		{Name: "directory over circuits", Run: func(ctx context.Context) error {
			return node.ServeMirrorOver(ctx, ob.relay.Listener(circuit.StreamDirectory), overStreams, ob.directory.Store, ob.log)
		}},
		{Name: "sync over circuits", Run: func(ctx context.Context) error {
			return node.ServeStreams(ctx, ob.relay.Listener(circuit.StreamSync), overStreams, func(s *circuit.Stream) {
				ob.member.Serve(ctx, node.Ending{Stream: s})
			})
		}},
		{Name: "joins over circuits", Run: func(ctx context.Context) error {
			return node.ServeStreams(ctx, ob.relay.Listener(circuit.StreamJoin), overJoins, func(s *circuit.Stream) {
				ob.member.ServeJoin(ctx, node.Ending{Stream: s})
			})
		}},
		{Name: "clock watch", Run: ob.clock.Run},
	}
	return slices.Concat(directoryParts, parts, ob.member.Parts()), nil
}

// self is what this node says of itself: circuits end here, and go no further.
func (ob *observer) self() (directory.Node, bool) {
	n := directory.Node{Name: ob.cfg.Node.Name, Addrs: ob.addrs(), End: true}
	return n, len(n.Addrs) > 0
}
