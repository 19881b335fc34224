// Command langchaingo is github.com/tmc/langchaingo.
package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/llms/openai"

	"github.com/culvert-net/culvert/internal/e2e/clients/gosdk/cases"
)

var to = cases.Env()

// Footnotes.
const (
	errorsAreText = "LangChainGo has no error classes: the error's text has the status and the message, " +
		"and openai.MapError makes a code of them where it knows one."
	noModels      = "LangChainGo has no call for models."
	noCompletions = "LangChainGo asks for chats, whatever it is told."
	noRetries     = "LangChainGo does not retry."
	framesAreLost = "LangChainGo raises the cut, and overlooks the frame that says why."
)

func connect(key string, more ...openai.Option) (*openai.LLM, error) {
	return openai.New(append([]openai.Option{
		openai.WithBaseURL(to.BaseURL), openai.WithToken(key), openai.WithModel(to.Model), openai.WithEmbeddingModel(to.Model),
	}, more...)...)
}

func user(prompt string) []llms.MessageContent {
	return []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, prompt)}
}

// ask is a chat with a key.
func ask(ctx context.Context, key string, messages []llms.MessageContent, more ...llms.CallOption) (*llms.ContentChoice, error) {
	client, err := connect(key)
	if err != nil {
		return nil, err
	}
	answer, err := client.GenerateContent(ctx, messages, more...)
	if err != nil {
		return nil, err
	}
	return answer.Choices[0], nil
}

// read is a stream, as long as each wants more.
func read(ctx context.Context, prompt string, each func(string) error, more ...llms.CallOption) (*llms.ContentChoice, error) {
	return ask(ctx, to.Good, user(prompt), append(more, llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error {
		if len(chunk) == 0 {
			return nil
		}
		return each(string(chunk))
	}))...)
}

func tools() llms.CallOption {
	return llms.WithTools([]llms.Tool{{Type: "function", Function: &llms.FunctionDefinition{
		Name: cases.Tool, Description: cases.Description, Parameters: cases.Parameters(),
	}}})
}

func main() {
	cases.Run([]cases.Test{
		{Name: "chat", Func: chat},
		{Name: "stream", Func: stream("say")},
		{Name: "slow-stream", Func: stream("slow")},
		{Name: "usage", Func: usage},
		{Name: "tools", Func: callTools},
		{Name: "tools-stream", Func: toolsStream},
		{Name: "tools-result", Func: toolsResult},
		{Name: "schema", Func: schema},
		{Name: "completion", None: noCompletions},
		{Name: "completion-stream", None: noCompletions},
		{Name: "embeddings", Func: embeddings},
		{Name: "models", None: noModels},
		{Name: "model", None: noModels},

		{Name: "stop-waiting", Func: func(ctx context.Context, c *cases.Case) error {
			return stopped(ctx, c, func(ctx context.Context) error {
				_, err := ask(ctx, to.Good, user(c.Plan("silent")))
				return err
			})
		}},
		{Name: "stop-waiting-stream", Func: func(ctx context.Context, c *cases.Case) error {
			return stopped(ctx, c, func(ctx context.Context) error {
				_, err := read(ctx, c.Plan("silent"), func(string) error { return nil })
				return err
			})
		}},
		{Name: "stop-stream", Func: stopStream},

		{Name: "400", Func: refusal(func(*cases.Case) ([]llms.MessageContent, string) { return nil, to.Good }, 400, "messages", llms.ErrCodeInvalidRequest)},
		{Name: "400-upstream", Func: refused(400, llms.ErrCodeInvalidRequest)},
		{Name: "401", Func: refusal(asks("say", to.Wrong), 401, "bridge keys", llms.ErrCodeAuthentication)},
		{Name: "403", Func: refusal(asks("say", to.Narrow), 403, to.Model, "")},
		{Name: "404", Func: func(ctx context.Context, c *cases.Case) error {
			_, err := ask(ctx, to.Good, user(c.Plan("say")), llms.WithModel("nobody/has"))
			return own(c, err, 404, "nobody/has", llms.ErrCodeResourceNotFound)
		}},
		{Name: "413", Func: refusal(func(*cases.Case) ([]llms.MessageContent, string) { return user(cases.TooLong()), to.Good }, 413, "33554432 bytes", "")},
		{Name: "429-key", Func: refusal(asks("say", to.Spent), 429, "1 requests per month", llms.ErrCodeRateLimit)},
		{Name: "429", Func: refused(429, llms.ErrCodeRateLimit)},
		{Name: "429-retry", None: noRetries},
		{Name: "500", Func: refused(500, llms.ErrCodeProviderUnavailable)},
		{Name: "502", Func: refused(502, "")},
		{Name: "503", Func: refused(503, llms.ErrCodeProviderUnavailable)},
		{Name: "cut", Func: refusal(asks("cut", to.Good), 502, "", "")},
		{Name: "cut-stream", Func: broken("cut")},
		{Name: "slow-cut-stream", Func: broken("slow-cut")},
		{Name: "end-stream", Func: broken("end")},
		{Name: "fail-stream", Func: broken("fail")},
	})
}

// asks is a plan, and the key that it is sent with.
func asks(do, key string) func(*cases.Case) ([]llms.MessageContent, string) {
	return func(c *cases.Case) ([]llms.MessageContent, string) { return user(c.Plan(do)), key }
}

// refusal asks for what must end with an error.
func refusal(with func(*cases.Case) ([]llms.MessageContent, string), status int, part string, code llms.ErrorCode) cases.Func {
	return func(ctx context.Context, c *cases.Case) error {
		messages, key := with(c)
		_, err := ask(ctx, key, messages)
		return own(c, err, status, part, code)
	}
}

// refused has the model server answer with a status.
func refused(status int, code llms.ErrorCode) cases.Func {
	return func(ctx context.Context, c *cases.Case) error {
		_, err := ask(ctx, to.Good, user(c.Refuse(status, 7)))
		return own(c, err, status, "refused "+c.Nonce, code)
	}
}

// own checks an error of one status; code is what MapError should make of it,
// if it knows that status at all.
func own(c *cases.Case, raised error, status int, part string, code llms.ErrorCode) error {
	c.Note = errorsAreText
	if raised == nil {
		return errors.New("the call succeeds")
	}
	if err := cases.Contains("error", raised.Error(), fmt.Sprintf("status code: %d: ", status)); err != nil {
		return err
	}
	if err := cases.Contains("error", raised.Error(), part); err != nil || code == "" {
		return err
	}
	e, err := cases.Raised[*llms.Error](openai.MapError(raised))
	if err != nil {
		return err
	}
	return cases.Equal("code", e.Code, code)
}

// broken is a stream that must fail, after what came of it.
func broken(what string) cases.Func {
	return func(ctx context.Context, c *cases.Case) error {
		c.Note = framesAreLost
		begun := ""
		_, raised := read(ctx, c.Plan(what), func(piece string) error {
			begun += piece
			return nil
		})
		if raised == nil {
			return errors.New("the stream ends as if it were whole")
		}
		return errors.Join(cases.Contains("error", raised.Error(), "error reading streaming response"), cases.Equal("what came before", begun, c.Begun()))
	}
}

// stopped is a call that is stopped once it is at the model server. The error
// is text, here too.
func stopped(ctx context.Context, c *cases.Case, call func(context.Context) error) error {
	c.Note = errorsAreText
	ended, err := c.Stopped(ctx, call)
	switch {
	case err != nil:
		return err
	case ended == nil:
		return errors.New("the call succeeds")
	}
	return cases.Contains("error", ended.Error(), "request cancelled")
}

// counted is what the model server counts.
func counted(c *cases.Case, answer *llms.ContentChoice) error {
	return errors.Join(cases.Equal("prompt tokens", answer.GenerationInfo["PromptTokens"], c.Tokens),
		cases.Equal("completion tokens", answer.GenerationInfo["CompletionTokens"], c.Count()))
}

func chat(ctx context.Context, c *cases.Case) error {
	answer, err := ask(ctx, to.Good, user(c.Plan("say")))
	if err != nil {
		return err
	}
	return errors.Join(cases.Equal("answer", answer.Content, c.Said()), cases.Equal("stop reason", answer.StopReason, "stop"), counted(c, answer))
}

// stream is a plan whose answer is streamed.
func stream(do string) cases.Func {
	return func(ctx context.Context, c *cases.Case) error {
		var pieces []string
		answer, err := read(ctx, c.Plan(do), func(piece string) error {
			pieces = append(pieces, piece)
			return nil
		})
		if err != nil {
			return err
		}
		return errors.Join(cases.Equal("tokens", pieces, c.Pieces()), cases.Equal("answer", answer.Content, c.Said()))
	}
}

// usage: it always asks for that of a stream.
func usage(ctx context.Context, c *cases.Case) error {
	answer, err := read(ctx, c.Plan("say"), func(string) error { return nil })
	if err != nil {
		return err
	}
	return errors.Join(cases.Equal("answer", answer.Content, c.Said()), counted(c, answer))
}

func calls(answer *llms.ContentChoice) (all [][3]string) {
	for _, call := range answer.ToolCalls {
		all = append(all, cases.Call(call.ID, call.FunctionCall.Name, call.FunctionCall.Arguments))
	}
	return all
}

func callTools(ctx context.Context, c *cases.Case) error {
	answer, err := ask(ctx, to.Good, user(c.Plan("call")), tools())
	if err != nil {
		return err
	}
	return errors.Join(cases.Equal("calls", calls(answer), c.Calls()), cases.Equal("stop reason", answer.StopReason, "tool_calls"))
}

func toolsStream(ctx context.Context, c *cases.Case) error {
	parts := 0
	answer, err := read(ctx, c.Plan("call"), func(string) error {
		parts++
		return nil
	}, tools())
	if err != nil {
		return err
	}
	// The two beginnings, and three parts of each call's arguments.
	return errors.Join(cases.Equal("calls", calls(answer), c.Calls()), cases.Equal("parts", parts, 8))
}

func toolsResult(ctx context.Context, c *cases.Case) error {
	messages := user(c.Plan("call"))
	answer, err := ask(ctx, to.Good, messages, tools())
	if err != nil {
		return err
	}
	said := llms.MessageContent{Role: llms.ChatMessageTypeAI}
	for _, call := range answer.ToolCalls {
		said.Parts = append(said.Parts, call)
	}
	messages = append(messages, said)
	for _, call := range calls(answer) {
		messages = append(messages, llms.MessageContent{Role: llms.ChatMessageTypeTool, Parts: []llms.ContentPart{
			llms.ToolCallResponse{ToolCallID: call[0], Name: call[1], Content: cases.Weather(call[2])},
		}})
	}
	answer, err = ask(ctx, to.Good, messages, tools())
	if err != nil {
		return err
	}
	return cases.Equal("answer", answer.Content, c.Results())
}

func schema(ctx context.Context, c *cases.Case) error {
	property := func(kind string) *openai.ResponseFormatJSONSchemaProperty {
		return &openai.ResponseFormatJSONSchemaProperty{Type: kind}
	}
	shape := property("object")
	shape.Properties = map[string]*openai.ResponseFormatJSONSchemaProperty{"nonce": property("string"), "count": property("integer")}
	shape.Required = []string{"nonce", "count"}
	client, err := connect(to.Good, openai.WithResponseFormat(&openai.ResponseFormat{
		Type: "json_schema", JSONSchema: &openai.ResponseFormatJSONSchema{Name: "answer", Strict: true, Schema: shape},
	}))
	if err != nil {
		return err
	}
	answer, err := client.GenerateContent(ctx, user(c.Plan("schema")))
	if err != nil {
		return err
	}
	return c.Structured(answer.Choices[0].Content)
}

func embeddings(ctx context.Context, c *cases.Case) error {
	var inputs []string
	var want [][]float32
	for _, text := range c.Texts() {
		inputs, want = append(inputs, c.Embed(text)), append(want, cases.Vector(text))
	}
	client, err := connect(to.Good)
	if err != nil {
		return err
	}
	got, err := client.CreateEmbedding(ctx, inputs)
	return errors.Join(err, cases.Equal("vectors", got, want))
}

// errEnough is how a reader stops a stream.
var errEnough = errors.New("enough")

func stopStream(ctx context.Context, c *cases.Case) error {
	got := ""
	_, err := read(ctx, c.Plan("hold"), func(piece string) error {
		if got += piece; got == c.Begun() {
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) {
		return fmt.Errorf("the stream ends with %w, want %w", err, errEnough)
	}
	return cases.Equal("what came before", got, c.Begun())
}
