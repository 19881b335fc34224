//go:build e2e

package e2e

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/culvert-net/culvert/api/backend/backendtest"
	"github.com/culvert-net/culvert/circuit"
	"github.com/culvert-net/culvert/internal/app/eventform"
	"github.com/culvert-net/culvert/internal/app/member"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/internal/app/sandbox"
	"github.com/culvert-net/culvert/mesh/directory/mirror"
	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/quorum"
	"github.com/culvert-net/culvert/mesh/roster"
	worlds "github.com/culvert-net/culvert/mesh/world"
)

// virtualEpochs is how many epochs' worth of a provider's names are said: an hour
// of epochs of a minute.
const virtualEpochs = 60

// secretNames are what members call a provider, of which it must learn nothing: its
// TargetRef of each epoch, under the group's real key, and a handle.
type secretNames struct {
	refs   []worlds.Hash
	handle worlds.Hash
}

// in returns which name is in text, if one is, and how.
func (s *secretNames) in(text []byte) string {
	for i, name := range append([]worlds.Hash{s.handle}, s.refs...) {
		for dress, pattern := range map[string]string{
			"raw": string(name[:]), "hex": name.String(), "upper-case hex": strings.ToUpper(name.String()),
			"base64": base64.RawStdEncoding.EncodeToString(name[:])[:42], "base64url": base64.RawURLEncoding.EncodeToString(name[:])[:42],
		} {
			if bytes.Contains(text, []byte(pattern)) {
				return fmt.Sprintf("name %d as %s", i, dress)
			}
		}
	}
	return ""
}

// gossipAbout has all memory nodes attest what they would after an hour of probes
// of a provider, one event for each epoch and member, and waits until every member
// has all of it.
func gossipAbout(t *testing.T, dirs map[string]string, provider string) *secretNames {
	t.Helper()
	w, err := worlds.Load(filepath.Join(dirs["memory-1"], "world.toml"))
	if err != nil {
		t.Fatal(err)
	}
	names, now := &secretNames{}, w.Epoch(time.Now())
	group := groupOf(t, dirs["memory-1"], w)
	own, err := node.LoadKey(filepath.Join(dirs[provider], node.KeyFile))
	if err != nil {
		t.Fatal(err)
	}
	key := [32]byte(own.Public().(ed25519.PublicKey))
	about := descriptorOf(t, dirs["memory-1"], w, key)
	for i := range uint64(virtualEpochs) {
		epochKey, err := group.EpochKey(now - i)
		if err != nil {
			t.Fatal(err)
		}
		names.refs = append(names.refs, worlds.TargetRef(epochKey, w.ID, now-i, about))
	}
	secret := worlds.RandomSecret()
	names.handle = worlds.Handle(secret, worlds.Fingerprint(w.ID, key))

	var lines bytes.Buffer
	for _, name := range []string{"memory-1", "memory-2", "memory-3"} {
		prober, err := node.LoadKey(filepath.Join(dirs[name], node.KeyFile))
		if err != nil {
			t.Fatal(err)
		}
		for i, ref := range names.refs {
			e, err := event.SignAttestation(prober, event.Attestation{
				Place: event.Place{WorldID: w.ID, EpochID: now}, Challenge: worlds.Hash{byte(i), 1}, Target: ref,
				Metrics: event.Metrics{SuccessRate: 0.5}, Evidence: worlds.Hash{byte(i), 2},
			})
			if err != nil {
				t.Fatal(err)
			}
			text, err := eventform.ToJSON(eventform.Export{Canonical: e.Canonical()})
			if err != nil {
				t.Fatal(err)
			}
			lines.Write(append(text, '\n'))
		}
	}
	file := filepath.Join(t.TempDir(), "events.json")
	if err := os.WriteFile(file, lines.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	const all = 3 * virtualEpochs
	if said := succeed(t, "observer", "log", "import", "--format", "json", file, "--data", dirs["memory-1"]); !strings.HasPrefix(said, fmt.Sprintf("%d added", all)) {
		t.Fatalf("import: %s", said)
	}
	for _, name := range []string{"memory-1", "memory-2", "memory-3"} {
		eventually(t, longest, name+" has what was said", func() error {
			out, err := exec.Command(program("observer"), "log", "--type", "attestation", "--json", "--data", dirs[name]).Output()
			if n := bytes.Count(out, []byte("\n")); err != nil || n < all {
				return fmt.Errorf("%d events of %d: %v", n, all, err)
			}
			return nil
		})
	}
	return names
}

// groupOf reads the group's keys of a member that runs, from a copy.
func groupOf(t *testing.T, dir string, w *worlds.World) *roster.Keyring {
	t.Helper()
	own := t.TempDir()
	for _, name := range member.Files() {
		if name == member.LogFile || name == member.StoreFile {
			continue
		}
		cp := exec.Command("cp", "-r", filepath.Join(dir, name), own)
		if out, err := cp.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	chain, err := roster.OpenChain(own, w)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = chain.Close() })
	keys, err := roster.OpenKeyring(filepath.Join(own, member.GroupFile), chain.Roster())
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// A provider must not find out what members call it, or it could read what they
// say of it once it saw their log, and treat probes apart. After an hour's worth of
// attestations about it its memory, log and files hold none of its names, in any
// form; nor do a relay's. A member's memory does.
func TestProvidersNeverLearnTheirNames(t *testing.T) {
	t.Parallel()
	u := upstream(t, backendtest.Answer(backendtest.Completion))
	dir := filepath.Join(t.TempDir(), "d")
	w := start(t, "--backend", u.URL, "--dir", dir)
	names := gossipAbout(t, w.Dirs, "provider-1")
	for range 100 {
		w.ask(chatBody(false)).completed(t)
	}
	for node, dir := range w.Dirs {
		if strings.HasPrefix(node, "memory-") || node == "bridge" {
			continue
		}
		if err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			text, err := os.ReadFile(path)
			if what := names.in(text); what != "" {
				t.Errorf("%s holds %s", path, what)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		log, err := os.ReadFile(w.Logs[node])
		if what := names.in(log); err != nil || what != "" {
			t.Errorf("%s's log holds %s (%v)", node, what, err)
		}
		if what := names.in([]byte(w.page(t, node))); what != "" {
			t.Errorf("%s's metrics hold %s", node, what)
		}
	}
	t.Run("memory", func(t *testing.T) {
		if runtime.GOOS != "linux" {
			t.Skip("SKIP memory: reading another process's memory is done for Linux only")
		}
		found := false
		memory(t, w.PIDs["memory-1"], func(region []byte) { found = found || names.in(region) != "" })
		if !found {
			t.Error("a member's memory shows no name, so a provider's would not either")
		}
		for node, pid := range w.PIDs {
			if strings.HasPrefix(node, "memory-") || node == "bridge" {
				continue
			}
			memory(t, pid, func(region []byte) {
				if what := names.in(region); what != "" {
					t.Errorf("%s's memory holds %s", node, what)
				}
			})
		}
	})
}

// Nor does anything that a provider or relay reads from the links of circuits or
// writes to them, as it is inside the link's encryption.
func TestTrafficNamesNoProvider(t *testing.T) {
	u := backendtest.NewUpstream(t)
	u.Set(backendtest.ByPath(backendtest.Answer(`{"object":"list","data":[{"id":"m","object":"model"}]}`), echo))
	tapes := make(map[string]*tape)
	w := inProcess(t, u.URL, func(name string, n *sandbox.InProcess) {
		if n.Gateway != nil {
			tp := &tape{}
			tapes[name] = tp
			n.Gateway.WrapLinks = func(l circuit.Links) circuit.Links { return &tappedLinks{Links: l, tape: tp} }
		}
	})
	names := gossipAbout(t, w.ready.Dirs, "provider-1")
	for i := range 100 {
		if err := say(measured(t, u.URL), w.ready.BaseURL, hex.EncodeToString([]byte{byte(i), 7, 7}), i%2 == 0); err != nil {
			t.Fatal(err)
		}
	}
	w.stop(t)
	recorded := 0
	for name, tp := range tapes {
		recorded += tp.bytes()
		for _, l := range tp.links {
			for _, record := range [][]byte{l.read, l.written} {
				if what := names.in(record); what != "" {
					t.Errorf("%s's traffic holds %s", name, what)
				}
			}
		}
	}
	if recorded < 100<<10 {
		t.Errorf("%d bytes were recorded; a hundred requests are more", recorded)
	}
}

// descriptorOf is the id of a node's first descriptor, from the bundle that a
// member has on disk.
func descriptorOf(t *testing.T, dir string, w *worlds.World, key [32]byte) worlds.Hash {
	t.Helper()
	own := t.TempDir()
	files, err := filepath.Glob(filepath.Join(dir, "bundle-*.db"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no bundles in %s: %v", dir, err)
	}
	if out, err := exec.Command("cp", append(append(files, filepath.Join(dir, "roots.db")), own)...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	store, err := mirror.Open(mirror.Config{World: w, Quorum: quorum.Of(w), Dir: own})
	if err != nil {
		t.Fatal(err)
	}
	for _, raw := range store.Newest().Descriptors() {
		if d, err := worlds.DecodeDescriptor(raw); err == nil && d.Key == key {
			return d.ID
		}
	}
	t.Fatal("the provider does not stand in the directory")
	return worlds.Hash{}
}
