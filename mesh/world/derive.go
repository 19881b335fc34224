package world

import (
	"encoding/binary"
	"errors"
	"fmt"
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

// epochBytes is an epoch as it stands inside hashes.
func epochBytes(epoch uint64) []byte {
	return binary.LittleEndian.AppendUint64(nil, epoch)
}
