package seal

import (
	"context"
	"errors"
	"time"

	"github.com/culvert-net/culvert/mesh/world"
)

// Answer answers another signer, whose key the caller has authenticated.
func (s *Signer) Answer(ctx context.Context, from [32]byte, r Request) (Answer, error) {
	now := time.Now()
	current := s.cfg.World.Epoch(now)
	if !s.quorum.Has(from) || from == s.self || r.Epoch >= current || current-r.Epoch > lookBack+1 || s.turn(r.Epoch, now.Add(turnOf(s.cfg.World))) < 0 {
		return Answer{Kind: Refused}, nil
	}
	s.talk(r.Epoch)
	content := s.statement(r.Epoch, r.IDs).Content
	if seal, ok := s.cfg.Book.Sealed(r.Epoch); ok && seal.Statement().Content != content {
		return Answer{Kind: Sealed, Seal: seal}, nil
	}
	switch ids, promised, err := s.promise(ctx, r.Epoch); {
	case errors.Is(err, ErrLost):
		return Answer{Kind: Refused}, nil
	case err != nil:
		return Answer{}, err
	case promised && s.statement(r.Epoch, ids).Content != content:
		// It was signed before, so this gives the same signature again.
		sig, err := s.sign(ctx, r.Epoch, ids, func() error { return nil })
		return Answer{Kind: Other, IDs: ids, Signature: sig}, err
	case promised:
		return s.agree(ctx, r)
	}
	lacking, missing, err := s.differ(r.Epoch, r.IDs)
	if err != nil {
		return Answer{}, err
	}
	if len(lacking)+len(missing) == 0 {
		return s.agree(ctx, r)
	}
	if len(lacking) > 0 {
		select {
		case s.behind <- from:
		default: // as many wait as there are signers
		}
	}
	return Answer{Kind: Differs, Lacking: lacking[:min(len(lacking), maxDiffering)], Missing: missing[:min(len(missing), maxDiffering)]}, nil
}

func (s *Signer) agree(ctx context.Context, r Request) (Answer, error) {
	if !r.Sign {
		return Answer{Kind: Agreed}, nil
	}
	sig, err := s.sign(ctx, r.Epoch, r.IDs, func() error { return nil })
	return Answer{Kind: Signed, Signature: sig}, err
}

// differ is why we would not sign a draft: what of it is not here, and what is not
// in it that was here when half of the grace period was over. Of authors who said
// as much as they may, nothing is missed: logs keep different events of those.
func (s *Signer) differ(epoch uint64, ids []world.Hash) (lacking, missing []world.Hash, err error) {
	log := s.cfg.Book.log
	all, err := log.Sealable(epoch, time.Time{})
	if err != nil {
		return nil, nil, err
	}
	due, err := log.Sealable(epoch, s.cutoff(epoch))
	if err != nil {
		return nil, nil, err
	}
	lacking = without(ids, all)
	for _, id := range without(due, ids) {
		full, err := log.Full(id)
		if err != nil {
			return nil, nil, err
		}
		if !full {
			missing = append(missing, id)
		}
	}
	if !s.patient(epoch) && len(missing) <= max(minSpared, len(due)/sparedPart) {
		missing = nil
	}
	return lacking, missing, nil
}
