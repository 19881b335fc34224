package mesh

import (
	"testing"

	"github.com/libp2p/go-libp2p/core/network"
	ma "github.com/multiformats/go-multiaddr"
)

// Half-open connections of others, as many as they like, must not keep a relay
// from dialling the next hop: 512 idle ones once did.
func TestPendingInboundLeavesRoomToDial(t *testing.T) {
	l, err := Limits{}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	r, err := newResources(l, func(*LimitError) {})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	at := ma.StringCast("/ip4/127.0.0.1/tcp/1")
	for err == nil {
		_, err = r.OpenConnection(network.DirInbound, true, at)
	}
	if _, err := r.OpenConnection(network.DirOutbound, true, at); err != nil {
		t.Errorf("with all inbound places taken, dialling fails: %v", err)
	}
}
