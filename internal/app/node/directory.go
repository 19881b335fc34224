package node

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/culvert-net/culvert/circuit"
	"github.com/culvert-net/culvert/mesh/directory"
)

// Directory is what is known of who is in the world: a directory.Set, or a
// directory.View.
type Directory interface {
	// Snapshot is what is known now.
	Snapshot() *directory.Snapshot
	// Updated is closed at the next change.
	Updated() <-chan struct{}
}

var (
	_ Directory = (*directory.Set)(nil)
	_ Directory = (*directory.View)(nil)
)

// question is a stream with one question to the directory.
type question interface {
	io.ReadWriter
	SetDeadline(t time.Time) error
	Reset() error
}

// ServeStreams calls f for each stream that l accepts, at most so many at a time,
// until l is closed or ctx ends. It waits for all of them; f resets its stream when
// ctx ends, or ends soon.
func ServeStreams(ctx context.Context, l *circuit.Listener, most int, f func(*circuit.Stream)) error {
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	var running sync.WaitGroup
	defer running.Wait()
	slots := make(chan struct{}, most)
	for {
		c, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("accepting streams of circuits: %w", err)
		}
		s := c.(*circuit.Stream) // the listener's promise
		select {
		case slots <- struct{}{}:
		default:
			_ = s.Refuse()
			continue
		}
		running.Go(func() {
			defer func() { <-slots }()
			f(s)
		})
	}
}

// Follow calls changed after each change of set, until ctx ends.
func Follow(ctx context.Context, set Directory, changed func()) error {
	for {
		updated := set.Updated()
		changed()
		select {
		case <-updated:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Ending is a stream of a circuit whose Close lets what was written arrive: the
// stream by itself would be reset unless the other side has ended it too.
type Ending struct{ *circuit.Stream }

// Close implements io.Closer. It waits for the other side's end, for a while.
func (e Ending) Close() error {
	if e.CloseWrite() == nil {
		_ = e.SetReadDeadline(time.Now().Add(endingLimit))
		_, _ = io.Copy(io.Discard, e.Stream) // until it ends, is reset, or that time is over
	}
	return e.Stream.Close()
}
