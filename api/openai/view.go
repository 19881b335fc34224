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
	Fields       []Field // every top-level member, in the body's order
}

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
	if len(body) == 0 {
		return View{}, Invalid("", "the request body is empty; send a JSON object with model and messages")
	}
	if !json.Valid(body) {
		return View{}, Invalid("", "the request body is not valid JSON"+whereInvalid(body))
	}
	v, e := parseFields(body)
	if e != nil {
		return View{}, e
	}
	if e := v.checkUnique(); e != nil {
		return View{}, e
	}
	if v.Model, e = v.model(body); e != nil {
		return View{}, e
	}
	if e := v.checkMessages(body); e != nil {
		return View{}, e
	}
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
	return v, nil
}

// routed fields decide where a request goes, how the answer comes and what it
// may cost. counts are those of them that hold a number.
var (
	routed = []string{"model", "messages", "stream", "stream_options", "n", "max_tokens", "max_completion_tokens"}
	counts = []string{"n", "max_tokens", "max_completion_tokens"}
)

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

func (v View) checkUnique() *Error {
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
func (v View) checkMessages(body []byte) *Error {
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
		roles := 0
		for s.enter('}') {
			name := shortString(s.value())
			s.colon()
			value := s.value()
			if !strings.EqualFold(name, "role") {
				continue
			}
			roles++
			if value[0] != '"' || len(value) == len(`""`) {
				return Invalid(param+".role", param+".role must be a string such as \"user\"")
			}
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

// Opening is what a conversation begins with, as raw bytes of body: its
// messages up to and including the first of a user. Later requests of the same
// conversation begin with the same, so it tells conversations apart.
func (v View) Opening(body []byte) []byte {
	f, ok := v.Lookup("messages")
	if !ok {
		return nil
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
