// Package v3 keeps 32 secret bytes under a passphrase in version 3 of Ethereum's
// keystore files ("Web3 Secret Storage"), which other wallets read and write.
//
// Seal makes a file; Decode reads one without its secret, and File.Open takes the
// secret out. Decode bounds what Open will compute, so that a file from a stranger
// costs no more than a second or two and a gigabyte.
//
// It is not for the disk: it knows no paths, and no wallet. All functions may be
// called concurrently, but each Open or Seal takes the memory that its Cost says.
//
// Implements: docs/spec/wallet.md §2.
package v3

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"

	"golang.org/x/crypto/scrypt"
	"golang.org/x/crypto/sha3"
)

// Cost is what scrypt computes with: 128·N·R bytes of memory, P times.
type Cost struct{ N, R, P int }

// Standard takes 256 MiB and about a second: what wallets use.
func Standard() Cost { return Cost{N: 1 << 18, R: 8, P: 1} }

// Light takes 4 MiB and about 100 ms: for money that is none, in a sandbox.
func Light() Cost { return Cost{N: 1 << 12, R: 8, P: 6} }

// What is wrong with a file or a passphrase. Errors wrap one of these.
var (
	// ErrDamaged is for bytes that are no keystore file.
	ErrDamaged = errors.New("it is damaged, or no keystore file")

	// ErrVersion is for a file of another version or with methods this package has not.
	ErrVersion = errors.New("it is a keystore file of a kind that is not known here")

	// ErrPassphrase is for a file whose checksum does not fit the passphrase. The form
	// cannot tell a wrong one from a ciphertext that was changed.
	ErrPassphrase = errors.New("the passphrase is not that of the file, or the file is damaged")
)

// File is a keystore file that was read, its secret still closed.
type File struct {
	// Address is the account's 20 bytes in hexadecimal without 0x; empty if the file does
	// not say. Nothing proves it: compare it with the key's.
	Address string

	// Culvert is what our own files say of themselves besides, as JSON; nil in others. It
	// is not under the checksum.
	Culvert json.RawMessage

	derive          func(passphrase []byte) ([]byte, error)
	iv, sealed, mac []byte
}

// file is the JSON of a file.
type file struct {
	Version json.Number     `json:"version"`
	ID      string          `json:"id,omitempty"`
	Address string          `json:"address,omitempty"`
	Crypto  *sealing        `json:"crypto"`
	Culvert json.RawMessage `json:"culvert,omitempty"`
}

type sealing struct {
	Cipher       string          `json:"cipher"`
	CipherText   hexBytes        `json:"ciphertext"`
	CipherParams cipherParams    `json:"cipherparams"`
	KDF          string          `json:"kdf"`
	KDFParams    json.RawMessage `json:"kdfparams"`
	MAC          hexBytes        `json:"mac"`
}

type cipherParams struct {
	IV hexBytes `json:"iv"`
}

type scryptParams struct {
	DKLen int      `json:"dklen"`
	N     int      `json:"n"`
	P     int      `json:"p"`
	R     int      `json:"r"`
	Salt  hexBytes `json:"salt"`
}

type pbkdf2Params struct {
	C     int      `json:"c"`
	DKLen int      `json:"dklen"`
	PRF   string   `json:"prf"`
	Salt  hexBytes `json:"salt"`
}

// hexBytes are bytes in hexadecimal.
type hexBytes []byte

func (b hexBytes) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(b)), nil }

func (b *hexBytes) UnmarshalText(text []byte) (err error) {
	*b, err = hex.DecodeString(string(text))
	return err
}

// Names of the methods.
const (
	version     = "3"
	aesCTR      = "aes-128-ctr"
	kdfScrypt   = "scrypt"
	kdfPBKDF2   = "pbkdf2"
	prfSHA256   = "hmac-sha256"
	secretBytes = 32
)

// Seal puts a secret under a passphrase. An address, 40 hexadecimal digits, and
// what our own files say besides are written in the clear; both may be empty.
func Seal(secret [32]byte, passphrase []byte, cost Cost, address string, culvert json.RawMessage) ([]byte, error) {
	var id [16]byte
	var iv [aes.BlockSize]byte
	var salt [32]byte
	for _, b := range [][]byte{id[:], iv[:], salt[:]} {
		_, _ = rand.Read(b) // never fails: the program would have ended
	}
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80 // a UUID of chance
	return seal(secret[:], passphrase, cost, file{
		ID:      fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:]),
		Address: address, Culvert: culvert,
	}, salt[:], iv[:])
}

func seal(secret, passphrase []byte, cost Cost, f file, salt, iv []byte) ([]byte, error) {
	params := scryptParams{DKLen: derivedBytes, N: cost.N, P: cost.P, R: cost.R, Salt: salt}
	if err := params.check(); err != nil {
		return nil, err
	}
	key, err := params.derive(passphrase)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(params)
	if err != nil {
		return nil, err
	}
	sealed := ctr(key, iv, secret)
	f.Version = version
	f.Crypto = &sealing{
		Cipher: aesCTR, CipherText: sealed, CipherParams: cipherParams{IV: iv},
		KDF: kdfScrypt, KDFParams: text, MAC: checksum(key, sealed),
	}
	return json.Marshal(f)
}

// Decode reads a file, but for its secret.
func Decode(text []byte) (*File, error) {
	if len(text) > MaxFile {
		return nil, fmt.Errorf("%w: it is larger than %d bytes", ErrDamaged, MaxFile)
	}
	var f file
	if err := json.Unmarshal(text, &f); err != nil {
		return nil, damaged("it is not the JSON of one")
	}
	switch {
	case f.Version == "":
		return nil, damaged("it has no version")
	case f.Version != version:
		return nil, fmt.Errorf("%w: its version is %.10q, and this program reads 3; write it as version 3 with the wallet that made it", ErrVersion, f.Version)
	case f.Crypto == nil:
		return nil, damaged("it has no field crypto")
	}
	c := f.Crypto
	out := &File{Address: f.Address, Culvert: f.Culvert, iv: c.CipherParams.IV, sealed: c.CipherText, mac: c.MAC}
	switch {
	case c.Cipher != aesCTR:
		return nil, fmt.Errorf("%w: its cipher is %.20q, and this program reads %s", ErrVersion, c.Cipher, aesCTR)
	case len(out.iv) != aes.BlockSize:
		return nil, damaged("its iv is not of 16 bytes")
	case len(out.sealed) == 0 || len(out.sealed) > secretBytes:
		return nil, damaged("it holds no key of 32 bytes")
	case len(out.mac) != secretBytes:
		return nil, damaged("its mac is not of 32 bytes")
	}
	if f.Address != "" {
		if b, err := hex.DecodeString(f.Address); err != nil || len(b) != addressBytes {
			return nil, damaged("its address is none")
		}
	}
	var err error
	out.derive, err = c.derivation()
	return out, err
}

// derivation reads how the key comes from the passphrase.
func (c *sealing) derivation() (func([]byte) ([]byte, error), error) {
	switch c.KDF {
	case kdfScrypt:
		var p scryptParams
		if json.Unmarshal(c.KDFParams, &p) != nil {
			return nil, damaged("its kdfparams are none of scrypt")
		}
		return p.derive, p.check()
	case kdfPBKDF2:
		var p pbkdf2Params
		if json.Unmarshal(c.KDFParams, &p) != nil {
			return nil, damaged("its kdfparams are none of pbkdf2")
		}
		return p.derive, p.check()
	}
	return nil, fmt.Errorf("%w: it derives its key by %.20q, and this program knows %s and %s", ErrVersion, c.KDF, kdfScrypt, kdfPBKDF2)
}

func damaged(what string) error { return fmt.Errorf("%w: %s", ErrDamaged, what) }

// Open takes the secret out. One of fewer than 32 bytes, as some wallets write
// it, gets its leading zeros back.
func (f *File) Open(passphrase []byte) (secret [32]byte, err error) {
	key, err := f.derive(passphrase)
	if err != nil {
		return secret, err
	}
	if subtle.ConstantTimeCompare(checksum(key, f.sealed), f.mac) != 1 {
		return secret, ErrPassphrase
	}
	copy(secret[secretBytes-len(f.sealed):], ctr(key, f.iv, f.sealed))
	return secret, nil
}

func (p *scryptParams) check() error {
	switch {
	case p.DKLen != derivedBytes:
		return damaged("its dklen is not 32")
	case p.N < 2 || p.N&(p.N-1) != 0 || p.R < 1 || p.P < 1:
		return damaged("its scrypt parameters are none")
	case p.N > maxN || p.R > maxR || p.P > maxP || 128*int64(p.N)*int64(p.R) > maxMemory || int64(p.N)*int64(p.R)*int64(p.P) > maxWork:
		return fmt.Errorf("%w: its scrypt parameters (n %d, r %d, p %d) would take too much memory or time; write it anew with the usual ones", ErrVersion, p.N, p.R, p.P)
	}
	return nil
}

// derive gives the memory back when it is done, if that is much: it is many times
// what the rest of a program has, and the next file would take as much again.
func (p *scryptParams) derive(passphrase []byte) ([]byte, error) {
	if 128*p.N*p.R >= muchMemory {
		defer debug.FreeOSMemory()
	}
	return scrypt.Key(passphrase, p.Salt, p.N, p.R, p.P, derivedBytes)
}

func (p *pbkdf2Params) check() error {
	switch {
	case p.PRF != prfSHA256:
		return fmt.Errorf("%w: its prf is %.20q, and this program knows %s", ErrVersion, p.PRF, prfSHA256)
	case p.DKLen != derivedBytes:
		return damaged("its dklen is not 32")
	case p.C < 1:
		return damaged("its pbkdf2 parameters are none")
	case p.C > maxIterations:
		return fmt.Errorf("%w: its %d rounds of pbkdf2 would take too long; write it anew with the usual number", ErrVersion, p.C)
	}
	return nil
}

func (p *pbkdf2Params) derive(passphrase []byte) ([]byte, error) {
	return pbkdf2.Key(sha256.New, string(passphrase), p.Salt, p.C, derivedBytes)
}

// ctr encrypts or decrypts with the first half of the derived key. An iv is used
// once: each file has a salt, and so a key, of its own.
func ctr(key, iv, in []byte) []byte {
	block, err := aes.NewCipher(key[:16])
	if err != nil {
		panic("v3: AES takes 16 bytes: " + err.Error())
	}
	out := make([]byte, len(in))
	cipher.NewCTR(block, iv).XORKeyStream(out, in)
	return out
}

// checksum is of the second half of the derived key, and the ciphertext.
func checksum(key, sealed []byte) []byte {
	h := sha3.NewLegacyKeccak256()
	_, _ = h.Write(key[16:]) // a hash returns no error
	_, _ = h.Write(sealed)
	return h.Sum(nil)
}
