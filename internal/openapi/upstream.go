package openapi

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Full and Least are models that every Upstream has. The answers of Least have
// only the members that the description requires; those of any other model
// have all it knows.
const (
	Full  = "full"
	Least = "least"
)

// Upstream is a model server whose answers are made up from the description. It
// answers 400 to a request that breaks the description, and says where.
type Upstream struct {
	description *Description
	models      []string
}

// NewUpstream returns an Upstream with these models besides its own.
func NewUpstream(d *Description, models ...string) *Upstream {
	return &Upstream{d, append([]string{Full, Least}, models...)}
}

// ServeHTTP implements http.Handler.
func (u *Upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	route, ok := routeOf(r.Method, r.URL.Path)
	if !ok {
		fail(w, http.StatusNotFound, "the description has no "+r.Method+" "+r.URL.Path)
		return
	}
	text, err := io.ReadAll(io.LimitReader(r.Body, maxRequest))
	if err != nil {
		return // the client is gone
	}
	if route.request != "" {
		if err := u.description.validate(route.request, text); err != nil {
			fail(w, http.StatusBadRequest, err.Error())
			return
		}
	}
	var q question
	if err := json.Unmarshal(text, &q); err != nil && route.request != "" {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	s := sampler{u.description.schemas(), q.Model == Least}
	switch {
	case route.path == "/models":
		list := s.of("ListModelsResponse")
		var all []any
		for _, id := range u.models {
			m := s.of("Model")
			m["id"] = id
			all = append(all, m)
		}
		list["data"] = all
		answer(w, list)
	case route.request == "":
		m := s.of(route.document)
		m["id"] = strings.TrimPrefix(r.URL.Path, prefix+"/models/")
		answer(w, m)
	case route.path == "/embeddings":
		answer(w, q.vectors(s))
	case q.Stream:
		q.stream(w, s, route)
	default:
		doc := s.of(route.document)
		doc["model"] = q.Model
		doc["choices"] = q.choices(doc, func(map[string]any) {})
		answer(w, doc)
	}
}

// question is what is looked at of a request.
type question struct {
	Model  string `json:"model"`
	Stream bool   `json:"stream"`
	N      int    `json:"n"`

	StreamOptions struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`

	Input      json.RawMessage `json:"input"`
	Dimensions int             `json:"dimensions"`
	Format     string          `json:"encoding_format"`
}

// choices are as many as were asked for, each like the one of doc but for what
// change does.
func (q question) choices(doc map[string]any, change func(map[string]any)) []any {
	one := doc["choices"].([]any)[0]
	var all []any
	for i := range max(q.N, 1) {
		c := clone(one).(map[string]any)
		c["index"] = i
		change(c)
		all = append(all, c)
	}
	return all
}

// stream sends an event with text, one with the reason for the end, the usage
// if it is wanted, and the end.
func (q question) stream(w http.ResponseWriter, s sampler, r route) {
	published := r.event
	if published == completionEvent {
		published = r.document
	}
	w.Header().Set("Content-Type", stream)
	send := func(change func(doc map[string]any)) {
		doc := s.of(published)
		doc["model"] = q.Model
		delete(doc, "usage")
		if q.StreamOptions.IncludeUsage {
			doc["usage"] = nil
		}
		change(doc)
		text, err := json.Marshal(doc)
		if err != nil {
			panic("openapi: decoded JSON always marshals: " + err.Error())
		}
		_, _ = fmt.Fprintf(w, "data: %s\n\n", text) // the client may be gone
		_ = http.NewResponseController(w).Flush()
	}
	send(func(doc map[string]any) {
		doc["choices"] = q.choices(doc, func(c map[string]any) { c["finish_reason"] = nil })
	})
	send(func(doc map[string]any) {
		doc["choices"] = q.choices(doc, func(c map[string]any) {
			if c["delta"] != nil {
				c["delta"] = map[string]any{}
			} else {
				c["text"] = ""
			}
		})
	})
	if q.StreamOptions.IncludeUsage {
		send(func(doc map[string]any) {
			doc["choices"], doc["usage"] = []any{}, s.of("CompletionUsage")
		})
	}
	_, _ = io.WriteString(w, "data: "+done+"\n\n")
}

// vectors are one for each text, of the length and form that was asked for.
func (q question) vectors(s sampler) map[string]any {
	doc := s.of("CreateEmbeddingResponse")
	var texts []any
	_ = json.Unmarshal(q.Input, &texts) // one text is no list
	n := len(texts)
	if n == 0 {
		n = 1
	} else if _, tokens := texts[0].(float64); tokens {
		n = 1
	}
	size := max(q.Dimensions, 1)
	var all []any
	for i := range n {
		one := s.of("Embedding")
		one["index"] = i
		one["embedding"] = make([]float32, size)
		if q.Format == "base64" {
			one["embedding"] = base64.StdEncoding.EncodeToString(make([]byte, 4*size))
		}
		all = append(all, one)
	}
	doc["model"], doc["data"] = q.Model, all
	return doc
}

func (s sampler) of(schema string) map[string]any {
	return s.sample(map[string]any{"$ref": reference(schema)}, schema).(map[string]any)
}

func (d *Description) schemas() map[string]any {
	return d.doc["components"].(map[string]any)["schemas"].(map[string]any)
}

func answer(w http.ResponseWriter, doc any) {
	w.Header().Set("Content-Type", document)
	_ = json.NewEncoder(w).Encode(doc) // the client may be gone
}

func fail(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", document)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{
		"message": message, "type": "invalid_request_error", "param": nil, "code": nil,
	}})
}
