// Command openaigo is github.com/openai/openai-go.
package main

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/ssestream"
	"github.com/openai/openai-go/v3/shared"

	"github.com/culvert-net/culvert/internal/e2e/clients/gosdk/cases"
)

var to = cases.Env()

func connect(key string, retries int) openai.Client {
	return openai.NewClient(option.WithBaseURL(to.BaseURL), option.WithAPIKey(key), option.WithMaxRetries(retries))
}

var client = connect(to.Good, 0)

func request(prompt string) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{Model: to.Model, Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(prompt)}}
}

func withTools(r openai.ChatCompletionNewParams) openai.ChatCompletionNewParams {
	r.Tools = []openai.ChatCompletionToolUnionParam{openai.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{
		Name: cases.Tool, Description: openai.String(cases.Description), Parameters: cases.Parameters(), Strict: openai.Bool(true),
	})}
	return r
}

// read is a stream, to its end or as long as each wants more.
func read(ctx context.Context, r openai.ChatCompletionNewParams, each func(openai.ChatCompletionChunk) bool) error {
	stream := client.Chat.Completions.NewStreaming(ctx, r)
	defer stream.Close()
	for stream.Next() {
		if !each(stream.Current()) {
			return nil
		}
	}
	return stream.Err()
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
				return read(ctx, request(c.Plan("silent")), func(openai.ChatCompletionChunk) bool { return true })
			})
		}},
		{Name: "stop-stream", Func: stopStream},

		{Name: "400", Func: func(ctx context.Context, _ *cases.Case) error {
			r := request("")
			r.Messages = []openai.ChatCompletionMessageParamUnion{}
			return own(ask(ctx, client, r), 400, "", "messages", "messages")
		}},
		{Name: "400-upstream", Func: refused(400)},
		{Name: "401", Func: func(ctx context.Context, c *cases.Case) error {
			return own(ask(ctx, connect(to.Wrong, 0), request(c.Plan("say"))), 401, "invalid_api_key", "", "bridge keys")
		}},
		{Name: "403", Func: func(ctx context.Context, c *cases.Case) error {
			return own(ask(ctx, connect(to.Narrow, 0), request(c.Plan("say"))), 403, "model_not_found", "model", to.Model)
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
			return own(ask(ctx, connect(to.Spent, 2), request(c.Plan("say"))), 429, "rate_limit_exceeded", "", "1 requests per month")
		}},
		{Name: "429", Func: func(ctx context.Context, c *cases.Case) error {
			raised := ask(ctx, client, request(c.Refuse(429, 7)))
			if err := own(raised, 429, "planned", "temperature", "refused "+c.Nonce); err != nil {
				return err
			}
			e, err := cases.Raised[*openai.Error](raised)
			if err != nil {
				return err
			}
			return cases.Equal("Retry-After", e.Response.Header.Get("Retry-After"), "7")
		}},
		// By itself it waits half a second.
		{Name: "429-retry", Func: func(ctx context.Context, c *cases.Case) error {
			from := connect(to.Good, 2)
			answer, err := from.Chat.Completions.New(ctx, request(c.Retry(1)))
			if err != nil {
				return err
			}
			return cases.Equal("answer", answer.Choices[0].Message.Content, c.Said())
		}},
		{Name: "500", Func: refused(500)},
		{Name: "502", Func: refused(502)},
		{Name: "503", Func: refused(503)},
		{Name: "cut", Func: func(ctx context.Context, c *cases.Case) error {
			e, err := cases.Raised[*openai.Error](ask(ctx, client, request(c.Plan("cut"))))
			if err != nil {
				return err
			}
			return cases.Equal("status", e.StatusCode, http.StatusBadGateway)
		}},
		{Name: "cut-stream", Func: broken("cut", "")},
		{Name: "slow-cut-stream", Func: broken("slow-cut", "")},
		{Name: "end-stream", Func: broken("end", "")},
		{Name: "fail-stream", Func: broken("fail", "failed ")},
	})
}

// ask is a chat, for its error.
func ask(ctx context.Context, from openai.Client, r openai.ChatCompletionNewParams) error {
	_, err := from.Chat.Completions.New(ctx, r)
	return err
}

// own checks an error of one status.
func own(raised error, status int, code, param, part string) error {
	e, err := cases.Raised[*openai.Error](raised)
	if err != nil {
		return err
	}
	return errors.Join(cases.Equal("status", e.StatusCode, status), cases.Equal("code", e.Code, code),
		cases.Equal("param", e.Param, param), cases.Contains("message", e.Message, part))
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
		begun := ""
		e, err := cases.Raised[*ssestream.StreamError](read(ctx, request(c.Plan(what)), func(chunk openai.ChatCompletionChunk) bool {
			begun += chunk.Choices[0].Delta.Content
			return true
		}))
		if err == nil && said != "" {
			err = cases.Contains("message", e.Message, said+c.Nonce)
		}
		return errors.Join(err, cases.Equal("what came before", begun, c.Begun()))
	}
}

func chat(ctx context.Context, c *cases.Case) error {
	answer, err := client.Chat.Completions.New(ctx, request(c.Plan("say")))
	if err != nil {
		return err
	}
	return errors.Join(cases.Equal("answer", answer.Choices[0].Message.Content, c.Said()),
		cases.Equal("finish_reason", answer.Choices[0].FinishReason, "stop"),
		cases.Equal("usage", [2]int64{answer.Usage.PromptTokens, answer.Usage.CompletionTokens}, [2]int64{int64(c.Tokens), int64(c.Count())}))
}

// stream is a plan whose answer is streamed.
func stream(do string) cases.Func {
	return func(ctx context.Context, c *cases.Case) error {
		var pieces []string
		reason := ""
		err := read(ctx, request(c.Plan(do)), func(chunk openai.ChatCompletionChunk) bool {
			if piece := chunk.Choices[0].Delta.Content; piece != "" {
				pieces = append(pieces, piece)
			}
			reason = chunk.Choices[0].FinishReason
			return true
		})
		return errors.Join(err, cases.Equal("tokens", pieces, c.Pieces()), cases.Equal("finish_reason", reason, "stop"))
	}
}

func usage(ctx context.Context, c *cases.Case) error {
	r := request(c.Plan("say"))
	r.StreamOptions = openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)}
	var all openai.ChatCompletionAccumulator
	whole := true
	err := read(ctx, r, func(chunk openai.ChatCompletionChunk) bool {
		whole = all.AddChunk(chunk) && whole
		return true
	})
	if err != nil {
		return err
	}
	return errors.Join(cases.Equal("accumulated", whole, true), cases.Equal("answer", all.Choices[0].Message.Content, c.Said()),
		cases.Equal("usage", [2]int64{all.Usage.PromptTokens, all.Usage.CompletionTokens}, [2]int64{int64(c.Tokens), int64(c.Count())}))
}

func calls(list []openai.ChatCompletionMessageToolCallUnion) (all [][3]string) {
	for _, call := range list {
		all = append(all, cases.Call(call.ID, call.Function.Name, call.Function.Arguments))
	}
	return all
}

func tools(ctx context.Context, c *cases.Case) error {
	answer, err := client.Chat.Completions.New(ctx, withTools(request(c.Plan("call"))))
	if err != nil {
		return err
	}
	return errors.Join(cases.Equal("calls", calls(answer.Choices[0].Message.ToolCalls), c.Calls()),
		cases.Equal("finish_reason", answer.Choices[0].FinishReason, "tool_calls"))
}

func toolsStream(ctx context.Context, c *cases.Case) error {
	var all openai.ChatCompletionAccumulator
	parts, whole := 0, true
	err := read(ctx, withTools(request(c.Plan("call"))), func(chunk openai.ChatCompletionChunk) bool {
		whole = all.AddChunk(chunk) && whole
		for _, d := range chunk.Choices[0].Delta.ToolCalls {
			if d.Function.Arguments != "" {
				parts++
			}
		}
		return true
	})
	if err != nil {
		return err
	}
	return errors.Join(cases.Equal("accumulated", whole, true), cases.Equal("parts", parts, 6),
		cases.Equal("calls", calls(all.Choices[0].Message.ToolCalls), c.Calls()))
}

func toolsResult(ctx context.Context, c *cases.Case) error {
	r := withTools(request(c.Plan("call")))
	answer, err := client.Chat.Completions.New(ctx, r)
	if err != nil {
		return err
	}
	r.Messages = append(r.Messages, answer.Choices[0].Message.ToParam())
	for _, call := range calls(answer.Choices[0].Message.ToolCalls) {
		r.Messages = append(r.Messages, openai.ToolMessage(cases.Weather(call[2]), call[0]))
	}
	answer, err = client.Chat.Completions.New(ctx, r)
	if err != nil {
		return err
	}
	return cases.Equal("answer", answer.Choices[0].Message.Content, c.Results())
}

func schema(ctx context.Context, c *cases.Case) error {
	r := request(c.Plan("schema"))
	r.ResponseFormat = openai.ChatCompletionNewParamsResponseFormatUnion{OfJSONSchema: &shared.ResponseFormatJSONSchemaParam{
		JSONSchema: shared.ResponseFormatJSONSchemaJSONSchemaParam{Name: "answer", Strict: openai.Bool(true), Schema: cases.Schema()},
	}}
	answer, err := client.Chat.Completions.New(ctx, r)
	if err != nil {
		return err
	}
	return c.Structured(answer.Choices[0].Message.Content)
}

func prompt(text string) openai.CompletionNewParams {
	return openai.CompletionNewParams{
		Model: openai.CompletionNewParamsModel(to.Model), Prompt: openai.CompletionNewParamsPromptUnion{OfString: openai.String(text)},
	}
}

func completion(ctx context.Context, c *cases.Case) error {
	answer, err := client.Completions.New(ctx, prompt(c.Plan("say")))
	if err != nil {
		return err
	}
	return errors.Join(cases.Equal("answer", answer.Choices[0].Text, c.Said()),
		cases.Equal("tokens", answer.Usage.PromptTokens, int64(c.Tokens)))
}

func completionStream(ctx context.Context, c *cases.Case) error {
	stream := client.Completions.NewStreaming(ctx, prompt(c.Plan("say")))
	defer stream.Close()
	var got strings.Builder
	for stream.Next() {
		got.WriteString(stream.Current().Choices[0].Text)
	}
	return errors.Join(stream.Err(), cases.Equal("answer", got.String(), c.Said()))
}

func embeddings(ctx context.Context, c *cases.Case) error {
	var inputs []string
	var want [][]float64
	for _, text := range c.Texts() {
		inputs = append(inputs, c.Embed(text))
		var vector []float64
		for _, x := range cases.Vector(text) {
			vector = append(vector, float64(x))
		}
		want = append(want, vector)
	}
	answer, err := client.Embeddings.New(ctx, openai.EmbeddingNewParams{
		Model: to.Model, Input: openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: inputs},
	})
	if err != nil {
		return err
	}
	var got [][]float64
	for _, one := range answer.Data {
		got = append(got, one.Embedding)
	}
	return errors.Join(cases.Equal("vectors", got, want), cases.Equal("tokens", answer.Usage.PromptTokens, int64(2*c.Tokens)))
}

func models(ctx context.Context, _ *cases.Case) error {
	var ids []string
	pages := client.Models.ListAutoPaging(ctx)
	for pages.Next() {
		ids = append(ids, pages.Current().ID)
	}
	return errors.Join(pages.Err(), cases.Equal("models", ids, []string{to.Model}))
}

func model(ctx context.Context, _ *cases.Case) error {
	one, err := client.Models.Get(ctx, to.Model)
	if err != nil {
		return err
	}
	return cases.Equal("model", one.ID, to.Model)
}

func stopStream(ctx context.Context, c *cases.Case) error {
	got := ""
	err := read(ctx, request(c.Plan("hold")), func(chunk openai.ChatCompletionChunk) bool {
		got += chunk.Choices[0].Delta.Content
		return got != c.Begun()
	})
	return errors.Join(err, cases.Equal("what came before", got, c.Begun()))
}
