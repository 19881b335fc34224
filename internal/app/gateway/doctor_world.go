package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/doctor"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/mesh"
	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/world"
)

// What the doctor finds of the world, and of this node's place in it.

// name is what the node is called.
func (p *patient) name() string {
	return strings.TrimSpace(p.cfg.Node.Name + " " + node.ShortID(p.key))
}

func (p *patient) worldFile(context.Context) []doctor.Finding {
	w, found := doctor.World(filepath.Join(p.dir, app.WorldFile), p.setUp())
	p.world = w
	return found
}

func (p *patient) ports(ctx context.Context) []doctor.Finding {
	if p.running {
		return one(doctor.Fine("this gateway listens on its own"))
	}
	if p.hangs {
		return one(doctor.Skip("held by the gateway that does not answer"))
	}
	if p.misconfigured != nil {
		return one(doctor.Skip("the configuration does not say which"))
	}
	var out []doctor.Finding
	for _, addr := range p.cfg.Node.Listen {
		if at, err := mesh.ParseEndpoint(addr); err == nil {
			out = append(out, nodePort(ctx, at))
		}
	}
	for _, l := range []struct{ flag, addr string }{{"--status-listen", p.cfg.Status.Listen}, {"--debug", p.cfg.Debug.Listen}} {
		if l.addr != "" {
			out = append(out, doctor.Port(ctx, l.flag, l.addr, p.lines.Line("serve")))
		}
	}
	return out
}

// nodePort says whether the port for other nodes is free.
func nodePort(ctx context.Context, at mesh.Endpoint) doctor.Finding {
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
		return doctor.Bad("Stop the program that has it, or change listen in [node] of config.toml (and what your router forwards).", "%s (udp) is taken", addr)
	case errors.Is(err, syscall.EADDRINUSE):
		return doctor.Bad("Stop that program, or change listen in [node] of config.toml (and what your router forwards).",
			"%s is taken by %s", addr, doctor.Holder(ctx, addr))
	case err != nil:
		return doctor.Bad("Change listen in [node] of config.toml to an address of this machine.", "%v", err)
	}
	_ = l.Close() // nothing was accepted
	return doctor.Fine("%s (%s) is free", addr, network)
}

func (p *patient) askSeeds(ctx context.Context) []doctor.Finding {
	if p.world == nil {
		return nil
	}
	p.cached = doctor.ReadCache(filepath.Join(p.dir, cacheFile), p.world)
	seeds, err := doctor.AskSeeds(ctx, p.world, true, p.key)
	if err != nil {
		return one(doctor.Bad("Try again.", "%v", err))
	}
	p.seeds = seeds
	p.known = doctor.Merge(p.world, time.Now(), append(doctor.Answers(seeds), p.cached.Descriptors)...)
	if len(seeds) == 0 && p.isSeed() {
		return one(doctor.Fine("this node is the only one"))
	}
	return doctor.Seeds(p.world, seeds, doctor.Names(p.known))
}

func (p *patient) isSeed() bool {
	return slices.ContainsFunc(slices.Concat(p.world.Seeds, p.world.Mirrors), func(s string) bool {
		a, err := world.ParseAddr(s)
		return err == nil && a.Key == p.key
	})
}

func (p *patient) clock(context.Context) []doctor.Finding {
	if p.world == nil {
		return nil
	}
	if len(p.seeds) == 0 && p.isSeed() {
		return one(doctor.Skip("this node is the only seed, so there is no clock to compare its own with"))
	}
	return one(doctor.Clock(p.world, time.Now(), p.seeds, p.cached.Descriptors))
}

func (p *patient) directory(context.Context) []doctor.Finding {
	if p.world == nil || p.known == nil {
		return nil
	}
	var out []doctor.Finding
	if p.running && p.status.Directory != nil && p.status.Seeds > 0 {
		out = doctor.DirectoryStatus(p.world, p.status.Directory, p.status.Started, time.Now())
	} else {
		providers, models := doctor.Offered(p.known)
		out = one(doctor.Fine("%s", doctor.Holds(len(p.known.Relays()), providers, models)))
	}
	out = append(out, p.cached.Findings(time.Now())...)
	return append(out, doctor.Small(p.world, p.known)...)
}

// announced are the addresses that others are told.
func (p *patient) announced() (addrs, refused []string, err error) {
	switch {
	case p.running:
		for _, addr := range p.status.Addrs {
			if a, err := world.ParseAddr(addr); err == nil { // some end in this node's own peer id
				addrs = append(addrs, a.Transport)
			}
		}
		return addrs, nil, nil
	case len(p.cfg.Node.Announce) > 0:
		return p.cfg.Node.Announce, nil, nil
	}
	machine, err := machineIPs()
	addrs, refused = reach(p.cfg.Node.Listen, machine, p.world.Local)
	return addrs, refused, err
}

func (p *patient) addresses(ctx context.Context) []doctor.Finding {
	if p.world == nil || p.misconfigured != nil {
		return nil
	}
	addrs, refused, err := p.announced()
	if err != nil {
		return one(doctor.Bad("Name one with announce in [node] of config.toml.", "%v", err))
	}
	if len(addrs) == 0 {
		text := "none that others could reach"
		if len(refused) > 0 {
			text += " (not public: " + strings.Join(refused, ", ") + ")"
		}
		return one(doctor.Bad("Do one of these: "+remedy+".", "%s", text))
	}
	var host *mesh.Host
	if p.running {
		// Not as this node: a host with its key is running.
		if host, err = mesh.New(mesh.Config{Quiet: true, Local: p.world.Local}); err != nil {
			return one(doctor.Bad("Try again.", "making a host to dial from: %v", err))
		}
		defer host.Close()
	}
	var out []doctor.Finding
	for _, addr := range addrs {
		out = append(out, p.address(ctx, host, addr))
	}
	return out
}

// address looks at one announced address, and dials it if host is not nil.
func (p *patient) address(ctx context.Context, host *mesh.Host, addr string) doctor.Finding {
	if err := node.CheckAddr(addr, p.world); err != nil {
		return doctor.Bad("Announce one that is: "+remedy+".", "%v", err)
	}
	kind := "public"
	if p.world.Local {
		kind = "fit for this world of private addresses"
	}
	if host == nil {
		return doctor.Fine("%s is %s; whether it can be reached shows when the gateway runs", addr, kind)
	}
	err := doctor.Dial(ctx, host, p.world, p.key, addr)
	switch {
	case errors.Is(err, mesh.ErrOtherKey):
		return doctor.Bad("Forward the port to this machine, or announce another address: see [node] in config.toml.", "%s leads to another node than this one", addr)
	case err != nil:
		return doctor.Warn("Try from a machine elsewhere: "+tryLine(addr)+". If that fails too, open the port in the firewall and forward it in the router.",
			"%s is %s, but this node was not reached there from this machine (%s); some routers do not lead back inside", addr, kind, strings.TrimPrefix(err.Error(), mesh.ErrUnreachable.Error()+": "))
	}
	return doctor.Fine("%s is %s, and this node answers there, dialled from this machine", addr, kind)
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

// descriptor looks for this node in the seeds' directories.
func (p *patient) descriptor(context.Context) []doctor.Finding {
	if p.world == nil || p.key == [32]byte{} {
		return nil
	}
	asked, holding := 0, 0
	var lists [][]world.Descriptor
	for _, s := range p.seeds {
		if s.Err != nil {
			continue
		}
		asked++
		if slices.ContainsFunc(s.Answer, func(d world.Descriptor) bool { return d.Key == p.key }) {
			holding++
		}
		lists = append(lists, s.Answer)
	}
	if asked == 0 {
		if len(p.seeds) == 0 && p.running {
			lists = append(lists, p.cached.Descriptors) // it is the only seed: what it holds is what there is
			asked, holding = 1, 1
		} else {
			return one(doctor.Skip("no seed could be asked"))
		}
	}
	own, stands := doctor.Merge(p.world, time.Now(), lists...).Node(p.key)
	addrs, _, _ := p.announced() // what is wrong with them was said of the addresses
	return one(descriptorFinding(standing{
		world: p.world, node: own, stands: stands, asked: asked, holding: holding,
		running: p.running, fresh: time.Since(p.status.Started) < settleTime, addrs: addrs, problem: p.status.Problem,
	}))
}

// settleTime is how long a descriptor may take to be at every seed after a
// start.
const settleTime = 30 * time.Second

// standing is what is known of a node's descriptor.
type standing struct {
	world          *world.World
	node           directory.Node
	stands         bool
	asked, holding int  // seeds
	running, fresh bool // fresh: since a moment ago
	addrs          []string
	problem        string // of the last attempt to publish
}

func descriptorFinding(s standing) doctor.Finding {
	if !s.stands {
		switch {
		case !s.running:
			return doctor.Fine("none, as this gateway does not run")
		case s.fresh:
			return doctor.Warn("It has just started. Wait half a minute and look again.", "none of %s has it yet", app.Count(s.asked, "seed"))
		case s.problem != "":
			return doctor.Bad("See what was found of the clock and the addresses.", "none of %s has it; the last attempt: %s", app.Count(s.asked, "seed"), s.problem)
		}
		return doctor.Bad("See what was found of the clock, the addresses and the model server.", "none of %s has it", app.Count(s.asked, "seed"))
	}
	// It stands in its epoch and in the next.
	text := fmt.Sprintf("at %d of %s, with %s, until %s", s.holding, app.Count(s.asked, "seed"),
		strings.Join(s.node.Addrs, ", "), moment(s.world.EpochStart(s.node.Epoch+2)))
	switch {
	case !s.running:
		return doctor.Warn("Start the gateway, else others try in vain until then.", "%s", text)
	case !sameAddrs(s.node.Addrs, s.addrs):
		return doctor.Warn("Wait a minute: a change is published within an epoch. If it stays so, restart the gateway.",
			"%s; this gateway now announces %s", text, strings.Join(s.addrs, ", "))
	}
	return doctor.Fine("%s. Seeds do not dial back: whether others reach it shows from elsewhere", text)
}

func sameAddrs(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

func (p *patient) ready(context.Context) []doctor.Finding {
	if !p.running {
		return nil
	}
	if len(p.status.Waiting) > 0 {
		return doctor.Waiting(p.status.Waiting, p.status.Started, time.Now(), "See what was found above. What the gateway does: "+p.lines.Line("status"))
	}
	return one(doctor.Fine("yes, as %s", strings.Join(p.status.Roles, " and ")))
}
