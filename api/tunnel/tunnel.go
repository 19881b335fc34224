package tunnel

import (
	"context"
	"errors"
	"net"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/openai"
)

// Conn is one stream of a circuit. Like any net.Conn it may be read, written
// and closed by different goroutines, and deadlines end blocked calls.
//
// Read returns io.EOF only after the peer's authenticated END: that is what
// tells a complete answer from a cut one. Write takes the first WriteAhead
// bytes without waiting for the peer.
type Conn interface {
	net.Conn

	// CloseWrite ends this side's direction cleanly, after what was written.
	CloseWrite() error

	// Reset aborts both directions at once, drops what is queued, wakes every
	// blocked call and releases the stream. It does not block and may be
	// called at any time, from any goroutine, more than once. Close, after
	// CloseWrite, still delivers what was written.
	Reset() error

	// Done is closed when the peer has reset the stream, when its circuit has
	// died, or after Reset or Close.
	Done() <-chan struct{}

	// Circuit names the circuit in a word that means nothing off this machine.
	Circuit() string
}

// ErrGone is wrapped where nothing opens beside a stream any more, since its circuit
// has ended.
var ErrGone = errors.New("the circuit has ended")

// Target is a provider as routing chose it.
type Target struct {
	Key  [32]byte // what Dial needs to reach it
	Name string   // local alias, shown to the user

	// Model is the provider's own name of the model that was asked for, which is
	// what it is sent; "" means as asked.
	Model string
}

// Dialer opens streams to providers; circuits implement it.
type Dialer interface {
	// Dial returns a fresh stream to the provider, over a circuit that carried
	// requests of this isolation group alone. It returns promptly when ctx ends. An error that wraps an
	// *openai.Error is shown to the person who asked, and of an *Explained its
	// reason.
	Dial(ctx context.Context, to Target, group backend.Group) (Conn, error)
}

// Router knows the providers.
type Router interface {
	// Choose picks a provider whose model, of this name or alias, can do what is
	// needed, outside exclude and without blocking. Its errors wrap
	// ErrUnknownModel if it is known that nobody serves such a model, ErrNotAble
	// if nobody who does is able, else ErrNoProvider: nobody who is able is left,
	// nobody is known, or it is not known who is. Of an *Explained the reason is shown to the
	// person who asked.
	Choose(model string, needs openai.Capability, exclude []Target) (Target, error)

	// Report tells, once for each chosen target, how the attempt ended.
	Report(t Target, outcome Outcome)

	// Models lists what Choose accepts, sorted by ID, with aliases.
	Models() []backend.Model
}

// Acceptor hands out the streams that clients open; a circuit's listener.
type Acceptor interface {
	// Accept blocks for the next stream. An error means there are no more.
	Accept() (Conn, error)

	// Close makes Accept return. Streams already accepted live on. It may be
	// called twice.
	Close() error
}

// Errors of Router.Choose.
var (
	ErrUnknownModel = errors.New("no provider has announced this model")
	ErrNotAble      = errors.New("no provider offers this of the model")
	ErrNoProvider   = errors.New("no provider of this model is left")
)

// Outcome is how an attempt at one provider ended. It is a metric label.
type Outcome uint8

// Outcomes.
const (
	OutcomeOK        Outcome = iota // a complete answer
	OutcomeFailed                   // nothing of an answer's body came: no circuit, lost, late or malformed
	OutcomeCut                      // the answer broke off after its first byte
	OutcomeRefused                  // the provider answered with an error status
	OutcomeCancelled                // the person who asked went away; says nothing about the provider
)

func (o Outcome) String() string {
	switch o {
	case OutcomeOK:
		return "ok"
	case OutcomeFailed:
		return "failed"
	case OutcomeCut:
		return "cut"
	case OutcomeRefused:
		return "refused"
	case OutcomeCancelled:
		return "cancelled"
	}
	return "unknown"
}

// CutError is what reading an answer returns when it broke off. Nothing is
// replayed after its first byte.
type CutError struct {
	API *openai.Error // what the person who asked may be told
	Err error         // what happened; stays on this machine
}

func (e *CutError) Error() string { return "answer cut: " + e.Err.Error() }

// Unwrap gives errors.As the *openai.Error and errors.Is the cause.
func (e *CutError) Unwrap() []error { return []error{e.API, e.Err} }
