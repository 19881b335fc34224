// Command goopenai is github.com/sashabaranov/go-openai.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	gpt "github.com/sashabaranov/go-openai"
	"github.com/sashabaranov/go-openai/jsonschema"

	"github.com/culvert-net/culvert/internal/e2e/clients/gosdk/cases"
)

var to = cases.Env()

func connect(key string) *gpt.Client {
	cfg := gpt.DefaultConfig(key)
	cfg.BaseURL = to.BaseURL
	return gpt.NewClientWithConfig(cfg)
}

var client = connect(to.Good)

func request(prompt string) gpt.ChatCompletionRequest {
	return gpt.ChatCompletionRequest{
		Model: to.Model, Messages: []gpt.ChatCompletionMessage{{Role: gpt.ChatMessageRoleUser, Content: prompt}},
	}
}

func withTools(r gpt.ChatCompletionRequest) gpt.ChatCompletionRequest {
	r.Tools = []gpt.Tool{{Type: gpt.ToolTypeFunction, Function: &gpt.FunctionDefinition{
		Name: cases.Tool, Description: cases.Description, Parameters: cases.Parameters(),
	}}}
	return r
}

// read is a stream, to its end or as long as each wants more.
func read(ctx context.Context, r gpt.ChatCompletionRequest, each func(gpt.ChatCompletionStreamResponse) bool) error {
	stream, err := client.CreateChatCompletionStream(ctx, r)
	if err != nil {
		return err
	}
	defer stream.Close()
	for {
		chunk, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil || !each(chunk) {
			return err
		}
	}
}

func main() {
	cases.Run([]cases.Test{
		{Name: "chat", Func: chat},
		{Name: "stream", Func: stream("say")},
		{Name: "slow-stream", Func: stream("slow")},
		{Name: "usage", Func: usage},
		{Name: "tools", Func: tools},
		{Name: "tools-stream", Func: toolsStream},
		{Name: "tools-result", Func: toolsResult},
		{Name: "schema", Func: schema},
		{Name: "completion", Func: completion},
		{Name: "completion-stream", Func: completionStream},
		{Name: "embeddings", Func: embeddings},
		{Name: "models", Func: models},
		{Name: "model", Func: model},

		{Name: "stop-waiting", Func: func(ctx context.Context, c *cases.Case) error {
			return c.Cancelled(ctx, func(ctx context.Context) error { return ask(ctx, client, request(c.Plan("silent"))) })
		}},
		{Name: "stop-waiting-stream", Func: func(ctx context.Context, c *cases.Case) error {
			return c.Cancelled(ctx, func(ctx context.Context) error {
				return read(ctx, request(c.Plan("silent")), func(gpt.ChatCompletionStreamResponse) bool { return true })
			})
		}},
		{Name: "stop-stream", Func: stopStream},

		{Name: "400", Func: func(ctx context.Context, _ *cases.Case) error {
			// It reads null as 0.
			return own(ask(ctx, client, gpt.ChatCompletionRequest{Model: to.Model}), 400, 0, "messages", "messages")
		}},
		{Name: "400-upstream", Func: refused(400)},
		{Name: "401", Func: func(ctx context.Context, c *cases.Case) error {
			return own(ask(ctx, connect(to.Wrong), request(c.Plan("say"))), 401, "invalid_api_key", "", "bridge keys")
		}},
		{Name: "403", Func: func(ctx context.Context, c *cases.Case) error {
			return own(ask(ctx, connect(to.Narrow), request(c.Plan("say"))), 403, "model_not_found", "model", to.Model)
		}},
		{Name: "404", Func: func(ctx context.Context, c *cases.Case) error {
			r := request(c.Plan("say"))
			r.Model = "nobody/has"
			return own(ask(ctx, client, r), 404, "model_not_found", "model", r.Model)
		}},
		{Name: "413", Func: func(ctx context.Context, _ *cases.Case) error {
			return own(ask(ctx, client, request(cases.TooLong())), 413, "body_too_large", "", "33554432 bytes")
		}},
		{Name: "429-key", Func: func(ctx context.Context, c *cases.Case) error {
			return own(ask(ctx, connect(to.Spent), request(c.Plan("say"))), 429, "rate_limit_exceeded", "", "1 requests per month")
		}},
		{Name: "429", Func: func(ctx context.Context, c *cases.Case) error {
			answer, err := client.CreateChatCompletion(ctx, request(c.Refuse(429, 7)))
			return errors.Join(own(err, 429, "planned", "temperature", "refused "+c.Nonce),
				cases.Equal("Retry-After", answer.Header().Get("Retry-After"), "7"))
		}},
		{Name: "429-retry", None: "go-openai does not retry."},
		{Name: "500", Func: refused(500)},
		{Name: "502", Func: refused(502)},
		{Name: "503", Func: refused(503)},
		{Name: "cut", Func: func(ctx context.Context, c *cases.Case) error {
			e, err := cases.Raised[*gpt.APIError](ask(ctx, client, request(c.Plan("cut"))))
			if err != nil {
				return err
			}
			return cases.Equal("status", e.HTTPStatusCode, http.StatusBadGateway)
		}},
		{Name: "cut-stream", Func: broken("cut", "")},
		{Name: "slow-cut-stream", Func: slowCut},
		{Name: "end-stream", Func: broken("end", "")},
		{Name: "fail-stream", Func: broken("fail", "failed ")},
	})
}

// ask is a chat, for its error.
func ask(ctx context.Context, from *gpt.Client, r gpt.ChatCompletionRequest) error {
	_, err := from.CreateChatCompletion(ctx, r)
	return err
}

// own checks an error of one status.
func own(raised error, status int, code any, param, part string) error {
	e, err := cases.Raised[*gpt.APIError](raised)
	if err != nil {
		return err
	}
	got := ""
	if e.Param != nil {
		got = *e.Param
	}
	return errors.Join(cases.Equal("status", e.HTTPStatusCode, status), cases.Equal("code", e.Code, code),
		cases.Equal("param", got, param), cases.Contains("message", e.Message, part))
}

// refused has the model server answer with a status.
func refused(status int) cases.Func {
	return func(ctx context.Context, c *cases.Case) error {
		return own(ask(ctx, client, request(c.Refuse(status, 0))), status, "planned", "temperature", "refused "+c.Nonce)
	}
}

// broken is a stream that must fail, after what came of it; said is what the
// model server says of it, before the nonce.
func broken(what, said string) cases.Func {
	return func(ctx context.Context, c *cases.Case) error {
		raised, begun := begin(ctx, c, what)
		e, err := cases.Raised[*gpt.APIError](raised)
		if err == nil && said != "" {
			err = cases.Contains("message", e.Message, said+c.Nonce)
		}
		return errors.Join(err, begun)
	}
}

// begin reads a stream that must fail. The second error is of what came before
// that.
func begin(ctx context.Context, c *cases.Case, what string) (raised, begun error) {
	text := ""
	raised = read(ctx, request(c.Plan(what)), func(chunk gpt.ChatCompletionStreamResponse) bool {
		text += chunk.Choices[0].Delta.Content
		return true
	})
	return raised, cases.Equal("what came before", text, c.Begun())
}

// slowCut is broken where there was a comment before.
func slowCut(ctx context.Context, c *cases.Case) error {
	c.Note = "go-openai takes comments for a part of the error's text, so that what it raises is one of JSON."
	raised, begun := begin(ctx, c, "slow-cut")
	_, err := cases.Raised[*json.SyntaxError](raised)
	return errors.Join(err, begun)
}

func chat(ctx context.Context, c *cases.Case) error {
	answer, err := client.CreateChatCompletion(ctx, request(c.Plan("say")))
	if err != nil {
		return err
	}
	return errors.Join(cases.Equal("answer", answer.Choices[0].Message.Content, c.Said()),
		cases.Equal("finish_reason", answer.Choices[0].FinishReason, gpt.FinishReasonStop),
		cases.Equal("usage", [2]int{answer.Usage.PromptTokens, answer.Usage.CompletionTokens}, [2]int{c.Tokens, c.Count()}))
}

// stream is a plan whose answer is streamed.
func stream(do string) cases.Func {
	return func(ctx context.Context, c *cases.Case) error {
		var pieces []string
		var reason gpt.FinishReason
		err := read(ctx, request(c.Plan(do)), func(chunk gpt.ChatCompletionStreamResponse) bool {
			if piece := chunk.Choices[0].Delta.Content; piece != "" {
				pieces = append(pieces, piece)
			}
			reason = chunk.Choices[0].FinishReason
			return true
		})
		return errors.Join(err, cases.Equal("tokens", pieces, c.Pieces()), cases.Equal("finish_reason", reason, gpt.FinishReasonStop))
	}
}

func usage(ctx context.Context, c *cases.Case) error {
	r := request(c.Plan("say"))
	r.StreamOptions = &gpt.StreamOptions{IncludeUsage: true}
	var counted [2]int
	var text string
	err := read(ctx, r, func(chunk gpt.ChatCompletionStreamResponse) bool {
		for _, choice := range chunk.Choices {
			text += choice.Delta.Content
		}
		if u := chunk.Usage; u != nil && len(chunk.Choices) == 0 {
			counted = [2]int{u.PromptTokens, u.CompletionTokens}
		}
		return true
	})
	return errors.Join(err, cases.Equal("usage", counted, [2]int{c.Tokens, c.Count()}), cases.Equal("answer", text, c.Said()))
}

func calls(list []gpt.ToolCall) (all [][3]string) {
	for _, call := range list {
		all = append(all, cases.Call(call.ID, call.Function.Name, call.Function.Arguments))
	}
	return all
}

func tools(ctx context.Context, c *cases.Case) error {
	answer, err := client.CreateChatCompletion(ctx, withTools(request(c.Plan("call"))))
	if err != nil {
		return err
	}
	return errors.Join(cases.Equal("calls", calls(answer.Choices[0].Message.ToolCalls), c.Calls()),
		cases.Equal("finish_reason", answer.Choices[0].FinishReason, gpt.FinishReasonToolCalls))
}

func toolsStream(ctx context.Context, c *cases.Case) error {
	var all []gpt.ToolCall
	parts := 0
	err := read(ctx, withTools(request(c.Plan("call"))), func(chunk gpt.ChatCompletionStreamResponse) bool {
		for _, d := range chunk.Choices[0].Delta.ToolCalls {
			if *d.Index == len(all) {
				all = append(all, d)
				continue
			}
			all[*d.Index].Function.Arguments += d.Function.Arguments
			parts++
		}
		return true
	})
	return errors.Join(err, cases.Equal("calls", calls(all), c.Calls()), cases.Equal("parts", parts, 6))
}

func toolsResult(ctx context.Context, c *cases.Case) error {
	r := withTools(request(c.Plan("call")))
	answer, err := client.CreateChatCompletion(ctx, r)
	if err != nil {
		return err
	}
	r.Messages = append(r.Messages, answer.Choices[0].Message)
	for _, call := range calls(answer.Choices[0].Message.ToolCalls) {
		r.Messages = append(r.Messages, gpt.ChatCompletionMessage{
			Role: gpt.ChatMessageRoleTool, ToolCallID: call[0], Content: cases.Weather(call[2]),
		})
	}
	answer, err = client.CreateChatCompletion(ctx, r)
	if err != nil {
		return err
	}
	return cases.Equal("answer", answer.Choices[0].Message.Content, c.Results())
}

// wanted is a schema as go-openai takes it.
type wanted struct {
	Nonce string `json:"nonce"`
	Count int    `json:"count"`
}

func schema(ctx context.Context, c *cases.Case) error {
	shape, err := jsonschema.GenerateSchemaForType(wanted{})
	if err != nil {
		return err
	}
	r := request(c.Plan("schema"))
	r.ResponseFormat = &gpt.ChatCompletionResponseFormat{
		Type:       gpt.ChatCompletionResponseFormatTypeJSONSchema,
		JSONSchema: &gpt.ChatCompletionResponseFormatJSONSchema{Name: "answer", Strict: true, Schema: shape},
	}
	answer, err := client.CreateChatCompletion(ctx, r)
	if err != nil {
		return err
	}
	return c.Structured(answer.Choices[0].Message.Content)
}

func completion(ctx context.Context, c *cases.Case) error {
	answer, err := client.CreateCompletion(ctx, gpt.CompletionRequest{Model: to.Model, Prompt: c.Plan("say")})
	if err != nil {
		return err
	}
	return errors.Join(cases.Equal("answer", answer.Choices[0].Text, c.Said()), cases.Equal("tokens", answer.Usage.PromptTokens, c.Tokens))
}

func completionStream(ctx context.Context, c *cases.Case) error {
	stream, err := client.CreateCompletionStream(ctx, gpt.CompletionRequest{Model: to.Model, Prompt: c.Plan("say")})
	if err != nil {
		return err
	}
	defer stream.Close()
	var got strings.Builder
	for {
		chunk, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return cases.Equal("answer", got.String(), c.Said())
		}
		if err != nil {
			return err
		}
		got.WriteString(chunk.Choices[0].Text)
	}
}

func embeddings(ctx context.Context, c *cases.Case) error {
	var inputs []string
	var want [][]float32
	for _, text := range c.Texts() {
		inputs, want = append(inputs, c.Embed(text)), append(want, cases.Vector(text))
	}
	answer, err := client.CreateEmbeddings(ctx, gpt.EmbeddingRequest{
		Model: gpt.EmbeddingModel(to.Model), Input: inputs, EncodingFormat: gpt.EmbeddingEncodingFormatBase64,
	})
	if err != nil {
		return err
	}
	var got [][]float32
	for _, one := range answer.Data {
		got = append(got, one.Embedding)
	}
	return errors.Join(cases.Equal("vectors", got, want), cases.Equal("tokens", answer.Usage.PromptTokens, 2*c.Tokens))
}

func models(ctx context.Context, _ *cases.Case) error {
	list, err := client.ListModels(ctx)
	if err != nil {
		return err
	}
	var ids []string
	for _, m := range list.Models {
		ids = append(ids, m.ID)
	}
	return cases.Equal("models", ids, []string{to.Model})
}

func model(ctx context.Context, _ *cases.Case) error {
	one, err := client.GetModel(ctx, to.Model)
	if err != nil {
		return err
	}
	return cases.Equal("model", one.ID, to.Model)
}

func stopStream(ctx context.Context, c *cases.Case) error {
	got := ""
	err := read(ctx, request(c.Plan("hold")), func(chunk gpt.ChatCompletionStreamResponse) bool {
		got += chunk.Choices[0].Delta.Content
		return got != c.Begun()
	})
	return errors.Join(err, cases.Equal("what came before", got, c.Begun()))
}
