package selling

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/directory/dirtest"
)

// shop is a seller with what it is told.
type shop struct {
	*Seller
	t       *testing.T
	cfg     Config
	dir     string
	now     time.Time
	unit    ledger.Amount
	offered []string
	changes int
}

func open(t *testing.T, prices string) *shop {
	t.Helper()
	key, err := ledger.KeyOfBytes([32]byte{31: 7})
	if err != nil {
		t.Fatal(err)
	}
	s := &shop{t: t, dir: t.TempDir(), now: time.Unix(1_800_000_000, 0), unit: ledger.Wei(1_000_000), offered: []string{"a"}}
	w := *dirtest.New(t, time.Hour, 1, 1).World
	w.Sandbox = false
	s.cfg = Config{
		World: &w, Key: key, Domain: ledger.Domain{ChainID: 31337, Contract: ledger.Address{1}},
		Unit:    func() (ledger.Amount, bool) { return s.unit, !s.unit.IsZero() },
		Offered: func() []string { return s.offered },
		List:    filepath.Join(s.dir, ListFile), File: filepath.Join(s.dir, SheetsFile),
		Changed: func() { s.changes++ },
	}
	s.write(prices)
	s.restart()
	return s
}

func (s *shop) write(prices string) {
	s.t.Helper()
	if err := os.WriteFile(s.cfg.List, []byte(prices), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shop) restart() {
	s.t.Helper()
	var err error
	if s.Seller, err = Open(s.cfg); err != nil {
		s.t.Fatal(err)
	}
}

// after steps so much later.
func (s *shop) after(d time.Duration) {
	s.now = s.now.Add(d)
	s.Step(s.now)
}

// sheets are the sequences of the sheets that are named, in the order of time.
func (s *shop) sheets() (out []uint64) {
	s.t.Helper()
	for _, h := range s.Named() {
		raw, ok := s.Sheet(h)
		signed, err := ledger.DecodeSheet(raw)
		if !ok || err != nil || directory.SheetHash(raw) != h {
			s.t.Fatalf("a sheet that is named: %v", err)
		}
		if by, err := signed.Signer(s.cfg.Domain); err != nil || by != s.cfg.Key.Address() {
			s.t.Fatalf("signed by %v, %v", by, err)
		}
		out = append(out, signed.Sheet.Sequence)
	}
	return out
}

func (s *shop) want(what string, sequences ...uint64) {
	s.t.Helper()
	if got := s.sheets(); !slices.Equal(got, sequences) {
		s.t.Errorf("%s: sheets %v are named, want %v", what, got, sequences)
	}
}

const cheap = "[default]\ninput = \"0.2 gwei\"\noutput = \"0.8 gwei\"\n"

// A gateway without prices asks for nothing; with one it has a sheet, which is
// renewed before it ends, each a number further.
func TestSheetsAreRenewed(t *testing.T) {
	s := open(t, "")
	s.after(0)
	s.want("without prices")
	if s.Asks() || s.changes != 0 {
		t.Errorf("asks %v, %d changes", s.Asks(), s.changes)
	}
	s.write(cheap)
	s.after(time.Second)
	s.want("with prices", 1)
	first := s.kept[0]
	if !s.Asks() || s.changes != 1 || int64(first.ValidFrom) < s.now.Unix()+ledger.SheetNotice || first.Models[0].Cached != ledger.Wei(200_000_000) {
		t.Errorf("the first sheet: %+v, %d changes", first.Sheet, s.changes)
	}
	if _, ok := s.Accept(first.digest, s.now); ok {
		t.Error("a sheet is accepted before it holds")
	}
	seen := uint64(1)
	for range 4 * 72 { // three days in quarters of an hour
		s.after(15 * time.Minute)
		named := s.sheets()
		if len(named) == 0 || len(named) > 2 {
			t.Fatalf("at %v: %v are named", s.now, named)
		}
		if last := named[len(named)-1]; last != seen && last != seen+1 {
			t.Fatalf("sheet %d follows %d", last, seen)
		} else {
			seen = last
		}
		if !slices.ContainsFunc(s.kept, func(k sheet) bool { return holds(k, s.now) && slices.Contains(s.Named(), k.hash) }) {
			t.Fatalf("at %v no sheet that is named holds", s.now)
		}
		for _, k := range s.kept {
			if got, ok := s.Accept(k.digest, s.now); ok != holds(k, s.now) || ok && got.Sequence != k.Sequence {
				t.Fatalf("sheet %d is accepted: %v", k.Sequence, ok)
			}
		}
	}
	if seen < 3 || seen > 5 {
		t.Errorf("%d sheets in three days", seen)
	}
	s.write("")
	s.after(time.Second)
	s.want("free again")
}

// What changes is asked for by a next sheet, and what was promised for a time is
// kept.
// In a sandbox the first sheet holds at once: who tries it out does not wait.
func TestSandboxDoesNotWait(t *testing.T) {
	s := open(t, cheap)
	s.cfg.World.Sandbox = true
	s.restart()
	s.after(time.Second)
	named := s.Named()
	if len(named) != 1 {
		t.Fatalf("%d sheets", len(named))
	}
	if k := s.kept[0]; k.ValidFrom != uint64(s.now.Unix()) {
		t.Errorf("it begins at %d, now is %d", k.ValidFrom, s.now.Unix())
	}
}

func TestSheetsFollowChanges(t *testing.T) {
	s := open(t, cheap)
	s.after(0)
	s.after(2 * time.Minute)
	s.want("at first", 1)
	old := s.kept[0]
	for i, change := range []func(){
		func() { s.write(strings.Replace(cheap, "0.8", "0.9", 1)) },
		func() { s.unit = ledger.Wei(2_000_000) },
		func() { s.offered = append(s.offered, "b") },
		func() { s.write(cheap + "[models.c]\ninput=\"1\"\noutput=\"2\"\n") },
	} {
		change()
		s.after(time.Second)
		s.want("after a change", 1, uint64(2+i))
		s.after(time.Second)
		s.want("and without one", 1, uint64(2+i))
		last := s.kept[len(s.kept)-1]
		if want := s.now.Add(-time.Second).Add(3 * time.Hour).Unix(); int64(last.ValidFrom) != want {
			t.Errorf("it begins at %d, want three epochs ahead: %d", last.ValidFrom, want)
		}
	}
	s.offered = nil // its server is away
	s.after(time.Second)
	s.want("when nothing is served", 1, 5)
	s.after(4 * time.Hour)
	s.want("when the next one holds", 5)
	if _, ok := s.Accept(old.digest, s.now); !ok {
		t.Error("a sheet that holds is not accepted since there is a newer one")
	}
	last := s.kept[len(s.kept)-1]
	if last.UnitPrice != s.unit || len(last.Models) != 3 || last.Models[2].Output != ledger.Wei(2) {
		t.Errorf("the last sheet: %+v", last.Sheet)
	}
	s.unit, s.offered = ledger.Amount{}, []string{"a"}
	s.after(time.Second)
	if st := s.Status(); st.Problem != errUnit.Error() || st.Sequence != 5 || st.Models != 3 || st.ValidUntil.IsZero() {
		t.Errorf("without a price in the contract: %+v", st)
	}
	s.write("nonsense")
	s.after(time.Second)
	s.want("with a broken file", 5)
	if st := s.Status(); !strings.Contains(st.Problem, ListFile) {
		t.Errorf("with a broken file: %+v", st)
	}
	if _, err := Open(s.cfg); err == nil {
		t.Error("it starts with a broken file")
	}
}

// A restart, or a disk that is full, neither skips nor repeats a number.
func TestSheetsSurvive(t *testing.T) {
	s := open(t, cheap)
	s.after(0)
	hash := s.Named()[0]
	s.restart()
	s.after(time.Second)
	s.want("after a restart", 1)
	if raw, ok := s.Sheet(hash); !ok || len(raw) == 0 {
		t.Error("the sheet is another one")
	}
	id := s.id
	// A file cannot be written where there is a directory that is not empty.
	file := s.cfg.File
	s.Seller.cfg.File = filepath.Join(s.dir, "gone", SheetsFile)
	s.unit = ledger.Wei(5)
	s.after(time.Second)
	s.want("when it cannot be kept", 1)
	if s.Status().Problem == "" {
		t.Error("nobody is told")
	}
	s.Seller.cfg.File = file
	s.after(time.Second)
	s.want("when it can again", 1, 2)
	s.restart()
	s.after(time.Second)
	s.want("after another restart", 1, 2)
	if s.id != id {
		t.Error("the series has another id")
	}
	// With another key, or a damaged file, another series begins.
	other, err := ledger.KeyOfBytes([32]byte{31: 8})
	if err != nil {
		t.Fatal(err)
	}
	s.cfg.Key = other
	s.restart()
	s.after(time.Second)
	s.want("with another key", 1)
	if s.id == id {
		t.Error("two providers have one series")
	}
	id = s.id
	if err := os.WriteFile(file, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.restart()
	s.after(time.Second)
	s.want("after damage", 1)
	if s.id == id {
		t.Error("a number was used for two sheets of a series")
	}
}

// However often prices change, what is kept is bounded.
func TestSheetsAreBounded(t *testing.T) {
	s := open(t, cheap)
	for n := range uint64(3 * maxKept) {
		s.unit = ledger.Wei(1000 + n)
		s.after(time.Second)
	}
	if len(s.kept) != maxKept || s.last != 3*maxKept {
		t.Errorf("%d kept of %d", len(s.kept), s.last)
	}
	var many []string
	for i := range 2 * ledger.MaxModels {
		many = append(many, strings.Repeat("m", 1+i%100)+string(rune('a'+i/100)))
	}
	s.offered = append(many, "not nameable", strings.Repeat("x", 500))
	s.after(time.Second)
	s.restart()
	if last := s.kept[len(s.kept)-1]; len(last.Models) != ledger.MaxModels || s.last != 3*maxKept+1 {
		t.Errorf("%d models on sheet %d", len(last.Models), s.last)
	}
}

func TestList(t *testing.T) {
	l, err := ParseList([]byte(cheap + "[models.\"a\\\"b\\\\c\"]\ninput=\"1\"\ncached=\"2\"\noutput=\"3 gwei\"\nreasoning=\"4\"\nimage=\"1 eth\"\nminimum=\"6\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := ledger.ModelPrice{
		Model: `a"b\c`, Input: ledger.Wei(1), Cached: ledger.Wei(2), Output: ledger.Wei(3_000_000_000),
		Reasoning: ledger.Wei(4), Image: ledger.Wei(1_000_000_000_000_000_000), Minimum: ledger.Wei(6),
	}
	if got, ok := l.Of(want.Model); !ok || got != want {
		t.Errorf("Of = %+v, want %+v", got, want)
	}
	if got, ok := l.Of("other"); !ok || got.Cached != got.Input || !got.Reasoning.IsZero() {
		t.Errorf("by default: %+v, %v", got, ok)
	}
	path := filepath.Join(t.TempDir(), ListFile)
	if err := l.Write(path); err != nil {
		t.Fatal(err)
	}
	if back, err := ReadList(path); err != nil || !reflect.DeepEqual(back, l) {
		t.Errorf("written and read: %+v, %v", back, err)
	}
	for name, text := range map[string]string{
		"unknown key":        cheap + "speed = \"1\"",
		"unknown section":    "[other]\ninput = \"1\"",
		"no output":          "[default]\ninput = \"1\"",
		"no amount":          "[default]\ninput = \"a lot\"\noutput = \"1\"",
		"a fraction":         "[default]\ninput = \"0.5\"\noutput = \"1\"",
		"below zero":         "[default]\ninput = \"-1\"\noutput = \"1\"",
		"a name with spaces": "[models.\"a b\"]\ninput = \"1\"\noutput = \"1\"",
		"an empty name":      "[models.\"\"]\ninput = \"1\"\noutput = \"1\"",
		"too large":          strings.Repeat("#", maxList+1),
		"no file of prices":  "<html>",
	} {
		if l, err := ParseList([]byte(text)); err == nil {
			t.Errorf("%s: %+v", name, l)
		}
	}
}

// FuzzList feeds files of prices: what is read is written and read the same.
func FuzzList(f *testing.F) {
	f.Add(cheap)
	f.Add("[models.\"a\\\"b\\\\c\"]\ninput=\"1\"\noutput=\"1.5 eth\"\nminimum=\"0\"\n")
	f.Fuzz(func(t *testing.T, text string) {
		l, err := ParseList([]byte(text))
		if err != nil {
			return
		}
		back, err := ParseList(l.text())
		if err != nil || !bytes.Equal(back.text(), l.text()) {
			t.Errorf("%q is written as %q, which is read as %+v, %v", text, l.text(), back, err)
		}
	})
}

// FuzzSheets feeds what is in sheets.db: no panic, and nobody else's sheet.
func FuzzSheets(f *testing.F) {
	key, err := ledger.KeyOfBytes([32]byte{31: 7})
	if err != nil {
		f.Fatal(err)
	}
	cfg := Config{Key: key, Domain: ledger.Domain{ChainID: 1}}
	signed, err := ledger.Sheet{UnitPrice: ledger.Wei(1), Models: []ledger.ModelPrice{{Model: "m"}}, ValidUntil: 9}.Sign(cfg.Domain, key)
	if err != nil {
		f.Fatal(err)
	}
	s := &Seller{cfg: cfg, last: 3}
	s.kept = []sheet{s.makeSheet(signed)}
	f.Add(s.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		s := &Seller{cfg: cfg}
		if s.decode(b) == nil && !bytes.Equal(s.encode(), b) {
			t.Errorf("%x decodes and encodes to something else", b)
		}
	})
}

// A provider of the market whose file of prices is missing or empty gives nothing
// away: what it published holds to its end, then nothing is offered. Free it is by its
// word only.
func TestUnsaidIsNotFree(t *testing.T) {
	s := open(t, "")
	sells := false
	s.cfg.Sells = func() bool { return sells }
	s.restart()
	s.after(0)
	if s.Asks() || s.Status().Problem != "" {
		t.Errorf("nobody could have bought: %+v", s.Status())
	}
	sells = true
	s.after(time.Minute)
	if !s.Asks() || len(s.Named()) > 0 || !strings.Contains(s.Status().Problem, "gateway price free") {
		t.Errorf("in the market, with an empty file: %+v", s.Status())
	}
	s.write("free = true\n")
	s.after(time.Minute)
	if s.Asks() || s.Status().Problem != "" {
		t.Errorf("free by its word: %+v", s.Status())
	}
	s.write("[default]\ninput = \"1 gwei\"\noutput = \"2 gwei\"\n")
	s.after(time.Minute)
	if !s.Asks() || len(s.sheets()) != 1 || s.Status().Problem != "" {
		t.Fatalf("with a price: %+v", s.Status())
	}
	if err := os.Remove(s.cfg.List); err != nil {
		t.Fatal(err)
	}
	s.after(time.Minute)
	if !s.Asks() || len(s.sheets()) != 1 || s.Status().Problem == "" {
		t.Errorf("the file is gone, and the sheet holds: %+v", s.Status())
	}
	s.after(48 * time.Hour)
	if !s.Asks() || len(s.Named()) > 0 {
		t.Errorf("the file is gone, and the sheet is over: %+v", s.Status())
	}
	s.restart()
	if !s.Asks() {
		t.Error("free after a restart")
	}
	if _, err := ParseList([]byte("free = true\n[default]\ninput = \"1\"\noutput = \"2\"\n")); err == nil {
		t.Error("a list is free and has a price")
	}
}
