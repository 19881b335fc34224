package sandbox

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/bridge"
	"github.com/culvert-net/culvert/internal/app/devchain/ready"
	"github.com/culvert-net/culvert/internal/app/gateway"
	"github.com/culvert-net/culvert/internal/app/member"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/internal/app/observer"
	"github.com/culvert-net/culvert/internal/serve"
	"github.com/culvert-net/culvert/mesh"
	"github.com/culvert-net/culvert/mesh/directory/mirror"
	"github.com/culvert-net/culvert/mesh/world"
)

// bridgeName is the name of the one bridge.
const bridgeName = "bridge"

// Programs of nodes.
const (
	programBridge   = "bridge"
	programGateway  = "gateway"
	programObserver = "observer"
	programDevchain = "devchain"
)

// spec is one node before it runs.
type spec struct {
	name     string
	program  string
	dir      string // data directory
	log      string // file
	logLevel string
	role     string // of a gateway
	addr     string // of all but the bridge, as multiaddr; TCP
	quic     string // the same port of UDP
	debug    string // address of its debug server; "" is none
	key      [32]byte
	flags    []string // of its serve, besides those of all
}

// plan is all nodes of a sandbox.
type plan struct {
	dir       string
	chain     *spec   // nil: none
	memories  []*spec // members, who sign the directory
	relays    []*spec
	providers []*spec
	bridge    *spec
	statusURL string // of the bridge
	held      *ports // of the nodes
}

// source is where providers get their answers.
type source struct {
	kind string // gateway.BackendOpenAI or BackendMock
	url  string
}

// layPlan says which nodes there will be, with their keys and addresses. Those of
// an earlier run in dir are kept where they can be. Their ports are held for them.
func layPlan(o *Options, dir string) (_ *plan, err error) {
	p := &plan{dir: dir, held: new(ports), bridge: newSpec(o, dir, bridgeName, programBridge)}
	defer func() {
		if err != nil {
			p.held.release()
		}
	}()
	for i := range memories {
		p.memories = append(p.memories, newSpec(o, dir, fmt.Sprintf("memory-%d", i+1), programObserver))
	}
	for i := range o.Relays {
		s := newSpec(o, dir, fmt.Sprintf("relay-%d", i+1), programGateway)
		s.role = gateway.RoleRelay
		p.relays = append(p.relays, s)
	}
	for i := range o.Providers {
		s := newSpec(o, dir, fmt.Sprintf("provider-%d", i+1), programGateway)
		s.role = gateway.RoleProvider
		p.providers = append(p.providers, s)
	}
	if err := os.MkdirAll(filepath.Join(dir, "logs"), 0o700); err != nil {
		return nil, fmt.Errorf("preparing the sandbox: %w", err)
	}
	for i, s := range slices.Concat(p.relays, p.providers, p.memories) {
		if err := s.identify(p.held, host(i+1)); err != nil {
			return nil, err
		}
	}
	if o.Debug {
		for _, s := range p.all() {
			port, err := p.held.take("127.0.0.1", 0)
			if err != nil {
				return nil, err
			}
			s.debug = "127.0.0.1:" + strconv.Itoa(port)
		}
	}
	if o.Chain {
		p.chain = newSpec(o, dir, chainName, programDevchain)
		if err := p.prepareChain(o.Debug); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// write writes everything the nodes need: world file, data directories. chain is
// the one that runs already; nil: there is none.
func (p *plan) write(ctx context.Context, o *Options, src source, chain *ready.File) error {
	defer p.held.yield()
	w, err := p.world(o, chain)
	if err != nil {
		return err
	}
	for _, s := range append(append([]*spec{}, p.relays...), p.providers...) {
		if err := gateway.Prepare(s.dir, s.config(src, chain), w); err != nil {
			return err
		}
	}
	if err := p.prepareBridge(o, w, chain); err != nil {
		return err
	}
	if err := p.found(w); err != nil || chain == nil {
		return err
	}
	return p.prepareMoney(ctx, chain)
}

// all is every node, and the chain.
func (p *plan) all() []*spec {
	return slices.Concat(p.chains(), p.memories, p.relays, p.providers, []*spec{p.bridge})
}

func newSpec(o *Options, dir, name, program string) *spec {
	return &spec{
		name: name, program: program, logLevel: o.LogLevel,
		dir: filepath.Join(dir, name), log: filepath.Join(dir, "logs", name+".log"),
	}
}

// identify gives a node its key and address.
func (s *spec) identify(held *ports, host string) error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fmt.Errorf("preparing %s: %w", s.name, err)
	}
	key, err := node.EnsureKey(s.dir)
	if err != nil {
		return err
	}
	s.key = [32]byte(key.Public().(ed25519.PublicKey))
	prefix := "/ip4/" + host + "/tcp/"
	port, err := held.take(host, s.lastPort(prefix))
	if err != nil {
		return err
	}
	s.addr = prefix + strconv.Itoa(port)
	s.quic = fmt.Sprintf("/ip4/%s/udp/%d/quic-v1", host, port)
	return nil
}

// lastPort is the port of an earlier run, 0 if there was none.
func (s *spec) lastPort(prefix string) int {
	listen := s.lastListen()
	if len(listen) == 0 {
		return 0
	}
	port, err := strconv.Atoi(strings.TrimPrefix(listen[0], prefix))
	if err != nil {
		return 0
	}
	return port
}

// lastListen are the addresses of an earlier run. Whatever a file that cannot be
// read said, it is written anew.
func (s *spec) lastListen() []string {
	if s.program == programObserver {
		cfg := observer.Defaults()
		if _, err := app.Load(cfg, s.program, s.dir, nil); err != nil {
			return nil
		}
		return cfg.Node.Listen
	}
	cfg := gateway.Defaults()
	if _, err := app.Load(cfg, s.program, s.dir, nil); err != nil {
		return nil
	}
	return cfg.Node.Listen
}

// config is a gateway's config.toml.
func (s *spec) config(src source, chain *ready.File) *gateway.Config {
	cfg := gateway.Defaults()
	cfg.Node.Name, cfg.Node.Roles, cfg.Node.Listen = s.name, []string{s.role}, []string{s.addr, s.quic}
	cfg.Status.Listen = "" // its admin socket says the same
	cfg.Debug.Listen = s.debug
	if s.role == gateway.RoleProvider {
		cfg.Provider.Backend, cfg.Provider.URL = src.kind, src.url
		if chain != nil {
			cfg.Chain.Preset, cfg.Chain.URL, cfg.Chain.DeployBlock = chainPreset, chain.RPC, int(chain.Market.Block)
		}
	}
	return cfg
}

// world makes the world file, DIR/world.toml. Its phrase is the one of an
// earlier run, else random: two sandboxes are two worlds.
func (p *plan) world(o *Options, chain *ready.File) (*world.World, error) {
	path := filepath.Join(p.dir, app.WorldFile)
	phrase := "sandbox-" + strings.ToLower(rand.Text()[:8])
	old, err := world.Load(path)
	switch {
	case err == nil:
		phrase = old.Phrase
	case !errors.Is(err, fs.ErrNotExist):
		return nil, app.Usage(fmt.Errorf("%w; delete the file to have it made anew", err))
	}
	w := world.World{Phrase: phrase, Rules: world.DefaultRules(), Charter: p.charter(chain), Local: true, Sandbox: true}
	w.Rules.EpochLenMS = uint64(o.Epoch.Milliseconds())
	w.Rules.DefaultCircuitLen = uint32(o.Hops)
	for _, s := range slices.Concat(p.memories, p.relays) {
		w.Seeds = append(w.Seeds, s.addr+"/p2p/"+mesh.PeerID(s.key))
	}
	made, err := world.New(w)
	if err != nil {
		return nil, app.Usage(err)
	}
	return made, world.WriteFile(path, made)
}

// prepareBridge writes the bridge's data directory.
func (p *plan) prepareBridge(o *Options, w *world.World, chain *ready.File) error {
	// A taken address is found before anything is started.
	l, err := serve.Listen("--listen", o.Listen)
	if err != nil {
		return err
	}
	at := l.Addr().(*net.TCPAddr)
	if err := l.Close(); err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	p.held.keep(at)
	cfg := bridge.Defaults()
	cfg.API.Listen = []string{at.String()}
	cfg.API.Isolation = o.Isolation
	want := 0
	if o.Listen == defaultListen {
		want = defaultStatusPort
	}
	port, err := p.held.take("127.0.0.1", want)
	if err != nil {
		return err
	}
	cfg.Status.Listen = "127.0.0.1:" + strconv.Itoa(port)
	p.statusURL = "http://" + cfg.Status.Listen
	cfg.Debug.Listen = p.bridge.debug
	set := []string{"api.listen", "api.isolation", "status.listen", "debug.listen"}
	if chain != nil {
		cfg.Chain.Preset, cfg.Chain.URL, cfg.Chain.DeployBlock = chainPreset, chain.RPC, int(chain.Market.Block)
		set = append(set, "chain.preset", "chain.url", "chain.deploy_block", "api.keyless_money_per_day")
		cfg.API.Keyless = "0" // its money is worth nothing
	}
	// Both are made anew: seeds, rules and addresses may be others.
	anew := []string{app.WorldFile, app.ConfigFile}
	if err := os.MkdirAll(p.bridge.dir, 0o700); err != nil {
		return fmt.Errorf("preparing the bridge: %w", err)
	}
	if old, err := world.Load(filepath.Join(p.bridge.dir, app.WorldFile)); err != nil || old.ID != w.ID {
		anew = append(anew, member.Files()...)
		if err := node.RemoveMatching(p.bridge.dir, mirror.Files()); err != nil {
			return fmt.Errorf("preparing the bridge: %w", err)
		}
	}
	for _, name := range anew {
		if err := os.RemoveAll(filepath.Join(p.bridge.dir, name)); err != nil {
			return fmt.Errorf("preparing the bridge: %w", err)
		}
	}
	_, err = bridge.Init(p.bridge.dir, filepath.Join(p.dir, app.WorldFile), cfg, set...)
	return err
}
