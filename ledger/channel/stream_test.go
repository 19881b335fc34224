package channel

import (
	"errors"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/culvert-net/culvert/ledger"
)

// stream is a payer's end of a pay stream whose other end is the provider.
func (w *world) stream(hello Hello) (ask func(Frame) Frame, end func()) {
	w.Helper()
	near, far := net.Pipe()
	var wg sync.WaitGroup
	wg.Go(func() {
		defer func() { _ = far.Close() }()
		for {
			f, err := ReadFrame(far)
			if err == io.EOF {
				return
			}
			if err != nil {
				w.Errorf("ReadFrame = %v", err)
				return
			}
			reply := w.payee.Answer(w.ctx, w.now, hello, f)
			if reply == nil {
				reply = &Ask{} // so that the test need not wait for nothing
			}
			if err := WriteFrame(far, reply); err != nil {
				w.Errorf("WriteFrame = %v", err)
				return
			}
		}
	})
	ask = func(f Frame) Frame {
		w.Helper()
		if err := WriteFrame(near, f); err != nil {
			w.Fatal(err)
		}
		reply, err := ReadFrame(near)
		if err != nil {
			w.Fatal(err)
		}
		return reply
	}
	return ask, func() {
		_ = near.Close()
		wg.Wait()
	}
}

// What a payer may say on a pay stream, and what it is answered.
func TestPayStream(t *testing.T) {
	w := newWorld(t)
	m := w.open(50)
	hello := m.Hello()
	ask, end := w.stream(hello)
	defer end()
	if reply, ok := ask(&hello).(*Ask); !ok {
		t.Fatalf("a Hello before the result is answered by %+v", reply)
	}
	r := w.admit(m, 50)
	e := w.deliver(m, r, 50, 100)
	if reply, ok := ask(&hello).(*ResultFrame); !ok || reply.Result != e.Result {
		t.Fatalf("a Hello after the result is answered by %+v", reply)
	}
	c, err := m.Confirm(w.ctx, w.now, e)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		reply, ok := ask(&VoucherFrame{c.Voucher}).(*Accepted)
		if !ok || reply.Cumulative != w.book().promised() || reply.Allowance != w.allowed() {
			t.Fatalf("a voucher is answered by %+v", reply)
		}
		if err := m.Accepted(w.ctx, *reply); err != nil {
			t.Fatal(err)
		}
	}
	resync, err := w.payer.ResyncAsk(w.ctx, w.id)
	if err != nil {
		t.Fatal(err)
	}
	state, ok := ask(resync).(*State)
	if !ok || *state.Voucher != *w.book().best || state.Finished != costOf(50) {
		t.Fatalf("a Resync is answered by %+v", state)
	}
	if v, err := w.payer.Adopt(w.ctx, w.id, *state); v != nil || err != nil {
		t.Fatalf("Adopt = %+v, %v", v, err)
	}
	leave, err := w.payer.Leave(w.ctx, w.id)
	if err != nil {
		t.Fatal(err)
	}
	release, ok := ask(leave).(*ReleaseFrame)
	if !ok || release.Release.Message.FinalCumulative != costOf(50) {
		t.Fatalf("a Release ask is answered by %+v", release)
	}
	if err := w.payer.Released(w.ctx, release.Release); err != nil {
		t.Errorf("Released = %v", err)
	}

	other := c.Voucher.Message
	other.Channel[0]++
	forged := c.Voucher.Message
	forged.Cumulative = ledger.MaxAmount
	for _, f := range []Frame{
		&VoucherFrame{ledger.Sign(other, w.domain, w.session)}, &VoucherFrame{ledger.Sign(forged, w.domain, w.provider)},
		&Accepted{}, &Ask{}, &State{}, &ResultFrame{e.Result}, &ErrorFrame{},
	} {
		if reply, ok := ask(f).(*ErrorFrame); !ok || reply.Refusal().Code != CodeInvalid {
			t.Errorf("%T is answered by %+v", f, reply)
		}
	}
	// A store that fails is no reason to tell what it said.
	w.payeeStore.fail = func(int) (bool, bool) { return true, false }
	reply, ok := ask(&VoucherFrame{c.Voucher}).(*ErrorFrame)
	if !ok || reply.Code != CodeInternal || reply.Text == errDisk.Error() {
		t.Errorf("on a broken disk a voucher is answered by %+v", reply)
	}
}

// A refusal is the same on both ends.
func TestRefusal(t *testing.T) {
	seen := map[string]bool{}
	for c := CodeInvalid; c <= CodeInternal; c++ {
		r := &Refusal{Code: c, Wanted: ledger.Wei(uint64(c)), Text: "because"}
		if got := r.Frame().Refusal(); *got != *r {
			t.Errorf("%+v comes as %+v", r, got)
		}
		if seen[c.String()] || c.String() == Code(200).String() {
			t.Errorf("code %d has no name of its own", c)
		}
		seen[c.String()] = true
	}
	if got := frameOf(errors.Join(errDisk)); got.Code != CodeInternal {
		t.Errorf("another error is %+v", got)
	}
}
