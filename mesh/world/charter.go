package world

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// Mode says who admits members.
type Mode uint32

// The modes, in the order of the canonical bytes.
const (
	ModeClosed Mode = iota // m founders
	ModeVouch              // three members of different operators, and a ticket
	ModeOpen               // a ticket and a bond on the chain
	modeCount
)

// modeNames are the modes as a world file has them.
func modeNames() [modeCount]string { return [modeCount]string{"closed", "vouch", "open"} }

func (m Mode) String() string {
	if names := modeNames(); m < modeCount {
		return names[m]
	}
	return fmt.Sprintf("mode %d", uint32(m))
}

// ParseMode reads the name of a mode.
func ParseMode(s string) (Mode, error) {
	names := modeNames()
	if i := slices.Index(names[:], s); i >= 0 {
		return Mode(i), nil
	}
	return 0, fmt.Errorf("%q is not a mode; there are closed, vouch and open", s)
}

// Chain is the ledger of a world with money.
type Chain struct {
	ID              uint64
	Contract        [20]byte
	RuntimeCodeHash Hash // of the contract's code
}

// charterVersion is the only version of charters so far.
const charterVersion = 1

// CircuitSuite is the only circuit suite this program speaks.
const CircuitSuite = 1

// Charter is what a world's rule bundle cannot say: who founds it, who signs
// its directory, what its members may send. The fields are in canonical order.
type Charter struct {
	Version            uint32
	Founders           [][32]byte // Ed25519 keys; any order, canonical bytes sort and de-duplicate
	FounderThreshold   uint32     // m: how many of them decide
	Mode               Mode
	DirectorySigners   [][32]byte // as Founders
	DirectoryThreshold uint32     // t: how many of them sign a root
	CircuitSuite       uint8
	Chain              *Chain // nil in a world without money; not changed by anyone once it is here
	EventHorizonS      uint64 // how long events are kept
	QuotaPerAuthor     uint32 // events of one type in one epoch
	TicketBits         uint32
	ContentPolicyHash  Hash // zero if there is none
}

// Hash is the charter's place in the world's id. The charter must pass Check.
func (c Charter) Hash() Hash { return sum(c.Canonical()) }

// Canonical are the bytes that are hashed.
func (c Charter) Canonical() []byte {
	b := postcard.AppendUint(nil, uint64(c.Version))
	b = appendKeys(b, c.Founders)
	b = postcard.AppendUint(b, uint64(c.FounderThreshold))
	b = postcard.AppendUint(b, uint64(c.Mode))
	b = appendKeys(b, c.DirectorySigners)
	b = postcard.AppendUint(b, uint64(c.DirectoryThreshold))
	b = append(b, c.CircuitSuite)
	b = postcard.AppendBool(b, c.Chain != nil)
	if c.Chain != nil {
		b = postcard.AppendUint(b, c.Chain.ID)
		b = postcard.AppendArray(b, c.Chain.Contract[:])
		b = postcard.AppendArray(b, c.Chain.RuntimeCodeHash[:])
	}
	b = postcard.AppendUint(b, c.EventHorizonS)
	b = postcard.AppendUint(b, uint64(c.QuotaPerAuthor))
	b = postcard.AppendUint(b, uint64(c.TicketBits))
	return postcard.AppendArray(b, c.ContentPolicyHash[:])
}

func compareKeys(a, b [32]byte) int { return bytes.Compare(a[:], b[:]) }

// sortedKeys are keys in canonical order, each once.
func sortedKeys(keys [][32]byte) [][32]byte {
	keys = slices.Clone(keys)
	slices.SortFunc(keys, compareKeys)
	return slices.Compact(keys)
}

func appendKeys(b []byte, keys [][32]byte) []byte {
	keys = sortedKeys(keys)
	b = postcard.AppendUint(b, uint64(len(keys)))
	for _, k := range keys {
		b = postcard.AppendArray(b, k[:])
	}
	return b
}

func readKeys(d *postcard.Decoder) [][32]byte {
	n := d.Count(len([32]byte{}))
	var keys [][32]byte
	for i := range n {
		var k [32]byte
		d.Array(k[:])
		if d.Err() == nil && i > 0 && compareKeys(keys[i-1], k) >= 0 {
			d.Fail(postcard.ErrOrder)
		}
		if d.Err() != nil {
			return nil
		}
		keys = append(keys, k)
	}
	return keys
}

func readChain(d *postcard.Decoder) *Chain {
	if !d.Bool() {
		return nil
	}
	c := Chain{ID: d.U64()}
	d.Array(c.Contract[:])
	d.Array(c.RuntimeCodeHash[:])
	return &c
}

// DecodeCharter reads what Canonical writes and nothing else. It does not check
// bounds.
func DecodeCharter(b []byte) (Charter, error) {
	d := postcard.NewDecoder(b)
	c := Charter{ // a composite literal's calls run in the order they are written
		Version:            d.U32(),
		Founders:           readKeys(d),
		FounderThreshold:   d.U32(),
		Mode:               Mode(d.Variant(uint32(modeCount))),
		DirectorySigners:   readKeys(d),
		DirectoryThreshold: d.U32(),
		CircuitSuite:       d.U8(),
		Chain:              readChain(d),
		EventHorizonS:      d.U64(),
		QuotaPerAuthor:     d.U32(),
		TicketBits:         d.U32(),
	}
	d.Array(c.ContentPolicyHash[:])
	if err := d.Finish(); err != nil {
		return Charter{}, fmt.Errorf("decoding a charter: %w", err)
	}
	return c, nil
}

// Check compares every field with its bounds, the horizon with the length of
// an epoch under rules. The error is a *FieldError.
func (c Charter) Check(rules RuleBundle) error {
	minHorizon := (MinHorizonEpochs*rules.EpochLenMS + 999) / 1000
	const maxHorizon = uint64(MaxHorizon / time.Second)
	switch {
	case c.Version != charterVersion:
		return charterError("version", c.Version, "1; a newer charter needs a newer program")
	case c.Mode >= modeCount:
		return charterError("mode", c.Mode, "closed, vouch or open")
	case c.CircuitSuite != CircuitSuite:
		return charterError("circuit_suite", c.CircuitSuite, "1; another suite needs a newer program")
	case c.Mode == ModeOpen && c.Chain == nil:
		return charterError("mode", c.Mode, "closed or vouch in a world without [charter.chain], since open admits by bond")
	case c.EventHorizonS < minHorizon || c.EventHorizonS > maxHorizon:
		return charterError("event_horizon_s", c.EventHorizonS, fmt.Sprintf("%d (two epochs) to %d (ten years)", minHorizon, maxHorizon))
	case c.QuotaPerAuthor < 1:
		return charterError("quota_per_author", c.QuotaPerAuthor, "1 or more, else nobody can say anything")
	case c.TicketBits > MaxTicketBits:
		return charterError("ticket_bits", c.TicketBits, fmt.Sprintf("0 to %d", MaxTicketBits))
	}
	if err := checkQuorum("founder", "founders", c.Founders, MaxFounders, c.FounderThreshold); err != nil {
		return err
	}
	if err := checkQuorum("directory", "directory_signers", c.DirectorySigners, MaxSigners, c.DirectoryThreshold); err != nil {
		return err
	}
	// Two quorums then share a signer, so two roots of one epoch need one that
	// signed both, which is a proof against it.
	if n := len(c.DirectorySigners); 2*int(c.DirectoryThreshold) <= n {
		return charterError("directory_threshold", c.DirectoryThreshold, fmt.Sprintf("more than half of the %d directory_signers", n))
	}
	return checkChain(c.Chain)
}

// checkQuorum checks keys of which threshold decide.
func checkQuorum(threshold, list string, keys [][32]byte, most int, need uint32) error {
	if n := len(keys); n < 1 || n > most {
		return charterError(list, fmt.Sprintf("%d keys", n), fmt.Sprintf("1 to %d", most))
	}
	for i, k := range keys {
		switch {
		case k == [32]byte{}:
			return &FieldError{Field: fmt.Sprintf("charter.%s[%d]", list, i), Problem: "a key of zeros is nobody's"}
		case slices.Contains(keys[:i], k):
			return &FieldError{Field: fmt.Sprintf("charter.%s[%d]", list, i), Problem: "it is listed twice"}
		}
	}
	if need < 1 || int64(need) > int64(len(keys)) {
		return charterError(threshold+"_threshold", need, fmt.Sprintf("1 to %d, the number of %s", len(keys), list))
	}
	return nil
}

func checkChain(c *Chain) error {
	switch {
	case c == nil:
		return nil
	case c.ID < 1 || c.ID > math.MaxInt64: // a world file's integers end there
		return charterError("chain.chain_id", c.ID, fmt.Sprintf("1 to %d", int64(math.MaxInt64)))
	case c.Contract == [20]byte{}:
		return charterError("chain.contract", "the zero address", "that of the ledger's contract")
	case c.RuntimeCodeHash.IsZero():
		return charterError("chain.runtime_code_hash", "zero", "the hash of the contract's code")
	}
	return nil
}

func charterError(name string, value any, want string) error {
	return &FieldError{Field: "charter." + name, Problem: fmt.Sprintf("%v is out of bounds; it may be %s", value, want)}
}
