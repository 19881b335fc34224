//go:build e2e

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/culvert-net/culvert/api/backend/backendtest"
	"github.com/culvert-net/culvert/internal/app/sandbox"
)

// box is a sandbox whose temporary directories are all in temp.
func box(t *testing.T, temp string, args ...string) (*daemon, sandbox.Ready) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ready.json")
	args = append(args, "--backend", "mock", "--listen", "127.0.0.1:0", "--ready-file", file)
	d := daemonise(t, []string{"TMPDIR=" + temp}, "sandbox", args...)
	var r sandbox.Ready
	eventually(t, patience, "the sandbox is ready", func() error {
		select {
		case <-d.done:
			t.Fatalf("sandbox ended while starting\n%s", d.out)
		default:
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		return json.Unmarshal(text, &r)
	})
	return d, r
}

// left are the entries of a directory.
func left(t *testing.T, dir string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// A terminal that is closed leaves no keys behind.
func TestHangup(t *testing.T) {
	t.Parallel()
	temp := t.TempDir()
	d, r := box(t, temp)
	if len(left(t, temp)) != 1 {
		t.Fatalf("temporary files: %v, want one directory", left(t, temp))
	}
	if err := d.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	<-d.done
	if code := d.cmd.ProcessState.ExitCode(); code != 0 || len(left(t, temp)) != 0 {
		t.Errorf("exit code %d, left: %v; want 0 and nothing", code, left(t, temp))
	}
	for name, pid := range r.PIDs {
		if alive(pid) {
			t.Errorf("%s (pid %d) lives", name, pid)
		}
	}
}

// A terminal that is closed cuts off no answer of a daemon. Both the shell and the
// system say that it was closed.
func TestHangupOfDaemon(t *testing.T) {
	t.Parallel()
	gate, asked := make(chan struct{}), make(chan struct{})
	answer := backendtest.Gated(gate, backendtest.Answer(backendtest.Completion))
	u := backendtest.NewUpstream(t)
	u.Set(backendtest.ByPath(backendtest.Answer(list), func(w http.ResponseWriter, r *http.Request, c *backendtest.Call) {
		close(asked)
		answer(w, r, c)
	}))
	dir := t.TempDir()
	d := daemonise(t, nil, "bridge", "serve", "--data", dir, "--upstream", u.URL, "--listen", "127.0.0.1:0", "--status-listen", "")
	url := ready(t, "bridge", dir).BaseURLs[0]
	got := make(chan error, 1)
	go func() {
		resp, err := measured(t, u.URL).Post(url+"/chat/completions", "application/json", strings.NewReader(`{"model":"m","messages":[{"role":"user","content":"x"}]}`))
		if err == nil {
			var whole json.RawMessage
			err = errors.Join(json.NewDecoder(resp.Body).Decode(&whole), resp.Body.Close())
		}
		got <- err
	}()
	<-asked
	for range 2 {
		if err := d.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		// It has stopped to listen, so the signal has arrived.
		eventually(t, patience, "it takes no more calls", func() error {
			conn, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/v1"))
			if err == nil {
				conn.Close()
				return errors.New("it does")
			}
			return nil
		})
	}
	close(gate)
	if err := <-got; err != nil {
		t.Errorf("the answer under way: %v", err)
	}
	<-d.done
	if code := d.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d, want 0\n%s", code, d.out)
	}
}

// Nor does a reader of its output that goes away.
func TestReaderOfSandboxGone(t *testing.T) {
	t.Parallel()
	temp := t.TempDir()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	reader.Close()
	cmd := exec.Command(program("sandbox"), "--backend", "mock", "--listen", "127.0.0.1:0")
	cmd.Stdout, cmd.Stderr, cmd.Env = writer, writer, append(os.Environ(), "TMPDIR="+temp)
	err = cmd.Start()
	writer.Close()
	if err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // the exit code is in ProcessState
	if code := cmd.ProcessState.ExitCode(); code != 1 || len(left(t, temp)) != 0 {
		t.Errorf("exit code %d, left: %v; want 1 and nothing", code, left(t, temp))
	}
}

// What a sandbox left that was killed, the next one removes.
func TestSweepAfterKill(t *testing.T) {
	t.Parallel()
	temp := t.TempDir()
	d, r := box(t, temp)
	if err := d.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-d.done
	eventually(t, patience, "all nodes are gone", func() error {
		for name, pid := range r.PIDs {
			if alive(pid) {
				return fmt.Errorf("%s (pid %d) lives", name, pid)
			}
		}
		return nil
	})
	dead := filepath.Dir(r.Dirs["bridge"])
	if _, err := os.Stat(dead); err != nil {
		t.Fatalf("the killed sandbox left nothing, so there is nothing to test: %v", err)
	}
	second, r2 := box(t, temp)
	live := filepath.Dir(r2.Dirs["bridge"])
	if got := left(t, temp); len(got) != 1 || got[0] != live {
		t.Errorf("temporary files: %v, want that of the live sandbox, %s", got, live)
	}
	// A third one leaves the live one alone.
	box(t, temp)
	if _, err := os.Stat(live); err != nil {
		t.Errorf("the directory of a live sandbox is gone: %v", err)
	}
	second.stop(t)
}

// A start that goes well warns of nothing, and names every process.
func TestHealthyStart(t *testing.T) {
	t.Parallel()
	w := start(t, "--backend", "mock", "--chain")
	w.ask(strings.Replace(chatBody(false), `"m"`, `"culvert-demo"`, 1)).completed(t)
	for name, path := range w.Logs {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if strings.Contains(line, `"level":"WARN"`) || strings.Contains(line, `"level":"ERROR"`) {
				t.Errorf("%s: %s", name, line)
			}
		}
		if !strings.Contains(w.out.String(), fmt.Sprintf(" pid %d\n", w.PIDs[name])) {
			t.Errorf("the sandbox does not say that %s is process %d:\n%s", name, w.PIDs[name], w.out)
		}
	}
}

// A bridge that knows nobody yet says so: the model may well exist.
func TestNoDirectoryYet(t *testing.T) {
	t.Parallel()
	_, dir := setUp(t) // a relay that does not run
	d := daemonise(t, nil, "bridge", "serve", "--data", dir, "--listen", "127.0.0.1:0", "--status-listen", "127.0.0.1:0", "--log-format", "text")
	w := &world{t: t}
	eventually(t, patience, "the log says why the bridge is not ready", func() error {
		if !strings.Contains(d.out.String(), `level=INFO msg="bridge is not ready"`) || !strings.Contains(d.out.String(), "no directory yet") {
			return errors.New("it does not")
		}
		return nil
	})
	s := w.toldBy(dir)
	w.BaseURL = s.BaseURLs[0]
	r := w.ask(chatBody(true))
	message, _, code := r.failure(t)
	if r.status != http.StatusServiceUnavailable || code != "no_provider" || r.header.Get("Retry-After") == "" ||
		!strings.Contains(message, "no directory yet: not reachable") {
		t.Errorf("status %d, code %q, Retry-After %q, message %q; want 503 no_provider and why", r.status, code, r.header.Get("Retry-After"), message)
	}
	if s.Ready || len(s.Waiting) != 1 || !strings.HasPrefix(s.Waiting[0], "no directory yet") {
		t.Errorf("status = ready %t, waiting for %q; want the same reason", s.Ready, s.Waiting)
	}
}

// In local mode a server that does not answer is no ready bridge.
func TestLocalModeWithoutServer(t *testing.T) {
	t.Parallel()
	const url = "http://127.0.0.1:1"
	dir := t.TempDir()
	daemonise(t, nil, "bridge", "serve", "--data", dir, "--upstream", url, "--listen", "127.0.0.1:0", "--status-listen", "127.0.0.1:0")
	want := "the model server at " + url + ": it cannot be reached"
	eventually(t, patience, "bridge status names the server", func() error {
		out, _ := call(t, "bridge", "status", "--data", dir)
		if !strings.Contains(out, "no: "+want) {
			return errors.New(out)
		}
		return nil
	})
	w := &world{t: t}
	resp, err := http.Get(w.toldBy(dir).StatusURL + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(text), want) {
		t.Errorf("readyz = %d, %s, %v; want 503 and %q", resp.StatusCode, text, err, want)
	}
}
