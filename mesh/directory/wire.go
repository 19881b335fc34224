package directory

import (
	"errors"
	"fmt"
	"io"

	"github.com/culvert-net/culvert/mesh/frame"
	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// ErrProtocol is wrapped by errors about bytes that no peer of this protocol
// sends.
var ErrProtocol = errors.New("not the directory protocol")

// readFrame receives a message of at most limit bytes. io.EOF means that nothing
// came.
func readFrame(r io.Reader, limit int) ([]byte, error) {
	b, err := frame.Read(r, limit)
	if errors.Is(err, frame.ErrSize) {
		err = fmt.Errorf("%w: %w", ErrProtocol, err)
	}
	return b, err
}

// Requests, in the order of their wire variants.
const (
	requestFetch = iota
	requestPublish
	requestTime
	requestKinds
)

// request is what a client sends.
type request struct {
	kind        uint32
	world       world.Hash
	have        world.Hash // fetch: digest this server named last, zero for none
	descriptors [][]byte   // publish
}

func (q *request) encode() []byte {
	b := postcard.AppendUint(nil, uint64(q.kind))
	b = postcard.AppendArray(b, q.world[:])
	switch q.kind {
	case requestFetch:
		return postcard.AppendArray(b, q.have[:])
	case requestPublish:
		return appendDescriptors(b, q.descriptors)
	}
	return b
}

func decodeRequest(b []byte) (request, error) {
	d := postcard.NewDecoder(b)
	q := request{kind: d.Variant(requestKinds)}
	d.Array(q.world[:])
	switch q.kind {
	case requestFetch:
		d.Array(q.have[:])
	case requestPublish:
		q.descriptors = readDescriptors(d)
	}
	if err := d.Finish(); err != nil {
		return request{}, fmt.Errorf("%w: request: %w", ErrProtocol, err)
	}
	return q, nil
}

// Responses, in the order of their wire variants.
const (
	responseUnchanged = iota // to a fetch: you have it all
	responseBatch            // to a fetch: some descriptors, more frames follow
	responseEnd              // to a fetch: that was all
	responsePublished        // to a publish
	responseRefused          // to anything
	responseTime             // to a question for the time
	responseKinds
)

// response is what a server sends.
type response struct {
	kind        uint32
	descriptors [][]byte   // batch
	digest      world.Hash // end: names the content; the client may send it back
	count       uint32     // end: descriptors in all batches
	accepted    uint32     // published: new or known
	refused     []Refusal  // published
	reason      Reason     // refused
	millis      uint64     // time: since 1970, by the server's clock
}

func (p *response) encode() []byte {
	b := postcard.AppendUint(nil, uint64(p.kind))
	switch p.kind {
	case responseBatch:
		b = appendDescriptors(b, p.descriptors)
	case responseEnd:
		b = postcard.AppendArray(b, p.digest[:])
		b = postcard.AppendUint(b, uint64(p.count))
	case responsePublished:
		b = postcard.AppendUint(b, uint64(p.accepted))
		b = postcard.AppendUint(b, uint64(len(p.refused)))
		for _, r := range p.refused {
			b = postcard.AppendUint(b, uint64(r.Index))
			b = append(b, byte(r.Reason))
		}
	case responseRefused:
		b = append(b, byte(p.reason))
	case responseTime:
		b = postcard.AppendUint(b, p.millis)
	}
	return b
}

func decodeResponse(b []byte) (response, error) {
	d := postcard.NewDecoder(b)
	p := response{kind: d.Variant(responseKinds)}
	switch p.kind {
	case responseBatch:
		p.descriptors = readDescriptors(d)
	case responseEnd:
		d.Array(p.digest[:])
		p.count = d.U32()
	case responsePublished:
		p.accepted = d.U32()
		for range d.Count(2) { // an index and a reason
			p.refused = append(p.refused, Refusal{Index: int(d.U32()), Reason: Reason(d.U8())})
		}
	case responseRefused:
		p.reason = Reason(d.U8())
	case responseTime:
		p.millis = d.U64()
	}
	if err := d.Finish(); err != nil {
		return response{}, fmt.Errorf("%w: response: %w", ErrProtocol, err)
	}
	return p, nil
}

// appendDescriptors writes descriptors as byte vectors, so that one that does
// not decode costs only itself.
func appendDescriptors(b []byte, ds [][]byte) []byte {
	b = postcard.AppendUint(b, uint64(len(ds)))
	for _, d := range ds {
		b = postcard.AppendBytes(b, d)
	}
	return b
}

func readDescriptors(d *postcard.Decoder) [][]byte {
	n := d.Count(minDescriptor)
	if n == 0 {
		return nil
	}
	out := make([][]byte, 0, n)
	for range n {
		out = append(out, d.Bytes())
	}
	return out
}

// decodeDescriptors keeps those of raw that are descriptors; place[i] is where
// in raw the i-th of them was.
func decodeDescriptors(raw [][]byte) (ds []world.Descriptor, place []int) {
	for i, b := range raw {
		if len(b) > MaxDescriptor {
			continue
		}
		if d, err := world.DecodeDescriptor(b); err == nil {
			ds, place = append(ds, d), append(place, i)
		}
	}
	return ds, place
}
