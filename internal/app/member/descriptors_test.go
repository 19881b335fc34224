package member

import (
	"context"
	"testing"
	"time"

	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/world"
)

// A descriptor that one member took reaches another with its stamp, and is heard
// there once, whether it was in the log before or comes later. A gateway's key is no
// member's.
func TestDescriptorsTravel(t *testing.T) {
	a, b := newKey(t), newKey(t)
	w := makeWorld(t, 1, a)
	ma, mb := open(t, w, a), open(t, w, b)
	try(t, foundBy(ma, "", time.Now(), a))
	admitted(t, ma, mb)
	s := start(t, ma, mb)
	say := func(models ...string) world.Descriptor {
		t.Helper()
		node, now := newKey(t), time.Now()
		n := directory.Node{Addrs: []string{"/ip4/127.0.0.1/tcp/4811"}, Onion: []directory.OnionKey{{Public: [32]byte{1}, NotAfter: w.EpochStart(w.Epoch(now) + 2)}}}
		for _, id := range models {
			n.Models = append(n.Models, directory.Model{ID: id, Runtime: "vllm"})
		}
		ds, err := directory.Build(node, w.ID, w.Epoch(now), 1, n)
		try(t, err)
		ticket, err := world.MakeTicket(t.Context(), w.ID, w.Epoch(now), public(node), nil, w.Terms().TicketBits)
		try(t, err)
		try(t, s[0].Publish(t.Context(), ds[0], ticket.Bytes()))
		try(t, s[0].Publish(t.Context(), ds[0], ticket.Bytes())) // known: no event more
		return ds[0]
	}
	first := say()
	if why := meet(t, s[1], ma); why != "none" && why != "" {
		t.Fatalf("sync: %s", why)
	}
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	heard := make(chan Descriptor)
	go func() {
		_ = s[1].FollowDescriptors(ctx, func(ds []Descriptor) { // ends with ctx
			for _, d := range ds {
				select {
				case heard <- d:
				case <-ctx.Done():
				}
			}
		})
	}()
	want := func(d world.Descriptor) {
		t.Helper()
		select {
		case got := <-heard:
			if got.ID != d.ID || !got.Stamped {
				t.Errorf("heard %x, stamped %v; want %x with its stamp", got.ID[:4], got.Stamped, d.ID[:4])
			}
		case <-ctx.Done():
			t.Fatal("a descriptor was not heard")
		}
	}
	want(first)
	second := say("m")
	if why := meet(t, s[1], ma); why != "none" && why != "" {
		t.Fatalf("sync: %s", why)
	}
	want(second)
	forged := say("n")
	if err := s[0].Publish(t.Context(), forged, []byte("no stamp")); err == nil {
		t.Error("a stamp that is none was taken")
	}
}
