package channel

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash"

	"lukechampine.com/blake3"

	"github.com/culvert-net/culvert/ledger"
)

// HeaderName is the field of the request in the circuit that holds a round's
// header.
const HeaderName = "x-culvert-round"

// Header goes with a request, so that it is admitted, and a new channel paid
// ahead, without a round trip.
//
// docs/spec/channel.md §1.
type Header struct {
	Request ledger.Signed[ledger.Request]
	Salt    [32]byte                       // of the hashes of request and response; it never leaves the circuit
	Voucher *ledger.Signed[ledger.Voucher] // nil: none
}

const (
	headerVersion = 1
	requestBytes  = 204
	voucherBytes  = 144
	releaseBytes  = 120
	resultBytes   = 218
	headerBytes   = 1 + requestBytes + 32
)

// String is the field's value.
func (h Header) String() string {
	b := append(make([]byte, 0, headerBytes+voucherBytes), headerVersion)
	b = append(b, h.Request.Bytes()...)
	b = append(b, h.Salt[:]...)
	if h.Voucher != nil {
		b = append(b, h.Voucher.Bytes()...)
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// ParseHeader reads what String wrote, and nothing else. That it was read says
// nothing about who signed.
func ParseHeader(s string) (h Header, err error) {
	if len(s) > base64.RawURLEncoding.EncodedLen(headerBytes+voucherBytes) {
		return h, fmt.Errorf("a round's header of %d characters: %w: it is too long", len(s), ledger.ErrForm)
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	switch {
	case err != nil || base64.RawURLEncoding.EncodeToString(b) != s: // the decoder skips line breaks
		return h, fmt.Errorf("a round's header: %w: it is not base64url", ledger.ErrForm)
	case len(b) != headerBytes && len(b) != headerBytes+voucherBytes:
		return h, fmt.Errorf("a round's header of %d bytes: %w: it has %d, or %d with a voucher", len(b), ledger.ErrForm, headerBytes, headerBytes+voucherBytes)
	case b[0] != headerVersion:
		return h, fmt.Errorf("a round's header of version %d; this program reads %d", b[0], headerVersion)
	}
	if h.Request, err = ledger.DecodeSigned[ledger.Request](b[1 : 1+requestBytes]); err != nil {
		return Header{}, err
	}
	copy(h.Salt[:], b[1+requestBytes:])
	if len(b) > headerBytes {
		v, err := ledger.DecodeSigned[ledger.Voucher](b[headerBytes:])
		if err != nil {
			return Header{}, err
		}
		h.Voucher = &v
	}
	return h, nil
}

// What is hashed begins with a byte that keeps requests and responses apart.
const (
	hashRequest  = 1
	hashResponse = 2
)

// HashRequest is a request's hash: of its target and the bytes of its body as
// they travel in the circuit, keyed with the salt, so that who learns it from a
// chain or a transcript cannot try out prompts.
func HashRequest(salt [32]byte, target string, body []byte) (sum ledger.Hash) {
	h := blake3.New(32, salt[:])
	_, _ = h.Write(binary.BigEndian.AppendUint32([]byte{hashRequest}, uint32(len(target))))
	_, _ = h.Write([]byte(target))
	_, _ = h.Write(body)
	h.Sum(sum[:0])
	return sum
}

// NewResponseHash hashes the bytes of a response's body as they come, in
// whatever pieces; SumOf is the result.
func NewResponseHash(salt [32]byte) hash.Hash {
	h := blake3.New(32, salt[:])
	_, _ = h.Write([]byte{hashResponse})
	return h
}

// SumOf is the hash of what was written to h.
func SumOf(h hash.Hash) (sum ledger.Hash) {
	h.Sum(sum[:0])
	return sum
}
