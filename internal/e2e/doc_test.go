// Package e2e drives the real programs: each test starts a sandbox of its own,
// whose nodes are processes, asks it what a client would ask, and kills what
// could die.
//
// There is nothing to call. With CULVERT_BIN the programs in that directory
// are tested, else they are built first. Tests wait on events and are capped;
// nothing here is about how long something takes.
//
// The package knows programs by their command line, files and sockets only,
// but for the canary test, which stands inside a relay.
//
// What takes minutes is tagged leak too: `make leak`.
//
// It tests docs/spec/api.md, docs/spec/circuit.md "What must be proven" as
// far as processes go, and docs/conventions.md "Processes", "Exit codes".
package e2e

import (
	"context"
	"testing"
	"time"
)

// eventually waits until check returns nil.
func eventually(t *testing.T, limit time.Duration, what string, check func() error) {
	t.Helper()
	eventuallyEvery(t, 20*time.Millisecond, limit, what, check)
}

// eventuallyEvery is eventually with a check that is dear. It is the only place
// here where time passes by itself.
func eventuallyEvery(t *testing.T, pause, limit time.Duration, what string, check func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("not within %v: %s: %v", limit, what, err)
		}
	}
}
