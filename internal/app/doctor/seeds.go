package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/mesh"
	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/directory/mirror"
	"github.com/culvert-net/culvert/mesh/quorum"
	"github.com/culvert-net/culvert/mesh/world"
)

// Seed is one of the world's first contacts, and what it answered.
type Seed struct {
	Addr string // without the peer id
	Key  [32]byte

	Err     error         // why it did not answer; nil: it did
	Listens bool          // with Err: something takes connections there
	Ahead   time.Duration // by how much this machine's clock is ahead of its
	Answer  []world.Descriptor
}

// AskSeeds asks every seed and mirror of a world for the time, and, if fetch is
// set, for the directory. It asks from a host with a fresh key that serves
// nothing, as a bridge's are, so that it cannot be told from a newcomer. self,
// if not zero, is this node's own key, and is left out.
func AskSeeds(ctx context.Context, w *world.World, fetch bool, self [32]byte) ([]Seed, error) {
	host, err := mesh.New(mesh.Config{Quiet: true, Local: w.Local})
	if err != nil {
		return nil, fmt.Errorf("making a host to ask from: %w", err)
	}
	defer host.Close()
	var seeds []Seed
	var all sync.WaitGroup
	for _, s := range slices.Concat(w.Seeds, w.Mirrors) {
		a, err := world.ParseAddr(s)
		if err != nil || a.Key == self { // world.Load has checked them
			continue
		}
		seeds = append(seeds, Seed{Addr: a.Transport, Key: a.Key})
	}
	for i := range seeds {
		all.Go(func() { seeds[i].ask(ctx, host, w, fetch) })
	}
	all.Wait()
	return seeds, nil
}

// Dial asks a node at one address for the time, as AskSeeds does, and so shows
// who is there.
func Dial(ctx context.Context, host *mesh.Host, w *world.World, key [32]byte, addr string) error {
	s := Seed{Addr: addr, Key: key}
	ctx, cancel := context.WithTimeout(ctx, seedLimit)
	defer cancel()
	s.askTime(ctx, host, w)
	return s.Err
}

func (s *Seed) ask(ctx context.Context, host *mesh.Host, w *world.World, fetch bool) {
	first, cancel := context.WithTimeout(ctx, seedLimit)
	defer cancel()
	s.askTime(first, host, w)
	if s.Err == nil && fetch && node.IsSigned(w) {
		s.Err = s.fetchSigned(ctx, host, w)
	} else if s.Err == nil && fetch {
		s.Err = s.exchange(ctx, host, w, func(rw io.ReadWriter) error {
			a, err := directory.Fetch(rw, w.ID, world.Hash{})
			if err == nil {
				s.Answer = a.Descriptors
			}
			return err
		})
	}
	if at, err := mesh.ParseEndpoint(s.Addr); s.Err != nil && err == nil && !at.QUIC {
		s.Listens = accepts(ctx, at.AddrPort.String())
	}
}

// fetchSigned takes the newest bundle that the seed has, if it has one and
// signers signed it.
func (s *Seed) fetchSigned(ctx context.Context, host *mesh.Host, w *world.World) error {
	var roots *mirror.Roots
	err := s.exchange(ctx, host, w, func(rw io.ReadWriter) (err error) {
		roots, err = mirror.AskRoots(rw, w.ID)
		return err
	})
	if err != nil || len(roots.Roots) == 0 {
		return err
	}
	root := roots.Roots[0]
	if err := root.Verify(w.ID, quorum.Of(w)); err != nil {
		return err
	}
	return s.exchange(ctx, host, w, func(rw io.ReadWriter) error {
		b, err := mirror.AskBundle(rw, w.ID, root, nil)
		if err != nil {
			return err
		}
		for _, raw := range b.Descriptors() {
			if d, err := world.DecodeDescriptor(raw); err == nil {
				s.Answer = append(s.Answer, d)
			}
		}
		return nil
	})
}

func (s *Seed) askTime(ctx context.Context, host *mesh.Host, w *world.World) {
	s.Err = s.exchange(ctx, host, w, func(rw io.ReadWriter) error {
		before := time.Now()
		there, err := node.AskTime(rw, w)
		after := time.Now()
		s.Ahead = before.Add(after.Sub(before) / 2).Sub(there).Round(time.Millisecond)
		return err
	})
}

// exchange talks to the seed on a stream of its own, until ctx ends.
func (s *Seed) exchange(ctx context.Context, host *mesh.Host, w *world.World, f func(io.ReadWriter) error) error {
	stream, err := host.Open(ctx, node.Proto(w), s.Key, []string{s.Addr})
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = stream.Reset() })
	defer stop()
	if err := f(stream); err != nil {
		_ = stream.Reset()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return err
	}
	return stream.Close()
}

// Seeds are the findings about seeds that were asked: all of them down is a
// problem, one of several is not. name finds what a node calls itself.
func Seeds(w *world.World, seeds []Seed, name func(key [32]byte) string) []Finding {
	if len(seeds) == 0 {
		return nil
	}
	answered := slices.ContainsFunc(seeds, func(s Seed) bool { return s.Err == nil })
	var out []Finding
	for i, s := range seeds {
		f := s.finding(w, strings.TrimSpace(name(s.Key)+" "+s.Addr), answered)
		f.Check = fmt.Sprintf("seed %d of %d", i+1, len(seeds))
		out = append(out, f)
	}
	return out
}

func (s *Seed) finding(w *world.World, who string, othersAnswer bool) Finding {
	if s.Err == nil {
		return Fine("%s answers", who)
	}
	bad := Bad
	if othersAnswer {
		bad = Warn
	}
	const newer = "ask whoever runs the world whether it is running, or for a newer world file."
	why := strings.TrimPrefix(s.Err.Error(), mesh.ErrUnreachable.Error()+": ")
	reason, refused := errors.AsType[directory.Reason](s.Err)
	switch {
	case errors.Is(s.Err, mesh.ErrOtherKey):
		return bad("Ask whoever runs the world for a newer world file: this seed is another node now.",
			"%s: another node answers there than the world file names", who)
	case refused && reason == directory.ReasonWorld:
		return bad("Ask whoever runs the world for its present world file: a changed rule is another world.",
			"%s is a node of another world, not of %s", who, w.ID.Short())
	case errors.Is(s.Err, mesh.ErrNoAddress):
		return bad("Ask whoever runs the world for a world file with an address that can be reached.", "%s: %v", who, s.Err)
	case errors.Is(s.Err, mesh.ErrProtocol), errors.Is(s.Err, mesh.ErrReset), errors.Is(s.Err, directory.ErrProtocol), refused:
		return bad("It may run another version; "+newer, "%s is there, but does not serve the directory as this version knows it (%s)", who, why)
	case s.Listens:
		return bad("Something else may listen there, or a firewall stand between; "+newer,
			"%s takes connections, but does not answer as a node (%s)", who, why)
	case othersAnswer:
		return bad("The others will do. If it stays so, "+newer, "%s cannot be reached (%s)", who, why)
	}
	return bad("Is this machine online, and does its firewall let connections out? Else "+newer, "%s cannot be reached (%s)", who, why)
}

// Answers are the directories that seeds sent.
func Answers(seeds []Seed) [][]world.Descriptor {
	var out [][]world.Descriptor
	for _, s := range seeds {
		out = append(out, s.Answer)
	}
	return out
}

// Names finds what nodes of a snapshot call themselves.
func Names(snap *directory.Snapshot) func(key [32]byte) string {
	return func(key [32]byte) string {
		if n, ok := snap.Node(key); ok {
			return node.DisplayName(n)
		}
		return ""
	}
}
