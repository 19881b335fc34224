package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/culvert-net/culvert/mesh"
	"github.com/culvert-net/culvert/mesh/directory"
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
		// The stream's next read shows whether it still lives.
		_ = s.SetDeadline(time.Now().Add(directoryLimit))
		err := directory.Serve(ctx, s, set, accept)
		if err != nil {
			log.Debug("directory request not answered", "err", err)
		}
		if err != nil && !errors.Is(err, directory.ErrRefused) {
			_ = s.Reset()
			return
		}
		_ = s.Close() // all was said; what does not arrive is asked for again
	})
}

// Follow calls changed after each change of set, until ctx ends.
func Follow(ctx context.Context, set *directory.Set, changed func()) error {
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
