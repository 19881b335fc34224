package doctor

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/mesh"
	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/directory/bundle"
	"github.com/culvert-net/culvert/mesh/directory/mirror"
	"github.com/culvert-net/culvert/mesh/quorum"
	"github.com/culvert-net/culvert/mesh/world"
)

func makeWorld(t *testing.T, w world.World) *world.World {
	t.Helper()
	if w.Phrase == "" {
		w.Phrase = "test"
	}
	w.Rules, w.Founder = world.DefaultRules(), public(signer)
	made, err := world.New(w)
	try(t, err)
	return made
}

func TestWorld(t *testing.T) {
	write := func(t *testing.T, w world.World) string {
		path := filepath.Join(t.TempDir(), app.WorldFile)
		w.Phrase, w.Rules = "Blue River", world.DefaultRules()
		try(t, world.WriteFile(path, &w))
		return path
	}
	damaged := write(t, world.World{})
	try(t, os.WriteFile(damaged, []byte("format = 1\nphrse = 3\n"), 0o600))
	for _, tt := range []struct {
		name, path string
		level      Level
		want       []string
	}{
		{"missing", filepath.Join(t.TempDir(), "w"), Problem, []string{"there is no world file", "bridge init"}},
		{"damaged", damaged, Problem, []string{"world.toml", "phrse"}},
		{"fine", write(t, world.World{}), OK, []string{`"blue-river"`, "3 hops", "epochs of 1h0m0s"}},
		{"local", write(t, world.World{Local: true}), OK, []string{"private addresses"}},
		{"sandbox", write(t, world.World{Sandbox: true}), OK, []string{"nothing is hidden"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, found := World(tt.path, "bridge init")
			has(t, found, tt.level, tt.want...)
			if (w != nil) != (tt.level == OK) {
				t.Errorf("world = %v", w)
			}
		})
	}
}

// at is a machine with a mesh host.
func at(t *testing.T, w *world.World, serves *world.World) (addr string, key [32]byte) {
	t.Helper()
	_, priv, err := ed25519.GenerateKey(nil)
	try(t, err)
	h, err := mesh.New(mesh.Config{Key: priv, Listen: []string{"/ip4/127.0.0.1/tcp/0"}, Local: true})
	try(t, err)
	t.Cleanup(func() { h.Close() })
	if serves != nil {
		node.ServeMirror(t.Context(), h, mirrored(t, serves, "", time.Now(), 3), nil, slog.New(slog.DiscardHandler))
	}
	return strings.Split(h.Addrs()[0], "/p2p/")[0], h.Key()
}

// signer signs the directory of all worlds here.
var signer = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))

func public(key ed25519.PrivateKey) [32]byte { return [32]byte(key.Public().(ed25519.PublicKey)) }

// mirrored is a store, in dir if that is named, with a bundle of n relays.
func mirrored(t *testing.T, w *world.World, dir string, now time.Time, n int) *mirror.Store {
	t.Helper()
	store, err := mirror.Open(mirror.Config{World: w, Quorum: quorum.Of(w), Dir: dir})
	try(t, err)
	var leaves [][]byte
	for _, d := range descriptors(t, w, now, n) {
		leaves = append(leaves, bundle.Descriptor(d.Canonical()))
	}
	l, err := bundle.NewLeaves(leaves)
	try(t, err)
	root := bundle.Root{World: w.ID, Epoch: w.Epoch(now), Count: uint32(n), Leaves: l.Merkle(), Time: uint64(now.UnixMilli())}
	signature, err := quorum.NewMemory(w.ID).Sign(signer, root.Statement(), func() error { return nil })
	try(t, err)
	signed := bundle.SignedRoot{Root: root, Signatures: []quorum.Signature{signature}}
	b, err := bundle.New(signed, l)
	try(t, err)
	try(t, store.Put(b))
	return store
}

// descriptors are those of n relays, each in a network of its own, made at now.
func descriptors(t *testing.T, w *world.World, now time.Time, n int) (out []world.Descriptor) {
	t.Helper()
	for i := range n {
		seed := make([]byte, ed25519.SeedSize)
		seed[0] = byte(i + 1)
		ds, err := directory.Build(ed25519.NewKeyFromSeed(seed), w.ID, w.Epoch(now), 1, directory.Node{
			Name: fmt.Sprintf("relay-%d", i+1), Addrs: []string{fmt.Sprintf("/ip4/8.%d.0.1/tcp/4811", i+1)},
			Onion: []directory.OnionKey{{Public: [32]byte(seed), NotAfter: w.EpochStart(w.Epoch(now) + 2)}},
		})
		try(t, err)
		out = append(out, ds...)
	}
	return out
}

func TestSeeds(t *testing.T) {
	base := makeWorld(t, world.World{Local: true})
	foreign := makeWorld(t, world.World{Local: true, Phrase: "foreign"})
	fine, fineKey := at(t, base, base)
	other, _ := at(t, base, base)
	wrongWorld, wrongKey := at(t, base, foreign)
	mute, muteKey := at(t, base, nil)
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	try(t, err)
	defer plain.Close()
	go func() { // accepts and closes
		for {
			c, err := plain.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	try(t, err)
	try(t, closed.Close())
	tcp := func(l net.Listener) string { return fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", l.Addr().(*net.TCPAddr).Port) }

	for _, tt := range []struct {
		name, addr string
		key        [32]byte
		level      Level // alone
		want       string
	}{
		{"fine", fine, fineKey, OK, "answers"},
		{"down", tcp(closed), [32]byte{9}, Problem, "cannot be reached (connection refused)"},
		{"another key", other, wrongKey, Problem, "another node answers there"},
		{"another world", wrongWorld, wrongKey, Problem, "a node of another world"},
		{"no directory", mute, muteKey, Problem, "does not serve the directory"},
		{"no node", tcp(plain), [32]byte{9}, Problem, "takes connections, but does not answer as a node"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			seed := tt.addr + "/p2p/" + mesh.PeerID(tt.key)
			w := makeWorld(t, world.World{Local: true, Seeds: []string{seed}})
			seeds, err := AskSeeds(t.Context(), w, true, [32]byte{})
			try(t, err)
			none := Names(directory.NewSet(w).Snapshot())
			has(t, Seeds(w, seeds, none), tt.level, tt.addr, tt.want)
			if tt.level == OK {
				if n := Merge(w, time.Now(), Answers(seeds)...).Len(); n != 3 || seeds[0].Ahead.Abs() > clockFine {
					t.Errorf("%d nodes and a clock off by %v; want 3 and none", n, seeds[0].Ahead)
				}
				return
			}
			// One that is away is no problem where another answers.
			two := append(seeds, Seed{Addr: fine})
			found := Seeds(w, two, none)
			has(t, found, Warning, tt.want)
			if found[0].Check != "seed 1 of 2" {
				t.Errorf("check = %q", found[0].Check)
			}
		})
	}
	t.Run("itself", func(t *testing.T) {
		w := makeWorld(t, world.World{Local: true, Seeds: []string{fine + "/p2p/" + mesh.PeerID(fineKey)}})
		if seeds, err := AskSeeds(t.Context(), w, true, fineKey); err != nil || len(seeds) != 0 {
			t.Errorf("AskSeeds of itself = %v, %v", seeds, err)
		}
	})
	t.Run("stopped", func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		stop()
		w := makeWorld(t, world.World{Local: true, Seeds: []string{fine + "/p2p/" + mesh.PeerID(fineKey)}})
		if seeds, err := AskSeeds(ctx, w, true, [32]byte{}); err != nil || seeds[0].Err == nil {
			t.Errorf("AskSeeds after its time = %+v, %v", seeds, err)
		}
	})
}

func TestClock(t *testing.T) {
	w := makeWorld(t, world.World{})
	now := time.Unix(1_800_000_000, 0)
	ahead := func(all ...time.Duration) (seeds []Seed) {
		for _, d := range all {
			seeds = append(seeds, Seed{Ahead: d})
		}
		return append(seeds, Seed{Err: mesh.ErrUnreachable})
	}
	for _, tt := range []struct {
		name  string
		seeds []Seed
		disk  []world.Descriptor
		level Level
		want  string
	}{
		{"right", ahead(0, time.Second, -time.Second), nil, OK, "agrees with the world's nodes (3 seeds asked)"},
		{"a little off", ahead(-12 * time.Second), nil, Warning, "about 12 seconds behind what the world's nodes say (1 seed asked)"},
		{"an hour ahead", ahead(52*time.Minute, 52*time.Minute), nil, Problem, "this machine's clock is about 52 minutes ahead of what the world's nodes say (2 seeds asked)"},
		{"years behind", ahead(-10 * 365 * 24 * time.Hour), nil, Problem, "about 3650 days behind"},
		{"one wrong seed of three", ahead(0, 52*time.Minute, 0), nil, OK, "agrees"},
		{"no seed", ahead(), nil, Skipped, "no clock to compare"},
		{"no seed, old descriptors", ahead(), descriptors(t, w, now.Add(-3*time.Hour), 3), Skipped, "no clock to compare"},
		{"no seed, descriptors of later", ahead(), descriptors(t, w, now.Add(3*time.Hour), 3), Problem, "about 3 hours behind what the world's nodes say (at least"},
		{"no seed, forged descriptors", ahead(), forged(descriptors(t, w, now.Add(3*time.Hour), 3)), Skipped, "no clock to compare"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			has(t, []Finding{Clock(w, now, tt.seeds, tt.disk)}, tt.level, tt.want)
		})
	}
}

func forged(ds []world.Descriptor) []world.Descriptor {
	for i := range ds {
		ds[i].Signature[0] ^= 1
	}
	return ds
}

func TestDirectory(t *testing.T) {
	w := makeWorld(t, world.World{})
	now := time.Unix(1_800_000_000, 0)
	started := now.Add(-time.Hour)
	status := func(change func(*node.DirectoryStatus)) *node.DirectoryStatus {
		s := &node.DirectoryStatus{Age: 60, Relays: 3, Providers: 1, Models: []node.ModelStatus{{ID: "m"}}}
		change(s)
		return s
	}
	for _, tt := range []struct {
		name  string
		found []Finding
		level Level
		want  string
	}{
		{"fine", DirectoryStatus(w, status(func(*node.DirectoryStatus) {}), started, now), OK, "3 relays, 1 provider, 1 model; fetched 60 seconds ago"},
		{"never", DirectoryStatus(w, status(func(s *node.DirectoryStatus) { s.Age, s.Problem = -1, "not reachable" }), started, now), Problem, "not agreed on a root since the start (not reachable)"},
		{"not yet", DirectoryStatus(w, status(func(s *node.DirectoryStatus) { s.Age = -1 }), now.Add(-time.Second), now), Warning, "not agreed on a root yet"},
		{"old", DirectoryStatus(w, status(func(s *node.DirectoryStatus) { s.Age = 7200 }), started, now), Problem, "longer than an epoch and a half"},
		{"before it asks again", DirectoryStatus(w, status(func(s *node.DirectoryStatus) { s.Age = 4700 }), started, now), OK, "fetched 78 minutes ago"},
		{"failed", DirectoryStatus(w, status(func(s *node.DirectoryStatus) { s.Problem = "not reachable" }), started, now), Warning, "the last attempt: not reachable"},
		{"too few relays", Enough(w, 1, 1), Problem, "1 relay known, a circuit takes 2"},
		{"no provider", Enough(w, 2, 0), Problem, "no provider is known"},
		{"small", Small(w, Merge(w, now, descriptors(t, w, now, 3))), Warning, "its relays are in 3 networks"},
	} {
		t.Run(tt.name, func(t *testing.T) { has(t, tt.found, tt.level, tt.want) })
	}
	for name, found := range map[string][]Finding{
		"enough":         Enough(w, 2, 1),
		"large":          Small(w, Merge(w, now, descriptors(t, w, now, 6))),
		"small, a local": Small(makeWorld(t, world.World{Local: true}), Merge(w, now, descriptors(t, w, now, 3))),
		"empty":          Small(w, Merge(w, now)),
	} {
		if len(found) > 0 {
			t.Errorf("%s: findings = %+v, want none", name, found)
		}
	}
}

func TestCached(t *testing.T) {
	w := makeWorld(t, world.World{})
	now := time.Now()
	dir := t.TempDir()
	has(t, ReadCache(dir, w).Findings(now), OK, "none yet")
	path := filepath.Join(dir, "bundle-00000000000000000001.db")
	try(t, os.WriteFile(path, []byte("x"), 0o600))
	has(t, ReadCache(dir, w).Findings(now), Warning, dir, "fetched again")
	if text, err := os.ReadFile(path); err != nil || string(text) != "x" {
		t.Errorf("the file holds %q, %v after a look", text, err)
	}
	mirrored(t, w, dir, now.Add(-3*time.Hour), 2)
	has(t, ReadCache(dir, w).Findings(now), OK, "2 descriptors, root of epoch", "3 hours old")
	try(t, os.WriteFile(filepath.Join(dir, "roots.db"), []byte("x"), 0o600))
	has(t, ReadCache(dir, w).Findings(now), Warning, "roots.db", "delete the file")
	has(t, Cached{Forked: errors.New("two roots")}.Findings(now), Problem, "two roots", "believe no directory")
}

func TestOffered(t *testing.T) {
	w := makeWorld(t, world.World{})
	now := time.Now()
	provider := func(n byte, caps ...string) []world.Descriptor {
		seed := make([]byte, ed25519.SeedSize)
		seed[0] = n
		ds, err := directory.Build(ed25519.NewKeyFromSeed(seed), w.ID, w.Epoch(now), 1, directory.Node{
			Addrs: []string{"/ip4/8.8.8.8/tcp/1"}, Onion: []directory.OnionKey{{Public: [32]byte(seed), NotAfter: w.EpochStart(w.Epoch(now) + 2)}},
			Models: []directory.Model{{ID: fmt.Sprintf("m%d", n), Runtime: "vllm", Caps: caps}},
		})
		try(t, err)
		return ds
	}
	snap := Merge(w, now, provider(50), provider(51, node.CapUnavailable), descriptors(t, w, now, 1))
	if providers, models := Offered(snap); providers != 1 || models != 1 {
		t.Errorf("Offered = %d providers, %d models; want those that serve now: 1 and 1", providers, models)
	}
}
