//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/culvert-net/culvert/api/backend/backendtest"
	"github.com/culvert-net/culvert/internal/app/doctor"
)

// examined is what a program's doctor reports.
func examined(t *testing.T, name string, args ...string) (r doctor.Report, code int) {
	t.Helper()
	cmd := exec.Command(program(name), append([]string{"doctor", "--json"}, args...)...)
	out, err := cmd.Output()
	if jsonErr := json.Unmarshal(out, &r); jsonErr != nil {
		t.Fatalf("%s doctor: %v, %v in %s", name, err, jsonErr, out)
	}
	return r, cmd.ProcessState.ExitCode()
}

// finding is the first one of a check, or the zero one.
func finding(r doctor.Report, check string) (f doctor.Finding) {
	for _, f := range r.Findings {
		if f.Check == check {
			return f
		}
	}
	return f
}

// saying is the first finding with a text in it.
func saying(r doctor.Report, level doctor.Level, text string) bool {
	for _, f := range r.Findings {
		if f.Level == level && strings.Contains(f.Found, text) {
			return true
		}
	}
	return false
}

// Where everything works, no doctor finds anything.
func TestDoctorHealthy(t *testing.T) {
	t.Parallel()
	w := start(t, "--backend", "mock")
	for name, dir := range w.Dirs {
		which, args := "gateway", []string{"--data", dir}
		memory := strings.HasPrefix(name, "memory-")
		switch {
		case name == "bridge":
			which, args = "bridge", append(args, "--ask", "culvert-demo")
		case memory:
			which = "observer"
		}
		var r doctor.Report
		eventually(t, patience, "the doctor of "+name+" is content", func() error {
			var code int
			if r, code = examined(t, which, args...); code != 0 || !r.OK || r.Problems+r.Warnings > 0 {
				return fmt.Errorf("exit code %d, %+v", code, r)
			}
			return nil
		})
		checks := []string{"configuration", "data directory", "world", "seed 1 of 5", "clock", "directory", "onion keys", "descriptor", "ready"}
		switch name {
		case "bridge":
			checks = []string{"configuration", "data directory", "port", "world", "seed 6 of 6", "clock", "directory", "circuits", "API", "request"}
		case "provider-1":
			checks = append(checks[:3:3], "seed 6 of 6", "model server", "chat", "streamed chat")
		}
		if memory {
			checks = append(checks, "membership", "event log", "sync")
		}
		for _, c := range checks {
			if finding(r, c).Level != doctor.OK {
				t.Errorf("%s: %s is %+v, want ok", name, c, finding(r, c))
			}
		}
	}
}

// What is broken is named, and what to do.
func TestDoctorNames(t *testing.T) {
	t.Parallel()
	u := upstream(t, backendtest.Answer(backendtest.Completion))
	front := newFront(t, u.URL)
	w := start(t, "--backend", front.url)
	t.Run("backend without streams", func(t *testing.T) {
		r, code := examined(t, "gateway", "--data", w.Dirs["provider-1"])
		if f := finding(r, "streamed chat"); code != 1 || f.Level != doctor.Problem || f.Do == "" {
			t.Errorf("exit code %d, %+v; want the streams named", code, r)
		}
		if len(u.chats()) == 0 {
			t.Error("the model server was not asked")
		}
		before := len(u.chats())
		if _, code := examined(t, "gateway", "--data", w.Dirs["provider-1"], "--no-ask"); code != 0 || len(u.chats()) != before {
			t.Errorf("--no-ask: exit code %d, %d requests more", code, len(u.chats())-before)
		}
	})
	t.Run("dead backend", func(t *testing.T) {
		front.stop()
		r, code := examined(t, "gateway", "--data", w.Dirs["provider-1"])
		if f := finding(r, "model server"); code != 1 || f.Level != doctor.Problem || !strings.Contains(f.Found, front.url+": it cannot be reached") {
			t.Errorf("exit code %d, %+v; want the model server named", code, r)
		}
	})
	t.Run("dead relay", func(t *testing.T) {
		w.kill("relay-2")
		// Names come from the directory that the bridge puts on disk by and by.
		eventually(t, patience, "relay-2 is named", func() error {
			if r, _ := examined(t, "bridge", "--data", w.Dirs["bridge"]); !saying(r, doctor.Warning, "relay-2 /ip4/") {
				return fmt.Errorf("%+v", r)
			}
			return nil
		})
	})
	t.Run("hung bridge", func(t *testing.T) {
		w.signal("bridge", syscall.SIGSTOP)
		defer w.signal("bridge", syscall.SIGCONT)
		r, code := examined(t, "bridge", "--data", w.Dirs["bridge"])
		if f := finding(r, "bridge"); code != 1 || f.Level != doctor.Problem || !strings.Contains(f.Found, "does not answer") {
			t.Errorf("exit code %d, %+v; want the bridge named", code, r)
		}
	})
	t.Run("no bridge", func(t *testing.T) {
		w.kill("bridge")
		var l net.Listener
		eventually(t, patience, "the bridge's port is free", func() (err error) {
			l, err = net.Listen("tcp", strings.TrimSuffix(strings.TrimPrefix(w.BaseURL, "http://"), "/v1"))
			return err
		})
		defer l.Close()
		r, code := examined(t, "bridge", "--data", w.Dirs["bridge"])
		if f := finding(r, "port"); code != 1 || f.Level != doctor.Problem || !strings.Contains(f.Do, "--listen 127.0.0.1:PORT") {
			t.Errorf("exit code %d, %+v; want the port named, with the flag", code, r)
		}
		// Its only provider is withdrawn sooner or later, as its backend is dead.
		if f := finding(r, "directory"); !strings.HasPrefix(f.Found, "3 relays, ") && f.Found != "no provider is known" {
			t.Errorf("directory: %+v; want it asked for", f)
		}
	})
	t.Run("no seed", func(t *testing.T) {
		for _, name := range []string{"relay-1", "relay-3", "memory-1", "memory-2", "memory-3"} {
			w.kill(name)
		}
		r, code := examined(t, "bridge", "--data", w.Dirs["bridge"])
		for i := range 6 {
			if f := finding(r, fmt.Sprintf("seed %d of 6", i+1)); code != 1 || f.Level != doctor.Problem || f.Do == "" {
				t.Errorf("exit code %d, seed %d: %+v; want a problem", code, i+1, f)
			}
		}
	})
	t.Run("open key file", func(t *testing.T) {
		if err := os.Chmod(filepath.Join(w.Dirs["relay-1"], "transport.key"), 0o644); err != nil {
			t.Fatal(err)
		}
		r, code := examined(t, "gateway", "--data", w.Dirs["relay-1"])
		if f := finding(r, "data directory"); code != 1 || !strings.Contains(f.Do, "chmod 600 ") {
			t.Errorf("exit code %d, %+v; want the mode named", code, r)
		}
	})
}
