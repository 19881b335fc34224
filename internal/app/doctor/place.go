package doctor

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/internal/files"
	"github.com/culvert-net/culvert/mesh"
	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/world"
)

// Place is a program that others connect to: it has an identity, addresses and a
// descriptor.
type Place struct {
	Patient
	Name             string   // what it calls itself
	Listen, Announce []string // of its configuration

	Key   [32]byte // zero: not readable
	Addrs []string // that the running daemon says it announces
	// Published is how many seeds have taken its descriptor, as the daemon says.
	Published int
	// Problem of the daemon's last attempt to publish; "" if it went well.
	Problem string
}

// Identity reads the key.
func (p *Place) Identity() []Finding {
	key, err := node.LoadKey(filepath.Join(p.Dir, node.KeyFile))
	if errors.Is(err, fs.ErrNotExist) {
		return One(Bad("Set the directory up: "+p.SetUp, "this node has no key yet"))
	}
	if errors.Is(err, files.ErrNotPrivate) {
		return nil // said of the data directory
	}
	if err != nil {
		return One(Bad("Restore it from a backup; a new key makes it a new node.", "%v", err))
	}
	p.Key = [32]byte(key.Public().(ed25519.PublicKey))
	clear(key) // only its public half is wanted
	return One(Fine("%s", p.name()))
}

// IsSeed reports whether the world file sends newcomers here.
func (p *Place) IsSeed() bool {
	return slices.ContainsFunc(slices.Concat(p.World.Seeds, p.World.Mirrors), func(s string) bool {
		a, err := world.ParseAddr(s)
		return err == nil && a.Key == p.Key
	})
}

// OnionKeys judges the onion keys on disk.
func (p *Place) OnionKeys() []Finding {
	if p.World == nil {
		return nil
	}
	path := filepath.Join(p.Dir, node.OnionFile)
	keys, err := directory.OpenKeyring(path, p.World)
	if errors.Is(err, files.ErrNotPrivate) {
		return nil // said of the data directory
	}
	if err != nil {
		return One(Bad(app.Shell("rm", path)+", if you have no backup of it", "%v", err))
	}
	return One(onionFinding(p.Program, p.World, keys.Expiries(), p.Running, time.Now()))
}

// onionFinding judges the ends of onion keys, newest first.
func onionFinding(program string, w *world.World, keys []directory.Expiry, running bool, now time.Time) Finding {
	const made = "one is made at the start"
	switch {
	case len(keys) == 0 && running:
		return Bad("Restart the "+program+".", "none on disk, though the %s runs", program)
	case len(keys) == 0:
		return Fine("none yet; %s", made)
	case keys[0].Epoch > w.Epoch(now)+1:
		return Warn("Set the clock right, then restart the "+program+": the key is removed by itself.",
			"the newest is from an epoch that has not begun: this machine's clock was ahead")
	case running && keys[0].Epoch+1 < w.Epoch(now):
		return Bad("Restart the "+program+"; if it stays so, is the disk full?", "the newest is of the epoch that began at %s, and was not replaced", moment(w.EpochStart(keys[0].Epoch)))
	case now.After(keys[0].NotAfter):
		return Fine("the last ended at %s; %s", moment(keys[0].NotAfter), made)
	}
	return Fine("the newest is good until %s", moment(keys[0].NotAfter))
}

// moment is a time for a person.
func moment(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05") }

// nodePort says whether the port for other nodes is free.
func nodePort(ctx context.Context, at mesh.Endpoint) Finding {
	addr, network := at.AddrPort.String(), "tcp"
	var l io.Closer
	var lc net.ListenConfig
	var err error
	if at.QUIC {
		network = "udp"
		l, err = lc.ListenPacket(ctx, network, addr)
	} else {
		l, err = lc.Listen(ctx, network, addr)
	}
	switch {
	case errors.Is(err, syscall.EADDRINUSE) && at.QUIC:
		return Bad("Stop the program that has it, or change listen in [node] of config.toml (and what your router forwards).", "%s (udp) is taken", addr)
	case errors.Is(err, syscall.EADDRINUSE):
		return Bad("Stop that program, or change listen in [node] of config.toml (and what your router forwards).",
			"%s is taken by %s", addr, Holder(ctx, addr))
	case err != nil:
		return Bad("Change listen in [node] of config.toml to an address of this machine.", "%v", err)
	}
	_ = l.Close() // nothing was accepted
	return Fine("%s (%s) is free", addr, network)
}

// announced are the addresses that others are told.
func (p *Place) announced() (addrs, refused []string, err error) {
	switch {
	case p.Running:
		for _, addr := range p.Addrs {
			if a, err := world.ParseAddr(addr); err == nil { // some end in this node's own peer id
				addrs = append(addrs, a.Transport)
			}
		}
		return addrs, nil, nil
	case len(p.Announce) > 0:
		return p.Announce, nil, nil
	}
	machine, err := node.MachineIPs()
	addrs, refused = node.Reach(p.Listen, machine, p.World.Local)
	return addrs, refused, err
}

// Addresses looks at what is announced, and dials it if the program runs.
func (p *Place) Addresses(ctx context.Context) []Finding {
	if p.World == nil || p.Misconfigured != nil {
		return nil
	}
	addrs, refused, err := p.announced()
	if err != nil {
		return One(Bad("Name one with announce in [node] of config.toml.", "%v", err))
	}
	if len(addrs) == 0 {
		text := "none that others could reach"
		if len(refused) > 0 {
			text += " (not public: " + strings.Join(refused, ", ") + ")"
		}
		return One(Bad("Do one of these: "+node.Remedy+".", "%s", text))
	}
	var host *mesh.Host
	if p.Running {
		// Not as this node: a host with its key is running.
		if host, err = mesh.New(mesh.Config{Quiet: true, Local: p.World.Local}); err != nil {
			return One(Bad("Try again.", "making a host to dial from: %v", err))
		}
		defer host.Close()
	}
	var out []Finding
	for _, addr := range addrs {
		out = append(out, p.address(ctx, host, addr))
	}
	return out
}

// address looks at one announced address, and dials it if host is not nil.
func (p *Place) address(ctx context.Context, host *mesh.Host, addr string) Finding {
	if err := node.CheckAddr(addr, p.World); err != nil {
		return Bad("Announce one that is: "+node.Remedy+".", "%v", err)
	}
	kind := "public"
	if p.World.Local {
		kind = "fit for this world of private addresses"
	}
	if host == nil {
		return Fine("%s is %s; whether it can be reached shows when the %s runs", addr, kind, p.Program)
	}
	err := Dial(ctx, host, p.World, p.Key, addr)
	switch {
	case errors.Is(err, mesh.ErrOtherKey):
		return Bad("Forward the port to this machine, or announce another address: see [node] in config.toml.", "%s leads to another node than this one", addr)
	case err != nil:
		return Warn("Try from a machine elsewhere: "+tryLine(addr)+". If that fails too, open the port in the firewall and forward it in the router.",
			"%s is %s, but this node was not reached there from this machine (%s); some routers do not lead back inside", addr, kind, strings.TrimPrefix(err.Error(), mesh.ErrUnreachable.Error()+": "))
	}
	return Fine("%s is %s, and this node answers there, dialled from this machine", addr, kind)
}

// tryLine is a command that dials an address.
func tryLine(addr string) string {
	at, err := mesh.ParseEndpoint(addr)
	if err != nil {
		return "bridge doctor"
	}
	if at.QUIC {
		return fmt.Sprintf("nc -vzu %s %d", at.Addr(), at.Port())
	}
	return fmt.Sprintf("nc -vz %s %d", at.Addr(), at.Port())
}

// Descriptor looks for this node in the seeds' directories.
func (p *Place) Descriptor() []Finding {
	if p.World == nil || p.Key == [32]byte{} {
		return nil
	}
	asked, holding := 0, 0
	var lists [][]world.Descriptor
	for _, s := range p.Seeds {
		if s.Err != nil {
			continue
		}
		asked++
		if slices.ContainsFunc(s.Answer, func(d world.Descriptor) bool { return d.Key == p.Key }) {
			holding++
		}
		lists = append(lists, s.Answer)
	}
	if asked == 0 {
		if len(p.Seeds) == 0 && p.Running {
			lists = append(lists, p.Cached.Descriptors) // it is the only seed: what it holds is what there is
			asked, holding = 1, 1
		} else {
			return One(Skip("no seed could be asked"))
		}
	}
	own, stands := Merge(p.World, time.Now(), lists...).Node(p.Key)
	addrs, _, _ := p.announced() // what is wrong with them was said of the addresses
	return One(descriptorFinding(standing{
		program: p.Program, world: p.World, node: own, stands: stands, asked: asked, holding: holding,
		running: p.Running, fresh: time.Since(p.Started) < settleTime, published: p.Published, addrs: addrs, problem: p.Problem,
	}))
}

// settleTime is how long a descriptor may take to be at every seed after a
// start.
const settleTime = 30 * time.Second

// standing is what is known of a node's descriptor.
type standing struct {
	program        string
	world          *world.World
	node           directory.Node
	stands         bool
	asked, holding int  // seeds
	running, fresh bool // fresh: since a moment ago
	published      int  // seeds that took it
	addrs          []string
	problem        string // of the last attempt to publish
}

func descriptorFinding(s standing) Finding {
	if !s.stands {
		switch {
		case !s.running:
			return Fine("none, as this %s does not run", s.program)
		case s.published > 0:
			return Fine("published to %s, and not in the directory yet: it stands in the next root, from %s on",
				app.Count(s.published, "seed"), moment(s.world.EpochStart(s.world.Epoch(time.Now())+1)))
		case s.fresh:
			return Warn("It has just started. Wait half a minute and look again.", "none of %s has it yet", app.Count(s.asked, "seed"))
		case s.problem != "":
			return Bad("See what was found of the clock and the addresses.", "none of %s has it; the last attempt: %s", app.Count(s.asked, "seed"), s.problem)
		}
		return Bad("See what was found of the clock, the addresses and the model server.", "none of %s has it", app.Count(s.asked, "seed"))
	}
	// It stands in its epoch and in the next.
	text := fmt.Sprintf("at %d of %s, with %s, until %s", s.holding, app.Count(s.asked, "seed"),
		strings.Join(s.node.Addrs, ", "), moment(s.world.EpochStart(s.node.Epoch+2)))
	switch {
	case !s.running:
		return Warn("Start the "+s.program+", else others try in vain until then.", "%s", text)
	case !sameAddrs(s.node.Addrs, s.addrs):
		return Warn("Wait a minute: a change is published within an epoch. If it stays so, restart the "+s.program+".",
			"%s; this %s now announces %s", text, s.program, strings.Join(s.addrs, ", "))
	}
	return Fine("%s. Seeds do not dial back: whether others reach it shows from elsewhere", text)
}

func sameAddrs(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

// Ports says whether those are free that the program will listen on.
func (p *Place) Ports(ctx context.Context, status, debug string) []Finding {
	if p.Running {
		return One(Fine("this %s listens on its own", p.Program))
	}
	if p.Hangs {
		return One(Skip("held by the %s that does not answer", p.Program))
	}
	if p.Misconfigured != nil {
		return One(Skip("the configuration does not say which"))
	}
	var out []Finding
	for _, addr := range p.Listen {
		if at, err := mesh.ParseEndpoint(addr); err == nil {
			out = append(out, nodePort(ctx, at))
		}
	}
	for _, l := range []struct{ flag, addr string }{{"--status-listen", status}, {"--debug", debug}} {
		if l.addr != "" {
			out = append(out, Port(ctx, l.flag, l.addr, p.Lines.Line("serve")))
		}
	}
	return out
}

// name is what the node is called.
func (p *Place) name() string { return strings.TrimSpace(p.Name + " " + node.ShortID(p.Key)) }

// AskSeeds is Patient's for a node that may be a seed itself.
func (p *Place) AskSeeds(ctx context.Context) []Finding {
	found := p.Patient.AskSeeds(ctx, true, p.Key)
	if p.World != nil && len(p.Seeds) == 0 && len(found) == 0 && p.IsSeed() {
		return One(Fine("this node is the only one"))
	}
	return found
}

// Clock is Patient's for a node that may be a seed itself.
func (p *Place) Clock() []Finding {
	if p.World != nil && len(p.Seeds) == 0 && p.IsSeed() {
		return One(Skip("this node is the only seed, so there is no clock to compare its own with"))
	}
	return p.Patient.Clock()
}

// WorldFile reads the directory's world file.
func (p *Place) WorldFile() []Finding {
	w, found := World(filepath.Join(p.Dir, app.WorldFile), p.SetUp)
	p.World = w
	return found
}

// Directory judges what is known of the world: said is what the running daemon
// knows of it, from other seeds than itself.
func (p *Place) Directory(said *node.DirectoryStatus, seeds int) []Finding {
	if p.World == nil || p.Known == nil {
		return nil
	}
	var out []Finding
	if p.Running && said != nil && seeds > 0 {
		out = DirectoryStatus(p.World, said, p.Started, time.Now())
	} else {
		providers, models := Offered(p.Known)
		out = One(Fine("%s", Holds(len(p.Known.Relays()), providers, models)))
	}
	out = append(out, p.Cached.Findings(time.Now())...)
	return append(out, Small(p.World, p.Known)...)
}
