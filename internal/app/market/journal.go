package market

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/chain"
)

// bucket has a record for each order that is under way, or of which nobody has seen
// the end: the order's key → version, JSON.
const bucket = "market-orders"

const recordVersion = 1

// record is an order that was agreed to.
type record struct {
	Label   string           `json:"label"` // of its transaction, by which it is found; no other has it
	Order   Order            `json:"order"`
	Terms   Terms            `json:"terms"`
	Channel ledger.ChannelID `json:"channel,omitzero"`  // that it is about
	At      uint64           `json:"at"`                // Unix seconds
	Approve string           `json:"approve,omitempty"` // likewise, of the token's approval, which comes first; "": none is needed
	Sent    bool             `json:"sent"`              // Number is its transaction's
	Number  uint64           `json:"number,omitempty"`
}

// newLabel names the transaction of an order. People see its first word.
func newLabel(do Action) string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return string(do) + " " + hex.EncodeToString(b[:])
}

func (r *record) encode() ([]byte, error) {
	b, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	if len(b) >= maxRecord {
		return nil, fmt.Errorf("an order of %d bytes; at most %d are kept", len(b), maxRecord)
	}
	return append([]byte{recordVersion}, b...), nil
}

func decodeRecord(b []byte) (*record, error) {
	if len(b) == 0 || len(b) > maxRecord {
		return nil, fmt.Errorf("an order of %d bytes: %w", len(b), kv.ErrDamaged)
	}
	if b[0] != recordVersion {
		return nil, fmt.Errorf("an order of version %d is not known here; use the program that wrote it, or a newer one: %w", b[0], kv.ErrDamaged)
	}
	d := json.NewDecoder(bytes.NewReader(b[1:]))
	d.DisallowUnknownFields()
	r := new(record)
	if err := d.Decode(r); err != nil || d.More() {
		return nil, fmt.Errorf("an order that is none: %w", kv.ErrDamaged)
	}
	if r.Label == "" || r.Order.check() != nil {
		return nil, fmt.Errorf("an order that nobody could have given: %w", kv.ErrDamaged)
	}
	return r, nil
}

// load is the record of an order; nil: there is none.
func (m *Market) load(ctx context.Context, key [32]byte) (r *record, err error) {
	err = m.books.Store.View(ctx, func(tx kv.Tx) error {
		b, err := tx.Get(bucket, key[:])
		if errors.Is(err, kv.ErrNotFound) {
			r = nil
			return nil
		}
		if err != nil {
			return err
		}
		r, err = decodeRecord(b)
		return err
	})
	return r, err
}

func (m *Market) save(ctx context.Context, key [32]byte, r *record) error {
	b, err := r.encode()
	if err != nil {
		return err
	}
	return m.books.Store.Do(ctx, func(tx kv.Tx) error { return tx.Put(bucket, key[:], b) })
}

// Seen says that somebody knows how an order ended, so that the next one like it is
// a new one.
func (m *Market) Seen(ctx context.Context, o Order) error {
	key := o.key()
	return m.books.Store.Do(ctx, func(tx kv.Tx) error { return tx.Delete(bucket, key[:]) })
}

// underWay is the record of an order that was sent, or of which the approval was; nil:
// there is none. One that was agreed to and not sent is forgotten: what was agreed to
// may be no offer any more.
func (m *Market) underWay(ctx context.Context, w *chain.Writer, o Order) (*record, error) {
	key := o.key()
	r, err := m.load(ctx, key)
	if err != nil || r == nil || r.Sent {
		return r, err
	}
	id, found, err := w.Find(ctx, r.Label)
	if err != nil {
		return nil, err
	}
	if !found && r.Approve != "" {
		if _, found, err = w.Find(ctx, r.Approve); err != nil || found {
			return r, err
		}
	}
	if !found {
		return nil, m.Seen(ctx, o)
	}
	r.Sent, r.Number = true, uint64(id)
	return r, m.save(ctx, key, r)
}

func (r *record) since() time.Time { return time.Unix(int64(r.At), 0).UTC() }
