package books

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/evmrpc"
	"github.com/culvert-net/culvert/internal/app/onchain"
	"github.com/culvert-net/culvert/internal/app/wallet"
	"github.com/culvert-net/culvert/internal/config"
	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/internal/kv/bolt"
	"github.com/culvert-net/culvert/internal/kv/postgres"
	"github.com/culvert-net/culvert/ledger/chain"
	"github.com/culvert-net/culvert/ledger/store"
)

// Files in a data directory.
const (
	File           = "ledger.db"
	GenerationFile = "ledger.generation" // unless the configuration names another
)

// schema is the ledger's among others of a database.
const schema = "culvert_ledger"

// StoreConfig is [ledger].
type StoreConfig struct {
	Store      string `toml:"store" show:"host" doc:"Where the ledger is kept: empty, a file in the data directory; or postgres://…, a database that\nall gateways of one provider share. A URL with a password belongs into the environment."`
	Generation string `toml:"generation" doc:"The file by which a restored copy of the ledger is told from the ledger itself; empty: in the\ndata directory. Put it where no backup reaches, if that is restored whole."`
	Join       bool   `toml:"join" doc:"The store is in use by other gateways, and this one joins them: it is no restored copy."`
}

// Validate implements the check of config.Load.
func (c *StoreConfig) Validate() error {
	if c.Store == "" {
		return nil
	}
	if err := postgres.CheckURL(c.Store); err != nil {
		return config.At("store", err)
	}
	return nil
}

// Config says what is opened.
type Config struct {
	Data     *app.Data
	Settings *onchain.Settings // not nil: there is a chain
	Store    StoreConfig
	Wallet   wallet.Config

	// Transport carries the questions to the chain; nil: the way that Settings name.
	Transport http.RoundTripper

	// Road is what questions over circuits need besides the chain itself, where
	// Settings name that way and there is no Transport.
	Road *evmrpc.RoadConfig

	Log *slog.Logger
}

// Books are what a program keeps of money.
type Books struct {
	Store  *store.Store
	Chain  chain.Config
	Reader *chain.Reader
	Road   *evmrpc.Road   // nil: the chain is not asked over circuits
	Wallet *wallet.Wallet // nil: Locked says why
	Locked error

	unsure bool // what the market is paid in was not read yet

	file interface {
		kv.Store
		io.Closer
	}
}

// Open opens the books of a data directory.
func Open(ctx context.Context, cfg Config) (_ *Books, err error) {
	b := new(Books)
	if b.Wallet, err = wallet.Open(ctx, cfg.Wallet); err != nil {
		b.Wallet, b.Locked = nil, err
	}
	if ctx.Err() != nil { // at the question for the passphrase, most likely
		return nil, context.Cause(ctx)
	}
	if err = b.way(cfg); err != nil {
		return nil, err
	}
	if err := b.open(ctx, cfg); err != nil {
		return nil, err
	}
	b.Chain.Store = b.Store
	if err := b.paidIn(ctx, cfg); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	if b.Reader, err = chain.NewReader(b.Chain); err != nil {
		return nil, errors.Join(app.Configured(err), b.Close())
	}
	return b, nil
}

// open opens the store.
func (b *Books) open(ctx context.Context, cfg Config) error {
	sc := store.Config{Generation: cfg.Store.Generation, Join: cfg.Store.Join}
	if sc.Generation == "" {
		sc.Generation = cfg.Data.Path(GenerationFile)
	}
	if cfg.Store.Store == "" {
		file, err := bolt.Open(cfg.Data.Path(File))
		if err != nil {
			return fmt.Errorf("the ledger: %w", err)
		}
		b.file = file
	} else {
		db, err := postgres.Open(ctx, postgres.Config{URL: cfg.Store.Store, Name: schema})
		if err != nil {
			return fmt.Errorf("the ledger: %w", err)
		}
		b.file = db
	}
	var err error
	if b.Store, err = store.Open(ctx, b.file, sc); err != nil {
		return errors.Join(fmt.Errorf("the ledger: %w", err), b.file.Close())
	}
	return nil
}

// errNoCircuits is of a program that has none.
var errNoCircuits = errors.New("[chain] via is \"circuit\", and circuits are had by a bridge that runs; start bridge serve, and try again")

// way is how the chain is asked.
func (b *Books) way(cfg Config) (err error) {
	if b.Chain, err = ChainOf(cfg.Settings); err != nil {
		return err
	}
	b.Chain.Transport, b.Chain.Log = cfg.Transport, cfg.Log
	switch {
	case cfg.Settings.Via != onchain.ViaCircuit:
		return nil
	case cfg.Transport != nil:
		b.Chain.URL = evmrpc.URL
		return nil
	case cfg.Road == nil:
		return app.NotReady(errNoCircuits)
	}
	road := *cfg.Road
	road.Chain = b.Chain
	b.Road = evmrpc.NewRoad(road)
	b.Chain.URL, b.Chain.Transport, b.Chain.Witness, b.Chain.Failed = evmrpc.URL, b.Road.Asked(), b.Road.Compared(), b.Road.Failed
	return nil
}

// ChainOf is the chain's client as the settings have it.
func ChainOf(s *onchain.Settings) (chain.Config, error) {
	c := chain.Config{
		URL: s.URL, Contract: s.Domain.Contract, Deployed: s.DeployBlock, CodeHash: s.CodeHash,
		Network: chain.NetworkOf(s.Domain.ChainID),
	}
	if s.Preset != "" {
		var err error
		if c.Network, err = chain.NetworkNamed(s.Preset); err != nil {
			return c, app.Configured(err)
		}
	}
	c.Network.ChainID, c.Network.Confirmations = s.Domain.ChainID, s.Confirmations
	return c, nil
}

// Parts run as long as the program does.
func (b *Books) Parts() []app.Part {
	return []app.Part{{Name: "chain", Run: b.Reader.Run}, {Name: "asset", Run: b.askToken}}
}

// Close closes the store. Nothing that uses it runs any more.
func (b *Books) Close() error { return errors.Join(b.Store.Close(), b.file.Close()) }
