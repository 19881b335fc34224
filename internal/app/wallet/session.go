package wallet

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/culvert-net/culvert/internal/app"
	v3 "github.com/culvert-net/culvert/internal/app/wallet/v3"
	"github.com/culvert-net/culvert/internal/config"
	"github.com/culvert-net/culvert/ledger"
)

// ExportSession writes the key of one channel to a new file, under a passphrase of
// its own: whoever gets it learns nothing of the wallet.
func ExportSession(w *Wallet, p SessionPath, out string, passphrase config.Secret, cost v3.Cost) (SessionInfo, error) {
	if w.key == nil {
		return SessionInfo{}, app.Usage(fmt.Errorf("%w of this machine's own; a session key is exported where the wallet is that bought the channel", ErrNone))
	}
	key, err := w.Session(p)
	if err != nil {
		return SessionInfo{}, app.Usage(err)
	}
	s := Session{Domain: p.Domain, Provider: p.Provider, Funder: w.key.Address(), Key: key}
	if err := s.write(out, passphrase, cost); err != nil {
		return SessionInfo{}, err
	}
	return s.info(out), nil
}

// ImportSession keeps a session key that another machine has exported, under the
// passphrase of this keystore.
func ImportSession(ctx context.Context, c Config, file string, passphrase config.Secret) (SessionInfo, error) {
	read, err := readFile(file)
	if err != nil {
		return SessionInfo{}, err
	}
	s, err := sessionOf(file, read, passphrase)
	if err != nil {
		return SessionInfo{}, err
	}
	k := keystoreOf(c.Data)
	path := k.session(s.Channel())
	if _, err := os.Lstat(path); err == nil {
		return SessionInfo{}, app.Refused(fmt.Errorf("the key of this channel is here already, in %s, and is never overwritten", path))
	} else if !errors.Is(err, fs.ErrNotExist) {
		return SessionInfo{}, app.Usage(err)
	}
	for _, dir := range []string{k.dir, k.sessions()} {
		if err := k.make(dir); err != nil {
			return SessionInfo{}, err
		}
	}
	own, err := k.passphrase(ctx, c.From)
	if err != nil {
		return SessionInfo{}, err
	}
	if err := s.write(path, own, c.Cost); err != nil {
		return SessionInfo{}, err
	}
	return s.info(path), nil
}

func (s *Session) write(path string, passphrase config.Secret, cost v3.Cost) error {
	return writeKey(path, s.Key, passphrase, cost, note{
		Kind: kindSession, ChainID: s.Domain.ChainID, Contract: &s.Domain.Contract, Provider: &s.Provider, Funder: &s.Funder,
	})
}

func (s *Session) info(path string) SessionInfo {
	return SessionInfo{
		Channel: s.Channel(), ChainID: s.Domain.ChainID, Contract: s.Domain.Contract,
		Provider: s.Provider, Funder: s.Funder, Key: s.Key.Address(), File: path,
	}
}

// errNoSession is for a keystore file that is no session's.
var errNoSession = errors.New("it is no exported session key; those are made by bridge wallet session export, and a wallet's own file is read by wallet import")

// lookSession reads what a session's file says of itself.
func (k keystore) lookSession(path string) (SessionInfo, error) {
	file, err := k.read(path)
	if err != nil {
		return SessionInfo{}, err
	}
	s, err := noted(path, file)
	if err != nil {
		return SessionInfo{}, err
	}
	key, err := ledger.ParseAddress("0x" + file.Address)
	if err != nil {
		return SessionInfo{}, fileError(path, fmt.Errorf("%w: it does not say its address", v3.ErrDamaged))
	}
	return SessionInfo{
		Channel: ledger.ChannelOf(s.Provider, key, s.Funder), ChainID: s.Domain.ChainID, Contract: s.Domain.Contract,
		Provider: s.Provider, Funder: s.Funder, Key: key, File: path,
	}, nil
}

func (k keystore) openSession(path string, passphrase config.Secret) (*Session, error) {
	file, err := k.read(path)
	if err != nil {
		return nil, err
	}
	return sessionOf(path, file, passphrase)
}

func sessionOf(path string, file *v3.File, passphrase config.Secret) (*Session, error) {
	s, err := noted(path, file)
	if err != nil {
		return nil, err
	}
	s.Key, err = open(path, file, passphrase)
	return s, err
}

// noted is the session that a file says it holds, without its key.
func noted(path string, file *v3.File) (*Session, error) {
	n := noteOf(file)
	if n.Kind != kindSession || n.Contract == nil || n.Provider == nil || n.Funder == nil {
		return nil, fileError(path, errNoSession)
	}
	return &Session{Domain: ledger.Domain{ChainID: n.ChainID, Contract: *n.Contract}, Provider: *n.Provider, Funder: *n.Funder}, nil
}
