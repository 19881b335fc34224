package gateway

import (
	"context"
	"io"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/backend/mock"
	"github.com/culvert-net/culvert/api/backend/openai"
	wire "github.com/culvert-net/culvert/api/openai"
	"github.com/culvert-net/culvert/internal/app"
)

// runtimes are the words of a descriptor for the servers that Detect knows.
var runtimes = map[openai.Kind]string{
	openai.Ollama:   "ollama",
	openai.VLLM:     "vllm",
	openai.LlamaCPP: "llamacpp",
	openai.LMStudio: "other",
	openai.Other:    "openai",
}

// source is a backend and what must be known to describe it.
type source struct {
	backend.Backend
	closer  io.Closer
	runtime func(ctx context.Context) string

	// able says what one model can be asked for; few that there are not many.
	able func(ctx context.Context, model string, few bool) ([]wire.Capability, error)
}

// newSource makes the backend that cfg names.
func newSource(cfg *ProviderConfig) (*source, error) {
	if cfg.Backend == BackendMock {
		return &source{
			Backend: mock.New(mock.Config{Pace: mockPace}), closer: io.NopCloser(nil),
			runtime: func(context.Context) string { return "mock" },
			able:    mock.Able,
		}, nil
	}
	client, err := openai.New(openai.Config{BaseURL: cfg.URL, Key: cfg.Key.Reveal()})
	if err != nil {
		return nil, app.Usage(err)
	}
	return &source{
		Backend: client, closer: client, able: client.Able,
		runtime: func(ctx context.Context) string {
			kind, err := openai.Detect(ctx, cfg.URL)
			if err != nil {
				// A hosted service says nothing without a key. It speaks OpenAI's API.
				return runtimes[openai.Other]
			}
			return runtimes[kind]
		},
	}, nil
}
