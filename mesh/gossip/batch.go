package gossip

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"time"

	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// A batch is events on their way to everybody. Its bytes are a salt of 32 bytes
// and the sealed text: the time it was made, in ms, the events, and zeros up to a
// multiple of 256 bytes in all. The key is derived from the epoch's push key and
// the salt, which is drawn, so it seals one text and the nonce may be zero.
//
// Nothing in it says who made it.

const (
	saltSize = 32

	// batchHead is what a batch has beside its events: salt, tag, length of the
	// text, time and count.
	batchHead = saltSize + tagSize + textHead + 10 + 3
)

var errBatch = errors.New("not a batch of this key")

// topic is the name under which batches of an epoch travel.
func topic(cpk *world.Secret) string {
	name := cpk.Derive(labelTopic).Reveal()
	return hex.EncodeToString(name[:])
}

// sealBatch makes a batch of events, whose sizes leave room in maxBatch.
func sealBatch(cpk *world.Secret, made time.Time, events [][]byte) ([]byte, error) {
	text := postcard.AppendUint(make([]byte, textHead), uint64(max(0, made.UnixMilli())))
	text = appendList(text, events)
	size := (saltSize + len(text) + tagSize + bucket - 1) / bucket * bucket
	if size > maxBatch {
		return nil, errors.New("events do not fit into a batch")
	}
	binary.BigEndian.PutUint16(text, uint16(len(text)-textHead))
	out := make([]byte, saltSize, size)
	if _, err := rand.Read(out); err != nil {
		return nil, err
	}
	padded := append(text, make([]byte, size-saltSize-tagSize-len(text))...)
	aead := cpk.Derive(labelPush, out).AEAD()
	return aead.Seal(out, make([]byte, aead.NonceSize()), padded, nil), nil
}

// openBatch reads a batch.
func openBatch(cpk *world.Secret, b []byte) (made time.Time, events [][]byte, err error) {
	if len(b) > maxBatch || len(b) < bucket || len(b)%bucket != 0 {
		return made, nil, errBatch
	}
	aead := cpk.Derive(labelPush, b[:saltSize]).AEAD()
	text, err := aead.Open(nil, make([]byte, aead.NonceSize()), b[saltSize:], nil)
	if err != nil {
		return made, nil, errBatch
	}
	n := int(binary.BigEndian.Uint16(text))
	text = text[textHead:]
	if n > len(text) || len(text)-n >= bucket {
		return made, nil, errBatch
	}
	for _, zero := range text[n:] {
		if zero != 0 {
			return made, nil, errBatch
		}
	}
	d := postcard.NewDecoder(text[:n])
	ms := d.U64()
	events = readList(d)
	if d.Finish() != nil || len(events) == 0 || ms > 1<<53 {
		return made, nil, errBatch
	}
	return time.UnixMilli(int64(ms)), events, nil
}
