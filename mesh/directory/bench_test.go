package directory

import (
	"fmt"
	"testing"

	"github.com/culvert-net/culvert/mesh/world"
)

// benchSet is a set of n relays.
func benchSet(b *testing.B, n int) (*Set, []world.Descriptor) {
	w := testWorld(b)
	set := NewSet(w)
	var all []world.Descriptor
	for i := range n {
		all = append(all, build(b, w, i, at, 1, testNode(b, w, i, at))...)
	}
	set.Add(all, at)
	return set, all
}

// BenchmarkAdd merges what is not known yet: mostly signatures.
func BenchmarkAdd(b *testing.B) {
	set, all := benchSet(b, 1000)
	b.ReportAllocs()
	for b.Loop() {
		NewSet(set.world).Add(all, at)
	}
}

// BenchmarkAddKnown merges what a seed says again.
func BenchmarkAddKnown(b *testing.B) {
	set, all := benchSet(b, 1000)
	b.ReportAllocs()
	for b.Loop() {
		set.Add(all, at)
	}
}

// BenchmarkSnapshot looks one key up right after a change, as a relay does.
func BenchmarkSnapshot(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			set, all := benchSet(b, n)
			b.ReportAllocs()
			for b.Loop() {
				set.mu.Lock()
				set.touch()
				set.mu.Unlock()
				if _, ok := set.Snapshot().Node(all[0].Key); !ok {
					b.Fatal("the node is gone")
				}
			}
		})
	}
}
