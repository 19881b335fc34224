// Package ready is the file in which a devchain says that it answers, and what
// somebody needs to use it: where it is, which contract to pay into, and accounts
// with money that is worth nothing.
//
// The chain writes one with Write; who started it reads it with Read. The package
// is apart from the chain, so that a program that starts one does not carry an
// Ethereum node. It waits for nothing and knows nothing of chains. All functions
// may be called concurrently.
//
// Implements: docs/runbooks/devchain.md "The ready file".
package ready

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"

	"github.com/culvert-net/culvert/internal/files"
	"github.com/culvert-net/culvert/ledger"
)

const (
	// maxFile bounds the file: ten accounts take two kilobytes.
	maxFile = 128 << 10

	// maxURL and maxAccounts bound what of it has no size of its own.
	maxURL      = 1 << 10
	maxAccounts = 256

	// keyDigits is how long a key is, as text.
	keyDigits = 2 + 2*32
)

// File is what a devchain says of itself once it answers.
type File struct {
	RPC      string    `json:"rpc_url"`  // of the JSON-RPC API, on loopback
	PID      int       `json:"pid"`      // of the chain's process
	ChainID  uint64    `json:"chain_id"` // of every transaction's signature
	Market   Market    `json:"market"`
	Accounts []Account `json:"accounts"` // with money, and published keys
}

// Market is the contract that is on the chain from its beginning.
type Market struct {
	Address  ledger.Address `json:"address"`
	CodeHash ledger.Hash    `json:"code_hash"` // Keccak-256 of the code that runs
	Block    uint64         `json:"block"`     // in which it was deployed: the first with its events
}

// Account is one that has money from the beginning. Its key is published: the whole
// world knows it, so it is worth nothing on any other chain.
type Account struct {
	Address ledger.Address `json:"address"`
	Key     string         `json:"published_key"` // 0x and 64 hexadecimal digits
}

// Write puts the file there whole.
func Write(path string, f *File) error {
	text, err := json.MarshalIndent(f, "", "  ")
	if err == nil {
		err = files.Write(path, append(text, '\n'), files.Private)
	}
	if err != nil {
		return fmt.Errorf("writing the ready file: %w", err)
	}
	return nil
}

// Read reads a file that Write has written.
func Read(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the ready file: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("reading the ready file: %w", err)
	}
	r, err := decode(text)
	if err != nil {
		return nil, fmt.Errorf("ready file %s: %w; is it of a devchain of this version?", path, err)
	}
	return r, nil
}

func decode(text []byte) (*File, error) {
	if len(text) > maxFile {
		return nil, fmt.Errorf("more than %d bytes", maxFile)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var f File
	if err := d.Decode(&f); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, errors.New("something follows the object")
	}
	u, err := url.Parse(f.RPC)
	switch {
	case err != nil || len(f.RPC) > maxURL || u.Scheme != "http" || u.Host == "":
		return nil, fmt.Errorf("rpc_url %.100q is no http URL", f.RPC)
	case len(f.Accounts) > maxAccounts:
		return nil, fmt.Errorf("more than %d accounts", maxAccounts)
	case f.ChainID == 0 || f.Market.Address.IsZero() || f.Market.CodeHash.IsZero():
		return nil, errors.New("chain_id, market.address or market.code_hash is missing")
	}
	for _, a := range f.Accounts {
		if len(a.Key) != keyDigits {
			return nil, fmt.Errorf("the key of account %v has not %d digits", a.Address, keyDigits)
		}
	}
	return &f, nil
}
