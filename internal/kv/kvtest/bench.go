package kvtest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/culvert-net/culvert/internal/kv"
)

// BenchUpdate measures an Update that reads and adds to a counter and writes
// ten records of 200 bytes: alone, and four for each processor at a time, which
// meet at the counter.
func BenchUpdate(b *testing.B, s kv.Store) {
	value := make([]byte, 200)
	var last atomic.Uint64
	update := func() error {
		n := last.Add(1)
		return s.Update(context.Background(), func(tx kv.Tx) error {
			count, err := number(tx, "meta", "count")
			if err != nil {
				return err
			}
			for i := range uint64(10) {
				err = errors.Join(err, tx.Put("records", fmt.Appendf(nil, "%08d", (n*10+i)%10_000), value))
			}
			return errors.Join(err, setNumber(tx, "meta", "count", count+1))
		})
	}
	b.Run("alone", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := update(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("together", func(b *testing.B) {
		b.SetParallelism(4)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if err := update(); err != nil {
					b.Error(err)
				}
			}
		})
	})
}
