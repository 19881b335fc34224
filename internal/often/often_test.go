package often

import (
	"sync"
	"testing"
)

var limits = Limits{Worth: 3, Kept: 4, Idle: 100, Counted: 10}

// meet is a caller: it makes the value of a key when that is worth it. It reports
// whether the value was there.
func meet(k *Keys[int, int], key int) bool {
	if v, ok := k.Get(key); ok {
		return v == key*key
	}
	if k.Met(key) {
		k.Put(key, key*key)
	}
	return false
}

// What is met often has a value, which is kept while it is met.
func TestOften(t *testing.T) {
	k := New[int, int](limits)
	for n := range 10 {
		if got, want := meet(k, 7), n >= limits.Worth; got != want {
			t.Errorf("met %d times before: there is a value: %t", n, got)
		}
	}
	if kept, counted := k.Len(); kept != 1 || counted != 0 {
		t.Errorf("%d kept, %d counted", kept, counted)
	}
}

// With more keys than there is room for, those that are used stay; what was not used
// for long makes room for one key, and no more.
func TestRoom(t *testing.T) {
	k := New[int, int](limits)
	for key := range limits.Kept {
		for range limits.Worth {
			meet(k, key)
		}
	}
	for n := range 5 * limits.Worth {
		if meet(k, 100) {
			t.Fatalf("%d questions after the others: a key that was used of late made room", n)
		}
	}
	for range limits.Idle {
		for key := 1; key < limits.Kept; key++ { // all but the first are used
			if !meet(k, key) {
				t.Fatalf("key %d is used, and gone", key)
			}
		}
	}
	for range limits.Worth {
		meet(k, 100)
	}
	if !meet(k, 100) || meet(k, 0) {
		t.Error("the key that was not used for long did not make room")
	}
	for key := 1; key < limits.Kept; key++ {
		if !meet(k, key) {
			t.Errorf("key %d was used, and made room", key)
		}
	}
	if kept, _ := k.Len(); kept != limits.Kept {
		t.Errorf("%d are kept", kept)
	}
}

// Keys that are met once or twice cost little, however many there are.
func TestCountedIsBounded(t *testing.T) {
	k := New[int, int](limits)
	for key := range 1000 {
		meet(k, key)
		if kept, counted := k.Len(); kept > 0 || counted > limits.Counted {
			t.Fatalf("%d kept, %d counted", kept, counted)
		}
	}
}

// Whoever makes a value twice at the same time keeps one.
func TestConcurrent(t *testing.T) {
	k := New[int, int](limits)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for n := range 1000 {
				if v, ok := k.Get(n % 8); ok && v != n%8 {
					t.Errorf("key %d has the value %d", n%8, v)
				}
				if k.Met(n % 8) {
					k.Put(n%8, n%8)
				}
			}
		})
	}
	wg.Wait()
	if kept, _ := k.Len(); kept != limits.Kept {
		t.Errorf("%d are kept", kept)
	}
}
