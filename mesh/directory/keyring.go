package directory

import (
	"cmp"
	"crypto/ecdh"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"time"

	"github.com/culvert-net/culvert/internal/files"
	"github.com/culvert-net/culvert/mesh/sealed"
	"github.com/culvert-net/culvert/mesh/world"
)

// Keyring holds a node's onion keys: the one of this epoch, and those before for
// as long as a root that shows them may be in use. Keys past that are gone from
// memory and disk, so that whoever takes the machine later cannot open what was
// recorded.
type Keyring struct {
	path  string       // immutable
	world *world.World // immutable

	mu   sync.Mutex
	keys []onionPrivate // newest first; guarded by mu
}

// onionPrivate is one key pair.
type onionPrivate struct {
	made     uint64 // epoch
	notAfter time.Time
	private  *ecdh.PrivateKey
	id       [8]byte
}

// OpenKeyring reads the keys at path, or starts with none if there is no file.
// A file that cannot be used is an error: to make new keys in silence would
// break the circuits of everybody who holds the published ones.
func OpenKeyring(path string, w *world.World) (*Keyring, error) {
	k := &Keyring{path: path, world: w}
	if err := files.CheckPrivate(path); errors.Is(err, files.ErrNotPrivate) {
		return nil, fmt.Errorf("onion keys: whoever has them reads what circuits carry here: %w", err)
	}
	b, err := sealed.ReadLimited(path, maxKeyFile)
	if errors.Is(err, fs.ErrNotExist) {
		return k, nil
	}
	if err == nil {
		defer clear(b)
		k.keys, err = decodeKeys(w.ID, b)
	}
	if err != nil {
		return nil, fmt.Errorf("onion keys %s: %w; delete the file to have new keys made, "+
			"which nobody can build a circuit with before they fetch the directory again", path, err)
	}
	return k, nil
}

// Rotate makes the key of now's epoch if there is none yet, and erases those
// that have outlived their purpose. The change is on disk before it returns;
// after an error nothing has changed.
func (k *Keyring) Rotate(now time.Time) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	epoch := k.world.Epoch(now)
	keep := slices.DeleteFunc(slices.Clone(k.keys), func(o onionPrivate) bool {
		// One made far ahead is from a clock that was wrong. It would be refused
		// everywhere, and stay for as long as the clock was ahead.
		return o.dead(now) || o.made > epoch+1
	})
	if !slices.ContainsFunc(keep, func(o onionPrivate) bool { return o.made == epoch }) {
		private, err := ecdh.X25519().GenerateKey(rand.Reader)
		if err != nil {
			return fmt.Errorf("making an onion key: %w", err)
		}
		keep = append(keep, newOnionPrivate(epoch, onionEnd(k.world, epoch), private))
		slices.SortFunc(keep, newestFirst)
	} else if len(keep) == len(k.keys) {
		return nil
	}
	b := encodeKeys(k.world.ID, keep)
	defer clear(b)
	if err := files.Write(k.path, b, files.Private); err != nil {
		return fmt.Errorf("writing the onion keys: %w", err)
	}
	// crypto/ecdh gives no way to overwrite a key: dropping the last reference
	// is all that can be done here.
	k.keys = keep
	return nil
}

// onionEnd is when an onion key that was made in an epoch ends: when the last
// root that shows it to anybody may be used no more.
func onionEnd(w *world.World, made uint64) time.Time {
	return w.EpochStart(made + onionEpochs).Truncate(time.Second)
}

// Public are the keys to be published now, newest first. Rotate comes before.
func (k *Keyring) Public() []OnionKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	epoch := k.world.Epoch(time.Now())
	var out []OnionKey
	for _, o := range k.keys {
		if o.made <= epoch && len(out) < maxOnion {
			out = append(out, OnionKey{Public: [32]byte(o.private.PublicKey().Bytes()), NotAfter: o.notAfter})
		}
	}
	return out
}

// Lookup finds a key by the id a handshake names. Keys that should be erased by
// now are not found, even if nobody called Rotate.
func (k *Keyring) Lookup(id [8]byte) (*ecdh.PrivateKey, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := time.Now()
	for _, o := range k.keys {
		if o.id == id && !o.dead(now) {
			return o.private, true
		}
	}
	return nil, false
}

func newOnionPrivate(made uint64, notAfter time.Time, private *ecdh.PrivateKey) onionPrivate {
	return onionPrivate{
		made: made, notAfter: notAfter, private: private,
		id: onionKeyID([32]byte(private.PublicKey().Bytes())),
	}
}

// newestFirst is the order of a keyring.
func newestFirst(a, b onionPrivate) int { return cmp.Compare(b.made, a.made) }

func (o *onionPrivate) dead(now time.Time) bool { return now.After(o.notAfter.Add(keyGrace)) }

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
