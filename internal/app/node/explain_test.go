package node

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/culvert-net/culvert/api/openai"
	"github.com/culvert-net/culvert/api/tunnel"
	"github.com/culvert-net/culvert/circuit"
	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/route"
)

func TestNoCircuit(t *testing.T) {
	dial := errors.New("dial 127.3.0.1:4811: refused")
	for _, tt := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("%w: %w", circuit.ErrNoPath, &route.TooFewRelaysError{Have: 1, Need: 2}), "1 relay is known, a circuit takes 2"},
		{&route.TooFewRelaysError{Have: 0, Need: 2}, "0 relays are known, a circuit takes 2"},
		{fmt.Errorf("dial: %w", &circuit.HopError{Place: 1, Name: "relay-2", Err: dial}), "entry relay-2 did not answer"},
		{&circuit.HopError{Place: 3, Name: "provider-1", Err: dial}, "the provider, provider-1, was not reached"},
		{&circuit.HopError{Place: 2, Name: "relay-2", Err: dial}, "hop 2, relay-2, was not reached"},
		{fmt.Errorf("%w: not the relays that were asked for", circuit.ErrNoPath), "there is no path of distinct relays"},
		{circuit.ErrUnknownNode, "the directory has no current descriptor of the provider"},
		{circuit.ErrClosed, "this bridge is stopping"},
		{dial, "it broke off while it was built"},
	} {
		if got := NoCircuit(tt.err, 3); got != tt.want {
			t.Errorf("NoCircuit(%v) = %q, want %q", tt.err, got, tt.want)
		}
	}
}

func TestNoDirectory(t *testing.T) {
	now := time.Now()
	const epoch = time.Minute
	for _, tt := range []struct {
		name   string
		status directory.Status
		want   string // "": it is there
	}{
		{"just started", directory.Status{}, "no directory yet: no seed has answered yet"},
		{"no seed", directory.Status{FetchError: "not reachable"}, "no directory yet: no seed answers (not reachable)"},
		{"cached", directory.Status{Nodes: 4, FetchError: "not reachable"}, "the directory is from the cache of an earlier run: no seed answers (not reachable)"},
		{"current", directory.Status{Nodes: 4, Fetched: now.Add(-epoch / 2)}, ""},
		{"current and empty", directory.Status{Fetched: now.Add(-epoch / 2)}, ""},
		{"one question failed", directory.Status{Nodes: 4, Fetched: now.Add(-epoch / 2), FetchError: "not reachable"}, ""},
		{"old", directory.Status{Nodes: 4, Fetched: now.Add(-2 * epoch), FetchError: "not reachable"}, "the directory is 2m0s old: no seed answers (not reachable)"},
		{"gone", directory.Status{Fetched: now.Add(-3 * epoch), FetchError: "not reachable"}, "no directory yet: no seed answers (not reachable)"},
	} {
		err := NoDirectory(tt.status, epoch, now)
		if got := fmt.Sprint(err); (err == nil) != (tt.want == "") || err != nil && got != tt.want {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

// A bridge that was just started knows nobody, which does not mean that there
// is nobody: who asks then was told that the model does not exist.
func TestChooseWithoutDirectory(t *testing.T) {
	p := populate(t)
	missing := errors.New("no directory yet: no seed answers (not reachable)")
	r := NewRouter(p.set, NewFailures(), func() error { return missing })
	_, err := r.Choose("m", openai.Chat, nil)
	why, ok := errors.AsType[*tunnel.Explained](err)
	if !errors.Is(err, tunnel.ErrNoProvider) || errors.Is(err, tunnel.ErrUnknownModel) || !ok || why.Reason != missing.Error() {
		t.Errorf("Choose without a directory = %v, want ErrNoProvider and why", err)
	}
	// Whoever the old directory has is asked all the same.
	p.add("provider-1", time.Hour, serves("m"))
	if to, err := r.Choose("m", openai.Chat, nil); err != nil || to.Name != "provider-1" {
		t.Errorf("Choose with an old directory = %v, %v; want the provider", to.Name, err)
	}
	missing = nil
	if _, err := r.Choose("other", openai.Chat, nil); !errors.Is(err, tunnel.ErrUnknownModel) {
		t.Errorf("Choose with the directory = %v, want ErrUnknownModel", err)
	}
}

// The only provider may be away for a moment: that its model did not exist would
// be taken for good.
func TestChooseFromNobody(t *testing.T) {
	p := populate(t)
	r := NewRouter(p.set, NewFailures(), func() error { return nil })
	_, err := r.Choose("m", openai.Chat, nil)
	why, ok := errors.AsType[*tunnel.Explained](err)
	if !errors.Is(err, tunnel.ErrNoProvider) || errors.Is(err, tunnel.ErrUnknownModel) || !ok || why.Reason != "no provider is known" {
		t.Errorf("Choose in a world without providers = %v, want ErrNoProvider and why", err)
	}
	p.add("provider-1", time.Hour, serves("m"))
	if _, err := r.Choose("other", openai.Chat, nil); !errors.Is(err, tunnel.ErrUnknownModel) {
		t.Errorf("Choose in a world with one = %v, want ErrUnknownModel", err)
	}
}

// What is not TOML at all is most likely a page that was saved in the file's
// place, or a part of it.
func TestLoadWhatIsNoWorld(t *testing.T) {
	file := filepath.Join(t.TempDir(), "world.toml")
	for _, text := range []string{"<html>404</html>", "format = 1\nphr"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadWorld(file); app.Code(err) != app.ExitUsage || !strings.Contains(err.Error(), "get it again from whoever runs the world") {
			t.Errorf("%q: %v; want exit code 2 and what to do", text, err)
		}
	}
}
