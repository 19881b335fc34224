package tunnel

import (
	"testing"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/backend/backendtest"
	"github.com/culvert-net/culvert/api/backend/openai"
)

// asked is a Router whose only provider has the models of a Backend.
type asked struct {
	*fakeRouter
	t       *testing.T
	backend backend.Backend
}

func (a asked) Models() []backend.Model {
	models, err := a.backend.Models(a.t.Context())
	if err != nil {
		a.t.Errorf("Models: %v", err)
	}
	return models
}

// The whole way (client, stream, server, adapter, model server) is a Backend
// like any other, whatever the size of the stream's queues.
func TestConformance(t *testing.T) {
	for _, queue := range []int{100, 1 << 16} {
		t.Run("queue "+itoa(queue), func(t *testing.T) {
			backendtest.Run(t, func(t *testing.T, up *backendtest.Upstream) backend.Backend {
				adapter, err := openai.New(openai.Config{BaseURL: up.URL})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = adapter.Close() })
				srv := serveBackend(t, ServerConfig{Backend: adapter})
				return newTestClient(t, asked{newRouter("a"), t, adapter}, dialServer{srv, queue})
			})
		})
	}
}
