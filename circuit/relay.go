package circuit

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/culvert-net/culvert/circuit/cell"
	"github.com/culvert-net/culvert/circuit/onion"
)

// RelayConfig is what a Relay needs. All fields are required but Extend and
// Serve; a node with neither answers handshakes and refuses the rest.
type RelayConfig struct {
	World    [32]byte // world id, bound into every handshake
	Self     [32]byte // this node's Ed25519 transport key
	CellSize int      // bytes, of the world
	Links    Links
	Keys     OnionKeys
	Extend   bool         // pass circuits on to other nodes
	Serve    []StreamKind // accept streams of these kinds, each on its Listener
	Log      *slog.Logger
}

// Relay is a node's side of other people's circuits: it answers CREATE,
// extends, passes cells on, and gives the streams that end here to its
// Listeners.
type Relay struct {
	cfg       RelayConfig
	pool      *batches
	listeners map[StreamKind]*Listener // of cfg.Serve; immutable
	slots     chan struct{}            // one per circuit
	farewell  chan struct{}            // one per link that is told that there is no room
	stats     relayStats
}

// NewRelay checks cfg. It starts nothing.
func NewRelay(cfg RelayConfig) (*Relay, error) {
	if cfg.Links == nil || cfg.Keys == nil || cfg.Log == nil {
		return nil, errors.New("circuit: relay needs links, keys and a log")
	}
	if !cell.ValidSize(cfg.CellSize) {
		return nil, fmt.Errorf("circuit: cell size %d is none of 512, 1024, 2048, 4096", cfg.CellSize)
	}
	listeners := make(map[StreamKind]*Listener, len(cfg.Serve))
	for _, kind := range cfg.Serve {
		listeners[kind] = newListener()
	}
	return &Relay{
		cfg: cfg, pool: newBatches(), listeners: listeners,
		slots: make(chan struct{}, maxRelayCircuits), farewell: make(chan struct{}, maxFarewells),
	}, nil
}

// Listener is where streams of a kind arrive that end at this node; nil for a
// kind that it does not serve.
func (r *Relay) Listener(kind StreamKind) *Listener { return r.listeners[kind] }

// Run serves links until ctx ends, then ends every circuit and waits for it.
func (r *Relay) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	defer func() {
		for _, l := range r.listeners {
			_ = l.Close() // it has no error
		}
	}()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for {
		link, err := r.cfg.Links.Accept(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("accept link: %w", err)
		}
		select {
		case r.slots <- struct{}{}:
			wg.Go(func() {
				defer func() { <-r.slots }()
				r.serve(ctx, link)
			})
		default:
			r.stats.refused.Add(1)
			r.stats.full.Add(1)
			r.refuse(ctx, link, wg.Go)
		}
	}
}

// refuse tells a link that there is no room for it, and resets it when too many
// are being told.
func (r *Relay) refuse(ctx context.Context, link Link, start func(func())) {
	select {
	case r.farewell <- struct{}{}:
	default:
		_ = link.Reset()
		return
	}
	start(func() {
		defer func() { <-r.farewell }()
		stop := context.AfterFunc(ctx, func() { _ = link.Reset() })
		defer stop()
		destroy(link, newFiller(), r.cfg.CellSize, cell.Busy)
	})
}

// serve owns one circuit at this node, from CREATE to its end.
func (r *Relay) serve(ctx context.Context, link Link) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = link.Reset() })
	defer stop()

	idle := time.AfterFunc(idleTimeout, func() { _ = link.Reset() })
	defer idle.Stop()
	in := newBatchReader(idleReader{link, idle}, r.cfg.CellSize, r.pool)
	defer in.release()
	codec, place, err := r.create(link, in)
	if err != nil {
		r.stats.refused.Add(1)
		r.cfg.Log.Debug("circuit refused", "err", err)
		_ = link.Reset()
		return
	}
	r.stats.created.Add(1)
	h := &hop{relay: r, link: link, codec: codec, place: place, name: circuitName()}
	h.run(ctx, in)
}

// idleReader puts off the end of an idle link at every read that brings
// something.
type idleReader struct {
	link io.Reader
	idle *time.Timer
}

func (r idleReader) Read(p []byte) (int, error) {
	n, err := r.link.Read(p)
	if n > 0 {
		r.idle.Reset(idleTimeout)
	}
	return n, err
}

// create answers the CREATE that a link must begin with. Nothing is kept and
// nothing computed before its form was checked.
func (r *Relay) create(link Link, in *batchReader) (*hopCodec, byte, error) {
	late := time.AfterFunc(createTimeout, func() { _ = link.Reset() })
	defer late.Stop()
	cells, err := in.read()
	if err != nil {
		return nil, 0, fmt.Errorf("read create: %w", err)
	}
	if len(cells) != r.cfg.CellSize || cell.Command(cells[0]) != cell.Create {
		return nil, 0, fmt.Errorf("%w: link does not begin with one create", ErrProtocol)
	}
	create, err := cell.Handshake(cells[1:], onion.CreateSize)
	if err != nil {
		return nil, 0, err
	}
	created, keys, req, err := onion.Respond(r.cfg.World, r.cfg.Self, r.cfg.Keys, create)
	if err != nil {
		return nil, 0, err
	}
	defer keys.Erase()
	if req.Place > maxPlace {
		return nil, 0, fmt.Errorf("%w: place %d", ErrProtocol, req.Place)
	}
	codec := newHopCodec(r.cfg.CellSize-1, req.Place, r.cfg.World, keys)
	body := make([]byte, 2+onion.CreatedSize)
	cell.PutHandshake(body, created)
	if err := writeCell(link, codec.fillOut, r.cfg.CellSize, cell.Created, body); err != nil {
		return nil, 0, err
	}
	return codec, req.Place, nil
}

// circuitName is a circuit's name on this machine. No other hop has the same.
func circuitName() string {
	var b [6]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// destroyTimeout bounds the farewell on a link that may no longer be read.
const destroyTimeout = 5 * time.Second

// destroy says DESTROY on a link nobody else writes to, and closes it.
func destroy(link Link, f filler, size int, why cell.Reason) {
	late := time.AfterFunc(destroyTimeout, func() { _ = link.Reset() })
	defer late.Stop()
	if err := writeCell(link, f, size, cell.Destroy, []byte{byte(why)}); err != nil {
		_ = link.Reset()
		return
	}
	_ = link.Close()
}
