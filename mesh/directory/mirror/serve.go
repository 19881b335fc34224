package mirror

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/directory/bundle"
	"github.com/culvert-net/culvert/mesh/frame"
	"github.com/culvert-net/culvert/mesh/world"
)

// Desk takes publications.
type Desk interface {
	// Publish takes descriptors, as canonical bytes, and the price sheets they name,
	// with the stamp that came beside them. In what it returns, places of sheets
	// follow those of descriptors. It does not keep the slices.
	Publish(ctx context.Context, stamp []byte, descriptors, sheets [][]byte, now time.Time) directory.Result
}

// Serve answers the one request that comes on rw from store. Publications go to
// desk; if it is nil they are refused. Serve sets no deadline and does not close
// rw: both are the caller's, as is the number of calls at a time. Between frames
// it stops when ctx ends.
//
// The error is for the caller's counters; the peer got no more of it than a
// reason.
func Serve(ctx context.Context, rw io.ReadWriter, store *Store, desk Desk) error {
	message, err := frame.Read(rw, maxRequest)
	if err != nil {
		if errors.Is(err, frame.ErrSize) {
			return refuse(rw, directory.ReasonRequest, err)
		}
		return fmt.Errorf("reading a directory request: %w", err)
	}
	q, err := decodeRequest(message)
	switch {
	case err != nil:
		return refuse(rw, directory.ReasonRequest, err)
	case q.world != store.cfg.World.ID:
		return refuse(rw, directory.ReasonWorld, directory.ReasonWorld)
	case q.kind == requestRoots:
		p := response{kind: responseRoots, millis: uint64(max(0, time.Now().UnixMilli())), roots: store.Roots(), proof: store.Proof()}
		return send(rw, &p)
	case q.kind == requestBundle:
		return serveBundle(ctx, rw, store, q.root, q.have)
	case desk == nil:
		return refuse(rw, directory.ReasonNotTaking, directory.ReasonNotTaking)
	case len(q.descriptors) > maxModels:
		return refuse(rw, directory.ReasonModels, directory.ReasonModels)
	case len(q.sheets) > maxSheets:
		return refuse(rw, directory.ReasonSheet, directory.ReasonSheet)
	case len(q.stamp) > maxStamp:
		return refuse(rw, directory.ReasonStamp, directory.ReasonStamp)
	}
	result := desk.Publish(ctx, q.stamp, q.descriptors, q.sheets, time.Now())
	return send(rw, &response{
		kind: responsePublished, accepted: uint32(result.Added + result.Known), refused: result.Refused,
	})
}

// serveBundle sends a bundle whole, or what changed since another one.
func serveBundle(ctx context.Context, w io.Writer, store *Store, root, have world.Hash) error {
	b := store.Find(root)
	if b == nil {
		return refuse(w, directory.ReasonNoRoot, directory.ReasonNoRoot)
	}
	part := response{kind: responseWhole}
	leaves := b.All()
	if old := store.Find(have); old != nil {
		d := bundle.Diff(old.Leaves, b.Leaves)
		part.kind, leaves = responseChanges, d.Added
		for len(d.Removed) > maxRemoved {
			p := response{kind: responseChanges, removed: d.Removed[:maxRemoved]}
			if err := send(w, &p); err != nil {
				return err
			}
			d.Removed = d.Removed[maxRemoved:]
		}
		if len(d.Removed) > 0 {
			if err := send(w, &response{kind: responseChanges, removed: d.Removed}); err != nil {
				return err
			}
		}
	}
	if len(leaves) == 0 { // what kind of answer it is must be said all the same
		if err := send(w, &part); err != nil {
			return err
		}
	}
	size := 0
	for i, leaf := range leaves {
		part.leaves = append(part.leaves, leaf)
		if size += len(leaf) + 2; size < partSize && i < len(leaves)-1 {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := send(w, &part); err != nil {
			return err
		}
		part.leaves, size = part.leaves[:0], 0
	}
	return send(w, &response{kind: responseEnd})
}

// refuse tells the peer the reason, and the caller why.
func refuse(w io.Writer, reason directory.Reason, why error) error {
	if err := send(w, &response{kind: responseRefused, reason: reason}); err != nil {
		return fmt.Errorf("%w (refusing: %w)", err, why)
	}
	return fmt.Errorf("%w: %w", directory.ErrRefused, why)
}

func send(w io.Writer, p *response) error {
	if err := frame.Write(w, p.encode()); err != nil {
		return fmt.Errorf("answering a directory request: %w", err)
	}
	return nil
}
