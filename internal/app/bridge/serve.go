package bridge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/culvert-net/culvert/api"
	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/body"
	"github.com/culvert-net/culvert/api/keys"
	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/internal/app/onchain"
	"github.com/culvert-net/culvert/internal/app/wallet"
	"github.com/culvert-net/culvert/internal/peer"
	"github.com/culvert-net/culvert/internal/serve"
	"github.com/culvert-net/culvert/internal/telemetry"
	"github.com/culvert-net/culvert/mesh/directory/follow"
)

// Options is what a bridge runs on.
type Options struct {
	Data   string    // data directory
	World  string    // world file; "" means world.toml in Data
	Config *Config   // loaded and checked
	Err    io.Writer // the log

	// WrapMirrors, if set, stands between the bridge and the streams on which it
	// asks mirrors: tests record there what it says. Programs leave it nil.
	WrapMirrors func(follow.Opener) follow.Opener

	// Passphrases is where the wallet's comes from; nil: nowhere.
	Passphrases *wallet.Passphrases
}

// bridge is a running bridge. Immutable once parts has completed it.
type bridge struct {
	cfg       *Config
	log       *slog.Logger
	data      *app.Data
	started   time.Time
	wrap      func(follow.Opener) follow.Opener // of Options; may be nil
	baseURLs  []string
	statusURL string
	keys      *keyring

	passphrases *wallet.Passphrases // of Options; may be nil
	mode        mode
	metrics     *telemetry.Registry
	requests    *telemetry.Requests // of metrics
	server      *api.Server
}

// mode is what a bridge does with requests.
type mode interface {
	// name is ModeWorld or ModeLocal.
	name() string
	// backend answers the requests.
	backend() backend.Backend
	// ready is nil when a request can be answered, or joined errors.
	ready() error
	// describe adds what only this mode knows.
	describe(s *Status)
	// listed is the id of a model that goes by a name.
	listed(name string) (model string, ok bool)
	// watch adds what only this mode counts.
	watch(r *telemetry.Registry)
	// admin answers the commands that only this mode has, and passes the rest on.
	admin(rest http.Handler) http.Handler
	// parts run as long as the bridge does.
	parts() []app.Part
	// close releases what parts do not.
	close() error
}

// Serve answers clients until ctx ends.
func Serve(ctx context.Context, o Options) (err error) {
	log, err := app.NewLog(o.Err, program, o.Config.Log)
	if err != nil {
		return err
	}
	open, err := o.choose()
	if err != nil {
		return err
	}
	data, err := app.WaitData(ctx, o.Data, program)
	if err != nil {
		return err
	}
	defer data.Close()
	b := &bridge{wrap: o.WrapMirrors, passphrases: o.Passphrases, cfg: o.Config, log: log, data: data, started: time.Now().UTC()}

	if b.keys, err = openKeys(ctx, data, log); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.keys.close()) }()
	if err := b.keys.checkListen(o.Config.API.Listen, log); err != nil {
		return err
	}

	// Bind first: a taken port is found before anything has begun.
	servers, err := b.bind()
	defer servers.close()
	if err != nil {
		return err
	}
	if b.mode, err = open(ctx, b); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.mode.close()) }()
	parts, err := b.parts(servers)
	if err != nil {
		return err
	}
	log.Info("bridge is serving", "mode", b.mode.name(), "base_url", b.baseURLs[0], "version", app.Version())
	if b.mode.name() == ModeLocal {
		log.Warn("LOCAL MODE: no circuit, nothing is hidden from the upstream", "upstream", o.Config.Local.Upstream)
	}
	return app.RunParts(ctx, parts...)
}

// world is the path of the world file.
func (o *Options) world() string {
	if o.World != "" {
		return o.World
	}
	return filepath.Join(o.Data, app.WorldFile)
}

// fits says what of the configuration goes with no world, or not with this one. A
// world that is not there may come later, and is no part of the configuration.
func (o *Options) fits() error {
	_, err := o.choose()
	if errors.Is(err, node.ErrNoWorld) {
		return nil
	}
	return err
}

// choose decides between world and local mode. Local mode is only ever asked
// for, and never where there is a world: a prompt meant for a circuit must not
// go straight to somebody by a flag left in a script.
func (o *Options) choose() (func(context.Context, *bridge) (mode, error), error) {
	exists := func(path string) bool {
		_, err := os.Stat(path)
		return !errors.Is(err, fs.ErrNotExist)
	}
	own := filepath.Join(o.Data, app.WorldFile)
	file := o.world()
	there := exists(file)
	upstream := o.Config.Local.Upstream != ""
	switch {
	case upstream && (there || exists(own) || file != own):
		// A world that was named, even by a name with a mistake in it, or that is
		// this directory's, must never end in prompts sent without a circuit.
		return nil, app.Refused(fmt.Errorf("--upstream is local mode, without circuits, but %s puts this bridge into a world; "+
			"choose another directory with --data, and no --world, for local mode", file))
	case upstream:
		return newLocal, nil
	case !there:
		return nil, app.Usage(fmt.Errorf("%w at %s", node.ErrNoWorld, file))
	}
	w, err := node.LoadWorld(file)
	if err != nil {
		return nil, err
	}
	chain, err := onchain.Join(o.Config.Chain, w)
	if err != nil {
		return nil, app.Configured(err)
	}
	return func(ctx context.Context, b *bridge) (mode, error) { return newWorld(ctx, b, w, chain) }, nil
}

// bound are the listeners of a bridge.
type bound struct {
	api   []net.Listener
	pages *app.Pages
}

func (l *bound) close() {
	serve.CloseAll(l.api)
	if l.pages != nil {
		l.pages.Close()
	}
}

// bind takes the addresses. With an error, those it has must still be closed.
func (b *bridge) bind() (l bound, err error) {
	if l.api, err = serve.ListenAll("--listen", b.cfg.API.Listen, listen6); err != nil {
		return l, err
	}
	own, err := machine()
	if err != nil {
		return l, err
	}
	for _, one := range l.api {
		b.baseURLs = append(b.baseURLs, baseURLs(one.Addr().(*net.TCPAddr).AddrPort(), own)...)
	}
	if l.pages, err = app.BindPages(b.data, b.cfg.Status, b.cfg.Debug); err != nil {
		return l, err
	}
	b.statusURL = l.pages.StatusURL()
	return l, nil
}

// parts are what runs, in the order of starting: the API comes last and stops
// first, so that its requests end while circuits still live.
func (b *bridge) parts(l bound) ([]app.Part, error) {
	hosts, err := hosts(b.cfg.API.Hosts, b.cfg.API.Listen)
	if err != nil {
		return nil, err
	}
	b.makeMetrics()
	keyless, err := parseMoneyLimit(b.cfg.API.Keyless)
	if err != nil {
		return nil, app.Usage(err)
	}
	b.server, err = api.New(api.Config{
		Backend: b.mode.backend(), Log: b.log,
		Requests:  b.cfg.API.Requests,
		Budget:    body.NewBudget(int64(b.cfg.API.BodiesMiB) << 20),
		Heartbeat: b.cfg.API.Heartbeat, Isolation: api.Isolation(b.cfg.API.Isolation), Ready: b.mode.ready, Hosts: hosts,
		Ended: node.Count(b.requests),
		Keys:  b.keys.Ring, Local: b.keys.local, Keyless: keys.Money{Day: keyless},
		Banner: api.Info{Mode: b.mode.name(), Version: app.Version(), Status: b.statusURL},
	})
	if err != nil {
		return nil, app.Usage(err)
	}
	parts := append(b.mode.parts(),
		app.Part{Name: "readiness", Run: readiness{ready: b.mode.ready, log: b.log}.watch},
		app.Part{Name: "keys", Run: b.keys.Run})
	status := serve.Status(b.mode.ready, func() any { return b.status() }, b.metrics.Handler())
	admin := &serve.Server{Handler: b.keys.admin(b.mode.admin(status)), Conn: peer.Remember}
	parts = append(parts, l.pages.Parts(status, admin, b.log)...)
	server := &serve.Server{
		Name: "api", Handler: b.server.Handler(), Listeners: l.api, Malformed: api.Malformed,
		Conn: peer.Remember, Connections: maxConnections, Log: b.log,
	}
	parts = append(parts, app.Part{Name: server.Name, Run: server.Run})
	return parts, nil
}

// status is what the bridge says of itself.
func (b *bridge) status() *Status {
	err := b.mode.ready()
	s := &Status{
		Program: program, Version: app.Version(), Started: b.started, Mode: b.mode.name(),
		Ready: err == nil, Waiting: node.Reasons(err), BaseURLs: b.baseURLs, StatusURL: b.statusURL,
		Keys: b.keys.status(),
	}
	b.mode.describe(s)
	return s
}
