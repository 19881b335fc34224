package mirror

import (
	"fmt"
	"io"
	"math"
	"time"

	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/directory/bundle"
	"github.com/culvert-net/culvert/mesh/frame"
	"github.com/culvert-net/culvert/mesh/quorum"
	"github.com/culvert-net/culvert/mesh/world"
)

// Roots is what a mirror says is newest. Nothing in it is verified.
type Roots struct {
	Time  time.Time             // by the mirror's clock
	Roots []bundle.SignedRoot   // newest first, a few
	Proof *quorum.Contradiction // nil while all is well
}

// AskRoots asks the mirror at the other end of rw, in the world of that id, for
// its newest roots. It neither closes rw nor sets a deadline. Errors are a
// directory.Reason if the mirror refused, wrap directory.ErrProtocol if it talks
// nonsense, and else come from rw.
func AskRoots(rw io.ReadWriter, id world.Hash) (*Roots, error) {
	q := request{kind: requestRoots, world: id}
	if err := frame.Write(rw, q.encode()); err != nil {
		return nil, fmt.Errorf("asking for the directory's roots: %w", err)
	}
	p, _, err := readResponse(rw)
	switch {
	case err != nil:
		return nil, err
	case p.kind != responseRoots || p.millis > math.MaxInt64:
		return nil, fmt.Errorf("%w: an answer to something else", directory.ErrProtocol)
	}
	return &Roots{Time: time.UnixMilli(int64(p.millis)), Roots: p.roots, Proof: p.proof}, nil
}

// AskBundle asks for the bundle of a root, given the one the asker has, nil for
// none. What it returns is what the root says, or the error wraps
// bundle.ErrShrunken. Other errors are as AskRoots's.
func AskBundle(rw io.ReadWriter, id world.Hash, root bundle.SignedRoot, have *bundle.Bundle) (*bundle.Bundle, error) {
	q := request{kind: requestBundle, world: id, root: root.ID()}
	if have != nil {
		q.have = have.Root.ID()
	}
	if err := frame.Write(rw, q.encode()); err != nil {
		return nil, fmt.Errorf("asking for a directory bundle: %w", err)
	}
	var d bundle.Delta
	kind := uint32(responseEnd) // until the first part says what they are
	received := 0
	for {
		p, n, err := readResponse(rw)
		if err != nil {
			return nil, err
		}
		if received += n; received > maxAnswer {
			return nil, fmt.Errorf("%w: a bundle of more than %d bytes", directory.ErrProtocol, maxAnswer)
		}
		switch p.kind {
		case responseEnd:
			leaves, err := assemble(d, kind, have)
			if err != nil {
				return nil, err
			}
			return bundle.New(root, leaves)
		case responseChanges, responseWhole:
			if kind != responseEnd && kind != p.kind {
				return nil, fmt.Errorf("%w: a bundle both whole and as changes", directory.ErrProtocol)
			}
			kind = p.kind
			d.Removed = append(d.Removed, p.removed...)
			d.Added = append(d.Added, p.leaves...)
		default:
			return nil, fmt.Errorf("%w: an answer to something else", directory.ErrProtocol)
		}
	}
}

// assemble makes leaves of what came: changes of a bundle, or all.
func assemble(d bundle.Delta, kind uint32, have *bundle.Bundle) (leaves *bundle.Leaves, err error) {
	switch {
	case kind == responseWhole:
		leaves, err = bundle.NewLeaves(d.Added)
	case kind == responseChanges && have != nil:
		leaves, err = have.Apply(d)
	default:
		return nil, fmt.Errorf("%w: changes of nothing, or nothing at all", directory.ErrProtocol)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", bundle.ErrShrunken, err)
	}
	return leaves, nil
}

// Publish sends a node's descriptors with the price sheets they name and the stamp
// of their epoch, and returns which were not taken, the places of sheets after
// those of descriptors; Result.Added counts those that were. Errors are as
// AskRoots's.
func Publish(rw io.ReadWriter, id world.Hash, stamp []byte, ds []world.Descriptor, sheets [][]byte) (directory.Result, error) {
	q := request{kind: requestPublish, world: id, stamp: stamp, sheets: sheets}
	if len(sheets) > 0 {
		q.kind = requestPriced
	}
	count := len(ds) + len(sheets)
	for i := range ds {
		q.descriptors = append(q.descriptors, ds[i].Canonical())
	}
	if err := frame.Write(rw, q.encode()); err != nil {
		return directory.Result{}, fmt.Errorf("publishing: %w", err)
	}
	p, _, err := readResponse(rw)
	switch {
	case err != nil:
		return directory.Result{}, err
	case p.kind != responsePublished:
		return directory.Result{}, fmt.Errorf("%w: an answer to something else", directory.ErrProtocol)
	case int(p.accepted)+len(p.refused) != count:
		return directory.Result{}, fmt.Errorf("%w: an answer about %d descriptors and sheets instead of %d", directory.ErrProtocol, int(p.accepted)+len(p.refused), count)
	}
	for _, r := range p.refused {
		if r.Index >= count {
			return directory.Result{}, fmt.Errorf("%w: an answer about descriptor or sheet %d of %d", directory.ErrProtocol, r.Index, count)
		}
	}
	return directory.Result{Added: int(p.accepted), Refused: p.refused}, nil
}
