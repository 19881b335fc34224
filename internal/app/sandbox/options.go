package sandbox

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/culvert-net/culvert/api"
	"github.com/culvert-net/culvert/api/backend/openai"
	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/gateway"
	"github.com/culvert-net/culvert/internal/serve"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/mesh/world"
)

// program is this program's name.
const program = "sandbox"

// Options is what a sandbox is told. Defaults gives the usual.
type Options struct {
	Backend   string        // base URL of a model server, or "mock"; "" looks for one
	Listen    string        // address of the bridge's API
	Relays    int           // at least 1, and one fewer than Hops at least
	Providers int           // at least 1
	Hops      int           // length of circuits, 1–5
	Isolation string        // of the bridge: "conversation" or "key"
	Epoch     time.Duration // at least a minute
	Dir       string        // kept and used again; "" is a temporary one, removed
	Bin       string        // directory of the programs; "" is this program's own
	InProcess bool          // goroutines instead of processes, but for the chain
	Chain     bool          // a devchain too
	Deposit   string        // what the bridge buys from each provider on it, as "1 eth"
	ReadyFile string        // written when a request will succeed
	LogLevel  string        // of the nodes
	Debug     bool          // a debug server for each node

	Out io.Writer // what to paste
	Err io.Writer // progress

	// Watch, if set, is told of each node of an in-process sandbox before it
	// starts, and may change how it runs. Programs leave it nil.
	Watch func(name string, n *InProcess)
}

// Default addresses of the bridge. The status page's port gives way if it is
// taken, or if --listen says that this sandbox is one of several.
const (
	defaultListen     = "127.0.0.1:8811"
	defaultStatusPort = 8812
)

// Defaults are the options of `sandbox` without flags.
func Defaults() Options {
	return Options{
		Listen: defaultListen, Relays: 3, Providers: 1, Hops: 3,
		Isolation: string(api.ByConversation), Epoch: world.MinEpoch, LogLevel: "info",
		Chain: true, Deposit: "1 eth",
	}
}

// check refuses what cannot work.
func (o *Options) check() error {
	if err := serve.CheckLoopback("--listen", o.Listen); errors.Is(err, serve.ErrPublic) {
		return app.Refused(err)
	} else if err != nil {
		return app.Usage(err)
	}
	if o.Backend != "" && o.Backend != gateway.BackendMock {
		// It connects to nothing.
		if _, err := openai.New(openai.Config{BaseURL: o.Backend}); err != nil {
			return app.Usage(fmt.Errorf("--backend: %w", err))
		}
	}
	log := app.DefaultLog()
	log.Level = o.LogLevel
	if err := log.Validate(); err != nil {
		return app.Usage(fmt.Errorf("--log-level: %w", err))
	}
	if deposit, err := ledger.ParseAmount(o.Deposit); err != nil || deposit.IsZero() {
		return app.Usage(fmt.Errorf("--deposit %q: it is an amount above zero, as \"1 eth\"", o.Deposit))
	}
	if dir := filepath.Dir(o.ReadyFile); o.ReadyFile != "" {
		// The nodes would all be started before that shows.
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			return app.Usage(fmt.Errorf("--ready-file %s: there is no directory %s; make it first", o.ReadyFile, dir))
		}
	}
	switch {
	case o.Hops < 1 || o.Hops > 5:
		return app.Usage(fmt.Errorf("--hops %d: a circuit has 1 to 5 hops", o.Hops))
	case o.Relays < 1:
		return app.Usage(fmt.Errorf("--relays %d: at least one is needed, as the world's seed", o.Relays))
	case o.Relays < o.Hops-1:
		return app.Usage(fmt.Errorf("--relays %d: circuits of --hops %d take %s", o.Relays, o.Hops, app.Count(o.Hops-1, "relay")))
	case o.Providers < 1:
		return app.Usage(fmt.Errorf("--providers %d: somebody has to answer", o.Providers))
	case o.Relays+o.Providers > maxNodes:
		return app.Usage(fmt.Errorf("--relays and --providers: at most %d together", maxNodes))
	case o.Isolation != string(api.ByConversation) && o.Isolation != string(api.ByKey):
		return app.Usage(fmt.Errorf("--isolation %q: it is %q or %q", o.Isolation, api.ByConversation, api.ByKey))
	case o.Epoch < world.MinEpoch || o.Epoch > world.MaxEpoch:
		return app.Usage(fmt.Errorf("--epoch %v: from %v to %v", o.Epoch, world.MinEpoch, world.MaxEpoch))
	}
	return nil
}
