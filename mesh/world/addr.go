package world

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"net/netip"

	"github.com/multiformats/go-multiaddr"
)

// Addr is a parsed multiaddr of a node.
type Addr struct {
	Transport string                      // without the /p2p part, e.g. /ip4/192.0.2.1/tcp/4811
	Key       [ed25519.PublicKeySize]byte // the transport key the peer id holds
	HasKey    bool                        // whether there was a /p2p part
	Loopback  bool                        // starts with a loopback IP address
}

// A peer id of an Ed25519 key is an identity multihash (0x00, length 36) of the
// key's protobuf: field 1 = 1 (Ed25519), field 2 = the 32 bytes.
var ed25519PeerID = []byte{0x00, 0x24, 0x08, 0x01, 0x12, 0x20}

// ParseAddr reads a multiaddr that may end in /p2p/<peer id>. Peer ids must be
// those of Ed25519 keys, as every node's is.
func ParseAddr(s string) (Addr, error) {
	if len(s) > MaxAddrLen {
		return Addr{}, fmt.Errorf("a multiaddr has at most %d characters, not %d", MaxAddrLen, len(s))
	}
	parsed, err := multiaddr.NewMultiaddr(s)
	if err != nil {
		return Addr{}, fmt.Errorf("not a multiaddr: %w", err)
	}
	var a Addr
	if last := &parsed[len(parsed)-1]; last.Code() == multiaddr.P_P2P {
		key, ok := bytes.CutPrefix(last.RawValue(), ed25519PeerID)
		if !ok || len(key) != len(a.Key) {
			return Addr{}, errors.New("the peer id is not one of an Ed25519 key")
		}
		a.Key, a.HasKey = [ed25519.PublicKeySize]byte(key), true
		parsed = parsed[:len(parsed)-1]
	}
	if len(parsed) == 0 {
		return Addr{}, errors.New("there is no address before /p2p")
	}
	for i := range parsed {
		if parsed[i].Code() == multiaddr.P_P2P {
			return Addr{}, errors.New("there is more than one peer id, or something after it")
		}
	}
	a.Transport = parsed.String()
	if first := &parsed[0]; first.Code() == multiaddr.P_IP4 || first.Code() == multiaddr.P_IP6 {
		ip, ok := netip.AddrFromSlice(first.RawValue())
		a.Loopback = ok && ip.Unmap().IsLoopback()
	}
	return a, nil
}
