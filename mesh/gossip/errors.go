package gossip

import (
	"context"
	"errors"
	"fmt"
)

// Reason is why a session ended early: a closed list, and all that is ever
// counted, shown or told to the peer of it.
type Reason uint8

// The numbers are on the wire and never change their meaning.
const (
	ReasonNone        Reason = 0
	ReasonClosed      Reason = 1  // the stream ended or broke
	ReasonTimeout     Reason = 2  // the peer was too slow, or the caller gave up
	ReasonWorld       Reason = 3  // of another world, or another protocol version
	ReasonStranger    Reason = 4  // no member, or not the member that was dialled
	ReasonClock       Reason = 5  // its epoch is not ours, nor next to it
	ReasonKey         Reason = 6  // one side lacks the epoch's key
	ReasonRoster      Reason = 7  // the rosters could not be made one
	ReasonBusy        Reason = 8  // a limit on sessions is reached
	ReasonBudget      Reason = 9  // the peer has had its share of this minute
	ReasonBanned      Reason = 10 // the peer is banned
	ReasonMalformed   Reason = 11 // bytes that the protocol does not allow
	ReasonSeal        Reason = 12 // a frame or signature is not authentic
	ReasonLimit       Reason = 13 // more than the protocol allows of something
	ReasonCells       Reason = 14 // coded cells that contradict themselves
	ReasonFingerprint Reason = 15 // the set is not the one whose fingerprint was told
	ReasonBody        Reason = 16 // a body that is no good event, or was not asked for
	ReasonWithheld    Reason = 17 // events that were named and not delivered
	ReasonLocal       Reason = 18 // our own store failed
	ReasonWork        Reason = 19 // it would have cost more than a session may

	ReasonUnreachable Reason = 20 // no stream to the member could be opened; never told

	ReasonRefused Reason = 21 // too much that our log does not take

	reasons = 22 // one more than the last
)

// reasonTable has a word for metrics and JSON, what people read, and what it
// costs whoever caused it.
var reasonTable = [reasons]struct {
	label, text string
	cost        cost
}{
	ReasonNone:        {"none", "no error", free},
	ReasonClosed:      {"closed", "the peer closed the stream", backoff},
	ReasonTimeout:     {"timeout", "the peer was too slow", backoff},
	ReasonWorld:       {"world", "the peer is of another world or speaks another version", backoff},
	ReasonStranger:    {"stranger", "the peer is not the member it should be", backoff},
	ReasonClock:       {"clock", "the peer's epoch is not ours; check the clocks of both", backoff},
	ReasonKey:         {"key", "one side has no key for this epoch", backoff},
	ReasonRoster:      {"roster", "the rosters of both could not be joined", backoff},
	ReasonBusy:        {"busy", "too many sessions are running", backoff},
	ReasonBudget:      {"budget", "the peer has used up its share; it passes in a minute", backoff},
	ReasonBanned:      {"banned", "the peer is banned for a while", backoff},
	ReasonMalformed:   {"malformed", "the peer sent what the protocol does not allow", ban},
	ReasonSeal:        {"seal", "a frame or signature is not authentic", backoff},
	ReasonLimit:       {"limit", "the peer sent more than the protocol allows", ban},
	ReasonCells:       {"cells", "the peer's coded cells contradict themselves", ban},
	ReasonFingerprint: {"fingerprint", "the peer's log is not the one it gave the fingerprint of", ban},
	ReasonBody:        {"body", "the peer sent an event that is not good", ban},
	ReasonWithheld:    {"withheld", "the peer named events that it did not send", backoff},
	ReasonLocal:       {"local", "our own log or roster failed", free},
	ReasonWork:        {"work", "the session would have cost more than one may", backoff},
	ReasonUnreachable: {"unreachable", "no stream to the member could be opened", backoff},
	ReasonRefused:     {"refused", "the peer brings too much that is not taken here", backoff},
}

// cost is what follows for a peer.
type cost uint8

const (
	free    cost = iota
	backoff      // it is left alone for a while that doubles
	ban          // it is neither asked nor answered for banTime
)

// Label is the reason in a metric or in JSON: one word.
func (r Reason) Label() string {
	if r >= reasons {
		return "unknown"
	}
	return reasonTable[r].label
}

// String is the reason for people.
func (r Reason) String() string {
	if r >= reasons {
		return "for a reason this version does not know"
	}
	return reasonTable[r].text
}

// Reasons lists all but ReasonNone, for whoever counts them by name.
func Reasons() []Reason {
	all := make([]Reason, 0, reasons-1)
	for r := Reason(1); r < reasons; r++ {
		all = append(all, r)
	}
	return all
}

// Error ends a session. It never holds text of the peer.
type Error struct {
	Reason Reason
	// Told says that the peer gave the reason; it is then no proof of anything.
	Told bool
	err  error // local detail; nil: the reason says it all
}

func (e *Error) Error() string {
	s := e.Reason.String()
	if e.Told {
		s = "the peer ended the session: " + s
	}
	if e.err != nil {
		s += ": " + e.err.Error()
	}
	return s
}

// Unwrap is the local detail.
func (e *Error) Unwrap() error { return e.err }

// fail is an error of the session with a local detail.
func fail(r Reason, format string, args ...any) error {
	return &Error{Reason: r, err: fmt.Errorf(format, args...)}
}

// ReasonOf is why a session ended.
func ReasonOf(err error) Reason {
	var e *Error
	switch {
	case err == nil:
		return ReasonNone
	case errors.As(err, &e):
		return e.Reason
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return ReasonTimeout
	default:
		return ReasonClosed
	}
}

// toldBy reports whether it was the peer who ended a session.
func toldBy(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Told
}
