package ledger_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common/math"
	"github.com/ethereum/go-ethereum/signer/core/apitypes"

	"github.com/culvert-net/culvert/ledger"
)

// typesOf reads "A(t x,u y)B(t x)" as wallets are told types.
func typesOf(t testing.TB, encoded string) (primary string, types apitypes.Types) {
	t.Helper()
	types = apitypes.Types{"EIP712Domain": {
		{Name: "name", Type: "string"}, {Name: "version", Type: "string"}, {Name: "chainId", Type: "uint256"}, {Name: "verifyingContract", Type: "address"},
	}}
	for part := range strings.SplitSeq(strings.TrimSuffix(encoded, ")"), ")") {
		name, list, ok := strings.Cut(part, "(")
		if !ok {
			t.Fatalf("no type: %q", part)
		}
		if primary == "" {
			primary = name
		}
		for field := range strings.SplitSeq(list, ",") {
			typ, field, _ := strings.Cut(field, " ")
			types[name] = append(types[name], apitypes.Type{Name: field, Type: typ})
		}
	}
	return primary, types
}

// typedDigest is the digest as go-ethereum's wallet makes it from JSON-like
// values.
func typedDigest(t testing.TB, d ledger.Domain, encoded string, values map[string]any) ledger.Hash {
	t.Helper()
	primary, types := typesOf(t, encoded)
	digest, _, err := apitypes.TypedDataAndHash(apitypes.TypedData{
		Types: types, PrimaryType: primary, Message: values,
		Domain: apitypes.TypedDataDomain{
			Name: "Culvert", Version: "1", VerifyingContract: d.Contract.String(),
			ChainId: (*math.HexOrDecimal256)(new(big.Int).SetUint64(d.ChainID)),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return ledger.Hash(digest)
}

// sample has one of each message, of chance but with every field set.
type sample struct {
	domain  ledger.Domain
	voucher ledger.Voucher
	release ledger.Release
	close   ledger.Close
	request ledger.Request
	result  ledger.Result
}

func newSample(r *rand.Rand) (s sample) {
	fill := func(b []byte) {
		for i := range b {
			b[i] = byte(r.Uint32())
		}
	}
	hash := func() (h ledger.Hash) { fill(h[:]); return h }
	channel, epoch := ledger.ChannelID(hash()), r.Uint32N(ledger.MaxEpoch+1)
	var round ledger.RoundID
	fill(round[:])
	fill(s.domain.Contract[:])
	s.domain.ChainID = r.Uint64()
	s.voucher = ledger.Voucher{Channel: channel, Epoch: epoch, Cumulative: anyAmount(r), Transcript: hash()}
	s.release = ledger.Release{Channel: channel, Epoch: epoch, FinalCumulative: anyAmount(r), Deadline: r.Uint64()}
	s.close = ledger.Close{Channel: channel, Epoch: epoch, Deadline: r.Uint64()}
	s.request = ledger.Request{
		Channel: channel, Epoch: epoch, RoundID: round, Seq: r.Uint64(), RequestHash: hash(), MaxCost: anyAmount(r), Sheet: hash(), TTL: r.Uint32(),
	}
	s.result = ledger.Result{
		Channel: channel, Epoch: epoch, RoundID: round, Final: r.Uint32()&1 == 1, RequestHash: hash(), ResponseHash: hash(),
		Input: r.Uint64(), Cached: r.Uint64(), Output: r.Uint64(), Cost: anyAmount(r), Status: ledger.Status(1 + r.UintN(3)),
	}
	return s
}

// Digests are what a wallet computes from the types, which are written here a
// second time.
func TestDigestsAgainstAWallet(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 100 {
		s := newSample(r)
		d := s.domain
		hx := func(b []byte) string { return "0x" + hex.EncodeToString(b) }
		for _, tt := range []struct {
			typ    string
			values map[string]any
			got    ledger.Hash
		}{
			{
				"Voucher(bytes32 channelId,uint24 epoch,uint96 cumulative,bytes32 transcript)",
				map[string]any{
					"channelId": s.voucher.Channel.String(), "epoch": fmt.Sprint(s.voucher.Epoch),
					"cumulative": s.voucher.Cumulative.String(), "transcript": s.voucher.Transcript.String(),
				},
				s.voucher.Digest(d),
			}, {
				"Release(bytes32 channelId,uint24 epoch,uint96 finalCumulative,uint64 deadline)",
				map[string]any{
					"channelId": s.release.Channel.String(), "epoch": fmt.Sprint(s.release.Epoch),
					"finalCumulative": s.release.FinalCumulative.String(), "deadline": fmt.Sprint(s.release.Deadline),
				},
				s.release.Digest(d),
			}, {
				"Close(bytes32 channelId,uint24 epoch,uint64 deadline)",
				map[string]any{
					"channelId": s.close.Channel.String(), "epoch": fmt.Sprint(s.close.Epoch), "deadline": fmt.Sprint(s.close.Deadline),
				},
				s.close.Digest(d),
			}, {
				"Request(bytes32 channelId,uint24 epoch,bytes16 roundId,uint64 seq,bytes32 requestHash,uint96 maxCost,bytes32 sheet,uint32 ttl)",
				map[string]any{
					"channelId": s.request.Channel.String(), "epoch": fmt.Sprint(s.request.Epoch), "roundId": hx(s.request.RoundID[:]),
					"seq": fmt.Sprint(s.request.Seq), "requestHash": s.request.RequestHash.String(), "maxCost": s.request.MaxCost.String(),
					"sheet": s.request.Sheet.String(), "ttl": fmt.Sprint(s.request.TTL),
				},
				s.request.Digest(d),
			}, {
				"Result(bytes32 channelId,uint24 epoch,bytes16 roundId,bool finalResult,bytes32 requestHash,bytes32 responseHash,uint64 input,uint64 cached,uint64 output,uint96 cost,uint8 status)",
				map[string]any{
					"channelId": s.result.Channel.String(), "epoch": fmt.Sprint(s.result.Epoch), "roundId": hx(s.result.RoundID[:]),
					"finalResult": s.result.Final, "requestHash": s.result.RequestHash.String(), "responseHash": s.result.ResponseHash.String(),
					"input": fmt.Sprint(s.result.Input), "cached": fmt.Sprint(s.result.Cached), "output": fmt.Sprint(s.result.Output),
					"cost": s.result.Cost.String(), "status": fmt.Sprint(uint8(s.result.Status)),
				},
				s.result.Digest(d),
			},
		} {
			if want := typedDigest(t, d, tt.typ, tt.values); tt.got != want {
				t.Fatalf("%s\n%v: %s, want %s", tt.typ, tt.values, tt.got, want)
			}
		}
	}
}

// A signature counts in one domain, for one type, for one value.
func TestSignaturesDoNotTravel(t *testing.T) {
	s := newSample(rand.New(rand.NewPCG(7, 8)))
	k, d := keyOf(t, 3), s.domain
	signature := s.voucher.Sign(d, k)
	if got, err := s.voucher.Recover(d, signature); err != nil || got != k.Address() {
		t.Fatalf("%s, %v", got, err)
	}
	otherChain, otherContract, otherEpoch := d, d, s.voucher
	otherChain.ChainID++
	otherContract.Contract[0]++
	otherEpoch.Epoch ^= 1
	for name, recover := range map[string]func() (ledger.Address, error){
		"chain":    func() (ledger.Address, error) { return s.voucher.Recover(otherChain, signature) },
		"contract": func() (ledger.Address, error) { return s.voucher.Recover(otherContract, signature) },
		"epoch":    func() (ledger.Address, error) { return otherEpoch.Recover(d, signature) },
		"type":     func() (ledger.Address, error) { return s.release.Recover(d, signature) },
	} {
		if got, err := recover(); err == nil && got == k.Address() {
			t.Errorf("the signature holds for another %s", name)
		}
	}
}

func TestChannelOf(t *testing.T) {
	a, b, c := ledger.Address{1}, ledger.Address{2}, ledger.Address{3}
	ids := map[ledger.ChannelID]bool{
		ledger.ChannelOf(a, b, c): true, ledger.ChannelOf(a, c, b): true, ledger.ChannelOf(b, a, c): true, ledger.ChannelOf(a, b, b): true,
	}
	if len(ids) != 4 {
		t.Errorf("%d channels of four", len(ids))
	}
}

func TestEpochAbove24Bits(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("an epoch of 25 bits is signed")
		}
	}()
	ledger.Voucher{Epoch: ledger.MaxEpoch + 1}.Digest(ledger.Domain{})
}

// wire tests one type: what is written is read, and nothing else.
func wire[M ledger.Voucher | ledger.Release | ledger.Close | ledger.Request | ledger.Result](t *testing.T, m M, size int) {
	t.Helper()
	k, d := keyOf(t, 5), ledger.Domain{ChainID: 31337, Contract: ledger.Address{7}}
	signed := ledger.Sign(m, d, k)
	b := signed.Bytes()
	if len(b) != size {
		t.Errorf("%T has %d bytes, want %d", m, len(b), size)
	}
	back, err := ledger.DecodeSigned[M](b)
	if err != nil || any(back) != any(signed) {
		t.Fatalf("%T: %v, %v", m, back, err)
	}
	if got, err := back.Signer(d); err != nil || got != k.Address() {
		t.Errorf("%T: %s, %v", m, got, err)
	}
	for n := range b {
		if _, err := ledger.DecodeSigned[M](b[:n]); !errors.Is(err, ledger.ErrForm) {
			t.Errorf("%T of %d bytes: %v", m, n, err)
		}
	}
	if _, err := ledger.DecodeSigned[M](append(bytes.Clone(b), 0)); !errors.Is(err, ledger.ErrForm) {
		t.Errorf("%T with a byte after it: %v", m, err)
	}
	for kind := range byte(8) {
		other := append([]byte{kind}, b[1:]...)
		if _, err := ledger.DecodeSigned[M](other); (err == nil) != (kind == b[0]) {
			t.Errorf("%T as type %d: %v", m, kind, err)
		}
	}
	for i := range 8 * len(b) {
		bad := bytes.Clone(b)
		bad[i/8] ^= 1 << (i % 8)
		s, err := ledger.DecodeSigned[M](bad)
		if err != nil {
			continue
		}
		if got, err := s.Signer(d); err == nil && got == k.Address() {
			t.Errorf("%T: bit %d does not matter", m, i)
		}
	}
}

func TestWire(t *testing.T) {
	s := newSample(rand.New(rand.NewPCG(9, 10)))
	wire(t, s.voucher, 144)
	wire(t, s.release, 120)
	wire(t, s.close, 108)
	wire(t, s.request, 204)
	wire(t, s.result, 218)
}

// What the layout has room for and no message may be.
func TestWireRefuses(t *testing.T) {
	s := newSample(rand.New(rand.NewPCG(11, 12)))
	b := ledger.Sign(s.result, s.domain, keyOf(t, 5)).Bytes()
	const final, status = 1 + 32 + 3 + 16, 218 - 64 - 1
	for _, tt := range []struct {
		at int
		v  byte
	}{{final, 2}, {final, 255}, {status, 0}, {status, 4}, {status, 255}} {
		bad := bytes.Clone(b)
		bad[tt.at] = tt.v
		if _, err := ledger.DecodeSigned[ledger.Result](bad); !errors.Is(err, ledger.ErrForm) {
			t.Errorf("byte %d as %d: %v", tt.at, tt.v, err)
		}
	}
}

// again is the property of every decoder: what it takes, it would write.
func again[M ledger.Voucher | ledger.Release | ledger.Close | ledger.Request | ledger.Result](f *testing.F, m M) {
	f.Add(ledger.Sign(m, ledger.Domain{ChainID: 1}, keyOf(f, 1)).Bytes())
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ledger.DecodeSigned[M](b)
		if err != nil {
			if !errors.Is(err, ledger.ErrForm) {
				t.Fatal(err)
			}
			return
		}
		if out := s.Bytes(); !bytes.Equal(out, b) {
			t.Fatalf("%x is written as %x", b, out)
		}
		if a, err := s.Signer(ledger.Domain{ChainID: 1}); (err == nil) == a.IsZero() {
			t.Fatalf("%s, %v", a, err)
		}
	})
}

func seeds() sample { return newSample(rand.New(rand.NewPCG(13, 14))) }

func FuzzVoucher(f *testing.F) { again(f, seeds().voucher) }
func FuzzRelease(f *testing.F) { again(f, seeds().release) }
func FuzzClose(f *testing.F)   { again(f, seeds().close) }
func FuzzRequest(f *testing.F) { again(f, seeds().request) }
func FuzzResult(f *testing.F)  { again(f, seeds().result) }

// The examples of EIP-55, and what was mistyped.
func TestAddress(t *testing.T) {
	for _, s := range []string{
		"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
		"0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB", "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
	} {
		for _, form := range []string{s, strings.ToLower(s), "0x" + strings.ToUpper(s[2:])} {
			a, err := ledger.ParseAddress(form)
			if err != nil || a.String() != s {
				t.Errorf("%s: %s, %v", form, a, err)
			}
		}
		wrong := []byte(s)
		for i := range wrong[2:] {
			if c := wrong[2+i]; c >= 'a' && c <= 'f' {
				wrong[2+i] -= 'a' - 'A'
				break
			}
		}
		for _, bad := range []string{string(wrong), s[2:], s[:41], s + "0", "", "0X" + s[2:], "0x" + strings.Repeat("g", 40)} {
			if _, err := ledger.ParseAddress(bad); err == nil {
				t.Errorf("%q is an address", bad)
			}
		}
	}
}

func TestHashesAsText(t *testing.T) {
	h := ledger.Hash{1, 31: 0xff}
	if back, err := ledger.ParseHash(h.String()); err != nil || back != h {
		t.Errorf("%s, %v", back, err)
	}
	if back, err := ledger.ParseChannelID(h.String()); err != nil || back != ledger.ChannelID(h) {
		t.Errorf("%s, %v", back, err)
	}
	r := ledger.RoundID{2, 15: 3}
	if back, err := ledger.ParseRoundID(r.String()); err != nil || back != r {
		t.Errorf("%s, %v", back, err)
	}
	for _, bad := range []string{"", "0x", h.String()[2:], h.String() + "00", "0x" + strings.Repeat("zz", 32)} {
		if _, err := ledger.ParseHash(bad); err == nil {
			t.Errorf("%q is a hash", bad)
		}
	}
}
