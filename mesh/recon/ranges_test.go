package recon

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// named is an id that begins with these bytes.
func named(b ...byte) (id ID) {
	copy(id[:], b)
	return id
}

func TestSorted(t *testing.T) {
	s := Sort([]ID{named(3), named(1), named(3), named(2)})
	if want := (Sorted{named(1), named(2), named(3)}); !slices.Equal(s, want) {
		t.Fatalf("Sort = %x", s)
	}
	for at, id := range []ID{named(1), named(1, 1), named(2, 1), named(3, 1)} {
		if got := s.Find(&id); got != at {
			t.Errorf("Find(%x) = %d, want %d", id[:2], got, at)
		}
	}
}

func TestBetween(t *testing.T) {
	for _, tt := range []struct{ below, above, want ID }{
		{named(1), named(2), named(2)},
		{named(1, 9), named(2, 9), named(2)},
		{named(1, 1, 1), named(1, 1, 2, 5), named(1, 1, 2)},
		{named(), named(0, 0, 1), named(0, 0, 1)},
	} {
		b := between(tt.below, tt.above)
		if b.id != tt.want || b.end {
			t.Errorf("between %x and %x is %x", tt.below[:4], tt.above[:4], b.id[:4])
		}
		w := writer{}
		w.border(modeFingerprint, b)
		m, read := readRange(postcard.NewDecoder(w.b), border{id: tt.below})
		if m != modeFingerprint || read != b {
			t.Errorf("%x is read as %d, %x", w.b, m, read.id[:4])
		}
	}
}

// Ids that share long prefixes, and those at the ends of all ids.
func TestRangesOfUnevenIDs(t *testing.T) {
	last := ID(slices.Repeat([]byte{255}, len(ID{})))
	var a, b []ID
	for i := range 200 {
		id := ID(slices.Repeat([]byte{7}, len(ID{})))
		id[31] = byte(i)
		if i%3 != 0 {
			a = append(a, id)
		}
		if i%5 != 0 {
			b = append(b, id)
		}
	}
	a, b = Sort(append(a, ID{})), Sort(append(b, last))
	r, _, err := byRanges(&ID{1}, Sorted(a), Sorted(b), Limits{Message: MinMessage})
	if err != nil {
		t.Fatal(err)
	}
	check(t, a, b, r.Have(), r.Need())
}

// What is too long for a message comes in the next: nothing is lost by it, and
// no message is longer.
func TestRangesInSmallMessages(t *testing.T) {
	rnd := rand.New(rand.NewPCG(9, 9))
	limits := Limits{Message: MinMessage}
	for _, k := range []kind{{0, 0, 900}, {0, 900, 0}, {300, 300, 300}, {3_000, 40, 0}, {3_000, 0, 40}, {0, 500, 500}} {
		a, b := pair(rnd, k.common, k.left, k.right)
		own, other := NewRanges(&ID{1}, Sorted(a), limits), NewRanges(&ID{1}, Sorted(b), limits)
		message, rounds := own.Initiate(), 0
		for !own.Done() {
			reply, err := other.Respond(message)
			if err != nil || len(reply) > MinMessage {
				t.Fatalf("%+v: %d bytes, %v", k, len(reply), err)
			}
			if message, err = own.Respond(reply); err != nil || len(message) > MinMessage {
				t.Fatalf("%+v: %d bytes, %v", k, len(message), err)
			}
			rounds++
		}
		check(t, a, b, own.Have(), own.Need())
		t.Logf("%+v: %d rounds", k, rounds)
	}
}

// Where a limit ends it, what was found until then is right.
func TestLimitsOfRanges(t *testing.T) {
	rnd := rand.New(rand.NewPCG(10, 10))
	a, b := pair(rnd, 0, 0, 2_000)
	for name, limits := range map[string]Limits{
		"rounds": {Message: MinMessage, Rounds: 3},
		"bytes":  {Message: MinMessage, Bytes: 10_000},
	} {
		r, _, err := byRanges(&ID{1}, Sorted(a), Sorted(b), limits)
		if !errors.Is(err, ErrLimit) || len(r.Need()) < 100 || r.Done() {
			t.Errorf("%s: %d found, %v", name, len(r.Need()), err)
		}
		for _, id := range r.Need() {
			if !slices.Contains(b, id) {
				t.Fatalf("%s: %x is nobody's", name, id)
			}
		}
	}
	r := NewRanges(&ID{1}, Sorted(a), Limits{Message: MinMessage})
	if _, err := r.Respond(make([]byte, MinMessage+1)); !errors.Is(err, ErrLimit) {
		t.Errorf("a message that is too long: %v", err)
	}
}

func TestMalformedRanges(t *testing.T) {
	ids := Sorted{named(1), named(2), named(3)}
	end := border{end: true}
	write := func(f func(w *writer)) []byte {
		var w writer
		f(&w)
		return w.b
	}
	list := func(upper border, ids ...ID) func(w *writer) {
		return func(w *writer) {
			w.list(upper, len(ids))
			for _, id := range ids {
				w.id(id)
			}
		}
	}
	for _, tt := range []struct {
		name      string
		message   []byte
		initiator bool
		want      error
	}{
		{"empty", nil, false, ErrMalformed},
		{"not to the end", write(list(exactly(named(9)))), false, ErrMalformed},
		{"a byte more", append(write(list(end)), 0), false, ErrMalformed},
		{"two skips in a row", []byte{1, 5, 1, 6, 0}, false, ErrMalformed},
		{"borders that rise", []byte{byte(modeList)<<6 | 1, 5, 0, byte(modeList)<<6 | 1, 6, 0, 0}, false, nil},
		{"borders that stay", []byte{byte(modeList)<<6 | 1, 5, 0, byte(modeList)<<6 | 1, 5, 0, 0}, false, ErrMalformed},
		{"borders that fall", []byte{byte(modeList)<<6 | 1, 5, 0, byte(modeList)<<6 | 1, 4, 0, 0}, false, ErrMalformed},
		{"a border of 33 bytes", append([]byte{33}, make([]byte, 40)...), false, ErrMalformed},
		{"a border of two bytes", []byte{byte(modeList)<<6 | 2, 5, 1, 0, 0}, false, nil},
		{"a border that ends in zero", []byte{byte(modeList)<<6 | 2, 5, 0, 0, 0}, false, ErrMalformed},
		{"a list that falls", write(list(end, named(2), named(1))), false, ErrMalformed},
		{"a list with a double", write(list(end, named(2), named(2))), false, ErrMalformed},
		{"too long a list", write(list(end, slices.Repeat([]ID{{}}, maxList+1)...)), false, ErrMalformed},
		{"a listed id beyond its range", write(func(w *writer) { list(exactly(named(2)), named(3))(w); w.skip(end); w.flush() }), false, ErrMismatch},
		{"a listed id before its range", write(func(w *writer) { w.skip(exactly(named(2))); list(end, named(1))(w) }), false, ErrMismatch},
		{"a comparison, to who did not list", write(func(w *writer) { w.compared(end, 3, 0, nil) }), false, ErrMalformed},
		{"a comparison of more than there are", write(func(w *writer) { w.compared(end, 3, 1<<3, nil) }), true, ErrMalformed},
		{"ours, as theirs", write(func(w *writer) { w.compared(end, 3, 0, ids[:1]) }), true, ErrMismatch},
		{"honest", write(func(w *writer) { w.compared(end, 3, 1<<2, []ID{named(9)}) }), true, nil},
	} {
		r := NewRanges(&ID{1}, ids, Limits{})
		if tt.initiator {
			r.Initiate()
		}
		if _, err := r.Respond(tt.message); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
		if tt.initiator && tt.want == nil && (!r.Done() || !slices.Equal(r.Have(), ids[2:]) || !slices.Equal(r.Need(), []ID{named(9)})) {
			t.Errorf("%s: done %t, to give %x, to take %x", tt.name, r.Done(), r.Have(), r.Need())
		}
	}
}

// One who tells the same again, or never agrees, is given up.
func TestLiesAboutRanges(t *testing.T) {
	rnd := rand.New(rand.NewPCG(11, 11))
	a, _ := pair(rnd, 10_000, 0, 0)
	end := border{end: true}
	answer := func(r *Ranges, f func(w *writer)) error {
		for range MaxRounds + 1 {
			var w writer
			f(&w)
			if _, err := r.Respond(w.b); err != nil {
				return err
			}
		}
		return nil
	}
	never := func(w *writer) { w.fingerprint(end, [rangeSum]byte{1}) }
	for _, initiator := range []bool{true, false} {
		r := NewRanges(&ID{1}, Sorted(a), Limits{})
		if initiator {
			r.Initiate()
		}
		if err := answer(r, never); !errors.Is(err, ErrLimit) {
			t.Errorf("never agreeing, we began %t: %v", initiator, err)
		}
	}
	again := func(w *writer) {
		w.list(exactly(a[0]), 1)
		w.id(ID{})
		w.fingerprint(end, [rangeSum]byte{1})
	}
	r := NewRanges(&ID{1}, Sorted(a), Limits{})
	r.Initiate()
	if err := answer(r, again); !errors.Is(err, ErrRepeat) {
		t.Errorf("the same id again: %v", err)
	}
	all := func(w *writer) { w.compared(end, 10_000, 0, nil) }
	r = NewRanges(&ID{1}, Sorted(a), Limits{})
	r.Initiate()
	if err := answer(r, all); !errors.Is(err, ErrMismatch) {
		t.Errorf("an answer to what was not listed: %v", err)
	}
}

// FuzzRanges gives both roles a message of anybody's. No answer is longer than
// its limit, and it is one that the other role can read.
func FuzzRanges(f *testing.F) {
	rnd := rand.New(rand.NewPCG(12, 12))
	x, y := pair(rnd, 500, 30, 30)
	r := NewRanges(&ID{1}, Sorted(x), Limits{})
	reply, err := NewRanges(&ID{1}, Sorted(y), Limits{}).Respond(r.Initiate())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(reply, reply)
	f.Add([]byte{0}, []byte{byte(modeList) << 6, 0})
	f.Add(NewRanges(&ID{1}, Sorted(x[:5]), Limits{}).Initiate(), append([]byte{byte(modeCompared) << 6}, make([]byte, 64)...))
	f.Fuzz(func(t *testing.T, one, two []byte) {
		limits := Limits{Message: MinMessage}
		for _, begins := range []bool{true, false} {
			r := NewRanges(&ID{1}, Sorted(x), limits)
			if begins {
				r.Initiate()
			}
			for _, message := range [][]byte{one, two} {
				reply, err := r.Respond(message)
				if err != nil || r.Done() {
					break
				}
				if len(reply) > MinMessage {
					t.Errorf("a reply has %d bytes", len(reply))
				}
				other := NewRanges(&ID{1}, Sorted(y), limits)
				other.initiator = !begins
				if _, err := other.Respond(reply); err != nil && !errors.Is(err, ErrMismatch) {
					t.Errorf("the reply %x cannot be read: %v", reply, err)
				}
			}
			if n := len(r.Have()) + len(r.Need()); n > len(r.seen) || n > len(x)+(len(one)+len(two))/len(ID{}) {
				t.Errorf("%d ids found in %d bytes", n, len(one)+len(two))
			}
		}
	})
}
