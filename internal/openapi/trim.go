package openapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// Trim cuts the whole description down to the routes that are checked and what
// they refer to, without what is only for people to read.
func Trim(full []byte) ([]byte, error) {
	var doc struct {
		OpenAPI    string                               `json:"openapi"`
		Info       map[string]any                       `json:"info"`
		Paths      map[string]map[string]map[string]any `json:"paths"`
		Components map[string]map[string]any            `json:"components"`
	}
	if err := json.Unmarshal(full, &doc); err != nil {
		return nil, fmt.Errorf("openapi: the description cannot be read: %w", err)
	}
	t := trimmer{all: doc.Components, kept: map[string]map[string]any{}}
	paths := map[string]map[string]any{}
	for _, r := range routes {
		op := doc.Paths[r.path][r.method]
		if op == nil {
			return nil, fmt.Errorf("openapi: the description has no %s %s", r.method, r.path)
		}
		if paths[r.path] == nil {
			paths[r.path] = map[string]any{}
		}
		paths[r.path][r.method] = t.keep(op)
	}
	t.keep(map[string]any{"$ref": reference(failure)})
	if t.err != nil {
		return nil, t.err
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	err := enc.Encode(map[string]any{
		"openapi": doc.OpenAPI,
		"info": map[string]any{
			"title": doc.Info["title"], "version": doc.Info["version"], "license": doc.Info["license"],
		},
		"paths": paths, "components": t.kept,
	})
	return out.Bytes(), err
}

// reference is how the description refers to a schema.
func reference(schema string) string { return "#/components/schemas/" + schema }

// forPeople are keywords that no validator looks at, besides those that begin
// with x-.
var forPeople = map[string]bool{
	"description": true, "summary": true, "title": true, "example": true, "tags": true, "deprecated": true,
}

type trimmer struct {
	all, kept map[string]map[string]any // components by kind and name
	err       error
}

// keep copies a part of the description, and the components it refers to.
func (t *trimmer) keep(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if ref, ok := v["$ref"].(string); ok {
			t.follow(ref)
		}
		out := map[string]any{}
		for k, inner := range v {
			switch {
			case k == "properties":
				out[k] = t.members(inner)
			case !forPeople[k] && !strings.HasPrefix(k, "x-"):
				out[k] = t.keep(inner)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = t.keep(v[i])
		}
		return out
	}
	return v
}

// members keeps all of them: a member may be called description.
func (t *trimmer) members(v any) any {
	out := map[string]any{}
	named, _ := v.(map[string]any)
	for name, schema := range named {
		out[name] = t.keep(schema)
	}
	return out
}

// follow keeps the component that ref names.
func (t *trimmer) follow(ref string) {
	parts := strings.Split(strings.TrimPrefix(ref, "#/components/"), "/")
	if len(parts) != 2 || t.all[parts[0]][parts[1]] == nil {
		t.err = fmt.Errorf("openapi: the description refers to %s, which it does not have", ref)
		return
	}
	kind, name := parts[0], parts[1]
	if t.kept[kind] == nil {
		t.kept[kind] = map[string]any{}
	}
	if t.kept[kind][name] == nil {
		t.kept[kind][name] = true // while it is being kept: it may refer to itself
		t.kept[kind][name] = t.keep(t.all[kind][name])
	}
}
