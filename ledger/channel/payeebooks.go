package channel

import (
	"cmp"
	"slices"
	"time"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/ledger"
)

// The payee's buckets. docs/spec/channel.md §5.
const (
	payeeBooks   = "payee-books"   // place → book
	payeeRounds  = "payee-rounds"  // place, round id → served
	payeeSeqs    = "payee-seqs"    // place, seq → see seqs
	payeeRunning = "payee-running" // owner, 0, place, round id → deadline
	payeeFunders = "payee-funders" // address → funder
	payeeMeta    = "payee-meta"
)

var (
	// metaRestored is there if the store ever was a restored copy.
	metaRestored = []byte("restored")

	metaYoung = []byte("young") // → cohorts
)

// How a channel is closed for its epoch.
const (
	open      = 0
	released  = 1 // a release was signed, or is about to be
	forgotten = 2 // the store was restored: something may have been forgotten
)

// book is the provider's account of a channel in one epoch.
type book struct {
	closed    uint8
	funder    ledger.Address
	key       ledger.Address // the session's
	track     track
	best      *ledger.Signed[ledger.Voucher] // A
	earned    *ledger.Signed[ledger.Voucher] // the best that is of no more than S
	finished  ledger.Amount                  // S: what finished rounds cost
	reserved  ledger.Amount                  // R: what running ones may
	running   uint32
	owedSince uint64        // Unix milliseconds since which S is above A; zero: it is not
	defaulted bool          // it owed for too long, and the funder was told apart
	exposed   ledger.Amount // what of S + R no voucher covers, as counted with the funder
	counted   ledger.Amount // what of S was counted as paid with the funder
	final     ledger.Amount // of the release
	until     uint64        // the release's deadline, Unix seconds
	consented uint64        // when the first one was signed, Unix seconds
	touched   uint64        // Unix milliseconds of the last change
	waiting   ledger.Amount // what S was at waitsFrom: a voucher of so much, and no more than was earned, confirms it
	waitsFrom uint64        // Unix milliseconds since which answers are not confirmed; zero: all are
}

func (b *book) visit(f fields) {
	f.version(3)
	f.u8(&b.closed)
	f.fixed(b.funder[:])
	f.fixed(b.key[:])
	b.track.visit(f)
	visitVoucher(f, &b.best)
	visitVoucher(f, &b.earned)
	f.amount(&b.finished)
	f.amount(&b.reserved)
	f.u32(&b.running)
	f.u64(&b.owedSince)
	f.flag(&b.defaulted)
	f.amount(&b.exposed)
	f.amount(&b.counted)
	f.amount(&b.final)
	f.u64(&b.until)
	f.u64(&b.consented)
	f.u64(&b.touched)
	f.amount(&b.waiting)
	f.u64(&b.waitsFrom)
}

// loadBook is the book, or an empty one.
func loadBook(tx kv.Tx, at place) (b *book, known bool, err error) {
	b = &book{track: newTrack()}
	known, err = get(tx, payeeBooks, at.key(), b)
	return b, known, err
}

func (b *book) own(c ledger.Channel) { b.funder, b.key = c.Funder, c.Key }

func (b *book) seqs(tx kv.Tx, at place) seqs { return seqs{tx: tx, open: payeeSeqs, at: at} }

// promised is A, the best voucher's amount.
func (b *book) promised() ledger.Amount {
	if b.best == nil {
		return ledger.Amount{}
	}
	return b.best.Message.Cumulative
}

// confirmed is what the payer has confirmed of S.
func (b *book) confirmed() ledger.Amount {
	if b.earned == nil {
		return ledger.Amount{}
	}
	return b.earned.Message.Cumulative
}

// due is the voucher to claim: that of what was earned. What is promised beyond is the
// payer's until then, and is claimed for answers only that the payer has not
// confirmed, when it leaves or is late for too long. Where it has a release, which
// pays, nothing is: more than what was earned would make that worthless, and less is
// claimed only from who asks for release after release, and uses none.
func (b *book) due(now time.Time, closing bool) *ledger.Signed[ledger.Voucher] {
	late := b.waitsFrom != 0 && now.After(timeOf(b.waitsFrom).Add(ConfirmTime))
	consents := b.closed == released && !closing && unix(now) <= b.until
	switch {
	case consents && unix(now) <= b.consented+uint64(ReleaseTime/time.Second):
		return nil
	case b.best == nil, b.closed == forgotten: // what was earned may be more than is known
		return b.best
	case b.closed == released && !b.final.Less(b.promised()): // a release of all, as it was forgotten before
		return b.best
	case consents:
		return b.earned
	case late, closing && b.confirmed().Less(b.finished):
		return b.best
	}
	return b.earned
}

// wait notes since when answers are not confirmed. Who has many of them under way is
// always a little late: what counts is how long it took to confirm what there was at a
// time, and not what came since.
func (b *book) wait(now time.Time) {
	switch done := b.confirmed(); {
	case !done.Less(b.finished):
		b.waiting, b.waitsFrom = ledger.Amount{}, 0
	case b.waitsFrom == 0, !done.Less(b.waiting):
		b.waiting, b.waitsFrom = b.finished, unixMilli(now)
	}
}

// served is one round at the provider.
type served struct {
	state       uint8
	seq         uint64
	requestHash ledger.Hash

	// While it runs.
	owner    string
	maxCost  ledger.Amount
	deadline uint64 // Unix milliseconds
	price    ledger.ModelPrice
	unit     ledger.Amount // the sheet's unit price
	locked   ledger.Amount
	bound    uint64 // output tokens

	// When it is finished. What its key says and the request's hash are the rest of the
	// result, and the signature follows from that: it is always the same.
	response ledger.Hash
	usage    ledger.Usage // input, cached and output
	cost     ledger.Amount
	status   ledger.Status
	due      ledger.Amount // S after it: a voucher of so much has paid for it
}

const (
	running  = 1
	finished = 2
)

func (s *served) visit(f fields) {
	f.version(2)
	f.u8(&s.state)
	f.u64(&s.seq)
	f.fixed(s.requestHash[:])
	if s.state == finished {
		f.fixed(s.response[:])
		f.u64(&s.usage.Input)
		f.u64(&s.usage.Cached)
		f.u64(&s.usage.Output)
		f.amount(&s.cost)
		f.u8((*uint8)(&s.status))
		f.amount(&s.due)
		if r, ok := f.(*reader); ok && (s.status < ledger.StatusDone || s.status > ledger.StatusPartial) {
			r.fail("its status is none")
		}
		return
	}
	f.text(&s.owner, maxOwner)
	f.amount(&s.maxCost)
	f.u64(&s.deadline)
	visitPrice(f, &s.price)
	f.amount(&s.unit)
	f.amount(&s.locked)
	f.u64(&s.bound)
}

// finish ends the round with its result; due is S after it.
func (s *served) finish(r ledger.Result, due ledger.Amount) {
	s.state, s.response, s.cost, s.status, s.due = finished, r.ResponseHash, r.Cost, r.Status, due
	s.usage = ledger.Usage{Input: r.Input, Cached: r.Cached, Output: r.Output}
}

// result is that of a finished round.
func (s *served) result(at place, id ledger.RoundID) ledger.Result {
	return ledger.Result{
		Channel: at.id, Epoch: at.epoch, RoundID: id, Final: true, RequestHash: s.requestHash, ResponseHash: s.response,
		Input: s.usage.Input, Cached: s.usage.Cached, Output: s.usage.Output, Cost: s.cost, Status: s.status,
	}
}

func visitPrice(f fields, p *ledger.ModelPrice) {
	f.text(&p.Model, ledger.MaxModelName)
	for _, a := range []*ledger.Amount{&p.Input, &p.Cached, &p.Output, &p.Reasoning, &p.Image, &p.Minimum} {
		f.amount(a)
	}
}

// deadline stands with a running round's key.
type deadline struct{ at uint64 }

func (d *deadline) visit(f fields) { f.u64(&d.at) }

// funder is what is known of who bought channels here.
type funder struct {
	since   uint64        // Unix milliseconds of the first voucher
	paid    ledger.Amount // for rounds that were delivered, over all channels and epochs
	exposed ledger.Amount // the sum of its books'
}

func (r *funder) visit(f fields) {
	f.version(1)
	f.u64(&r.since)
	f.amount(&r.paid)
	f.amount(&r.exposed)
}

// cohorts is what all funders owe who first paid in the same hour, for the hours
// in which that still counts. Counted so, the sum over the young needs no look at
// each, and ages by itself; in one record, it needs one read.
type cohorts struct{ hours []cohort } // in their order

type cohort struct {
	hour    uint64
	exposed ledger.Amount // more than nothing
}

const (
	cohortTime = time.Hour

	// youngHours is for how many whole hours a funder is young.
	youngHours = uint64(YoungTime / cohortTime)

	// maxCohorts are kept, those of the last hours: twice as many as count, since
	// clocks are set.
	maxCohorts = 2 * (24 + 1)
)

func (c *cohorts) visit(f fields) {
	f.version(1)
	n := uint8(len(c.hours))
	f.u8(&n)
	r, reads := f.(*reader)
	if reads {
		if n > maxCohorts {
			r.fail("it has too many hours")
			return
		}
		c.hours = make([]cohort, n)
	}
	for i := range c.hours {
		f.u64(&c.hours[i].hour)
		f.amount(&c.hours[i].exposed)
		if reads && (i > 0 && c.hours[i].hour <= c.hours[i-1].hour || c.hours[i].exposed.IsZero()) {
			r.fail("its hours are not in order")
		}
	}
}

// move has the funders of an hour owe so much instead of what one of them did.
func (c *cohorts) move(hour uint64, from, to ledger.Amount) error {
	i, found := slices.BinarySearchFunc(c.hours, hour, func(c cohort, hour uint64) int { return cmp.Compare(c.hour, hour) })
	if !found {
		c.hours = slices.Insert(c.hours, i, cohort{hour: hour})
	}
	owed, err := over(c.hours[i].exposed, from).Add(to)
	if err != nil {
		return err
	}
	if c.hours[i].exposed = owed; owed.IsZero() {
		c.hours = slices.Delete(c.hours, i, i+1)
	}
	if n := len(c.hours); n > maxCohorts {
		c.hours = c.hours[n-maxCohorts:]
	}
	return nil
}

// young is what the funders owe who are new now.
func (c *cohorts) young(now time.Time) (total ledger.Amount) {
	for _, h := range c.hours {
		if isYoung(h.hour, now) {
			total = sumCapped(total, h.exposed)
		}
	}
	return total
}

func hourOf(milli uint64) uint64 { return milli / uint64(cohortTime.Milliseconds()) }

// isYoung reports whether who first paid in that hour is new now. The whole hour
// ages at once, its last minute decides.
func isYoung(hour uint64, now time.Time) bool {
	return hour+youngHours >= hourOf(unixMilli(now))
}

// save writes the book, and with its funder what it owes and has paid.
// deposited is what the contract holds for it, so that a promise beyond that
// counts for nothing.
func (b *book) save(tx kv.Tx, now time.Time, at place, deposited ledger.Amount) error {
	covered := ledger.MinAmount(b.promised(), deposited)
	using, err := sum(b.finished, b.reserved)
	if err != nil {
		return err
	}
	exposed := over(using, covered)
	if b.closed == released {
		exposed = ledger.Amount{} // the release pays
	}
	paid := ledger.MinAmount(b.finished, covered)
	switch owes := covered.Less(b.finished) && b.closed != released; {
	case !owes:
		b.owedSince, b.defaulted = 0, false
	case b.owedSince == 0:
		b.owedSince = unixMilli(now)
	}
	var f funder
	known, err := get(tx, payeeFunders, b.funder[:], &f)
	if err != nil {
		return err
	}
	if !known && (b.best != nil || exposed != b.exposed) {
		f.since, known = unixMilli(now), true
	}
	if known {
		if f.exposed, err = over(f.exposed, b.exposed).Add(exposed); err != nil {
			return err
		}
		if b.counted.Less(paid) {
			f.paid = sumCapped(f.paid, over(paid, b.counted))
			b.counted = paid
		}
		if err := put(tx, payeeFunders, b.funder[:], &f); err != nil {
			return err
		}
		if hour := hourOf(f.since); exposed != b.exposed && isYoung(hour, now) {
			var c cohorts
			if _, err := get(tx, payeeMeta, metaYoung, &c); err != nil {
				return err
			}
			if err := c.move(hour, b.exposed, exposed); err != nil {
				return err
			}
			if err := put(tx, payeeMeta, metaYoung, &c); err != nil {
				return err
			}
		}
		b.exposed = exposed
	}
	b.wait(now)
	b.touched = unixMilli(now)
	return put(tx, payeeBooks, at.key(), b)
}

// allowance is how far beyond its vouchers a channel may go now. It is nothing
// for who is new, grows to half of what the funder has paid here, and ends when
// the funder owes, or the chain cannot be read.
func (p *Payee) allowance(tx kv.Tx, now time.Time, b *book) (ledger.Amount, error) {
	none := ledger.Amount{}
	if b.closed != open || now.Sub(p.Chain.Fresh()) > p.DisputeTime/4 {
		return none, nil
	}
	if b.owedSince != 0 && now.After(timeOf(b.owedSince).Add(PayTime)) {
		return none, nil
	}
	var f funder
	if known, err := get(tx, payeeFunders, b.funder[:], &f); err != nil || !known {
		return none, err
	}
	// What the funder owes on other channels is not allowed a second time.
	elsewhere := over(f.exposed, b.exposed)
	allowed := over(ledger.MinAmount(p.AllowanceCap, f.paid.Half()), elsewhere)
	if !allowed.IsZero() && isYoung(hourOf(f.since), now) {
		var c cohorts
		if _, err := get(tx, payeeMeta, metaYoung, &c); err != nil {
			return none, err
		}
		allowed = ledger.MinAmount(allowed, over(p.YoungCap, over(c.young(now), b.exposed)))
	}
	return allowed, nil
}

// deposited is what the contract holds for the epoch, as vouchers count it. What
// is over was settled there; its vouchers count as they were.
func (p *Payee) deposited(at place) ledger.Amount {
	c, ok := p.Chain.Channel(at.id)
	switch {
	case !ok:
		return ledger.Amount{}
	case c.Epoch > at.epoch:
		return ledger.MaxAmount
	case c.Epoch < at.epoch:
		return ledger.Amount{}
	}
	return c.Deposited
}
