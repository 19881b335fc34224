package chain

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/culvert-net/culvert/ledger"
)

// text is what a token answers with: a string of Solidity.
func text(s string) []byte {
	b := append(word(32), word(int64(len(s)))...)
	b = append(b, s...)
	return append(b, make([]byte, (32-len(s)%32)%32)...)
}

func word(n int64) []byte { return big.NewInt(n).FillBytes(make([]byte, 32)) }

// Of what a token calls itself only that is shown which could not be taken for anything
// else.
func TestSymbols(t *testing.T) {
	old := make([]byte, 32)
	copy(old, "MKR")
	for name, c := range map[string]struct {
		answer []byte
		want   string // "": it is not shown
	}{
		"a string":             {text("USDC"), "USDC"},
		"bytes":                {old, "MKR"},
		"as long as may be":    {text("abcdefghijk"), "abcdefghijk"},
		"too long":             {text("abcdefghijkl"), ""},
		"none":                 {nil, ""},
		"empty":                {text(""), ""},
		"bytes of nothing":     {make([]byte, 32), ""},
		"the chain's currency": {text("tFIL"), ""},
		"in small letters":     {text("tfil"), ""},
		"another chain's":      {text("ETH"), ""},
		"a unit":               {text("gwei"), ""},
		"a number":             {text("1.000"), ""},
		"a space":              {text("US D"), ""},
		"a terminal's":         {text("A\x1b[2J"), ""},
		"another direction":    {text("A\u202eB"), ""},
		"a letter like one":    {text("\u0415TH"), ""},
		"a new line":           {text("A\nB"), ""},
		"of a huge length":     {append(word(32), bytes.Repeat([]byte{0xff}, 32)...), ""},
		"cut":                  {text("USDC")[:65], ""},
		"much":                 {append(text("USDC"), make([]byte, 300)...), ""},
		"elsewhere":            {append(word(1<<40), text("USDC")...), ""},
	} {
		got, ok := symbolOf(c.answer, CalibrationNetwork())
		if got != c.want || ok != (c.want != "") {
			t.Errorf("%s: %q, %t; want %q", name, got, ok, c.want)
		}
	}
}

func FuzzSymbol(f *testing.F) {
	f.Add(text("USDC"))
	f.Add(make([]byte, 32))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, ok := symbolOf(b, DevNetwork())
		if ok != (s != "") || len(s) > maxSymbol || strings.ContainsFunc(s, unshowable) {
			t.Errorf("%q, %t", s, ok)
		}
	})
}

// Amounts of a token are written exactly, and read as they are written.
func TestTokenAmounts(t *testing.T) {
	six := Token{Address: ledger.Address{1}, Symbol: "USDC", Decimals: 6}
	whole := Token{Address: ledger.Address{1}, Symbol: "PTS"}
	nameless := Token{Address: ledger.Address{1}}
	for _, c := range []struct {
		token Token
		n     uint64
		want  string
	}{
		{six, 0, "0 USDC"},
		{six, 1, "0.000001 USDC"},
		{six, 1_500_000, "1.5 USDC"},
		{six, 12_000_000, "12 USDC"},
		{whole, 7, "7 PTS"},
		{nameless, 7, "7 units of " + nameless.Address.String()},
	} {
		if got := c.token.Format(ledger.Wei(c.n)); got != c.want {
			t.Errorf("%d is %q, want %q", c.n, got, c.want)
		}
		if c.token.Symbol == "" {
			continue
		}
		if a, err := c.token.Parse(c.want); err != nil || a != ledger.Wei(c.n) {
			t.Errorf("%q is %s, %v", c.want, a, err)
		}
	}
	if a, err := six.Parse("1500000"); err != nil || a != ledger.Wei(1_500_000) {
		t.Errorf("a number of the smallest unit: %s, %v", a, err)
	}
	if a, err := nameless.Parse("7"); err != nil || a != ledger.Wei(7) {
		t.Errorf("of a token without a name: %s, %v", a, err)
	}
	for _, bad := range []string{"", "1.5", "1.0000001 USDC", "1 DAI", "-1 USDC", "1e3 USDC", ". USDC", "1. USDC", "USDC", strings.Repeat("9", 65) + " USDC", strings.Repeat("9", 30) + " USDC"} {
		if a, err := six.Parse(bad); err == nil {
			t.Errorf("%q is read as %s", bad, a)
		}
	}
	if _, err := nameless.Parse("7 USDC"); err == nil {
		t.Error("a token without a name is called USDC")
	}
}

// What a market is paid in is asked of the contract that was agreed on, and what the
// token says of itself is bounded, and may be missing.
func TestReadToken(t *testing.T) {
	code := []byte{1, 2, 3}
	token := ledger.Address{19: 9}
	for name, c := range map[string]struct {
		asset, symbol, decimals []byte // nil: the call fails
		want                    Token
		fails                   bool
	}{
		"the chain's own":     {word(0), nil, nil, Token{}, false},
		"a token":             {word(9), text("USDC"), word(6), Token{token, "USDC", 6}, false},
		"without decimals":    {word(9), text("USDC"), nil, Token{Address: token}, false},
		"of 19 decimals":      {word(9), text("USDC"), word(19), Token{Address: token}, false},
		"of 2^64+6 decimals":  {word(9), text("USDC"), append(make([]byte, 23), 1, 0, 0, 0, 0, 0, 0, 0, 6), Token{Address: token}, false},
		"without a symbol":    {word(9), nil, word(6), Token{Address: token}, false},
		"that calls itself $": {word(9), text("$"), word(6), Token{Address: token}, false},
		"half an address":     {[]byte{1}, nil, nil, Token{}, true},
		"no answer":           {nil, nil, nil, Token{}, true},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				var q struct {
					ID     json.RawMessage
					Method string
					Params []json.RawMessage
				}
				if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
					t.Error(err)
				}
				var out []byte
				switch q.Method {
				case "eth_chainId":
					fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":"0x7a69"}`, q.ID)
					return
				case "eth_getCode":
					out = code
				case "eth_call":
					out = c.asset
					switch {
					case bytes.Contains(q.Params[0], []byte(hex.EncodeToString(selector("symbol()")))):
						out = c.symbol
					case bytes.Contains(q.Params[0], []byte(hex.EncodeToString(selector("decimals()")))):
						out = c.decimals
					}
				}
				if out == nil {
					fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"error":{"code":3,"message":"execution reverted"}}`, q.ID)
					return
				}
				fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":"0x%x"}`, q.ID, out)
			}))
			defer server.Close()
			cfg := Config{URL: server.URL, Network: DevNetwork(), Contract: ledger.Address{1}, CodeHash: ledger.Hash(crypto.Keccak256(code))}
			got, err := ReadToken(t.Context(), cfg)
			if got != c.want || (err != nil) != c.fails {
				t.Errorf("%+v, %v; want %+v", got, err, c.want)
			}
			cfg.CodeHash[0]++
			if _, err := ReadToken(t.Context(), cfg); !errors.Is(err, ErrCode) {
				t.Errorf("of another contract: %v", err)
			}
		})
	}
}
