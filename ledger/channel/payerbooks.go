package channel

import (
	"encoding/binary"
	"time"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/ledger"
)

// The payer's buckets. docs/spec/channel.md §6.
const (
	payerChannels = "payer-channels" // provider, session key, channel → held
	payerBooks    = "payer-books"    // place → account
	payerRounds   = "payer-rounds"   // place, seq → bought
	payerSeqs     = "payer-seqs"     // place, seq → see seqs
	payerLeaves   = "payer-leaves"   // place, index → seq, leaf
	payerRunning  = "payer-running"  // owner, 0, place, seq → deadline
	payerIDs      = "payer-ids"      // round id → place, seq
	payerHistory  = "payer-history"  // ^time, round id → place, seq
	payerDisputes = "payer-disputes" // ^time, round id → dispute
	payerWords    = "payer-words"    // round id → words
	payerRatios   = "payer-ratios"   // model, 0, provider → ratio
	payerPrices   = "payer-prices"   // place, model → agreed
	payerMeta     = "payer-meta"
)

// held is a channel that this payer pays with.
type held struct {
	provider, key, funder ledger.Address
}

func (h *held) visit(f fields) {
	f.version(1)
	f.fixed(h.provider[:])
	f.fixed(h.key[:])
	f.fixed(h.funder[:])
}

func heldKey(provider, key ledger.Address, id ledger.ChannelID) []byte {
	b := append(make([]byte, 0, 72), provider[:]...)
	b = append(b, key[:]...)
	return append(b, id[:]...)
}

// account is the payer's book of a channel in one epoch.
type account struct {
	closing   bool // no round is opened any more
	mustSync  bool // the provider's books are asked before the next round
	adopted   bool // they were believed once, for what was forgotten
	forgot    bool // the store was restored since they were asked
	track     track
	spent     ledger.Amount // S: what rounds cost by this side's figure
	reserved  ledger.Amount // R: what running ones may
	unsettled ledger.Amount // what aborted rounds may have cost, for all that is known
	running   uint32
	promised  ledger.Amount // A: the largest voucher that was signed, or is about to be
	root      ledger.Hash   // its transcript
	covered   uint64        // leaves under that root
	acked     ledger.Amount // the provider holds a voucher of so much
	allowance ledger.Amount // as the provider said last
	disputed  ledger.Amount // what the provider wanted beyond this side's figures
	believed  ledger.Amount // what aborted rounds cost by the provider's word alone
	orphaned  ledger.Amount // what of unsettled ran when a process of ours was gone, at most one window
}

func (a *account) visit(f fields) {
	f.version(3)
	f.flag(&a.closing)
	f.flag(&a.mustSync)
	f.flag(&a.adopted)
	f.flag(&a.forgot)
	a.track.visit(f)
	for _, m := range []*ledger.Amount{&a.spent, &a.reserved, &a.unsettled} {
		f.amount(m)
	}
	f.u32(&a.running)
	f.amount(&a.promised)
	f.fixed(a.root[:])
	f.u64(&a.covered)
	for _, m := range []*ledger.Amount{&a.acked, &a.allowance, &a.disputed, &a.believed, &a.orphaned} {
		f.amount(m)
	}
}

func loadAccount(tx kv.Tx, at place) (a *account, known bool, err error) {
	a = &account{track: newTrack(), root: ledger.RootOf(nil)}
	known, err = get(tx, payerBooks, at.key(), a)
	if err != nil || known {
		return a, known, err
	}
	// On a store that was restored once, nobody knows what was forgotten.
	forgot, err := has(tx, payerMeta, metaRestored)
	if err != nil {
		return nil, false, err
	}
	if forgot {
		a.mustSync, a.forgot = true, true
		a.track.next = Jump
		return a, false, nil
	}
	// Nor what was signed where a session key came from.
	if forgot, err = has(tx, payerMeta, broughtKey(at.id)); forgot {
		a.mustSync, a.forgot = true, true
	}
	return a, false, err
}

// broughtKey is under which the channel of a session key is that was brought from
// elsewhere.
func broughtKey(id ledger.ChannelID) []byte { return append([]byte("brought/"), id[:]...) }

func (a *account) save(tx kv.Tx, at place) error { return put(tx, payerBooks, at.key(), a) }

func (a *account) seqs(tx kv.Tx, at place) seqs {
	return seqs{tx: tx, open: payerSeqs, leaves: payerLeaves, at: at}
}

// promise makes the account's voucher one of at least so much, over all rounds
// that are in the log.
func (a *account) promise(amount ledger.Amount) {
	a.promised = maxAmount(a.promised, amount)
	a.root, a.covered = a.track.log.Root(), a.track.log.Size()
}

// voucher is the largest that was promised.
func (at place) voucher(a *account) ledger.Voucher {
	return ledger.Voucher{Channel: at.id, Epoch: at.epoch, Cumulative: a.promised, Transcript: a.root}
}

// settled is a voucher of what the rounds have cost, which confirms them. More than
// that is promised ahead, but is not the provider's until it was earned.
func (at place) settled(a *account) ledger.Voucher {
	v := at.voucher(a)
	v.Cumulative = a.spent
	return v
}

// voucher is the largest that was promised, signed. The same promise gives the
// same bytes, so that a promise on the disk is a voucher that cannot be lost.
func (p *Payer) voucher(at place, a *account, key *ledger.Key) ledger.Signed[ledger.Voucher] {
	return ledger.Sign(at.voucher(a), p.Domain, key)
}

// State of a round at the payer.
type RoundState uint8

// The states. What a voucher has paid for is told by RoundInfo.Confirmed.
const (
	RoundSent    RoundState = 1 // the money is reserved, the request may have left
	RoundDone    RoundState = 2 // there is a result
	RoundAborted RoundState = 3 // there is none
)

func (s RoundState) String() string {
	switch s {
	case RoundSent:
		return "sent"
	case RoundDone:
		return "done"
	default:
		return "aborted"
	}
}

// bought is one round at the payer.
type bought struct {
	state       RoundState
	id          ledger.RoundID
	seq         uint64
	provider    ledger.Address
	key         ledger.Address // the session's
	opened      uint64         // Unix milliseconds
	ended       uint64
	owner       string
	salt        [32]byte
	requestHash ledger.Hash
	sheet       ledger.Hash
	price       ledger.ModelPrice
	unit        ledger.Amount
	locked      ledger.Amount
	maxCost     ledger.Amount
	input       uint64 // bytes sent, as tokens they can be at most
	images      uint64
	reasoning   uint64

	leaf   ledger.Leaf // as it stands in the log, when it has ended
	due    ledger.Amount
	reason Reason // of a dispute
	result *ledger.Signed[ledger.Result]
}

func (b *bought) visit(f fields) {
	f.version(1)
	f.u8((*uint8)(&b.state))
	f.fixed(b.id[:])
	f.u64(&b.seq)
	f.fixed(b.provider[:])
	f.fixed(b.key[:])
	f.u64(&b.opened)
	f.u64(&b.ended)
	f.text(&b.owner, maxOwner)
	f.fixed(b.salt[:])
	f.fixed(b.requestHash[:])
	f.fixed(b.sheet[:])
	visitPrice(f, &b.price)
	f.amount(&b.unit)
	f.amount(&b.locked)
	f.amount(&b.maxCost)
	f.u64(&b.input)
	f.u64(&b.images)
	f.u64(&b.reasoning)
	if b.state == RoundSent {
		return
	}
	visitLeaf(f, &b.leaf)
	f.amount(&b.due)
	f.u8((*uint8)(&b.reason))
	there := b.result != nil
	if f.flag(&there); !there {
		b.result = nil
		return
	}
	if b.result == nil {
		b.result = new(ledger.Signed[ledger.Result])
	}
	visitSigned(f, b.result, resultBytes)
}

func visitLeaf(f fields, l *ledger.Leaf) {
	f.fixed(l.RoundID[:])
	f.u64(&l.Seq)
	f.fixed(l.RequestHash[:])
	f.fixed(l.ResponseHash[:])
	f.u64(&l.Input)
	f.u64(&l.Cached)
	f.u64(&l.Output)
	f.amount(&l.Cost)
	f.u8((*uint8)(&l.Status))
}

// cost is what usage costs in this round.
func (b *bought) cost(u ledger.Usage) (ledger.Amount, error) {
	return b.price.Cost(u, b.locked, b.unit)
}

// capped is what usage costs, at most what was reserved.
func (b *bought) capped(u ledger.Usage) ledger.Amount {
	cost, err := b.cost(u)
	if err != nil {
		return b.maxCost
	}
	return ledger.MinAmount(cost, b.maxCost)
}

// newestFirst is a key that stands before those of earlier times.
func newestFirst(t time.Time, id ledger.RoundID) []byte {
	return append(binary.BigEndian.AppendUint64(nil, ^unixMilli(t)), id[:]...)
}
