package follow

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/culvert-net/culvert/mesh/directory/bundle"
	"github.com/culvert-net/culvert/mesh/directory/dirtest"
	"github.com/culvert-net/culvert/mesh/directory/mirror"
	"github.com/culvert-net/culvert/mesh/quorum"
	"github.com/culvert-net/culvert/mesh/world"
)

func newStore(t testing.TB, w *dirtest.World, dir string) *mirror.Store {
	t.Helper()
	s, err := mirror.Open(mirror.Config{World: w.World, Quorum: w.Quorum, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// What mirrors say comes to the right root, or to the right name of what is
// wrong with it.
func TestJudge(t *testing.T) {
	w := dirtest.New(t, 5*time.Minute, 2, 3)
	other := dirtest.New(t, 6*time.Minute, 2, 3)
	const epoch = 1000
	now := w.EpochStart(epoch).Add(time.Minute)
	root := func(e uint64, by ...int) bundle.SignedRoot { return w.Bundle(t, e, world.Hash{}, nil, by...).Root }
	// split is another root of the epoch.
	split := func(e uint64, by ...int) bundle.SignedRoot { return w.Bundle(t, e, world.Hash{9}, nil, by...).Root }
	stranger := func(e uint64) bundle.SignedRoot {
		r := root(e, 0)
		r.Signatures = append(slices.Clone(r.Signatures), quorum.Signature{Signer: [32]byte{0xff}})
		return r
	}
	forged := func(e uint64) bundle.SignedRoot {
		r := root(e, 0, 1)
		r.Count = 7 // signed were none
		return r
	}
	alien := other.Bundle(t, epoch, world.Hash{}, nil, 0, 1).Root
	proof := quorum.NewContradiction(func() quorum.Signed { r := root(epoch, 0, 1); return r.Signed() }(), func() quorum.Signed { r := split(epoch, 1, 2); return r.Signed() }())
	noProof := quorum.NewContradiction(func() quorum.Signed { r := root(epoch, 0, 1); return r.Signed() }(), func() quorum.Signed { r := root(epoch-1, 1, 2); return r.Signed() }())

	says := func(roots ...bundle.SignedRoot) *mirror.Roots { return &mirror.Roots{Time: now, Roots: roots} }
	good, last := root(epoch, 0, 1), root(epoch-1, 0, 1)
	for _, c := range []struct {
		name string
		seen []bundle.SignedRoot // before, and believed
		says []*mirror.Roots     // nil: no answer
		want uint64              // epoch of the root
		err  error
	}{
		{"all agree", nil, []*mirror.Roots{says(good, last), says(good, last), says(good, last)}, epoch, nil},
		{"two agree, one is silent", nil, []*mirror.Roots{says(good), nil, says(good)}, epoch, nil},
		{"one is an epoch behind", nil, []*mirror.Roots{says(good, last), says(last), says(good, last)}, epoch, nil},
		{"two are an epoch behind", nil, []*mirror.Roots{says(good, last), says(last), says(last)}, epoch - 1, nil},
		{"one has other signatures", nil, []*mirror.Roots{says(good), says(root(epoch, 1, 2)), nil}, epoch, nil},
		{"the last epoch's, none of this one yet", nil, []*mirror.Roots{says(last), says(last), says(last)}, epoch - 1, nil},
		{"two epochs old", nil, []*mirror.Roots{says(root(epoch-2, 0, 1)), says(root(epoch-2, 0, 1)), nil}, epoch - 2, nil},
		{"one of three lies: too few signatures", nil, []*mirror.Roots{says(split(epoch, 1)), says(good), says(good)}, epoch, nil},
		{"one of three lies: forged", nil, []*mirror.Roots{says(forged(epoch + 1)), says(good), says(good)}, epoch, nil},
		{"one of three lies: nothing", nil, []*mirror.Roots{says(), says(good), says(good)}, epoch, nil},
		{"one of three lies: a false proof", nil, []*mirror.Roots{{Proof: &noProof}, says(good), says(good)}, epoch, nil},
		{"one has many times the same", nil, []*mirror.Roots{says(last, last, last), says(good), says(good)}, epoch, nil},
		{"a world of one mirror", nil, []*mirror.Roots{says(good)}, epoch, nil},
		{"a world of two mirrors", nil, []*mirror.Roots{says(good), says(good)}, epoch, nil},

		{"one of two mirrors is silent", nil, []*mirror.Roots{says(good), nil}, 0, ErrNoAnswer},
		{"one of three answers", nil, []*mirror.Roots{says(good), nil, nil}, 0, ErrNoAnswer},
		{"none answers", nil, []*mirror.Roots{nil, nil, nil}, 0, ErrNoAnswer},
		{"nobody to ask", nil, nil, 0, ErrNoAnswer},
		{"no root yet", nil, []*mirror.Roots{says(), says(), says()}, 0, ErrEmpty},
		{"nobody names the same", nil, []*mirror.Roots{says(good), says(last), says(root(epoch-2, 0, 1))}, 0, ErrDisagree},
		{"one names it twice", nil, []*mirror.Roots{says(good, good), says(), says()}, 0, ErrDisagree},
		{"too old", nil, []*mirror.Roots{says(root(epoch-3, 0, 1)), says(root(epoch-3, 0, 1)), says(root(epoch-3, 0, 1))}, 0, ErrStale},
		{"from the future", nil, []*mirror.Roots{says(root(epoch+1, 0, 1)), says(root(epoch+1, 0, 1)), nil}, 0, ErrFuture},
		{"t-1 signers collude", nil, []*mirror.Roots{says(root(epoch, 2)), says(root(epoch, 2)), says(root(epoch, 2))}, 0, quorum.ErrTooFew},
		{"an unknown signer", nil, []*mirror.Roots{says(stranger(epoch)), says(stranger(epoch)), says(stranger(epoch))}, 0, quorum.ErrUnknownSigner},
		{"forged", nil, []*mirror.Roots{says(forged(epoch)), says(forged(epoch)), nil}, 0, quorum.ErrSignature},
		{"of another world", nil, []*mirror.Roots{says(alien), says(alien), says(alien)}, 0, quorum.ErrWorld},
		{"lower than seen", []bundle.SignedRoot{good}, []*mirror.Roots{says(last), says(last), says(last)}, 0, mirror.ErrLower},
		{"forked, among mirrors", nil, []*mirror.Roots{says(good), says(good), says(split(epoch, 1, 2))}, 0, mirror.ErrForked},
		{"forked, in an epoch past", nil, []*mirror.Roots{says(good, last), says(good, last), says(good, split(epoch-1, 1, 2))}, 0, mirror.ErrForked},
		{"forked, against what was seen", []bundle.SignedRoot{good}, []*mirror.Roots{says(split(epoch, 1, 2)), says(split(epoch, 1, 2)), nil}, 0, mirror.ErrForked},
		{"forked, somebody has proof", nil, []*mirror.Roots{says(good), says(good), {Proof: &proof}}, 0, mirror.ErrForked},
	} {
		store := newStore(t, w, "")
		for _, r := range c.seen {
			if err := errors.Join(store.Saw(r), store.Believe(r)); err != nil {
				t.Fatal(err)
			}
		}
		var replies []reply
		for i, r := range c.says {
			rep := reply{mirror: Mirror{Key: [32]byte{byte(i + 1)}}, roots: r}
			if r == nil {
				rep.err = errUnreachable
			}
			replies = append(replies, rep)
		}
		v := judge(w.World, store, replies, min(agreement, len(replies)), now)
		if !errors.Is(v.err, c.err) || v.root.Epoch != c.want {
			t.Errorf("%s: a root of %d, %v, want %d, %v", c.name, v.root.Epoch, v.err, c.want, c.err)
		}
		if v.err == nil && len(v.from) < min(agreement, len(replies)) {
			t.Errorf("%s: named by %d", c.name, len(v.from))
		}
		if text := explain(v.err); (text == "") != (v.err == nil) || strings.Contains(text, "broke off") {
			t.Errorf("%s: %v is explained as %q", c.name, v.err, text)
		}
		if (store.Proof() != nil) != errors.Is(c.err, mirror.ErrForked) {
			t.Errorf("%s: proof is kept: %v", c.name, store.Proof() != nil)
		}
	}
}

func TestClock(t *testing.T) {
	w := dirtest.New(t, 5*time.Minute, 2, 3)
	const hour, year = time.Hour, 365 * 24 * time.Hour
	for _, c := range []struct {
		name  string
		ahead []time.Duration // of the mirrors' clocks
		need  int
		want  string
	}{
		{"right", []time.Duration{0, time.Second, -time.Second}, 2, ""},
		{"within what is allowed", []time.Duration{20 * time.Second, 25 * time.Second}, 2, ""},
		{"an hour behind", []time.Duration{hour, hour + time.Second, hour - time.Second}, 2, "this machine's clock is about 60 minutes behind what 3 mirrors say"},
		{"two hours ahead", []time.Duration{-2 * hour, -2 * hour}, 2, "this machine's clock is about 2 hours ahead of what 2 mirrors say"},
		{"a year ahead", []time.Duration{-year, -year, -year}, 2, "this machine's clock is about 365 days ahead of what 3 mirrors say"},
		{"two years behind", []time.Duration{2 * year, 2 * year, 2 * year}, 2, "this machine's clock is about 2 years behind what 3 mirrors say"},
		{"a minute behind", []time.Duration{time.Minute, time.Minute}, 2, "this machine's clock is about 60 seconds behind what 2 mirrors say"},
		{"one of three lies", []time.Duration{year, 0, 0}, 2, ""},
		{"one of three lies, and it is off", []time.Duration{year, hour, hour}, 2, "this machine's clock is about 60 minutes behind what 2 mirrors say"},
		{"they do not agree", []time.Duration{year, hour, -hour}, 2, ""},
		{"one answers", []time.Duration{hour}, 2, ""},
		{"a world of one", []time.Duration{hour}, 1, "this machine's clock is about 60 minutes behind what 1 mirror says"},
		{"nobody answers", nil, 2, ""},
		{"there is nobody", nil, 0, ""},
	} {
		var replies []reply
		for _, d := range c.ahead {
			replies = append(replies, reply{ahead: d})
		}
		replies = append(replies, reply{err: errUnreachable})
		if got := clock(w.World, replies, c.need); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
