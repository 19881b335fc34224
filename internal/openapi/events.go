package openapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// done is the data of the event that ends a stream.
const done = "[DONE]"

// checkStream checks each event, and how the stream ended.
func (d *Description) checkStream(schema string, a Answer) error {
	events, rest := split(a.Body, true)
	failed, finished := false, false
	for i, e := range events {
		at := func(err error) error { return fmt.Errorf("event %d of %d: %w", i+1, len(events), err) }
		switch {
		case failed:
			return at(fmt.Errorf("something after the error frame: %s", clip(e.data)))
		case finished:
			return at(fmt.Errorf("something after [DONE]: %s", clip(e.data)))
		case e.named && !a.Foreign:
			return at(errors.New("an event: line, which clients of this dialect do not look at"))
		case string(e.data) == done:
			finished = true
		case isFailure(e.data):
			failed = true
			if err := d.validate(failure, e.data); err != nil {
				return at(err)
			}
		case !a.Foreign:
			if err := d.validate(schema, e.data); err != nil {
				return at(err)
			}
		}
	}
	switch {
	case a.End == ErrLeft:
		return nil
	case (failed || finished) && len(rest) > 0:
		return fmt.Errorf("something after the last event, without a blank line: %s", clip(rest))
	case a.End == nil || a.End == io.EOF:
		if !finished {
			return errors.New("a stream that ends cleanly without [DONE]: it looks complete")
		}
	case finished:
		return fmt.Errorf("a stream that is cut after [DONE]: %w", a.End)
	case !failed:
		return fmt.Errorf("a stream that is cut without an error frame: %w", a.End)
	}
	return nil
}

// isFailure reports whether an event is an error frame. A chunk of which an
// error is a part among others is none, and no schema knows it.
func isFailure(data []byte) bool {
	var members map[string]json.RawMessage
	return json.Unmarshal(data, &members) == nil && len(members) == 1 && members["error"] != nil
}

// event is one event of a stream.
type event struct {
	data  []byte
	named bool // has a line event:
}

// split takes a stream apart into events and what follows the last of them. It
// is written anew here, for the product's own reader would not find its own
// mistakes. What is not ended by a blank line is no event: a client does not see
// it. Of a stream that is not over, a last CR may be half of a CRLF.
func split(text []byte, over bool) (all []event, rest []byte) {
	var now event
	var lines [][]byte
	rest = text
	for {
		i := bytes.IndexAny(text, "\r\n")
		if i < 0 || !over && i == len(text)-1 && text[i] == '\r' {
			return all, rest
		}
		line := text[:i]
		if text[i] == '\r' && i+1 < len(text) && text[i+1] == '\n' {
			i++
		}
		text = text[i+1:]
		field, value, _ := bytes.Cut(line, []byte(":"))
		switch string(field) {
		case "data":
			lines = append(lines, bytes.TrimPrefix(value, []byte(" ")))
		case "event":
			now.named = true
		}
		if len(line) > 0 {
			continue
		}
		if lines != nil {
			now.data = bytes.Join(lines, []byte("\n"))
			all = append(all, now)
		}
		now, lines, rest = event{}, nil, text
	}
}
