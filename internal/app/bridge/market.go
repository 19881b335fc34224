package bridge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/api/keys"
	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/books"
	"github.com/culvert-net/culvert/internal/app/market"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/internal/app/onchain"
	"github.com/culvert-net/culvert/internal/app/wallet"
	"github.com/culvert-net/culvert/internal/serve"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/chain"
)

// errNoChain is why there is nothing to buy with.
var errNoChain = errors.New("no chain is configured, so nothing can be paid: set [chain] in config.toml (bridge config path says where it is), with the address of a node of the chain that the world's money is on")

// counter is the way of the commands for money to what does them.
func counter(data func() (string, error)) market.Counter {
	return market.Counter{Program: walletProgram(data), Open: openMarket}
}

// openMarket opens the books of a data directory on which no bridge runs.
func openMarket(ctx context.Context, dir string, w wallet.Config) (_ *market.Market, _ func() error, err error) {
	cfg := Defaults()
	if _, err := app.Load(cfg, program, dir, nil); err != nil {
		return nil, nil, err
	}
	o := Options{Data: dir}
	world, err := node.LoadWorld(o.world())
	if err != nil && !errors.Is(err, node.ErrNoWorld) {
		return nil, nil, err
	}
	settings, err := onchain.Join(cfg.Chain, world)
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
	b, err := books.Open(ctx, books.Config{Data: d, Settings: settings, Wallet: w, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, nil, errors.Join(err, d.Close())
	}
	return market.New(market.Config{Books: b, Wallet: w, Pays: true}), func() error { return errors.Join(b.Close(), d.Close()) }, nil
}

// accountOf is the id of the API key that --for names; "" is everybody's purse.
func accountOf(cmd *cobra.Command, data func() (string, error), name string) (string, error) {
	if name == "" {
		return "", nil
	}
	dir, err := data()
	if err != nil {
		return "", err
	}
	var list []keys.Listed
	err = serve.Ask(cmd.Context(), filepath.Join(dir, serve.AdminSocket), routeKeys, &list)
	if errors.Is(err, serve.ErrNoDaemon) {
		err = withKeys(cmd.Context(), dir, func(k *keyring) error { list = k.List(); return nil })
	}
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(list, func(k keys.Listed) bool { return k.ID == name || k.Name == name && k.Good() })
	if i < 0 {
		return "", app.Usage(fmt.Errorf("--for %s: there is no such API key; bridge keys list shows those that there are", name))
	}
	return list[i].ID, nil
}

// providerOf is the provider that an argument names: by its address, or by the name
// of one of its nodes.
func providerOf(ctx context.Context, d *market.Desk, text string) (ledger.Address, error) {
	if a, err := chain.ParseAddress(text); err == nil {
		return a, nil
	}
	all, err := d.Providers(ctx)
	if err != nil {
		return ledger.Address{}, err
	}
	var found []ledger.Address
	for _, l := range all {
		if slices.Contains(l.Names, text) {
			found = append(found, l.Provider)
		}
	}
	switch {
	case len(found) == 0 && !d.Runs():
		return ledger.Address{}, app.Usage(fmt.Errorf("%q is no address, and names are known while the bridge runs: start it with bridge serve, or give an address of bridge providers", text))
	case len(found) == 0:
		return ledger.Address{}, app.Usage(fmt.Errorf("%q is neither an address nor the name of a provider that is known; bridge providers shows those that there are", text))
	case len(found) == 1:
		return found[0], nil
	}
	return ledger.Address{}, app.Usage(fmt.Errorf("%d providers have a node called %s, since anybody may choose any name; give the address of the one you mean", len(found), text))
}

// cheapestOf is the listing that asks least for a model: for output, where the least
// that a request costs counts as so much for leastTokens of it, then for input. One
// whose prices are not known is the cheapest only where none are.
func cheapestOf(all []market.Listing, model string) (best market.Listing, found bool) {
	var least market.ListedModel
	for _, l := range all {
		i := slices.IndexFunc(l.Models, func(m market.ListedModel) bool { return m.Model == model })
		if i < 0 {
			continue
		}
		m := l.Models[i]
		if fee := spread(m.Minimum); m.Output.Less(fee) {
			m.Output = fee
		}
		if !m.Priced {
			m.Output = l.Price
		}
		better := m.Output.Less(least.Output) || m.Output == least.Output && m.Input.Less(least.Input)
		if !found || m.Priced && !least.Priced || m.Priced == least.Priced && better {
			best, least, found = l, m, true
		}
	}
	return best, found
}

// cheapest is the provider that asks least for a model.
func cheapest(ctx context.Context, d *market.Desk, model string) (ledger.Address, error) {
	all, err := d.Providers(ctx)
	if err != nil {
		return ledger.Address{}, err
	}
	best, found := cheapestOf(all, model)
	if !found && !d.Runs() {
		return ledger.Address{}, app.Usage(errors.New("models are known while the bridge runs: start it with bridge serve, or give a provider's address"))
	}
	if !found {
		return ledger.Address{}, app.Usage(fmt.Errorf("no provider of this market lists the model %q; bridge providers shows what there is", model))
	}
	return best.Provider, nil
}

// channelOf is the channel that an argument names: by its id, or by its provider and
// whose purse it is.
func channelOf(ctx context.Context, d *market.Desk, text, account string, fits func(market.ClientChannel) bool) (ledger.ChannelID, error) {
	if id, err := ledger.ParseChannelID(text); err == nil {
		return id, nil
	}
	provider, err := providerOf(ctx, d, text)
	if err != nil {
		return ledger.ChannelID{}, fmt.Errorf("%w; of one that sells no more, give the channel that bridge balance shows", err)
	}
	b, err := d.Balance(ctx)
	if err != nil {
		return ledger.ChannelID{}, err
	}
	var found []ledger.ChannelID
	for _, c := range b.Channels {
		if c.Provider == provider && c.Account == account && fits(c) {
			found = append(found, c.Channel)
		}
	}
	if len(found) != 1 {
		return ledger.ChannelID{}, app.Usage(fmt.Errorf("there are %s with provider %s for which this can be done; bridge balance shows all, and each can be given by its id", app.Count(len(found), "channel"), text))
	}
	return found[0], nil
}
