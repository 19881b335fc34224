package pricing

import (
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/world"
)

// Chain is what the contract of the market says, as far as it was read.
type Chain interface {
	// Provider is the contract's entry of an address; false if there is none.
	Provider(ledger.Address) (ledger.Provider, bool)
}

// Config is what a Book needs.
type Config struct {
	Domain ledger.Domain  // the market: a contract on a chain
	Asset  ledger.Address // that the contract is paid in; zero is the chain's own currency

	// Chain is nil where nothing was read of the chain yet. Sheets are shown then as
	// their provider signed them; nobody is to be paid by an Offer of such a Book.
	Chain Chain
}

// Why what a node says of money counts for nothing.
var (
	ErrElsewhere = errors.New("the provider is not paid by this world's contract")
	ErrUnknown   = errors.New("the contract does not know the provider, or it has exited")
	ErrNotNamed  = errors.New("the provider's entry in the contract does not name this node")
	ErrNoSheet   = errors.New("the directory has no price sheet of the provider that holds now")
	ErrNotPriced = errors.New("the provider's price sheet does not list the model")
)

// Offer is what a node asks for now.
type Offer struct {
	Provider ledger.Address
	Sheet    ledger.Sheet
	Digest   ledger.Hash // of the sheet, which rounds name

	// Unit is the provider's price in the contract, zero without a Chain. Where it is
	// not the Sheet's UnitPrice, one of the two has changed since.
	Unit ledger.Amount
}

// Model is what the offer asks for a model, or ErrNotPriced.
func (o *Offer) Model(model string) (ledger.ModelPrice, error) {
	p, ok := o.Sheet.Price(model)
	if !ok {
		return ledger.ModelPrice{}, ErrNotPriced
	}
	return p, nil
}

// Book reads the sheets of a directory.
type Book struct {
	cfg Config // immutable

	mu   sync.Mutex
	snap *directory.Snapshot   // that read was kept for; guarded by mu
	read map[world.Hash]signed // of sheets of snap; guarded by mu
}

var _ node.Prices = (*Book)(nil)

// signed is a sheet that was decoded, with who signed it in the domain.
type signed struct {
	sheet  ledger.Sheet
	digest ledger.Hash
	by     ledger.Address
	err    error
}

// NewBook reads nothing yet.
func NewBook(cfg Config) *Book { return &Book{cfg: cfg, read: make(map[world.Hash]signed)} }

// Offer is what a node of a snapshot asks for at a time. The error says why
// nothing that it says counts.
func (b *Book) Offer(snap *directory.Snapshot, n directory.Node, now time.Time) (Offer, error) {
	err := ErrElsewhere
	for _, pay := range n.Pay {
		if pay.ChainID != b.cfg.Domain.ChainID || ledger.Address(pay.Contract) != b.cfg.Domain.Contract {
			continue
		}
		o, why := b.offerOf(snap, n, ledger.Address(pay.Provider), now)
		if why == nil {
			return o, nil
		}
		err = why
	}
	return Offer{}, err
}

// offerOf is Offer for one of the providers that a node says to be.
func (b *Book) offerOf(snap *directory.Snapshot, n directory.Node, provider ledger.Address, now time.Time) (Offer, error) {
	o := Offer{Provider: provider}
	if b.cfg.Chain != nil {
		entry, ok := b.cfg.Chain.Provider(provider)
		switch {
		case !ok || entry.Exited:
			return Offer{}, ErrUnknown
		case !Names(entry.Descriptor, n.Key):
			return Offer{}, ErrNotNamed
		}
		o.Unit = entry.Price
	}
	seconds := uint64(max(0, now.Unix()))
	found := false
	for _, hash := range n.Prices {
		s := b.sheet(snap, hash)
		if s.err != nil || s.by != provider || s.sheet.Asset != b.cfg.Asset || s.sheet.Check(seconds) != nil {
			continue
		}
		if !found || b.before(s.sheet, o.Sheet, o.Unit) {
			o.Sheet, o.Digest, found = s.sheet, s.digest, true
		}
	}
	if !found {
		return Offer{}, ErrNoSheet
	}
	return o, nil
}

// before reports whether of two sheets that hold now a counts: the one that was
// made for the unit price the contract has, else the one made last.
func (b *Book) before(a, o ledger.Sheet, unit ledger.Amount) bool {
	if fits := a.UnitPrice == unit; b.cfg.Chain != nil && fits != (o.UnitPrice == unit) {
		return fits
	}
	return a.Sequence > o.Sequence
}

// sheet is a sheet of the snapshot, decoded once for as long as snapshots have it:
// who signed costs a curve's multiplication.
func (b *Book) sheet(snap *directory.Snapshot, hash world.Hash) signed {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.snap != snap {
		for old := range b.read {
			if _, ok := snap.Sheet(old); !ok {
				delete(b.read, old)
			}
		}
		b.snap = snap
	}
	if s, ok := b.read[hash]; ok {
		return s
	}
	raw, ok := snap.Sheet(hash)
	if !ok {
		return signed{err: ErrNoSheet} // it may come with the next snapshot
	}
	var s signed
	decoded, err := ledger.DecodeSheet(raw)
	if err == nil {
		s.sheet, s.digest = decoded.Sheet, decoded.Sheet.Digest(b.cfg.Domain)
		s.by, err = decoded.Signer(b.cfg.Domain)
	}
	s.err = err
	b.read[hash] = s
	return s
}

// nodeLine begins a line of a provider's entry that names a node of it.
const nodeLine = "node:"

// NodeLine is the line of a provider's entry in the contract that names a node by
// its transport key.
func NodeLine(key [32]byte) string { return nodeLine + hex.EncodeToString(key[:]) }

// Names reports whether an entry's descriptor, which is lines of text, names a
// node. Without that, anybody could have others paid for what he serves, and take
// their name for it.
func Names(descriptor []byte, key [32]byte) bool {
	return slices.Contains(strings.Split(string(descriptor), "\n"), NodeLine(key))
}

// Says reports whether a node says of itself that it is paid as a provider of the
// market: an entry can name nodes that have nothing to do with it.
func (b *Book) Says(n directory.Node, provider ledger.Address) bool {
	return slices.Contains(n.Pay, directory.Pay{ChainID: b.cfg.Domain.ChainID, Contract: b.cfg.Domain.Contract, Provider: provider})
}

// Price implements node.Prices.
func (b *Book) Price(snap *directory.Snapshot, n directory.Node, model string) (backend.Price, bool) {
	o, err := b.Offer(snap, n, time.Now())
	if err != nil {
		return backend.Price{}, false
	}
	p, err := o.Model(model)
	if err != nil {
		return backend.Price{}, false
	}
	return ForPeople(p, o.Sheet.Asset), true
}
