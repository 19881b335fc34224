package tunnel

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/openai"
	"github.com/culvert-net/culvert/api/usage"
)

// Payer pays providers.
type Payer interface {
	// Open prepares to pay for one request at one provider, after the stream was
	// dialled and before a byte is sent on it. What the request may cost is set
	// aside, on disk, when it returns. A nil Payment: this provider asks for
	// nothing. An error that wraps an *openai.Error is shown to the person who
	// asked if nobody else can be asked; it counts as no fault of the provider's.
	// It returns promptly when ctx ends, which also ends the request. One that has to
	// wait returns ErrWaits: the first time at once, since somebody else may be asked
	// instead, and then after OpenLimit. It is called again.
	Open(ctx context.Context, to Target, ask Ask) (Payment, error)
}

// Ask is a request as far as its payment needs it. Nothing of it may be changed,
// or kept beyond the end of the Payment.
type Ask struct {
	Request *backend.Request // as it came
	Body    []byte           // as it leaves
	Conn    Conn             // the request's stream, to open another beside; not to be read or written

	// Waited is for how long Open has said ErrWaits; zero: it has not.
	Waited time.Duration
}

// ErrWaits is what Open returns for a payment that cannot be prepared yet: the stream
// is given back, since the provider does not wait for its request any longer, and Open
// is called again with another.
var ErrWaits = errors.New("the payment has to wait for others")

// Payment pays for one request. Header comes first, then Saw, both by one
// goroutine at a time, and then End.
type Payment interface {
	// Header is the value of the request's field x-culvert-round: at most MaxRound
	// characters of unpadded base64url.
	Header() string

	// Saw is told of each piece of the answer's body, in order, exactly as it
	// came, and what the answer amounts to with it. Both ends see the same bytes,
	// though in other pieces. It must not keep p, or wait.
	Saw(p []byte, so usage.Snapshot)

	// End comes once, when the attempt is over. For a complete answer it waits
	// for the provider's signed result, as long as ctx lets it. For any other it
	// returns at once, whatever ctx says. False: what it has cost is not known
	// yet, and End.Later, if it is not nil, is called with it when it is, once, if
	// it is more than nothing.
	End(ctx context.Context, e PaymentEnd) (backend.Receipt, bool)

	// Again reports, after End, whether another payment may be taken by the same
	// provider that said that this one is not enough (CodeQuota): less was paid
	// ahead than can be.
	Again() bool
}

// PaymentEnd says how an attempt that was to be paid for ended.
type PaymentEnd struct {
	Outcome Outcome
	Status  int    // of an error answer; 0: there was none
	Code    string // of an error answer: one of the codes about money, else ""

	// Sent says that something of the request may have reached the provider.
	Sent bool

	Usage usage.Snapshot // what this end has counted
	Later func(backend.Receipt)
}

// unpaid is an attempt that ended because its payment could not be prepared. The
// provider has had no part in it.
type unpaid struct{ api *openai.Error }

func (e *unpaid) Error() string { return "payment not prepared: " + e.api.Error() }

func (e *unpaid) Unwrap() error { return e.api }

func unpaidError(err error) *unpaid {
	if e, ok := errors.AsType[*openai.Error](err); ok {
		return &unpaid{e}
	}
	e := openai.Unavailable("payment_unavailable",
		"what pays for the request could not be set aside on this machine; its log says why, ask again", noProviderRetry)
	e.Cause = err
	return &unpaid{e}
}

// pay opens the payment for an attempt. Its errors are *unpaid, or ErrWaits.
func (x *exchange) pay(ctx context.Context, req *backend.Request, data []byte, waited time.Duration) error {
	payer := x.client.payer
	if payer == nil {
		return nil
	}
	p, err := payer.Open(ctx, x.to, Ask{Request: req, Body: data, Conn: x.conn, Waited: waited})
	if errors.Is(err, ErrWaits) {
		return err
	}
	if err != nil {
		return unpaidError(err)
	}
	if p == nil {
		return nil
	}
	x.payment, x.purse = p, req.Purse
	if x.round = p.Header(); !isRound(x.round) {
		return unpaidError(errors.New("the header of a payment is none"))
	}
	if req.Purse != nil {
		if err := req.Purse.Afford(); err != nil {
			return unpaidError(err)
		}
	}
	x.prompt = usage.Prompt(data)
	return nil
}

// settle ends the payment, if there is one. It comes when the stream was released:
// by then nothing of the answer comes any more.
func (x *exchange) settle(ctx context.Context, e PaymentEnd) {
	p := x.payment
	if p == nil {
		return
	}
	x.payment = nil
	if x.meter != nil {
		e.Usage = x.meter.Snapshot()
	}
	if x.purse != nil {
		e.Later = x.purse.Spent
	}
	if e.Outcome == OutcomeOK {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, SettleLimit)
		defer cancel()
	}
	receipt, known := p.End(ctx, e)
	if !known {
		return
	}
	x.receipt = &receipt
	if x.purse != nil {
		x.purse.Spent(receipt)
	}
}

// paymentEnd is how an attempt ended that had no answer.
func paymentEnd(outcome Outcome, err error) PaymentEnd {
	e := PaymentEnd{Outcome: outcome, Sent: true}
	if r, ok := errors.AsType[*refusal](err); ok {
		e.Status, e.Code = r.status, r.money
	}
	return e
}

// settled is what the answer has cost.
func (x *exchange) settled() (backend.Receipt, bool) {
	if x.receipt == nil {
		return backend.Receipt{}, false
	}
	return *x.receipt, true
}

// The codes by which a provider says that a request is not paid for.
const (
	// CodePaymentRequired, with 402: it wants to be paid, and no payment came.
	CodePaymentRequired = "payment_required"

	// CodePaymentRefused, with 402: the payment that came is none, or not good.
	CodePaymentRefused = "payment_refused"

	// CodeQuota, with 429: the payment is good and does not cover the request.
	CodeQuota = openai.CodeQuota
)

// moneyCode is the one of these that an error answer has; else "". They come from
// a provider's end only: what its own server says of its account stays there.
func moneyCode(status int, body []byte) string {
	if status != http.StatusPaymentRequired && status != http.StatusTooManyRequests {
		return ""
	}
	var doc struct {
		Error struct {
			Code string `json:"code"`
		} `json:"error"`
	}
	_ = json.Unmarshal(body, &doc) // what is no envelope has no code
	switch code := doc.Error.Code; {
	case status == http.StatusTooManyRequests && code == CodeQuota:
		return CodeQuota
	case status == http.StatusTooManyRequests:
		return ""
	case code == CodePaymentRefused:
		return code
	}
	return CodePaymentRequired // which is what 402 means
}

// moneyError is what the person who asked is told of such an error: in the
// provider's words, but where it does not know what happened here.
func moneyError(e *openai.Error, code string) *openai.Error {
	if code == CodePaymentRequired {
		e.Message = "the provider of this model wants to be paid, and nothing was paid; " +
			"ask for a model that costs nothing, or buy tokens from a provider of this one"
	}
	return e
}

// isRound reports whether s may be the value of x-culvert-round.
func isRound(s string) bool {
	if s == "" || len(s) > MaxRound {
		return false
	}
	for _, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}
