package selling

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/sealed"
	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// SheetsFile is what a Seller made, in a gateway's data directory.
const SheetsFile = "sheets.db"

const sheetsMagic sealed.Magic = "CULVSHE\x01"

// Config is what a Seller needs. All but Log is required.
type Config struct {
	World  *world.World
	Key    *ledger.Key    // the provider's
	Domain ledger.Domain  // the market's
	Asset  ledger.Address // that it is paid in; zero is the chain's own currency

	// Unit is the provider's price in the contract; false while it is not known, and
	// then nothing new is made. It does not block.
	Unit func() (ledger.Amount, bool)

	// Sells reports whether clients may have bought from this provider: it is in the
	// market, or whether it is is not known yet. Then nothing is free that the list
	// does not say so of. It does not block; nil: they have not.
	Sells func() bool

	// Offered are the models that the gateway serves. It does not block.
	Offered func() []string

	List string // the file of prices
	File string // where sheets are kept

	// Changed is called when Named changed. It does not block.
	Changed func()

	Log *slog.Logger // nil discards
}

// Status is what an owner is shown.
type Status struct {
	Provider   ledger.Address `json:"provider"`
	Sequence   uint64         `json:"sequence"`             // of the last sheet; 0 for none yet
	ValidFrom  time.Time      `json:"valid_from,omitzero"`  // of it
	ValidUntil time.Time      `json:"valid_until,omitzero"` // of it
	Models     int            `json:"models"`               // on it
	Problem    string         `json:"problem,omitempty"`    // why there is no newer one
}

// Seller keeps a provider's price sheets current.
type Seller struct {
	cfg Config // immutable

	mu      sync.Mutex
	id      [16]byte     // of the series of sheets; guarded by mu
	last    uint64       // sequence of the last sheet of it; guarded by mu
	kept    []sheet      // oldest first, on disk; guarded by mu
	free    bool         // nothing is asked for; guarded by mu
	named   []world.Hash // as Changed was last told; guarded by mu
	problem string       // guarded by mu
	list    List         // as it last could be read; owned by Step
}

// sheet is one that was made.
type sheet struct {
	ledger.Sheet
	raw    []byte
	hash   world.Hash  // by which the directory names it
	digest ledger.Hash // by which rounds do
}

// Open reads what is asked for and what was made before. It starts nothing.
func Open(cfg Config) (*Seller, error) {
	if cfg.World == nil || cfg.Key == nil || cfg.Unit == nil || cfg.Offered == nil || cfg.List == "" || cfg.File == "" || cfg.Changed == nil {
		return nil, errors.New("selling: World, Key, Unit, Offered, List, File and Changed are required")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	s := &Seller{cfg: cfg}
	var err error
	// At the start a file that cannot be read is an error: what its owner wants to be
	// paid for must not be free meanwhile.
	if s.list, err = ReadList(cfg.List); err != nil {
		return nil, err
	}
	s.free = s.gratis()
	b, err := sealed.Read(cfg.File, sheetsMagic, cfg.World.ID, maxFile)
	if err == nil {
		err = s.decode(b)
	}
	switch {
	case err == nil:
		return s, nil
	case !errors.Is(err, fs.ErrNotExist):
		// A new series has a new id, so that no number is used for two sheets.
		cfg.Log.Warn("what this gateway asked for before is lost; rounds by it are refused until payers have the next sheet", "file", cfg.File, "err", err)
	}
	s.last, s.kept = 0, nil
	if _, err := rand.Read(s.id[:]); err != nil {
		return nil, fmt.Errorf("naming a series of price sheets: %w", err)
	}
	return s, nil
}

func (s *Seller) encode() []byte {
	b := postcard.AppendArray(nil, s.id[:])
	b = postcard.AppendUint(b, s.last)
	b = postcard.AppendUint(b, uint64(len(s.kept)))
	for _, k := range s.kept {
		b = postcard.AppendBytes(b, k.raw)
	}
	return b
}

// decode takes the sheets that are this provider's, of this market: with another
// key a new series begins.
func (s *Seller) decode(b []byte) error {
	d := postcard.NewDecoder(b)
	d.Array(s.id[:])
	s.last = d.U64()
	for range d.Count(1) {
		k, err := s.read(slices.Clone(d.Bytes()))
		if d.Err() == nil && err != nil {
			return err
		}
		s.kept = append(s.kept, k)
	}
	return d.Finish()
}

var errAnother = errors.New("it has a sheet of another provider or market")

func (s *Seller) read(raw []byte) (sheet, error) {
	signed, err := ledger.DecodeSheet(raw)
	if err != nil {
		return sheet{}, err
	}
	if by, err := signed.Signer(s.cfg.Domain); err != nil || by != s.cfg.Key.Address() {
		return sheet{}, errAnother
	}
	return s.makeSheet(signed), nil
}

func (s *Seller) makeSheet(signed ledger.SignedSheet) sheet {
	raw := signed.Bytes()
	return sheet{signed.Sheet, raw, directory.SheetHash(raw), signed.Sheet.Digest(s.cfg.Domain)}
}

// Run keeps the sheets current until ctx ends.
func (s *Seller) Run(ctx context.Context) error {
	for {
		s.Step(time.Now())
		timer := time.NewTimer(every)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// Step looks once, and makes a sheet if one is due. It is called by Run, or before
// Run.
func (s *Seller) Step(now time.Time) {
	list, err := ReadList(s.cfg.List)
	if err == nil {
		s.list = list
	}
	unit, known := s.cfg.Unit()
	models := s.list.models(s.cfg.Offered())
	free := s.gratis()
	s.mu.Lock()
	s.free = free
	if err == nil && !free && s.list.Unsaid() {
		err = ErrUnsaid
	}
	if err == nil && len(models) > 0 {
		err = s.renew(models, unit, known, now)
	}
	told := s.problem
	s.problem = ""
	if err != nil {
		s.problem = err.Error()
	}
	problem := s.problem
	named := s.choose(now)
	changed := !slices.Equal(named, s.named)
	s.named = named
	s.mu.Unlock()
	if problem != "" && problem != told {
		s.cfg.Log.Warn("prices are not brought up to date", "err", problem)
	}
	if changed {
		s.cfg.Changed()
	}
}

// gratis reports whether what is served costs nothing.
func (s *Seller) gratis() bool {
	return s.list.free() && (s.list.Free || s.cfg.Sells == nil || !s.cfg.Sells())
}

// ErrUnsaid says that a provider of the market has no prices, and has not said that
// it asks for none.
var ErrUnsaid = errors.New("no price is set, while this provider is in the market, or may be: what it sells is not given away because a file is missing. Run: gateway price set --input PRICE --output PRICE; or, if all is to be free: gateway price free")

// Why no sheet is made.
var (
	errUnit     = errors.New("this provider's price in the contract is not known, or is zero")
	errSequence = errors.New("the numbers of price sheets are used up")
)

// renew makes a sheet if the last one does not say what is asked, or ends soon. The
// caller holds mu.
func (s *Seller) renew(models []ledger.ModelPrice, unit ledger.Amount, known bool, now time.Time) error {
	if !known || unit.IsZero() {
		return errUnit
	}
	lead := s.lead()
	begin := now.Add(lead)
	if n := len(s.kept); n == 0 || !holds(s.kept[n-1], now) && !early(s.kept[n-1], now) {
		begin = now.Add(notice)  // nothing is known of us that would hold until then
		if s.cfg.World.Sandbox { // nobody there loses by an early one
			begin = now
		}
	} else if last := s.kept[n-1]; last.UnitPrice == unit && s.says(last, models) && now.Add(2*lead).Unix() < int64(last.ValidUntil) {
		return nil
	}
	if s.last+1 == 0 {
		return errSequence
	}
	made := ledger.Sheet{
		ID: s.id, Sequence: s.last + 1, Asset: s.cfg.Asset, UnitPrice: unit, Models: models,
		ValidFrom: uint64(begin.Unix()), ValidUntil: uint64(begin.Add(s.life()).Unix()),
	}
	if err := made.CheckNew(uint64(min(now.Unix(), begin.Add(-notice).Unix()))); err != nil {
		return err
	}
	signed, err := made.Sign(s.cfg.Domain, s.cfg.Key)
	if err != nil {
		return err
	}
	before, lastBefore := s.kept, s.last
	s.kept = slices.DeleteFunc(slices.Clone(s.kept), func(k sheet) bool { return int64(k.ValidUntil) <= now.Unix() })
	s.kept = append(s.kept, s.makeSheet(signed))
	s.kept = s.kept[max(0, len(s.kept)-maxKept):]
	s.last++
	// On the disk before anybody hears of it: a number is never used again.
	if err := sealed.Write(s.cfg.File, sheetsMagic, s.cfg.World.ID, s.encode()); err != nil {
		s.kept, s.last = before, lastBefore
		return fmt.Errorf("keeping a price sheet: %w", err)
	}
	s.cfg.Log.Info("a price sheet was made", "sequence", made.Sequence, "models", len(models), "from", begin.UTC().Truncate(time.Second))
	return nil
}

// lead is how long before it begins a next sheet is made.
func (s *Seller) lead() time.Duration { return max(notice, leadEpochs*s.cfg.World.EpochLen()) }

// life is how long a sheet holds: in worlds of long epochs, long enough to be
// renewed in time.
func (s *Seller) life() time.Duration {
	return min(max(life, 4*s.lead()), ledger.MaxSheetLife*time.Second)
}

// says reports whether a sheet asks for what models say. Beside those, it may list
// models that are not served at present.
func (s *Seller) says(last sheet, models []ledger.ModelPrice) bool {
	for _, m := range models {
		if p, ok := last.Price(m.Model); !ok || p != m {
			return false
		}
	}
	for _, p := range last.Models {
		if want, ok := s.list.Of(p.Model); !ok || want != p {
			return false
		}
	}
	return true
}

func holds(k sheet, now time.Time) bool { return k.Check(uint64(max(0, now.Unix()))) == nil }

func early(k sheet, now time.Time) bool { return now.Unix() < int64(k.ValidFrom) }

// choose is what the directory is to name: the sheet that counts now, or will first
// if none does, and the last. The caller holds mu.
func (s *Seller) choose(now time.Time) []world.Hash {
	if s.free || len(s.kept) == 0 {
		return nil
	}
	counts := -1
	for i, k := range slices.Backward(s.kept) {
		if holds(k, now) {
			counts = i
			break
		}
		if early(k, now) && (counts < 0 || k.ValidFrom <= s.kept[counts].ValidFrom) {
			counts = i
		}
	}
	if counts < 0 {
		return nil // all are over
	}
	out := []world.Hash{s.kept[counts].hash}
	if last := len(s.kept) - 1; last != counts {
		out = append(out, s.kept[last].hash)
	}
	return out
}

// Named are the sheets that the node's descriptors are to name; none: what it
// serves is free.
func (s *Seller) Named() []world.Hash {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.named)
}

// Asks reports whether what the gateway serves is to be paid for; while it does and
// Named is empty, nothing can be sold.
func (s *Seller) Asks() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.free
}

// Sheet is a sheet by the hash that descriptors name it by.
func (s *Seller) Sheet(hash world.Hash) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.kept {
		if k.hash == hash {
			return k.raw, true
		}
	}
	return nil, false
}

// Accept is the sheet of a digest that a round names, if it is one of this
// gateway's and holds now. That a newer one was made meanwhile changes nothing:
// what was signed for a time is kept.
func (s *Seller) Accept(digest ledger.Hash, now time.Time) (ledger.Sheet, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.kept {
		if k.digest == digest && holds(k, now) {
			return k.Sheet, true
		}
	}
	return ledger.Sheet{}, false
}

// Pay is where the node says that it is paid.
func (s *Seller) Pay() directory.Pay {
	return directory.Pay{ChainID: s.cfg.Domain.ChainID, Contract: s.cfg.Domain.Contract, Provider: s.cfg.Key.Address()}
}

// Status says what is asked for at present.
func (s *Seller) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := Status{Provider: s.cfg.Key.Address(), Sequence: s.last, Problem: s.problem}
	if n := len(s.kept); n > 0 && !s.free {
		last := s.kept[n-1]
		out.ValidFrom, out.ValidUntil = time.Unix(int64(last.ValidFrom), 0).UTC(), time.Unix(int64(last.ValidUntil), 0).UTC()
		out.Models = len(last.Models)
	}
	return out
}
