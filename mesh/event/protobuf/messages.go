package protobuf

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/world"
)

// The field numbers are the reference's. World and epoch of the envelope are
// ours: the reference has no room for where a shard or a manifest belongs.
func (m *envelope) table() table {
	return table{
		idField(1, &m.id),
		uint32Field(2, &m.typ),
		m.placeField(3, func(p *event.Place) field { return idField(3, &p.WorldID) }),
		m.placeField(4, func(p *event.Place) field { return uint64Field(4, &p.EpochID) }),
		bodyField(10, m, receipt),
		bodyField(11, m, attestation),
		bodyField(12, m, dispute),
		bodyField(13, m, linkHint),
		bodyField(14, m, endorsement),
		bodyField(15, m, shard),
		bodyField(16, m, verdict),
		bodyField(17, m, manifest),
		bodyField(18, m, publish),
	}
}

// placeField is a field of the place, which is there when one of them is.
func (m *envelope) placeField(n protowire.Number, of func(*event.Place) field) field {
	return field{
		number: n, typ: of(new(event.Place)).typ,
		put: func(b []byte, n protowire.Number) []byte {
			if m.place == nil {
				return b
			}
			return of(m.place).put(b, n)
		},
		take: func(v value) error {
			if m.place == nil {
				m.place = new(event.Place)
			}
			return of(m.place).take(v)
		},
	}
}

// bodyField is one of the bodies, of which a message has one.
func bodyField[B any, P interface {
	*B
	event.Body
}](n protowire.Number, m *envelope, fields func(P) table) field {
	is := func() bool {
		_, ok := m.body.(P)
		return ok
	}
	return delimited(n, is, func() []byte { return fields(m.body.(P)).append(nil) }, func(b []byte) error {
		if m.body != nil {
			return fmt.Errorf("%w: there are two bodies", ErrField)
		}
		body := P(new(B))
		m.body = body
		return fields(body).read(b)
	})
}

func receipt(r *event.Receipt) table {
	return table{
		idField(1, &r.ID), idField(2, &r.WorldID), uint64Field(3, &r.EpochID), idField(4, &r.Challenge), idField(5, &r.Target),
		optionalIDField(6, &r.TargetFAH), idField(7, &r.Outcome), ticketField(8, &r.Ticket), fixedField(9, r.Key[:]), fixedField(10, r.Signature[:]),
	}
}

// ticketField is an optional ProbeTicket.
func ticketField(n protowire.Number, at **world.Ticket) field {
	write := func() []byte {
		content, n, r, p := (*at).Bytes(), uint32(world.TicketN), uint32(world.TicketR), uint32(world.TicketP)
		return ticket(&content, &n, &r, &p).append(nil)
	}
	return delimited(n, func() bool { return *at != nil }, write, func(b []byte) error {
		var content []byte
		var n, r, p uint32
		if err := ticket(&content, &n, &r, &p).read(b); err != nil {
			return err
		}
		t, err := world.ParseTicket(content)
		if err != nil || n != world.TicketN || r != world.TicketR || p != world.TicketP {
			return event.ErrTicketForm
		}
		*at = &t
		return nil
	})
}

func ticket(content *[]byte, n, r, p *uint32) table {
	return table{bytesField(1, content), uint32Field(2, n), uint32Field(3, r), uint32Field(4, p)}
}

func attestation(a *event.Attestation) table {
	return table{
		idField(1, &a.ID), idField(2, &a.WorldID), uint64Field(3, &a.EpochID), idField(4, &a.Challenge), idField(5, &a.Target),
		optionalIDField(6, &a.TargetFAH), messageField(7, metrics(&a.Metrics)), idField(8, &a.Evidence), bytesField(9, &a.Anchor),
		fixedField(10, a.Key[:]), fixedField(11, a.Signature[:]),
	}
}

func metrics(m *event.Metrics) table {
	return table{
		doubleField(1, &m.SuccessRate), doubleField(2, &m.RefusalConsistency), doubleField(3, &m.ToolFidelity), uint32Field(4, &m.LatencyP50),
		uint32Field(5, &m.LatencyP95), doubleField(6, &m.Robustness), doubleField(7, &m.Drift), uint32Field(8, &m.Freshness),
	}
}

func dispute(d *event.Dispute) table {
	return table{
		idField(1, &d.WorldID), uint64Field(2, &d.EpochID), idField(3, &d.EventA), idField(4, &d.EventB), stringField(5, &d.Reason),
		fixedField(6, d.Key[:]), fixedField(7, d.Signature[:]),
	}
}

func linkHint(l *event.LinkHint) table {
	return table{
		idField(1, &l.WorldID), uint64Field(2, &l.EpochID), idField(3, &l.TargetA), idField(4, &l.TargetB), idField(5, &l.Evidence),
		doubleField(6, &l.Compatibility), fixedField(7, l.Key[:]), fixedField(8, l.Signature[:]),
	}
}

func endorsement(e *event.Endorsement) table {
	return table{
		idField(1, &e.WorldID), uint64Field(2, &e.EpochID), hashField(3, &e.Rules), doubleField(4, &e.Weight),
		fixedField(5, e.Key[:]), fixedField(6, e.Signature[:]),
	}
}

func shard(s *event.Shard) table {
	return table{
		hashField(1, &s.ID), stringField(2, &s.Source), bytesField(3, &s.Payload), hashField(4, &s.Digest),
		fixedField(5, s.Key[:]), fixedField(6, s.Signature[:]),
	}
}

func verdict(v *event.Verdict) table {
	return table{
		idField(1, &v.WorldID), uint64Field(2, &v.EpochID), hashField(3, &v.Shard), stringField(4, &v.Verdict), stringsField(5, &v.Reasons),
		fixedField(6, v.Key[:]), fixedField(7, v.Signature[:]),
	}
}

func manifest(m *event.Manifest) table {
	return table{
		hashField(1, &m.ID), stringField(2, &m.BaseModel), hashField(3, &m.Artifact), messagesField(4, &m.Shards, bytes32), stringField(5, &m.Method),
		fixedField(6, m.EvalReport[:]), fixedField(7, m.Key[:]), fixedField(8, m.Signature[:]),
	}
}

func publish(p *event.DescriptorPublish) table {
	return table{idField(1, &p.WorldID), uint64Field(2, &p.EpochID), messageField(3, descriptor(&p.Descriptor))}
}
