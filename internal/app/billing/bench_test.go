package billing

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/openai"
	"github.com/culvert-net/culvert/api/tunnel"
	"github.com/culvert-net/culvert/api/usage"
	"github.com/culvert-net/culvert/internal/kv/bolt"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/channel"
	"github.com/culvert-net/culvert/ledger/store"
)

// shop is a gateway with many channels, whose ledger is a file. What its payers
// sign is made before the clock runs: they have machines of their own.
type shop struct {
	testing.TB
	till     *Till
	sheet    ledger.Sheet
	channels map[ledger.ChannelID]ledger.Channel
	payers   []*customer
}

// customer pays from one channel.
type customer struct {
	session *ledger.Key
	channel ledger.Channel
	work    []job
}

// job is one round.
type job struct {
	admission tunnel.Admission
	hello     channel.Hello
	usage     usage.Snapshot
	voucher   ledger.Signed[ledger.Voucher]
}

var (
	// trust is what each customer's first round costs: the provider lends half of it
	// from then on.
	trust = ledger.Wei(1 << 60)

	most  = ledger.Wei(5e12) // of other rounds, at 1e9 wei a token
	spent = ledger.Wei(60e9) // by each of them
)

// Channel implements channel.Chain.
func (s *shop) Channel(id ledger.ChannelID) (ledger.Channel, bool) {
	c, ok := s.channels[id]
	return c, ok
}

// Fresh implements channel.Chain.
func (s *shop) Fresh() time.Time { return time.Now() }

func openShop(b testing.TB, clients int) *shop {
	now := uint64(time.Now().Unix())
	s := &shop{TB: b, channels: make(map[ledger.ChannelID]ledger.Channel), sheet: ledger.Sheet{
		Sequence: 1, UnitPrice: eth(1), ValidFrom: now - 60, ValidUntil: now + 3600,
		Models: []ledger.ModelPrice{{Model: model, Input: eth(1), Cached: eth(1), Output: eth(1)}},
	}}
	dir, key, digest := b.TempDir(), ledger.NewKey(), s.sheet.Digest(domain)
	file, err := bolt.Open(filepath.Join(dir, "ledger.db"))
	s.must(err)
	records, err := store.Open(b.Context(), file, store.Config{Generation: filepath.Join(dir, "generation")})
	s.must(err)
	b.Cleanup(func() { _, _ = records.Close(), file.Close() })
	payee, err := channel.NewPayee(channel.PayeeConfig{
		Store: records, Chain: s, Domain: domain, Key: key, Owner: "gateway", DisputeTime: dispute,
		AllowanceCap: ledger.MaxAmount, YoungCap: ledger.MaxAmount,
		Sheet: func(d ledger.Hash) (*ledger.Sheet, bool) { return &s.sheet, d == digest },
	})
	s.must(err)
	s.must(payee.Start(b.Context(), time.Now(), nil))
	s.till = Open(Config{
		Payee: payee, Context: func(string) int { return 4096 }, Asks: func() bool { return true }, Log: slog.New(slog.DiscardHandler),
	})
	for range clients {
		session, funder := ledger.NewKey(), ledger.NewKey().Address()
		c := &customer{session: session, channel: ledger.Channel{
			ID: ledger.ChannelOf(key.Address(), session.Address(), funder), Provider: key.Address(), Key: session.Address(),
			Funder: funder, Epoch: 1, Deposited: ledger.MaxAmount, Locked: s.sheet.UnitPrice,
		}}
		s.channels[c.channel.ID] = c.channel
		s.payers = append(s.payers, c)
	}
	return s
}

func (s *shop) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// sign makes n rounds of a customer. One to whom the provider lends sends a voucher
// behind each; another one before each, too.
func (s *shop) sign(c *customer, n int, lent bool) {
	body := []byte(`{"model":"` + model + `","max_tokens":100,"messages":[{"role":"user","content":"hello"}]}`)
	view, e := openai.ParseChat(body)
	if e != nil {
		s.Fatal(e)
	}
	id, digest, promised := c.channel.ID, s.sheet.Digest(domain), ledger.Amount{}
	promise := func(amount ledger.Amount) *ledger.Signed[ledger.Voucher] {
		var err error
		promised, err = promised.Add(amount)
		s.must(err)
		v := ledger.Sign(ledger.Voucher{Channel: id, Epoch: 1, Cumulative: promised}, domain, c.session)
		return &v
	}
	for seq := range uint64(n + 1) {
		r := ledger.Request{Channel: id, Epoch: 1, Seq: seq + 1, MaxCost: most, Sheet: digest, TTL: 600}
		_, _ = rand.Read(r.RoundID[:]) // as payers do: it is where the record of the round stands
		h := channel.Header{Salt: [32]byte{byte(seq)}}
		r.RequestHash = channel.HashRequest(h.Salt, path, body)
		j := job{usage: counted(50)}
		switch {
		case seq == 0:
			r.MaxCost, j.usage = trust, counted(1<<40)
			h.Voucher = promise(trust)
			j.voucher = *promise(ledger.Wei(1))
		case lent:
			j.voucher = *promise(spent)
		default:
			h.Voucher = promise(most)
			j.voucher = *promise(ledger.Wei(1))
		}
		h.Request = ledger.Sign(r, domain, c.session)
		j.hello = channel.Hello{Channel: id, Epoch: 1, Round: r.RoundID}
		j.admission = tunnel.Admission{Header: h.String(), Request: &backend.Request{Path: path, Body: body, View: view}}
		c.work = append(c.work, j)
	}
}

// do is what a gateway does for one round, from the request's header to the
// voucher's receipt, but for bytes that travel.
func (s *shop) do(j *job) error {
	ctx := s.Context()
	bill, e := s.till.Admit(ctx, j.admission)
	if e != nil {
		return e
	}
	s.till.cfg.Payee.Answer(ctx, time.Now(), j.hello, &j.hello)
	if e := bill.Pass(ctx, answer, j.usage); e != nil {
		return e
	}
	bill.End(tunnel.BillEnd{Usage: j.usage, Complete: true, Status: http.StatusOK})
	frame := s.till.cfg.Payee.Answer(ctx, time.Now(), j.hello, &channel.VoucherFrame{Voucher: j.voucher})
	if _, ok := frame.(*channel.Accepted); !ok {
		return fmt.Errorf("a voucher is answered by %+v", frame)
	}
	return nil
}

// BenchmarkRounds is a gateway with so many payers, each of which has a channel and
// asks again as soon as it has paid: admitted, finished and paid rounds, which are
// on the disk at each of the three steps.
func BenchmarkRounds(b *testing.B) {
	for _, name := range []string{"lent", "ahead"} {
		for _, clients := range []int{1, 64, 256} {
			b.Run(fmt.Sprint(name, "/", clients), func(b *testing.B) { benchRounds(b, clients, name == "lent") })
		}
	}
}

func benchRounds(b *testing.B, clients int, lent bool) {
	s := openShop(b, clients)
	each := (b.N + clients - 1) / clients
	var wg sync.WaitGroup
	for _, c := range s.payers {
		wg.Go(func() {
			s.sign(c, each, lent)
			if err := s.do(&c.work[0]); err != nil {
				b.Error(err)
			}
		})
	}
	wg.Wait()
	waits := make([][]time.Duration, clients)
	b.ReportAllocs()
	b.ResetTimer()
	used := cpuTime(b)
	for i, c := range s.payers {
		wg.Go(func() {
			for n := range c.work[1:] {
				began := time.Now()
				if err := s.do(&c.work[n+1]); err != nil {
					b.Error(err)
					return
				}
				waits[i] = append(waits[i], time.Since(began))
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	used = cpuTime(b) - used
	all := slices.Concat(waits...)
	slices.Sort(all)
	b.ReportMetric(float64(all[len(all)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds()), "p99-µs")
	b.ReportMetric(float64(used.Microseconds())/float64(len(all)), "cpu-µs/round")
	b.ReportMetric(float64(len(all))/b.Elapsed().Seconds(), "rounds/s")
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
