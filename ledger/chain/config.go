package chain

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/network"
)

// Config says which contract on which chain, and who is asked about it.
type Config struct {
	// URL of a JSON-RPC server, http or https. It may hold an access key, so it
	// never gets into errors or the log; its host does.
	URL string

	// Network is the chain: one of the presets, or anybody's.
	Network Network

	// Contract is the market's address, Deployed the block it was made in, and
	// CodeHash the Keccak-256 of its code there.
	Contract ledger.Address
	Deployed uint64
	CodeHash ledger.Hash

	// Asset is the token that is paid in; zero: the chain's own currency.
	Asset ledger.Address

	// Named is what Asset calls itself, for people; its Address does not count.
	Named Token

	// Transport carries the requests; nil: directly, as http.DefaultTransport.
	Transport http.RoundTripper

	// Witness carries the same questions to a second server. With one, nothing that
	// a Reader is told counts until both say it: the hash of the block that is
	// believed, and the events up to it. Nil: the first is believed.
	Witness http.RoundTripper

	// Failed is told of each pass of a Reader that ended in an error, for whoever
	// chooses the servers; nil: nobody is.
	Failed func(error)

	// Store keeps the checkpoint and the transactions. A Reader does without one
	// (nil), and then reads the whole log at each start; a Writer needs it.
	Store Store

	// Log is told of forks and replacements; nil: nobody is.
	Log *slog.Logger
}

// Store is what must survive, as ledger/store has it.
type Store interface {
	// Do runs f, perhaps more than once; what it wrote is durable when nil is
	// returned, and not there otherwise.
	Do(ctx context.Context, f func(kv.Tx) error) error

	// View runs f on one state of the store.
	View(ctx context.Context, f func(kv.Tx) error) error
}

// Network is a chain, with the facts about it that a client has to know.
type Network struct {
	Name    string
	ChainID uint64

	// Currency is what its own coin is called.
	Currency string

	// Test says that its money is worth nothing; Filecoin writes t for f in
	// addresses then.
	Test bool

	// Filecoin says that addresses have an f4 form.
	Filecoin bool

	// Dev says that this is a chain of one machine, where published keys are fine.
	Dev bool

	// BlockTime is how often there is a block; 0: when there is a transaction.
	BlockTime time.Duration

	// Confirmations is how many blocks follow one that is believed.
	Confirmations uint64

	// Window is how many blocks before the last confirmed one a fork may begin
	// without the log being read from the start.
	Window uint64

	// MaxRange is how many blocks are asked for at once, until a server refuses.
	MaxRange uint64

	// GasMargin is added to an estimate of gas, in percent.
	GasMargin uint64

	// Bump is by how much the fees of a transaction rise when it is replaced, in
	// thousandths.
	Bump uint64

	// MaxFee is the most that one transaction may cost in fees, whatever the
	// server says that fees are.
	MaxFee ledger.Amount
}

// devChainID is that of cmd/devchain, and of most development chains.
const devChainID = network.DevChainID

// DevNetwork is a chain on this machine, which mines when there is something.
// The next block confirms the one before.
func DevNetwork() Network {
	return Network{
		Name: network.Dev, ChainID: known(network.Dev).ChainID, Currency: "eth", Test: true, Dev: true,
		Confirmations: known(network.Dev).Confirmations, Window: 64, MaxRange: 10_000, GasMargin: 20, Bump: 125,
		MaxFee: ledger.Wei(1e18),
	}
}

// FilecoinNetwork is Filecoin's main network.
//
// Lotus calls a block safe when 30 follow it (FRC-0089) and final after 900;
// it answers eth_getLogs for 2,880 epochs at most, public servers often for the
// last 16 hours only; it counts a fee limit against the gas limit, and burns a
// part of what is above the use; and it replaces a message when the premium
// rises by a quarter.
func FilecoinNetwork() Network {
	return Network{
		Name: network.Filecoin, ChainID: known(network.Filecoin).ChainID, Currency: "FIL", Filecoin: true,
		BlockTime: 30 * time.Second, Confirmations: known(network.Filecoin).Confirmations, Window: 900, MaxRange: 2000,
		GasMargin: 25, Bump: 260, MaxFee: ledger.Wei(1e18),
	}
}

// CalibrationNetwork is Filecoin's test network, which is like the main one.
func CalibrationNetwork() Network {
	n := FilecoinNetwork()
	n.Name, n.ChainID, n.Currency, n.Test = network.Calibration, known(network.Calibration).ChainID, "tFIL", true
	return n
}

// OtherNetwork is a chain that there is no preset for, by what holds for most.
func OtherNetwork(chainID uint64) Network {
	return Network{
		Name: "other", ChainID: chainID, Currency: "eth", BlockTime: 12 * time.Second,
		Confirmations: 12, Window: 128, MaxRange: 2000, GasMargin: 20, Bump: 125, MaxFee: ledger.Wei(1e17),
	}
}

// NetworkNamed is a preset by its name.
func NetworkNamed(name string) (Network, error) {
	if _, err := network.Named(name); err != nil {
		return Network{}, err
	}
	switch name {
	case network.Filecoin:
		return FilecoinNetwork(), nil
	case network.Calibration:
		return CalibrationNetwork(), nil
	default: // the last of the table
		return DevNetwork(), nil
	}
}

// NetworkOf is the preset of a chain's number, or what holds for most chains.
func NetworkOf(chainID uint64) Network {
	if n, ok := network.Of(chainID); ok {
		if out, err := NetworkNamed(n.Name); err == nil {
			return out
		}
	}
	return OtherNetwork(chainID)
}

// known is a row of the table of networks.
func known(name string) network.Network {
	n, err := network.Named(name)
	if err != nil {
		panic("chain: unreachable: the table has every name that is asked for here")
	}
	return n
}

// Address is an address as the network's people write it.
func (n Network) Address(a ledger.Address) string {
	if n.Filecoin {
		return ToFilecoin(a, n.Test)
	}
	return a.String()
}

// Money is an amount in the network's currency, for people.
func (n Network) Money(a ledger.Amount) string {
	text := a.Format()
	if whole, ok := strings.CutSuffix(text, " eth"); ok {
		return whole + " " + n.Currency
	}
	return text
}

// Domain is where signatures for the contract count.
func (c Config) Domain() ledger.Domain {
	return ledger.Domain{ChainID: c.Network.ChainID, Contract: c.Contract}
}

// Check says what is missing or cannot be.
func (c Config) Check() error {
	u, err := url.Parse(c.URL)
	n := c.Network
	switch {
	case err != nil:
		return errors.New("the URL of the chain's server is none; write it as https://host/path") // err holds the URL
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return errors.New("the URL of the chain's server begins with http:// or https:// and names a host")
	case n.ChainID == 0:
		return errors.New("the chain id is missing; it is that of the network the contract is on")
	case c.Contract.IsZero():
		return errors.New("the address of the market's contract is missing")
	case c.CodeHash.IsZero():
		return errors.New("the hash of the contract's code is missing; without it any contract would do")
	case n.MaxRange == 0:
		return errors.New("a page of the log has at least one block")
	case n.Bump < 100:
		return fmt.Errorf("fees that rise by %d thousandths replace nothing; servers want 100 at least", n.Bump)
	case n.MaxFee.IsZero():
		return errors.New("the largest fee of a transaction is missing; a server could name any")
	}
	return nil
}

// log is never nil.
func (c Config) log() *slog.Logger {
	if c.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return c.Log
}
