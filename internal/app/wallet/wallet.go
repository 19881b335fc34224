package wallet

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/culvert-net/culvert/internal/app"
	v3 "github.com/culvert-net/culvert/internal/app/wallet/v3"
	"github.com/culvert-net/culvert/internal/config"
	"github.com/culvert-net/culvert/ledger"
)

// Config is what a wallet is made and opened with.
type Config struct {
	Data     string       // data directory
	Sessions bool         // a bridge's: it has a session root
	Cost     v3.Cost      // of files that are made; Light in a sandbox, else Standard
	From     *Passphrases // where the passphrase comes from
	New      string       // the command line that makes a wallet, for errors
}

// Wallet is an open one. It is immutable.
type Wallet struct {
	key      *ledger.Key // nil: there are sessions only
	root     *Root       // nil: of a gateway, or there are sessions only
	sessions []Session
}

// Session is a key for the vouchers of one channel that somebody else funds, or
// the same person's wallet on another machine.
type Session struct {
	Domain   ledger.Domain
	Provider ledger.Address
	Funder   ledger.Address
	Key      *ledger.Key
}

// Channel is the channel that the key signs for.
func (s *Session) Channel() ledger.ChannelID {
	return ledger.ChannelOf(s.Provider, s.Key.Address(), s.Funder)
}

// Info is what is known of a wallet without its passphrase.
type Info struct {
	Address     ledger.Address `json:"address,omitzero"`       // zero where there are sessions only
	File        string         `json:"file,omitempty"`         // "" if the key comes from the environment
	SessionFile string         `json:"session_file,omitempty"` // the root of a bridge's session keys
	Sessions    []SessionInfo  `json:"sessions,omitempty"`     // brought from elsewhere
}

// SessionInfo is what is known of a session key without its passphrase.
type SessionInfo struct {
	Channel  ledger.ChannelID `json:"channel"`
	ChainID  uint64           `json:"chain_id"`
	Contract ledger.Address   `json:"contract"`
	Provider ledger.Address   `json:"provider"`
	Funder   ledger.Address   `json:"funder"`
	Key      ledger.Address   `json:"key"`
	File     string           `json:"file"`
}

// note is what our files say of themselves. It is not under the checksum, and
// need not be: a key with a wrong note fits no channel.
type note struct {
	Kind     string          `json:"kind"`
	ChainID  uint64          `json:"chain_id,omitempty"`
	Contract *ledger.Address `json:"contract,omitempty"`
	Provider *ledger.Address `json:"provider,omitempty"`
	Funder   *ledger.Address `json:"funder,omitempty"`
}

// Create makes a wallet of chance.
func Create(ctx context.Context, c Config) (*Info, error) { return c.keep(ctx, ledger.NewKey) }

// Import makes a wallet of a key.
func Import(ctx context.Context, c Config, key *ledger.Key) (*Info, error) {
	return c.keep(ctx, func() *ledger.Key { return key })
}

// keep writes the files of a wallet. The wallet's own is the last: where it is, all
// are.
func (c Config) keep(ctx context.Context, key func() *ledger.Key) (*Info, error) {
	if err := c.vacant(); err != nil {
		return nil, err
	}
	k := keystoreOf(c.Data)
	if err := k.make(k.dir); err != nil {
		return nil, err
	}
	passphrase, err := k.passphrase(ctx, c.From)
	if err != nil {
		return nil, err
	}
	if c.Sessions {
		if err := k.ensureRoot(passphrase, c.Cost); err != nil {
			return nil, err
		}
	}
	if err := writeKey(k.wallet(), key(), passphrase, c.Cost, nil); err != nil {
		return nil, err
	}
	return Look(c)
}

// vacant refuses a place where there is a wallet.
func (c Config) vacant() error {
	if c.From.Env(KeyVariable) != "" {
		return app.Usage(fmt.Errorf("the wallet of this program is the key in %s; unset that first, to have one in a file", KeyVariable))
	}
	path := keystoreOf(c.Data).wallet()
	_, err := os.Lstat(path)
	if err == nil {
		return app.Refused(fmt.Errorf("there is a wallet already, %s, and a key is never overwritten; to begin with another, move the whole directory %s to a safe place first: it holds the money", path, filepath.Dir(path)))
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return app.Usage(err)
	}
	return nil
}

// ensureRoot makes the session root, unless an earlier try that was cut short, or a
// backup, has left one.
func (k keystore) ensureRoot(passphrase config.Secret, cost v3.Cost) error {
	switch _, err := k.openRoot(passphrase); {
	case err == nil:
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	root := newRoot()
	return write(k.root(), *root.secret, passphrase, cost, "", note{Kind: kindRoot})
}

func (k keystore) openRoot(passphrase config.Secret) (*Root, error) {
	file, err := k.read(k.root())
	if err != nil {
		return nil, err
	}
	if n := noteOf(file); n.Kind != kindRoot {
		return nil, app.Usage(fmt.Errorf("%s holds no session root; restore the file from its backup", k.root()))
	}
	secret, err := openSecret(k.root(), file, passphrase)
	if err != nil {
		return nil, err
	}
	return &Root{secret: &secret}, nil
}

// noteOf is what a file says of itself; nothing, if it is another program's.
func noteOf(f *v3.File) (n note) {
	if json.Unmarshal(f.Culvert, &n) != nil {
		return note{}
	}
	return n
}

// Look says what there is without opening it. Errors wrap ErrNone if there is no
// wallet.
func Look(c Config) (*Info, error) {
	k := keystoreOf(c.Data)
	key, err := c.fromEnvironment()
	if err != nil {
		return nil, err
	}
	info := &Info{}
	if key != nil {
		info.Address = key.Address()
	}
	if c.Sessions {
		paths, err := k.sessionFiles()
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			s, err := k.lookSession(path)
			if err != nil {
				return nil, err
			}
			info.Sessions = append(info.Sessions, s)
		}
	}
	if key != nil {
		return info, nil
	}
	file, err := k.read(k.wallet())
	if errors.Is(err, fs.ErrNotExist) && len(info.Sessions) > 0 {
		return info, nil
	}
	if err != nil {
		return nil, c.missing(err)
	}
	info.File = k.wallet()
	if info.Address, err = ledger.ParseAddress("0x" + file.Address); err != nil {
		return nil, fileError(info.File, fmt.Errorf("%w: it does not say its address", v3.ErrDamaged))
	}
	if _, err := os.Lstat(k.root()); err == nil && c.Sessions {
		info.SessionFile = k.root()
	}
	return info, nil
}

// missing says how a wallet is made, if there is none.
func (c Config) missing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return app.Usage(fmt.Errorf("%w in %s; make one with: %s", ErrNone, c.Data, c.New))
	}
	return err
}

// fromEnvironment is the key that a container is given; nil: none.
func (c Config) fromEnvironment() (*ledger.Key, error) {
	text := c.From.Env(KeyVariable)
	if text == "" {
		return nil, nil
	}
	key, err := ParseKey(text)
	if err != nil {
		return nil, app.Usage(fmt.Errorf("%s: %w", KeyVariable, err))
	}
	if _, err := os.Lstat(keystoreOf(c.Data).wallet()); err == nil {
		return nil, app.Refused(fmt.Errorf("there are two wallets: the key in %s, and the file %s. Unset the variable, or move the file to a safe place", KeyVariable, keystoreOf(c.Data).wallet()))
	}
	return key, nil
}

// ParseKey reads a private key, 64 hexadecimal digits with or without 0x. Errors
// never repeat the text.
func ParseKey(text string) (*ledger.Key, error) {
	var secret [32]byte
	digits := strings.TrimPrefix(strings.TrimSpace(text), "0x")
	if b, err := hex.DecodeString(digits); err != nil || len(b) != len(secret) {
		return nil, errors.New("a private key is 64 hexadecimal digits, with or without 0x before them")
	} else {
		copy(secret[:], b)
	}
	return ledger.KeyOfBytes(secret)
}

// Open opens the wallet of a data directory and, of a bridge, its session keys.
// Errors wrap ErrNone if there is no wallet.
func Open(ctx context.Context, c Config) (*Wallet, error) {
	k := keystoreOf(c.Data)
	w := &Wallet{}
	var err error
	if w.key, err = c.fromEnvironment(); err != nil {
		return nil, err
	}
	var sessions []string
	if c.Sessions {
		if sessions, err = k.sessionFiles(); err != nil {
			return nil, err
		}
	}
	var own *v3.File // nil: the key came from the environment, or there are sessions only
	if w.key == nil {
		if own, err = k.read(k.wallet()); err != nil && !(errors.Is(err, fs.ErrNotExist) && len(sessions) > 0) {
			return nil, c.missing(err)
		}
	} else if c.Sessions {
		root := rootOf(w.key)
		w.root = &root
	}
	if own == nil && len(sessions) == 0 {
		return w, nil // nothing has a passphrase
	}
	passphrase, err := c.From.existing(ctx, k.dir)
	if err != nil {
		return nil, err
	}
	if own != nil {
		if err := w.openFiles(c, own, passphrase); err != nil {
			return nil, err
		}
	}
	for _, path := range sessions {
		s, err := k.openSession(path, passphrase)
		if err != nil {
			return nil, err
		}
		w.sessions = append(w.sessions, *s)
	}
	return w, nil
}

// openFiles opens the wallet's own file and the session root.
func (w *Wallet) openFiles(c Config, own *v3.File, passphrase config.Secret) (err error) {
	k := keystoreOf(c.Data)
	if w.key, err = open(k.wallet(), own, passphrase); err != nil || !c.Sessions {
		return err
	}
	w.root, err = k.openRoot(passphrase)
	if errors.Is(err, fs.ErrNotExist) {
		return app.Usage(fmt.Errorf("%s is missing: the session keys, which can spend what is in channels, come from it. Restore it from the backup of %s", k.root(), k.dir))
	}
	return err
}

// Key is the wallet's: the funder of a bridge's channels, or a provider. It is nil on
// a machine that has session keys of another's wallet, and none of its own.
func (w *Wallet) Key() *ledger.Key { return w.key }

// Session is the session key of a path. The error wraps ErrNone where there is no
// root: of a gateway, or where there are others' session keys only.
func (w *Wallet) Session(p SessionPath) (*ledger.Key, error) {
	if w.root == nil {
		return nil, fmt.Errorf("%w of this machine's own to derive session keys from", ErrNone)
	}
	return w.root.Session(p)
}

// Brought are the session keys that were brought from elsewhere.
func (w *Wallet) Brought() []Session { return w.sessions }
