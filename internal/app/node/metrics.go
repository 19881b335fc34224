package node

import (
	"time"

	"github.com/culvert-net/culvert/api/openai"
	"github.com/culvert-net/culvert/api/usage"
	"github.com/culvert-net/culvert/internal/telemetry"
	"github.com/culvert-net/culvert/mesh/directory"
)

// Values makes a Label of a closed list.
func Values(name string, values ...string) telemetry.Label {
	return telemetry.Label{Name: name, Values: values}
}

// WatchReady adds whether a program does its work.
func WatchReady(r *telemetry.Registry, ready func() error) {
	r.Watch(telemetry.Family{
		Name: "culvert_ready", Help: "1 if the program does its work, else 0; /readyz says why.",
	}, func(emit telemetry.Emit) { emit(Bool(ready() == nil)) })
}

// Bool is 1 or 0.
func Bool(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// WatchInFlight adds how many requests are being answered.
func WatchInFlight(r *telemetry.Registry, count func() float64) {
	r.Watch(telemetry.Family{
		Name: "culvert_requests_in_flight", Help: "Requests to models that are being answered.",
	}, func(emit telemetry.Emit) { emit(count()) })
}

// Count makes of what an end of requests tells what Requests counts.
func Count(requests *telemetry.Requests) func(usage.Ended) {
	operations := map[openai.Capability]string{
		openai.Chat: telemetry.OperationChat, openai.Completions: telemetry.OperationCompletion,
		openai.Embeddings: telemetry.OperationEmbeddings,
	}
	return func(e usage.Ended) {
		requests.Ended(telemetry.Call{
			Operation: operations[e.Route], Model: e.Model, Stream: e.Stream, Status: e.Status,
			Took: e.Took, FirstChunk: e.First, Overhead: e.Overhead, Input: int(e.Input), Output: int(e.Output),
		})
	}
}

// WatchDirectory adds what a node knows of its world. client and known are asked
// for when somebody wants to know.
func WatchDirectory(r *telemetry.Registry, client func() Client, known func() Directory) {
	r.Watch(telemetry.Family{
		Name: "culvert_directory_nodes", Help: "Nodes of the directory: those that only relay, those at which circuits only end, those that offer a model, and those whose models are not available now.",
		Labels: []telemetry.Label{Values("role", "relay", "end", "provider", "unavailable")},
	}, func(emit telemetry.Emit) {
		snap := known().Snapshot()
		relays, ends, offering := len(snap.Relays()), len(snap.Ends()), len(providers(snap))
		emit(float64(relays), "relay")
		emit(float64(ends), "end")
		emit(float64(offering), "provider")
		emit(float64(snap.Len()-relays-ends-offering), "unavailable")
	})
	r.Watch(telemetry.Family{
		Name: "culvert_directory_age_seconds", Help: "Seconds since a seed last answered; absent until one has.",
	}, func(emit telemetry.Emit) {
		s := client().Status()
		if age, ok := s.Age(time.Now()); ok {
			emit(age.Seconds())
		}
	})
	r.Watch(telemetry.Family{
		Name: "culvert_directory_fetches_total", Help: "Questions to seeds for their directory, by whether they were answered.", Counter: true,
		Labels: []telemetry.Label{Values("result", "ok", "failed")},
	}, func(emit telemetry.Emit) {
		s := client().Status()
		emit(float64(s.FetchesOK), "ok")
		emit(float64(s.FetchesFailed), "failed")
	})
	words := refusals()
	values := make([]string, len(words))
	for i, w := range words {
		values[i] = w.word
	}
	r.Watch(telemetry.Family{
		Name: "culvert_directory_refused_total", Help: "Descriptors that were not taken, by what is wrong with them.", Counter: true,
		Labels: []telemetry.Label{Values("reason", values...)},
	}, func(emit telemetry.Emit) {
		var refused map[directory.Reason]uint64
		if set, ok := known().(*directory.Set); ok { // what signers vouch for is not refused one by one
			refused = set.Refused()
		}
		for _, w := range words {
			emit(float64(refused[w.reason]), w.word)
		}
	})
}

// refusal is a reason of the directory in a word.
type refusal struct {
	reason directory.Reason
	word   string
}

// refusals are those that a descriptor can meet.
func refusals() []refusal {
	return []refusal{
		{directory.ReasonWorld, "world"},
		{directory.ReasonMalformed, "malformed"},
		{directory.ReasonEpoch, "epoch"},
		{directory.ReasonContact, "contact"},
		{directory.ReasonCapability, "capability"},
		{directory.ReasonSignature, "signature"},
		{directory.ReasonOldSeq, "old_seq"},
		{directory.ReasonChanges, "changes"},
		{directory.ReasonModels, "models"},
		{directory.ReasonEquivocal, "equivocal"},
		{directory.ReasonFull, "full"},
	}
}
