package roster

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"slices"

	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// Version is the only version of entries so far.
const Version = 1

// Key is a member's Ed25519 key: its name in the roster, and its author key in
// the event log.
type Key = [ed25519.PublicKeySize]byte

// Role is what a member does. It gives no rights: all members read the same.
type Role uint32

// The roles.
const (
	RoleBridge Role = iota // keeps the log for its own choices
	RoleMemory             // serves the event log
	RoleProber             // benchmarks providers
	RoleBoth               // memory and prober
	roles
)

func (r Role) String() string {
	if r >= roles {
		return "unknown"
	}
	return [...]string{"bridge", "memory", "prober", "both"}[r]
}

// ParseRole reads what String writes.
func ParseRole(s string) (Role, error) {
	for r := range roles {
		if r.String() == s {
			return r, nil
		}
	}
	return 0, fmt.Errorf("role %q: it is bridge, memory, prober or both", s)
}

// Member is somebody who reads the control plane.
type Member struct {
	Key      Key
	Wrap     [32]byte // X25519, to which masters are sealed
	Role     Role
	Operator string // who runs it: a-z, 0-9, dots and hyphens; may be empty
}

func (m Member) append(b []byte) []byte {
	b = postcard.AppendArray(b, m.Key[:])
	b = postcard.AppendArray(b, m.Wrap[:])
	b = postcard.AppendUint(b, uint64(m.Role))
	return postcard.AppendString(b, m.Operator)
}

func readMember(d *postcard.Decoder) (m Member) {
	d.Array(m.Key[:])
	d.Array(m.Wrap[:])
	m.Role = Role(d.Variant(uint32(roles)))
	m.Operator = d.Text()
	if d.Err() == nil && CheckOperator(m.Operator) != nil {
		d.Fail(ErrForm)
	}
	return m
}

// CheckOperator returns an error unless tag may be an operator's. Tags are
// compared to tell operators apart, so there is one way to write one.
func CheckOperator(tag string) error {
	if len(tag) > MaxOperator {
		return fmt.Errorf("operator tag of %d characters: it has at most %d", len(tag), MaxOperator)
	}
	for _, c := range []byte(tag) {
		if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '.' || c == '-') {
			return fmt.Errorf("operator tag %q: it has a-z, 0-9, dots and hyphens", tag)
		}
	}
	return nil
}

// Kind is what a change does.
type Kind uint32

// The kinds.
const (
	Add Kind = iota
	Remove
	kinds
)

// Approval is one key's consent to a petition. What is signed also has the
// petition and the member's standing, so an approval is good for one addition or
// one removal by one proposer, and once that was done for nothing.
type Approval struct {
	Key       Key
	Expiry    uint64 // last epoch in which an entry may use it
	Signature [ed25519.SignatureSize]byte
}

func (a Approval) append(b []byte) []byte {
	b = postcard.AppendArray(b, a.Key[:])
	b = postcard.AppendUint(b, a.Expiry)
	return postcard.AppendArray(b, a.Signature[:])
}

func readApproval(d *postcard.Decoder) (a Approval) {
	d.Array(a.Key[:])
	a.Expiry = d.U64()
	d.Array(a.Signature[:])
	return a
}

// approvalSize is the least an approval takes.
const approvalSize = 32 + 1 + ed25519.SignatureSize

// Canonical are the bytes in which an approval travels to whoever collects.
func (a Approval) Canonical() []byte { return a.append(nil) }

// DecodeApproval reads what Canonical writes and nothing else.
func DecodeApproval(b []byte) (Approval, error) {
	d := postcard.NewDecoder(b)
	a := readApproval(d)
	if err := d.Finish(); err != nil {
		return Approval{}, fmt.Errorf("decoding an approval: %w", err)
	}
	return a, nil
}

// Ticket is a newcomer's proof of work, with the epoch it was made in.
type Ticket struct {
	Epoch uint64
	world.Ticket
}

// Change adds a member or removes one.
type Change struct {
	Kind      Kind
	Member    Member // for a removal exactly as it stands
	Ticket    *Ticket
	Approvals []Approval // any order; canonical bytes sort by key
}

func (c Change) append(b []byte) []byte {
	b = postcard.AppendUint(b, uint64(c.Kind))
	b = c.Member.append(b)
	b = appendTicket(b, c.Ticket)
	approvals := slices.Clone(c.Approvals)
	slices.SortFunc(approvals, func(x, y Approval) int { return bytes.Compare(x.Key[:], y.Key[:]) })
	b = postcard.AppendUint(b, uint64(len(approvals)))
	for _, a := range approvals {
		b = a.append(b)
	}
	return b
}

func readChange(d *postcard.Decoder) (c Change) {
	c.Kind = Kind(d.Variant(uint32(kinds)))
	c.Member = readMember(d)
	c.Ticket = readTicket(d)
	n := d.Count(approvalSize)
	if n > MaxApprovals {
		d.Fail(ErrForm)
	}
	for i := 0; i < n && d.Err() == nil; i++ {
		a := readApproval(d)
		if i > 0 && bytes.Compare(c.Approvals[i-1].Key[:], a.Key[:]) >= 0 {
			d.Fail(postcard.ErrOrder)
		}
		c.Approvals = append(c.Approvals, a)
	}
	return c
}

// changeSize is the least a change takes.
const changeSize = 1 + 32 + 32 + 1 + 1 + 1 + 1

func appendTicket(b []byte, t *Ticket) []byte {
	b = postcard.AppendBool(b, t != nil)
	if t == nil {
		return b
	}
	b = postcard.AppendUint(b, t.Epoch)
	return postcard.AppendBytes(b, t.Bytes())
}

func readTicket(d *postcard.Decoder) *Ticket {
	if !d.Bool() {
		return nil
	}
	epoch, raw := d.U64(), d.Bytes()
	if d.Err() != nil {
		return nil
	}
	t, err := world.ParseTicket(raw)
	if err != nil {
		d.Fail(err)
		return nil
	}
	return &Ticket{Epoch: epoch, Ticket: t}
}

// Petition is what founders and vouchers are asked to approve: a change, and who
// will propose it. Their approvals are good for that proposer only.
type Petition struct {
	Proposer Key
	Change   Change
}

// Canonical are the bytes in which a petition travels.
func (q Petition) Canonical() []byte {
	return q.Change.append(postcard.AppendArray(nil, q.Proposer[:]))
}

// DecodePetition reads what Canonical writes and nothing else.
func DecodePetition(b []byte) (Petition, error) {
	d := postcard.NewDecoder(b)
	var q Petition
	d.Array(q.Proposer[:])
	q.Change = readChange(d)
	if err := d.Finish(); err != nil {
		return Petition{}, fmt.Errorf("decoding a petition: %w", err)
	}
	return q, nil
}

// Signature is one key's signature under an entry or a choice.
type Signature struct {
	Key       Key
	Signature [ed25519.SignatureSize]byte
}

const signatureSize = 32 + ed25519.SignatureSize

// Canonical are the bytes in which a cosigner's signature travels.
func (s Signature) Canonical() []byte { return appendSignature(nil, s) }

// DecodeSignature reads what Canonical writes and nothing else.
func DecodeSignature(b []byte) (Signature, error) {
	d := postcard.NewDecoder(b)
	s := readSignature(d)
	if err := d.Finish(); err != nil {
		return Signature{}, fmt.Errorf("decoding a signature: %w", err)
	}
	return s, nil
}

func appendSignature(b []byte, s Signature) []byte {
	return postcard.AppendArray(postcard.AppendArray(b, s.Key[:]), s.Signature[:])
}

func readSignature(d *postcard.Decoder) (s Signature) {
	d.Array(s.Key[:])
	d.Array(s.Signature[:])
	return s
}

func appendSignatures(b []byte, list []Signature) []byte {
	list = slices.Clone(list)
	slices.SortFunc(list, func(x, y Signature) int { return bytes.Compare(x.Key[:], y.Key[:]) })
	b = postcard.AppendUint(b, uint64(len(list)))
	for _, s := range list {
		b = appendSignature(b, s)
	}
	return b
}

func readSignatures(d *postcard.Decoder) (list []Signature) {
	n := d.Count(signatureSize)
	if n > maxSignatures {
		d.Fail(ErrForm)
	}
	for i := 0; i < n && d.Err() == nil; i++ {
		s := readSignature(d)
		if i > 0 && bytes.Compare(list[i-1].Key[:], s.Key[:]) >= 0 {
			d.Fail(postcard.ErrOrder)
		}
		list = append(list, s)
	}
	return list
}

// Entry is one step of the roster. Each has a new generation and a new master;
// one without changes is a rotation.
type Entry struct {
	Version    uint32
	World      world.Hash
	Generation uint64     // 1 for the first
	Previous   world.Hash // hash of the parent; of the first, the world's id
	Epoch      uint64     // that Time is in
	Time       uint64     // unix milliseconds
	Changes    []Change   // any order; canonical bytes sort by the members' keys
	MasterHash world.Hash
	Proposer   Key
	Signatures []Signature // any order; canonical bytes sort by key
}

// appendUnsigned appends what is hashed and signed: all but the signatures.
func (e Entry) appendUnsigned(b []byte) []byte {
	b = postcard.AppendUint(b, uint64(e.Version))
	b = postcard.AppendArray(b, e.World[:])
	b = postcard.AppendUint(b, e.Generation)
	b = postcard.AppendArray(b, e.Previous[:])
	b = postcard.AppendUint(b, e.Epoch)
	b = postcard.AppendUint(b, e.Time)
	changes := slices.Clone(e.Changes)
	slices.SortFunc(changes, byMember)
	b = postcard.AppendUint(b, uint64(len(changes)))
	for _, c := range changes {
		b = c.append(b)
	}
	b = postcard.AppendArray(b, e.MasterHash[:])
	return postcard.AppendArray(b, e.Proposer[:])
}

func byMember(x, y Change) int { return bytes.Compare(x.Member.Key[:], y.Member.Key[:]) }

// Canonical are the bytes in which an entry is kept and sent.
func (e Entry) Canonical() []byte { return appendSignatures(e.appendUnsigned(nil), e.Signatures) }

// Hash names the entry. It leaves the signatures out, so a rotation signed by
// other signers is the same entry, and no fork.
func (e Entry) Hash() world.Hash { return hash(labelEntry, e.appendUnsigned(nil)) }

// DecodeEntry reads what Canonical writes and nothing else. It verifies no
// signature.
func DecodeEntry(b []byte) (Entry, error) {
	if len(b) > MaxEntry {
		return Entry{}, fmt.Errorf("a roster entry of %d bytes: it has at most %d", len(b), MaxEntry)
	}
	d := postcard.NewDecoder(b)
	e := readEntry(d)
	if err := d.Finish(); err != nil {
		return Entry{}, fmt.Errorf("decoding a roster entry: %w", err)
	}
	return e, nil
}

func readEntry(d *postcard.Decoder) (e Entry) {
	e.Version = d.U32()
	d.Array(e.World[:])
	e.Generation = d.U64()
	d.Array(e.Previous[:])
	e.Epoch = d.U64()
	e.Time = d.U64()
	n := d.Count(changeSize)
	if n > MaxChanges {
		d.Fail(ErrForm)
	}
	for i := 0; i < n && d.Err() == nil; i++ {
		c := readChange(d)
		if i > 0 && byMember(e.Changes[i-1], c) >= 0 {
			d.Fail(postcard.ErrOrder)
		}
		e.Changes = append(e.Changes, c)
	}
	d.Array(e.MasterHash[:])
	d.Array(e.Proposer[:])
	e.Signatures = readSignatures(d)
	return e
}

// Rotation reports whether the entry only makes a new master.
func (e Entry) Rotation() bool { return len(e.Changes) == 0 }
