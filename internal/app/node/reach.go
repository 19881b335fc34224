package node

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/config"
	"github.com/culvert-net/culvert/mesh"
	"github.com/culvert-net/culvert/mesh/world"
)

// FreePort is want if it is free, else another. It is written down, so that
// the node is found where its descriptor says, after a restart too.
func FreePort(want int) (int, error) {
	for _, port := range []int{want, 0} {
		l, err := net.Listen("tcp4", fmt.Sprintf(":%d", port))
		if err != nil {
			continue
		}
		defer l.Close()
		return l.Addr().(*net.TCPAddr).Port, nil
	}
	return 0, errors.New("no port of this machine is free")
}

// StatusAddress is where a node's status page is: as was said, else at the usual
// port of loopback if it is free, else at another that is written down.
func StatusAddress(said string, usual int) (string, error) {
	if said != "" {
		return said, nil
	}
	port, err := FreePort(usual)
	return fmt.Sprintf("127.0.0.1:%d", port), err
}

// Reach is where others find a node that listens on these addresses, and where
// they would not look for it: wildcards stand for all addresses of the
// machine's interfaces.
func Reach(listen []string, machine []netip.Addr, local bool) (found, refused []string) {
	var own []mesh.Endpoint
	for _, addr := range listen {
		at, err := mesh.ParseEndpoint(addr)
		switch {
		case err != nil: // not in a configuration that was checked
		case !at.Addr().IsUnspecified():
			own = append(own, at)
		default:
			for _, ip := range machine {
				if ip.Is4() == at.Addr().Is4() {
					own = append(own, mesh.Endpoint{AddrPort: netip.AddrPortFrom(ip, at.Port()), QUIC: at.QUIC})
				}
			}
		}
	}
	public := mesh.Publishable(own, local)
	for _, at := range own {
		switch addr := at.String(); {
		case slices.Contains(found, addr), slices.Contains(refused, addr):
		case slices.Contains(public, at):
			found = append(found, addr)
		case !at.Addr().IsLoopback() && !at.Addr().IsLinkLocalUnicast(): // nobody expects those to be found
			refused = append(refused, addr)
		}
	}
	return found, refused
}

// Addresses are where others find a node that is being set up. founds says that
// it would be the first of a new world, and local which flags make one of private
// addresses.
func Addresses(listen, announce []string, local, founds bool, flags string) ([]string, error) {
	if len(announce) > 0 {
		return announce, nil
	}
	machine, err := MachineIPs()
	if err != nil {
		return nil, err
	}
	found, refused := Reach(listen, machine, local)
	if len(found) == 0 {
		return nil, unreachable(refused, founds, flags)
	}
	return found, nil
}

// unreachable is why a node that others cannot reach is not set up, and what to
// do.
func unreachable(refused []string, founds bool, flags string) error {
	has := ""
	if len(refused) > 0 {
		has = " (not " + strings.Join(refused, ", nor ") + ")"
	}
	local := "the world is one of public addresses; one of private addresses is made with " + flags
	if founds {
		local = "for a world of private addresses, all in one network, add --local"
	}
	return app.Usage(fmt.Errorf("this machine has no public address at which others could reach it%s. "+
		"If a router forwards one, name it with --announce /ip4/ADDRESS/tcp/PORT; %s", has, local))
}

// MachineIPs are the addresses of this machine's interfaces.
func MachineIPs() ([]netip.Addr, error) {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("asking for this machine's addresses: %w; name one with --announce", err)
	}
	var out []netip.Addr
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			out = append(out, p.Addr().Unmap())
		}
	}
	return out, nil
}

// ListenOn are the addresses of a node of which nothing more is known than its
// port: TCP, and QUIC for those whose network keeps TCP from them.
func ListenOn(port int) []string {
	return []string{fmt.Sprintf("/ip4/0.0.0.0/tcp/%d", port), fmt.Sprintf("/ip4/0.0.0.0/udp/%d/quic-v1", port)}
}

// checkListen refuses an address that a node could not keep.
func checkListen(addr string) error {
	at, err := mesh.ParseEndpoint(addr)
	if err == nil && at.Port() == 0 {
		return fmt.Errorf("address %q: port 0 would be another one at every start, where nobody looks for this node; choose one", addr)
	}
	return err
}

// CheckPlace checks the keys listen and announce of a [node] section.
func CheckPlace(listen, announce []string) error {
	if len(listen) == 0 {
		return config.At("node.listen", errors.New("the list is empty; an address is needed, for example /ip4/0.0.0.0/tcp/4811"))
	}
	for _, addr := range listen {
		if err := checkListen(addr); err != nil {
			return config.At("node.listen", err)
		}
	}
	for _, addr := range announce {
		if _, err := mesh.ParseEndpoint(addr); err != nil {
			return config.At("node.announce", err)
		}
	}
	return nil
}

// CheckAnnounce says what of the announced addresses a world does not allow.
func CheckAnnounce(announce []string, w *world.World) error {
	for _, addr := range announce {
		err := CheckAddr(addr, w)
		if errors.Is(err, mesh.ErrNotPublic) {
			err = fmt.Errorf("%w, and this is no world of private ones: nobody would connect there; name the public address that a router forwards to this node", err)
		}
		if err != nil {
			return config.At("node.announce", err)
		}
	}
	return nil
}

// SeedAddrs are those of a node's addresses that the world file names. If none
// was announced it is written once, not once per transport: newcomers ask several
// seeds at once, and a UDP port that no router forwards would keep them waiting.
// Whoever has it forwarded adds it to the world file.
func SeedAddrs(announced bool, addrs []string) []string {
	tcp := slices.DeleteFunc(slices.Clone(addrs), overQUIC)
	if announced || len(tcp) == 0 {
		return addrs
	}
	return tcp
}

// overQUIC reports whether an address that was checked is one of QUIC.
func overQUIC(addr string) bool {
	at, err := mesh.ParseEndpoint(addr)
	return err == nil && at.QUIC
}

// IsSeed reports whether the world file sends newcomers to the node with this key.
func IsSeed(w *world.World, key [32]byte) bool {
	return slices.ContainsFunc(w.Seeds, func(s string) bool {
		a, err := world.ParseAddr(s)
		return err == nil && a.Key == key
	})
}

// Listen makes the host of a node, which is where others connect.
func Listen(key ed25519.PrivateKey, listen []string, local bool, log *slog.Logger) (*mesh.Host, error) {
	h, err := mesh.New(mesh.Config{Key: key, Listen: listen, Local: local, Log: log})
	// libp2p passes on the text of the system's error, not the error.
	if err != nil && strings.Contains(err.Error(), syscall.EADDRINUSE.Error()) {
		return nil, fmt.Errorf("node.listen: the port is taken by another program; stop it, or change listen in config.toml: %w", err)
	}
	return h, err
}

// Remedy is what the owner of a node without a public address can do.
const Remedy = "if a router forwards a public address, set announce in [node] to it (/ip4/ADDRESS/tcp/PORT); " +
	"a world of private addresses is made with gateway init --new-world PHRASE --local"

// WarnUnreachable tells of a node that nobody can find. It runs on: the machine
// may get its address later.
func WarnUnreachable(listen []string, local bool, log *slog.Logger) {
	machine, _ := MachineIPs() // without them the warning names none
	_, refused := Reach(listen, machine, local)
	log.Warn("others cannot reach this node: none of its addresses is public, and it is not published",
		"addresses", refused, "remedy", Remedy)
}

// maxName is the longest name a descriptor may give its node.
const maxName = 32

// CheckName refuses what a node cannot be called.
func CheckName(name string) error {
	if len(name) > maxName || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return fmt.Errorf("%q: use a to z, digits and hyphens, at most %d of them", name, maxName)
	}
	return nil
}

// SeedAddr is an address as a world file names it, with the peer id of its key.
func SeedAddr(addr string, key [32]byte) string { return addr + "/p2p/" + mesh.PeerID(key) }

// DefaultEpoch is how long an epoch is in a world that says nothing else.
func DefaultEpoch() time.Duration {
	return time.Duration(world.DefaultRules().EpochLenMS) * time.Millisecond
}
