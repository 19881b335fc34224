package gossip

import (
	"cmp"
	"encoding/binary"
	"slices"

	"lukechampine.com/blake3"

	"github.com/culvert-net/culvert/mesh/recon"
)

// digests describe a log by pages, under the key of one session.
type digests struct {
	root  [32]byte
	first uint64            // the first page that has something
	last  uint64            // the last one
	pages map[uint64]uint16 // what is left of the digest of each that has something
}

// digest describes what a log has had since an epoch. What was pruned counts
// too: a peer whose clock is behind still has it.
func digest(key [32]byte, epochs []Epoch, from uint64, shift uint8) *digests {
	d := &digests{pages: make(map[uint64]uint16)}
	root, page := keyed(key, labelRoot), keyed(key, labelPage)
	write(root, from)
	open := false
	end := func() {
		if !open {
			return
		}
		sum := page.Sum(nil)
		write(root, d.last)
		root.Write(sum)
		d.pages[d.last] = binary.LittleEndian.Uint16(sum)
	}
	for _, e := range epochs {
		if e.Epoch < from || e.Count == 0 {
			continue
		}
		if p := pageOf(e.Epoch, shift); !open || p != d.last {
			end()
			if !open {
				d.first = p
			}
			d.last, open = p, true
			page = keyed(key, labelPage)
			write(page, p)
		}
		write(page, e.Epoch)
		page.Write(e.Sum[:])
	}
	end()
	d.root = [32]byte(root.Sum(nil))
	return d
}

// keyed begins a hash of this package under a session's key. A hash's Write
// returns no error.
func keyed(key [32]byte, label string) *blake3.Hasher {
	h := blake3.New(32, key[:])
	h.Write([]byte(label))
	return h
}

func write(h *blake3.Hasher, n uint64) { h.Write(binary.LittleEndian.AppendUint64(nil, n)) }

// fine is the shift by which every epoch is a page of its own: a page that holds
// more than a session compares is looked at so.
const fine = 0xff

// pageOf is the page that an epoch is in.
func pageOf(epoch uint64, shift uint8) uint64 {
	if shift == fine {
		return epoch
	}
	return epoch / pageEpochs >> shift
}

// details are what is left of the digest of each epoch of a page, where nothing
// is zero.
func details(key [32]byte, epochs []Epoch, page uint64, shift uint8) []uint16 {
	out := make([]uint16, pageEpochs<<shift)
	for _, e := range epochs {
		if e.Count > 0 && pageOf(e.Epoch, shift) == page {
			h := keyed(key, labelEpoch)
			write(h, e.Epoch)
			h.Write(e.Sum[:])
			out[e.Epoch%uint64(len(out))] = binary.LittleEndian.Uint16(h.Sum(nil))
		}
	}
	return out
}

// shiftFor is the smallest size of pages of which maxPages hold all epochs from
// one on.
func shiftFor(epochs []Epoch, from uint64) uint8 {
	if len(epochs) == 0 {
		return 0
	}
	last := max(epochs[len(epochs)-1].Epoch, from)
	for s := range uint8(maxShift) {
		if pageOf(last, s)-pageOf(from, s) < maxPages {
			return s
		}
	}
	return maxShift
}

// oldest is the first epoch that a log keeps: the first one behind all pruned
// ones, so that what is to come counts as kept.
func oldest(epochs []Epoch) uint64 {
	from := uint64(0)
	for _, e := range epochs {
		if e.Pruned {
			from = e.Epoch + 1
		}
	}
	return from
}

// summarize is what the answerer says of its log.
func summarize(key [32]byte, epochs []Epoch) *summary {
	from := oldest(epochs)
	if from == 0 && len(epochs) > 0 {
		from = epochs[0].Epoch
	}
	s := &summary{from: from, shift: shiftFor(epochs, from)}
	d := digest(key, epochs, s.from, s.shift)
	s.root, s.first = d.root, d.first
	if len(d.pages) == 0 {
		return s
	}
	// A log that spans more than the largest pages can hold tells of the newest.
	if d.last-s.first >= maxPages {
		s.first = d.last - maxPages + 1
	}
	for p := s.first; p <= d.last; p++ {
		s.pages = append(s.pages, d.pages[p])
	}
	return s
}

// compare lists the pages in which our log differs from the one summarized,
// oldest first. Nothing differs when the roots are equal.
func (s *summary) compare(ours *digests) []uint64 {
	if s.root == ours.root {
		return nil
	}
	var differ []uint64
	for i, theirs := range s.pages {
		p := s.first + uint64(i)
		if mine, ok := ours.pages[p]; mine != theirs || !ok && theirs != 0 {
			differ = append(differ, p)
		}
	}
	end := s.first + uint64(len(s.pages))
	for p := range ours.pages {
		if p < s.first || p >= end {
			differ = append(differ, p)
		}
	}
	slices.Sort(differ)
	return differ
}

// held is one event that we have.
type held struct {
	epoch uint64
	id    ID
}

// collection is what we have in the pages that are compared, at one moment.
type collection struct {
	pages  []uint64
	events []held
	starts []int // where each page begins in events
	sums   []recon.Fingerprint
	left   bool // there were more than one session compares
	large  bool // even the last page has more: nothing was taken
	size   uint64

	short map[uint64]int // by short id, once indexed: place in events
}

// collect takes what the log has from an epoch on in the pages, the newest ones
// if there is too much.
func collect(log Log, epochs []Epoch, from uint64, shift uint8, pages []uint64) (*collection, error) {
	byPage := make(map[uint64][]uint64, len(pages))
	size := make(map[uint64]uint64, len(pages))
	wanted := func(p uint64) bool { _, found := slices.BinarySearch(pages, p); return found }
	for _, e := range epochs {
		if p := pageOf(e.Epoch, shift); e.Epoch >= from && !e.Pruned && wanted(p) {
			byPage[p] = append(byPage[p], e.Epoch)
			size[p] += e.Count
		}
	}
	keep, total := len(pages), uint64(0)
	for keep > 0 {
		next := size[pages[keep-1]]
		if total+next > maxIDs && keep < len(pages) {
			break
		}
		total += next
		keep--
	}
	c := &collection{pages: pages[keep:], left: keep > 0, size: total}
	if c.large = total > maxIDs && shift != fine; c.large {
		return c, nil
	}
	for _, p := range c.pages {
		c.starts = append(c.starts, len(c.events))
		var sum recon.Fingerprint
		for _, epoch := range byPage[p] {
			ids, fp, err := log.Snapshot(epoch)
			if err != nil {
				return nil, &Error{Reason: ReasonLocal, err: err}
			}
			for _, id := range ids {
				c.events = append(c.events, held{epoch: epoch, id: id})
			}
			sum.Merge(fp)
		}
		c.sums = append(c.sums, sum)
	}
	return c, nil
}

// last drops all pages but the last n.
func (c *collection) last(n int) {
	cut := len(c.pages) - n
	if cut <= 0 {
		return
	}
	at := len(c.events)
	if cut < len(c.pages) {
		at = c.starts[cut]
	}
	c.pages, c.sums, c.events, c.left = c.pages[cut:], c.sums[cut:], c.events[at:], true
	c.starts = c.starts[cut:]
	for i := range c.starts {
		c.starts[i] -= at
	}
}

// sum is the fingerprint over all of it.
func (c *collection) sum() *recon.Fingerprint {
	var all recon.Fingerprint
	for i := range c.sums {
		all.Merge(&c.sums[i])
	}
	return &all
}

// index gives every event its short id. It reports false when two have the same.
func (c *collection) index(key [32]byte) ([]uint64, bool) {
	shorts := make([]uint64, len(c.events))
	c.short = make(map[uint64]int, len(c.events))
	for i := range c.events {
		shorts[i] = recon.ShortID(&key, &c.events[i].id)
		c.short[shorts[i]] = i
	}
	return shorts, len(c.short) == len(shorts)
}

// byID gives the place of every event by its whole id.
func (c *collection) byID() map[ID]int {
	m := make(map[ID]int, len(c.events))
	for i := range c.events {
		m[c.events[i].id] = i
	}
	return m
}

// newestFirst orders what is to be sent: what is new is wanted most.
func newestFirst(events []held) {
	slices.SortStableFunc(events, func(a, b held) int { return cmp.Compare(b.epoch, a.epoch) })
}
