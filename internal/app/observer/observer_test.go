package observer

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/node"
)

func TestRoles(t *testing.T) {
	for _, tt := range []struct {
		roles []string
		want  string // in the error; empty: none
	}{
		{[]string{"memory"}, ""},
		{nil, "the list is empty"},
		{[]string{"prober"}, "comes in a later version"},
		{[]string{"memory", "prober"}, "comes in a later version"},
		{[]string{"memory", "memory"}, "listed twice"},
		{[]string{"provider"}, "is not known"},
	} {
		cfg := Defaults()
		cfg.Node.Roles = tt.roles
		err := cfg.Validate()
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("roles %q: %v, want %q", tt.roles, err, tt.want)
		}
	}
}

// run runs a command of the program and returns what it printed.
func run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	cmd := Command()
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	var out strings.Builder
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

// local is a listen address of this machine that is free.
func local(t *testing.T) string {
	t.Helper()
	port, err := node.FreePort(0)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", port)
}

// Keys can be made before there is a world, and once.
func TestInit(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "d")
	said, err := run(t, "init", "--data", dir, "--listen", local(t))
	if err != nil {
		t.Fatal(err)
	}
	key, err := node.EnsureKey(dir)
	if err != nil || !strings.Contains(said, fmt.Sprintf("This machine is %x.", key.Public())) {
		t.Errorf("init said %q, %v; want the key", said, err)
	}
	for _, name := range []string{node.KeyFile, app.ConfigFile} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v; want it there with mode 0600", name, err)
		}
	}
	again, err := run(t, "init", "--data", dir)
	if err != nil || again != said {
		t.Errorf("the second init said %q, %v; want the same key", again, err)
	}
	if _, err := run(t, "init", "--data", dir, "--name", "other"); app.Code(err) != app.ExitUsage || !strings.Contains(err.Error(), "set up already") {
		t.Errorf("init with other settings = %v, want it refused", err)
	}
	if _, err := run(t, "serve", "--data", dir); app.Code(err) != app.ExitUsage || !strings.Contains(err.Error(), "join FILE") || !strings.Contains(err.Error(), "world create PHRASE") {
		t.Errorf("serve without a world = %v, want how to get one", err)
	}
	if _, err := run(t, "status", "--data", dir); app.Code(err) != app.ExitNotReady || !strings.Contains(err.Error(), "serve --data") {
		t.Errorf("status of none = %v, want how to start one", err)
	}
}

// started serves a data directory until the test ends.
func started(t *testing.T, dir string) {
	t.Helper()
	cfg := Defaults()
	if _, err := app.Load(cfg, program, dir, nil); err != nil {
		t.Fatal(err)
	}
	cfg.Status.Listen = ""
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, Options{Data: dir, Config: cfg, Err: t.Output()}) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("Serve(%s) = %v", dir, err)
		}
	})
}
