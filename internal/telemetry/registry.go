package telemetry

import (
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// own is Open of labels that say what a program is.
const own = "of the program"

// other is what a label says of a value that is on no list.
const other = "other"

// Registry is all metrics of a program.
type Registry struct {
	all *prometheus.Registry

	mu       sync.Mutex
	families []Family // guarded by mu
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
		Labels: []Label{{"program", []string{program}, own}, {"version", []string{version}, own}, {"go", []string{runtime.Version()}, own}},
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

	histogram bool
}

// Type is what Prometheus calls it.
func (f *Family) Type() string {
	switch {
	case f.histogram:
		return "histogram"
	case f.Counter:
		return "counter"
	}
	return "gauge"
}

// names are those of f's labels.
func (f *Family) names() []string {
	names := make([]string, len(f.Labels))
	for i, l := range f.Labels {
		names[i] = l.Name
	}
	return names
}

// Label is a dimension of a Family.
type Label struct {
	Name   string
	Values []string // all it may have, besides "other"
	Open   string   // what it may have if that is no list; "" if it is
}

// Emit is given one figure and the values of the family's labels, in their
// order.
type Emit func(v float64, values ...string)

// Watch adds a metric whose figures read tells whenever somebody asks. It
// panics if the family is there already or has no proper name, which is a
// defect of the program.
func (r *Registry) Watch(f Family, read func(emit Emit)) {
	r.all.MustRegister(&watched{family: f, desc: prometheus.NewDesc(f.Name, f.Help, f.names(), nil), read: read})
	r.note(f)
}

func (r *Registry) note(all ...Family) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.families = append(r.families, all...)
}

// Families lists all metrics but those of the process and of Go's runtime, by
// name.
func (r *Registry) Families() []Family {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := slices.Clone(r.families)
	slices.SortFunc(all, func(a, b Family) int { return strings.Compare(a.Name, b.Name) })
	return all
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
