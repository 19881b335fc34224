package doctor

import (
	"crypto/ed25519"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/mesh"
	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/world"
)

func TestOnionKeys(t *testing.T) {
	w := makeWorld(t, world.World{Local: true})
	now := w.EpochStart(500_000).Add(time.Minute)
	key := func(epoch uint64) directory.Expiry {
		return directory.Expiry{Epoch: epoch, NotAfter: w.EpochStart(epoch + 2)}
	}
	for _, tt := range []struct {
		name    string
		keys    []directory.Expiry
		running bool
		level   Level
		want    string
	}{
		{"fine", []directory.Expiry{key(500_000), key(499_999)}, true, OK, "good until"},
		{"none yet", nil, false, OK, "made at the start"},
		{"none, running", nil, true, Problem, "none on disk"},
		{"stopped for long", []directory.Expiry{key(400_000)}, false, OK, "made at the start"},
		{"not replaced", []directory.Expiry{key(499_990)}, true, Problem, "was not replaced"},
		{"of the future", []directory.Expiry{key(500_100)}, true, Warning, "clock was ahead"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			has(t, One(onionFinding("gateway", w, tt.keys, tt.running, now)), tt.level, tt.want)
		})
	}
}

func TestDescriptor(t *testing.T) {
	w := makeWorld(t, world.World{Local: true})
	mine := []string{"/ip4/10.0.0.1/tcp/4811"}
	stands := standing{program: "gateway", world: w, stands: true, asked: 3, holding: 2, running: true, addrs: mine, node: directory.Node{Addrs: mine, Epoch: 500_000}}
	change := func(f func(*standing)) standing { s := stands; f(&s); return s }
	for _, tt := range []struct {
		name  string
		s     standing
		level Level
		want  string
	}{
		{"fine", stands, OK, "at 2 of 3 seeds, with /ip4/10.0.0.1/tcp/4811, until " + moment(w.EpochStart(500_002))},
		{"another address", change(func(s *standing) { s.addrs = []string{"/ip4/10.0.0.2/tcp/4811"} }), Warning, "now announces /ip4/10.0.0.2/tcp/4811"},
		{"stopped", change(func(s *standing) { s.running = false }), Warning, "others try in vain"},
		{"nowhere", change(func(s *standing) { s.stands = false }), Problem, "none of 3 seeds has it"},
		{"refused", change(func(s *standing) { s.stands, s.problem = false, "refused: of another world" }), Problem, "the last attempt: refused: of another world"},
		{"nowhere yet", change(func(s *standing) { s.stands, s.fresh = false, true }), Warning, "just started"},
		{"nowhere, stopped", change(func(s *standing) { s.stands, s.running = false, false }), OK, "does not run"},
	} {
		t.Run(tt.name, func(t *testing.T) { has(t, One(descriptorFinding(tt.s)), tt.level, tt.want) })
	}
}

func TestAddress(t *testing.T) {
	_, priv, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	self, err := mesh.New(mesh.Config{Key: priv, Listen: []string{"/ip4/127.0.0.1/tcp/0"}, Local: true})
	if err != nil {
		t.Fatal(err)
	}
	defer self.Close()
	node.ServeMirror(t.Context(), self, mirrored(t, makeWorld(t, world.World{Local: true}), "", time.Now(), 1), nil, slog.New(slog.DiscardHandler))
	addr := strings.Split(self.Addrs()[0], "/p2p/")[0]
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	closed := fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", l.Addr().(*net.TCPAddr).Port)
	public, err := world.New(world.World{Phrase: "x", Rules: world.DefaultRules(), Founder: public(signer)})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		world *world.World
		key   [32]byte
		addr  string
		dial  bool
		level Level
		want  string
	}{
		{"fine", makeWorld(t, world.World{Local: true}), self.Key(), addr, true, OK, "this node answers there"},
		{"not running", makeWorld(t, world.World{Local: true}), self.Key(), addr, false, OK, "shows when the gateway runs"},
		{"another node", makeWorld(t, world.World{Local: true}), [32]byte{7}, addr, true, Problem, "another node"},
		{"nobody", makeWorld(t, world.World{Local: true}), self.Key(), closed, true, Warning, "nc -vz 127.0.0.1 "},
		{"not public", public, self.Key(), "/ip4/10.0.0.1/tcp/1", true, Problem, "not a public address"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var host *mesh.Host
			if tt.dial {
				if host, err = mesh.New(mesh.Config{Quiet: true, Local: true}); err != nil {
					t.Fatal(err)
				}
				defer host.Close()
			}
			p := &Place{Patient: Patient{Program: "gateway", World: tt.world}, Key: tt.key}
			has(t, One(p.address(t.Context(), host, tt.addr)), tt.level, tt.want)
		})
	}
}

func TestNodePort(t *testing.T) {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := func(a string, quic bool) mesh.Endpoint {
		return mesh.Endpoint{AddrPort: netip.MustParseAddrPort(a), QUIC: quic}
	}
	taken := []mesh.Endpoint{at(tcp.Addr().String(), false), at(udp.LocalAddr().String(), true)}
	for _, e := range taken {
		has(t, One(nodePort(t.Context(), e)), Problem, "change listen in [node]")
	}
	tcp.Close()
	udp.Close()
	for _, e := range taken {
		has(t, One(nodePort(t.Context(), e)), OK, "is free")
	}
	has(t, One(nodePort(t.Context(), at("192.0.2.1:1", false))), Problem, "an address of this machine")
}
