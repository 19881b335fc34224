package directory

import (
	"errors"
	"fmt"
	"io"

	"github.com/culvert-net/culvert/mesh/frame"
	"github.com/culvert-net/culvert/mesh/world"
)

// Answer is what a server says is in the directory. Nothing in it is verified.
type Answer struct {
	Unchanged   bool // nothing new since the digest that was sent
	Descriptors []world.Descriptor
	Malformed   int        // what was left out because it does not decode
	Digest      world.Hash // to be sent to the same server next time
}

// Fetch asks the server at the other end of rw for all it has, in the world of
// that id. have is the digest the same server gave last, zero the first time: a
// digest of one server never goes to another, and is never kept over a restart,
// since a server could give every client one of its own to know it again by.
//
// It neither closes rw nor sets a deadline. Errors are a Reason if the server
// refused, wrap ErrProtocol if it talks nonsense, and else come from rw.
func Fetch(rw io.ReadWriter, id, have world.Hash) (*Answer, error) {
	q := request{kind: requestFetch, world: id, have: have}
	if err := frame.Write(rw, q.encode()); err != nil {
		return nil, fmt.Errorf("asking for the directory: %w", err)
	}
	a := &Answer{Digest: have}
	received, count := 0, 0
	for {
		p, n, err := readResponse(rw)
		if err != nil {
			return nil, err
		}
		switch p.kind {
		case responseUnchanged:
			if have.IsZero() || count > 0 {
				return nil, fmt.Errorf("%w: unchanged from nothing", ErrProtocol)
			}
			a.Unchanged = true
			return a, nil
		case responseBatch:
			if received += n; received > maxFetch {
				return nil, fmt.Errorf("%w: a directory of more than %d bytes", ErrProtocol, maxFetch)
			}
			count += len(p.descriptors)
			ds, _ := decodeDescriptors(p.descriptors)
			a.Descriptors = append(a.Descriptors, ds...)
			a.Malformed += len(p.descriptors) - len(ds)
		case responseEnd:
			if int(p.count) != count {
				return nil, fmt.Errorf("%w: %d descriptors announced, %d sent", ErrProtocol, p.count, count)
			}
			a.Digest = p.digest
			return a, nil
		case responseRefused:
			return nil, fmt.Errorf("directory refused: %w", p.reason)
		default:
			return nil, fmt.Errorf("%w: an answer to something else", ErrProtocol)
		}
	}
}

// Publish sends a node's descriptors to the server at the other end of rw, and
// returns which it did not take; Result.Added counts those it did. Errors are as
// Fetch's.
func Publish(rw io.ReadWriter, id world.Hash, ds []world.Descriptor) (Result, error) {
	q := request{kind: requestPublish, world: id}
	for i := range ds {
		q.descriptors = append(q.descriptors, ds[i].Canonical())
	}
	if err := frame.Write(rw, q.encode()); err != nil {
		return Result{}, fmt.Errorf("publishing: %w", err)
	}
	p, _, err := readResponse(rw)
	switch {
	case err != nil:
		return Result{}, err
	case p.kind == responseRefused:
		return Result{}, fmt.Errorf("publication refused: %w", p.reason)
	case p.kind != responsePublished:
		return Result{}, fmt.Errorf("%w: an answer to something else", ErrProtocol)
	case int(p.accepted)+len(p.refused) != len(ds):
		return Result{}, fmt.Errorf("%w: an answer about %d descriptors instead of %d", ErrProtocol, int(p.accepted)+len(p.refused), len(ds))
	}
	for _, r := range p.refused {
		if r.Index >= len(ds) {
			return Result{}, fmt.Errorf("%w: an answer about descriptor %d of %d", ErrProtocol, r.Index, len(ds))
		}
	}
	return Result{Added: int(p.accepted), Refused: p.refused}, nil
}

// readResponse reads one frame and says how long it was.
func readResponse(r io.Reader) (response, int, error) {
	message, err := readFrame(r, maxResponse)
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return response{}, 0, fmt.Errorf("reading the directory: %w", err)
	}
	p, err := decodeResponse(message)
	return p, len(message), err
}
