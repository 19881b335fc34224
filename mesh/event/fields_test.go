package event_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/event/eventtest"
	"github.com/culvert-net/culvert/mesh/world"
)

// What members tell one another is measurements, never anybody's opinion of a
// provider, nor a handle. The fields of all messages are a closed list: whoever
// adds one has to come by here and say what it is.
func TestNoFieldHoldsAScore(t *testing.T) {
	want := map[string]string{
		"Receipt":            "ID Place Challenge Target TargetFAH Outcome Ticket Signed",
		"Attestation":        "ID Place Challenge Target TargetFAH Metrics Evidence Anchor Signed",
		"Dispute":            "Place EventA EventB Reason Signed",
		"LinkHint":           "Place TargetA TargetB Evidence Compatibility Signed", // of two names, not of a provider
		"Endorsement":        "Place Rules Weight Signed",                           // of rules
		"DescriptorPublish":  "Place Descriptor",
		"Shard":              "ID Place Source Payload Digest Signed",
		"Verdict":            "Place Shard Verdict Reasons Signed", // on a shard
		"Manifest":           "ID Place BaseModel Artifact Shards Method EvalReport Signed",
		"Place":              "WorldID EpochID",
		"Signed":             "Key Signature",
		"Metrics":            "SuccessRate RefusalConsistency ToolFidelity LatencyP50 LatencyP95 Robustness Drift Freshness",
		"Ticket":             "Nonce Anchor Output",
		"Descriptor":         "ID DescriptorUnsigned Key Signature",
		"DescriptorUnsigned": "World Epoch ContactPoints Capability",
		"Capability":         "FAH Manifest",
		"CapabilityManifest": "BaseModelID WeightsDigest RuntimeID ContextLimit ToolSchemasDigest SafetyMode Adapters",
		"Adapter":            "Type ID Digest",
	}
	seen := make(map[string]bool)
	var walk func(reflect.Type)
	walk = func(at reflect.Type) {
		switch at.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Array:
			walk(at.Elem())
			return
		case reflect.Struct:
		default:
			return
		}
		if seen[at.Name()] {
			return
		}
		seen[at.Name()] = true
		var fields []string
		for i := range at.NumField() {
			fields = append(fields, at.Field(i).Name)
			walk(at.Field(i).Type)
		}
		if got := strings.Join(fields, " "); got != want[at.Name()] {
			t.Errorf("%s has the fields %q, want %q", at.Name(), got, want[at.Name()])
		}
	}
	var types []event.Type
	for _, e := range eventtest.All(t) {
		walk(reflect.TypeOf(e.Body))
		types = append(types, e.Type())
	}
	walk(reflect.TypeFor[world.Descriptor]())
	for _, typ := range event.Types() {
		if !slices.Contains(types, typ) {
			t.Errorf("no %v was looked at", typ)
		}
	}
	for name := range want {
		if !seen[name] {
			t.Errorf("%s is part of no event", name)
		}
	}
}
