package channel

import (
	"encoding/binary"
	"math"
	"slices"
	"sync"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/ledger"
)

// Delivery is what arrived of an answer. Log probabilities, field names and the
// like are no part of it: no token was made for them.
type Delivery struct {
	Text      uint64 // bytes of text, reasoning that is shown included
	Chunks    uint64 // events that had some
	Tools     uint64 // bytes of tool calls: names and arguments
	ToolCalls uint64
}

func (d Delivery) add(e Delivery) Delivery {
	return Delivery{d.Text + e.Text, d.Chunks + e.Chunks, d.Tools + e.Tools, d.ToolCalls + e.ToolCalls}
}

// most is the most output tokens that this can have been. One more than there
// are bytes: the end is counted as a token, too.
func (d Delivery) most() uint64 { return d.Text + d.Tools + toolSlack*d.ToolCalls + 1 }

// least is the least that it usually has been.
func (d Delivery) least() uint64 { return d.Text / bytesPerToken }

// meter counts what arrives.
type meter struct {
	mu  sync.Mutex
	got Delivery
}

func (m *meter) add(d Delivery) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.got = m.got.add(d)
}

func (m *meter) delivered() Delivery {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.got
}

// Delivered counts a piece of the answer.
func (m *Payment) Delivered(d Delivery) { m.meter.add(d) }

// Reason says what is wrong with a provider's figure.
type Reason uint8

// The reasons.
const (
	Agreed       Reason = 0
	WrongCost    Reason = 1 // the cost is not that of the usage
	WrongInput   Reason = 2 // more input than was sent
	TooMuch      Reason = 3 // more output tokens than bytes
	TooLittle    Reason = 4 // fewer output tokens, over many rounds, than a tokenizer makes
	TooDense     Reason = 5 // more tokens for as many bytes than others count
	OtherContent Reason = 6 // the hash of the answer is another's
	WrongStatus  Reason = 7 // an aborted round that costs something
	TwoResults   Reason = 8 // the provider signed two different ones
)

func (r Reason) String() string {
	switch r {
	case Agreed:
		return "agreed"
	case WrongCost:
		return "the cost is not that of the usage"
	case WrongInput:
		return "more input tokens than were sent"
	case TooMuch:
		return "more output tokens than bytes arrived"
	case TooLittle:
		return "fewer output tokens than such texts have"
	case TooDense:
		return "more tokens for the same text than other providers count"
	case OtherContent:
		return "the result is for another answer than arrived"
	case TwoResults:
		return "the provider signed two different results"
	default:
		return "an aborted round was charged"
	}
}

// Ending is what a payer knows at the end of an answer.
type Ending struct {
	Result    ledger.Signed[ledger.Result]
	Complete  bool        // the answer arrived to its end
	Response  ledger.Hash // of what arrived, if it is complete
	Reasoning uint64      // tokens that the answer says were not delivered
	Images    uint64      // that it says were made or read
}

// judge compares a provider's result with what arrived. usage and cost are this
// side's figure: the provider's where there is nothing to say against it.
func (b *bought) judge(e Ending, d Delivery) (usage ledger.Usage, cost ledger.Amount, reason Reason) {
	r := e.Result.Message
	usage = ledger.Usage{
		Input: r.Input, Cached: r.Cached, Output: r.Output,
		Reasoning: min(e.Reasoning, b.reasoning), Images: min(e.Images, b.images),
	}
	if r.Status == ledger.StatusAborted {
		if !r.Cost.IsZero() {
			reason = WrongStatus
		}
		return ledger.Usage{}, ledger.Amount{}, reason
	}
	if b.capped(usage).Less(r.Cost) {
		reason = WrongCost
	}
	if limit := b.input + templateSlack + imageSlack*b.images; usage.Input > limit || usage.Cached > limit-usage.Input {
		reason = WrongInput
		usage.Input = min(usage.Input, limit)
		usage.Cached = min(usage.Cached, limit-usage.Input)
	}
	switch most := d.most(); {
	case e.Complete && usage.Output > most:
		reason, usage.Output = TooMuch, most
	case !e.Complete:
		// What was under way when it was cut cannot be told from what was not made.
		usage.Output = min(usage.Output, most+inFlight)
	}
	if e.Complete && r.ResponseHash != e.Response {
		reason = OtherContent
	}
	return usage, ledger.MinAmount(r.Cost, b.capped(usage)), reason
}

// ratio is the tokens and bytes of the last rounds of a provider and model.
type ratio struct{ rounds []sample }

type sample struct{ tokens, bytes uint32 }

func (r *ratio) visit(f fields) {
	f.version(1)
	n := uint8(len(r.rounds))
	f.u8(&n)
	if d, ok := f.(*reader); ok {
		if n > RatioRounds {
			d.fail("it has too many rounds")
			return
		}
		r.rounds = make([]sample, n)
	}
	for i := range r.rounds {
		f.u32(&r.rounds[i].tokens)
		f.u32(&r.rounds[i].bytes)
		if d, ok := f.(*reader); ok && max(r.rounds[i].tokens, r.rounds[i].bytes) > maxRatio {
			d.fail("a round is too large")
			return
		}
	}
}

// total are the sums; false: the rounds are too few to say anything.
func (r *ratio) total() (tokens, bytes uint64, enough bool) {
	for _, s := range r.rounds {
		tokens += uint64(s.tokens)
		bytes += uint64(s.bytes)
	}
	return tokens, bytes, len(r.rounds) == RatioRounds && bytes > 0
}

// mostlyFew reports whether more than half of the rounds have fewer tokens than such
// texts: a few answers that go on and on with one character weigh more than all others.
func (r *ratio) mostlyFew() bool {
	few := 0
	for _, s := range r.rounds {
		if uint64(s.tokens)*bytesPerToken < uint64(s.bytes) {
			few++
		}
	}
	return 2*few > len(r.rounds)
}

func ratioKey(model string, provider ledger.Address) []byte {
	return append(append([]byte(model), 0), provider[:]...)
}

// overRounds adds a round to the provider's ratio, and says what is wrong with the
// last rounds together: fewer tokens than any tokenizer makes of so many bytes, or
// more to the byte than the others' median allows; then limit is what a text of so
// many bytes is allowed. One answer alone says nothing of the first: a line of
// dashes is a token or two.
func overRounds(tx kv.Tx, model string, provider ledger.Address, tokens, size uint64) (limit uint64, reason Reason, err error) {
	key := ratioKey(model, provider)
	var own ratio
	if _, err := get(tx, payerRatios, key, &own); err != nil {
		return 0, Agreed, err
	}
	own.rounds = append(own.rounds, sample{uint32(min(tokens, maxRatio)), uint32(min(size, maxRatio))})
	if n := len(own.rounds); n > RatioRounds {
		own.rounds = own.rounds[n-RatioRounds:]
	}
	if err := put(tx, payerRatios, key, &own); err != nil {
		return 0, Agreed, err
	}
	ownTokens, ownBytes, enough := own.total()
	switch {
	case !enough:
		return 0, Agreed, nil
	case ownTokens*bytesPerToken < ownBytes && own.mostlyFew():
		return tokens, TooLittle, nil // it is not paid more than it asked for
	}
	type pair struct{ tokens, bytes uint64 }
	var others []pair
	err = tx.Scan(payerRatios, key[:len(model)+1], func(k, value []byte) error {
		var r ratio
		if string(k) == string(key) {
			return nil
		}
		if err := decode(value, &r); err != nil {
			return err
		}
		if tokens, bytes, enough := r.total(); enough {
			others = append(others, pair{tokens, bytes})
		}
		return nil
	})
	if err != nil || len(others) == 0 {
		return 0, Agreed, err
	}
	if len(others) == 1 && ownTokens*usualBytes <= ownBytes {
		return 0, Agreed, nil // one of the two is wrong: this one may be right
	}
	slices.SortFunc(others, func(a, b pair) int {
		switch x, y := a.tokens*b.bytes, b.tokens*a.bytes; {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	// Of an even number the higher one: the doubt is the provider's.
	m := others[len(others)/2]
	if ownTokens*m.bytes*100 <= m.tokens*ownBytes*ratioPercent {
		return 0, Agreed, nil
	}
	return min(size, maxRatio) * m.tokens / m.bytes * ratioPercent / 100, TooDense, nil
}

// dispute is an event: a provider's figure that was not paid.
type dispute struct {
	reason   Reason
	provider ledger.Address
	model    string
	claimed  ledger.Amount
	paid     ledger.Amount
}

func (d *dispute) visit(f fields) {
	f.version(1)
	f.u8((*uint8)(&d.reason))
	f.fixed(d.provider[:])
	f.text(&d.model, ledger.MaxModelName)
	f.amount(&d.claimed)
	f.amount(&d.paid)
}

// newestTime is the time of a key of newestFirst.
func newestTime(key []byte) uint64 {
	if len(key) < 8 {
		return 0
	}
	return min(^binary.BigEndian.Uint64(key), math.MaxInt64)
}
