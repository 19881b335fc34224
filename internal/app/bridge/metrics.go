package bridge

import (
	"time"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/keys"
	"github.com/culvert-net/culvert/circuit"
	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/internal/app/paying"
	"github.com/culvert-net/culvert/internal/telemetry"
)

// Metrics lists what the page of a bridge of a world holds; one of local mode
// has neither directory nor circuits.
func Metrics() []telemetry.Family {
	b := &bridge{mode: new(inWorld)}
	b.makeMetrics()
	return b.metrics.Families()
}

// makeMetrics makes what /metrics shows. It is read when somebody asks, from
// what is there by then.
func (b *bridge) makeMetrics() {
	r := telemetry.New(program, app.Version())
	b.metrics = r
	b.requests = r.Client(b.mode.listed)
	node.WatchReady(r, func() error { return b.mode.ready() })
	node.WatchInFlight(r, func() float64 { return float64(b.server.InFlight()) })
	r.Watch(telemetry.Family{
		Name: "culvert_keys", Help: "API keys: those that may be used, and those that were revoked or have expired.",
		Labels: []telemetry.Label{node.Values("state", "good", "ended")},
	}, func(emit telemetry.Emit) {
		s := b.keys.status()
		emit(float64(s.Good), "good")
		emit(float64(s.Ended), "ended")
	})
	r.Watch(telemetry.Family{
		Name: "culvert_keys_limited_total", Help: "Requests refused with 429 because a limit of their key was used up, by what it counts.", Counter: true,
		Labels: []telemetry.Label{node.Values("kind", string(keys.Requests), string(keys.Tokens), string(keys.Spending))},
	}, func(emit telemetry.Emit) {
		for kind, n := range b.keys.Limited() {
			emit(float64(n), string(kind))
		}
	})
	b.mode.watch(r)
}

// listedIn finds the id of a model in a sorted list by its id or alias.
func listedIn(list []backend.Model, name string) (string, bool) {
	m, ok := backend.FindModel(list, name)
	return m.ID, ok
}

func (m *inWorld) listed(name string) (string, bool) { return listedIn(m.router.Models(), name) }

func (m *inWorld) watch(r *telemetry.Registry) {
	node.WatchDirectory(r,
		func() *node.Signed { return m.directory }, func() node.Directory { return m.known })
	m.watchMoney(r)
	// family adds one whose figures are a part of the same snapshot.
	family := func(f telemetry.Family, read func(s circuit.ClientStats, emit telemetry.Emit)) {
		r.Watch(f, func(emit telemetry.Emit) { read(m.circuits.Stats(), emit) })
	}
	family(telemetry.Family{
		Name: "culvert_circuits", Help: "Circuits that live: being built, lacking their provider, able to carry requests, and being ended.",
		Labels: []telemetry.Label{node.Values("state", "building", "stem", "open", "ending")},
	}, func(s circuit.ClientStats, emit telemetry.Emit) {
		emit(float64(s.Building), "building")
		emit(float64(s.Stems), "stem")
		emit(float64(s.Open), "open")
		emit(float64(s.Ending), "ending")
	})
	family(telemetry.Family{
		Name: "culvert_circuits_doubted", Help: "Circuits that are not used until their far end has shown that it lives.",
	}, func(s circuit.ClientStats, emit telemetry.Emit) { emit(float64(s.Doubted)) })
	family(telemetry.Family{
		Name: "culvert_circuit_streams", Help: "Streams that are open on circuits.",
	}, func(s circuit.ClientStats, emit telemetry.Emit) { emit(float64(s.Streams)) })
	family(telemetry.Family{
		Name: "culvert_circuit_builds_total", Help: "Builds of circuits that are over; given_up: nobody waited for it any more.", Counter: true,
		Labels: []telemetry.Label{node.Values("result", "ok", "failed", "timed_out", "busy", "given_up")},
	}, func(s circuit.ClientStats, emit telemetry.Emit) {
		emit(float64(s.Built), "ok")
		emit(float64(s.Failed), "failed")
		emit(float64(s.TimedOut), "timed_out")
		emit(float64(s.Busy), "busy")
		emit(float64(s.GivenUp), "given_up")
	})
	family(telemetry.Family{
		Name: "culvert_circuit_builds_hedged_total", Help: "Second builds that were begun beside one that took longer than most.", Counter: true,
	}, func(s circuit.ClientStats, emit telemetry.Emit) { emit(float64(s.Hedged)) })
	step := node.Values("step", "stem", "extend")
	family(telemetry.Family{
		Name: "culvert_circuit_build_patience_seconds", Help: "Seconds after which a second build is begun: of all hops but the last, and of the last.",
		Labels: []telemetry.Label{step},
	}, func(s circuit.ClientStats, emit telemetry.Emit) {
		emit(s.StemTimes.Patience.Seconds(), "stem")
		emit(s.ExtendTimes.Patience.Seconds(), "extend")
	})
	family(telemetry.Family{
		Name: "culvert_circuit_build_recent_seconds", Help: "Seconds that the last hundred builds took, at most: half of them, and four of five.",
		Labels: []telemetry.Label{step, node.Values("percentile", "50", "80")},
	}, func(s circuit.ClientStats, emit telemetry.Emit) {
		emit(s.StemTimes.P50.Seconds(), "stem", "50")
		emit(s.StemTimes.P80.Seconds(), "stem", "80")
		emit(s.ExtendTimes.P50.Seconds(), "extend", "50")
		emit(s.ExtendTimes.P80.Seconds(), "extend", "80")
	})
	family(telemetry.Family{
		Name: "culvert_circuits_lost_total", Help: "Circuits that ended after they were built, by why; retired and stopped are as they should be.", Counter: true,
		Labels: []telemetry.Label{node.Values("reason", "retired", "stopped", "destroyed", "silent", "violation")},
	}, func(s circuit.ClientStats, emit telemetry.Emit) {
		emit(float64(s.Retired), "retired")
		emit(float64(s.Stopped), "stopped")
		emit(float64(s.Destroyed), "destroyed")
		emit(float64(s.Silenced), "silent")
		emit(float64(s.Violated), "violation")
	})
}

func (m *inWorld) watchMoney(r *telemetry.Registry) {
	r.Watch(telemetry.Family{
		Name: "culvert_payments_total", Help: "Requests that were to be paid for, by how they ended: paid, answered with an error that cost nothing, without a result, disputed (which were paid, too, by our figure), and not asked for want of money; failed: times that the ledger could not be used.", Counter: true,
		Labels: []telemetry.Label{node.Values("end", "paid", "refused", "aborted", "disputed", "unpaid", "failed")},
	}, func(emit telemetry.Emit) {
		var n paying.Counts
		if m.money != nil && m.money.payer != nil {
			n = m.money.payer.Counts()
		}
		emit(float64(n.Paid), "paid")
		emit(float64(n.Refused), "refused")
		emit(float64(n.Aborted), "aborted")
		emit(float64(n.Disputed), "disputed")
		emit(float64(n.Unpaid), "unpaid")
		emit(float64(n.Failed), "failed")
	})
	r.Watch(telemetry.Family{
		Name: "culvert_payment_resyncs_total", Help: "Comparisons of a channel's books with its provider's.", Counter: true,
	}, func(emit telemetry.Emit) {
		var n paying.Counts
		if m.money != nil && m.money.payer != nil {
			n = m.money.payer.Counts()
		}
		emit(float64(n.Resyncs))
	})
	r.Watch(telemetry.Family{
		Name: "culvert_chain_age_seconds", Help: "Seconds since the chain was read up to a young block; absent without a chain, and until it was.",
	}, func(emit telemetry.Emit) {
		if m.money == nil {
			return
		}
		if fresh := m.money.books.Reader.Fresh(); !fresh.IsZero() {
			emit(time.Since(fresh).Seconds())
		}
	})
}
