package directory

import (
	"crypto/ecdh"
	"slices"
	"time"

	"github.com/culvert-net/culvert/mesh/sealed"
	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// keysMagic marks onion.keys.
const keysMagic sealed.Magic = "CULVKEY\x01"

// maxUnix bounds the times in onion.keys to those that time.Time can count with.
const maxUnix = 1 << 40

// encodeKeys writes the content of onion.keys. The caller clears it after use.
func encodeKeys(id world.Hash, keys []onionPrivate) []byte {
	// Made large enough at once: a slice that grows leaves copies behind.
	b := make([]byte, 0, 10+len(keys)*(10+10+32))
	b = postcard.AppendUint(b, uint64(len(keys)))
	for _, o := range keys {
		private := o.private.Bytes()
		b = postcard.AppendUint(b, o.made)
		b = postcard.AppendUint(b, uint64(o.notAfter.Unix()))
		b = postcard.AppendArray(b, private)
		clear(private)
	}
	defer clear(b)
	return sealed.Seal(keysMagic, id, b)
}

// decodeKeys reads what encodeKeys writes. The caller clears b after use.
func decodeKeys(id world.Hash, b []byte) ([]onionPrivate, error) {
	payload, err := sealed.Unseal(keysMagic, id, b)
	if err != nil {
		return nil, err
	}
	d := postcard.NewDecoder(payload)
	var keys []onionPrivate
	for range d.Count(1 + 1 + 32) {
		made, notAfter := d.U64(), d.U64()
		var raw [32]byte
		d.Array(raw[:])
		private, err := ecdh.X25519().NewPrivateKey(raw[:])
		clear(raw[:])
		if err != nil || d.Err() != nil || notAfter > maxUnix {
			return nil, sealed.ErrDamaged
		}
		keys = append(keys, newOnionPrivate(made, time.Unix(int64(notAfter), 0).UTC(), private))
	}
	if d.Finish() != nil || !slices.IsSortedFunc(keys, newestFirst) {
		return nil, sealed.ErrDamaged
	}
	return keys, nil
}
