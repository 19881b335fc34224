package gateway

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
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
	"github.com/culvert-net/culvert/internal/config"
	"github.com/culvert-net/culvert/mesh"
	"github.com/culvert-net/culvert/mesh/world"
)

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
			if _, got, _ := m.status(); got != alive || !known || !slices.Equal(ids, want) || changes != wantChanges {
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

// What the owner is told of the model server: why it does not answer at the
// first failure, once, and that it is back. A server that was down from the
// start used to be passed over in silence.
func TestModelServerIsWatchedAloud(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		s := &shelf{}
		down := &wire.Error{Status: 502, Code: "upstream_unreachable", Message: "canary"}
		s.put(down)
		m := &models{
			backend: s, url: "http://127.0.0.1:11434", changed: func() {},
			log:     slog.New(slog.NewTextHandler(&log, nil)),
			runtime: func(context.Context) string { return "ollama" },
			able: func(context.Context, string, bool) ([]wire.Capability, error) {
				return []wire.Capability{wire.Chat}, nil
			},
		}
		ctx, stop := context.WithCancel(t.Context())
		defer synctest.Wait()
		defer stop()
		go m.Run(ctx) // the bubble waits for it
		said := func(step string, wait time.Duration, want ...string) {
			t.Helper()
			time.Sleep(wait)
			synctest.Wait()
			lines := strings.Count(log.String(), "\n")
			if lines > 1 || (lines == 1) != (len(want) > 0) || strings.Contains(log.String(), "canary") {
				t.Errorf("%s: said %q; want one line for a change, none else, and never the server's words", step, log.String())
			}
			for _, w := range want {
				if !strings.Contains(log.String(), w) {
					t.Errorf("%s: said %q; want %q", step, log.String(), w)
				}
			}
			log.Reset()
		}
		said("down from the start", 0, "level=WARN", "http://127.0.0.1:11434", "is it running?")
		said("still down", 3*modelsEvery)
		s.put(nil, "a")
		said("up", modelsEvery, "level=INFO", "is back", "models=1")
		s.put(down)
		said("down again", modelsEvery+modelsAgain, "level=WARN", "is it running?")
		said("still down", 3*modelsEvery)
		s.put(nil)
		said("nothing to offer", modelsEvery, "level=WARN", "lists no models")
		s.put(nil, "a")
		said("something", modelsEvery, "level=INFO", "serves models")
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
		{"listen, quic", func(c *Config) { c.Node.Listen = []string{"/ip4/0.0.0.0/udp/4811/quic-v1"} }, 0, ""},
		{"listen, udp", func(c *Config) { c.Node.Listen = []string{"/ip4/0.0.0.0/udp/4811"} }, 1, "quic-v1"},
		{"listen, any port", func(c *Config) { c.Node.Listen = []string{"/ip4/0.0.0.0/tcp/0"} }, 1, "port 0"},
		{"announce", func(c *Config) { c.Node.Announce = []string{"example.com"} }, 1, "node.announce"},
		{"announce, quic", func(c *Config) { c.Node.Announce = []string{"/ip4/8.8.8.8/udp/4811/quic-v1"} }, 0, ""},
		{"announce, webtransport", func(c *Config) { c.Node.Announce = []string{"/ip4/8.8.8.8/udp/4811/quic-v1/webtransport"} }, 1, "quic-v1"},
		{"announce, name", func(c *Config) { c.Node.Announce = []string{"/dns4/example.com/tcp/4811"} }, 1, "name server"},
		{"url without scheme", func(c *Config) { c.Provider.URL = "localhost:11434" }, 1, "provider.url: a base URL begins with http:// or https://; write http://localhost:11434"},
		{"url with password", func(c *Config) { c.Provider.URL = "http://ann:hunter2@host" }, 1, "provider.url"},
		{"log level", func(c *Config) { c.Log.Level = "loud" }, 1, "log.level"},
		{"provider without url", func(c *Config) { c.Node.Roles = []string{"provider"} }, 1, "provider.url"},
		{"backend", func(c *Config) { c.Provider.Backend = "magic" }, 1, "provider.backend"},
		{"requests", func(c *Config) { c.Provider.Requests = 0 }, 1, "provider.requests"},
		{"memory", func(c *Config) { c.Provider.BodiesMiB = 1 }, 1, "provider.bodies_mib"},
		{"status for all", func(c *Config) { c.Status.Listen = "0.0.0.0:8813" }, 4, "status.listen: 0.0.0.0:8813: not a loopback address: it shows"},
		{"debug for all", func(c *Config) { c.Debug.Listen = ":6060" }, 4, "debug.listen"},
	} {
		cfg := Defaults()
		tt.change(cfg)
		err := config.Check(cfg, nil)
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v shows a password", tt.name, err)
		}
		if app.Code(err) != tt.code || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v (code %d); want %q (code %d)", tt.name, err, app.Code(err), tt.want, tt.code)
		}
	}
}

func TestInit(t *testing.T) {
	root := t.TempDir()
	seed := filepath.Join(root, "seed")
	file := homeWorld(t)
	r, err := Init(t.Context(), InitOptions{Data: seed, World: file, Roles: []string{RoleRelay}, Name: "seed"})
	if err != nil {
		t.Fatal(err)
	}
	// Both transports are where others connect.
	if !slices.ContainsFunc(r.Addrs, func(s string) bool { return strings.Contains(s, "quic") }) {
		t.Errorf("addresses %q; want QUIC among them", r.Addrs)
	}
	for _, name := range []string{node.KeyFile, node.OnionFile, app.WorldFile, app.ConfigFile} {
		if info, err := os.Stat(filepath.Join(seed, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v; want it there with mode 0600", name, err)
		}
	}
	cfg := Defaults()
	if _, err := app.Load(cfg, program, seed, nil); err != nil || cfg.Node.Name != "seed" || !slices.Equal(cfg.Node.Listen, r.Config.Node.Listen) {
		t.Errorf("config = %+v, %v; want what init decided", cfg.Node, err)
	}
	if _, err := Init(t.Context(), InitOptions{Data: seed, World: file}); app.Code(err) != app.ExitUsage {
		t.Errorf("second init = %v, want exit code 2", err)
	}

	// Two gateways of one machine have two status pages.
	taken, err := net.Listen("tcp4", statusListen)
	if err != nil {
		t.Logf("%v: by another gateway, which does as well", err)
	} else {
		defer taken.Close()
	}
	other := filepath.Join(root, "other")
	r, err = Init(t.Context(), InitOptions{
		Data: other, World: filepath.Join(seed, app.WorldFile), Backend: "http://127.0.0.1:1", Roles: []string{RoleRelay, RoleProvider},
	})
	if err != nil || !r.Config.Is(RoleRelay) || !r.Config.Is(RoleProvider) || r.Config.Provider.URL != "http://127.0.0.1:1" {
		t.Errorf("init = %+v, %v; want both roles", r, err)
	}
	if r.Config.Status.Listen == statusListen {
		t.Errorf("the status page is at %s, which is taken", statusListen)
	}
	if r, err := Init(t.Context(), InitOptions{Data: filepath.Join(root, "third"), World: file, Roles: []string{RoleRelay}, Status: "127.0.0.1:1"}); err != nil || r.Config.Status.Listen != "127.0.0.1:1" {
		t.Errorf("init = %+v, %v; want the status page where it was said", r, err)
	}
	if got, err := world.Load(filepath.Join(other, app.WorldFile)); err != nil || got.ID != r.World.ID {
		t.Errorf("world file = %v, %v; want a copy", got, err)
	}
}

// A node nobody could reach, flags that do not go together, and what nobody
// would read are refused, each with what to do.
func TestInitRefuses(t *testing.T) {
	public := worldFile(t, world.World{Phrase: "public", Seeds: []string{"/ip4/8.8.8.8/tcp/4811/p2p/" + mesh.PeerID([32]byte{1})}})
	unsigned := filepath.Join(t.TempDir(), app.WorldFile)
	nobody := world.World{Phrase: "unsigned", Rules: world.DefaultRules(), Seeds: []string{"/ip4/8.8.8.8/tcp/4811/p2p/" + mesh.PeerID([32]byte{1})}}
	if err := world.WriteFile(unsigned, &nobody); err != nil {
		t.Fatal(err)
	}
	lonely := worldFile(t, world.World{Phrase: "lonely"})
	relay, provider := []string{RoleRelay}, []string{RoleProvider}
	private := []string{"/ip4/10.1.2.3/tcp/4811"}
	for name, tt := range map[string]struct {
		o    InitOptions
		want string
	}{
		"no world":               {InitOptions{}, "observer world create PHRASE"},
		"nobody signs":           {InitOptions{World: unsigned, Roles: relay}, "nobody who signs its directory"},
		"no file":                {InitOptions{World: "none.toml"}, "none.toml"},
		"no seeds":               {InitOptions{World: lonely, Roles: relay}, "no seeds"},
		"bad role":               {InitOptions{World: homeWorld(t), Roles: []string{"king"}}, "--roles: node.roles: \"king\""},
		"bad listen":             {InitOptions{World: homeWorld(t), Roles: relay, Listen: []string{":4811"}}, "--listen: node.listen"},
		"backend of a relay":     {InitOptions{World: homeWorld(t), Roles: relay, Backend: "http://127.0.0.1:1"}, "add provider to --roles"},
		"backend without scheme": {InitOptions{World: homeWorld(t), Roles: provider, Backend: "localhost:1"}, "--backend: provider.url: a base URL begins with http:// or https://; write http://localhost:1"},
		"unreachable":            {InitOptions{World: public, Roles: relay, Listen: private}, "(not /ip4/10.1.2.3/tcp/4811). If a router forwards one, name it with --announce /ip4/ADDRESS/tcp/PORT; the world is one of public addresses; one of private addresses is made with observer world create"},
		"announces private":      {InitOptions{World: public, Roles: relay, Announce: private}, "--announce: node.announce: address \"/ip4/10.1.2.3/tcp/4811\": not a public address"},
		"announces carrier NAT":  {InitOptions{World: public, Roles: relay, Announce: []string{"/ip4/100.64.1.2/tcp/4811"}}, "not a public address"},
		"announces a name":       {InitOptions{World: public, Roles: relay, Announce: []string{"/dns4/example.com/tcp/4811"}}, "--announce: node.announce"},
	} {
		tt.o.Data = filepath.Join(t.TempDir(), "d")
		_, err := Init(t.Context(), tt.o)
		if app.Code(err) != app.ExitUsage || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v; want exit code 2 and %q", name, err, tt.want)
		}
		if _, err := os.Stat(filepath.Join(tt.o.Data, app.WorldFile)); err == nil {
			t.Errorf("%s: a world file was written", name)
		}
	}
}

// homeWorld is the file of a world of private addresses.
func homeWorld(t *testing.T) string {
	t.Helper()
	return worldFile(t, world.World{Phrase: "home", Local: true, Seeds: []string{"/ip4/127.0.0.1/tcp/1/p2p/" + mesh.PeerID([32]byte{1})}})
}

// worldFile writes one with default rules and a signer.
func worldFile(t *testing.T, w world.World) string {
	t.Helper()
	w.Rules, w.Founder = world.DefaultRules(), [32]byte{1}
	path := filepath.Join(t.TempDir(), app.WorldFile)
	if err := world.WriteFile(path, &w); err != nil {
		t.Fatal(err)
	}
	return path
}

// A model server that is not there, or wants a key, is no reason to stop, but
// to say so.
func TestInitProbesTheBackend(t *testing.T) {
	answer := func(status int, text string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			fmt.Fprint(w, text)
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	for _, tt := range []struct{ name, url, want string }{
		{"fine", answer(200, `{"object":"list","data":[{"id":"m"}]}`), ""},
		{"empty", answer(200, `{"object":"list","data":[]}`), "lists no models"},
		{"wants a key", answer(401, `{"error":{"message":"canary"}}`), "API key"},
		{"something else", answer(404, `{}`), "OpenAI-compatible"},
		{"nobody", "http://127.0.0.1:1", "is it running?"},
	} {
		r, err := Init(t.Context(), InitOptions{Data: filepath.Join(t.TempDir(), "d"), World: homeWorld(t), Backend: tt.url})
		if err != nil {
			t.Fatal(err)
		}
		all := strings.Join(r.Warnings, "\n")
		if (all == "") != (tt.want == "") || !strings.Contains(all, tt.want) || tt.want != "" && !strings.Contains(all, tt.url) || strings.Contains(all, "canary") {
			t.Errorf("%s: warnings %q, want %q and the address", tt.name, all, tt.want)
		}
	}
}

// What init prints can be used: addresses that others can dial, and a command
// that works as pasted.
func TestInitPrints(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a node")
	cmd := Command()
	var out strings.Builder
	cmd.SetOut(&out)
	cmd.SetArgs([]string{"init", "--data", dir, "--world", homeWorld(t), "--roles", "relay"})
	if err := cmd.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); strings.Contains(got, "0.0.0.0") || !strings.Contains(got, "Other nodes connect to /ip4/") ||
		!strings.Contains(got, " serve --data '"+dir+"'\n") {
		t.Errorf("init printed %q; want addresses of this machine and a next command with the directory", got)
	}
	key, err := node.EnsureKey(dir)
	if err != nil || !strings.Contains(out.String(), node.ShortID([32]byte(key.Public().(ed25519.PublicKey)))) {
		t.Errorf("init printed %q, %v; want the node's short id", out.String(), err)
	}
}

// config check refuses what serve refuses, and says where it stands.
func TestConfigCheckIsServes(t *testing.T) {
	public := worldFile(t, world.World{Phrase: "public", Seeds: []string{"/ip4/8.8.8.8/tcp/4811/p2p/" + mesh.PeerID([32]byte{1})}})
	for _, tt := range []struct {
		name, text string
		args       []string
		code       int
		want       string // after file and line
	}{
		{"fine", "", nil, 0, ""},
		{"log level", "[log]\nlevel = \"loud\"\n", nil, 2, ":2: log.level: \"loud\""},
		{"url", "[provider]\nurl = \"localhost:1\"\n", nil, 2, ":2: provider.url: a base URL begins"},
		{"announce", "[node]\n\nannounce = [\"/ip4/192.0.2.1/tcp/4811\"]\n", nil, 2, ":3: node.announce: address"},
		{"mock", "[node]\nroles = [\"provider\"]\n[provider]\nbackend = \"mock\"\n", nil, 4, ":4: provider.backend: the demo model"},
		{"status", "[status]\nlisten = \"0.0.0.0:1\"\n", nil, 4, ":2: status.listen: 0.0.0.0:1: not a loopback address"},
	} {
		dir := filepath.Join(t.TempDir(), "d")
		if _, err := Init(t.Context(), InitOptions{Data: dir, World: public, Roles: []string{RoleRelay}, Announce: []string{"/ip4/8.8.4.4/tcp/4811"}}); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, app.ConfigFile)
		if tt.text != "" {
			if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		commands := [][]string{{"config", "check"}, {"serve"}}
		if tt.code == 0 {
			commands = commands[:1] // the other would serve
		}
		for _, c := range commands {
			cmd := Command()
			cmd.SilenceErrors, cmd.SilenceUsage = true, true
			cmd.SetOut(io.Discard)
			cmd.SetArgs(append(c, "--data", dir))
			err := cmd.ExecuteContext(t.Context())
			if app.Code(err) != tt.code || err != nil && !strings.HasPrefix(err.Error(), file+tt.want) {
				t.Errorf("%s: %v = %v (code %d); want %q (code %d)", tt.name, c, err, app.Code(err), file+tt.want, tt.code)
			}
		}
	}
}

// A node that nobody can reach says so when it starts, with the address that
// others do not accept and what to do; it used to be silent.
func TestServeWarnsWhenUnreachable(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "d")
	public := worldFile(t, world.World{Phrase: "public", Seeds: []string{"/ip4/8.8.8.8/tcp/4811/p2p/" + mesh.PeerID([32]byte{1})}})
	if _, err := Init(t.Context(), InitOptions{Data: dir, World: public, Roles: []string{RoleRelay}, Announce: []string{"/ip4/8.8.4.4/tcp/4811"}}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name     string
		announce []string
		warns    bool
	}{{"announced", []string{"/ip4/8.8.4.4/tcp/4811"}, false}, {"not announced", nil, true}} {
		port, err := node.FreePort(0)
		if err != nil {
			t.Fatal(err)
		}
		cfg := Defaults()
		cfg.Status.Listen, cfg.Node.Announce = "", tt.announce
		cfg.Node.Listen = []string{fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", port)}
		ctx, stop := context.WithCancel(t.Context())
		stop() // it starts, and stops at once
		var log strings.Builder
		if err := Serve(ctx, Options{Data: dir, Config: cfg, Err: &log}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(log.String(), "others cannot reach this node"); got != tt.warns {
			t.Errorf("%s: log = %s; want a warning: %t", tt.name, log.String(), tt.warns)
		}
		if tt.warns && !strings.Contains(log.String(), "announce in [node]") {
			t.Errorf("log = %s; want the remedy", log.String())
		}
	}
}

func TestStatusPrint(t *testing.T) {
	s := Status{
		Status: node.Status{
			ID: "ab010203", PeerID: "12D3KooWx", Roles: []string{"provider"}, Seeds: 1,
			Directory: &node.DirectoryStatus{Relays: 1, Providers: 1},
		},
		Backend: &BackendStatus{Kind: "openai", URL: "http://127.0.0.1:1", Problem: "it cannot be reached"},
	}
	var out strings.Builder
	if err := s.print(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Node        ab010203\n", "12D3KooWx", "1 relay, 1 provider,", "of 1 other seed\n", "openai http://127.0.0.1:1, DOES NOT ANSWER: it cannot be reached\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("status = %s; want %q", out.String(), want)
		}
	}
	// The demo model has no address.
	s.Backend = &BackendStatus{Kind: "mock", Alive: true, Models: []string{"demo"}}
	out.Reset()
	if err := s.print(&out); err != nil || !strings.Contains(out.String(), "  mock, answers\n") {
		t.Errorf("status = %s, %v; want the mock without an address", out.String(), err)
	}
}

// A directory that is prepared for another world has nothing of the old one left:
// a signed root of it would be an error at the next start. The identity stays.
func TestPrepareForAnotherWorld(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "d")
	if _, err := Init(t.Context(), InitOptions{Data: dir, World: homeWorld(t), Roles: []string{RoleRelay}}); err != nil {
		t.Fatal(err)
	}
	files := []string{"roots.db", "bundle-00000000000000000001.db", ownFile, node.KeyFile}
	for _, name := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg := Defaults()
	cfg.Node.Roles = []string{RoleRelay}
	w, err := world.New(world.World{Phrase: "y", Rules: world.DefaultRules(), Local: true})
	if err == nil {
		err = Prepare(dir, cfg, w)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if _, err := os.Stat(filepath.Join(dir, name)); (err == nil) != (name == node.KeyFile) {
			t.Errorf("%s: %v; want only the identity to stay", name, err)
		}
	}
}
