package directory

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/culvert-net/culvert/mesh/world"
)

// canned is the far end of a stream: it reads what was written before, and
// keeps what is written to it.
type canned struct {
	io.Reader
	io.Writer
}

func framed(message []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(message))), message...)
}

// serveBytes runs Serve against a client that sends exactly in.
func serveBytes(set *Set, accept bool, in []byte) (out []byte, err error) {
	var w bytes.Buffer
	err = Serve(context.Background(), canned{bytes.NewReader(in), &w}, set, accept)
	return w.Bytes(), err
}

// overPipe runs Serve and a client's half of an exchange against each other.
func overPipe(t *testing.T, set *Set, accept bool, client func(io.ReadWriter)) error {
	t.Helper()
	near, far := net.Pipe()
	deadline := time.Now().Add(10 * time.Second)
	if err := errors.Join(near.SetDeadline(deadline), far.SetDeadline(deadline)); err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() {
		served <- Serve(context.Background(), far, set, accept)
		_ = far.Close()
	}()
	client(near)
	_ = near.Close()
	return <-served
}

func TestFetchAndPublish(t *testing.T) {
	w := testWorld(t)
	set := NewSet(w)
	var all []world.Descriptor
	for n := range 400 { // several batches
		all = append(all, build(t, w, n, at, 1, testNode(t, w, n, at))...)
	}
	added(t, set.Add(all, at), len(all))

	var first *Answer
	err := overPipe(t, set, false, func(rw io.ReadWriter) {
		var err error
		if first, err = Fetch(rw, w.ID, world.Hash{}); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Error(err)
	}
	if !reflect.DeepEqual(first.Descriptors, set.All()) || first.Unchanged || first.Malformed != 0 || first.Digest != set.Snapshot().Digest() {
		t.Errorf("fetched %d descriptors, want %d", len(first.Descriptors), len(all))
	}

	if err := overPipe(t, set, false, func(rw io.ReadWriter) {
		again, err := Fetch(rw, w.ID, first.Digest)
		if err != nil || !again.Unchanged || len(again.Descriptors) != 0 || again.Digest != first.Digest {
			t.Errorf("second fetch: %+v, %v, want unchanged", again, err)
		}
	}); err != nil {
		t.Error(err)
	}
	if err := overPipe(t, NewSet(w), false, func(rw io.ReadWriter) {
		none, err := Fetch(rw, w.ID, world.Hash{})
		if err != nil || none.Unchanged || len(none.Descriptors) != 0 {
			t.Errorf("fetch from an empty set: %+v, %v", none, err)
		}
	}); err != nil {
		t.Error(err)
	}

	// Publishing goes by the real clock, as Serve does.
	now := time.Now()
	mine := build(t, w, 7, now, 1, testNode(t, w, 7, now, "a", "b"))
	old := build(t, w, 7, now.Add(-5*w.EpochLen()), 1, testNode(t, w, 7, now))
	target := NewSet(w)
	if err := overPipe(t, target, true, func(rw io.ReadWriter) {
		res, err := Publish(rw, w.ID, slices.Concat(mine, old))
		if err != nil || res.Added != 2 || !slices.Equal(res.Refused, []Refusal{{2, ReasonEpoch}}) {
			t.Errorf("Publish = %+v, %v, want 2 taken and the third refused for its epoch", res, err)
		}
	}); err != nil {
		t.Error(err)
	}
	if n, ok := target.Snapshot().Node(publicOf(testKey(7))); !ok || len(n.Models) != 2 {
		t.Errorf("after publishing: %+v, %v", n, ok)
	}
	// A descriptor that does not even decode costs itself, in its place.
	q := request{kind: requestPublish, world: w.ID, descriptors: [][]byte{make([]byte, 300), mine[0].Canonical(), make([]byte, MaxDescriptor+1)}}
	out, err := serveBytes(NewSet(w), true, framed(q.encode()))
	if err != nil {
		t.Fatal(err)
	}
	p, err := decodeResponse(out[4:])
	if err != nil || p.accepted != 1 || !slices.Equal(p.refused, []Refusal{{0, ReasonMalformed}, {2, ReasonMalformed}}) {
		t.Errorf("response %+v, %v", p, err)
	}
}

func TestServeRefuses(t *testing.T) {
	w := testWorld(t)
	foreign := makeWorld(t, world.World{Phrase: "foreign", Sandbox: true}, time.Hour)
	mine := build(t, w, 7, at, 1, testNode(t, w, 7, at))
	publish := func(id world.Hash, n int) []byte {
		q := request{kind: requestPublish, world: id}
		for range n {
			q.descriptors = append(q.descriptors, mine[0].Canonical())
		}
		return framed(q.encode())
	}
	fetch := request{kind: requestFetch, world: w.ID}
	for name, c := range map[string]struct {
		in     []byte
		accept bool
		want   Reason
	}{
		"another world's fetch":       {framed((&request{kind: requestFetch, world: foreign.ID}).encode()), true, ReasonWorld},
		"another world's time":        {framed((&request{kind: requestTime, world: foreign.ID}).encode()), true, ReasonWorld},
		"another world's publication": {publish(foreign.ID, 1), true, ReasonWorld},
		"publication not taken":       {publish(w.ID, 1), false, ReasonNotTaking},
		"too many descriptors":        {publish(w.ID, maxModels+1), true, ReasonModels},
		"no such request":             {framed([]byte{requestKinds}), true, ReasonRequest},
		"garbage":                     {framed(bytes.Repeat([]byte{0xff}, 40)), true, ReasonRequest},
		"trailing byte":               {framed(append(fetch.encode(), 0)), true, ReasonRequest},
		"empty frame":                 {framed(nil), true, ReasonRequest},
		"frame of 4 GiB":              {[]byte{0xff, 0xff, 0xff, 0xff, 0}, true, ReasonRequest},
		"frame just too large":        {binary.BigEndian.AppendUint32(nil, maxRequest+1), true, ReasonRequest},
	} {
		set := NewSet(w)
		out, err := serveBytes(set, c.accept, c.in)
		if err == nil {
			t.Errorf("%s: no error for the caller", name)
		}
		if len(out) < 5 {
			t.Errorf("%s: answered %x", name, out)
			continue
		}
		p, err := decodeResponse(out[4:])
		if err != nil || p.kind != responseRefused || p.reason != c.want {
			t.Errorf("%s: answered %+v, %v, want %v", name, p, err, c.want)
		}
		if set.Snapshot().Len() != 0 {
			t.Errorf("%s: something was taken", name)
		}
	}

	// A request that is cut anywhere gets no answer and takes nothing.
	whole := publish(w.ID, 1)
	for n := range whole {
		out, err := serveBytes(NewSet(w), true, whole[:n])
		if err == nil || len(out) != 0 {
			t.Fatalf("%d of %d bytes: answered %x, %v", n, len(whole), out, err)
		}
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	set := NewSet(w)
	set.Add(mine, at)
	err := Serve(ctx, canned{bytes.NewReader(framed(fetch.encode())), io.Discard}, set, false)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Serve after the end = %v", err)
	}
}

func TestFetchRefuses(t *testing.T) {
	w := testWorld(t)
	batch := response{kind: responseBatch, descriptors: [][]byte{build(t, w, 1, at, 1, testNode(t, w, 1, at))[0].Canonical()}}
	end := func(n uint32) []byte { return framed((&response{kind: responseEnd, count: n}).encode()) }
	some := framed(batch.encode())
	answer := func(in ...[]byte) (*Answer, error) {
		return Fetch(canned{bytes.NewReader(slices.Concat(in...)), io.Discard}, w.ID, world.Hash{})
	}

	if a, err := answer(some, end(1)); err != nil || len(a.Descriptors) != 1 {
		t.Fatalf("a good answer: %+v, %v", a, err)
	}
	for name, c := range map[string]struct {
		in   [][]byte
		want error
	}{
		"nothing":                   {nil, io.ErrUnexpectedEOF},
		"no end":                    {[][]byte{some}, io.ErrUnexpectedEOF},
		"half a frame":              {[][]byte{some[:50]}, io.ErrUnexpectedEOF},
		"half a length":             {[][]byte{some[:3]}, io.ErrUnexpectedEOF},
		"too few":                   {[][]byte{some, end(2)}, ErrProtocol},
		"too many":                  {[][]byte{some, some, end(1)}, ErrProtocol},
		"unchanged from nothing":    {[][]byte{framed([]byte{responseUnchanged})}, ErrProtocol},
		"garbage":                   {[][]byte{framed([]byte("HTTP/1.1 400 Bad Request"))}, ErrProtocol},
		"frame of 4 GiB":            {[][]byte{{0xff, 0xff, 0xff, 0xff}}, ErrProtocol},
		"answer to a publication":   {[][]byte{framed((&response{kind: responsePublished, accepted: 1}).encode())}, ErrProtocol},
		"refusal":                   {[][]byte{framed((&response{kind: responseRefused, reason: ReasonWorld}).encode())}, ReasonWorld},
		"a count beyond the frame":  {[][]byte{framed([]byte{responseBatch, 0xff, 0xff, 3, 1, 2, 3})}, ErrProtocol},
		"descriptors of no content": {[][]byte{framed(append([]byte{responseBatch, 100}, make([]byte, 100)...))}, ErrProtocol},
	} {
		if a, err := answer(c.in...); !errors.Is(err, c.want) {
			t.Errorf("%s: %+v, %v, want %v", name, a, err, c.want)
		}
	}

	// An answer without end is cut off, whatever the server's patience.
	endless := &repeater{frame: some}
	if _, err := Fetch(canned{endless, io.Discard}, w.ID, world.Hash{}); !errors.Is(err, ErrProtocol) {
		t.Errorf("an endless answer: %v", err)
	}
	if endless.sent > 2*maxFetch {
		t.Errorf("read %d bytes of an endless answer", endless.sent)
	}

	// What does not decode is left out and counted.
	mixed := response{kind: responseBatch, descriptors: append([][]byte{make([]byte, 400)}, batch.descriptors...)}
	if a, err := answer(framed(mixed.encode()), end(2)); err != nil || len(a.Descriptors) != 1 || a.Malformed != 1 {
		t.Errorf("a batch with a bad one: %+v, %v", a, err)
	}
}

func TestPublishRefuses(t *testing.T) {
	w := testWorld(t)
	mine := build(t, w, 1, at, 1, testNode(t, w, 1, at))
	for name, c := range map[string]struct {
		p    response
		want error
	}{
		"refused":               {response{kind: responseRefused, reason: ReasonNotTaking}, ReasonNotTaking},
		"answer to a fetch":     {response{kind: responseEnd}, ErrProtocol},
		"about too many":        {response{kind: responsePublished, accepted: 2}, ErrProtocol},
		"about none":            {response{kind: responsePublished}, ErrProtocol},
		"about one that is not": {response{kind: responsePublished, refused: []Refusal{{5, ReasonFull}}}, ErrProtocol},
	} {
		in := framed(c.p.encode())
		if res, err := Publish(canned{bytes.NewReader(in), io.Discard}, w.ID, mine); !errors.Is(err, c.want) {
			t.Errorf("%s: %+v, %v, want %v", name, res, err, c.want)
		}
	}
}

// repeater sends one frame for ever.
type repeater struct {
	frame []byte
	at    int
	sent  int
}

func (r *repeater) Read(p []byte) (int, error) {
	n := copy(p, r.frame[r.at:])
	r.at = (r.at + n) % len(r.frame)
	r.sent += n
	return n, nil
}

// TestReasons: every reason says something of its own, and one from a newer
// program says its number.
func TestReasons(t *testing.T) {
	seen := map[string]Reason{}
	for r := ReasonWorld; r <= ReasonNoRoot+1; r++ {
		text := r.Error()
		if other, dup := seen[text]; dup || text == "" {
			t.Errorf("reasons %d and %d both say %q", other, r, text)
		}
		if strings.HasPrefix(text, "reason ") != (r > ReasonNoRoot) {
			t.Errorf("reason %d says %q", r, text)
		}
		seen[text] = r
		if ReasonOf(fmt.Errorf("about something: %w", r)) != r {
			t.Errorf("reason %d is lost under a wrapper", r)
		}
	}
	if ReasonOf(io.EOF) != ReasonMalformed {
		t.Error("an error without a reason has one")
	}
}

func FuzzRequest(f *testing.F) {
	f.Add((&request{kind: requestFetch, have: world.Hash{1}}).encode())
	f.Add((&request{kind: requestPublish, descriptors: [][]byte{make([]byte, minDescriptor)}}).encode())
	f.Add((&request{kind: requestTime, world: world.Hash{1}}).encode())
	f.Fuzz(func(t *testing.T, in []byte) {
		if q, err := decodeRequest(in); err == nil && !bytes.Equal(q.encode(), in) {
			t.Errorf("%x decodes and encodes to %x", in, q.encode())
		}
	})
}

func FuzzResponse(f *testing.F) {
	for _, p := range []response{
		{kind: responseUnchanged},
		{kind: responseBatch, descriptors: [][]byte{make([]byte, minDescriptor)}},
		{kind: responseEnd, count: 300},
		{kind: responsePublished, accepted: 1, refused: []Refusal{{200, ReasonFull}}},
		{kind: responseRefused, reason: ReasonWorld},
		{kind: responseTime, millis: 1_800_000_000_000},
	} {
		f.Add(p.encode())
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		if p, err := decodeResponse(in); err == nil && !bytes.Equal(p.encode(), in) {
			t.Errorf("%x decodes and encodes to %x", in, p.encode())
		}
	})
}

// FuzzServe feeds whole streams to a server: it answers with one decodable
// frame or not at all.
func FuzzServe(f *testing.F) {
	w := testWorld(f)
	now := time.Now()
	q := request{kind: requestPublish, world: w.ID, descriptors: [][]byte{build(f, w, 1, now, 1, testNode(f, w, 1, now))[0].Canonical()}}
	f.Add(framed(q.encode()))
	f.Add(framed((&request{kind: requestFetch, world: w.ID}).encode()))
	f.Add(framed((&request{kind: requestTime, world: w.ID}).encode()))
	f.Fuzz(func(t *testing.T, in []byte) {
		out, _ := serveBytes(NewSet(w), true, in)
		if len(out) == 0 {
			return
		}
		message, err := readFrame(bytes.NewReader(out), maxResponse)
		if err == nil {
			_, err = decodeResponse(message)
		}
		if err != nil {
			t.Errorf("%x is answered by %x: %v", in, out, err)
		}
	})
}
