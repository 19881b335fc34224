//go:build clients

package clients

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/culvert-net/culvert/api/backend/backendtest"
)

// model is the one that the upstream serves. Its name has what has to be
// escaped in a URL.
const model = "culvert-test/chat:8b"

// plan is what a prompt asks the upstream to do.
type plan struct {
	Do     string `json:"do"`
	Nonce  string `json:"nonce"`  // of one case, repeated by the answer
	Tokens int    `json:"tokens"` // of the prompt, as the answer is to count them
	Text   string `json:"text"`   // to embed

	// Of an answer that is an error, the first Times times, or always if 0.
	Status int `json:"status"`
	After  int `json:"after"` // Retry-After, in seconds
	Times  int `json:"times"`
}

// server is a model server that does what prompts say.
type server struct {
	*backendtest.Upstream
	control *httptest.Server // where clients ask whether a request has arrived
	to      *target          // the bridge in front of it, set before any client comes

	mu      sync.Mutex // guards what follows
	arrived *sync.Cond // on mu: a request came
	seen    map[string][]*visit
}

// visit is one request with a plan.
type visit struct {
	*backendtest.Call
	at time.Time
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{Upstream: backendtest.NewUpstream(t), seen: make(map[string][]*visit)}
	s.arrived = sync.NewCond(&s.mu)
	s.Set(s.serve)
	s.control = httptest.NewServer(http.HandlerFunc(s.wait))
	t.Cleanup(s.control.Close)
	return s
}

// visits are the requests that came with a nonce.
func (s *server) visits(nonce string) []*visit {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.seen[nonce])
}

// wait answers once a request with the nonce in the path has come.
func (s *server) wait(w http.ResponseWriter, r *http.Request) {
	late := false
	timer := time.AfterFunc(patience, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		late = true
		s.arrived.Broadcast()
	})
	defer timer.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.seen[strings.TrimPrefix(r.URL.Path, "/arrived/")]) == 0 && !late {
		s.arrived.Wait()
	}
	if late {
		w.WriteHeader(http.StatusGatewayTimeout)
	}
}

// note keeps that a request came, and says how many did so far.
func (s *server) note(nonce string, c *backendtest.Call) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen[nonce] = append(s.seen[nonce], &visit{c, time.Now()})
	s.arrived.Broadcast()
	return len(s.seen[nonce])
}

// question is a request, as far as an answer depends on it.
type question struct {
	Model  string `json:"model"`
	Stream bool   `json:"stream"`
	Usage  struct {
		Include bool `json:"include_usage"`
	} `json:"stream_options"`
	Messages []struct {
		Role    string          `json:"role"`
		Content json.RawMessage `json:"content"`
		Call    string          `json:"tool_call_id"`
	} `json:"messages"`
	Prompt json.RawMessage `json:"prompt"`
	Input  json.RawMessage `json:"input"`
	Coding string          `json:"encoding_format"`
	Tools  []struct {
		Function struct {
			Name       string `json:"name"`
			Parameters struct {
				Properties map[string]json.RawMessage `json:"properties"`
			} `json:"parameters"`
		} `json:"function"`
	} `json:"tools"`
	Format struct {
		Type   string `json:"type"`
		Schema struct {
			Schema struct {
				Properties map[string]json.RawMessage `json:"properties"`
			} `json:"schema"`
		} `json:"json_schema"`
	} `json:"response_format"`
}

// texts are those of a field that is a text, several, or parts with texts.
func texts(raw json.RawMessage) []string {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return []string{one}
	}
	var many []json.RawMessage
	if json.Unmarshal(raw, &many) != nil {
		return nil
	}
	var all []string
	for _, m := range many {
		var part struct {
			Text string `json:"text"`
		}
		if json.Unmarshal(m, &one) == nil {
			all = append(all, one)
		} else if json.Unmarshal(m, &part) == nil {
			all = append(all, part.Text)
		}
	}
	return all
}

// prompts are the texts in which a plan may stand, the last first.
func (q *question) prompts() []string {
	all := append(texts(q.Prompt), texts(q.Input)...)
	for _, m := range q.Messages {
		if m.Role == "user" {
			all = append(all, texts(m.Content)...)
		}
	}
	slices.Reverse(all)
	return all
}

// plan is the last one there is.
func (q *question) plan() (p plan, ok bool) {
	for _, text := range q.prompts() {
		if p, ok = planIn(text); ok {
			return p, true
		}
	}
	return plan{}, false
}

// planIn finds a plan in a text, which a client may have put something around.
func planIn(text string) (p plan, ok bool) {
	at := strings.Index(text, `{"do":`)
	if at < 0 {
		return plan{}, false
	}
	err := json.NewDecoder(strings.NewReader(text[at:])).Decode(&p)
	return p, err == nil
}

// results are what tools said, each with the id of its call.
func (q *question) results() (all []string) {
	for _, m := range q.Messages {
		if m.Role == "tool" {
			all = append(all, m.Call+" said "+strings.Join(texts(m.Content), ""))
		}
	}
	return all
}

// serve answers one request.
func (s *server) serve(w http.ResponseWriter, r *http.Request, c *backendtest.Call) {
	if r.URL.Path == "/v1/models" {
		backendtest.Answer(object(fields{"object": "list", "data": []fields{
			{"id": model, "object": "model", "created": 1_700_000_000, "owned_by": "test"},
		}}))(w, r, c)
		return
	}
	form, known := forms[r.URL.Path]
	if !known {
		refusal(http.StatusNotFound, "not_found", "", "there is no such route")(w, r, c)
		return
	}
	var q question
	if err := json.Unmarshal(c.Body, &q); err != nil {
		refusal(http.StatusBadRequest, "bad_json", "", err.Error())(w, r, c)
		return
	}
	p, ok := q.plan()
	if !ok {
		// What a gateway asks to find out what is here: a route without a
		// question, or a model with a small one.
		if len(q.prompts()) == 0 {
			refusal(http.StatusBadRequest, "no_prompt", "messages", "there is no prompt")(w, r, c)
			return
		}
		p = plan{Do: form.does, Nonce: "nobody", Tokens: 1}
	}
	if q.Model != model {
		refusal(http.StatusNotFound, "model_not_found", "model", "there is no model "+q.Model)(w, r, c)
		return
	}
	times := s.note(p.Nonce, c)
	s.act(form, &q, p, times)(w, r, c)
}

// act is what a plan comes to.
func (s *server) act(f form, q *question, p plan, times int) backendtest.Behaviour {
	if results := q.results(); len(results) > 0 {
		return f.answer(q, p, strings.Join(results, ", "))
	}
	// What a stream has said before something happens to it.
	begin := func() []string { return f.pieces(p, pieces(p.Nonce)[:4]) }
	switch p.Do {
	case "say":
		return f.answer(q, p, said(p.Nonce))
	case "embed":
		return f.embed(q)
	case "call":
		return f.call(q, p)
	case "schema":
		if q.Format.Type != "json_schema" || q.Format.Schema.Schema.Properties["nonce"] == nil {
			return refusal(http.StatusBadRequest, "no_schema", "response_format", "the schema did not arrive")
		}
		return f.answer(q, p, object(fields{"nonce": p.Nonce, "count": p.Tokens}))
	case "status":
		if p.Times > 0 && times > p.Times {
			return f.answer(q, p, said(p.Nonce))
		}
		return refusal(p.Status, "planned", "temperature", "refused "+p.Nonce, "Retry-After", fmt.Sprint(p.After))
	case "slow":
		return s.afterBeat(f.answer(q, p, said(p.Nonce)))
	case "slow-cut":
		return func(w http.ResponseWriter, r *http.Request, c *backendtest.Call) {
			backendtest.Stream(0, begin()...)(w, r, c)
			s.afterBeat(backendtest.CutAfter())(w, r, c)
		}
	case "silent":
		return backendtest.Silent
	case "hold":
		return func(w http.ResponseWriter, r *http.Request, c *backendtest.Call) {
			backendtest.Stream(0, begin()...)(w, r, c)
			<-r.Context().Done()
		}
	case "cut":
		if !q.Stream {
			return backendtest.CutAnswer(f.whole(p, said(p.Nonce)))
		}
		return backendtest.CutAfter(begin()...)
	case "end":
		return backendtest.Stream(0, begin()...)
	case "fail":
		return backendtest.Stream(0, append(begin(), event(fields{"error": fields{
			"message": "failed " + p.Nonce, "type": "server_error", "code": "planned", "param": nil,
		}}))...)
	}
	return refusal(http.StatusBadRequest, "no_plan", "", "there is no plan "+p.Do)
}

// afterBeat keeps silent until the client must have had a heartbeat, and then
// does next.
func (s *server) afterBeat(next backendtest.Behaviour) backendtest.Behaviour {
	return func(w http.ResponseWriter, r *http.Request, c *backendtest.Call) {
		if err := s.to.beat(r.Context()); err != nil {
			refusal(http.StatusInternalServerError, "no_heartbeat", "", err.Error())(w, r, c)
			return
		}
		next(w, r, c)
	}
}
