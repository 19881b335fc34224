package notary

import (
	"errors"
	"fmt"

	"github.com/culvert-net/culvert/mesh/directory/bundle"
	"github.com/culvert-net/culvert/mesh/quorum"
	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// errMessage is wrapped by errors about bytes that no signer sends.
var errMessage = errors.New("not a message between directory signers")

// proposal is a root with the names of its leaves, and the signatures so far.
type proposal struct {
	bundle.SignedRoot
	leaves []world.Hash // in the order of the leaves
}

func (p *proposal) append(b []byte) []byte {
	b = p.SignedRoot.Append(b)
	b = postcard.AppendUint(b, uint64(len(p.leaves)))
	for _, h := range p.leaves {
		b = postcard.AppendArray(b, h[:])
	}
	return b
}

func readProposal(d *postcard.Decoder) proposal {
	p := proposal{SignedRoot: bundle.ReadSignedRoot(d)}
	n := d.Count(len(world.Hash{}))
	if n > bundle.MaxLeaves {
		d.Fail(bundle.ErrLeaves)
		return proposal{}
	}
	if n > 0 {
		p.leaves = make([]world.Hash, n)
	}
	for i := range p.leaves {
		d.Array(p.leaves[i][:])
	}
	return p
}

// Requests, in the order of their wire variants.
const (
	requestReview = iota // would you sign this?
	requestSign          // sign this
	requestPoll          // what is there of an epoch?
	requestKinds
)

// request is what one signer asks another.
type request struct {
	kind     uint32
	world    world.Hash
	proposal proposal           // review, sign
	previous *bundle.SignedRoot // review, sign: the root before, nil for none
	bodies   [][]byte           // review, sign: leaves the other asked for
	epoch    uint64             // poll
}

func (q *request) encode() []byte {
	b := postcard.AppendUint(nil, uint64(q.kind))
	b = postcard.AppendArray(b, q.world[:])
	if q.kind == requestPoll {
		return postcard.AppendUint(b, q.epoch)
	}
	b = q.proposal.append(b)
	b = postcard.AppendBool(b, q.previous != nil)
	if q.previous != nil {
		b = q.previous.Append(b)
	}
	return bundle.AppendLeaves(b, q.bodies)
}

func decodeRequest(b []byte) (request, error) {
	if len(b) > MaxMessage {
		return request{}, fmt.Errorf("%w: %d bytes", errMessage, len(b))
	}
	d := postcard.NewDecoder(b)
	q := request{kind: d.Variant(requestKinds)}
	d.Array(q.world[:])
	if q.kind == requestPoll {
		q.epoch = d.U64()
	} else {
		q.proposal = readProposal(d)
		if d.Bool() {
			r := bundle.ReadSignedRoot(d)
			q.previous = &r
		}
		q.bodies = bundle.ReadLeaves(d)
	}
	if err := d.Finish(); err != nil {
		return request{}, fmt.Errorf("%w: %w", errMessage, err)
	}
	return q, nil
}

// Answers, in the order of their wire variants.
const (
	answerWould   = iota // to a review: I would sign
	answerSigned         // to a request to sign: the signatures I have
	answerWant           // these leaves I do not know
	answerLacking        // these leaves I miss
	answerHave           // there is a root already
	answerTaken          // this is what I signed for the epoch
	answerRefused
	answerKinds
)

// answer is what a signer answers.
type answer struct {
	kind       uint32
	signatures []quorum.Signature // signed
	want       []uint32           // want: places
	lacking    [][]byte           // lacking: leaves
	have       bundle.SignedRoot  // have
	taken      proposal           // taken
	reason     refusal            // refused
}

func (a *answer) encode() []byte {
	b := postcard.AppendUint(nil, uint64(a.kind))
	switch a.kind {
	case answerSigned:
		b = quorum.AppendSignatures(b, a.signatures)
	case answerWant:
		b = postcard.AppendUint(b, uint64(len(a.want)))
		for _, at := range a.want {
			b = postcard.AppendUint(b, uint64(at))
		}
	case answerLacking:
		b = bundle.AppendLeaves(b, a.lacking)
	case answerHave:
		b = a.have.Append(b)
	case answerTaken:
		b = a.taken.append(b)
	case answerRefused:
		b = append(b, byte(a.reason))
	}
	return b
}

func decodeAnswer(b []byte) (answer, error) {
	if len(b) > MaxMessage {
		return answer{}, fmt.Errorf("%w: %d bytes", errMessage, len(b))
	}
	d := postcard.NewDecoder(b)
	a := answer{kind: d.Variant(answerKinds)}
	switch a.kind {
	case answerSigned:
		a.signatures = quorum.ReadSignatures(d)
	case answerWant:
		for range d.Count(1) {
			a.want = append(a.want, d.U32())
		}
	case answerLacking:
		a.lacking = bundle.ReadLeaves(d)
	case answerHave:
		a.have = bundle.ReadSignedRoot(d)
	case answerTaken:
		a.taken = readProposal(d)
	case answerRefused:
		a.reason = refusal(d.U8())
	}
	if err := d.Finish(); err != nil {
		return answer{}, fmt.Errorf("%w: %w", errMessage, err)
	}
	return a, nil
}

// refusal is why a signer does not sign: an error, and all of one that crosses
// the wire.
type refusal uint8

// All refusals. The numbers are the wire codes.
const (
	refusedRequest  refusal = 1
	refusedWorld    refusal = 2
	refusedEpoch    refusal = 3
	refusedTime     refusal = 4
	refusedPrevious refusal = 5
	refusedRoster   refusal = 6
	refusedContent  refusal = 7
	refusedTaken    refusal = 8
	refusedForked   refusal = 9
	refusedNothing  refusal = 10
	refusedBroken   refusal = 11
)

func (r refusal) Error() string {
	switch r {
	case refusedRequest:
		return "not a signer's request"
	case refusedWorld:
		return "of another world"
	case refusedEpoch:
		return "not of this epoch; is the clock right?"
	case refusedTime:
		return "made at another time than now; is the clock right?"
	case refusedPrevious:
		return "follows another root than the last one"
	case refusedRoster:
		return "names a roster that is not known here"
	case refusedContent:
		return "holds what does not belong into it, or is not what its root says"
	case refusedTaken:
		return "another root was signed for this epoch, and is lost"
	case refusedForked:
		return "signers contradicted themselves; nothing is signed any more"
	case refusedNothing:
		return "nothing is there of this epoch"
	case refusedBroken:
		return "the signer cannot write to its disk"
	}
	return fmt.Sprintf("refusal %d", uint8(r))
}
