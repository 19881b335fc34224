package tunnel

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/openai"
)

// errAnswerSize ends a document that the client's end would refuse.
var errAnswerSize = errors.New("the backend's answer is too large for a document")

// writeError sends e as the whole answer, with what header allows besides, and
// ends the direction.
func writeError(conn Conn, e *openai.Error, header http.Header) error {
	resp := backend.ErrorResponse(e, header)
	data := append(e.JSON(), '\n')
	_ = conn.SetWriteDeadline(time.Now().Add(WriteStall))
	if _, err := conn.Write(append(appendHead(nil, resp.Status, int64(len(data)), resp.Header), data...)); err != nil {
		return err
	}
	return conn.CloseWrite()
}

// Layout of an answer's buffer: a chunk is built around the bytes where they
// were read, so that it leaves in one write without being copied.
const (
	chunkHead = 8 // room for a size in hexadecimal and CRLF
	chunkTail = 7 // CRLF, and the last chunk
	lastChunk = "0\r\n\r\n"
)

type chunkBuffer [chunkHead + streamBuffer + chunkTail]byte

// chunkWriter sends a backend's answer as it comes: each read leaves at once, as
// one chunk in one write, and never waits for what follows.
type chunkWriter struct {
	conn  Conn
	src   io.Reader
	buf   *chunkBuffer
	size  int64 // read from src so far
	stall stall
}

func newChunkWriter(conn Conn, src io.Reader, buf *chunkBuffer) *chunkWriter {
	return &chunkWriter{conn: conn, src: src, buf: buf, stall: stall{limit: WriteStall, set: conn.SetWriteDeadline}}
}

// writeStream sends an event stream. Its head leaves at once: the backend has
// committed, and the client may begin to tell so.
func writeStream(conn Conn, src io.Reader, h http.Header, buf *chunkBuffer) error {
	w := newChunkWriter(conn, src, buf)
	if err := w.write(appendHead(nil, http.StatusOK, -1, h)); err != nil {
		return err
	}
	for {
		chunk, err := w.next()
		if more, err := w.send(chunk, err); !more {
			return err
		}
	}
}

// writeDocument sends an answer in one piece of JSON. Its head leaves with its
// first bytes: what goes wrong before them has a status, and is returned instead
// of being sent.
func writeDocument(ctx context.Context, conn Conn, src io.Reader, h http.Header, buf *chunkBuffer) (*openai.Error, error) {
	w := newChunkWriter(conn, src, buf)
	chunk, err := w.next()
	for err == nil && w.size == 0 {
		chunk, err = w.next()
	}
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case w.size > 0:
		chunk = append(appendHead(nil, http.StatusOK, -1, h), chunk...)
	case err == io.EOF:
		return openai.Upstream(http.StatusBadGateway, "empty_answer",
			"the model server answered with nothing; ask again"), nil
	default:
		return backend.AsError(err), nil
	}
	for {
		if w.size > MaxAnswer {
			return nil, errAnswerSize
		}
		if more, err := w.send(chunk, err); !more {
			return nil, err
		}
		chunk, err = w.next()
	}
}

// next reads from src and puts a chunk's frame around what came. Nothing is no
// chunk: a size of zero would end the body.
func (w *chunkWriter) next() ([]byte, error) {
	n, err := w.src.Read(w.buf[chunkHead : chunkHead+streamBuffer])
	w.size += int64(n)
	return frameChunk(w.buf, n), err
}

// frameChunk puts size and CRLFs around the n bytes at buf[chunkHead:].
func frameChunk(buf *chunkBuffer, n int) []byte {
	if n == 0 {
		return buf[chunkHead:chunkHead]
	}
	var size [chunkHead]byte
	head := append(strconv.AppendInt(size[:0], int64(n), 16), '\r', '\n')
	start := chunkHead - len(head)
	copy(buf[start:], head)
	return append(buf[start:chunkHead+n], '\r', '\n')
}

// send writes a chunk and what readErr, the error that came with it, means:
// only the backend's clean end ends the body. After any other error the
// direction ends without a last chunk, so that the client sees a cut after all
// that was sent, by the backend and not by the circuit: a reset would look like
// a circuit's end, and overtake the frame that says why.
func (w *chunkWriter) send(chunk []byte, readErr error) (more bool, err error) {
	if readErr == io.EOF {
		chunk = append(chunk, lastChunk...)
	}
	if err := w.write(chunk); err != nil {
		return false, err
	}
	switch readErr {
	case nil:
		return true, nil
	case io.EOF:
		return false, w.conn.CloseWrite()
	}
	if w.conn.CloseWrite() != nil {
		return false, readErr
	}
	return false, &cutAnswer{readErr}
}

// cutAnswer is the error of a backend that failed within its answer, of which
// the client has been told.
type cutAnswer struct{ error }

func (w *chunkWriter) write(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	w.stall.touch()
	_, err := w.conn.Write(b)
	return err
}
