package follow

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/directory/bundle"
	"github.com/culvert-net/culvert/mesh/directory/mirror"
	"github.com/culvert-net/culvert/mesh/quorum"
	"github.com/culvert-net/culvert/mesh/world"
)

// Why no root was taken, beside what packages quorum, mirror and bundle say.
var (
	ErrNoAnswer = errors.New("too few mirrors answer")
	ErrDisagree = errors.New("mirrors do not agree about the newest root")
	ErrStale    = errors.New("the newest root that mirrors have is too old")
	ErrFuture   = errors.New("the newest root that mirrors have is of an epoch that has not begun")
	ErrEmpty    = errors.New("mirrors have no root yet")
)

// reply is what one mirror answered.
type reply struct {
	mirror Mirror
	roots  *mirror.Roots
	ahead  time.Duration // of our clock; negative if ours is ahead
	err    error         // why there are no roots
}

// verdict is what replies come to.
type verdict struct {
	root bundle.SignedRoot
	from []Mirror // who named it
	err  error    // why there is no root; the others are not set then
}

// judge finds the newest root that enough mirrors name, of those that enough
// signers signed. need is how many mirrors are enough. All valid roots, old ones
// too, are shown to store, which compares them with what it saw before.
func judge(w *world.World, store *mirror.Store, replies []reply, need int, now time.Time) verdict {
	named := make(map[world.Hash]*verdict)
	var refused []error
	answered, empty := 0, 0
	for _, r := range replies {
		if r.err != nil {
			refused = append(refused, r.err)
			continue
		}
		roots, err := believable(store, r.roots)
		switch {
		case errors.Is(err, mirror.ErrForked):
			return verdict{err: store.Forked()}
		case err != nil:
			refused = append(refused, err)
			continue
		}
		answered++
		if len(roots) == 0 {
			empty++
		}
		for _, root := range roots {
			id := root.ID()
			if named[id] == nil {
				named[id] = &verdict{root: root}
			}
			if !slices.Contains(named[id].from, r.mirror) {
				named[id].from = append(named[id].from, r.mirror)
			}
		}
	}
	agreed := slices.DeleteFunc(values(named), func(v verdict) bool { return len(v.from) < need })
	if len(agreed) == 0 {
		return verdict{err: noAgreement(refused, answered, empty, need)}
	}
	newest := agreed[0]
	if highest := store.Highest(); highest != nil && newest.root.Epoch < highest.Epoch {
		return verdict{err: fmt.Errorf("%w: of epoch %d, after one of %d", mirror.ErrLower, newest.root.Epoch, highest.Epoch)}
	}
	switch {
	case directory.Future(w, newest.root.Epoch, now):
		return verdict{err: ErrFuture}
	case directory.Stale(w, newest.root.Epoch, now):
		return verdict{err: ErrStale}
	}
	return newest
}

// believable verifies what a mirror says. One root that does not verify
// discredits the mirror; proof of a fork, if it is one, settles everything.
func believable(store *mirror.Store, r *mirror.Roots) ([]bundle.SignedRoot, error) {
	if r.Proof != nil {
		if err := store.Accuse(*r.Proof); err != nil {
			return nil, err
		}
		return nil, mirror.ErrForked
	}
	for _, root := range r.Roots {
		if err := store.Saw(root); err != nil {
			return nil, err
		}
	}
	return r.Roots, nil
}

// values are the verdicts of a map, the newest root first.
func values(named map[world.Hash]*verdict) []verdict {
	out := make([]verdict, 0, len(named))
	for _, v := range named {
		out = append(out, *v)
	}
	slices.SortFunc(out, func(a, b verdict) int { return cmp.Compare(b.root.Epoch, a.root.Epoch) })
	return out
}

// noAgreement says why no root is named by enough mirrors.
func noAgreement(refused []error, answered, empty, need int) error {
	switch {
	case answered == 0: // as said below
	case answered >= need && empty == answered:
		return ErrEmpty
	case answered >= need:
		return ErrDisagree
	}
	// What was wrong with an answer says more than that there were few.
	for _, err := range refused {
		for _, known := range []error{quorum.ErrWorld, quorum.ErrUnknownSigner, quorum.ErrSignature, quorum.ErrTooFew, quorum.ErrNoContradiction} {
			if errors.Is(err, known) {
				return err
			}
		}
	}
	if len(refused) > 0 {
		return fmt.Errorf("%w: %w", ErrNoAnswer, refused[0])
	}
	return ErrNoAnswer
}

// clock says by how much this machine's clock is off, going by what mirrors
// say; "" if it is not, or if fewer than need say the same.
func clock(w *world.World, replies []reply, need int) string {
	var ahead []time.Duration
	for _, r := range replies {
		if r.err == nil {
			ahead = append(ahead, r.ahead)
		}
	}
	if len(ahead) < max(1, need) {
		return ""
	}
	slices.Sort(ahead)
	median := ahead[len(ahead)/2]
	same := 0
	for _, d := range ahead {
		if (d - median).Abs() <= sameClock {
			same++
		}
	}
	if same < need || median.Abs() <= directory.Skew(w) {
		return ""
	}
	way, who := "behind", "mirrors say"
	if median < 0 {
		way = "ahead of"
	}
	if same == 1 {
		who = "mirror says"
	}
	return fmt.Sprintf("this machine's clock is about %s %s what %d %s", span(median.Abs()), way, same, who)
}

// span is a length of time as people say it.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	unit, name := time.Second, "second"
	switch {
	case d >= 2*365*day:
		unit, name = 365*day, "year"
	case d >= 2*day:
		unit, name = day, "day"
	case d >= 2*time.Hour:
		unit, name = time.Hour, "hour"
	case d >= 2*time.Minute:
		unit, name = time.Minute, "minute"
	}
	return fmt.Sprintf("%d %ss", (d+unit/2)/unit, name)
}
