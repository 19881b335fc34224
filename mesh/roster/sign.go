package roster

import (
	"crypto/ed25519"
	"slices"

	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// SignedMessage is what proposer and directory signers sign.
func (e Entry) SignedMessage() []byte {
	unsigned := e.appendUnsigned(nil)
	return world.DomainEntry.Message(e.World, hash(labelEntry, unsigned), unsigned)
}

// Sign adds a signature to the entry, once.
func (e *Entry) Sign(key ed25519.PrivateKey) {
	e.Signatures = withSignature(e.Signatures, key, e.SignedMessage())
}

// withSignature leaves list as it is and returns one that has key's signature.
func withSignature(list []Signature, key ed25519.PrivateKey, message []byte) []Signature {
	public := publicKey(key)
	if slices.ContainsFunc(list, func(s Signature) bool { return s.Key == public }) {
		return list
	}
	s := Signature{Key: public}
	copy(s.Signature[:], ed25519.Sign(key, message))
	return append(slices.Clone(list), s)
}

// publicKey is a private key's other half.
func publicKey(key ed25519.PrivateKey) Key {
	return Key(key.Public().(ed25519.PublicKey))
}

// ApprovalMessage is what an approval of a petition signs. The standing is the hash of the
// entry that last added or removed the key, zero for one that never was a
// member: it changes with the change, so the approval cannot be used again after
// it. The proposer is who may use it: approvals are public once they were, and
// everybody else could make a second entry with them, after the same parent.
func ApprovalMessage(id world.Hash, q Petition, standing world.Hash, expiry uint64) []byte {
	c := q.Change
	b := postcard.AppendUint(nil, uint64(c.Kind))
	b = c.Member.append(b)
	b = postcard.AppendArray(b, standing[:])
	b = postcard.AppendArray(b, q.Proposer[:])
	b = postcard.AppendUint(b, expiry)
	d := world.DomainAdmit
	if c.Kind == Remove {
		d = world.DomainEvict
	}
	return d.Message(id, hash(labelChange, b), b)
}

// signApproval makes an approval.
func signApproval(key ed25519.PrivateKey, id world.Hash, q Petition, standing world.Hash, expiry uint64) Approval {
	a := Approval{Key: publicKey(key), Expiry: expiry}
	copy(a.Signature[:], ed25519.Sign(key, ApprovalMessage(id, q, standing, expiry)))
	return a
}
