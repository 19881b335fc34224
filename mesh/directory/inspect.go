package directory

import (
	"fmt"
	"io"
	"math"
	"time"

	"github.com/culvert-net/culvert/mesh/frame"
	"github.com/culvert-net/culvert/mesh/sealed"
	"github.com/culvert-net/culvert/mesh/world"
)

// What is here is for people who look for what is wrong. A node in service
// needs none of it.

// AskTime asks the server at the other end of rw what time it is. It proves
// nothing, one server may be wrong: it is for telling a person that his clock
// is. Deadlines and errors are as Fetch's.
func AskTime(rw io.ReadWriter, id world.Hash) (time.Time, error) {
	q := request{kind: requestTime, world: id}
	if err := frame.Write(rw, q.encode()); err != nil {
		return time.Time{}, fmt.Errorf("asking for the time: %w", err)
	}
	p, _, err := readResponse(rw)
	switch {
	case err != nil:
		return time.Time{}, err
	case p.kind == responseRefused:
		return time.Time{}, fmt.Errorf("directory refused: %w", p.reason)
	case p.kind != responseTime || p.millis > math.MaxInt64:
		return time.Time{}, fmt.Errorf("%w: an answer to something else", ErrProtocol)
	}
	return time.UnixMilli(int64(p.millis)), nil
}

// ReadCache reads the directory.db of a node of w, which may be running, and
// changes nothing. Nothing in it is verified; Set.Add does that. Errors wrap
// fs.ErrNotExist if there is no file.
func ReadCache(path string, w *world.World) ([]world.Descriptor, error) {
	b, err := sealed.ReadLimited(path, maxCacheFile)
	if err != nil {
		return nil, fmt.Errorf("reading the directory cache: %w", err)
	}
	ds, err := decodeCache(w.ID, b)
	if err != nil {
		return nil, fmt.Errorf("directory cache %s: %w", path, err)
	}
	return ds, nil
}

// Expiry is one onion key's end, without the key.
type Expiry struct {
	Epoch    uint64 // in which it was made
	NotAfter time.Time
}

// Expiries says until when the keys last, newest first.
func (k *Keyring) Expiries() []Expiry {
	k.mu.Lock()
	defer k.mu.Unlock()
	out := make([]Expiry, len(k.keys))
	for i, o := range k.keys {
		out[i] = Expiry{Epoch: o.made, NotAfter: o.notAfter}
	}
	return out
}
