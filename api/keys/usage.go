package keys

import (
	"encoding/binary"
	"fmt"
	"time"
)

// window is a span of UTC in which use is counted. It begins with the clock's
// minute, day or month, not with the first request: anybody can say when it
// ends.
type window int

const (
	minute window = iota
	day
	month
	windows = 3
)

func (w window) String() string { return [windows]string{"minute", "day", "month"}[w] }

// at is the number of the window that now is in.
func (w window) at(now time.Time) int64 {
	switch w {
	case minute:
		return floor(now.Unix(), 60)
	case day:
		return floor(now.Unix(), 24*60*60)
	}
	now = now.UTC()
	return int64(now.Year())*12 + int64(now.Month()) - 1
}

// floor divides and rounds down, before 1970 too.
func floor(n, by int64) int64 {
	q := n / by
	if n%by < 0 {
		q--
	}
	return q
}

// end is when the window that now is in ends.
func (w window) end(now time.Time) time.Time {
	switch w {
	case minute:
		return time.Unix((w.at(now)+1)*60, 0).UTC()
	case day:
		return time.Unix((w.at(now)+1)*24*60*60, 0).UTC()
	}
	now = now.UTC()
	return time.Date(now.Year(), now.Month()+1, 1, 0, 0, 0, 0, time.UTC)
}

// Used is what a key has used in one window.
type Used struct {
	Window   int64 // its number
	Requests int64
	Tokens   int64
	Money    Amount
}

// Usage is what a key has used in the current minute, day and month.
type Usage [windows]Used

// turn begins windows anew that have ended. One that lies ahead, because the
// clock was set back, begins anew too: a clock that was once wrong must not
// use up a key until its time comes.
func (u *Usage) turn(now time.Time) {
	for w := range window(windows) {
		if n := w.at(now); u[w].Window != n {
			u[w] = Used{Window: n}
		}
	}
}

// Versions of an encoded Usage: nine numbers, or as many again and three amounts.
// The first is written as long as no money was spent, so that a program which
// knows no money can still read it.
const (
	usageOfTokens = 1
	usageOfMoney  = 2

	tokensSize = 1 + windows*3*8
	moneySize  = 1 + windows*5*8
)

// spent reports whether any money was.
func (u *Usage) spent() bool {
	for _, one := range u {
		if !one.Money.IsZero() {
			return true
		}
	}
	return false
}

// Encode is u as bytes for a store.
func (u *Usage) Encode() []byte {
	b := make([]byte, 0, moneySize)
	version := byte(usageOfTokens)
	if u.spent() {
		version = usageOfMoney
	}
	b = append(b, version)
	for _, one := range u {
		for _, n := range []int64{one.Window, one.Requests, one.Tokens} {
			b = binary.BigEndian.AppendUint64(b, uint64(n))
		}
		if version == usageOfMoney {
			b = binary.BigEndian.AppendUint64(b, one.Money.hi)
			b = binary.BigEndian.AppendUint64(b, one.Money.lo)
		}
	}
	return b
}

// DecodeUsage reads what Encode wrote.
func DecodeUsage(b []byte) (u Usage, err error) {
	money := len(b) == moneySize && b[0] == usageOfMoney
	if !money && (len(b) != tokensSize || b[0] != usageOfTokens) {
		return u, fmt.Errorf("a record of usage with %d bytes is none of version %d or %d", len(b), usageOfTokens, usageOfMoney)
	}
	b = b[1:]
	next := func() uint64 {
		n := binary.BigEndian.Uint64(b)
		b = b[8:]
		return n
	}
	for w := range u {
		u[w] = Used{Window: int64(next()), Requests: int64(next()), Tokens: int64(next())}
		if money {
			u[w].Money = Amount{hi: next(), lo: next()}
		}
		if u[w].Requests < 0 || u[w].Tokens < 0 {
			return Usage{}, fmt.Errorf("a record of usage counts less than nothing")
		}
	}
	if money && !u.spent() {
		return Usage{}, fmt.Errorf("a record of usage of version %d has no money", usageOfMoney)
	}
	return u, nil
}
