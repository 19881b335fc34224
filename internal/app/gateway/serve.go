package gateway

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/body"
	"github.com/culvert-net/culvert/api/tunnel"
	"github.com/culvert-net/culvert/circuit"
	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/evmrpc"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/internal/app/onchain"
	"github.com/culvert-net/culvert/internal/app/selling"
	"github.com/culvert-net/culvert/internal/app/wallet"
	"github.com/culvert-net/culvert/internal/serve"
	"github.com/culvert-net/culvert/internal/telemetry"
	"github.com/culvert-net/culvert/mesh"
	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/directory/mirror"
	"github.com/culvert-net/culvert/mesh/world"
)

// ownFile is one of a gateway's besides those of every node.
const ownFile = "own.db" // what it said of itself

// worldFiles are patterns of what a gateway keeps of its world, besides its file.
func worldFiles() []string {
	return append(mirror.Files(), node.OnionFile, ownFile, selling.SheetsFile)
}

// overStreams bounds the questions to the directory that are answered over
// circuits at a time: each is a bundle at most, sent within a minute.
const overStreams = 64

// Options is what a gateway runs on.
type Options struct {
	Data   string    // data directory, made by Init
	Config *Config   // loaded and checked
	Err    io.Writer // the log

	// Passphrases is where that of the wallet comes from.
	Passphrases *wallet.Passphrases

	// WrapLinks, if set, stands between the relay and its links: tests record
	// there what a relay sees. Programs leave it nil.
	WrapLinks func(circuit.Links) circuit.Links
}

// gateway is a running gateway. Immutable once Serve has made it.
type gateway struct {
	cfg       *Config
	log       *slog.Logger
	world     *world.World
	chain     *onchain.Settings // nil: nothing is paid
	started   time.Time
	statusURL string

	host      *mesh.Host
	known     *directory.View // who is in the world
	directory *node.Signed
	relay     *circuit.Relay
	models    *models         // nil: no provider
	money     *money          // nil: there is no chain to be paid on
	desk      *evmrpc.Desk    // nil: questions about the chain are not passed on
	seller    *selling.Seller // nil: what is served is free
	server    *tunnel.Server
	metrics   *telemetry.Registry
	requests  *telemetry.Requests // of metrics; nil: no provider
}

// Serve is a node of its world until ctx ends.
func Serve(ctx context.Context, o Options) (err error) {
	home, err := node.OpenHome(ctx, node.HomeConfig{
		Program: program, Dir: o.Data, Err: o.Err, Name: o.Config.Node.Name,
		Log: o.Config.Log, Status: o.Config.Status, Debug: o.Config.Debug, Fits: o.Config.fits,
	})
	if err != nil {
		return err
	}
	defer home.Close()
	g := &gateway{cfg: o.Config, log: home.Log, world: home.World, started: time.Now().UTC(), statusURL: home.Pages.StatusURL()}
	if g.chain, err = onchain.Join(o.Config.Chain.Config, home.World); err != nil {
		return app.Configured(err)
	}
	g.chain.Warn(g.log)
	var src *source
	if o.Config.Is(RoleProvider) {
		if src, err = newSource(&o.Config.Provider); err != nil {
			return err
		}
		defer src.closer.Close()
	}
	if g.host, err = home.Listen(o.Config.Node.Listen, o.Config.Node.Announce); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.host.Close()) }()
	parts, err := g.wire(ctx, o, home, src)
	defer func() { err = errors.Join(err, g.money.close()) }()
	if err != nil {
		return err
	}
	if g.models != nil {
		g.models.look(ctx, firstLook)
		g.money.look(ctx, firstLook)
		if err := g.unsaid(o); err != nil {
			return err
		}
		g.firstSheet()
	}
	if g.desk != nil {
		g.desk.Look(ctx, firstLook) // or bridges would know of it an epoch later
	}
	seed := g.isSeed()
	// Requests for the directory end with the host, which outlives the parts.
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	node.ServeMirror(serving, g.host, g.directory.Store, nil, g.log)
	status := serve.Status(g.ready, func() any { return g.status() }, g.metrics.Handler())
	parts = append(home.Pages.Parts(status, &serve.Server{Handler: g.admin(status)}, g.log), parts...)
	g.log.Info("gateway is serving", "roles", o.Config.Node.Roles, "seed", seed, "version", app.Version())
	return app.RunParts(ctx, parts...)
}

// addrs are where others are told to find this node.
func (g *gateway) addrs() []string {
	if len(g.cfg.Node.Announce) > 0 {
		return g.cfg.Node.Announce
	}
	return g.host.Addrs()
}

// isSeed reports whether the world file sends newcomers here.
func (g *gateway) isSeed() bool { return node.IsSeed(g.world, g.host.Key()) }

// wire joins directory, relay and tunnel. The parts are in the order of
// starting; the tunnel, last, stops first and lets its answers finish while
// circuits still live.
func (g *gateway) wire(ctx context.Context, o Options, home *node.Home, src *source) ([]app.Part, error) {
	g.known = directory.NewView(g.world)
	var err error
	g.directory, err = node.OpenSigned(node.SignedConfig{
		World: g.world, View: g.known, Dir: home.Data.Path(""), Host: g.host,
		Key: home.Key, Keys: home.Onion, Say: g.self, Sheet: g.sheet, File: home.Data.Path(ownFile), Log: g.log,
	})
	if err != nil {
		return nil, err
	}
	links := node.NewLinks(g.host, g.known)
	links.Missing = g.directory.Refresh
	links.Serve()
	var wrapped circuit.Links = links
	if o.WrapLinks != nil {
		wrapped = o.WrapLinks(links)
	}
	if err := g.openDesk(ctx); err != nil {
		return nil, err
	}
	served := []circuit.StreamKind{circuit.StreamDirectory}
	if g.desk != nil {
		served = append(served, circuit.StreamChain)
	}
	if g.cfg.Is(RoleProvider) {
		served = append(served, circuit.StreamHTTP)
	}
	if g.chain != nil && g.cfg.Is(RoleProvider) {
		served = append(served, circuit.StreamPay)
	}
	g.relay, err = circuit.NewRelay(circuit.RelayConfig{
		World: g.world.ID, Self: g.host.Key(), CellSize: int(g.world.Rules.FixedCellBytes),
		Links: wrapped, Keys: home.Onion, Log: g.log,
		Extend: g.cfg.Is(RoleRelay), Serve: served,
	})
	if err != nil {
		return nil, err
	}
	g.makeMetrics()
	parts := []app.Part{
		{Name: "directory", Run: g.directory.Run},
		{Name: "relay", Run: g.relay.Run},
		{Name: "directory over circuits", Run: func(ctx context.Context) error {
			return node.ServeMirrorOver(ctx, g.relay.Listener(circuit.StreamDirectory), overStreams, g.directory.Store, g.log)
		}},
	}
	parts = append(parts, g.deskParts()...)
	if src == nil {
		return parts, nil
	}
	g.models = &models{backend: src, url: g.cfg.Provider.URL, runtime: src.runtime, able: src.able, changed: g.directory.Changed, log: g.log}
	g.makeProviderMetrics()
	if err := g.openMoney(ctx, o, home); err != nil {
		return nil, err
	}
	if err := g.openSeller(o, home); err != nil {
		return nil, err
	}
	if g.seller != nil {
		parts = append(parts, app.Part{Name: "price sheets", Run: g.seller.Run})
	}
	parts = append(parts, g.money.parts()...)
	g.server, err = tunnel.NewServer(tunnel.ServerConfig{
		Backend:     src,
		Commit:      backend.CommitAfter,
		Budget:      body.NewBudget(int64(g.cfg.Provider.BodiesMiB) << 20),
		Ended:       node.Count(g.requests),
		Biller:      g.money.biller(),
		MaxRequests: g.cfg.Provider.Requests, Drain: serve.Drain, Log: g.log,
	})
	if err != nil {
		return nil, err
	}
	return append(parts, app.Part{Name: "model watch", Run: g.models.Run}, app.Part{Name: "tunnel", Run: func(ctx context.Context) error {
		return g.server.Run(ctx, node.Acceptor{Listener: g.relay.Listener(circuit.StreamHTTP)})
	}}), nil
}

// self is what this node says of itself, and nothing until it has something to
// offer.
func (g *gateway) self() (directory.Node, bool) {
	n := directory.Node{Name: g.cfg.Node.Name, Addrs: g.addrs(), ChainRPC: g.desk != nil && g.desk.Alive()}
	if len(n.Addrs) == 0 {
		return n, false
	}
	relays := g.cfg.Is(RoleRelay)
	if g.models == nil {
		return n, relays
	}
	models, known := g.models.offered()
	if _, alive, _ := g.models.status(); relays && !alive {
		return n, true // it can still pass circuits on
	}
	n.Models = models
	g.price(&n)
	return n, known
}
