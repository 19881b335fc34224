package directory

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/culvert-net/culvert/mesh/frame"
	"github.com/culvert-net/culvert/mesh/world"
)

// ErrRefused is wrapped by Serve's errors about requests that were answered
// with a Reason.
var ErrRefused = errors.New("directory request refused")

// Serve answers the one request that comes on rw from set, and takes
// publications if accept is set. It sets no deadline and does not close rw: both
// are the caller's, as is the number of calls at a time. Between frames it stops
// when ctx ends.
//
// The error is for the caller's counters; the peer got no more of it than a
// Reason.
func Serve(ctx context.Context, rw io.ReadWriter, set *Set, accept bool) error {
	message, err := readFrame(rw, maxRequest)
	if err != nil {
		if errors.Is(err, ErrProtocol) {
			return refuse(rw, ReasonRequest, err)
		}
		return fmt.Errorf("reading a directory request: %w", err)
	}
	q, err := decodeRequest(message)
	switch {
	case err != nil:
		return refuse(rw, ReasonRequest, err)
	case q.world != set.world.ID:
		return refuse(rw, ReasonWorld, ReasonWorld)
	case q.kind == requestFetch:
		return serveFetch(ctx, rw, set, q.have)
	case q.kind == requestTime:
		p := response{kind: responseTime, millis: uint64(max(0, time.Now().UnixMilli()))}
		return wrapSend(frame.Write(rw, p.encode()))
	case !accept:
		return refuse(rw, ReasonNotTaking, ReasonNotTaking)
	case len(q.descriptors) > maxModels:
		return refuse(rw, ReasonModels, ReasonModels)
	}
	return servePublish(rw, set, q.descriptors)
}

// refuse tells the peer the reason, and the caller why.
func refuse(w io.Writer, reason Reason, why error) error {
	p := response{kind: responseRefused, reason: reason}
	if err := frame.Write(w, p.encode()); err != nil {
		return fmt.Errorf("refusing a directory request (%w): %w", why, err)
	}
	return fmt.Errorf("%w: %w", ErrRefused, why)
}

func serveFetch(ctx context.Context, w io.Writer, set *Set, have world.Hash) error {
	snap := set.Snapshot()
	if have == snap.Digest() {
		p := response{kind: responseUnchanged}
		return wrapSend(frame.Write(w, p.encode()))
	}
	ds := snap.Descriptors()
	var batch [][]byte
	size := 0
	for i := range ds {
		b := ds[i].Canonical()
		batch = append(batch, b)
		size += len(b) + 2
		if size < batchSize && i < len(ds)-1 {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		p := response{kind: responseBatch, descriptors: batch}
		if err := frame.Write(w, p.encode()); err != nil {
			return wrapSend(err)
		}
		batch, size = batch[:0], 0
	}
	p := response{kind: responseEnd, digest: snap.Digest(), count: uint32(len(ds))}
	return wrapSend(frame.Write(w, p.encode()))
}

func servePublish(w io.Writer, set *Set, raw [][]byte) error {
	ds, place := decodeDescriptors(raw)
	result := set.Add(ds, time.Now())
	reasons := make([]Reason, len(raw))
	for i := range reasons {
		reasons[i] = ReasonMalformed // unless it decoded
	}
	for _, i := range place {
		reasons[i] = 0
	}
	for _, r := range result.Refused {
		reasons[place[r.Index]] = r.Reason
	}
	p := response{kind: responsePublished, accepted: uint32(result.Added + result.Known)}
	for i, reason := range reasons {
		if reason != 0 {
			p.refused = append(p.refused, Refusal{Index: i, Reason: reason})
		}
	}
	return wrapSend(frame.Write(w, p.encode()))
}

func wrapSend(err error) error {
	if err != nil {
		return fmt.Errorf("answering a directory request: %w", err)
	}
	return nil
}
