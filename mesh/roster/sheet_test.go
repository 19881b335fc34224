package roster

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/culvert-net/culvert/mesh/world"
)

// sampleSheet is a petition to found a world in which two of three decide.
func sampleSheet(tb testing.TB) *Sheet {
	w, founders := testWorld(tb, spec{n: 3, m: 2, t: 2})
	p := founders[0]
	s := &Sheet{World: w, Petition: Petition{p.Key, Change{Kind: Add, Member: p.Member}}}
	if err := s.Approve(p.key, start()); err != nil {
		tb.Fatal(err)
	}
	return s
}

// sent is a sheet as it comes out of its file.
func sent(t *testing.T, s *Sheet) *Sheet {
	t.Helper()
	text, err := s.Format()
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseSheet(text)
	if err != nil {
		t.Fatal(err)
	}
	return &got
}

// A world is founded by founders whose keys never meet.
func TestFoundBySheet(t *testing.T) {
	w, founders := testWorld(t, spec{n: 3, m: 2, t: 2})
	s := sampleSheet(t)
	if n := s.Missing(start()); n != 1 || !s.Founds() {
		t.Errorf("Missing = %d, Founds = %v; want 1 and true", n, s.Founds())
	}
	found := func(s *Sheet) error {
		c := s.Petition.Change
		_, _, _, err := Found(Founding{World: *w, Members: []Member{c.Member}, Proposer: founders[0].key, Approvals: c.Approvals}, start())
		return err
	}
	if err := found(s); !errors.Is(err, ErrApproval) {
		t.Errorf("founding with one of two approvals = %v, want %v", err, ErrApproval)
	}
	if err := s.Approve(someone(20, "").key, start()); !errors.Is(err, ErrApproval) {
		t.Errorf("approving as a stranger = %v, want %v", err, ErrApproval)
	}
	b := sent(t, s)
	if err := b.Approve(founders[1].key, start()); err != nil {
		t.Fatal(err)
	}
	if err := b.Approve(founders[1].key, start()); err != nil || len(b.Petition.Change.Approvals) != 2 {
		t.Errorf("approving twice: %v, %d approvals; want 2", err, len(b.Petition.Change.Approvals))
	}
	if err := s.Merge(*sent(t, b)); err != nil || s.Missing(start()) != 0 {
		t.Fatalf("Merge: %v, %d missing", err, s.Missing(start()))
	}
	if n := s.Missing(start().Add(ApprovalLife + 2*time.Hour)); n != 2 {
		t.Errorf("Missing after a week = %d, want 2", n)
	}
	if err := found(s); err != nil {
		t.Error(err)
	}
}

// Approvals are for what stands in the sheet and nothing else.
func TestSheetsDiffer(t *testing.T) {
	s, other := sampleSheet(t), sampleSheet(t)
	other.Petition.Change.Member.Operator = "somebody"
	if err := s.Merge(*other); err == nil {
		t.Error("approvals of one change were taken for another")
	}
	if n := other.Missing(start()); n != 2 {
		t.Errorf("Missing = %d after the change was edited, want 2", n)
	}
	other = sampleSheet(t)
	other.Standing = world.Hash{1}
	if n := other.Missing(start()); n != 2 {
		t.Errorf("Missing = %d with another standing, want 2", n)
	}
}

func TestParseSheet(t *testing.T) {
	text, err := sampleSheet(t).Format()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ from, to, want string }{
		{"petition_format = 1", "petition_format = 2", "format 1"},
		{"petition_format = 1", "petition_format = 1\nmore = 1", "more: unknown key"},
		{`petition = "`, `petition = "00`, "petition"},
		{`standing = "0`, `standing = "`, "standing"},
		{"epoch_len_ms = 3600000", "epoch_len_ms = 7200000", "world"},
	} {
		changed := strings.Replace(string(text), tt.from, tt.to, 1)
		if changed == string(text) {
			t.Fatalf("%q is not in the file:\n%s", tt.from, text)
		}
		if _, err := ParseSheet([]byte(changed)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q for %q: %v, want %q", tt.to, tt.from, err, tt.want)
		}
	}
	if _, err := ParseSheet(make([]byte, MaxSheetFile+1)); err == nil {
		t.Error("a file without end was read")
	}
}
