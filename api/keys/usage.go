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

// usageSize is the length of an encoded Usage: a version and nine numbers.
const usageSize = 1 + windows*3*8

const usageVersion = 1

// Encode is u as bytes for a store.
func (u *Usage) Encode() []byte {
	b := make([]byte, 0, usageSize)
	b = append(b, usageVersion)
	for _, one := range u {
		for _, n := range []int64{one.Window, one.Requests, one.Tokens} {
			b = binary.BigEndian.AppendUint64(b, uint64(n))
		}
	}
	return b
}

// DecodeUsage reads what Encode wrote.
func DecodeUsage(b []byte) (u Usage, err error) {
	if len(b) != usageSize || b[0] != usageVersion {
		return u, fmt.Errorf("a record of usage with %d bytes is none of version %d", len(b), usageVersion)
	}
	b = b[1:]
	next := func() int64 {
		n := int64(binary.BigEndian.Uint64(b))
		b = b[8:]
		return n
	}
	for w := range u {
		u[w] = Used{next(), next(), next()}
		if u[w].Requests < 0 || u[w].Tokens < 0 {
			return Usage{}, fmt.Errorf("a record of usage counts less than nothing")
		}
	}
	return u, nil
}
