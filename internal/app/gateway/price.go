package gateway

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/internal/app/selling"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/world"
)

// PriceConfig is [price].
type PriceConfig struct {
	File string `toml:"file" doc:"What models cost: the file that gateway price set writes; a relative path is one in the data directory. Without one everything is free. Changes are seen within seconds."`
}

// path is the file of prices.
func (c *PriceConfig) path(data string) string {
	if filepath.IsAbs(c.File) {
		return c.File
	}
	return filepath.Join(data, c.File)
}

// Selling is what a gateway needs to be paid.
type Selling struct {
	Key   *ledger.Key    // the provider's
	Asset ledger.Address // that the market is paid in; zero is the chain's own currency

	// Unit is the provider's price in the contract; false while it is not known. It
	// does not block.
	Unit func() (ledger.Amount, bool)
}

// openSeller makes what sells, if there is somebody to be paid.
func (g *gateway) openSeller(o Options, home *node.Home) error {
	list, sells := g.cfg.Price.path(o.Data), g.money.selling()
	if sells == nil || g.chain == nil {
		// A file that cannot be read is an error for everybody, before it counts.
		l, err := selling.ReadList(list)
		if asks := err == nil && (l.Default != nil || len(l.Models) > 0); asks && g.chain != nil {
			// Started by hand, without the passphrase, it would give away what it sells.
			return app.Usage(fmt.Errorf("prices are set (%s), and the wallet cannot be opened, so that nobody could be paid: %w", list, g.money.books.Locked))
		} else if asks {
			g.log.Warn("prices are set, but nobody can be paid here: no chain is configured ([chain]). Models are free", "file", list)
		}
		return app.Configured(err)
	}
	var err error
	g.seller, err = selling.Open(selling.Config{
		World: g.world, Key: sells.Key, Asset: sells.Asset, Unit: sells.Unit,
		Domain: g.chain.Domain, Offered: g.offered, Sells: g.money.sells,
		List: list, File: home.Data.Path(selling.SheetsFile), Changed: g.directory.Changed, Log: g.log,
	})
	return app.Configured(err)
}

// offered are the models that are served.
func (g *gateway) offered() []string {
	ids, _, _ := g.models.status()
	return ids
}

// price makes a node say what it asks for. What is to be paid for and has no sheet
// yet is not offered: it would look free.
func (g *gateway) price(n *directory.Node) {
	if g.seller == nil || !g.seller.Asks() {
		return
	}
	n.Prices = g.seller.Named()
	n.Pay = []directory.Pay{g.seller.Pay()}
	if len(n.Prices) > 0 {
		return
	}
	for i := range n.Models {
		if caps := n.Models[i].Caps; !slices.Contains(caps, node.CapUnavailable) {
			n.Models[i].Caps = append(slices.Clone(caps), node.CapUnavailable)
		}
	}
}

// firstSheet looks for a sheet before the node says anything of itself.
func (g *gateway) firstSheet() {
	if g.seller != nil {
		g.seller.Step(time.Now())
	}
}

// sheet is a price sheet that this node's descriptors name.
func (g *gateway) sheet(hash world.Hash) ([]byte, bool) {
	if g.seller == nil {
		return nil, false
	}
	return g.seller.Sheet(hash)
}

// unsold is nil unless there is something to sell and no price sheet for it.
func (g *gateway) unsold() error {
	if g.seller == nil || !g.seller.Asks() || len(g.seller.Named()) > 0 {
		return nil
	}
	if why := g.seller.Status().Problem; why != "" {
		return errors.New("there is no price sheet yet: " + why)
	}
	return errors.New("there is no price sheet yet")
}

// unsaid refuses to begin where what was sold would be given away, since no price is
// set and nobody said that all is free. While it runs, such models are not offered.
func (g *gateway) unsaid(o Options) error {
	if g.money == nil {
		return nil
	}
	path := g.cfg.Price.path(o.Data)
	list, err := selling.ReadList(path)
	if err != nil || !list.Unsaid() {
		return app.Configured(err)
	}
	self, known := g.money.self()
	if !known {
		return nil // nobody could have registered
	}
	read := !g.money.books.Reader.Fresh().IsZero()
	p, listed := g.money.books.Reader.State().Pending.Provider(self)
	switch {
	case read && (!listed || p.Exited):
		return nil
	case read:
		return app.Usage(fmt.Errorf("%s: %w. It sells at %s per million tokens in the contract; who is to sell no more runs: gateway exit",
			path, selling.ErrUnsaid, g.money.books.Chain.Money(p.Price)))
	case g.seller == nil:
		return app.NotReady(fmt.Errorf("%s: %w. (The chain cannot be read now, and the wallet is not open: %w)", path, selling.ErrUnsaid, g.money.books.Locked))
	}
	g.log.Warn("no price is set, and whether this provider is in the market is not known before the chain is read: nothing is served until then", "file", path)
	return nil
}
