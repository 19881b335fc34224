package vectors

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"

	"golang.org/x/crypto/chacha20poly1305"
	"golang.org/x/crypto/scrypt"

	"github.com/culvert-net/culvert/mesh/roster"
	"github.com/culvert-net/culvert/mesh/world"
)

// rosterKinds are what members and founders sign and seal.
func rosterKinds() []kind {
	return []kind{
		{"roster_entry", `id = BLAKE3("roster" || unsigned); Ed25519 over "roster-sig" || world || id || unsigned`, of(rosterEntry)},
		{"roster_approval", `Ed25519 over "admit-sig" or "evict-sig" || world || BLAKE3("roster-change" || b) || b, b = kind || member || standing || proposer || expiry`, of(rosterApproval)},
		{"roster_choice", `id = BLAKE3("roster-choice" || unsigned); Ed25519 over "choice-sig" || world || id || unsigned`, of(rosterChoice)},
		{"roster_boxes", `Ed25519 over "boxes-sig" || world || BLAKE3("roster-boxes" || unsigned)`, of(rosterBoxes)},
		{"roster_box", `ephemeral key || ChaCha20-Poly1305 of the master under HKDF-SHA256(X25519, "culvert box", ephemeral, wrap, world, generation)`, of(rosterBox)},
		{"join_request", `Ed25519 over "join-sig" || world || BLAKE3("roster-join" || unsigned) || transcript || unsigned; proof = BLAKE3_KEYED(scrypt(phrase, invite), "culvert join" || transcript || unsigned || signature)`, of(joinRequest)},
		{"sync_proof", `Ed25519 over "sync-sig" || world || transcript || side`, of(syncProof)},
	}
}

type memberIn struct {
	Key      world.Hash `json:"key_hex"`
	Wrap     world.Hash `json:"wrap_key_hex"`
	Role     uint32     `json:"role"`
	Operator string     `json:"operator"`
}

func (in memberIn) member() roster.Member {
	return roster.Member{Key: in.Key, Wrap: in.Wrap, Role: roster.Role(in.Role), Operator: in.Operator}
}

type rosterTicketIn struct {
	Epoch number `json:"epoch_id"`
	probeTicketIn
}

func (in *rosterTicketIn) ticket() *roster.Ticket {
	if in == nil {
		return nil
	}
	return &roster.Ticket{Epoch: uint64(in.Epoch), Ticket: world.Ticket{Nonce: in.Nonce, Anchor: in.Anchor, Output: in.Output}}
}

type approvalIn struct {
	Key       world.Hash `json:"key_hex"`
	Expiry    number     `json:"expiry_epoch"`
	Signature octets     `json:"signature_hex"`
}

func (in approvalIn) approval() (roster.Approval, error) {
	if len(in.Signature) != ed25519.SignatureSize {
		return roster.Approval{}, fmt.Errorf("signature_hex has %d bytes, not %d", len(in.Signature), ed25519.SignatureSize)
	}
	return roster.Approval{Key: in.Key, Expiry: uint64(in.Expiry), Signature: [ed25519.SignatureSize]byte(in.Signature)}, nil
}

type changeIn struct {
	Kind      uint32          `json:"kind"`
	Member    memberIn        `json:"member"`
	Ticket    *rosterTicketIn `json:"ticket,omitempty"`
	Approvals []approvalIn    `json:"approvals"`
}

func (in changeIn) change() (roster.Change, error) {
	c := roster.Change{Kind: roster.Kind(in.Kind), Member: in.Member.member(), Ticket: in.Ticket.ticket()}
	for _, in := range in.Approvals {
		a, err := in.approval()
		if err != nil {
			return c, err
		}
		c.Approvals = append(c.Approvals, a)
	}
	return c, nil
}

type entryIn struct {
	Proposer   world.Hash   `json:"proposer_seed_hex"`
	Signers    []world.Hash `json:"signer_seeds_hex"` // of directory signers, under a rotation
	World      world.Hash   `json:"world_hex"`
	Generation number       `json:"generation"`
	Previous   world.Hash   `json:"previous_hex"`
	Epoch      number       `json:"epoch_id"`
	Time       number       `json:"time_ms"`
	Changes    []changeIn   `json:"changes"`
	MasterHash world.Hash   `json:"master_hash_hex"`
}

func (in entryIn) entry() (roster.Entry, error) {
	key := ed25519.NewKeyFromSeed(in.Proposer[:])
	e := roster.Entry{
		Version: roster.Version, World: in.World, Generation: uint64(in.Generation), Previous: in.Previous, Epoch: uint64(in.Epoch),
		Time: uint64(in.Time), MasterHash: in.MasterHash, Proposer: public(key),
	}
	for _, c := range in.Changes {
		change, err := c.change()
		if err != nil {
			return e, err
		}
		e.Changes = append(e.Changes, change)
	}
	e.Sign(key)
	for _, seed := range in.Signers {
		e.Sign(ed25519.NewKeyFromSeed(seed[:]))
	}
	return e, nil
}

func rosterEntry(in entryIn) (*result, error) {
	e, err := in.entry()
	if err != nil {
		return nil, err
	}
	return signed(world.DomainEntry, e.Canonical(), e.Hash().String(), e.Proposer, e.SignedMessage(), e.Signatures[0].Signature)
}

func public(key ed25519.PrivateKey) roster.Key { return roster.Key(key.Public().(ed25519.PublicKey)) }

// signed is a result with what is under the first signature, which has to be good.
func signed(domain world.Domain, canonical []byte, hash string, by roster.Key, message []byte, sig [ed25519.SignatureSize]byte) (*result, error) {
	if !ed25519.Verify(by[:], message, sig[:]) {
		return nil, fmt.Errorf("what is signed here under %s does not verify", domain)
	}
	return &result{canonical: canonical, hash: hash, steps: hexed(
		"signer_key_hex", by[:], "domain", string(domain), "signed_message_hex", message, "signature_hex", sig[:])}, nil
}

type rosterApprovalIn struct {
	Seed     world.Hash `json:"signer_seed_hex"`
	World    world.Hash `json:"world_hex"`
	Kind     uint32     `json:"kind"`
	Member   memberIn   `json:"member"`
	Standing world.Hash `json:"standing_hex"`
	Proposer world.Hash `json:"proposer_hex"`
	Expiry   number     `json:"expiry_epoch"`
}

func rosterApproval(in rosterApprovalIn) (*result, error) {
	domain := world.DomainAdmit
	if roster.Kind(in.Kind) == roster.Remove {
		domain = world.DomainEvict
	}
	key := ed25519.NewKeyFromSeed(in.Seed[:])
	q := roster.Petition{Proposer: in.Proposer, Change: roster.Change{Kind: roster.Kind(in.Kind), Member: in.Member.member()}}
	message := roster.ApprovalMessage(in.World, q, in.Standing, uint64(in.Expiry))
	a := roster.Approval{Key: public(key), Expiry: uint64(in.Expiry), Signature: [ed25519.SignatureSize]byte(ed25519.Sign(key, message))}
	return signed(domain, a.Canonical(), "", a.Key, message, a.Signature)
}

type choiceIn struct {
	Seeds  []world.Hash `json:"signer_seeds_hex"`
	World  world.Hash   `json:"world_hex"`
	Parent world.Hash   `json:"parent_hex"`
	Chosen world.Hash   `json:"chosen_hex"`
	Number number       `json:"number"`
}

func (in choiceIn) choice() (roster.Choice, error) {
	c := roster.Choice{World: in.World, Parent: in.Parent, Chosen: in.Chosen, Number: uint64(in.Number)}
	for _, seed := range in.Seeds {
		c.Sign(ed25519.NewKeyFromSeed(seed[:]))
	}
	if len(c.Signatures) == 0 {
		return c, fmt.Errorf("signer_seeds_hex is empty")
	}
	return c, nil
}

func rosterChoice(in choiceIn) (*result, error) {
	c, err := in.choice()
	if err != nil {
		return nil, err
	}
	return signed(world.DomainChoice, c.Canonical(), c.Hash().String(), c.Signatures[0].Key, c.SignedMessage(), c.Signatures[0].Signature)
}

type sealedIn struct {
	Key world.Hash `json:"key_hex"`
	Box octets     `json:"box_hex"`
}

type boxesIn struct {
	Seed   world.Hash `json:"signer_seed_hex"`
	World  world.Hash `json:"world_hex"`
	Entry  world.Hash `json:"entry_hex"`
	Sealed []sealedIn `json:"boxes"` // in the order of their keys
}

func (in boxesIn) boxes() (roster.Boxes, error) {
	b := roster.Boxes{World: in.World, Entry: in.Entry}
	for _, s := range in.Sealed {
		if len(s.Box) != len(roster.Box{}) {
			return b, fmt.Errorf("box_hex has %d bytes, not %d", len(s.Box), len(roster.Box{}))
		}
		b.Sealed = append(b.Sealed, roster.Sealed{Key: s.Key, Box: roster.Box(s.Box)})
	}
	b.Signature = [ed25519.SignatureSize]byte(ed25519.Sign(ed25519.NewKeyFromSeed(in.Seed[:]), b.SignedMessage()))
	return b, nil
}

func rosterBoxes(in boxesIn) (*result, error) {
	b, err := in.boxes()
	if err != nil {
		return nil, err
	}
	return signed(world.DomainBoxes, b.Canonical(), "", public(ed25519.NewKeyFromSeed(in.Seed[:])), b.SignedMessage(), b.Signature)
}

type boxIn struct {
	World      world.Hash `json:"world_hex"`
	Generation number     `json:"generation"`
	Ephemeral  world.Hash `json:"ephemeral_private_hex"`
	Wrap       world.Hash `json:"wrap_private_hex"`
	Master     world.Hash `json:"group_master_hex"`
}

// rosterBox seals by itself, since package roster draws the ephemeral key; that
// package then has to open it.
func rosterBox(in boxIn) (*result, error) {
	ephemeral, err := ecdh.X25519().NewPrivateKey(in.Ephemeral[:])
	if err != nil {
		return nil, err
	}
	wrap, err := ecdh.X25519().NewPrivateKey(in.Wrap[:])
	if err != nil {
		return nil, err
	}
	shared, err := ephemeral.ECDH(wrap.PublicKey())
	if err != nil {
		return nil, err
	}
	from, to := ephemeral.PublicKey().Bytes(), wrap.PublicKey().Bytes()
	key := world.NewSecret([32]byte(shared)).Derive("culvert box", from, to, in.World[:], binary.LittleEndian.AppendUint64(nil, uint64(in.Generation)))
	box := roster.Box(key.AEAD().Seal(from, make([]byte, chacha20poly1305.NonceSize), in.Master[:], nil))
	hash := world.NewSecret(in.Master).Keyed("roster-master", in.World[:])
	opened, err := roster.OpenBox(in.World, uint64(in.Generation), wrap, box, hash)
	if err != nil {
		return nil, fmt.Errorf("a box sealed here: %w", err)
	}
	if opened.Reveal() != in.Master {
		return nil, fmt.Errorf("a box sealed here holds another master")
	}
	raw := key.Reveal()
	return &result{canonical: box[:], hash: hash.String(), steps: hexed("shared_hex", shared, "box_key_hex", raw[:], "wrap_key_hex", to)}, nil
}

type joinIn struct {
	Seed       world.Hash      `json:"signer_seed_hex"`
	World      world.Hash      `json:"world_hex"`
	Invite     octets          `json:"invite_id_hex"`
	Phrase     string          `json:"phrase"`
	Wrap       world.Hash      `json:"wrap_key_hex"`
	Role       uint32          `json:"role"`
	Operator   string          `json:"operator"`
	Ticket     *rosterTicketIn `json:"ticket,omitempty"`
	Approval   *approvalIn     `json:"approval,omitempty"` // a founder's own
	Transcript world.Hash      `json:"transcript_hex"`
}

func (in joinIn) request() (roster.Request, error) {
	if len(in.Invite) != len(roster.InviteID{}) {
		return roster.Request{}, fmt.Errorf("invite_id_hex has %d bytes, not %d", len(in.Invite), len(roster.InviteID{}))
	}
	v := roster.Invite{ID: roster.InviteID(in.Invite), World: &world.World{ID: in.World, Rules: world.DefaultRules()}}
	key := ed25519.NewKeyFromSeed(in.Seed[:])
	ask, err := roster.NewAsk(v, in.Phrase, key, in.Wrap, roster.Role(in.Role), in.Operator, in.Ticket.ticket(), time.Time{})
	if err != nil {
		return roster.Request{}, err
	}
	q := ask.Request(roster.Transcript(in.Transcript))
	if want := in.proof(q); want != q.Proof {
		return q, fmt.Errorf("a proof made here is not the one of package roster")
	}
	if in.Approval == nil {
		return q, nil
	}
	// Package roster makes an approval for founders of worlds that it knows whole.
	a, err := in.Approval.approval()
	if err != nil {
		return q, err
	}
	q.Approval = &a
	q.Signature = [ed25519.SignatureSize]byte(ed25519.Sign(key, q.SignedMessage(roster.Transcript(in.Transcript))))
	q.Proof = in.proof(q)
	return q, nil
}

// phraseKey is what both sides make of the invite's phrase.
func (in joinIn) phraseKey() [32]byte {
	key, err := scrypt.Key([]byte(in.Phrase), in.Invite, world.TicketN, world.TicketR, world.TicketP, 32)
	if err != nil {
		panic("vectors: scrypt refuses fixed parameters: " + err.Error())
	}
	return [32]byte(key)
}

// proof is over all of a request that comes before it.
func (in joinIn) proof(q roster.Request) world.Hash {
	b := q.Canonical()
	return world.NewSecret(in.phraseKey()).Keyed("culvert join", in.Transcript[:], b[:len(b)-len(q.Proof)])
}

func joinRequest(in joinIn) (*result, error) {
	q, err := in.request()
	if err != nil {
		return nil, err
	}
	r, err := signed(world.DomainJoin, q.Canonical(), "", q.Member.Key, q.SignedMessage(roster.Transcript(in.Transcript)), q.Signature)
	if err != nil {
		return nil, err
	}
	key := in.phraseKey()
	r.steps["phrase_key_hex"], r.steps["proof_hex"] = hex.EncodeToString(key[:]), hex.EncodeToString(q.Proof[:])
	return r, nil
}

type syncProofIn struct {
	Seed       world.Hash `json:"signer_seed_hex"`
	World      world.Hash `json:"world_hex"`
	Transcript world.Hash `json:"transcript_hex"`
	Side       string     `json:"side"` // opener or answerer
}

func syncProof(in syncProofIn) (*result, error) {
	key := ed25519.NewKeyFromSeed(in.Seed[:])
	message := world.DomainSync.Message(in.World, in.Transcript, []byte(in.Side))
	return signed(world.DomainSync, nil, "", public(key), message, [ed25519.SignatureSize]byte(ed25519.Sign(key, message)))
}

// rosterExamples are of the roster, its keys, and of who joins.
func rosterExamples() []example {
	rotation := entryIn{
		Proposer: fill(0x0c), Signers: []world.Hash{fill(0x0e), fill(0x0d)}, World: inWorld(), Generation: 3, Previous: fill(0x31), Epoch: someEpoch,
		Time: 1_794_700_800_123, Changes: []changeIn{}, MasterHash: fill(0x32),
	}
	approval := rosterApprovalIn{
		Seed: fill(0x0c), World: inWorld(), Member: exampleMember(0x41), Standing: world.Hash{}, Proposer: fill(0x33), Expiry: someEpoch + 168,
	}
	removal := approval
	removal.Kind, removal.Standing = 1, fill(0x34)
	proof := syncProofIn{Seed: fill(0x0c), World: inWorld(), Transcript: fill(0x35), Side: "opener"}
	answer := proof
	answer.Side = "answerer"
	founder := exampleJoin()
	founder.Ticket, founder.Approval = nil, pointer(exampleApproval(0x64))
	return []example{
		{"roster_entry_with_changes", "roster_entry", exampleEntry()},
		{"roster_entry_rotation", "roster_entry", rotation},
		{"roster_approval_of_an_addition", "roster_approval", approval},
		{"roster_approval_of_a_removal", "roster_approval", removal},
		{"roster_choice", "roster_choice", exampleChoice()},
		{"roster_boxes", "roster_boxes", exampleBoxes()},
		{"roster_box", "roster_box", boxIn{World: inWorld(), Generation: 300, Ephemeral: fill(0x51), Wrap: fill(0x52), Master: fill(0x53)}},
		{"join_request", "join_request", exampleJoin()},
		{"join_request_of_a_founder", "join_request", founder},
		{"sync_proof_of_the_opener", "sync_proof", proof},
		{"sync_proof_of_the_answerer", "sync_proof", answer},
	}
}

func exampleMember(key byte) memberIn {
	return memberIn{Key: fill(key), Wrap: fill(key + 1), Role: 1, Operator: "example.org"}
}

func exampleRosterTicket() *rosterTicketIn {
	return &rosterTicketIn{Epoch: someEpoch - 1, probeTicketIn: probeTicketIn{Nonce: fill(0x99), Anchor: []byte("anchor"), Output: fill(0)}}
}

func exampleApproval(b byte) approvalIn {
	half := fill(b)
	return approvalIn{Key: fill(b), Expiry: someEpoch + 1, Signature: append(half[:], half[:]...)}
}

// exampleEntry has changes and approvals in no order.
func exampleEntry() entryIn {
	return entryIn{
		Proposer: fill(0x0c), Signers: []world.Hash{}, World: inWorld(), Generation: 2, Previous: fill(0x31), Epoch: someEpoch, Time: 1_794_700_800_000,
		Changes: []changeIn{
			{Kind: 1, Member: memberIn{Key: fill(0x45), Wrap: fill(0x46)}, Approvals: []approvalIn{exampleApproval(0x61)}},
			{Member: exampleMember(0x41), Ticket: exampleRosterTicket(), Approvals: []approvalIn{exampleApproval(0x63), exampleApproval(0x62), exampleApproval(0x61)}},
		},
		MasterHash: fill(0x32),
	}
}

func exampleChoice() choiceIn {
	return choiceIn{Seeds: []world.Hash{fill(0x0e), fill(0x0d)}, World: inWorld(), Parent: fill(0x31), Chosen: fill(0x36), Number: 3}
}

func exampleBoxes() boxesIn {
	box := func(b byte) octets {
		var out octets
		for range len(roster.Box{}) {
			out = append(out, b)
		}
		return out
	}
	return boxesIn{Seed: fill(0x0c), World: inWorld(), Entry: fill(0x37), Sealed: []sealedIn{{fill(0x41), box(0x71)}, {fill(0x43), box(0x72)}}}
}

func exampleJoin() joinIn {
	return joinIn{
		Seed: fill(0x0f), World: inWorld(), Invite: []byte("an invite's name"), Phrase: world.PhraseAddress([]byte{1, 2, 3, 4, 5, 6, 7, 8}),
		Wrap: fill(0x42), Role: 3, Operator: "example.org", Ticket: exampleRosterTicket(), Transcript: fill(0x35),
	}
}
