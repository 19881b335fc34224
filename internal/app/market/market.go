package market

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/books"
	"github.com/culvert-net/culvert/internal/app/paying/purse"
	"github.com/culvert-net/culvert/internal/app/wallet"
	"github.com/culvert-net/culvert/internal/config"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/chain"
	"github.com/culvert-net/culvert/ledger/channel"
)

// Offer is what a provider registers besides its price.
type Offer struct {
	Descriptor []byte
	Price      ledger.Amount // by the price list; zero: it has none
}

// Config is what a Market is made of.
type Config struct {
	Books  *books.Books
	Wallet wallet.Config // opens it for an order, if the books have none

	// Pays says that this is a client's, which has session keys.
	Pays bool

	// Serves is the name of the program that runs on the data directory; "": none does.
	Serves string

	// Offer is what a gateway registers; nil for a client.
	Offer func() (Offer, error)

	// Release asks the provider of a channel for its consent to close it now, and
	// tells what it waits for; nil: providers cannot be reached from here.
	Release func(ctx context.Context, ask channel.ReleaseAsk, tell func(string)) (ledger.Signed[ledger.Release], error)

	// List adds what the directory knows of a provider; nil: nothing is known of it.
	List func(*Listing)

	Log *slog.Logger // nil discards
}

// Market does what it is asked for.
type Market struct {
	cfg   Config // immutable
	books *books.Books

	// sending is held between looking whether an order was sent and sending it.
	sending sync.Mutex

	mu  sync.Mutex
	own *hand // with the wallet of the books, once it was needed; guarded by mu
}

// New makes a Market, which does nothing yet.
func New(cfg Config) *Market {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Market{cfg: cfg, books: cfg.Books}
}

// Run follows what was sent and not seen through by the command that sent it, if the
// wallet is open, until ctx ends.
func (m *Market) Run(ctx context.Context) error {
	if m.books.Wallet == nil || m.books.Wallet.Key() == nil {
		<-ctx.Done()
		return ctx.Err()
	}
	h, err := m.hand(ctx, config.Secret{})
	if err != nil {
		m.cfg.Log.Warn("nothing is sent to the chain", "err", err)
		<-ctx.Done()
		return ctx.Err()
	}
	return h.writer.Run(ctx)
}

// hand is what signs.
type hand struct {
	wallet *wallet.Wallet
	writer *chain.Writer
	purses *purse.Book    // nil: not a client's
	payer  *channel.Payer // nil: not a client's
}

// ErrLocked says that an order needs the wallet's passphrase.
var ErrLocked = errors.New("the wallet is not open")

// hand is that of the books or, with a passphrase, one for an order.
func (m *Market) hand(ctx context.Context, passphrase config.Secret) (*hand, error) {
	if m.books.Wallet != nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.own != nil {
			return m.own, nil
		}
		h, err := m.grip(m.books.Wallet)
		m.own = h
		return h, err
	}
	if passphrase.Reveal() == "" {
		return nil, app.Refused(ErrLocked)
	}
	c := m.cfg.Wallet
	c.From = wallet.Given(passphrase)
	w, err := wallet.Open(ctx, c)
	if err != nil {
		return nil, err
	}
	return m.grip(w)
}

func (m *Market) grip(w *wallet.Wallet) (h *hand, err error) {
	if m.books.Store.Restored() {
		return nil, app.Refused(errors.New("the ledger is an older copy of itself, and what was signed since is to be found out first: start the program, which does that, and then give the command again"))
	}
	if w.Key() == nil {
		return nil, app.Usage(errors.New("this machine has session keys of another's wallet, and none of its own: do it where the wallet is"))
	}
	h = &hand{wallet: w}
	if h.writer, err = chain.NewWriter(m.books.Chain, w.Key()); err != nil {
		return nil, refused(err)
	}
	if !m.cfg.Pays {
		return h, nil
	}
	h.purses = purse.NewBook(purse.Config{Store: m.books.Store, Wallet: w, Domain: m.books.Chain.Domain()})
	h.payer, err = m.payer(h.purses.Key)
	return h, err
}

// owner names the rounds of this package's payer, which has none.
const owner = "market"

// accounts finds whose purse a session key is of, without the wallet.
func (m *Market) accounts() func(context.Context, ledger.Address) (string, error) {
	return purse.NewBook(purse.Config{Store: m.books.Store, Wallet: closed{}, Domain: m.books.Chain.Domain()}).Account
}

// closed is a wallet that was not opened.
type closed struct{}

func (closed) Session(wallet.SessionPath) (*ledger.Key, error) { return nil, errNoKey }
func (closed) Brought() []wallet.Session                       { return nil }

func (m *Market) payer(key func(ledger.Address) (*ledger.Key, error)) (*channel.Payer, error) {
	return channel.NewPayer(channel.PayerConfig{
		Store: m.books.Store, Chain: m.books.Reader, Domain: m.books.Chain.Domain(), Key: key, Owner: owner,
	})
}

// refused gives an error of the chain's client the exit code that it calls for.
func refused(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, chain.ErrPublishedKey), errors.Is(err, chain.ErrChainID), errors.Is(err, chain.ErrCode):
		return app.Refused(err)
	case errors.Is(err, chain.ErrUnreachable), errors.Is(err, chain.ErrBusy):
		return app.NotReady(err)
	}
	return err
}

// money is an amount of what the market is paid in, for people.
func (m *Market) money(a ledger.Amount) string { return m.books.Chain.Money(a) }

// coin is an amount of the chain's own currency, in which fees and bonds are.
func (m *Market) coin(a ledger.Amount) string { return m.books.Chain.Network.Money(a) }

// address is an address for people.
func (m *Market) address(a ledger.Address) string { return m.books.Chain.Network.Address(a) }

// Quote says what an order will do and cost.
func (m *Market) Quote(ctx context.Context, o Order, passphrase config.Secret) (Quote, error) {
	if err := o.check(); err != nil {
		return Quote{}, app.Usage(err)
	}
	h, err := m.hand(ctx, passphrase)
	if err != nil {
		return Quote{}, err
	}
	r, err := m.underWay(ctx, h.writer, o)
	if err != nil {
		return Quote{}, err
	}
	if r != nil && !r.Sent {
		return Quote{
			Order: o, Terms: r.Terms, Sent: true,
			What:  fmt.Sprintf("This order, %s, was agreed to at %s, and the token's approval was sent: it goes on with what was agreed to", o.Do, r.since().Format(time.DateTime)+" UTC"),
			Facts: [][2]string{}, Cost: "no more than was agreed to",
		}, nil
	}
	if r != nil {
		return Quote{
			Order: o, Terms: r.Terms, Sent: true, What: fmt.Sprintf("This order, %s, was sent at %s: nothing more is paid for it", o.Do, r.since().Format(time.DateTime)+" UTC"),
			Facts: [][2]string{}, Cost: "nothing more",
		}, nil
	}
	if err := m.books.Reader.Sync(ctx); err != nil {
		return Quote{}, refused(err)
	}
	if o.Do == Claim {
		return m.quoteClaim(ctx, h, o)
	}
	p, err := m.plan(ctx, h, o)
	if err != nil {
		return Quote{}, err
	}
	first := p.call
	if p.approve != nil {
		first = *p.approve
	}
	cost, err := h.writer.Cost(ctx, first)
	if err != nil {
		return Quote{}, refused(err)
	}
	if p.approve == nil {
		return m.quote(h, o, p, cost)
	}
	return m.quoteBoth(h, o, p, cost)
}

// quoteBoth is quote for a plan that begins with an approval, of that cost. What comes
// behind it cannot be estimated before the contract may take the token.
func (m *Market) quoteBoth(h *hand, o Order, p *plan, approval chain.Cost) (Quote, error) {
	main := approval
	for range payRoom - 1 {
		main.Fee, main.MaxFee = plus(main.Fee, approval.Fee), plus(main.MaxFee, approval.MaxFee)
	}
	p.terms.ApproveFee = ledger.MinAmount(plus(approval.MaxFee, approval.MaxFee), m.books.Chain.Network.MaxFee)
	p.fact("First", "a transaction of its own lets the contract take %s of the token, for a fee of %s, at most %s",
		m.money(p.terms.Amount), m.coin(approval.Fee), m.coin(p.terms.ApproveFee))
	q, err := m.quote(h, o, p, main)
	if err != nil {
		return Quote{}, err
	}
	q.Cost = fmt.Sprintf("%s in both transactions, at most %s", m.coin(plus(q.Fee, approval.Fee)), m.coin(plus(q.MaxFee, p.terms.ApproveFee)))
	return q, nil
}

// quote tells a plan and its cost.
func (m *Market) quote(h *hand, o Order, p *plan, cost chain.Cost) (Quote, error) {
	q := Quote{Order: o, Terms: p.terms, What: p.what, Facts: p.facts, Value: cost.Value, Fee: cost.Fee, MaxFee: cost.MaxFee}
	room := feeRoom
	if p.dear {
		room *= consentRoom
	}
	for range room - 1 {
		sum, err := q.MaxFee.Add(cost.MaxFee)
		if err != nil {
			return Quote{}, err
		}
		q.MaxFee = sum
	}
	q.MaxFee = ledger.MinAmount(q.MaxFee, m.books.Chain.Network.MaxFee)
	q.Terms.MaxFee = q.MaxFee
	q.Cost = fmt.Sprintf("%s, at most %s", m.coin(q.Fee), m.coin(q.MaxFee))
	if o.Do == Slash && p.terms.Amount.Less(cost.Fee) {
		q.Facts = append(q.Facts, [2]string{"Note", "the fee is more than you get; the provider loses its bond all the same"})
	}
	q.Facts = append(q.Facts, [2]string{"Wallet", m.address(h.writer.Address())})
	return q, nil
}

// Do does what a quote says, or goes on with it, and tells how far it is. It returns
// when the transaction is in a block that is believed.
func (m *Market) Do(ctx context.Context, q Quote, passphrase config.Secret, tell func(Progress)) (Done, error) {
	o := q.Order
	if err := o.check(); err != nil {
		return Done{}, app.Usage(err)
	}
	h, err := m.hand(ctx, passphrase)
	if err != nil {
		return Done{}, err
	}
	if o.Do == Claim {
		return m.claim(ctx, h, tell)
	}
	r, before, err := m.send(ctx, h, q, tell)
	if err != nil {
		return Done{}, err
	}
	receipt, err := h.writer.Wait(ctx, chain.ID(r.Number), func(p chain.Progress) { tell(m.progress(p)) })
	if errors.Is(err, chain.ErrUnknown) {
		err = fmt.Errorf("%s was sent at %s, so long ago that what became of it is not kept here; look at the balance, and do it again if it is still wanted", o.Do, r.since().Format(time.DateTime)+" UTC")
		return Done{}, errors.Join(err, m.Seen(ctx, o))
	}
	var reverted *chain.RevertError
	if errors.As(err, &reverted) || errors.Is(err, chain.ErrLost) {
		// It is over, and whoever reads this knows.
		return Done{}, errors.Join(fmt.Errorf("%w (its fee of %s is spent)", err, m.coin(receipt.Fee)), m.Seen(ctx, o))
	}
	if err != nil {
		return Done{}, err
	}
	if err := m.caughtUp(ctx, receipt.Block); err != nil {
		return Done{}, err
	}
	d := Done{Do: o.Do, Transaction: receipt.Hash, Block: receipt.Block, Fee: receipt.Fee, Channel: r.Channel, Amount: r.Terms.Amount}
	if before {
		d.Since = r.since()
	}
	d.Text = m.told(h, r)
	return d, nil
}

// send sends an order, unless it was sent before, and before that the token's approval,
// if it needs one.
func (m *Market) send(ctx context.Context, h *hand, q Quote, tell func(Progress)) (r *record, before bool, err error) {
	r, before, approval, err := m.begin(ctx, h, q, tell)
	if err != nil || r.Sent {
		return r, before, err
	}
	tell(Progress{Text: "first the contract is allowed to take the token"})
	receipt, err := h.writer.Wait(ctx, approval, func(p chain.Progress) { tell(m.progress(p)) })
	var reverted *chain.RevertError
	switch {
	case errors.As(err, &reverted), errors.Is(err, chain.ErrLost), errors.Is(err, chain.ErrUnknown):
		return nil, false, errors.Join(fmt.Errorf("the token's approval: %w (its fee of %s is spent, and nothing else)", err, m.coin(receipt.Fee)), m.Seen(ctx, q.Order))
	case err != nil:
		return nil, false, err
	}
	m.sending.Lock()
	defer m.sending.Unlock()
	return r, before, m.dispatch(ctx, h, r, tell)
}

// begin finds what was sent of an order, or sends its first transaction: the only one,
// which is then said to be sent, or the approval.
func (m *Market) begin(ctx context.Context, h *hand, q Quote, tell func(Progress)) (r *record, before bool, approval chain.ID, err error) {
	m.sending.Lock()
	defer m.sending.Unlock()
	r, err = m.underWay(ctx, h.writer, q.Order)
	if err != nil || r != nil && r.Sent {
		return r, true, 0, err
	}
	if before = r != nil; !before {
		if q.Sent {
			return nil, false, 0, fmt.Errorf("%s has ended meanwhile, and another command has seen it; look at the balance", q.Order.Do)
		}
		r = &record{Label: newLabel(q.Order.Do), Order: q.Order, Terms: q.Terms, At: uint64(time.Now().Unix())}
		if !q.Terms.ApproveFee.IsZero() {
			r.Approve = newLabel("approve")
		}
	}
	if r.Approve == "" {
		return r, before, 0, m.dispatch(ctx, h, r, tell)
	}
	if err := m.save(ctx, r.Order.key(), r); err != nil {
		return nil, false, 0, err
	}
	call := m.books.Chain.Calls().Approve(r.Terms.Amount)
	call.What, call.MaxFee = r.Approve, r.Terms.ApproveFee
	approval, err = h.writer.SendOnce(ctx, call)
	return r, before, approval, refused(err)
}

// dispatch sends an order's own transaction, once for its label.
func (m *Market) dispatch(ctx context.Context, h *hand, r *record, tell func(Progress)) error {
	call, err := m.prepare(ctx, h, r, tell)
	if err != nil {
		return err
	}
	call.What, call.MaxFee = r.Label, r.Terms.MaxFee
	key := r.Order.key()
	if err := m.save(ctx, key, r); err != nil {
		return err
	}
	id, err := h.writer.SendOnce(ctx, call)
	if err != nil {
		return refused(err)
	}
	r.Sent, r.Number = true, uint64(id)
	// What failed here is found by the label.
	return m.save(ctx, key, r)
}

// progress is that of a transaction, for people.
func (m *Market) progress(p chain.Progress) Progress {
	out := Progress{Transaction: p.Hash, Block: p.Block, Depth: p.Depth, Wanted: p.Wanted}
	switch {
	case p.Err != nil:
		out.Text = p.Err.Error()
	case p.Block == 0 && p.Tries > 1:
		out.Text = fmt.Sprintf("waiting for a block, with higher fees (version %d)", p.Tries)
	case p.Block == 0:
		out.Text = "waiting for a block"
	default:
		out.Text = fmt.Sprintf("in block %d, %d of %d", p.Block, p.Depth, p.Wanted)
	}
	return out
}

// caughtUp waits until what is known includes a block.
func (m *Market) caughtUp(ctx context.Context, block uint64) error {
	for range seenTries {
		if err := m.books.Reader.Sync(ctx); err != nil {
			return refused(err)
		}
		if m.books.Reader.State().Confirmed.Number >= block {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(seenPause):
		}
	}
	return app.NotReady(errors.New("it is done, but the chain's server does not show it yet; look at the balance in a minute"))
}

// now is the later of this machine's time and the chain's, in Unix seconds: what
// the contract allows from a time on, it allows by the chain's.
func (m *Market) now() uint64 {
	return max(uint64(time.Now().Unix()), m.books.Reader.State().Head.Time)
}
