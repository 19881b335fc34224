package event

import "fmt"

// Type is a kind of event, as the envelope numbers them.
type Type uint32

// The types.
const (
	TypeReceipt Type = iota + 1
	TypeAttestation
	TypeDispute
	TypeLinkHint
	TypeEndorsement
	TypeShard
	TypeVerdict
	TypeManifest
	TypeDescriptor
	typeEnd
)

// Types are all of them.
func Types() []Type {
	return []Type{
		TypeReceipt, TypeAttestation, TypeDispute, TypeLinkHint, TypeEndorsement,
		TypeShard, TypeVerdict, TypeManifest, TypeDescriptor,
	}
}

func (t Type) String() string {
	switch t {
	case TypeReceipt:
		return "receipt"
	case TypeAttestation:
		return "attestation"
	case TypeDispute:
		return "dispute"
	case TypeLinkHint:
		return "link-hint"
	case TypeEndorsement:
		return "endorsement"
	case TypeShard:
		return "shard"
	case TypeVerdict:
		return "verdict"
	case TypeManifest:
		return "manifest"
	case TypeDescriptor:
		return "descriptor"
	}
	return fmt.Sprintf("type %d", uint32(t))
}

// ParseType reads what String writes.
func ParseType(s string) (Type, error) {
	for _, t := range Types() {
		if t.String() == s {
			return t, nil
		}
	}
	return 0, fmt.Errorf("%q is not a type of event", s)
}

// order are the types in the order of the body enum, which differs from that
// of the envelope: the training messages came later.
func order() [typeEnd - 1]Type {
	return [...]Type{
		TypeReceipt, TypeAttestation, TypeDispute, TypeLinkHint, TypeEndorsement,
		TypeDescriptor, TypeShard, TypeVerdict, TypeManifest,
	}
}

// index is the body enum's variant.
func (t Type) index() uint64 {
	for i, o := range order() {
		if o == t {
			return uint64(i)
		}
	}
	panic("event: a body of no type")
}

// carriesPlace says whether bodies of the type name their world and epoch. The
// others are placed by the envelope, and their signatures cover the place.
func (t Type) carriesPlace() bool { return t != TypeShard && t != TypeManifest }
