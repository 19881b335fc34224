package curve

import (
	"github.com/consensys/gnark-crypto/ecc/secp256k1/fp"
	"github.com/consensys/gnark-crypto/ecc/secp256k1/fr"
)

// Key is a public key with sums of its multiples, by which a signature of it is
// checked in less than half the time that recovering takes. It is immutable, and 16 kB.
type Key struct{ multiples comb }

// NewKey makes one of the x and y of a point; false: it is none of the curve's. It
// takes as long as recovering three times.
func NewKey(pub *[64]byte) (k *Key, ok bool) {
	var p affine
	var err error
	if p.x, err = fp.BigEndian.Element((*[32]byte)(pub[:32])); err != nil {
		return nil, false
	}
	if p.y, err = fp.BigEndian.Element((*[32]byte)(pub[32:])); err != nil {
		return nil, false
	}
	var y2 fp.Element
	y2.Square(&p.y)
	if square := p.ySquared(); !y2.Equal(&square) {
		return nil, false
	}
	return &Key{newComb(p)}, true
}

// Signed reports whether Recover returns this key, for the same arguments.
//
// Recover says that the key is (s·R - z·G) / r. That is the same as R being
// (z·G + r·key) / s, as none of the numbers is zero; and R is the point that Recover
// means if its x is r, and its y as odd.
func (k *Key) Signed(digest, rBytes, sBytes *[32]byte, odd bool) bool {
	r, s, z, ok := numbersOf(digest, rBytes, sBytes)
	if !ok {
		return false
	}
	x, err := fp.BigEndian.Element(rBytes)
	if err != nil {
		return false // unreachable: the order is below the field's
	}
	s.Inverse(&s)
	z.Mul(&z, &s)
	r.Mul(&r, &s)
	p := combine(&ofG, &z, &k.multiples, &r)
	if p.z.IsZero() {
		return false
	}
	a := p.affine()
	return a.x.Equal(&x) && a.isOdd() == odd
}

const (
	// teeth is how many bits of a half are added at once. One more would make it a
	// tenth faster, with twice the sums.
	teeth = 8

	// spacing is how far apart they are, so that all of them are of each half.
	spacing = (length + teeth - 1) / teeth
)

// comb has the sums of 2^(spacing·i)·p for each choice of the teeth i, under the
// number whose bits are those: Lim and Lee's way. A half is then a sum of as many of
// them as spacing says.
type comb [1 << teeth]affine // the first is not used

func newComb(p affine) (c comb) {
	var at [teeth]jacobian
	at[0] = jacobian{x: p.x, y: p.y}
	at[0].z.SetOne()
	for i := 1; i < teeth; i++ {
		at[i] = at[i-1]
		for range spacing {
			at[i].double()
		}
	}
	var tooth [teeth]affine
	normalize(tooth[:], at[:])
	// None is at infinity, as the numbers are all below the order.
	var sums [1 << teeth]jacobian
	for i := range tooth {
		for j := range 1 << i {
			sums[1<<i|j] = sums[j]
			sums[1<<i|j].add(&tooth[i])
		}
	}
	normalize(c[1:], sums[1:])
	return c
}

// normalize makes points affine, with one inversion for all. None may be at infinity.
func normalize(out []affine, points []jacobian) {
	products := make([]fp.Element, len(points)) // of all z before each
	var all, inverse fp.Element
	all.SetOne()
	for i := range points {
		products[i] = all
		all.Mul(&all, &points[i].z)
	}
	inverse.Inverse(&all)
	for i := len(points) - 1; i >= 0; i-- {
		var one fp.Element
		one.Mul(&inverse, &products[i])
		inverse.Mul(&inverse, &points[i].z)
		out[i] = points[i].scaled(&one)
	}
}

// ofG are the generator's.
var ofG = newComb(generator[0])

// combine is a·p + b·q.
func combine(p *comb, a *fr.Element, q *comb, b *fr.Element) (sum jacobian) {
	x, xOfLambda := split(a)
	y, yOfLambda := split(b)
	for i := spacing - 1; i >= 0; i-- {
		sum.double()
		sum.addTeeth(p, &x, i, false)
		sum.addTeeth(p, &xOfLambda, i, true)
		sum.addTeeth(q, &y, i, false)
		sum.addTeeth(q, &yOfLambda, i, true)
	}
	return sum
}

// addTeeth adds the sum for every bit of a half that is spacing from the next, the
// lowest of which is at, or lambda times that.
func (p *jacobian) addTeeth(c *comb, h *half, at int, lambda bool) {
	n := 0
	for i := range teeth {
		n |= int(h.bits(at+i*spacing, 1)) << i
	}
	if n == 0 {
		return
	}
	q := c[n]
	if h.negative {
		q.y.Neg(&q.y)
	}
	if lambda {
		q.x.Mul(&q.x, &beta)
	}
	p.add(&q)
}
