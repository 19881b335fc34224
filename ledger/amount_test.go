package ledger_test

import (
	"encoding/json"
	"errors"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/culvert-net/culvert/ledger"
)

// anyAmount has any number of bits, so that carries and both words are met.
func anyAmount(r *rand.Rand) ledger.Amount {
	var b [12]byte
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	n := new(big.Int).SetBytes(b[:])
	n.Rsh(n, r.UintN(97))
	a, err := ledger.AmountOfBig(n)
	if err != nil {
		panic(err)
	}
	return a
}

func TestParseAmount(t *testing.T) {
	for _, tt := range []struct{ text, wei, format string }{
		{"0", "0", "0 wei"},
		{"7", "7", "7 wei"},
		{"123 wei", "123", "123 wei"},
		{"20 gwei", "20000000000", "20 gwei"},
		{"1.5 eth", "1500000000000000000", "1.5 eth"},
		{" 1.50 ETH ", "1500000000000000000", "1.5 eth"},
		{"0.000000000000000001 eth", "1", "1 wei"},
		{"1000000", "1000000", "0.001 gwei"},
		{"999999", "999999", "999999 wei"},
		{"1000000000000000", "1000000000000000", "0.001 eth"},
		{"999999999999999", "999999999999999", "999999.999999999 gwei"},
		{"1.0 wei", "1", "1 wei"},
		{"18446744073709551615", "18446744073709551615", "18.446744073709551615 eth"},
		{"18446744073709551616", "18446744073709551616", "18.446744073709551616 eth"},
		{"79228162514264337593543950335", "79228162514264337593543950335", "79228162514.264337593543950335 eth"},
	} {
		a, err := ledger.ParseAmount(tt.text)
		if err != nil {
			t.Errorf("ParseAmount(%q): %v", tt.text, err)
			continue
		}
		if a.String() != tt.wei || a.Format() != tt.format {
			t.Errorf("ParseAmount(%q) = %s, %q; want %s, %q", tt.text, a, a.Format(), tt.wei, tt.format)
		}
	}
	for _, text := range []string{
		"", " ", "eth", "-1", "+1", "1e18", "0x10", "1,5 eth", "1.5", "0.5 wei", "1.0000000001 gwei", ".5 eth", "1. eth", "1..2 eth", "1 btc", "1 eth eth",
		"79228162514264337593543950336", "79228162515 eth", "１", "1_000",
		"00000000000000000000000000000000000000000000000000000000000000001",
	} {
		if a, err := ledger.ParseAmount(text); err == nil {
			t.Errorf("ParseAmount(%q) = %s, want an error", text, a)
		}
	}
}

func TestAmountAgainstBig(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	over := ledger.MaxAmount.Big()
	for range 20000 {
		a, b := anyAmount(r), anyAmount(r)
		sum := new(big.Int).Add(a.Big(), b.Big())
		got, err := a.Add(b)
		switch {
		case sum.Cmp(over) > 0:
			if !errors.Is(err, ledger.ErrOverflow) {
				t.Fatalf("%s + %s: %v", a, b, err)
			}
		case err != nil || got.Big().Cmp(sum) != 0:
			t.Fatalf("%s + %s = %s, %v", a, b, got, err)
		}
		difference := new(big.Int).Sub(a.Big(), b.Big())
		got, err = a.Sub(b)
		switch {
		case difference.Sign() < 0:
			if !errors.Is(err, ledger.ErrUnderflow) {
				t.Fatalf("%s - %s: %v", a, b, err)
			}
		case err != nil || got.Big().Cmp(difference) != 0:
			t.Fatalf("%s - %s = %s, %v", a, b, got, err)
		}
		if a.Cmp(b) != a.Big().Cmp(b.Big()) || a.Less(b) != (difference.Sign() < 0) {
			t.Fatalf("Cmp(%s, %s) = %d", a, b, a.Cmp(b))
		}
		if least := ledger.MinAmount(a, b); least.Big().Cmp(a.Big()) > 0 || least.Big().Cmp(b.Big()) > 0 || least != a && least != b {
			t.Fatalf("MinAmount(%s, %s) = %s", a, b, least)
		}
		if half := new(big.Int).Rsh(a.Big(), 1); a.Half().Big().Cmp(half) != 0 {
			t.Fatalf("%s / 2 = %s", a, a.Half())
		}
		if a.String() != a.Big().String() || ledger.AmountOfBytes(a.Bytes()) != a {
			t.Fatalf("%s is not %s", a, a.Big())
		}
	}
	if _, err := ledger.AmountOfBig(big.NewInt(-1)); !errors.Is(err, ledger.ErrUnderflow) {
		t.Errorf("-1: %v", err)
	}
	if _, err := ledger.AmountOfBig(new(big.Int).Lsh(big.NewInt(1), 96)); !errors.Is(err, ledger.ErrOverflow) {
		t.Errorf("2^96: %v", err)
	}
}

func TestAmountInJSON(t *testing.T) {
	text, err := json.Marshal(map[string]ledger.Amount{"a": ledger.MaxAmount})
	if err != nil || string(text) != `{"a":"79228162514264337593543950335"}` {
		t.Fatalf("%s, %v", text, err)
	}
	var back map[string]ledger.Amount
	if err := json.Unmarshal(text, &back); err != nil || back["a"] != ledger.MaxAmount {
		t.Fatalf("%v, %v", back, err)
	}
	if err := json.Unmarshal([]byte(`{"a":"-1"}`), &back); err == nil {
		t.Error("-1 is read as an amount")
	}
}

func FuzzParseAmount(f *testing.F) {
	for _, s := range []string{"1.5 eth", "20 gwei", "123 wei", "7", "0.0000001 gwei", "x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ledger.ParseAmount(s)
		if err != nil {
			return
		}
		for _, again := range []string{a.String(), a.Format()} {
			if b, err := ledger.ParseAmount(again); err != nil || a != b {
				t.Fatalf("%q is %s, written %q and read as %s, %v", s, a, again, b, err)
			}
		}
	})
}
