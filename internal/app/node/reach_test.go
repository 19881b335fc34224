package node

import (
	"crypto/ed25519"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/internal/app"
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
	path := filepath.Join(dir, KeyFile)
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

// The addresses of a machine as they are seen by others.
func TestReach(t *testing.T) {
	machine := func(all ...string) (out []netip.Addr) {
		for _, s := range all {
			out = append(out, netip.MustParseAddr(s))
		}
		return out
	}
	any4, any6 := "/ip4/0.0.0.0/tcp/1", "/ip6/::/tcp/1"
	for _, tt := range []struct {
		name           string
		listen         []string
		machine        []netip.Addr
		local          bool
		found, refused []string
	}{
		{"plain", []string{"/ip4/8.8.8.8/tcp/1"}, nil, false, []string{"/ip4/8.8.8.8/tcp/1"}, nil},
		{"plain, private", []string{"/ip4/10.0.0.1/tcp/1"}, nil, false, nil, []string{"/ip4/10.0.0.1/tcp/1"}},
		{"documentation and carrier NAT are not public", []string{any4}, machine("127.0.0.1", "192.0.2.1", "100.64.0.1"), false, nil, []string{"/ip4/192.0.2.1/tcp/1", "/ip4/100.64.0.1/tcp/1"}},
		{"local", []string{any4}, machine("127.0.0.1", "192.168.1.7"), true, []string{"/ip4/192.168.1.7/tcp/1"}, nil},
		{"local, nothing else", []string{any4}, machine("127.0.0.1"), true, []string{"/ip4/127.0.0.1/tcp/1"}, nil},
		{"each family by itself", []string{any4, any6, any4}, machine("8.8.8.8", "2a00::1", "fe80::1"), false, []string{"/ip4/8.8.8.8/tcp/1", "/ip6/2a00::1/tcp/1"}, nil},
	} {
		found, refused := Reach(tt.listen, tt.machine, tt.local)
		if !slices.Equal(found, tt.found) || !slices.Equal(refused, tt.refused) {
			t.Errorf("%s: reach = %v, %v; want %v, %v", tt.name, found, refused, tt.found, tt.refused)
		}
	}
}

func FuzzKeyFile(f *testing.F) {
	dir := f.TempDir()
	if _, err := EnsureKey(dir); err != nil {
		f.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, KeyFile))
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
