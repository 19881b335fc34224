package market_test

import (
	"testing"

	"github.com/culvert-net/culvert/ledger"
)

// Who takes part; the number is the private key.
const (
	provider byte = iota + 1
	otherProvider
	funder
	otherFunder
	session
	otherSession
	stranger
)

func keyOf(t testing.TB, n byte) *ledger.Key {
	t.Helper()
	k, err := ledger.KeyOfBytes([32]byte{31: n})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func everybody(t testing.TB) (all []*ledger.Key) {
	t.Helper()
	for n := provider; n <= stranger; n++ {
		all = append(all, keyOf(t, n))
	}
	return all
}
