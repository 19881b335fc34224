package vectors

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"strings"

	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// refusedExamples are our vectors that nothing accepts.
func refusedExamples() ([]example, error) {
	f := new(forger)
	f.form()
	f.order()
	f.envelopes()
	f.ids()
	f.signatures()
	f.types()
	f.rosters()
	f.list = append(f.list, wordsAndTickets()...)
	return f.list, f.err
}

// float is a float as it stands in bytes.
func float(v float64) []byte { return postcard.AppendFloat(nil, v) }

// Floats that no encoder writes.
const (
	minusZero = "\x00\x00\x00\x00\x00\x00\x00\x80"
	nan       = "\x00\x00\x00\x00\x00\x00\xf8\x7f"
	infinity  = "\x00\x00\x00\x00\x00\x00\xf0\x7f"
)

// form is bytes that are not in the form of their type.
func (f *forger) form() {
	endorsement := f.signed(exampleEndorsement().sign())
	whole, body := endorsement.Canonical(), endorsement.Body.Canonical()
	weight := float(exampleEndorsement().Weight)
	f.add("empty", "event", nil)
	f.add("cut", "event", whole[:len(whole)-1])
	f.add("trailing_byte", "event", append(bytes.Clone(whole), 0))
	f.add("too_large", "event", make([]byte, event.MaxEvent+1))
	f.body("minus_zero", endorsement, f.splice(body, weight, []byte(minusZero)))
	f.body("not_a_number", endorsement, f.splice(body, weight, []byte(nan)))
	f.body("infinity", endorsement, f.splice(body, weight, []byte(infinity)))

	world, epoch := inWorld(), postcard.AppendUint(nil, uint64(someEpoch))
	long := slices.Concat(epoch[:len(epoch)-1], []byte{epoch[len(epoch)-1] | 0x80, 0})
	f.body("varint_with_a_byte_too_many", endorsement, f.splice(body, slices.Concat(world[:], epoch), slices.Concat(world[:], long)))
	f.body("varint_of_eleven_bytes", endorsement, f.splice(body, slices.Concat(world[:], epoch),
		slices.Concat(world[:], bytes.Repeat([]byte{0xff}, 10), []byte{1})))
	f.body("unknown_body", endorsement, slices.Concat([]byte{9}, body[1:]))

	dispute := f.signed(exampleDispute().sign())
	body = dispute.Body.Canonical()
	reason := []byte(exampleDispute().Reason)
	length := []byte{byte(len(reason))}
	f.body("huge_length", dispute, f.splice(body, slices.Concat(length, reason),
		slices.Concat([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, reason)))
	f.body("not_utf8", dispute, f.splice(body, []byte("ß"), []byte{0xff, 0xfe}))
	key := dispute.Author()
	f.body("key_of_31_bytes", dispute, f.splice(body, slices.Concat([]byte{32}, key[:]), slices.Concat([]byte{31}, key[1:])))

	training := f.signed(exampleTraining().sign())
	two, three := fill(2), fill(3)
	f.body("huge_count", training, f.splice(training.Body.Canonical(), slices.Concat([]byte{2}, two[:]),
		slices.Concat([]byte{0xff, 0xff, 0xff, 0xff, 0x0f}, two[:])))

	receipt := f.signed(exampleReceipt().sign())
	f.body("option_2", receipt, f.splice(receipt.Body.Canonical(), slices.Concat(three[:], []byte{0}), slices.Concat(three[:], []byte{2})))
	ticketed := exampleReceipt()
	ticketed.Ticket = &probeTicketIn{Nonce: fill(0x99), Anchor: []byte("anchor"), Output: fill(0)}
	receipt = f.signed(ticketed.sign())
	own, other := parameters(0), parameters(1)
	f.body("ticket_of_other_parameters", receipt, f.splice(receipt.Body.Canonical(), own, other))
}

// parameters are a ticket's, the first one larger by so many bits.
func parameters(more int) []byte {
	b := postcard.AppendUint(nil, uint64(world.TicketN)<<more)
	return postcard.AppendUint(postcard.AppendUint(b, world.TicketR), world.TicketP)
}

// order is repeated fields out of order.
func (f *forger) order() {
	training := f.signed(exampleTraining().sign())
	two, three := fill(2), fill(3)
	both := slices.Concat(two[:], three[:])
	f.body("shards_out_of_order", training, f.splice(training.Body.Canonical(), both, slices.Concat(three[:], two[:])))
	f.body("shard_twice", training, f.splice(training.Body.Canonical(), both, slices.Concat(two[:], two[:])))

	verdict := f.signed(exampleVerdict().sign())
	sorted := reasonBytes("", "pii", "zebra", "a duplicate")
	f.body("reasons_by_their_letters", verdict, f.splice(verdict.Body.Canonical(), sorted, reasonBytes("", "a duplicate", "pii", "zebra")))

	d, err := descriptorIn{Seed: fill(0x77), Unsigned: exampleUnsigned()}.sign()
	if err != nil {
		f.err = err
		return
	}
	first, second := reasonBytes(exampleUnsigned().ContactPoints[0]), reasonBytes(exampleUnsigned().ContactPoints[1])
	f.add("contact_points_out_of_order", "descriptor", f.splice(d.Canonical(), slices.Concat(first, second), slices.Concat(second, first)))
	m := exampleManifest().manifest()
	a, b := world.Adapter(exampleManifest().Adapters[2]).Canonical(), world.Adapter(exampleManifest().Adapters[4]).Canonical()
	f.add("adapters_out_of_order", "capability_manifest", f.splice(m.Canonical(), slices.Concat(a, b), slices.Concat(b, a)))

	charter, err := exampleCharter().charter()
	if err != nil {
		f.err = err
		return
	}
	one := fill(1)
	f.add("founders_out_of_order", "charter", f.splice(charter.Canonical(), slices.Concat(one[:], two[:]), slices.Concat(two[:], one[:])))
	f.add("founder_twice", "charter", f.splice(charter.Canonical(), slices.Concat(one[:], two[:]), slices.Concat(one[:], one[:])))
}

// reasonBytes are strings as they stand in a sequence.
func reasonBytes(list ...string) (b []byte) {
	for _, s := range list {
		b = postcard.AppendString(b, s)
	}
	return b
}

// envelopes are bodies in envelopes that are not theirs.
func (f *forger) envelopes() {
	e := f.signed(exampleEndorsement().sign())
	body := e.Body.Canonical()
	f.add("type_0", "event", envelope(e.World(), e.Epoch(), 0, body))
	f.add("type_10", "event", envelope(e.World(), e.Epoch(), 10, body))
	f.add("type_of_another_body", "event", envelope(e.World(), e.Epoch(), event.TypeDispute, body))
	f.add("envelope_of_a_foreign_world", "event", envelope(fill(0x23), e.Epoch(), e.Type(), body))
	f.add("envelope_of_another_epoch", "event", envelope(e.World(), e.Epoch()+1, e.Type(), body))
	d, err := descriptorIn{Seed: fill(0x77), Unsigned: exampleUnsigned()}.sign()
	if err != nil {
		f.err = err
	}
	late := event.New(&event.DescriptorPublish{Place: event.Place{WorldID: inWorld(), EpochID: uint64(someEpoch) + 1}, Descriptor: d})
	f.add("descriptor_in_another_epoch", "event", late.Canonical())
	shard := f.signed(exampleShard().sign())
	f.add("shard_moved_to_another_world", "event", envelope(fill(0x23), shard.Epoch(), shard.Type(), shard.Body.Canonical()))
	f.add("shard_moved_to_another_epoch", "event", envelope(shard.World(), shard.Epoch()+1, shard.Type(), shard.Body.Canonical()))
}

// ids are events and bodies under names that are not theirs.
func (f *forger) ids() {
	e := f.signed(exampleEndorsement().sign())
	e.ID = fill(0xff)
	f.add("event_id", "event", e.Canonical())
	f.add("receipt_id", "event", changed(f.signed(exampleReceipt().sign()), func(r *event.Receipt) { r.ID = fill(0xff) }))
	f.add("shard_id", "event", changed(f.signed(exampleShard().sign()), func(s *event.Shard) { s.ID = fill(0xff) }))
	f.add("shard_digest", "event", changed(f.signed(exampleShard().sign()), func(s *event.Shard) { s.Digest = fill(0xff) }))
	f.add("manifest_id", "event", changed(f.signed(exampleTraining().sign()), func(m *event.Manifest) { m.ID = fill(0xff) }))
	published := f.signed(descriptorIn{Seed: fill(0x77), Unsigned: exampleUnsigned()}.publish())
	f.add("descriptor_id", "event", changed(published, func(p *event.DescriptorPublish) { p.Descriptor.ID = fill(0xff) }))
}

// signatures are those that the author did not make over these bytes.
func (f *forger) signatures() {
	in := exampleDispute()
	forge := func(name string, change func(*event.Dispute)) {
		f.add(name, "event", changed(f.signed(in.sign()), change))
	}
	forge("signature_with_a_bit_flipped", func(d *event.Dispute) { d.Signature[0] ^= 1 })
	forge("signature_stretched", func(d *event.Dispute) { d.Signature = stretched(d.Signature) })
	forge("signature_of_another_key", func(d *event.Dispute) {
		d.Key = f.signed(disputeIn{authorIn: author(2), EventA: fill(1)}.sign()).Author()
	})
	forge("signature_of_a_foreign_world", func(d *event.Dispute) { d.WorldID = fill(0x23) })
	forge("signature_of_another_epoch", func(d *event.Dispute) { d.EpochID++ })
	forge("signature_of_another_domain", resigned(in, func(m []byte) []byte {
		return append([]byte(world.DomainReceipt), m[len(world.DomainDispute):]...)
	}))
	forge("signature_without_a_domain", resigned(in, func(m []byte) []byte { return m[len(world.DomainDispute):] }))
	forge("signature_over_the_id_alone", resigned(in, func(m []byte) []byte { return m[:len(world.DomainDispute)+2*len(world.Hash{})] }))
}

// types are bounds, and one broken rule for each type that is no event.
func (f *forger) types() {
	f.add("weight_out_of_bounds", "event", changed(f.signed(exampleEndorsement().sign()), func(e *event.Endorsement) { e.Weight = event.MaxWeight + 1 }))
	f.add("long_reason", "event", changed(f.signed(exampleDispute().sign()), func(d *event.Dispute) { d.Reason = strings.Repeat("x", event.MaxReason+1) }))
	f.add("dispute_of_one_event", "event", changed(f.signed(exampleDispute().sign()), func(d *event.Dispute) { d.EventB = d.EventA }))
	f.add("verdict_maybe", "event", changed(f.signed(exampleVerdict().sign()), func(v *event.Verdict) { v.Verdict = "maybe" }))
	p50 := event.Metrics(exampleMetrics())
	p50.LatencyP50 = p50.LatencyP95 + 1
	f.add("metrics_p50_above_p95", "metrics", p50.Canonical())
	f.add("metrics_freshness_3", "metrics", append(bytes.TrimSuffix(event.Metrics(exampleMetrics()).Canonical(), []byte{1}), 3))

	rules := world.RuleBundle(exampleRules()).Canonical()
	f.add("rules_with_minus_zero", "rule_bundle", f.splice(rules, float(exampleRules().ExplorationRate), []byte(minusZero)))
	f.add("rules_with_a_version_of_33_bits", "rule_bundle", slices.Concat([]byte{0x80, 0x80, 0x80, 0x80, 0x10}, rules[1:]))
	terrain := slices.Concat(postcard.AppendUint(nil, 1), postcard.AppendUint(nil, 2), postcard.AppendUint(nil, 3), postcard.AppendUint(nil, math.MaxUint32+1))
	f.add("terrain_cell_of_33_bits", "terrain_address", terrain)
	charter, err := exampleCharter().charter()
	if err != nil {
		f.err = err
	}
	f.add("charter_cut", "charter", charter.Canonical()[:40])
}

// wordsAndTickets are phrase addresses and tickets.
func wordsAndTickets() []example {
	good := world.PhraseAddress([]byte{0x1f, 0xf2, 0x5d, 0xed})
	list := strings.Split(good, "-")
	list[0], list[1] = list[1], list[0]
	ticket := ticketIn{inWorld(), someEpoch, fill(0x44), fill(0x99), []byte("anchor")}
	return []example{
		{"refused_phrase_with_an_unknown_word", "phrase_address_refused", phraseRefusedIn{"culvert-" + good}},
		{"refused_phrase_with_a_wrong_word", "phrase_address_refused", phraseRefusedIn{"zoo" + strings.TrimPrefix(good, "cable")}},
		{"refused_phrase_in_another_order", "phrase_address_refused", phraseRefusedIn{strings.Join(list, "-")}},
		{"refused_phrase_without_a_one", "phrase_address_refused", phraseRefusedIn{"abandon-abandon"}},
		{"refused_ticket_without_work", "ticket_refused", ticketRefusedIn{ticket, fill(0x44), 2}},
		{"refused_ticket_of_a_made_up_output", "ticket_refused", ticketRefusedIn{ticket, world.Hash{}, 24}},
	}
}

// rosters is what the roster's readers refuse.
func (f *forger) rosters() {
	e, err := exampleEntry().entry()
	c, err2 := exampleChoice().choice()
	b, err3 := exampleBoxes().boxes()
	q, err4 := exampleJoin().request()
	if err := errors.Join(err, err2, err3, err4); err != nil {
		f.err = err
		return
	}
	whole := e.Canonical()
	f.add("entry_cut", "roster_entry", whole[:len(whole)-1])
	f.add("entry_with_a_trailing_byte", "roster_entry", append(bytes.Clone(whole), 0))
	one, two := e.Changes[1].Approvals[2].Canonical(), e.Changes[1].Approvals[1].Canonical()
	f.add("approvals_out_of_order", "roster_entry", f.splice(whole, slices.Concat(one, two), slices.Concat(two, one)))
	f.add("approval_twice", "roster_entry", f.splice(whole, slices.Concat(one, two), slices.Concat(one, one)))
	wrap := fill(0x42)
	f.add("role_4", "roster_entry", f.splice(whole, slices.Concat(wrap[:], []byte{1}), slices.Concat(wrap[:], []byte{4})))

	first, second := c.Signatures[0].Canonical(), c.Signatures[1].Canonical()
	if bytes.Compare(first, second) > 0 {
		first, second = second, first
	}
	f.add("choice_signatures_out_of_order", "roster_choice", f.splice(c.Canonical(), slices.Concat(first, second), slices.Concat(second, first)))
	x, y := fill(0x41), fill(0x43)
	f.add("boxes_out_of_order", "roster_boxes", f.splice(b.Canonical(), y[:], x[:]))
	request := q.Canonical()
	f.add("join_request_cut", "join_request", request[:len(request)-1])
}
