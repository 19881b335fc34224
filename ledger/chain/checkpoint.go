package chain

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/ledger"
)

// The checkpoint is the state at the oldest mark: a head that says which block
// that is, and a record for each provider, channel and balance. Both change in
// one commit, and only what changed is written. Records belong to a run; one that
// begins anew leaves those of the last to be swept away.
//
// docs/spec/chain.md §5.

// bucket has everything of this package.
const bucket = "chain"

// Kinds of records; the first byte of a key after the domain.
const (
	kindHead     = 'h'
	kindRecord   = 'r' // then the run, then one of:
	kindProvider = 'p'
	kindChannel  = 'c'
	kindBalance  = 'b'
)

// recordVersion is the first byte of each record.
const recordVersion = 1

// dirty names records that changed, some more than once.
type dirty struct {
	providers []ledger.Address
	channels  []ledger.ChannelID
	balances  []ledger.Address
}

func (d dirty) size() int { return len(d.providers) + len(d.channels) + len(d.balances) }

func (d *dirty) add(more dirty) {
	d.providers = append(d.providers, more.providers...)
	d.channels = append(d.channels, more.channels...)
	d.balances = append(d.balances, more.balances...)
}

// domainKey begins the keys of one contract on one chain.
func (c Config) domainKey(kind byte) []byte {
	b := binary.BigEndian.AppendUint64(nil, c.Network.ChainID)
	return append(append(b, c.Contract[:]...), kind)
}

// recordKey is that of a record of a run.
func (c Config) recordKey(run uint32, kind byte, id []byte) []byte {
	b := binary.BigEndian.AppendUint32(c.domainKey(kindRecord), run)
	return append(append(b, kind), id...)
}

// load begins at the checkpoint, or where the contract does.
func (r *Reader) load(ctx context.Context) error {
	if r.cfg.Store == nil {
		r.restart()
		return nil
	}
	var head []byte
	var m mark
	var run uint32
	c := View{}.change()
	err := r.cfg.Store.View(ctx, func(tx kv.Tx) error {
		var err error
		if head, err = tx.Get(bucket, r.cfg.domainKey(kindHead)); err != nil {
			return err
		}
		if run, m.Block, err = decodeHead(head); err != nil {
			return err
		}
		c = View{}.change() // View may run this again
		prefix := r.cfg.recordKey(run, 0, nil)
		prefix = prefix[:len(prefix)-1]
		return tx.Scan(bucket, prefix, func(key, value []byte) error {
			return c.record(key[len(prefix):], value)
		})
	})
	if errors.Is(err, kv.ErrNotFound) {
		r.restart()
		return nil
	}
	if err != nil {
		return fmt.Errorf("what was kept of the contract's log: %w", err)
	}
	if m.view, err = c.view(); err != nil {
		return err
	}
	r.marks, r.run, r.stored, r.sweep = []mark{m}, run, head, true
	r.change(func() { r.state = &State{Head: m.Block, Confirmed: m.Block, View: m.view, Pending: m.view} })
	return nil
}

// trim forgets marks that are too old for a fork, and stores the state at the
// oldest that is left.
func (r *Reader) trim(ctx context.Context) error {
	window, newest := r.cfg.Network.Window, r.last().Number
	for len(r.marks) > 1 && (r.marks[1].Number+window <= newest || len(r.marks) > maxMarks) {
		if r.unsaved.size() > 0 && r.unsaved.size()+r.marks[1].dirty.size() > markChanges {
			if err := r.save(ctx); err != nil {
				return err
			}
		}
		r.unsaved.add(r.marks[1].dirty)
		r.marks[0] = mark{}
		r.marks = r.marks[1:]
	}
	if r.marks[0].Hash.IsZero() {
		return nil // nothing was read yet that is deep enough
	}
	_, stored, err := decodeHead(r.stored)
	if err == nil && r.unsaved.size() == 0 && r.marks[0].Number < stored.Number+window/8+1 {
		return nil // a block without events is not worth a commit
	}
	return r.save(ctx)
}

// save stores the state at the first mark.
func (r *Reader) save(ctx context.Context) error {
	if r.cfg.Store == nil || r.lost {
		r.unsaved = dirty{}
		return nil
	}
	m := &r.marks[0]
	head := encodeHead(r.run, m.Block)
	swept := 0
	err := r.cfg.Store.Do(ctx, func(tx kv.Tx) error {
		have, err := tx.Get(bucket, r.cfg.domainKey(kindHead))
		if err != nil && !errors.Is(err, kv.ErrNotFound) {
			return err
		}
		if !bytes.Equal(have, r.stored) && !bytes.Equal(have, head) {
			return errLost
		}
		if err := r.records(tx, m.view); err != nil {
			return err
		}
		if swept, err = r.swept(tx); err != nil {
			return err
		}
		return tx.Put(bucket, r.cfg.domainKey(kindHead), head)
	})
	if errors.Is(err, errLost) {
		r.cfg.log().Info("another program keeps what is known of the contract's log")
		r.lost, r.unsaved = true, dirty{}
		return nil
	}
	if err != nil {
		return fmt.Errorf("keep what was read of the contract's log: %w", err)
	}
	r.stored, r.unsaved, r.sweep = head, dirty{}, r.sweep && swept == sweepKeys
	return nil
}

// errLost says that the checkpoint is not the one that this program wrote.
var errLost = errors.New("another program writes the checkpoint")

func (r *Reader) records(tx kv.Tx, v View) error {
	put := func(kind byte, id, value []byte) error {
		return tx.Put(bucket, r.cfg.recordKey(r.run, kind, id), value)
	}
	for _, a := range r.unsaved.providers {
		p, _ := v.Provider(a)
		if err := put(kindProvider, a[:], encodeProvider(p)); err != nil {
			return err
		}
	}
	for _, id := range r.unsaved.channels {
		ch, _ := v.Channel(id)
		if err := put(kindChannel, id[:], encodeChannel(ch)); err != nil {
			return err
		}
	}
	for _, a := range r.unsaved.balances {
		if err := put(kindBalance, a[:], encodeBalance(v.Balance(a))); err != nil {
			return err
		}
	}
	return nil
}

// swept deletes some records of earlier runs.
func (r *Reader) swept(tx kv.Tx) (int, error) {
	if !r.sweep {
		return 0, nil
	}
	prefix := r.cfg.domainKey(kindRecord)
	own := r.cfg.recordKey(r.run, 0, nil)
	own = own[:len(own)-1]
	var old [][]byte
	enough := errors.New("enough")
	err := tx.Scan(bucket, prefix, func(key, _ []byte) error {
		if bytes.HasPrefix(key, own) {
			return enough // earlier runs have lower numbers
		}
		if old = append(old, key); len(old) == sweepKeys {
			return enough
		}
		return nil
	})
	if err != nil && !errors.Is(err, enough) {
		return 0, err
	}
	for _, key := range old {
		if err := tx.Delete(bucket, key); err != nil {
			return 0, err
		}
	}
	return len(old), nil
}

// record adds one stored record to a change.
func (c *change) record(key, value []byte) error {
	if len(key) == 0 {
		return fmt.Errorf("a record without a kind: %w", kv.ErrDamaged)
	}
	id := key[1:]
	switch {
	case key[0] == kindProvider && len(id) == len(ledger.Address{}):
		p, err := decodeProvider(ledger.Address(id), value)
		c.providers[p.Address] = p
		return err
	case key[0] == kindChannel && len(id) == len(ledger.ChannelID{}):
		ch, err := decodeChannel(ledger.ChannelID(id), value)
		c.channels[ch.ID] = ch
		return err
	case key[0] == kindBalance && len(id) == len(ledger.Address{}):
		b, err := decodeBalance(value)
		c.balances[ledger.Address(id)] = b
		return err
	default:
		return fmt.Errorf("a record of kind %q: %w", key[0], kv.ErrDamaged)
	}
}
