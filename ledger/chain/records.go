package chain

import (
	"encoding/binary"
	"fmt"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/ledger"
)

// Records are a version and fields of fixed width, big-endian; what is of any
// length comes last.

func encodeHead(run uint32, b Block) []byte {
	out := binary.BigEndian.AppendUint32([]byte{recordVersion}, run)
	out = binary.BigEndian.AppendUint64(out, b.Number)
	out = append(out, b.Hash[:]...)
	return binary.BigEndian.AppendUint64(out, b.Time)
}

func decodeHead(b []byte) (run uint32, at Block, err error) {
	f := fields{b: b, what: "the head"}
	f.version()
	run, at.Number = uint32(f.number(4)), f.number(8)
	f.take(at.Hash[:])
	at.Time = f.number(8)
	return run, at, f.end()
}

func encodeProvider(p ledger.Provider) []byte {
	price, bond := p.Price.Bytes(), p.Bond.Bytes()
	out := append([]byte{recordVersion}, p.Payout[:]...)
	out = append(out, price[:]...)
	out = binary.BigEndian.AppendUint64(out, p.Sequence)
	out = append(append(out, p.Content[:]...), bond[:]...)
	out = binary.BigEndian.AppendUint64(out, p.BondUntil)
	exited := byte(0)
	if p.Exited {
		exited = 1
	}
	return append(append(out, exited), p.Descriptor...)
}

func decodeProvider(a ledger.Address, b []byte) (ledger.Provider, error) {
	p := ledger.Provider{Address: a}
	f := fields{b: b, what: "a provider"}
	f.version()
	f.take(p.Payout[:])
	p.Price, p.Sequence = f.amount(), f.number(8)
	f.take(p.Content[:])
	p.Bond, p.BondUntil, p.Exited = f.amount(), f.number(8), f.bool()
	p.Descriptor = f.rest(maxLogData)
	return p, f.end()
}

func encodeChannel(c ledger.Channel) []byte {
	deposited, claimed, locked := c.Deposited.Bytes(), c.Claimed.Bytes(), c.Locked.Bytes()
	out := append([]byte{recordVersion}, c.Provider[:]...)
	out = append(append(out, c.Key[:]...), c.Funder[:]...)
	out = binary.BigEndian.AppendUint32(out, c.Epoch)
	out = append(append(append(out, deposited[:]...), claimed[:]...), locked[:]...)
	return binary.BigEndian.AppendUint64(out, c.CloseAt)
}

func decodeChannel(id ledger.ChannelID, b []byte) (ledger.Channel, error) {
	c := ledger.Channel{ID: id}
	f := fields{b: b, what: "a channel"}
	f.version()
	f.take(c.Provider[:])
	f.take(c.Key[:])
	f.take(c.Funder[:])
	c.Epoch = uint32(f.number(4))
	c.Deposited, c.Claimed, c.Locked, c.CloseAt = f.amount(), f.amount(), f.amount(), f.number(8)
	if f.err == nil && (c.Epoch > ledger.MaxEpoch || c.Deposited.Less(c.Claimed) || id != ledger.ChannelOf(c.Provider, c.Key, c.Funder)) {
		f.fail("its fields do not belong together")
	}
	return c, f.end()
}

func encodeBalance(a ledger.Amount) []byte {
	b := a.Bytes()
	return append([]byte{recordVersion}, b[:]...)
}

func decodeBalance(b []byte) (ledger.Amount, error) {
	f := fields{b: b, what: "a balance"}
	f.version()
	a := f.amount()
	return a, f.end()
}

// fields reads what a record has. After its first error it gives zeros.
type fields struct {
	b    []byte // what is left
	what string
	err  error
}

func (f *fields) fail(why string) {
	if f.err == nil {
		f.err = fmt.Errorf("record of %s: %s: %w", f.what, why, kv.ErrDamaged)
	}
	f.b = nil
}

func (f *fields) version() {
	if v := f.number(1); f.err == nil && v != recordVersion {
		f.fail(fmt.Sprintf("version %d is not known here; use the program that wrote it, or a newer one", v))
	}
}

// take fills out, or leaves it.
func (f *fields) take(out []byte) {
	if len(f.b) < len(out) {
		f.fail("it is cut short")
		return
	}
	copy(out, f.b)
	f.b = f.b[len(out):]
}

func (f *fields) number(width int) (v uint64) {
	var b [8]byte
	f.take(b[8-width:])
	if f.err != nil {
		return 0
	}
	return binary.BigEndian.Uint64(b[:])
}

func (f *fields) amount() ledger.Amount {
	var b [12]byte
	f.take(b[:])
	return ledger.AmountOfBytes(b)
}

func (f *fields) bool() bool {
	v := f.number(1)
	if v > 1 {
		f.fail("a bool is 0 or 1")
	}
	return v == 1
}

// rest is all that is left.
func (f *fields) rest(most int) []byte {
	if len(f.b) > most {
		f.fail("it is too long")
	}
	out := f.b
	f.b = nil
	return out
}

// block reads bytes behind their length.
func (f *fields) block(most int) []byte {
	n := f.number(4)
	if n > uint64(most) || n > uint64(len(f.b)) {
		f.fail("a length is beyond its end")
		return nil
	}
	out := f.b[:n:n]
	f.b = f.b[n:]
	return out
}

func (f *fields) end() error {
	if f.err == nil && len(f.b) > 0 {
		f.fail("there are bytes after its end")
	}
	return f.err
}
