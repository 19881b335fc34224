package mock

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/culvert-net/culvert/api/sse"
)

// text is the canned answer; %d is the length of the last message.
const text = "This is a canned answer from Culvert's demonstration model: no model has run and nothing was understood. " +
	"It did travel the way a real answer would, one token at a time, from the provider back to you. " +
	"Your last message was %d characters long. " +
	"To get real answers, start a model server such as Ollama, llama.cpp or vLLM and run this again."

// perMessage is what a chat template adds to each message, about.
const perMessage = 4

// tokens cuts s into words with the space before them, which is close to what
// a tokenizer makes of such prose, and joins to s again.
func tokens(s string) []string {
	var out []string
	for s != "" {
		i := strings.IndexByte(s[1:], ' ') + 1
		if i == 0 {
			i = len(s)
		}
		out = append(out, s[:i])
		s = s[i:]
	}
	return out
}

// plain is the text of a message's content: a string or a list of parts.
func plain(content json.RawMessage) string {
	var s string
	if json.Unmarshal(content, &s) == nil {
		return s
	}
	var parts []struct {
		Text string `json:"text"`
	}
	if json.Unmarshal(content, &parts) != nil {
		return ""
	}
	for _, p := range parts {
		s += p.Text
	}
	return s
}

func length(content json.RawMessage) int { return utf8.RuneCountInString(plain(content)) }

type usage struct {
	Prompt     int `json:"prompt_tokens"`
	Completion int `json:"completion_tokens"`
	Total      int `json:"total_tokens"`
}

// answer is one canned answer, before it is written down.
type answer struct {
	ID      string
	Created int64

	shape
	tokens       []string
	finish       string
	usage        usage
	includeUsage bool
}

// shape is what the answers of a route are called.
type shape struct {
	prefix        string // of ids
	object, chunk string
}

var (
	chatShape = shape{"chatcmpl-", "chat.completion", "chat.completion.chunk"}
	textShape = shape{"cmpl-", "text_completion", "text_completion"}
)

type message struct {
	Role    string  `json:"role,omitempty"`
	Content *string `json:"content,omitempty"`
}

// whole is a message that is not streamed, of which OpenAI's clients may expect
// every member.
type whole struct {
	Role    string  `json:"role"`
	Content string  `json:"content"`
	Refusal *string `json:"refusal"` // always null
}

type choice struct {
	Index    int       `json:"index"`
	Message  *whole    `json:"message,omitempty"`
	Delta    *message  `json:"delta,omitempty"`
	Text     *string   `json:"text,omitempty"`
	Logprobs *struct{} `json:"logprobs"` // always null
	Finish   *string   `json:"finish_reason"`
}

// choose makes the choice that holds all or a part of the text.
func (a *answer) choose(role, text string, finish *string, part bool) []choice {
	c := choice{Finish: finish}
	switch {
	case a.shape == textShape:
		c.Text = &text
	case part && finish != nil:
		c.Delta = &message{}
	case part:
		c.Delta = &message{Role: role, Content: &text}
	default:
		c.Message = &whole{Role: role, Content: text}
	}
	return []choice{c}
}

type completion struct {
	ID      string   `json:"id"`
	Object  string   `json:"object"`
	Created int64    `json:"created"`
	Model   string   `json:"model"`
	Choices []choice `json:"choices"`
	Usage   *usage   `json:"usage,omitempty"`
}

func (a *answer) document(object string, choices []choice, u *usage) []byte {
	b, err := json.Marshal(completion{a.ID, object, a.Created, Model, choices, u})
	if err != nil {
		panic("mock: plain structs always marshal: " + err.Error())
	}
	return b
}

// whole is the answer as one document.
func (a *answer) whole() []byte {
	return a.document(a.object, a.choose("assistant", strings.Join(a.tokens, ""), &a.finish, false), &a.usage)
}

// events is how many events the answer has as a stream: the role, the tokens,
// the finish, usage if asked for, and the end.
func (a *answer) events() int {
	n := len(a.tokens) + 3
	if a.includeUsage {
		n++
	}
	return n
}

// event is the i-th event of the stream.
func (a *answer) event(i int) []byte {
	last := a.events() - 1
	var choices []choice
	var u *usage
	switch {
	case i == 0:
		choices = a.choose("assistant", "", nil, true)
	case i <= len(a.tokens):
		choices = a.choose("", a.tokens[i-1], nil, true)
	case i == len(a.tokens)+1:
		choices = a.choose("", "", &a.finish, true)
	case i < last:
		choices, u = []choice{}, &a.usage
	default:
		return []byte(sse.Done)
	}
	data := a.document(a.chunk, choices, u)
	return append(append([]byte("data: "), data...), "\n\n"...)
}
