package gateway

import (
	"strings"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/circuit"
	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/internal/telemetry"
	"github.com/culvert-net/culvert/mesh"
	"github.com/culvert-net/culvert/mesh/directory"
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
	node.WatchDirectory(r, func() *directory.Client { return g.directory }, func() *directory.Set { return g.set })
	r.Watch(telemetry.Family{
		Name: "culvert_mesh_links", Help: "Connections to other nodes and to bridges.",
	}, func(emit telemetry.Emit) { emit(float64(g.host.Stats().Links)) })
	r.Watch(telemetry.Family{
		Name: "culvert_mesh_refused_total", Help: "Connections and streams that a limit kept out, by what it is for; unknown_protocol: streams of one that is not served.", Counter: true,
		Labels: []telemetry.Label{node.Values("limit", limits...)},
	}, func(emit telemetry.Emit) {
		sums := make(map[string]uint64)
		for limit, n := range g.host.Stats().Refused {
			sums[limitKind(limit)] += n
		}
		for _, kind := range limits {
			emit(float64(sums[kind]), kind)
		}
	})
	g.watchRelay(r)
}

// limits are the kinds that limitKind tells apart.
var limits = []string{"address", "peer", "pending", "system", "circuits", "directory", "unknown_protocol", "unknown"}

// limitKind is what a limit of the host is for.
func limitKind(limit string) string {
	scope, _, _ := strings.Cut(limit, ".")
	switch {
	case limit == "protocol":
		return "unknown_protocol"
	case strings.HasPrefix(limit, mesh.ProtoCircuit):
		return "circuits"
	case strings.HasPrefix(limit, mesh.ProtoDirectory):
		return "directory"
	case scope == "protocol":
		return "system"
	case scope == "address", scope == "peer", scope == "pending", scope == "system":
		return scope
	}
	return "unknown"
}

func (g *gateway) watchRelay(r *telemetry.Registry) {
	family := func(f telemetry.Family, read func(s circuit.RelayStats, emit telemetry.Emit)) {
		r.Watch(f, func(emit telemetry.Emit) { read(g.relay.Stats(), emit) })
	}
	family(telemetry.Family{
		Name: "culvert_relay_circuits", Help: "Circuits that pass or end here.",
	}, func(s circuit.RelayStats, emit telemetry.Emit) { emit(float64(s.Circuits)) })
	family(telemetry.Family{
		Name: "culvert_relay_creates_total", Help: "Links that were to become circuits: answered, without a proper CREATE, and without room.", Counter: true,
		Labels: []telemetry.Label{node.Values("result", "ok", "invalid", "full")},
	}, func(s circuit.RelayStats, emit telemetry.Emit) {
		emit(float64(s.Created), "ok")
		emit(float64(s.Refused-s.Full), "invalid")
		emit(float64(s.Full), "full")
	})
	family(telemetry.Family{
		Name: "culvert_relay_extends_total", Help: "Circuits that were to be passed on, by what came of it.", Counter: true,
		Labels: []telemetry.Label{node.Values("result", "ok", "unknown", "unreachable", "refused", "busy")},
	}, func(s circuit.RelayStats, emit telemetry.Emit) {
		emit(float64(s.Extended), "ok")
		emit(float64(s.ExtendUnknown), "unknown")
		emit(float64(s.ExtendUnreachable), "unreachable")
		emit(float64(s.ExtendRefused), "refused")
		emit(float64(s.ExtendBusy), "busy")
	})
	family(telemetry.Family{
		Name: "culvert_relay_circuits_ended_total", Help: "Circuits that are over: in good order, with a link, and by bytes that break the rules.", Counter: true,
		Labels: []telemetry.Label{node.Values("kind", "destroyed", "lost", "violation")},
	}, func(s circuit.RelayStats, emit telemetry.Emit) {
		emit(float64(s.EndedDestroyed), "destroyed")
		emit(float64(s.EndedLost), "lost")
		emit(float64(s.EndedViolated), "violation")
	})
	family(telemetry.Family{
		Name: "culvert_relay_cells_total", Help: "Cells that were passed on, towards providers and towards clients.", Counter: true,
		Labels: []telemetry.Label{node.Values("direction", "forward", "backward")},
	}, func(s circuit.RelayStats, emit telemetry.Emit) {
		emit(float64(s.Forward), "forward")
		emit(float64(s.Backward), "backward")
	})
	family(telemetry.Family{
		Name: "culvert_relay_streams_reset_total", Help: "Streams of a kind that is not served here.", Counter: true,
	}, func(s circuit.RelayStats, emit telemetry.Emit) { emit(float64(s.ResetStreams)) })
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
		emit(float64(g.relay.Listener().Stats().Waiting), "waiting")
		emit(float64(g.server.Stats().Streams), "served")
	})
	r.Watch(telemetry.Family{
		Name: "culvert_provider_streams_total", Help: "Streams that came.", Counter: true,
	}, func(emit telemetry.Emit) { emit(float64(g.relay.Listener().Stats().Delivered)) })
	r.Watch(telemetry.Family{
		Name: "culvert_provider_busy_total", Help: "Requests refused because there was no room: too many wait, are served, are with the model server, or hold too much memory.", Counter: true,
		Labels: []telemetry.Label{node.Values("limit", "backlog", "streams", "requests", "memory")},
	}, func(emit telemetry.Emit) {
		s := g.server.Stats()
		emit(float64(g.relay.Listener().Stats().Busy), "backlog")
		emit(float64(s.RefusedStreams), "streams")
		emit(float64(s.RefusedRequests), "requests")
		emit(float64(s.RefusedBodies), "memory")
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
