package world

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// NormalizePhrase brings a phrase into the one form that is hashed: ASCII
// letters in lower case, digits and hyphens, white space trimmed at the ends and
// each run of it inside one hyphen. Anything else is refused rather than mapped:
// two phrases that look alike must not quietly be two worlds, nor the other way
// round.
func NormalizePhrase(phrase string) (string, error) {
	norm := strings.Join(strings.Fields(phrase), "-")
	if norm == "" {
		return "", errors.New("a phrase has at least one letter or digit")
	}
	if len(norm) > MaxPhrase {
		return "", fmt.Errorf("a phrase has at most %d characters, not %d", MaxPhrase, len(norm))
	}
	// Only ASCII is folded: strings.ToLower would turn the Kelvin sign into k.
	lower := []byte(norm)
	for i, c := range lower {
		switch {
		case 'A' <= c && c <= 'Z':
			lower[i] = c - 'A' + 'a'
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-':
		default:
			return "", errors.New("a phrase is made of the letters a to z, digits, hyphens and spaces")
		}
	}
	return string(lower), nil
}

// WorldID names the world of a normalised phrase and the hash of its rules,
// for worlds without a charter.
func WorldID(phraseNorm string, rules Hash) Hash {
	return sum([]byte("world"), []byte(phraseNorm), rules[:])
}

// WorldIDWithCharter names the world of a phrase, rules and a charter's hash.
// Its label differs from that of worlds without one, so that no charter can be
// passed off as the end of a phrase.
func WorldIDWithCharter(phraseNorm string, rules, charter Hash) Hash {
	return sum([]byte("world2"), []byte(phraseNorm), rules[:], charter[:])
}

// FAH names what a provider claims to run: the fingerprint of a manifest. It
// says nothing of how the provider behaves.
func FAH(m CapabilityManifest) Hash {
	return sum([]byte("fah"), m.Canonical())
}

// DescriptorID names an unsigned descriptor.
func DescriptorID(u DescriptorUnsigned) Hash {
	return sum([]byte("descriptor"), u.Canonical())
}

// ControlPlaneKey derives an epoch's key from a group's master. Members have
// it, providers never do.
func ControlPlaneKey(master *Secret, id Hash, epoch uint64) *Secret {
	return NewSecret(keyedSum(&master.key, []byte("cpk"), id[:], epochBytes(epoch)))
}

// TargetRef is the name under which members speak of a descriptor during one
// epoch. Whoever lacks the epoch's key can neither compute nor invert it.
func TargetRef(key *Secret, id Hash, epoch uint64, descriptor Hash) Hash {
	return keyedSum(&key.key, []byte("targetref"), id[:], epochBytes(epoch), descriptor[:])
}

// Fingerprint names a provider by the key it proved to hold.
func Fingerprint(world Hash, transportKey [32]byte) Hash {
	return sum([]byte("fp"), world[:], transportKey[:])
}

// Handle is an observer's own name for a provider. It never leaves the node:
// whoever collected handles of two observers learns nothing, and a provider
// cannot compute its own.
func Handle(observer *Secret, fingerprint Hash) Hash {
	return sum([]byte("handle"), observer.key[:], fingerprint[:])
}

// BAH names what an observer saw of a provider in one epoch: what it claims and
// the canonical bytes of the observer's aggregate. Signatures of verifiers are
// sorted and doubles dropped, so that their order is no content.
func BAH(fah Hash, epoch uint64, aggregate []byte, verifiers ...[ed25519.SignatureSize]byte) Hash {
	parts := [][]byte{[]byte("bah"), fah[:], epochBytes(epoch), aggregate}
	sigs := slices.Clone(verifiers)
	slices.SortFunc(sigs, func(a, b [ed25519.SignatureSize]byte) int { return bytes.Compare(a[:], b[:]) })
	for _, sig := range slices.Compact(sigs) {
		parts = append(parts, sig[:])
	}
	return sum(parts...)
}

// ReplicaID is the reference's name of a replica. Whoever knows the key can
// compute it, so it is for vectors; nodes use KeyedReplicaID.
func ReplicaID(transportKey [32]byte, world Hash, epoch uint64) Hash {
	return sum([]byte("replica"), transportKey[:], world[:], epochBytes(epoch))
}

// KeyedReplicaID is a replica's name in one epoch, which only its owner can
// link with that of another.
func KeyedReplicaID(member *Secret, world Hash, epoch uint64) Hash {
	return keyedSum(&member.key, []byte("replica"), world[:], epochBytes(epoch))
}

// epochBytes is an epoch as it stands inside hashes.
func epochBytes(epoch uint64) []byte {
	return binary.LittleEndian.AppendUint64(nil, epoch)
}
