package notary

import (
	"context"
	"sync"

	"github.com/culvert-net/culvert/mesh/directory/bundle"
)

// askAll sends a draft to signers at once and returns what they answered.
func (n *Notary) askAll(ctx context.Context, kind uint32, d *draft, previous *bundle.SignedRoot, signers [][32]byte) []answer {
	return n.each(signers, func(signer [32]byte) (answer, error) {
		q := request{kind: kind, world: n.cfg.World.ID, proposal: d.proposal(), previous: previous}
		a, err := n.ask(ctx, signer, &q)
		if err != nil || a.kind != answerWant {
			return a, err
		}
		for _, at := range a.want {
			if int64(at) < int64(d.leaves.Len()) {
				q.bodies = append(q.bodies, d.leaves.All()[at])
			}
		}
		return n.ask(ctx, signer, &q)
	})
}

// each asks signers at once, and returns the answers of those that gave one.
func (n *Notary) each(signers [][32]byte, ask func([32]byte) (answer, error)) []answer {
	answers := make([]*answer, len(signers))
	var wg sync.WaitGroup
	for i, signer := range signers {
		wg.Go(func() {
			a, err := ask(signer)
			if err != nil {
				n.cfg.Log.Debug("directory signer not asked", "err", err)
				return
			}
			answers[i] = &a
		})
	}
	wg.Wait()
	var out []answer
	for _, a := range answers {
		if a != nil {
			out = append(out, *a)
		}
	}
	n.mu.Lock()
	n.status.Reachable = 1 + len(out)
	n.mu.Unlock()
	return out
}

// ask asks one signer.
func (n *Notary) ask(ctx context.Context, signer [32]byte, q *request) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	b, err := n.cfg.Peers.Ask(ctx, signer, q.encode())
	if err != nil {
		return answer{}, err
	}
	return decodeAnswer(b)
}
