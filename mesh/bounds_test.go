package mesh

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// What docs/design/bounds.md says of this package's bounds is what they are.
func TestBoundsTable(t *testing.T) {
	text, err := os.ReadFile("../docs/design/bounds.md")
	if err != nil {
		t.Fatal(err)
	}
	said := make(map[string]string)
	for _, m := range regexp.MustCompile("(?m)^\\| `mesh` `(\\w+)` \\| ([^|]+) \\|").FindAllStringSubmatch(string(text), -1) {
		said[m[1]] = m[2]
	}
	is := map[string]any{
		"defaultConns": defaultConns, "defaultStreams": defaultStreams, "defaultPeerStreams": defaultPeerStreams,
		"maxPeerConns": maxPeerConns, "maxPendingConns": maxPendingConns, "maxPendingStreams": maxPendingStreams,
		"maxAddressConns": maxAddressConns, "maxSiteConns": maxSiteConns, "maxAddressDials": maxAddressDials, "maxDials": maxDials, "maxAddrs": maxAddrs,
		"streamWindow": streamWindow, "maxStreamWindow": maxStreamWindow, "maxFrame": maxFrame,
		"streamBacklog": streamBacklog, "pingBacklog": pingBacklog,
		"identifyStreams": identifyStreams, "identifyPeerStreams": identifyPeerStreams, "serviceMemory": serviceMemory,
	}
	for name, v := range is {
		if said[name] != fmt.Sprint(v) {
			t.Errorf("%s is %v and said to be %q", name, v, said[name])
		}
	}
	if len(said) != len(is) {
		t.Errorf("%d bounds in the document, %d here", len(said), len(is))
	}
}

// Dials to more nodes than that are refused, unless old failures make room.
func TestDialsAreBounded(t *testing.T) {
	srv, cli := server(t), bridge(t)
	fill := func(until time.Time, running bool) {
		cli.dialer.mu.Lock()
		defer cli.dialer.mu.Unlock()
		for i := range maxDials {
			d := &dial{cancel: func() {}, done: make(chan struct{}), until: until, err: ErrUnreachable}
			if !running {
				close(d.done)
			}
			cli.dialer.dials[peer.ID(fmt.Sprint(i))] = d
		}
	}
	fill(time.Time{}, true)
	var limit *LimitError
	if _, err := cli.Open(testContext(t), testProto, srv.Key(), srv.Addrs()); !errors.As(err, &limit) || limit.Limit != "dials" {
		t.Errorf("Open beside %d dials = %v, want the limit", maxDials, err)
	}
	fill(time.Now().Add(-time.Second), false)
	exchange(t, open(t, cli, srv), "there is room again")
}
