package telemetry

import (
	"net/http"
	"runtime"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// other is what a label says of a value that is on no list.
const other = "other"

// Registry is all metrics of a program.
type Registry struct {
	all *prometheus.Registry
}

// New makes the registry of a program, with the figures of its process and of
// Go's runtime.
func New(program, version string) *Registry {
	r := &Registry{all: prometheus.NewRegistry()}
	r.all.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	r.Watch(Family{
		Name: "culvert_build_info", Help: "Which program this is; always 1.",
		Labels: []Label{{"program", []string{program}}, {"version", []string{version}}, {"go", []string{runtime.Version()}}},
	}, func(emit Emit) { emit(1, program, version, runtime.Version()) })
	return r
}

// Handler serves GET /metrics. What goes wrong is said to who asked.
func (r *Registry) Handler() http.Handler {
	return promhttp.HandlerFor(r.all, promhttp.HandlerOpts{ErrorHandling: promhttp.HTTPErrorOnError})
}

// Family is a metric: one figure for each combination of its labels' values.
type Family struct {
	Name    string // culvert_…, with its unit, and _total if it only rises
	Help    string // a sentence
	Counter bool   // only rises; else it is a gauge
	Labels  []Label
}

// Label is a dimension of a Family.
type Label struct {
	Name   string
	Values []string // all it may have
}

// Emit is given one figure and the values of the family's labels, in their
// order.
type Emit func(v float64, values ...string)

// Watch adds a metric whose figures read tells whenever somebody asks. It
// panics if the family is there already or has no proper name, which is a
// defect of the program.
func (r *Registry) Watch(f Family, read func(emit Emit)) {
	names := make([]string, len(f.Labels))
	for i, l := range f.Labels {
		names[i] = l.Name
	}
	r.all.MustRegister(&watched{family: f, desc: prometheus.NewDesc(f.Name, f.Help, names, nil), read: read})
}

// watched is a Family as a collector.
type watched struct {
	family Family
	desc   *prometheus.Desc
	read   func(Emit)
}

var _ prometheus.Collector = (*watched)(nil)

func (w *watched) Describe(ch chan<- *prometheus.Desc) { ch <- w.desc }

func (w *watched) Collect(ch chan<- prometheus.Metric) {
	kind := prometheus.GaugeValue
	if w.family.Counter {
		kind = prometheus.CounterValue
	}
	type row struct {
		values []string
		sum    float64
	}
	var rows []row // few: what is on no list is added up under "other"
	w.read(func(v float64, values ...string) {
		listed := make([]string, len(values))
		for i, value := range values {
			listed[i] = w.family.Labels[i].of(value)
		}
		at := slices.IndexFunc(rows, func(r row) bool { return slices.Equal(r.values, listed) })
		if at < 0 {
			at, rows = len(rows), append(rows, row{values: listed})
		}
		rows[at].sum += v
	})
	for _, r := range rows {
		ch <- prometheus.MustNewConstMetric(w.desc, kind, r.sum, r.values...)
	}
}

// of is value, or "other".
func (l Label) of(value string) string {
	if slices.Contains(l.Values, value) {
		return value
	}
	return other
}
