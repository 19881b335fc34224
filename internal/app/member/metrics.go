package member

import (
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/internal/telemetry"
	"github.com/culvert-net/culvert/mesh/eventlog"
	"github.com/culvert-net/culvert/mesh/gossip"
)

// Watch adds what a member counts. service is asked for when somebody wants to
// know.
func Watch(r *telemetry.Registry, service func() *Service) {
	watchRoster(r, service)
	watchLog(r, service)
	watchSeals(r, service)
	watchSync(r, service)
	push := func(f telemetry.Family, read func(s gossip.PushStatus, emit telemetry.Emit)) {
		r.Watch(f, func(emit telemetry.Emit) {
			if p := service().pusher; p != nil {
				read(p.Status(), emit)
			}
		})
	}
	r.Watch(telemetry.Family{
		Name: "culvert_push_peers", Help: "Members that events are pushed to now.",
	}, func(emit telemetry.Emit) {
		if p := service().push; p != nil {
			emit(float64(p.Stats().Peers))
		}
	})
	push(telemetry.Family{
		Name: "culvert_push_events_total", Help: "Events of push: sent, not sent for want of room or of anybody to send them to, received and new, received and known, and received and refused.", Counter: true,
		Labels: []telemetry.Label{node.Values("result", "sent", "dropped", "added", "known", "refused")},
	}, func(s gossip.PushStatus, emit telemetry.Emit) {
		emit(float64(s.Sent), "sent")
		emit(float64(s.Dropped), "dropped")
		emit(float64(s.Added), "added")
		emit(float64(s.Known), "known")
		emit(float64(s.Refused), "refused")
	})
	push(telemetry.Family{
		Name: "culvert_push_batches_total", Help: "Batches that others pushed: taken, such as no honest member sends, and such as came again or late.", Counter: true,
		Labels: []telemetry.Label{node.Values("result", "taken", "bad", "replayed")},
	}, func(s gossip.PushStatus, emit telemetry.Emit) {
		emit(float64(s.Received), "taken")
		emit(float64(s.Bad), "bad")
		emit(float64(s.Replayed), "replayed")
	})
}

func watchRoster(r *telemetry.Registry, service func() *Service) {
	r.Watch(telemetry.Family{
		Name: "culvert_roster_generation", Help: "The generation of the roster that is in force here.",
	}, func(emit telemetry.Emit) {
		generation, _ := service().Roster().Head()
		emit(float64(generation))
	})
	r.Watch(telemetry.Family{
		Name: "culvert_roster_members", Help: "Members of the world.",
	}, func(emit telemetry.Emit) { emit(float64(len(service().Roster().Members()))) })
	r.Watch(telemetry.Family{
		Name: "culvert_roster_member", Help: "1 if this node is a member that reads, else 0.",
	}, func(emit telemetry.Emit) { emit(node.Bool(service().IsMember() == nil)) })
	r.Watch(telemetry.Family{
		Name: "culvert_roster_forked", Help: "1 if the roster has forked and founders have to choose a branch, else 0.",
	}, func(emit telemetry.Emit) { emit(node.Bool(service().Roster().Alarm() != "")) })
}

func watchLog(r *telemetry.Registry, service func() *Service) {
	r.Watch(telemetry.Family{
		Name: "culvert_log_events", Help: "Events in the log.",
	}, func(emit telemetry.Emit) { emit(float64(service().logStatus().Events)) })
	r.Watch(telemetry.Family{
		Name: "culvert_log_epochs", Help: "Epochs of which there are events in the log.",
	}, func(emit telemetry.Emit) { emit(float64(service().logStatus().Epochs)) })
	r.Watch(telemetry.Family{
		Name: "culvert_log_bytes", Help: "Size of the log's file.",
	}, func(emit telemetry.Emit) { emit(float64(service().logStatus().Bytes)) })
	reasons := make([]string, 0, len(eventlog.Reasons()))
	for _, reason := range eventlog.Reasons() {
		reasons = append(reasons, reason.Label())
	}
	r.Watch(telemetry.Family{
		Name: "culvert_log_refused_total", Help: "Events that were not taken, by what is wrong with them.", Counter: true,
		Labels: []telemetry.Label{node.Values("reason", reasons...)},
	}, func(emit telemetry.Emit) {
		for _, reason := range eventlog.Reasons() {
			emit(float64(service().events.Refused(reason)), reason.Label())
		}
	})
}

func watchSeals(r *telemetry.Registry, service func() *Service) {
	r.Watch(telemetry.Family{
		Name: "culvert_seal_newest_epoch", Help: "The newest epoch that is sealed here; absent before there is one.",
	}, func(emit telemetry.Emit) {
		if s := service().sealStatus(); s.Sealed > 0 {
			emit(float64(s.Newest))
		}
	})
	r.Watch(telemetry.Family{
		Name: "culvert_seal_pending", Help: "Seals that are known and whose events are not all here, or not told from later ones.",
	}, func(emit telemetry.Emit) { emit(float64(service().sealStatus().Pending)) })
	r.Watch(telemetry.Family{
		Name: "culvert_seal_double", Help: "Epochs of which directory signers have signed two seals.",
	}, func(emit telemetry.Emit) { emit(float64(service().sealStatus().Double)) })
}

func watchSync(r *telemetry.Registry, service func() *Service) {
	family := func(f telemetry.Family, read func(s gossip.Status, emit telemetry.Emit)) {
		r.Watch(f, func(emit telemetry.Emit) { read(service().syncer.Status(), emit) })
	}
	family(telemetry.Family{
		Name: "culvert_sync_rounds_total", Help: "Rounds of repair.", Counter: true,
	}, func(s gossip.Status, emit telemetry.Emit) { emit(float64(s.Rounds)) })
	family(telemetry.Family{
		Name: "culvert_sync_sessions", Help: "Sessions that run, by who opened them.",
		Labels: []telemetry.Label{node.Values("direction", "in", "out")},
	}, func(s gossip.Status, emit telemetry.Emit) {
		emit(float64(s.Inbound), "in")
		emit(float64(s.Outbound), "out")
	})
	family(telemetry.Family{
		Name: "culvert_sync_events_total", Help: "Events of sync: fetched and new, sent, and fetched and refused.", Counter: true,
		Labels: []telemetry.Label{node.Values("result", "added", "sent", "refused")},
	}, func(s gossip.Status, emit telemetry.Emit) {
		emit(float64(s.Totals.Added), "added")
		emit(float64(s.Totals.Sent), "sent")
		emit(float64(s.Totals.Refused), "refused")
	})
	family(telemetry.Family{
		Name: "culvert_sync_bytes_total", Help: "Bytes of sessions, padding included.", Counter: true,
		Labels: []telemetry.Label{node.Values("direction", "in", "out")},
	}, func(s gossip.Status, emit telemetry.Emit) {
		emit(float64(s.Totals.Size.Wire.Received), "in")
		emit(float64(s.Totals.Size.Wire.Sent), "out")
	})
	modes := []gossip.Mode{gossip.ModeEqual, gossip.ModeList, gossip.ModeCells, gossip.ModeRanges}
	names := make([]string, len(modes))
	for i, m := range modes {
		names[i] = string(m)
	}
	family(telemetry.Family{
		Name: "culvert_sync_finished_total", Help: "Sessions that were finished, by how it was found out what differs.", Counter: true,
		Labels: []telemetry.Label{node.Values("mode", names...)},
	}, func(s gossip.Status, emit telemetry.Emit) {
		for _, m := range modes {
			emit(float64(s.Modes[m]), string(m))
		}
	})
	failures := make([]string, 0, len(gossip.Reasons()))
	for _, reason := range gossip.Reasons() {
		failures = append(failures, reason.Label())
	}
	family(telemetry.Family{
		Name: "culvert_sync_failed_total", Help: "Sessions that were not, by why.", Counter: true,
		Labels: []telemetry.Label{node.Values("reason", failures...)},
	}, func(s gossip.Status, emit telemetry.Emit) {
		for _, reason := range gossip.Reasons() {
			emit(float64(s.Errors[reason]), reason.Label())
		}
	})
}
