package mock_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/api/sse"
)

// schemas are those of OpenAI's published description.
type schemas map[string]map[string]any

func openAPI(t *testing.T) schemas {
	t.Helper()
	path := cmp.Or(os.Getenv("CULVERT_OPENAPI"), "../../../../shared/openai/openapi.json")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Skipf("SKIP %s: OpenAI's description is not at %s", t.Name(), path)
	}
	var doc struct{ Components struct{ Schemas schemas } }
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	return doc.Components.Schemas
}

// check compares v with the parts of a schema that say what must be there:
// types, required members, and values of enumerations.
func (s schemas) check(schema map[string]any, v any, at string) (problems []string) {
	if ref, ok := schema["$ref"].(string); ok {
		return s.check(s[strings.TrimPrefix(ref, "#/components/schemas/")], v, at)
	}
	for _, key := range []string{"anyOf", "oneOf"} {
		if options, ok := schema[key].([]any); ok {
			for _, o := range options {
				if len(s.check(o.(map[string]any), v, at)) == 0 {
					return nil
				}
			}
			return []string{at + " is none of the types it may have"}
		}
	}
	kind := "null"
	switch x := v.(type) {
	case map[string]any:
		kind = "object"
		required, _ := schema["required"].([]any)
		for _, name := range required {
			if _, ok := x[name.(string)]; !ok {
				problems = append(problems, fmt.Sprintf("%s lacks %s", at, name))
			}
		}
		properties, _ := schema["properties"].(map[string]any)
		for name, p := range properties {
			if value, ok := x[name]; ok {
				problems = append(problems, s.check(p.(map[string]any), value, at+"."+name)...)
			}
		}
	case []any:
		kind = "array"
		if items, ok := schema["items"].(map[string]any); ok {
			for i, value := range x {
				problems = append(problems, s.check(items, value, fmt.Sprintf("%s[%d]", at, i))...)
			}
		}
	case string:
		kind = "string"
	case bool:
		kind = "boolean"
	case float64:
		kind = "number"
	}
	if nullable, _ := schema["nullable"].(bool); nullable && v == nil {
		return problems
	}
	want, typed := schema["type"].(string)
	if typed && kind != want && (want != "integer" || kind != "number") {
		problems = append(problems, fmt.Sprintf("%s is a %s, not a %s", at, kind, want))
	}
	if values, ok := schema["enum"].([]any); ok && !slices.Contains(values, v) {
		problems = append(problems, fmt.Sprintf("%s is %v, none of %v", at, v, values))
	}
	return problems
}

// TestSchemas compares every answer of the demo model with OpenAI's description.
func TestSchemas(t *testing.T) {
	s := openAPI(t)
	for _, c := range []struct{ path, body, schema string }{
		{"/v1/chat/completions", `{"model":"culvert-demo","messages":[{"role":"user","content":"x"}]}`, "CreateChatCompletionResponse"},
		{"/v1/chat/completions", `{"model":"culvert-demo","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"x"}]}`, "CreateChatCompletionStreamResponse"},
		{"/v1/completions", `{"model":"culvert-demo","prompt":"x"}`, "CreateCompletionResponse"},
		{"/v1/completions", `{"model":"culvert-demo","prompt":"x","max_tokens":2}`, "CreateCompletionResponse"},
		{"/v1/embeddings", `{"model":"culvert-demo","input":["x","y"]}`, "CreateEmbeddingResponse"},
	} {
		text := ask(t, c.path, c.body)
		docs := [][]byte{text}
		if strings.Contains(c.body, `"stream":true`) {
			docs = nil
			events := sse.NewReader(strings.NewReader(string(text)), sse.MaxEvent)
			for e, err := events.Next(); err == nil && !e.IsDone(); e, err = events.Next() {
				docs = append(docs, slices.Clone(e.Data))
			}
		}
		if len(docs) == 0 {
			t.Errorf("%s: nothing to compare", c.body)
		}
		for _, doc := range docs {
			var v any
			if err := json.Unmarshal(doc, &v); err != nil {
				t.Fatal(err)
			}
			for _, problem := range s.check(s[c.schema], v, c.schema) {
				t.Errorf("%s %s: %s", c.path, doc, problem)
			}
		}
	}
}
