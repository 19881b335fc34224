package recon

import "slices"

// Sorted is a set in memory, as a Storage.
type Sorted []ID

var _ Storage = Sorted(nil)

// Sort puts ids in order, in place, and leaves doubles out.
func Sort(ids []ID) Sorted {
	byBytes := func(a, b ID) int { return compareIDs(&a, &b) }
	slices.SortFunc(ids, byBytes)
	return slices.Compact(ids)
}

// Len is how many there are.
func (s Sorted) Len() int { return len(s) }

// At is the i-th id.
func (s Sorted) At(i int) ID { return s[i] }

// Find is the first i whose id is not less, or Len.
func (s Sorted) Find(id *ID) int {
	at, _ := slices.BinarySearchFunc(s, id, func(a ID, b *ID) int { return compareIDs(&a, b) })
	return at
}
