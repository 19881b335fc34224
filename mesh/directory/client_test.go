package directory

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/mesh/frame"
	"github.com/culvert-net/culvert/mesh/sealed"
	"github.com/culvert-net/culvert/mesh/world"
)

// TestClientsFindEachOther: two seeds, a provider and a bridge; the provider
// publishes to both seeds, the bridge learns of it from either.
func TestClientsFindEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := peerAddr(t, 1), peerAddr(t, 2)
		w := testWorld(t, a, b)
		net := newNetwork()
		seed1 := startMember(t, w, net, memberConfig{key: 1, self: plainNode(t, 1)})
		seed2 := startMember(t, w, net, memberConfig{key: 2, self: plainNode(t, 2)})
		net.add(a, seed1.set)
		net.add(b, seed2.set)
		provider := startMember(t, w, net, memberConfig{key: 3, self: plainNode(t, 3, "llama-3")})
		synctest.Wait()
		if !knows(provider.set, 3)() {
			t.Error("a node does not hold its own descriptors from the start")
		}
		await(t, 10*time.Second, "the seeds know the provider", func() bool { return knows(seed1.set, 3)() && knows(seed2.set, 3)() })

		bridge := startMember(t, w, net, memberConfig{})
		if err := bridge.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		await(t, 10*time.Second, "the bridge knows all", func() bool { return bridge.set.Snapshot().Len() == 3 })
		if n := bridge.set.Snapshot().Providers("llama-3"); len(n) != 1 || len(n[0].Onion) != 1 {
			t.Errorf("providers of the model: %+v", n)
		}
		st := bridge.Status()
		if age, ok := st.Age(time.Now()); !ok || age > time.Minute || st.Nodes != 3 || st.Relays != 2 || st.Providers != 1 ||
			st.Models != 1 || st.FetchError != "" || st.Seeds != 2 || st.Epoch != w.Epoch(time.Now()) {
			t.Errorf("status of the bridge: %+v", st)
		}
		if st := provider.Status(); st.PublishedTo != 2 || st.PublishError != "" || st.Published.IsZero() {
			t.Errorf("status of the provider: %+v", st)
		}
		if st := seed1.Status(); st.Seeds != 1 {
			t.Errorf("a seed asks %d seeds: it must not ask itself", st.Seeds)
		}

		// A long time later everybody still knows everybody, by new keys.
		old := bridge.set.Snapshot().Providers("llama-3")[0].Onion[0]
		time.Sleep(5 * w.EpochLen())
		for _, m := range []*member{seed1, seed2, provider, bridge} {
			if m.set.Snapshot().Len() != 3 {
				t.Errorf("after five epochs %d nodes are known", m.set.Snapshot().Len())
			}
		}
		now := bridge.set.Snapshot().Providers("llama-3")[0]
		if len(now.Onion) != 2 || slices.Contains(now.Onion, old) || now.Epoch+1 < w.Epoch(time.Now()) {
			t.Errorf("after five epochs the provider stands as %+v", now)
		}
	})
}

// TestClientWaitsForSeeds: nobody is there at first.
func TestClientWaitsForSeeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := peerAddr(t, 1)
		w := testWorld(t, a)
		net := newNetwork()
		bridge := startMember(t, w, net, memberConfig{})
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if err := bridge.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Wait without a seed = %v", err)
		}
		if st := bridge.Status(); st.FetchError != "not reachable" {
			t.Errorf("status: %+v", st)
		}
		set := NewSet(w)
		net.add(a, set)
		await(t, 2*lastRetry, "the seed is asked", func() bool { return net.opened(a) > 0 })
		if bridge.Status().FetchError != "" {
			t.Errorf("status: %+v", bridge.Status())
		}

		// An empty directory is none: it is asked again after seconds.
		now := time.Now()
		added(t, set.Add(build(t, w, 5, now, 1, testNode(t, w, 5, now)), now), 1)
		if err := bridge.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(now); took > 2*lastRetry {
			t.Errorf("it took %v to see a node that came later", took)
		}
		if text := bridge.log.String(); strings.Count(text, "no seed answers") != 1 || strings.Count(text, "directory fetched") != 1 {
			t.Errorf("the log says it more than once:\n%s", text)
		}
	})
}

// TestClientRefreshes counts fetches over virtual hours: one each quarter of an
// epoch, give or take a quarter of that, after a livelier start.
func TestClientRefreshes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := peerAddr(t, 1)
		w := makeWorld(t, world.World{Phrase: "hours", Seeds: []string{a}, Sandbox: true}, time.Hour)
		net := newNetwork()
		seed := startMember(t, w, net, memberConfig{key: 1, self: plainNode(t, 1)})
		net.add(a, seed.set)
		startMember(t, w, net, memberConfig{})
		time.Sleep(time.Hour)
		start := net.opened(a)
		if start < 8 || start > 20 {
			t.Errorf("%d fetches in the first hour", start)
		}
		time.Sleep(12 * time.Hour)
		if n := net.opened(a) - start; n < 36 || n > 64 {
			t.Errorf("%d fetches in twelve hours, want about 48", n)
		}
		var gaps []time.Duration
		net.with(func() {
			at := net.servers[a].openedAt[start:]
			for i := 1; i < len(at); i++ {
				gaps = append(gaps, at[i].Sub(at[i-1]))
			}
		})
		quarter := w.EpochLen() / 4
		if lo, hi := slices.Min(gaps), slices.Max(gaps); lo < quarter*3/4 || hi > quarter*5/4+time.Second || hi-lo < time.Minute {
			t.Errorf("gaps from %v to %v, want %v with jitter", lo, hi, quarter)
		}
	})
}

// A relay that was asked for a node it does not hold learns of it at once, not
// at the next quarter of an hour; but whoever asks does not set its pace.
func TestRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := peerAddr(t, 1)
		w := makeWorld(t, world.World{Phrase: "hours", Seeds: []string{a}, Sandbox: true}, time.Hour)
		net := newNetwork()
		seed := startMember(t, w, net, memberConfig{key: 1, self: plainNode(t, 1)})
		net.add(a, seed.set)
		relay := startMember(t, w, net, memberConfig{})
		time.Sleep(time.Hour)
		before := net.opened(a)
		for range 100 {
			relay.Refresh()
			synctest.Wait()
		}
		if n := net.opened(a) - before; n != 1 {
			t.Errorf("100 calls at once made %d fetches, want 1", n)
		}
		time.Sleep(refreshEvery)
		relay.Refresh()
		synctest.Wait()
		if n := net.opened(a) - before; n != 2 {
			t.Errorf("%d fetches after a pause, want 2", n)
		}
	})
}

// TestRequestsAreIdentical: what is wanted is not in what is asked. Three
// clients with different wishes and different pasts start, and the seed is told
// the same bytes by all of them.
func TestRequestsAreIdentical(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := peerAddr(t, 1), peerAddr(t, 2)
		w := testWorld(t, a, b)
		net := newNetwork()
		set := NewSet(w)
		now := time.Now()
		set.Add(slices.Concat(
			build(t, w, 5, now, 1, testNode(t, w, 5, now, "model-a")),
			build(t, w, 6, now, 1, testNode(t, w, 6, now, "model-b"))), now)
		net.add(a, set)
		net.add(b, set)
		dir := t.TempDir()
		for _, mc := range []memberConfig{
			{enough: func(s *Snapshot) bool { return len(s.Providers("model-a")) > 0 }},
			{enough: func(s *Snapshot) bool { return len(s.Providers("model-b")) > 0 }},
			{enough: func(s *Snapshot) bool { return len(s.Providers("not-there")) > 0 }, dir: dir},
			{dir: dir}, // after a restart, with a cache
		} {
			m := startMember(t, w, net, mc)
			time.Sleep(time.Second)
			m.stop()
		}
		first := map[string]int{}
		for _, addr := range []string{a, b} {
			for _, request := range net.requests(addr) {
				first[string(request)]++
			}
		}
		zero := framed((&request{kind: requestFetch, world: w.ID}).encode())
		known := framed((&request{kind: requestFetch, world: w.ID, have: set.Snapshot().Digest()}).encode())
		for request, n := range first {
			if request != string(zero) && request != string(known) {
				t.Errorf("%d times a request of its own: %x", n, request)
			}
		}
		if first[string(zero)] != 8 {
			t.Errorf("%d first requests are alike, want those of 4 clients to 2 seeds", first[string(zero)])
		}
	})
}

// TestDigestsStayWhereTheyBelong: a seed that gives a client a digest of its
// own cannot have it recognised by another seed.
func TestDigestsStayWhereTheyBelong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := peerAddr(t, 1), peerAddr(t, 2)
		w := testWorld(t, a, b)
		net := newNetwork()
		now := time.Now()
		set := NewSet(w)
		set.Add(build(t, w, 5, now, 1, testNode(t, w, 5, now)), now)
		cookie := world.Hash{0xc0, 0x0c, 0x1e}
		net.add(a, set).handle = func(rw io.ReadWriteCloser) {
			if _, err := readFrame(rw, maxRequest); err == nil {
				_ = frame.Write(rw, (&response{kind: responseEnd, digest: cookie}).encode())
			}
		}
		net.add(b, set)
		startMember(t, w, net, memberConfig{})
		time.Sleep(time.Minute)
		if !bytes.Contains(net.requests(a)[len(net.requests(a))-1], cookie[:]) {
			t.Error("the seed's digest is not used at all")
		}
		for _, request := range net.requests(b) {
			if bytes.Contains(request, cookie[:]) {
				t.Error("one seed's digest was sent to another")
			}
		}
	})
}

// TestSlowAndBadSeeds: one seed never answers, one talks nonsense, one lies; the
// fourth has the directory.
func TestSlowAndBadSeeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var addrs []string
		for i := range 4 {
			addrs = append(addrs, peerAddr(t, i+1))
		}
		w := testWorld(t, addrs...)
		net := newNetwork()
		now := time.Now()
		foreign := makeWorld(t, world.World{Phrase: "foreign", Sandbox: true}, 5*time.Minute)
		net.add(addrs[0], NewSet(w)).handle = stall
		net.add(addrs[1], NewSet(w)).handle = func(rw io.ReadWriteCloser) {
			_, _ = rw.Write([]byte("SSH-2.0-OpenSSH_9.9\r\n"))
		}
		net.add(addrs[2], NewSet(w)).handle = func(rw io.ReadWriteCloser) {
			if _, err := readFrame(rw, maxRequest); err != nil {
				return
			}
			bad := build(t, foreign, 9, now, 1, testNode(t, foreign, 9, now))[0]
			forged := build(t, w, 8, now, 1, testNode(t, w, 8, now))[0]
			forged.Signature[5] ^= 1
			p := response{kind: responseBatch, descriptors: [][]byte{bad.Canonical(), forged.Canonical(), make([]byte, 300)}}
			_ = frame.Write(rw, p.encode())
			_ = frame.Write(rw, (&response{kind: responseEnd, count: 3}).encode())
		}
		good := NewSet(w)
		good.Add(build(t, w, 5, now, 1, testNode(t, w, 5, now)), now)
		net.add(addrs[3], good)

		bridge := startMember(t, w, net, memberConfig{})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		if err := bridge.Wait(ctx); err != nil {
			t.Fatal(err)
		}
		if snap := bridge.set.Snapshot(); snap.Len() != 1 {
			t.Errorf("%d nodes are believed in, want 1", snap.Len())
		}

		// With three seeds all are asked, and the stalled one holds up nothing.
		w3 := testWorld(t, addrs[0], addrs[1], addrs[3])
		began := time.Now()
		quick := startMember(t, w3, net, memberConfig{})
		if err := quick.Wait(t.Context()); err != nil || time.Since(began) > time.Second {
			t.Errorf("Wait = %v after %v, want the good seed's answer at once", err, time.Since(began))
		}
		time.Sleep(time.Hour) // each of the four was asked
		if no := bridge.set.Refused(); no[ReasonWorld] == 0 || no[ReasonSignature] == 0 {
			t.Errorf("refused descriptors are counted as %v", no)
		}
		if s := bridge.Status(); s.FetchesOK == 0 || s.FetchesFailed == 0 {
			t.Errorf("%d fetches are counted, and %d that failed", s.FetchesOK, s.FetchesFailed)
		}
	})
}

func TestStatusTexts(t *testing.T) {
	for name, c := range map[string]struct {
		handle func(io.ReadWriteCloser)
		want   string
	}{
		"stalls": {stall, "no answer in time"},
		"nonsense": {func(rw io.ReadWriteCloser) {
			_, _ = readFrame(rw, maxRequest)
			_, _ = rw.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
		}, "not the directory protocol"},
		"hangs up": {func(io.ReadWriteCloser) {}, "broke off"},
		"another world": {func(rw io.ReadWriteCloser) {
			_, _ = readFrame(rw, maxRequest)
			_ = frame.Write(rw, (&response{kind: responseRefused, reason: ReasonWorld}).encode())
		}, "refused: of another world"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := peerAddr(t, 1)
				w := testWorld(t, a)
				net := newNetwork()
				net.add(a, NewSet(w)).handle = c.handle
				bridge := startMember(t, w, net, memberConfig{})
				await(t, 2*fetchTimeout, "the failure is in the status", func() bool { return bridge.Status().FetchError == c.want })
			})
		})
	}
}

// TestCorruptCacheIsNamed and forgotten.
func TestCorruptCacheIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := peerAddr(t, 1)
		w := testWorld(t, a)
		net := newNetwork()
		now := time.Now()
		set := NewSet(w)
		set.Add(build(t, w, 5, now, 1, testNode(t, w, 5, now)), now)
		net.add(a, set)
		dir := t.TempDir()
		path := filepath.Join(dir, "directory.db")
		broken := encodeCache(set.Snapshot())
		broken[100] ^= 1
		if err := os.WriteFile(path, broken, 0o600); err != nil {
			t.Fatal(err)
		}
		bridge := startMember(t, w, net, memberConfig{dir: dir})
		if err := bridge.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		bridge.stop()
		if log := bridge.log.String(); !strings.Contains(log, path) || !strings.Contains(log, sealed.ErrDamaged.Error()) {
			t.Errorf("the log names neither file nor reason:\n%s", log)
		}

		// It was replaced by a good one, which is enough without any seed.
		net.with(func() { net.servers[a].down = true })
		again := startMember(t, w, net, memberConfig{dir: dir})
		began := time.Now()
		if err := again.Wait(t.Context()); err != nil || !time.Now().Equal(began) {
			t.Errorf("Wait with a cache = %v after %v", err, time.Since(began))
		}
	})
}

func TestNewClientRefuses(t *testing.T) {
	w := testWorld(t, peerAddr(t, 1))
	other := makeWorld(t, world.World{Phrase: "other", Sandbox: true}, time.Hour)
	net := newNetwork()
	ring, err := OpenKeyring(filepath.Join(t.TempDir(), "onion.keys"), w)
	if err != nil {
		t.Fatal(err)
	}
	self := func() (Node, bool) { return Node{}, true }
	for name, cfg := range map[string]ClientConfig{
		"no world":           {Set: NewSet(w), Seeds: net},
		"no set":             {World: w, Seeds: net},
		"no seeds interface": {World: w, Set: NewSet(w)},
		"another world":      {World: w, Set: NewSet(other), Seeds: net},
		"self without key":   {World: w, Set: NewSet(w), Seeds: net, Self: self, Keys: ring},
		"self without keys":  {World: w, Set: NewSet(w), Seeds: net, Self: self, Key: testKey(1)},
		"key without self":   {World: w, Set: NewSet(w), Seeds: net, Key: testKey(1)},
		"nobody to ask":      {World: other, Set: NewSet(other), Seeds: net},
	} {
		if _, err := NewClient(cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	// What Self says is looked at before anything runs.
	c, err := NewClient(ClientConfig{World: w, Set: NewSet(w), Seeds: net, Key: testKey(1), Keys: ring, Self: self})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "describing this node") {
		t.Errorf("Run with a node without address = %v", err)
	}
}

// resettable is a stream with both ways to end.
type resettable struct{ closed, reset int }

func (r *resettable) Close() error { r.closed++; return nil }
func (r *resettable) Reset() error { r.reset++; return nil }

// TestAbortResets: an exchange that was given up must not look finished to the
// other end, where the stream can tell the two apart.
func TestAbortResets(t *testing.T) {
	var s resettable
	abort(&s)
	if s.reset != 1 || s.closed != 0 {
		t.Errorf("aborted by %d resets and %d closes, want a reset", s.reset, s.closed)
	}
}
