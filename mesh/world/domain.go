package world

// Domain separates the signatures of one key from one another: a signature
// made for one kind of message is worthless under any other.
type Domain string

// All signature domains. A new kind of signed message adds its line here, and
// in Domains.
const (
	DomainDescriptor  Domain = "desc-sig"
	DomainReceipt     Domain = "receipt-sig"
	DomainAttestation Domain = "attest-sig"
	DomainDispute     Domain = "dispute-sig"
	DomainLinkHint    Domain = "linkhint-sig"
	DomainEndorsement Domain = "endorse-sig"
	DomainShard       Domain = "shard-sig"
	DomainVerdict     Domain = "verdict-sig"
	DomainManifest    Domain = "manifest-sig"
	DomainRoot        Domain = "root-sig"
	DomainSeal        Domain = "seal-sig"
	DomainEntry       Domain = "roster-sig" // an entry of the roster, by its proposer and directory signers
	DomainAdmit       Domain = "admit-sig"  // approval of an addition to it
	DomainEvict       Domain = "evict-sig"  // approval of a removal
	DomainChoice      Domain = "choice-sig" // a founder's choice between its branches
	DomainBoxes       Domain = "boxes-sig"  // the boxes of an entry
	DomainJoin        Domain = "join-sig"   // a request to join
	DomainSync        Domain = "sync-sig"   // a member's proof of itself in a session of sync
)

// Domains are all of them, in the order of the table in docs/spec/world.md §4.
// None is the beginning of another.
func Domains() []Domain {
	return []Domain{
		DomainDescriptor, DomainReceipt, DomainAttestation, DomainDispute, DomainLinkHint,
		DomainEndorsement, DomainShard, DomainVerdict, DomainManifest,
		DomainRoot, DomainSeal,
		DomainEntry, DomainAdmit, DomainEvict, DomainChoice, DomainBoxes, DomainJoin, DomainSync,
	}
}

// Message is what is signed: domain, world and id have lengths that the domain
// fixes, so no message of one domain is a message of another.
func (d Domain) Message(world, id Hash, rest ...[]byte) []byte {
	return concat(append([][]byte{[]byte(d), world[:], id[:]}, rest...))
}
