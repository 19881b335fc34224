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
	Model      string        // that answered; "" if none did
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
	overhead  prometheus.Histogram
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

// Client adds the metrics of who asks: gen_ai.client.*.
func (r *Registry) Client() *Requests {
	return r.requests("gen_ai_client_operation_duration_seconds", "gen_ai_client_operation_time_to_first_chunk_seconds", "gen_ai_client_token_usage")
}

// Server adds the metrics of who answers: gen_ai.server.*.
func (r *Registry) Server() *Requests {
	return r.requests("gen_ai_server_request_duration_seconds", "gen_ai_server_time_to_first_token_seconds", "gen_ai_server_token_usage")
}

func (r *Registry) requests(took, first, tokens string) *Requests {
	histogram := func(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
	}
	const operation, model = "gen_ai_operation_name", "gen_ai_request_model"
	q := &Requests{
		models: models{known: make(map[string]bool)},
		took: histogram(took, "Seconds a request took, to the end of its answer.",
			secondsBuckets, operation, model, "error_type"),
		first: histogram(first, "Seconds until the first event of a streamed answer.",
			firstBuckets, operation, model),
		tokens: histogram(tokens, "Tokens of a request, as the model server counted them.",
			tokenBuckets, operation, model, "gen_ai_token_type"),
		overhead: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "culvert_request_overhead_seconds", Buckets: firstBuckets,
			Help: "Seconds between the request's last byte and its first on a circuit or to the model server.",
		}),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "culvert_requests_total", Help: "Requests that have ended.",
		}, []string{"operation", "stream", "status"}),
		operation: Label{"operation", []string{OperationChat, OperationCompletion, OperationEmbeddings}},
		status: Label{"status", []string{
			"200", "400", "401", "403", "404", "408", "413", "415", "422", "429", "499", "500", "502", "503", "504",
		}},
	}
	r.all.MustRegister(q.took, q.first, q.tokens, q.overhead, q.requests)
	return q
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
	mu    sync.Mutex
	known map[string]bool // guarded by mu
}

func (m *models) name(name string) string {
	if len(name) > maxModelName {
		return other
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.known[name]:
		return name
	case len(m.known) < maxModels:
		m.known[name] = true
		return name
	default:
		return other
	}
}
