//go:build e2e

package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// setUp makes the data directories of a relay and of a bridge in its world.
func setUp(t *testing.T) (gateway, bridge string) {
	t.Helper()
	gateway, bridge = filepath.Join(t.TempDir(), "g"), filepath.Join(t.TempDir(), "b")
	out, code := call(t, "gateway", "init", "--data", gateway, "--world", newWorld(t, "Blue River"),
		"--roles", "relay", "--listen", "/ip4/127.0.0.1/tcp/49999", "--name", "first")
	if code != 0 || !strings.Contains(out, `relay of world "blue-river"`) {
		t.Fatalf("gateway init: exit code %d, %s", code, out)
	}
	out, code = call(t, "bridge", "init", "--data", bridge, "--world", filepath.Join(gateway, "world.toml"))
	if code != 0 || !strings.Contains(out, `Joined world "blue-river"`) {
		t.Fatalf("bridge init: exit code %d, %s", code, out)
	}
	return gateway, bridge
}

// A file that was damaged or edited wrongly stops the start with 2 and is
// named, with the line or field where there is one.
func TestDamagedFiles(t *testing.T) {
	t.Parallel()
	gateway, bridge := setUp(t)
	replace := func(old, new string) func([]byte) []byte {
		return func(b []byte) []byte { return bytes.Replace(b, []byte(old), []byte(new), 1) }
	}
	for _, tt := range []struct {
		name    string
		program string
		dir     string
		file    string
		damage  func([]byte) []byte
		want    []string // all in the message
	}{
		{"world file cut", "bridge", bridge, "world.toml", func(b []byte) []byte { return b[:len(b)/2] }, []string{"world.toml"}},
		{"world file empty", "bridge", bridge, "world.toml", func([]byte) []byte { return nil }, []string{"world.toml", "format"}},
		{"world file no TOML", "bridge", bridge, "world.toml", replace("phrase =", "phrase"), []string{"world.toml", "line"}},
		{"world file unknown key", "gateway", gateway, "world.toml", replace("sandbox =", "sandbag ="), []string{"world.toml", "sandbag"}},
		{"world file rule changed", "gateway", gateway, "world.toml", replace("fixed_cell_bytes = 512", "fixed_cell_bytes = 1024"), []string{"world.toml", "id"}},
		{"world file rule out of bounds", "gateway", gateway, "world.toml", replace("fixed_cell_bytes = 512", "fixed_cell_bytes = 513"), []string{"world.toml", "fixed_cell_bytes"}},
		{"world file two hops", "bridge", bridge, "world.toml", replace("default_circuit_len = 3", "default_circuit_len = 2"), []string{"world.toml", "default_circuit_len"}},
		{"config unknown key", "bridge", bridge, "config.toml", replace("[api]", "[api]\nlisten_on = \"x\""), []string{"config.toml:", "api.listen_on"}},
		{"config wrong type", "gateway", gateway, "config.toml", replace("roles = [\"relay\"]", "roles = 7"), []string{"config.toml:", "node.roles"}},
		{"config unknown role", "gateway", gateway, "config.toml", replace("roles = [\"relay\"]", "roles = [\"king\"]"), []string{"node.roles", "king"}},
		{"config no TOML", "gateway", gateway, "config.toml", replace("[node]", "[node"), []string{"config.toml:"}},
		{"key empty", "gateway", gateway, "transport.key", func([]byte) []byte { return nil }, []string{"transport.key", "line 1"}},
		{"key cut", "gateway", gateway, "transport.key", func(b []byte) []byte { return b[:len(b)/2] }, []string{"transport.key"}},
		{"key of another kind", "gateway", gateway, "transport.key", replace("PRIVATE KEY", "SECRET KEY"), []string{"transport.key"}},
		{"onion keys flipped", "gateway", gateway, "onion.keys", func(b []byte) []byte { b[len(b)/2] ^= 1; return b }, []string{"onion.keys"}},
		{"onion keys cut", "gateway", gateway, "onion.keys", func(b []byte) []byte { return b[:len(b)-1] }, []string{"onion.keys"}},
		{"format newer", "bridge", bridge, "FORMAT", func([]byte) []byte { return []byte("bridge 99\n") }, []string{"FORMAT", "newer"}},
		{"format of another program", "bridge", bridge, "FORMAT", replace("bridge", "gateway"), []string{"FORMAT", "gateway"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(tt.dir, tt.file)
			whole, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			damaged := tt.damage(bytes.Clone(whole))
			if bytes.Equal(damaged, whole) {
				t.Fatal("the damage changed nothing")
			}
			if err := os.WriteFile(path, damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			defer os.WriteFile(path, whole, 0o600)
			args := []string{"serve", "--data", tt.dir}
			if tt.program == "bridge" {
				args = append(args, "--listen", "127.0.0.1:0", "--status-listen", "127.0.0.1:0")
			}
			out, code := call(t, tt.program, args...)
			if code != 2 {
				t.Errorf("exit code %d, want 2: %s", code, out)
			}
			for _, want := range tt.want {
				if !strings.Contains(out, want) {
					t.Errorf("message %q does not have %q", out, want)
				}
			}
		})
	}
}

// A key file that others can read is refused for safety.
func TestOpenKeyFile(t *testing.T) {
	t.Parallel()
	gateway, _ := setUp(t)
	if err := os.Chmod(filepath.Join(gateway, "transport.key"), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, code := call(t, "gateway", "serve", "--data", gateway); code != 4 || !strings.Contains(out, "chmod 600") {
		t.Errorf("exit code %d, %q; want 4 and what to do", code, out)
	}
}

// The demo model and local mode are kept from worlds they do not belong into.
func TestRefusals(t *testing.T) {
	t.Parallel()
	gateway, bridge := setUp(t)
	out, code := call(t, "bridge", "serve", "--data", bridge, "--upstream", "http://127.0.0.1:1")
	if code != 4 || !strings.Contains(out, "--upstream") {
		t.Errorf("local mode in a world: exit code %d, %q; want 4", code, out)
	}
	other := filepath.Join(t.TempDir(), "mock")
	out, code = call(t, "gateway", "init", "--data", other, "--world", filepath.Join(gateway, "world.toml"), "--backend", "mock")
	if code == 0 {
		out, code = call(t, "gateway", "serve", "--data", other, "--status-listen", "127.0.0.1:0")
	}
	if code != 4 || !strings.Contains(out, "demo model") {
		t.Errorf("demo model outside a sandbox: exit code %d, %q; want 4", code, out)
	}
}

// Files of a node are its owner's alone.
func TestFileModes(t *testing.T) {
	t.Parallel()
	w := start(t, "--backend", "mock", "--chain", "--dir", filepath.Join(t.TempDir(), "d"))
	for _, dir := range w.Dirs {
		info, err := os.Stat(dir)
		if err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s has mode %v, %v; want 0700", dir, info.Mode().Perm(), err)
		}
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			info, err := e.Info()
			if want := os.FileMode(0o600); err == nil && info.Mode().Perm() != want && (!e.IsDir() || info.Mode().Perm() != 0o700) {
				t.Errorf("%s/%s has mode %v, want 0600", dir, e.Name(), info.Mode().Perm())
			}
		}
	}
}
