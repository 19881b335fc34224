// Package usage counts the tokens of an answer while its bytes pass.
//
// A Meter reads an answer, a document or an event stream, for somebody else
// and looks at each byte once; Count is what the answer said it used, or an
// estimate where it said nothing, because the stream was cut or nobody asked
// it to tell.
//
// Ended is what an end of a request tells of it when it is over, for those who
// count requests.
//
// Where a request is paid for, Bill has the Meter count more, and Snapshot is
// what it has come to so far: both ends of a tunnel count with it, so that they
// agree.
//
// It keeps no bytes of an answer but those of its usage object, changes none,
// and knows neither keys nor money. A Meter belongs to one reader; Count and
// Told are for after it.
package usage

import (
	"bytes"
	"encoding/json"
	"io"
	"time"
)

const (
	// maxUsage bounds the bytes of a usage object: real ones have 500.
	maxUsage = 4 << 10

	// bytesPerToken is what a token has of a text, for common tokenizers and
	// European languages. Others have fewer bytes, so it counts too little
	// rather than too much.
	bytesPerToken = 4

	// tokensPerPart is what an image or a recording is taken for, whose bytes
	// say nothing: about one of 1024 pixels.
	tokensPerPart = 800

	// maxMediaType bounds the beginning of something embedded, "data: and ;base64,
	// included: media types have less than a hundred bytes.
	maxMediaType = 128
)

// Count is how many tokens a request took.
type Count struct {
	Tokens   int64 // of prompt and answer
	Estimate bool  // the answer did not say
}

// Meter reads an answer and finds what it says it used.
type Meter struct {
	from   io.Reader
	stream bool

	scan   scanner
	line   lineState // of a stream
	events int64     // of a stream, with data
	length int64     // of a document
	told   int64     // -1: not told
	input  int64     // told; 0: not
	output int64     // the same
	began  time.Time // when the first event came

	// Of a request that is paid for; see Bill.
	text   *textScanner // nil: it is not
	prompt int64        // estimated tokens
	parts  parts
}

// lineState is where in a line of a stream the next byte is.
type lineState int

const (
	lineStart lineState = 0 // to 4: that many bytes of "data:" were there
	lineData  lineState = 5
	lineOther lineState = 6
)

const dataField = "data:"

// NewMeter reads from, which is an event stream or a JSON document.
func NewMeter(from io.Reader, stream bool) *Meter {
	m := &Meter{from: from, stream: stream, told: -1}
	m.scan.begin()
	return m
}

// Read implements io.Reader.
func (m *Meter) Read(p []byte) (int, error) {
	n, err := m.from.Read(p)
	if m.stream {
		m.lines(p[:n])
		if m.events > 0 && m.began.IsZero() {
			m.began = time.Now()
		}
	} else {
		m.length += int64(n)
		m.scan.feed(p[:n], m.found)
		if m.text != nil {
			m.text.feed(p[:n])
		}
	}
	return n, err
}

// lines looks at the data of events. A usage object that is broken over lines,
// as no server writes it, is not found.
func (m *Meter) lines(p []byte) {
	fresh := false // all of the line's data is in p
	for len(p) > 0 {
		switch {
		case p[0] == '\n':
			m.line = lineStart
			p = p[1:]
		case m.line < lineData:
			m.line++
			if p[0] != dataField[m.line-1] {
				m.line = lineOther
			}
			if m.line == lineData {
				m.events++
				m.scan.begin()
				if m.text != nil {
					m.text.begin()
				}
				fresh = true
			}
			p = p[1:]
		default:
			end := bytes.IndexByte(p, '\n')
			if end < 0 {
				end = len(p)
			}
			whole := fresh && end < len(p)
			if m.line == lineData && (m.text != nil || !whole || mayTell(p[:end])) {
				m.scan.feed(p[:end], m.found)
			}
			if m.line == lineData && m.text != nil {
				m.text.feed(p[:end])
			}
			fresh = false
			p = p[end:]
		}
	}
}

// found reads a usage object. Servers that send one with each event count up,
// so the last one is the answer's.
func (m *Meter) found(object []byte) {
	var u struct {
		Prompt     *int64 `json:"prompt_tokens"`
		Completion *int64 `json:"completion_tokens"`
		Input      *int64 `json:"input_tokens"` // of the responses API
		Output     *int64 `json:"output_tokens"`
		Total      *int64 `json:"total_tokens"`

		PromptParts     details `json:"prompt_tokens_details"`
		CompletionParts details `json:"completion_tokens_details"`
		InputParts      details `json:"input_tokens_details"`
		OutputParts     details `json:"output_tokens_details"`
	}
	if json.Unmarshal(object, &u) != nil {
		return
	}
	sum, any := int64(0), false
	for _, n := range []*int64{u.Prompt, u.Completion, u.Input, u.Output} {
		if n != nil {
			any = true
			sum += max(0, *n)
		}
	}
	if u.Total != nil {
		// The larger one: some leave what was read from a cache, or thought
		// about, out of the total.
		any = true
		sum = max(sum, *u.Total)
	}
	if any && sum >= 0 {
		m.told = sum
		m.input, m.output = first(u.Prompt, u.Input), first(u.Completion, u.Output)
		m.parts = parts{
			input: u.Prompt != nil || u.Input != nil, output: u.Completion != nil || u.Output != nil,
			cached:    max(0, u.PromptParts.Cached, u.InputParts.Cached),
			reasoning: max(0, u.CompletionParts.Reasoning, u.OutputParts.Reasoning),
		}
	}
}

// details is what a usage object says of a part of it. One that is no object, or
// has words for numbers, says nothing.
type details struct {
	Cached    int64
	Reasoning int64
}

// UnmarshalJSON implements json.Unmarshaler.
func (d *details) UnmarshalJSON(b []byte) error {
	var in struct {
		Cached    int64 `json:"cached_tokens"`
		Reasoning int64 `json:"reasoning_tokens"`
	}
	if json.Unmarshal(b, &in) == nil {
		*d = details{in.Cached, in.Reasoning}
	}
	return nil
}

// first is the first of some numbers that was there.
func first(all ...*int64) int64 {
	for _, n := range all {
		if n != nil {
			return max(0, *n)
		}
	}
	return 0
}

// Told is what the answer said of the tokens of prompt and answer; 0: nothing.
func (m *Meter) Told() (input, output int64) { return m.input, m.output }

// Began is when the first event of a stream came; zero: there was none.
func (m *Meter) Began() time.Time { return m.began }

// Count is what was used by a request whose prompt is estimated at so many
// tokens.
func (m *Meter) Count(prompt int64) Count {
	if m.told >= 0 {
		return Count{Tokens: m.told}
	}
	// An event is a token, or little more.
	n := prompt + m.events
	if !m.stream {
		n += m.length / bytesPerToken
	}
	return Count{Tokens: n, Estimate: true}
}

// Prompt estimates the tokens of a request's body. What is embedded in it, an
// image as a rule, counts the same whatever its size.
func Prompt(body []byte) int64 {
	text, parts := Size(body)
	return parts*tokensPerPart + text/bytesPerToken
}

// Size is how many bytes a request's body has besides what is embedded in it, and
// how many things are.
func Size(body []byte) (text, parts int64) {
	rest := body
	for {
		at := bytes.Index(rest, embedded)
		if at < 0 {
			return text + int64(len(rest)), parts
		}
		text += int64(at)
		rest = rest[at:]
		if n := embeddedSize(rest); n > 0 {
			parts++
			rest = rest[n:]
		} else {
			text += int64(len(embedded))
			rest = rest[len(embedded):]
		}
	}
}

// embedded begins what a request has within it.
var embedded = []byte(`"data:`)

// embeddedSize is how many bytes at the beginning of b are something embedded: a
// short type and then nothing but base64. It is 0 for a text, which may begin
// with data: as well.
func embeddedSize(b []byte) int {
	const mark = ";base64,"
	at := bytes.Index(b[:min(len(b), maxMediaType)], []byte(mark))
	if at < 0 || bytes.IndexByte(b[1:at], '"') >= 0 {
		return 0
	}
	n := at + len(mark)
	for n < len(b) && base64(b[n]) {
		n++
	}
	if n < len(b) && b[n] != '"' {
		return 0
	}
	return n
}

// base64 are the bytes of that encoding, in both alphabets, and the backslash,
// since JSON may write its slash as \/.
func base64(c byte) bool {
	return 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' ||
		c == '+' || c == '/' || c == '-' || c == '_' || c == '=' || c == '\\'
}
