package backend_test

import (
	"testing"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/backend/backendtest"
	"github.com/culvert-net/culvert/api/backend/openai"
)

// newClient is a Backend in front of up, for what wraps Backends.
func newClient(t *testing.T, up *backendtest.Upstream) backend.Backend {
	t.Helper()
	c, err := openai.New(openai.Config{BaseURL: up.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}
