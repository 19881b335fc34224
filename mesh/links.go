package mesh

import (
	"bytes"
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/p2p/protocol/identify"
)

// Peer is a node that can be dialled.
type Peer struct {
	Key   [32]byte
	Addrs []string // as Open takes them
}

// LinksConfig says to whom links are kept.
type LinksConfig struct {
	// Peers are those that may be chosen; the host itself is left out. It is
	// called every few seconds, by one goroutine.
	Peers func() []Peer

	// Count is how many links are kept; zero means KeptLinks.
	Count int

	// Rand draws them; nil draws by chance.
	Rand *rand.Rand
}

// KeepLinks dials peers that it draws at random, others when it loses them, and
// another in place of one now and then, until ctx ends, whose error it returns.
// Whoever dialled us is not counted, so that nobody can keep us from choosing for
// ourselves. Links that carry no stream are closed by either end and made anew.
func (h *Host) KeepLinks(ctx context.Context, cfg LinksConfig) error {
	if h.quiet {
		return ErrQuiet
	}
	if cfg.Count == 0 {
		cfg.Count = KeptLinks
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	}
	k := &keeper{
		host: h, cfg: cfg, kept: make(map[[32]byte]bool), avoid: make(map[[32]byte]time.Time),
		// Members that start together do not turn together.
		turn: time.Now().Add(linksTurn/2 + time.Duration(cfg.Rand.Int64N(int64(linksTurn)))),
	}
	tick := time.NewTicker(linksEvery)
	defer tick.Stop()
	for {
		for k.round(ctx) {
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// keeper is the state of KeepLinks, and belongs to its goroutine.
type keeper struct {
	host  *Host
	cfg   LinksConfig
	kept  map[[32]byte]bool
	avoid map[[32]byte]time.Time // that could not be reached, until then
	turn  time.Time              // when one is next given up for another
}

// round dials what is lost or missing, all at once, and says whether it is worth
// while to go on at once: some were not reached, and there are others.
func (k *keeper) round(ctx context.Context) bool {
	if ctx.Err() != nil {
		return false
	}
	chosen, left, given := k.choose(time.Now())
	errs := make([]error, len(chosen))
	var wg sync.WaitGroup
	for i, p := range chosen {
		wg.Go(func() { errs[i] = k.host.link(ctx, p) })
	}
	wg.Wait()
	failed := false
	for i, p := range chosen {
		if errs[i] == nil {
			k.kept[p.Key] = true
			continue
		}
		failed = true
		delete(k.kept, p.Key)
		k.avoid[p.Key] = time.Now().Add(linksAvoid)
	}
	if given != nil {
		k.host.unlink(given.Key)
	}
	return failed && left
}

// choose returns those of the kept that are there still, filled up by chance,
// whether there would be more, and the one that is given up, if it is time.
func (k *keeper) choose(now time.Time) (chosen []Peer, more bool, given *Peer) {
	// In one order, so that the same chance draws the same peers.
	all := slices.SortedFunc(slices.Values(k.cfg.Peers()), func(a, b Peer) int { return bytes.Compare(a.Key[:], b.Key[:]) })
	all = slices.CompactFunc(all, func(a, b Peer) bool { return a.Key == b.Key })
	var others []Peer
	still := make(map[[32]byte]bool)
	for _, p := range all {
		switch {
		case p.Key == k.host.key:
		case k.kept[p.Key]:
			still[p.Key] = true
			chosen = append(chosen, p)
		case now.Before(k.avoid[p.Key]):
		default:
			others = append(others, p)
		}
	}
	k.kept = still
	for key, until := range k.avoid {
		if !now.Before(until) {
			delete(k.avoid, key)
		}
	}
	k.cfg.Rand.Shuffle(len(others), func(i, j int) { others[i], others[j] = others[j], others[i] })
	if len(chosen) >= k.cfg.Count && len(others) > 0 && !now.Before(k.turn) {
		k.turn = now.Add(linksTurn)
		i := k.cfg.Rand.IntN(len(chosen))
		gone := chosen[i]
		given = &gone
		chosen = slices.Delete(chosen, i, i+1)
		delete(k.kept, gone.Key)
	}
	n := min(max(0, k.cfg.Count-len(chosen)), len(others))
	return append(chosen, others[:n]...), n < len(others), given
}

// link returns when there is a link to p.
func (h *Host) link(ctx context.Context, p Peer) error {
	id := idOf(p.Key)
	if h.swarm.Connectedness(id) == network.Connected {
		return nil
	}
	at, err := dialable(p.Key, p.Addrs, h.local)
	if err != nil {
		return err
	}
	return h.dialer.dial(ctx, id, at)
}

// unlink closes the link that we dialled to a node, if nothing but push runs over
// it. Should the node want it, it dials us.
func (h *Host) unlink(key [32]byte) {
	for _, c := range h.swarm.ConnsToPeer(idOf(key)) {
		used := slices.ContainsFunc(c.GetStreams(), func(s network.Stream) bool {
			p := s.Protocol()
			return p != ProtoPush && p != identify.ID && p != identify.IDPush
		})
		if c.Stat().Direction == network.DirOutbound && !used {
			_ = c.Close() // it is gone either way
		}
	}
}
