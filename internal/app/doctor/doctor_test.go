package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/culvert-net/culvert/internal/app"
)

// sample is one check of each kind.
func sample() []Check {
	find := func(f ...Finding) func(context.Context) []Finding {
		return func(context.Context) []Finding { return f }
	}
	second := Warn("Wait.", "slow")
	second.Check = "seed 2 of 2"
	return []Check{
		{Name: "world", Run: find(Fine("%q", "blue"))},
		{Name: "seeds", Run: find(Bad("Ask for a newer file.", "seed\n\x1b[31m one\u009b is away"), second)},
		{Name: "nothing", Run: find()},
		{Name: "API", Run: find(Skip("not running"))},
	}
}

const golden = `ok       world              "blue"
problem  seeds              seed [31m one is away
                            -> Ask for a newer file.
warning  seed 2 of 2        slow
                            -> Wait.
skipped  API                not running

1 problem, 1 warning. Begin with the first: others often follow from it.
`

func TestRunPrints(t *testing.T) {
	var out, progress bytes.Buffer
	err := Run(t.Context(), "bridge", Output{Out: &out, Err: &progress}, sample())
	if app.Code(err) != app.ExitFailed || err.Error() != "1 problem found" {
		t.Errorf("Run = %v, want exit code 1 and the count", err)
	}
	if out.String() != golden {
		t.Errorf("printed\n%s\nwant\n%s", out.String(), golden)
	}
	if progress.Len() > 0 {
		t.Errorf("progress %q where no person watches", progress.String())
	}
	out.Reset()
	if err := Run(t.Context(), "bridge", Output{Out: &out, Err: &progress}, sample()[:1]); err != nil || !strings.HasSuffix(out.String(), "\n\nNo problem found.\n") {
		t.Errorf("Run of what is fine = %v, %q", err, out.String())
	}
}

func TestRunJSON(t *testing.T) {
	var out bytes.Buffer
	if err := Run(t.Context(), "bridge", Output{Out: &out, Err: &out, JSON: true}, sample()); app.Code(err) != app.ExitFailed {
		t.Errorf("Run = %v, want exit code 1", err)
	}
	var r Report
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatalf("%v in %s", err, out.String())
	}
	if r.OK || r.Problems != 1 || r.Warnings != 1 || len(r.Findings) != 4 || r.Program != "bridge" || r.Version != app.Version() {
		t.Errorf("report = %+v", r)
	}
	if f := r.Findings[1]; f.Check != "seeds" || f.Level != Problem || f.Do != "Ask for a newer file." {
		t.Errorf("finding = %+v", f)
	}
}

// A check that hangs is ended, said, and does not keep the others from running.
func TestRunBoundsChecks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		hang := Check{Name: "slow", Run: func(ctx context.Context) []Finding { <-ctx.Done(); return nil }}
		err := Run(t.Context(), "bridge", Output{Out: &out, Err: &out}, append([]Check{hang}, sample()[0]))
		if err == nil || !strings.Contains(out.String(), "problem  slow               not done within 10s\n") || !strings.Contains(out.String(), "blue") {
			t.Errorf("Run = %v, %s", err, out.String())
		}
	})
}

func TestRunInterrupted(t *testing.T) {
	stop := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	var out bytes.Buffer
	press := Check{Name: "a", Run: func(context.Context) []Finding { cancel(stop); return []Finding{Fine("half done")} }}
	if err := Run(ctx, "bridge", Output{Out: &out, Err: &out}, append([]Check{press}, sample()...)); !errors.Is(err, stop) || out.Len() > 0 {
		t.Errorf("Run = %v, printed %q; want the cause and nothing more", err, out.String())
	}
}

func TestShowURL(t *testing.T) {
	for in, want := range map[string]string{
		"http://127.0.0.1:8080/v1":               "http://127.0.0.1:8080/v1",
		"https://me:hunter2@example.com/v1?k=s#": "https://example.com/v1",
		"://hunter2":                             "(a URL that does not parse)",
		"localhost:1":                            "(a URL that does not parse)",
	} {
		if got := ShowURL(in); got != want {
			t.Errorf("ShowURL(%q) = %q, want %q", in, got, want)
		}
	}
}
