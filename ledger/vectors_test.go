package ledger_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/culvert-net/culvert/ledger"
)

var update = flag.Bool("update", false, "write testdata/vectors.json anew")

const vectorFile = "testdata/vectors.json"

// vector is one entry, in the form of docs/spec/vectors.md §1. Integers are
// strings, since they may be beyond 2^53.
type vector struct {
	Name      string         `json:"name"`
	Kind      string         `json:"kind"`
	Inputs    map[string]any `json:"inputs"`
	Steps     map[string]any `json:"steps,omitempty"`
	Canonical string         `json:"canonical_bytes_hex"`
	Hash      string         `json:"hash_hex"`
}

func hexOf(b []byte) string { return hex.EncodeToString(b) }

func hexesOf(hs []ledger.Hash) []string {
	out := make([]string, len(hs))
	for i := range hs {
		out[i] = hexOf(hs[i][:])
	}
	return out
}

// signedVector is that of a signed message.
func signedVector[M ledger.Voucher | ledger.Release | ledger.Close | ledger.Request | ledger.Result](
	t *testing.T, kind string, m M, digest ledger.Hash, d ledger.Domain, key byte, inputs map[string]any,
) vector {
	k := keyOf(t, key)
	signed := ledger.Sign(m, d, k)
	secret := k.Secret()
	inputs["private_key_hex"] = hexOf(secret[:])
	return vector{
		Name: kind + "_signed", Kind: kind, Inputs: inputs,
		Steps:     map[string]any{"signature_hex": hexOf(signed.Signature[:]), "signer": k.Address().String()},
		Canonical: hexOf(signed.Bytes()), Hash: hexOf(digest[:]),
	}
}

// vectors computes all of them.
func vectors(t *testing.T) (out []vector) {
	d := ledger.Domain{ChainID: 31337, Contract: ledger.Address{0: 0xc0, 19: 0x01}}
	separator := d.Separator()
	out = append(out, vector{
		Name: "domain_separator", Kind: "domain_separator",
		Inputs: map[string]any{"chain_id": fmt.Sprint(d.ChainID), "contract": d.Contract.String()}, Hash: hexOf(separator[:]),
	})

	const sessionKey, providerKey, funderKey = 1, 2, 3
	provider, session, funder := keyOf(t, providerKey).Address(), keyOf(t, sessionKey).Address(), keyOf(t, funderKey).Address()
	channel := ledger.ChannelOf(provider, session, funder)
	out = append(out, vector{
		Name: "channel_id", Kind: "channel_id",
		Inputs: map[string]any{"provider": provider.String(), "key": session.String(), "funder": funder.String()}, Hash: hexOf(channel[:]),
	})

	fields := func(epoch uint32, more map[string]any) map[string]any {
		more["chain_id"], more["contract"] = fmt.Sprint(d.ChainID), d.Contract.String()
		more["channel_hex"], more["epoch"] = hexOf(channel[:]), epoch
		return more
	}
	round := ledger.RoundID{0: 0xaa, 15: 0xbb}
	request, response := ledger.Hash{0: 1, 31: 2}, ledger.Hash{0: 3, 31: 4}

	sheet := newSheet()
	signedSheet, err := sheet.Sign(d, keyOf(t, providerKey))
	if err != nil {
		t.Fatal(err)
	}
	sheetDigest := sheet.Digest(d)

	v := ledger.Voucher{Channel: channel, Epoch: 7, Cumulative: ledger.Wei(1_500_000_000_000_000_000), Transcript: ledger.RootOf(leavesOf(3))}
	out = append(out, signedVector(t, "voucher", v, v.Digest(d), d, sessionKey, fields(v.Epoch, map[string]any{
		"cumulative": v.Cumulative.String(), "transcript_hex": hexOf(v.Transcript[:]),
	})))
	r := ledger.Release{Channel: channel, Epoch: ledger.MaxEpoch, FinalCumulative: ledger.MaxAmount, Deadline: 1_800_000_000}
	out = append(out, signedVector(t, "release", r, r.Digest(d), d, providerKey, fields(r.Epoch, map[string]any{
		"final_cumulative": r.FinalCumulative.String(), "deadline": fmt.Sprint(r.Deadline),
	})))
	c := ledger.Close{Channel: channel, Epoch: 7, Deadline: 1<<64 - 1}
	out = append(out, signedVector(t, "close", c, c.Digest(d), d, funderKey, fields(c.Epoch, map[string]any{
		"deadline": fmt.Sprint(c.Deadline),
	})))
	q := ledger.Request{Channel: channel, Epoch: 7, RoundID: round, Seq: 9, RequestHash: request, MaxCost: ledger.Wei(12_345), Sheet: sheetDigest, TTL: 120}
	out = append(out, signedVector(t, "request", q, q.Digest(d), d, sessionKey, fields(q.Epoch, map[string]any{
		"round_hex": hexOf(round[:]), "seq": fmt.Sprint(q.Seq), "request_hash_hex": hexOf(request[:]), "max_cost": q.MaxCost.String(),
		"sheet_hex": hexOf(sheetDigest[:]), "ttl": q.TTL,
	})))
	s := ledger.Result{
		Channel: channel, Epoch: 7, RoundID: round, Final: true, RequestHash: request, ResponseHash: response,
		Input: 100, Cached: 20, Output: 300, Cost: ledger.Wei(1_234), Status: ledger.StatusPartial,
	}
	out = append(out, signedVector(t, "result", s, s.Digest(d), d, providerKey, fields(s.Epoch, map[string]any{
		"round_hex": hexOf(round[:]), "final": s.Final, "request_hash_hex": hexOf(request[:]), "response_hash_hex": hexOf(response[:]),
		"input": fmt.Sprint(s.Input), "cached": fmt.Sprint(s.Cached), "output": fmt.Sprint(s.Output), "cost": s.Cost.String(), "status": uint8(s.Status),
	})))

	models := make([]map[string]string, len(sheet.Models))
	for i, m := range sheet.Models {
		models[i] = map[string]string{"model": m.Model}
		for name, a := range pricesOf(m) {
			models[i][name] = a.String()
		}
	}
	out = append(out, vector{
		Name: "sheet_signed", Kind: "sheet",
		Inputs: map[string]any{
			"chain_id": fmt.Sprint(d.ChainID), "contract": d.Contract.String(), "private_key_hex": fmt.Sprintf("%064x", providerKey),
			"id_hex": hexOf(sheet.ID[:]), "sequence": fmt.Sprint(sheet.Sequence), "asset": sheet.Asset.String(), "unit_price": sheet.UnitPrice.String(),
			"models": models, "valid_from": fmt.Sprint(sheet.ValidFrom), "valid_until": fmt.Sprint(sheet.ValidUntil),
		},
		Steps:     map[string]any{"signature_hex": hexOf(signedSheet.Signature[:]), "signer": provider.String()},
		Canonical: hexOf(signedSheet.Bytes()), Hash: hexOf(sheetDigest[:]),
	})
	return append(append(out, logVectors()...), costVectors(t)...)
}

func pricesOf(m ledger.ModelPrice) map[string]ledger.Amount {
	return map[string]ledger.Amount{
		"input": m.Input, "cached": m.Cached, "output": m.Output, "reasoning": m.Reasoning, "image": m.Image, "minimum": m.Minimum,
	}
}

func logVectors() (out []vector) {
	leaf := ledger.Leaf{
		RoundID: ledger.RoundID{0: 0xaa, 15: 0xbb}, Seq: 9, RequestHash: ledger.Hash{0: 1, 31: 2}, ResponseHash: ledger.Hash{0: 3, 31: 4},
		Input: 100, Cached: 20, Output: 300, Cost: ledger.Wei(1_234), Status: ledger.StatusPartial,
	}
	h := leaf.Hash()
	out = append(out, vector{
		Name: "transcript_leaf", Kind: "transcript_leaf",
		Inputs: map[string]any{
			"round_hex": hexOf(leaf.RoundID[:]), "seq": fmt.Sprint(leaf.Seq), "request_hash_hex": hexOf(leaf.RequestHash[:]),
			"response_hash_hex": hexOf(leaf.ResponseHash[:]), "input": fmt.Sprint(leaf.Input), "cached": fmt.Sprint(leaf.Cached),
			"output": fmt.Sprint(leaf.Output), "cost": leaf.Cost.String(), "status": uint8(leaf.Status),
		},
		Hash: hexOf(h[:]),
	})
	for _, n := range []int{0, 1, 2, 3, 7, 8} {
		leaves := leavesOf(n)
		var log ledger.Transcript
		for _, h := range leaves {
			log.AppendHash(h)
		}
		root := log.Root()
		out = append(out, vector{
			Name: fmt.Sprintf("transcript_of_%d", n), Kind: "transcript", Inputs: map[string]any{"leaves_hex": hexesOf(leaves)},
			Canonical: hexOf(log.Bytes()), Hash: hexOf(root[:]),
		})
	}
	leaves := leavesOf(7)
	root, old := ledger.RootOf(leaves), ledger.RootOf(leaves[:3])
	return append(out, vector{
		Name: "transcript_inclusion", Kind: "transcript_inclusion",
		Inputs: map[string]any{"leaf_hex": hexOf(leaves[4][:]), "index": 4, "size": 7},
		Steps:  map[string]any{"proof_hex": hexesOf(ledger.ProveInclusion(leaves, 4))}, Hash: hexOf(root[:]),
	}, vector{
		Name: "transcript_consistency", Kind: "transcript_consistency",
		Inputs: map[string]any{"old_root_hex": hexOf(old[:]), "old_size": 3, "size": 7},
		Steps:  map[string]any{"proof_hex": hexesOf(ledger.ProveConsistency(leaves, 3))}, Hash: hexOf(root[:]),
	})
}

// costVectors are where a rounding or a wrapping could go wrong.
func costVectors(t *testing.T) (out []vector) {
	wei := ledger.Wei
	for _, c := range []struct {
		name      string
		price     ledger.ModelPrice
		usage     ledger.Usage
		locked, u ledger.Amount
	}{
		{"exact", ledger.ModelPrice{Output: wei(3_000_000)}, ledger.Usage{Output: 5}, wei(10), wei(10)},
		{"up", ledger.ModelPrice{Output: wei(1)}, ledger.Usage{Output: 1}, wei(10), wei(10)},
		{"once", ledger.ModelPrice{Input: wei(500_000), Cached: wei(500_000)}, ledger.Usage{Input: 1, Cached: 1}, wei(10), wei(10)},
		{"locked_lower", ledger.ModelPrice{Input: wei(1_000_000)}, ledger.Usage{Input: 10}, wei(1), wei(3)},
		{"locked_higher", ledger.ModelPrice{Input: wei(1_000_000)}, ledger.Usage{Input: 10}, wei(9), wei(3)},
		{"minimum", ledger.ModelPrice{Input: wei(1), Minimum: wei(50)}, ledger.Usage{Input: 10}, wei(3), wei(3)},
		{"minimum_scaled", ledger.ModelPrice{Input: wei(1), Minimum: wei(50)}, ledger.Usage{Input: 10}, wei(1), wei(3)},
		{"nothing_used", ledger.ModelPrice{Minimum: wei(50)}, ledger.Usage{}, wei(3), wei(3)},
		{"all_five", ledger.ModelPrice{Input: wei(7), Cached: wei(11), Output: wei(13), Reasoning: wei(17), Image: wei(19)}, ledger.Usage{Input: 123_456, Cached: 234_567, Output: 345_678, Reasoning: 456_789, Images: 3}, wei(5), wei(6)},
		{"largest", ledger.ModelPrice{Output: ledger.MaxAmount}, ledger.Usage{Output: 1_000_000}, ledger.MaxAmount, ledger.MaxAmount},
		{"above_96_bits", ledger.ModelPrice{Output: ledger.MaxAmount}, ledger.Usage{Output: 1_000_001}, ledger.MaxAmount, ledger.MaxAmount},
		{"above_256_bits", ledger.ModelPrice{Input: ledger.MaxAmount, Output: ledger.MaxAmount}, ledger.Usage{Input: 1<<64 - 1, Output: 1<<64 - 1}, ledger.MaxAmount, ledger.MaxAmount},
	} {
		inputs := map[string]any{
			"locked": c.locked.String(), "u": c.u.String(), "used_input": fmt.Sprint(c.usage.Input), "used_cached": fmt.Sprint(c.usage.Cached),
			"used_output": fmt.Sprint(c.usage.Output), "used_reasoning": fmt.Sprint(c.usage.Reasoning), "used_images": fmt.Sprint(c.usage.Images),
		}
		for name, a := range pricesOf(c.price) {
			inputs[name] = a.String()
		}
		steps := map[string]any{"refused": "overflow"}
		if cost, err := c.price.Cost(c.usage, c.locked, c.u); err == nil {
			steps = map[string]any{"cost": cost.String()}
		}
		out = append(out, vector{Name: "cost_" + c.name, Kind: "cost", Inputs: inputs, Steps: steps})
	}
	return out
}

// What is signed does not change: other implementations, and what is stored,
// depend on these bytes.
func TestVectors(t *testing.T) {
	var want bytes.Buffer
	enc := json.NewEncoder(&want)
	enc.SetIndent("", "  ")
	if err := enc.Encode(map[string]any{"vectors": vectors(t)}); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(vectorFile, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(vectorFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		have, need := bytes.Split(got, []byte("\n")), bytes.Split(want.Bytes(), []byte("\n"))
		for i := range min(len(have), len(need)) {
			if !bytes.Equal(have[i], need[i]) {
				t.Fatalf("%s:%d is %s, computed is %s", vectorFile, i+1, have[i], need[i])
			}
		}
		t.Fatalf("%s has %d lines, computed are %d", vectorFile, len(have), len(need))
	}
}
