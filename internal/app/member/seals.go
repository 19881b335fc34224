package member

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/mesh"
	"github.com/culvert-net/culvert/mesh/eventlog"
	"github.com/culvert-net/culvert/mesh/gossip"
	"github.com/culvert-net/culvert/mesh/quorum"
	"github.com/culvert-net/culvert/mesh/seal"
	"github.com/culvert-net/culvert/mesh/world"
)

// sealLog is the event log as seals need it.
type sealLog struct{ *eventlog.Log }

var _ seal.Log = sealLog{}

// Full implements seal.Log.
func (l sealLog) Full(id world.Hash) (bool, error) {
	x, err := l.Explain(id)
	return x.Stored && x.Used >= x.Quota, err
}

// Fingerprint implements seal.Log.
func (l sealLog) Fingerprint(epoch uint64) ([32]byte, error) {
	x, err := l.Epoch(epoch)
	return x.Fingerprint, err
}

// SealedEpochs implements seal.Log.
func (l sealLog) SealedEpochs() ([]uint64, error) {
	all, err := l.Epochs()
	var out []uint64
	for _, e := range all {
		if e.Sealed && !e.Pruned {
			out = append(out, e.Epoch)
		}
	}
	return out, err
}

// seals carries the seals of epochs to all members.
type seals struct{ m *Member }

var _ gossip.Carrier = seals{}

// Digest implements gossip.Carrier.
func (s seals) Digest() [32]byte { return s.m.book.Digest() }

// Items implements gossip.Carrier.
func (s seals) Items() [][]byte {
	items, err := s.m.book.Items()
	if err != nil {
		s.m.cfg.Log.Warn("seals were not handed on", "err", err)
	}
	return items
}

// Merge implements gossip.Carrier.
func (s seals) Merge(items [][]byte) error {
	before := s.m.book.Status()
	err := s.m.book.Merge(items)
	after := s.m.book.Status()
	if after.Proofs > before.Proofs {
		s.m.cfg.Log.Error("directory signers have signed two seals of one epoch", "err", err)
	}
	if after != before {
		s.m.update()
	}
	switch {
	case errors.Is(err, seal.ErrContradiction):
		return nil // who brings it may have taken the other one in good faith
	case errors.Is(err, seal.ErrSeal):
		return fmt.Errorf("%w: %w", gossip.ErrEntry, err)
	}
	return err
}

// bucketDrafts has what was signed as a seal, by epoch.
const bucketDrafts = "seal-drafts"

// keptDrafts is for how many epochs before the last one drafts are kept: longer
// than signers still seal.
const keptDrafts = 64

// drafts keeps what this signer has signed.
type drafts struct{ store kv.Store }

var _ seal.Drafts = drafts{}

func epochKey(epoch uint64) []byte { return binary.BigEndian.AppendUint64(nil, epoch) }

// PutDraft implements seal.Drafts.
func (d drafts) PutDraft(ctx context.Context, epoch uint64, draft []byte) error {
	return d.store.Update(ctx, func(tx kv.Tx) error {
		var old [][]byte
		err := tx.Scan(bucketDrafts, nil, func(key, _ []byte) error {
			if len(key) != 8 || binary.BigEndian.Uint64(key)+keptDrafts < epoch {
				old = append(old, key)
			}
			return nil
		})
		for _, key := range old {
			err = errors.Join(err, tx.Delete(bucketDrafts, key))
		}
		return errors.Join(err, tx.Put(bucketDrafts, epochKey(epoch), draft))
	})
}

// Draft implements seal.Drafts.
func (d drafts) Draft(ctx context.Context, epoch uint64) (draft []byte, err error) {
	err = d.store.View(ctx, func(tx kv.Tx) error {
		var err error
		draft, err = tx.Get(bucketDrafts, epochKey(epoch))
		return err
	})
	if errors.Is(err, kv.ErrNotFound) {
		return nil, nil
	}
	return draft, err
}

// bucketProofs has proof of two seals of one epoch, by epoch.
const bucketProofs = "seal-proofs"

// proofs keeps which signers have lied about seals.
type proofs struct{ store kv.Store }

var _ seal.Proofs = proofs{}

// PutProof implements seal.Proofs.
func (p proofs) PutProof(epoch uint64, proof []byte) error {
	return p.store.Update(context.Background(), func(tx kv.Tx) error { return tx.Put(bucketProofs, epochKey(epoch), proof) })
}

// Proofs implements seal.Proofs.
func (p proofs) Proofs() (all [][]byte, err error) {
	err = p.store.View(context.Background(), func(tx kv.Tx) error {
		return tx.Scan(bucketProofs, nil, func(_, proof []byte) error {
			all = append(all, proof)
			return nil
		})
	})
	return all, err
}

// signers are the other directory signers, at the places where members are.
type signers struct {
	s     *Service
	links Links
}

var _ seal.Peers = signers{}

// Ask implements seal.Peers.
func (p signers) Ask(ctx context.Context, signer [32]byte, r seal.Request) (seal.Answer, error) {
	stream, err := p.links.open(ctx, mesh.ProtoSeal, signer)
	if err != nil {
		return seal.Answer{}, err
	}
	stop := context.AfterFunc(ctx, func() { _ = stream.Reset() })
	defer stop()
	defer stream.Close()
	if err := writeMessage(stream, r.Canonical()); err != nil {
		return seal.Answer{}, err
	}
	b, err := readMessage(stream, seal.MaxMessage)
	if err != nil {
		return seal.Answer{}, err
	}
	return seal.DecodeAnswer(b)
}

// Sync implements seal.Peers.
func (p signers) Sync(ctx context.Context, signer [32]byte) error {
	if why := p.s.with(ctx, signer).Partners[0].Error; why != gossip.ReasonNone {
		return errors.New(why.String())
	}
	return nil
}

// Sign makes s seal epochs with the other directory signers, of whom it is one.
// memory is of all that this node's key signs, for whatever purpose.
func (s *Service) Sign(memory *quorum.Memory, links Links) (err error) {
	var first atomic.Uint64
	s.signer, err = seal.New(seal.Config{
		World: s.cfg.World, Key: s.cfg.Key, Memory: memory, Book: s.book, Peers: signers{s, links}, Drafts: drafts{s.store},
		First: func() uint64 {
			if e := s.Roster().Entries(1); first.Load() == 0 && len(e) > 0 {
				first.Store(e[0].Epoch)
			}
			if first.Load() == 0 {
				return s.cfg.World.Epoch(time.Now()) // no world yet that we know of
			}
			return first.Load()
		},
		Log: s.cfg.Log,
	})
	return err
}

// answerSeal answers the one request of a stream from another signer.
func (s *Service) answerSeal(ctx context.Context, stream *mesh.Stream) {
	_ = stream.SetDeadline(time.Now().Add(sealLimit)) // the next read shows whether the stream lives
	if !quorum.Of(s.cfg.World).Has(stream.Peer()) || !(group{s.Member}).Member(stream.Peer()) || s.IsMember() != nil {
		_ = stream.Reset()
		return
	}
	err := func() error {
		b, err := readMessage(stream, seal.MaxMessage)
		if err != nil {
			return err
		}
		r, err := seal.DecodeRequest(b)
		if err != nil {
			return err
		}
		a, err := s.signer.Answer(ctx, stream.Peer(), r)
		if err != nil {
			return err
		}
		return writeMessage(stream, a.Canonical())
	}()
	if err != nil {
		s.cfg.Log.Info("a signer's request about a seal was not answered", "signer", short(stream.Peer()), "err", err)
	}
	_ = stream.Close() // all was said
}

// SealStatus is how the seals of epochs stand.
type SealStatus struct {
	Newest  uint64 `json:"newest,omitempty"` // epoch that is sealed; 0: none
	Sealed  int    `json:"sealed"`           // epochs
	Pending int    `json:"pending"`          // seals whose events are not all here
	Double  int    `json:"double"`           // epochs of which signers have signed two

	DoubleBy []string `json:"double_by,omitempty"` // keys of who did
}

func (m *Member) sealStatus() SealStatus {
	s := m.book.Status()
	out := SealStatus{Newest: s.Newest, Sealed: s.Sealed, Pending: s.Pending, Double: s.Proofs}
	for _, key := range m.book.Liars() {
		out.DoubleBy = append(out.DoubleBy, fullKey(key))
	}
	return out
}
