//go:build e2e && mesh

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/api/backend/backendtest"
	"github.com/culvert-net/culvert/internal/app/bridge"
	"github.com/culvert-net/culvert/internal/app/member"
	"github.com/culvert-net/culvert/internal/app/sandbox"
)

// moving is a small world of processes, all on this machine.
type moving struct {
	t       *testing.T
	root    string
	daemons map[string]*daemon
}

func (m *moving) dir(name string) string { return filepath.Join(m.root, name) }
func (m *moving) listen() string         { return fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", freePort(m.t)) }

func (m *moving) serve(program, name string, more ...string) {
	m.t.Helper()
	args := append([]string{"serve", "--data", m.dir(name), "--status-listen", "127.0.0.1:0", "--log-format", "json"}, more...)
	m.daemons[name] = daemonise(m.t, nil, program, args...)
}

// provider sets one up that asks u, and runs it.
func (m *moving) provider(name string, u *server) {
	m.t.Helper()
	succeed(m.t, "gateway", "init", "--data", m.dir(name), "--world", filepath.Join(m.dir("old"), "world.toml"),
		"--roles", "provider", "--backend", u.URL, "--name", name, "--listen", m.listen())
	m.serve("gateway", name)
}

// answered waits until a bridge answers, and the answer is u's.
func (m *moving) answered(name string, u *server) {
	m.t.Helper()
	eventually(m.t, 2*longest, "an answer over "+name, func() error {
		out, err := exec.Command(program("bridge"), "status", "--json", "--data", m.dir(name)).Output()
		var s bridge.Status
		if err == nil {
			err = json.Unmarshal(out, &s)
		}
		if err != nil || !s.Ready {
			return fmt.Errorf("not ready: %w %v", err, s.Waiting)
		}
		asked := len(u.chats())
		w := world{t: m.t, upstream: u.URL, Ready: sandbox.Ready{BaseURL: s.BaseURLs[0]}}
		if r := w.ask(chatBody(false)); r.err != nil || r.status != 200 {
			return fmt.Errorf("status %d, %.200q, %v", r.status, r.body, r.err)
		}
		if len(u.chats()) == asked {
			return errors.New("another provider answered")
		}
		return nil
	})
}

// Members want other rules, a founder makes the new world, one provider and a bridge
// go there, each with its keys, and are answered; the old world goes on without them.
func TestMeshForkAndMove(t *testing.T) {
	t.Parallel()
	m := &moving{t: t, root: t.TempDir(), daemons: make(map[string]*daemon)}
	stays, goes := upstream(t, backendtest.Answer(backendtest.Completion)), upstream(t, backendtest.Answer(backendtest.Completion))
	succeed(t, "observer", "world", "create", "small", "--sandbox", "--hops", "1", "--epoch", "1m", "--data", m.dir("old"), "--listen", m.listen())
	config := filepath.Join(m.dir("old"), "config.toml")
	text, err := os.ReadFile(config)
	if err == nil {
		err = os.WriteFile(config, []byte(strings.Replace(string(text), "[rules]", "[rules]\nepochs = 1\n", 1)), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	m.serve("observer", "old")
	ready(t, "observer", m.dir("old"))
	m.provider("stays", stays)
	m.provider("goes", goes)
	for _, name := range []string{"bridge", "other"} {
		succeed(t, "bridge", "init", "--data", m.dir(name), "--world", filepath.Join(m.dir("old"), "world.toml"))
		m.serve("bridge", name, "--listen", "127.0.0.1:0")
	}
	m.answered("bridge", goes)
	m.answered("other", stays)

	rules := succeed(t, "observer", "world", "rules", "--data", m.dir("old"))
	proposed, file := m.dir("proposed.toml"), m.dir("new.toml")
	if err := os.WriteFile(proposed, []byte(strings.Replace(rules, "w_latency = 0.3", "w_latency = 0.4", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	fork := []string{"world", "fork", "--rules", proposed, "--data", m.dir("old"), "--data-new", m.dir("new"), "--out", file, "--listen", m.listen()}
	if out, code := call(t, "observer", fork...); code != 4 || !strings.Contains(out, "nobody endorses them") {
		t.Fatalf("fork before anybody wants it: code %d, %s; want it refused", code, out)
	}
	succeed(t, "observer", "world", "endorse", "--rules", proposed, "--data", m.dir("old"))
	if out := succeed(t, "observer", fork...); !strings.Contains(out, "w_latency 0.3 -> 0.4") {
		t.Errorf("fork said %q; want what differs", out)
	}
	m.serve("observer", "new")
	ready(t, "observer", m.dir("new"))
	eventually(t, longest, "the old observer says that others are wanted", func() error {
		if out := succeed(t, "observer", "status", "--data", m.dir("old")); !strings.Contains(out, "members want others") {
			return errors.New(out)
		}
		return nil
	})

	if out, code := call(t, "gateway", "move", file, "--data", m.dir("goes")); code != 1 || !strings.Contains(out, "stop that one") {
		t.Errorf("move of a gateway that runs: code %d, %s; want it refused", code, out)
	}
	before := succeed(t, "gateway", "status", "--data", m.dir("goes"))
	for name, program := range map[string]string{"goes": "gateway", "bridge": "bridge"} {
		m.daemons[name].stop(t)
		succeed(t, program, "move", file, "--data", m.dir(name))
		// What a program keeps of a world must not be met by the next one.
		entries, err := os.ReadDir(m.dir(name))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if !slices.Contains([]string{"FORMAT", "LOCK", "config.toml", "transport.key", "keys.db", "world.toml", "worlds"}, e.Name()) {
				t.Errorf("%s of %s stayed; does it belong to the old world?", e.Name(), name)
			}
		}
	}
	m.serve("gateway", "goes")
	m.serve("bridge", "bridge", "--listen", "127.0.0.1:0")
	m.answered("bridge", goes)
	m.answered("other", stays)
	if after := succeed(t, "gateway", "status", "--data", m.dir("goes")); peer(before) == "" || peer(after) != peer(before) {
		t.Errorf("the provider is %q, and was %q; want the same", peer(after), peer(before))
	}
	var was, is member.Shown
	for name, v := range map[string]*member.Shown{"old": &was, "new": &is} {
		out, err := exec.Command(program("observer"), "world", "show", "--json", "--data", m.dir(name)).Output()
		if err == nil {
			err = json.Unmarshal(out, v)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if was.Self != is.Self || was.World == is.World || len(was.Rules) != 1 || !was.Rules[0].Active || len(is.Members) != 1 {
		t.Errorf("the old world is %+v, the new one %+v; want one member in two worlds", was, is)
	}
}

// peer is the line of a status that names the node.
func peer(status string) string {
	for line := range strings.Lines(status) {
		if strings.HasPrefix(line, "Peer id") {
			return line
		}
	}
	return ""
}
