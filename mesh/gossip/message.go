package gossip

import (
	"encoding/binary"
	"errors"

	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// kind says what a message is.
type kind byte

// The numbers are on the wire.
const (
	kindError   kind = 0  // why the session ends: one byte
	kindAuth    kind = 1  // signature
	kindRoster  kind = 2  // roster entries
	kindSummary kind = 3  // what the log is
	kindEqual   kind = 4  // nothing to do
	kindLists   kind = 5  // lists of carriers
	kindDiffer  kind = 6  // pages that differ
	kindCells   kind = 7  // coded cells, or a list
	kindMore    kind = 8  // how many more cells
	kindEvents  kind = 9  // bodies
	kindWant    kind = 10 // short ids of bodies to send
	kindWantIDs kind = 11 // ids of bodies to send
	kindTurn    kind = 12 // end of a turn
	kindRanges  kind = 13 // range reconciliation
	kindState   kind = 14 // fingerprint over the whole, before the first answer in ranges
	kindBye     kind = 15 // the end

	kindRangesEnd kind = 16 // the opener knows what differs
	kindDetails   kind = 17 // epochs of a page that is too large
)

// limit is how long a message of this kind may be.
func (k kind) limit() int {
	switch k {
	case kindRoster:
		return maxRoster + maxSmall
	case kindLists:
		return maxCarriers * (maxList + maxSmall)
	case kindCells:
		return maxCells + 8*maxUnwanted + maxSmall
	case kindEvents:
		return maxEvents
	case kindWant, kindWantIDs:
		return maxWant*len(ID{}) + maxSmall
	case kindRanges:
		return maxRanges
	case kindDetails:
		return 2 * pageEpochs << maxShift
	default:
		return maxSmall
	}
}

// allowed is the limit of k if it is one of those wanted. An end is always.
func (k kind) allowed(want []kind) (int, bool) {
	if k == kindError {
		return k.limit(), true
	}
	for _, w := range want {
		if k == w {
			return k.limit(), true
		}
	}
	return 0, false
}

// malformed is the error of a message that is not what it says.
func malformed(k kind, err error) error { return fail(ReasonMalformed, "message %d: %w", k, err) }

// errOrder says that a list that has to rise does not.
var errOrder = errors.New("not in rising order")

// summary is what a log is at one moment.
type summary struct {
	from    uint64   // the first epoch that is kept
	shift   uint8    // pages have pageEpochs << shift epochs
	root    [32]byte // of everything from there on
	first   uint64   // number of the first page
	pages   []uint16 // what is left of each page's digest
	carried [][4]byte
}

func (s *summary) bytes() []byte {
	b := postcard.AppendUint(nil, s.from)
	b = append(b, s.shift)
	b = append(b, s.root[:]...)
	b = postcard.AppendUint(b, s.first)
	b = postcard.AppendUint(b, uint64(len(s.pages)))
	for _, p := range s.pages {
		b = binary.LittleEndian.AppendUint16(b, p)
	}
	b = postcard.AppendUint(b, uint64(len(s.carried)))
	for _, c := range s.carried {
		b = append(b, c[:]...)
	}
	return b
}

func readSummary(b []byte) (*summary, error) {
	d := postcard.NewDecoder(b)
	s := &summary{from: d.U64(), shift: d.U8()}
	d.Array(s.root[:])
	s.first = d.U64()
	n := d.Count(2)
	if s.shift > maxShift || n > maxPages || s.first > 1<<63 {
		return nil, fail(ReasonLimit, "a summary of %d pages", n)
	}
	for range n {
		var p [2]byte
		d.Array(p[:])
		s.pages = append(s.pages, binary.LittleEndian.Uint16(p[:]))
	}
	n = d.Count(4)
	if n > maxCarriers {
		return nil, fail(ReasonLimit, "a summary of %d lists", n)
	}
	for range n {
		var c [4]byte
		d.Array(c[:])
		s.carried = append(s.carried, c)
	}
	if err := d.Finish(); err != nil {
		return nil, malformed(kindSummary, err)
	}
	return s, nil
}

// differ names the pages to compare, from one epoch on.
type differ struct {
	from  uint64
	shift uint8
	pages []uint64 // rising
	count uint64   // ids the opener has there
}

func (m *differ) bytes() []byte {
	b := postcard.AppendUint(nil, m.from)
	b = append(b, m.shift)
	b = appendRising(b, m.pages)
	return postcard.AppendUint(b, m.count)
}

func readDiffer(b []byte) (*differ, error) {
	d := postcard.NewDecoder(b)
	m := &differ{from: d.U64(), shift: d.U8()}
	m.pages = readRising(d, maxDiffer)
	m.count = d.U64()
	if err := d.Finish(); err != nil {
		return nil, malformed(kindDiffer, err)
	}
	if m.shift > maxShift && m.shift != fine {
		return nil, fail(ReasonLimit, "pages of %d << %d epochs", pageEpochs, m.shift)
	}
	return m, nil
}

// maxDiffer is how many pages one session compares.
const maxDiffer = 1024

// appendRising appends a rising list as steps: the first number, then how much
// each is above the one before.
func appendRising(b []byte, list []uint64) []byte {
	b = postcard.AppendUint(b, uint64(len(list)))
	last := uint64(0)
	for _, v := range list {
		b = postcard.AppendUint(b, v-last)
		last = v
	}
	return b
}

func readRising(d *postcard.Decoder, most int) []uint64 {
	n := d.Count(1)
	if n > most {
		d.Fail(postcard.ErrLength)
		return nil
	}
	list := make([]uint64, 0, n)
	last := uint64(0)
	for i := range n {
		v := d.U64()
		if i > 0 && v == 0 || last+v < last {
			d.Fail(errOrder)
			return nil
		}
		last += v
		list = append(list, last)
	}
	return list
}

// cells answers differ: what the answerer has in the pages.
type cells struct {
	covered uint64   // pages looked at: so many of the last ones named
	count   uint64   // ids the answerer has there
	sum     [32]byte // fingerprint over their whole ids
	list    bool     // body is short ids, 8 bytes each, rising; else coded cells
	later   bool     // events are not to be sent now: others send her much
	body    []byte
	refused []byte // short ids, likewise, of what its log refused before: not to be sent
}

// The flags of cells.
const (
	flagList  = 1
	flagLater = 2
)

func (m *cells) bytes() []byte {
	b := postcard.AppendUint(make([]byte, 0, len(m.body)+len(m.refused)+64), m.covered)
	b = postcard.AppendUint(b, m.count)
	b = append(b, m.sum[:]...)
	flags := byte(0)
	if m.list {
		flags |= flagList
	}
	if m.later {
		flags |= flagLater
	}
	b = append(b, flags)
	b = postcard.AppendBytes(b, m.body)
	return postcard.AppendBytes(b, m.refused)
}

func readCells(b []byte) (*cells, error) {
	d := postcard.NewDecoder(b)
	m := &cells{covered: d.U64(), count: d.U64()}
	d.Array(m.sum[:])
	flags := d.U8()
	m.list, m.later = flags&flagList != 0, flags&flagLater != 0
	m.body = d.Bytes()
	m.refused = d.Bytes()
	if err := d.Finish(); err != nil {
		return nil, malformed(kindCells, err)
	}
	if flags&^(flagList|flagLater) != 0 {
		return nil, fail(ReasonMalformed, "cells with flags %#x", flags)
	}
	return m, nil
}

// appendList appends items, each with its length.
func appendList(b []byte, items [][]byte) []byte {
	b = postcard.AppendUint(b, uint64(len(items)))
	for _, i := range items {
		b = postcard.AppendBytes(b, i)
	}
	return b
}

// readList reads what appendList wrote. Items point into the message.
func readList(d *postcard.Decoder) [][]byte {
	n := d.Count(1)
	items := make([][]byte, 0, min(n, 1<<12))
	for range n {
		item := d.Bytes()
		if d.Err() != nil {
			return nil
		}
		items = append(items, item)
	}
	return items
}

func decodeList(k kind, b []byte) ([][]byte, error) {
	d := postcard.NewDecoder(b)
	items := readList(d)
	if err := d.Finish(); err != nil {
		return nil, malformed(k, err)
	}
	return items, nil
}

// rosterMsg is our head, and entries that the peer lacks.
type rosterMsg struct {
	generation uint64
	entry      [32]byte
	entries    [][]byte
}

func (m *rosterMsg) bytes() []byte {
	b := postcard.AppendUint(nil, m.generation)
	b = append(b, m.entry[:]...)
	return appendList(b, m.entries)
}

func readRoster(b []byte) (*rosterMsg, error) {
	d := postcard.NewDecoder(b)
	m := &rosterMsg{generation: d.U64()}
	d.Array(m.entry[:])
	m.entries = readList(d)
	if err := d.Finish(); err != nil {
		return nil, malformed(kindRoster, err)
	}
	return m, nil
}

// listsMsg is the lists of the carriers whose digests differ, by their place.
type listsMsg map[int][][]byte

func (m listsMsg) bytes() []byte {
	b := postcard.AppendUint(nil, uint64(len(m)))
	for i := range maxCarriers {
		if items, ok := m[i]; ok {
			b = append(b, byte(i))
			b = appendList(b, items)
		}
	}
	return b
}

func readLists(b []byte) (listsMsg, error) {
	d := postcard.NewDecoder(b)
	m := listsMsg{}
	last := -1
	for range d.Count(2) {
		i := int(d.U8())
		if i <= last || i >= maxCarriers {
			d.Fail(errOrder)
			break
		}
		last = i
		m[i] = readList(d)
	}
	if err := d.Finish(); err != nil {
		return nil, malformed(kindLists, err)
	}
	return m, nil
}

// readNumber reads a message that is one number.
func readNumber(k kind, b []byte) (uint64, error) {
	d := postcard.NewDecoder(b)
	n := d.U64()
	if err := d.Finish(); err != nil {
		return 0, malformed(k, err)
	}
	return n, nil
}

// appendShorts writes short ids, 8 bytes each.
func appendShorts(b []byte, shorts []uint64) []byte {
	for _, s := range shorts {
		b = binary.LittleEndian.AppendUint64(b, s)
	}
	return b
}

// readShorts reads them; they rise, so none is there twice.
func readShorts(k kind, b []byte) ([]uint64, error) {
	if len(b)%8 != 0 {
		return nil, malformed(k, postcard.ErrTruncated)
	}
	shorts := make([]uint64, 0, len(b)/8)
	for i := 0; i < len(b); i += 8 {
		s := binary.LittleEndian.Uint64(b[i:])
		if i > 0 && s <= shorts[len(shorts)-1] {
			return nil, malformed(k, errOrder)
		}
		shorts = append(shorts, s)
	}
	return shorts, nil
}
