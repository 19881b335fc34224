package billing

import (
	"context"
	"sync"
	"time"

	"github.com/culvert-net/culvert/api/tunnel"
	"github.com/culvert-net/culvert/ledger/channel"
)

// line is one pay stream.
type line struct {
	conn   tunnel.Conn
	key    round      // zero: its first frame has not come
	number uint64     // streams are numbered as they come
	mu     sync.Mutex // frames leave one after the other
}

// write sends a frame. A payer that does not take it has no more use for the line.
func (l *line) write(f channel.Frame) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.conn.SetWriteDeadline(time.Now().Add(writeLimit)) // a dead stream tells by the write
	if channel.WriteFrame(l.conn, f) != nil {
		_ = l.conn.Reset()
	}
}

// Serve answers pay streams until ctx ends or there are no more.
func (t *Till) Serve(ctx context.Context, streams tunnel.Acceptor) error {
	stop := context.AfterFunc(ctx, func() { _ = streams.Close() })
	defer stop()
	var serving sync.WaitGroup
	defer serving.Wait()
	for {
		conn, err := streams.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		l := &line{conn: conn}
		late, taken := t.enter(l)
		if late != nil {
			_ = late.conn.Reset()
		}
		if !taken {
			_ = conn.Reset()
			continue
		}
		serving.Go(func() {
			defer t.leave(l)
			t.serve(ctx, l)
		})
	}
}

// enter takes a stream, if need be in the place of another: late is then the one
// that came first of those whose round does not run. Anybody can open pay streams
// and keep them, at no cost; one for each round that was admitted stays.
func (t *Till) enter(l *line) (late *line, taken bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.open) >= maxLines {
		for o := range t.open {
			kept := t.running[o.key] > 0 && t.lines[o.key] == o
			if !kept && (late == nil || o.number < late.number) {
				late = o
			}
		}
		if late == nil {
			return nil, false
		}
		delete(t.open, late)
	}
	t.opened++
	l.number = t.opened
	t.open[l] = struct{}{}
	return late, true
}

func (t *Till) leave(l *line) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.open, l)
}

// serve answers the frames of one pay stream. A frame that is none ends it: who
// pays is asked for nothing twice.
func (t *Till) serve(ctx context.Context, l *line) {
	conn := l.conn
	stop := context.AfterFunc(ctx, func() { _ = conn.Reset() })
	defer stop()
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(helloLimit)) // a dead stream tells by the read
	first, err := channel.ReadFrame(conn)
	hello, ok := first.(*channel.Hello)
	if err != nil || !ok {
		_ = conn.Reset()
		return
	}
	_ = conn.SetReadDeadline(time.Time{})
	key := round{hello.Channel, hello.Epoch, hello.Round}
	if r := t.attach(key, l); r != nil {
		l.write(r)
	}
	defer t.detach(key, l)
	idle := t.watch(key, conn)
	defer idle.Stop()
	var f channel.Frame = hello
	for err == nil {
		reply := t.cfg.Payee.Answer(ctx, time.Now(), *hello, f)
		if reply != nil {
			l.write(reply)
		}
		if _, ok := reply.(*channel.Accepted); ok {
			t.tell()
		}
		f, err = channel.ReadFrame(conn)
		idle.Reset(lineIdle)
	}
}

// watch ends a stream on which nothing is said while its round does not run.
func (t *Till) watch(key round, conn tunnel.Conn) *time.Timer {
	var idle *time.Timer
	ready := make(chan struct{})
	defer close(ready)
	idle = time.AfterFunc(lineIdle, func() {
		<-ready
		t.mu.Lock()
		runs := t.running[key] > 0
		t.mu.Unlock()
		if runs {
			idle.Reset(lineIdle)
		} else {
			_ = conn.Reset()
		}
	})
	return idle
}

// attach makes the line the one of its round, and returns the refusal that waited
// for it, if there is one. Nobody but the round's payer knows its id.
func (t *Till) attach(key round, l *line) channel.Frame {
	t.mu.Lock()
	defer t.mu.Unlock()
	l.key = key
	t.lines[key] = l
	r, ok := t.refusals[key]
	delete(t.refusals, key)
	if !ok || time.Now().After(r.until) {
		return nil
	}
	return r.frame
}

func (t *Till) detach(key round, l *line) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lines[key] == l { // a later stream may have taken its place
		delete(t.lines, key)
	}
}

// send sends a frame on a round's pay stream. Without one a refusal waits for it;
// results are asked for by the stream's first frame, and who cannot be asked for
// money does not pay.
func (t *Till) send(key round, f channel.Frame) {
	t.mu.Lock()
	l := t.lines[key]
	if r, ok := f.(*channel.ErrorFrame); ok && l == nil {
		t.keep(key, r)
	}
	t.mu.Unlock()
	if l != nil {
		l.write(f)
	}
}

// keep keeps a refusal for a while. The caller holds mu.
func (t *Till) keep(key round, f *channel.ErrorFrame) {
	now := time.Now()
	if len(t.refusals) >= maxRefusals {
		for k, r := range t.refusals {
			if now.After(r.until) {
				delete(t.refusals, k)
			}
		}
	}
	if len(t.refusals) < maxRefusals {
		t.refusals[key] = refusal{f, now.Add(refusalLife)}
	}
}

// tell wakes the answers that wait for money.
func (t *Till) tell() {
	t.mu.Lock()
	defer t.mu.Unlock()
	close(t.paid)
	t.paid = make(chan struct{})
}
