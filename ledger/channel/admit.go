package channel

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/ledger"
)

// Terms is what a provider knows of a request before it runs.
type Terms struct {
	RequestHash ledger.Hash // of the request as it came: HashRequest with the header's salt
	Model       string      // as the price sheet names it
	Input       uint64      // the most tokens that the prompt can be
	Output      uint64      // the body's max tokens; zero: it has none
	OutputCap   uint64      // the model's cap, or the context left, whichever is less
	Reasoning   uint64      // the most reasoning tokens that are billed and not delivered
	Images      uint64
}

// Admission is what becomes of a request that was not refused: a round that
// runs, or the result of one that ran.
type Admission struct {
	Round *Round

	// Stored is the result of the same round, which was answered before. Nothing
	// is charged again. The answer is not kept here: who has no copy says
	// content_gone.
	Stored *ledger.Signed[ledger.Result]
}

// Round is one admitted round. It may be used by several goroutines.
type Round struct {
	p       *Payee
	at      place
	request ledger.Request
	served  served
	watch   watch
}

// Admit decides whether a request is answered: it is signed by the channel's
// session key, its price is known and covered, and its number is new. Then the
// money is reserved, on the disk. The error is a *Refusal, which may be told to
// the payer, or one of the store.
//
// docs/spec/channel.md §4.
func (p *Payee) Admit(ctx context.Context, now time.Time, h Header, t Terms) (Admission, error) {
	req := h.Request.Message
	at := place{req.Channel, req.Epoch}
	c, err := p.channel(at)
	if err != nil {
		return Admission{}, err
	}
	if req.RequestHash != t.RequestHash {
		return Admission{}, refuse(CodeInvalid, "the request's hash is not that of what came")
	}
	if !p.signers.Signed(c.Key, req.Digest(p.Domain), h.Request.Signature) {
		return Admission{}, refuse(CodeInvalid, "the request is not signed by the channel's session key")
	}
	if h.Voucher != nil {
		if err := p.checkVoucher(c.Key, at, *h.Voucher); err != nil {
			return Admission{}, err
		}
	}
	priced, refused := p.price(now, c, req, t)

	var a Admission
	var stored *ledger.Result
	var refusal error
	err = p.Store.Do(ctx, func(tx kv.Tx) error {
		a = Admission{}
		b, err := p.meet(tx, c, at, h.Voucher)
		if err != nil {
			return err
		}
		// What a refused request brought is kept: it is money.
		if h.Voucher != nil {
			b.take(*h.Voucher)
		}
		var round *Round
		round, stored, refusal = p.admit(tx, now, b, at, req, priced, refused)
		if _, told := errors.AsType[*Refusal](refusal); refusal != nil && !told {
			return refusal
		}
		a.Round = round
		if refusal == nil || h.Voucher != nil {
			return b.save(tx, now, at, p.deposited(at))
		}
		return nil
	})
	if err != nil {
		return Admission{}, err
	}
	if refusal != nil {
		return Admission{}, refusal
	}
	if stored != nil {
		signed := p.sign(*stored)
		a.Stored = &signed
	}
	return a, nil
}

// channel is what the contract holds, if a round may begin there.
func (p *Payee) channel(at place) (ledger.Channel, error) {
	c, ok := p.Chain.Channel(at.id)
	switch {
	case !ok || c.Provider != p.self:
		return c, unseen(CodeChannel, "the contract has no such channel with this provider; a purchase counts after some blocks")
	case c.Epoch != at.epoch:
		r := refuse(CodeEpoch, fmt.Sprintf("the channel is in epoch %d", c.Epoch))
		r.Unseen = c.Epoch < at.epoch
		return c, r
	}
	return c, nil
}

// price is what a round costs at most, with the output bound that this means.
func (p *Payee) price(now time.Time, c ledger.Channel, req ledger.Request, t Terms) (s served, refused *Refusal) {
	sheet, ok := p.Sheet(req.Sheet)
	if !ok {
		return s, refuse(CodeSheet, "the price sheet is unknown; read the directory again")
	}
	if err := sheet.Check(unix(now)); err != nil {
		return s, refuse(CodeSheet, err.Error())
	}
	price, ok := sheet.Price(t.Model)
	if !ok {
		return s, refuse(CodeSheet, "the price sheet has no such model")
	}
	ttl := time.Duration(req.TTL) * time.Second
	if ttl <= 0 || ttl > MaxTTL {
		return s, refuse(CodeInvalid, fmt.Sprintf("a round lasts 1 to %d seconds", MaxTTL/time.Second))
	}
	bound := t.OutputCap
	if t.Output > 0 && (bound == 0 || t.Output < bound) {
		bound = t.Output
	}
	use := func(output uint64) ledger.Usage {
		return ledger.Usage{Input: t.Input, Output: output, Reasoning: t.Reasoning, Images: t.Images}
	}
	covers := func(output uint64) bool {
		cost, err := price.Cost(worst(price, use(output)), c.Locked, sheet.UnitPrice)
		return err == nil && !req.MaxCost.Less(cost)
	}
	// A payer that counts its input a little lower gets a little less output,
	// not a refusal.
	if !covers(bound) {
		least := min(bound, 1)
		if !covers(least) {
			return s, refuse(CodeMaxCost, "maxCost does not cover the input and one token of output")
		}
		low, high := least, bound // low is covered, high is not
		for high-low > 1 {
			if mid := low + (high-low)/2; covers(mid) {
				low = mid
			} else {
				high = mid
			}
		}
		bound = low
	}
	return served{
		state: running, requestHash: req.RequestHash, owner: p.Owner, maxCost: req.MaxCost, deadline: unixMilli(now.Add(ttl)),
		price: price, unit: sheet.UnitPrice, locked: c.Locked, bound: bound, seq: req.Seq,
	}, nil
}

// worst counts the input where it costs most: a sheet may ask more for what is
// cached.
func worst(p ledger.ModelPrice, u ledger.Usage) ledger.Usage {
	if p.Input.Less(p.Cached) {
		u.Input, u.Cached = 0, u.Input
	}
	return u
}

// meet is the book of a channel, made if it is new. On a store that forgot
// something, a channel whose voucher says that there were rounds is one of
// those.
func (p *Payee) meet(tx kv.Tx, c ledger.Channel, at place, v *ledger.Signed[ledger.Voucher]) (*book, error) {
	b, known, err := loadBook(tx, at)
	if err != nil {
		return nil, err
	}
	if !known {
		b.own(c)
	}
	if b.best == nil && b.closed == open && v != nil && v.Message.Transcript != ledger.RootOf(nil) {
		forgot, err := has(tx, payeeMeta, metaRestored)
		if err != nil {
			return nil, err
		}
		if forgot {
			b.closed = forgotten
		}
	}
	return b, nil
}

// admit decides within the transaction, and changes the book only if the round
// is admitted.
func (p *Payee) admit(tx kv.Tx, now time.Time, b *book, at place, req ledger.Request, s served, refused *Refusal) (*Round, *ledger.Result, error) {
	key := at.with(req.RoundID[:]...)
	var was served
	known, err := get(tx, payeeRounds, key, &was)
	switch {
	case err != nil:
		return nil, nil, err
	case known && (was.requestHash != req.RequestHash || was.seq != req.Seq):
		return nil, nil, refuse(CodeReused, "the round's id was used for another request")
	case known && was.state == finished:
		result := was.result(at, req.RoundID)
		return nil, &result, nil
	case known:
		return nil, nil, refuse(CodeRunning, "the round is being answered")
	}
	c, err := p.channel(at) // again: it may have changed
	switch {
	case err != nil:
		return nil, nil, err
	case b.closed != open || c.CloseAt != 0:
		return nil, nil, refuse(CodeClosed, "the channel is closing, or closed for this epoch; use or buy another")
	case now.Sub(p.Chain.Fresh()) > p.DisputeTime/2:
		return nil, nil, unseen(CodeChainSilent, "this provider has not seen the chain for too long")
	case refused != nil:
		return nil, nil, refused
	}
	allowed, err := p.allowance(tx, now, b)
	if err != nil {
		return nil, nil, err
	}
	need, err := sum(b.finished, b.reserved, s.maxCost)
	if err != nil {
		return nil, nil, refuse(CodeUncovered, "the round's maxCost is beyond what there is")
	}
	if c.Deposited.Less(need) {
		return nil, nil, unseen(CodeUncovered, "the deposit does not cover the round; top it up")
	}
	if sumCapped(b.promised(), allowed).Less(need) {
		code := CodeUncovered
		if b.owedSince != 0 && now.After(timeOf(b.owedSince).Add(PayTime)) {
			code = CodeUnpaid
		}
		return nil, nil, &Refusal{Code: code, Wanted: need, Text: "the round needs a voucher first"}
	}
	if err := b.track.admit(b.seqs(tx, at), req.Seq); err != nil {
		if errors.Is(err, errSeqUsed) || errors.Is(err, errSeqWindow) {
			err = refuse(CodeSeq, err.Error())
		}
		return nil, nil, err
	}
	if b.reserved, err = b.reserved.Add(s.maxCost); err != nil {
		return nil, nil, err
	}
	b.running++
	if err := put(tx, payeeRounds, key, &s); err != nil {
		return nil, nil, err
	}
	if err := put(tx, payeeRunning, ownerKey(p.Owner, key), &deadline{s.deadline}); err != nil {
		return nil, nil, err
	}
	round := &Round{p: p, at: at, request: req, served: s}
	// As Progress would find it, so that a short answer needs no look.
	round.watch.note(now, funds{c.Deposited, b.promised(), allowed, b.finished})
	return round, nil, nil
}

// checkVoucher reports whether a voucher is the payer's, for this epoch.
func (p *Payee) checkVoucher(key ledger.Address, at place, v ledger.Signed[ledger.Voucher]) error {
	if v.Message.Channel != at.id || v.Message.Epoch != at.epoch {
		return refuse(CodeInvalid, "the voucher is for another channel or epoch")
	}
	if !p.signers.Signed(key, v.Message.Digest(p.Domain), v.Signature) {
		return refuse(CodeInvalid, "the voucher is not signed by the channel's session key")
	}
	return nil
}

// take keeps the best voucher, and the best of those that were earned. Others change
// nothing.
func (b *book) take(v ledger.Signed[ledger.Voucher]) {
	b.best = b.better(b.best, &v)
	if !b.finished.Less(v.Message.Cumulative) {
		b.earned = b.better(b.earned, &v)
	}
}

// better is the voucher of the larger amount, and of two of the same the one whose
// log is the provider's own.
func (b *book) better(old, v *ledger.Signed[ledger.Voucher]) *ledger.Signed[ledger.Voucher] {
	if old == nil {
		return v
	}
	switch c := old.Message.Cumulative.Cmp(v.Message.Cumulative); {
	case c < 0, c == 0 && v.Message.Transcript == b.track.log.Root():
		return v
	}
	return old
}
