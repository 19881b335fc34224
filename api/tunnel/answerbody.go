package tunnel

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/openai"
)

// answerBody is the Body of a Response. A first answer that fails before its
// first byte is replaced inside Read by a second one, if that is of the same
// kind; afterwards nothing is replayed.
type answerBody struct {
	cancel context.CancelFunc // ends every phase; immutable
	ctxErr func() error       // of the context that cancel ends; immutable

	// settle ends the payment of an attempt, within that context; nil: nobody is
	// paid; immutable.
	settle func(*exchange, Outcome)

	mu    sync.Mutex                           // held by Read; Close first cancels, then waits for it
	x     *exchange                            // guarded by mu
	again func(cause error) (*exchange, error) // asks once more; guarded by mu
	err   error                                // what ended the answer; guarded by mu
}

func newAnswerBody(ctx context.Context, cancel context.CancelFunc, k *call, x *exchange) *answerBody {
	b := &answerBody{
		cancel: cancel,
		ctxErr: ctx.Err,
		x:      x,
		again: func(cause error) (*exchange, error) {
			if len(k.tried) == maxAttempts {
				return nil, lostError(cause)
			}
			return k.run(ctx, cause)
		},
	}
	if x.client.payer != nil {
		b.settle = func(x *exchange, o Outcome) { x.settle(ctx, PaymentEnd{Outcome: o, Sent: true}) }
	}
	return b
}

// Read yields the answer's bytes as they come.
func (b *answerBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil || len(p) == 0 {
		return 0, b.err
	}
	for {
		n, err := b.x.read(p)
		switch {
		case err == nil:
			return n, nil
		case err == io.EOF:
			b.end(OutcomeOK, io.EOF)
		case b.ctxErr() != nil:
			b.end(OutcomeCancelled, b.ctxErr())
		case b.x.began():
			b.end(OutcomeCut, cutError(err))
		default:
			b.end(OutcomeFailed, nil)
			if b.err = b.replace(err); b.err == nil {
				continue
			}
		}
		b.cancel()
		return 0, b.err
	}
}

// replace puts a second answer in the place of one that failed with cause
// before its first byte. The status and type of the first may be with the
// person who asked already, so the second must have the same.
func (b *answerBody) replace(cause error) error {
	media := b.x.answer.media
	x, err := b.again(cause)
	if err == nil && x.answer.media == media {
		b.x = x
		return nil
	}
	if x != nil { // of another kind
		x.abort()
		b.report(x, OutcomeCancelled)
	}
	if b.ctxErr() != nil {
		return b.ctxErr()
	}
	cut := &CutError{API: lostError(cause), Err: cause}
	if r, ok := errors.AsType[*refusal](err); ok {
		cut.API, cut.Err = r.api, r
	} else if e, ok := errors.AsType[*openai.Error](err); ok {
		cut.API, cut.Err = e, e
	}
	return cut
}

// Close cancels what is left of the answer. It may be called twice, and while
// a Read is blocked.
func (b *answerBody) Close() error {
	b.cancel()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		b.end(OutcomeCancelled, http.ErrBodyReadAfterClose)
	}
	return nil
}

// settled is what the answer has cost, behind its end.
func (b *answerBody) settled() (backend.Receipt, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.x.settled()
}

// end releases the stream, reports how the attempt ended and ends its payment.
func (b *answerBody) end(outcome Outcome, err error) {
	if outcome == OutcomeOK {
		b.x.finish()
	} else {
		b.x.abort()
	}
	b.report(b.x, outcome)
	b.err = err
}

// report tells how an attempt ended whose stream is released.
func (b *answerBody) report(x *exchange, outcome Outcome) {
	x.client.router.Report(x.to, outcome)
	if b.settle != nil {
		b.settle(x, outcome)
	}
}
