package claim

import (
	"bytes"
	"errors"
	"testing"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/ledger"
)

func FuzzBatch(f *testing.F) {
	one := item{channelKey{ledger.ChannelID{1}, 2}, ledger.Wei(3), 4}
	for _, b := range []*batch{
		{number: 1, until: 5, items: []item{one}},
		{number: 2, sent: true, id: 1<<64 - 1, holder: [16]byte{7}, items: make([]item, MaxBatch)},
		{items: make([]item, MaxBatch+1)},
		{},
	} {
		f.Add(b.key(), b.encode())
	}
	f.Fuzz(func(t *testing.T, key, value []byte) {
		b, err := decodeBatch(key, value)
		if err != nil {
			if b != nil || !errors.Is(err, kv.ErrDamaged) {
				t.Fatalf("%+v, %v", b, err)
			}
			return
		}
		if len(b.items) == 0 || len(b.items) > MaxBatch || !bytes.Equal(b.encode(), value) || b.key()[0] != keyBatch {
			t.Fatalf("%x is read as %+v", value, b)
		}
	})
}
