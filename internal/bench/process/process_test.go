package process

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// role says, in the environment, that this test binary is a participant.
const role = "CULVERT_BENCH_PROCESS_TEST"

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "":
		os.Exit(m.Run())
	case "listen":
		fmt.Println("something else")
		fmt.Println(ReadyLine + "127.0.0.1:7")
		// Until the one who started us is gone.
		_, _ = io.Copy(io.Discard, bufio.NewReader(os.Stdin))
	case "silent":
		_, _ = io.Copy(io.Discard, bufio.NewReader(os.Stdin))
	case "die":
		fmt.Println("no port is free")
		os.Exit(1)
	}
}

func start(t *testing.T, as string) *Process {
	t.Helper()
	t.Setenv(role, as)
	p, err := Start("it", os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	return p
}

func TestProcess(t *testing.T) {
	p := start(t, "listen")
	addr, err := p.Address(t.Context())
	if addr != "127.0.0.1:7" || err != nil {
		t.Fatalf("Address = %q, %v", addr, err)
	}
	if err := p.Ended(); err != nil {
		t.Errorf("Ended = %v while it runs", err)
	}
	if runtime.GOOS == "linux" {
		if n, err := Anon(p.PID); n < 100_000 || err != nil {
			t.Errorf("Anon = %d, %v", n, err)
		}
		if _, err := CPU(p.PID); err != nil {
			t.Errorf("CPU: %v", err)
		}
	}
	p.Stop()
	p.Stop() // may be called twice
	if err := p.Ended(); !errors.Is(err, errEnded) {
		t.Errorf("Ended = %v after Stop", err)
	}
	if _, err := CPU(p.PID); err == nil && runtime.GOOS == "linux" {
		t.Error("CPU of a process that is gone is no error")
	}
}

// What a program that ended said is in the error.
func TestProcessThatEnds(t *testing.T) {
	p := start(t, "die")
	if _, err := p.Address(t.Context()); err == nil || !strings.Contains(err.Error(), "no port is free") {
		t.Errorf("Address = %v, want what it said", err)
	}
	never := errors.New("not yet")
	if err := p.Until(t.Context(), 10*time.Second, func() error { return never }); !errors.Is(err, errEnded) {
		t.Errorf("Until = %v, want that it ended", err)
	}
}

func TestUntil(t *testing.T) {
	p := start(t, "listen")
	n := 0
	if err := p.Until(t.Context(), 10*time.Second, func() error {
		if n++; n < 3 {
			return errEnded
		}
		return nil
	}); err != nil || n != 3 {
		t.Errorf("Until = %v after %d questions, want nil after 3", err, n)
	}
	never := errors.New("not yet")
	if err := p.Until(t.Context(), time.Nanosecond, func() error { return never }); !errors.Is(err, never) {
		t.Errorf("Until = %v, want what was missing", err)
	}
}

// Whoever pressed Ctrl-C while programs started was told that one of them was
// not ready after a minute and a half.
func TestInterrupted(t *testing.T) {
	p := start(t, "silent")
	pressed := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(pressed)
	if err := p.Until(ctx, 10*time.Second, func() error { return errEnded }); err != pressed {
		t.Errorf("Until = %v, want the cause and nothing else", err)
	}
	if addr, err := p.Address(ctx); err != pressed {
		t.Errorf("Address = %q, %v, want the cause and nothing else", addr, err)
	}
}

func TestParse(t *testing.T) {
	stat := "4242 (a (strange) name) S 1 2 3 4 5 6 7 8 9 10 150 25 0 0 20 0 9 0 1 2 3"
	if d, err := parseStat(stat); d != 1750*time.Millisecond || err != nil {
		t.Errorf("parseStat = %v, %v, want 1.75s", d, err)
	}
	for _, bad := range []string{"", "1 (x) S 1 2", strings.Replace(stat, "150", "x", 1)} {
		if d, err := parseStat(bad); err == nil {
			t.Errorf("parseStat(%q) = %v, want an error", bad, d)
		}
	}
	machine := "cpu  100 20 30 4000 500 6 7 8 9 10\ncpu0 1 2 3\n"
	if d, err := parseMachine(machine); d != 1710*time.Millisecond || err != nil {
		t.Errorf("parseMachine = %v, %v, want 1.71s", d, err)
	}
	for _, bad := range []string{"", "cpu 1 2 3", "cpu0 1 2 3 4 5 6 7 8 9 10", strings.Replace(machine, "30", "x", 1)} {
		if d, err := parseMachine(bad); err == nil {
			t.Errorf("parseMachine(%q) = %v, want an error", bad, d)
		}
	}
	status := "Name:\tx\nVmRSS:\t 9000 kB\nRssAnon:\t    5036 kB\nRssFile:\t 1 kB\n"
	if n, err := parseStatus(status); n != 5036<<10 || err != nil {
		t.Errorf("parseStatus = %d, %v, want %d", n, err, 5036<<10)
	}
	for _, bad := range []string{"", "RssAnon:\tx kB\n"} {
		if n, err := parseStatus(bad); err == nil {
			t.Errorf("parseStatus(%q) = %d, want an error", bad, n)
		}
	}
}
