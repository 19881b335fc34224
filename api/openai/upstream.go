package openai

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// FromUpstream puts the error answer of another server in our shape: the
// status it was sent with, and of its words no more than one line of plain
// text. It understands OpenAI's envelope, with llama-server's numeric codes
// and Ollama's nulls, the bare {"error":"…"}, {"message":…} and {"detail":…}
// of others, and plain text; a page of HTML is replaced. Applied to what it
// made itself, it changes nothing.
//
// A status that is not an error's, a redirect above all, becomes 502.
func FromUpstream(status int, body []byte) *Error {
	if status < 400 || status > 599 {
		return Upstream(http.StatusBadGateway, "unexpected_status",
			fmt.Sprintf("the model server answered with status %d, which is neither success nor an error", status))
	}
	e := &Error{Status: status, Type: typeFor(status)}
	switch doc, ok := parseEnvelope(body); {
	case ok:
		e.Message = checked(string(doc.Message))
		if word := identifier(string(doc.Type)); word != "" {
			e.Type = word
		}
		e.Code, e.Param = identifier(string(doc.Code)), identifier(string(doc.Param))
	case plainText(body):
		e.Message = checked(string(body[:min(len(body), MaxErrorBody)]))
	}
	if n, err := strconv.Atoi(e.Code); err == nil && n == status {
		e.Code = "" // llama-server and vLLM repeat the status; a code is a word
	}
	if e.Message == "" {
		e.Message = fmt.Sprintf("the model server answered with status %d and no reason", status)
	}
	if status == http.StatusPaymentRequired {
		// OpenAI reports an empty account as 429, and clients look for that.
		e.Status, e.Type, e.Code = http.StatusTooManyRequests, CodeQuota, CodeQuota
	}
	return e
}

// InAnswer finds the error document in an answer that claims success: some
// servers send 200, or a chunk of a stream, with {"error":…} inside. It
// returns nil if data is not one.
func InAnswer(data []byte) *Error {
	if !bytes.Contains(data, []byte(`"error"`)) {
		return nil
	}
	var has struct {
		Error json.RawMessage `json:"error"`
	}
	if json.Unmarshal(data, &has) != nil || len(has.Error) == 0 || string(has.Error) == "null" {
		return nil
	}
	status := http.StatusBadGateway
	var numbered struct {
		Code json.Number `json:"code"`
	}
	if json.Unmarshal(has.Error, &numbered) == nil {
		if n, err := strconv.Atoi(numbered.Code.String()); err == nil && n >= 400 && n <= 599 {
			status = n
		}
	}
	e := FromUpstream(status, data)
	if e.Code == CodeQuota { // as the status of an answer has it
		e.Status = http.StatusTooManyRequests
	}
	return e
}

// InEvent is InAnswer for the data of one event of a stream. A server that fails
// within an event may begin the frame that says so on its next line, and then
// the two come as one event.
func InEvent(data []byte) *Error {
	if e := InAnswer(data); e != nil {
		return e
	}
	if i := bytes.LastIndexByte(data, '\n'); i >= 0 {
		return InAnswer(data[i+1:])
	}
	return nil
}

// OnlyUsage reports whether a chunk of a stream holds token counts and no
// choices. OpenAI sends one only if stream_options.include_usage asks for it.
func OnlyUsage(data []byte) bool {
	if !bytes.Contains(data, []byte(`"usage"`)) {
		return false
	}
	var chunk struct {
		Choices []struct{}      `json:"choices"`
		Usage   json.RawMessage `json:"usage"`
	}
	return json.Unmarshal(data, &chunk) == nil && len(chunk.Choices) == 0 && len(chunk.Usage) > 0 && chunk.Usage[0] == '{'
}

// envelope is what is read from another server's error document.
type envelope struct {
	Message word `json:"message"`
	Type    word `json:"type"`
	Code    word `json:"code"`
	Param   word `json:"param"`
}

// word is an identifier, a number, or anything else, which counts as absent.
type word string

func (w *word) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		*w = word(s)
		return nil
	}
	var n json.Number
	if json.Unmarshal(b, &n) == nil {
		*w = word(n.String())
	}
	return nil
}

// parseEnvelope reads the error documents that servers are known to send.
func parseEnvelope(body []byte) (envelope, bool) {
	if len(body) > MaxErrorBody {
		return envelope{}, false
	}
	var doc struct {
		envelope                 // vLLM before 0.11
		Error    json.RawMessage `json:"error"`
		Detail   json.RawMessage `json:"detail"` // FastAPI
	}
	if json.Unmarshal(body, &doc) != nil {
		return envelope{}, false
	}
	var (
		inner envelope
		text  string
	)
	switch {
	case len(doc.Error) > 0 && json.Unmarshal(doc.Error, &text) == nil && text != "":
		return envelope{Message: word(text)}, true
	case len(doc.Error) > 0 && json.Unmarshal(doc.Error, &inner) == nil && inner != (envelope{}):
		return inner, true
	case doc.Message != "":
		return doc.envelope, true
	case len(doc.Detail) > 0 && json.Unmarshal(doc.Detail, &text) == nil:
		return envelope{Message: word(text)}, true
	case len(doc.Detail) > 0:
		return envelope{Message: word(doc.Detail)}, true
	}
	return envelope{}, true // JSON, but it says nothing we know
}

// typeFor is the error type a client expects with status.
func typeFor(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return TypeAuthentication
	case http.StatusForbidden:
		return TypePermission
	case http.StatusNotFound:
		return TypeNotFound
	case http.StatusTooManyRequests:
		return TypeRateLimit
	}
	if status >= 500 {
		return TypeUpstream
	}
	return TypeInvalidRequest
}

// identifier is s if it looks like one, else "".
func identifier(s string) string {
	if len(s) > maxErrorWord || !printable(s) || strings.ContainsAny(s, " <>/\\") || secret.MatchString(s) {
		return ""
	}
	return s
}

// plainText reports whether body is words rather than markup or data.
func plainText(body []byte) bool {
	b := bytes.TrimSpace(body)
	return len(b) > 0 && b[0] != '<' && b[0] != '{' && b[0] != '[' &&
		!bytes.Contains(bytes.ToLower(b[:min(len(b), MaxErrorBody)]), []byte("<html"))
}

// checked is what may be repeated of another server's words.
func checked(s string) string {
	return clip(hidePaths(hideKeys(oneLine(s))), maxErrorMessage)
}

// secret is what looks like an API key: a bearer token, or one of OpenAI's form.
var secret = regexp.MustCompile(`(?i)(\bbearer\s+)[A-Za-z0-9._~+/=-]{16,}|(^|[^A-Za-z0-9])sk-[A-Za-z0-9*._-]{6,}`)

// hideKeys replaces keys: that of the server's own customer is not for whoever
// asks through him.
func hideKeys(s string) string { return secret.ReplaceAllString(s, "${1}${2}[key]") }

// hidePaths replaces file names and addresses of the machine that wrote s,
// which are nobody else's business, and keeps paths of the API.
func hidePaths(s string) string {
	words := strings.Fields(s)
	for i, w := range words {
		bare := strings.Trim(w, `'"()[]{}<>,.;:=`)
		switch {
		case strings.Contains(bare, "://"):
			words[i] = "[address]"
		case strings.HasPrefix(bare, "/v1/"), strings.HasPrefix(bare, "/api/"):
		case strings.HasPrefix(bare, "/") && strings.Count(bare, "/") > 1,
			strings.HasPrefix(bare, "~/"), strings.Contains(bare, `:\`):
			words[i] = "[path]"
		}
	}
	return strings.Join(words, " ")
}
