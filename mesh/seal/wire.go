package seal

import (
	"errors"
	"fmt"

	"github.com/culvert-net/culvert/mesh/quorum"
	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// Request is what a proposer asks another signer.
type Request struct {
	Sign  bool // else it is a draft, to be reviewed
	Epoch uint64
	IDs   []world.Hash // in the order of their bytes
}

// Canonical are the request's bytes.
func (r Request) Canonical() []byte {
	b := postcard.AppendUint(postcard.AppendBool(nil, r.Sign), r.Epoch)
	return appendIDs(b, r.IDs)
}

// DecodeRequest reads what Canonical writes and nothing else.
func DecodeRequest(b []byte) (Request, error) {
	d := postcard.NewDecoder(b)
	r := Request{Sign: d.Bool(), Epoch: d.U64()}
	r.IDs = readIDs(d, MaxIDs)
	if err := d.Finish(); err != nil {
		return Request{}, fmt.Errorf("decoding a request of a signer: %w", err)
	}
	return r, nil
}

// Kind is what a signer answers. The numbers are wire variants.
type Kind uint32

const (
	Refused Kind = 0 // it is not the time, or we are no signer
	Agreed  Kind = 1 // we would sign, or have signed, this
	Differs Kind = 2 // we lack some of it, or it lacks some of ours
	Signed  Kind = 3 // our signature
	Other   Kind = 4 // we have signed another draft: this one
	Sealed  Kind = 5 // the epoch has a seal
	kinds   Kind = 6
)

// Answer is what a signer says to a request.
type Answer struct {
	Kind      Kind
	Lacking   []world.Hash     // Differs: ids of the draft that are not here
	Missing   []world.Hash     // Differs: ids from here that belong into it
	Signature quorum.Signature // Signed, Other
	IDs       []world.Hash     // Other
	Seal      Seal             // Sealed
}

// Canonical are the answer's bytes.
func (a Answer) Canonical() []byte {
	b := postcard.AppendUint(nil, uint64(a.Kind))
	switch a.Kind {
	case Differs:
		b = appendIDs(appendIDs(b, a.Lacking), a.Missing)
	case Signed, Other:
		b = quorum.AppendSignatures(b, []quorum.Signature{a.Signature})
		if a.Kind == Other {
			b = appendIDs(b, a.IDs)
		}
	case Sealed:
		b = postcard.AppendBytes(b, a.Seal.Canonical())
	}
	return b
}

// DecodeAnswer reads what Canonical writes and nothing else.
func DecodeAnswer(b []byte) (Answer, error) {
	d := postcard.NewDecoder(b)
	a := Answer{Kind: Kind(d.Variant(uint32(kinds)))}
	switch a.Kind {
	case Differs:
		a.Lacking, a.Missing = readIDs(d, maxDiffering), readIDs(d, maxDiffering)
	case Signed, Other:
		if sigs := quorum.ReadSignatures(d); len(sigs) == 1 {
			a.Signature = sigs[0]
		} else {
			d.Fail(errors.New("an answer has one signature"))
		}
		if a.Kind == Other {
			a.IDs = readIDs(d, MaxIDs)
		}
	case Sealed:
		raw := d.Bytes()
		if d.Err() == nil {
			s, err := Decode(raw)
			if err != nil {
				d.Fail(err)
			}
			a.Seal = s
		}
	}
	if err := d.Finish(); err != nil {
		return Answer{}, fmt.Errorf("decoding an answer of a signer: %w", err)
	}
	return a, nil
}
