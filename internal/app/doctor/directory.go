package doctor

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"time"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/mesh"
	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/directory/mirror"
	"github.com/culvert-net/culvert/mesh/quorum"
	"github.com/culvert-net/culvert/mesh/world"
)

// Cached is the directory that a program keeps on disk.
type Cached struct {
	Descriptors []world.Descriptor
	Epoch       uint64    // of its root
	Made        time.Time // as the root says; zero: there is none
	Err         error     // it is there and cannot be read
	Forked      error     // signers contradicted themselves, and it is not used
}

// ReadCache looks at the bundles in the data directory dir of a program that may
// be running, and changes nothing.
func ReadCache(dir string, w *world.World) Cached {
	store, err := mirror.Open(mirror.Config{World: w, Quorum: quorum.Of(w), Dir: dir})
	if err != nil {
		return Cached{Err: err}
	}
	c := Cached{Forked: store.Forked()}
	b := store.Newest()
	if b == nil {
		if all, err := filepath.Glob(filepath.Join(dir, mirror.Bundles)); err == nil && len(all) > 0 {
			c.Err = fmt.Errorf("none of %s in %s can be read", app.Count(len(all), "bundle"), dir)
		}
		return c
	}
	c.Epoch, c.Made = b.Root.Epoch, time.UnixMilli(int64(b.Root.Time))
	for _, raw := range b.Descriptors() {
		if d, err := world.DecodeDescriptor(raw); err == nil {
			c.Descriptors = append(c.Descriptors, d)
		}
	}
	return c
}

// Merge is the directory that descriptors make up now.
func Merge(w *world.World, now time.Time, lists ...[]world.Descriptor) *directory.Snapshot {
	set := directory.NewSet(w)
	for _, ds := range lists {
		set.Add(ds, now)
	}
	return set.Snapshot()
}

// Findings are about the files: there may be none, and they may be lost.
func (c Cached) Findings(now time.Time) []Finding {
	f := Fine("%s, root of epoch %d, %s old", app.Count(len(c.Descriptors), "descriptor"), c.Epoch, roughly(now.Sub(c.Made).Abs()))
	switch {
	case c.Forked != nil:
		f = Bad("Ask whoever runs the world what happened. Until founders say so, believe no directory of this world.", "%v", c.Forked)
	case c.Err != nil:
		f = Warn("If the error names a file, it says what to do with it; bundles are copies, and are fetched again.", "%v", c.Err)
	case c.Made.IsZero():
		f = Fine("none yet")
	}
	f.Check = "directory on disk"
	return []Finding{f}
}

// directoryAge is how old the directory of a running program may be: mirrors are
// asked anew up to five 16ths into an epoch, and again after up to an eighth if they
// did not agree, so a healthy one is above an epoch at times.
func directoryAge(w *world.World) time.Duration { return w.EpochLen() * 3 / 2 }

// DirectoryStatus are the findings about the directory of a running program.
func DirectoryStatus(w *world.World, s *node.DirectoryStatus, started, now time.Time) []Finding {
	holds := Holds(s.Relays, s.Providers, len(s.Models))
	age := time.Duration(s.Age * float64(time.Second))
	why := s.Problem
	if why == "" {
		why = "none was asked"
	}
	const do = "See what was found of the seeds and the clock."
	switch {
	case s.Age < 0 && now.Sub(started) < startGrace:
		return []Finding{Warn("It has just started. Wait half a minute and look again.", "%s; mirrors have not agreed on a root yet (%s)", holds, why)}
	case s.Age < 0:
		return []Finding{Bad(do, "%s; mirrors have not agreed on a root since the start (%s)", holds, why)}
	case age > directoryAge(w):
		return []Finding{Bad(do, "%s; fetched %s ago, longer than an epoch and a half (%s)", holds, roughly(age), why)}
	case s.Problem != "":
		return []Finding{Warn(do, "%s; fetched %s ago, and the last attempt: %s", holds, roughly(age), s.Problem)}
	}
	return []Finding{Fine("%s; fetched %s ago", holds, roughly(age))}
}

// Small says if a world is small: then its circuits hide less than they would.
// Descriptors do not name operators yet, so only networks can be counted.
func Small(w *world.World, snap *directory.Snapshot) []Finding {
	groups := Groups(snap)
	if w.Sandbox || w.Local || groups >= smallGroups || snap.Len() == 0 {
		return nil
	}
	return []Finding{Warn("It works. What is hidden from whom is in docs/threat-model.md; more relays, run by other people elsewhere, make it better.",
		"a small world: its relays are in %s, and below %d whoever watches them may see both ends of a circuit. How many people run them is not known", app.Count(groups, "network"), smallGroups)}
}

// Groups counts the networks (IPv4 /16, IPv6 /32) that the relays of a
// directory are in.
func Groups(snap *directory.Snapshot) int {
	groups := make(map[netip.Prefix]bool)
	for _, n := range snap.Relays() {
		for _, addr := range n.Addrs {
			at, err := mesh.ParseEndpoint(addr)
			if err != nil {
				continue
			}
			bits := 16
			if at.Addr().Is6() {
				bits = 32
			}
			if p, err := at.Addr().Prefix(bits); err == nil {
				groups[p] = true
				break // a node is in one group: that of its first address
			}
		}
	}
	return len(groups)
}

// Holds is a directory in words.
func Holds(relays, providers, models int) string {
	return fmt.Sprintf("%s, %s, %s", app.Count(relays, "relay"), app.Count(providers, "provider"), app.Count(models, "model"))
}

// Enough are the problems of a directory with which no request can be sent.
// join is the command with which somebody adds a node.
func Enough(w *world.World, relays, providers int) []Finding {
	var out []Finding
	if need := int(w.Rules.DefaultCircuitLen) - 1; relays < need {
		out = append(out, Bad("If seeds answer and the clock is right, the world lacks relays. Somebody has to add one: gateway init --world world.toml --roles relay",
			"%s known, a circuit takes %d", app.Count(relays, "relay"), need))
	}
	if providers == 0 {
		out = append(out, Bad("If seeds answer and the clock is right, nobody serves a model at present. Somebody has to: gateway init --world world.toml --backend URL",
			"no provider is known"))
	}
	return out
}

// Offered counts the providers and models of a snapshot that serve now.
func Offered(snap *directory.Snapshot) (providers, models int) {
	keys := make(map[[32]byte]bool)
	for _, m := range snap.Models() {
		offered := false
		for _, n := range snap.Providers(m.ID) {
			if node.Offers(n, m.ID) {
				keys[n.Key], offered = true, true
			}
		}
		if offered {
			models++
		}
	}
	return len(keys), models
}
