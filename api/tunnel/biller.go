package tunnel

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/body"
	"github.com/culvert-net/culvert/api/openai"
	"github.com/culvert-net/culvert/api/sse"
	"github.com/culvert-net/culvert/api/usage"
)

// Biller is paid for answers.
type Biller interface {
	// Admit decides about a request that came whole, before the backend sees it.
	// A nil Bill: it is free. The error is the answer; those about money have one
	// of the codes about it, so that the client's end goes elsewhere. Admit
	// returns promptly when ctx ends.
	Admit(ctx context.Context, a Admission) (Bill, *openai.Error)
}

// Admission is a request to be decided about. It is good until Admit returns.
type Admission struct {
	Header  string           // x-culvert-round, whose form was checked; "": there was none
	Request *backend.Request // as it came
	Circuit string           // of its stream
}

// Bill is one request that is paid for. Limit comes first, then Pass, by one
// goroutine at a time, and then End.
type Bill interface {
	// Limit bounds the tokens of the answer, those of all choices together; false:
	// nothing does.
	Limit() (tokens int64, ok bool)

	// Pass is told of each piece of the answer's body before it is sent, and what
	// the answer amounts to with it. A document is one piece. It may wait for the
	// payer, and returns promptly when ctx ends. An error ends the answer without
	// the piece: a document with the error as it is, a stream with a frame.
	Pass(ctx context.Context, p []byte, so usage.Snapshot) *openai.Error

	// End comes once, whatever happened, when the stream was released.
	End(e BillEnd)
}

// BillEnd says how an answer that was billed ended.
type BillEnd struct {
	Usage    usage.Snapshot // of what was sent
	Complete bool           // all of it was, and taken by the circuit
	Gone     bool           // the client went away first
	Status   int            // what became of it, as usage.Ended has it

	// Frame is what followed the last piece that was passed: the frame of an error
	// that ended a stream. It is part of the body. Nil: nothing did.
	Frame []byte
}

// maxBytesPerToken is more text than a token of any model in use has: an answer
// with more of it than its bound allows goes on beyond the bound.
const maxBytesPerToken = 12

// billed is a bill and what became of its answer. Owned by serve.
type billed struct {
	bill   Bill
	most   int64          // tokens of the answer; 0: as many as there are
	prompt int64          // estimated tokens of the request
	sent   usage.Snapshot // what was passed amounts to
	frame  []byte         // that followed it
}

// admit asks the biller, if there is one, and puts into req what it wants of the
// backend.
func (v *visit) admit(ctx context.Context, in *incoming, req *backend.Request) *openai.Error {
	if v.biller == nil {
		return nil
	}
	asked := *req
	bill, e := v.biller.Admit(ctx, Admission{Header: in.round, Request: &asked, Circuit: v.conn.Circuit()})
	if e != nil || bill == nil {
		return e
	}
	v.bill = &billed{bill: bill, prompt: usage.Prompt(req.Body)}
	if most, ok := bill.Limit(); ok {
		v.bill.most = max(1, most)
	}
	if in.route.Chunk == "" {
		return nil // nothing is written, so there is nothing to bound and no stream
	}
	data := openai.Billed(req.Body, req.View, openai.Billing{Most: v.bill.most, Usage: true})
	view, e := in.route.Parse(data)
	if e != nil {
		return e
	}
	req.Body, req.View = data, view
	return nil
}

// settle ends the bill, if there is one.
func (v *visit) settle() {
	if v.bill == nil {
		return
	}
	status := v.summary.Status
	v.bill.bill.End(BillEnd{
		Usage: v.bill.sent, Frame: v.bill.frame,
		Complete: status == http.StatusOK, Gone: status == usage.StatusGone, Status: status,
	})
}

// pass is Bill.Pass, with the bound that is kept here.
func (b *billed) pass(ctx context.Context, p []byte, so usage.Snapshot) *openai.Error {
	if b.most > 0 && (so.Text.Content+so.Text.Reasoning)/maxBytesPerToken > b.most {
		return openai.Upstream(http.StatusBadGateway, "output_limit",
			"the model server went on beyond the tokens that the answer was bounded to; it ends here")
	}
	if e := b.bill.Pass(ctx, p, so); e != nil {
		return e
	}
	b.sent = so
	return nil
}

// left is for a client that went away while the backend worked, before anything of
// an answer was sent: its prompt was read for it, as in front of a stream. Else
// whoever leaves just before each answer is worked for at no cost. Where the server
// itself ends, which serving tells, nothing is owed.
func (b *billed) left(serving context.Context) {
	if b != nil && serving.Err() == nil {
		b.sent = usage.Snapshot{Input: b.prompt}
	}
}

// document reads an answer that is one document whole and passes it: what goes
// wrong has a status then. release is to be called in any case.
func (b *billed) document(ctx context.Context, meter *usage.Meter, budget *body.Budget) (io.Reader, func(), *openai.Error) {
	text, release, err := budget.Read(meter, -1, MaxAnswer)
	if _, ok := errors.AsType[*body.TooLargeError](err); ok {
		return nil, release, openai.Upstream(http.StatusBadGateway, "answer_too_large", "the answer is too large for a document; ask for a stream")
	}
	if errors.Is(err, body.ErrBusy) {
		return nil, release, errBusy()
	}
	if err != nil {
		return nil, release, backend.AsError(err)
	}
	if len(text) > 0 { // else writeDocument says so
		if e := b.pass(ctx, text, meter.Snapshot()); e != nil {
			return nil, release, e
		}
	}
	return bytes.NewReader(text), release, nil
}

// stream is an answer of events, each piece of which is passed before it is
// read. One that is not becomes a frame with the reason, and the answer's end.
func (b *billed) stream(ctx context.Context, meter *usage.Meter) io.Reader {
	b.sent = meter.Snapshot() // the head leaves at once: the prompt was taken
	return &billedStream{
		meter: meter, billed: b, gone: ctx.Err,
		pass: func(p []byte, so usage.Snapshot) *openai.Error { return b.pass(ctx, p, so) },
	}
}

type billedStream struct {
	meter  *usage.Meter
	billed *billed
	gone   func() error // why nobody reads any more; nil: somebody does
	pass   func([]byte, usage.Snapshot) *openai.Error
	rest   []byte // of the frame, to be read
	err    error  // what follows it
}

// Read implements io.Reader.
func (s *billedStream) Read(p []byte) (int, error) {
	if s.err == nil {
		n, err := s.meter.Read(p)
		if n == 0 {
			return 0, err
		}
		e := s.pass(p[:n], s.meter.Snapshot())
		if e == nil {
			return n, err
		}
		if err := s.gone(); err != nil {
			return 0, err
		}
		// The new line ends whatever the last piece may have left open.
		s.rest, s.err = sse.AppendError([]byte("\n"), e.JSON()), e
		s.billed.frame = s.rest
	}
	if len(s.rest) == 0 {
		return 0, s.err
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}
