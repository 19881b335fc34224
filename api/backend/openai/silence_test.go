package openai

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/api/backend/backendtest"
	wire "github.com/culvert-net/culvert/api/openai"
)

// inBubble runs f in virtual time with a Client of a server that does behave.
func inBubble(t *testing.T, behave backendtest.Behaviour, f func(t *testing.T, c *Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		pipe := backendtest.NewPipe()
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, err := io.Copy(io.Discard, r.Body); err == nil {
				behave(w, r, nil)
			}
		})}
		served := make(chan error)
		go func() { served <- server.Serve(pipe) }()
		c, err := New(Config{BaseURL: "http://server"})
		if err != nil {
			t.Fatal(err)
		}
		c.pooled.DialContext, c.fresh.DialContext = pipe.Dial, pipe.Dial
		f(t, c)
		c.Close()
		server.Close()
		<-served
	})
}

// stalled streams one event and then nothing.
func stalled(w http.ResponseWriter, r *http.Request, c *backendtest.Call) {
	backendtest.Stream(0, backendtest.Chunk(0))(w, r, c)
	backendtest.Silent(w, r, c)
}

func TestSilence(t *testing.T) {
	for _, c := range []struct {
		name   string
		behave backendtest.Behaviour
		body   string
		after  time.Duration
	}{
		{"before headers", backendtest.Silent, backendtest.Plain, DefaultFirstByte},
		{"before the first event", backendtest.SilentStream, backendtest.Streaming, DefaultFirstByte},
		{"mid-answer", backendtest.HalfAnswer, backendtest.Plain, DefaultGap},
		{"mid-stream", stalled, backendtest.Streaming, DefaultGap},
	} {
		inBubble(t, c.behave, func(t *testing.T, client *Client) {
			began := time.Now()
			err := ask(t.Context(), t, client, c.body)
			if took := time.Since(began); took != c.after {
				t.Errorf("%s: ended after %v, want %v", c.name, took, c.after)
			}
			var e *wire.Error
			if !errors.As(err, &e) || e.Status != http.StatusGatewayTimeout || e.Code != "upstream_timeout" {
				t.Errorf("%s: %v, want 504", c.name, err)
			}
		})
	}
}

// ask makes a request, reads the answer and returns what went wrong.
func ask(ctx context.Context, t *testing.T, c *Client, body string) error {
	t.Helper()
	resp, err := c.Do(ctx, backendtest.Request(t, body))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// TestLongPrefill is ten minutes without a byte, which is no hang.
func TestLongPrefill(t *testing.T) {
	behave := backendtest.After(10*time.Minute, backendtest.Stream(time.Minute, backendtest.Events(5)...))
	inBubble(t, behave, func(t *testing.T, c *Client) {
		if err := ask(t.Context(), t, c, backendtest.Streaming); err != nil {
			t.Error(err)
		}
	})
}

// TestGapIsNotTheReaders leaves an answer unread for an hour: backpressure is
// not the server's silence.
func TestGapIsNotTheReaders(t *testing.T) {
	inBubble(t, backendtest.Stream(0, backendtest.Events(300)...), func(t *testing.T, c *Client) {
		resp, err := c.Do(t.Context(), backendtest.Request(t, backendtest.Streaming))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if _, err := io.ReadFull(resp.Body, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			t.Errorf("reading on: %v", err)
		}
	})
}

func TestCallerDeadline(t *testing.T) {
	inBubble(t, backendtest.Silent, func(t *testing.T, c *Client) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := ask(ctx, t, c, backendtest.Plain); err != context.DeadlineExceeded {
			t.Errorf("%v, want the context's own error", err)
		}
	})
}

func TestModelsAreRemembered(t *testing.T) {
	asked := 0
	behave := func(w http.ResponseWriter, r *http.Request, c *backendtest.Call) {
		asked++
		backendtest.Answer(list)(w, r, c)
	}
	inBubble(t, behave, func(t *testing.T, c *Client) {
		for i, want := range []int{1, 1, 2} {
			if _, err := c.Models(t.Context()); err != nil || asked != want {
				t.Errorf("call %d: asked %d times, %v; want %d", i, asked, err, want)
			}
			time.Sleep(modelsFresh * 2 / 3)
		}
	})
}
