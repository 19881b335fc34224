package app_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/culvert-net/culvert/internal/app"
)

// journal notes what happens, in order.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(line string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, line)
}

// part runs until it is stopped.
func (j *journal) part(name string) app.Part {
	return app.Part{Name: name, Run: func(ctx context.Context) error {
		<-ctx.Done()
		j.add(name)
		return ctx.Err()
	}}
}

func TestRunPartsStopsInReverse(t *testing.T) {
	j := &journal{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := app.RunParts(ctx, j.part("directory"), j.part("circuits"), j.part("api")); err != nil {
		t.Fatalf("RunParts = %v, want nil", err)
	}
	if want := []string{"api", "circuits", "directory"}; !slices.Equal(j.lines, want) {
		t.Errorf("stopped %v, want %v", j.lines, want)
	}
}

func TestRunPartsEndsWithTheFirst(t *testing.T) {
	broken := errors.New("listener is gone")
	for _, tt := range []struct {
		err  error
		want string
	}{{broken, "api: listener is gone"}, {nil, "api ended by itself"}} {
		j := &journal{}
		err := app.RunParts(t.Context(), j.part("directory"),
			app.Part{Name: "api", Run: func(context.Context) error { return tt.err }}, j.part("circuits"))
		if err == nil || err.Error() != tt.want {
			t.Errorf("RunParts = %v, want %q", err, tt.want)
		}
		if want := []string{"circuits", "directory"}; !slices.Equal(j.lines, want) {
			t.Errorf("stopped %v, want %v", j.lines, want)
		}
	}
}

// What goes wrong while stopping is said too.
func TestRunPartsKeepsErrorsOfStopping(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := app.RunParts(ctx, app.Part{Name: "directory", Run: func(ctx context.Context) error {
		<-ctx.Done()
		return errors.New("cache not written")
	}})
	if err == nil || !strings.Contains(err.Error(), "directory: cache not written") {
		t.Errorf("RunParts = %v, want the part's error", err)
	}
}
