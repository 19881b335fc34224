package eventlog

import (
	"time"

	"github.com/culvert-net/culvert/mesh/world"
)

const (
	// maxStamp is the largest stamp kept beside an event: a ticket with the
	// longest anchor.
	maxStamp = 64 + world.MaxAnchor

	// groupEvents and groupBytes are what one transaction takes of waiting
	// callers. Its pages are in memory until it ends: a thousand ids spread over
	// a full epoch dirty a thousand pages, some 15 MiB with what describes them.
	// A call of Add brings no more than groupEvents, since it is stored in one
	// transaction, or not at all.
	groupEvents = 1024
	groupBytes  = 4 << 20

	// mapped is the address space taken at once. A file that outgrows it is
	// mapped anew, for which a write waits until nobody reads; a log of a
	// million events has some 600 MiB.
	mapped = 256 << 20

	// growth is what a file that is full grows by. It is a hole until it is
	// written, and each step costs a flush of its own.
	growth = 8 << 20

	// chunkEvents and chunkBytes are what a scan reads in one transaction,
	// before it hands it out: a reader that waits for its caller would keep
	// pages from being used again, and the file from growing.
	chunkEvents = 512
	chunkBytes  = 1 << 20

	// chunkSeen is how many it looks at, where few of them fit.
	chunkSeen = 8192

	// chunkIDs is the same for ids, 32 bytes each.
	chunkIDs = 8192

	// maxRefusals is how many refusals are remembered, for "why is it not here?"
	maxRefusals = 1024

	// VectorEpochs is how many epochs the version vector covers, the newest
	// included. It is a view for others' eyes: what syncs is the set.
	VectorEpochs = 4

	// maxSealed is how many ids a seal may name: 32 MiB of them while it is set.
	maxSealed = 1 << 20

	// maxStatement is how long a seal's statement may be: some fields and 16
	// signatures have less than 2 KiB.
	maxStatement = 16 << 10

	// quotaDescriptors is how many descriptor events a key may have in one
	// epoch, whatever the world's quota: four changes of a set of 64 models.
	quotaDescriptors = 4 * 64

	// maxUnstamped is how many descriptor events without a stamp an epoch takes:
	// their authors are no members, and keys cost nothing.
	maxUnstamped = 4096

	// maxTickets is how many good tickets are remembered, so that each is
	// computed once, and how many authors of bad ones.
	maxTickets = 8192

	// maxTries is how many bad tickets of a prober are computed in an epoch, however
	// they come: each costs some 40 ms, and its author signed it.
	maxTries = 2

	// maxSkewPeers is how many peers' clocks are compared.
	maxSkewPeers = 256

	// minSkewPeers is how many must agree before our clock is called wrong.
	minSkewPeers = 3

	// skewSlack is what a message may take on its way without looking like a
	// clock that is wrong.
	skewSlack = 30 * time.Second

	// skewMemory is for how many epochs an observation holds.
	skewMemory = 4
)
