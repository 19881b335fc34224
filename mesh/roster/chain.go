package roster

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/culvert-net/culvert/internal/files"
	"github.com/culvert-net/culvert/mesh/world"
)

// chainFile has the entries and choices, in the order in which they came.
const chainFile = "roster.chain"

// A record is kind (1 byte), length of the body (4 bytes, little-endian), the
// CRC-32C of these five (4 bytes), body, and the first eight bytes of the
// BLAKE3 hash of all that. The head has a sum of its own, so that a damaged
// length is not taken for a record that was cut short.
const (
	recordHead = 1 + 4 + 4
	recordSum  = 8
	kindEntry  = 1
	kindChoice = 2
)

// disk is what a chain does to its file.
type disk interface {
	WriteAt(b []byte, off int64) (int, error)
	Sync() error
	Truncate(size int64) error
	Close() error
}

// Chain keeps a roster in a directory: roster.chain, and the boxes of recent
// entries in boxes. What Append and Choose accepted is on the disk when they
// return. A process killed at any moment leaves a chain that opens.
//
// The chain's Roster may be read by all; only the chain appends to it.
type Chain struct {
	dir    string  // immutable
	roster *Roster // immutable

	mu     sync.Mutex
	file   disk  // guarded by mu
	size   int64 // of the good records; guarded by mu
	broken bool  // the file may have more or less than that; guarded by mu
	lazy   bool  // whoever holds mu flushes the file itself; guarded by mu
}

// OpenChain opens the roster of a world in dir, or begins one. A record at the
// end that was not written whole is cut off; damage elsewhere is an error that
// wraps ErrDamaged, since to forget entries in silence would bring members back.
func OpenChain(dir string, w *world.World) (*Chain, error) {
	return openChain(dir, New(w), func(path string) (disk, error) {
		return os.OpenFile(path, os.O_RDWR, files.Private)
	})
}

func openChain(dir string, r *Roster, open func(string) (disk, error)) (c *Chain, err error) {
	path := filepath.Join(dir, chainFile)
	defer func() {
		if err != nil {
			err = fmt.Errorf("roster %s: %w", path, err)
		}
	}()
	b, err := readFile(path, maxChainFile)
	if errors.Is(err, fs.ErrNotExist) {
		b = fileHead(chainMagic, r.rules.world.ID)
		err = files.Write(path, b, files.Private)
	}
	if err != nil {
		return nil, err
	}
	if err := checkHead(chainMagic, r.rules.world.ID, b); err != nil {
		return nil, err
	}
	good, err := r.load(b[headSize:])
	if err != nil {
		return nil, fmt.Errorf("%w; move it away to have the roster fetched from other members", err)
	}
	c = &Chain{dir: dir, roster: r, size: int64(headSize + good)}
	if c.file, err = open(path); err != nil {
		return nil, err
	}
	if c.size < int64(len(b)) {
		if err := errors.Join(c.file.Truncate(c.size), c.file.Sync()); err != nil {
			return nil, errors.Join(err, c.file.Close())
		}
	}
	return c, nil
}

// load appends records to an empty roster and returns how many bytes were good.
// Tickets are not computed again: they were when the entries came, and a
// thousand take a minute.
func (r *Roster) load(b []byte) (good int, err error) {
	ticket := r.rules.verify.ticket
	r.rules.verify.ticket = func(*Ticket, world.Hash, Key, uint32) error { return nil }
	defer func() { r.rules.verify.ticket = ticket }()
	for good < len(b) {
		kind, body, n, err := readRecord(b[good:])
		if err != nil {
			return 0, fmt.Errorf("at byte %d: %w", headSize+good, err)
		}
		if n == 0 {
			break // torn
		}
		if err := r.loadRecord(kind, body); err != nil {
			return 0, fmt.Errorf("at byte %d: %w: %w", headSize+good, ErrDamaged, err)
		}
		good += n
	}
	return good, nil
}

func (r *Roster) loadRecord(kind byte, body []byte) error {
	switch kind {
	case kindEntry:
		e, err := DecodeEntry(body)
		if err != nil {
			return err
		}
		// It was not ahead of the clock when it came.
		return r.Append(e, time.UnixMilli(int64(min(e.Time, 1<<62))))
	case kindChoice:
		c, err := DecodeChoice(body)
		if err != nil {
			return err
		}
		return r.Choose(c)
	default:
		return fmt.Errorf("record of unknown kind %d", kind)
	}
}

// record is the bytes of a record.
func record(kind byte, body []byte) []byte {
	b := make([]byte, 0, recordHead+len(body)+recordSum)
	b = append(b, kind)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(body)))
	b = binary.LittleEndian.AppendUint32(b, headCRC(b))
	b = append(b, body...)
	sum := world.Sum(b)
	return append(b, sum[:recordSum]...)
}

func headCRC(head []byte) uint32 {
	return crc32.Checksum(head[:5], crc32.MakeTable(crc32.Castagnoli))
}

// readRecord reads the record that b begins with, and its size. The size is 0
// if the record is the last one and was not written whole.
func readRecord(b []byte) (kind byte, body []byte, size int, err error) {
	if len(b) < recordHead {
		return 0, nil, 0, nil
	}
	if binary.LittleEndian.Uint32(b[5:]) != headCRC(b) {
		if blank(b[recordHead:]) {
			return 0, nil, 0, nil // the file grew, and not all of its content came
		}
		return 0, nil, 0, fmt.Errorf("%w: the checksum of a record's head", ErrDamaged)
	}
	n := binary.LittleEndian.Uint32(b[1:])
	if n > maxRecord {
		return 0, nil, 0, fmt.Errorf("%w: a record of %d bytes", ErrDamaged, n)
	}
	size = recordHead + int(n) + recordSum
	if len(b) < size {
		return 0, nil, 0, nil
	}
	sum := world.Sum(b[:recordHead+int(n)])
	if string(sum[:recordSum]) != string(b[recordHead+int(n):size]) {
		if len(b) == size || blank(b[size:]) {
			return 0, nil, 0, nil
		}
		return 0, nil, 0, fmt.Errorf("%w: the checksum of a record", ErrDamaged)
	}
	return b[0], b[recordHead : recordHead+int(n)], size, nil
}

// blank reports whether b is all zeros: what a crash of the machine leaves
// where a file was made longer before its content was written.
func blank(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// Roster is the chain's.
func (c *Chain) Roster() *Roster { return c.roster }

// Append takes an entry that came from elsewhere, with its boxes if they are
// here, and makes both durable: the boxes first, for an entry whose boxes were
// lost locks everybody out. See Roster.Append for the errors.
func (c *Chain) Append(e Entry, boxes *Boxes, now time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.roster.mu.Lock()
	defer c.roster.mu.Unlock()
	return c.append(e, boxes, now)
}

// Extend is Append for an entry that this node made. It is ErrStale if another
// entry has come after the same parent: to append ours too would fork the
// roster, so make it anew.
func (c *Chain) Extend(e Entry, boxes Boxes, now time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.roster
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.nodes[e.Hash()] == nil && (e.Previous != r.head.hash || r.stuck()) {
		return fmt.Errorf("roster entry %s of generation %d: %w", e.Hash().Short(), e.Generation, ErrStale)
	}
	return c.append(e, &boxes, now)
}

// AppendAll takes what another node sent, in order, and flushes it to the disk
// once. It stops at the first error; what came before it stays.
func (c *Chain) AppendAll(entries []Entry, choices []Choice, now time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.roster.mu.Lock()
	defer c.roster.mu.Unlock()
	c.lazy = true
	defer func() { c.lazy = false }()
	before := c.size
	err := c.appendAll(entries, choices, now)
	if c.size > before {
		if flushed := c.file.Sync(); flushed != nil {
			c.broken = true // the roster has what the disk may not have
			err = errors.Join(err, fmt.Errorf("writing %s: %w: %w", chainFile, ErrBroken, flushed))
		}
	}
	return err
}

func (c *Chain) appendAll(entries []Entry, choices []Choice, now time.Time) error {
	for _, e := range entries {
		if err := c.append(e, nil, now); err != nil {
			return err
		}
	}
	for _, choice := range choices {
		if err := c.choose(choice); err != nil {
			return err
		}
	}
	return nil
}

// append is Append. The caller holds both locks.
func (c *Chain) append(e Entry, boxes *Boxes, now time.Time) error {
	r := c.roster
	return r.append(e, now, func() error {
		if boxes != nil {
			r.state.moveTo(r.nodes[e.Previous])
			members := r.after(e.Changes)
			r.state.moveTo(r.head)
			if err := checkBoxes(*boxes, e, members, r.rules.verify); err != nil {
				return err
			}
			if err := c.writeBoxes(*boxes); err != nil {
				return fmt.Errorf("%w: %w", ErrDisk, err)
			}
		}
		return c.write(record(kindEntry, e.Canonical()))
	})
}

// Choose takes the founders' choice and makes it durable.
func (c *Chain) Choose(choice Choice) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.roster.mu.Lock()
	defer c.roster.mu.Unlock()
	return c.choose(choice)
}

// choose is Choose. The caller holds both locks.
func (c *Chain) choose(choice Choice) error {
	return c.roster.choose(choice, func() error { return c.write(record(kindChoice, choice.Canonical())) })
}

// write adds a record, on the disk when it returns nil; after an error, which
// wraps ErrDisk, the file is as before. The caller holds mu.
func (c *Chain) write(b []byte) error {
	if err := c.writeRecord(b); err != nil {
		return fmt.Errorf("%w: %w", ErrDisk, err)
	}
	return nil
}

func (c *Chain) writeRecord(b []byte) error {
	switch {
	case c.file == nil:
		return fs.ErrClosed
	case c.broken:
		return ErrBroken
	case c.size+int64(len(b)) > maxChainFile:
		return fmt.Errorf("%w: %s has %d bytes", ErrFull, chainFile, c.size)
	}
	_, err := c.file.WriteAt(b, c.size)
	if err == nil && !c.lazy {
		err = c.file.Sync()
	}
	if err != nil {
		// What follows half a record would be damage. A record that is whole,
		// but of which we said that it is not there, must not come back either.
		if undo := errors.Join(c.file.Truncate(c.size), c.file.Sync()); undo != nil {
			c.broken = true
			err = errors.Join(err, undo)
		}
		return fmt.Errorf("writing %s: %w", chainFile, err)
	}
	c.size += int64(len(b))
	return nil
}

// Close releases the file. It may be called twice.
func (c *Chain) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.file == nil {
		return nil
	}
	f := c.file
	c.file = nil
	return f.Close()
}
