package node

import (
	"strings"

	"github.com/culvert-net/culvert/circuit"
	"github.com/culvert-net/culvert/internal/telemetry"
	"github.com/culvert-net/culvert/mesh"
)

// WatchHost adds what a node that others connect to has of connections. host is
// asked for when somebody wants to know.
func WatchHost(r *telemetry.Registry, host func() *mesh.Host) {
	r.Watch(telemetry.Family{
		Name: "culvert_mesh_links", Help: "Connections to other nodes and to bridges.",
	}, func(emit telemetry.Emit) { emit(float64(host().Stats().Links)) })
	r.Watch(telemetry.Family{
		Name: "culvert_mesh_refused_total", Help: "Connections and streams that a limit kept out, by what it is for; unknown_protocol: streams of one that is not served.", Counter: true,
		Labels: []telemetry.Label{Values("limit", limits...)},
	}, func(emit telemetry.Emit) {
		sums := make(map[string]uint64)
		for limit, n := range host().Stats().Refused {
			sums[limitKind(limit)] += n
		}
		for _, kind := range limits {
			emit(float64(sums[kind]), kind)
		}
	})
}

// limits are the kinds that limitKind tells apart.
var limits = []string{"address", "peer", "pending", "system", "circuits", "directory", "sync", "push", "join", "seal", "unknown_protocol", "unknown"}

// limitKind is what a limit of the host is for.
func limitKind(limit string) string {
	scope, _, _ := strings.Cut(limit, ".")
	switch {
	case limit == "protocol":
		return "unknown_protocol"
	case strings.HasPrefix(limit, mesh.ProtoCircuit):
		return "circuits"
	case strings.HasPrefix(limit, mesh.ProtoMirror):
		return "directory"
	case strings.HasPrefix(limit, mesh.ProtoSync):
		return "sync"
	case strings.HasPrefix(limit, mesh.ProtoPush):
		return "push"
	case strings.HasPrefix(limit, mesh.ProtoSeal):
		return "seal"
	case strings.HasPrefix(limit, mesh.ProtoJoin):
		return "join"
	case scope == "protocol":
		return "system"
	case scope == "address", scope == "peer", scope == "pending", scope == "system":
		return scope
	}
	return "unknown"
}

// WatchRelay adds what a node does for the circuits of others. relay is asked for
// when somebody wants to know.
func WatchRelay(r *telemetry.Registry, relay func() *circuit.Relay) {
	family := func(f telemetry.Family, read func(s circuit.RelayStats, emit telemetry.Emit)) {
		r.Watch(f, func(emit telemetry.Emit) { read(relay().Stats(), emit) })
	}
	family(telemetry.Family{
		Name: "culvert_relay_circuits", Help: "Circuits that pass or end here.",
	}, func(s circuit.RelayStats, emit telemetry.Emit) { emit(float64(s.Circuits)) })
	family(telemetry.Family{
		Name: "culvert_relay_creates_total", Help: "Links that were to become circuits: answered, without a proper CREATE, and without room.", Counter: true,
		Labels: []telemetry.Label{Values("result", "ok", "invalid", "full")},
	}, func(s circuit.RelayStats, emit telemetry.Emit) {
		emit(float64(s.Created), "ok")
		emit(float64(s.Refused-s.Full), "invalid")
		emit(float64(s.Full), "full")
	})
	family(telemetry.Family{
		Name: "culvert_relay_extends_total", Help: "Circuits that were to be passed on, by what came of it.", Counter: true,
		Labels: []telemetry.Label{Values("result", "ok", "unknown", "unreachable", "refused", "busy")},
	}, func(s circuit.RelayStats, emit telemetry.Emit) {
		emit(float64(s.Extended), "ok")
		emit(float64(s.ExtendUnknown), "unknown")
		emit(float64(s.ExtendUnreachable), "unreachable")
		emit(float64(s.ExtendRefused), "refused")
		emit(float64(s.ExtendBusy), "busy")
	})
	family(telemetry.Family{
		Name: "culvert_relay_circuits_ended_total", Help: "Circuits that are over: in good order, with a link, and by bytes that break the rules.", Counter: true,
		Labels: []telemetry.Label{Values("kind", "destroyed", "lost", "violation")},
	}, func(s circuit.RelayStats, emit telemetry.Emit) {
		emit(float64(s.EndedDestroyed), "destroyed")
		emit(float64(s.EndedLost), "lost")
		emit(float64(s.EndedViolated), "violation")
	})
	family(telemetry.Family{
		Name: "culvert_relay_cells_total", Help: "Cells that were passed on, towards providers and towards clients.", Counter: true,
		Labels: []telemetry.Label{Values("direction", "forward", "backward")},
	}, func(s circuit.RelayStats, emit telemetry.Emit) {
		emit(float64(s.Forward), "forward")
		emit(float64(s.Backward), "backward")
	})
	family(telemetry.Family{
		Name: "culvert_relay_streams_reset_total", Help: "Streams of a kind that is not served here.", Counter: true,
	}, func(s circuit.RelayStats, emit telemetry.Emit) { emit(float64(s.ResetStreams)) })
}
