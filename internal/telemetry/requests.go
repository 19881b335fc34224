package telemetry

import (
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Operations that requests are, by OpenTelemetry's names.
const (
	OperationChat       = "chat"
	OperationCompletion = "text_completion"
	OperationEmbeddings = "embeddings"
)

// Call is one request that has ended, as one end of it saw it.
type Call struct {
	Operation  string        // one of those above
	Model      string        // that was asked for; told only of what was answered
	Stream     bool          // the answer was to be streamed
	Status     int           // 499: the client went away
	Took       time.Duration // all of it
	FirstChunk time.Duration // until the first event of a stream; 0: there was none
	Overhead   time.Duration // our own part before the request left; 0: unknown
	Input      int           // tokens, as the model server counted them; 0: it did not say
	Output     int           // the same, of the answer
}

// Requests counts calls.
type Requests struct {
	models    models
	took      *prometheus.HistogramVec
	first     *prometheus.HistogramVec
	tokens    *prometheus.HistogramVec
	overhead  prometheus.Observer
	requests  *prometheus.CounterVec
	operation Label
	status    Label
}

// Buckets as OpenTelemetry's conventions recommend them.
var (
	secondsBuckets = []float64{0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92}
	firstBuckets   = []float64{0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}
	tokenBuckets   = []float64{1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864}
)

// Listed says which model of those that are served here goes by a name, and
// whether one does. It is asked once for each name that was answered; a model
// server may take names that somebody made up.
type Listed func(name string) (model string, ok bool)

// Client adds the metrics of who asks: gen_ai.client.*.
func (r *Registry) Client(listed Listed) *Requests {
	return r.requests(listed, "gen_ai_client_operation_duration_seconds", "gen_ai_client_operation_time_to_first_chunk_seconds", "gen_ai_client_token_usage")
}

// Server adds the metrics of who answers: gen_ai.server.*.
func (r *Registry) Server(listed Listed) *Requests {
	return r.requests(listed, "gen_ai_server_request_duration_seconds", "gen_ai_server_time_to_first_token_seconds", "gen_ai_server_token_usage")
}

func (r *Registry) requests(listed Listed, took, first, tokens string) *Requests {
	operations := []string{OperationChat, OperationCompletion, OperationEmbeddings}
	statuses := []string{
		"200", "400", "401", "403", "404", "405", "408", "413", "415", "422", "429", "499", "500", "502", "503", "504",
	}
	operation := Label{Name: "gen_ai_operation_name", Values: operations}
	model := Label{Name: "gen_ai_request_model", Open: "the id of a model that answered, or nothing"}
	failed := Label{Name: "error_type", Values: append([]string{""}, statuses[1:]...)}
	q := &Requests{
		models:    models{listed: listed, known: make(map[string]string)},
		operation: Label{Name: "operation", Values: operations},
		status:    Label{Name: "status", Values: statuses},
	}
	q.took = r.histogram(secondsBuckets, Family{Name: took, Help: "Seconds a request took, to the end of its answer.", Labels: []Label{operation, model, failed}})
	q.first = r.histogram(firstBuckets, Family{Name: first, Help: "Seconds until the first event of a streamed answer.", Labels: []Label{operation, model}})
	q.tokens = r.histogram(tokenBuckets, Family{
		Name: tokens, Help: "Tokens of a request, as the model server counted them.",
		Labels: []Label{operation, model, {Name: "gen_ai_token_type", Values: []string{"input", "output"}}},
	})
	q.overhead = r.histogram(firstBuckets, Family{
		Name: "culvert_request_overhead_seconds",
		Help: "Seconds between the request's last byte and its first on a circuit or to the model server.",
	}).WithLabelValues()
	total := Family{
		Name: "culvert_requests_total", Help: "Requests that have ended.", Counter: true,
		Labels: []Label{q.operation, {Name: "stream", Values: []string{"false", "true"}}, q.status},
	}
	q.requests = prometheus.NewCounterVec(prometheus.CounterOpts{Name: total.Name, Help: total.Help}, total.names())
	r.all.MustRegister(q.requests)
	r.note(total)
	return q
}

// histogram adds f.
func (r *Registry) histogram(buckets []float64, f Family) *prometheus.HistogramVec {
	f.histogram = true
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: f.Name, Help: f.Help, Buckets: buckets}, f.names())
	r.all.MustRegister(h)
	r.note(f)
	return h
}

// Ended counts a call.
func (q *Requests) Ended(c Call) {
	operation, status, failed := q.operation.of(c.Operation), q.status.of(strconv.Itoa(c.Status)), ""
	model := ""
	if c.Status == 200 {
		// What was not answered may be a name that somebody typed.
		model = q.models.name(c.Model)
	} else {
		failed = status
	}
	q.requests.WithLabelValues(operation, strconv.FormatBool(c.Stream), status).Inc()
	q.took.WithLabelValues(operation, model, failed).Observe(c.Took.Seconds())
	if c.FirstChunk > 0 {
		q.first.WithLabelValues(operation, model).Observe(c.FirstChunk.Seconds())
	}
	if c.Overhead > 0 {
		q.overhead.Observe(c.Overhead.Seconds())
	}
	if c.Input > 0 {
		q.tokens.WithLabelValues(operation, model, "input").Observe(float64(c.Input))
	}
	if c.Output > 0 {
		q.tokens.WithLabelValues(operation, model, "output").Observe(float64(c.Output))
	}
}

// models bounds the names that are counted apart.
type models struct {
	listed Listed

	mu    sync.Mutex
	known map[string]string // id by name; guarded by mu
}

func (m *models) name(name string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if id, known := m.known[name]; known {
		return id
	}
	id, ok := m.listed(name)
	if !ok || len(id) > maxModelName || len(m.known) >= maxModels {
		return other
	}
	m.known[name] = id
	return id
}
