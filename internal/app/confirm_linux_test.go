package app_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/apptest"
)

// Only y and yes are yes.
func TestConsent(t *testing.T) {
	for typed, agreed := range map[string]bool{"y": true, "YES": true, "": false, "n": false, "yep": false, "no": false, strings.Repeat("y", 40): false} {
		p := apptest.NewPerson(t)
		done := make(chan error, 1)
		go func() {
			done <- (&app.Consent{In: p.TTY, Err: p.TTY}).Ask(t.Context(), purchase())
		}()
		p.Waits(t, "Do it? [y/N] ")
		p.Types(t, typed)
		if err := <-done; (err == nil) != agreed || err != nil && app.Code(err) != app.ExitRefused {
			t.Errorf("%q: %v, want it agreed: %v", typed, err, agreed)
		}
		if !strings.Contains(p.Seen, "0.5 eth") {
			t.Errorf("the screen shows %q", p.Seen)
		}
	}
}

func TestConsentInterrupted(t *testing.T) {
	p := apptest.NewPerson(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	done := make(chan error, 1)
	go func() { done <- (&app.Consent{In: p.TTY, Err: p.TTY}).Ask(ctx, purchase()) }()
	p.Waits(t, "Do it? [y/N] ")
	cause := errors.New("interrupted")
	cancel(cause)
	if err := <-done; !errors.Is(err, cause) || !strings.Contains(err.Error(), "nothing was done") {
		t.Errorf("%v", err)
	}
	p.Types(t, "n") // lets the reader end
}
