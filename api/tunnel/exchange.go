package tunnel

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/openai"
	"github.com/culvert-net/culvert/api/usage"
)

// exchange is one attempt: one request and one answer on one stream. Owned by
// Do, then by the reader of the answer.
type exchange struct {
	client *Client
	to     Target
	conn   Conn
	origin backend.Origin
	answer *answer

	detach func() // ends the watch on the context

	sent    chan struct{} // closed when the request has left, or could not
	sendErr error         // why it could not; written before sent is closed

	size  int64 // bytes of the answer's body that were read
	ended bool  // the last of them was
	err   error // what the next read returns
	gap   stall // the limit between bytes

	// Of an attempt that is paid for.
	payment Payment // nil: it is not, or its payment was ended
	round   string  // the payment's header; "": there is none
	purse   backend.Purse
	prompt  int64            // estimated tokens of the request
	meter   *usage.Meter     // of the answer; nil: none yet
	receipt *backend.Receipt // what it has cost; nil: not known
}

// exchange asks one provider and returns as soon as it has committed to an
// answer. ctx governs the rest of the exchange too. Its errors are *refusal,
// *unpaid, *openai.Error or, if ctx has ended, any; the outcome is then reported,
// and a payment ended. Or it is ErrWaits, after which nothing is reported: nothing was
// asked; waited is for how long that has been so.
func (c *Client) exchange(ctx context.Context, req *backend.Request, to Target, waited time.Duration) (*exchange, error) {
	conn, err := c.dial(ctx, to, req.Group)
	if err != nil {
		c.report(ctx, to, failure(err))
		c.log.DebugContext(ctx, "no circuit", "request", req.ID, "provider", to.Name, "err", err)
		return nil, err
	}
	x := &exchange{
		client: c,
		to:     to,
		conn:   conn,
		origin: backend.Origin{Provider: to.Name, Circuit: conn.Circuit()},
		sent:   make(chan struct{}),
		gap:    stall{limit: AnswerGap, set: conn.SetReadDeadline},
	}
	x.detach = onDone(ctx, func() { _ = conn.Reset() })
	// Errors of deadlines are those of a dead stream; the next read has them.
	_ = conn.SetDeadline(time.Now().Add(FirstTokenLimit))

	data := openai.Scrub(req.Body, req.View, to.Model, func(field, value string) string {
		return c.pseudonym(x.origin.Circuit, field, value)
	})
	if err := x.pay(ctx, req, data, waited); err != nil {
		close(x.sent) // nothing is
		x.abort()
		if errors.Is(err, ErrWaits) {
			return nil, err
		}
		c.router.Report(to, OutcomeCancelled)
		x.settle(ctx, PaymentEnd{Outcome: OutcomeCancelled})
		c.log.DebugContext(ctx, "attempt not paid for", "request", req.ID, "provider", to.Name, "err", err)
		return nil, err
	}
	if isSmall(len(data), x.round) {
		x.send(req, data)
	} else {
		// Written beside the reading, because a server may refuse a request early
		// and then takes no more of it. abort and receive wait for its end.
		go x.send(req, data)
	}

	if err := x.receive(); err != nil {
		outcome := c.report(ctx, to, failure(err))
		p := x.payment
		x.settle(ctx, paymentEnd(outcome, err))
		if r, ok := errors.AsType[*refusal](err); ok {
			r.again = r.money == CodeQuota && p != nil && p.Again()
		}
		c.log.DebugContext(ctx, "attempt failed", "request", req.ID, "circuit", x.origin.Circuit, "provider", to.Name, "err", err)
		return nil, err
	}
	return x, nil
}

// failure is the outcome of an attempt that ended with err before an answer.
func failure(err error) Outcome {
	if _, said := errors.AsType[*refusal](err); said {
		return OutcomeRefused
	}
	return OutcomeFailed
}

// dial opens a stream within DialLimit.
func (c *Client) dial(ctx context.Context, to Target, group backend.Group) (Conn, error) {
	dialCtx, cancel := context.WithTimeout(ctx, DialLimit)
	defer cancel()
	conn, err := c.dialer.Dial(dialCtx, to, group)
	if busy(err) {
		return nil, busyRefusal(backend.Origin{Provider: to.Name})
	}
	if err != nil {
		return nil, dialError(err, dialCtx.Err() != nil)
	}
	return conn, nil
}

// report tells the router how an attempt ended, and returns it. Whatever happened
// to one whose context had ended is no fault of the provider's.
func (c *Client) report(ctx context.Context, to Target, outcome Outcome) Outcome {
	if ctx.Err() != nil {
		outcome = OutcomeCancelled
	}
	c.router.Report(to, outcome)
	return outcome
}

// send writes the request. A stream that does not take it will not bring an
// answer either: the reset ends the reading.
func (x *exchange) send(req *backend.Request, data []byte) {
	defer close(x.sent)
	if x.sendErr = writeRequest(x.conn, req, data, x.round); x.sendErr != nil {
		_ = x.conn.Reset()
	}
}

// receive reads the answer's head. After an error the stream is released.
func (x *exchange) receive() error {
	a, err := readAnswer(x.conn)
	if err == nil && a.status != http.StatusOK {
		return x.refused(a)
	}
	if err == nil {
		// Nobody can answer a request that was not read whole.
		<-x.sent
		err = x.sendErr
	}
	if err != nil {
		x.abort()
		switch {
		case errors.Is(x.sendErr, os.ErrDeadlineExceeded): // and then its reset ended the reading
			err = x.sendErr
		case err == io.EOF: // END without an answer
			err = io.ErrUnexpectedEOF
		case busy(err), busy(x.sendErr):
			return busyRefusal(x.origin)
		}
		return lostError(err)
	}
	x.answer = a
	if x.payment != nil {
		x.meter = usage.NewMeter(a.body, !x.document())
		x.meter.Bill(x.prompt)
		a.body = x.meter
	}
	_ = x.conn.SetReadDeadline(time.Now().Add(FirstTokenLimit))
	return nil
}

// refused reads an error answer whole and releases the stream. Half an answer
// has no text that may be shown, but its status still counts.
func (x *exchange) refused(a *answer) error {
	_ = x.conn.SetReadDeadline(time.Now().Add(EndLimit))
	text, err := io.ReadAll(io.LimitReader(a.body, openai.MaxErrorBody+1))
	if err == nil {
		err = a.scan.finish()
	}
	if err != nil {
		text = nil
		x.abort()
	} else {
		x.finish()
	}
	code := moneyCode(a.status, text)
	return &refusal{
		api:    moneyError(rebuildError(a.status, a.header, text), code),
		status: a.status,
		money:  code,
		header: a.header,
		origin: x.origin,
	}
}

// read reads the answer's body. io.EOF means that body and stream are
// complete. Bytes come without an error.
func (x *exchange) read(p []byte) (int, error) {
	if x.err != nil {
		return 0, x.err
	}
	if !x.ended {
		if x.began() {
			x.gap.touch()
		}
		n, err := x.answer.body.Read(p)
		x.size += int64(n)
		if over := x.size - MaxAnswer; x.document() && over > 0 {
			n, err = n-int(over), refuse(FormAnswerSize)
		}
		if err == io.EOF {
			x.ended = true
		} else if err != nil {
			// net/http may have put the scanner's reason in other words.
			x.err = cmp.Or(x.answer.scan.err, err)
		}
		if n > 0 && x.payment != nil {
			x.payment.Saw(p[:n], x.meter.Snapshot())
		}
		if n > 0 || err == nil {
			return n, nil
		}
	}
	if x.err == nil {
		x.err = x.end()
	}
	return 0, x.err
}

// end is what follows the last byte: io.EOF, or why the answer is none.
func (x *exchange) end() error {
	if x.document() && x.size == 0 {
		return refuse(FormEmptyAnswer)
	}
	_ = x.conn.SetReadDeadline(time.Now().Add(EndLimit))
	return cmp.Or(x.answer.scan.finish(), io.EOF)
}

// began reports whether a byte of the body was read.
func (x *exchange) began() bool { return x.size > 0 }

// document reports whether the answer is one document and not a stream.
func (x *exchange) document() bool { return x.answer.media == backend.ContentJSON }

// finish releases a stream whose answer has ended. What a refusing server did
// not take of the request is dropped.
func (x *exchange) finish() {
	select {
	case <-x.sent:
		x.detach()
		_ = x.conn.Close()
	default:
		x.abort()
	}
}

// abort resets the stream and waits for the writer.
func (x *exchange) abort() {
	_ = x.conn.Reset()
	x.detach()
	<-x.sent
}

// onDone calls f when ctx ends. The returned function, which may be called
// more than once, ends the watch; f is not running any more when it returns.
func onDone(ctx context.Context, f func()) (detach func()) {
	ran := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ran)
		f()
	})
	return sync.OnceFunc(func() {
		if !stop() {
			<-ran
		}
	})
}

// stall moves a deadline along while bytes flow: whoever is silent for limit
// has stalled. It is moved only after an eighth of limit, since a timer per
// event would cost more than the event.
type stall struct {
	limit time.Duration
	set   func(time.Time) error
	moved time.Time
}

func (s *stall) touch() {
	if now := time.Now(); now.Sub(s.moved) >= s.limit/8 {
		s.moved = now
		_ = s.set(now.Add(s.limit)) // a dead stream tells by its next call
	}
}
