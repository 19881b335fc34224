package load

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/culvert-net/culvert/internal/bench/script"
)

// What an answer can be.
var (
	errWrong  = errors.New("wrong")
	errCut    = errors.New("cut")
	errFailed = errors.New("failed")
)

func wrong(format string, args ...any) error {
	return fmt.Errorf("%w: %w", errWrong, fmt.Errorf(format, args...))
}

func cut(format string, args ...any) error {
	return fmt.Errorf("%w: %w", errCut, fmt.Errorf(format, args...))
}

// expected is what one answer must be.
type expected struct {
	order  script.Order
	nonce  script.Nonce
	prompt int    // bytes
	sum    string // of the prompt, as system_fingerprint
}

func expect(o script.Order, n script.Nonce, prompt []byte) expected {
	return expected{order: o, nonce: n, prompt: len(prompt), sum: fmt.Sprintf("fp_%08x", script.Sum(prompt))}
}

// usage is the part of an answer that says what it cost.
type usage struct {
	Prompt     int `json:"prompt_tokens"`
	Completion int `json:"completion_tokens"`
	Total      int `json:"total_tokens"`
}

func (e *expected) usage(u *usage) error {
	switch {
	case u == nil:
		return wrong("no usage")
	case *u != usage{e.prompt, e.order.Counted(), e.prompt + e.order.Counted()}:
		return wrong("usage is %+v, not %d and %d", *u, e.prompt, e.order.Counted())
	}
	return nil
}

// content is before the text of an answer, or of a part of one.
const content = `"content":"`

// whole checks an answer that is not streamed. The text, which is most of it, has
// no need of decoding; the rest is decoded without it.
func (e *expected) whole(body []byte) error {
	at := bytes.Index(body, []byte(content))
	if at < 0 {
		return wrong("no text in it")
	}
	at += len(content)
	text, rest := body[at:], []byte(nil)
	if end := bytes.IndexByte(text, '"'); end >= 0 {
		text, rest = text[:end], text[end:]
	}
	if err := e.text(text); err != nil {
		return err
	}
	var a struct {
		Sum     string `json:"system_fingerprint"`
		Choices []struct {
			Message struct {
				Content *string `json:"content"`
			} `json:"message"`
			Finish string `json:"finish_reason"`
		} `json:"choices"`
		Usage *usage `json:"usage"`
	}
	if err := json.Unmarshal(append(body[:at:at], rest...), &a); err != nil {
		return wrong("not JSON: %w", err)
	}
	switch {
	case len(a.Choices) != 1 || a.Choices[0].Message.Content == nil || *a.Choices[0].Message.Content != "":
		return wrong("the text is not that of one choice")
	case a.Sum != e.sum:
		return wrong("another prompt reached the server")
	case a.Choices[0].Finish != "stop":
		return wrong("finish_reason is %q", a.Choices[0].Finish)
	}
	return e.usage(a.Usage)
}

// text checks all tokens, what is after them, and the nonce at the end.
func (e *expected) text(text []byte) error {
	for i := range e.order.Tokens {
		_, rest, err := script.CutToken(text, e.nonce, i)
		if err != nil {
			return wrong("token %d: %w", i, err)
		}
		text = rest
	}
	rest, ok := bytes.CutSuffix(text, e.nonce[:])
	if !ok {
		return wrong("the nonce is not at the end")
	}
	if !bytes.Equal(rest, script.AppendFill(nil, e.order.Fill)) {
		return wrong("the bytes after the tokens, %d, are not the %d that were ordered", len(rest), e.order.Fill)
	}
	return nil
}

// stream checks the events of one answer as they come.
type stream struct {
	expected
	next     int // the token that comes next
	began    bool
	finished bool
	used     bool
	done     bool
}

// event takes the data of one event. It returns when the token in it was
// written, 0 if there is none.
func (s *stream) event(data []byte) (at int64, err error) {
	if s.done {
		return 0, wrong("an event after [DONE]")
	}
	if i := bytes.Index(data, []byte(content)); i >= 0 {
		// Decoding every event would cost more than the rest of the client.
		text, _, ok := bytes.Cut(data[i+len(content):], []byte{'"'})
		switch {
		case !ok || data[len(data)-1] != '}':
			return 0, wrong("an event that is not whole")
		case len(text) == 0 && (s.began || s.next > 0):
			return 0, wrong("an event without a text in place of token %d", s.next)
		case len(text) == 0: // the first one, which has a role
			s.began = true
			return 0, s.closing(data)
		}
		at, rest, err := script.CutToken(text, s.nonce, s.next)
		if err != nil {
			return 0, wrong("token %d: %w", s.next, err)
		}
		if len(rest) != 0 || s.finished {
			return 0, wrong("more than token %d, or after the end", s.next)
		}
		s.next++
		return at, nil
	}
	return 0, s.closing(data)
}

// closing takes an event without a token, and decodes it.
func (s *stream) closing(data []byte) error {
	switch {
	case bytes.Equal(data, []byte("[DONE]")):
		s.done = true
		return nil
	case bytes.HasPrefix(data, []byte(`{"error"`)):
		return cut("the server says that it is")
	}
	var c struct {
		Sum     string `json:"system_fingerprint"`
		Choices []struct {
			Finish *string `json:"finish_reason"`
		} `json:"choices"`
		Usage *usage `json:"usage"`
	}
	if err := json.Unmarshal(data, &c); err != nil {
		return wrong("an event that is not JSON: %w", err)
	}
	if c.Sum != s.sum {
		return wrong("another prompt reached the server")
	}
	if len(c.Choices) > 0 && c.Choices[0].Finish != nil {
		if *c.Choices[0].Finish != "stop" || s.finished {
			return wrong("finish_reason is %q, or there twice", *c.Choices[0].Finish)
		}
		s.finished = true
	}
	if c.Usage != nil {
		if s.used || len(c.Choices) > 0 {
			return wrong("usage twice, or beside a choice")
		}
		s.used = true
		return s.usage(c.Usage)
	}
	return nil
}

// end is called when no event follows.
func (s *stream) end() error {
	switch {
	case !s.done:
		return cut("no [DONE] after %d of %d tokens", s.next, s.order.Tokens)
	case s.next != s.order.Tokens:
		return wrong("%d of %d tokens", s.next, s.order.Tokens)
	case !s.finished:
		return wrong("no finish_reason")
	case !s.used:
		return wrong("no usage")
	}
	return nil
}
