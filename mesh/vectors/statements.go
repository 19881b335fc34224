package vectors

import (
	"crypto/ed25519"
	"fmt"

	"github.com/culvert-net/culvert/mesh/quorum"
	"github.com/culvert-net/culvert/mesh/world"
)

// statementKinds are what directory signers sign.
func statementKinds() []kind {
	return []kind{{"statement", `id = BLAKE3("statement" || canonical bytes); Ed25519 over domain || world || id || canonical bytes`, of(statement)}}
}

type statementIn struct {
	Seed    world.Hash `json:"signer_seed_hex"`
	World   world.Hash `json:"world_hex"`
	About   string     `json:"about"`  // root or seal
	Number  number     `json:"number"` // the epoch
	Content world.Hash `json:"content_hex"`
}

// slot is where the statement stands, and the domain of its signatures.
func (in statementIn) slot() (quorum.Slot, world.Domain, error) {
	switch in.About {
	case "root":
		return quorum.RootOf(uint64(in.Number)), world.DomainRoot, nil
	case "seal":
		return quorum.SealOf(uint64(in.Number)), world.DomainSeal, nil
	}
	return quorum.Slot{}, "", fmt.Errorf("about is %q, and may be root or seal", in.About)
}

// statement signs by itself, since package quorum signs nothing that it has not
// first written down; that package then has to find the signature good.
func statement(in statementIn) (*result, error) {
	slot, domain, err := in.slot()
	if err != nil {
		return nil, err
	}
	s := quorum.Statement{World: in.World, Slot: slot, Content: in.Content}
	key := ed25519.NewKeyFromSeed(in.Seed[:])
	msg := domain.Message(s.World, s.ID(), s.Canonical())
	sig := quorum.Signature{
		Signer: [ed25519.PublicKeySize]byte(key.Public().(ed25519.PublicKey)),
		Bytes:  [ed25519.SignatureSize]byte(ed25519.Sign(key, msg)),
	}
	signed := quorum.Signed{Statement: s, Signatures: []quorum.Signature{sig}}
	if err := signed.Verify(s.World, quorum.Quorum{Signers: [][32]byte{sig.Signer}, Threshold: 1}); err != nil {
		return nil, fmt.Errorf("a statement signed here: %w", err)
	}
	return &result{
		canonical: s.Canonical(), hash: s.ID().String(),
		steps: hexed("signer_key_hex", sig.Signer[:], "domain", string(domain), "signed_message_hex", msg, "signature_hex", sig.Bytes[:]),
	}, nil
}
