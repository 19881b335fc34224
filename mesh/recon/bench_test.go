package recon

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// Whole sessions: short ids made, cells of both sides, differences found.
func BenchmarkCells(b *testing.B) {
	for _, k := range []kind{
		{100_000, 1, 0},
		{100_000, 50, 50},
		{100_000, 500, 500},
		{100_000, 5_000, 5_000},
		{0, 0, 100_000}, // cold
	} {
		b.Run(fmt.Sprintf("%d-%d-%d", k.common, k.left, k.right), func(b *testing.B) {
			x, y := pair(rand.New(rand.NewPCG(1, 1)), k.common, k.left, k.right)
			key := ID{1}
			var c cost
			for b.Loop() {
				from, own := make([]uint64, len(y)), make([]uint64, len(x))
				for i := range y {
					from[i] = ShortID(&key, &y[i])
				}
				for i := range x {
					own[i] = ShortID(&key, &x[i])
				}
				var err error
				if _, c, err = byCells(encoderOf(b, &key, from, Limits{}), encoderOf(b, &key, own, Limits{})); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(c.bytes)/float64(k.left+k.right), "B/difference")
			b.ReportMetric(float64(c.rounds), "rounds")
		})
	}
}

func BenchmarkRanges(b *testing.B) {
	for _, k := range []kind{
		{100_000, 1, 0},
		{100_000, 50, 50},
		{100_000, 500, 500},
		{100_000, 5_000, 5_000},
		{0, 0, 100_000},
	} {
		b.Run(fmt.Sprintf("%d-%d-%d", k.common, k.left, k.right), func(b *testing.B) {
			x, y := pair(rand.New(rand.NewPCG(1, 1)), k.common, k.left, k.right)
			var c cost
			for b.Loop() {
				var err error
				if _, c, err = byRanges(&ID{1}, Sorted(x), Sorted(y), Limits{}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(c.bytes)/float64(k.left+k.right), "B/difference")
			b.ReportMetric(float64(c.rounds), "rounds")
		})
	}
}

// What a range's fingerprint costs an id, beside BenchmarkFingerprintAdd.
func BenchmarkRangeSum(b *testing.B) {
	x, _ := pair(rand.New(rand.NewPCG(1, 1)), 100_000, 0, 0)
	r := NewRanges(&ID{1}, Sorted(x), Limits{})
	for b.Loop() {
		r.sum(0, len(x))
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(x)), "ns/id")
}

// A set of 100,000 and its first 15,000 cells.
func BenchmarkEncoder(b *testing.B) {
	rnd := rand.New(rand.NewPCG(1, 1))
	shorts := make([]uint64, 100_000)
	for i := range shorts {
		shorts[i] = rnd.Uint64()
	}
	for b.Loop() {
		encoderOf(b, &ID{1}, shorts, Limits{}).grow(15_000)
	}
}
