package mesh

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
)

func TestPeerID(t *testing.T) {
	priv, pub, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	want, err := peer.IDFromPrivateKey(priv)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := pub.Raw()
	if err != nil {
		t.Fatal(err)
	}
	if got := PeerID([32]byte(raw)); got != want.String() {
		t.Errorf("PeerID = %s, libp2p says %s", got, want)
	}
	back, err := ParsePeerID(want.String())
	if err != nil || back != [32]byte(raw) {
		t.Errorf("ParsePeerID = %x, %v; want %x", back, err, raw)
	}
}

func TestParsePeerIDRefusesOtherKeys(t *testing.T) {
	for name, gen := range map[string]func() (crypto.PrivKey, crypto.PubKey, error){
		"secp256k1": func() (crypto.PrivKey, crypto.PubKey, error) { return crypto.GenerateSecp256k1Key(rand.Reader) },
		"ecdsa":     func() (crypto.PrivKey, crypto.PubKey, error) { return crypto.GenerateECDSAKeyPair(rand.Reader) },
		"rsa":       func() (crypto.PrivKey, crypto.PubKey, error) { return crypto.GenerateRSAKeyPair(2048, rand.Reader) },
	} {
		priv, _, err := gen()
		if err != nil {
			t.Fatal(err)
		}
		id, err := peer.IDFromPrivateKey(priv)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParsePeerID(id.String()); !errors.Is(err, ErrKeyType) {
			t.Errorf("%s: ParsePeerID = %v, want ErrKeyType", name, err)
		}
		if newDialer().InterceptSecured(0, id, nil) {
			t.Errorf("%s: the gate lets the peer in", name)
		}
	}
	if _, err := ParsePeerID("no peer id"); err == nil {
		t.Error("ParsePeerID of rubbish succeeded")
	}
}

func TestParseAddr(t *testing.T) {
	key := [32]byte{1, 2, 3}
	id := PeerID(key)
	for _, tt := range []struct {
		in   string
		addr string
		ok   bool
	}{
		{"/ip4/127.0.0.1/tcp/4811/p2p/" + id, "/ip4/127.0.0.1/tcp/4811", true},
		{"/ip6/2a00::1/tcp/4811/p2p/" + id, "/ip6/2a00::1/tcp/4811", true},
		{"/ip4/127.0.0.1/tcp/4811/ipfs/" + id, "/ip4/127.0.0.1/tcp/4811", true}, // the old name of p2p
		{"/ip4/127.0.0.1/tcp/4811", "", false},
		{"/p2p/" + id, "", false},
		{"/dns4/example.org/tcp/4811/p2p/" + id, "", false},
		{"/ip4/127.0.0.1/udp/4811/quic-v1/p2p/" + id, "/ip4/127.0.0.1/udp/4811/quic-v1", true},
		{"/ip6/2a00::1/udp/4811/quic-v1/p2p/" + id, "/ip6/2a00::1/udp/4811/quic-v1", true},
		{"/ip4/127.0.0.1/udp/4811/quic-v1", "", false},
		{"/ip4/127.0.0.1/udp/4811/p2p/" + id, "", false},
		{"/ip4/127.0.0.1/udp/4811/quic/p2p/" + id, "", false},
		{"/ip4/127.0.0.1/tcp/4811/quic-v1/p2p/" + id, "", false},
		{"/ip4/127.0.0.1/udp/4811/quic-v1/webtransport/p2p/" + id, "", false},
		{"/ip4/127.0.0.1/tcp/4811/ws/p2p/" + id, "", false},
		{"/ip4/127.0.0.1/tcp/4811/p2p/" + id + "/p2p-circuit", "", false},
		{"/ip6zone/eth0/ip6/fe80::1/tcp/4811/p2p/" + id, "", false},
		{"127.0.0.1:4811", "", false},
		{"", "", false},
	} {
		k, addr, err := ParseAddr(tt.in)
		if (err == nil) != tt.ok || addr != tt.addr || tt.ok && k != key {
			t.Errorf("ParseAddr(%q) = %x, %q, %v", tt.in, k, addr, err)
		}
	}
}

func TestMayDial(t *testing.T) {
	for _, tt := range []struct {
		ip            string
		public, local bool
	}{
		{"8.8.8.8", true, true},
		{"2a00:1450::1", true, true},
		{"127.0.0.1", false, true},
		{"127.5.0.1", false, true},
		{"::1", false, true},
		{"10.1.2.3", false, true},
		{"172.31.0.1", false, true},
		{"192.168.1.1", false, true},
		{"100.64.0.1", false, true},
		{"fd00::1", false, true},
		{"169.254.169.254", false, false}, // where clouds keep their secrets
		{"fe80::1", false, false},
		{"0.0.0.0", false, false},
		{"0.1.2.3", false, true},
		{"::", false, false},
		{"224.0.0.1", false, false},
		{"240.0.0.1", false, true},
		{"255.255.255.255", false, false},
		{"ff02::1", false, false},
		{"192.0.2.1", false, true},
		{"198.18.0.1", false, true},
		{"2001:db8::1", false, true},
		{"2002:a00:1::1", false, true},    // 6to4 of 10.0.0.1
		{"64:ff9b::a00:1", false, true},   // NAT64 of 10.0.0.1
		{"2001:0:a00:1::", false, true},   // Teredo
		{"::ffff:10.0.0.1", false, false}, // IPv4 in disguise
		{"::ffff:8.8.8.8", false, false},
	} {
		at := netip.AddrPortFrom(netip.MustParseAddr(tt.ip), 4811)
		if got := MayDial(at, false) == nil; got != tt.public {
			t.Errorf("MayDial(%s) = %v, want %v", tt.ip, got, tt.public)
		}
		if got := MayDial(at, true) == nil; got != tt.local {
			t.Errorf("MayDial(%s, local) = %v, want %v", tt.ip, got, tt.local)
		}
		if MayDial(netip.AddrPortFrom(at.Addr(), 0), true) == nil {
			t.Errorf("MayDial(%s) allows port 0", tt.ip)
		}
	}
}

// Who writes an address that nobody would dial is told what is wrong with it.
func TestParseEndpoint(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"/ip4/8.8.8.8/tcp/4811", ""},
		{"/ip6/2a00::1/tcp/0", ""},
		{"/ip4/8.8.8.8/udp/4811/quic-v1", ""},
		{"/ip4/8.8.8.8/udp/4811", "quic-v1"},
		{"/dns4/example.org/tcp/4811", "name server"},
		{"/dnsaddr/example.org", "name server"},
		{"/ip4/8.8.8.8/tcp/443/tls/ws", "/ip4/ADDRESS/tcp/PORT"},
		{"/ip4/8.8.8.8/tcp/4811/p2p/" + PeerID([32]byte{1}), "/p2p/"},
		{"8.8.8.8:4811", "/ip4/ADDRESS/tcp/PORT"},
		{"", "/ip4/ADDRESS/tcp/PORT"},
	} {
		at, err := ParseEndpoint(tt.in)
		switch {
		case tt.want == "" && (err != nil || at.String() != tt.in):
			t.Errorf("ParseEndpoint(%q) = %v, %v; want it", tt.in, at, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("ParseEndpoint(%q) = %v, want an error with %q", tt.in, err, tt.want)
		}
	}
}

// A node of a local world told others to find it at 127.0.0.1, where they found
// themselves.
func TestPublishable(t *testing.T) {
	at := func(all ...string) (out []Endpoint) {
		for _, s := range all {
			out = append(out, Endpoint{netip.MustParseAddrPort(s), strings.HasPrefix(s, "[")})
		}
		return out
	}
	own := at("127.0.0.1:1", "192.168.1.7:1", "8.8.8.8:1", "100.64.0.1:1", "[fe80::1]:1", "[2a00::1]:1")
	for _, tt := range []struct {
		name  string
		own   []Endpoint
		local bool
		want  []Endpoint
	}{
		{"public", own, false, at("8.8.8.8:1", "[2a00::1]:1")},
		{"local", own, true, at("192.168.1.7:1", "8.8.8.8:1", "100.64.0.1:1", "[2a00::1]:1")},
		{"local, loopback alone", own[:1], true, own[:1]},
		{"public, private alone", own[:2], false, nil},
	} {
		if got := Publishable(tt.own, tt.local); !slices.Equal(got, tt.want) {
			t.Errorf("%s: Publishable = %v, want %v", tt.name, got, tt.want)
		}
	}
	if err := MayDial(own[3].AddrPort, false); !errors.Is(err, ErrNotPublic) {
		t.Errorf("MayDial of carrier-grade NAT = %v, want ErrNotPublic", err)
	}
}

func TestDialable(t *testing.T) {
	key := [32]byte{1}
	var many []string
	for i := range 20 {
		many = append(many, fmt.Sprintf("/ip4/8.8.8.8/tcp/%d", 1000+i), fmt.Sprintf("/ip4/8.8.8.8/tcp/%d/p2p/%s", 1000+i, PeerID(key)))
	}
	got, err := dialable(key, many, false)
	if err != nil || len(got) != maxAddrs {
		t.Fatalf("dialable = %v, %v; want %d addresses", got, err, maxAddrs)
	}
	for i, at := range got {
		if int(at.Port()) != 1000+i {
			t.Errorf("address %d is %v: doubles, or not in the order given", i, at)
		}
	}
	got, err = dialable(key, []string{"rubbish", "/ip4/10.0.0.1/tcp/1", "/ip4/8.8.8.8/tcp/1"}, false)
	if err != nil || len(got) != 1 {
		t.Errorf("dialable = %v, %v; want the one good address", got, err)
	}
	if _, err := dialable(key, []string{"/ip4/8.8.8.8/tcp/1/p2p/" + PeerID([32]byte{2})}, false); !errors.Is(err, ErrNoAddress) {
		t.Errorf("address of another peer: %v, want ErrNoAddress", err)
	}
}

// Addresses come from descriptors, so from anybody.
func FuzzAddr(f *testing.F) {
	id := PeerID([32]byte{1})
	for _, s := range []string{
		"/ip4/127.0.0.1/tcp/4811/p2p/" + id, "/ip6/::1/tcp/1", "/ip6zone/a/ip6/::1/tcp/1", "/unix/a/b",
		"/ip4/1.2.3.4/tcp/0", "/tcp/1", "/ip4/1.2.3.4/tcp/4811/p2p/", "/p2p/" + id, "", "/", "/ip4/1.2.3.4/udp/4811/quic-v1/p2p/" + id, "/ip6/::1/udp/1/quic-v1", "onion:1:AAAA:1",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		at, id, err := splitAddr(s)
		if plain, e := ParseEndpoint(s); (e == nil) != (err == nil && id == "") || e == nil && plain != at {
			t.Errorf("ParseEndpoint(%q) = %v, %v, but splitAddr gives %v, %q, %v", s, plain, e, at, id, err)
		}
		if err != nil {
			return
		}
		back := multiaddr(at).String()
		if id != "" {
			back += "/p2p/" + id
		}
		again, id2, err := splitAddr(back)
		if err != nil || again != at || id2 != id {
			t.Errorf("splitAddr(%q) = %v, %q, but %q gives %v, %q, %v", s, at, id, back, again, id2, err)
		}
		if _, err := dialable([32]byte{1}, []string{s}, false); err == nil && !isPublic(at.Addr()) {
			t.Errorf("%q may be dialled", s)
		}
	})
}
