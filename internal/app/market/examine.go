package market

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/books"
	"github.com/culvert-net/culvert/internal/app/doctor"
	"github.com/culvert-net/culvert/internal/app/onchain"
	"github.com/culvert-net/culvert/internal/app/wallet"
	"github.com/culvert-net/culvert/internal/config"
	"github.com/culvert-net/culvert/internal/serve"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/chain"
)

// A doctor's look at money. It changes nothing: of a program that does not run, the
// ledger stays closed, and what only it knows is not looked at.

// examined is what is looked at, and what was found.
type examined struct {
	program string
	chain   chain.Config
	reader  *chain.Reader
	offer   func() (Offer, error) // of a provider; nil: a client
	self    ledger.Address        // zero: there is no wallet
	found   []doctor.Finding
}

// Examine looks at the money of a program that runs.
func (m *Market) Examine(ctx context.Context) []doctor.Finding {
	e := &examined{program: m.cfg.Serves, chain: m.books.Chain, reader: m.books.Reader, offer: m.cfg.Offer}
	e.wallet(m.cfg.Wallet, m.books.Locked)
	read := m.books.Reader.Fresh()
	if !e.chainRead(ctx, &read) {
		return e.found
	}
	if !m.cfg.Pays {
		e.provider(ctx)
		m.examineClaims(ctx, e)
		return e.found
	}
	b := Balance{}
	if err := m.channels(ctx, &b); err != nil {
		e.add("channels", doctor.Bad("Is the disk full, or damaged?", "the ledger could not be read: %v", err))
		return e.found
	}
	e.channels(b.Channels)
	return e.found
}

// ExamineStopped looks at the money of a program that does not run. offer is a
// provider's, nil for a client.
func ExamineStopped(ctx context.Context, program string, s *onchain.Settings, w wallet.Config, offer func() (Offer, error)) []doctor.Finding {
	e := &examined{program: program, offer: offer}
	e.wallet(w, nil)
	if s.Via == onchain.ViaCircuit {
		return append(e.found, named("chain", doctor.Skip("it is asked over circuits, by a bridge that runs")))
	}
	var err error
	if e.chain, err = books.ChainOf(s); err == nil {
		e.reader, err = chain.NewReader(e.chain)
	}
	if err == nil {
		e.learn(ctx)
	}
	if err != nil {
		e.add("chain", doctor.Bad(e.do("config", "path")+" says where [chain] is.", "%v", err))
		return e.found
	}
	if e.chainRead(ctx, nil) && offer != nil {
		e.provider(ctx)
	}
	return e.found
}

// learn asks what the market is paid in, for people; who cannot be asked is found out
// about next.
func (e *examined) learn(ctx context.Context) {
	if t, err := chain.ReadToken(ctx, e.chain); err == nil {
		e.chain.Asset, e.chain.Named = t.Address, t
	}
}

func named(check string, f doctor.Finding) doctor.Finding {
	f.Check = check
	return f
}

func (e *examined) add(check string, f doctor.Finding) { e.found = append(e.found, named(check, f)) }

// do is a command of the program.
func (e *examined) do(words ...string) string {
	return app.Shell(append([]string{e.program}, words...)...)
}

func (e *examined) money(a ledger.Amount) string { return e.chain.Money(a) }

func (e *examined) coin(a ledger.Amount) string { return e.chain.Network.Money(a) }

// wallet says whether there is one, and whether the running program could open it.
func (e *examined) wallet(c wallet.Config, locked error) {
	info, err := wallet.Look(c)
	level := doctor.Warn // a client uses what is free
	if e.offer != nil {
		level = doctor.Bad
	}
	switch {
	case errors.Is(err, wallet.ErrNone):
		e.add("wallet", doctor.Warn(e.do("wallet", "new"), "there is none, so nothing is paid and nobody is paid"))
	case err != nil:
		e.add("wallet", doctor.Bad("Put its backup back.", "%v", err))
	case locked != nil:
		e.self = info.Address
		e.add("wallet", level("Start it again with the passphrase: "+e.do("serve", "--passphrase-file", "FILE"), "the running %s has not opened it: %v", e.program, locked))
	case info.Address.IsZero():
		e.add("wallet", doctor.Fine("none of its own, and %s from elsewhere", app.Count(len(info.Sessions), "session key")))
	default:
		e.self = info.Address
		e.add("wallet", doctor.Fine("%s", e.self))
	}
}

// chainRead says whether the chain can be read, and whether it is the right one.
// before is when a running program had last read it; nil: none runs.
func (e *examined) chainRead(ctx context.Context, before *time.Time) bool {
	err := e.reader.Sync(ctx)
	config := "[chain] in config.toml (" + e.do("config", "path") + ")"
	last := ""
	if before != nil {
		last = "; it was not read yet since the start"
		if !before.IsZero() {
			last = fmt.Sprintf("; it was last read at %s UTC", before.UTC().Format(time.DateTime))
		}
		if e.offer != nil {
			last += ". After six hours nothing is lent, after twelve nothing to be paid for is answered"
		}
	}
	switch {
	case err == nil:
	case errors.Is(err, context.DeadlineExceeded):
		e.add("chain", doctor.Warn("Leave it time, and the program running: it goes on where it was.", "the contract's log was not read to its end%s", last))
		return false
	case errors.Is(err, chain.ErrUnreachable):
		e.add("chain", doctor.Bad("Start that node, or correct url in "+config+".", "%v%s", err, last))
		return false
	case errors.Is(err, chain.ErrChainID):
		e.add("chain", doctor.Bad("Correct url, or preset, in "+config+".", "%v%s", err, last))
		return false
	case errors.Is(err, chain.ErrCode):
		e.add("chain", doctor.Bad("Correct contract and code_hash in "+config+", or remove them for those of the world; send nothing there.", "%v%s", err, last))
		return false
	case errors.Is(err, chain.ErrStale):
		e.add("chain", doctor.Bad("Wait until that node has caught up. If it has, it is this machine's clock. "+doctor.SetClock, "%v%s", err, last))
		return false
	default:
		e.add("chain", doctor.Bad("Try again in a minute. If it stays so, take another node: url in "+config+".", "%v%s", err, last))
		return false
	}
	s, n := e.reader.State(), e.chain.Network
	e.add("chain", doctor.Fine("%s (%d) answers, and %s is the contract that was agreed on; read up to block %d", n.Name, n.ChainID, e.chain.Contract, s.Head.Number))
	if n.BlockTime > 0 { // else blocks come, and have times, as somebody wants
		e.clock(time.Unix(int64(min(s.Head.Time, 1<<40)), 0), time.Now())
	}
	return true
}

// clock compares this machine's with the newest block's. One that is old says
// nothing: it may be the newest there is. Reader has refused what is too far off.
func (e *examined) clock(block, now time.Time) {
	if ahead := block.Sub(now); ahead > clockSlack {
		e.add("chain clock", doctor.Warn(doctor.SetClock, "the newest block is %v in the future by this machine's clock, so that clock is behind", ahead.Round(time.Second)))
		return
	}
	e.add("chain clock", doctor.Fine("fits the newest block"))
}

// provider says whether clients find what this one sells.
func (e *examined) provider(ctx context.Context) {
	if e.self.IsZero() {
		return
	}
	offer, err := e.offer()
	if err != nil {
		e.add("price", doctor.Bad("Correct the list of prices.", "%v", err))
		return
	}
	if !offer.Price.IsZero() {
		e.gas(ctx)
	}
	p, known := e.reader.State().Pending.Provider(e.self)
	switch {
	case (!known || p.Exited) && offer.Price.IsZero():
		e.add("registered", doctor.Fine("no, and nothing has a price: what is served is free"))
		return
	case !known || p.Exited:
		e.add("registered", doctor.Bad(e.do("register"), "no, so nobody can buy what has a price"))
		return
	case offer.Price.IsZero():
		e.add("price", doctor.Bad(e.do("price", "set", "--input", "PRICE", "--output", "PRICE"), "it is %s in the contract, and none is set here: what was sold cannot be billed", e.money(p.Price)))
	case offer.Price != p.Price:
		e.add("price", doctor.Warn(e.do("update"), "it is %s in the contract, and %s by the list of prices: clients compare by the one and pay by the other", e.money(p.Price), e.money(offer.Price)))
	default:
		e.add("price", doctor.Fine("%s per million standard output tokens, in the contract as in the list of prices", e.money(p.Price)))
	}
}

// gas says whether the wallet has what a claim costs.
func (e *examined) gas(ctx context.Context) {
	address := e.chain.Network.Address(e.self)
	// Of a voucher that pays nothing the contract does most of what it does of others.
	none := []ledger.Signed[ledger.Voucher]{{}}
	fee, err := e.reader.MaxFee(ctx, e.self, e.chain.Calls().Claim(none, ledger.Hash{}))
	own, ownErr := e.reader.Funds(ctx, e.self)
	fill := fmt.Sprintf("Send some %s to %s.", e.chain.Network.Currency, address)
	switch {
	case ownErr == nil && own.IsZero():
		e.add("gas", doctor.Bad(fill, "the wallet is empty, so that nothing can be claimed"))
	case err != nil || ownErr != nil:
		e.add("gas", doctor.Skip("what a claim costs, and what the wallet has, could not be asked: %v", errors.Join(err, ownErr)))
	case own.Less(fee):
		e.add("gas", doctor.Bad(fill, "the wallet has %s, and a claim may cost %s", e.coin(own), e.coin(fee)))
	case own.Less(plus(fee, plus(fee, plus(fee, fee)))):
		e.add("gas", doctor.Warn(fill, "the wallet has %s, which is enough for one claim or a few, at %s each", e.coin(own), e.coin(fee)))
	default:
		e.add("gas", doctor.Fine("the wallet has %s; a claim may cost %s", e.coin(own), e.coin(fee)))
	}
}

// examineClaims says what a provider has not brought to the contract yet.
func (m *Market) examineClaims(ctx context.Context, e *examined) {
	if m.books.Wallet == nil || m.books.Wallet.Key() == nil {
		return
	}
	earned, err := m.Earnings(ctx, config.Secret{})
	if err != nil {
		e.add("claims", doctor.Bad("Is the disk full, or damaged?", "%v", err))
		return
	}
	closing := uint64(0)
	for _, c := range earned.Channels {
		if c.CloseAt != 0 && c.Claimed.Less(c.Earned) && (closing == 0 || c.CloseAt < closing) {
			closing = c.CloseAt
		}
	}
	switch {
	case closing != 0 && !earned.Unclaimed.IsZero():
		e.add("claims", doctor.Warn(e.do("claim"), "%s are earned and not claimed, and a channel of them is closing: what is not claimed by %s goes back. The gateway claims by itself; if this stays, do it", e.money(earned.Unclaimed), clock(closing)))
	case earned.Unclaimed.IsZero():
		e.add("claims", doctor.Fine("nothing is earned that was not claimed"))
	default:
		e.add("claims", doctor.Fine("%s are earned and not claimed yet, which happens when it is worth its gas; now: %s", e.money(earned.Unclaimed), e.do("claim")))
	}
	if !earned.Held.IsZero() {
		e.add("withdrawable", doctor.Fine("the contract holds %s; to bring it into the wallet: %s", e.money(earned.Held), e.do("withdraw")))
	}
}

// channels says what a client has left, and where.
func (e *examined) channels(all []ClientChannel) {
	open := 0
	for _, c := range all {
		switch {
		case c.State == "refundable":
			e.add("channels", doctor.Warn(e.do("refund")+", then "+e.do("withdraw"), "%s of channel %s can be taken back", e.money(c.Remaining), c.Channel))
		case c.State == "closing":
			e.add("channels", doctor.Fine("channel %s is closing; %s can be taken back from %s on, with: %s", c.Channel, e.money(c.Remaining), clock(c.CloseAt), e.do("refund")))
		case c.State == "closed":
		case c.Free.IsZero() && c.Reserved.IsZero():
			open++
			e.add("channels", doctor.Warn(e.do("topup", c.Channel.String(), "AMOUNT"), "nothing is left in channel %s with provider %s", c.Channel, c.Provider))
		default:
			open++
			e.add("channels", doctor.Fine("%s left with provider %s, about %s", e.money(c.Free), c.Provider, c.Tokens))
		}
	}
	if open == 0 {
		e.add("channels", doctor.Fine("nothing is bought: only providers that are free are used. To buy: %s, then %s", e.do("providers"), e.do("buy", "PROVIDER", "AMOUNT")))
	}
}

// ExamineRunning has the program that runs on a data directory look.
func ExamineRunning(ctx context.Context, dir string) ([]doctor.Finding, error) {
	var found []doctor.Finding
	err := serve.Tell(ctx, filepath.Join(dir, serve.AdminSocket), routeExamine, command{}, &found)
	if errors.Is(err, context.DeadlineExceeded) {
		f := doctor.Bad("Look at the node of the chain, which is url in [chain] of config.toml, and start it again if it hangs.",
			"its server takes questions, and has not answered by the end of this look")
		f.Check = "chain"
		return []doctor.Finding{f}, nil
	}
	return found, err
}
