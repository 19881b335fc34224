// Package curve recovers the public key that made a signature of secp256k1: half
// the time of the curve in Go that go-ethereum has without cgo, with the same
// answers.
//
// Recover does it, and Key says whether it would return a key that is known, in
// half the time again; see ledger.Signature for what counts as a signature.
// It is not for signing: nothing here takes the same time for each input, and
// nothing here may ever see a private key. Everything is a pure function.
//
// The key is a·G + b·R, of numbers that everybody may know. The field and the
// numbers modulo the group's order are gnark-crypto's; points and the way of
// multiplying are libsecp256k1's (ecmult_impl.h, scalar_impl.h, group_impl.h),
// whose names the constants have. Each of the two numbers is split into halves
// of 128 bits, x + y·lambda, since lambda times a point is that point with its x
// times beta. So there are 128 doublings for all four, and additions where a
// half has a digit. Of a key that is known, and of G, sums of multiples are kept
// (comb.go): then there are 17 doublings.
//
// Implements: docs/spec/ledger.md §4.
package curve

import (
	"encoding/binary"
	"encoding/hex"
	"math/bits"

	"github.com/consensys/gnark-crypto/ecc/secp256k1/fp"
	"github.com/consensys/gnark-crypto/ecc/secp256k1/fr"
)

// Recover is the key, x and y, that signed the digest with (r, s), where
// odd says which of the two points with r as x was meant. That s is low is
// for the caller to see; all else is checked.
//
// The point whose x is r plus the order, which may be meant too in one of 2^127
// signatures, has no place in a compact one.
func Recover(digest, rBytes, sBytes *[32]byte, odd bool) (pub [64]byte, ok bool) {
	r, s, z, ok := numbersOf(digest, rBytes, sBytes)
	if !ok {
		return pub, false
	}
	var point affine
	var err error
	if point.x, err = fp.BigEndian.Element(rBytes); err != nil {
		return pub, false // unreachable: the order is below the field's
	}
	square := point.ySquared()
	if point.y.Sqrt(&square) == nil {
		return pub, false
	}
	if point.isOdd() != odd {
		point.y.Neg(&point.y)
	}

	var inverse fr.Element
	inverse.Inverse(&r)
	z.Neg(&z)
	z.Mul(&z, &inverse)
	s.Mul(&s, &inverse)
	key := sum(&z, &s, point)
	if key.z.IsZero() {
		return pub, false
	}
	a := key.affine()
	fp.BigEndian.PutElement((*[32]byte)(pub[:32]), a.x)
	fp.BigEndian.PutElement((*[32]byte)(pub[32:]), a.y)
	return pub, true
}

// numbersOf are a signature's two numbers and the digest as a third; false: one of the
// two is zero, or not below the order.
func numbersOf(digest, rBytes, sBytes *[32]byte) (r, s, z fr.Element, ok bool) {
	var err error
	if r, err = fr.BigEndian.Element(rBytes); err != nil || r.IsZero() {
		return r, s, z, false
	}
	if s, err = fr.BigEndian.Element(sBytes); err != nil || s.IsZero() {
		return r, s, z, false
	}
	if z, err = fr.BigEndian.Element(digest); err != nil {
		z.SetBytes(digest[:]) // at or above the order: modulo it
	}
	return r, s, z, true
}

// affine is a point that is not the one at infinity.
type affine struct{ x, y fp.Element }

// ySquared is what the square of y is for the point's x: x³ + 7.
func (p *affine) ySquared() (square fp.Element) {
	var seven fp.Element
	square.Square(&p.x)
	square.Mul(&square, &p.x)
	seven.SetUint64(7)
	square.Add(&square, &seven)
	return square
}

func (p *affine) isOdd() bool { return p.y.Bits()[0]&1 == 1 }

// jacobian is the point (x/z², y/z³); z is zero at infinity.
type jacobian struct{ x, y, z fp.Element }

func (p *jacobian) double() {
	// With z = 0, z stays 0.
	var l, s, t fp.Element
	p.z.Mul(&p.y, &p.z)
	s.Square(&p.y)
	l.Square(&p.x)
	t.Double(&l)
	l.Add(&l, &t)
	l.Halve() // 3/2·x²
	t.Mul(&s, &p.x)
	s.Square(&s)
	p.x.Square(&l)
	p.x.Sub(&p.x, &t)
	p.x.Sub(&p.x, &t)
	t.Sub(&t, &p.x)
	p.y.Mul(&l, &t)
	p.y.Sub(&p.y, &s)
}

// add adds q.
func (p *jacobian) add(q *affine) {
	if p.z.IsZero() {
		p.x, p.y = q.x, q.y
		p.z.SetOne()
		return
	}
	var zz, h, i, hh, t fp.Element
	zz.Square(&p.z)
	h.Mul(&q.x, &zz)
	h.Sub(&h, &p.x)
	i.Mul(&q.y, &zz)
	i.Mul(&i, &p.z)
	i.Sub(&i, &p.y)
	if h.IsZero() {
		if i.IsZero() {
			p.double()
		} else {
			*p = jacobian{}
		}
		return
	}
	p.z.Mul(&p.z, &h)
	hh.Square(&h)
	t.Mul(&p.x, &hh)
	h.Mul(&h, &hh)
	p.x.Square(&i)
	p.x.Sub(&p.x, &h)
	p.x.Sub(&p.x, &t)
	p.x.Sub(&p.x, &t)
	t.Sub(&t, &p.x)
	h.Mul(&h, &p.y)
	p.y.Mul(&i, &t)
	p.y.Sub(&p.y, &h)
}

// affine is p, which must not be at infinity.
func (p *jacobian) affine() (a affine) {
	var inverse fp.Element
	inverse.Inverse(&p.z)
	return p.scaled(&inverse)
}

// scaled is p as an affine point, given 1/z.
func (p *jacobian) scaled(inverse *fp.Element) (a affine) {
	var square fp.Element
	square.Square(inverse)
	a.x.Mul(&p.x, &square)
	square.Mul(&square, inverse)
	a.y.Mul(&p.y, &square)
	return a
}

// multiples fills p with the odd ones of its first element: 1, 3, 5 and so on
// times it. There is one inversion for all.
func multiples(p []affine) {
	twice := jacobian{x: p[0].x, y: p[0].y}
	twice.z.SetOne()
	twice.double()
	// On the curve whose points are ours with x·c² and y·c³, c being the z of twice
	// the first, that has the z of one, and additions are the cheap ones. Back
	// here z is c times what it is there.
	c := twice.z
	step := affine{twice.x, twice.y}
	var all [maxMultiples]jacobian
	var products [maxMultiples]fp.Element // of all z up to there
	var square fp.Element
	square.Square(&c)
	all[0].x.Mul(&p[0].x, &square)
	square.Mul(&square, &c)
	all[0].y.Mul(&p[0].y, &square)
	all[0].z.SetOne()
	products[0].SetOne()
	for i := 1; i < len(p); i++ {
		all[i] = all[i-1]
		all[i].add(&step)
	}
	for i := 1; i < len(p); i++ {
		all[i].z.Mul(&all[i].z, &c)
		products[i].Mul(&products[i-1], &all[i].z)
	}
	var inverse, one fp.Element
	inverse.Inverse(&products[len(p)-1])
	for i := len(p) - 1; i > 0; i-- {
		one.Mul(&inverse, &products[i-1])
		inverse.Mul(&inverse, &all[i].z)
		p[i] = all[i].scaled(&one)
	}
}

const (
	// windowOf is how many bits a digit covers, and so 2^(window-2) how many
	// multiples there are: those of R are made for each signature, those of G once.
	windowOfR = 5
	windowOfG = 8

	maxMultiples = 1 << (windowOfG - 2)
)

// generator is the group's, with its multiples.
var generator = func() (g [1 << (windowOfG - 2)]affine) {
	g[0] = affine{
		fieldOf("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"),
		fieldOf("483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"),
	}
	multiples(g[:])
	return g
}()

// beta and lambda are cube roots of one: lambda·(x, y) = (beta·x, y).
var (
	beta        = fieldOf("7ae96a2b657c07106e64479eac3434e99cf0497512f58995c1396c28719501ee")
	minusLambda = numberOf("ac9c52b33fa3cf1f5ad9e3fd77ed9ba4a880b9fc8ec739c2e0cfc810b51283cf")
	minusB1     = numberOf("00000000000000000000000000000000e4437ed6010e88286f547fa90abfe4c3")
	minusB2     = numberOf("fffffffffffffffffffffffffffffffe8a280ac50774346dd765cda83db1562c")
	g1          = [4]uint64{0xe893209a45dbb031, 0x3daa8a1471e8ca7f, 0xe86c90e49284eb15, 0x3086d221a7d46bcd}
	g2          = [4]uint64{0x1571b4ae8ac47f71, 0x221208ac9df506c6, 0x6f547fa90abfe4c4, 0xe4437ed6010e8828}
)

func bytesOf(digits string) (b [32]byte) {
	if n, err := hex.Decode(b[:], []byte(digits)); n != 32 || err != nil {
		panic("curve: a constant is 64 digits")
	}
	return b
}

func fieldOf(digits string) fp.Element {
	b := bytesOf(digits)
	e, err := fp.BigEndian.Element(&b)
	if err != nil {
		panic("curve: a constant is in the field: " + err.Error())
	}
	return e
}

func numberOf(digits string) fr.Element {
	b := bytesOf(digits)
	e, err := fr.BigEndian.Element(&b)
	if err != nil {
		panic("curve: a constant is below the order: " + err.Error())
	}
	return e
}

// split gives two numbers of at most 129 bits, some negative, with
// k = a + b·lambda.
func split(k *fr.Element) (a, b half) {
	words := k.Bits()
	c1, c2 := topOf(&words, &g1), topOf(&words, &g2)
	c1.Mul(&c1, &minusB1)
	c2.Mul(&c2, &minusB2)
	c1.Add(&c1, &c2)
	c2.Mul(&c1, &minusLambda)
	c2.Add(&c2, k)
	return halfOf(&c2), halfOf(&c1)
}

// topOf is x·y / 2^384, rounded.
func topOf(x, y *[4]uint64) fr.Element {
	var product [8]uint64
	for i := range x {
		var carry uint64
		for j := range y {
			high, low := bits.Mul64(x[i], y[j])
			var c uint64
			low, c = bits.Add64(low, carry, 0)
			high += c
			product[i+j], c = bits.Add64(product[i+j], low, 0)
			carry = high + c
		}
		product[i+4] = carry
	}
	var c uint64
	low, c := bits.Add64(product[6], product[5]>>63, 0)
	var b [32]byte
	binary.BigEndian.PutUint64(b[16:], product[7]+c)
	binary.BigEndian.PutUint64(b[24:], low)
	e, err := fr.BigEndian.Element(&b)
	if err != nil {
		panic("curve: 128 bits are below the order: " + err.Error())
	}
	return e
}

// half is one that split makes.
type half struct {
	words    [3]uint64
	negative bool
}

// halfOf is e as the smaller of e and its negative.
func halfOf(e *fr.Element) (h half) {
	if e.LexicographicallyLargest() {
		var n fr.Element
		n.Neg(e)
		words := n.Bits()
		return half{[3]uint64(words[:3]), true}
	}
	words := e.Bits()
	return half{[3]uint64(words[:3]), false}
}

// length is how many digits a half may have: one more than its bits, for a
// carry.
const length = 130

// digits fills d such that the half is the sum of d[i]·2^i: of window
// consecutive digits at most one is not zero, and that one is odd and below
// 2^(window-1). It returns how many there are.
func (h *half) digits(d *[length]int16, window int) (n int) {
	carry := uint64(0)
	for at := 0; at < length; {
		if h.bits(at, 1) == carry {
			at++
			continue
		}
		word := h.bits(at, window) + carry
		carry = word >> (window - 1) & 1
		d[at] = int16(word) - int16(carry<<window)
		if h.negative {
			d[at] = -d[at]
		}
		n = at + 1
		at += window
	}
	return n
}

// bits are so many from one on; beyond the last they are zero.
func (h *half) bits(at, count int) uint64 {
	word, shift := at/64, at%64
	if word >= len(h.words) {
		return 0
	}
	b := h.words[word] >> shift
	if shift+count > 64 && word+1 < len(h.words) {
		b |= h.words[word+1] << (64 - shift)
	}
	return b & (1<<count - 1)
}

// sum is a·G + b·r.
func sum(a, b *fr.Element, r affine) (p jacobian) {
	var ofR [1 << (windowOfR - 2)]affine
	ofR[0] = r
	multiples(ofR[:])
	var digits [4][length]int16
	most := 0
	fill := func(i int, k *fr.Element, window int) {
		x, y := split(k)
		most = max(most, x.digits(&digits[i], window), y.digits(&digits[i+1], window))
	}
	fill(0, a, windowOfG)
	fill(2, b, windowOfR)
	for i := most - 1; i >= 0; i-- {
		p.double()
		p.addDigit(generator[:], digits[0][i], false)
		p.addDigit(generator[:], digits[1][i], true)
		p.addDigit(ofR[:], digits[2][i], false)
		p.addDigit(ofR[:], digits[3][i], true)
	}
	return p
}

// addDigit adds digit times the first of the multiples, or lambda times that.
func (p *jacobian) addDigit(multiples []affine, digit int16, lambda bool) {
	if digit == 0 {
		return
	}
	q := multiples[max(digit, -digit)/2]
	if digit < 0 {
		q.y.Neg(&q.y)
	}
	if lambda {
		q.x.Mul(&q.x, &beta)
	}
	p.add(&q)
}
