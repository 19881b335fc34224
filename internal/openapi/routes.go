package openapi

import "strings"

// route is one operation of the description.
type route struct {
	method, path string // the path as the description has it: without /v1, with {names}

	request  string // schema of the body; "" if there is none
	document string // schema of an answer that is not streamed
	event    string // schema of each event of a stream; "" if there are none
}

// routes are the operations that are kept in the trimmed copy and checked. A
// test compares the names with what the copy itself says of each operation.
var routes = []route{
	{"post", "/chat/completions", "CreateChatCompletionRequest", "CreateChatCompletionResponse", "CreateChatCompletionStreamResponse"},
	{"post", "/completions", "CreateCompletionRequest", "CreateCompletionResponse", completionEvent},
	{"post", "/embeddings", "CreateEmbeddingRequest", "CreateEmbeddingResponse", ""},
	{"get", "/models", "", "ListModelsResponse", ""},
	{"get", "/models/{model}", "", "Model", ""},
}

// failure is the schema of every answer that is no success.
const failure = "ErrorResponse"

// Schemas that are made from published ones; see Exceptions.
const (
	completionEvent = "CreateCompletionStreamResponse"
	packedVectors   = "CreatePackedEmbeddingResponse"
)

// prefix is what stands before the paths of the description.
const prefix = "/v1"

// unpublished are pages of ours that the description knows nothing of.
var unpublished = []string{"/", "/livez", "/readyz", "/metrics"}

// routeOf finds the operation of a request. HEAD is a GET whose answer has no
// body.
func routeOf(method, path string) (route, bool) {
	if method == "HEAD" {
		method = "GET"
	}
	rest, ok := strings.CutPrefix(path, prefix)
	if !ok {
		return route{}, false
	}
	for _, r := range routes {
		before, _, open := strings.Cut(r.path, "{")
		if !strings.EqualFold(r.method, method) {
			continue
		}
		if rest == r.path || open && len(rest) > len(before) && strings.HasPrefix(rest, before) {
			return r, true
		}
	}
	return route{}, false
}
