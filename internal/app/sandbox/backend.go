package sandbox

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/culvert-net/culvert/api/backend/openai"
	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/gateway"
)

// chooseBackend is the server that was named, or found, or the demo model. It
// is asked before anything is started: with a server that does not answer no
// node would ever be ready.
func chooseBackend(ctx context.Context, named string, p *progress) (source, error) {
	switch named {
	case gateway.BackendMock:
		p.say("the demo model answers, with canned text that says so")
		return source{kind: gateway.BackendMock}, nil
	case "":
		p.begin("looking for a model server on this machine")
		return choose(openai.Find(ctx), openai.Conventional(), p), nil
	}
	p.begin("asking " + named + " for its models")
	f, err := openai.Look(ctx, named)
	switch {
	case errors.Is(err, openai.ErrNotModelServer):
		return source{}, app.Usage(fmt.Errorf("--backend %s: %w; name the base URL of an OpenAI-compatible server, without or with its /v1", named, err))
	case err != nil:
		return source{}, app.NotReady(fmt.Errorf("--backend %s cannot be reached: %w; start the model server, or name another", named, err))
	case len(f.Models) == 0:
		return source{}, app.NotReady(fmt.Errorf("--backend %s: the server (%s) has no model; load one first", named, f.Kind))
	}
	p.done("model server: %s", describe(f))
	return source{kind: gateway.BackendOpenAI, url: f.BaseURL}, nil
}

// choose takes the first server that has a model, or else the demo model, and
// says which. asked are all addresses that were looked at.
func choose(found []openai.Found, asked []string, p *progress) source {
	empty := ""
	for _, f := range found {
		if len(f.Models) > 0 {
			p.done("model server found: %s", describe(f))
			return source{kind: gateway.BackendOpenAI, url: f.BaseURL}
		}
		empty += fmt.Sprintf("; %s has no model, load one to use it", f.BaseURL)
	}
	p.done("no model server found at %s%s: the demo model answers, with canned text that says so", strings.Join(asked, ", "), empty)
	return source{kind: gateway.BackendMock}
}

// describe is a server in a few words.
func describe(f openai.Found) string {
	return fmt.Sprintf("%s at %s, %s", f.Kind, f.BaseURL, app.Count(len(f.Models), "model"))
}
