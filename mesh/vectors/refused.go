package vectors

import (
	"errors"
	"fmt"

	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/roster"
	"github.com/culvert-net/culvert/mesh/terrain"
	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// refusedKinds are bytes that no reader accepts, and why.
func refusedKinds() []kind {
	return []kind{
		{"refused", "bytes that are no value of their type, or an event that does not verify, and why", of(refused)},
		{"phrase_address_refused", "words that are no phrase address, and why", of(phraseRefused)},
		{"ticket_refused", "a ticket that is not worth what is asked, and why", of(ticketRefused)},
	}
}

type refusedIn struct {
	Type  string `json:"type"`
	Bytes octets `json:"bytes_hex"`
}

// accepted stands where the reason would: such a vector is itself wrong.
const accepted = "accepted"

func refused(in refusedIn) (*result, error) {
	var err error
	switch in.Type {
	case "event":
		var e *event.Event
		if e, err = event.Decode(in.Bytes); err == nil {
			err = e.Verify()
		}
	case "charter":
		_, err = world.DecodeCharter(in.Bytes)
	case "rule_bundle":
		_, err = world.DecodeRuleBundle(in.Bytes)
	case "capability_manifest":
		_, err = world.DecodeManifest(in.Bytes)
	case "descriptor":
		var d world.Descriptor
		if d, err = world.DecodeDescriptor(in.Bytes); err == nil {
			err = d.Verify()
		}
	case "metrics":
		var m event.Metrics
		if m, err = event.DecodeMetrics(in.Bytes); err == nil {
			err = m.Check()
		}
	case "terrain_address":
		_, err = terrain.Decode(in.Bytes)
	case "roster_entry":
		_, err = roster.DecodeEntry(in.Bytes)
	case "roster_choice":
		_, err = roster.DecodeChoice(in.Bytes)
	case "roster_boxes":
		_, err = roster.DecodeBoxes(in.Bytes)
	case "join_request":
		_, err = roster.DecodeRequest(in.Bytes)
	default:
		return nil, fmt.Errorf("no such type is known: %q", in.Type)
	}
	return &result{steps: hexed("error", reason(err))}, nil
}

// reason is the name vectors have for an error.
func reason(err error) string {
	for _, r := range []struct {
		err  error
		name string
	}{
		{postcard.ErrTruncated, "truncated"},
		{postcard.ErrTrailing, "trailing"},
		{postcard.ErrVarint, "varint"},
		{postcard.ErrLength, "length"},
		{postcard.ErrBool, "bool"},
		{postcard.ErrVariant, "variant"},
		{postcard.ErrFloat, "float"},
		{postcard.ErrUTF8, "utf8"},
		{postcard.ErrOrder, "order"},
		{postcard.ErrSize, "size"},
		{event.ErrTicketForm, "ticket_form"},
		{event.ErrTooLarge, "too_large"},
		{event.ErrType, "type"},
		{event.ErrPlace, "place"},
		{event.ErrBounds, "bounds"},
		{event.ErrID, "id"},
		{world.ErrDescriptorID, "id"},
		{event.ErrSignature, "signature"},
		{world.ErrSignature, "signature"},
		{world.ErrPhraseWord, "word"},
		{world.ErrPhraseChecksum, "checksum"},
		{world.ErrTicketWork, "work"},
		{world.ErrTicketWrong, "output"},
	} {
		if errors.Is(err, r.err) {
			return r.name
		}
	}
	if err == nil {
		return accepted
	}
	return "other"
}

type phraseRefusedIn struct {
	Words string `json:"phrase_address"`
}

func phraseRefused(in phraseRefusedIn) (*result, error) {
	_, err := world.ParsePhraseAddress(in.Words)
	return &result{steps: hexed("error", reason(err))}, nil
}

type ticketRefusedIn struct {
	ticketIn
	Output   world.Hash `json:"output_hex"`
	ZeroBits uint32     `json:"zero_bits"`
}

func ticketRefused(in ticketRefusedIn) (*result, error) {
	t := world.Ticket{Nonce: in.Nonce, Anchor: in.Anchor, Output: in.Output}
	return &result{steps: hexed("error", reason(t.Check(in.World, uint64(in.Epoch), in.Key, in.ZeroBits)))}, nil
}
