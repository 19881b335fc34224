package openai

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/culvert-net/culvert/api/backend"
)

// Kind is which program answers at an address.
type Kind string

// The servers that Detect tells apart.
const (
	Ollama   Kind = "ollama"
	VLLM     Kind = "vllm"
	LlamaCPP Kind = "llamacpp"
	LMStudio Kind = "lmstudio"
	Other    Kind = "openai" // some other OpenAI-compatible server
)

// ErrNotModelServer says that something answers, but not as a model server.
var ErrNotModelServer = errors.New("not a model server")

// Found is a model server.
type Found struct {
	Kind    Kind
	BaseURL string
	Models  []backend.Model
}

// conventional is where model servers listen by default, in the order in which
// Find reports them.
var conventional = []string{
	"http://127.0.0.1:11434", // Ollama
	"http://127.0.0.1:8000",  // vLLM
	"http://127.0.0.1:8080",  // llama-server
	"http://127.0.0.1:1234",  // LM Studio
}

// Conventional are the base URLs that Find asks.
func Conventional() []string { return slices.Clone(conventional) }

// Find asks the conventional ports of this machine for model servers. A port
// that is open is not believed: the server has to list models, and says what
// it is. It takes a few seconds at most and returns what it found by then.
func Find(ctx context.Context) []Found {
	return find(ctx, conventional)
}

func find(ctx context.Context, candidates []string) []Found {
	answers := make([]*Found, len(candidates))
	var all sync.WaitGroup
	for i, base := range candidates {
		all.Go(func() {
			if f, err := Look(ctx, base); err == nil {
				answers[i] = &f
			}
		})
	}
	all.Wait()
	var found []Found
	for _, f := range answers {
		if f != nil {
			found = append(found, *f)
		}
	}
	return found
}

// Detect says which server answers at baseURL, as Look does.
func Detect(ctx context.Context, baseURL string) (Kind, error) {
	f, err := Look(ctx, baseURL)
	return f.Kind, err
}

// Look asks the server at baseURL what it is and what it serves. One that
// answers without listing models gives ErrNotModelServer.
func Look(ctx context.Context, baseURL string) (Found, error) {
	root, err := apiRoot(baseURL)
	if err != nil {
		return Found{}, err
	}
	p := prober{host: version.ReplaceAllString(root, ""), transport: newTransport(probeTime, false)}
	status, header, body, err := p.get(ctx, root[len(p.host):]+"/models")
	if err != nil {
		return Found{}, fmt.Errorf("asking for models: %w", err)
	}
	models, err := parseModels(body)
	if status != http.StatusOK {
		return Found{}, fmt.Errorf("%w: GET %s/models is answered with status %d", ErrNotModelServer, root, status)
	}
	if err != nil {
		return Found{}, fmt.Errorf("%w: GET %s/models is not answered with a list of models", ErrNotModelServer, root)
	}
	return Found{Kind: p.kind(ctx, header, body), BaseURL: baseURL, Models: models}, nil
}

// prober asks one server harmless questions.
type prober struct {
	host      string
	transport *http.Transport
}

// kind tells servers apart that all list models. Each question is one that
// only its server answers in this shape; LM Studio answers every path with
// 200, so a status alone proves nothing.
func (p prober) kind(ctx context.Context, header http.Header, models []byte) Kind {
	switch {
	case isLlama(header):
		return LlamaCPP
	case p.has(ctx, "/api/v0/models", "data"):
		return LMStudio
	case p.has(ctx, "/api/version", "version"):
		return Ollama
	case p.has(ctx, "/props", "default_generation_settings"):
		return LlamaCPP
	case strings.Contains(string(models), `"vllm"`), p.has(ctx, "/version", "version"):
		return VLLM
	}
	return Other
}

// has asks path and reports whether the answer is a JSON object with member.
func (p prober) has(ctx context.Context, path, member string) bool {
	status, _, body, err := p.get(ctx, path)
	if err != nil || status != http.StatusOK {
		return false
	}
	var doc map[string]json.RawMessage
	return json.Unmarshal(body, &doc) == nil && doc[member] != nil && string(doc[member]) != "null"
}

func (p prober) get(ctx context.Context, path string) (int, http.Header, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.host+path, nil)
	if err != nil {
		return 0, nil, nil, err
	}
	req.Header.Set("Accept", backend.ContentJSON)
	req.Header.Set("User-Agent", "")
	resp, err := p.transport.RoundTrip(req)
	if err != nil {
		return 0, nil, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxProbe))
	return resp.StatusCode, resp.Header, body, err
}
