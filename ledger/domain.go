package ledger

import (
	"encoding/binary"

	"github.com/ethereum/go-ethereum/crypto"
)

// Domain is where a signature counts: one contract on one chain. What was
// signed for another is nobody's signature here.
//
// docs/spec/ledger.md §3.
type Domain struct {
	ChainID  uint64
	Contract Address
}

const (
	domainType    = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
	domainName    = "Culvert"
	domainVersion = "1"
)

// domainWords are the first of a domain's, which all have.
var domainWords = func() []byte {
	var w words
	w.digest(keccak([]byte(domainType)))
	w.digest(keccak([]byte(domainName)))
	w.digest(keccak([]byte(domainVersion)))
	return w.b
}()

// Separator is the domain's hash by EIP-712; the contract shows the same.
func (d Domain) Separator() Hash {
	var w words
	w.b = append(w.b, domainWords...)
	w.u64(&d.ChainID)
	w.address(&d.Contract)
	return keccak(w.b)
}

// digest is what is signed for a struct of a given hash.
func (d Domain) digest(structHash Hash) Hash {
	separator := d.Separator()
	return keccak([]byte("\x19\x01"), separator[:], structHash[:])
}

func keccak(parts ...[]byte) Hash { return Hash(crypto.Keccak256(parts...)) }

// words encodes fields as EIP-712 does: each in 32 bytes, numbers big-endian.
type words struct{ b []byte }

func (w *words) right(b []byte) {
	var word [32]byte
	copy(word[32-len(b):], b)
	w.b = append(w.b, word[:]...)
}

func (w *words) digest(h Hash)        { w.b = append(w.b, h[:]...) }
func (w *words) hash(h *Hash)         { w.b = append(w.b, h[:]...) }
func (w *words) channel(c *ChannelID) { w.b = append(w.b, c[:]...) }

// round is a bytes16, and those are padded on the right.
func (w *words) round(r *RoundID) {
	w.b = append(w.b, r[:]...)
	w.b = append(w.b, make([]byte, 32-len(r))...)
}

func (w *words) address(a *Address) { w.right(a[:]) }

func (w *words) amount(a *Amount) {
	b := a.Bytes()
	w.right(b[:])
}

func (w *words) u64(n *uint64) { w.right(binary.BigEndian.AppendUint64(nil, *n)) }
func (w *words) u32(n *uint32) { w.right(binary.BigEndian.AppendUint32(nil, *n)) }

func (w *words) epoch(n *uint32) {
	checkEpoch(*n)
	w.u32(n)
}

func (w *words) bool(v *bool) {
	if *v {
		w.right([]byte{1})
	} else {
		w.right(nil)
	}
}

func (w *words) status(s *Status) { w.right([]byte{byte(*s)}) }
