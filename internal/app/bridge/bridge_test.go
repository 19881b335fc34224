package bridge

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/internal/config"
	"github.com/culvert-net/culvert/mesh/world"
)

func TestValidate(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Config)
		code   int
		want   string
	}{
		{"defaults", func(*Config) {}, 0, ""},
		{"status off", func(c *Config) { c.Status.Listen = "" }, 0, ""},
		{"no address", func(c *Config) { c.API.Listen = nil }, 1, "api.listen"},
		{"bad address", func(c *Config) { c.API.Listen = []string{"8811"} }, 1, "api.listen"},
		{"for all, which keys decide", func(c *Config) { c.API.Listen = []string{"127.0.0.1:1", "0.0.0.0:8811"} }, 0, ""},
		{"status for all", func(c *Config) { c.Status.Listen = "10.0.0.1:8812" }, 4, "status.listen"},
		{"debug for all", func(c *Config) { c.Debug.Listen = ":6060" }, 4, "debug.listen"},
		{"upstream without scheme", func(c *Config) { c.Local.Upstream = "localhost:11434" }, 1, "local.upstream: a base URL begins with http:// or https://; write http://localhost:11434"},
		{"log level", func(c *Config) { c.Log.Level = "loud" }, 1, "log.level"},
		{"heartbeat", func(c *Config) { c.API.Heartbeat = time.Second }, 1, "api.heartbeat"},
		{"no requests", func(c *Config) { c.API.Requests = 0 }, 1, "api.requests"},
		{"memory", func(c *Config) { c.API.BodiesMiB = 1 }, 1, "api.bodies_mib"},
		{"money", func(c *Config) { c.API.Keyless = "0.5" }, 1, "api.keyless_money_per_day"},
		{"money in eth", func(c *Config) { c.API.Keyless = "0.5 eth" }, 0, ""},
		{"no money", func(c *Config) { c.API.Keyless = "" }, 1, "api.keyless_money_per_day"},
	} {
		cfg := Defaults()
		tt.change(cfg)
		err := config.Check(cfg, nil)
		if app.Code(err) != tt.code || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v (code %d); want %q (code %d)", tt.name, err, app.Code(err), tt.want, tt.code)
		}
	}
}

// worldFile writes one; change may edit it.
func worldFile(t *testing.T, phrase string) string {
	t.Helper()
	w, err := world.New(world.World{Phrase: phrase, Rules: world.DefaultRules(), Founder: [32]byte{1}, Local: true, Seeds: []string{
		"/ip4/127.0.0.1/tcp/4811/p2p/12D3KooWRMZcXru9xxc4oEatYbENjNfzf1GtWC3B7rJA5qVEbC1C",
	}})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "world.toml")
	if err := world.WriteFile(path, w); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestInit(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "b")
	file := worldFile(t, "blue river")
	w, err := Init(dir, file, Defaults())
	if err != nil || w.Phrase != "blue-river" {
		t.Fatalf("Init = %+v, %v; want the world", w, err)
	}
	// Once more with the same world takes its new seeds and keeps the settings.
	settings := []byte("[api]\nlisten = [\"127.0.0.1:9\"]\n")
	if err := os.WriteFile(filepath.Join(dir, app.ConfigFile), settings, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Init(dir, file, Defaults()); err != nil {
		t.Errorf("second Init = %v, want nil", err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, app.ConfigFile)); err != nil || !bytes.Equal(got, settings) {
		t.Errorf("config.toml = %q, %v; want it kept", got, err)
	}
	if _, err := Init(dir, worldFile(t, "other"), Defaults()); app.Code(err) != app.ExitUsage || !strings.Contains(err.Error(), "blue-river") {
		t.Errorf("Init with another world = %v, want exit code 2 and the world it has", err)
	}
	// Without seeds it would wait for ever.
	lonely, err := world.New(world.World{Phrase: "lonely", Rules: world.DefaultRules()})
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "world.toml")
	if err := world.WriteFile(file, lonely); err != nil {
		t.Fatal(err)
	}
	if _, err := Init(filepath.Join(t.TempDir(), "l"), file, Defaults()); app.Code(err) != app.ExitUsage || !strings.Contains(err.Error(), "no seeds") {
		t.Errorf("Init with a world without seeds = %v, want exit code 2", err)
	}
	if _, err := Init(dir, dir+"/none.toml", Defaults()); app.Code(err) != app.ExitUsage || !strings.Contains(err.Error(), "none.toml") {
		t.Errorf("Init without a file = %v, want exit code 2", err)
	}
}

// Local mode is asked for, never fallen back to, and never beside a world.
func TestChoose(t *testing.T) {
	file := worldFile(t, "blue river")
	empty := t.TempDir()
	own := filepath.Join(empty, app.WorldFile)
	for _, tt := range []struct {
		name, data, world, upstream string
		code                        int
	}{
		{"world", empty, file, "", 0},
		{"local", empty, own, "http://127.0.0.1:1", 0},
		{"nothing", empty, own, "", app.ExitUsage},
		{"both", empty, file, "http://127.0.0.1:1", app.ExitRefused},
		{"both, with a mistake in the world's name", empty, filepath.Join(empty, "wrold.toml"), "http://127.0.0.1:1", app.ExitRefused},
		{"both, the world being that of the directory", filepath.Dir(file), filepath.Join(empty, "other.toml"), "http://127.0.0.1:1", app.ExitRefused},
	} {
		cfg := Defaults()
		cfg.Local.Upstream = tt.upstream
		o := Options{Data: tt.data, World: tt.world, Config: cfg}
		if open, err := o.choose(); app.Code(err) != tt.code || (open == nil) != (err != nil) {
			t.Errorf("%s: %v; want code %d", tt.name, err, tt.code)
		}
	}
	// A world file that cannot be read is not "no world".
	if err := os.WriteFile(own, []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := Defaults()
	cfg.Local.Upstream = "http://127.0.0.1:1"
	o := Options{Data: empty, World: own, Config: cfg}
	if _, err := o.choose(); app.Code(err) != app.ExitRefused {
		t.Errorf("local mode beside a broken world file = %v, want code 4", err)
	}
}

func TestPrint(t *testing.T) {
	s := Status{
		Mode: ModeWorld, BaseURLs: []string{"http://127.0.0.1:8811/v1"}, Waiting: []string{"no provider is known", "no circuit is ready yet"},
		World:     &node.WorldStatus{ID: "abcdef0123456789", Phrase: "blue-river", Hops: 3},
		Directory: &node.DirectoryStatus{Age: -1, Relays: 2, Models: []node.ModelStatus{{ID: "m", Providers: 2}}},
		Circuits:  []Circuit{{ID: "c1", State: "open", Hops: []string{"a", "b", "c"}, Streams: 1, Requests: 7, Age: 61.5}},
	}
	var out strings.Builder
	if err := s.print(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"http://127.0.0.1:8811/v1", "no: no provider is known; no circuit is ready yet", "blue-river (abcdef01), 3 hops",
		"2 relays, 0 providers, never fetched", "m (providers: 2)", "a > b > c", "1m1s",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("status = %s; want %q in it", out.String(), want)
		}
	}
	s.Directory = &node.DirectoryStatus{Epoch: 7, Signed: 2, Signers: 3, Age: -1, Nodes: 4, Relays: 1, Providers: 1, Problem: "not reachable"}
	out.Reset()
	if err := s.print(&out); err != nil || !strings.Contains(out.String(), "1 relay, 1 provider, root of epoch 7, signed by 2 of 3, not fetched since the start; the last attempt: not reachable") {
		t.Errorf("status = %s, %v; want the root that was kept", out.String(), err)
	}
	out.Reset()
	local := Status{Mode: ModeLocal, Ready: true, Upstream: "http://127.0.0.1:1"}
	if err := local.print(&out); err != nil || !strings.Contains(out.String(), "LOCAL: no circuit") {
		t.Errorf("status = %s, %v; want it to say what local mode is", out.String(), err)
	}
}

// `config check` refuses what serve would, and knows that a world may come later.
func TestConfigCheckIsServes(t *testing.T) {
	for _, tt := range []struct {
		name, dir string
		args      []string
		code      int
	}{
		{"no world yet", t.TempDir(), nil, 0},
		{"local mode", t.TempDir(), []string{"--upstream", "http://127.0.0.1:1"}, 0},
		{"a world", filepath.Dir(worldFile(t, "x")), nil, 0},
		{"local mode beside a world", filepath.Dir(worldFile(t, "x")), []string{"--upstream", "http://127.0.0.1:1"}, app.ExitRefused},
	} {
		cmd := Command()
		cmd.SetArgs(append([]string{"config", "check", "--json", "--data", tt.dir}, tt.args...))
		var said strings.Builder
		cmd.SetOut(&said)
		cmd.SetErr(&said)
		if err := cmd.Execute(); app.Code(err) != tt.code || tt.code == 0 && !strings.Contains(said.String(), `"api.listen"`) {
			t.Errorf("%s: %v, said %.100q; want code %d", tt.name, err, said.String(), tt.code)
		}
	}
}
