//go:build e2e && mesh

package e2e

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/app/member"
	"github.com/culvert-net/culvert/mesh/eventlog"
)

// sealed is how long it takes at most, from any moment on, until the epoch of that
// moment is closed everywhere: the epoch, half of one of grace, some turns, and two
// rounds of sync. The cap is twice that.
const sealed = 4 * time.Minute

// Two of three directory signers close an epoch while the third is down, and every
// member says of the same events that they count, the signer that was killed too
// once it is back, and one that signs nothing. What comes afterwards counts nowhere.
func TestMeshSeals(t *testing.T) {
	t.Parallel()
	w := &watchers{t: t, root: t.TempDir(), daemons: make(map[string]*daemon)}
	var others []string
	for _, name := range []string{"b", "c"} {
		said := strings.Fields(succeed(t, "observer", "init", "--data", w.dir(name), "--listen", w.listen(), "--name", name))
		others = append(others, strings.TrimSuffix(said[3], "."))
	}
	succeed(t, "observer", "world", "create", "sealers", "--local", "--mode", "closed", "--epoch", "1m", "--founder-threshold", "1",
		"--founders", strings.Join(others, ","), "--data", w.dir("a"), "--listen", w.listen(), "--name", "a")
	w.serve("a")
	w.enter("a", "b")
	w.enter("a", "c")
	w.join("a", "d")
	all := []string{"a", "b", "c", "d"}
	w.members(4, all...)
	if s := w.shown("d"); len(s.Signers) != 3 || s.Threshold != 2 {
		t.Fatalf("%d signers, %d of whom sign; want 2 of 3", len(s.Signers), s.Threshold)
	}
	// At once, so that they are likely of one epoch; it does not matter if not.
	var ids []string
	for i, name := range all {
		ids = append(ids, w.endorse(name, byte(i+1)))
	}
	for _, id := range ids {
		w.reaches(id, all...)
	}
	epochs := make(map[uint64]bool)
	for _, id := range ids {
		epochs[w.explained("a", id).Event.Epoch] = true
	}
	w.kill("c")
	counted := func(names ...string) {
		t.Helper()
		for _, name := range names {
			eventuallyEvery(t, time.Second, sealed, name+" has the seals", func() error {
				for _, id := range ids {
					if x := w.explained(name, id); x.Seal != eventlog.SealIn.String() {
						return fmt.Errorf("%s is %q; %+v", id[:8], x.Seal, w.status(name).Seals)
					}
				}
				return nil
			})
		}
	}
	counted("a", "b", "d")
	w.serve("c")
	counted("c")

	// A member says something in the epoch that is closed, and gives it to another.
	author := newAuthor(t, w.dir("d"))
	var over uint64
	for e := range epochs {
		over = max(over, e)
	}
	late := author.batch(t, over, 1)
	w.imports("b", late)
	w.reaches(late.ids[0], all...)
	for _, name := range all {
		eventuallyEvery(t, time.Second, longest, name+" knows that it is late", func() error {
			if x := w.explained(name, late.ids[0]); x.Seal != eventlog.SealOutside.String() {
				return errors.New(x.Seal)
			}
			return nil
		})
		if s := w.status(name); s.Alarm != "" || s.Seals.Double != 0 || s.Seals.Newest < over {
			t.Errorf("%s: alarm %q, %+v", name, s.Alarm, s.Seals)
		}
	}
}

// explained is what an observer knows of an event.
func (w *watchers) explained(name, id string) (x member.Explained) {
	w.t.Helper()
	w.ask(name, &x, "log", "explain", id)
	return x
}
