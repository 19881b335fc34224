package ledger_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/ledger"
)

func TestCost(t *testing.T) {
	p := ledger.ModelPrice{
		Input: ledger.Wei(1_000_000), Cached: ledger.Wei(100_000), Output: ledger.Wei(3_000_000),
		Reasoning: ledger.Wei(2_000_000), Image: ledger.Wei(50_000_000), Minimum: ledger.Wei(5),
	}
	const u = 3_000_000
	for _, tt := range []struct {
		name   string
		usage  ledger.Usage
		locked uint64
		want   uint64
	}{
		{"nothing", ledger.Usage{}, u, 0},
		{"all five", ledger.Usage{Input: 100, Cached: 10, Output: 20, Reasoning: 7, Images: 2}, u, 100 + 1 + 60 + 14 + 100},
		{"rounded up once", ledger.Usage{Input: 10, Cached: 1}, u, 11},
		{"two fractions are one rounding", ledger.Usage{Input: 10, Cached: 13}, u, 12},
		{"minimum", ledger.Usage{Input: 1}, u, 5},
		{"just above the minimum", ledger.Usage{Input: 5, Cached: 1}, u, 6},
		{"locked lower", ledger.Usage{Input: 100}, u / 2, 50},
		{"locked higher", ledger.Usage{Input: 100}, 10 * u, 100},
		{"locked lower, minimum", ledger.Usage{Input: 1}, u / 2, 3},
		{"locked at nothing", ledger.Usage{Input: 1}, 0, 0},
		{"one wei of price is still one wei", ledger.Usage{Input: 100}, 1, 1},
	} {
		got, err := p.Cost(tt.usage, ledger.Wei(tt.locked), ledger.Wei(u))
		if err != nil || got != ledger.Wei(tt.want) {
			t.Errorf("%s: %s, %v; want %d", tt.name, got, err, tt.want)
		}
	}
	if _, err := p.Cost(ledger.Usage{Input: 1}, ledger.Wei(1), ledger.Amount{}); !errors.Is(err, ledger.ErrNoUnitPrice) {
		t.Errorf("unit price of zero: %v", err)
	}
	most := ledger.ModelPrice{Input: ledger.MaxAmount, Cached: ledger.MaxAmount, Output: ledger.MaxAmount}
	for _, n := range []uint64{1_000_001, 1 << 40, 1<<64 - 1} {
		_, err := most.Cost(ledger.Usage{Input: n, Cached: n, Output: n}, ledger.MaxAmount, ledger.MaxAmount)
		if !errors.Is(err, ledger.ErrOverflow) {
			t.Errorf("%d tokens at the highest price: %v", n, err)
		}
	}
	if got, err := most.Cost(ledger.Usage{Input: 1_000_000}, ledger.MaxAmount, ledger.MaxAmount); err != nil || got != ledger.MaxAmount {
		t.Errorf("a million tokens at the highest price: %s, %v", got, err)
	}
}

// The formula in fractions of any size, rounded up at its end.
func TestCostAgainstRationals(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 16))
	count := func() uint64 { return r.Uint64() >> r.UintN(64) }
	computed, tooLarge := 0, 0
	for range 20000 {
		p := ledger.ModelPrice{
			Input: anyAmount(r), Cached: anyAmount(r), Output: anyAmount(r), Reasoning: anyAmount(r), Image: anyAmount(r), Minimum: anyAmount(r),
		}
		usage := ledger.Usage{Input: count(), Cached: count(), Output: count(), Reasoning: count(), Images: count()}
		locked, u := anyAmount(r), anyAmount(r)
		if u.IsZero() {
			continue
		}
		rat := func(n *big.Int) *big.Rat { return new(big.Rat).SetInt(n) }
		sum := new(big.Rat)
		for n, price := range map[*uint64]ledger.Amount{
			&usage.Input: p.Input, &usage.Cached: p.Cached, &usage.Output: p.Output, &usage.Reasoning: p.Reasoning, &usage.Images: p.Image,
		} {
			term := new(big.Rat).Mul(rat(new(big.Int).SetUint64(*n)), rat(price.Big()))
			sum.Add(sum, term.Quo(term, big.NewRat(1_000_000, 1)))
		}
		if least := rat(p.Minimum.Big()); sum.Cmp(least) < 0 {
			sum = least
		}
		scale := rat(locked.Big())
		if locked.Cmp(u) > 0 {
			scale = rat(u.Big())
		}
		sum.Mul(sum, scale).Quo(sum, rat(u.Big()))
		want, rest := new(big.Int).QuoRem(sum.Num(), sum.Denom(), new(big.Int))
		if rest.Sign() > 0 {
			want.Add(want, big.NewInt(1))
		}
		got, err := p.Cost(usage, locked, u)
		if want.BitLen() > 96 {
			tooLarge++
			if !errors.Is(err, ledger.ErrCostTooLarge) {
				t.Fatalf("%+v of %+v: %s, %v; want an overflow", usage, p, got, err)
			}
			continue
		}
		computed++
		if err != nil || got.Big().Cmp(want) != 0 {
			t.Fatalf("%+v of %+v at %s, %s: %s, %v; want %s", usage, p, locked, u, got, err, want)
		}
	}
	if computed < 1000 || tooLarge < 1000 {
		t.Errorf("%d computed, %d too large: chance does not try both", computed, tooLarge)
	}
}

func TestTokens(t *testing.T) {
	if n, ok := ledger.Tokens(ledger.Wei(10), ledger.Wei(3)); !ok || n != 3_333_333 {
		t.Errorf("%d, %v", n, ok)
	}
	if n, ok := ledger.Tokens(ledger.MaxAmount, ledger.Wei(1)); !ok || n != 1<<64-1 {
		t.Errorf("%d, %v", n, ok)
	}
	if _, ok := ledger.Tokens(ledger.Wei(10), ledger.Amount{}); ok {
		t.Error("there is a figure at a price of zero")
	}
}

func newSheet() ledger.Sheet {
	return ledger.Sheet{
		ID: [16]byte{1, 15: 2}, Sequence: 3, Asset: ledger.Address{4}, UnitPrice: ledger.Wei(5_000_000),
		Models: []ledger.ModelPrice{
			{Model: "llama-3", Input: ledger.Wei(1), Cached: ledger.Wei(2), Output: ledger.Wei(3), Reasoning: ledger.Wei(4), Image: ledger.Wei(5), Minimum: ledger.Wei(6)},
			{Model: "qwen/größer", Input: ledger.MaxAmount},
		},
		ValidFrom: 1_800_000_060, ValidUntil: 1_800_086_460,
	}
}

func TestSheetDigestAgainstAWallet(t *testing.T) {
	s, d := newSheet(), ledger.Domain{ChainID: 31337, Contract: ledger.Address{9}}
	var models []any
	for _, m := range s.Models {
		models = append(models, map[string]any{
			"model": m.Model, "input": m.Input.String(), "cached": m.Cached.String(), "output": m.Output.String(),
			"reasoning": m.Reasoning.String(), "image": m.Image.String(), "minimum": m.Minimum.String(),
		})
	}
	want := typedDigest(t, d, "Sheet(bytes16 id,uint64 sequence,address asset,uint96 unitPrice,ModelPrice[] models,uint64 validFrom,uint64 validUntil)"+
		"ModelPrice(string model,uint96 input,uint96 cached,uint96 output,uint96 reasoning,uint96 image,uint96 minimum)", map[string]any{
		"id": "0x" + hex.EncodeToString(s.ID[:]), "sequence": fmt.Sprint(s.Sequence), "asset": s.Asset.String(), "unitPrice": s.UnitPrice.String(),
		"models": models, "validFrom": fmt.Sprint(s.ValidFrom), "validUntil": fmt.Sprint(s.ValidUntil),
	})
	if got := s.Digest(d); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestSheetCheck(t *testing.T) {
	s := newSheet()
	for now, want := range map[uint64]error{
		s.ValidFrom - 1: ledger.ErrSheetEarly, s.ValidFrom: nil, s.ValidUntil - 1: nil, s.ValidUntil: ledger.ErrSheetLate,
	} {
		if err := s.Check(now); !errors.Is(err, want) {
			t.Errorf("at %d: %v, want %v", now, err, want)
		}
	}
	for now, ok := range map[uint64]bool{s.ValidFrom - 60: true, s.ValidFrom - 59: false, s.ValidFrom: false, s.ValidFrom + 1: false, 0: true} {
		if err := s.CheckNew(now); (err == nil) != ok {
			t.Errorf("published at %d: %v", now, err)
		}
	}
	if p, ok := s.Price("qwen/größer"); !ok || p.Input != ledger.MaxAmount {
		t.Errorf("%+v, %v", p, ok)
	}
	if p, ok := s.Price("qwen"); ok {
		t.Errorf("a model that is not listed costs %+v", p)
	}
}

// badSheets are sheets that nobody may sign or read.
func badSheets() map[string]func(*ledger.Sheet) {
	return map[string]func(*ledger.Sheet){
		"no unit price":     func(s *ledger.Sheet) { s.UnitPrice = ledger.Amount{} },
		"ends at once":      func(s *ledger.Sheet) { s.ValidUntil = s.ValidFrom },
		"ends before":       func(s *ledger.Sheet) { s.ValidUntil = s.ValidFrom - 1 },
		"too long":          func(s *ledger.Sheet) { s.ValidUntil = s.ValidFrom + ledger.MaxSheetLife + 1 },
		"no models":         func(s *ledger.Sheet) { s.Models = nil },
		"a model twice":     func(s *ledger.Sheet) { s.Models[1] = s.Models[0] },
		"out of order":      func(s *ledger.Sheet) { s.Models[0], s.Models[1] = s.Models[1], s.Models[0] },
		"no name":           func(s *ledger.Sheet) { s.Models[0].Model = "" },
		"long name":         func(s *ledger.Sheet) { s.Models[0].Model = strings.Repeat("a", ledger.MaxModelName+1) },
		"control character": func(s *ledger.Sheet) { s.Models[0].Model = "a\nb" },
		"not UTF-8":         func(s *ledger.Sheet) { s.Models[0].Model = "a\xff" },
		"too many": func(s *ledger.Sheet) {
			s.Models = nil
			for i := range ledger.MaxModels + 1 {
				s.Models = append(s.Models, ledger.ModelPrice{Model: fmt.Sprintf("%03d", i)})
			}
		},
	}
}

func TestBadSheets(t *testing.T) {
	for name, spoil := range badSheets() {
		s := newSheet()
		spoil(&s)
		if s.Check(s.ValidFrom) == nil || s.CheckNew(0) == nil {
			t.Errorf("%s: the sheet is good", name)
		}
		if _, err := s.Sign(ledger.Domain{}, keyOf(t, 1)); err == nil {
			t.Errorf("%s: the sheet is signed", name)
		}
		if _, err := ledger.DecodeSheet((&ledger.SignedSheet{Sheet: s}).Bytes()); !errors.Is(err, ledger.ErrForm) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSheetWire(t *testing.T) {
	k, d := keyOf(t, 1), ledger.Domain{ChainID: 1}
	largest := newSheet()
	largest.Models = nil
	for i := range ledger.MaxModels {
		largest.Models = append(largest.Models, ledger.ModelPrice{Model: fmt.Sprintf("%0*d", ledger.MaxModelName, i)})
	}
	for _, s := range []ledger.Sheet{newSheet(), largest} {
		signed, err := s.Sign(d, k)
		if err != nil {
			t.Fatal(err)
		}
		b := signed.Bytes()
		back, err := ledger.DecodeSheet(b)
		if err != nil || !reflect.DeepEqual(back, signed) {
			t.Fatalf("%+v, %v", back, err)
		}
		if got, err := back.Signer(d); err != nil || got != k.Address() {
			t.Errorf("%s, %v", got, err)
		}
		if len(s.Models) == ledger.MaxModels && len(b) != ledger.MaxSheetBytes {
			t.Errorf("the largest has %d bytes, not %d", len(b), ledger.MaxSheetBytes)
		}
		if _, err := ledger.DecodeSheet(append(bytes.Clone(b), 0)); !errors.Is(err, ledger.ErrForm) {
			t.Errorf("a byte after the end: %v", err)
		}
	}
	signed, err := newSheet().Sign(d, k)
	if err != nil {
		t.Fatal(err)
	}
	b := signed.Bytes()
	for n := range b {
		if _, err := ledger.DecodeSheet(b[:n]); !errors.Is(err, ledger.ErrForm) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	for i := range 8 * len(b) {
		bad := bytes.Clone(b)
		bad[i/8] ^= 1 << (i % 8)
		s, err := ledger.DecodeSheet(bad)
		if err != nil {
			continue
		}
		if got, err := s.Signer(d); err == nil && got == k.Address() {
			t.Errorf("bit %d does not matter", i)
		}
	}
}

func FuzzSheet(f *testing.F) {
	signed, err := newSheet().Sign(ledger.Domain{ChainID: 1}, keyOf(f, 1))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(signed.Bytes())
	f.Add([]byte{6})
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ledger.DecodeSheet(b)
		if err != nil {
			if !errors.Is(err, ledger.ErrForm) {
				t.Fatal(err)
			}
			return
		}
		if out := s.Bytes(); !bytes.Equal(out, b) {
			t.Fatalf("%x is written as %x", b, out)
		}
	})
}
