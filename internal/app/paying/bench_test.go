package paying

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/culvert-net/culvert/api/body"
	"github.com/culvert-net/culvert/api/tunnel"
	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/ledger/channel"
	"github.com/culvert-net/culvert/ledger/store"
)

// BenchmarkPaidRound is what one client waits for a short answer that is paid for
// and for the same one that is free, in turns, with both ends in this process and
// streams in memory. Four commits are part of a paid one, one after the other;
// "apart" is without the time in them.
func BenchmarkPaidRound(b *testing.B) {
	for _, where := range []string{"disk", "memory"} {
		b.Run(where, func(b *testing.B) {
			if where == "memory" {
				const dir = "/dev/shm"
				if _, err := os.Stat(dir); err != nil {
					b.Skip("there is no file system in memory: ", err)
				}
				b.Setenv("TMPDIR", dir)
			}
			for _, lent := range []bool{true, false} {
				b.Run(fmt.Sprintf("lent=%t", lent), func(b *testing.B) { benchPaid(b, lent) })
			}
		})
	}
}

func benchPaid(b *testing.B, lent bool) {
	timed := new(commits)
	m := newMarket(b, func(m *market) {
		m.timed = timed
		if m.window = 1_000_000; lent {
			m.allows = 1_000_000
		}
	})
	m.buy("", 1<<60)
	free := m.unpaid()
	ask := func(c *tunnel.Client) time.Duration {
		req := request(b, "")
		began := time.Now()
		resp, err := c.Do(b.Context(), req)
		if err != nil {
			b.Fatal(err)
		}
		defer resp.Body.Close()
		for p := make([]byte, 4096); err == nil; {
			_, err = resp.Body.Read(p)
		}
		return time.Since(began)
	}
	for range 20 { // what is lent covers a round then
		ask(m.client)
		m.quiet()
	}
	var unpaid, paid, apart []time.Duration
	var used [2]time.Duration
	for b.Loop() {
		before := cpuTime(b)
		unpaid = append(unpaid, ask(free))
		between := cpuTime(b)
		timed.reset()
		took := ask(m.client)
		paid, apart = append(paid, took), append(apart, took-timed.waited())
		m.quiet()
		used[0], used[1] = used[0]+between-before, used[1]+cpuTime(b)-between
	}
	for i, d := range [][]time.Duration{unpaid, paid} {
		slices.Sort(d)
		name := []string{"unpaid", "paid"}[i]
		b.ReportMetric(float64(d[len(d)/2].Microseconds()), name+"-p50-µs")
		b.ReportMetric(float64(used[i].Microseconds())/float64(len(d)), name+"-cpu-µs")
	}
	slices.Sort(apart)
	b.ReportMetric(float64((apart[len(apart)/2] - unpaid[len(unpaid)/2]).Microseconds()), "added-apart-p50-µs")
	b.ReportMetric(float64((paid[len(paid)/2] - unpaid[len(unpaid)/2]).Microseconds()), "added-p50-µs")
}

// commits is what requests have waited for their ledgers.
type commits struct {
	mu   sync.Mutex
	done []time.Duration // of both sides, since reset
}

// timedStore is a store that is part of it.
type timedStore struct {
	*store.Store
	c *commits
}

func (c *commits) of(s *store.Store) channel.Store {
	if c == nil {
		return s
	}
	return timedStore{s, c}
}

func (s timedStore) Do(ctx context.Context, f func(kv.Tx) error) error {
	began := time.Now()
	err := s.Store.Do(ctx, f)
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	s.c.done = append(s.c.done, time.Since(began))
	return err
}

func (c *commits) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done = nil
}

// waited is for those before the answer's end: reserve, admission, result and
// confirmation. The voucher and its receipt follow.
func (c *commits) waited() (sum time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range c.done[:4] {
		sum += d
	}
	return sum
}

// quiet waits until nothing of the bridge's is under way.
func (m *market) quiet() {
	for {
		m.payer.mu.Lock()
		n, ended := len(m.payer.live), m.payer.ended
		m.payer.mu.Unlock()
		if n == 0 {
			return
		}
		<-ended
	}
}

// unpaid is a client of the same model by whom nobody is paid.
func (m *market) unpaid() *tunnel.Client {
	m.Helper()
	c := &wires{requests: newAcceptor()}
	server, err := tunnel.NewServer(tunnel.ServerConfig{Backend: m.model, Budget: body.NewBudget(64 << 20), Log: m.log()})
	m.must(err)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = server.Run(ctx, c.requests) })
	m.Cleanup(func() {
		cancel()
		wg.Wait()
	})
	client, err := tunnel.NewClient(tunnel.ClientConfig{Router: router{}, Dialer: c, Log: m.log()})
	m.must(err)
	return client
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
