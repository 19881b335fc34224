package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/culvert-net/culvert/circuit"
	"github.com/culvert-net/culvert/mesh"
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

// Seeds opens streams to the world's seeds.
type Seeds struct{ Host *mesh.Host }

var _ directory.Seeds = Seeds{}

// Open implements directory.Seeds.
func (s Seeds) Open(ctx context.Context, seed string) (io.ReadWriteCloser, error) {
	stream, err := s.Host.OpenAddr(ctx, mesh.ProtoDirectory, seed)
	if err != nil {
		return nil, fmt.Errorf("open directory of a seed: %w", err)
	}
	return stream, nil
}

// ServeDirectory lets others fetch set from host until ctx ends, and publish
// into it if accept is set.
func ServeDirectory(ctx context.Context, host *mesh.Host, set *directory.Set, accept bool, log *slog.Logger) {
	host.Handle(mesh.ProtoDirectory, directoryPeerStreams, directoryStreams, func(s *mesh.Stream) {
		if answerDirectory(ctx, s, set, accept, log) {
			_ = s.Close() // all was said; what does not arrive is asked for again
		}
	})
}

// ServeDirectoryOver is ServeDirectory for questions that come over circuits, so
// many at a time. It returns when l is closed or ctx ends.
func ServeDirectoryOver(ctx context.Context, l *circuit.Listener, most int, set *directory.Set, log *slog.Logger) error {
	return ServeStreams(ctx, l, most, func(s *circuit.Stream) {
		if !answerDirectory(ctx, s, set, false, log) {
			return
		}
		_ = Ending{s}.Close() // all was said
	})
}

// question is a stream with one question to the directory.
type question interface {
	io.ReadWriter
	SetDeadline(t time.Time) error
	Reset() error
}

// answerDirectory answers the one question of a stream, and resets it if it could
// not.
func answerDirectory(ctx context.Context, s question, set *directory.Set, accept bool, log *slog.Logger) (answered bool) {
	// The stream's next read shows whether it still lives.
	_ = s.SetDeadline(time.Now().Add(directoryLimit))
	err := directory.Serve(ctx, s, set, accept)
	if err != nil {
		log.Debug("directory request not answered", "err", err)
	}
	if err != nil && !errors.Is(err, directory.ErrRefused) {
		_ = s.Reset()
		return false
	}
	return true
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
