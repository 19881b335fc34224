package paying

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/api/tunnel"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/channel"
)

// consents is a pay stream whose other end is a provider as the test has it.
type consents struct{ net.Conn }

func (c consents) CloseWrite() error     { return nil }
func (c consents) Reset() error          { return c.Close() }
func (c consents) Done() <-chan struct{} { return nil }
func (c consents) Circuit() string       { return "" }

func TestRelease(t *testing.T) {
	provider := ledger.NewKey()
	d := ledger.Domain{ChainID: 1, Contract: ledger.Address{1}}
	ask := channel.ReleaseAsk{Channel: ledger.ChannelID{1}, Epoch: 2}
	signed := ledger.Sign(ledger.Release{Channel: ask.Channel, Epoch: ask.Epoch, FinalCumulative: ledger.Wei(7), Deadline: 9}, d, provider)
	for name, c := range map[string]struct {
		answer channel.Frame // nil: the stream ends
		good   bool
	}{
		"consent":        {&channel.ReleaseFrame{Release: signed}, true},
		"a refusal":      {&channel.ErrorFrame{Code: channel.CodeBusy, Text: "rounds are running"}, false},
		"something else": {&channel.Accepted{}, false},
		"nothing":        {nil, false},
	} {
		here, there := net.Pipe()
		go func() {
			defer there.Close()
			hello, _ := channel.ReadFrame(there)
			if h, ok := hello.(*channel.Hello); !ok || h.Channel != ask.Channel || h.Epoch != ask.Epoch {
				t.Errorf("%s: it begins with %+v", name, hello)
			}
			if f, _ := channel.ReadFrame(there); *f.(*channel.ReleaseAsk) != ask {
				t.Errorf("%s: it asks %+v", name, f)
			}
			if c.answer != nil {
				_ = channel.WriteFrame(there, c.answer)
			}
		}()
		r, err := Release(t.Context(), func(context.Context) (tunnel.Conn, error) { return consents{here}, nil }, ask, silent)
		if (err == nil) != c.good || c.good && r.Message != signed.Message {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
	if _, err := Release(t.Context(), func(context.Context) (tunnel.Conn, error) { return nil, errors.New("no circuit") }, ask, silent); err == nil {
		t.Error("a provider that is not reached consents")
	}
}

func silent(string) {}

// A provider that is gone, or says nothing, is not waited for longer than a person
// waits, who hears meanwhile for what: it took 18 seconds without a word.
func TestReleaseEnds(t *testing.T) {
	const patience = 10 * time.Second
	for name, c := range map[string]struct {
		gone bool
		said string // of why
		told int    // steps
	}{
		"gone":         {true, "not reached within", 1},
		"says nothing": {false, "did not answer within", 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				here, there := net.Pipe()
				defer there.Close()
				began := time.Now()
				var told []string
				_, err := Release(t.Context(), func(ctx context.Context) (tunnel.Conn, error) {
					if c.gone {
						<-ctx.Done()
						return nil, ctx.Err()
					}
					return consents{here}, nil
				}, channel.ReleaseAsk{}, func(text string) { told = append(told, text) })
				_ = here.Close()
				if err == nil || !strings.Contains(err.Error(), c.said) || time.Since(began) > patience {
					t.Errorf("%v after %v, want that it %s", err, time.Since(began), c.said)
				}
				if len(told) != c.told || !strings.Contains(told[0], "building a circuit") {
					t.Errorf("told %q", told)
				}
			})
		})
	}
}
