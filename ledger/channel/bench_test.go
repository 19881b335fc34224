package channel

import (
	"path/filepath"
	"testing"

	"github.com/culvert-net/culvert/internal/kv/bolt"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/store"
)

// benchWorld has a deposit and limits that no benchmark reaches. Its provider's
// store is one in memory, or a file.
func benchWorld(b *testing.B, file bool) *world {
	w := newWorld(b)
	w.chain.set(func(c *ledger.Channel) { c.Deposited = ledger.MaxAmount }, w.id)
	w.window, w.cap, w.young = ledger.Wei(1<<62), ledger.Wei(1<<62), ledger.Wei(1<<62)
	w.startPayer()
	if !file {
		w.startPayee()
		return w
	}
	dir := b.TempDir()
	f, err := bolt.Open(filepath.Join(dir, "payee.db"))
	if err != nil {
		b.Fatal(err)
	}
	s, err := store.Open(w.ctx, f, store.Config{Generation: filepath.Join(dir, "generation")})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _, _ = s.Close(), f.Close() })
	c := w.payeeConfig("gateway")
	c.Store = s
	if w.payee, err = NewPayee(c); err != nil {
		b.Fatal(err)
	}
	return w
}

// header is one of a round that pays ahead.
func (w *world) header(seq uint64) Header {
	h := Header{Request: ledger.Sign(ledger.Request{
		Channel: w.id, Epoch: 1, RoundID: ledger.RoundID{byte(seq), byte(seq >> 8), byte(seq >> 16), byte(seq >> 24)}, Seq: seq,
		RequestHash: HashRequest([32]byte{}, testTarget, testBody), MaxCost: ledger.Wei(1100), Sheet: w.sheet.Digest(w.domain), TTL: 600,
	}, w.domain, w.session)}
	v := ledger.Sign(ledger.Voucher{Channel: w.id, Epoch: 1, Cumulative: ledger.Wei(1100 * (seq + 1))}, w.domain, w.session)
	h.Voucher = &v
	return h
}

func (w *world) admitHeader(b *testing.B, h Header) *Round {
	a, err := w.payee.Admit(w.ctx, w.now, h, Terms{RequestHash: h.Request.Message.RequestHash, Model: model, Input: 100, Output: 100, OutputCap: 4096})
	if err != nil {
		b.Fatal(err)
	}
	return a.Round
}

// BenchmarkServe is a provider's work for one round: admitted with a voucher
// ahead, finished, and paid. In memory it is what signatures and records cost; in
// a file, one payer at a time, three disk flushes are added.
func BenchmarkServe(b *testing.B) {
	for _, file := range []bool{false, true} {
		name := "memory"
		if file {
			name = "file"
		}
		b.Run(name, func(b *testing.B) {
			w := benchWorld(b, file)
			b.ReportAllocs()
			for seq := uint64(1); b.Loop(); seq++ {
				b.StopTimer()
				h := w.header(seq)
				v := ledger.Sign(ledger.Voucher{Channel: w.id, Epoch: 1, Cumulative: ledger.Wei(1100*(seq+1) + 1)}, w.domain, w.session)
				b.StartTimer()
				r := w.admitHeader(b, h)
				if _, err := r.Finish(w.ctx, w.now, ledger.Usage{Input: 20, Output: 50}, ledger.Hash{}, ledger.StatusDone); err != nil {
					b.Fatal(err)
				}
				if _, err := w.payee.Voucher(w.ctx, w.now, v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAdmit(b *testing.B) {
	w := benchWorld(b, false)
	b.ReportAllocs()
	for seq := uint64(1); b.Loop(); seq++ {
		b.StopTimer()
		h := w.header(seq)
		b.StartTimer()
		r := w.admitHeader(b, h)
		b.StopTimer()
		if _, err := r.Finish(w.ctx, w.now, ledger.Usage{Input: 20, Output: 50}, ledger.Hash{}, ledger.StatusDone); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

func BenchmarkFinish(b *testing.B) {
	w := benchWorld(b, false)
	b.ReportAllocs()
	for seq := uint64(1); b.Loop(); seq++ {
		b.StopTimer()
		r := w.admitHeader(b, w.header(seq))
		b.StartTimer()
		if _, err := r.Finish(w.ctx, w.now, ledger.Usage{Input: 20, Output: 50}, ledger.Hash{}, ledger.StatusDone); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVoucher(b *testing.B) {
	w := benchWorld(b, false)
	w.round(10)
	b.ReportAllocs()
	for n := uint64(1); b.Loop(); n++ {
		b.StopTimer()
		v := ledger.Sign(ledger.Voucher{Channel: w.id, Epoch: 1, Cumulative: ledger.Wei(1 << 20 * n)}, w.domain, w.session)
		b.StartTimer()
		if _, err := w.payee.Voucher(w.ctx, w.now, v); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkProgress is what each piece of an answer costs when the books need no
// look.
func BenchmarkProgress(b *testing.B) {
	w := benchWorld(b, false)
	r := w.admitHeader(b, w.header(1))
	b.ReportAllocs()
	for b.Loop() {
		if step, _, err := r.Progress(w.ctx, w.now, ledger.Usage{Input: 20, Output: 50}); step != Go || err != nil {
			b.Fatal(step, err)
		}
	}
}
