package node

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/openai"
	"github.com/culvert-net/culvert/api/tunnel"
	"github.com/culvert-net/culvert/circuit"
	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/mesh"
	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/directory/mirror"
	"github.com/culvert-net/culvert/mesh/world"
)

// population is a directory made for a test.
type population struct {
	t      *testing.T
	world  *world.World
	set    *directory.Set
	keys   map[string][32]byte
	prices []world.Hash // of what is added next
}

func populate(t *testing.T) *population {
	t.Helper()
	w, err := world.New(world.World{Phrase: "test", Rules: world.DefaultRules(), Local: true})
	if err != nil {
		t.Fatal(err)
	}
	return &population{t: t, world: w, set: directory.NewSet(w), keys: make(map[string][32]byte)}
}

// add puts a node with these models into the directory; none: a relay.
func (p *population) add(name string, onionFor time.Duration, models ...directory.Model) {
	p.t.Helper()
	seed := make([]byte, ed25519.SeedSize)
	copy(seed, name)
	priv := ed25519.NewKeyFromSeed(seed)
	now := time.Now()
	ds, err := directory.Build(priv, p.world.ID, p.world.Epoch(now), uint64(now.Unix()), directory.Node{
		Name: name, Addrs: []string{"/ip4/127.0.0.1/tcp/4811"}, Models: models, Prices: p.prices,
		Onion: []directory.OnionKey{{Public: [32]byte(seed), NotAfter: now.Add(onionFor).Truncate(time.Second)}},
	})
	if err != nil {
		p.t.Fatal(err)
	}
	if r := p.set.Add(ds, now); len(r.Refused) > 0 {
		p.t.Fatalf("adding %s: %v", name, r.Refused)
	}
	p.keys[name] = [32]byte(priv.Public().(ed25519.PublicKey))
}

func (p *population) relays(n int) {
	for i := range n {
		p.add(fmt.Sprintf("relay-%d", i+1), time.Hour)
	}
}

func serves(id string, caps ...string) directory.Model {
	return directory.Model{ID: id, Runtime: "openai", Caps: caps}
}

func TestFailuresAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := NewFailures()
		a, b := [32]byte{1}, [32]byte{2}
		f.Report(a, false)
		f.Report(b, false)
		f.Report(b, true)
		if !f.Lately(a) || f.Lately(b) {
			t.Errorf("Lately = %t, %t; want the first alone", f.Lately(a), f.Lately(b))
		}
		time.Sleep(avoidFor)
		if f.Lately(a) {
			t.Errorf("a failure is remembered after %v", avoidFor)
		}
	})
}

func TestFailuresAreBounded(t *testing.T) {
	f := NewFailures()
	for i := range 2 * maxFailed {
		f.Report([32]byte{byte(i), byte(i >> 8), byte(i >> 16)}, false)
	}
	if len(f.until) != maxFailed {
		t.Errorf("%d failures are kept, want %d", len(f.until), maxFailed)
	}
}

func names(hops []circuit.Hop) []string {
	var out []string
	for _, h := range hops {
		out = append(out, h.Name)
	}
	slices.Sort(out)
	return out
}

func TestStemAvoidsFailures(t *testing.T) {
	p := populate(t)
	p.relays(3)
	p.add("provider", time.Hour, serves("m"))
	f := NewFailures()
	paths := NewPaths(p.set, f)
	seen := make(map[string]bool)
	for range 200 {
		hops, err := paths.Stem(2, p.keys["provider"])
		if err != nil || len(hops) != 2 || hops[0].Key == hops[1].Key {
			t.Fatalf("Stem = %v, %v; want two different relays", hops, err)
		}
		seen[hops[0].Name] = true
	}
	if len(seen) != 3 {
		t.Errorf("entries were %v, want each relay", seen)
	}
	paths.Reached(p.keys["relay-2"], false)
	for range 50 {
		hops, err := paths.Stem(2, p.keys["provider"])
		if want := []string{"relay-1", "relay-3"}; err != nil || !slices.Equal(names(hops), want) {
			t.Fatalf("Stem = %v, %v; want %v", names(hops), err, want)
		}
	}
	// Too few are left: better one that failed than none.
	paths.Reached(p.keys["relay-1"], false)
	if _, err := paths.Stem(2, p.keys["provider"]); err != nil {
		t.Errorf("Stem with two of three failed = %v, want success", err)
	}
	if _, err := paths.Stem(3, p.keys["relay-1"]); err == nil {
		t.Error("Stem used the node it was to leave out")
	}
}

// A node whose onion key is past its time can answer no handshake.
func TestStaleOnionKeys(t *testing.T) {
	p := populate(t)
	p.relays(2)
	p.add("stale", -time.Second)
	p.add("provider", -time.Second, serves("m"))
	paths := NewPaths(p.set, NewFailures())
	for range 50 {
		hops, err := paths.Stem(2, [32]byte{})
		if want := []string{"relay-1", "relay-2"}; err != nil || !slices.Equal(names(hops), want) {
			t.Fatalf("Stem = %v, %v; want %v", names(hops), err, want)
		}
	}
	for _, key := range [][32]byte{p.keys["provider"], {9}} {
		if _, err := paths.Provider(key); !errors.Is(err, circuit.ErrUnknownNode) {
			t.Errorf("Provider = %v, want ErrUnknownNode", err)
		}
	}
}

func TestLikely(t *testing.T) {
	p := populate(t)
	p.relays(2)
	for i := range 6 {
		p.add(fmt.Sprintf("provider-%d", i+1), time.Hour, serves("m"), serves(fmt.Sprintf("m%d", i)))
	}
	p.add("down", time.Hour, serves("m", CapUnavailable))
	paths := NewPaths(p.set, NewFailures())
	first := paths.Likely()
	if len(first) != likelyProviders || slices.Contains(first, p.keys["down"]) {
		t.Fatalf("Likely = %x, want %d that serve", first, likelyProviders)
	}
	if again := paths.Likely(); !slices.Equal(again, first) {
		t.Error("Likely changes from one look to the next")
	}
	paths.Used(p.keys["provider-4"])
	paths.Used(p.keys["provider-2"])
	if got := paths.Likely(); got[0] != p.keys["provider-2"] || got[1] != p.keys["provider-4"] {
		t.Errorf("Likely = %x, want those used, last first", got)
	}
	paths.Reached(p.keys["provider-2"], false)
	if got := paths.Likely(); got[0] != p.keys["provider-4"] || slices.Contains(got, p.keys["provider-2"]) {
		t.Errorf("Likely = %x, want the one that failed passed over", got)
	}
}

func TestChoose(t *testing.T) {
	p := populate(t)
	p.relays(1)
	p.add("provider-1", time.Hour, serves("m"), serves("only"))
	p.add("provider-2", time.Hour, serves("m"))
	p.add("provider-3", time.Hour, serves("m", CapUnavailable), serves("gone", CapUnavailable))
	r := NewRouter(p.set, NewFailures(), func() error { return nil })
	target := func(name string) tunnel.Target { return tunnel.Target{Key: p.keys[name], Name: name} }

	if got := r.Models(); len(got) != 2 || got[0].ID != "m" || got[1].ID != "only" {
		t.Errorf("Models = %+v, want m and only", got)
	}
	seen := make(map[string]int)
	for range 200 {
		to, err := r.Choose("m", openai.Chat, nil)
		if err != nil {
			t.Fatal(err)
		}
		seen[to.Name]++
	}
	if len(seen) != 2 || seen["provider-1"] < 50 || seen["provider-2"] < 50 {
		t.Errorf("choices = %v, want the first two alike", seen)
	}
	// One that failed is asked only if there is no other.
	r.Report(target("provider-1"), tunnel.OutcomeFailed)
	for range 50 {
		if to, err := r.Choose("m", openai.Chat, nil); err != nil || to.Name != "provider-2" {
			t.Fatalf("Choose = %v, %v; want the one that did not fail", to.Name, err)
		}
	}
	if to, err := r.Choose("only", openai.Chat, nil); err != nil || to.Name != "provider-1" {
		t.Errorf("Choose = %v, %v; want the only one although it failed", to.Name, err)
	}
	if to, err := r.Choose("m", openai.Chat, []tunnel.Target{target("provider-2")}); err != nil || to.Name != "provider-1" {
		t.Errorf("Choose = %v, %v; want the one that is not excluded", to.Name, err)
	}
	r.Report(target("provider-1"), tunnel.OutcomeOK)
	for _, tt := range []struct {
		model   string
		exclude []tunnel.Target
		want    error
	}{
		{"nobody-has", nil, tunnel.ErrUnknownModel},
		{"gone", nil, tunnel.ErrNoProvider},
		{"m", []tunnel.Target{target("provider-1"), target("provider-2")}, tunnel.ErrNoProvider},
	} {
		if _, err := r.Choose(tt.model, openai.Chat, tt.exclude); !errors.Is(err, tt.want) {
			t.Errorf("Choose(%q) = %v, want %v", tt.model, err, tt.want)
		}
	}
	// What says nothing about the provider changes nothing.
	r.Report(target("provider-1"), tunnel.OutcomeRefused)
	r.Report(target("provider-1"), tunnel.OutcomeCancelled)
	if r.failures.Lately(p.keys["provider-1"]) {
		t.Error("a refusal or a client that left counts as failure")
	}
}

// Who asks to be paid is asked only by who can pay for the model, and the others
// are told that it is about money.
func TestChoosePaid(t *testing.T) {
	p := populate(t)
	p.prices = []world.Hash{directory.SheetHash([]byte("sheet"))}
	p.add("paid", time.Hour, serves("m"), serves("only"))
	p.prices = nil
	p.add("free", time.Hour, serves("m"))
	r := NewRouter(p.set, NewFailures(), func() error { return nil })
	for range 50 {
		if to, err := r.Choose("m", openai.Chat, nil); err != nil || to.Name != "free" {
			t.Fatalf("Choose = %v, %v; want the one that is free", to.Name, err)
		}
	}
	_, err := r.Choose("only", openai.Chat, nil)
	if e, ok := errors.AsType[*openai.Error](err); !ok || e.Status != 429 || e.Code != openai.CodeQuota || !errors.Is(e.Cause, tunnel.ErrNoProvider) {
		t.Errorf("Choose = %v, want insufficient_quota", err)
	}
	r.WhyNot = func(string) error { return errors.New("the till is shut") }
	_, err = r.Choose("only", openai.Chat, nil)
	if e, ok := errors.AsType[*openai.Error](err); !ok || e.Code != openai.CodeQuota || !strings.Contains(e.Message, "the till is shut") {
		t.Errorf("Choose = %v, want insufficient_quota with the reason", err)
	}
	r.WhyNot = func(string) error { return openai.Unavailable("chain_unread", "not yet", time.Second) }
	_, err = r.Choose("only", openai.Chat, nil)
	if e, ok := errors.AsType[*openai.Error](err); !ok || e.Status != 503 || e.Code != "chain_unread" || e.RetryAfter != time.Second || !errors.Is(e.Cause, tunnel.ErrNoProvider) {
		t.Errorf("Choose = %v, want what WhyNot says", err)
	}
	if !HasFree(p.set.Snapshot()) {
		t.Error("nobody is free")
	}
	r.Pays = func(n directory.Node, model string) bool { return n.Name == "paid" && model == "only" }
	if to, err := r.Choose("only", openai.Chat, nil); err != nil || to.Name != "paid" {
		t.Errorf("Choose = %v, %v; want the one that can be paid", to.Name, err)
	}
	if to, err := r.Choose("m", openai.Chat, nil); err != nil || to.Name != "free" {
		t.Errorf("Choose = %v, %v; want the one that is free", to.Name, err)
	}
}

func TestHasFree(t *testing.T) {
	p := populate(t)
	p.prices = []world.Hash{directory.SheetHash([]byte("sheet"))}
	p.add("paid", time.Hour, serves("m"))
	p.prices = nil
	p.add("relay", time.Hour)
	if HasFree(p.set.Snapshot()) {
		t.Error("a relay, or who asks to be paid, is free")
	}
}

// TestChooseAble asks for what only some providers of a model do, and by the
// name that people use.
func TestChooseAble(t *testing.T) {
	p := populate(t)
	p.relays(1)
	p.add("provider-1", time.Hour, serves("m:latest", "chat", "completions"), serves("vectors", "embeddings", CapUnavailable))
	p.add("provider-2", time.Hour, serves("m:latest", "chat", "embeddings"), serves("plain"), serves("plain:latest", "embeddings"))
	r := NewRouter(p.set, NewFailures(), func() error { return nil })
	for _, tt := range []struct {
		model string
		needs openai.Capability
		who   string // "": the error
		as    string
		err   error
	}{
		{"m:latest", openai.Completions, "provider-1", "m:latest", nil},
		{"m", openai.Completions, "provider-1", "m:latest", nil},
		{"m", openai.Embeddings, "provider-2", "m:latest", nil},
		{"plain", openai.Chat, "provider-2", "plain", nil},
		{"plain", openai.Embeddings, "", "", tunnel.ErrNotAble}, // an id goes before an alias
		{"plain:latest", openai.Embeddings, "provider-2", "plain:latest", nil},
		{"plain:latest", openai.Chat, "", "", tunnel.ErrNotAble},
		{"vectors", openai.Embeddings, "", "", tunnel.ErrNoProvider},
		{"vectors", openai.Chat, "", "", tunnel.ErrNoProvider},
		{"m:other", openai.Chat, "", "", tunnel.ErrUnknownModel},
	} {
		for range 20 {
			to, err := r.Choose(tt.model, tt.needs, nil)
			if !errors.Is(err, tt.err) || err == nil && (to.Name != tt.who || to.Model != tt.as) {
				t.Fatalf("Choose(%q, %s) = %s, %q, %v; want %s, %q, %v", tt.model, tt.needs, to.Name, to.Model, err, tt.who, tt.as, tt.err)
			}
		}
	}
	// One that is able but excluded is not the same as nobody able.
	if _, err := r.Choose("m", openai.Embeddings, []tunnel.Target{{Key: p.keys["provider-2"]}}); !errors.Is(err, tunnel.ErrNoProvider) {
		t.Errorf("Choose without the able one = %v, want ErrNoProvider", err)
	}
	want := []backend.Model{
		{ID: "m:latest", Alias: "m", OwnedBy: "culvert", Able: []openai.Capability{"chat", "completions", "embeddings"}, Providers: 2},
		{ID: "plain", OwnedBy: "culvert", Able: []openai.Capability{"chat"}, Providers: 1},
		{ID: "plain:latest", OwnedBy: "culvert", Able: []openai.Capability{"embeddings"}, Providers: 1},
	}
	if got := r.Models(); !reflect.DeepEqual(got, want) {
		t.Errorf("Models = %+v, want %+v", got, want)
	}
}

func TestFollow(t *testing.T) {
	p := populate(t)
	ctx, stop := context.WithCancel(t.Context())
	calls := make(chan struct{})
	done := make(chan error, 1)
	go func() {
		done <- Follow(ctx, p.set, func() {
			select {
			case calls <- struct{}{}:
			case <-ctx.Done():
			}
		})
	}()
	<-calls
	p.relays(1)
	<-calls
	stop()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Follow = %v, want the context's error", err)
	}
}

func TestReasons(t *testing.T) {
	a, b := errors.New("a"), errors.New("b")
	if got := Reasons(errors.Join(a, b)); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("Reasons = %v, want both", got)
	}
	if got := Reasons(a); !slices.Equal(got, []string{"a"}) || Reasons(nil) != nil {
		t.Errorf("Reasons = %v, want a, and nothing of nil", got)
	}
}

func TestDisplayName(t *testing.T) {
	if got := DisplayName(directory.Node{Key: [32]byte{0xab, 1, 2, 3, 4}}); got != "ab010203" {
		t.Errorf("DisplayName = %q, want the key's beginning", got)
	}
}

// A bridge shows hops without a name by what gateway status shows as its id.
func TestShortIDIsTheDisplayName(t *testing.T) {
	key := [32]byte{0xab, 1, 2, 3, 4}
	if got := DisplayName(directory.Node{Key: key}); got != ShortID(key) {
		t.Errorf("DisplayName = %q, ShortID = %q; want one form", got, ShortID(key))
	}
}

// A world file that lists nobody, or nobody who may be dialled, makes a bridge
// that waits for ever.
func TestCheckSeeds(t *testing.T) {
	peer := "/p2p/" + mesh.PeerID([32]byte{1})
	for _, tt := range []struct {
		name    string
		seeds   []string
		local   bool
		founder [32]byte
		want    string
	}{
		{"nobody signs", []string{"/ip4/8.8.8.8/tcp/1" + peer}, false, [32]byte{}, "nobody who signs its directory"},
		{"public", []string{"/ip4/8.8.8.8/tcp/1" + peer}, false, [32]byte{1}, ""},
		{"one of two", []string{"/ip4/10.0.0.1/tcp/1" + peer, "/ip4/8.8.8.8/tcp/1" + peer}, false, [32]byte{1}, ""},
		{"private in a local world", []string{"/ip4/10.0.0.1/tcp/1" + peer}, true, [32]byte{1}, ""},
		{"none", nil, true, [32]byte{1}, "lists no seeds"},
		{"private", []string{"/ip4/10.0.0.1/tcp/1" + peer}, false, [32]byte{1}, "--announce"},
		{"quic", []string{"/ip4/8.8.8.8/udp/1/quic-v1" + peer}, false, [32]byte{1}, ""},
		{"name", []string{"/dns4/example.org/tcp/1" + peer}, false, [32]byte{1}, "name server"},
	} {
		w, err := world.New(world.World{Phrase: "x", Rules: world.DefaultRules(), Seeds: tt.seeds, Local: tt.local, Founder: tt.founder})
		if err != nil {
			t.Fatal(err)
		}
		err = CheckSeeds(w)
		if tt.want == "" && err != nil || tt.want != "" && (app.Code(err) != app.ExitUsage || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestCheckURL(t *testing.T) {
	for url, want := range map[string]string{
		"http://127.0.0.1:11434":         "",
		"https://api.example.com/v1":     "",
		"localhost:11434":                "write http://localhost:11434",
		"127.0.0.1:11434/v1":             "write http://127.0.0.1:11434/v1",
		"ftp://host":                     "base URL",
		"http://ann:hunter2@host":        "user or password",
		"ann:hunter2@host:1":             "base URL",
		"http://ann:hunter2@host:bad/v1": "base URL",
		"":                               "base URL",
	} {
		err := CheckURL(url)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2")) {
			t.Errorf("CheckURL(%q) = %v, want %q and no password", url, err, want)
		}
	}
}

func TestWhyNoModels(t *testing.T) {
	secret := "Incorrect API key provided: sk-canary"
	for _, tt := range []struct {
		err  error
		want string
	}{
		{&openai.Error{Status: 502, Code: "upstream_unreachable", Message: secret}, "is it running?"},
		{&openai.Error{Status: 401, Message: secret}, "API key"},
		{&openai.Error{Status: 404, Message: secret}, "OpenAI-compatible"},
		{&openai.Error{Status: 502, Code: "bad_model_list", Message: secret}, "OpenAI-compatible"},
		{&openai.Error{Status: 500, Message: secret}, "status 500"},
		{fmt.Errorf("asking: %w", context.DeadlineExceeded), "in time"},
		{errors.New("other"), "other"},
	} {
		if got := WhyNoModels(tt.err); !strings.Contains(got, tt.want) || strings.Contains(got, "canary") {
			t.Errorf("WhyNoModels(%v) = %q; want %q and none of the server's words", tt.err, got, tt.want)
		}
	}
}

// Whoever comes with another world's file is told so; the refusal used to be
// overtaken by a reset, and looked like a seed that broke off.
func TestServeMirrorTellsTheReason(t *testing.T) {
	_, priv, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	p := populate(t)
	host, err := mesh.New(mesh.Config{Key: priv, Listen: []string{"/ip4/127.0.0.1/tcp/0"}, Local: true})
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	ServeMirror(t.Context(), host, emptyStore(t, p.world), nil, slog.New(slog.DiscardHandler))
	client, err := mesh.New(mesh.Config{Quiet: true, Local: true})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for range 20 {
		s, err := client.Open(t.Context(), mesh.ProtoMirror, host.Key(), host.Addrs())
		if err != nil {
			t.Fatal(err)
		}
		_ = s.SetDeadline(time.Now().Add(10 * time.Second))
		if _, err := mirror.AskRoots(s, world.Hash{1}); !errors.Is(err, directory.ReasonWorld) {
			t.Fatalf("AskRoots of another world = %v, want the reason", err)
		}
		_ = s.Close()
	}
}
