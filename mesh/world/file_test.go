package world_test

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/mesh/world"
)

// Addresses of one Ed25519 peer, public and on loopback, and the id of a peer
// whose key is not Ed25519.
const (
	peerID   = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"
	public   = "/ip4/192.0.2.7/tcp/4811/p2p/" + peerID
	loopback = "/ip4/127.0.0.1/tcp/4811/p2p/" + peerID
	rsaPeer  = "QmaCpDMGvV2BGHeYERUEnRQAwe3N8SzbUtfsmvsqQLuvuJ"
)

// worldFile is a valid file in which a test replaces something.
const worldFile = `format = 1
phrase = "Test World Alpha"
local = false
sandbox = false
seeds = ["` + public + `"]
mirrors = []

[rules]
version = 1
epoch_len_ms = 300000
exploration_rate = 0.1
disagreement_quarantine_threshold = 0.5
min_diverse_probers = 3
max_probe_redundancy = 10
default_circuit_len = 3
relay_batch_max_delay_ms = 100
fixed_cell_bytes = 512
w_success = 1
w_tool_fidelity = 0.5
w_latency = 0.3
w_refusal_consistency = 0.2
w_robustness = 0.4
`

const worldFileID = "70cbb22d564116181ed26e7b161f0c6449aec7599a60c9a47fbf1ca7287838ce"

func TestLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "world.toml")
	if err := os.WriteFile(path, []byte(worldFile), 0o600); err != nil {
		t.Fatal(err)
	}
	w, err := world.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if w.ID.String() != worldFileID || w.Phrase != "test-world-alpha" || len(w.Seeds) != 1 || w.Local || w.Sandbox {
		t.Errorf("Load = %+v", w)
	}
	if _, err := world.Parse([]byte(`id = "` + worldFileID + "\"\n" + worldFile)); err != nil {
		t.Errorf("with its id in it: %v", err)
	}
	if _, err := world.Parse([]byte(strings.NewReplacer("sandbox = false", "sandbox = true", public, loopback,
		"circuit_len = 3", "circuit_len = 1").Replace(worldFile))); err != nil {
		t.Errorf("as a sandbox: %v", err)
	}
}

func TestLoadErrors(t *testing.T) {
	for _, c := range []struct {
		name     string
		old, new string // replaced in worldFile
		want     string // part of the error beside the path
	}{
		{"syntax", "local = false", "local = ", "line 3"},
		{"duplicate key", "local = false", "local = false\nlocal = true", "line 4"},
		{"wrong type", `phrase = "Test World Alpha"`, "phrase = 7", "line 2"},
		{"wrong type of a rule", "version = 1", `version = "1"`, "line 9"},
		{"wrong type of a list", `seeds = ["` + public + `"]`, `seeds = "x"`, "line 5"},
		{"rule too large for its type", "version = 1", "version = 4294967296", "line 9"},
		{"rules no table", "[rules]", "[[rules]]", "rules"},
		{"unknown key", "local = false", "local = false\ncolour = 1", "colour: unknown key"},
		{"unknown rule", "w_success = 1", "w_success = 1\nw_luck = 1", "rules.w_luck: unknown key"},
		{"unknown table", "[rules]", "[chain]\nid = 1\n[rules]", "chain: unknown key"},
		{"key in another case", "local = false", "LOCAL = false", "LOCAL: unknown key"},
		{"charter of one key", "[rules]", "[charter]\nversion = 1\n[rules]", "charter.founders: missing"},
		{"missing rule", "w_robustness = 0.4\n", "", "rules.w_robustness: missing"},
		{"missing phrase", `phrase = "Test World Alpha"` + "\n", "", "phrase: missing"},
		{"missing format", "format = 1\n", "", "format: missing"},
		{"newer format", "format = 1", "format = 2", "format: 2"},
		{"bad phrase", "Test World Alpha", "Tést", "phrase: "},
		{"empty phrase", "Test World Alpha", "", "phrase: "},
		{"epoch too short", "300000", "59999", "rules.epoch_len_ms: 59999"},
		{"negative epoch", "300000", "-1", "rules.epoch_len_ms: -1"},
		{"not a number", "exploration_rate = 0.1", "exploration_rate = nan", "rules.exploration_rate"},
		{"infinite weight", "w_success = 1", "w_success = inf", "rules.w_success"},
		{"two hops", "default_circuit_len = 3", "default_circuit_len = 2", "rules.default_circuit_len"},
		{"cell size", "512", "500", "rules.fixed_cell_bytes: 500"},
		{"another id", "local = false", `id = "` + strings.Repeat("ab", 32) + `"`, "id: phrase and rules make world 70cbb22d"},
		{"no id", "local = false", `id = "ab"`, "id: "},
		{"seed without peer", public, "/ip4/192.0.2.7/tcp/4811", "seeds[0]: it does not end in /p2p"},
		{"seed is a name", public, "example.com:4811", "seeds[0]: not a multiaddr"},
		{"seed of another key type", peerID, rsaPeer, "seeds[0]: the peer id is not one of an Ed25519 key"},
		{"seed is only a peer", public, "/p2p/" + peerID, "seeds[0]: there is no address"},
		{"seed twice", `"` + public + `"`, `"` + public + `", "` + public + `"`, "seeds[1]: it is listed twice"},
		{"bad mirror", "mirrors = []", `mirrors = ["/ip4/192.0.2.7"]`, "mirrors[0]: "},
		{"public seed in a sandbox", "sandbox = false", "sandbox = true", "seeds[0]: in a world with sandbox = true"},
		{"too large", "[rules]", strings.Repeat("#", world.MaxFile) + "\n[rules]", "more than 65536 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(worldFile, c.old) {
				t.Fatalf("the template does not contain %q", c.old)
			}
			path := filepath.Join(t.TempDir(), "world.toml")
			if err := os.WriteFile(path, []byte(strings.Replace(worldFile, c.old, c.new, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			w, err := world.Load(path)
			if err == nil {
				t.Fatalf("Load = %+v, want an error", w)
			}
			if !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Load: %v\nwant the path and %q", err, c.want)
			}
		})
	}
	if _, err := world.Load(filepath.Join(t.TempDir(), "none.toml")); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "none.toml") {
		t.Errorf("Load of a missing file: %v", err)
	}
}

func TestWriteFile(t *testing.T) {
	rules := world.DefaultRules()
	rules.ExplorationRate = math.Nextafter(0.1, 1) // needs all its digits
	want, err := world.New(world.World{Phrase: "written world", Rules: rules, Seeds: []string{loopback}, Sandbox: true})
	if err != nil {
		t.Fatal(err)
	}
	if !want.Local {
		t.Error("a sandbox is not local")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "world.toml")
	for range 2 { // the second time over the first
		if err := world.WriteFile(path, want); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v, want 0600", info.Mode(), err)
	}
	got, err := world.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if got.ID != want.ID || got.Rules != want.Rules || !reflect.DeepEqual(got.Seeds, want.Seeds) || !got.Sandbox || !got.Local {
		t.Errorf("read back %+v, want %+v", got, want)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("the directory holds %v, %v, want one file", files, err)
	}

	// What could not be read back is not written.
	broken := *want
	broken.Rules.FixedCellBytes = 1
	if err := world.WriteFile(path, &broken); err == nil {
		t.Error("a broken world was written")
	}
	if err := world.WriteFile(filepath.Join(dir, "missing", "world.toml"), want); err == nil {
		t.Error("writing into a missing directory succeeded")
	}
	if again, err := world.Load(path); err != nil || again.ID != want.ID {
		t.Errorf("the file was harmed: %v", err)
	}
}

func TestParseAddr(t *testing.T) {
	a, err := world.ParseAddr(loopback)
	if err != nil || a.Transport != "/ip4/127.0.0.1/tcp/4811" || !a.HasKey || a.Key == [32]byte{} || !a.Loopback {
		t.Errorf("ParseAddr(%s) = %+v, %v", loopback, a, err)
	}
	for s, loop := range map[string]bool{
		"/ip6/::1/udp/4811/quic-v1":                 true,
		"/ip6/::ffff:127.0.0.1/tcp/1":               true,
		"/ip4/127.9.0.1/tcp/4811":                   true,
		"/ip4/10.0.0.1/tcp/4811":                    false,
		"/dns4/localhost/tcp/4811":                  false, // a name is what a resolver says it is
		"/dns4/seed.example.com/tcp/443/tls/ws":     false,
		"/ip6zone/lo/ip6/fe80::1/tcp/4811":          false,
		"/ip4/192.0.2.1/udp/4811/quic-v1":           false,
		"/ip4/192.0.2.1/tcp/443/tls/sni/a.b.com/ws": false,
	} {
		a, err := world.ParseAddr(s)
		if err != nil || a.Loopback != loop || a.HasKey || a.Transport != s {
			t.Errorf("ParseAddr(%s) = %+v, %v, want loopback=%v", s, a, err, loop)
		}
	}
	for _, s := range []string{
		"", "/", "x", "/ip4/300.0.0.1/tcp/1", "/ip4/127.0.0.1/tcp/1/p2p/" + rsaPeer,
		public + "/p2p-circuit/p2p/" + peerID, public + "/p2p/" + peerID, public + "/tcp/1",
		"/dns4/" + strings.Repeat("a", world.MaxAddrLen) + "/tcp/1",
	} {
		if a, err := world.ParseAddr(s); err == nil {
			t.Errorf("ParseAddr(%q) = %+v, want an error", s, a)
		}
	}
}
