package api_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	goopenai "github.com/sashabaranov/go-openai"

	"github.com/culvert-net/culvert/api"
	"github.com/culvert-net/culvert/api/backend/backendtest"
	"github.com/culvert-net/culvert/api/backend/mock"
)

// client is a client nobody here wrote.
func (b *bench) client(t *testing.T) *goopenai.Client {
	t.Helper()
	cfg := goopenai.DefaultConfig("any-key")
	cfg.BaseURL = b.url + "/v1"
	cfg.HTTPClient = b.http(t)
	return goopenai.NewClientWithConfig(cfg)
}

func question(model string) goopenai.ChatCompletionRequest {
	return goopenai.ChatCompletionRequest{
		Model: model, Messages: []goopenai.ChatCompletionMessage{{Role: "user", Content: "hi"}},
		StreamOptions: &goopenai.StreamOptions{IncludeUsage: true},
	}
}

// recvAll reads a stream to its end.
func recvAll(s *goopenai.ChatCompletionStream) (text string, usage *goopenai.Usage, err error) {
	for {
		chunk, err := s.Recv()
		if err != nil {
			return text, usage, err
		}
		if chunk.Usage != nil {
			usage = chunk.Usage
		}
		for _, c := range chunk.Choices {
			text += c.Delta.Content
		}
	}
}

func TestClient(t *testing.T) {
	b := serve(t, api.Config{Backend: mock.New(mock.Config{})})
	c := b.client(t)
	list, err := c.ListModels(t.Context())
	if err != nil || len(list.Models) != 1 || list.Models[0].ID != mock.Model {
		t.Fatalf("ListModels: %+v, %v", list, err)
	}
	req := question(mock.Model)
	req.StreamOptions = nil
	whole, err := c.CreateChatCompletion(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := c.CreateChatCompletionStream(t.Context(), question(mock.Model))
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	text, usage, err := recvAll(stream)
	if err != io.EOF || text != whole.Choices[0].Message.Content || usage == nil || *usage != whole.Usage {
		t.Errorf("stream %q, %+v, %v; want %q, %+v", text, usage, err, whole.Choices[0].Message.Content, whole.Usage)
	}
	_, err = c.CreateChatCompletion(t.Context(), question("other"))
	var e *goopenai.APIError
	if !errors.As(err, &e) || e.HTTPStatusCode != 404 || e.Code != "model_not_found" || *e.Param != "model" {
		t.Errorf("unknown model: %v", err)
	}
}

// TestClientSeesCuts checks that a client does not take a cut for an end.
func TestClientSeesCuts(t *testing.T) {
	b := start(t)
	for name, behave := range map[string]backendtest.Behaviour{
		"reset":             backendtest.CutAfter(backendtest.Chunk(0)),
		"reset in an event": backendtest.CutAfter(backendtest.Chunk(0), backendtest.Chunk(1)[:20]),
		"clean end":         backendtest.Stream(0, backendtest.Chunk(0)),
	} {
		b.up.Set(behave)
		stream, err := b.client(t).CreateChatCompletionStream(t.Context(), question("m"))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		text, _, err := recvAll(stream)
		stream.Close()
		if text != "t0 " || err == nil || err == io.EOF || !strings.Contains(err.Error(), "try again") {
			t.Errorf("%s: the client read %q and ended with %v; want our error", name, text, err)
		}
	}
}

func TestClientCancels(t *testing.T) {
	b := start(t)
	b.up.Set(backendtest.Endless(0))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stream, err := b.client(t).CreateChatCompletionStream(ctx, question("m"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	stream.Close()
	b.up.Next(t).WaitCancelled(t)
}
