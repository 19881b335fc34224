package gateway

import (
	"context"
	"crypto/ed25519"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/api/backend"
	wire "github.com/culvert-net/culvert/api/openai"
	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/mesh/world"
)

func TestEnsureKey(t *testing.T) {
	dir := t.TempDir()
	first, err := EnsureKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	again, err := EnsureKey(dir)
	if err != nil || !first.Equal(again) {
		t.Errorf("second EnsureKey = another key, %v; want the same", err)
	}
	path := filepath.Join(dir, keyFile)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]string{
		"empty": "", "cut": string(text[:len(text)/2]), "two": string(text) + string(text), "other": "hello",
		"changed": strings.Replace(string(text), "MC4CAQAw", "MC4CAQAx", 1),
	} {
		if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := EnsureKey(dir); app.Code(err) != app.ExitUsage || !strings.Contains(err.Error(), path) {
			t.Errorf("%s key file: %v; want exit code 2 and the file's name", name, err)
		}
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := EnsureKey(dir); app.Code(err) != app.ExitRefused {
		t.Errorf("key file of mode 0640: %v; want exit code 4", err)
	}
}

func FuzzKeyFile(f *testing.F) {
	dir := f.TempDir()
	if _, err := EnsureKey(dir); err != nil {
		f.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, keyFile))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add(text[:len(text)-5])
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		key, err := parseKey(text)
		if (key == nil) != (err != nil) || err == nil && len(key) != ed25519.PrivateKeySize {
			t.Errorf("parseKey = %d bytes, %v; want a key or an error", len(key), err)
		}
	})
}

// shelf is a backend that lists what it is told.
type shelf struct {
	backend.Backend
	mu   sync.Mutex
	list []backend.Model
	err  error
}

func (s *shelf) put(err error, ids ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list, s.err = nil, err
	for _, id := range ids {
		s.list = append(s.list, backend.Model{ID: id})
	}
}

func (s *shelf) Models(context.Context) ([]backend.Model, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.list, s.err
}

// chats is a server all of whose models chat.
func chats(context.Context, string, bool) ([]wire.Capability, error) {
	return []wire.Capability{wire.Chat}, nil
}

// What models can do is asked once, again later where there was no answer, and
// anew after the server was gone.
func TestAbilities(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		s.put(nil, "busy", "none", "vectors")
		var asked []string
		answers := map[string][]wire.Capability{"none": {}, "vectors": {wire.Embeddings}}
		m := &models{
			backend: s, log: slog.New(slog.DiscardHandler), changed: func() {},
			runtime: func(context.Context) string { return "openai" },
			able: func(_ context.Context, model string, few bool) ([]wire.Capability, error) {
				if !few {
					t.Errorf("%s: three models are not few", model)
				}
				asked = append(asked, model)
				if able, ok := answers[model]; ok {
					return able, nil
				}
				return nil, errors.New("busy")
			},
		}
		check := func(step, wantAsked, want string) {
			t.Helper()
			asked = nil
			m.look(t.Context(), modelsLimit)
			list, _ := m.offered()
			var got []string
			for _, model := range list {
				got = append(got, model.ID+":"+strings.Join(model.Caps, "+"))
			}
			if strings.Join(asked, " ") != wantAsked || strings.Join(got, " ") != want {
				t.Errorf("%s: asked %q, offered %q; want %q, %q", step, asked, got, wantAsked, want)
			}
		}
		check("first", "busy none vectors", "busy: vectors:embeddings")
		check("second", "", "busy: vectors:embeddings")
		time.Sleep(ableAgain)
		answers["busy"] = []wire.Capability{wire.Completions, wire.Chat}
		check("later", "busy", "busy:chat+completions vectors:embeddings")
		s.put(errors.New("down"))
		m.look(t.Context(), modelsLimit)
		check("down", "", "busy:chat+completions+unavailable vectors:embeddings+unavailable")
		answers["vectors"] = []wire.Capability{wire.Chat}
		s.put(nil, "vectors")
		check("back", "vectors", "vectors:chat")
	})
}

// The descriptor follows the backend: a new model, a backend that dies and one
// that comes back are told once each, and one lost answer is no death.
func TestModelsFollowTheBackend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		s.put(nil, "a", "with space", "b")
		changes := 0
		m := &models{
			backend: s, log: slog.New(slog.DiscardHandler), changed: func() { changes++ },
			runtime: func(context.Context) string { return "ollama" },
			able:    chats,
		}
		if _, known := m.offered(); known {
			t.Fatal("models are known before anyone asked")
		}
		ctx, stop := context.WithCancel(t.Context())
		defer synctest.Wait()
		defer stop()
		go m.Run(ctx) // the bubble waits for it
		check := func(step string, wait time.Duration, wantChanges int, alive bool, want ...string) {
			t.Helper()
			time.Sleep(wait)
			synctest.Wait()
			list, known := m.offered()
			var ids []string
			for _, model := range list {
				ids = append(ids, model.ID)
				if model.Runtime != "ollama" || slices.Contains(model.Caps, node.CapUnavailable) == alive {
					t.Errorf("%s: %+v; want alive %t", step, model, alive)
				}
			}
			if _, got := m.status(); got != alive || !known || !slices.Equal(ids, want) || changes != wantChanges {
				t.Errorf("%s: %v, alive %t, %d changes; want %v, %t, %d", step, ids, got, changes, want, alive, wantChanges)
			}
		}
		check("start", 0, 1, true, "a", "b")
		check("nothing new", 3*modelsEvery, 1, true, "a", "b")
		s.put(nil, "a", "b", "c")
		check("a new model", modelsEvery, 2, true, "a", "b", "c")
		s.put(errors.New("no answer"))
		time.Sleep(modelsEvery)
		synctest.Wait()
		s.put(nil, "a", "b", "c")
		check("one answer lost", modelsEvery, 2, true, "a", "b", "c")
		s.put(errors.New("no answer"))
		check("dead", modelsEvery+modelsAgain, 3, false, "a", "b", "c")
		s.put(nil, "c")
		check("back", modelsEvery, 4, true, "c")
	})
}

func TestDescribeKeepsWithinBounds(t *testing.T) {
	var list []backend.Model
	for i := range 2 * maxModels {
		list = append(list, backend.Model{ID: "m" + strings.Repeat("x", i)})
	}
	list = append([]backend.Model{{ID: ""}, {ID: "é"}, {ID: "a b"}, {ID: strings.Repeat("y", maxModelID+1)}}, list...)
	got := (&models{known: "vllm"}).describe(list)
	if len(got) != maxModels || got[0].ID != "m" || got[0].Runtime != "vllm" {
		t.Errorf("describe = %d models, first %+v; want %d, first m", len(got), got[0], maxModels)
	}
}

func TestValidate(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Config)
		code   int
		want   string
	}{
		{"defaults", func(*Config) {}, 0, ""},
		{"no role", func(c *Config) { c.Node.Roles = nil }, 1, "node.roles"},
		{"role twice", func(c *Config) { c.Node.Roles = []string{"relay", "relay"} }, 1, "twice"},
		{"name", func(c *Config) { c.Node.Name = "Ümit" }, 1, "node.name"},
		{"listen", func(c *Config) { c.Node.Listen = []string{"0.0.0.0:4811"} }, 1, "node.listen"},
		{"announce", func(c *Config) { c.Node.Announce = []string{"example.com"} }, 1, "node.announce"},
		{"provider without url", func(c *Config) { c.Node.Roles = []string{"provider"} }, 1, "provider.url"},
		{"backend", func(c *Config) { c.Provider.Backend = "magic" }, 1, "provider.backend"},
		{"requests", func(c *Config) { c.Provider.Requests = 0 }, 1, "provider.requests"},
		{"memory", func(c *Config) { c.Provider.BodiesMiB = 1 }, 1, "provider.bodies_mib"},
		{"status for all", func(c *Config) { c.Status.Listen = "0.0.0.0:8813" }, 4, "--status-listen"},
		{"debug for all", func(c *Config) { c.Debug.Listen = ":6060" }, 4, "--debug"},
	} {
		cfg := Defaults()
		tt.change(cfg)
		err := cfg.Validate()
		if app.Code(err) != tt.code || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v (code %d); want %q (code %d)", tt.name, err, app.Code(err), tt.want, tt.code)
		}
	}
}

func TestInit(t *testing.T) {
	root := t.TempDir()
	seed := filepath.Join(root, "seed")
	r, err := Init(t.Context(), InitOptions{
		Data: seed, NewWorld: "Blue River", Local: true, Roles: []string{RoleRelay}, Name: "seed",
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.World.Seeds) == 0 || r.World.Phrase != "blue-river" || !r.World.Local {
		t.Errorf("world = %+v; want this node as its seed", r.World)
	}
	for _, name := range []string{keyFile, onionFile, app.WorldFile, app.ConfigFile} {
		if info, err := os.Stat(filepath.Join(seed, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v; want it there with mode 0600", name, err)
		}
	}
	cfg := Defaults()
	if _, err := app.Load(cfg, program, seed, nil); err != nil || cfg.Node.Name != "seed" || !slices.Equal(cfg.Node.Listen, r.Config.Node.Listen) {
		t.Errorf("config = %+v, %v; want what init decided", cfg.Node, err)
	}
	if _, err := Init(t.Context(), InitOptions{Data: seed, NewWorld: "x"}); app.Code(err) != app.ExitUsage {
		t.Errorf("second init = %v, want exit code 2", err)
	}

	other := filepath.Join(root, "other")
	r, err = Init(t.Context(), InitOptions{
		Data: other, World: filepath.Join(seed, app.WorldFile), Backend: "http://127.0.0.1:1", Roles: []string{RoleRelay, RoleProvider},
	})
	if err != nil || !r.Config.Is(RoleRelay) || !r.Config.Is(RoleProvider) || r.Config.Provider.URL != "http://127.0.0.1:1" {
		t.Errorf("init = %+v, %v; want both roles", r, err)
	}
	if got, err := world.Load(filepath.Join(other, app.WorldFile)); err != nil || got.ID != r.World.ID {
		t.Errorf("world file = %v, %v; want a copy", got, err)
	}
}

func TestInitRefuses(t *testing.T) {
	for name, o := range map[string]InitOptions{
		"no world":   {},
		"two worlds": {World: "a", NewWorld: "b"},
		"no file":    {World: "none.toml"},
		"bad phrase": {NewWorld: "!!!", Local: true, Roles: []string{RoleRelay}},
		"bad role":   {NewWorld: "x", Local: true, Roles: []string{"king"}},
		"bad listen": {NewWorld: "x", Local: true, Roles: []string{RoleRelay}, Listen: []string{":4811"}},
	} {
		o.Data = filepath.Join(t.TempDir(), "d")
		if _, err := Init(t.Context(), o); app.Code(err) != app.ExitUsage {
			t.Errorf("%s: %v; want exit code 2", name, err)
		}
	}
}

func TestReachable(t *testing.T) {
	got, err := reachable([]string{"/ip4/127.0.0.1/tcp/1"}, true)
	if err != nil || !slices.Equal(got, []string{"/ip4/127.0.0.1/tcp/1"}) {
		t.Errorf("reachable of a plain address = %v, %v; want itself", got, err)
	}
	got, err = reachable([]string{"/ip4/0.0.0.0/tcp/4811", "/ip6/::/tcp/4811"}, true)
	if err != nil || len(got) == 0 {
		t.Fatalf("reachable of a wildcard = %v, %v; want this machine's addresses", got, err)
	}
	for i, a := range got {
		if !strings.HasSuffix(a, "/tcp/4811") || strings.Contains(a, "0.0.0.0") || slices.Contains(got[:i], a) {
			t.Errorf("reachable = %v; want each address once", got)
		}
	}
}
