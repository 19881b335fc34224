package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// child is a running node, process or goroutine.
type child struct {
	spec *spec
	pid  int

	ask  func() error // to stop in good order; may be called once it is gone
	kill func()       // at once

	done chan struct{} // closed when it has ended
	err  error         // why; set before done is closed

	mu       sync.Mutex
	expected bool // guarded by mu: it was told to stop
}

// ended reports whether the node is gone.
func (c *child) ended() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// wanted reports whether the node's end was asked for.
func (c *child) wanted() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.expected
}

// stop ends the node: by asking, and after stopLimit by force. An error is an
// end that was not in good order.
func (c *child) stop() error {
	if c.ended() {
		return nil // its death was said when it happened
	}
	c.mu.Lock()
	c.expected = true
	c.mu.Unlock()
	// What cannot be asked is waited for, and then killed.
	_ = c.ask()
	select {
	case <-c.done:
		return c.err
	case <-time.After(stopLimit):
	}
	c.kill()
	<-c.done
	return fmt.Errorf("%s did not stop within %v and was killed", c.spec.name, stopLimit)
}

// launcher starts nodes.
type launcher interface {
	launch(ctx context.Context, s *spec) (*child, error)
}

// tail is the end of a log file, for a person.
func tail(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > tailBytes {
		// A failed seek shows the beginning instead of the end.
		_, _ = f.Seek(-tailBytes, io.SeekEnd)
	}
	text, err := io.ReadAll(io.LimitReader(f, tailBytes))
	if err != nil || len(bytes.TrimSpace(text)) == 0 {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) > tailLines {
		lines = lines[len(lines)-tailLines:]
	}
	return "    " + strings.Join(lines, "\n    ") + "\n"
}

// errStarting is a node that ended before it was up.
var errStarting = errors.New("ended while starting")
