package gossip

import (
	"maps"
	"slices"

	"github.com/culvert-net/culvert/mesh/recon"
)

// exchange sends what the peer lacks and fetches what we lack. It reports
// whether what we know of the peer's set by then is what it said its set is.
func (d *difference) exchange() (exact bool, err error) {
	wanted := slices.Sorted(maps.Keys(d.lack))
	done, err := d.trade(kindWant, len(wanted), func(from, to int) []byte {
		return appendShorts(nil, wanted[from:to])
	}, func(id *ID) bool {
		return take(d.lack, recon.ShortID(&d.short, id))
	}, func(i int) bool {
		return take(d.lack, wanted[i])
	})
	return !done || d.gone == 0 && d.sum.Sum() == d.want, err
}

// take takes an item out of a set, and reports whether it was in.
func take[K comparable](set map[K]bool, key K) bool {
	ok := set[key]
	delete(set, key)
	return ok
}

// trade sends what the peer lacks and asks for n events, turn by turn. part is
// what to ask for the events from one place to another, expected reports of an
// event that came whether it was to come, and missing, of one that the peer has
// looked for, whether it did not. It reports whether all is done.
func (d *difference) trade(k kind, n int, part func(from, to int) []byte, expected func(*ID) bool, missing func(i int) bool) (done bool, err error) {
	at := 0
	for range maxTurns {
		// What another peer is sending already is not asked for a second time.
		if n > at && !d.claim.take(n-at, d.others) {
			n, d.result.Deferred = at, true
		}
		if len(d.give) == 0 && at == n {
			d.result.Left = d.result.Left || d.result.Deferred
			return !d.result.Deferred, nil
		}
		if err := d.sendEvents(&d.give); err != nil {
			return false, err
		}
		asked := min(n-at, maxWant)
		if asked > 0 {
			if err := d.ch.send(k, part(at, at+asked)); err != nil {
				return false, err
			}
		}
		answered, err := d.turn(asked, expected)
		if err != nil {
			return false, err
		}
		for i := at; i < at+answered; i++ {
			if missing(i) {
				d.gone++
			}
		}
		at += answered
	}
	d.result.Left = true
	return false, nil
}

// turn ends our turn and takes the peer's: events that we asked for, and how many
// of those it has looked for.
func (d *difference) turn(asked int, expected func(*ID) bool) (answered int, err error) {
	if err := d.ch.send(kindTurn, number(0)); err != nil {
		return 0, err
	}
	if err := d.ch.flush(); err != nil {
		return 0, err
	}
	size := 0
	for {
		k, b, err := d.ch.recv(kindEvents, kindTurn)
		if err != nil {
			return 0, err
		}
		if k == kindTurn {
			n, err := readNumber(k, b)
			if err != nil {
				return 0, err
			}
			if n > uint64(asked) || n == 0 && asked > 0 {
				return 0, fail(ReasonMalformed, "%d of %d events looked for", n, asked)
			}
			return int(n), nil
		}
		if size += len(b); size > maxTurn+maxEvents {
			return 0, fail(ReasonLimit, "%d bytes of events in a turn", size)
		}
		if err := d.takeEvents(b, func(id *ID) bool {
			d.sum.Add(id)
			return expected(id)
		}); err != nil {
			return 0, err
		}
	}
}

// ranges is what is left when cells or a list did not lead to the set that the
// peer said it has: comparison of whole ids, which needs no luck.
func (d *difference) ranges() error {
	if d.gone > 0 {
		d.result.Left = true
		return fail(ReasonWithheld, "%d events", d.gone)
	}
	d.result.Mode = ModeRanges
	others := d.claim.others()
	own, err := d.collect(d.from, d.shift, d.own.pages)
	if err != nil {
		return err
	}
	d.own, d.others = own, others
	set := newStorage(own)
	r := recon.NewRanges(&d.short, set, recon.Limits{})
	message := r.Initiate()
	for first := true; ; first = false {
		if err := d.work(int64(len(message)) * workByte); err != nil {
			return err
		}
		if err := d.ch.send(kindRanges, message); err != nil {
			return err
		}
		if err := d.ch.flush(); err != nil {
			return err
		}
		if first {
			_, b, err := d.ch.recv(kindState)
			if err != nil {
				return err
			}
			if len(b) != len(d.want) {
				return fail(ReasonMalformed, "a state of %d bytes", len(b))
			}
			d.want = [32]byte(b)
		}
		_, b, err := d.ch.recv(kindRanges)
		if err != nil {
			return err
		}
		if err := d.work(int64(len(b)) * workByte); err != nil {
			return err
		}
		if message, err = r.Respond(b); err != nil {
			return blame(err)
		}
		if r.Done() {
			break
		}
	}
	if err := d.ch.send(kindRangesEnd, nil); err != nil {
		return err
	}
	return d.settle(set, r)
}

// settle exchanges what ranges found, and holds the peer to what it said its set
// is: by now every id was seen whole.
func (d *difference) settle(set *storage, r *recon.Ranges) error {
	d.sum = *d.own.sum()
	d.give = d.give[:0]
	for _, id := range r.Have() {
		at, ok := set.place(id)
		if !ok {
			return fail(ReasonCells, "an id of ours that is not")
		}
		d.lose(at)
	}
	d.result.Ours, d.result.Theirs = len(r.Have()), len(r.Need())
	d.strike()
	refused := make(map[ID]bool)
	for _, id := range d.Known.in(d.peer.member, d.own.pages, d.shift) {
		refused[id] = true
	}
	full := make(map[ID]bool)
	var wanted []ID
	for _, id := range r.Need() {
		if refused[id] {
			d.sum.Add(&id)
		} else if !full[id] {
			full[id] = true
			wanted = append(wanted, id)
		}
	}
	done, err := d.trade(kindWantIDs, len(wanted), func(from, to int) []byte {
		b := make([]byte, 0, (to-from)*len(ID{}))
		for _, id := range wanted[from:to] {
			b = append(b, id[:]...)
		}
		return b
	}, func(id *ID) bool {
		return take(full, *id)
	}, func(i int) bool {
		return take(full, wanted[i])
	})
	switch {
	case err != nil || !done:
		return err
	case d.gone > 0:
		d.result.Left = true
		return fail(ReasonWithheld, "%d events", d.gone)
	case d.sum.Sum() != d.want:
		return &Error{Reason: ReasonFingerprint}
	}
	return nil
}
