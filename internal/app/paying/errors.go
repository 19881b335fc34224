package paying

import (
	"context"
	"errors"
	"fmt"

	"github.com/culvert-net/culvert/api/openai"
	"github.com/culvert-net/culvert/ledger/channel"
)

// errStopping is for a request that comes while the program ends.
var errStopping = errors.New("the program is stopping")

// unpriced is for a provider whose word about money counts for nothing. Others may
// be asked.
func unpriced(err error) error {
	e := openai.Quota("the provider asks to be paid, and cannot be: " + err.Error())
	e.Cause = err
	return e
}

// leftError is for a provider whose figures were not believed.
func leftError(d channel.Dispute) error {
	e := openai.Quota(fmt.Sprintf("the provider of this model is not paid any more, since %s (round %s); bridge status lists it", d.Reason, d.Round))
	return e
}

// Unread is for a request that comes before the chain was read, why being what is
// known of that: what there is to pay with is not known, which is another thing than
// nothing.
func Unread(why error) *openai.Error {
	e := openai.Unavailable("chain_unread", "the providers of this model are paid, and "+why.Error()+"; ask again", retryAfter)
	e.Cause = why
	return e
}

// errUnread is why where no more is known.
var errUnread = errors.New("the chain has not been read yet")

// lacks reports whether an error says that the chain has too little money for a
// request, as far as it was read.
func lacks(err error) bool {
	for _, e := range []error{channel.ErrNoChannel, channel.ErrFunds, channel.ErrClosing} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// noMoney is what the person who asked is told of a request that could not be paid
// for, with what helps.
func (p *Payer) noMoney(ctx context.Context, err error, offer *Offer, account string) error {
	buy := p.cfg.Buy(offer.Provider, account)
	short, tooLittle := errors.AsType[*channel.ShortError](err)
	beside := ""
	if errors.Is(err, channel.ErrRunning) {
		beside = " until requests in progress have ended, which was waited for"
	}
	var e *openai.Error
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case lacks(err) && p.cfg.Payer.Chain.Fresh().IsZero():
		e = Unread(errUnread)
	case errors.Is(err, channel.ErrNoChannel):
		e = openai.Quota("the provider of this model is paid, and nothing was bought there; run: " + buy)
	case tooLittle && short.Err == channel.ErrFunds:
		e = openai.Quota(fmt.Sprintf("this request may cost %s, and %s is left with the provider%s; lower max_tokens, or run: %s",
			p.cfg.Money(short.Cost), p.cfg.Money(short.Left), beside, buy))
	case errors.Is(err, channel.ErrPrice):
		e = openai.Quota("the provider of this model asks for more than when you bought there; use another, or agree to its price with: " + buy)
	case errors.Is(err, channel.ErrClosing):
		e = openai.Quota("the channel with the provider is closing; run: " + buy)
	case tooLittle:
		e = openai.Quota(fmt.Sprintf("this request may cost %s, and you risk %s more with one provider%s; lower max_tokens, or raise pay.window in config.toml",
			p.cfg.Money(short.Cost), p.cfg.Money(short.Left), beside))
	case errors.Is(err, channel.ErrMismatch):
		e = openai.Quota("the provider's books of what was paid do not fit ours, so that nothing more is paid; bridge status says more")
	case errors.Is(err, channel.ErrResync), errors.Is(err, channel.ErrRunning), errors.Is(err, context.DeadlineExceeded):
		e = openai.Unavailable("payment_busy", "what was paid has to be compared with the provider's books first, and requests in progress have to end before that; ask again", retryAfter)
	default:
		p.failed(ctx, "a request could not be paid for", err)
		return err
	}
	p.count(func(c *Counts) { c.Unpaid++ })
	e.Cause = err
	return e
}
