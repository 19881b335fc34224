package claim_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/internal/kv/bolt"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/claim"
	"github.com/culvert-net/culvert/ledger/store"
)

// world is a chain and a provider's channels, as far as claims are concerned.
type world struct {
	mu       sync.Mutex
	promised map[byte]uint64 // by the best vouchers, in what the gas of an entry costs
	claimed  map[byte]uint64 // by transactions that are in blocks
	txs      []*transaction  // by id
	next     func() error    // decides whether the next step of anything works
	most     int             // channels that a transaction can be paid for; 0: any
}

type transaction struct {
	label    string
	vouchers []ledger.Voucher
	outcome  claim.Outcome
	before   map[byte]uint64 // what was claimed before
}

var errDear = errors.New("the fees are above the limit")

func newWorld() *world {
	return &world{promised: map[byte]uint64{}, claimed: map[byte]uint64{}, next: func() error { return nil }}
}

func (w *world) Gas(context.Context) (claim.Gas, error) {
	return claim.Gas{Price: ledger.Wei(1)}, nil
}

func (w *world) Due(context.Context, time.Time) ([]claim.Due, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []claim.Due
	for channel, promised := range w.promised {
		if promised <= w.claimed[channel] {
			continue
		}
		d := due(channel, promised, 0, 0)
		d.Claimed = ledger.Wei(16_000 * w.claimed[channel])
		d.Unclaimed = ledger.Wei(16_000 * (promised - w.claimed[channel]))
		all = append(all, d)
	}
	return all, nil
}

func (w *world) Send(_ context.Context, label string, vouchers []ledger.Signed[ledger.Voucher]) (uint64, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.next(); err != nil {
		return 0, err
	}
	if w.most > 0 && len(vouchers) > w.most {
		return 0, errDear
	}
	tx := &transaction{label: label}
	for _, v := range vouchers {
		tx.vouchers = append(tx.vouchers, v.Message)
	}
	w.txs = append(w.txs, tx)
	return uint64(len(w.txs) - 1), w.next()
}

func (w *world) Find(_ context.Context, label string) (uint64, bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, tx := range w.txs {
		if tx.label == label {
			return uint64(id), true, nil
		}
	}
	return 0, false, w.next()
}

func (w *world) Outcome(_ context.Context, id uint64) (claim.Outcome, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.txs[id].outcome, w.next()
}

// mine puts all open transactions into a block, with this outcome.
func (w *world) mine(outcome claim.Outcome) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, tx := range w.txs {
		if tx.outcome != claim.Open {
			continue
		}
		tx.outcome = outcome
		if outcome != claim.Done {
			continue
		}
		tx.before = map[byte]uint64{}
		for _, v := range tx.vouchers {
			channel, cumulative := v.Channel[0], v.Cumulative.Big().Uint64()/16_000
			tx.before[channel] = w.claimed[channel]
			w.claimed[channel] = max(w.claimed[channel], cumulative)
		}
	}
}

// fork undoes the newest claim, when it had been believed.
func (w *world) fork() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for channel, claimed := range w.txs[len(w.txs)-1].before {
		w.claimed[channel] = claimed
	}
}

// check says whether some voucher was paid for twice, or more than promised, and
// whether all is claimed.
func (w *world) check(t *testing.T, all bool) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := map[string]string{}
	for _, tx := range w.txs {
		for _, v := range tx.vouchers {
			key := fmt.Sprint(v.Channel[0], v.Cumulative)
			if before, ok := seen[key]; ok && tx.outcome != claim.Lost && tx.outcome != claim.Refused {
				t.Errorf("channel %d up to %s is claimed by %s and by %s", v.Channel[0], v.Cumulative, before, tx.label)
			}
			if tx.outcome == claim.Open || tx.outcome == claim.Done {
				seen[key] = tx.label
			}
		}
	}
	for channel, promised := range w.promised {
		if w.claimed[channel] > promised || all && w.claimed[channel] != promised {
			t.Errorf("channel %d: %d of %d is claimed", channel, w.claimed[channel], promised)
		}
	}
}

// faulty is a store whose transactions fail as the world says: before, or after
// they were written.
type faulty struct {
	claim.Store
	w *world
}

func (f faulty) Do(ctx context.Context, do func(kv.Tx) error) error {
	f.w.mu.Lock()
	err := f.w.next()
	f.w.mu.Unlock()
	if err != nil {
		return err
	}
	if err := f.Store.Do(ctx, do); err != nil {
		return err
	}
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	return f.w.next()
}

// memory is a store that forgets when the test ends, for tests with thousands of
// transactions.
type memory map[string][]byte // by bucket and key

func (m memory) Do(_ context.Context, f func(kv.Tx) error) error {
	changed := memory(maps.Clone(m))
	if err := f(changed); err != nil {
		return err
	}
	clear(m)
	maps.Copy(m, changed)
	return nil
}

func (m memory) Get(bucket string, key []byte) ([]byte, error) {
	v, ok := m[bucket+"/"+string(key)]
	if !ok {
		return nil, kv.ErrNotFound
	}
	return v, nil
}

func (m memory) Put(bucket string, key, value []byte) error {
	m[bucket+"/"+string(key)] = slices.Clone(value)
	return nil
}

func (m memory) Delete(bucket string, key []byte) error {
	delete(m, bucket+"/"+string(key))
	return nil
}

func (m memory) Scan(bucket string, prefix []byte, f func(key, value []byte) error) error {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if key, ok := strings.CutPrefix(name, bucket+"/"); ok && strings.HasPrefix(key, string(prefix)) {
			if err := f([]byte(key), m[name]); err != nil {
				return err
			}
		}
	}
	return nil
}

func openStore(t testing.TB) *store.Store {
	t.Helper()
	dir := t.TempDir()
	below, err := bolt.Open(filepath.Join(dir, "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(context.Background(), below, store.Config{Generation: filepath.Join(dir, "generation")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(s.Close(), below.Close()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// start is a Claimer of a process that has just begun.
func start(t testing.TB, w *world, s claim.Store) *claim.Claimer {
	t.Helper()
	c, err := claim.New(claim.Config{Store: s, Vouchers: w, Chain: w})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var noon = time.Unix(1_800_000_000, 0)

func step(t testing.TB, c *claim.Claimer, now time.Time) {
	t.Helper()
	if err := c.Step(context.Background(), now); err != nil {
		t.Fatal(err)
	}
}

func (w *world) count(t testing.TB, want int) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.txs) != want {
		t.Fatalf("%d transactions, want %d", len(w.txs), want)
	}
}

// What is on its way is not claimed again; what comes on top of it is.
func TestClaimOnce(t *testing.T) {
	w, s := newWorld(), openStore(t)
	c := start(t, w, s)
	w.promised[1], w.promised[2] = 100, 10
	step(t, c, noon)
	w.count(t, 1)
	step(t, c, noon.Add(time.Minute))
	w.promised[1] = 150 // too little more
	step(t, c, noon.Add(2*time.Minute))
	step(t, start(t, w, s), noon.Add(3*time.Minute))
	w.count(t, 1)
	w.promised[1] = 200
	step(t, c, noon.Add(4*time.Minute))
	w.count(t, 2)
	w.mine(claim.Done)
	step(t, c, noon.Add(5*time.Minute))
	w.count(t, 2)
	// Channel 2 has been due since noon, over a restart.
	c = start(t, w, s)
	step(t, c, noon.Add(6*time.Hour-time.Second))
	w.count(t, 2)
	step(t, c, noon.Add(6*time.Hour))
	w.count(t, 3)
	w.mine(claim.Done)
	step(t, c, noon.Add(7*time.Hour))
	w.check(t, true)
}

// A claim that never happened, or that the chain undid after it was believed, is
// made again; one that was refused waits, longer each time.
func TestClaimAgain(t *testing.T) {
	w, s := newWorld(), openStore(t)
	c := start(t, w, s)
	now := noon
	w.promised[1] = 100
	step(t, c, now)
	w.mine(claim.Lost)
	step(t, c, now)
	w.count(t, 2)
	w.mine(claim.Refused)
	step(t, c, now)
	step(t, c, now.Add(59*time.Second))
	w.count(t, 2)
	step(t, c, now.Add(60*time.Second))
	w.count(t, 3)
	now = now.Add(60 * time.Second)
	w.mine(claim.Refused)
	step(t, c, now)
	step(t, c, now.Add(119*time.Second))
	w.count(t, 3)
	step(t, c, now.Add(120*time.Second))
	w.count(t, 4)
	w.mine(claim.Done)
	step(t, c, now.Add(121*time.Second))
	w.check(t, true)
	w.fork()
	step(t, c, now.Add(122*time.Second))
	w.count(t, 5)
	w.mine(claim.Done)
	if w.claimed[1] != 100 {
		t.Errorf("%d is claimed after the fork, want 100", w.claimed[1])
	}
	// A channel that was old when its claim got lost is not young again.
	w.promised[2] = 5
	step(t, c, now.Add(time.Hour))
	later := now.Add(7 * time.Hour)
	step(t, c, later)
	w.count(t, 6)
	w.mine(claim.Lost)
	step(t, c, later)
	w.count(t, 7)
}

// The process is killed at each of its writes and sends, before and after it,
// at any number of places one after the other: in the end everything is claimed,
// and nothing twice.
func TestKilledAnywhere(t *testing.T) {
	killed := errors.New("killed")
	run := func(t *testing.T, dies func(step int) bool) (steps int) {
		w, s := newWorld(), memory{}
		count := 0
		w.next = func() error {
			count++
			if dies(count) {
				return killed
			}
			return nil
		}
		c, now := start(t, w, faulty{s, w}), noon
		for hour := range 12 {
			for channel := byte(1); channel < 5; channel++ {
				w.promised[channel] += uint64(30 * (hour % 3))
			}
			for range 3 {
				now = now.Add(10 * time.Minute)
				if err := c.Step(t.Context(), now); err != nil {
					if !errors.Is(err, killed) {
						t.Fatal(err)
					}
					c = start(t, w, faulty{s, w})
				}
				if hour%2 == 1 {
					w.mine(claim.Done)
				}
			}
		}
		w.next = func() error { return nil }
		for range 10 {
			now = now.Add(6 * time.Hour)
			step(t, c, now)
			w.mine(claim.Done)
		}
		w.check(t, true)
		return count
	}
	steps := run(t, func(int) bool { return false })
	if steps < 100 {
		t.Fatalf("only %d steps", steps)
	}
	for at := 1; at <= steps; at++ {
		run(t, func(step int) bool { return step == at })
		if t.Failed() {
			t.Fatalf("when it is killed at step %d of %d", at, steps)
		}
	}
	for range 300 {
		seed := rand.Uint64()
		r := rand.New(rand.NewPCG(seed, 0))
		run(t, func(int) bool { return r.IntN(8) == 0 })
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// Two gateways of one provider, with one store and one wallet, claim nothing
// twice; what one left when it was killed, the other takes over.
func TestTwoGateways(t *testing.T) {
	w, s := newWorld(), openStore(t)
	a, b := start(t, w, s), start(t, w, s)
	now := noon
	for range 40 {
		for channel := byte(1); channel < 9; channel++ {
			w.promised[channel] += 20
		}
		now = now.Add(time.Minute)
		var wg sync.WaitGroup
		for _, c := range []*claim.Claimer{a, b, a} {
			if c == a && rand.IntN(2) == 0 {
				continue
			}
			wg.Go(func() {
				if err := c.Step(t.Context(), now); err != nil {
					t.Error(err)
				}
			})
			if c == b {
				wg.Wait() // one Claimer is of one goroutine
			}
		}
		wg.Wait()
		if rand.IntN(2) == 0 {
			w.mine(claim.Done)
		}
	}
	w.check(t, false)

	// a is killed between its note and its transaction.
	w.mine(claim.Done)
	step(t, a, now)
	w.mine(claim.Done)
	before := len(w.txs)
	w.promised[1] += 1000
	w.next = func() error {
		w.next = func() error { return nil }
		return errors.New("killed")
	}
	if err := a.Step(t.Context(), now); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("Step = %v", err)
	}
	step(t, b, now.Add(4*time.Minute)) // a may still be sending
	w.count(t, before)
	step(t, b, now.Add(5*time.Minute))
	w.count(t, before+1)
	w.mine(claim.Done)
	step(t, b, now.Add(6*time.Minute))
	w.check(t, false)
	if w.claimed[1] != w.promised[1] {
		t.Errorf("%d of %d is claimed", w.claimed[1], w.promised[1])
	}
}

func TestConfig(t *testing.T) {
	for name, rule := range map[string]claim.Rule{
		"two marks":    {Multiple: 1, Tokens: 1},
		"two others":   {Money: ledger.Wei(1), Tokens: 1},
		"negative age": {Age: -1},
	} {
		if _, err := claim.New(claim.Config{Rule: rule}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// What a wallet cannot pay for in one transaction, or may not, is claimed in smaller
// ones: else many channels that are due would keep each other from being claimed.
func TestSmallerClaims(t *testing.T) {
	w := newWorld()
	w.most = 3
	for channel := range byte(100) {
		w.promised[channel] = 1000
	}
	c, err := claim.New(claim.Config{Store: memory{}, Vouchers: w, Chain: w})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(100_000, 0)
	step := func(want error) {
		t.Helper()
		if err := c.Step(t.Context(), now); !errors.Is(err, want) {
			t.Fatalf("Step = %v, want %v", err, want)
		}
		w.mine(claim.Done)
		now = now.Add(time.Minute)
	}
	tries := 0
	for ; len(w.txs) == 0; tries++ {
		if tries > 10 {
			t.Fatal("nothing is claimed, though a few channels could be")
		}
		if err := c.Step(t.Context(), now); err != nil && !errors.Is(err, errDear) {
			t.Fatal(err)
		}
		now = now.Add(time.Minute)
	}
	w.mine(claim.Done)
	w.most = 0 // fees have fallen: soon there are as many as before
	for range 10 {
		step(nil)
	}
	w.check(t, true)
	if n := len(w.txs); n > 8 {
		t.Errorf("%d claims of 100 channels", n)
	}
}
