package gossip

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// peers remembers what each peer has cost and done, to decide who is dialled and
// who is answered.
type peers struct {
	mu  sync.Mutex
	all map[[32]byte]*peer // guarded by mu
}

// peer is one of them.
type peer struct {
	sessions allowance
	bytes    allowance
	failures int       // in a row
	until    time.Time // not dialled before
	banned   bool      // nor answered
	last     Reason    // of the last failure, until a session succeeds
	told     bool      // it was the peer who said so
	seen     time.Time // when it last cost something
}

// allowance is what is left of so much in a time. It may be overdrawn by what
// is known only afterwards, and then has to recover first.
type allowance struct {
	used float64
	at   time.Time
}

// left reports whether something is left of limit in a time.
func (a *allowance) left(limit float64, per time.Duration, now time.Time) bool {
	a.used = max(0, a.used-limit*float64(now.Sub(a.at))/float64(per))
	a.at = now
	return a.used < limit
}

// get is the peer's record. The caller holds mu.
func (p *peers) get(key [32]byte, now time.Time) *peer {
	x := p.all[key]
	if x == nil {
		if p.all == nil {
			p.all = make(map[[32]byte]*peer)
		}
		if len(p.all) >= maxPeers {
			p.forget()
		}
		x = &peer{sessions: allowance{at: now}, bytes: allowance{at: now}}
		p.all[key] = x
	}
	x.seen = now
	if x.banned && !now.Before(x.until) {
		x.banned = false
	}
	return x
}

// forget drops the record that nothing happened to for longest, unless all are
// banned. The caller holds mu.
func (p *peers) forget() {
	var oldest [32]byte
	found := false
	for key, x := range p.all {
		if !x.banned && (!found || x.seen.Before(p.all[oldest].seen)) {
			oldest, found = key, true
		}
	}
	if !found {
		for oldest = range p.all {
			break
		}
	}
	delete(p.all, oldest)
}

// admit decides about a session that a peer opened, and counts it.
func (p *peers) admit(key [32]byte, now time.Time) Reason {
	p.mu.Lock()
	defer p.mu.Unlock()
	x := p.get(key, now)
	switch {
	case x.banned:
		return ReasonBanned
	case !x.sessions.left(peerSessions, time.Minute, now), !x.bytes.left(peerBytes, time.Minute, now):
		return ReasonBudget
	}
	x.sessions.used++
	return ReasonNone
}

// ready reports whether a peer may be dialled now.
func (p *peers) ready(key [32]byte, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	x := p.all[key]
	return x == nil || !now.Before(x.until)
}

// rest leaves a peer alone until some time at least.
func (p *peers) rest(key [32]byte, until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if x := p.all[key]; x != nil && x.until.Before(until) {
		x.until = until
	}
}

// wake forgets backoffs, not bans: the network may be another one now.
func (p *peers) wake() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, x := range p.all {
		if !x.banned {
			x.until = time.Time{}
		}
	}
}

// done takes in how a session went, and reports whether it got the peer banned.
func (p *peers) done(r *Result, err error, now time.Time) (banned bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	x := p.get(r.Peer, now)
	x.bytes.left(peerBytes, time.Minute, now)
	x.bytes.used += float64(r.Size.Wire.Total())
	if err == nil {
		if !x.banned {
			x.failures, x.until, x.last, x.told = 0, time.Time{}, ReasonNone, false
		}
		return false
	}
	if x.banned {
		return false
	}
	x.last = ReasonOf(err)
	x.told = toldBy(err)
	c := backoff
	if x.last < reasons && !x.told {
		c = reasonTable[x.last].cost
	}
	// Somebody on the way can make a stream fail, or answer for a member, but
	// after the proof what is authentic is the member's own.
	if c == ban && !r.Proved {
		c = backoff
	}
	switch c {
	case ban:
		x.banned, x.until = true, now.Add(banTime)
	case backoff:
		x.until = now.Add(min(backoffMin<<min(x.failures, 16), backoffMax))
		x.failures++
	}
	return x.banned
}

// PeerStatus is what is held against one peer.
type PeerStatus struct {
	Key    [32]byte
	Reason Reason
	Told   bool      // the peer gave the reason
	Banned bool      // else it is left alone for a while
	Until  time.Time // when it is dialled again
}

// list is the peers that something is held against.
func (p *peers) list(now time.Time) []PeerStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []PeerStatus
	for _, key := range slices.SortedFunc(maps.Keys(p.all), compareKeys) {
		x := p.all[key]
		if now.Before(x.until) {
			out = append(out, PeerStatus{Key: key, Reason: x.last, Told: x.told, Banned: x.banned, Until: x.until})
		}
	}
	return out
}

func compareKeys(a, b [32]byte) int { return slices.Compare(a[:], b[:]) }
