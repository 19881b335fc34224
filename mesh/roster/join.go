package roster

import (
	"crypto/ed25519"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// Transcript is what both ends of one session have in common with nobody else:
// a hash over both sides' random parts and keys, from whoever made the session.
type Transcript [32]byte

// requestVersion is the only version of requests that is taken: the first had no
// approval.
const requestVersion = 2

// Request asks to become a member.
type Request struct {
	Version   uint32
	World     world.Hash
	Invite    InviteID
	Member    Member
	Ticket    *Ticket   // where the world's mode wants one
	Approval  *Approval // a founder's own, for itself: nobody else hears of it before it is in
	Signature [ed25519.SignatureSize]byte
	Proof     [32]byte // that the phrase is known
}

func (q Request) appendUnsigned(b []byte) []byte {
	b = postcard.AppendUint(b, uint64(q.Version))
	b = postcard.AppendArray(b, q.World[:])
	b = postcard.AppendArray(b, q.Invite[:])
	b = q.Member.append(b)
	b = appendTicket(b, q.Ticket)
	b = postcard.AppendBool(b, q.Approval != nil)
	if q.Approval != nil {
		b = q.Approval.append(b)
	}
	return b
}

// Canonical are the bytes in which a request travels.
func (q Request) Canonical() []byte {
	b := q.appendUnsigned(nil)
	b = postcard.AppendArray(b, q.Signature[:])
	return postcard.AppendArray(b, q.Proof[:])
}

// DecodeRequest reads what Canonical writes and nothing else. It verifies
// neither signature nor proof.
func DecodeRequest(b []byte) (Request, error) {
	if len(b) > MaxRequest {
		return Request{}, fmt.Errorf("a request to join of %d bytes: it has at most %d", len(b), MaxRequest)
	}
	d := postcard.NewDecoder(b)
	q := Request{Version: d.U32()}
	d.Array(q.World[:])
	d.Array(q.Invite[:])
	q.Member = readMember(d)
	q.Ticket = readTicket(d)
	if d.Bool() {
		a := readApproval(d)
		q.Approval = &a
	}
	d.Array(q.Signature[:])
	d.Array(q.Proof[:])
	if err := d.Finish(); err != nil {
		return Request{}, fmt.Errorf("decoding a request to join: %w", err)
	}
	return q, nil
}

// SignedMessage is what the newcomer signs: in another session it is worthless.
func (q Request) SignedMessage(t Transcript) []byte {
	unsigned := q.appendUnsigned(nil)
	return world.DomainJoin.Message(q.World, hash(labelJoin, unsigned), t[:], unsigned)
}

// proof shows to the inviter that the phrase is known, and nothing to others.
func (q Request) proof(phrase *world.Secret, t Transcript) [32]byte {
	b := postcard.AppendArray(q.appendUnsigned(nil), q.Signature[:])
	return phrase.Keyed(labelRequest, t[:], b)
}

// verify checks a request's signature.
func (q Request) verify(t Transcript) bool {
	return ed25519.Verify(q.Member.Key[:], q.SignedMessage(t), q.Signature[:])
}

// Ask is the newcomer's side of an invite.
type Ask struct {
	invite Invite
	phrase *world.Secret
	key    ed25519.PrivateKey
	member Member
	ticket *Ticket
	own    *Approval
}

// NewAsk prepares to ask with an invite and its phrase. The role and operator
// that the invite fixes are taken; ticket is nil where none is wanted. A founder
// approves of itself: it is one of those who decide, and as long as it is no
// member no petition reaches it.
func NewAsk(v Invite, phrase string, key ed25519.PrivateKey, wrap [32]byte, role Role, operator string, ticket *Ticket, now time.Time) (*Ask, error) {
	secret, err := phraseKey(v.ID, phrase)
	if err != nil {
		return nil, err
	}
	if v.Role != nil {
		role = *v.Role
	}
	if v.Operator != nil {
		operator = *v.Operator
	}
	if err := CheckOperator(operator); err != nil {
		return nil, err
	}
	m := Member{Key: publicKey(key), Wrap: wrap, Role: role, Operator: operator}
	a := &Ask{invite: v, phrase: secret, key: key, member: m, ticket: ticket}
	if rules := newRules(v.World); slices.Contains(rules.terms.Founders, m.Key) {
		inviter, err := world.ParseAddr(v.Addrs[0])
		if err != nil {
			return nil, fmt.Errorf("the invite's address: %w", err)
		}
		// Whose key was a member's and was removed decides nothing, so the standing
		// is that of one who never was.
		own := signApproval(key, v.World.ID, Petition{inviter.Key, Change{Kind: Add, Member: m}}, world.Hash{}, v.World.Epoch(now)+rules.life)
		a.own = &own
	}
	return a, nil
}

// Request is the request for one session. Who was told to wait asks again with
// another, in another session.
func (a *Ask) Request(t Transcript) Request {
	q := Request{Version: requestVersion, World: a.invite.World.ID, Invite: a.invite.ID, Member: a.member, Ticket: a.ticket, Approval: a.own}
	copy(q.Signature[:], ed25519.Sign(a.key, q.SignedMessage(t)))
	q.Proof = q.proof(a.phrase, t)
	return q
}

// ErrUnproved is wrapped when an answer is not from who made the invite. A
// refusal without a proof is shown, but may be anybody's.
var ErrUnproved = errors.New("the answer does not prove that it is the inviter's")

// Answer reads the answer of one session. One that admits or asks to wait must
// prove that the inviter gave it; of a refusal the error wraps ErrUnproved.
func (a *Ask) Answer(t Transcript, b []byte) (Answer, error) {
	ans, err := DecodeAnswer(b)
	if err != nil {
		return Answer{}, err
	}
	want := ans.proof(a.phrase, t)
	if subtle.ConstantTimeCompare(want[:], ans.Proof[:]) == 1 {
		return ans, nil
	}
	if ans.Kind == Refused {
		return ans, fmt.Errorf("refused (%s): %w", ans.Reason, ErrUnproved)
	}
	return Answer{}, ErrUnproved
}

// AnswerKind is how an answer came out.
type AnswerKind uint32

// The kinds.
const (
	Admitted AnswerKind = iota
	Pending
	Refused
	answerKinds
)

// Answer is the inviter's to a request.
type Answer struct {
	Kind    AnswerKind
	Entries []Entry  // Admitted: the roster from its beginning
	Choices []Choice // Admitted
	Entry   world.Hash
	Box     Box    // Admitted: our master of Entry
	Missing uint32 // Pending: approvals that are missing
	Reason  Reason // Refused
	Proof   [32]byte
}

func (a Answer) appendUnproved(b []byte) []byte {
	b = postcard.AppendUint(b, uint64(a.Kind))
	switch a.Kind {
	case Admitted:
		b = postcard.AppendUint(b, uint64(len(a.Entries)))
		for _, e := range a.Entries {
			b = appendSignatures(e.appendUnsigned(b), e.Signatures)
		}
		b = postcard.AppendUint(b, uint64(len(a.Choices)))
		for _, c := range a.Choices {
			b = appendSignatures(c.appendUnsigned(b), c.Signatures)
		}
		b = postcard.AppendArray(b, a.Entry[:])
		b = postcard.AppendArray(b, a.Box[:])
	case Pending:
		b = postcard.AppendUint(b, uint64(a.Missing))
	case Refused:
		b = postcard.AppendUint(b, uint64(a.Reason))
	}
	return b
}

// Canonical are the bytes in which an answer travels.
func (a Answer) Canonical() []byte { return postcard.AppendArray(a.appendUnproved(nil), a.Proof[:]) }

// The least that an entry and a choice take.
const (
	entrySize  = 1 + 32 + 1 + 32 + 1 + 1 + 1 + 32 + 32 + 1
	choiceSize = 32 + 32 + 32 + 1 + 1
)

// DecodeAnswer reads what Canonical writes and nothing else.
func DecodeAnswer(b []byte) (Answer, error) {
	if len(b) > MaxAnswer {
		return Answer{}, fmt.Errorf("an answer to a request to join of %d bytes: it has at most %d", len(b), MaxAnswer)
	}
	d := postcard.NewDecoder(b)
	a := Answer{Kind: AnswerKind(d.Variant(uint32(answerKinds)))}
	switch a.Kind {
	case Admitted:
		for range d.Count(entrySize) {
			if d.Err() != nil {
				break
			}
			a.Entries = append(a.Entries, readEntry(d))
		}
		for range d.Count(choiceSize) {
			if d.Err() != nil {
				break
			}
			a.Choices = append(a.Choices, readChoice(d))
		}
		d.Array(a.Entry[:])
		d.Array(a.Box[:])
	case Pending:
		a.Missing = d.U32()
	case Refused:
		a.Reason = Reason(d.Variant(uint32(reasons)))
	}
	d.Array(a.Proof[:])
	if err := d.Finish(); err != nil {
		return Answer{}, fmt.Errorf("decoding the answer to a request to join: %w", err)
	}
	return a, nil
}

// proof shows to the newcomer that the answer is from who made the invite.
func (a Answer) proof(phrase *world.Secret, t Transcript) [32]byte {
	return phrase.Keyed(labelAnswer, t[:], a.appendUnproved(nil))
}
