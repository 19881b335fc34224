//go:build clients

package clients

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/culvert-net/culvert/api/sse"
	"github.com/culvert-net/culvert/internal/app/bridge"
	"github.com/culvert-net/culvert/internal/app/sandbox"
)

// patience caps the wait for an event that must come.
const patience = time.Minute

// target is a bridge that runs, with keys of its own.
type target struct {
	base string // URL of the API, with /v1

	good   string // may do everything
	narrow string // another model only
	spent  string // its only request is used up
}

// local starts a bridge in front of the upstream, without a circuit.
func local(t *testing.T, upstream string) *target {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "b")
	d := launch(t, "bridge", "serve", "--data", dir, "--upstream", upstream, "--listen", "127.0.0.1:0", "--status-listen", "")
	var s bridge.Status
	d.eventually("the bridge answers", func() error {
		out, err := exec.Command(program("bridge"), "status", "--json", "--data", dir).Output()
		if err != nil {
			return err
		}
		return json.Unmarshal(out, &s)
	})
	return withKeys(t, s.BaseURLs[0], dir)
}

// threeHops starts a world whose provider has the upstream; each node is a
// process.
func threeHops(t *testing.T, upstream string) *target {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ready.json")
	d := launch(t, "sandbox", "--backend", upstream, "--chain=false", "--listen", "127.0.0.1:0", "--ready-file", path)
	var ready sandbox.Ready
	d.eventually("the sandbox is ready", func() error {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return json.Unmarshal(text, &ready)
	})
	// Three relays, of which two and the provider make a circuit, the bridge, and three
	// memory nodes, which sign the directory.
	if len(ready.PIDs) != 8 {
		t.Fatalf("the sandbox has %d processes, want 8", len(ready.PIDs))
	}
	return withKeys(t, ready.BaseURL, ready.Dirs["bridge"])
}

// withKeys makes the keys of a bridge, and uses one up.
func withKeys(t *testing.T, base, dir string) *target {
	t.Helper()
	add := func(name string, flags ...string) string {
		args := append([]string{"keys", "add", name, "--data", dir}, flags...)
		out, err := exec.Command(program("bridge"), args...).Output()
		if err != nil {
			t.Fatalf("bridge keys add: %v", err)
		}
		return strings.TrimSpace(string(out))
	}
	k := &target{
		base: base, good: add("good"), narrow: add("narrow", "--models", "another"), spent: add("spent", "--requests-per-month", "1"),
	}
	resp, err := k.post(t.Context(), k.spent, fields{"model": model, "messages": []fields{{"role": "user", "content": "a"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("the first request has status %d", resp.StatusCode)
	}
	return k
}

// beat waits for the first heartbeat of a stream that begins now: one that has
// been silent for longer has had its own.
func (k *target) beat(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	resp, err := k.post(ctx, k.good, fields{"stream": true, "model": model, "messages": []fields{
		{"role": "user", "content": object(fields{"do": "silent", "nonce": "heartbeat"})},
	}})
	if err != nil {
		return fmt.Errorf("waiting for a heartbeat: %w", err)
	}
	defer resp.Body.Close()
	line, err := bufio.NewReader(resp.Body).ReadString('\n')
	if resp.StatusCode != http.StatusOK || line+"\n" != sse.Heartbeat {
		return fmt.Errorf("waiting for a heartbeat: status %d and %q (%w)", resp.StatusCode, line, err)
	}
	return nil
}

// post asks for a chat with a key.
func (k *target) post(ctx context.Context, key string, body fields) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, k.base+"/chat/completions", strings.NewReader(object(body)))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+key)
	return http.DefaultClient.Do(req)
}

func program(name string) string { return filepath.Join(programs, name) }

// daemon is a program that runs until the test ends.
type daemon struct {
	t    *testing.T
	out  *output
	done chan struct{} // closed when it has ended
}

// launch starts a program, and stops it when the test ends.
func launch(t *testing.T, name string, args ...string) *daemon {
	t.Helper()
	d := &daemon{t: t, out: &output{}, done: make(chan struct{})}
	cmd := exec.Command(program(name), args...)
	cmd.Stdout, cmd.Stderr = d.out, d.out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(d.done)
		_ = cmd.Wait() // how it ends is said by its output
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt) // it may be gone already
		select {
		case <-d.done:
		case <-time.After(patience):
			t.Errorf("%s did not stop", name)
			_ = cmd.Process.Kill()
			<-d.done
		}
		if t.Failed() {
			t.Logf("%s said:\n%s", name, d.out)
		}
	})
	return d
}

// eventually waits until check returns nil, or the program ends.
func (d *daemon) eventually(what string, check func() error) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-d.done:
			d.t.Fatalf("it ended before %s: %v\n%s", what, err, d.out)
		case <-ctx.Done():
			d.t.Fatalf("not within %v: %s: %v", patience, what, errors.Join(err, ctx.Err()))
		}
	}
}

// output is what a process writes, readable meanwhile.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer // guarded by mu
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}
