package channel

import "testing"

// A session key that was brought pays from its channel, after the provider has said
// what was spent where it comes from; what that machine signed is not signed again.
func TestBrought(t *testing.T) {
	w := newWorld(t)
	for range 3 {
		w.round(50)
	}
	there := w.account().spent
	w.payerStore = newMemory() // another machine
	w.startPayer()
	keep := func() {
		t.Helper()
		if err := w.payer.Keep(w.ctx, w.provider.Address(), w.session.Address(), w.funder.Address()); err != nil {
			t.Fatal(err)
		}
	}
	keep()
	if id, err := w.payer.Choose(w.ctx, w.provider.Address(), w.session.Address(), there); err != nil || id != w.id {
		t.Fatalf("Choose = %v, %v, want the channel that was brought", id, err)
	}
	if a := w.account(); !a.mustSync {
		t.Fatalf("%+v: the provider is not asked before the first round", a)
	}
	if err := w.resync(); err != nil {
		t.Fatal(err)
	}
	if a := w.account(); a.spent != there || a.mustSync {
		t.Errorf("%+v after the provider was asked, want %v spent", a, there)
	}
	w.round(50)
	keep() // as each start of the bridge does
	if a := w.account(); a.mustSync || !there.Less(a.spent) {
		t.Errorf("%+v after a round, and a start", a)
	}
	w.round(50)
}
