package member

import (
	"context"
	"fmt"
	"time"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/mesh/gossip"
	"github.com/culvert-net/culvert/mesh/roster"
	"github.com/culvert-net/culvert/mesh/terrain"
	"github.com/culvert-net/culvert/mesh/world"
)

// SyncIn says with whom; empty: the partners of the moment.
type SyncIn struct {
	Peer string `json:"peer,omitempty"` // key, or its beginning
}

// Synced is a round.
type Synced struct {
	Seconds  float64       `json:"seconds"`
	Partners []SyncPartner `json:"partners"`
}

// SyncPartner is how it went with one member.
type SyncPartner struct {
	Key      string `json:"key"`
	Near     bool   `json:"near"`
	Mode     string `json:"mode"`   // how differences were found; empty: not at all
	Theirs   int    `json:"theirs"` // events that it had and we lacked
	Ours     int    `json:"ours"`   // events that we had and it lacked
	Added    int    `json:"added"`
	Sent     int    `json:"sent"`
	Bytes    int64  `json:"bytes"` // on the wire, both ways
	Trips    int    `json:"round_trips"`
	Learn    int64  `json:"learn_bytes"`       // of them to learn what differs, before padding
	LearnBy  int    `json:"learn_round_trips"` // in the session that took most
	Error    string `json:"error,omitempty"`
	Sessions int    `json:"sessions"`
}

// Sync runs a round now.
func Sync() Op[SyncIn, Synced] {
	return Op[SyncIn, Synced]{Route: "/member/sync", Limit: 5 * time.Minute, Alive: true, Do: (*Ops).sync}
}

func (o *Ops) sync(ctx context.Context, in SyncIn) (Synced, error) {
	if o.Service == nil {
		return Synced{}, app.NotReady(ErrNotRunning)
	}
	if err := o.IsMember(); err != nil {
		return Synced{}, app.NotReady(err)
	}
	if in.Peer == "" {
		return synced(o.Service.syncer.Round(ctx)), nil
	}
	key, err := o.find(in.Peer, func(yield func(roster.Key)) {
		for _, m := range o.Roster().Members() {
			if m.Key != o.self {
				yield(m.Key)
			}
		}
	})
	if err != nil {
		return Synced{}, err
	}
	return synced(o.Service.with(ctx, key)), nil
}

// with runs one session with a member, whoever the partners of the moment are.
func (s *Service) with(ctx context.Context, key roster.Key) gossip.Round {
	round := gossip.Round{Started: time.Now()}
	p := gossip.Partner{Key: key}
	stream, err := s.dial.Open(ctx, key)
	if err != nil {
		p.Sessions, p.Error = 1, gossip.ReasonUnreachable
	} else {
		r, err := gossip.Initiate(ctx, &s.session, key, stream)
		p.Take(&r, err)
	}
	round.Took, round.Partners = time.Since(round.Started), []gossip.Partner{p}
	return round
}

func synced(r gossip.Round) Synced {
	out := Synced{Seconds: r.Took.Seconds(), Partners: []SyncPartner{}}
	for _, p := range r.Partners {
		row := SyncPartner{
			Key: fullKey(p.Key), Near: p.Near, Mode: string(p.Mode), Theirs: p.Theirs, Ours: p.Ours, Added: p.Added, Sent: p.Sent,
			Bytes: p.Size.Wire.Total(), Trips: p.Trips, Learn: p.Learn.Total(), LearnBy: p.LearnBy, Sessions: p.Sessions,
		}
		if p.Error != gossip.ReasonNone {
			row.Error = p.Error.Label()
		}
		out.Partners = append(out.Partners, row)
	}
	return out
}

// Terrained is the map of an epoch.
type Terrained struct {
	Epoch  uint64         `json:"epoch"`
	Self   *TerrainPlace  `json:"self,omitempty"` // nil: this node does not stand on it
	Places []TerrainPlace `json:"places"`         // in the order of the ring
}

// TerrainPlace is where one member stands.
type TerrainPlace struct {
	Key    string `json:"key"`
	Phrase string `json:"phrase"`
	Region string `json:"region"`
	Chunk  string `json:"chunk"`
	Cell   uint32 `json:"cell"`
}

// Terrain is the map of the epoch as members see it.
func Terrain() Op[None, Terrained] {
	return Op[None, Terrained]{Route: "/member/terrain", Do: (*Ops).terrain}
}

func (o *Ops) terrain(_ context.Context, _ None) (Terrained, error) {
	if err := o.IsMember(); err != nil {
		return Terrained{}, app.NotReady(err)
	}
	epoch := o.cfg.World.Epoch(time.Now())
	_, speaks := (group{o.Member}).Speaks()
	cpk, err := o.keys.EntryKey(speaks, epoch)
	if err != nil {
		return Terrained{}, app.NotReady(err)
	}
	m := terrain.Draw(cpk, o.cfg.World.ID, epoch, group{o.Member}.Members())
	out := Terrained{Epoch: epoch, Places: []TerrainPlace{}}
	for _, p := range m.Places() {
		row := placeOf(p)
		out.Places = append(out.Places, row)
		if p.Key == o.self {
			out.Self = &row
		}
	}
	return out, nil
}

func placeOf(p terrain.Place) TerrainPlace {
	return TerrainPlace{
		Key: fullKey(p.Key), Phrase: world.PhraseAddress(p.Address.Canonical()), Region: fmt.Sprintf("%016x", p.Address.Region),
		Chunk: fmt.Sprintf("%016x", p.Address.Chunk), Cell: p.Address.Cell,
	}
}
