package openai

import (
	"encoding/json"
	"strconv"
	"strings"
)

// View is what was read from a request body. It stays true only as long as
// the body is unchanged.
type View struct {
	Model        string
	Stream       bool
	IncludeUsage bool    // stream_options.include_usage
	N            int     // answers asked for; 1 if the body does not say
	Words        int     // of the prompt; a tokenizer makes at least as many tokens of it
	Inputs       int     // texts to embed; 0 for other requests
	Fields       []Field // every top-level member, in the body's order

	prompt  string // the field that holds it
	prompts int    // texts that are continued each by itself; 0 for other requests
}

// Prompt is the name of the field that holds the prompt.
func (v View) Prompt() string { return v.prompt }

// Field is one top-level member of a body, as offsets into it.
type Field struct {
	Name       string // decoded; "" if longer than any name a rule knows
	Start, End int    // the member, from the name's quote to the value's end
	Value      int    // where the value starts
}

// Raw is the value's bytes in body.
func (f Field) Raw(body []byte) []byte { return body[f.Value:f.End] }

// Lookup finds a member by name, without regard to case: servers written in
// Go take "Model" for "model". Routed fields are unique, of others the last
// one counts, as it does for most parsers.
func (v View) Lookup(name string) (Field, bool) {
	for i := len(v.Fields) - 1; i >= 0; i-- {
		if strings.EqualFold(v.Fields[i].Name, name) {
			return v.Fields[i], true
		}
	}
	return Field{}, false
}

// ParseChat reads a chat completion request. What it accepts is a JSON object
// with a model, at least one message with a role, and no second copy of a
// field that is routed, limited or billed on: the far end might believe the
// other one. Everything else is the far end's to judge, so the check stays
// small, but it is complete enough that servers which answer a malformed body
// with 500 (llama-server does) never see one.
func ParseChat(body []byte) (View, *Error) {
	v, e := parse(body, "messages", "stream", "stream_options", "n", "max_tokens", "max_completion_tokens", "tools")
	if e != nil {
		return View{}, e
	}
	if e := v.checkMessages(body); e != nil {
		return View{}, e
	}
	return v.answers(body)
}

// ParseCompletion reads a request to continue a text, by the same rules.
func ParseCompletion(body []byte) (View, *Error) {
	v, e := parse(body, "prompt", "stream", "stream_options", "n", "best_of", "max_tokens")
	if e != nil {
		return View{}, e
	}
	if v.prompts, e = v.texts(body); e != nil {
		return View{}, e
	}
	return v.answers(body)
}

// ParseEmbedding reads a request for embeddings, by the same rules. They are
// never streamed.
func ParseEmbedding(body []byte) (View, *Error) {
	v, e := parse(body, "input", "stream", "dimensions")
	if e != nil {
		return View{}, e
	}
	if v.Inputs, e = v.texts(body); e != nil {
		return View{}, e
	}
	if v.Inputs > maxInputs {
		return View{}, Invalid("input", "input has more than "+strconv.Itoa(maxInputs)+" texts; send them in several requests")
	}
	stream, e := v.boolean(body, "stream")
	switch {
	case e != nil:
		return View{}, e
	case stream:
		return View{}, Invalid("stream", "embeddings are not streamed; leave stream out or set it to false")
	}
	if e := v.checkNumber(body, "dimensions"); e != nil {
		return View{}, e
	}
	return v, nil
}

// otherModels are fields in which gateways (OpenRouter, LiteLLM) take models to
// ask where the one of the field model fails.
var otherModels = []string{"models", "fallbacks", "context_window_fallbacks", "content_policy_fallbacks"}

// OtherModels is the name of a field of body that may name models besides the
// one in model; "" if there is none.
func (v View) OtherModels(body []byte) string {
	for _, f := range v.Fields {
		for _, name := range otherModels {
			if strings.EqualFold(f.Name, name) && string(f.Raw(body)) != "null" {
				return name
			}
		}
	}
	return ""
}

// counts are the fields that hold a number, whichever route has them.
var counts = []string{"n", "best_of", "max_tokens", "max_completion_tokens"}

// parse reads what every request has: a model and, under the first of the
// names, a prompt. The names are the fields of the route that decide where a
// request goes, how its answer comes and what it may cost.
func parse(body []byte, routed ...string) (View, *Error) {
	if len(body) == 0 {
		return View{}, Invalid("", "the request body is empty; send a JSON object with model and "+routed[0])
	}
	if !Valid(body) {
		return View{}, Invalid("", "the request body is not valid JSON"+whereInvalid(body))
	}
	v, e := parseFields(body)
	if e != nil {
		return View{}, e
	}
	v.N, v.prompt = 1, routed[0]
	if e := v.checkUnique(append(routed, "model")); e != nil {
		return View{}, e
	}
	if v.Model, e = v.model(body); e != nil {
		return View{}, e
	}
	return v, nil
}

// answers reads how the answers of a model that writes are wanted.
func (v View) answers(body []byte) (View, *Error) {
	var e *Error
	if v.Stream, e = v.boolean(body, "stream"); e != nil {
		return View{}, e
	}
	if v.IncludeUsage, e = v.includeUsage(body); e != nil {
		return View{}, e
	}
	for _, name := range counts {
		if e := v.checkNumber(body, name); e != nil {
			return View{}, e
		}
	}
	if f, ok := v.Lookup("n"); ok {
		// A fraction, or more than an int holds, is the far end's to refuse.
		if n, err := strconv.Atoi(string(f.Raw(body))); err == nil {
			v.N = n
		}
	}
	return v, nil
}

// whereInvalid says where the syntax error is. The decoder's own text quotes
// the offending character of the body, and is not used.
func whereInvalid(body []byte) string {
	var none struct{}
	if s, ok := json.Unmarshal(body, &none).(*json.SyntaxError); ok {
		return " (the error is near byte " + strconv.FormatInt(s.Offset, 10) + ")"
	}
	return ""
}

// parseFields records where the top-level members of a valid document stand.
func parseFields(body []byte) (View, *Error) {
	s := scanner{b: body}
	s.space()
	if s.b[s.i] != '{' {
		return View{}, Invalid("", "the request body must be a JSON object")
	}
	var v View
	for s.enter('}') {
		if len(v.Fields) == maxFields {
			return View{}, Invalid("", "the request body has more than "+strconv.Itoa(maxFields)+" top-level fields")
		}
		f := Field{Start: s.i}
		f.Name = shortString(s.value())
		s.colon()
		f.Value = s.i
		s.value()
		f.End = s.i
		v.Fields = append(v.Fields, f)
	}
	return v, nil
}

func (v View) checkUnique(routed []string) *Error {
	for _, name := range routed {
		n := 0
		for _, f := range v.Fields {
			if strings.EqualFold(f.Name, name) {
				n++
			}
			if n > 1 {
				return Invalid(name, name+" is given twice (names are compared without regard to case); send it once")
			}
		}
	}
	return nil
}

func (v View) model(body []byte) (string, *Error) {
	f, ok := v.Lookup("model")
	if !ok {
		return "", Invalid("model", "model is missing; GET /v1/models lists what can be asked for")
	}
	raw := f.Raw(body)
	if raw[0] != '"' {
		return "", Invalid("model", "model must be a string")
	}
	if len(raw) > 6*maxModelName+2 { // every byte of a name written as an escape
		return "", Invalid("model", "model is longer than "+strconv.Itoa(maxModelName)+" bytes")
	}
	name := decodeString(raw)
	switch {
	case name == "":
		return "", Invalid("model", "model is empty; GET /v1/models lists what can be asked for")
	case len(name) > maxModelName:
		return "", Invalid("model", "model is longer than "+strconv.Itoa(maxModelName)+" bytes")
	case !printable(name):
		return "", Invalid("model", "model holds characters that no model's name has")
	}
	return name, nil
}

// checkMessages wants what every chat server needs and some answer with 500
// when it is missing.
func (v *View) checkMessages(body []byte) *Error {
	f, ok := v.Lookup("messages")
	if !ok {
		return Invalid("messages", "messages is missing; send at least one message")
	}
	s := scanner{b: f.Raw(body)}
	if s.b[0] != '[' {
		return Invalid("messages", "messages must be an array")
	}
	n := 0
	for s.enter(']') {
		param := "messages[" + strconv.Itoa(n) + "]"
		if s.b[s.i] != '{' {
			return Invalid(param, param+" must be an object")
		}
		roles, said, text := 0, "", []byte(nil)
		for s.enter('}') {
			name := shortString(s.value())
			s.colon()
			value := s.value()
			switch {
			case strings.EqualFold(name, "content"):
				text = value
			case strings.EqualFold(name, "role"):
				roles++
				if value[0] != '"' || len(value) == len(`""`) {
					return Invalid(param+".role", param+".role must be a string such as \"user\"")
				}
				said = shortString(value)
			}
		}
		if said != "assistant" { // of its own words templates leave some out
			v.Words += contentWords(text)
		}
		if roles != 1 {
			return Invalid(param+".role", param+" must have exactly one role")
		}
		n++
	}
	if n == 0 {
		return Invalid("messages", "messages is empty; send at least one message")
	}
	return nil
}

// texts reads a prompt that is no conversation: a text, several, or the tokens
// of one or of several. It returns how many texts there are.
func (v *View) texts(body []byte) (int, *Error) {
	f, ok := v.Lookup(v.prompt)
	if !ok {
		return 0, Invalid(v.prompt, v.prompt+" is missing; send a text or an array of texts")
	}
	s := scanner{b: f.Raw(body)}
	switch s.b[0] {
	case '"':
		v.Words = words(s.b)
		return 1, nil
	case '[':
	default:
		return 0, Invalid(v.prompt, v.prompt+" must be a text or an array of texts")
	}
	n, kind := 0, byte(0)
	for s.enter(']') {
		value := s.value()
		is := value[0]
		if is == '-' || '0' <= is && is <= '9' {
			is = '0'
		}
		if n > 0 && is != kind || is != '"' && is != '[' && is != '0' {
			return 0, Invalid(v.prompt, v.prompt+" must be an array of texts, of tokens, or of arrays of tokens")
		}
		if is == '"' {
			v.Words = max(v.Words, words(value)) // each is a prompt of its own
		}
		kind = is
		n++
	}
	switch {
	case n == 0:
		return 0, Invalid(v.prompt, v.prompt+" is empty; send at least one text")
	case kind == '0': // the tokens of one text
		return 1, nil
	}
	return n, nil
}

// Opening is what a conversation begins with, as raw bytes of body: its
// messages up to and including the first of a user. Later requests of the same
// conversation begin with the same, so it tells conversations apart. Without
// messages every prompt is a conversation of its own.
func (v View) Opening(body []byte) []byte {
	f, ok := v.Lookup(v.prompt)
	if !ok || v.prompt != "messages" {
		return f.Raw(body)
	}
	s := scanner{b: f.Raw(body)}
	for s.enter(']') {
		user := false
		for s.enter('}') {
			name := shortString(s.value())
			s.colon()
			value := s.value()
			user = user || strings.EqualFold(name, "role") && shortString(value) == "user"
		}
		if user {
			break
		}
	}
	return s.b[:s.i]
}

func (v View) boolean(body []byte, name string) (bool, *Error) {
	f, ok := v.Lookup(name)
	if !ok {
		return false, nil
	}
	switch string(f.Raw(body)) {
	case "true":
		return true, nil
	case "false", "null":
		return false, nil
	}
	return false, Invalid(name, name+" must be true or false")
}

func (v View) includeUsage(body []byte) (bool, *Error) {
	f, ok := v.Lookup("stream_options")
	if !ok || string(f.Raw(body)) == "null" {
		return false, nil
	}
	s := scanner{b: f.Raw(body)}
	if s.b[0] != '{' {
		return false, Invalid("stream_options", "stream_options must be an object")
	}
	include, seen := false, false
	for s.enter('}') {
		name := shortString(s.value())
		s.colon()
		value := string(s.value())
		if !strings.EqualFold(name, "include_usage") {
			continue
		}
		if seen || value != "true" && value != "false" && value != "null" {
			return false, Invalid("stream_options.include_usage", "stream_options.include_usage must be true or false, once")
		}
		include, seen = value == "true", true
	}
	return include, nil
}

// checkNumber leaves the range to the far end: some servers take -1 for "as
// much as you like".
func (v View) checkNumber(body []byte, name string) *Error {
	f, ok := v.Lookup(name)
	if !ok {
		return nil
	}
	switch raw := f.Raw(body); {
	case raw[0] == '-', '0' <= raw[0] && raw[0] <= '9', string(raw) == "null":
		return nil
	}
	return Invalid(name, name+" must be a number")
}

// contentWords counts the words of a message's content: a string, or the texts
// of a list of parts. Images and sounds, which are parts too, count nothing.
func contentWords(raw []byte) int {
	if len(raw) == 0 || raw[0] != '[' {
		return words(raw)
	}
	n, s := 0, scanner{b: raw}
	for s.enter(']') {
		if s.b[s.i] != '{' {
			s.value()
			continue
		}
		for s.enter('}') {
			name := shortString(s.value())
			s.colon()
			if value := s.value(); strings.EqualFold(name, "text") {
				n += words(value)
			}
		}
	}
	return n
}

// words counts runs of ASCII letters and digits behind a space in a raw JSON
// string: whatever the tokenizer, none of its tokens spans two of them. Other
// scripts count nothing, which only makes the number smaller.
func words(raw []byte) int {
	if len(raw) == 0 || raw[0] != '"' {
		return 0
	}
	n := 0
	for i, c := range raw[1 : len(raw)-1] {
		if before := raw[i]; (before == ' ' || i == 0) &&
			('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9') {
			n++
		}
	}
	return n
}
