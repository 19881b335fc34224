package gateway

import (
	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/circuit"
	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/billing"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/internal/telemetry"
	"github.com/culvert-net/culvert/mesh"
)

// Metrics lists what the page of a gateway that is relay and provider holds.
func Metrics() []telemetry.Family {
	g := new(gateway)
	g.makeMetrics()
	g.makeProviderMetrics()
	return g.metrics.Families()
}

// makeMetrics makes what /metrics shows. It is read when somebody asks, from
// what is there by then.
func (g *gateway) makeMetrics() {
	r := telemetry.New(program, app.Version())
	g.metrics = r
	node.WatchReady(r, g.ready)
	node.WatchDirectory(r, func() *node.Signed { return g.directory }, func() node.Directory { return g.known })
	node.WatchHost(r, func() *mesh.Host { return g.host })
	node.WatchRelay(r, func() *circuit.Relay { return g.relay })
}

// makeProviderMetrics adds what a node has that answers requests.
func (g *gateway) makeProviderMetrics() {
	r := g.metrics
	g.requests = r.Server(g.listed)
	node.WatchInFlight(r, func() float64 { return float64(g.server.Stats().Requests) })
	r.Watch(telemetry.Family{
		Name: "culvert_provider_streams", Help: "Streams that wait to be accepted, and that are served: whose request still comes in, is with the model server, or whose answer still goes out.",
		Labels: []telemetry.Label{node.Values("state", "waiting", "served")},
	}, func(emit telemetry.Emit) {
		emit(float64(g.relay.Listener(circuit.StreamHTTP).Stats().Waiting), "waiting")
		emit(float64(g.server.Stats().Streams), "served")
	})
	r.Watch(telemetry.Family{
		Name: "culvert_provider_streams_total", Help: "Streams that came.", Counter: true,
	}, func(emit telemetry.Emit) { emit(float64(g.relay.Listener(circuit.StreamHTTP).Stats().Delivered)) })
	r.Watch(telemetry.Family{
		Name: "culvert_provider_busy_total", Help: "Requests refused because there was no room: too many wait, are served, are with the model server, or hold too much memory.", Counter: true,
		Labels: []telemetry.Label{node.Values("limit", "backlog", "streams", "requests", "memory")},
	}, func(emit telemetry.Emit) {
		s := g.server.Stats()
		emit(float64(g.relay.Listener(circuit.StreamHTTP).Stats().Busy), "backlog")
		emit(float64(s.RefusedStreams), "streams")
		emit(float64(s.RefusedRequests), "requests")
		emit(float64(s.RefusedBodies), "memory")
	})
	r.Watch(telemetry.Family{
		Name: "culvert_provider_rounds_total", Help: "Requests that were paid for, by how they ended: refused before the model server saw them, answered, cut by anybody or for want of money, without an answer, and those whose result could not be kept.", Counter: true,
		Labels: []telemetry.Label{node.Values("end", "refused", "answered", "cut", "unpaid", "none", "failed")},
	}, func(emit telemetry.Emit) {
		var n billing.Counts
		if g.money != nil && g.money.till != nil {
			n = g.money.till.Counts()
		}
		emit(float64(n.Refused), "refused")
		emit(float64(n.Finished), "answered")
		emit(float64(n.Partial), "cut")
		emit(float64(n.Unpaid), "unpaid")
		emit(float64(n.Aborted), "none")
		emit(float64(n.Failed), "failed")
	})
	r.Watch(telemetry.Family{
		Name: "culvert_provider_backend_up", Help: "1 if the model server answers, else 0.",
	}, func(emit telemetry.Emit) {
		_, alive, _ := g.models.status()
		emit(node.Bool(alive))
	})
	r.Watch(telemetry.Family{
		Name: "culvert_provider_models", Help: "Models that are offered, or would be if the model server answered.",
	}, func(emit telemetry.Emit) {
		ids, _, _ := g.models.status()
		emit(float64(len(ids)))
	})
}

// listed is the id of a model of this node's list. Whatever name a client has
// made up, it is not shown.
func (g *gateway) listed(name string) (string, bool) {
	ids, _, _ := g.models.status()
	for _, id := range ids {
		if id == name || id == backend.LongName(name) {
			return id, true
		}
	}
	return "", false
}
