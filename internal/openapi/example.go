package openapi

import (
	"maps"
	"slices"
	"strings"
)

// sampler makes up values that keep to a schema as it is published.
type sampler struct {
	schemas map[string]any
	least   bool // leave out what is not required
}

// sample makes a value for a schema; name is what the member is called.
func (s sampler) sample(schema map[string]any, name string) any {
	schema = s.flat(schema)
	if values, ok := schema["enum"].([]any); ok {
		return values[0]
	}
	for _, of := range []string{"anyOf", "oneOf"} {
		if choice, ok := schema[of].([]any); ok {
			return s.sample(choice[0].(map[string]any), name)
		}
	}
	kind, _ := schema["type"].(string)
	if kind == "" && schema["properties"] != nil {
		kind = "object"
	}
	switch kind {
	case "object":
		return s.object(schema)
	case "array":
		return []any{s.sample(schema["items"].(map[string]any), name)}
	case "string":
		return sampleText(schema["format"], name)
	case "integer", "number":
		return 1
	case "boolean":
		return true
	}
	return nil
}

func (s sampler) object(schema map[string]any) map[string]any {
	out := map[string]any{}
	members, _ := schema["properties"].(map[string]any)
	required, _ := schema["required"].([]any)
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if !s.least || slices.Contains(required, any(name)) {
			out[name] = s.sample(members[name].(map[string]any), name)
		}
	}
	if more, ok := schema["additionalProperties"].(map[string]any); ok && !s.least {
		out["key"] = s.sample(more, "key")
	}
	return out
}

// flat is a schema with what it refers to and what it joins in one.
func (s sampler) flat(schema map[string]any) map[string]any {
	out := maps.Clone(schema)
	if ref, ok := schema["$ref"].(string); ok {
		maps.Copy(out, s.flat(s.schemas[strings.TrimPrefix(ref, reference(""))].(map[string]any)))
	}
	joined, _ := schema["allOf"].([]any)
	for _, part := range joined {
		maps.Copy(out, s.flat(part.(map[string]any)))
	}
	return out
}

func sampleText(format any, name string) string {
	switch format {
	case "uri":
		return "https://example.org/" + name
	case "date":
		return "2026-01-31"
	}
	return "some " + name
}
