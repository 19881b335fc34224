package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/body"
	"github.com/culvert-net/culvert/api/keys"
	"github.com/culvert-net/culvert/api/openai"
	"github.com/culvert-net/culvert/api/usage"
)

// Config sets up a Server.
type Config struct {
	// Backend answers the requests. Required.
	Backend backend.Backend

	// Log gets one line per request at Debug; nil discards.
	Log *slog.Logger

	// Budget bounds the request bodies in memory, and may be shared; nil means
	// one of DefaultBudget bytes.
	Budget *body.Budget

	// Requests is how many requests for answers may be in progress; the next one
	// is refused with 503. 0 means DefaultRequests.
	Requests int

	// Heartbeat is the silence after which a running stream gets a comment; 0
	// means DefaultHeartbeat, less than MinHeartbeat is refused.
	Heartbeat time.Duration

	// Isolation says what a provider may link; "" means ByConversation.
	Isolation Isolation

	// Keys are the API keys. Without any, or if it is nil, every key is
	// accepted, of callers whom Local accepts.
	Keys *keys.Ring

	// Keyless bounds the money that all together may spend who come without a key,
	// as long as there are none; what is free is not bounded. It is counted in
	// Keys. The zero value is no limit.
	Keyless keys.Money

	// Local returns nil if the process behind a request's connection belongs to
	// the user of this one. It is asked as long as there are no keys; nil
	// accepts everybody who can connect.
	Local func(ctx context.Context) error

	// Ended is told of each request to a model when it is over, by its own
	// goroutine. It must not wait. nil: nobody counts.
	Ended func(usage.Ended)

	// Ready returns nil when requests can be answered, else why not; joined
	// errors are shown one by one. nil means always.
	Ready func() error

	// Banner is what GET / says about this program.
	Banner Info

	// Hosts are the names, besides those of loopback, under which clients may
	// address this server, without port.
	Hosts []string
}

// Info says which program answers here.
type Info struct {
	Mode    string `json:"mode"`             // "local" or "world"
	Version string `json:"version"`          // of this program
	Status  string `json:"status,omitempty"` // URL of the dashboard; "" if there is none
}

// Server is the local API.
type Server struct {
	backend   backend.Backend
	log       *slog.Logger
	requests  *body.Budget
	answers   *body.Budget
	places    chan struct{} // one is taken by each request in progress
	heartbeat time.Duration
	ready     func() error
	isolation isolation
	banner    Info
	guard     guard
	door      door
	router    *chi.Mux
	ended     func(usage.Ended) // nil: nobody counts
}

// New returns a Server. It starts nothing.
func New(cfg Config) (*Server, error) {
	if cfg.Backend == nil {
		return nil, errors.New("api: Backend is missing")
	}
	if cfg.Heartbeat != 0 && cfg.Heartbeat < MinHeartbeat {
		return nil, fmt.Errorf("api: Heartbeat of %v is below the least of %v", cfg.Heartbeat, MinHeartbeat)
	}
	iso, err := newIsolation(cfg.Isolation)
	if err != nil {
		return nil, err
	}
	var keyless *keys.Budget
	if cfg.Keys != nil {
		keyless = cfg.Keys.Keyless(cfg.Keyless)
	}
	s := &Server{
		backend:   metered{cfg.Backend, cfg.Ended != nil, keyless},
		log:       cfg.Log,
		requests:  cfg.Budget,
		answers:   body.NewBudget(DefaultBudget),
		places:    make(chan struct{}, cmp.Or(max(cfg.Requests, 0), DefaultRequests)),
		heartbeat: cfg.Heartbeat,
		ready:     cfg.Ready,
		isolation: iso,
		banner:    cfg.Banner,
		guard:     newGuard(cfg.Hosts),
		door:      door{keys: cfg.Keys, local: cfg.Local},
		ended:     cfg.Ended,
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.requests == nil {
		s.requests = body.NewBudget(DefaultBudget)
	}
	if s.heartbeat == 0 {
		s.heartbeat = DefaultHeartbeat
	}
	if s.ready == nil {
		s.ready = func() error { return nil }
	}
	s.router = s.routes()
	return s, nil
}

// Handler serves the routes of the API.
func (s *Server) Handler() http.Handler { return s.router }

// InFlight is how many requests to models are being answered.
func (s *Server) InFlight() int { return len(s.places) }

func (s *Server) routes() *chi.Mux {
	r := chi.NewRouter()
	r.Use(s.observe, s.guard.middleware, s.door.middleware, middleware.GetHead)
	r.NotFound(s.notFound)
	r.MethodNotAllowed(s.methodNotAllowed)

	for _, route := range openai.Routes {
		r.Post(route.Path, s.ask(route))
	}
	r.Get(modelsPath, s.models)
	r.Get(modelsPath+"/*", s.model)
	r.Get("/livez", s.livez)
	r.Get("/readyz", s.readyz)
	r.Get("/", s.pointer)
	return r
}
