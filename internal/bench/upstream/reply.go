package upstream

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/culvert-net/culvert/internal/bench/script"
)

// created is the time in every answer, which nobody looks at.
const created = 1700000000

// reply is one answer. Owned by the handler's goroutine.
type reply struct {
	w      http.ResponseWriter
	r      *http.Request
	order  script.Order
	nonce  script.Nonce
	prompt int    // bytes, given as prompt_tokens
	sum    uint32 // of the prompt, given as system_fingerprint
	llama  bool
}

// usage is what the answer says it cost: a token for each byte of the prompt,
// so that a client sees what arrived.
func (a *reply) usage() string {
	return fmt.Sprintf(`"usage":{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d}`,
		a.prompt, a.order.Counted(), a.prompt+a.order.Counted())
}

// head is how an object of the answer begins.
func (a *reply) head(object string) string {
	return fmt.Sprintf(`{"id":"chatcmpl-%s","object":"%s","created":%d,"model":"%s","system_fingerprint":"fp_%08x",`,
		a.nonce[:], object, created, Model, a.sum)
}

// whole answers without a stream.
func (a *reply) whole() {
	b := make([]byte, 0, 512+64*a.order.Tokens+a.order.Fill)
	b = append(b, a.head("chat.completion")...)
	b = append(b, `"choices":[{"index":0,"message":{"role":"assistant","content":"`...)
	for i := range a.order.Tokens {
		b = script.AppendToken(b, a.nonce, i, time.Now().UnixNano())
	}
	b = script.AppendFill(b, a.order.Fill)
	b = append(b, a.nonce[:]...)
	b = append(b, `","refusal":null},"logprobs":null,"finish_reason":"stop"}],`...)
	b = append(b, a.usage()...)
	b = append(b, '}')
	a.w.Header().Set("Content-Type", "application/json")
	a.w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	if a.llama {
		a.inTwo(b)
		return
	}
	// A client that is gone hears nothing.
	_, _ = a.w.Write(b)
}

// stream answers event by event.
func (a *reply) stream(usage bool) {
	h := a.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-cache")
	flusher := http.NewResponseController(a.w)
	head := "data: " + a.head("chat.completion.chunk")
	const (
		before = `"choices":[{"index":0,"delta":{"content":"`
		after  = `"},"logprobs":null,"finish_reason":null}]}` + "\n\n"
	)
	b := append(make([]byte, 0, 1024), head...)
	b = append(b, `"choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]}`+"\n\n"...)
	start := time.Now()
	for i := range a.order.Tokens {
		if a.order.Rate > 0 && i > 0 {
			time.Sleep(time.Until(start.Add(time.Duration(i) * time.Second / time.Duration(a.order.Rate))))
		}
		b = append(b, head...)
		b = append(b, before...)
		b = script.AppendToken(b, a.nonce, i, time.Now().UnixNano())
		b = append(b, after...)
		if _, err := a.w.Write(b); err != nil {
			return // the client is gone
		}
		if err := flusher.Flush(); err != nil {
			return
		}
		b = b[:0]
	}
	b = append(b, head...)
	b = append(b, `"choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]}`+"\n\n"...)
	if usage {
		b = append(b, head...)
		b = append(b, `"choices":[],`...)
		b = append(b, a.usage()...)
		b = append(b, "}\n\n"...)
	}
	b = append(b, "data: [DONE]\n\n"...)
	if _, err := a.w.Write(b); err == nil && a.llama {
		a.closeUnsaid()
	}
}
