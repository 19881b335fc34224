package store_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/ledger/store"
)

// broken is a kv.Store that fails as it is told.
type broken struct {
	kv.Store
	before  error // instead of a transaction
	lose    error // undoes what was written
	unheard error // after what was written is there
	twice   bool  // runs each function twice
	updates int
}

var errUndo = errors.New("undone")

func (b *broken) Update(ctx context.Context, f func(kv.Tx) error) error {
	b.updates++
	if b.before != nil {
		return b.before
	}
	if b.twice {
		err := b.Store.Update(ctx, func(tx kv.Tx) error { return errors.Join(f(tx), errUndo) })
		if !errors.Is(err, errUndo) {
			return err
		}
	}
	err := b.Store.Update(ctx, func(tx kv.Tx) error {
		if err := f(tx); err != nil {
			return err
		}
		return b.lose
	})
	if err == nil {
		err = b.unheard
	}
	return err
}

// openBroken opens a store on one that can be broken.
func openBroken(t testing.TB) (asKV, *broken) {
	t.Helper()
	dir := t.TempDir()
	b := &broken{Store: openFile(t, dir)}
	s, err := store.Open(context.Background(), b, store.Config{Generation: dir + "/file"})
	if err != nil {
		t.Fatal(err)
	}
	return asKV{s, b.Store}, b
}

// together runs functions in one group, in their order, and returns what Do
// returned for each. It belongs into a bubble. A nil function is called by
// somebody who leaves before it is its turn.
func together(t *testing.T, s asKV, with func(), functions ...func(store.Tx) error) []error {
	t.Helper()
	begun, release := make(chan bool, 1), make(chan bool)
	var wg sync.WaitGroup
	wg.Go(func() {
		err := s.Do(context.Background(), func(store.Tx) error {
			select {
			case begun <- true:
			default: // run again
			}
			<-release
			return nil
		})
		if err != nil {
			t.Logf("the one before the group: %v", err)
		}
	})
	<-begun
	errs := make([]error, len(functions))
	for i, f := range functions {
		ctx, cancel := context.WithCancel(context.Background())
		wg.Go(func() {
			defer cancel()
			defer func() {
				if panicked := recover(); panicked != nil {
					errs[i] = panicked.(error)
				}
			}()
			errs[i] = s.Do(ctx, func(tx store.Tx) error {
				if f == nil {
					t.Error("the function of one who has left is run")
					return nil
				}
				return f(tx)
			})
		})
		synctest.Wait() // it is in the queue
		if f == nil {
			cancel()
			synctest.Wait()
		}
	}
	with()
	close(release)
	wg.Wait()
	return errs
}

func put(t testing.TB, s asKV, bucket, key, value string) {
	t.Helper()
	err := s.Do(context.Background(), func(tx store.Tx) error { return tx.Put(bucket, []byte(key), []byte(value)) })
	if err != nil {
		t.Fatal(err)
	}
}

// pairs are those of a bucket, in order.
func pairs(tx store.Tx, bucket, prefix string) (all []string, err error) {
	err = tx.Scan(bucket, []byte(prefix), func(key, value []byte) error {
		all = append(all, string(key)+"="+string(value))
		return nil
	})
	return all, err
}

func wantPairs(t *testing.T, s asKV, want ...string) {
	t.Helper()
	err := s.View(context.Background(), func(tx store.Tx) error {
		got, err := pairs(tx, "a", "")
		if err == nil && !slices.Equal(got, want) {
			t.Errorf("the store holds %q, want %q", got, want)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// Those who share a commit see what was written before them, and undo only
// their own.
func TestGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, below := openBroken(t)
		defer s.Close()
		put(t, s, "a", "1", "old")
		put(t, s, "a", "4", "old")
		before := below.updates
		fault := errors.New("changed my mind")
		sees := func(want ...string) func(store.Tx) error {
			return func(tx store.Tx) error {
				got, err := pairs(tx, "a", "")
				if err == nil && !slices.Equal(got, want) {
					t.Errorf("it sees %q, want %q", got, want)
				}
				return err
			}
		}
		errs := together(
			t, s, func() {},
			func(tx store.Tx) error { return tx.Put("a", []byte("2"), []byte("first")) },
			sees("1=old", "2=first", "4=old"),
			func(tx store.Tx) error {
				return errors.Join(tx.Put("a", []byte("2"), []byte("wrong")), tx.Delete("a", []byte("1")), tx.Put("b", []byte("9"), nil), fault)
			},
			nil,
			func(tx store.Tx) error {
				if err := sees("1=old", "2=first", "4=old")(tx); err != nil {
					return err
				}
				return errors.Join(tx.Delete("a", []byte("1")), tx.Put("a", []byte("3"), nil), tx.Put("a", []byte("5"), nil))
			},
			sees("2=first", "3=", "4=old", "5="),
			func(tx store.Tx) error {
				_ = tx.Put("a", []byte("2"), []byte("never"))
				panic(fault)
			},
			sees("2=first", "3=", "4=old", "5="),
		)
		for i, want := range []error{nil, nil, fault, context.Canceled, nil, nil, fault, nil} {
			if !errors.Is(errs[i], want) {
				t.Errorf("function %d: %v, want %v", i, errs[i], want)
			}
		}
		if n := below.updates - before; n != 2 {
			t.Errorf("%d commits, want 2: of the one before, and of the group", n)
		}
		wantPairs(t, s, "2=first", "3=", "4=old", "5=")
	})
}

// What the store below answers, and what each caller is then told.
func TestGroupFails(t *testing.T) {
	fault, own := errors.New("no connection"), errors.New("own error")
	for _, tt := range []struct {
		name  string
		with  broken
		want  error // of the one that wrote, the one that read, and the one with an error of its own
		own   error
		there bool
	}{
		{"nothing", broken{}, nil, own, true},
		{"run twice", broken{twice: true}, nil, own, true},
		{"not begun", broken{before: fault}, fault, fault, false},
		{"undone", broken{lose: fault}, fault, fault, false},
		{"not known, and written", broken{unheard: kv.ErrUncertain}, kv.ErrUncertain, kv.ErrUncertain, true},
		{"not known, and lost", broken{lose: kv.ErrUncertain}, kv.ErrUncertain, kv.ErrUncertain, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, below := openBroken(t)
				defer s.Close()
				put(t, s, "a", "1", "old")
				kept := below.Store
				runs := 0
				errs := together(
					t, s, func() { *below = tt.with; below.Store = kept },
					func(tx store.Tx) error {
						runs++
						v, err := tx.Get("a", []byte("1"))
						return errors.Join(err, tx.Put("a", []byte("1"), append(v, '+')))
					},
					func(tx store.Tx) error { _, err := pairs(tx, "a", ""); return err },
					func(tx store.Tx) error { return errors.Join(tx.Put("a", []byte("2"), nil), own) },
					nil,
				)
				for i, want := range []error{tt.want, tt.want, tt.own, context.Canceled} {
					if !errors.Is(errs[i], want) {
						t.Errorf("caller %d: %v, want %v", i, errs[i], want)
					}
				}
				if limit := 2; runs > limit {
					t.Errorf("a function was run %d times", runs)
				}
				want := "1=old"
				if tt.there {
					want += "+"
				}
				wantPairs(t, s, want)
				// None of these is the end: the next one reads what is there.
				*below = broken{Store: kept}
				put(t, s, "a", "3", "")
				wantPairs(t, s, want, "3=")
			})
		})
	}
}

// Whoever's time is over leaves before the function runs, or undoes what it did;
// once it is part of a group, the group decides.
func TestLeaving(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := openBroken(t)
		defer s.Close()
		ctx, cancel := context.WithCancel(context.Background())
		err := s.Do(ctx, func(tx store.Tx) error {
			defer cancel()
			return tx.Put("a", []byte("1"), nil)
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("one who left while it ran: %v", err)
		}
		wantPairs(t, s)
		if err := s.Do(ctx, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("one who was gone before: %v", err)
		}
		// Somebody after it in the group makes its caller leave.
		ctx, cancel = context.WithCancel(context.Background())
		var first error
		var wg sync.WaitGroup
		errs := together(t, s, func() {
			wg.Go(func() { first = s.Do(ctx, func(tx store.Tx) error { return tx.Put("a", []byte("2"), nil) }) })
			synctest.Wait()
			wg.Go(func() { _ = s.Do(context.Background(), func(store.Tx) error { cancel(); return nil }) })
			synctest.Wait()
		})
		wg.Wait()
		if first != nil || len(errs) != 0 {
			t.Errorf("one who left while the group was on its way: %v", first)
		}
		wantPairs(t, s, "2=")
	})
}

// After damage nothing is trusted.
func TestDamagedIsTheEnd(t *testing.T) {
	s, below := openBroken(t)
	defer s.Close()
	below.lose = fmt.Errorf("page 7: %w", kv.ErrDamaged)
	f := func(tx store.Tx) error { return tx.Put("a", []byte("1"), nil) }
	for range 2 {
		if err := s.Do(t.Context(), f); !errors.Is(err, kv.ErrDamaged) {
			t.Errorf("Do = %v", err)
		}
		below.lose = nil
	}
	if err := s.View(t.Context(), f); !errors.Is(err, kv.ErrDamaged) {
		t.Errorf("View = %v", err)
	}
}

// Whoever waits for a group, waits for no function that will never return.
func TestFunctionEndsItsGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := openBroken(t)
		defer s.Close()
		errs := together(
			t, s, func() {},
			func(tx store.Tx) error { return tx.Put("a", []byte("1"), nil) },
			func(store.Tx) error { runtime.Goexit(); return nil },
			func(store.Tx) error { return nil },
		)
		errs = append(errs, s.Do(context.Background(), func(store.Tx) error { return nil }))
		for i, err := range errs {
			if err == nil {
				t.Errorf("caller %d was told that all is well", i)
			}
		}
	})
}

// Random functions in random groups do what they do one after the other to a
// map.
func TestGroupsAgainstMap(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	synctest.Test(t, func(t *testing.T) {
		s, _ := openBroken(t)
		defer s.Close()
		model := map[string]string{}
		for range 30 {
			var functions []func(store.Tx) error
			for range 1 + r.IntN(12) {
				functions = append(functions, func(tx store.Tx) error {
					next := maps.Clone(model)
					for range r.IntN(12) {
						key := fmt.Sprintf("%x", r.IntN(300))
						switch r.IntN(4) {
						case 0:
							delete(next, key)
							if err := tx.Delete("a", []byte(key)); err != nil {
								return err
							}
						case 1:
							next[key] = strings.Repeat("v", r.IntN(30))
							if err := tx.Put("a", []byte(key), []byte(next[key])); err != nil {
								return err
							}
						case 2:
							v, err := tx.Get("a", []byte(key))
							if want, ok := next[key]; ok != (err == nil) || string(v) != want {
								t.Errorf("Get(%s) = %q, %v; want %q, %t", key, v, err, want, ok)
							}
						case 3:
							got, err := pairs(tx, "a", key[:1])
							if want := pairsOf(next, key[:1]); err != nil || !slices.Equal(got, want) {
								t.Errorf("Scan(%s) = %q, %v; want %q", key[:1], got, err, want)
							}
						}
					}
					if r.IntN(4) == 0 {
						return errUndo
					}
					model = next
					return nil
				})
			}
			for _, err := range together(t, s, func() {}, functions...) {
				if err != nil && !errors.Is(err, errUndo) {
					t.Fatal(err)
				}
			}
			wantPairs(t, s, pairsOf(model, "")...)
		}
	})
}

func pairsOf(model map[string]string, prefix string) (all []string) {
	for _, key := range slices.Sorted(maps.Keys(model)) {
		if strings.HasPrefix(key, prefix) {
			all = append(all, key+"="+model[key])
		}
	}
	return all
}

// One function writes only so much, and whoever does not look at the error is
// told by Do.
func TestTooMuch(t *testing.T) {
	s, _ := openBroken(t)
	defer s.Close()
	for name, f := range map[string]func(store.Tx){
		"records": func(tx store.Tx) {
			for i := range store.MaxChanges + 1 {
				_ = tx.Put("a", fmt.Appendf(nil, "%08d", i), nil)
			}
		},
		"bytes": func(tx store.Tx) {
			for i := range store.MaxBytes / kv.MaxValue {
				_ = tx.Put("a", fmt.Appendf(nil, "%08d", i), make([]byte, kv.MaxValue))
			}
		},
	} {
		if err := s.Do(t.Context(), func(tx store.Tx) error { f(tx); return nil }); !errors.Is(err, store.ErrTooMuch) {
			t.Errorf("%s: %v", name, err)
		}
	}
	err := s.Do(t.Context(), func(tx store.Tx) error { return tx.Put("generation", []byte("restored"), nil) })
	if err == nil {
		t.Error("the store's own bucket can be written to")
	}
	wantPairs(t, s)
	// Those who write much do not share one commit without bound, and all of it
	// arrives.
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			err := s.Do(context.Background(), func(tx store.Tx) error {
				for j := range 6 {
					if err := tx.Put("b", fmt.Appendf(nil, "%d-%d", i, j), make([]byte, kv.MaxValue)); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	err = s.View(context.Background(), func(tx store.Tx) error {
		n := 0
		err := tx.Scan("b", nil, func(_, _ []byte) error { n++; return nil })
		if n != 72 {
			t.Errorf("%d records, want 72", n)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
