package mesh

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
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
		if got := mayDial(at, false); got != tt.public {
			t.Errorf("mayDial(%s) = %v, want %v", tt.ip, got, tt.public)
		}
		if got := mayDial(at, true); got != tt.local {
			t.Errorf("mayDial(%s, local) = %v, want %v", tt.ip, got, tt.local)
		}
		if mayDial(netip.AddrPortFrom(at.Addr(), 0), true) {
			t.Errorf("mayDial(%s) allows port 0", tt.ip)
		}
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
	for i, p := range got {
		if int(p.at.Port()) != 1000+i {
			t.Errorf("address %d is %v: doubles, or not in the order given", i, p)
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
		p, id, err := splitAddr(s)
		if err != nil {
			return
		}
		back := multiaddr(p).String()
		if id != "" {
			back += "/p2p/" + id
		}
		again, id2, err := splitAddr(back)
		if err != nil || again != p || id2 != id {
			t.Errorf("splitAddr(%q) = %v, %q, but %q gives %v, %q, %v", s, p, id, back, again, id2, err)
		}
		if _, err := dialable([32]byte{1}, []string{s}, false); err == nil && !isPublic(p.at.Addr()) {
			t.Errorf("%q may be dialled", s)
		}
	})
}
