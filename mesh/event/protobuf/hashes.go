package protobuf

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/culvert-net/culvert/mesh/world"
)

// Hashes are wrapped once (Bytes32) or twice (an id's own message around it).

// bytes32 is the message Bytes32.
func bytes32(at *world.Hash) table { return table{fixedField(1, at[:])} }

// id is a message of one Bytes32.
func id(at *world.Hash) table { return table{messageField(1, bytes32(at))} }

// hashField is a Bytes32.
func hashField(n protowire.Number, at *world.Hash) field { return messageField(n, bytes32(at)) }

// idField is a hash in its own message: WorldId, TargetRef, OutcomeCommitment.
func idField(n protowire.Number, at *world.Hash) field { return messageField(n, id(at)) }

// optionalIDField is one that may be absent.
func optionalIDField(n protowire.Number, at **world.Hash) field {
	return delimited(n, func() bool { return *at != nil }, func() []byte { return id(*at).append(nil) }, func(b []byte) error {
		*at = new(world.Hash)
		return id(*at).read(b)
	})
}
