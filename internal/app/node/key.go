package node

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/files"
)

// KeyFile is where a data directory holds the node's identity, an Ed25519 key as
// PKCS #8 in PEM, the form that openssl genpkey writes.
const KeyFile = "transport.key"

// pemType is the label of PKCS #8 in PEM.
const pemType = "PRIVATE KEY"

// EnsureKey returns the node's key from its data directory, and makes one if
// there is none. The public half is the node's name in its world for ever.
func EnsureKey(dir string) (ed25519.PrivateKey, error) {
	return EnsureKeyFile(filepath.Join(dir, KeyFile))
}

// EnsureKeyFile is EnsureKey for a key that has a file of another name.
func EnsureKeyFile(path string) (ed25519.PrivateKey, error) {
	key, err := LoadKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	_, key, err = ed25519.GenerateKey(nil)
	if err != nil {
		return nil, fmt.Errorf("making the transport key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("making the transport key: %w", err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der})
	if err := files.Write(path, text, files.Private); err != nil {
		return nil, fmt.Errorf("writing the transport key: %w", err)
	}
	return key, nil
}

// LoadKey reads the key. Errors name the file and never its content.
func LoadKey(path string) (ed25519.PrivateKey, error) {
	if err := files.CheckPrivate(path); errors.Is(err, files.ErrNotPrivate) {
		return nil, app.Refused(fmt.Errorf("key file: whoever has it is this node: %w", err))
	} else if err != nil {
		return nil, fmt.Errorf("reading the transport key: %w", err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the transport key: %w", err)
	}
	defer clear(text)
	key, err := parseKey(text)
	if err != nil {
		return nil, app.Usage(fmt.Errorf("key file %s: %w; restore it from a backup, or delete it to become a new node", path, err))
	}
	return key, nil
}

// parseKey reads the content of a key file.
func parseKey(text []byte) (ed25519.PrivateKey, error) {
	block, rest := pem.Decode(text)
	switch {
	case block == nil:
		return nil, errors.New("line 1: there is no PEM block; it should begin with -----BEGIN " + pemType + "-----")
	case block.Type != pemType:
		return nil, fmt.Errorf("line 1: the PEM block is a %q, not a %q", block.Type, pemType)
	case len(bytes.TrimSpace(rest)) > 0:
		return nil, errors.New("there is something after the PEM block")
	}
	defer clear(block.Bytes)
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("the PEM block does not hold a PKCS #8 key") // x509's text may quote it
	}
	key, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return nil, errors.New("the key is not an Ed25519 key")
	}
	return key, nil
}
