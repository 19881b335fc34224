package channel

import (
	"encoding/binary"
	"fmt"
	"io"

	"golang.org/x/crypto/sha3"

	"github.com/culvert-net/culvert/ledger"
)

// Frame is one message of a pay stream: a pointer to one of the types below.
//
// docs/spec/channel.md §2.
type Frame interface {
	record
	kind() uint8
}

// Hello is a pay stream's first frame: the round it is about. Its id is known
// to the two ends only, so that nothing is signed.
type Hello struct {
	Channel ledger.ChannelID
	Epoch   uint32
	Round   ledger.RoundID
}

// VoucherFrame pays.
type VoucherFrame struct {
	Voucher ledger.Signed[ledger.Voucher]
}

// Ask is the provider's wish for a voucher of so much in all.
type Ask struct {
	Round      ledger.RoundID
	Cumulative ledger.Amount
}

// ResultFrame ends a round.
type ResultFrame struct {
	Result ledger.Signed[ledger.Result]
}

// Accepted says that the provider holds a voucher of so much, on its disk, and
// how much it allows beyond it.
type Accepted struct {
	Cumulative ledger.Amount
	Allowance  ledger.Amount
}

// ResyncAsk asks for the provider's books of a channel, and takes back what was
// sent with numbers below Next and has not come. The session key signs.
type ResyncAsk struct {
	Channel   ledger.ChannelID
	Epoch     uint32
	Next      uint64
	Signature ledger.Signature
}

// State is the provider's books of a channel. The voucher, the payer's own, is
// its proof; the rest is the provider's word.
type State struct {
	Voucher   *ledger.Signed[ledger.Voucher] // the best; nil: none
	Finished  ledger.Amount                  // what finished rounds cost
	Reserved  ledger.Amount                  // what running ones may
	Next      uint64                         // above every sequence number that was seen
	Allowance ledger.Amount
	Closed    bool // nothing is admitted in this epoch any more
}

// ReleaseAsk asks the provider to close the channel by consent. The session
// key signs.
type ReleaseAsk struct {
	Channel   ledger.ChannelID
	Epoch     uint32
	Signature ledger.Signature
}

// ReleaseFrame is that consent.
type ReleaseFrame struct {
	Release ledger.Signed[ledger.Release]
}

// ErrorFrame says that what was asked was refused.
type ErrorFrame struct {
	Code   Code
	Wanted ledger.Amount // the cumulative amount that would do; zero: none would
	Text   string
}

const frameVersion = 1

func (*Hello) kind() uint8        { return 1 }
func (*VoucherFrame) kind() uint8 { return 2 }
func (*Ask) kind() uint8          { return 3 }
func (*ResultFrame) kind() uint8  { return 4 }
func (*Accepted) kind() uint8     { return 5 }
func (*ResyncAsk) kind() uint8    { return 6 }
func (*State) kind() uint8        { return 7 }
func (*ReleaseAsk) kind() uint8   { return 8 }
func (*ReleaseFrame) kind() uint8 { return 9 }
func (*ErrorFrame) kind() uint8   { return 10 }

func newFrame(kind uint8) Frame {
	switch kind {
	case 1:
		return new(Hello)
	case 2:
		return new(VoucherFrame)
	case 3:
		return new(Ask)
	case 4:
		return new(ResultFrame)
	case 5:
		return new(Accepted)
	case 6:
		return new(ResyncAsk)
	case 7:
		return new(State)
	case 8:
		return new(ReleaseAsk)
	case 9:
		return new(ReleaseFrame)
	case 10:
		return new(ErrorFrame)
	default:
		return nil
	}
}

func (f *Hello) visit(v fields) {
	v.version(frameVersion)
	v.fixed(f.Channel[:])
	v.u24(&f.Epoch)
	v.fixed(f.Round[:])
}

func (f *VoucherFrame) visit(v fields) { visitSigned(v, &f.Voucher, voucherBytes) }

func (f *Ask) visit(v fields) {
	v.fixed(f.Round[:])
	v.amount(&f.Cumulative)
}

func (f *ResultFrame) visit(v fields) { visitSigned(v, &f.Result, resultBytes) }

func (f *Accepted) visit(v fields) {
	v.amount(&f.Cumulative)
	v.amount(&f.Allowance)
}

func (f *ResyncAsk) visit(v fields) {
	v.fixed(f.Channel[:])
	v.u24(&f.Epoch)
	v.u64(&f.Next)
	v.fixed(f.Signature[:])
}

func (f *State) visit(v fields) {
	visitVoucher(v, &f.Voucher)
	v.amount(&f.Finished)
	v.amount(&f.Reserved)
	v.u64(&f.Next)
	v.amount(&f.Allowance)
	v.flag(&f.Closed)
}

func (f *ReleaseAsk) visit(v fields) {
	v.fixed(f.Channel[:])
	v.u24(&f.Epoch)
	v.fixed(f.Signature[:])
}

func (f *ReleaseFrame) visit(v fields) { visitSigned(v, &f.Release, releaseBytes) }

func (f *ErrorFrame) visit(v fields) {
	v.u8((*uint8)(&f.Code))
	v.amount(&f.Wanted)
	v.text(&f.Text, maxText)
}

// visitSigned is a signed message of a known length.
func visitSigned[M ledger.Voucher | ledger.Release | ledger.Close | ledger.Request | ledger.Result](v fields, s *ledger.Signed[M], size int) {
	if w, ok := v.(*writer); ok {
		w.fixed(s.Bytes())
		return
	}
	b := make([]byte, size)
	r := v.(*reader)
	if r.fixed(b); r.err != nil {
		return
	}
	signed, err := ledger.DecodeSigned[M](b)
	if err != nil {
		r.b, r.err = nil, err
		return
	}
	*s = signed
}

// visitVoucher is a flag and the voucher, if there is one.
func visitVoucher(v fields, p **ledger.Signed[ledger.Voucher]) {
	there := *p != nil
	if v.flag(&there); !there {
		*p = nil
		return
	}
	if *p == nil {
		*p = new(ledger.Signed[ledger.Voucher])
	}
	visitSigned(v, *p, voucherBytes)
}

// AppendFrame appends the frame's bytes: kind u8, length u16, body.
func AppendFrame(b []byte, f Frame) []byte {
	body := encode(f)
	b = append(b, f.kind())
	b = binary.BigEndian.AppendUint16(b, uint16(len(body)))
	return append(b, body...)
}

// WriteFrame writes the frame in one Write.
func WriteFrame(w io.Writer, f Frame) error {
	_, err := w.Write(AppendFrame(nil, f))
	return err
}

// ReadFrame reads one frame. At the end of the stream it is io.EOF; within a
// frame io.ErrUnexpectedEOF.
func ReadFrame(r io.Reader) (Frame, error) {
	var head [3]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	f, n := newFrame(head[0]), int(binary.BigEndian.Uint16(head[1:]))
	switch {
	case f == nil:
		return nil, fmt.Errorf("a pay frame of kind %d: %w: there is no such kind", head[0], ledger.ErrForm)
	case n > maxFrame:
		return nil, fmt.Errorf("a pay frame of %d bytes: %w: it has at most %d", n, ledger.ErrForm, maxFrame)
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(r, body); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	if err := decode(body, f); err != nil {
		return nil, err
	}
	return f, nil
}

// askDigest is what a session key signs to ask about its channel. It begins as
// no digest of EIP-712 does, so that neither can be taken for the other. next is
// zero in what asks for a release.
func askDigest(d ledger.Domain, kind uint8, id ledger.ChannelID, epoch uint32, next uint64) (digest ledger.Hash) {
	separator := d.Separator()
	h := sha3.NewLegacyKeccak256()
	_, _ = h.Write([]byte("\x19Culvert pay ask 1\n"))
	_, _ = h.Write(separator[:])
	_, _ = h.Write([]byte{kind})
	_, _ = h.Write(place{id, epoch}.seq(next))
	h.Sum(digest[:0])
	return digest
}
