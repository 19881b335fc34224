package tunnel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/body"
	"github.com/culvert-net/culvert/api/openai"
)

// The errors a client's end gives the person who asked. Each says what to do
// next and names no address or key; what happened is in Cause.

// Explained is an error of a Router or a Dialer with a reason for the person
// who asked: a few words without address or key, in which nodes have their
// aliases.
type Explained struct {
	Reason string
	Err    error // what happened; stays on this machine
}

func (e *Explained) Error() string { return e.Reason + ": " + e.Err.Error() }
func (e *Explained) Unwrap() error { return e.Err }

// reason is what err says to the person who asked, or otherwise.
func reason(err error, otherwise string) string {
	if e, ok := errors.AsType[*Explained](err); ok {
		return e.Reason
	}
	return otherwise
}

// chooseError is for a Router that has nobody.
func chooseError(model string, needs openai.Capability, err error) *openai.Error {
	if e, ok := errors.AsType[*openai.Error](err); ok {
		return e
	}
	if errors.Is(err, ErrUnknownModel) {
		return openai.ModelNotFound(model, "GET /v1/models lists what the providers in reach serve")
	}
	if errors.Is(err, ErrNotAble) {
		return openai.NotAble(model, needs)
	}
	const full = "no provider of this model can take the request now; pick another model of GET /v1/models, or wait"
	e := openai.Unavailable("no_provider", reason(err, full)+"; ask again in a moment", noProviderRetry)
	e.Cause = err
	return e
}

// dialError is for a circuit that did not come about. late says that DialLimit
// struck.
func dialError(err error, late bool) *openai.Error {
	e, ok := errors.AsType[*openai.Error](err)
	switch {
	case ok:
		return e
	case late, errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		e = openai.Upstream(http.StatusGatewayTimeout, "circuit_timeout",
			fmt.Sprintf("no circuit to a provider of this model was ready within %v: %s; ask again", DialLimit, reason(err, "a node on the way is slow to answer")))
	default:
		e = openai.Unavailable("no_circuit",
			"no circuit to a provider of this model could be built: "+reason(err, "a node on the way did not answer")+"; ask again in a moment",
			noProviderRetry)
	}
	e.Cause = err
	return e
}

// busy reports whether err is a circuit's word that the provider has no room.
// Like net.Error's Timeout, the method is all that is known of its type.
func busy(err error) bool {
	e, ok := errors.AsType[interface {
		error
		Busy() bool
	}](err)
	return ok && e.Busy()
}

// busyRefusal is for a provider that had no room and read nothing: as good as
// its 503, so another one may be asked.
func busyRefusal(origin backend.Origin) *refusal {
	return &refusal{api: errBusy(), status: http.StatusServiceUnavailable, origin: origin}
}

// lostError is for an attempt that ended before a byte of an answer.
func lostError(err error) *openai.Error {
	var e *openai.Error
	switch {
	case isProtocolError(err):
		e = openai.Upstream(http.StatusBadGateway, "bad_answer",
			"the provider's answer was malformed and was not passed on; ask again, or pick another model")
	case errors.Is(err, os.ErrDeadlineExceeded):
		e = openai.Upstream(http.StatusGatewayTimeout, "first_token_timeout",
			fmt.Sprintf("the provider did not begin its answer within %v; ask again, or shorten the prompt", FirstTokenLimit))
	case err == io.ErrUnexpectedEOF: // after the stream's own END: the provider ended it
		e = openai.Upstream(http.StatusBadGateway, "upstream_cut",
			"the provider's model server failed before the answer began; ask again, or pick another model")
	default:
		e = openai.Upstream(http.StatusBadGateway, "circuit_lost",
			"the circuit to the provider was lost before the answer began; ask again")
	}
	e.Cause = err
	return e
}

// cutError is for an answer that broke off after its first byte.
func cutError(err error) *CutError {
	var e *openai.Error
	switch {
	case isProtocolError(err):
		e = openai.Upstream(http.StatusBadGateway, "bad_answer",
			"the rest of the provider's answer was malformed and was not passed on; the answer is incomplete, ask again")
	case errors.Is(err, os.ErrDeadlineExceeded):
		e = openai.Upstream(http.StatusGatewayTimeout, "answer_stalled",
			"the provider fell silent in the middle of the answer; it is incomplete, ask again")
	case err == io.ErrUnexpectedEOF:
		e = openai.Upstream(http.StatusBadGateway, "upstream_cut",
			"the provider's model server failed in the middle of the answer; it is incomplete, ask again")
	default:
		e = openai.Upstream(http.StatusBadGateway, "answer_cut",
			"the provider or the circuit to it failed in the middle of the answer; it is incomplete, ask again")
	}
	e.Cause = err
	return &CutError{API: e, Err: err}
}

// errTooLarge is for a body over body.MaxBody, at either end.
func errTooLarge() *openai.Error {
	return &openai.Error{
		Status: http.StatusRequestEntityTooLarge, Type: openai.TypeInvalidRequest, Code: "request_too_large",
		Message: fmt.Sprintf("the request is larger than %d MiB; send less", body.MaxBody>>20),
	}
}

func isProtocolError(err error) bool {
	_, ok := errors.AsType[*ProtocolError](err)
	return ok
}
