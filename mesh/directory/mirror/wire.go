package mirror

import (
	"errors"
	"fmt"
	"io"

	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/directory/bundle"
	"github.com/culvert-net/culvert/mesh/frame"
	"github.com/culvert-net/culvert/mesh/quorum"
	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// Requests, in the order of their wire variants.
const (
	requestRoots = iota
	requestBundle
	requestPublish
	requestPriced // publish, of a node that names price sheets
	requestKinds
)

// request is what an asker sends.
type request struct {
	kind        uint32
	world       world.Hash
	root        world.Hash // bundle: which
	have        world.Hash // bundle: the root of the one the asker has, zero for none
	stamp       []byte     // publish, priced: a ticket, empty for none
	descriptors [][]byte   // publish, priced
	sheets      [][]byte   // priced
}

func (q *request) encode() []byte {
	b := postcard.AppendUint(nil, uint64(q.kind))
	b = postcard.AppendArray(b, q.world[:])
	switch q.kind {
	case requestBundle:
		b = postcard.AppendArray(b, q.root[:])
		b = postcard.AppendArray(b, q.have[:])
	case requestPublish, requestPriced:
		b = postcard.AppendBytes(b, q.stamp)
		b = bundle.AppendLeaves(b, q.descriptors)
		if q.kind == requestPriced {
			b = bundle.AppendLeaves(b, q.sheets)
		}
	}
	return b
}

func decodeRequest(b []byte) (request, error) {
	d := postcard.NewDecoder(b)
	q := request{kind: d.Variant(requestKinds)}
	d.Array(q.world[:])
	switch q.kind {
	case requestBundle:
		d.Array(q.root[:])
		d.Array(q.have[:])
	case requestPublish, requestPriced:
		q.stamp = d.Bytes()
		q.descriptors = bundle.ReadLeaves(d)
		if q.kind == requestPriced {
			q.sheets = bundle.ReadLeaves(d)
		}
	}
	if err := d.Finish(); err != nil {
		return request{}, fmt.Errorf("%w: request: %w", directory.ErrProtocol, err)
	}
	return q, nil
}

// Responses, in the order of their wire variants.
const (
	responseRoots     = iota // to a question for the roots
	responseChanges          // to one for a bundle: a part of the delta from the one the asker has
	responseWhole            // to one for a bundle: a part of it
	responseEnd              // to one for a bundle: that was all
	responsePublished        // to a publication
	responseRefused          // to anything
	responseKinds
)

// response is what a mirror sends.
type response struct {
	kind     uint32
	millis   uint64                // roots: since 1970, by the mirror's clock
	roots    []bundle.SignedRoot   // roots: newest first
	proof    *quorum.Contradiction // roots: nil while all is well
	removed  []uint32              // changes
	leaves   [][]byte              // changes, whole
	accepted uint32                // published: new or known
	refused  []directory.Refusal   // published
	reason   directory.Reason      // refused
}

func (p *response) encode() []byte {
	b := postcard.AppendUint(nil, uint64(p.kind))
	switch p.kind {
	case responseRoots:
		b = postcard.AppendUint(b, p.millis)
		b = postcard.AppendUint(b, uint64(len(p.roots)))
		for _, r := range p.roots {
			b = r.Append(b)
		}
		b = postcard.AppendBool(b, p.proof != nil)
		if p.proof != nil {
			b = append(b, p.proof.Canonical()...)
		}
	case responseChanges:
		b = postcard.AppendUint(b, uint64(len(p.removed)))
		for _, at := range p.removed {
			b = postcard.AppendUint(b, uint64(at))
		}
		b = bundle.AppendLeaves(b, p.leaves)
	case responseWhole:
		b = bundle.AppendLeaves(b, p.leaves)
	case responsePublished:
		b = postcard.AppendUint(b, uint64(p.accepted))
		b = postcard.AppendUint(b, uint64(len(p.refused)))
		for _, r := range p.refused {
			b = postcard.AppendUint(b, uint64(r.Index))
			b = append(b, byte(r.Reason))
		}
	case responseRefused:
		b = append(b, byte(p.reason))
	}
	return b
}

// errRoots is for more roots than a mirror keeps.
var errRoots = errors.New("too many roots")

func decodeResponse(b []byte) (response, error) {
	d := postcard.NewDecoder(b)
	p := response{kind: d.Variant(responseKinds)}
	switch p.kind {
	case responseRoots:
		p.millis = d.U64()
		n := d.Count(1)
		if n > maxRoots {
			d.Fail(errRoots)
			n = 0
		}
		for range n {
			p.roots = append(p.roots, bundle.ReadSignedRoot(d))
		}
		if d.Bool() {
			c := quorum.ReadContradiction(d)
			p.proof = &c
		}
	case responseChanges:
		for range d.Count(1) {
			p.removed = append(p.removed, d.U32())
		}
		p.leaves = bundle.ReadLeaves(d)
	case responseWhole:
		p.leaves = bundle.ReadLeaves(d)
	case responsePublished:
		p.accepted = d.U32()
		for range d.Count(2) { // an index and a reason
			p.refused = append(p.refused, directory.Refusal{Index: int(d.U32()), Reason: directory.Reason(d.U8())})
		}
	case responseRefused:
		p.reason = directory.Reason(d.U8())
	}
	if err := d.Finish(); err != nil {
		return response{}, fmt.Errorf("%w: response: %w", directory.ErrProtocol, err)
	}
	return p, nil
}

// readResponse reads one frame and says how long it was.
func readResponse(r io.Reader) (response, int, error) {
	message, err := frame.Read(r, maxResponse)
	switch {
	case errors.Is(err, frame.ErrSize):
		return response{}, 0, fmt.Errorf("%w: %w", directory.ErrProtocol, err)
	case errors.Is(err, io.EOF):
		return response{}, 0, fmt.Errorf("reading the directory: %w", io.ErrUnexpectedEOF)
	case err != nil:
		return response{}, 0, fmt.Errorf("reading the directory: %w", err)
	}
	p, err := decodeResponse(message)
	if err == nil && p.kind == responseRefused {
		err = fmt.Errorf("directory refused: %w", p.reason)
	}
	return p, len(message), err
}
