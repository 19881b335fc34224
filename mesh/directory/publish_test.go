package directory

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestPublishRetries: one of two seeds is down at first.
func TestPublishRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := peerAddr(t, 1), peerAddr(t, 2)
		w := testWorld(t, a, b)
		net := newNetwork()
		up, down := NewSet(w), NewSet(w)
		net.add(a, up)
		net.add(b, down).down = true
		m := startMember(t, w, net, memberConfig{key: 3, self: plainNode(t, 3, "m")})
		await(t, time.Second, "the seed that is up knows", knows(up, 3))
		time.Sleep(10 * time.Second)
		if st := m.Status(); st.PublishedTo != 1 || st.PublishError != "not reachable" {
			t.Errorf("status: %+v", st)
		}
		net.with(func() { net.servers[b].down = false })
		await(t, 2*lastRepublish, "the seed that was down knows", knows(down, 3))
		await(t, time.Second, "the status is good again", func() bool {
			st := m.Status()
			return st.PublishedTo == 2 && st.PublishError == ""
		})
		before := net.opened(a)
		time.Sleep(20 * time.Second)
		if n := net.opened(a) - before; n > 10 {
			t.Errorf("%d more calls to a seed that knows all", n)
		}
	})
}

// TestPublishOnChange: Changed brings new content to the seeds within seconds,
// and no more than four times an epoch.
func TestPublishOnChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := peerAddr(t, 1)
		w := testWorld(t, a)
		net := newNetwork()
		seed := NewSet(w)
		net.add(a, seed)
		time.Sleep(time.Until(w.EpochStart(w.Epoch(time.Now()) + 1)))
		m := startMember(t, w, net, memberConfig{key: 3, self: plainNode(t, 3, "m0")})
		serves := func(id string) func() bool {
			return func() bool { return len(seed.Snapshot().Providers(id)) == 1 }
		}
		await(t, time.Second, "the first content", serves("m0"))

		// A burst is one change.
		for _, id := range []string{"m1", "m2", "m3"} {
			m.change(func(n *Node) { n.Models[0].ID = id })
		}
		await(t, 5*time.Second, "the burst's last content", serves("m3"))
		if _, changes, _ := seed.Said(publicOf(testKey(3)), w.Epoch(time.Now())); changes != 2 {
			t.Errorf("%d seqs after a burst, want 2", changes)
		}
		// Two more are spread over the epoch …
		m.change(func(n *Node) { n.Models[0].ID = "m4" })
		await(t, w.EpochLen()/4, "the third content", serves("m4"))
		m.change(func(n *Node) { n.Models[0].ID = "m5" })
		await(t, w.EpochLen()/3, "the fourth content", serves("m5"))
		// … and the next waits for the next.
		m.change(func(n *Node) { n.Models[0].ID = "m6" })
		time.Sleep(30 * time.Second)
		if !serves("m5")() {
			t.Error("the last content that was taken is gone")
		}
		await(t, w.EpochLen(), "the fifth content", serves("m6"))
		if !w.EpochStart(w.Epoch(time.Now())).After(time.Now().Add(-w.EpochLen() / 4)) {
			t.Errorf("the fifth content came at %v, not with the new epoch", time.Now())
		}
		if snap := seed.Snapshot(); len(snap.Equivocations()) != 0 {
			t.Error("the node contradicted itself")
		}
	})
}

// TestPublishEachEpoch: the seed never sees the node's descriptors run out.
func TestPublishEachEpoch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := peerAddr(t, 1)
		w := testWorld(t, a)
		net := newNetwork()
		seed := NewSet(w)
		net.add(a, seed)
		startMember(t, w, net, memberConfig{key: 3, self: plainNode(t, 3)})
		time.Sleep(time.Until(w.EpochStart(w.Epoch(time.Now()) + 1)))
		for range 10 {
			now := w.Epoch(time.Now())
			await(t, w.EpochLen()/16, "the epoch's descriptor", func() bool {
				n, _ := seed.Snapshot().Node(publicOf(testKey(3)))
				return n.Epoch == now
			})
			time.Sleep(time.Until(w.EpochStart(now + 1)))
		}
	})
}

// TestRestartIsNoContradiction restarts a node within one epoch: unchanged, with
// a change, and with a change after its cache was lost. The seed that remembers
// must not find it out.
func TestRestartIsNoContradiction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := peerAddr(t, 1)
		w := testWorld(t, a)
		net := newNetwork()
		seed := NewSet(w)
		net.add(a, seed)
		time.Sleep(time.Until(w.EpochStart(w.Epoch(time.Now()) + 1)))
		dir := t.TempDir()
		key := publicOf(testKey(3))
		run := func(models ...string) (seq uint64) {
			t.Helper()
			m := startMember(t, w, net, memberConfig{dir: dir, key: 3, self: plainNode(t, 3, models...)})
			await(t, 5*time.Second, "the seed knows what is served", func() bool {
				n, ok := seed.Snapshot().Node(key)
				return ok && len(n.Models) == len(models) && n.Models[0].ID == models[0]
			})
			m.stop()
			time.Sleep(2 * time.Second)
			n, _ := seed.Snapshot().Node(key)
			return n.Seq
		}
		first := run("a")
		if again := run("a"); again != first {
			t.Errorf("the same content got seq %d after %d", again, first)
		}
		second := run("b", "c")
		if second <= first {
			t.Errorf("other content got seq %d after %d", second, first)
		}
		if err := os.Remove(filepath.Join(dir, "directory.db")); err != nil {
			t.Fatal(err)
		}
		if third := run("d"); third <= second {
			t.Errorf("without a cache, other content got seq %d after %d", third, second)
		}
		if proof := seed.Snapshot().Equivocations(); len(proof) != 0 {
			t.Errorf("the node contradicted itself: %+v", proof)
		}
	})
}

// TestPublishGivesUp: a mirror that takes no publications is not asked again,
// and is no failure; a node whose key is out says so in its status.
func TestPublishGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := peerAddr(t, 1), peerAddr(t, 2)
		w := testWorld(t, a)
		w.Mirrors = []string{b}
		net := newNetwork()
		seed := NewSet(w)
		net.add(a, seed)
		net.add(b, NewSet(w)).accept = false
		time.Sleep(time.Until(w.EpochStart(w.Epoch(time.Now()) + 1)))
		dir := t.TempDir()
		m := startMember(t, w, net, memberConfig{dir: dir, key: 3, self: plainNode(t, 3)})
		await(t, time.Second, "the seed knows", knows(seed, 3))
		if st := m.Status(); st.PublishedTo != 2 || st.PublishError != "" {
			t.Errorf("status: %+v", st)
		}

		// Somebody else runs with the same key, and is believed first.
		now := time.Now()
		twin := testNode(t, w, 3, now, "twin")
		seq := uint64(now.Unix()) + 1000
		seed.Add(build(t, w, 3, now, seq, twin), now)
		twin.Models[0].Context++
		seed.Add(build(t, w, 3, now, seq, twin), now)
		m.change(func(n *Node) { n.Name = "changed" })
		await(t, w.EpochLen()/2, "the status says that the key is out", func() bool {
			return strings.Contains(m.Status().PublishError, ReasonEquivocal.Error())
		})
		if m.Status().Equivocations == 0 {
			time.Sleep(w.EpochLen() / 2) // the next refresh brings the proof
			if m.Status().Equivocations == 0 {
				t.Errorf("status: %+v", m.Status())
			}
		}
		// A restart does not fail over it, and changes nothing.
		m.stop()
		m = startMember(t, w, net, memberConfig{dir: dir, key: 3, self: plainNode(t, 3)})
		await(t, time.Minute, "the status says so after a restart", func() bool {
			return strings.Contains(m.Status().PublishError, ReasonEquivocal.Error())
		})
		// In the next epoch all is well again.
		time.Sleep(time.Until(w.EpochStart(w.Epoch(time.Now()) + 1)))
		await(t, w.EpochLen()/8, "the node stands again", knows(seed, 3))
	})
}

// TestRememberedLess: a node restored from a backup says something under a seq
// lower than one it used; it learns so from the seed, and says it under a higher
// one.
func TestRememberedLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := peerAddr(t, 1)
		w := testWorld(t, a)
		net := newNetwork()
		seed := NewSet(w)
		net.add(a, seed)
		time.Sleep(time.Until(w.EpochStart(w.Epoch(time.Now()) + 1)))
		now := time.Now()
		past := uint64(now.Unix()) + 5000 // its clock was ahead then
		added(t, seed.Add(build(t, w, 3, now, past, testNode(t, w, 3, now, "old")), now), 1)
		startMember(t, w, net, memberConfig{key: 3, self: plainNode(t, 3, "new")})
		await(t, w.EpochLen()/2, "the seed knows the new content", func() bool {
			n, _ := seed.Snapshot().Node(publicOf(testKey(3)))
			return n.Seq > past && n.Models[0].ID == "new"
		})
		if len(seed.Snapshot().Equivocations()) != 0 {
			t.Error("the node contradicted itself")
		}
	})
}

// TestNothingToSay: a provider whose backends are not up publishes nothing, and
// above all no relay; what it said before stays until its epoch has passed.
func TestNothingToSay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := peerAddr(t, 1)
		w := testWorld(t, a)
		net := newNetwork()
		seed := NewSet(w)
		net.add(a, seed)
		time.Sleep(time.Until(w.EpochStart(w.Epoch(time.Now()) + 1)))
		m := startMember(t, w, net, memberConfig{key: 3, self: plainNode(t, 3, "m"), silent: true})
		time.Sleep(w.EpochLen() / 2)
		if seed.Snapshot().Len() != 0 || m.Status().PublishError != "" {
			t.Errorf("published with nothing to say; status %+v", m.Status())
		}
		m.speak(true)
		await(t, 5*time.Second, "the seed knows", knows(seed, 3))
		m.speak(false)
		time.Sleep(w.EpochLen() / 8)
		if !knows(seed, 3)() {
			t.Error("what was said in this epoch is gone")
		}
		time.Sleep(2 * w.EpochLen())
		seed.Advance(time.Now())
		if knows(seed, 3)() || m.Status().PublishError != "" {
			t.Errorf("a silent node is still published; status %+v", m.Status())
		}
	})
}
