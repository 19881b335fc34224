//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/culvert-net/culvert/internal/app/books"
)

// Yesterday's copy of a ledger is put back, by each side in turn. The bridge learns by
// itself what it has forgotten, and both have the same books again. The provider signs
// nothing any more on the channel, whose rounds it may have forgotten, and still gets
// what it was promised; a channel that is bought anew works.
func TestYesterdaysCopy(t *testing.T) {
	t.Parallel()
	s := openStall(t)
	s.restart("provider-1", patient()...)
	r := routes()
	s.pay("", r[0])
	s.settled()

	s.putBack("bridge", func() {
		s.pay("", r[1])
		s.pay("", r[2])
		s.settled()
	})
	eventually(t, patience, "the bridge pays again", func() error { return s.tries(r[0]) })
	s.settled()

	s.putBack("provider-1", func() {
		s.pay("", r[1])
		s.pay("", r[2])
		s.settled()
	}, patient()...)
	promised := s.channel("").Promised
	for range 3 {
		if err := s.tries(r[0]); err == nil {
			t.Fatal("a provider that has forgotten rounds of the channel answers on it")
		}
	}
	if c := s.channel(""); c.Spent != s.spent || c.Promised.Less(promised) {
		t.Errorf("refused requests were paid: %+v; the receipts say %v", c, s.spent)
	}
	e := s.earnings()
	if e.Unclaimed.Less(s.spent) || s.channel("").Promised.Less(e.Unclaimed) {
		t.Errorf("the provider can claim %v; %v was spent, and %v promised", e.Unclaimed, s.spent, s.channel("").Promised)
	}
	if done := s.deal("provider-1", "claim"); done.Amount != e.Unclaimed {
		t.Errorf("%v is claimed of %v", done.Amount, e.Unclaimed)
	}
}

// tries is pay for what may be refused, which then costs nothing.
func (s *stall) tries(r route) error {
	s.t.Helper()
	s.asked++
	p, err := s.buy("", r, fmt.Sprintf("%s%04d", s.mark, s.asked))
	if err == nil {
		s.receipts[p.receipt], s.spent = p.cost, s.sum(s.spent, p.cost)
	}
	return err
}

// putBack copies a node's ledger, has something happen, and puts the copy back.
func (s *stall) putBack(node string, meanwhile func(), flags ...string) {
	s.t.Helper()
	file := filepath.Join(s.Dirs[node], books.File)
	s.killed(node)
	old, err := os.ReadFile(file)
	if err != nil {
		s.t.Fatal(err)
	}
	s.begin(node, flags...)
	s.settled() // and both have read the chain
	meanwhile()
	s.killed(node)
	if err := os.WriteFile(file, old, 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.begin(node, flags...)
}
