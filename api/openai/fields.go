package openai

import (
	"encoding/json"
	"strings"
)

// Action is what Scrub does to a field.
type Action string

const (
	// Drop removes the field.
	Drop Action = "dropped"

	// Pseudonymise replaces a string by one that means the same only within
	// one circuit; anything that is not a string is removed.
	Pseudonymise Action = "pseudonymised"

	// Refuse sets the field to false: the provider is not asked for it.
	Refuse Action = "set to false"
)

// FieldRule is one row of the published table of fields that are edited
// before a request leaves the machine.
type FieldRule struct {
	Name   string // top-level field, compared without regard to case
	Action Action
	Why    string
}

// FieldRules is the whole table: no other byte of a body is ever changed.
// docs/spec/fields.md is the same table for people; a test compares the two.
var FieldRules = []FieldRule{
	{"user", Drop, "names the person or account behind the request"},
	{"safety_identifier", Drop, "is a stable hash of the person, made to recognise them across requests"},
	{"metadata", Drop, "holds free-form labels of the application, such as ticket or session numbers"},
	{"prompt_cache_key", Pseudonymise, "keeps prompts of one conversation on one cache, and would link requests across circuits"},
	{"store", Refuse, "asks the provider to keep the conversation for later retrieval"},
}

// Scrub applies FieldRules to body, which v was read from. model is what the
// model is called where the body goes; "" leaves it. pseudonym maps a field's
// name and value to what is sent instead; nil drops such fields. A body that no
// rule touches is returned as it is.
func Scrub(body []byte, v View, model string, pseudonym func(field, value string) string) []byte {
	edits := v.rename(model)
	for i, f := range v.Fields {
		rule, ok := ruleFor(f.Name)
		if !ok {
			continue
		}
		if value, changed := rule.apply(f.Raw(body), pseudonym); changed {
			edits = append(edits, Edit{Field: i, Value: value})
		}
	}
	return v.Edit(body, edits)
}

// Rename is body, which v was read from, with another name in its model field.
func Rename(body []byte, v View, model string) []byte { return v.Edit(body, v.rename(model)) }

func (v View) rename(model string) []Edit {
	if model == "" || model == v.Model {
		return nil
	}
	for i, f := range v.Fields {
		if strings.EqualFold(f.Name, "model") {
			return []Edit{{Field: i, Value: quoted(model)}}
		}
	}
	return nil
}

// quoted is s as a JSON string.
func quoted(s string) []byte {
	b, err := json.Marshal(s)
	if err != nil {
		panic("openai: strings always marshal: " + err.Error())
	}
	return b
}

func ruleFor(name string) (FieldRule, bool) {
	for _, r := range FieldRules {
		if strings.EqualFold(r.Name, name) {
			return r, true
		}
	}
	return FieldRule{}, false
}

// apply returns the value to send instead of raw, nil to drop the field, and
// whether anything is to change at all.
func (r FieldRule) apply(raw []byte, pseudonym func(field, value string) string) ([]byte, bool) {
	switch r.Action {
	case Pseudonymise:
		if raw[0] != '"' || pseudonym == nil {
			return nil, true
		}
		return quoted(pseudonym(r.Name, decodeString(raw))), true
	case Refuse:
		if s := string(raw); s == "false" || s == "null" {
			return nil, false
		}
		return []byte("false"), true
	default:
		return nil, true
	}
}
