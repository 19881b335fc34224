package gossip

import (
	"context"
	"io"

	"github.com/culvert-net/culvert/mesh/recon"
	"github.com/culvert-net/culvert/mesh/world"
)

// ID is an event's id.
type ID = recon.ID

// Epoch is what a log knows of one epoch.
type Epoch struct {
	Epoch  uint64
	Count  uint64   // events that it had, also once they are pruned
	Sum    [32]byte // the fingerprint over their ids
	Pruned bool     // the events are gone for good
}

// Log is the event log, as sync needs it.
type Log interface {
	// Epochs lists the epochs that have or had events, in order.
	Epochs() ([]Epoch, error)

	// Snapshot is the ids of one epoch's events and the fingerprint over exactly
	// these. A pruned epoch has none.
	Snapshot(epoch uint64) ([]ID, *recon.Fingerprint, error)

	// Get is an event as it travels, or nil when it is not there.
	Get(epoch uint64, id ID) ([]byte, error)

	// Admit checks what a peer sent and keeps what is good: durable on return. It
	// returns how many of them are new, and one verdict for each, in order. An
	// error means that the log failed, never that an event is bad.
	Admit(ctx context.Context, events [][]byte, via Via) (added int, verdicts []Verdict, err error)
}

// Via is how an event came.
type Via uint8

const (
	ViaSync Via = iota
	ViaPush
)

// Verdict is what became of one event.
type Verdict struct {
	ID      ID // the hash of its body; zero if there is none
	Epoch   uint64
	Outcome Outcome
	// Sent says that it was refused for how it was sent: from another peer, with what
	// is not covered by its id, it may be taken.
	Sent bool
}

// Outcome is what a log did with an event.
type Outcome uint8

const (
	Kept    Outcome = iota // it is in the log, now or since before
	Refused                // not wanted here, which the sender could not know
	Bad                    // no good event, which the sender had to see
)

// Group is the members' group, as sync needs it.
type Group interface {
	// Head is the newest generation in force and the hash of its roster entry.
	Head() (generation uint64, entry world.Hash)

	// Speaks is the newest generation up to the head whose master is here, and its
	// entry: the head as a rule.
	Speaks() (generation uint64, entry world.Hash)
	// Missing is encoded roster entries for a peer whose head is another, oldest
	// first, at most limit bytes of them: those that follow on its head, or, when
	// its head is not on our chain, those that compete with it.
	Missing(generation uint64, entry world.Hash, limit int) ([][]byte, error)

	// Learn takes entries of a peer. One that is not valid is an error that wraps
	// ErrEntry; entries that are known, or make a fork, are none.
	Learn(entries [][]byte) error

	// Member reports who is a member at the head, and Members lists them.
	Member(key [32]byte) bool
	Members() [][32]byte

	// Key is the control-plane key of an epoch under the master that a roster
	// entry brought, or nil when that master was never ours.
	Key(entry world.Hash, epoch uint64) *world.Secret
}

// Carrier is a small list that travels with sync: seals, counters of the version
// vector, roster approvals that are waiting. What the items are is its own affair.
type Carrier interface {
	// Digest changes when the list does. Lists of equal digests are not sent.
	Digest() [32]byte

	// Items is the list, at most 512 KiB with some bytes for each.
	Items() [][]byte

	// Merge takes in a peer's list. An item that no honest peer sends is an error
	// that wraps ErrEntry.
	Merge(items [][]byte) error
}

// Dialer opens a stream to a member.
type Dialer interface {
	Open(ctx context.Context, member [32]byte) (io.ReadWriteCloser, error)
}

// Judge looks at an event without keeping it.
type Judge interface {
	// Judge is what Admit would make of a pushed event now, and whether it is not
	// in the log yet. It is called from many goroutines, and writes nothing.
	Judge(event []byte) (outcome Outcome, fresh bool)
}

// Broadcaster carries messages to all who subscribed to a topic, and sends on
// what others brought.
type Broadcaster interface {
	// Publish sends data under a topic that is subscribed to.
	Publish(ctx context.Context, topic string, data []byte) error

	// Subscribe joins a topic, which is joined once at most.
	Subscribe(topic string) (Subscription, error)
}

// Subscription is what comes under one topic.
type Subscription interface {
	// Next waits for a message of another member, and says which peer brought it.
	// An error is final.
	Next(ctx context.Context) (data []byte, from [32]byte, err error)

	// Present lists the members that are in the topic and that we push to. It is
	// asked once a second.
	Present() [][32]byte

	// Cancel leaves the topic; Next then returns an error.
	Cancel()
}
