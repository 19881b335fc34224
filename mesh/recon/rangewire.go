package recon

import (
	"bytes"

	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// mode says what a message says about a range.
type mode uint8

const (
	modeSkip        mode = iota // nothing: settled
	modeFingerprint             // its fingerprint
	modeList                    // all its ids
	modeCompared                // in answer to a list: what each side lacks of it
)

const (
	// rangeSum is the length of a range's fingerprint.
	rangeSum = 16

	// maxBorder is the most that mode and border of a range take. What was skipped
	// before it takes as much again.
	maxBorder = 1 + len(ID{})

	// maxRange is the most that a range becomes when it is cut, or listed.
	maxRange = maxBorder + max(splits*(maxBorder+rangeSum), maxBorder+1+maxList*len(ID{}))

	// maxCompared is the most that a comparison takes besides ids. It leaves room
	// for some where a cut would have fitted, so every message gets on.
	maxCompared = 2*maxBorder + maxList/8 + 4

	// maxRest is what a skip and the rest of a message that is full take.
	maxRest = 2*maxBorder + rangeSum
)

// border is where a range ends: before id, or at the end of all ids.
type border struct {
	id  ID
	end bool
}

// between is the shortest border between two ids that follow each other: what
// they have in common and a byte.
func between(below, above ID) border {
	n := 0
	for below[n] == above[n] {
		n++
	}
	var b border
	copy(b.id[:], above[:n+1])
	return b
}

// exactly is the border before id.
func exactly(id ID) border { return border{id: id} }

// prefix is what of a border is written: trailing zeros are not.
func (b border) prefix() []byte {
	if b.end {
		return nil
	}
	return bytes.TrimRight(b.id[:], "\x00")
}

// writer writes a message: ranges one after the other, up to the end of all
// ids. Ranges to skip are put together.
type writer struct {
	b       []byte
	skipped *border // what is to be skipped before the next range
	asks    bool    // there is something to answer
}

func (w *writer) skip(upper border) { w.skipped = &upper }

func (w *writer) flush() {
	if w.skipped != nil {
		w.border(modeSkip, *w.skipped)
		w.skipped = nil
	}
}

func (w *writer) border(m mode, upper border) {
	prefix := upper.prefix()
	w.b = append(w.b, byte(m)<<6|byte(len(prefix)))
	w.b = append(w.b, prefix...)
}

func (w *writer) begin(m mode, upper border) {
	w.flush()
	w.border(m, upper)
	w.asks = true
}

func (w *writer) fingerprint(upper border, sum [rangeSum]byte) {
	w.begin(modeFingerprint, upper)
	w.b = append(w.b, sum[:]...)
}

// list is followed by n calls of id.
func (w *writer) list(upper border, n int) {
	w.begin(modeList, upper)
	w.b = postcard.AppendUint(w.b, uint64(n))
}

func (w *writer) id(id ID) { w.b = append(w.b, id[:]...) }

// compared has a bit for each of the n ids that were listed, in full bytes.
func (w *writer) compared(upper border, n int, lacking uint32, extra []ID) {
	w.begin(modeCompared, upper)
	for ; n > 0; n -= 8 {
		w.b = append(w.b, byte(lacking))
		lacking >>= 8
	}
	w.b = postcard.AppendUint(w.b, uint64(len(extra)))
	for i := range extra {
		w.id(extra[i])
	}
}

// readRange reads the mode of the next range and where it ends, which must be
// above lower.
func readRange(in *postcard.Decoder, lower border) (mode, border) {
	head := in.U8()
	n := int(head & 63)
	if n == 0 {
		return mode(head >> 6), border{end: true}
	}
	var upper border
	if n > len(upper.id) {
		in.Fail(ErrMalformed)
		return 0, border{}
	}
	in.Array(upper.id[:n])
	if upper.id[n-1] == 0 || compareIDs(&upper.id, &lower.id) <= 0 {
		in.Fail(ErrMalformed)
	}
	return mode(head >> 6), upper
}

// readIDs reads a list of ids of p, at most so many.
func readIDs(in *postcard.Decoder, p part, most int) ([]ID, error) {
	n := in.Count(len(ID{}))
	if in.Err() != nil || n > most {
		return nil, ErrMalformed
	}
	ids := make([]ID, n)
	for i := range ids {
		in.Array(ids[i][:])
		if i > 0 && compareIDs(&ids[i-1], &ids[i]) >= 0 {
			return nil, ErrMalformed
		}
	}
	if n > 0 && (compareIDs(&ids[0], &p.lower.id) < 0 || !p.upper.end && compareIDs(&ids[n-1], &p.upper.id) >= 0) {
		return nil, ErrMismatch
	}
	return ids, nil
}

// readLacking reads a bit for each of n ids.
func readLacking(in *postcard.Decoder, n int) uint32 {
	var lacking uint32
	for i := 0; i < n; i += 8 {
		lacking |= uint32(in.U8()) << i
	}
	if n < maxList && lacking>>n != 0 {
		in.Fail(ErrMalformed)
	}
	return lacking
}

func compareIDs(a, b *ID) int { return bytes.Compare(a[:], b[:]) }
