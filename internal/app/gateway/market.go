package gateway

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/books"
	"github.com/culvert-net/culvert/internal/app/market"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/internal/app/onchain"
	"github.com/culvert-net/culvert/internal/app/pricing"
	"github.com/culvert-net/culvert/internal/app/selling"
	"github.com/culvert-net/culvert/internal/app/wallet"
	"github.com/culvert-net/culvert/mesh/world"
)

// errNoChain is why there is nothing to be earned.
var errNoChain = errors.New("no chain is configured, so nobody can pay: set [chain] in config.toml (gateway config path says where it is), with the address of a node of the chain that the world's money is on")

// counter is the way of the commands for money to what does them.
func counter(data func() (string, error)) market.Counter {
	return market.Counter{Program: walletProgram(data), Open: openMarket}
}

// openMarket opens the books of a data directory on which no gateway runs.
func openMarket(ctx context.Context, dir string, w wallet.Config) (_ *market.Market, _ func() error, err error) {
	cfg := Defaults()
	if _, err := app.Load(cfg, program, dir, nil); err != nil {
		return nil, nil, err
	}
	there, err := node.LoadWorld(filepath.Join(dir, app.WorldFile))
	if err != nil {
		return nil, nil, err
	}
	settings, err := onchain.Join(cfg.Chain.Config, there)
	if err != nil {
		return nil, nil, app.Configured(err)
	}
	if settings == nil {
		return nil, nil, app.Usage(errNoChain)
	}
	d, err := app.OpenData(dir, program)
	if err != nil {
		return nil, nil, err
	}
	b, err := books.Open(ctx, books.Config{Data: d, Settings: settings, Store: cfg.Ledger.StoreConfig, Wallet: w, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, nil, errors.Join(err, d.Close())
	}
	m := market.New(market.Config{Books: b, Wallet: w, Offer: func() (market.Offer, error) { return cfg.offer(dir) }})
	return m, func() error { return errors.Join(b.Close(), d.Close()) }, nil
}

// offer is what a gateway that does not run registers: its models are those that
// have a price of their own.
func (c *Config) offer(dir string) (market.Offer, error) {
	key, err := node.LoadKey(filepath.Join(dir, node.KeyFile))
	if err != nil {
		return market.Offer{}, err
	}
	list, err := selling.ReadList(c.Price.path(dir))
	if err != nil {
		return market.Offer{}, app.Configured(err)
	}
	at := c.Node.Announce
	if len(at) == 0 {
		at = c.Node.Listen
	}
	return offerOf(key, list, at, slices.Sorted(maps.Keys(list.Models)), nil), nil
}

// offer is what a gateway that runs registers.
func (g *gateway) offer(o Options, home *node.Home) (market.Offer, error) {
	list, err := selling.ReadList(g.cfg.Price.path(o.Data))
	if err != nil {
		return market.Offer{}, app.Configured(err)
	}
	var sheets []world.Hash
	if g.seller != nil {
		sheets = g.seller.Named()
	}
	return offerOf(home.Key, list, g.addrs(), g.offered(), sheets), nil
}

// admin adds the commands for money to what the admin socket serves.
func (g *gateway) admin(rest http.Handler) http.Handler {
	switch {
	case g.money != nil:
		return market.Admin(g.money.market, nil, rest)
	case g.chain == nil:
		return market.Admin(nil, app.Usage(errNoChain), rest)
	}
	return market.Admin(nil, app.Usage(errors.New("this gateway is no provider (node.roles), so that there is nothing to sell")), rest)
}

// offerOf is what is registered of a node. Its reference price is that of output by
// default, or the least that a model has: all prices of a sheet are scaled by it, and
// people are told by it how far their money goes.
func offerOf(key ed25519.PrivateKey, list selling.List, at, models []string, sheets []world.Hash) market.Offer {
	d := market.Described{Nodes: []string{pricing.NodeLine([32]byte(key.Public().(ed25519.PublicKey)))}, Endpoints: at, Models: models}
	for _, hash := range sheets {
		d.Sheets = append(d.Sheets, hex.EncodeToString(hash[:]))
	}
	o := market.Offer{Descriptor: d.Descriptor()}
	if list.Default != nil && list.Default.Output != nil {
		o.Price = *list.Default.Output
	}
	if !o.Price.IsZero() {
		return o
	}
	for _, p := range list.Models {
		if p.Output != nil && !p.Output.IsZero() && (o.Price.IsZero() || p.Output.Less(o.Price)) {
			o.Price = *p.Output
		}
	}
	return o
}

// daysOf reads how long a bond is put up.
func daysOf(text string) (uint64, error) {
	number, ok := strings.CutSuffix(text, "d")
	days, err := strconv.ParseUint(number, 10, 16)
	if !ok || err != nil || days == 0 {
		return 0, fmt.Errorf("%q: for how many days, for example 90d", text)
	}
	return days, nil
}
