package paying

import (
	"context"
	"sync"
	"time"

	"github.com/culvert-net/culvert/api/tunnel"
	"github.com/culvert-net/culvert/ledger/channel"
)

// line is a pay stream.
type line struct {
	conn tunnel.Conn
	stop func() bool // ends the watch on the context
	mu   sync.Mutex  // frames leave one after the other
}

// dial opens a pay stream beside a request's, which ends with ctx, and says what it
// is about.
func (p *Payer) dial(ctx context.Context, beside tunnel.Conn, hello channel.Hello) (*line, error) {
	opening, cancel := context.WithTimeout(ctx, openLimit)
	defer cancel()
	conn, err := p.cfg.Beside(opening, beside)
	if err != nil {
		return nil, err
	}
	l := &line{conn: conn, stop: context.AfterFunc(ctx, func() { _ = conn.Reset() })}
	if err := l.write(&hello); err != nil {
		l.drop()
		return nil, err
	}
	return l, nil
}

func (l *line) write(f channel.Frame) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.conn.SetWriteDeadline(time.Now().Add(writeLimit)) // a dead stream tells by the write
	return channel.WriteFrame(l.conn, f)
}

// close ends the stream behind what was written.
func (l *line) close() {
	l.stop()
	_ = l.conn.CloseWrite()
	_ = l.conn.Close()
}

func (l *line) drop() {
	l.stop()
	_ = l.conn.Reset()
}
