package event

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"slices"

	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// What a verdict may be.
const (
	VerdictAccept     = "accept"
	VerdictReject     = "reject"
	VerdictQuarantine = "quarantine"
)

// Verdict says what somebody thinks of a shard (VerdictEvent of the design).
type Verdict struct {
	Place
	Shard   world.Hash
	Verdict string   // one of the three
	Reasons []string // sorted by their canonical bytes, each once
	Signed
}

// SignVerdict makes the event. Reasons may be in any order; Key and Signature
// are filled in.
func SignVerdict(key ed25519.PrivateKey, v Verdict) (*Event, error) {
	v.Reasons = slices.Clone(v.Reasons)
	slices.SortFunc(v.Reasons, compareReasons)
	v.Reasons = slices.Compact(v.Reasons)
	return sign(key, &v)
}

// compareReasons orders strings by their canonical bytes, in which the length
// comes first.
func compareReasons(a, b string) int {
	return bytes.Compare(postcard.AppendString(nil, a), postcard.AppendString(nil, b))
}

// Type is TypeVerdict.
func (*Verdict) Type() Type { return TypeVerdict }

// Canonical are the body's canonical bytes.
func (v *Verdict) Canonical() []byte { return canonical(v) }

func (*Verdict) domain() world.Domain   { return world.DomainVerdict }
func (*Verdict) carried() *world.Hash   { return nil }
func (*Verdict) ids() error             { return nil }
func (v *Verdict) verify(c Check) error { return verify(v, c) }

func (v *Verdict) unsigned() []byte {
	b := appendHash(v.append(room(0)), v.Shard)
	b = postcard.AppendString(b, v.Verdict)
	b = postcard.AppendUint(b, uint64(len(v.Reasons)))
	for _, r := range v.Reasons {
		b = postcard.AppendString(b, r)
	}
	return v.appendKey(b)
}

func readVerdict(d *postcard.Decoder) *Verdict {
	return &Verdict{
		Place:   readPlace(d),
		Shard:   readHash(d),
		Verdict: d.Text(),
		Reasons: readReasons(d),
		Signed:  readSigned(d),
	}
}

func readReasons(d *postcard.Decoder) []string {
	n := d.Count(1) // an empty string is one byte
	var reasons []string
	for i := range n {
		r := d.Text()
		if d.Err() == nil && i > 0 && compareReasons(reasons[i-1], r) >= 0 {
			d.Fail(postcard.ErrOrder)
		}
		if d.Err() != nil {
			return nil
		}
		reasons = append(reasons, r)
	}
	return reasons
}

func (v *Verdict) bounds() error {
	switch v.Verdict {
	case VerdictAccept, VerdictReject, VerdictQuarantine:
	default:
		return fmt.Errorf("%w: verdict is none of accept, reject and quarantine", ErrBounds)
	}
	if len(v.Reasons) > MaxReasons {
		return fmt.Errorf("%w: %d reasons, and there may be %d", ErrBounds, len(v.Reasons), MaxReasons)
	}
	for _, r := range v.Reasons {
		if err := checkText("a reason", r, MaxReason); err != nil {
			return err
		}
	}
	return nil
}
