package script

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

// AppendToken appends the i-th token of an answer, written at a time in
// nanoseconds since 1970.
func AppendToken(b []byte, n Nonce, i int, at int64) []byte {
	b = append(b, n[:]...)
	b = append(b, '.')
	b = strconv.AppendInt(b, int64(i), 10)
	b = append(b, '@')
	b = strconv.AppendInt(b, at, 10)
	return append(b, ' ')
}

// What can be wrong with a token.
var (
	ErrToken = errors.New("not a token")
	ErrNonce = errors.New("a token of another request")
	ErrOrder = errors.New("not the token that comes next")
)

// CutToken takes the i-th token off text. It returns when it was written, and
// what follows.
func CutToken(text []byte, n Nonce, i int) (at int64, rest []byte, err error) {
	end := bytes.IndexByte(text, ' ')
	if end < 0 || end < NonceLength+1 || text[NonceLength] != '.' {
		return 0, text, ErrToken
	}
	if !bytes.Equal(text[:NonceLength], n[:]) {
		return 0, text, ErrNonce
	}
	number, stamp, ok := bytes.Cut(text[NonceLength+1:end], []byte("@"))
	got, ok1 := digits(number)
	at, ok2 := digits(stamp)
	if !ok || !ok1 || !ok2 {
		return 0, text, ErrToken
	}
	if got != int64(i) {
		return 0, text, fmt.Errorf("%w: %d in place of %d", ErrOrder, got, i)
	}
	return at, text[end+1:], nil
}

// digits is strconv.ParseInt for what is a number most of the time, without a
// string.
func digits(b []byte) (int64, bool) {
	const most = 19 // digits that fit; nanoseconds have 19 until the year 2286
	if len(b) == 0 || len(b) > most {
		return 0, false
	}
	var n int64
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, n >= 0
}
