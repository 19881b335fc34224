package chain

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/culvert-net/culvert/contracts/market"
	"github.com/culvert-net/culvert/ledger"
)

// Token is what a market is paid in, where that is not the chain's own currency.
// What it calls itself is a stranger's word, and only for people: two tokens may have
// one symbol, and Address alone says which is meant.
type Token struct {
	Address  ledger.Address `json:"address"`
	Symbol   string         `json:"symbol"`   // "": it has none that could be shown
	Decimals uint8          `json:"decimals"` // its unit is 10^-Decimals of what Symbol is; 0 without Symbol
}

// Of what tokens call themselves.
const (
	// maxSymbol is longer than any symbol in use, and does not push a number off a
	// line.
	maxSymbol = 11

	// maxDecimals is what the chain's own currency has. More would leave too few digits
	// of 96 bits before the point.
	maxDecimals = 18

	// maxSymbolAnswer bounds the answer: two words and a text of some length.
	maxSymbolAnswer = 256
)

// ReadToken asks the contract what it is paid in, and the token what it is called. The
// zero Token is the chain's own currency. It does not change: whoever knows it need
// not ask again.
func ReadToken(ctx context.Context, cfg Config) (Token, error) {
	s, err := newServer(cfg)
	if err != nil {
		return Token{}, err
	}
	if err := s.check(ctx); err != nil {
		return Token{}, err
	}
	m := market.NewMarket()
	out, err := s.view(ctx, cfg.Contract, m.PackAsset())
	if err != nil {
		return Token{}, fmt.Errorf("what the market is paid in: %w", err)
	}
	asset, err := m.UnpackAsset(out)
	if err != nil {
		return Token{}, fmt.Errorf("what the market is paid in: %w", ErrAnswer)
	}
	t := Token{Address: ledger.Address(asset)}
	if t.Address.IsZero() {
		return t, nil
	}
	symbol, err := s.optional(ctx, t.Address, "symbol()")
	if err != nil {
		return Token{}, err
	}
	decimals, err := s.optional(ctx, t.Address, "decimals()")
	if err != nil {
		return Token{}, err
	}
	name, named := symbolOf(symbol, cfg.Network)
	if n := new(big.Int).SetBytes(decimals); named && len(decimals) == 32 && n.Cmp(big.NewInt(maxDecimals)) <= 0 {
		t.Symbol, t.Decimals = name, uint8(n.Uint64())
	}
	return t, nil
}

// view calls a function that changes nothing, as nobody.
func (s *server) view(ctx context.Context, to ledger.Address, data []byte) ([]byte, error) {
	var out hexutil.Bytes
	if err := s.call(ctx, &out, "eth_call", message(ledger.Address{}, Call{To: to, Data: data}), "latest"); err != nil {
		return nil, err
	}
	return out, nil
}

// optional calls a function that a token may lack; then there is no answer.
func (s *server) optional(ctx context.Context, token ledger.Address, function string) ([]byte, error) {
	out, err := s.view(ctx, token, selector(function))
	var refused *RefusedError
	if errors.As(err, &refused) {
		return nil, nil
	}
	return out, err
}

func selector(function string) []byte { return crypto.Keccak256([]byte(function))[:4] }

// symbolOf is a symbol that can be shown: of plain letters and digits, and not one that
// could be taken for the chain's currency. Some old tokens answer with 32 bytes.
func symbolOf(answer []byte, n Network) (string, bool) {
	if len(answer) > maxSymbolAnswer {
		return "", false
	}
	text := ""
	if len(answer) == 32 {
		text = string(bytes.TrimRight(answer, "\x00"))
	} else {
		kind, err := abi.NewType("string", "", nil)
		if err != nil {
			return "", false
		}
		values, err := abi.Arguments{{Type: kind}}.Unpack(answer)
		if err != nil {
			return "", false
		}
		text, _ = values[0].(string)
	}
	if text == "" || len(text) > maxSymbol || strings.ContainsFunc(text, unshowable) || strings.Trim(text, "0123456789.-_") == "" {
		return "", false
	}
	for _, taken := range []string{"wei", "gwei", "eth", "fil", "tfil", n.Currency} {
		if strings.EqualFold(text, taken) {
			return "", false
		}
	}
	return text, true
}

func unshowable(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(".-_", r)
}

// unit is what an amount of the token is of.
func (t Token) unit() string {
	if t.Symbol != "" {
		return t.Symbol
	}
	return "units of " + t.Address.String()
}

// Format is an amount of the token, for people: exact.
func (t Token) Format(a ledger.Amount) string {
	digits := a.String()
	if d := int(t.Decimals); d > 0 {
		padded := strings.Repeat("0", max(0, d+1-len(digits))) + digits
		whole, part := padded[:len(padded)-d], strings.TrimRight(padded[len(padded)-d:], "0")
		if digits = whole; part != "" {
			digits += "." + part
		}
	}
	return digits + " " + t.unit()
}

// Parse reads "1.5 SYMBOL", or a plain number of the token's smallest unit. A fraction
// of that is an error.
func (t Token) Parse(text string) (ledger.Amount, error) {
	number, unit, named := strings.Cut(strings.TrimSpace(text), " ")
	decimals := 0
	if named {
		if unit = strings.TrimSpace(unit); t.Symbol == "" || !strings.EqualFold(unit, t.Symbol) {
			return ledger.Amount{}, fmt.Errorf("%q: this market is paid in %s; write it as %s", text, t.unit(), t.example())
		}
		decimals = int(t.Decimals)
	}
	whole, part, point := strings.Cut(number, ".")
	if whole == "" || len(number) > 64 || point && part == "" || strings.Trim(whole+part, "0123456789") != "" {
		return ledger.Amount{}, fmt.Errorf("%q is no amount; write it as %s", text, t.example())
	}
	if part = strings.TrimRight(part, "0"); len(part) > decimals {
		return ledger.Amount{}, fmt.Errorf("%q is less than the smallest unit of the token, which is not divided", text)
	}
	n, ok := new(big.Int).SetString(whole+part+strings.Repeat("0", decimals-len(part)), 10)
	if !ok {
		return ledger.Amount{}, fmt.Errorf("%q is no amount; write it as %s", text, t.example())
	}
	a, err := ledger.AmountOfBig(n)
	if err != nil {
		return a, fmt.Errorf("%q: %w", text, err)
	}
	return a, nil
}

func (t Token) example() string {
	if t.Symbol != "" {
		return fmt.Sprintf("\"1.5 %s\", or a number of its smallest unit", t.Symbol)
	}
	return "a number of its smallest unit"
}

// Money is an amount of what the market is paid in, for people.
func (c Config) Money(a ledger.Amount) string {
	if c.Asset.IsZero() {
		return c.Network.Money(a)
	}
	return c.Token().Format(a)
}

// Token is what the market is paid in.
func (c Config) Token() Token {
	t := c.Named
	t.Address = c.Asset
	return t
}

// Tokens is what an account has of the market's token at the newest block, and how much
// of it the contract may take; the largest amount there is where it is more.
func (r *Reader) Tokens(ctx context.Context, a ledger.Address) (has, allowed ledger.Amount, err error) {
	if err := r.server.check(ctx); err != nil {
		return has, allowed, err
	}
	if has, err = r.server.uint(ctx, r.cfg.Asset, "balanceOf(address)", a); err != nil {
		return has, allowed, err
	}
	allowed, err = r.server.uint(ctx, r.cfg.Asset, "allowance(address,address)", a, r.cfg.Contract)
	return has, allowed, err
}

// uint asks a token for a number.
func (s *server) uint(ctx context.Context, token ledger.Address, function string, args ...ledger.Address) (ledger.Amount, error) {
	data := selector(function)
	for _, a := range args {
		data = append(data, common.LeftPadBytes(a[:], 32)...)
	}
	out, err := s.view(ctx, token, data)
	if err != nil {
		return ledger.Amount{}, explainRevert(err)
	}
	if len(out) != 32 {
		return ledger.Amount{}, fmt.Errorf("%s of token %s: %w", function, token, ErrAnswer)
	}
	if n, err := ledger.AmountOfBig(new(big.Int).SetBytes(out)); err == nil {
		return n, nil
	}
	return ledger.MaxAmount, nil
}
