package api

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/openai"
	"github.com/culvert-net/culvert/api/sse"
)

// stream passes on an answer event by event. Until the first of them (or the
// first heartbeat) nothing is sent, so that an answer which fails at once gets
// the status of its failure. Afterwards a failure is reported in the stream,
// and the connection is aborted: a clean end would be taken for success by
// most clients.
func (s *Server) stream(w http.ResponseWriter, r *http.Request, resp *backend.Response, wanted streamed) {
	x := exchangeOf(r)
	if backend.ContentType(resp.Header) != backend.ContentStream {
		x.fail(w, backend.NoStream(resp))
		return
	}
	c := newCopier(w, s.heartbeat, x.started, wanted)
	err := c.run(resp.Body)

	if err == nil {
		price(w.Header(), resp) // in the trailer: no heartbeat writes any more
		return
	}
	x.err = err
	e := asError(r, err)
	switch {
	case r.Context().Err() != nil, errors.Is(err, errClient):
		x.status = statusGone
	case c.failure != nil:
		x.status = c.failure.Status
	default:
		x.status = e.Status // the one that was sent says nothing of what followed
	}
	if !c.started {
		x.fail(w, e)
		return
	}
	c.reportCut(e)
	panic(http.ErrAbortHandler)
}

var (
	// errClient wraps what went wrong with writing to the client.
	errClient = errors.New("writing to the client")

	// errReported is returned when the stream itself has told the client.
	errReported = errors.New("the answer ended with an error")
)

// streamed is what was asked for.
type streamed struct {
	chunk string // the object of each event
	usage bool   // an event with the usage
	paid  bool   // what it has cost is told behind it
}

// copier writes one stream to a client, and a heartbeat whenever nothing was
// written for a while.
type copier struct {
	heartbeat time.Duration // immutable
	wanted    streamed      // immutable
	timer     *time.Timer   // immutable; runs beat

	mu      sync.Mutex // guards what follows: a heartbeat comes between batches
	w       http.ResponseWriter
	rc      *http.ResponseController
	started bool          // the status is sent
	pending bool          // something was written since the last flush
	beaten  bool          // a heartbeat was written last
	failure *openai.Error // the stream's own, of which the client was told
	stopped bool          // no more heartbeats
	wrote   time.Time     // when something was last written; at first, when the request came
	renewed time.Time     // when the time for writing was last renewed

	unlooked int // bytes written since it was last asked what time it is
}

func newCopier(w http.ResponseWriter, heartbeat time.Duration, asked time.Time, wanted streamed) *copier {
	c := &copier{w: w, rc: http.NewResponseController(w), heartbeat: heartbeat, wanted: wanted, wrote: asked}
	c.timer = time.AfterFunc(math.MaxInt64, c.beat) // set first: beat uses it
	c.timer.Reset(max(firstEvent, heartbeat-time.Since(asked)))
	return c
}

// run is copy, after which no heartbeat comes, even if it panics: one that came
// after the handler would end the program.
func (c *copier) run(from io.ReadCloser) error {
	defer c.stopBeating()
	return c.copy(from)
}

// copy passes events on until the stream is complete (nil) or cut.
func (c *copier) copy(from io.ReadCloser) error {
	events := sse.NewReader(from, sse.MaxEvent)
	for {
		e, err := events.Next()
		if err != nil {
			return incomplete(err)
		}
		done, err := c.batch(e, events)
		if err != nil {
			return err
		}
		if done {
			drain(from, events)
			return nil
		}
	}
}

// batch writes e and whatever else has arrived with it, and flushes once. It
// never waits for another event. done means that e or one after it was the
// stream's end.
func (c *copier) batch(e sse.Event, events *sse.Reader) (done bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		failure := openai.InEvent(e.Data)
		if failure != nil && !c.started {
			return false, failure
		}
		if failure != nil && c.beaten {
			c.write(sse.AppendNoOp(nil, c.wanted.chunk))
		}
		raw := e.Raw
		if !c.wanted.usage && openai.OnlyUsage(e.Data) {
			raw = nil // a client that did not ask for it looks for its choices[0]
		}
		if failure != nil {
			raw = sse.AppendError(nil, failure.JSON()) // checked, and without an event: line
		}
		if len(raw) > 0 {
			if err := c.write(raw); err != nil {
				return false, err
			}
		}
		if failure != nil {
			c.failure = failure
			return false, errors.Join(errReported, c.flush())
		}
		if e.IsDone() {
			return true, c.flush()
		}
		if !events.Buffered() {
			return false, c.flush()
		}
		if e, err = events.Next(); err != nil {
			return false, incomplete(err)
		}
	}
}

// incomplete says why a stream ended before its [DONE].
func incomplete(err error) error {
	switch {
	case err == io.EOF, errors.Is(err, io.ErrUnexpectedEOF):
		e := openai.Upstream(http.StatusBadGateway, "stream_incomplete",
			"the model server ended the stream before the answer was complete; try again")
		e.Cause = err
		return e
	case errors.Is(err, sse.ErrTooLong):
		return openai.Upstream(http.StatusBadGateway, "event_too_large",
			"the model server sent an event larger than "+strconv.Itoa(sse.MaxEvent)+" bytes")
	}
	return fmt.Errorf("reading the stream: %w", err)
}

// drain reads what follows [DONE], which nobody needs, so that the connection
// it came on can be used again.
func drain(from io.ReadCloser, events *sse.Reader) {
	patience := time.AfterFunc(afterDone, func() { _ = from.Close() })
	defer patience.Stop()
	for {
		if _, err := events.Next(); err != nil {
			return
		}
	}
}

// write sends the status before the first byte. Called with mu held.
func (c *copier) write(p []byte) error {
	if !c.pending || c.unlooked > renewBytes {
		c.unlooked = 0
		if now := time.Now(); now.Sub(c.renewed) > renewTime {
			c.renewed = now
			_ = c.rc.SetWriteDeadline(now.Add(writeTime)) // not every test's writer has one
		}
	}
	c.unlooked += len(p)
	if !c.started {
		c.started = true
		h := c.w.Header()
		h.Set("Content-Type", backend.ContentStream)
		h.Set("X-Accel-Buffering", "no")
		if c.wanted.paid {
			h.Set("Trailer", headerCost+", "+headerReceipt)
		}
		c.w.WriteHeader(http.StatusOK)
	}
	c.beaten, c.pending = false, true
	if _, err := c.w.Write(p); err != nil {
		return fmt.Errorf("%w: %w", errClient, err)
	}
	return nil
}

// flush sends what was written. Called with mu held.
func (c *copier) flush() error {
	if !c.pending {
		// All that came was left out. A flush would send the status, and the
		// client has heard nothing.
		return nil
	}
	c.pending, c.wrote = false, time.Now()
	if err := c.rc.Flush(); err != nil {
		return fmt.Errorf("%w: %w", errClient, err)
	}
	return nil
}

// stopBeating returns when no heartbeat is being written, and none will be.
func (c *copier) stopBeating() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
	c.timer.Stop()
}

func (c *copier) beat() {
	if !c.mu.TryLock() {
		// Something is being written, so the stream is not silent; and a client
		// that does not read needs no comment.
		c.timer.Reset(c.heartbeat)
		return
	}
	defer c.mu.Unlock()
	if c.stopped {
		return
	}
	if time.Since(c.wrote) >= c.heartbeat {
		if c.write([]byte(sse.Heartbeat)) != nil || c.flush() != nil {
			return // the client is gone, which ends the reading beside this too
		}
		c.beaten = true
	}
	c.timer.Reset(c.heartbeat - time.Since(c.wrote))
}

// reportCut ends a stream that was cut, as far as the client can still be told.
func (c *copier) reportCut(e *openai.Error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failure != nil {
		return
	}
	frame := []byte("\n") // ends whatever the far end may have left open
	if c.beaten {
		frame = sse.AppendNoOp(frame, c.wanted.chunk)
	}
	if c.write(sse.AppendError(frame, e.JSON())) == nil {
		_ = c.flush()
	}
}
