package store_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/ledger/store"
)

// round is what one round writes once: it reads and changes the record of its
// channel, and adds one of its own, some 300 bytes together.
func round(s asKV, channel, n uint64) error {
	return s.Do(context.Background(), func(tx store.Tx) error {
		key := binary.BigEndian.AppendUint64(nil, channel)
		book, err := tx.Get("channels", key)
		if errors.Is(err, kv.ErrNotFound) {
			book, err = make([]byte, 120), nil
		}
		if err != nil {
			return err
		}
		binary.BigEndian.PutUint64(book, binary.BigEndian.Uint64(book)+1)
		return errors.Join(tx.Put("channels", key, book), tx.Put("rounds", binary.BigEndian.AppendUint64(key, n), make([]byte, 160)))
	})
}

// BenchmarkDo is what one of so many who call Do again and again waits for, and
// what all of them get done.
func BenchmarkDo(b *testing.B) {
	for _, callers := range []int{1, 16, 64, 256} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) { benchDo(b, open(b, b.TempDir()), callers) })
	}
}

func benchDo(b *testing.B, s asKV, callers int) {
	defer s.Close()
	var left atomic.Int64
	left.Store(int64(b.N))
	waits := make([][]time.Duration, callers)
	var wg sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	for i := range waits {
		wg.Go(func() {
			for n := uint64(0); left.Add(-1) >= 0; n++ {
				began := time.Now()
				if err := round(s, uint64(i), n); err != nil {
					b.Error(err)
					return
				}
				waits[i] = append(waits[i], time.Since(began))
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	all := slices.Concat(waits...)
	slices.Sort(all)
	b.ReportMetric(float64(all[len(all)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds()), "p99-µs")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "Do/s")
}

// BenchmarkOpenMillion is how long it takes to open a store with the records of
// a million rounds in 10,000 channels.
func BenchmarkOpenMillion(b *testing.B) {
	dir := b.TempDir()
	s := open(b, dir)
	const channels, each = 10_000, 100
	value := make([]byte, 280)
	for first := uint64(0); first < channels; first += 50 {
		err := s.Do(context.Background(), func(tx store.Tx) error {
			for channel := first; channel < first+50; channel++ {
				key := binary.BigEndian.AppendUint64(nil, channel)
				if err := tx.Put("channels", key, value); err != nil {
					return err
				}
				for n := range uint64(each) {
					if err := tx.Put("rounds", binary.BigEndian.AppendUint64(key[:8:8], n), value); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s := open(b, dir)
		if err := round(s, 7, each); err != nil { // the first answer
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
