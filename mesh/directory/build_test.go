package directory

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/culvert-net/culvert/mesh/world"
)

// at is a moment in the middle of an epoch, for tests in which time stands still.
var at = time.Unix(1_800_000_150, 0)

func TestBuildAndVerify(t *testing.T) {
	w := testWorld(t)
	node := testNode(t, w, 1, at, "llama-3", "qwen-3")
	node.Addrs = append(node.Addrs, peerAddr(t, 1))
	ds := build(t, w, 1, at, 7, node)
	if len(ds) != 2 {
		t.Fatalf("%d descriptors for two models", len(ds))
	}
	for i := range ds {
		if err := Verify(&ds[i], w, at); err != nil {
			t.Error(err)
		}
		if slices.ContainsFunc(ds[i].ContactPoints, func(s string) bool { return strings.Contains(s, "/p2p/") }) {
			t.Errorf("contact points %q repeat the peer id", ds[i].ContactPoints)
		}
	}

	set := NewSet(w)
	if res := set.Add(ds, at); res.Added != 2 || len(res.Refused) != 0 {
		t.Fatalf("Add = %+v", res)
	}
	got, ok := set.Snapshot().Node(publicOf(testKey(1)))
	if !ok || got.Name != "node-1" || got.Seq != 7 || got.Epoch != w.Epoch(at) || len(got.Models) != 2 || len(got.Addrs) != 2 || got.IsRelay() {
		t.Errorf("Node = %+v, %v", got, ok)
	}
	if m := got.Models[1]; m.ID != "qwen-3" || m.Runtime != "vllm" || m.Context != 8192 || !slices.Equal(m.Caps, []string{"tools"}) {
		t.Errorf("model %+v", m)
	}
	if got.Models[0].FAH() != ds[0].Capability.Hash() {
		t.Error("the node's model has another FAH than its descriptor")
	}
	if got.Onion[0] != node.Onion[0] || got.Onion[0].ID() == [8]byte{} {
		t.Errorf("onion keys %v, want %v", got.Onion, node.Onion)
	}

	relay := build(t, w, 2, at, 1, testNode(t, w, 2, at))
	if len(relay) != 1 || relay[0].Capability.Manifest.RuntimeID != "relay" || Verify(&relay[0], w, at) != nil {
		t.Errorf("a relay's descriptors: %+v", relay)
	}
}

// A member's node stands as a relay that says that circuits end at it.
func TestBuildEnd(t *testing.T) {
	w := testWorld(t)
	n := testNode(t, w, 1, at)
	n.End = true
	ds := build(t, w, 1, at, 1, n)
	if len(ds) != 1 || ds[0].Capability.Manifest.RuntimeID != "relay" || !slices.Contains(ds[0].ContactPoints, "cap:end") || Verify(&ds[0], w, at) != nil {
		t.Fatalf("descriptors of an end: %+v", ds)
	}
	set := NewSet(w)
	set.Add(ds, at)
	set.Add(build(t, w, 2, at, 1, testNode(t, w, 2, at)), at)
	snap := set.Snapshot()
	got, _ := snap.Node(publicOf(testKey(1)))
	if !got.End || got.IsRelay() || len(snap.Relays()) != 1 || snap.Relays()[0].End || len(snap.Ends()) != 1 || snap.Ends()[0].Key != got.Key {
		t.Errorf("node %+v, relays %v, ends %v; want it among the ends alone", got, snap.Relays(), snap.Ends())
	}
	n.Models = []Model{{ID: "m", Runtime: "vllm"}}
	if _, err := Build(testKey(1), w.ID, 1, 1, n); err == nil {
		t.Error("an end with a model was built")
	}
}

// A relay or a provider may pass questions about the chain on: that is no ability
// of its models, and changes nothing else.
func TestBuildChainRPC(t *testing.T) {
	w := testWorld(t)
	set := NewSet(w)
	for i, models := range [][]Model{nil, {{ID: "m", Runtime: "vllm", Caps: []string{"chat", "tools"}}, {ID: "n", Runtime: "vllm"}}} {
		n := testNode(t, w, i+1, at)
		n.Models, n.ChainRPC = models, true
		ds := build(t, w, i+1, at, 1, n)
		for _, d := range ds {
			if !slices.Contains(d.ContactPoints, "cap:evm-rpc") || Verify(&d, w, at) != nil {
				t.Errorf("contact lines %q", d.ContactPoints)
			}
		}
		set.Add(ds, at)
	}
	set.Add(build(t, w, 3, at, 1, testNode(t, w, 3, at)), at)
	snap := set.Snapshot()
	if got := snap.ChainRPC(); len(got) != 2 || len(snap.Relays()) != 2 || len(snap.Providers("m")) != 1 {
		t.Fatalf("%d pass questions on, %d relays, %d providers", len(got), len(snap.Relays()), len(snap.Providers("m")))
	}
	got, _ := snap.Node(publicOf(testKey(2)))
	if !got.ChainRPC || !slices.Equal(got.Models[0].Caps, []string{"chat", "tools"}) || len(got.Models[1].Caps) != 0 {
		t.Errorf("%+v", got)
	}
	if plain, _ := snap.Node(publicOf(testKey(3))); plain.ChainRPC {
		t.Error("who says nothing is said to pass questions on")
	}
}

func TestBuildRefuses(t *testing.T) {
	w := testWorld(t)
	for name, change := range map[string]func(*Node){
		"name":                 func(n *Node) { n.Name = "North" },
		"no address":           func(n *Node) { n.Addrs = nil },
		"not an address":       func(n *Node) { n.Addrs = []string{"localhost:1"} },
		"another's address":    func(n *Node) { n.Addrs = []string{peerAddr(t, 2)} },
		"no onion key":         func(n *Node) { n.Onion = nil },
		"a model twice":        func(n *Node) { n.Models = append(n.Models, n.Models[0]) },
		"a model of no name":   func(n *Node) { n.Models[0].ID = "" },
		"a model with a space": func(n *Node) { n.Models[0].ID = "my model" },
		"runtime":              func(n *Node) { n.Models[0].Runtime = "abacus" },
		"a model that relays":  func(n *Node) { n.Models[0].Runtime = "relay" },
		"capability":           func(n *Node) { n.Models[0].Caps = []string{"Tools"} },
		"safety mode":          func(n *Node) { n.Models[0].Safety = "\x1b" },
		"adapter":              func(n *Node) { n.Models[0].Adapters = []world.Adapter{{Type: "lora", ID: "a b"}} },
		"too large": func(n *Node) {
			for i := range 100 {
				n.Models[0].Adapters = append(n.Models[0].Adapters, world.Adapter{Type: "lora", ID: fmt.Sprint(i)})
			}
		},
		"too many models": func(n *Node) {
			for i := range maxModels {
				n.Models = append(n.Models, Model{ID: fmt.Sprint(i), Runtime: "vllm"})
			}
		},
	} {
		node := testNode(t, w, 1, at, "m")
		change(&node)
		if ds, err := Build(testKey(1), w.ID, w.Epoch(at), 1, node); err == nil {
			t.Errorf("%s: Build = %+v, want an error", name, ds)
		}
	}
}

func TestVerifyRefuses(t *testing.T) {
	w := makeWorld(t, world.World{Phrase: "real"}, time.Hour)
	other := makeWorld(t, world.World{Phrase: "other"}, time.Hour)
	good := build(t, w, 1, at, 1, testNode(t, w, 1, at, "m"))[0]
	if err := Verify(&good, w, at); err != nil {
		t.Fatal(err)
	}
	now := w.EpochStart(w.Epoch(at)).Add(30 * time.Minute)
	for name, c := range map[string]struct {
		d    world.Descriptor
		want Reason
	}{
		"another world":       {build(t, other, 1, at, 1, testNode(t, other, 1, at))[0], ReasonWorld},
		"two epochs old":      {resign(good, 1, func(u *world.DescriptorUnsigned) { u.Epoch -= 2 }), ReasonEpoch},
		"from the future":     {resign(good, 1, func(u *world.DescriptorUnsigned) { u.Epoch++ }), ReasonEpoch},
		"the end of time":     {resign(good, 1, func(u *world.DescriptorUnsigned) { u.Epoch = 1<<64 - 1 }), ReasonEpoch},
		"contact":             {resign(good, 1, func(u *world.DescriptorUnsigned) { u.ContactPoints = nil }), ReasonContact},
		"onion key for years": {resign(good, 1, longLived(w, (onionEpochs-1)*w.EpochLen()+time.Second)), ReasonContact},
		"only a hash": {resign(good, 1, func(u *world.DescriptorUnsigned) {
			u.Capability = world.Capability{FAH: world.Hash{1}}
		}), ReasonCapability},
		"runtime": {resign(good, 1, func(u *world.DescriptorUnsigned) { u.Capability.Manifest.RuntimeID = "x" }), ReasonCapability},
		"mock":    {resign(good, 1, func(u *world.DescriptorUnsigned) { u.Capability.Manifest.RuntimeID = "mock" }), ReasonCapability},
		"too large": {resign(good, 1, func(u *world.DescriptorUnsigned) {
			for i := range 20 {
				u.ContactPoints = append(u.ContactPoints, fmt.Sprintf("x%d:%s", i, strings.Repeat("a", 400)))
			}
		}), ReasonMalformed},
		"id":        {func() world.Descriptor { d := good; d.ID[0] ^= 1; return d }(), ReasonMalformed},
		"signature": {func() world.Descriptor { d := good; d.Signature[9] ^= 1; return d }(), ReasonSignature},
		"another's": {func() world.Descriptor {
			d := good
			d.Key = [32]byte(testKey(2).Public().(ed25519.PublicKey))
			return d
		}(), ReasonSignature},
	} {
		if err := Verify(&c.d, w, now); !errors.Is(err, c.want) {
			t.Errorf("%s: Verify = %v, want %v", name, err, c.want)
		}
	}

	// The bounds themselves are inside.
	for name, d := range map[string]world.Descriptor{
		"last epoch":              resign(good, 1, func(u *world.DescriptorUnsigned) { u.Epoch-- }),
		"onion key for long":      resign(good, 1, longLived(w, (onionEpochs-1)*w.EpochLen())),
		"unknown kinds of line":   resign(good, 1, func(u *world.DescriptorUnsigned) { u.ContactPoints = append(u.ContactPoints, "colour:red") }),
		"addresses not yet known": resign(good, 1, func(u *world.DescriptorUnsigned) { u.ContactPoints = append(u.ContactPoints, "/carrier-pigeon/7") }),
	} {
		if err := Verify(&d, w, now); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	next := resign(good, 1, func(u *world.DescriptorUnsigned) { u.Epoch++ })
	end := w.EpochStart(next.Epoch)
	if err := Verify(&next, w, end.Add(-maxSkew)); err != nil {
		t.Errorf("next epoch, %v before it: %v", maxSkew, err)
	}
	if err := Verify(&next, w, end.Add(-maxSkew-time.Second)); !errors.Is(err, ReasonEpoch) {
		t.Errorf("next epoch, more than %v before it: %v", maxSkew, err)
	}
	mock := build(t, testWorld(t), 1, at, 1, Node{
		Addrs: []string{"/ip4/127.0.0.1/tcp/1"}, Onion: []OnionKey{testOnion(t, testWorld(t), 1, at)},
		Models: []Model{{ID: "demo", Runtime: "mock"}},
	})
	if err := Verify(&mock[0], testWorld(t), at); err != nil {
		t.Errorf("mock in a sandbox: %v", err)
	}
}

// longLived gives the onion key a not-after of d past the epoch's end.
func longLived(w *world.World, d time.Duration) func(*world.DescriptorUnsigned) {
	return func(u *world.DescriptorUnsigned) {
		u.ContactPoints = slices.DeleteFunc(u.ContactPoints, func(s string) bool { return strings.HasPrefix(s, "onion:") })
		u.ContactPoints = append(u.ContactPoints, fmt.Sprintf("%s:%d", onionA, w.EpochStart(u.Epoch+1).Add(d).Unix()))
	}
}
