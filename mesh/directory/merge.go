package directory

import "time"

// merger adds verified entries to a set, whose mu the caller holds meanwhile.
type merger struct {
	set *Set
	now time.Time

	// What keys of the epoch before will need in an epoch, by epoch. Filled on
	// first need, kept up by newSlot.
	reserved map[uint64]room
}

// room is a number of keys and of bytes.
type room struct{ keys, bytes int }

func (r room) plus(o room) room { return room{r.keys + o.keys, r.bytes + o.bytes} }

func (r room) in(o room) bool { return r.keys <= o.keys && r.bytes <= o.bytes }

// contradicts reports whether two descriptors of one key, epoch and seq cannot
// both be true. Their signatures are no part of that.
func contradicts(a, b *entry) bool {
	return a.d.ID != b.d.ID && (a.model() == b.model() || !a.contact.sameNode(&b.contact))
}

// contradictions looks for proof within a batch, before merge looks at each
// entry against the set: a pair convicts its key even if both are older than
// what is known of it, else its next seq would wash it clean.
func (m *merger) contradictions(entries []*entry) (found bool) {
	type statement struct {
		key        [32]byte
		epoch, seq uint64
	}
	type model struct {
		statement
		name string
	}
	first := make(map[statement]*entry)
	byModel := make(map[model]*entry)
	for _, e := range entries {
		if e == nil {
			continue
		}
		at := statement{e.d.Key, e.d.Epoch, e.contact.seq}
		about := model{at, e.model()}
		// What agreed with the first entry about the node agrees with all.
		for _, other := range []*entry{byModel[about], first[at]} {
			if other != nil && contradicts(other, e) {
				found = m.convict(other, e) || found
			}
		}
		byModel[about] = e
		if first[at] == nil {
			first[at] = e
		}
	}
	return found
}

// merge adds e. Without an error, did says whether it is new.
func (m *merger) merge(e *entry) (did bool, err error) {
	sl := m.set.epochs[e.d.Epoch].slot(e.d.Key)
	switch {
	case sl == nil:
		if !m.fits(e, room{1, e.size}) {
			return false, ReasonFull
		}
		sl = m.newSlot(e)
		sl.seqs = 1
	case sl.proof != nil:
		return false, ReasonEquivocal
	case sl.holds(e.d.ID):
		return false, nil
	case e.contact.seq < sl.seq:
		return false, ReasonOldSeq
	case e.contact.seq > sl.seq:
		if sl.seqs == maxSeqs {
			return false, ReasonChanges
		}
		if !m.fits(e, room{0, e.size - sl.size}) {
			return false, ReasonFull
		}
		m.resize(e, sl, -sl.size)
		sl.seqs++
		sl.live = map[string]*entry{}
	default:
		for _, old := range sl.live {
			if contradicts(old, e) {
				return m.convict(old, e), ReasonEquivocal
			}
		}
		if len(sl.live) == maxModels {
			return false, ReasonModels
		}
		if !m.fits(e, room{0, e.size}) {
			return false, ReasonFull
		}
	}
	sl.seq = e.contact.seq
	sl.since = m.now
	sl.live[e.model()] = e
	m.resize(e, sl, e.size)
	node := makeNode(sl.live)
	m.set.sheets.rename(namer{e.d.Key, e.d.Epoch}, sl.node, node)
	sl.node = node
	return true, nil
}

// convict puts the key of a and b out for their epoch, unless it is already.
func (m *merger) convict(a, b *entry) bool {
	sl := m.set.epochs[a.d.Epoch].slot(a.d.Key)
	switch {
	case sl == nil && !m.fits(a, room{1, 0}):
		return false // nothing is believed of the key anyway
	case sl == nil:
		sl = m.newSlot(a)
	case sl.proof != nil:
		return false
	}
	m.resize(a, sl, -sl.size)
	sl.since = m.now
	m.set.sheets.rename(namer{a.d.Key, a.d.Epoch}, sl.node, nil)
	sl.live, sl.node, sl.proof = nil, nil, []*entry{}
	if size := a.size + b.size; m.fits(a, room{0, size}) {
		sl.proof = []*entry{a, b}
		m.resize(a, sl, size)
	}
	return true
}

// newSlot makes the empty slot of e.
func (m *merger) newSlot(e *entry) *slot {
	part := m.set.epochs[e.d.Epoch]
	if part == nil {
		part = &epochPart{slots: make(map[[32]byte]*slot)}
		m.set.epochs[e.d.Epoch] = part
	}
	sl := &slot{live: make(map[string]*entry)}
	part.slots[e.d.Key] = sl
	if r, ok := m.reserved[e.d.Epoch]; ok {
		if old := m.set.epochs[e.d.Epoch-1].slot(e.d.Key); old != nil {
			m.reserved[e.d.Epoch] = r.plus(room{-1, -old.size})
		}
	}
	return sl
}

// resize accounts for by more bytes in the slot of e.
func (m *merger) resize(e *entry, sl *slot, by int) {
	sl.size += by
	m.set.epochs[e.d.Epoch].size += by
}

// fits reports whether the key of e may take so much more of its epoch. A key
// that stood in the epoch before finds the room it had there: neither a flood
// of new keys at the start of an epoch nor old ones that grow keep it out.
func (m *merger) fits(e *entry, more room) bool {
	part := m.set.epochs[e.d.Epoch]
	if part == nil {
		return true
	}
	need := part.room().plus(more)
	before := m.set.epochs[e.d.Epoch-1]
	// Usually there is room even if all of them were still to come.
	if need.plus(before.room()).in(m.set.capacity) {
		return true
	}
	r := m.reserve(e.d.Epoch)
	if had := before.slot(e.d.Key); had != nil {
		has := 0
		if sl := part.slot(e.d.Key); sl != nil {
			has = sl.size
		} else {
			r = r.plus(room{-1, -had.size}) // its own part of the reserve
		}
		if has+more.bytes <= had.size {
			return need.in(m.set.capacity)
		}
	}
	return need.plus(r).in(m.set.capacity)
}

// reserve is the room kept in an epoch for keys of the one before that have
// not published yet.
func (m *merger) reserve(epoch uint64) room {
	if r, ok := m.reserved[epoch]; ok {
		return r
	}
	var r room
	if before := m.set.epochs[epoch-1]; before != nil {
		for key, sl := range before.slots {
			if m.set.epochs[epoch].slot(key) == nil {
				r = r.plus(room{1, sl.size})
			}
		}
	}
	if m.reserved == nil {
		m.reserved = make(map[uint64]room)
	}
	m.reserved[epoch] = r
	return r
}

// room is what an epoch takes.
func (p *epochPart) room() room {
	if p == nil {
		return room{}
	}
	return room{len(p.slots), p.size}
}
