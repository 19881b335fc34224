package openapi

// Exception is one place where an answer is measured by something else than
// the description's letter.
type Exception struct {
	Where string
	Rule  string // what is accepted, or asked for, here
	Why   string
}

// Exceptions is the whole table. docs/design/schema.md is the same table for
// people; a test compares the two.
var Exceptions = []Exception{
	{
		"any schema with `nullable`", "null is a value of it",
		"the keyword is of OpenAPI 3.0 and means nothing in 3.1, but OpenAI's own streams have these nulls",
	},
	{
		"events of `/completions`", "`finish_reason` and `usage` may be null",
		"the description has one object for answers and events; an event before the last has no reason to finish yet",
	},
	{
		"vectors of `/embeddings`", "a text in base64 if `encoding_format` asked for it",
		"the description has lists of numbers only; OpenAI's client libraries ask for base64 and expect it",
	},
	{
		"every status from 400 on", "is an `ErrorResponse`",
		"the description names it for 429 only; all of OpenAI's errors have this shape",
	},
	{
		"event streams", "end with `[DONE]`, or with one `ErrorResponse` and a cut connection",
		"the description says nothing about how a stream ends",
	},
}

// amend turns the trimmed copy into what a JSON Schema validator
// understands. It changes doc.
func amend(doc map[string]any) {
	schemas := doc["components"].(map[string]any)["schemas"].(map[string]any)

	event := clone(schemas["CreateCompletionResponse"]).(map[string]any)
	members := properties(event)
	members["usage"] = orNull(members["usage"])
	choice := properties(members["choices"].(map[string]any)["items"].(map[string]any))
	choice["finish_reason"] = orNull(choice["finish_reason"])
	schemas[completionEvent] = event

	packed := clone(schemas["CreateEmbeddingResponse"]).(map[string]any)
	one := clone(schemas["Embedding"]).(map[string]any)
	properties(one)["embedding"] = map[string]any{"type": "string", "contentEncoding": "base64"}
	properties(packed)["data"].(map[string]any)["items"] = one
	schemas[packedVectors] = packed

	for name, s := range schemas {
		schemas[name] = nullable(s)
	}
}

func properties(schema map[string]any) map[string]any {
	return schema["properties"].(map[string]any)
}

func orNull(schema any) any {
	return map[string]any{"anyOf": []any{schema, map[string]any{"type": "null"}}}
}

// nullable writes the keyword in terms that JSON Schema knows, in a schema and
// all within.
func nullable(v any) any {
	switch v := v.(type) {
	case map[string]any:
		is := v["nullable"] == true
		delete(v, "nullable")
		for k := range v {
			v[k] = nullable(v[k])
		}
		if is {
			return orNull(v)
		}
	case []any:
		for i := range v {
			v[i] = nullable(v[i])
		}
	}
	return v
}

// clone copies a decoded document.
func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k := range v {
			out[k] = clone(v[k])
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = clone(v[i])
		}
		return out
	}
	return v
}
