package paying

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

var errCut = errors.New("the circuit is gone")

// pipe is one end of a stream in memory: a queue in each direction, ends and resets
// told apart, deadlines. It blocks on a condition, so it works in synctest bubbles.
type pipe struct {
	*wire
	other *pipe

	// Guarded by wire.mu.
	in              []byte
	ended, writeEnd bool
	closed          bool
	rd, wd          time.Time
	done            chan struct{}
}

type wire struct {
	mu     sync.Mutex
	cond   *sync.Cond
	broken bool
}

func newPipe() (client, server *pipe) {
	w := &wire{}
	w.cond = sync.NewCond(&w.mu)
	client = &pipe{wire: w, done: make(chan struct{})}
	server = &pipe{wire: w, done: make(chan struct{}), other: client}
	client.other = server
	return client, server
}

func (p *pipe) Read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		switch {
		case p.closed:
			return 0, net.ErrClosed
		case p.broken:
			return 0, errCut
		case past(p.rd):
			return 0, os.ErrDeadlineExceeded
		case len(p.in) > 0:
			n := copy(b, p.in)
			p.in = p.in[n:]
			return n, nil
		case p.ended:
			return 0, io.EOF
		}
		p.cond.Wait()
	}
}

func (p *pipe) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed, p.writeEnd:
		return 0, net.ErrClosed
	case p.broken, p.other.closed:
		return 0, errCut
	case past(p.wd):
		return 0, os.ErrDeadlineExceeded
	}
	p.other.in = append(p.other.in, b...)
	p.cond.Broadcast()
	return len(b), nil
}

func (p *pipe) CloseWrite() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.writeEnd, p.other.ended = true, true
	p.cond.Broadcast()
	return nil
}

func (p *pipe) Reset() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.breakLocked()
	}
	return nil
}

func (p *pipe) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.writeEnd {
		p.breakLocked()
	}
	p.closed = true
	p.finish()
	p.cond.Broadcast()
	return nil
}

func (p *pipe) breakLocked() {
	p.broken = true
	p.finish()
	p.other.finish()
	p.cond.Broadcast()
}

func (p *pipe) finish() {
	select {
	case <-p.done:
	default:
		close(p.done)
	}
}

func (p *pipe) Done() <-chan struct{} { return p.done }
func (p *pipe) Circuit() string       { return "c1" }

func (p *pipe) SetDeadline(t time.Time) error {
	return errors.Join(p.SetReadDeadline(t), p.SetWriteDeadline(t))
}
func (p *pipe) SetReadDeadline(t time.Time) error  { return p.deadline(&p.rd, t) }
func (p *pipe) SetWriteDeadline(t time.Time) error { return p.deadline(&p.wd, t) }

func (p *pipe) deadline(d *time.Time, t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	*d = t
	p.cond.Broadcast()
	if !t.IsZero() {
		time.AfterFunc(time.Until(t), func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.cond.Broadcast()
		})
	}
	return nil
}

func past(t time.Time) bool { return !t.IsZero() && !time.Now().Before(t) }

func (p *pipe) LocalAddr() net.Addr  { return &net.UnixAddr{Name: "mem"} }
func (p *pipe) RemoteAddr() net.Addr { return &net.UnixAddr{Name: "mem"} }
