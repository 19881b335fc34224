package directory

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/culvert-net/culvert/mesh/world"
)

// priced is the n-th node, a provider of a model that names sheets.
func priced(t testing.TB, w *world.World, n int, now time.Time, sheets ...[]byte) Node {
	t.Helper()
	node := testNode(t, w, n, now, "m")
	for _, b := range sheets {
		node.Prices = append(node.Prices, SheetHash(b))
	}
	if len(sheets) > 0 {
		node.Pay = []Pay{{ChainID: 31337, Contract: [20]byte{0xc}, Provider: [20]byte{byte(n)}}}
	}
	return node
}

// sheetOf is a sheet of so many bytes.
func sheetOf(n, size int) []byte {
	b := fmt.Appendf(nil, "sheet %04d ", n)
	return append(b, bytes.Repeat([]byte{byte(n)}, max(0, size-len(b)))...)
}

// with is a set that knows nodes, of now's epoch.
func with(t testing.TB, w *world.World, now time.Time, nodes ...Node) *Set {
	t.Helper()
	s := NewSet(w)
	for i, n := range nodes {
		if res := s.Add(build(t, w, i+1, now, 1, n), now); res.Added == 0 {
			t.Fatalf("node %d: %+v", i+1, res)
		}
	}
	return s
}

// What a node says of payment is said by its descriptors, and shown.
func TestNodeSaysHowItIsPaid(t *testing.T) {
	w := testWorld(t)
	one, two := sheetOf(1, 300), sheetOf(2, 300)
	want := priced(t, w, 1, at, one, two)
	want.Pay = append(want.Pay, Pay{ChainID: 1, Contract: [20]byte{9}, Provider: [20]byte{8}})
	s := with(t, w, at, want, testNode(t, w, 2, at, "m"))
	got, ok := s.Snapshot().Node(publicOf(testKey(1)))
	slices.SortFunc(want.Prices, compareHash)
	if !ok || !slices.Equal(got.Prices, want.Prices) || len(got.Pay) != 2 || got.Pay[0] != want.Pay[1] || got.Pay[1] != want.Pay[0] || !got.Priced() {
		t.Errorf("prices %v, pay %v", got.Prices, got.Pay)
	}
	if free, _ := s.Snapshot().Node(publicOf(testKey(2))); free.Priced() {
		t.Error("a node that names no sheet asks to be paid")
	}
	three := priced(t, w, 3, at, one, two, sheetOf(3, 300))
	if _, err := Build(testKey(3), w.ID, w.Epoch(at), 1, three); !errors.Is(err, ReasonContact) {
		t.Errorf("three sheets: %v", err)
	}
}

// A set takes the sheets that its descriptors name, and no others.
func TestAddSheets(t *testing.T) {
	w := testWorld(t)
	mine, next, shared := sheetOf(1, 300), sheetOf(2, MaxSheet), sheetOf(3, 100)
	large := sheetOf(4, MaxSheet+1)
	s := with(t, w, at, priced(t, w, 1, at, mine, next), priced(t, w, 2, at, shared), priced(t, w, 3, at, shared, large))
	wrong := bytes.Clone(mine)
	wrong[0] ^= 1
	res := s.AddSheets([][]byte{mine, wrong, large, nil, next, mine, shared}, false, at)
	if res.Added != 3 || res.Known != 1 || !slices.Equal(res.New, []int{0, 4, 6}) {
		t.Errorf("taken: %+v", res)
	}
	if want := []Refusal{{1, ReasonSheet}, {2, ReasonSheet}, {3, ReasonSheet}}; !slices.Equal(res.Refused, want) {
		t.Errorf("refused %v, want %v", res.Refused, want)
	}
	mine[0] = 'X' // the set has its own
	snap := s.Snapshot()
	if got, ok := snap.Sheet(SheetHash(sheetOf(1, 300))); !ok || !bytes.Equal(got, sheetOf(1, 300)) || len(snap.Sheets()) != 3 {
		t.Errorf("shown: %q, %v, %d in all", got, ok, len(snap.Sheets()))
	}
	if _, ok := snap.Sheet(SheetHash(wrong)); ok {
		t.Error("a sheet that nobody names is shown")
	}

	// One that is named no more is dropped; one that another still names is not.
	if res := s.Add(build(t, w, 1, at, 2, priced(t, w, 1, at, next)), at); res.Added != 1 {
		t.Fatalf("%+v", res)
	}
	if res := s.Add(build(t, w, 2, at, 2, priced(t, w, 2, at)), at); res.Added != 1 {
		t.Fatalf("%+v", res)
	}
	snap = s.Snapshot()
	if _, ok := snap.Sheet(SheetHash(shared)); !ok || len(snap.Sheets()) != 2 {
		t.Errorf("%d sheets after two of three were named no more by one", len(snap.Sheets()))
	}
	// A key that contradicted itself names nothing.
	other := priced(t, w, 3, at, shared)
	other.Addrs = []string{"/ip4/127.9.9.9/tcp/1"}
	s.Add(build(t, w, 3, at, 1, other), at)
	if n := len(s.Snapshot().Sheets()); n != 1 {
		t.Errorf("%d sheets, want that of node 1 alone", n)
	}
	// Nor do epochs that are over.
	s.Advance(at.Add(3 * w.EpochLen()))
	if n := len(s.Snapshot().Sheets()); n != 0 || s.sheets.size != 0 || len(s.sheets.names) != 0 {
		t.Errorf("%d sheets, %d bytes and %d names are left of what is over", n, s.sheets.size, len(s.sheets.names))
	}
}

// Two descriptors of one seq that name different sheets contradict each other.
func TestSheetsContradict(t *testing.T) {
	w := testWorld(t)
	s := with(t, w, at, priced(t, w, 1, at, sheetOf(1, 100)))
	res := s.Add(build(t, w, 1, at, 1, priced(t, w, 1, at, sheetOf(2, 100))), at)
	if len(res.Refused) != 1 || res.Refused[0].Reason != ReasonEquivocal {
		t.Errorf("%+v, want an equivocation", res)
	}
}

// The whole is bounded: strangers fill half of what a set holds, and a bundle has
// room for so much, those that stood in the last one first.
func TestSheetsAreBounded(t *testing.T) {
	w := testWorld(t)
	many := maxHeldSheets/2/(2*MaxSheet) + 3 // nodes with two of the largest
	old := priced(t, w, 1, at.Add(-w.EpochLen()), sheetOf(9000, MaxSheet))
	s := NewSet(w)
	s.Add(build(t, w, 1, at.Add(-w.EpochLen()), 1, old), at)
	refused := 0
	for n := 2; n < many+2; n++ {
		a, b := sheetOf(2*n, MaxSheet), sheetOf(2*n+1, MaxSheet)
		s.Add(build(t, w, n, at, 1, priced(t, w, n, at, a, b)), at)
		for _, r := range s.AddSheets([][]byte{a, b}, false, at).Refused {
			if r.Reason != ReasonFull {
				t.Fatalf("refused: %v", r.Reason)
			}
			refused++
		}
	}
	if refused == 0 || s.sheets.size > maxHeldSheets/2 {
		t.Errorf("%d refused, %d bytes held", refused, s.sheets.size)
	}
	// Who stood in the epoch before finds room all the same.
	mine := sheetOf(9001, MaxSheet)
	s.Add(build(t, w, 1, at, 1, priced(t, w, 1, at, mine)), at)
	if res := s.AddSheets([][]byte{mine}, false, at.Add(time.Second)); res.Added != 1 {
		t.Errorf("an old node's sheet: %+v", res)
	}
	epoch := w.Epoch(at)
	live := s.Live(epoch, nil)
	c := s.ReadContent(epoch, live)
	chosen := s.LiveSheets(c, nil)
	size := 0
	for _, b := range chosen {
		size += len(b) + 1
	}
	if size > maxSheets || size < maxSheets-MaxSheet-1 || slices.ContainsFunc(chosen, func(b []byte) bool { return bytes.Equal(b, mine) }) {
		t.Errorf("%d sheets of %d bytes in a bundle for %d", len(chosen), size, maxSheets)
	}
	before := s.ReadContent(epoch, live, mine)
	if chosen := s.LiveSheets(c, before); !bytes.Equal(chosen[0], mine) {
		t.Error("a sheet that stood in the bundle before does not come first")
	}
	// A full bundle lacks nothing but what stood in the one before.
	full := s.ReadContent(epoch, live, chosen...)
	if got := s.LackingSheets(full, nil, at.Add(time.Hour)); len(got) != 0 {
		t.Errorf("a full bundle lacks %d sheets", len(got))
	}
	if got := s.LackingSheets(full, before, at.Add(time.Hour)); len(got) != 1 || !bytes.Equal(got[0], mine) {
		t.Errorf("a bundle that dropped a sheet for a newcomer's lacks %d", len(got))
	}
}

// A bundle shows the sheets of those who stand in it, and lacks what it leaves out.
func TestSheetsOfABundle(t *testing.T) {
	w := testWorld(t)
	epoch := w.Epoch(at)
	one, two := sheetOf(1, 100), sheetOf(2, 100)
	s := with(t, w, at, priced(t, w, 1, at, one), priced(t, w, 2, at, two, one))
	if res := s.AddSheets([][]byte{one, two}, false, at); res.Added != 2 {
		t.Fatalf("%+v", res)
	}
	live := s.Live(epoch, nil)
	sheets := s.LiveSheets(s.ReadContent(epoch, live), nil)
	if len(sheets) != 2 {
		t.Fatalf("%d sheets in the bundle, want each once", len(sheets))
	}
	c := ReadContent(w, epoch, live, nil, sheets...)
	v := NewView(w)
	v.Show(c)
	if got, ok := v.Snapshot().Sheet(SheetHash(two)); !ok || !bytes.Equal(got, two) || c.LeftOut() != 0 {
		t.Errorf("the view shows %q, %v; %d left out", got, ok, c.LeftOut())
	}
	if got := s.LackingSheets(c, nil, at); len(got) != 0 {
		t.Errorf("lacks %q", got)
	}
	short := ReadContent(w, epoch, live, nil, one)
	if got := s.LackingSheets(short, nil, at); len(got) != 1 || !bytes.Equal(got[0], two) {
		t.Errorf("lacks %q, want what was left out", got)
	}
	if got := s.LackingSheets(short, nil, at.Add(-time.Second)); len(got) != 0 {
		t.Errorf("lacks what came just now: %q", got)
	}
	for name, sheet := range map[string][]byte{"nobody's": sheetOf(3, 100), "too large": sheetOf(4, MaxSheet+1), "empty": nil} {
		if c := ReadContent(w, epoch, live, nil, one, sheet); c.LeftOut() != 1 || len(c.sheets) != 1 {
			t.Errorf("%s: %d left out, %d shown", name, c.LeftOut(), len(c.sheets))
		}
	}
	// A sheet of somebody whose descriptors do not stand is nobody's.
	if c := ReadContent(w, epoch, canonical(build(t, w, 1, at, 1, priced(t, w, 1, at, one))), nil, one, two); c.LeftOut() != 1 {
		t.Errorf("the sheet of one who left: %d left out", c.LeftOut())
	}
}
