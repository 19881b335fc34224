package recon

import (
	"math/bits"

	"lukechampine.com/blake3"

	"github.com/culvert-net/culvert/mesh/world/postcard"
)

const (
	// splits is into how many parts a range is cut that differs. More would cost
	// bytes where one id differs, fewer would cost rounds.
	splits = 16

	// maxList is how many ids of a range are listed instead. It is what two cuts
	// of fingerprints would cost.
	maxList = 32
)

// Storage is a set in the order of its ids. It must not change while a Ranges
// reads it.
type Storage interface {
	Len() int
	At(i int) ID     // ascending, without doubles
	Find(id *ID) int // the first i whose id is not less, or Len
}

// Ranges compares sets by the fingerprints of ranges of ids, cut smaller where
// they differ. It needs no estimate and no luck, but more rounds than cells,
// and as many bytes as ids where differences lie scattered.
//
// One side calls Initiate, sends what it returns, and gives each answer to
// Respond until it is Done; the other gives what comes to Respond, and sends
// what that returns. What differs, the first one learns.
type Ranges struct {
	storage   Storage
	hash      *blake3.Hasher
	limits    Limits
	initiator bool
	done      bool
	rounds    int // messages taken in
	bytes     int // taken in
	have      []ID
	need      []ID
	seen      map[ID]bool // have and need
}

// NewRanges compares what is in storage, in the session of key.
func NewRanges(key *Key, storage Storage, limits Limits) *Ranges {
	return &Ranges{storage: storage, hash: blake3.New(rangeSum, key[:]), limits: limits.or(), seen: make(map[ID]bool)}
}

// Initiate is the first message.
func (r *Ranges) Initiate() []byte {
	r.initiator = true
	var out writer
	r.cut(&out, 0, r.storage.Len(), border{end: true})
	return out.b
}

// Respond is what to send in answer to message; nothing when Done.
func (r *Ranges) Respond(message []byte) ([]byte, error) {
	r.rounds++
	r.bytes += len(message)
	if r.done {
		return nil, ErrMalformed
	}
	if r.rounds > r.limits.Rounds || r.bytes > r.limits.Bytes || len(message) > r.limits.Message {
		return nil, ErrLimit
	}
	in, out := postcard.NewDecoder(message), writer{}
	var lower border
	skipped := false
	for from := 0; !lower.end; {
		m, upper := readRange(in, lower)
		if in.Err() != nil || m == modeSkip && skipped {
			return nil, ErrMalformed
		}
		skipped = m == modeSkip
		if len(out.b)+maxRange+maxRest > r.limits.Message {
			r.rest(&out, from)
			return out.b, nil
		}
		to := r.find(upper)
		cut, err := r.answer(in, &out, m, part{from, to, lower, upper})
		if err != nil || cut {
			return out.b, err
		}
		from, lower = to, upper
	}
	if in.Finish() != nil {
		return nil, ErrMalformed
	}
	if r.initiator && !out.asks {
		r.done = true
		return nil, nil
	}
	out.flush()
	return out.b, nil
}

// Done reports, to the side that began, that Have and Need are complete.
func (r *Ranges) Done() bool { return r.done }

// Have are the ids that the other side lacks, for the side that began. Until
// Done, and after an error, they are those that were found so far.
func (r *Ranges) Have() []ID { return r.have }

// Need are the ids that the other side says it has and we lack.
func (r *Ranges) Need() []ID { return r.need }

// part is a range, and which of our ids lie in it.
type part struct {
	from, to     int
	lower, upper border
}

// answer takes one range of a message and writes what is to be said about it.
// It reports whether it wrote the end of the message, because it was full.
func (r *Ranges) answer(in *postcard.Decoder, out *writer, m mode, p part) (bool, error) {
	switch m {
	case modeFingerprint:
		var theirs [rangeSum]byte
		in.Array(theirs[:])
		if in.Err() != nil {
			return false, ErrMalformed
		}
		if theirs == r.sum(p.from, p.to) {
			out.skip(p.upper)
		} else {
			r.cut(out, p.from, p.to, p.upper)
		}
	case modeList:
		theirs, err := readIDs(in, p, maxList)
		if err != nil {
			return false, err
		}
		if !r.initiator {
			return r.compare(out, theirs, p), nil
		}
		out.skip(p.upper)
		return false, r.settle(theirs, p)
	case modeCompared:
		if !r.initiator {
			return false, ErrMalformed
		}
		out.skip(p.upper)
		return false, r.learn(in, p)
	case modeSkip:
		out.skip(p.upper)
	}
	return false, nil
}

// cut writes what we have in a range: the ids, if they are few, else
// fingerprints of its parts.
func (r *Ranges) cut(out *writer, from, to int, upper border) {
	n := to - from
	if n <= maxList {
		out.list(upper, n)
		for i := from; i < to; i++ {
			out.id(r.storage.At(i))
		}
		return
	}
	for k := range splits {
		start, end := from+n*k/splits, from+n*(k+1)/splits
		at := upper
		if k < splits-1 {
			at = between(r.storage.At(end-1), r.storage.At(end))
		}
		out.fingerprint(at, r.sum(start, end))
	}
}

// compare writes which of the listed ids we lack, and which of ours are not
// listed. Where these do not fit, the message ends with the fingerprint of all
// that follows.
func (r *Ranges) compare(out *writer, theirs []ID, p part) bool {
	room := (r.limits.Message - len(out.b) - maxCompared - maxRest) / len(ID{})
	var lacking uint32 // a bit for each of theirs, the first lowest
	var extra []ID
	k, i := 0, p.from
	for i < p.to || k < len(theirs) {
		var mine ID
		if i < p.to {
			mine = r.storage.At(i)
		}
		switch {
		case i == p.to || k < len(theirs) && compareIDs(&theirs[k], &mine) < 0:
			lacking |= 1 << k
			k++
		case k < len(theirs) && theirs[k] == mine:
			k++
			i++
		case len(extra) == room:
			out.compared(exactly(mine), k, lacking, extra)
			r.rest(out, i)
			return true
		default:
			extra = append(extra, mine)
			i++
		}
	}
	out.compared(p.upper, k, lacking, extra)
	return false
}

// settle compares a list with what we have.
func (r *Ranges) settle(theirs []ID, p part) error {
	k := 0
	for i := p.from; i < p.to; i++ {
		mine := r.storage.At(i)
		for ; k < len(theirs) && compareIDs(&theirs[k], &mine) < 0; k++ {
			if err := r.found(&r.need, theirs[k]); err != nil {
				return err
			}
		}
		if k < len(theirs) && theirs[k] == mine {
			k++
			continue
		}
		if err := r.found(&r.have, mine); err != nil {
			return err
		}
	}
	for _, id := range theirs[k:] {
		if err := r.found(&r.need, id); err != nil {
			return err
		}
	}
	return nil
}

// learn reads what came of a list of ours.
func (r *Ranges) learn(in *postcard.Decoder, p part) error {
	n := p.to - p.from
	if n > maxList {
		return ErrMismatch // this was not listed
	}
	lacking := readLacking(in, n)
	if in.Err() != nil {
		return ErrMalformed
	}
	for ; lacking != 0; lacking &= lacking - 1 {
		if err := r.found(&r.have, r.storage.At(p.from+bits.TrailingZeros32(lacking))); err != nil {
			return err
		}
	}
	extra, err := readIDs(in, p, MaxMessage/len(ID{}))
	if err != nil {
		return err
	}
	for i := range extra {
		if at := r.storage.Find(&extra[i]); at < p.to && r.storage.At(at) == extra[i] {
			return ErrMismatch // we listed it
		}
		if err := r.found(&r.need, extra[i]); err != nil {
			return err
		}
	}
	return nil
}

func (r *Ranges) found(list *[]ID, id ID) error {
	if r.seen[id] {
		return ErrRepeat
	}
	r.seen[id] = true
	*list = append(*list, id)
	return nil
}

// rest ends a message that is full with the fingerprint of all that follows.
func (r *Ranges) rest(out *writer, from int) {
	out.fingerprint(border{end: true}, r.sum(from, r.storage.Len()))
}

func (r *Ranges) find(b border) int {
	if b.end {
		return r.storage.Len()
	}
	return r.storage.Find(&b.id)
}

// sum is the fingerprint of a range: a hash of its ids in their order. To take
// the sums of lanes instead would cost ten times as much an id; what they are
// good for, to follow changes, is of no use here. The key makes 16 bytes enough:
// who would look for two ranges of one sum has the length of a session.
func (r *Ranges) sum(from, to int) [rangeSum]byte {
	r.hash.Reset() // to the key alone
	r.hash.Write([]byte(labelRange))
	for i := from; i < to; i++ {
		id := r.storage.At(i)
		r.hash.Write(id[:])
	}
	var sum [rangeSum]byte
	r.hash.Sum(sum[:0])
	return sum
}
