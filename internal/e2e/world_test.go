//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/culvert-net/culvert/api/backend/backendtest"
	"github.com/culvert-net/culvert/internal/app/bridge"
	"github.com/culvert-net/culvert/internal/app/sandbox"
)

// Caps on waiting for events that must come.
const (
	patience = 45 * time.Second // for anything
	longest  = 75 * time.Second // for what timers of the product must notice first
)

// chatPath is where chats go.
const chatPath = "/v1/chat/completions"

// model is what the upstreams of these tests serve.
const model = "m"

// list is the answer to GET /v1/models of an upstream.
const list = `{"object":"list","data":[{"id":"` + model + `","object":"model","created":1,"owned_by":"test"}]}`

// server is a model server for one test.
type server struct {
	*backendtest.Upstream
	seen int // chats that nextChat has returned
}

// upstream starts a model server that answers chats with b.
func upstream(t *testing.T, b backendtest.Behaviour) *server {
	t.Helper()
	u := &server{Upstream: backendtest.NewUpstream(t)}
	u.answer(b)
	return u
}

// answer changes how chats are answered.
func (u *server) answer(b backendtest.Behaviour) {
	nothing := backendtest.Status(http.StatusNotFound, "application/json", `{}`)
	u.Set(backendtest.ByPath(backendtest.Answer(list), func(w http.ResponseWriter, r *http.Request, c *backendtest.Call) {
		if r.URL.Path != chatPath {
			nothing(w, r, c) // a question about what server this is, and can do
			return
		}
		b(w, r, c)
	}))
}

// chats are the chats that arrived so far; providers ask for models in between.
func (u *server) chats() []*backendtest.Call {
	return slices.DeleteFunc(u.Calls(), func(c *backendtest.Call) bool { return c.Path != chatPath })
}

// nextChat waits for the next chat to arrive.
func (u *server) nextChat(t *testing.T, limit time.Duration) *backendtest.Call {
	t.Helper()
	eventually(t, limit, "a chat reaches the upstream", func() error {
		if len(u.chats()) <= u.seen {
			return errors.New("none came")
		}
		return nil
	})
	u.seen++
	return u.chats()[u.seen-1]
}

// world is a running sandbox.
type world struct {
	sandbox.Ready
	t        *testing.T
	upstream string // URL of the model server, if no argument of cmd says it

	cmd  *exec.Cmd
	out  *output // stdout and stderr
	done chan struct{}
	err  error // of the process; set before done is closed

	stopped sync.Once // for interrupt
}

// output is what a process writes, readable meanwhile.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
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

// start runs a sandbox until the test ends, and waits until it is ready.
func start(t *testing.T, args ...string) *world {
	t.Helper()
	w := launch(t, args...)
	eventually(t, patience, "the sandbox is ready", func() error {
		select {
		case <-w.done:
			t.Fatalf("sandbox ended while starting: %v\n%s", w.err, w.out)
		default:
		}
		text, err := os.ReadFile(w.readyFile())
		if err != nil {
			return err
		}
		if err := json.Unmarshal(text, &w.Ready); err != nil {
			return err
		}
		if !strings.Contains(w.out.String(), "stop everything with Ctrl-C.\n") { // printed behind the file
			return errors.New("the instructions are not there yet")
		}
		return nil
	})
	return w
}

// launch starts a sandbox and does not wait. It has a chain only if that is asked for:
// most tests are not about paying, and five sandboxes run at a time.
func launch(t *testing.T, args ...string) *world {
	t.Helper()
	w := &world{t: t, out: &output{}, done: make(chan struct{})}
	ready := filepath.Join(t.TempDir(), "ready.json")
	if !slices.Contains(args, "--listen") {
		args = append(args, "--listen", "127.0.0.1:0")
	}
	if !slices.Contains(args, "--chain") {
		args = append(args, "--chain=false")
	}
	w.cmd = exec.Command(program("sandbox"), append(args, "--ready-file", ready, "--log-level", "debug")...)
	w.cmd.Stdout, w.cmd.Stderr = w.out, w.out
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(w.done)
		w.err = w.cmd.Wait()
	}()
	t.Cleanup(w.end)
	return w
}

func (w *world) readyFile() string {
	return w.cmd.Args[slices.Index(w.cmd.Args, "--ready-file")+1]
}

// end stops the sandbox and, after a failure, shows what its nodes logged.
func (w *world) end() {
	if w.t.Failed() {
		w.t.Logf("sandbox said:\n%s", w.out)
		for name, path := range w.Logs {
			text, err := os.ReadFile(path)
			if err != nil {
				continue
			}
			lines := strings.Split(string(text), "\n")
			w.t.Logf("end of %s's log:\n%s", name, strings.Join(lines[max(0, len(lines)-40):], "\n"))
		}
	}
	w.interrupt()
	select {
	case <-w.done:
	case <-time.After(patience):
		w.t.Error("sandbox did not stop")
		_ = w.cmd.Process.Kill()
		<-w.done
	}
}

// interrupt is Ctrl-C, once: a second one would not wait for anything.
func (w *world) interrupt() {
	w.stopped.Do(func() {
		_ = w.cmd.Process.Signal(os.Interrupt) // it may be gone already
	})
}

// signal sends one to a node.
func (w *world) signal(node string, s syscall.Signal) {
	w.t.Helper()
	if w.PIDs[node] == 0 {
		w.t.Fatalf("no node is called %q", node)
	}
	if err := syscall.Kill(w.PIDs[node], s); err != nil {
		w.t.Fatalf("signal %v to %s: %v", s, node, err)
	}
}

// kill is kill -9.
func (w *world) kill(node string) {
	w.t.Helper()
	w.signal(node, syscall.SIGKILL)
}

// alive reports whether a process runs. One that has ended and that nobody
// has waited for does not.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if errors.Is(err, os.ErrNotExist) {
		_, proc := os.Stat("/proc/self")
		return proc != nil // no /proc here: the signal's word counts
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z")
}

// status is what the bridge's status page says.
func (w *world) status() (s bridge.Status) {
	w.t.Helper()
	resp, err := http.Get(w.StatusURL + "/status")
	if err != nil {
		w.t.Fatalf("status page: %v", err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&s); err != nil {
		w.t.Fatalf("status page: %v", err)
	}
	return s
}

// told is what `bridge status --json` says, which is the same.
func (w *world) told() bridge.Status {
	w.t.Helper()
	return w.toldBy(w.Dirs["bridge"])
}

func (w *world) toldBy(dir string) (s bridge.Status) {
	w.t.Helper()
	cmd := exec.Command(program("bridge"), "status", "--json", "--data", dir)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if cmd.ProcessState.ExitCode() == 3 && len(out) > 0 { // not ready, which it says as well
		err = nil
	}
	if err == nil {
		err = json.Unmarshal(out, &s)
	}
	if err != nil {
		w.t.Fatalf("bridge status: %v: %s", err, &said)
	}
	return s
}

// busy are the hops of the one circuit that carries a stream.
func (w *world) busy() []string {
	w.t.Helper()
	return w.busyIn(w.status)
}

func (w *world) busyIn(status func() bridge.Status) []string {
	w.t.Helper()
	var hops []string
	eventually(w.t, patience, "one circuit carries a stream", func() error {
		hops = nil
		for _, c := range status().Circuits {
			if c.Streams == 0 {
				continue
			}
			if hops != nil {
				return errors.New("two circuits do")
			}
			hops = c.Hops
		}
		if hops == nil {
			return errors.New("none does")
		}
		return nil
	})
	return hops
}
