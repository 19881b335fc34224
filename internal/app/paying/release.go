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
// a channel now. Whether what it says is worth anything is not decided here.
func Release(ctx context.Context, open func(context.Context) (tunnel.Conn, error), ask channel.ReleaseAsk) (r ledger.Signed[ledger.Release], err error) {
	ctx, cancel := context.WithTimeout(ctx, releaseLimit)
	defer cancel()
	conn, err := open(ctx)
	if err != nil {
		return r, fmt.Errorf("reaching the provider: %w", err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Reset() })
	defer stop()
	hello := channel.Hello{Channel: ask.Channel, Epoch: ask.Epoch}
	_, _ = rand.Read(hello.Round[:]) // never fails; it names no round
	for _, f := range []channel.Frame{&hello, &ask} {
		if err := channel.WriteFrame(conn, f); err != nil {
			return r, fmt.Errorf("asking the provider: %w", err)
		}
	}
	f, err := channel.ReadFrame(conn)
	if ctx.Err() != nil {
		return r, errors.New("the provider did not answer in time")
	}
	if err != nil {
		return r, fmt.Errorf("the provider's answer: %w", err)
	}
	switch f := f.(type) {
	case *channel.ReleaseFrame:
		return f.Release, nil
	case *channel.ErrorFrame:
		return r, &channel.Refusal{Code: f.Code, Wanted: f.Wanted, Text: f.Text}
	}
	return r, errors.New("the provider answers with something else")
}
