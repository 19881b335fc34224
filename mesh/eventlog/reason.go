package eventlog

import (
	"fmt"
	"time"

	"github.com/culvert-net/culvert/mesh/world"
)

// Reason is why an event was refused: an error, and the code by which a peer may
// be told. The numbers are on the wire and never change their meaning.
type Reason uint8

const (
	ReasonSize      Reason = 1  // empty, or longer than any event
	ReasonWorld     Reason = 2  // of another world
	ReasonMalformed Reason = 3  // not the canonical bytes of an event, or its id is not that of its body
	ReasonType      Reason = 4  // of a type this world's log does not take
	ReasonEarly     Reason = 5  // of an epoch that has not begun, nor is the next
	ReasonLate      Reason = 6  // pushed though it is older than the last epoch
	ReasonHorizon   Reason = 7  // older than the world remembers
	ReasonPruned    Reason = 8  // of an epoch that was dropped here
	ReasonQuota     Reason = 9  // the author has its share of this type in this epoch
	ReasonStranger  Reason = 10 // the author was no member then
	ReasonSignature Reason = 11 // a signature does not fit
	ReasonTicket    Reason = 12 // a ticket is due, and there is none that is good
	ReasonUnstamped Reason = 13 // a descriptor without a stamp, and the epoch has its share of those
	ReasonStamp     Reason = 14 // the stamp beside a descriptor is not good, or came with one that is not
	ReasonSealed    Reason = 15 // made here, of an epoch that is sealed: nobody would count it

	reasons = 16 // one more than the last
)

// reasonNames has a word for metrics and JSON, and what people read.
var reasonNames = [reasons]struct{ label, text string }{
	ReasonSize:      {"size", "larger than an event may be"},
	ReasonWorld:     {"world", "of another world"},
	ReasonMalformed: {"malformed", "not an event's canonical bytes"},
	ReasonType:      {"type", "of a type this log does not take"},
	ReasonEarly:     {"early", "of an epoch yet to come; one of the two clocks is wrong"},
	ReasonLate:      {"late", "too old to be pushed; it can be had by sync"},
	ReasonHorizon:   {"horizon", "older than this world remembers"},
	ReasonPruned:    {"pruned", "of an epoch that was dropped here"},
	ReasonQuota:     {"quota", "more of its author's than an epoch takes"},
	ReasonStranger:  {"stranger", "its author is no member"},
	ReasonSignature: {"signature", "its signature is not good"},
	ReasonTicket:    {"ticket", "it needs a ticket for its epoch"},
	ReasonUnstamped: {"unstamped", "a descriptor without a stamp, and the epoch has enough of those"},
	ReasonStamp:     {"stamp", "the stamp beside a descriptor is not good"},
	ReasonSealed:    {"sealed", "its epoch is sealed, so that it would count nowhere; say it in this epoch"},
}

// Reasons lists all, for whoever counts them by name.
func Reasons() []Reason {
	all := make([]Reason, 0, reasons-1)
	for r := Reason(1); r < reasons; r++ {
		all = append(all, r)
	}
	return all
}

// Code is what a peer is told.
func (r Reason) Code() uint8 { return uint8(r) }

// Error implements error.
func (r Reason) Error() string {
	if r == 0 || r >= reasons {
		return fmt.Sprintf("event refused: reason %d", uint8(r))
	}
	return "event refused: " + reasonNames[r].text
}

// Label is the reason in a metric or in JSON: one word.
func (r Reason) Label() string {
	if r == 0 || r >= reasons {
		return "unknown"
	}
	return reasonNames[r].label
}

// Refusal is one event of a batch that was refused.
type Refusal struct {
	Index  int // in the batch
	Reason Reason
}

// Result is what became of a batch: each of its events is added, known or
// refused.
type Result struct {
	Added   int
	Known   int
	Refused []Refusal // by Index
}

// refused is a refusal that is remembered.
type refused struct {
	id     world.Hash
	reason Reason
	via    Via
	at     time.Time
}

// refusals are the last ones, in memory alone: who floods a node with what it
// refuses must not fill its disk. The zero value is empty.
type refusals struct {
	ring   []refused // a ring once it is full
	next   int
	counts [reasons]uint64
}

func (r *refusals) add(x refused) {
	r.counts[x.reason]++
	if x.id.IsZero() { // what was no event has no id
		return
	}
	if len(r.ring) < maxRefusals {
		r.ring = append(r.ring, x)
		return
	}
	r.ring[r.next] = x
	r.next = (r.next + 1) % maxRefusals
}

// find returns the newest refusal of an id.
func (r *refusals) find(id world.Hash) (found refused, ok bool) {
	for i := range r.ring {
		if x := r.ring[(r.next+i)%len(r.ring)]; x.id == id {
			found, ok = x, true
		}
	}
	return found, ok
}

// refuse remembers what was refused.
func (l *Log) refuse(xs ...refused) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, x := range xs {
		l.refusals.add(x)
	}
}

// Refused returns how many events were refused for a reason since the log was
// opened.
func (l *Log) Refused(r Reason) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r >= reasons {
		return 0
	}
	return l.refusals.counts[r]
}
