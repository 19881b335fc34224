package upstream

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/culvert-net/culvert/internal/bench/script"
)

// Model is the one model that is served.
const Model = "bench"

// Paths that are served.
const (
	ChatPath  = "/v1/chat/completions"
	StatsPath = "/bench/stats"
)

// Mark is in every header that a client sends to be recognised by, so that the
// upstream can tell such a header from one of the programs between.
const Mark = "culvert-bench-person"

// Config is how an upstream behaves.
type Config struct {
	Llama bool // like llama-server
}

// Stats is what came.
type Stats struct {
	Orders int64 `json:"orders"` // chats
	Naming int64 `json:"naming"` // headers that say who asked, in all of them
}

// Server answers.
type Server struct {
	cfg    Config
	orders atomic.Int64
	naming atomic.Int64
}

var _ http.Handler = (*Server)(nil)

// New is an upstream.
func New(cfg Config) *Server { return &Server{cfg: cfg} }

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.cfg.Llama {
		w.Header().Set("Server", "llama.cpp")
	}
	switch r.URL.Path {
	case ChatPath:
		s.chat(w, r)
	case "/v1/models":
		answer(w, fmt.Sprintf(`{"object":"list","data":[{"id":%q,"object":"model","created":1,"owned_by":"bench"}]}`, Model))
	case StatsPath:
		text, err := json.Marshal(Stats{Orders: s.orders.Load(), Naming: s.naming.Load()})
		if err != nil {
			panic("upstream: two numbers always marshal: " + err.Error())
		}
		answer(w, string(text))
	default:
		refuse(w, http.StatusNotFound, "there is no such page")
	}
}

func answer(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "application/json")
	// A client that is gone hears nothing.
	_, _ = w.Write([]byte(text))
}

func refuse(w http.ResponseWriter, status int, why string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// A client that is gone hears nothing.
	_, _ = fmt.Fprintf(w, `{"error":{"message":%q,"type":"invalid_request_error","param":null,"code":null}}`, why)
}

func (s *Server) chat(w http.ResponseWriter, r *http.Request) {
	body, err := read(r)
	if err != nil {
		refuse(w, http.StatusBadRequest, "the body is cut")
		return
	}
	prompt, ok := find(body)
	if !ok {
		refuse(w, http.StatusBadRequest, "no prompt of a benchmark in it")
		return
	}
	order, nonce, err := script.Parse(prompt)
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	s.orders.Add(1)
	s.naming.Add(naming(r.Header))
	a := &reply{w: w, r: r, order: order, nonce: nonce, prompt: len(prompt), sum: script.Sum(prompt), llama: s.cfg.Llama}
	if bytes.Contains(body, []byte(`"stream":true`)) {
		a.stream(bytes.Contains(body, []byte(`"include_usage":true`)))
		return
	}
	a.whole()
}

// read is the whole body.
func read(r *http.Request) ([]byte, error) {
	var b bytes.Buffer
	if n := r.ContentLength; n > 0 && n <= maxBody {
		b.Grow(int(n) + bytes.MinRead)
	}
	_, err := b.ReadFrom(http.MaxBytesReader(nil, r.Body, maxBody))
	return b.Bytes(), err
}

// maxBody bounds a request: as much as the bridge takes.
const maxBody = 32 << 20

// find is the text of the one message. A prompt of ours has nothing in it that
// JSON escapes, and looking for it costs a fraction of decoding it.
func find(body []byte) ([]byte, bool) {
	const key = `"content":"`
	at := bytes.Index(body, []byte(key))
	if at < 0 {
		return nil, false
	}
	rest := body[at+len(key):]
	end := bytes.IndexByte(rest, '"')
	if end < 0 {
		return nil, false
	}
	return rest[:end], true
}

// naming counts headers that say who asked: those that a client marked, and
// those that only a proxy adds.
func naming(h http.Header) int64 {
	var n int64
	for name, values := range h {
		switch name {
		case "X-Forwarded-For", "X-Real-Ip", "Forwarded", "Via":
			n++
			continue
		}
		for _, v := range values {
			if strings.Contains(v, Mark) {
				n++
			}
		}
	}
	return n
}
