package notary

import (
	"bytes"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/directory/bundle"
	"github.com/culvert-net/culvert/mesh/world"
)

// price gives sheets to some signers.
func (m *meeting) price(t *testing.T, sheets [][]byte, who ...int) {
	t.Helper()
	for _, i := range who {
		if res := m.signers[i].set.AddSheets(sheets, false, time.Now()); res.Added != len(sheets) {
			t.Fatalf("signer %d: %+v", i, res)
		}
	}
}

// A sheet that one signer knows is in the bundle of all, once, whoever proposes,
// and it is still there after that one has lost it.
func TestSheetsAreInTheBundle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := meet(t, 3, 3)
		sheets := [][]byte{[]byte("current"), []byte("next")}
		for round, proposer := range []int{2, 1} {
			epoch := m.Epoch(time.Now())
			m.know(m.Priced(t, 0, epoch, 1, sheets, "m"), time.Now(), 0, 1, 2)
			m.know(m.Priced(t, 1, epoch, 1, sheets[:1], "m"), time.Now(), 0, 1, 2)
			if round == 0 {
				m.price(t, sheets, 0)
			}
			time.Sleep(grace(m.World.World) + time.Second)
			if err := m.signers[proposer].Propose(t.Context(), time.Now()); err != nil {
				t.Fatal(err)
			}
			first := m.signers[0].store.Newest()
			for i, s := range m.signers {
				b := s.store.Newest()
				if !bytes.Equal(b.Encode(), first.Encode()) || !slices.EqualFunc(b.Sheets(), sheets, bytes.Equal) {
					t.Errorf("round %d: the bundle of signer %d has sheets %q", round, i, b.Sheets())
				}
			}
			// Started anew with an empty set, it knows them by the bundle.
			m.signers[0].set = directory.NewSet(m.World.World)
			m.start(t, 0, 1)
			m.signers[0].remember(time.Now())
			if n := len(m.signers[0].set.Snapshot().Sheets()); n != 2 {
				t.Errorf("round %d: %d sheets remembered", round, n)
			}
			time.Sleep(m.EpochLen())
		}
	})
}

// What no node names, or is more than one sheet, no signer signs; and none signs a
// bundle that leaves a sheet out.
func TestSheetsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := meet(t, 2, 2)
		epoch := m.Epoch(time.Now())
		mine := []byte("mine")
		ds := m.Priced(t, 0, epoch, 1, [][]byte{mine}, "m")
		m.know(ds, time.Now(), 0, 1)
		m.price(t, [][]byte{mine}, 1)
		time.Sleep(grace(m.World.World) + time.Second)
		ask := func(sheets ...[]byte) answer {
			all := [][]byte{bundle.Descriptor(ds[0].Canonical())}
			for _, b := range sheets {
				all = append(all, bundle.Sheet(b))
			}
			l, err := bundle.NewLeaves(all)
			if err != nil {
				t.Fatal(err)
			}
			root := bundle.Root{World: m.ID, Epoch: epoch, Count: uint32(l.Len()), Leaves: l.Merkle(), Time: uint64(time.Now().UnixMilli())}
			d := draft{SignedRoot: bundle.SignedRoot{Root: root}, leaves: l}
			q := request{kind: requestReview, world: m.ID, proposal: d.proposal(), bodies: l.All()}
			a, err := decodeAnswer(m.signers[1].Answer(q.encode(), time.Now()))
			if err != nil {
				t.Fatal(err)
			}
			return a
		}
		if a := ask(mine); a.kind != answerWould {
			t.Errorf("as it should be: answer %d, %v", a.kind, a.reason)
		}
		if a := ask(mine, []byte("nobody's")); a.kind != answerRefused || a.reason != refusedContent {
			t.Errorf("with a sheet that nobody names: answer %d, %v", a.kind, a.reason)
		}
		if a := ask(); a.kind != answerLacking || len(a.lacking) != 1 || !bytes.Equal(a.lacking[0], bundle.Sheet(mine)) {
			t.Errorf("without the sheet: answer %d, lacking %q", a.kind, a.lacking)
		}
		// A sheet that is too large is no leaf at all.
		large := bundle.Sheet(make([]byte, directory.MaxSheet+1))
		p := proposal{SignedRoot: bundle.SignedRoot{Root: bundle.Root{World: m.ID, Epoch: epoch, Count: 1, Time: uint64(time.Now().UnixMilli())}}, leaves: []world.Hash{bundle.LeafHash(large)}}
		q := request{kind: requestReview, world: m.ID, proposal: p, bodies: [][]byte{large}}
		if a, err := decodeAnswer(m.signers[1].Answer(q.encode(), time.Now())); err != nil || a.reason != refusedContent {
			t.Errorf("too large: answer %d, %v, %v", a.kind, a.reason, err)
		}
	})
}
