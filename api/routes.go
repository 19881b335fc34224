package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/openai"
)

const modelsPath = "/v1/models"

// modelRow is a model as OpenAI lists it, with what else is known of it.
type modelRow struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	OwnedBy string `json:"owned_by"`

	Aliases      []string            `json:"aliases,omitempty"`
	Context      int                 `json:"context_length,omitempty"`
	Capabilities []openai.Capability `json:"capabilities,omitempty"`
	Providers    int                 `json:"providers,omitempty"`
	Price        *priceRow           `json:"price,omitempty"`
}

// priceRow is what a model costs at whoever asks least.
type priceRow struct {
	Currency string `json:"currency"`
	Per      int    `json:"per"`
	Input    string `json:"input"`
	Cached   string `json:"cached_input"`
	Output   string `json:"output"`
	Reason   string `json:"reasoning"`
	Image    string `json:"image"`
	Minimum  string `json:"minimum"`
	Text     string `json:"text"`
}

// perMillion is how many tokens prices are of.
const perMillion = 1_000_000

func newModelRow(m backend.Model) modelRow {
	row := modelRow{
		ID: m.ID, Object: "model", Created: m.Created, OwnedBy: m.OwnedBy,
		Context: m.Context, Capabilities: m.Able, Providers: m.Providers,
	}
	if m.OwnedBy == "" {
		row.OwnedBy = "unknown"
	}
	if p := m.Price; p != nil {
		row.Price = &priceRow{p.Currency, perMillion, p.Input, p.Cached, p.Output, p.Reason, p.Image, p.Minimum, p.Text}
	}
	if m.Alias != "" {
		row.Aliases = []string{m.Alias}
	}
	return row
}

// models lists what can be asked for. The order is the Backend's, which is
// stable, so that the ETag changes only when the list does.
func (s *Server) models(w http.ResponseWriter, r *http.Request) {
	list, e := s.listModels(r)
	if e != nil {
		exchangeOf(r).fail(w, e)
		return
	}
	rows := make([]modelRow, len(list))
	for i, m := range list {
		rows[i] = newModelRow(m)
	}
	sendTagged(w, r, marshal(struct {
		Object string     `json:"object"`
		Data   []modelRow `json:"data"`
	}{"list", rows}))
}

// model is one of them. Its id may hold slashes and colons, and be written with
// or without escapes.
func (s *Server) model(w http.ResponseWriter, r *http.Request) {
	id := strings.TrimPrefix(r.URL.Path, modelsPath+"/")
	if id == "" {
		s.notFound(w, r)
		return
	}
	list, e := s.listModels(r)
	if e != nil {
		exchangeOf(r).fail(w, e)
		return
	}
	m, ok := backend.FindModel(list, id)
	if !ok {
		exchangeOf(r).fail(w, openai.ModelNotFound(id, "GET "+modelsPath+" lists what can be asked for"))
		return
	}
	sendTagged(w, r, marshal(newModelRow(m)))
}

// listModels asks the Backend, within modelsTime.
func (s *Server) listModels(r *http.Request) ([]backend.Model, *openai.Error) {
	ctx, cancel := context.WithTimeout(r.Context(), modelsTime)
	defer cancel()
	list, err := s.backend.Models(ctx)
	switch {
	case err == nil:
		return list, nil
	case ctx.Err() == context.DeadlineExceeded:
		return nil, openai.Upstream(http.StatusGatewayTimeout, "upstream_timeout",
			"the model server did not list its models in time")
	}
	return nil, asError(r, err)
}

// sendTagged sends a document, unless the client has it already.
func sendTagged(w http.ResponseWriter, r *http.Request, text []byte) {
	sum := sha256.Sum256(text)
	tag := `"` + hex.EncodeToString(sum[:16]) + `"`
	w.Header().Set("ETag", tag)
	if noneMatch(r.Header.Values("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	send(w, http.StatusOK, backend.ContentJSON, text)
}

// noneMatch reports whether the client already has what tag names.
func noneMatch(fields []string, tag string) bool {
	for _, field := range fields {
		for t := range strings.SplitSeq(field, ",") {
			t = strings.TrimPrefix(strings.TrimSpace(t), "W/")
			if t == tag || t == "*" {
				return true
			}
		}
	}
	return false
}

func (s *Server) livez(w http.ResponseWriter, _ *http.Request) {
	send(w, http.StatusOK, backend.ContentJSON, []byte(`{"live":true}`+"\n"))
}

// readyz is for anybody, but its reasons, which may name the model server's
// address, are for those who may ask for more.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	err := s.ready()
	if err == nil {
		send(w, http.StatusOK, backend.ContentJSON, []byte(`{"ready":true}`+"\n"))
		return
	}
	var why []string
	if _, e := s.door.check(r); e == nil {
		why = reasons(err)
	}
	send(w, http.StatusServiceUnavailable, backend.ContentJSON, append(marshal(struct {
		Ready   bool     `json:"ready"`
		Reasons []string `json:"reasons,omitempty"`
	}{false, why}), '\n'))
}

// reasons takes joined errors apart.
func reasons(err error) []string {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []string{err.Error()}
	}
	var all []string
	for _, e := range joined.Unwrap() {
		all = append(all, e.Error())
	}
	return all
}

// pointer tells who opened the address in a browser, or misses the /v1, where
// to go. The Host has been checked by then.
func (s *Server) pointer(w http.ResponseWriter, r *http.Request) {
	base := baseURL(r)
	accept := r.Header.Get("Accept")
	if !strings.Contains(accept, "text/plain") && !strings.Contains(accept, "text/html") {
		send(w, http.StatusOK, backend.ContentJSON, append(marshal(struct {
			Name string `json:"name"`
			Info
			BaseURL string   `json:"base_url"`
			Routes  []string `json:"routes"`
		}{"culvert", s.banner, base, s.listRoutes()}), '\n'))
		return
	}
	text := fmt.Sprintf("Culvert %s, %s mode.\n\nBase URL for OpenAI clients: %s\n", s.banner.Version, s.banner.Mode, base)
	if s.banner.Status != "" {
		text += "Dashboard and status: " + s.banner.Status + "\n"
	}
	text += "\nRoutes:\n  " + strings.Join(s.listRoutes(), "\n  ") + "\n"
	send(w, http.StatusOK, "text/plain; charset=utf-8", []byte(text))
}

// listRoutes names the routes as "METHOD /path".
func (s *Server) listRoutes() []string {
	var all []string
	for _, route := range s.router.Routes() {
		for method := range route.Handlers {
			all = append(all, method+" "+strings.Replace(route.Pattern, "/*", "/{id}", 1))
		}
	}
	slices.Sort(all)
	return all
}

// baseURL is where clients find this server, by the name they used. One of
// HTTP/1.0 may use none.
func baseURL(r *http.Request) string {
	host := r.Host
	if addr, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok && host == "" {
		host = addr.String()
	}
	return "http://" + host + "/v1"
}

func (s *Server) notFound(w http.ResponseWriter, r *http.Request) {
	exchangeOf(r).fail(w, &openai.Error{
		Status: http.StatusNotFound, Type: openai.TypeInvalidRequest, Code: "unknown_url",
		Message: "there is no such route here; the base URL for clients is " + baseURL(r) + ", and GET / lists the routes",
	})
}

func (s *Server) methodNotAllowed(w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
		as := method
		if method == http.MethodHead {
			as = http.MethodGet // served by its handler
		}
		if s.router.Match(chi.NewRouteContext(), as, r.URL.Path) {
			allowed = append(allowed, method)
		}
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	exchangeOf(r).fail(w, &openai.Error{
		Status: http.StatusMethodNotAllowed, Type: openai.TypeInvalidRequest, Code: "method_not_allowed",
		Message: "this route takes " + strings.Join(allowed, " or "),
	})
}

// send writes a whole answer.
func send(w http.ResponseWriter, status int, contentType string, text []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	// The client may be gone; there is nobody left to tell.
	_, _ = w.Write(text)
}

func marshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("api: plain structs always marshal: " + err.Error())
	}
	return b
}
