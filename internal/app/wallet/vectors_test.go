package wallet

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"math/big"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/ledger"
)

var update = flag.Bool("update", false, "write testdata/vectors.json anew")

const vectorFile = "testdata/vectors.json"

// vector is one entry, in the form of docs/spec/vectors.md §1.
type vector struct {
	Name      string         `json:"name"`
	Kind      string         `json:"kind"`
	Inputs    map[string]any `json:"inputs"`
	Steps     map[string]any `json:"steps,omitempty"`
	Canonical string         `json:"canonical_bytes_hex"`
	Hash      string         `json:"hash_hex"`
}

// naive is HKDF-SHA256 without salt as RFC 5869 writes it, for the tests only.
func naive(secret, info []byte, n int) (out []byte) {
	mac := func(key []byte, parts ...[]byte) []byte {
		h := hmac.New(sha256.New, key)
		for _, p := range parts {
			h.Write(p)
		}
		return h.Sum(nil)
	}
	prk := mac(make([]byte, 32), secret)
	var t []byte
	for i := byte(1); len(out) < n; i++ {
		t = mac(prk, t, info, []byte{i})
		out = append(out, t...)
	}
	return out[:n]
}

func vectors(t *testing.T) (out []vector) {
	key := canaryKey(t)
	secret := key.Secret()
	root := rootOf(key)
	out = append(out, vector{
		Name: "session_root", Kind: "session_root",
		Inputs: map[string]any{"wallet_key_hex": hex.EncodeToString(secret[:])}, Hash: hex.EncodeToString(root.secret[:]),
	})
	for name, p := range map[string]SessionPath{
		"1_first":  path(),
		"2_second": {Domain: path().Domain, Provider: path().Provider, Counter: 1},
		"3_group":  {Domain: path().Domain, Provider: path().Provider, Group: "kids", Counter: 1 << 20},
	} {
		k, err := root.Session(p)
		if err != nil {
			t.Fatal(err)
		}
		session := k.Secret()
		info := []byte(labelSession)
		info = binary.BigEndian.AppendUint64(info, p.Domain.ChainID)
		info = append(append(info, p.Domain.Contract[:]...), p.Provider[:]...)
		info = append(binary.BigEndian.AppendUint64(info, p.Counter), p.Group...)
		out = append(out, vector{
			Name: "session_key_" + name, Kind: "session_key",
			Inputs: map[string]any{
				"root_hex": hex.EncodeToString(root.secret[:]), "chain_id": fmt.Sprint(p.Domain.ChainID), "contract": p.Domain.Contract.String(),
				"provider": p.Provider.String(), "group": p.Group, "counter": fmt.Sprint(p.Counter),
			},
			Steps:     map[string]any{"expanded_hex": hex.EncodeToString(naive(root.secret[:], info, 48)), "address": k.Address().String()},
			Canonical: hex.EncodeToString(info), Hash: hex.EncodeToString(session[:]),
		})
	}
	return out
}

// The published vectors are what the code computes, and what a second way by the
// definition does.
func TestVectors(t *testing.T) {
	all := vectors(t)
	slices.SortFunc(all, func(a, b vector) int { return strings.Compare(a.Name, b.Name) }) // a map has no order
	n, _ := new(big.Int).SetString("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", 16)
	for _, v := range all {
		if v.Kind != "session_key" {
			key, err := hex.DecodeString(v.Inputs["wallet_key_hex"].(string))
			if err != nil || v.Hash != hex.EncodeToString(naive(key, []byte(labelRoot), 32)) {
				t.Errorf("%s is not the definition's", v.Name)
			}
			continue
		}
		wide, _ := new(big.Int).SetString(v.Steps["expanded_hex"].(string), 16)
		wide.Mod(wide, new(big.Int).Sub(n, big.NewInt(1))).Add(wide, big.NewInt(1))
		if got := fmt.Sprintf("%064x", wide); got != v.Hash {
			t.Errorf("%s = %s, by the definition %s", v.Name, v.Hash, got)
		}
		k, err := ParseKey(v.Hash)
		if err != nil || k.Address().String() != v.Steps["address"] {
			t.Errorf("%s: %v, %v", v.Name, k, err)
		}
	}
	text, err := json.MarshalIndent(map[string]any{"vectors": all}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, '\n')
	if *update {
		if err := os.WriteFile(vectorFile, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	published, err := os.ReadFile(vectorFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(published, text) {
		t.Errorf("%s is not what the code computes; if that is meant, run: go test ./internal/app/wallet -run TestVectors -update", vectorFile)
	}
	if groupOrder := new(big.Int).SetBytes(groupOrder()); groupOrder.Cmp(n) != 0 {
		t.Error("the order is not secp256k1's")
	}
	if _, err := ledger.KeyOfBytes([32]byte(n.Bytes())); err == nil {
		t.Error("the order is a key")
	}
}
