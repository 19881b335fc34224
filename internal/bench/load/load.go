package load

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/culvert-net/culvert/internal/bench/script"
)

// Load is what is asked of a server.
type Load struct {
	Clients int
	Stream  bool
	Order   script.Order

	// Warm passes before anything is measured; answers are checked from the
	// beginning.
	Warm time.Duration

	// Duration is how long is measured. Answers that have begun are read to
	// their end afterwards.
	Duration time.Duration

	// Count is how many answers are wanted, in place of Warm and Duration.
	Count int

	// Begin and End are called when measuring begins and ends; both or none.
	Begin, End func()
}

// Result is what came. Times are of right answers which ended while measuring.
type Result struct {
	Right, Wrong, Cut, Failed int // of all answers
	Stale                     int // kept connections that the server had closed
	Why                       []string

	Latency []time.Duration // of whole answers, sorted
	First   []time.Duration // until the first token, sorted; of streams
	Gap     []time.Duration // between tokens, sorted; of paced streams
	Delay   []time.Duration // of a token, from the upstream to here, sorted; of paced streams

	Measured time.Duration
	Answers  int   // that ended while measuring
	Bytes    int64 // of those: the body, and what was padded to the prompt
	Chunks   int64 // tokens that came while measuring, of streams that go on too
}

// maxWhy bounds how many bad answers are described.
const maxWhy = 5

// collector gathers what clients report.
type collector struct {
	load *Load
	ctx  context.Context // ends the asking; of one Run

	chunks []counter // one for each client

	mu   sync.Mutex
	from time.Time // guarded by mu, as all below; measuring began
	to   time.Time // and ended; zero while it goes on
	left int       // answers that are still to be begun, with Load.Count
	r    Result
}

// Run asks addr until the time has passed or ctx has ended.
func Run(ctx context.Context, addr string, l Load) *Result {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c := &collector{load: &l, ctx: ctx, left: l.Count, chunks: make([]counter, l.Clients)}
	var clients sync.WaitGroup
	if l.Count > 0 {
		c.begin()
	}
	for i := range c.chunks {
		clients.Go(func() { c.client(addr, &c.chunks[i]) })
	}
	if l.Count == 0 && wait(ctx, l.Warm) {
		c.begin()
		wait(ctx, l.Duration)
		c.end()
		cancel()
	}
	clients.Wait()
	if l.Count > 0 {
		c.end()
	}
	c.r.sort()
	return &c.r
}

// wait reports whether d passed before ctx ended.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (c *collector) begin() {
	if c.load.Begin != nil {
		c.load.Begin()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.from = time.Now()
	c.r.Chunks = -c.came()
}

func (c *collector) end() {
	c.mu.Lock()
	c.to = time.Now()
	c.r.Measured = c.to.Sub(c.from)
	c.r.Chunks += c.came()
	c.mu.Unlock()
	if c.load.End != nil {
		c.load.End()
	}
}

// counter counts one client's tokens. No other writes into its cache line.
type counter struct {
	atomic.Int64
	_ [56]byte
}

// came is how many tokens came so far.
func (c *collector) came() int64 {
	var sum int64
	for i := range c.chunks {
		sum += c.chunks[i].Load()
	}
	return sum
}

// client is one of them, from its first request to its last.
func (c *collector) client(addr string, chunks *counter) {
	cl := &client{addr: addr, load: c.load}
	defer cl.close()
	paced := c.load.Order.Rate > 0
	var gaps, delays []time.Duration
	for c.more() {
		gaps, delays = gaps[:0], delays[:0]
		var last time.Time
		a := cl.ask(func(at int64) {
			chunks.Add(1)
			if !paced {
				return
			}
			now := time.Now()
			if !last.IsZero() {
				gaps = append(gaps, now.Sub(last))
			}
			last = now
			delays = append(delays, now.Sub(time.Unix(0, at)))
		})
		c.add(&a, gaps, delays)
		if a.err != nil && !wait(c.ctx, afterFailure) {
			break
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.r.Stale += cl.stale
}

// afterFailure keeps a server that is gone from being asked a million times.
const afterFailure = 20 * time.Millisecond

// more reports whether another request is wanted.
func (c *collector) more() bool {
	if c.ctx.Err() != nil {
		return false
	}
	if c.load.Count == 0 {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left--
	return c.left >= 0
}

func (c *collector) add(a *answered, gaps, delays []time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := &c.r
	if a.err != nil {
		switch {
		case errors.Is(a.err, errWrong):
			r.Wrong++
		case errors.Is(a.err, errCut):
			r.Cut++
		default:
			r.Failed++
		}
		if len(r.Why) < maxWhy {
			r.Why = append(r.Why, a.err.Error())
		}
		return
	}
	r.Right++
	if c.from.IsZero() || a.end.Before(c.from) || !c.to.IsZero() && a.end.After(c.to) {
		return
	}
	r.Answers++
	r.Bytes += int64(a.bytes + c.load.Order.Pad)
	r.Latency = append(r.Latency, a.end.Sub(a.start))
	if !a.first.IsZero() {
		r.First = append(r.First, a.first.Sub(a.start))
	}
	r.Gap = append(r.Gap, gaps...)
	r.Delay = append(r.Delay, delays...)
}

func (r *Result) sort() {
	for _, d := range [][]time.Duration{r.Latency, r.First, r.Gap, r.Delay} {
		slices.Sort(d)
	}
}

// Percentile is the smallest value which p percent of the sorted values do not
// exceed; 0 of none.
func Percentile(sorted []time.Duration, p float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	// p percent of n, rounded up, counted from 1.
	at := int(p/100*float64(len(sorted))+0.9999999) - 1
	return sorted[min(max(at, 0), len(sorted)-1)]
}
