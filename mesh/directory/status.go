package directory

import (
	"context"
	"errors"
	"time"
)

// Status is what people are shown of a Client.
type Status struct {
	Epoch uint64 // of the set

	Nodes         int // in the set, this one included
	Relays        int
	Providers     int
	Models        int
	Equivocations int // keys that contradicted themselves, with proof

	Fetched    time.Time // when a seed answered last; zero for not yet
	Cached     time.Time // when one had, of what was read from disk at the start; zero for nothing
	FetchError string    // why no seed answered the last time, from a closed list; "" if one did

	FetchesOK     uint64 // that a seed answered, since the start
	FetchesFailed uint64 // that it did not

	Seeds        int       // how many there are to ask and to publish to
	PublishedTo  int       // how many of them know, or take no publications
	Published    time.Time // zero for never
	PublishError string    // from a closed list; "" if all is well
}

// Age is how long ago a seed answered; false if none ever did.
func (s *Status) Age(now time.Time) (time.Duration, bool) {
	return now.Sub(s.Fetched), !s.Fetched.IsZero()
}

// Status says how the client is doing.
func (c *Client) Status() Status {
	snap := c.cfg.Set.Snapshot()
	c.mu.Lock()
	s := c.status
	c.mu.Unlock()
	s.Epoch = snap.Epoch()
	s.Nodes = snap.Len()
	s.Relays = len(snap.Relays())
	s.Providers = snap.Serving()
	s.Models = len(snap.Models())
	s.Equivocations = len(snap.Equivocations())
	s.Seeds = len(c.sources)
	return s
}

// errUnreachable is joined to what kept a stream from being opened.
var errUnreachable = errors.New("seed not reachable")

// explain puts a failed exchange into one of a closed list of texts: what a
// seed does may be shown anywhere, what it says may not.
func explain(err error) string {
	var r Reason
	switch {
	case err == nil:
		return ""
	case errors.As(err, &r):
		return "refused: " + r.Error()
	case errors.Is(err, errUnreachable):
		return "not reachable"
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.Is(err, ErrProtocol):
		return "not the directory protocol"
	}
	return "broke off"
}

// explainOwn is explain for what went wrong before any seed was asked.
func explainOwn(err error) string {
	var r Reason
	switch {
	case err == nil:
		return ""
	case errors.As(err, &r):
		return "not published: " + r.Error()
	}
	return "not published: this node could not be described"
}
