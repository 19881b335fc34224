package observer

import (
	"github.com/culvert-net/culvert/circuit"
	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/member"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/internal/telemetry"
	"github.com/culvert-net/culvert/mesh"
)

// Metrics lists what the page of an observer holds.
func Metrics() []telemetry.Family {
	ob := new(observer)
	ob.makeMetrics()
	return ob.metrics.Families()
}

// makeMetrics makes what /metrics shows. It is read when somebody asks, from
// what is there by then.
func (ob *observer) makeMetrics() {
	r := telemetry.New(program, app.Version())
	ob.metrics = r
	node.WatchReady(r, ob.ready)
	node.WatchDirectory(r, func() node.Client { return ob.directory }, func() node.Directory { return ob.set })
	node.WatchHost(r, func() *mesh.Host { return ob.host })
	node.WatchRelay(r, func() *circuit.Relay { return ob.relay })
	member.Watch(r, func() *member.Service { return ob.member })
	r.Watch(telemetry.Family{
		Name: "culvert_clock_ahead_seconds", Help: "By how much this machine's clock is ahead of the seeds'; absent until one has answered.",
	}, func(emit telemetry.Emit) {
		if ahead, known := ob.clock.Ahead(); known {
			emit(ahead.Seconds())
		}
	})
}
