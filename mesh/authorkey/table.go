package authorkey

import (
	"crypto/sha512"

	"filippo.io/edwards25519"
)

// windows is how many digits a scalar has in base 16.
const windows = 64

// table has of a point P, for each i, the multiples 1 to 8 of 16^i·P. A multiple of
// P is then a sum of 64 of them, with no doubling.
type table [windows][8]edwards25519.Point

func newTable(p *edwards25519.Point) *table {
	t := new(table)
	p = new(edwards25519.Point).Set(p)
	for i := range t {
		t[i][0].Set(p)
		for j := 1; j < len(t[i]); j++ {
			t[i][j].Add(&t[i][j-1], p)
		}
		p.Add(&t[i][7], &t[i][7])
	}
	return t
}

// addTo adds k·P to a point. The library's additions are complete: they are right
// for every pair of points on the curve, those of small order included.
func (t *table) addTo(sum *edwards25519.Point, k *edwards25519.Scalar) {
	for i, d := range digits(k.Bytes()) {
		switch {
		case d > 0:
			sum.Add(sum, &t[i][d-1])
		case d < 0:
			sum.Subtract(sum, &t[i][-d-1])
		}
	}
}

// digits are those of a scalar in base 16, from -8 to 7 each, the last up to 8, the
// lowest first. A scalar is below 2^253, so no carry is left over.
func digits(k []byte) (d [windows]int8) {
	for i, b := range k {
		d[2*i], d[2*i+1] = int8(b&15), int8(b>>4)
	}
	for i := range windows - 1 {
		carry := (d[i] + 8) >> 4
		d[i] -= carry << 4
		d[i+1] += carry
	}
	return d
}

// verify is RFC 8032 section 5.1.7 as crypto/ed25519 does it: without the cofactor,
// with S below the group's order, and R compared as bytes. base and negative are of
// the base point B and of -A.
func verify(base, negative *table, key *[32]byte, message, signature []byte) bool {
	if len(signature) != 64 {
		return false
	}
	h := sha512.New()
	h.Write(signature[:32])
	h.Write(key[:])
	h.Write(message)
	k, err := edwards25519.NewScalar().SetUniformBytes(h.Sum(nil))
	if err != nil {
		panic("unreachable: a SHA-512 sum has 64 bytes")
	}
	s, err := edwards25519.NewScalar().SetCanonicalBytes(signature[32:])
	if err != nil {
		return false
	}
	// [S]B = R + [k]A, so R = [S]B + [k](-A).
	r := edwards25519.NewIdentityPoint()
	base.addTo(r, s)
	negative.addTo(r, k)
	return [32]byte(r.Bytes()) == [32]byte(signature[:32])
}
