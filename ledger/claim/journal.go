package claim

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/ledger"
)

// The journal: what is on its way, since when each channel is due, and how long
// to wait after a claim that was refused.
const bucket = "claims"

// The first bytes of its keys.
const (
	keyBatch = 'b' // and the number
	keyNext  = 'n'
	keyWait  = 'w'
	keySince = 's' // and channel and epoch
)

const recordVersion = 1

// batch is one transaction's vouchers, from before it is sent until the chain
// is known to have it, or never will.
type batch struct {
	number uint64
	holder [16]byte // who sends it
	until  uint64   // Unix seconds: then another may
	sent   bool
	id     uint64 // of the transaction, once it is sent
	items  []item
}

// item is one voucher of a batch. The transaction has its signature.
type item struct {
	channel    channelKey
	cumulative ledger.Amount
	since      uint64
}

func (b *batch) label() string { return fmt.Sprintf("claim %d", b.number) }

func (b *batch) key() []byte { return binary.BigEndian.AppendUint64([]byte{keyBatch}, b.number) }

func (b *batch) encode() []byte {
	out := append([]byte{recordVersion}, b.holder[:]...)
	out = binary.BigEndian.AppendUint64(out, b.until)
	if b.sent {
		out = append(out, 1)
	} else {
		out = append(out, 0)
	}
	out = binary.BigEndian.AppendUint64(out, b.id)
	for _, i := range b.items {
		amount := i.cumulative.Bytes()
		out = binary.BigEndian.AppendUint32(append(out, i.channel.id[:]...), i.channel.epoch)
		out = binary.BigEndian.AppendUint64(append(out, amount[:]...), i.since)
	}
	return out
}

const (
	headSize = 1 + 16 + 8 + 1 + 8
	itemSize = 32 + 4 + 12 + 8
)

func decodeBatch(key, value []byte) (*batch, error) {
	fail := func(why string) (*batch, error) {
		return nil, fmt.Errorf("a batch of claims: %s: %w", why, kv.ErrDamaged)
	}
	if len(key) != 9 {
		return fail("no number")
	}
	if len(value) < headSize || value[0] != recordVersion {
		return fail("not of a version that is known here")
	}
	b := &batch{number: binary.BigEndian.Uint64(key[1:]), holder: [16]byte(value[1:17]), until: binary.BigEndian.Uint64(value[17:])}
	b.sent, b.id = value[25] == 1, binary.BigEndian.Uint64(value[26:])
	rest := value[headSize:]
	if value[25] > 1 || len(rest) == 0 || len(rest)%itemSize != 0 || len(rest)/itemSize > MaxBatch {
		return fail("its parts do not fit")
	}
	for ; len(rest) > 0; rest = rest[itemSize:] {
		b.items = append(b.items, item{
			channelKey{ledger.ChannelID(rest[:32]), binary.BigEndian.Uint32(rest[32:])},
			ledger.AmountOfBytes([12]byte(rest[36:])), binary.BigEndian.Uint64(rest[48:]),
		})
	}
	return b, nil
}

// batches are all that are on their way, oldest first.
func batches(tx kv.Tx) (all []*batch, err error) {
	err = tx.Scan(bucket, []byte{keyBatch}, func(key, value []byte) error {
		b, err := decodeBatch(key, value)
		all = append(all, b)
		return err
	})
	return all, err
}

// channelKey names a channel in an epoch.
type channelKey struct {
	id    ledger.ChannelID
	epoch uint32
}

func keyOf(v ledger.Voucher) channelKey { return channelKey{v.Channel, v.Epoch} }

func (k channelKey) since() []byte {
	return binary.BigEndian.AppendUint32(append([]byte{keySince}, k.id[:]...), k.epoch)
}

// number is a record of 8 bytes; zero if it is not there.
func number(tx kv.Tx, key []byte) (uint64, error) {
	b, err := tx.Get(bucket, key)
	switch {
	case errors.Is(err, kv.ErrNotFound):
		return 0, nil
	case err == nil && len(b) != 8:
		err = fmt.Errorf("a number of %d bytes among the claims: %w", len(b), kv.ErrDamaged)
	}
	if err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint64(b), nil
}

func putNumber(tx kv.Tx, key []byte, n uint64) error {
	return tx.Put(bucket, key, binary.BigEndian.AppendUint64(nil, n))
}
