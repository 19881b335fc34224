package purse

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/culvert-net/culvert/internal/app/wallet"
	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/ledger"
)

// Store is what must survive, as ledger/store has it.
type Store interface {
	Do(ctx context.Context, f func(kv.Tx) error) error
	View(ctx context.Context, f func(kv.Tx) error) error
}

// Wallet derives session keys, and has those that were brought from elsewhere.
type Wallet interface {
	Session(wallet.SessionPath) (*ledger.Key, error)
	Brought() []wallet.Session
}

// Config is what a Book is made of. All fields are required.
type Config struct {
	Store  Store
	Wallet Wallet
	Domain ledger.Domain
}

// Book knows the purses of a wallet.
type Book struct {
	cfg Config // immutable

	mu      sync.Mutex
	keys    map[ledger.Address]*ledger.Key // that were derived or brought; guarded by mu
	derived map[path]*ledger.Key           // guarded by mu
}

// Buckets of the store.
const (
	bucketNow  = "purse-now"  // provider, account → counter u64: the key that is bought for
	bucketKeys = "purse-keys" // session key → path
	bucketMeta = "purse-meta" // restored → nothing, if the store ever was
)

const (
	recordVersion = 1

	// jump is how far counters move on a store that was restored: no key of the time
	// that is missing is used for something new.
	jump = 1 << 20

	// MaxAccount bounds the id of an API key: what a session key's path takes.
	MaxAccount = 255
)

// ErrUnknownKey says that a session key is not this wallet's.
var ErrUnknownKey = errors.New("this wallet has no such session key; the backup of its keystore and ledger.db belong together")

// NewBook reads nothing yet.
func NewBook(c Config) *Book {
	b := &Book{cfg: c, keys: make(map[ledger.Address]*ledger.Key), derived: make(map[path]*ledger.Key)}
	for _, s := range b.Brought() {
		b.keys[s.Key.Address()] = s.Key
	}
	return b
}

// Brought are the session keys that were brought from elsewhere, of this contract.
func (b *Book) Brought() []wallet.Session {
	var of []wallet.Session
	for _, s := range b.cfg.Wallet.Brought() {
		if s.Domain == b.cfg.Domain {
			of = append(of, s)
		}
	}
	return of
}

func keyRestored() []byte { return []byte("restored") }

// Restored is told once of a store that is an older copy of itself: what it does not
// know may have been used.
func (b *Book) Restored(ctx context.Context) error {
	return b.cfg.Store.Do(ctx, func(tx kv.Tx) error { return tx.Put(bucketMeta, keyRestored(), nil) })
}

// Open is the key of a purse, which is made if it is not there. It is on the disk
// when Open returns: money may be sent to it.
func (b *Book) Open(ctx context.Context, provider ledger.Address, account string) (*ledger.Key, error) {
	if len(account) > MaxAccount {
		return nil, fmt.Errorf("the id of an API key has at most %d bytes", MaxAccount)
	}
	p := path{provider: provider, account: account}
	if key, found, err := b.now(ctx, &p); err != nil || found {
		return key, err
	}
	err := b.cfg.Store.View(ctx, func(tx kv.Tx) error {
		_, err := tx.Get(bucketMeta, keyRestored())
		if p.counter = 0; err == nil {
			p.counter = jump
		}
		if errors.Is(err, kv.ErrNotFound) {
			err = nil
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("the purse for provider %s: %w", provider, err)
	}
	key, err := b.derive(p)
	if err != nil {
		return nil, err
	}
	err = b.cfg.Store.Do(ctx, func(tx kv.Tx) error {
		address := key.Address()
		if err := tx.Put(bucketKeys, address[:], p.encode()); err != nil {
			return err
		}
		return tx.Put(bucketNow, p.purse(), binary.BigEndian.AppendUint64([]byte{recordVersion}, p.counter))
	})
	if err != nil {
		return nil, fmt.Errorf("the purse for provider %s: %w", provider, err)
	}
	return key, nil
}

// Find are the session keys that may pay a provider for an account, the account's
// own alone where it has one: whoever bought for it wants it apart.
func (b *Book) Find(ctx context.Context, provider ledger.Address, account string) ([]ledger.Address, error) {
	var found []ledger.Address
	for _, a := range []string{account, ""} {
		key, there, err := b.now(ctx, &path{provider: provider, account: a})
		if err != nil {
			return nil, err
		}
		if there {
			found = append(found, key.Address())
		}
		if there && a != "" {
			return found, nil
		}
		if a == "" {
			break
		}
	}
	for _, s := range b.Brought() {
		if s.Provider == provider {
			found = append(found, s.Key.Address())
		}
	}
	return found, nil
}

// now is the key that a purse is bought for now; false: there is no such purse. It
// fills in the counter.
func (b *Book) now(ctx context.Context, p *path) (*ledger.Key, bool, error) {
	found := false
	err := b.cfg.Store.View(ctx, func(tx kv.Tx) error {
		v, err := tx.Get(bucketNow, p.purse())
		if errors.Is(err, kv.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if len(v) != 1+8 || v[0] != recordVersion {
			return fmt.Errorf("%w: bucket %s", kv.ErrDamaged, bucketNow)
		}
		p.counter, found = binary.BigEndian.Uint64(v[1:]), true
		return nil
	})
	if err != nil || !found {
		return nil, false, err
	}
	key, err := b.derive(*p)
	return key, err == nil, err
}

// Key is a session key by its address.
func (b *Book) Key(address ledger.Address) (*ledger.Key, error) {
	if key := b.kept(address); key != nil {
		return key, nil
	}
	var p path
	err := b.cfg.Store.View(context.Background(), func(tx kv.Tx) error { // reads what is in memory or a page of the file
		v, err := tx.Get(bucketKeys, address[:])
		if errors.Is(err, kv.ErrNotFound) {
			return ErrUnknownKey
		}
		if err != nil {
			return err
		}
		p, err = decode(v)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("session key %s: %w", address, err)
	}
	key, err := b.derive(p)
	if err == nil && key.Address() != address {
		err = fmt.Errorf("session key %s: %w", address, ErrUnknownKey) // of another wallet
	}
	return key, err
}

// Account is whom a session key pays for: "" for everybody, and for one that was
// brought.
func (b *Book) Account(ctx context.Context, address ledger.Address) (account string, err error) {
	err = b.cfg.Store.View(ctx, func(tx kv.Tx) error {
		v, err := tx.Get(bucketKeys, address[:])
		if errors.Is(err, kv.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		p, err := decode(v)
		account = p.account
		return err
	})
	return account, err
}

func (b *Book) kept(address ledger.Address) *ledger.Key {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.keys[address]
}

// derive is the key of a path, kept from then on.
func (b *Book) derive(p path) (*ledger.Key, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if key := b.derived[p]; key != nil {
		return key, nil
	}
	key, err := b.cfg.Wallet.Session(wallet.SessionPath{
		Domain: b.cfg.Domain, Provider: p.provider, Group: p.account, Counter: p.counter,
	})
	if err != nil {
		return nil, err
	}
	b.keys[key.Address()], b.derived[p] = key, key
	return key, nil
}

// path is where a session key of this market comes from.
type path struct {
	provider ledger.Address
	account  string
	counter  uint64
}

func (p path) purse() []byte { return append(p.provider[:], p.account...) } // copies the address

func (p path) encode() []byte {
	b := append([]byte{recordVersion}, p.provider[:]...)
	b = binary.BigEndian.AppendUint64(b, p.counter)
	return append(b, p.account...)
}

func decode(b []byte) (p path, err error) {
	const head = 1 + 20 + 8
	if len(b) < head || len(b) > head+MaxAccount || b[0] != recordVersion {
		return p, fmt.Errorf("%w: bucket %s: a record of %d bytes", kv.ErrDamaged, bucketKeys, len(b))
	}
	copy(p.provider[:], b[1:])
	p.counter = binary.BigEndian.Uint64(b[21:])
	p.account = string(b[head:])
	return p, nil
}
