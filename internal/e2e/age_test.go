//go:build e2e

package e2e

import (
	"errors"
	"testing"

	"github.com/culvert-net/culvert/api/backend/backendtest"
)

// An epoch ends: descriptors and onion keys change under a bridge that is in
// use, and nobody notices.
func TestEpochChange(t *testing.T) {
	t.Parallel()
	u := upstream(t, backendtest.Answer(backendtest.Completion))
	w := start(t, "--backend", u.URL)
	first := w.status().World.Epoch
	eventually(t, longest, "an epoch ends", func() error {
		w.ask(chatBody(false)).completed(t)
		if w.status().World.Epoch == first {
			return errors.New("it goes on")
		}
		return nil
	})
	// A circuit retires after 200 requests, so these need new ones.
	for range 450 {
		w.ask(chatBody(false)).completed(t)
	}
	if s := w.status(); !s.Ready || s.Directory.Relays != 3 || s.Directory.Providers != 1 {
		t.Errorf("after the change: %+v", s)
	}
}
