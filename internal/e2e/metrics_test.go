//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	names "github.com/prometheus/common/model"

	"github.com/culvert-net/culvert/api/backend/backendtest"
	"github.com/culvert-net/culvert/internal/app/bridge"
	"github.com/culvert-net/culvert/internal/app/gateway"
	"github.com/culvert-net/culvert/internal/app/observer"
	"github.com/culvert-net/culvert/internal/serve"
	"github.com/culvert-net/culvert/internal/telemetry"
)

// page is what a node's /metrics says.
func (w *world) page(t *testing.T, name string) string {
	t.Helper()
	return pageIn(t, w.Dirs[name])
}

// pageIn is what the program of a data directory says over its admin socket.
func pageIn(t *testing.T, dir string) string {
	t.Helper()
	socket := filepath.Join(dir, serve.AdminSocket)
	client := http.Client{Timeout: patience, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", socket)
		},
	}}
	return pageOf(t, &client, "http://localhost")
}

func pageOf(t *testing.T, client *http.Client, base string) string {
	t.Helper()
	resp, err := client.Get(base + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("/metrics: status %d, %v", resp.StatusCode, err)
	}
	return string(text)
}

// figures are a page's.
type figures map[string]*dto.MetricFamily

// figuresOf parses a page and checks that it shows no more than it may: families and
// labels that are listed, with values that are.
func figuresOf(t *testing.T, name, page string) figures {
	t.Helper()
	parser := expfmt.NewTextParser(names.UTF8Validation)
	all, err := parser.TextToMetricFamilies(strings.NewReader(page))
	if err != nil {
		t.Fatalf("%s's metrics: %v", name, err)
	}
	listed := gateway.Metrics()
	switch {
	case name == "bridge":
		listed = bridge.Metrics()
	case strings.HasPrefix(name, "memory-"):
		listed = observer.Metrics()
	}
	for family, m := range all {
		if strings.HasPrefix(family, "go_") || strings.HasPrefix(family, "process_") {
			continue
		}
		at := slices.IndexFunc(listed, func(f telemetry.Family) bool { return f.Name == family })
		if at < 0 {
			t.Errorf("%s's metrics have %s, which is not listed", name, family)
			continue
		}
		for _, row := range m.Metric {
			for _, l := range row.Label {
				checkLabel(t, name, &listed[at], l)
			}
		}
	}
	for _, bad := range []string{"12D3Koo", "/ip4/", "127.", "relay-", "provider-", "sk-"} {
		if strings.Contains(page, bad) {
			t.Errorf("%s's metrics hold %q", name, bad)
		}
	}
	problems, err := promlint.New(strings.NewReader(page)).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("%s's metrics: %v, %v", name, problems, err)
	}
	return all
}

func checkLabel(t *testing.T, name string, f *telemetry.Family, l *dto.LabelPair) {
	t.Helper()
	at := slices.IndexFunc(f.Labels, func(o telemetry.Label) bool { return o.Name == l.GetName() })
	switch {
	case at < 0:
		t.Errorf("%s's %s has a label %s, which is not listed", name, f.Name, l.GetName())
	case l.GetValue() == "other", slices.Contains(f.Labels[at].Values, l.GetValue()):
	case f.Labels[at].Name == "gen_ai_request_model" && (l.GetValue() == "" || l.GetValue() == model):
	case f.Name == "culvert_build_info":
	default:
		t.Errorf("%s's %s has %s=%q, which is not listed", name, f.Name, l.GetName(), l.GetValue())
	}
}

// sum adds up a family's figures whose labels have these values, given as names
// and values in turn; of a histogram, how many there are.
func (f figures) sum(family string, labels ...string) (n float64) {
	for _, row := range f.rows(family, labels) {
		n += row.GetCounter().GetValue() + row.GetGauge().GetValue() + float64(row.GetHistogram().GetSampleCount())
	}
	return n
}

// total adds up what a histogram has seen.
func (f figures) total(family string, labels ...string) (n float64) {
	for _, row := range f.rows(family, labels) {
		n += row.GetHistogram().GetSampleSum()
	}
	return n
}

func (f figures) rows(family string, labels []string) (rows []*dto.Metric) {
	if f[family] == nil {
		return nil
	}
	for _, row := range f[family].Metric {
		matches := true
		for i := 0; i < len(labels); i += 2 {
			matches = matches && slices.ContainsFunc(row.Label, func(l *dto.LabelPair) bool {
				return l.GetName() == labels[i] && l.GetValue() == labels[i+1]
			})
		}
		if matches {
			rows = append(rows, row)
		}
	}
	return rows
}

// nodes are the figures of all nodes whose names begin so.
func (w *world) nodes(t *testing.T, prefix string) (all []figures) {
	t.Helper()
	for name := range w.PIDs {
		if strings.HasPrefix(name, prefix) {
			all = append(all, figuresOf(t, name, w.page(t, name)))
		}
	}
	return all
}

func sums(all []figures, family string, labels ...string) (n float64) {
	for _, f := range all {
		n += f.sum(family, labels...)
	}
	return n
}

// After known traffic the counts are exactly that, at the bridge and at the
// providers, and a relay's circuits go when their client does.
func TestMetrics(t *testing.T) {
	t.Parallel()
	const documents, streams, refused, cut, aborted, unknown, broken = 7, 5, 4, 3, 2, 2, 1
	u := upstream(t, backendtest.Answer(backendtest.Completion))
	w := start(t, "--backend", u.URL)
	for range documents {
		w.ask(chatBody(false)).completed(t)
	}
	u.answer(backendtest.Stream(0, backendtest.Chunk(0), `data: {"choices":[],"usage":{"prompt_tokens":11,"completion_tokens":5,"total_tokens":16}}`+"\n\n", backendtest.Done))
	for range streams {
		w.ask(chatBody(true)).completed(t)
	}
	u.answer(backendtest.Status(http.StatusBadRequest, "application/json", `{"error":{"message":"no","type":"invalid_request_error"}}`))
	for range refused {
		if r := w.ask(chatBody(false)); r.status != http.StatusBadRequest {
			t.Errorf("status %d, want the upstream's 400", r.status)
		}
	}
	u.answer(backendtest.CutAfter(backendtest.Chunk(0)))
	for range cut {
		if r := w.ask(chatBody(true)); r.err == nil {
			t.Error("a stream that was cut ends well")
		}
	}
	u.answer(backendtest.Endless(10 * time.Millisecond))
	for range aborted {
		s := w.stream(t.Context(), t)
		if _, err := s.next(); err != nil {
			t.Fatal(err)
		}
		if n := figuresOf(t, "bridge", w.page(t, "bridge")).sum("culvert_requests_in_flight"); n < 1 {
			t.Errorf("%v requests are in flight while one is answered", n)
		}
		s.resp.Body.Close()
	}
	for range unknown {
		w.ask(strings.Replace(chatBody(false), `"`+model+`"`, `"made-up"`, 1))
	}
	for range broken {
		w.ask("{")
	}

	const good = documents + streams
	const input, output = 3*documents + 11*streams, 1*documents + 5*streams
	for _, end := range []struct {
		name, took, first, tokens string
		statuses                  map[string]float64
	}{
		{
			"bridge", "gen_ai_client_operation_duration_seconds", "gen_ai_client_operation_time_to_first_chunk_seconds", "gen_ai_client_token_usage",
			map[string]float64{"200": good, "400": refused + broken, "404": unknown, "499": aborted, "502": cut},
		},
		{
			"provider-", "gen_ai_server_request_duration_seconds", "gen_ai_server_time_to_first_token_seconds", "gen_ai_server_token_usage",
			map[string]float64{"200": good, "400": refused, "499": aborted, "502": cut},
		},
	} {
		all := 0.0
		for _, n := range end.statuses {
			all += n
		}
		eventually(t, patience, end.name+" counts what there was", func() error {
			nodes := w.nodes(t, end.name)
			for status, n := range end.statuses {
				if got := sums(nodes, "culvert_requests_total", "operation", "chat", "status", status); got != n {
					return fmt.Errorf("%v requests of status %s, want %v", got, status, n)
				}
			}
			for what, c := range map[string]struct{ got, want float64 }{
				"requests":       {sums(nodes, "culvert_requests_total"), all},
				"durations":      {sums(nodes, end.took), all},
				"good durations": {sums(nodes, end.took, "gen_ai_request_model", model, "error_type", ""), good},
				"first events":   {sums(nodes, end.first), streams + cut + aborted},
				"in flight":      {sums(nodes, "culvert_requests_in_flight"), 0},
				"refused":        {sums(nodes, "culvert_provider_busy_total"), 0},
			} {
				if c.got != c.want {
					return fmt.Errorf("%s: %v, want %v", what, c.got, c.want)
				}
			}
			in, out := 0.0, 0.0
			for _, f := range nodes {
				in += f.total(end.tokens, "gen_ai_token_type", "input")
				out += f.total(end.tokens, "gen_ai_token_type", "output")
			}
			if in != input || out != output {
				return fmt.Errorf("%v and %v tokens, want %d and %d", in, out, input, output)
			}
			return nil
		})
	}
	for _, p := range w.nodes(t, "provider-") {
		if p.sum("culvert_ready") != 1 || p.sum("culvert_provider_backend_up") != 1 || p.sum("culvert_provider_models") != 1 {
			t.Error("a provider does not count itself, its model server and its model")
		}
	}

	b := figuresOf(t, "bridge", pageOf(t, http.DefaultClient, w.StatusURL))
	if b.sum("culvert_ready") != 1 || b.sum("culvert_circuit_builds_total", "result", "ok") < 1 || b.sum("culvert_directory_nodes") < 4 {
		t.Error("the bridge's status port shows less than its socket")
	}
	resp, err := http.Get(strings.TrimSuffix(w.BaseURL, "/v1") + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusNotFound {
		t.Errorf("/metrics on the API's port: status %d, want 404", resp.StatusCode)
	}

	if n := sums(w.nodes(t, "relay-"), "culvert_relay_circuits"); n == 0 {
		t.Error("no relay has a circuit, while the bridge has")
	}
	w.kill("bridge")
	delete(w.PIDs, "bridge")
	eventually(t, patience, "the relays' circuits end with their client", func() error {
		relays := w.nodes(t, "relay-")
		creates := sums(relays, "culvert_relay_creates_total", "result", "ok")
		ended := sums(relays, "culvert_relay_circuits_ended_total")
		if open := sums(relays, "culvert_relay_circuits"); open != 0 || ended != creates || creates == 0 {
			return fmt.Errorf("%v are open, %v of %v have ended", open, ended, creates)
		}
		for _, way := range []string{"forward", "backward"} {
			if sums(relays, "culvert_relay_cells_total", "direction", way) == 0 {
				return errors.New("no cells were passed on " + way)
			}
		}
		return nil
	})
}
