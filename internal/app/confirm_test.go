package app_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/internal/app"
)

func purchase() app.Action {
	return app.Action{
		What:  "Buy tokens from 0xaa",
		Facts: [][2]string{{"Amount", "0.5 eth"}, {"Price", "20 gwei per million tokens"}},
		Cost:  "0.0001 eth", Again: "bridge buy --resume 0x12",
	}
}

// Without a terminal nothing happens unless the command line says so, whatever
// stands on standard input.
func TestConsentWithoutTerminal(t *testing.T) {
	for _, yes := range []bool{false, true} {
		var seen bytes.Buffer
		c := &app.Consent{In: strings.NewReader("y\ny\n"), Err: &seen, Yes: yes}
		err := c.Ask(t.Context(), purchase())
		if yes && err != nil || !yes && (app.Code(err) != app.ExitRefused || !strings.Contains(err.Error(), "--yes")) {
			t.Errorf("yes %v: %v", yes, err)
		}
		for _, want := range []string{"Buy tokens from 0xaa\n", "0.5 eth", "20 gwei", "Estimated fee  0.0001 eth"} {
			if !strings.Contains(seen.String(), want) {
				t.Errorf("shown is %q, without %q", seen.String(), want)
			}
		}
	}
	var seen bytes.Buffer
	a := purchase()
	a.Cost = ""
	if err := (&app.Consent{Err: &seen, Yes: true}).Ask(t.Context(), a); err != nil || !strings.Contains(seen.String(), "not known") {
		t.Errorf("%v: %s", err, seen.String())
	}
}

// Whatever ends the wait, a person knows how to go on.
func TestConsentWait(t *testing.T) {
	var seen bytes.Buffer
	c := &app.Consent{Err: &seen}
	down := app.NotReady(errors.New("the node is away"))
	for _, tt := range []struct {
		name string
		do   func(context.Context, context.CancelCauseFunc) error
		code int
		says string
	}{
		{"done", func(context.Context, context.CancelCauseFunc) error { return nil }, app.ExitOK, ""},
		{"failed", func(context.Context, context.CancelCauseFunc) error { return down }, app.ExitNotReady, "the node is away. To go on: bridge buy --resume 0x12"},
		{"interrupted", func(ctx context.Context, end context.CancelCauseFunc) error {
			end(errors.New("interrupted"))
			return ctx.Err()
		}, app.ExitFailed, "interrupted; what was sent goes on without this command. To see it through: bridge buy --resume 0x12"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, end := context.WithCancelCause(t.Context())
			defer end(nil)
			err := c.Wait(ctx, purchase(), func(ctx context.Context, show func(string, ...any)) error {
				show("%d of %d", 1, 2)
				return tt.do(ctx, end)
			})
			if app.Code(err) != tt.code || err != nil && err.Error() != tt.says {
				t.Errorf("%v, want %q", err, tt.says)
			}
		})
	}
	if seen.Len() > 0 {
		t.Errorf("a file gets %q", seen.String())
	}
}
