//go:build e2e

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/culvert-net/culvert/api/backend/backendtest"
	"github.com/culvert-net/culvert/internal/app/bridge"
)

// daemon runs a program until the test ends, or stop.
type daemon struct {
	cmd  *exec.Cmd
	out  *output
	done chan struct{}
}

func daemonise(t *testing.T, env []string, name string, args ...string) *daemon {
	t.Helper()
	cmd := exec.Command(program(name), args...)
	cmd.Env = append(os.Environ(), env...)
	return daemoniseCommand(t, cmd)
}

// daemoniseCommand is daemonise for a command that somebody else made.
func daemoniseCommand(t *testing.T, cmd *exec.Cmd) *daemon {
	t.Helper()
	d := &daemon{cmd: cmd, out: &output{}, done: make(chan struct{})}
	d.cmd.Stdout, d.cmd.Stderr = d.out, d.out
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(d.done)
		_ = d.cmd.Wait() // the exit code is in ProcessState
	}()
	t.Cleanup(func() {
		d.stop(t)
		if t.Failed() {
			t.Logf("%v said:\n%s", cmd.Args, d.out)
		}
	})
	return d
}

// stop is Ctrl-C, and may be called twice.
func (d *daemon) stop(t *testing.T) {
	t.Helper()
	_ = d.cmd.Process.Signal(os.Interrupt)
	select {
	case <-d.done:
	case <-time.After(patience):
		t.Errorf("%v did not stop", d.cmd.Args)
		_ = d.cmd.Process.Kill()
		<-d.done
	}
}

// freePort is a port of 127.0.0.1 that is free now.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// ready waits until a daemon's own status says so. A gateway has no base URLs
// and no mode.
func ready(t *testing.T, name, dir string) (s condition) {
	t.Helper()
	eventually(t, patience, name+" is ready", func() error {
		out, err := exec.Command(program(name), "status", "--json", "--data", dir).Output()
		if err != nil {
			return err
		}
		s = condition{}
		if err := json.Unmarshal(out, &s); err != nil {
			return err
		}
		if !s.Ready {
			return errors.New(strings.Join(s.Waiting, "; "))
		}
		return nil
	})
	return s
}

// condition is what the status of both programs has.
type condition struct {
	Ready    bool      `json:"ready"`
	Waiting  []string  `json:"waiting"`
	BaseURLs []string  `json:"base_urls"`
	Mode     string    `json:"mode"`
	World    *struct{} `json:"world"`
}

// succeed runs a command that must.
func succeed(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, code := call(t, name, args...)
	if code != 0 {
		t.Fatalf("%s %v: exit code %d: %s", name, args, code, out)
	}
	return out
}

// newWorld is the file of a world of this machine, made by an observer.
func newWorld(t *testing.T, phrase string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "founder")
	succeed(t, "observer", "world", "create", phrase, "--local", "--data", dir, "--listen", fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", freePort(t)))
	return filepath.Join(dir, "world.toml")
}

// A world made by hand, with the commands that the help shows: an observer that
// founds it, three relays, a provider and a bridge, none of them a sandbox's. A
// provider that restarts is
// found at its old address.
func TestWorldByHand(t *testing.T) {
	t.Parallel()
	u := upstream(t, backendtest.Answer(backendtest.Completion))
	root := t.TempDir()
	dir := func(name string) string { return filepath.Join(root, name) }
	listen := func() string { return fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", freePort(t)) }
	serve := func(name string, env ...string) *daemon {
		return daemonise(t, env, "gateway", "serve", "--data", dir(name), "--status-listen", "127.0.0.1:0", "--log-format", "text")
	}
	seed := dir("founder") + "/world.toml"
	succeed(t, "observer", "world", "create", "By Hand", "--data", dir("founder"), "--local", "--first-nodes", "5", "--listen", listen(), "--name", "founder")
	daemonise(t, nil, "observer", "serve", "--data", dir("founder"), "--status-listen", "127.0.0.1:0", "--log-format", "text")
	for _, name := range []string{"first", "second", "third"} {
		succeed(t, "gateway", "init", "--data", dir(name), "--world", seed, "--roles", "relay", "--listen", listen(), "--name", name)
		serve(name)
	}
	succeed(t, "gateway", "init", "--data", dir("provider"), "--world", seed, "--backend", "http://127.0.0.1:1", "--listen", listen())
	provider := serve("provider", "CULVERT_GATEWAY_PROVIDER_URL="+u.URL)
	// The first directory waits for all five.
	for _, name := range []string{"first", "second", "third", "provider"} {
		ready(t, "gateway", dir(name))
	}
	succeed(t, "bridge", "init", "--data", dir("bridge"), "--world", seed)
	b := daemonise(t, nil, "bridge", "serve", "--data", dir("bridge"), "--listen", "127.0.0.1:0", "--status-listen", "127.0.0.1:0")
	w := &world{t: t, upstream: u.URL}
	w.BaseURL = ready(t, "bridge", dir("bridge")).BaseURLs[0]
	w.ask(chatBody(false)).completed(t)

	provider.stop(t)
	serve("provider", "CULVERT_GATEWAY_PROVIDER_URL="+u.URL)
	ready(t, "gateway", dir("provider"))
	// Relays that found nobody there do not knock again for a second.
	eventually(t, patience, "the provider is found again", func() error {
		if r := w.ask(chatBody(false)); r.err != nil || r.status != http.StatusOK {
			return fmt.Errorf("status %d, %.200q, %w", r.status, r.body, r.err)
		}
		return nil
	})

	if out := succeed(t, "bridge", "status", "--data", dir("bridge")); !strings.Contains(out, "by-hand") || !strings.Contains(out, " > ") {
		t.Errorf("bridge status = %s; want the world and the circuits", out)
	}
	if out := succeed(t, "gateway", "status", "--data", dir("provider")); !strings.Contains(out, "Serves") || !strings.Contains(out, model) {
		t.Errorf("gateway status = %s; want the model", out)
	}
	if out, code := call(t, "bridge", "serve", "--data", dir("bridge"), "--listen", "127.0.0.1:0"); code == 0 || !strings.Contains(out, "in use") {
		t.Errorf("a second bridge on one directory: exit code %d, %q", code, out)
	}
	b.stop(t)
	if code := b.cmd.ProcessState.ExitCode(); code != 130 {
		t.Errorf("bridge ended with %d after SIGINT, want 130\n%s", code, b.out)
	}
}

// Without a world a bridge serves a server of one's own, unchanged, and says
// loudly that nothing is hidden.
func TestLocalMode(t *testing.T) {
	t.Parallel()
	u := upstream(t, backendtest.Stream(0, backendtest.Events(3)...))
	dir := t.TempDir()
	b := daemonise(t, nil, "bridge", "serve", "--data", dir, "--upstream", u.URL, "--listen", "127.0.0.1:0", "--status-listen", "127.0.0.1:0")
	s := ready(t, "bridge", dir)
	w := &world{t: t, upstream: u.URL}
	w.BaseURL = s.BaseURLs[0]
	r := w.ask(chatBody(true))
	r.completed(t)
	if want := strings.Join(backendtest.Events(3), ""); string(r.body) != want || string(u.nextChat(t, patience).Body) != chatBody(true) {
		t.Errorf("answer = %q, want %q, for the body as it was sent", r.body, want)
	}
	if s.Mode != bridge.ModeLocal || s.World != nil || r.header.Get("X-Culvert-Circuit") != "" {
		t.Errorf("status = %+v, headers = %v; want local mode without any circuit", s, r.header)
	}
	if !strings.Contains(b.out.String(), "LOCAL MODE") {
		t.Errorf("log = %q; want it to say LOCAL MODE", b.out)
	}
	if out := succeed(t, "bridge", "status", "--data", dir); !strings.Contains(out, "LOCAL") {
		t.Errorf("status = %q; want it to say LOCAL", out)
	}

	// This model server takes any name, and a name may be anything.
	w.ask(strings.Replace(chatBody(true), `"`+model+`"`, `"made-up"`, 1)).completed(t)
	eventually(t, patience, "both requests are counted", func() error {
		page := pageIn(t, dir)
		m := figuresOf(t, "bridge", page)
		const took, name = "gen_ai_client_operation_duration_seconds", "gen_ai_request_model"
		if m.sum("culvert_requests_total", "status", "200") != 2 {
			return errors.New("not yet")
		}
		if m.sum(took, name, model) != 1 || m.sum(took, name, "other") != 1 || strings.Contains(page, "made-up") {
			t.Error("a model that is not listed is not counted as other")
		}
		return nil
	})
}
