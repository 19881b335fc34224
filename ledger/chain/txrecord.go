package chain

import (
	"encoding/binary"
	"fmt"

	"github.com/culvert-net/culvert/ledger"
)

// Outcome is what became of a transaction.
type Outcome uint8

const (
	Open     Outcome = iota // not known yet
	Done                    // in a block that is deep enough
	Reverted                // in such a block, and the contract refused it
	Lost                    // another transaction of the wallet took its nonce
)

// String is the outcome in a word.
func (o Outcome) String() string {
	return [...]string{"open", "done", "reverted", "lost"}[o]
}

// intent is a transaction as it is stored: what it does, and each pair of fees it
// was signed with. Its bytes and hashes follow from that and the key, since
// signatures are deterministic.
type intent struct {
	nonce   uint64
	call    Call
	gas     uint64
	tries   []fees // the last is the newest
	sent    uint64 // Unix seconds of the newest
	outcome Outcome

	// Once it is in a block that is deep enough:
	try   uint8 // which of tries it was
	block uint64
	used  uint64        // gas
	paid  ledger.Amount // for gas
}

func (n *intent) newest() fees { return n.tries[len(n.tries)-1] }

func encodeIntent(n *intent) []byte {
	value, most, paid := n.call.Value.Bytes(), n.call.MaxFee.Bytes(), n.paid.Bytes()
	b := binary.BigEndian.AppendUint64([]byte{recordVersion, byte(n.outcome)}, n.gas)
	b = binary.BigEndian.AppendUint64(b, n.sent)
	b = append(b, n.try)
	b = binary.BigEndian.AppendUint64(b, n.block)
	b = binary.BigEndian.AppendUint64(b, n.used)
	b = append(b, paid[:]...)
	b = append(append(append(b, n.call.To[:]...), value[:]...), most[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(n.tries)))
	for _, f := range n.tries {
		tip, most := f.tip.Bytes(), f.most.Bytes()
		b = append(append(b, tip[:]...), most[:]...)
	}
	b = binary.BigEndian.AppendUint32(b, uint32(len(n.call.What)))
	b = append(b, n.call.What...)
	return append(b, n.call.Data...)
}

func decodeIntent(nonce uint64, b []byte) (*intent, error) {
	f := fields{b: b, what: fmt.Sprintf("transaction %d", nonce)}
	f.version()
	n := &intent{nonce: nonce, outcome: Outcome(f.number(1))}
	n.gas, n.sent, n.try = f.number(8), f.number(8), uint8(f.number(1))
	n.block, n.used, n.paid = f.number(8), f.number(8), f.amount()
	f.take(n.call.To[:])
	n.call.Value, n.call.MaxFee = f.amount(), f.amount()
	tries := f.number(4)
	if f.err == nil && (tries == 0 || tries > maxReplacements+1 || uint64(n.try) >= tries || n.outcome > Lost || n.gas > 2*maxGas) {
		f.fail("its fields do not belong together")
	}
	for range min(tries, maxReplacements+1) {
		n.tries = append(n.tries, fees{f.amount(), f.amount()})
	}
	n.call.What = string(f.block(maxWhat))
	n.call.Data = f.rest(maxCallData)
	return n, f.end()
}

// maxWhat bounds a call's name.
const maxWhat = 64
