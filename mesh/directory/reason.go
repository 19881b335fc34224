package directory

import (
	"errors"
	"fmt"
)

// ErrProtocol is wrapped by errors about bytes that no peer of the directory's
// protocols sends, and ErrRefused by those about requests that were answered with
// a Reason.
var (
	ErrProtocol = errors.New("not the directory protocol")
	ErrRefused  = errors.New("directory request refused")
)

// Reason is why a descriptor or a request was not taken. It is an error, and
// the only thing about one that crosses the wire: details stay local, wrapped
// around it.
type Reason uint8

// All reasons. The numbers are the wire codes of docs/spec/directory.md §4.
const (
	ReasonWorld      Reason = 1  // of another world
	ReasonMalformed  Reason = 2  // not canonical, too large, or the id is not its hash
	ReasonEpoch      Reason = 3  // neither this epoch nor the one before
	ReasonContact    Reason = 4  // a contact line breaks the rules
	ReasonCapability Reason = 5  // the capability breaks the rules
	ReasonSignature  Reason = 6  // the signature does not verify
	ReasonOldSeq     Reason = 7  // the key has published a higher seq
	ReasonChanges    Reason = 8  // too many seqs in one epoch
	ReasonModels     Reason = 9  // too many models under one key
	ReasonEquivocal  Reason = 10 // the key said two things under one seq; it is out for the epoch
	ReasonFull       Reason = 11 // no room for new keys in this epoch
	ReasonNotTaking  Reason = 12 // this server takes no publications
	ReasonRequest    Reason = 13 // the request is not one of this protocol
	ReasonStamp      Reason = 14 // no stamp of this epoch under the key, or a wrong one
	ReasonNoRoot     Reason = 15 // the bundle of that root is not here
	ReasonSheet      Reason = 16 // a price sheet that no descriptor names, or too large a one
)

func (r Reason) Error() string {
	switch r {
	case ReasonWorld:
		return "of another world"
	case ReasonMalformed:
		return "malformed descriptor"
	case ReasonEpoch:
		return "not of this epoch or the last; is the clock right?"
	case ReasonContact:
		return "bad contact line"
	case ReasonCapability:
		return "bad capability"
	case ReasonSignature:
		return "bad signature"
	case ReasonOldSeq:
		return "a higher seq is known"
	case ReasonChanges:
		return "too many changes in one epoch"
	case ReasonModels:
		return "too many models under one key"
	case ReasonEquivocal:
		return "two different descriptors under one seq"
	case ReasonFull:
		return "the directory is full"
	case ReasonNotTaking:
		return "publications are not taken here"
	case ReasonRequest:
		return "not a directory request"
	case ReasonStamp:
		return "no stamp for this epoch"
	case ReasonNoRoot:
		return "the bundle of that root is not here"
	case ReasonSheet:
		return "a price sheet that no descriptor names, or too large"
	}
	return fmt.Sprintf("reason %d", uint8(r))
}

// ReasonOf is the reason err was made of.
func ReasonOf(err error) Reason {
	var r Reason
	if errors.As(err, &r) {
		return r
	}
	return ReasonMalformed
}
