package member

import (
	"context"
	"time"

	"github.com/culvert-net/culvert/internal/porch"
)

// door is where requests to join come in.
type door struct {
	// Those who have not sent their request yet. Whoever floods the links keeps
	// nobody out who comes over a circuit, nor the other way round.
	links, circuits *porch.Porch

	judged chan struct{} // held by a request that is being judged
}

func newDoor() door {
	return door{
		links: porch.New(maxAsking, askingLimit), circuits: porch.New(maxAsking, askingLimit),
		judged: make(chan struct{}, maxJudged),
	}
}

// joining is a stream with a request to join.
type joining interface {
	JoinStream
	SetDeadline(t time.Time) error
}

// ServeJoin answers somebody's request to join that came over a circuit, and closes
// the stream.
func (s *Service) ServeJoin(ctx context.Context, stream joining) {
	s.serveJoin(ctx, stream, s.door.circuits)
}

func (s *Service) serveJoin(ctx context.Context, stream joining, waiting *porch.Porch) {
	// The stream's next read shows whether it still lives.
	_ = stream.SetDeadline(time.Now().Add(joinLimit))
	ctx, cancel := context.WithTimeout(ctx, joinLimit)
	defer cancel()
	if s.IsMember() != nil {
		_ = stream.Reset()
		return
	}
	end := func() { _ = stream.Reset() }
	asking := waiting.Enter(end)
	r, err := s.hearJoin(stream)
	if why := asking.Leave(); why != porch.Left || err != nil {
		s.cfg.Log.Debug("request to join not heard", "crowded", why == porch.Crowded, "err", err)
		_ = stream.Reset()
		return
	}
	var answer []byte
	proved := false
	select {
	case s.door.judged <- struct{}{}:
		answer, proved = s.judgeJoin(ctx, r)
		<-s.door.judged
	case <-ctx.Done():
		_ = stream.Reset()
		return
	}
	if !proved {
		// Who has shown nothing decides how long it takes to be told so, and to close.
		defer waiting.Enter(end).Leave()
	}
	if err := writeMessage(stream, answer); err != nil {
		s.cfg.Log.Debug("request to join not answered", "err", err)
	}
	_ = stream.Close() // all was said
}
