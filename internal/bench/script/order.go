package script

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
)

// NonceLength is how many characters a nonce has: enough that no two of a run
// are equal by chance.
const NonceLength = 16

// Nonce names a request.
type Nonce [NonceLength]byte

// NewNonce is the nonce of these bytes.
func NewNonce(random [NonceLength / 2]byte) Nonce {
	var n Nonce
	hex.Encode(n[:], random[:])
	return n
}

// Order is what a prompt asks for.
type Order struct {
	Tokens int // of the answer, at least 1
	Rate   int // tokens per second; 0 is as fast as possible
	Fill   int // bytes after the tokens of an answer that is not streamed
	Pad    int // bytes in the prompt that ask for nothing
}

// Counted is how many tokens an answer says that it has: what tokenizers make of
// hexadecimal digits and a time, so that who pays for them believes it.
func (o Order) Counted() int { return o.Tokens * countedEach }

// countedEach is of one of the answer's tokens, which has some forty characters.
const countedEach = 8

// begin is how a prompt of ours begins.
const begin = "bench "

// Prompt is the order with its nonce at both ends.
func (o Order) Prompt(n Nonce) []byte {
	p := fmt.Appendf(nil, "%s%s tokens=%d rate=%d fill=%d ", begin, n[:], o.Tokens, o.Rate, o.Fill)
	p = AppendFill(p, o.Pad)
	p = append(p, ' ')
	return append(p, n[:]...)
}

// errPrompt is a prompt that is no order, or not the one that was sent.
var errPrompt = errors.New("the prompt is no whole order")

// Parse reads a prompt.
func Parse(prompt []byte) (Order, Nonce, error) {
	var (
		o Order
		n Nonce
	)
	rest, ok := bytes.CutPrefix(prompt, []byte(begin))
	if !ok || len(rest) < 2*NonceLength {
		return o, n, errPrompt
	}
	copy(n[:], rest)
	if bytes.ContainsFunc(n[:], func(r rune) bool { return !strings.ContainsRune("0123456789abcdef", r) }) {
		return o, n, fmt.Errorf("%w: the nonce is none", errPrompt)
	}
	if !bytes.HasSuffix(rest, n[:]) {
		return o, n, fmt.Errorf("%w: the nonces at its ends differ", errPrompt)
	}
	fields := strings.SplitN(string(rest[:min(len(rest), 128)]), " ", 5)
	if len(fields) < 5 {
		return o, n, errPrompt
	}
	for i, f := range []struct {
		name  string
		value *int
	}{{"tokens", &o.Tokens}, {"rate", &o.Rate}, {"fill", &o.Fill}} {
		text, ok := strings.CutPrefix(fields[1+i], f.name+"=")
		v, err := strconv.Atoi(text)
		if !ok || err != nil || v < 0 || v > maxNumber {
			return o, n, fmt.Errorf("%w: %s is not there, or not a number it may be", errPrompt, f.name)
		}
		*f.value = v
	}
	return o, n, nil
}

// maxNumber bounds what an order may ask for: 64 MiB, or as many tokens.
const maxNumber = 64 << 20

// filling is repeated where bytes are wanted that mean nothing. Its length is a
// prime, so that a part that was lost or moved does not go unnoticed, and it is
// one word: a gateway that counts words to guess tokens finds one.
const filling = "The_quick_brown_fox_jumps_over_the_lazy_dog_and_runs_through_the_wet_grass_0123456789_until_the_morning_comes"

// AppendFill appends size bytes that mean nothing.
func AppendFill(b []byte, size int) []byte {
	for size > 0 {
		part := filling[:min(size, len(filling))]
		b = append(b, part...)
		size -= len(part)
	}
	return b
}

// Sum is a checksum of text, as both ends compute it.
func Sum(text []byte) uint32 { return crc32.Checksum(text, castagnoli) }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)
