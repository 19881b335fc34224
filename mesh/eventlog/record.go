package eventlog

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/culvert-net/culvert/mesh/event"
)

// Via is how an event came here. The numbers are stored.
type Via uint8

const (
	ViaOwn  Via = 1 // made here
	ViaPush Via = 2 // pushed by others when it was new
	ViaSync Via = 3 // fetched by reconciliation
)

// String returns the word for people.
func (v Via) String() string {
	switch v {
	case ViaOwn:
		return "own"
	case ViaPush:
		return "push"
	case ViaSync:
		return "sync"
	}
	return fmt.Sprintf("via %d", uint8(v))
}

// record is what is stored of an event: docs/spec/log.md section 2.
type record struct {
	via      Via
	kind     uint8  // the event's type, so that a scan can pass over it
	received uint64 // Unix milliseconds, as our clock was
	stamp    []byte // a descriptor's ticket as it was sent beside it, or none
	event    []byte // canonical
}

// headLen is a record's bytes before stamp and event.
const headLen = 1 + 1 + 8 + 2

// errRecord is returned for bytes that no record has.
var errRecord = errors.New("not a record of the event log")

func (r *record) encode() []byte {
	b := make([]byte, 0, headLen+len(r.stamp)+len(r.event))
	b = append(b, byte(r.via), r.kind)
	b = binary.BigEndian.AppendUint64(b, r.received)
	b = binary.BigEndian.AppendUint16(b, uint16(len(r.stamp)))
	b = append(b, r.stamp...)
	return append(b, r.event...)
}

// decodeRecord reads what encode wrote, and nothing else. What it returns
// refers to b.
func decodeRecord(b []byte) (record, error) {
	if len(b) < headLen {
		return record{}, errRecord
	}
	r := record{via: Via(b[0]), kind: b[1], received: binary.BigEndian.Uint64(b[2:])}
	stamp := int(binary.BigEndian.Uint16(b[10:]))
	b = b[headLen:]
	if r.via < ViaOwn || r.via > ViaSync || r.kind == 0 || r.received > 1<<62 ||
		stamp > maxStamp || len(b) <= stamp || len(b)-stamp > event.MaxEvent {
		return record{}, errRecord
	}
	r.stamp, r.event = b[:stamp:stamp], b[stamp:]
	return r, nil
}

// clone returns a record that owns its bytes.
func (r record) clone() record {
	r.stamp, r.event = bytes.Clone(r.stamp), bytes.Clone(r.event)
	return r
}

func (r *record) time() time.Time { return time.UnixMilli(int64(r.received)) }
