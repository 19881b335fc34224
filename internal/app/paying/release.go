package paying

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/culvert-net/culvert/api/tunnel"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/channel"
)

// Release asks a provider, on a pay stream that open makes, for its consent to close
// a channel now, and tells what it waits for. Whether what it says is worth anything
// is not decided here.
func Release(ctx context.Context, open func(context.Context) (tunnel.Conn, error), ask channel.ReleaseAsk, tell func(string)) (r ledger.Signed[ledger.Release], err error) {
	ctx, cancel := context.WithTimeout(ctx, releaseLimit)
	defer cancel()
	tell(fmt.Sprintf("asking the provider for its consent, for %s at most: building a circuit to it", releaseLimit))
	conn, err := open(ctx)
	if ctx.Err() != nil {
		return r, fmt.Errorf("it was not reached within %s", releaseLimit)
	}
	if err != nil {
		return r, fmt.Errorf("reaching the provider: %w", err)
	}
	tell("asking the provider for its consent: waiting for its answer")
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Reset() })
	defer stop()
	hello := channel.Hello{Channel: ask.Channel, Epoch: ask.Epoch}
	_, _ = rand.Read(hello.Round[:]) // never fails; it names no round
	f, err := exchange(conn, &hello, &ask)
	if ctx.Err() != nil {
		return r, fmt.Errorf("it did not answer within %s", releaseLimit)
	}
	if err != nil {
		return r, err
	}
	switch f := f.(type) {
	case *channel.ReleaseFrame:
		return f.Release, nil
	case *channel.ErrorFrame:
		return r, &channel.Refusal{Code: f.Code, Wanted: f.Wanted, Text: f.Text}
	}
	return r, errors.New("the provider answers with something else")
}

// exchange writes frames and reads one.
func exchange(conn tunnel.Conn, frames ...channel.Frame) (channel.Frame, error) {
	for _, f := range frames {
		if err := channel.WriteFrame(conn, f); err != nil {
			return nil, fmt.Errorf("asking the provider: %w", err)
		}
	}
	f, err := channel.ReadFrame(conn)
	if err != nil {
		return nil, fmt.Errorf("the provider's answer: %w", err)
	}
	return f, nil
}
