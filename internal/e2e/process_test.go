//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/culvert-net/culvert/api/backend/backendtest"
)

// kill -9 of the sandbox leaves no process behind.
func TestSandboxKilled(t *testing.T) {
	t.Parallel()
	// Nobody is left to remove a temporary directory.
	w := start(t, "--backend", "mock", "--providers", "2", "--chain", "--dir", filepath.Join(t.TempDir(), "d"))
	if err := w.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-w.done
	eventually(t, patience, "all nodes are gone", func() error {
		for name, pid := range w.PIDs {
			if alive(pid) {
				return fmt.Errorf("%s (pid %d) lives", name, pid)
			}
		}
		return nil
	})
}

// Ctrl-C stops everything in order and says so with 130.
func TestSandboxInterrupted(t *testing.T) {
	t.Parallel()
	w := start(t, "--backend", "mock", "--chain")
	w.interrupt()
	<-w.done
	if code := w.cmd.ProcessState.ExitCode(); code != 130 {
		t.Errorf("exit code = %d, want 130", code)
	}
	said := w.out.String()
	at := -1
	for _, line := range []string{"stopped: bridge\n", "stopped: provider-1\n", "stopped: relay-1, relay-2, relay-3\n", "stopped: memory-1, memory-2, memory-3\n", "stopped: devchain\n"} {
		next := strings.Index(said, line)
		if next <= at {
			t.Errorf("sandbox said %q; want %q after what stops before", said, line)
		}
		at = next
	}
	for name, pid := range w.PIDs {
		if alive(pid) {
			t.Errorf("%s (pid %d) lives", name, pid)
		}
	}
	if _, err := os.Stat(filepath.Dir(w.Dirs["bridge"])); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the temporary directory is still there: %v", err)
	}
}

// An answer that is being written when the bridge is told to stop is finished.
func TestStopLetsAnswersFinish(t *testing.T) {
	t.Parallel()
	gate := make(chan struct{})
	u := upstream(t, backendtest.Gated(gate, backendtest.Answer(backendtest.Completion)))
	w := start(t, "--backend", u.URL)
	answer := w.asking(chatBody(false))
	u.nextChat(t, patience)
	w.interrupt()
	eventually(t, patience, "the bridge accepts no more", func() error {
		conn, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(w.BaseURL, "http://"), "/v1"))
		if err == nil {
			conn.Close()
			return errors.New("it does")
		}
		return nil
	})
	close(gate)
	received(t, answer, patience).completed(t)
}

// A node that dies is named at once, and the sandbox goes on.
func TestDeathIsSaid(t *testing.T) {
	t.Parallel()
	w := start(t, "--backend", "mock", "--relays", "4")
	w.kill("relay-2")
	eventually(t, patience, "the sandbox says that relay-2 died", func() error {
		if !strings.Contains(w.out.String(), fmt.Sprintf("relay-2 (pid %d) died: signal: killed", w.PIDs["relay-2"])) {
			return errors.New("it does not")
		}
		return nil
	})
	if !alive(w.cmd.Process.Pid) {
		t.Error("the sandbox ended with relay-2")
	}
	w.ask(strings.Replace(chatBody(false), `"m"`, `"culvert-demo"`, 1)).completed(t)
}

// A node that does not come up fails the start with 3, and shows its log.
func TestNodeFailsToStart(t *testing.T) {
	t.Parallel()
	// A bridge that is none.
	bin := t.TempDir()
	for name, target := range map[string]string{"gateway": program("gateway"), "observer": program("observer"), "bridge": "/bin/false"} {
		if err := os.Symlink(target, filepath.Join(bin, name)); err != nil {
			t.Skip("SKIP TestNodeFailsToStart: no symbolic links here")
		}
	}
	w := launch(t, "--backend", "mock", "--bin", bin)
	<-w.done
	if code := w.cmd.ProcessState.ExitCode(); code != 3 || !strings.Contains(w.out.String(), "bridge ended while starting") {
		t.Errorf("exit code %d, output %q; want 3 and the name of the node", code, w.out)
	}
}

// A taken port is a clear error that names the flag.
func TestTakenPort(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	w := launch(t, "--backend", "mock", "--listen", l.Addr().String())
	<-w.done
	if code := w.cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(w.out.String(), "--listen "+l.Addr().String()) {
		t.Errorf("sandbox: exit code %d, output %q; want 1 and the flag", code, w.out)
	}
	dir := t.TempDir()
	out, code := call(t, "bridge", "serve", "--data", dir, "--upstream", "http://127.0.0.1:1", "--listen", l.Addr().String())
	if code != 1 || !strings.Contains(out, "--listen "+l.Addr().String()) {
		t.Errorf("bridge: exit code %d, output %q; want 1 and the flag", code, out)
	}
}

// So is the one where other nodes connect.
func TestTakenNodePort(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dir := filepath.Join(t.TempDir(), "g")
	addr := fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", l.Addr().(*net.TCPAddr).Port)
	succeed(t, "gateway", "init", "--data", dir, "--world", newWorld(t, "x"), "--roles", "relay", "--listen", addr)
	if out, code := call(t, "gateway", "serve", "--data", dir, "--status-listen", ""); code != 1 || !strings.Contains(out, "node.listen") {
		t.Errorf("exit code %d, output %q; want 1 and the setting", code, out)
	}
}

// call runs a program to its end.
func call(t *testing.T, name string, args ...string) (output string, code int) {
	t.Helper()
	cmd := exec.Command(program(name), args...)
	out, err := cmd.CombinedOutput()
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// What is refused, and with which exit code.
func TestExitCodes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	succeed(t, "gateway", "init", "--data", dir+"/seed", "--world", newWorld(t, "x"), "--roles", "relay", "--listen", "/ip4/127.0.0.1/tcp/4811")
	world := dir + "/seed/world.toml"
	for _, tt := range []struct {
		args []string
		code int
		want string // part of what is said
	}{
		{[]string{"bridge", "--nonsense"}, 2, "--nonsense"},
		{[]string{"bridge", "nonsense"}, 2, "nonsense"},
		{[]string{"bridge", "serve", "--data", dir}, 2, " init --world FILE --data " + dir},
		{[]string{"bridge", "init", "--data", dir}, 2, "--world FILE is missing"},
		{[]string{"bridge", "init", "--data", dir, "--world", dir + "/none.toml"}, 2, "none.toml"},
		{[]string{"bridge", "serve", "--data", dir, "--upstream", "http://127.0.0.1:1", "--listen", "0.0.0.0:0"}, 4, "api.listen (--listen) 0.0.0.0:0"},
		{[]string{"bridge", "serve", "--data", dir, "--upstream", "http://127.0.0.1:1", "--status-listen", ":0"}, 4, "--status-listen"},
		{[]string{"bridge", "serve", "--data", dir, "--upstream", "ftp://x"}, 2, "base URL"},
		{[]string{"bridge", "status", "--data", dir}, 3, " serve --data " + dir + "\n"},
		{[]string{"bridge", "keys", "list", "--data", dir}, 0, " keys add NAME --data " + dir},
		{[]string{"bridge", "init", "--data", dir + "/b", "--world", world}, 0, " serve --data " + dir + "/b\n"},
		{[]string{"gateway", "status", "--data", dir}, 3, "no gateway is running"},
		{[]string{"gateway", "serve", "--data", dir + "/g"}, 2, " init --world FILE --data " + dir},
		{[]string{"gateway", "init", "--data", dir + "/g"}, 2, "observer world create PHRASE"},
		{[]string{"gateway", "init", "--data", dir + "/g", "--new-world", "x"}, 2, "observer world create PHRASE"},
		{[]string{"gateway", "init", "--data", dir + "/g", "--world", world, "--roles", "king"}, 2, "king"},
		{[]string{"gateway", "config", "chek"}, 2, "did you mean check?"},
		{[]string{"gateway", "serve", "x"}, 2, "takes flags only"},
		{[]string{"observer", "serve", "--data", dir + "/o"}, 2, " world create PHRASE --data " + dir + "/o"},
		{[]string{"observer", "status", "--data", dir + "/o"}, 3, "no observer is running"},
		{[]string{"observer", "world", "evit"}, 2, "did you mean evict?"},
		{[]string{"observer", "world", "create"}, 2, "PHRASE is missing"},
		{[]string{"observer", "join", dir + "/none", "--data", dir + "/o"}, 2, "no such file"},
		{[]string{"sandbox", "--relays", "many"}, 2, "not a whole number"},
		{[]string{"sandbox", "--relays", "1"}, 2, "--relays 1"},
		{[]string{"sandbox", "--relays", "abc"}, 2, "whole number"},
		{[]string{"sandbox", "--hops", "6"}, 2, "--hops 6"},
		{[]string{"sandbox", "--backend", "http://127.0.0.1:1"}, 3, "--backend http://127.0.0.1:1 cannot be reached"},
		{[]string{"sandbox", "--backend", "localhost:1"}, 2, "write http://localhost:1"},
		{[]string{"sandbox", "--log-level", "loud"}, 2, "use debug, info, warn or error"},
		{[]string{"sandbox", "--ready-file", dir + "/none/ready"}, 2, "there is no directory " + dir + "/none; make it first"},
		{[]string{"sandbox", "--listen", "0.0.0.0:1"}, 4, "--listen"},
		{[]string{"sandbox", "--bin", dir}, 2, "--bin"},
		{[]string{"bridge", "version"}, 0, "bridge "},
		{[]string{"gateway", "--help"}, 0, "gateway init --world"},
		{[]string{"sandbox", "completion", "bash"}, 0, "complete"},
	} {
		if out, code := call(t, tt.args[0], tt.args[1:]...); code != tt.code || !strings.Contains(out, tt.want) {
			t.Errorf("%v: exit code %d, output %q; want %d and %q", tt.args, code, out, tt.code, tt.want)
		}
	}
}

// Who names another user's directory is told so by every command, and not that
// its bridge hangs or that one file of it is damaged.
func TestAnotherUsersData(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("SKIP TestAnotherUsersData: only root can run a program as another user")
	}
	open, err := os.MkdirTemp("", "culvert-open-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(open) })
	text, err := os.ReadFile(program("bridge"))
	if err == nil {
		err = errors.Join(os.Chmod(open, 0o755), os.WriteFile(filepath.Join(open, "bridge"), text, 0o755), os.Mkdir(filepath.Join(open, "data"), 0o700))
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		command string
		code    int
		want    string
	}{
		{"serve", 2, "another user's"},
		{"config check", 2, "another user's"},
		{"status", 3, "another user's"},
		{"keys list", 1, "another user's"},
		{"keys add x", 1, "another user's"},
		{"doctor", 1, "whether one runs cannot be told"},
	} {
		cmd := exec.Command(filepath.Join(open, "bridge"), append(strings.Fields(tt.command), "--data", filepath.Join(open, "data"))...)
		cmd.Dir = "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65533, Gid: 65533}}
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != tt.code || !strings.Contains(string(out), tt.want) {
			t.Errorf("%s: %v, %s; want exit code %d and %q", tt.command, err, out, tt.code, tt.want)
		}
	}
}

// A terminated daemon ends in good order with 0.
func TestTerminated(t *testing.T) {
	t.Parallel()
	w := start(t, "--backend", "mock")
	if err := w.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-w.done
	if code := w.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code = %d, want 0\n%s", code, w.out)
	}
}
