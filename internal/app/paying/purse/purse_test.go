package purse

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/internal/app/wallet"
	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/internal/kv/bolt"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/store"
)

var domain = ledger.Domain{ChainID: 1, Contract: ledger.Address{1}}

// fakeWallet derives keys that tell their path.
type fakeWallet struct {
	seed    byte
	brought []wallet.Session
}

func (w fakeWallet) Session(p wallet.SessionPath) (*ledger.Key, error) {
	b := [32]byte{1: w.seed, 2: p.Provider[0], 3: byte(p.Counter >> 16), 4: byte(p.Counter), 31: 1}
	copy(b[8:], p.Group)
	return ledger.KeyOfBytes(b)
}

func (w fakeWallet) Brought() []wallet.Session { return w.brought }

func openStore(t *testing.T) *store.Store {
	dir := t.TempDir()
	file, err := bolt.Open(filepath.Join(dir, "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), file, store.Config{Generation: filepath.Join(dir, "generation")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(s.Close(), file.Close()); err != nil {
			t.Error(err)
		}
	})
	return s
}

func find(t *testing.T, b *Book, provider ledger.Address, account string) []ledger.Address {
	t.Helper()
	keys, err := b.Find(context.Background(), provider, account)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func open(t *testing.T, b *Book, provider ledger.Address, account string) ledger.Address {
	t.Helper()
	key, err := b.Open(t.Context(), provider, account)
	if err != nil {
		t.Fatal(err)
	}
	return key.Address()
}

// An account has a purse of its own where one was opened for it, and that alone;
// else the default one pays for it.
func TestPurses(t *testing.T) {
	s := openStore(t)
	a, other := ledger.Address{1}, ledger.Address{2}
	there := wallet.Session{Domain: domain, Provider: a, Key: ledger.NewKey()}
	elsewhere := wallet.Session{Domain: ledger.Domain{ChainID: 2}, Provider: a, Key: ledger.NewKey()}
	w := fakeWallet{brought: []wallet.Session{there, elsewhere}}
	b := NewBook(Config{Store: s, Wallet: w, Domain: domain})
	if got := find(t, b, a, "key_1"); !slices.Equal(got, []ledger.Address{there.Key.Address()}) {
		t.Errorf("before a purchase: %v, want the key that was brought", got)
	}
	all := open(t, b, a, "")
	if got := find(t, b, a, "key_1"); !slices.Equal(got, []ledger.Address{all, there.Key.Address()}) {
		t.Errorf("%v, want the default purse and the one that was brought", got)
	}
	own := open(t, b, a, "key_1")
	if own == all {
		t.Error("two purses have one key")
	}
	for account, want := range map[string][]ledger.Address{"key_1": {own}, "key_2": {all, there.Key.Address()}, "": {all, there.Key.Address()}} {
		if got := find(t, b, a, account); !slices.Equal(got, want) {
			t.Errorf("for %q: %v, want %v", account, got, want)
		}
	}
	if got := find(t, b, other, "key_1"); len(got) != 0 {
		t.Errorf("with another provider: %v", got)
	}

	// What another process knows is in the store and the wallet.
	again := NewBook(Config{Store: s, Wallet: w, Domain: domain})
	if open(t, again, a, "key_1") != own {
		t.Error("a purse has another key after a restart")
	}
	for account, address := range map[string]ledger.Address{"key_1": own, "": all} {
		fresh := NewBook(Config{Store: s, Wallet: w, Domain: domain})
		key, err := fresh.Key(address)
		if err != nil || key.Address() != address {
			t.Errorf("the key of %q: %v", account, err)
		}
		if got, err := fresh.Account(t.Context(), address); err != nil || got != account {
			t.Errorf("%s pays for %q, %v; want %q", address, got, err, account)
		}
	}
	if key, err := again.Key(there.Key.Address()); err != nil || key != there.Key {
		t.Errorf("the key that was brought: %v", err)
	}
	for _, unknown := range []ledger.Address{{7}, elsewhere.Key.Address()} {
		if _, err := again.Key(unknown); !errors.Is(err, ErrUnknownKey) {
			t.Errorf("an unknown key: %v", err)
		}
	}
	if _, err := NewBook(Config{Store: s, Wallet: fakeWallet{seed: 1}, Domain: domain}).Key(own); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("with another wallet: %v", err)
	}
	if _, err := b.Open(t.Context(), a, strings.Repeat("x", MaxAccount+1)); err == nil {
		t.Error("an account's name has no bound")
	}
}

// On a store that was restored, a purse that it does not know is begun far from what
// it may have forgotten; those that it knows stay.
func TestPursesOfACopy(t *testing.T) {
	s := openStore(t)
	a := ledger.Address{1}
	known := open(t, NewBook(Config{Store: s, Wallet: fakeWallet{}, Domain: domain}), a, "")
	b := NewBook(Config{Store: s, Wallet: fakeWallet{}, Domain: domain})
	if err := b.Restored(t.Context()); err != nil {
		t.Fatal(err)
	}
	if open(t, b, a, "") != known {
		t.Error("a known purse has another key")
	}
	first, err := fakeWallet{}.Session(wallet.SessionPath{Domain: domain, Provider: a, Group: "key_1"})
	if err != nil || open(t, b, a, "key_1") == first.Address() {
		t.Errorf("a forgotten purse may have its key again, %v", err)
	}
}

// Records that are none are damage, not purses.
func FuzzRecord(f *testing.F) {
	f.Add(path{ledger.Address{1}, "key_1", 5}.encode())
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := decode(b)
		if err != nil {
			if !errors.Is(err, kv.ErrDamaged) {
				t.Errorf("%v, want ErrDamaged", err)
			}
			return
		}
		if string(p.encode()) != string(b) {
			t.Errorf("%x is read as %+v", b, p)
		}
	})
}
