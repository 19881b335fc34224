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
	"github.com/culvert-net/culvert/mesh/directory/follow"
	"github.com/culvert-net/culvert/mesh/route"
	"github.com/culvert-net/culvert/mesh/world"
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
	w := &world.World{Rules: world.DefaultRules()}
	w.Rules.EpochLenMS = 60_000
	const epoch = time.Minute
	for _, tt := range []struct {
		name   string
		status follow.Status
		want   string // "": it is there
	}{
		{"just started", follow.Status{}, "no directory yet: no mirror has answered yet"},
		{"no mirror", follow.Status{Problem: "not reachable"}, "no directory yet: not reachable"},
		{"a wrong clock", follow.Status{Problem: "from the future", Clock: "behind by 1h0m0s"}, "no directory yet: from the future: behind by 1h0m0s"},
		{"kept", follow.Status{Nodes: 4, Problem: "not reachable"}, "the directory is from an earlier run: not reachable"},
		{"current", follow.Status{Nodes: 4, Agreed: now.Add(-epoch / 2)}, ""},
		{"one round failed", follow.Status{Nodes: 4, Agreed: now.Add(-epoch / 2), Problem: "not reachable"}, ""},
		{"one that may be used", follow.Status{Nodes: 4, Agreed: now.Add(-2 * epoch), Problem: "not reachable"}, ""},
		{"old", follow.Status{Nodes: 4, Agreed: now.Add(-4 * epoch), Problem: "not reachable"}, "the directory is 4m0s old: not reachable"},
		{"gone", follow.Status{Agreed: now.Add(-4 * epoch), Problem: "not reachable"}, "no directory yet: not reachable"},
		{"forked", follow.Status{Agreed: now, Forked: "signers signed two"}, "no directory yet: signers signed two"},
	} {
		err := NoDirectory(tt.status, w, now)
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
