//go:build clients

package clients

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strings"

	"github.com/culvert-net/culvert/api/backend/backendtest"
)

// fields are a JSON object.
type fields map[string]any

// form is the shape of one route's answers.
type form struct {
	does        string                           // a plan that suits it
	kind, chunk string                           // the field "object"
	choice      func(text string) fields         // of a whole answer
	delta       func(i int, piece string) fields // of a stream, the i-th
}

// forms are those of each route.
var forms = map[string]form{
	"/v1/chat/completions": {
		does: "say", kind: "chat.completion", chunk: "chat.completion.chunk",
		choice: func(text string) fields {
			return fields{"index": 0, "finish_reason": "stop", "message": fields{"role": "assistant", "content": text}}
		},
		delta: func(i int, piece string) fields {
			if i == 0 {
				return fields{"index": 0, "finish_reason": nil, "delta": fields{"role": "assistant", "content": piece}}
			}
			return fields{"index": 0, "finish_reason": nil, "delta": fields{"content": piece}}
		},
	},
	"/v1/completions": {
		does: "say", kind: "text_completion", chunk: "text_completion",
		choice: func(text string) fields {
			return fields{"index": 0, "finish_reason": "stop", "logprobs": nil, "text": text}
		},
		delta: func(_ int, piece string) fields {
			return fields{"index": 0, "finish_reason": nil, "logprobs": nil, "text": piece}
		},
	},
	"/v1/embeddings": {does: "embed"},
}

// pieces are an answer's, one for each event of a stream.
func pieces(nonce string) []string {
	all := []string{nonce}
	for i := range 16 {
		all = append(all, fmt.Sprintf(" %d", i))
	}
	return append(all, " é漢🙂")
}

// said is the whole of it. The clients know it too.
func said(nonce string) string { return strings.Join(pieces(nonce), "") }

// usage counts a token for each piece, for a prompt of as many as the plan says.
func usage(p plan) fields {
	n := len(pieces(p.Nonce))
	return fields{"prompt_tokens": p.Tokens, "completion_tokens": n, "total_tokens": p.Tokens + n}
}

// document is what all answers have in common.
func (f form) document(kind string, p plan) fields {
	return fields{"id": "answer-" + p.Nonce, "object": kind, "created": 1_700_000_000, "model": model}
}

// answer is text, whole or as a stream.
func (f form) answer(q *question, p plan, text string) backendtest.Behaviour {
	if !q.Stream {
		return backendtest.Answer(f.whole(p, text))
	}
	parts := []string{text}
	if text == said(p.Nonce) {
		parts = pieces(p.Nonce)
	}
	return backendtest.Stream(0, f.finish(q, p, f.pieces(p, parts), "stop")...)
}

// whole is an answer that is not streamed.
func (f form) whole(p plan, text string) string {
	return f.wholeOf(p, f.choice(text))
}

func (f form) wholeOf(p plan, choice fields) string {
	doc := f.document(f.kind, p)
	doc["choices"] = []fields{choice}
	doc["usage"] = usage(p)
	return object(doc)
}

// pieces are the events of some pieces.
func (f form) pieces(p plan, parts []string) []string {
	var events []string
	for i, part := range parts {
		events = append(events, f.event(p, f.delta(i, part)))
	}
	return events
}

// event is one with one choice.
func (f form) event(p plan, choice fields) string {
	doc := f.document(f.chunk, p)
	doc["choices"] = []fields{choice}
	return event(doc)
}

// finish adds the reason, the usage if that was asked for, and the end.
func (f form) finish(q *question, p plan, events []string, reason string) []string {
	last := f.delta(1, "")
	last["finish_reason"] = reason
	if f.kind == "chat.completion" {
		last["delta"] = fields{}
	}
	events = append(events, f.event(p, last))
	if q.Usage.Include {
		doc := f.document(f.chunk, p)
		doc["choices"], doc["usage"] = []fields{}, usage(p)
		events = append(events, event(doc))
	}
	return append(events, backendtest.Done)
}

// call are two calls of the request's first tool, with the nonce in their
// arguments, which a stream has in three parts each.
func (f form) call(q *question, p plan) backendtest.Behaviour {
	if len(q.Tools) == 0 || q.Tools[0].Function.Parameters.Properties["city"] == nil {
		return refusal(http.StatusBadRequest, "no_tools", "tools", "the tool did not arrive")
	}
	name := q.Tools[0].Function.Name
	var whole []fields
	events := []string{f.event(p, f.delta(0, ""))}
	for i, which := range []string{"a", "b"} {
		id, city := "call_"+p.Nonce+which, p.Nonce+which
		args := object(fields{"city": city})
		whole = append(whole, fields{"id": id, "type": "function", "function": fields{"name": name, "arguments": args}})
		deltas := []fields{{"index": i, "id": id, "type": "function", "function": fields{"name": name, "arguments": ""}}}
		for _, part := range []string{args[:2], args[2:7], args[7:]} {
			deltas = append(deltas, fields{"index": i, "function": fields{"arguments": part}})
		}
		for _, d := range deltas {
			events = append(events, f.event(p, fields{"index": 0, "finish_reason": nil, "delta": fields{"tool_calls": []fields{d}}}))
		}
	}
	if q.Stream {
		return backendtest.Stream(0, f.finish(q, p, events, "tool_calls")...)
	}
	return backendtest.Answer(f.wholeOf(p, fields{
		"index": 0, "finish_reason": "tool_calls",
		"message": fields{"role": "assistant", "content": nil, "tool_calls": whole},
	}))
}

// embed gives a vector for each input: the codes of its plan's text.
func (f form) embed(q *question) backendtest.Behaviour {
	data, tokens := []fields{}, 0
	for i, text := range texts(q.Input) {
		p, ok := planIn(text)
		if !ok {
			p.Text = text
		}
		var vector []float64 // exact as float32 too
		for _, c := range p.Text {
			vector = append(vector, float64(c)/128)
		}
		tokens += max(p.Tokens, 1)
		data = append(data, fields{"object": "embedding", "index": i, "embedding": coded(vector, q.Coding)})
	}
	return backendtest.Answer(object(fields{
		"object": "list", "model": model, "data": data, "usage": fields{"prompt_tokens": tokens, "total_tokens": tokens},
	}))
}

// coded is a vector as numbers, or as their bytes where that was asked for.
func coded(vector []float64, coding string) any {
	if coding != "base64" {
		return vector
	}
	var b []byte
	for _, x := range vector {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(x)))
	}
	return base64.StdEncoding.EncodeToString(b)
}

// refusal is an error in OpenAI's shape, with headers.
func refusal(status int, code, param, message string, headers ...string) backendtest.Behaviour {
	kind := "invalid_request_error"
	switch {
	case status >= http.StatusInternalServerError:
		kind = "server_error"
	case status == http.StatusTooManyRequests:
		kind = "requests"
	}
	return backendtest.Status(status, "application/json", object(fields{
		"error": fields{"message": message, "type": kind, "code": code, "param": param},
	}), headers...)
}

func event(doc fields) string { return "data: " + object(doc) + "\n\n" }

func object(doc fields) string {
	text, err := json.Marshal(doc)
	if err != nil {
		panic("clients: " + err.Error())
	}
	return string(text)
}
