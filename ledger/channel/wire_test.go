package channel

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/ledger"
)

func sampleVoucher() *ledger.Signed[ledger.Voucher] {
	return ptr(ledger.Sign(ledger.Voucher{Channel: ledger.ChannelID{1}, Epoch: 7, Cumulative: ledger.MaxAmount}, ledger.Domain{ChainID: 1}, keyOf(1)))
}

func sampleHeader(paid bool) Header {
	h := Header{Salt: [32]byte{5}, Request: ledger.Sign(ledger.Request{
		Channel: ledger.ChannelID{1}, Epoch: 7, RoundID: ledger.RoundID{2}, Seq: 3, MaxCost: ledger.Wei(4), TTL: 60,
	}, ledger.Domain{ChainID: 1}, keyOf(1))}
	if paid {
		h.Voucher = sampleVoucher()
	}
	return h
}

func sampleFrames() []Frame {
	d, k := ledger.Domain{ChainID: 1}, keyOf(1)
	return []Frame{
		&Hello{ledger.ChannelID{1}, ledger.MaxEpoch, ledger.RoundID{2}},
		&VoucherFrame{*sampleVoucher()},
		&Ask{ledger.RoundID{3}, ledger.Wei(4)},
		&ResultFrame{ledger.Sign(ledger.Result{Final: true, Status: ledger.StatusPartial, Cost: ledger.Wei(5)}, d, k)},
		&Accepted{ledger.Wei(6), ledger.MaxAmount},
		&ResyncAsk{ledger.ChannelID{7}, 8, 9, ledger.Signature{9}},
		&State{Voucher: sampleVoucher(), Finished: ledger.Wei(1), Reserved: ledger.Wei(2), Next: 3, Allowance: ledger.Wei(4), Closed: true},
		&State{},
		&ReleaseAsk{ledger.ChannelID{7}, 8, ledger.Signature{9}},
		&ReleaseFrame{ledger.Sign(ledger.Release{Deadline: 5}, d, k)},
		&ErrorFrame{CodeUncovered, ledger.Wei(7), strings.Repeat("x", maxText)},
	}
}

// sampleRecords has each kind of record, as it is when it is longest.
func sampleRecords() []record {
	price := ledger.ModelPrice{Model: model, Input: ledger.Wei(1), Minimum: ledger.MaxAmount}
	log := newTrack()
	for n := range uint64(7) {
		log.log.Append(blank(n + 1))
	}
	log.base, log.next, log.floor = 8, 9, 5
	result := ledger.Sign(ledger.Result{Status: ledger.StatusDone}, ledger.Domain{}, keyOf(1))
	return []record{
		&book{track: log, best: sampleVoucher(), finished: ledger.Wei(1), running: 2, touched: 3, defaulted: true},
		&served{state: running, owner: "gateway", price: price, bound: 5},
		&served{
			state: finished, response: ledger.Hash{1}, usage: ledger.Usage{Input: 2, Cached: 3, Output: 4}, cost: ledger.Wei(5),
			status: ledger.StatusPartial, due: ledger.Wei(6),
		},
		&deadline{5},
		&funder{since: 1, paid: ledger.Wei(2), exposed: ledger.Wei(3)},
		&cohorts{[]cohort{{1, ledger.Wei(1)}, {7, ledger.MaxAmount}}},
		&held{provider: ledger.Address{1}},
		&account{track: log, closing: true, promised: ledger.Wei(5), covered: 7},
		&bought{state: RoundSent, owner: "bridge", price: price},
		&bought{state: RoundDone, owner: "bridge", price: price, result: &result, reason: TooDense},
		&bought{state: RoundAborted, owner: "bridge", price: price},
		&agreed{price, ledger.Wei(2), ledger.Wei(3)},
		&ratio{[]sample{{1, 2}, {3, maxRatio}}},
		&dispute{reason: TooMuch, model: model, paid: ledger.Wei(9)},
		&words{at: 5, provider: ledger.Address{1}, model: model, first: result, second: result},
	}
}

func emptyRecord(like record) record {
	switch like.(type) {
	case *book:
		return new(book)
	case *served:
		return new(served)
	case *deadline:
		return new(deadline)
	case *funder:
		return new(funder)
	case *cohorts:
		return new(cohorts)
	case *held:
		return new(held)
	case *account:
		return new(account)
	case *bought:
		return new(bought)
	case *words:
		return new(words)
	case *agreed:
		return new(agreed)
	case *ratio:
		return new(ratio)
	default:
		return new(dispute)
	}
}

// Every frame is read as it was written, whatever pieces it comes in; cut, it is
// no frame.
func TestFrames(t *testing.T) {
	var stream []byte
	frames := sampleFrames()
	for _, f := range frames {
		stream = AppendFrame(stream, f)
	}
	r := bytes.NewReader(stream)
	for i, f := range frames {
		got, err := ReadFrame(r)
		if err != nil {
			t.Fatalf("frame %d: %v", i, err)
		}
		if !bytes.Equal(AppendFrame(nil, got), AppendFrame(nil, f)) {
			t.Errorf("frame %d: read %+v, written %+v", i, got, f)
		}
		whole := AppendFrame(nil, f)
		for n := range whole {
			_, err := ReadFrame(bytes.NewReader(whole[:n]))
			if want := io.ErrUnexpectedEOF; n > 0 && !errors.Is(err, want) || n == 0 && err != io.EOF {
				t.Errorf("frame %d cut after %d bytes: %v", i, n, err)
			}
		}
	}
	if _, err := ReadFrame(r); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
	for _, b := range [][]byte{{0, 0, 0}, {11, 0, 0}, {1, 255, 255}, {1, 0, 0}, {1, 0, 1, 2}} {
		if f, err := ReadFrame(bytes.NewReader(append(b, make([]byte, 1<<16)...))); !errors.Is(err, ledger.ErrForm) {
			t.Errorf("% x is read as %+v, %v", b, f, err)
		}
	}
	var buf bytes.Buffer
	if err := WriteFrame(&buf, frames[0]); err != nil || !bytes.Equal(buf.Bytes(), AppendFrame(nil, frames[0])) {
		t.Errorf("WriteFrame = %v", err)
	}
}

func TestHeader(t *testing.T) {
	for _, paid := range []bool{false, true} {
		h := sampleHeader(paid)
		s := h.String()
		got, err := ParseHeader(s)
		if err != nil || got.String() != s || (got.Voucher != nil) != paid || got.Request != h.Request || got.Salt != h.Salt {
			t.Fatalf("ParseHeader = %+v, %v", got, err)
		}
		for n := range s {
			if _, err := ParseHeader(s[:n]); err == nil && !(paid && n == len(sampleHeader(false).String())) {
				t.Errorf("%d of %d characters are read", n, len(s))
			}
		}
		for _, bad := range []string{s + "A", s + "=", "\n" + s, "B" + s[1:], s[:5] + "+" + s[6:], s + s} {
			if _, err := ParseHeader(bad); err == nil {
				t.Errorf("%q is read", bad)
			}
		}
	}
}

// Request and response, target and body, and salts have hashes of their own.
func TestHashes(t *testing.T) {
	salt := [32]byte{1}
	seen := map[ledger.Hash]bool{}
	for _, h := range []ledger.Hash{
		HashRequest(salt, "/a", []byte("bc")), HashRequest(salt, "/ab", []byte("c")), HashRequest([32]byte{2}, "/a", []byte("bc")),
		HashRequest(salt, "", nil), hashOf(salt, nil), hashOf(salt, []byte("/abc")), hashOf([32]byte{2}, nil),
	} {
		if seen[h] {
			t.Errorf("%s comes twice", h)
		}
		seen[h] = true
	}
	h := NewResponseHash(salt)
	for _, p := range []string{"in ", "", "pieces"} {
		_, _ = io.WriteString(h, p)
	}
	if SumOf(h) != hashOf(salt, []byte("in pieces")) {
		t.Error("the pieces matter")
	}
}

// Every record is read as it was written, and nothing shorter or longer is.
func TestRecords(t *testing.T) {
	for _, r := range sampleRecords() {
		b := encode(r)
		got := emptyRecord(r)
		if err := decode(b, got); err != nil || !bytes.Equal(encode(got), b) {
			t.Errorf("%T: %+v, %v", r, got, err)
		}
		for n := range b {
			if err := decode(b[:n], emptyRecord(r)); err == nil {
				t.Errorf("%T: %d of %d bytes are read", r, n, len(b))
			}
		}
		if err := decode(append(b, 0), emptyRecord(r)); err == nil {
			t.Errorf("%T: a byte more is read", r)
		}
		if _, ok := r.(*deadline); ok {
			continue
		}
		if b[0]++; decode(b, emptyRecord(r)) == nil {
			t.Errorf("%T: another version is read", r)
		}
	}
}

func FuzzFrame(f *testing.F) {
	for _, frame := range sampleFrames() {
		f.Add(AppendFrame(nil, frame))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bytes.NewReader(b)
		frame, err := ReadFrame(r)
		if err != nil {
			return
		}
		if read := b[:len(b)-r.Len()]; !bytes.Equal(AppendFrame(nil, frame), read) {
			t.Fatalf("% x is written as % x", read, AppendFrame(nil, frame))
		}
	})
}

func FuzzHeader(f *testing.F) {
	f.Add(sampleHeader(false).String())
	f.Add(sampleHeader(true).String())
	f.Fuzz(func(t *testing.T, s string) {
		if h, err := ParseHeader(s); err == nil && h.String() != s {
			t.Fatalf("%q is written as %q", s, h.String())
		}
	})
}

func FuzzRecord(f *testing.F) {
	for i, r := range sampleRecords() {
		f.Add(uint8(i), encode(r))
	}
	samples := sampleRecords()
	f.Fuzz(func(t *testing.T, kind uint8, b []byte) {
		r := emptyRecord(samples[int(kind)%len(samples)])
		if decode(b, r) == nil && !bytes.Equal(encode(r), b) {
			t.Fatalf("%T: % x is written as % x", r, b, encode(r))
		}
	})
}
