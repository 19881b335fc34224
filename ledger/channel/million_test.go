package channel

import (
	"crypto/rand"
	"encoding/binary"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/internal/kv/bolt"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/store"
)

const (
	channels = 10_000
	each     = 100 // finished rounds
	admitted = 64  // of the channels, at once
)

// full is a provider with that many channels, which have paid ahead, and rounds in
// them or none.
type full struct {
	*world
	dir    string
	ids    []ledger.ChannelID
	finish func() // closes the store
	waves  int
}

func newFull(b *testing.B, w *world, ids []ledger.ChannelID, rounds int) *full {
	f := &full{world: w, dir: b.TempDir(), ids: ids}
	f.fill(rounds)
	return f
}

// fill writes what so many finished rounds of each channel leave behind.
func (f *full) fill(rounds int) {
	file, err := bolt.Open(filepath.Join(f.dir, "ledger.db"))
	if err != nil {
		f.Fatal(err)
	}
	defer file.Close()
	for ids := range slices.Chunk(f.ids, 500) {
		err := file.Update(f.ctx, func(tx kv.Tx) error {
			for _, id := range ids {
				if err := f.rounds(tx, place{id, 1}, rounds); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			f.Fatal(err)
		}
	}
}

func (f *full) rounds(tx kv.Tx, at place, n int) error {
	c, _ := f.chain.Channel(at.id)
	b := &book{track: newTrack()}
	b.own(c)
	for seq := range uint64(n) {
		r := ledger.Result{Channel: at.id, Epoch: 1, Final: true, Input: 20, Output: 50, Cost: ledger.Wei(100), Status: ledger.StatusDone}
		_, _ = rand.Read(r.RoundID[:])
		b.finished, _ = b.finished.Add(r.Cost)
		s := served{seq: seq + 1}
		s.finish(r, b.finished)
		b.track.log.AppendHash(leafOf(r, s.seq).Hash())
		b.track.base, b.track.next = seq+2, seq+2
		if err := put(tx, payeeRounds, at.with(r.RoundID[:]...), &s); err != nil {
			return err
		}
	}
	b.best = &ledger.Signed[ledger.Voucher]{Message: ledger.Voucher{Channel: at.id, Epoch: 1, Cumulative: ledger.Wei(1 << 50)}}
	return b.save(tx, f.now, at, ledger.MaxAmount)
}

// open starts the provider.
func (f *full) open() {
	file, err := bolt.Open(filepath.Join(f.dir, "ledger.db"))
	if err != nil {
		f.Fatal(err)
	}
	s, err := store.Open(f.ctx, file, store.Config{Generation: filepath.Join(f.dir, "generation"), Join: true})
	if err != nil {
		f.Fatal(err)
	}
	f.finish = func() { _, _ = s.Close(), file.Close() }
	c := f.payeeConfig("gateway")
	c.Store = s
	if f.payee, err = NewPayee(c); err == nil {
		err = f.payee.Start(f.ctx, f.now, nil)
	}
	if err != nil {
		f.Fatal(err)
	}
}

// serve has a round of each of so many channels admitted, and finished, at once. It
// is not signed by anybody: what is measured are the records.
func (f *full) serve(n int) {
	f.waves++
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			// Spread over all: those of one wave do not stand together.
			at := place{f.ids[(i*len(f.ids)/n+f.waves)%len(f.ids)], 1}
			r := &Round{p: f.payee, at: at, request: ledger.Request{Channel: at.id, Epoch: 1}}
			_, _ = rand.Read(r.request.RoundID[:])
			c, _ := f.chain.Channel(at.id)
			s := served{
				state: running, owner: "gateway", maxCost: ledger.Wei(100), deadline: unixMilli(f.now.Add(time.Hour)),
				price: f.sheet.Models[0], unit: c.Locked, locked: c.Locked,
			}
			err := f.payee.Store.Do(f.ctx, func(tx kv.Tx) error {
				b, err := f.payee.meet(tx, c, at, nil)
				if err != nil {
					return err
				}
				s.seq = b.track.next
				r.request.Seq = s.seq
				if _, _, err := f.payee.admit(tx, f.now, b, at, r.request, s, nil); err != nil {
					return err
				}
				return b.save(tx, f.now, at, f.payee.deposited(at))
			})
			if err == nil {
				r.served = s
				_, err = r.Finish(f.ctx, f.now, ledger.Usage{Output: 10}, ledger.Hash{}, ledger.StatusDone)
			}
			if err != nil {
				f.Error(err)
			}
		})
	}
	wg.Wait()
}

// BenchmarkMillion is a provider with a million finished rounds: how long it takes
// to start and to admit the first, and what 64 rounds at once take, which are
// admitted and finished, in turns with a ledger that was empty.
func BenchmarkMillion(b *testing.B) {
	w := benchWorld(b, false)
	ids := make([]ledger.ChannelID, channels)
	for i := range ids {
		var session, funder ledger.Address
		binary.BigEndian.PutUint64(session[:], uint64(i+1))
		funder = session
		ids[i] = ledger.ChannelOf(w.provider.Address(), session, funder)
		w.chain.set(func(c *ledger.Channel) {
			*c = ledger.Channel{
				ID: ids[i], Provider: w.provider.Address(), Key: session, Funder: funder, Epoch: 1,
				Deposited: ledger.MaxAmount, Locked: ledger.Wei(unitPrice),
			}
		}, ids[i])
	}
	w.cap, w.young = ledger.MaxAmount, ledger.MaxAmount
	empty, million := *w, *w
	both := []*full{newFull(b, &empty, ids, 0), newFull(b, &million, ids, each)}
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			both[1].open()
			both[1].serve(1)
			both[1].finish()
		}
	})
	b.Run("serve", func(b *testing.B) {
		var took, used [2]time.Duration
		for _, f := range both {
			f.open()
			defer f.finish()
		}
		for b.Loop() {
			for i, f := range both {
				began, before := time.Now(), cpuTime(b)
				f.serve(admitted)
				took[i], used[i] = took[i]+time.Since(began), used[i]+cpuTime(b)-before
			}
		}
		for i, name := range []string{"empty", "million"} {
			n := float64(b.N * admitted)
			b.ReportMetric(n/took[i].Seconds(), name+"-rounds/s")
			b.ReportMetric(float64(used[i].Microseconds())/n, name+"-cpu-µs/round")
		}
	})
}

// cpuTime is what this process has used of all cores, which depends less than time
// on who else uses the machine.
func cpuTime(tb testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
