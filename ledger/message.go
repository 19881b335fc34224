package ledger

import "fmt"

// Voucher is the payer's word that the provider may have Cumulative of the
// channel's deposit in all. Transcript is the root over the rounds it pays for.
// The session key signs.
type Voucher struct {
	Channel    ChannelID
	Epoch      uint32 // at most MaxEpoch
	Cumulative Amount
	Transcript Hash
}

// Release is the provider's consent to close the channel at once, at a final
// amount. Only the funder can use it.
type Release struct {
	Channel         ChannelID
	Epoch           uint32 // at most MaxEpoch
	FinalCumulative Amount
	Deadline        uint64 // Unix seconds
}

// Close is the payer's wish to have the channel closed, for whoever brings it
// to the chain. It is never consent to an amount. The funder signs.
type Close struct {
	Channel  ChannelID
	Epoch    uint32 // at most MaxEpoch
	Deadline uint64 // Unix seconds
}

// Request is one round that the payer asks for, with the most that it may cost.
// The session key signs.
type Request struct {
	Channel     ChannelID
	Epoch       uint32 // at most MaxEpoch
	RoundID     RoundID
	Seq         uint64 // from 1, once in a channel and epoch
	RequestHash Hash
	MaxCost     Amount
	Sheet       Hash   // of the price sheet
	TTL         uint32 // seconds from its arrival: an absolute time would show the payer's clock
}

// Result is the provider's word about a round. Two that are both final and
// differ are proof against the provider. The provider signs.
type Result struct {
	Channel      ChannelID
	Epoch        uint32 // at most MaxEpoch
	RoundID      RoundID
	Final        bool
	RequestHash  Hash
	ResponseHash Hash
	Input        uint64
	Cached       uint64
	Output       uint64
	Cost         Amount
	Status       Status
}

// Status says how a round ended.
type Status uint8

const (
	// StatusDone is a whole answer.
	StatusDone Status = 1
	// StatusAborted is a round without an answer that is paid for, or a sequence
	// number that no request used.
	StatusAborted Status = 2
	// StatusPartial is an answer that was cut, and is paid for as far as it went.
	StatusPartial Status = 3
)

func (s Status) String() string {
	switch s {
	case StatusDone:
		return "done"
	case StatusAborted:
		return "aborted"
	case StatusPartial:
		return "partial"
	default:
		return fmt.Sprintf("status %d", uint8(s))
	}
}

func (s Status) known() bool { return s >= StatusDone && s <= StatusPartial }

// The types as EIP-712 writes them; their hashes are what the contract has.
const (
	voucherType = "Voucher(bytes32 channelId,uint24 epoch,uint96 cumulative,bytes32 transcript)"
	releaseType = "Release(bytes32 channelId,uint24 epoch,uint96 finalCumulative,uint64 deadline)"
	closeType   = "Close(bytes32 channelId,uint24 epoch,uint64 deadline)"
	requestType = "Request(bytes32 channelId,uint24 epoch,bytes16 roundId,uint64 seq,bytes32 requestHash,uint96 maxCost,bytes32 sheet,uint32 ttl)"
	resultType  = "Result(bytes32 channelId,uint24 epoch,bytes16 roundId,bool finalResult,bytes32 requestHash,bytes32 responseHash,uint64 input,uint64 cached,uint64 output,uint96 cost,uint8 status)"
)

// fields is told the fields of a message in the order of its type. One list
// makes the words that are hashed, the bytes that travel, and what is read from
// them, so that the three cannot part.
type fields interface {
	channel(*ChannelID)
	epoch(*uint32)
	amount(*Amount)
	hash(*Hash)
	round(*RoundID)
	u64(*uint64)
	u32(*uint32)
	bool(*bool)
	status(*Status)
}

// message is a pointer to one of the five.
type message interface {
	form() *form
	visit(fields)
}

// form is what is fixed about a type of message.
type form struct {
	kind byte // the first byte of its encoding
	name string
	hash Hash // of its EIP-712 type
}

var (
	voucherForm = form{1, "voucher", keccak([]byte(voucherType))}
	releaseForm = form{2, "release", keccak([]byte(releaseType))}
	closeForm   = form{3, "close", keccak([]byte(closeType))}
	requestForm = form{4, "request", keccak([]byte(requestType))}
	resultForm  = form{5, "result", keccak([]byte(resultType))}
)

func (*Voucher) form() *form { return &voucherForm }
func (*Release) form() *form { return &releaseForm }
func (*Close) form() *form   { return &closeForm }
func (*Request) form() *form { return &requestForm }
func (*Result) form() *form  { return &resultForm }

func (m *Voucher) visit(f fields) {
	f.channel(&m.Channel)
	f.epoch(&m.Epoch)
	f.amount(&m.Cumulative)
	f.hash(&m.Transcript)
}

func (m *Release) visit(f fields) {
	f.channel(&m.Channel)
	f.epoch(&m.Epoch)
	f.amount(&m.FinalCumulative)
	f.u64(&m.Deadline)
}

func (m *Close) visit(f fields) {
	f.channel(&m.Channel)
	f.epoch(&m.Epoch)
	f.u64(&m.Deadline)
}

func (m *Request) visit(f fields) {
	f.channel(&m.Channel)
	f.epoch(&m.Epoch)
	f.round(&m.RoundID)
	f.u64(&m.Seq)
	f.hash(&m.RequestHash)
	f.amount(&m.MaxCost)
	f.hash(&m.Sheet)
	f.u32(&m.TTL)
}

func (m *Result) visit(f fields) {
	f.channel(&m.Channel)
	f.epoch(&m.Epoch)
	f.round(&m.RoundID)
	f.bool(&m.Final)
	f.hash(&m.RequestHash)
	f.hash(&m.ResponseHash)
	f.u64(&m.Input)
	f.u64(&m.Cached)
	f.u64(&m.Output)
	f.amount(&m.Cost)
	f.status(&m.Status)
}

// Digest is what is signed.
func (m Voucher) Digest(d Domain) Hash { return digest(d, &m) }

// Digest is what is signed.
func (m Release) Digest(d Domain) Hash { return digest(d, &m) }

// Digest is what is signed.
func (m Close) Digest(d Domain) Hash { return digest(d, &m) }

// Digest is what is signed.
func (m Request) Digest(d Domain) Hash { return digest(d, &m) }

// Digest is what is signed.
func (m Result) Digest(d Domain) Hash { return digest(d, &m) }

// Sign signs for the domain.
func (m Voucher) Sign(d Domain, k *Key) Signature { return k.Sign(m.Digest(d)) }

// Sign signs for the domain.
func (m Release) Sign(d Domain, k *Key) Signature { return k.Sign(m.Digest(d)) }

// Sign signs for the domain.
func (m Close) Sign(d Domain, k *Key) Signature { return k.Sign(m.Digest(d)) }

// Sign signs for the domain.
func (m Request) Sign(d Domain, k *Key) Signature { return k.Sign(m.Digest(d)) }

// Sign signs for the domain.
func (m Result) Sign(d Domain, k *Key) Signature { return k.Sign(m.Digest(d)) }

// Recover is who signed the message in the domain, to be compared with who
// should have.
func (m Voucher) Recover(d Domain, s Signature) (Address, error) { return s.Recover(m.Digest(d)) }

// Recover is like that of a Voucher.
func (m Release) Recover(d Domain, s Signature) (Address, error) { return s.Recover(m.Digest(d)) }

// Recover is like that of a Voucher.
func (m Close) Recover(d Domain, s Signature) (Address, error) { return s.Recover(m.Digest(d)) }

// Recover is like that of a Voucher.
func (m Request) Recover(d Domain, s Signature) (Address, error) { return s.Recover(m.Digest(d)) }

// Recover is like that of a Voucher.
func (m Result) Recover(d Domain, s Signature) (Address, error) { return s.Recover(m.Digest(d)) }

// digest panics on an epoch that the type has no bits for: the contract gives
// none, and decoding refuses it.
func digest(d Domain, m message) Hash {
	var w words
	w.digest(m.form().hash)
	m.visit(&w)
	return d.digest(keccak(w.b))
}
