package mirror

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/directory/bundle"
	"github.com/culvert-net/culvert/mesh/directory/dirtest"
	"github.com/culvert-net/culvert/mesh/frame"
	"github.com/culvert-net/culvert/mesh/quorum"
	"github.com/culvert-net/culvert/mesh/world"
)

// ask lets f talk to a server of store.
func ask(t testing.TB, store *Store, desk Desk, f func(io.ReadWriter)) error {
	t.Helper()
	near, far := net.Pipe()
	served := make(chan error, 1)
	go func() {
		served <- Serve(context.Background(), far, store, desk)
		_ = far.Close()
	}()
	f(near)
	_ = near.Close()
	return <-served
}

func TestAskRoots(t *testing.T) {
	w := testWorld(t)
	s := open(t, w, "")
	all := chain(t, w, 100, 3)
	for _, b := range all {
		if err := s.Put(b); err != nil {
			t.Fatal(err)
		}
	}
	asked := func() *Roots {
		var r *Roots
		err := ask(t, s, nil, func(rw io.ReadWriter) {
			var err error
			if r, err = AskRoots(rw, w.ID); err != nil {
				t.Fatal(err)
			}
		})
		if err != nil {
			t.Errorf("Serve: %v", err)
		}
		return r
	}
	r := asked()
	if len(r.Roots) != 3 || r.Roots[0].ID() != all[2].Root.ID() || r.Roots[0].Verify(w.ID, w.Quorum) != nil || r.Proof != nil || r.Time.IsZero() {
		t.Errorf("%d roots at %v", len(r.Roots), r.Time)
	}
	lie := w.Bundle(t, 102, world.Hash{}, nil, 1, 2)
	if err := s.Put(lie); !errors.Is(err, ErrForked) {
		t.Fatal(err)
	}
	if r := asked(); r.Proof == nil {
		t.Error("the proof is not passed on")
	} else if _, err := r.Proof.Verify(w.ID, w.Quorum); err != nil {
		t.Error(err)
	}
	_ = ask(t, s, nil, func(rw io.ReadWriter) {
		if _, err := AskRoots(rw, world.Hash{9}); !errors.Is(err, directory.ReasonWorld) {
			t.Errorf("another world: %v", err)
		}
	})
}

func TestAskBundle(t *testing.T) {
	w := testWorld(t)
	s := open(t, w, "")
	// Large enough for several frames, and for a delta that is not all.
	first := w.Relays(t, 400, 100)
	second := append(slices.Clone(first[100:]), w.Node(t, 500, 101, 1, "a", "b")...)
	old, next := w.Bundle(t, 100, world.Hash{}, first, 0, 1), w.Bundle(t, 101, world.Hash{}, second, 0, 1)
	empty := w.Bundle(t, 102, world.Hash{}, nil, 0, 1)
	for _, b := range []*bundle.Bundle{old, next, empty} {
		if err := s.Put(b); err != nil {
			t.Fatal(err)
		}
	}
	unknown := w.Bundle(t, 99, world.Hash{}, first, 0, 2)
	sizes := make(map[string]int)
	for name, c := range map[string]struct{ want, have *bundle.Bundle }{
		"whole": {next, nil}, "changes": {next, old}, "from one that is not there": {next, unknown}, "the same": {next, next},
		"empty": {empty, nil}, "to empty": {empty, next}, "from empty": {next, empty}, "back": {old, next},
	} {
		err := ask(t, s, nil, func(rw io.ReadWriter) {
			counted := &counter{ReadWriter: rw}
			got, err := AskBundle(counted, w.ID, c.want.Root, c.have)
			if err != nil || !slices.EqualFunc(got.All(), c.want.All(), bytes.Equal) {
				t.Errorf("%s: %v", name, err)
			}
			sizes[name] = counted.n
		})
		if err != nil {
			t.Errorf("%s: Serve: %v", name, err)
		}
	}
	if sizes["changes"]*10 > sizes["whole"] || sizes["the same"] > 100 {
		t.Errorf("bytes: %v, want less where less changed", sizes)
	}
	_ = ask(t, s, nil, func(rw io.ReadWriter) {
		if _, err := AskBundle(rw, w.ID, unknown.Root, nil); !errors.Is(err, directory.ReasonNoRoot) {
			t.Errorf("a bundle that is not there: %v", err)
		}
	})
}

// counter counts what is read.
type counter struct {
	io.ReadWriter
	n int
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.ReadWriter.Read(p)
	c.n += n
	return n, err
}

// canned answers whatever it is told.
type canned struct {
	io.Reader
	io.Writer
}

func answers(frames ...[]byte) canned {
	var b bytes.Buffer
	for _, f := range frames {
		_ = frame.Write(&b, f) // a buffer's Write does not fail
	}
	return canned{&b, io.Discard}
}

// A mirror that lies about a bundle is found out.
func TestAskBundleRefuses(t *testing.T) {
	w := testWorld(t)
	first, second := w.Relays(t, 3, 100), w.Relays(t, 4, 101)
	old, next := w.Bundle(t, 100, world.Hash{}, first, 0, 1), w.Bundle(t, 101, world.Hash{}, second, 0, 1)
	end := (&response{kind: responseEnd}).encode()
	whole := func(leaves [][]byte) []byte { return (&response{kind: responseWhole, leaves: leaves}).encode() }
	changes := func(removed []uint32, leaves [][]byte) []byte {
		return (&response{kind: responseChanges, removed: removed, leaves: leaves}).encode()
	}
	for name, c := range map[string]struct {
		in   canned
		have *bundle.Bundle
		want error
	}{
		"one left out":        {answers(whole(next.All()[1:]), end), nil, bundle.ErrShrunken},
		"one put in":          {answers(whole(append(slices.Clone(next.All()), old.All()[0])), end), nil, bundle.ErrShrunken},
		"another":             {answers(whole(old.All()), end), nil, bundle.ErrShrunken},
		"changes left out":    {answers(changes([]uint32{0, 1, 2}, next.All()[1:]), end), old, bundle.ErrShrunken},
		"changes from beyond": {answers(changes([]uint32{9}, next.All()), end), old, bundle.ErrShrunken},
		"no leaf":             {answers(whole([][]byte{make([]byte, 5000)}), end), nil, bundle.ErrShrunken},
		"changes of nothing":  {answers(changes(nil, next.All()), end), nil, directory.ErrProtocol},
		"both ways":           {answers(whole(next.All()), changes(nil, nil), end), old, directory.ErrProtocol},
		"nothing at all":      {answers(end), nil, directory.ErrProtocol},
		"something else":      {answers((&response{kind: responseRoots}).encode()), nil, directory.ErrProtocol},
		"a bad frame":         {answers([]byte{99}), nil, directory.ErrProtocol},
		"refused":             {answers((&response{kind: responseRefused, reason: directory.ReasonNoRoot}).encode()), nil, directory.ReasonNoRoot},
		"cut":                 {answers(whole(next.All())), nil, io.ErrUnexpectedEOF},
	} {
		if _, err := AskBundle(c.in, w.ID, next.Root, c.have); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	endless := canned{&repeat{b: framed(whole([][]byte{make([]byte, 4000)}))}, io.Discard}
	if _, err := AskBundle(endless, w.ID, next.Root, nil); !errors.Is(err, directory.ErrProtocol) {
		t.Errorf("without end: %v", err)
	}
	if _, err := AskRoots(answers(end), w.ID); !errors.Is(err, directory.ErrProtocol) {
		t.Errorf("roots: %v", err)
	}
	many := response{kind: responseRoots, roots: slices.Repeat([]bundle.SignedRoot{old.Root}, maxRoots+1)}
	if _, err := AskRoots(answers(many.encode()), w.ID); !errors.Is(err, directory.ErrProtocol) {
		t.Errorf("too many roots: %v", err)
	}
}

func framed(message []byte) []byte {
	var b bytes.Buffer
	_ = frame.Write(&b, message) // a buffer's Write does not fail
	return b.Bytes()
}

// repeat says the same for ever.
type repeat struct {
	b  []byte
	at int
}

func (r *repeat) Read(p []byte) (int, error) {
	n := copy(p, r.b[r.at:])
	r.at = (r.at + n) % len(r.b)
	return n, nil
}

// desk is a fake that keeps what it is told.
type desk struct {
	stamp       []byte
	descriptors [][]byte
	sheets      [][]byte
	result      directory.Result
}

func (d *desk) Publish(_ context.Context, stamp []byte, descriptors, sheets [][]byte, _ time.Time) directory.Result {
	d.stamp, d.descriptors, d.sheets = bytes.Clone(stamp), slices.Clone(descriptors), slices.Clone(sheets)
	return d.result
}

func TestPublish(t *testing.T) {
	w := testWorld(t)
	s := open(t, w, "")
	ds := w.Node(t, 1, 100, 1, "a", "b")
	d := &desk{result: directory.Result{Added: 1, Refused: []directory.Refusal{{Index: 1, Reason: directory.ReasonStamp}}}}
	err := ask(t, s, d, func(rw io.ReadWriter) {
		got, err := Publish(rw, w.ID, []byte("stamp"), ds, nil)
		if err != nil || got.Added != 1 || len(got.Refused) != 1 || got.Refused[0] != d.result.Refused[0] {
			t.Errorf("Publish = %+v, %v", got, err)
		}
	})
	if err != nil || string(d.stamp) != "stamp" || len(d.descriptors) != 2 || !bytes.Equal(d.descriptors[0], ds[0].Canonical()) {
		t.Errorf("arrived: %q and %d descriptors, %v", d.stamp, len(d.descriptors), err)
	}
	many := slices.Repeat(ds, 40)
	for name, c := range map[string]struct {
		desk  Desk
		stamp int
		ds    []world.Descriptor
		want  directory.Reason
	}{
		"nobody takes it": {nil, 1, ds, directory.ReasonNotTaking},
		"too many":        {d, 1, many, directory.ReasonModels},
		"a long stamp":    {d, maxStamp + 1, ds, directory.ReasonStamp},
	} {
		_ = ask(t, s, c.desk, func(rw io.ReadWriter) {
			if _, err := Publish(rw, w.ID, make([]byte, c.stamp), c.ds, nil); !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", name, err, c.want)
			}
		})
	}
	short := (&response{kind: responsePublished, accepted: 1}).encode()
	if _, err := Publish(answers(short), w.ID, nil, ds, nil); !errors.Is(err, directory.ErrProtocol) {
		t.Errorf("an answer about one of two: %v", err)
	}
	beyond := (&response{kind: responsePublished, accepted: 1, refused: []directory.Refusal{{Index: 7}}}).encode()
	if _, err := Publish(answers(beyond), w.ID, nil, ds, nil); !errors.Is(err, directory.ErrProtocol) {
		t.Errorf("an answer about the eighth of two: %v", err)
	}
}

// Price sheets travel with the descriptors that name them; who names none sends
// what was always sent.
func TestPublishSheets(t *testing.T) {
	w := testWorld(t)
	s := open(t, w, "")
	sheets := [][]byte{bytes.Repeat([]byte{1}, directory.MaxSheet), []byte("next")}
	ds := w.Priced(t, 1, 100, 1, sheets, "a", "b")
	d := &desk{result: directory.Result{Added: 3, Refused: []directory.Refusal{{Index: 3, Reason: directory.ReasonSheet}}}}
	err := ask(t, s, d, func(rw io.ReadWriter) {
		got, err := Publish(rw, w.ID, []byte("stamp"), ds, sheets)
		if err != nil || got.Added != 3 || !slices.Equal(got.Refused, d.result.Refused) {
			t.Errorf("Publish = %+v, %v", got, err)
		}
	})
	if err != nil || len(d.descriptors) != 2 || !slices.EqualFunc(d.sheets, sheets, bytes.Equal) {
		t.Errorf("arrived: %d descriptors, %d sheets, %v", len(d.descriptors), len(d.sheets), err)
	}
	var plain bytes.Buffer
	if _, err := Publish(canned{&bytes.Buffer{}, &plain}, w.ID, nil, ds, nil); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("nobody answers: %v", err)
	}
	if q, err := decodeRequest(plain.Bytes()[4:]); err != nil || q.kind != requestPublish {
		t.Errorf("without sheets: a request of kind %d, %v", q.kind, err)
	}
	_ = ask(t, s, d, func(rw io.ReadWriter) {
		if _, err := Publish(rw, w.ID, nil, ds, [][]byte{[]byte("one"), []byte("two"), []byte("three")}); !errors.Is(err, directory.ReasonSheet) {
			t.Errorf("three sheets: %v", err)
		}
	})
}

// The bundle is the same bytes for everybody, sheets of the largest size included,
// and a mirror that drops one is found out.
func TestAskBundleWithSheets(t *testing.T) {
	w := testWorld(t)
	s := open(t, w, "")
	var sheets [][]byte
	for i := range 3 {
		sheets = append(sheets, bytes.Repeat([]byte{byte(i)}, directory.MaxSheet))
	}
	ds := w.Relays(t, 30, 100)
	old, next := w.Bundle(t, 100, world.Hash{}, ds, 0, 1), w.PricedBundle(t, 101, world.Hash{}, ds, sheets, 0, 1)
	for _, b := range []*bundle.Bundle{old, next} {
		if err := s.Put(b); err != nil {
			t.Fatal(err)
		}
	}
	for name, have := range map[string]*bundle.Bundle{"whole": nil, "changes": old} {
		err := ask(t, s, nil, func(rw io.ReadWriter) {
			got, err := AskBundle(rw, w.ID, next.Root, have)
			if err != nil || !bytes.Equal(got.Encode(), next.Encode()) || len(got.Sheets()) != 3 {
				t.Errorf("%s: %v", name, err)
			}
		})
		if err != nil {
			t.Errorf("%s: Serve: %v", name, err)
		}
	}
	end := (&response{kind: responseEnd}).encode()
	dropped := (&response{kind: responseChanges, leaves: [][]byte{bundle.Sheet(sheets[0]), bundle.Sheet(sheets[1])}}).encode()
	if _, err := AskBundle(answers(dropped, end), w.ID, next.Root, old); !errors.Is(err, bundle.ErrShrunken) {
		t.Errorf("a sheet dropped: %v, want ErrShrunken", err)
	}
	large := (&response{kind: responseWhole, leaves: [][]byte{bundle.Sheet(make([]byte, directory.MaxSheet+1))}}).encode()
	if _, err := AskBundle(answers(large, end), w.ID, next.Root, nil); !errors.Is(err, bundle.ErrShrunken) {
		t.Errorf("a sheet too large: %v, want ErrShrunken", err)
	}
}

func TestServeRefuses(t *testing.T) {
	w := testWorld(t)
	s := open(t, w, "")
	for name, c := range map[string]struct {
		in   []byte
		want directory.Reason
	}{
		"nonsense":      {framed([]byte{77, 1, 2}), directory.ReasonRequest},
		"too long":      {[]byte{0xff, 0xff, 0xff, 0xff}, directory.ReasonRequest},
		"another world": {framed((&request{kind: requestRoots, world: world.Hash{1}}).encode()), directory.ReasonWorld},
	} {
		var out bytes.Buffer
		err := Serve(context.Background(), canned{bytes.NewReader(c.in), &out}, s, nil)
		if !errors.Is(err, directory.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
		if _, _, err := readResponse(&out); !errors.Is(err, c.want) {
			t.Errorf("%s: told %v, want %v", name, err, c.want)
		}
	}
}

// A whole answer of roots fits into a frame.
func TestLargestRoots(t *testing.T) {
	w := dirtest.New(t, 5*time.Minute, quorum.MaxSigners, quorum.MaxSigners)
	b := w.Bundle(t, 1<<60, world.Hash{}, nil, w.All()...)
	c := quorum.NewContradiction(b.Root.Signed(), b.Root.Signed())
	p := response{kind: responseRoots, millis: 1 << 62, roots: slices.Repeat([]bundle.SignedRoot{b.Root}, maxRoots), proof: &c}
	if n := len(p.encode()); n > maxResponse/2 {
		t.Errorf("%d bytes", n)
	}
	if n := len(encodeSeen(&b.Root, &c)); n > maxSeenFile {
		t.Errorf("roots.db takes %d bytes", n)
	}
}

func FuzzRequest(f *testing.F) {
	w := testWorld(f)
	for _, q := range []request{
		{kind: requestRoots, world: w.ID},
		{kind: requestBundle, root: world.Hash{1}, have: world.Hash{2}},
		{kind: requestPublish, stamp: []byte("stamp"), descriptors: [][]byte{[]byte("descriptor")}},
		{kind: requestPriced, stamp: []byte("stamp"), descriptors: [][]byte{[]byte("descriptor")}, sheets: [][]byte{[]byte("sheet")}},
	} {
		f.Add(q.encode())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		q, err := decodeRequest(b)
		if err == nil && !bytes.Equal(q.encode(), b) {
			t.Errorf("%x decodes and encodes to something else", b)
		}
	})
}

func FuzzResponse(f *testing.F) {
	w := testWorld(f)
	a, b := w.Bundle(f, 1, world.Hash{}, nil, 0, 1), w.Bundle(f, 1, world.Hash{1}, nil, 0, 1)
	c := quorum.NewContradiction(a.Root.Signed(), b.Root.Signed())
	for _, p := range []response{
		{kind: responseRoots, millis: 7, roots: []bundle.SignedRoot{a.Root}, proof: &c},
		{kind: responseEnd},
		{kind: responseChanges, removed: []uint32{1, 300}, leaves: [][]byte{[]byte("leaf")}},
		{kind: responseWhole, leaves: [][]byte{[]byte("leaf")}},
		{kind: responsePublished, accepted: 2, refused: []directory.Refusal{{Index: 1, Reason: 3}}},
		{kind: responseRefused, reason: 1},
	} {
		f.Add(p.encode())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := decodeResponse(b)
		if err == nil && !bytes.Equal(p.encode(), b) {
			t.Errorf("%x decodes and encodes to something else", b)
		}
	})
}

func FuzzSeen(f *testing.F) {
	w := testWorld(f)
	a, b := w.Bundle(f, 1, world.Hash{}, nil, 0, 1), w.Bundle(f, 1, world.Hash{1}, nil, 0, 1)
	c := quorum.NewContradiction(a.Root.Signed(), b.Root.Signed())
	f.Add(encodeSeen(&a.Root, &c))
	f.Add(encodeSeen(nil, nil))
	f.Fuzz(func(t *testing.T, in []byte) {
		highest, proof, err := decodeSeen(in)
		if err == nil && !bytes.Equal(encodeSeen(highest, proof), in) {
			t.Errorf("%x decodes and encodes to something else", in)
		}
	})
}
