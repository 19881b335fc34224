package event

import "github.com/culvert-net/culvert/mesh/world"

const (
	// MaxEvent bounds one event's canonical bytes: the largest kinds, a shard and
	// a manifest, fit, and a thousand of them are what one sync page may hold.
	MaxEvent = 16 << 10

	// MaxReason bounds a reason in bytes: a sentence, not a log.
	MaxReason = 256

	// MaxReasons bounds the reasons of a verdict.
	MaxReasons = 16

	// MaxLatency bounds a latency in milliseconds: a probe is given up long
	// before an hour.
	MaxLatency = 3_600_000

	// MaxWeight bounds an endorsement's weight, as the rules' own weights are.
	MaxWeight = world.MaxWeight

	// MaxName bounds the names a training message holds: of a model, a method or
	// the source of a shard.
	MaxName = 256

	// MaxPayload bounds a shard's payload, so that the event around it fits.
	MaxPayload = 12 << 10

	// MaxShards bounds the shards one manifest names: 12 KiB of ids.
	MaxShards = 384
)
