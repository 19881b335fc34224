package sse_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/culvert-net/culvert/api/sse"
)

// read collects all events of r until its error.
func read(r io.Reader, most int) (raws, datas []string, err error) {
	events := sse.NewReader(r, most)
	for {
		e, err := events.Next()
		if err != nil {
			return raws, datas, err
		}
		raws = append(raws, string(e.Raw))
		if !e.IsComment() {
			datas = append(datas, string(e.Data))
		}
	}
}

func TestNext(t *testing.T) {
	for _, c := range []struct {
		name, stream string
		raws, datas  []string
	}{
		{"none", "", nil, nil},
		{"LF", "data: a\n\ndata: b\n\n", []string{"data: a\n\n", "data: b\n\n"}, []string{"a", "b"}},
		{"CRLF", "data: a\r\n\r\ndata:b\r\n\r\n", []string{"data: a\r\n\r\n", "data:b\r\n\r\n"}, []string{"a", "b"}},
		{"CR", "data: a\r\rdata: b\r\r", []string{"data: a\r\r", "data: b\r\r"}, []string{"a", "b"}},
		{"mixed", "data: a\r\n\ndata: b\n\r\n", []string{"data: a\r\n\n", "data: b\n\r\n"}, []string{"a", "b"}},
		{"lines", "event: x\ndata: a\nid: 1\ndata: b\ndata\ndata:  c\n\n", []string{"event: x\ndata: a\nid: 1\ndata: b\ndata\ndata:  c\n\n"}, []string{"a\nb\n\n c"}},
		{"comment", ": ping\n\ndata: a\n\n", []string{": ping\n\n", "data: a\n\n"}, []string{"a"}},
		{"comment inside", ": ping\ndata: a\n\n", []string{": ping\ndata: a\n\n"}, []string{"a"}},
		{"no data", "event: x\n\ndatabase: y\n\n", []string{"event: x\n\n", "database: y\n\n"}, nil},
		{"empty data", "data\n\ndata:\n\n", []string{"data\n\n", "data:\n\n"}, []string{"", ""}},
		{"blank lines", "\n\ndata: a\n\n", []string{"\n", "\n", "data: a\n\n"}, []string{"a"}},
		{"not UTF-8", "data: \xff\xfe\n\n", []string{"data: \xff\xfe\n\n"}, []string{"\xff\xfe"}},
		{"done", sse.Done, []string{sse.Done}, []string{"[DONE]"}},
	} {
		raws, datas, err := read(strings.NewReader(c.stream), sse.MaxEvent)
		if err != io.EOF || !equal(raws, c.raws) || !equal(datas, c.datas) {
			t.Errorf("%s: events %q, data %q, %v; want %q, %q, EOF", c.name, raws, datas, err, c.raws, c.datas)
		}
		// However the bytes are split, none is lost and the data is the same.
		raws, datas, err = read(iotest.OneByteReader(strings.NewReader(c.stream)), sse.MaxEvent)
		if err != io.EOF || strings.Join(raws, "") != c.stream || !equal(datas, c.datas) {
			t.Errorf("%s, byte by byte: events %q, data %q, %v", c.name, raws, datas, err)
		}
	}
}

func equal(a, b []string) bool {
	return strings.Join(a, "|") == strings.Join(b, "|") && len(a) == len(b)
}

// A [DONE] at the end of the source is one without its blank line too.
func TestDoneAtTheEnd(t *testing.T) {
	for _, end := range []string{"data: [DONE]", "data: [DONE]\n", "data: [DONE]\r\n", "data: [DONE]\r", "id: 1\ndata:[DONE]"} {
		raws, datas, err := read(strings.NewReader("data: a\n\n"+end), sse.MaxEvent)
		if err != io.EOF || !equal(datas, []string{"a", "[DONE]"}) || raws[1] != end+"\n\n" {
			t.Errorf("%q: events %q, data %q, %v", end, raws, datas, err)
		}
	}
	for _, end := range []string{"data: [DONE", "data: [DONE]x", "data: x\ndata: [DONE]", ": [DONE]", "data: {\"x\":\"[DONE]"} {
		if raws, _, err := read(strings.NewReader("data: a\n\n"+end), sse.MaxEvent); err != io.ErrUnexpectedEOF || len(raws) != 1 {
			t.Errorf("%q: events %q, %v; want a cut", end, raws, err)
		}
	}
}

func TestNextSplits(t *testing.T) {
	const seed = 3
	r := rand.New(rand.NewPCG(seed, seed))
	for range 300 {
		var stream strings.Builder
		var want []string
		for range r.IntN(20) {
			end := []string{"\n", "\r\n", "\r"}[r.IntN(3)]
			data := strings.Repeat("é", r.IntN(4000))
			stream.WriteString("data: " + data + end + end)
			want = append(want, data)
		}
		_, datas, err := read(&splitter{r: r, text: stream.String()}, sse.MaxEvent)
		if err != io.EOF || !equal(datas, want) {
			t.Fatalf("seed %d: %d events, %v; want %d", seed, len(datas), err, len(want))
		}
	}
}

// splitter gives text in reads of random size.
type splitter struct {
	r    *rand.Rand
	text string
}

func (s *splitter) Read(p []byte) (int, error) {
	if s.text == "" {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), 1+s.r.IntN(3000))], s.text)
	s.text = s.text[n:]
	return n, nil
}

func TestCut(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		stream string
		source error
		want   error
	}{
		{"data: a\n\n", io.EOF, io.EOF},
		{"data: a\n\nd", io.EOF, io.ErrUnexpectedEOF},
		{"data: a\n\ndata: b", io.EOF, io.ErrUnexpectedEOF},
		{"data: a\n\ndata: b\n", io.EOF, io.ErrUnexpectedEOF},
		{"data: a\n\n:", io.EOF, io.ErrUnexpectedEOF},
		{"data: a\n\n", broken, broken},
		{"data: a\n\ndata", broken, broken},
	} {
		source := io.MultiReader(strings.NewReader(c.stream), iotest.ErrReader(c.source))
		events := sse.NewReader(source, sse.MaxEvent)
		if e, err := events.Next(); err != nil || string(e.Data) != "a" {
			t.Errorf("%q: first event %q, %v", c.stream, e.Data, err)
		}
		for range 2 { // and it stays that way
			if _, err := events.Next(); err != c.want {
				t.Errorf("%q then %v: %v, want %v", c.stream, c.source, err, c.want)
			}
		}
	}
}

// TestNextDoesNotWait reads events whose successors never come.
func TestNextDoesNotWait(t *testing.T) {
	for _, stream := range []string{"data: a\n\n", "data: a\r\n\r\n", "data: a\r\r", "data: a\n\ndata: b\n\n: c\n\n"} {
		r, w := io.Pipe()
		written := make(chan struct{})
		go func() {
			defer close(written)
			w.Write([]byte(stream))
		}()
		events := sse.NewReader(r, sse.MaxEvent)
		n := 0
		for {
			if _, err := events.Next(); err != nil {
				t.Fatal(err)
			}
			n++
			if !events.Buffered() {
				break
			}
		}
		<-written
		if want := strings.Count(stream, "data") + strings.Count(stream, ": c"); n != want {
			t.Errorf("%q: %d events before waiting, want %d", stream, n, want)
		}
	}
}

func TestTooLong(t *testing.T) {
	fits := "data: " + strings.Repeat("x", 92) + "\n\n"
	if _, datas, err := read(strings.NewReader(fits), 100); err != io.EOF || len(datas) != 1 {
		t.Errorf("event of 100 bytes: %d events, %v", len(datas), err)
	}
	for _, stream := range []string{
		"data: " + strings.Repeat("x", 93) + "\n\n",
		"data: " + strings.Repeat("x", 20_000) + "\n\n",
		strings.Repeat("data: x\n", 1000),
	} {
		if _, _, err := read(strings.NewReader(stream), 100); err != sse.ErrTooLong {
			t.Errorf("event of %d bytes: %v, want ErrTooLong", len(stream), err)
		}
	}
}

// endless repeats text.
type endless struct {
	text string
	at   int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.text[e.at:])
	e.at = (e.at + n) % len(e.text)
	return n, nil
}

// TestAllocations keeps the copying of streams from creating garbage: none
// per event (measured 2026-11).
func TestAllocations(t *testing.T) {
	events := sse.NewReader(&endless{text: chunk}, sse.MaxEvent)
	if n := testing.AllocsPerRun(1000, func() {
		if _, err := events.Next(); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("%v allocations per event", n)
	}
}

const chunk = `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m",` +
	`"choices":[{"index":0,"delta":{"content":"token"},"finish_reason":null}]}` + "\n\n"

func BenchmarkNext(b *testing.B) {
	events := sse.NewReader(&endless{text: chunk}, sse.MaxEvent)
	b.SetBytes(int64(len(chunk)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := events.Next(); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte("data: a\n\n: c\r\n\r\ndata: b\r\rdata: [DONE]\n\n"), uint8(3))
	f.Add([]byte("\r\n\r\r\n\n\n\r"), uint8(1))
	f.Add([]byte("data\ndata:\ndata: x\n\nhalf"), uint8(200))
	f.Add([]byte("data: a\n\ndata:[DONE]"), uint8(4))
	f.Fuzz(func(t *testing.T, stream []byte, step uint8) {
		const most = 1 << 10
		source := iotest.DataErrReader(&stepper{text: stream, step: 1 + int(step)})
		raws, datas, err := read(source, most)
		joined := strings.Join(raws, "")
		if n := len(datas); err == io.EOF && n > 0 && strings.TrimSpace(datas[n-1]) == "[DONE]" && joined == string(stream)+"\n\n" {
			joined = string(stream) // a last [DONE] that lacked its blank line got one
		}
		if !bytes.HasPrefix(stream, []byte(joined)) {
			t.Fatalf("events %q are not what came", raws)
		}
		switch err {
		case io.EOF:
			if joined != string(stream) {
				t.Fatalf("clean end after %d of %d bytes", len(joined), len(stream))
			}
		case io.ErrUnexpectedEOF, sse.ErrTooLong:
		default:
			t.Fatalf("unexpected error %v", err)
		}
		if _, whole, other := read(bytes.NewReader(stream), most); err != sse.ErrTooLong && other != sse.ErrTooLong &&
			(!equal(whole, datas) || other != err) {
			t.Fatalf("data depends on how the bytes were split: %q, %v and %q, %v", datas, err, whole, other)
		}
	})
}

// stepper gives text in reads of at most step bytes.
type stepper struct {
	text []byte
	step int
}

func (s *stepper) Read(p []byte) (int, error) {
	if len(s.text) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), s.step)], s.text)
	s.text = s.text[n:]
	return n, nil
}
