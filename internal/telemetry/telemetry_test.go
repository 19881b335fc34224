package telemetry

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
)

// page is what a Registry serves.
func page(t *testing.T, r *Registry) string {
	t.Helper()
	rec := httptest.NewRecorder()
	r.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	text, err := io.ReadAll(rec.Result().Body)
	if err != nil || rec.Code != http.StatusOK {
		t.Fatalf("status %d, %v: %s", rec.Code, err, text)
	}
	return string(text)
}

// any1 lists every name.
func any1(name string) (string, bool) { return name, true }

func has(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("metrics lack %q", line)
		}
	}
}

func TestWatch(t *testing.T) {
	r := New("bridge", "v1")
	n := 2.0
	r.Watch(Family{Name: "culvert_circuits", Help: "Circuits.", Labels: []Label{{Name: "state", Values: []string{"open", "stem"}}}}, func(emit Emit) {
		emit(n, "open")
		emit(1, "stem")
		emit(3, "12D3KooWpeer")
		emit(4, "127.0.0.1")
	})
	has(t, page(t, r),
		`culvert_build_info{go="`+runtime.Version()+`",program="bridge",version="v1"} 1`,
		"# TYPE culvert_circuits gauge",
		`culvert_circuits{state="open"} 2`, `culvert_circuits{state="stem"} 1`, `culvert_circuits{state="other"} 7`)
	n = 5
	has(t, page(t, r), `culvert_circuits{state="open"} 5`)
	if text := page(t, r); strings.Contains(text, "12D3Koo") || strings.Contains(text, "127.0.0.1") {
		t.Error("a value that is on no list is shown")
	}
}

func TestRequests(t *testing.T) {
	r := New("bridge", "v1")
	q := r.Client(any1)
	q.Ended(Call{
		Operation: OperationChat, Model: "m", Stream: true, Status: 200, Took: 50 * time.Millisecond,
		FirstChunk: 3 * time.Millisecond, Overhead: 2 * time.Millisecond, Input: 10, Output: 20,
	})
	q.Ended(Call{Operation: OperationEmbeddings, Model: "secret-typed-here", Status: 404, Took: time.Millisecond})
	q.Ended(Call{Operation: "odd", Status: 299})
	text := page(t, r)
	has(t, text,
		`gen_ai_client_operation_duration_seconds_bucket{error_type="",gen_ai_operation_name="chat",gen_ai_request_model="m",le="0.08"} 1`,
		`gen_ai_client_operation_duration_seconds_count{error_type="404",gen_ai_operation_name="embeddings",gen_ai_request_model=""} 1`,
		`gen_ai_client_operation_time_to_first_chunk_seconds_bucket{gen_ai_operation_name="chat",gen_ai_request_model="m",le="0.005"} 1`,
		`gen_ai_client_token_usage_sum{gen_ai_operation_name="chat",gen_ai_request_model="m",gen_ai_token_type="output"} 20`,
		`culvert_requests_total{operation="chat",status="200",stream="true"} 1`,
		`culvert_requests_total{operation="other",status="other",stream="false"} 1`,
		`culvert_request_overhead_seconds_count 1`)
	if strings.Contains(text, "secret-typed-here") {
		t.Error("a model that did not answer is a label")
	}
}

// Whoever makes up names does not make the page grow.
func TestModelsAreBounded(t *testing.T) {
	r := New("gateway", "v1")
	q := r.Server(any1)
	for i := range 10 * maxModels {
		q.Ended(Call{Operation: OperationChat, Model: fmt.Sprintf("m%d", i), Status: 200})
	}
	q.Ended(Call{Operation: OperationChat, Model: strings.Repeat("x", maxModelName+1), Status: 200})
	text := page(t, r)
	if n := strings.Count(text, "gen_ai_server_request_duration_seconds_count"); n != maxModels+1 {
		t.Errorf("%d models are counted apart, want %d and the others", n, maxModels)
	}
	has(t, text, fmt.Sprintf(`gen_ai_server_request_duration_seconds_count{error_type="",gen_ai_operation_name="chat",gen_ai_request_model="other"} %d`, 9*maxModels+1))
}

// A model server may take any name, and so be made to repeat what a client
// wrote; a model has its id, whatever it was asked for by.
func TestOnlyListedModelsAreNamed(t *testing.T) {
	r := New("gateway", "v1")
	q := r.Server(func(name string) (string, bool) { return "llama:latest", name == "llama" || name == "llama:latest" })
	for _, name := range []string{"llama", "llama:latest", "my secret", ""} {
		q.Ended(Call{Operation: OperationChat, Model: name, Status: 200})
	}
	text := page(t, r)
	has(t, text,
		`gen_ai_server_request_duration_seconds_count{error_type="",gen_ai_operation_name="chat",gen_ai_request_model="llama:latest"} 2`,
		`gen_ai_server_request_duration_seconds_count{error_type="",gen_ai_operation_name="chat",gen_ai_request_model="other"} 2`)
	if strings.Contains(text, "secret") {
		t.Error("a name that a client made up is a label")
	}
}

// Names and texts are as Prometheus wants them.
func TestLint(t *testing.T) {
	r := New("bridge", "v1")
	r.Client(any1).Ended(Call{Operation: OperationChat, Model: "m", Stream: true, Status: 200, Took: 2, FirstChunk: 1, Overhead: 1, Input: 1, Output: 2})
	problems, err := promlint.New(strings.NewReader(page(t, r))).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
}

func TestFamilies(t *testing.T) {
	r := New("bridge", "v1")
	r.Client(any1)
	var got []string
	for _, f := range r.Families() {
		got = append(got, f.Type()+" "+f.Name)
	}
	want := []string{
		"gauge culvert_build_info", "histogram culvert_request_overhead_seconds", "counter culvert_requests_total",
		"histogram gen_ai_client_operation_duration_seconds", "histogram gen_ai_client_operation_time_to_first_chunk_seconds",
		"histogram gen_ai_client_token_usage",
	}
	if !slices.Equal(got, want) {
		t.Errorf("families %q, want %q", got, want)
	}
}

func BenchmarkEnded(b *testing.B) {
	q := New("bridge", "v1").Client(any1)
	c := Call{Operation: OperationChat, Model: "m", Stream: true, Status: 200, Took: time.Second, FirstChunk: time.Millisecond, Input: 1, Output: 2}
	b.ReportAllocs()
	for b.Loop() {
		q.Ended(c)
	}
}
