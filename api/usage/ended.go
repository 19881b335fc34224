package usage

import (
	"time"

	"github.com/culvert-net/culvert/api/openai"
)

// Ended is a request that is over, as one end of it saw it. It says nothing of
// its text but the name that the model was asked for by.
type Ended struct {
	Route  openai.Capability // what its route needs; "": it had none of the table
	Model  string            // "": the body was not read
	Stream bool              // a stream was asked for

	// Status is the one of the answer; StatusGone if the client went away
	// before it had all of it; that of what went wrong if the answer was cut.
	Status int

	Took     time.Duration // all of it
	First    time.Duration // until the first event of a stream; 0: there was none
	Overhead time.Duration // from the request's last byte until it was passed on; 0: it was not

	Input  int64 // tokens of the prompt, as the answer said; 0: it did not
	Output int64 // the same, of the answer
}

// StatusGone is what is counted for a client that went away, after nginx.
const StatusGone = 499

// Measure takes from the meter of an answer what it knows. m may be nil: there
// was no answer.
func (e *Ended) Measure(m *Meter, started time.Time) {
	if m == nil {
		return
	}
	e.Input, e.Output = m.Told()
	if !m.began.IsZero() {
		e.First = m.began.Sub(started)
	}
}
