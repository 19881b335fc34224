package eventlog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"

	"github.com/culvert-net/culvert/internal/kv/bolt"
	"github.com/culvert-net/culvert/mesh/world"
)

// Config is what Open needs.
type Config struct {
	// World is whose events the log holds. A file of another world is refused.
	World *world.World

	// Replica is this node's id in the version vector of an epoch
	// (world.KeyedReplicaID). Nil: own events are not counted in the vector.
	Replica func(epoch uint64) world.Hash
}

// Log is an open log.
type Log struct {
	path  string
	db    *bbolt.DB
	cfg   Config
	terms world.Terms // of the world

	// turn is held by the caller of Add that writes for those who wait.
	turn chan struct{}

	mu       sync.Mutex
	waiting  []*request    // guarded by mu: what the next transaction takes
	updated  chan struct{} // guarded by mu: closed when events are added
	refusals refusals      // guarded by mu
}

// format is what is stored, and how: docs/spec/log.md. A log with another
// number is refused.
const format = 1

// Buckets of the file. Below "events" stands one bucket per epoch, named by its
// number in eight bytes, big-endian, as all numbers in keys are.
var (
	bucketMeta   = []byte("meta")
	bucketHeads  = []byte("heads")  // epoch → head
	bucketLanes  = []byte("lanes")  // epoch → fingerprint, 2 KiB
	bucketEvents = []byte("events") // epoch → bucket
	bucketVector = []byte("vector") // epoch ‖ replica → counter
)

// Buckets of one epoch.
var (
	bucketIDs      = []byte("ids")      // id → place
	bucketRecords  = []byte("records")  // place → record
	bucketSubjects = []byte("subjects") // subject ‖ place → nothing
	bucketAuthors  = []byte("authors")  // author ‖ type → count
	bucketOutside  = []byte("outside")  // id of an event here that the seal does not name → nothing
	bucketMissing  = []byte("missing")  // id the seal names that is not here → nothing
)

// Keys of "meta", and one of an epoch's bucket.
var (
	keyFormat = []byte("format")
	keyWorld  = []byte("world")
	keyFloor  = []byte("floor") // the first epoch that was never pruned
	keySeal   = []byte("seal")  // an epoch's seal: the statement
)

var (
	// ErrClosed is returned by a log that was closed.
	ErrClosed = errors.New("the event log is closed")

	// ErrNotFound is returned for an event that is not in the log.
	ErrNotFound = errors.New("no such event in the log")

	// ErrNewer is wrapped when a newer program wrote the log.
	ErrNewer = errors.New("written by a newer program")

	// ErrOtherWorld is wrapped when a log or an event is of another world.
	ErrOtherWorld = errors.New("of another world")

	// ErrNoRoom is wrapped when the disk did not take a write. The log is as it
	// was before, and can be read.
	ErrNoRoom = errors.New("the disk is full; nothing was stored, free some room")
)

// errUnchanged ends an update that has nothing to write.
var errUnchanged = errors.New("unchanged")

// Open opens the log at path, and makes it if it is not there. It reads as much
// as there are epochs, not events. Besides those of this package its errors wrap
// kv.ErrLocked, kv.ErrDamaged and files.ErrNotPrivate.
func Open(path string, cfg Config) (*Log, error) {
	db, err := bolt.OpenFile(path, mapped, growth)
	if err != nil {
		return nil, err
	}
	l := &Log{
		path: path, db: db, cfg: cfg, terms: cfg.World.Terms(),
		turn: make(chan struct{}, 1), updated: make(chan struct{}),
	}
	if err := l.prepare(); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// prepare makes the buckets of a new log, and holds an old one to its world and
// format.
func (l *Log) prepare() error {
	fresh := false
	err := l.view(func(tx *bbolt.Tx) error {
		meta := tx.Bucket(bucketMeta)
		if fresh = meta == nil; fresh {
			return nil
		}
		if got := number(meta.Get(keyFormat)); got != format {
			return fmt.Errorf("format %d: %w; this one reads format %d", got, ErrNewer, format)
		}
		if id := world.Hash(meta.Get(keyWorld)); id != l.cfg.World.ID {
			return fmt.Errorf("the log is %w: %s, not %s", ErrOtherWorld, id.Short(), l.cfg.World.ID.Short())
		}
		return nil
	})
	if err != nil || !fresh {
		return err
	}
	return l.update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{bucketHeads, bucketLanes, bucketEvents, bucketVector} {
			if _, err := tx.CreateBucket(name); err != nil {
				return err
			}
		}
		meta, err := tx.CreateBucket(bucketMeta)
		if err != nil {
			return err
		}
		return errors.Join(
			meta.Put(keyFormat, be64(format)),
			meta.Put(keyWorld, l.cfg.World.ID[:]),
			meta.Put(keyFloor, be64(0)))
	})
}

// Close waits for running transactions and releases the file. It may be called
// twice.
func (l *Log) Close() error { return l.db.Close() }

// Updated returns a channel that is closed when events are added after the call.
// Call it before looking, so that nothing is missed between the two.
func (l *Log) Updated() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.updated
}

// view runs f on one state of the log. What f is given is not to be kept.
func (l *Log) view(f func(*bbolt.Tx) error) error { return l.run(false, f) }

// update runs f and makes what it wrote durable, all of it or nothing. Where f
// finds that there is nothing to write it returns errUnchanged, and the disk is
// left in peace.
func (l *Log) update(f func(*bbolt.Tx) error) error { return l.run(true, f) }

func (l *Log) run(write bool, f func(*bbolt.Tx) error) error {
	tx, err := l.db.Begin(write)
	if errors.Is(err, bbolterrors.ErrDatabaseNotOpen) {
		return ErrClosed
	}
	if err != nil {
		return fmt.Errorf("%s: %w", l.path, err)
	}
	// After a commit this does nothing; else f failed, and what rolling back
	// finds wrong changes nothing.
	defer func() { _ = bolt.Guard(tx.Rollback) }()
	err = bolt.Guard(func() error { return f(tx) })
	if errors.Is(err, errUnchanged) {
		return nil
	}
	if err == nil && write {
		err = noRoom(bolt.Guard(tx.Commit))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", l.path, err)
	}
	return nil
}

// be64 is a number in a key or value.
func be64(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// number reads what be64 wrote; what is not there is 0.
func number(b []byte) uint64 {
	if len(b) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}

// millis is a time as it is stored.
func millis(t time.Time) uint64 { return uint64(max(0, t.UnixMilli())) }
