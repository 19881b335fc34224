package chain

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/culvert-net/culvert/ledger"
)

// The keys are made from the published words as wallets do (BIP-39, BIP-32,
// m/44'/60'/0'/0/n), so that the list is no list of typos.
func TestPublishedKeys(t *testing.T) {
	seen := 0
	check := func(k *ledger.Key, from string) {
		t.Helper()
		seen++
		if !IsPublished(k.Address()) {
			t.Errorf("the key of %s from %s is not known as published", k.Address(), from)
		}
		if err := checkKey(k.Address(), FilecoinNetwork()); !errors.Is(err, ErrPublishedKey) {
			t.Errorf("on Filecoin, %s from %s: %v, want %v", k.Address(), from, err, ErrPublishedKey)
		}
		if err := checkKey(k.Address(), DevNetwork()); err != nil {
			t.Errorf("on the dev chain, %s: %v", k.Address(), err)
		}
	}
	for _, w := range []struct {
		words string
		keys  uint32
	}{
		{"test test test test test test test test test test test junk", 20},
		{"candy maple cake sugar pudding cream honey rich smooth crumble sweet treat", 10},
	} {
		for n := range w.keys {
			check(walletKey(t, w.words, n), w.words)
		}
	}
	for n := byte(1); n <= 3; n++ {
		k, err := ledger.KeyOfBytes([32]byte{31: n})
		if err != nil {
			t.Fatal(err)
		}
		check(k, "small numbers")
	}
	dev, err := crypto.HexToECDSA("b71c71a67e1177ad4e901695e1b4b9ee17ae16c6668d313eac2f96dbcda3f291")
	if err != nil {
		t.Fatal(err)
	}
	k, err := ledger.KeyOfBytes([32]byte(crypto.FromECDSA(dev)))
	if err != nil {
		t.Fatal(err)
	}
	check(k, "geth --dev")
	deployer, err := ledger.KeyOfBytes([32]byte(crypto.Keccak256([]byte("culvert devchain deployer"))))
	if err != nil {
		t.Fatal(err)
	}
	check(deployer, "devchain")
	if seen != len(published()) {
		t.Errorf("%d keys were made and %d are listed", seen, len(published()))
	}
	if own := ledger.NewKey().Address(); IsPublished(own) || checkKey(own, FilecoinNetwork()) != nil {
		t.Error("a key of chance is refused")
	}
	// A configuration that calls another chain a dev chain changes nothing.
	fake := FilecoinNetwork()
	fake.Dev = true
	if err := checkKey(k.Address(), fake); !errors.Is(err, ErrPublishedKey) {
		t.Errorf("on a chain that says it is one for development: %v", err)
	}
}

func walletKey(t *testing.T, words string, n uint32) *ledger.Key {
	t.Helper()
	seed, err := pbkdf2.Key(sha512.New, words, []byte("mnemonic"), 2048, 64)
	if err != nil {
		t.Fatal(err)
	}
	split := func(key, data []byte) ([]byte, []byte) {
		h := hmac.New(sha512.New, key)
		h.Write(data)
		sum := h.Sum(nil)
		return sum[:32], sum[32:]
	}
	const hard = 1 << 31
	key, chain := split([]byte("Bitcoin seed"), seed)
	for _, i := range []uint32{hard + 44, hard + 60, hard, 0, n} {
		var data []byte
		if i >= hard {
			data = append([]byte{0}, key...)
		} else {
			private, err := crypto.ToECDSA(key)
			if err != nil {
				t.Fatal(err)
			}
			data = crypto.CompressPubkey(&private.PublicKey)
		}
		left, c := split(chain, binary.BigEndian.AppendUint32(data, i))
		sum := new(big.Int).Add(new(big.Int).SetBytes(left), new(big.Int).SetBytes(key))
		key, chain = sum.Mod(sum, crypto.S256().Params().N).FillBytes(make([]byte, 32)), c
	}
	k, err := ledger.KeyOfBytes([32]byte(key))
	if err != nil {
		t.Fatal(err)
	}
	return k
}
