package world

import (
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The English list of BIP-39: 2,048 words, sorted, none of which begins with
// the first four letters of another.
//
//go:embed english.txt
var english string

// words are the list by number. It is read only.
var words = strings.Fields(english)

// wordBits is what one word says.
const wordBits = 11

// What is wrong with a phrase address.
var (
	ErrPhraseWord     = errors.New("is not a word of the list")
	ErrPhraseChecksum = errors.New("a word is wrong, missing or in another place")
)

// PhraseAddress writes bytes as words that people can read to one another: the
// payload, a 1 bit, zeros up to a whole word, and one word of checksum, the
// first 11 bits of the payload's hash. The 1 bit tells payloads of different
// lengths apart. It panics when the payload is longer than MaxPhrasePayload.
func PhraseAddress(payload []byte) string {
	if len(payload) > MaxPhrasePayload {
		panic(fmt.Sprintf("world: a phrase address of %d bytes", len(payload)))
	}
	bits := append(slices.Clone(payload), 0x80)
	var out []string
	for at := 0; at <= len(payload)*8; at += wordBits {
		out = append(out, words[wordAt(bits, at)])
	}
	return strings.Join(append(out, words[checksum(payload)]), "-")
}

// wordAt are the 11 bits from bit at on; beyond the end there are zeros.
func wordAt(b []byte, at int) (n int) {
	for i := at; i < at+wordBits; i++ {
		n <<= 1
		if i/8 < len(b) {
			n |= int(b[i/8] >> (7 - i%8) & 1)
		}
	}
	return n
}

// checksum are the first 11 bits of the payload's hash.
func checksum(payload []byte) int {
	h := Sum(payload)
	return wordAt(h[:], 0)
}

// ParsePhraseAddress reads what PhraseAddress writes: words joined by hyphens
// or spaces, in any case. A wrong word, or words in another order, are found
// but for one time in 2,048.
func ParsePhraseAddress(s string) ([]byte, error) {
	const longest = 8 // letters
	if len(s) > (longest+1)*(MaxPhrasePayload*8/wordBits+2) {
		return nil, fmt.Errorf("a phrase address stands for at most %d bytes", MaxPhrasePayload)
	}
	list := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return r == '-' || r == ' ' })
	if len(list) < 2 {
		return nil, errors.New("a phrase address has at least two words")
	}
	numbers := make([]int, len(list))
	for i, word := range list {
		n, ok := slices.BinarySearch(words, word)
		if !ok {
			return nil, fmt.Errorf("word %d, %q, %w", i+1, word, ErrPhraseWord)
		}
		numbers[i] = n
	}
	payload, ok := unpack(numbers[:len(numbers)-1])
	if !ok || len(payload) > MaxPhrasePayload || checksum(payload) != numbers[len(numbers)-1] {
		return nil, ErrPhraseChecksum
	}
	return payload, nil
}

// unpack joins the bits of words and takes off what pads them: zeros after the
// last 1 bit, which is less than a word.
func unpack(numbers []int) ([]byte, bool) {
	last := numbers[len(numbers)-1]
	if last == 0 {
		return nil, false
	}
	end := len(numbers) * wordBits
	for ; last&1 == 0; last >>= 1 {
		end--
	}
	end-- // the 1 bit itself
	if end%8 != 0 {
		return nil, false
	}
	out := make([]byte, end/8)
	for i := range end {
		bit := numbers[i/wordBits] >> (wordBits - 1 - i%wordBits) & 1
		out[i/8] |= byte(bit << (7 - i%8))
	}
	return out, true
}
