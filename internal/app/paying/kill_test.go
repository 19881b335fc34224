package paying

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/api/tunnel"
	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/ledger"
)

var fully = flag.Bool("full", false, "kill at every pair of writes, not at a third of them")

var errDead = errors.New("the process was killed")

// mortal is a store whose process is killed at one of its writes: its streams break,
// and it reads and writes nothing any more.
type mortal struct {
	kv.Store
	cut  func()
	died chan struct{}

	mu    sync.Mutex
	at    int  // the write at which it dies, from 1; 0: at none
	after bool // when that is on the disk, not before
	count int  // writes since die
	dead  bool
}

// die has it die at the next n-th write.
func (s *mortal) die(n int, after bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at, s.after, s.count = n, after, 0
}

// writes is how many there were since die.
func (s *mortal) writes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}

func (s *mortal) gone() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dead
}

func (s *mortal) View(ctx context.Context, f func(kv.Tx) error) error {
	if s.gone() {
		return errDead
	}
	return s.Store.View(ctx, f)
}

func (s *mortal) Update(ctx context.Context, f func(kv.Tx) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dead {
		return errDead
	}
	s.count++
	if s.count != s.at {
		return s.Store.Update(ctx, f)
	}
	var err error
	if s.after {
		err = s.Store.Update(ctx, f)
	}
	s.dead = true
	s.cut()
	close(s.died)
	return errors.Join(errDead, err)
}

// besides opens streams for as long as the process lives.
func (s *mortal) besides(f func(context.Context, tunnel.Conn) (tunnel.Conn, error)) func(context.Context, tunnel.Conn) (tunnel.Conn, error) {
	return func(ctx context.Context, conn tunnel.Conn) (tunnel.Conn, error) {
		if s.gone() {
			return nil, errDead
		}
		return f(ctx, conn)
	}
}

// The words of a chat that are looked for on disks.
const (
	promptCanary = "canary-of-the-prompt"
	answerWord   = "word word"
)

// sweep is a market in which a paid stream is asked for, for which the provider asks
// for money meanwhile, while processes are killed.
type sweep struct {
	*market
	id    ledger.ChannelID
	slow  *time.Duration // the longest until a request worked
	lost  uint64         // tokens that arrived of answers that were cut
	asked int            // chats, beside those of newSweep
	dead  sync.WaitGroup // processes, in which something still ends
}

const (
	sweepWindow  = 20_000
	sweepAllows  = 6_000
	sweepDeposit = 1_000_000
	sweepTokens  = 900

	// soon is the longest until a request works.
	soon = 3 * time.Second
)

func newSweep(t *testing.T, slow *time.Duration) *sweep {
	s := &sweep{slow: slow, market: newMarket(t, func(m *market) {
		m.context, m.allows, m.window = 1000, sweepAllows, sweepWindow
		m.model.tokens = 600
	})}
	t.Cleanup(s.dead.Wait)
	s.id = s.buy("", sweepDeposit)
	for range 2 { // half of what is paid is lent
		_, _, err := s.ask(request(t, ""))
		s.must(err)
		s.settled()
	}
	s.model.set(func(f *fakeModel) { f.tokens, f.pace = sweepTokens, time.Millisecond })
	return s
}

// stream asks for a stream and counts its tokens.
func (s *sweep) stream() (tokens int, err error) {
	req := request(s, `,"stream":true`)
	req.Body = bytes.Replace(req.Body, []byte("hello"), []byte(promptCanary), 1)
	resp, err := s.client.Do(s.Context(), req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return strings.Count(string(b), "word "), err
}

// killed runs a chat in which one side is to die at a write, and starts it again when
// it has. False: there were not so many writes.
func (s *sweep) killed(which string, n int, after bool) bool {
	victim := s.bridge
	if which == "gateway" {
		victim = s.gateway
	}
	victim.file.die(n, after)
	type outcome struct {
		tokens int
		err    error
	}
	answered := make(chan outcome, 1)
	go func() {
		tokens, err := s.stream()
		answered <- outcome{tokens, err}
	}()
	select {
	case <-victim.file.died:
	case o := <-answered:
		if o.err == nil && o.tokens != sweepTokens {
			s.Fatalf("%d tokens arrived, and no error", o.tokens)
		}
		answered <- o
		over, p := make(chan struct{}), s.payer
		s.dead.Go(func() {
			defer close(over)
			for busy := true; busy; time.Sleep(time.Millisecond) {
				p.mu.Lock()
				busy = len(p.live) > 0
				p.mu.Unlock()
			}
		})
		select {
		case <-victim.file.died:
		case <-over:
			victim.file.die(0, false)
			return false
		}
	}
	// What is left of a process that is dead writes nothing. It ends by itself.
	s.must(victim.close())
	if which == "gateway" {
		s.circuit.set(func(c *wires) { c.requests, c.pays = newAcceptor(), newAcceptor() })
		s.startGateway()
	} else {
		s.startBridge()
	}
	s.dead.Go(victim.stop)
	s.lost += uint64((<-answered).tokens)
	return true
}

// goesOn asks until there is an answer, and fails if that is not soon.
func (s *sweep) goesOn() {
	s.Helper()
	begun := time.Now()
	for {
		s.asked++
		tokens, err := s.stream()
		if err == nil && tokens == sweepTokens {
			break
		}
		if took := time.Since(begun); took > soon {
			s.Fatalf("the next request does not work after %v: %d tokens, %v", took, tokens, err)
		}
		time.Sleep(100 * time.Millisecond)
	}
	*s.slow = max(*s.slow, time.Since(begun))
}

// within checks what each may lose by the other, at any time.
func (s *sweep) within() {
	s.Helper()
	ours := s.balance(s.id)
	all, err := s.payee.Accounts(s.Context())
	s.must(err)
	theirs := all[0]
	if ours.Promised.Less(theirs.Promised) {
		s.Errorf("the provider holds a voucher of %s, and the bridge knows of %s", theirs.Promised, ours.Promised)
	}
	if bound, _ := theirs.Promised.Add(ledger.Wei(sweepAllows)); bound.Less(theirs.Finished) {
		s.Errorf("the provider has worked for %s, has %s and lends %d", theirs.Finished, theirs.Promised, sweepAllows)
	}
	bound, err := theirs.Finished.Add(ledger.Wei(sweepWindow + 10*s.lost))
	s.must(err)
	if bound.Less(ours.Promised) {
		s.Errorf("the bridge has promised %s, for %s and %d tokens of what was cut", ours.Promised, theirs.Finished, s.lost)
	}
}

// settle compares the books when nothing runs, and everything in them.
func (s *sweep) settle() {
	s.Helper()
	s.settled()
	s.eventually("the provider's rounds have ended", func() bool {
		all, err := s.payee.Accounts(s.Context())
		return err == nil && all[0].Reserved.IsZero()
	})
	s.within()
	theirs := s.books(s.id)
	_, err := s.channels.Adopt(s.Context(), s.id, theirs)
	s.must(err)
	ours := s.balance(s.id)
	if ours.Spent != theirs.Finished || !ours.Unsettled.IsZero() || !ours.Reserved.IsZero() || ours.Running != 0 || !theirs.Reserved.IsZero() {
		s.Errorf("the books differ: ours %+v, theirs %+v", ours, theirs)
	}
	rounds, err := s.channels.Rounds(s.Context(), 100)
	s.must(err)
	var results ledger.Amount
	worked := 0
	seen := make(map[ledger.RoundID]bool)
	for _, r := range rounds {
		if seen[r.Round] {
			s.Errorf("round %s is there twice", r.Round)
		}
		seen[r.Round] = true
		result, found, err := s.payee.Result(s.Context(), s.id, 1, r.Round)
		s.must(err)
		if found && r.MaxCost.Less(result.Message.Cost) {
			s.Errorf("round %s costs %s, and %s at most", r.Round, result.Message.Cost, r.MaxCost)
		}
		if found && !result.Message.Cost.IsZero() {
			worked++
			results, err = results.Add(result.Message.Cost)
			s.must(err)
		}
	}
	if results != theirs.Finished {
		s.Errorf("the results of all rounds that were asked for are %s, the provider's books say %s", results, theirs.Finished)
	}
	if worked > 2+s.asked {
		s.Errorf("%d rounds were charged, for %d chats", worked, 2+s.asked)
	}
	if len(s.payer.Left()) != 0 {
		s.Errorf("a provider was left for what a kill has done: %v", s.payer.Left())
	}
	for _, dir := range []string{s.payerDir, s.payeeDir} {
		s.must(filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			b, err := os.ReadFile(path)
			for _, word := range []string{promptCanary, answerWord} {
				if bytes.Contains(b, []byte(word)) {
					s.Errorf("%s has %q", path, word)
				}
			}
			return err
		}))
	}
}

// A paid stream, killed at every write of either side, before it is on the disk and
// after, and again at every write of what follows: the next request works, no money
// is lost, made or paid twice, and what one may lose by the other is within limits.
func TestKilledAtEveryWrite(t *testing.T) {
	t.Parallel()
	sides := []string{"bridge", "gateway"}
	writes := make(map[string]int)
	var slow time.Duration
	for _, side := range sides {
		synctest.Test(t, func(t *testing.T) {
			s := newSweep(t, &slow)
			f := s.bridge.file
			if side == "gateway" {
				f = s.gateway.file
			}
			s.asked++
			if s.killed(side, 1000, false) {
				t.Fatal("it died")
			}
			f.die(0, false)
			s.asked++
			_, err := s.stream()
			s.must(err)
			s.settle()
			writes[side] = f.writes()
		})
	}
	t.Logf("writes of a paid stream: %v", writes)
	runs, kills := 0, 0
	for _, first := range sides {
		for n := range writes[first] + 2 {
			for _, after := range []bool{false, true} {
				for _, second := range append(sides, "") {
					most := writes[second] + 2
					if second == "" {
						most = 1
					}
					for again := range most {
						if !*fully && (n+again)%3 != 0 {
							continue
						}
						name := fmt.Sprintf("%s %d %t, %s %d", first, n+1, after, second, again+1)
						t.Run(name, func(t *testing.T) {
							synctest.Test(t, func(t *testing.T) {
								s := newSweep(t, &slow)
								s.asked++
								if s.killed(first, n+1, after) {
									kills++
								}
								s.within()
								if second != "" {
									s.asked++
									if s.killed(second, again+1, after) {
										kills++
									}
									s.within()
								}
								s.goesOn()
								s.settle()
							})
						})
						runs++
					}
				}
			}
		}
	}
	t.Logf("%d runs, %d kills; the next request worked within %v", runs, kills, slow)
}

// A bridge that was killed while a round had all the money asks for the provider's
// books: the provider is not left out for having nothing, since the round may have
// cost less.
func TestKilledWithAllReserved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var slow time.Duration
		s := newSweep(t, &slow)
		if !s.killed("bridge", 1, true) {
			t.Fatal("it was not killed")
		}
		b := s.balance(s.id)
		if b.Unsettled.IsZero() {
			t.Fatal("nothing is unsettled")
		}
		s.contract.set(s.id, func(c *ledger.Channel) { c.Deposited = plus(b.Spent, b.Unsettled) })
		if b = s.balance(s.id); !b.Free.IsZero() || !s.payer.CanPay(s.provider.Address()) {
			t.Errorf("free: %s, of which the provider is left out", b.Free)
		}
		s.model.set(func(f *fakeModel) { f.tokens, f.pace = 20, 0 })
		time.Sleep(soon) // the provider notices, and ends the round
		if _, _, err := s.ask(request(t, "")); err != nil {
			t.Errorf("the next request: %v", err)
		}
		s.settled()
		b = s.balance(s.id)
		s.contract.set(s.id, func(c *ledger.Channel) { c.Deposited = plus(b.Spent, b.Unsettled) })
		if !b.Unsettled.IsZero() {
			t.Errorf("unsettled: %s", b.Unsettled)
		}
		s.payer.mu.Lock()
		s.payer.looked = time.Time{}
		s.payer.mu.Unlock()
		if s.payer.CanPay(s.provider.Address()) {
			t.Error("a provider with whom nothing is left can be paid")
		}
	})
}

func plus(a, b ledger.Amount) ledger.Amount {
	sum, err := a.Add(b)
	if err != nil {
		panic(err)
	}
	return sum
}
