package wallet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/culvert-net/culvert/internal/app"
	v3 "github.com/culvert-net/culvert/internal/app/wallet/v3"
	"github.com/culvert-net/culvert/internal/config"
	"github.com/culvert-net/culvert/internal/files"
	"github.com/culvert-net/culvert/ledger"
)

// Names inside a data directory.
const (
	Dir         = "keystore"
	walletFile  = "wallet.json"
	rootFile    = "session.json"
	sessionsDir = "sessions"
)

// What our files say that they are, besides a wallet, which says nothing: any
// other wallet may have made it.
const (
	kindRoot    = "session-root"
	kindSession = "session"
)

// ErrNone is wrapped where there is no wallet.
var ErrNone = errors.New("there is no wallet")

// keystore is the directory of keys in a data directory. What is in it has one
// passphrase.
type keystore struct{ dir string }

func keystoreOf(data string) keystore { return keystore{filepath.Join(data, Dir)} }

func (k keystore) wallet() string   { return filepath.Join(k.dir, walletFile) }
func (k keystore) root() string     { return filepath.Join(k.dir, rootFile) }
func (k keystore) sessions() string { return filepath.Join(k.dir, sessionsDir) }

// session is the file of a session key that was brought here.
func (k keystore) session(c ledger.ChannelID) string {
	return filepath.Join(k.sessions(), strings.TrimPrefix(c.String(), "0x")+".json")
}

// make makes the directory, or refuses one that others can look into.
func (k keystore) make(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return app.Usage(fmt.Errorf("keystore: %w", err))
	}
	return k.private(dir)
}

func (keystore) private(path string) error {
	if err := files.CheckPrivate(path); errors.Is(err, files.ErrNotPrivate) {
		return app.Refused(fmt.Errorf("%w. If somebody may have copied it, move the money to a new wallet", err))
	} else if err != nil {
		return err
	}
	return nil
}

// read decodes one of the directory's files. Errors wrap fs.ErrNotExist if it is
// not there.
func (k keystore) read(path string) (*v3.File, error) {
	for _, p := range []string{k.dir, path} {
		if err := k.private(p); err != nil {
			return nil, err
		}
	}
	return readFile(path)
}

// readFile decodes a keystore file from anywhere.
func readFile(path string) (*v3.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, app.Usage(err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, v3.MaxFile+1))
	if err != nil {
		return nil, app.Usage(err)
	}
	file, err := v3.Decode(text)
	if err != nil {
		return nil, fileError(path, err)
	}
	return file, nil
}

// fileError says what to do about a file that cannot be used.
func fileError(path string, err error) error {
	switch {
	case errors.Is(err, v3.ErrPassphrase):
		err = fmt.Errorf("%s: %w. Try again; if you are sure of the passphrase, restore the file from its backup", path, err)
	case errors.Is(err, v3.ErrDamaged):
		err = fmt.Errorf("%s: %w. Restore it from its backup", path, err)
	default:
		err = fmt.Errorf("%s: %w", path, err)
	}
	return app.Usage(err)
}

// open takes a key out of a file.
func open(path string, f *v3.File, passphrase config.Secret) (*ledger.Key, error) {
	secret, err := openSecret(path, f, passphrase)
	if err != nil {
		return nil, err
	}
	key, err := ledger.KeyOfBytes(secret)
	if err != nil {
		return nil, fileError(path, fmt.Errorf("%w: what it holds is no key", v3.ErrDamaged))
	}
	if f.Address != "" && !strings.EqualFold(key.Address().String(), "0x"+f.Address) {
		return nil, fileError(path, fmt.Errorf("%w: it says that it holds 0x%s, and holds %s", v3.ErrDamaged, f.Address, key.Address()))
	}
	return key, nil
}

func openSecret(path string, f *v3.File, passphrase config.Secret) ([32]byte, error) {
	secret, err := f.Open([]byte(passphrase.Reveal()))
	if err != nil {
		return secret, fileError(path, err)
	}
	return secret, nil
}

// write seals a secret into a new file.
func write(path string, secret [32]byte, passphrase config.Secret, cost v3.Cost, address string, culvert any) error {
	var note json.RawMessage
	if culvert != nil {
		text, err := json.Marshal(culvert)
		if err != nil {
			return err
		}
		note = text
	}
	text, err := v3.Seal(secret, []byte(passphrase.Reveal()), cost, address, note)
	if err != nil {
		return err
	}
	err = files.WriteNew(path, text, files.Private)
	if errors.Is(err, fs.ErrExist) {
		return app.Refused(fmt.Errorf("%s is there already, and a key is never overwritten; move it away, or name another file", path))
	}
	return err
}

// writeKey is write for a key, with its address.
func writeKey(path string, key *ledger.Key, passphrase config.Secret, cost v3.Cost, culvert any) error {
	address := strings.ToLower(strings.TrimPrefix(key.Address().String(), "0x"))
	return write(path, key.Secret(), passphrase, cost, address, culvert)
}

// all are the paths of the files that are there: wallet, root, then sessions.
func (k keystore) all() (paths []string, err error) {
	for _, path := range []string{k.wallet(), k.root()} {
		if _, err := os.Lstat(path); err == nil {
			paths = append(paths, path)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, app.Usage(err)
		}
	}
	sessions, err := k.sessionFiles()
	return append(paths, sessions...), err
}

func (k keystore) sessionFiles() (paths []string, err error) {
	entries, err := os.ReadDir(k.sessions())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, app.Usage(err)
	}
	for _, e := range entries {
		// A file that is being written has a name that begins with a dot.
		if name := e.Name(); strings.HasSuffix(name, ".json") && !strings.HasPrefix(name, ".") {
			paths = append(paths, filepath.Join(k.sessions(), name))
		}
	}
	if len(paths) > maxSessions {
		return nil, app.Usage(fmt.Errorf("%s has %d keys, and %d are opened at most; move those away that are spent", k.sessions(), len(paths), maxSessions))
	}
	return slices.Clip(paths), nil
}

// passphrase gets the one passphrase of the directory: a new one if nothing is in
// it, else one that opens what is.
func (k keystore) passphrase(ctx context.Context, from *Passphrases) (config.Secret, error) {
	paths, err := k.all()
	if err != nil {
		return config.Secret{}, err
	}
	if len(paths) == 0 {
		return from.fresh(ctx, k.dir)
	}
	file, err := k.read(paths[0])
	if err != nil {
		return config.Secret{}, err
	}
	secret, err := from.existing(ctx, k.dir)
	if err == nil {
		_, err = openSecret(paths[0], file, secret)
	}
	return secret, err
}
