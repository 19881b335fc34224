package observer

import (
	"context"
	"errors"
	"log/slog"

	"github.com/culvert-net/culvert/internal/app/member"
	"github.com/culvert-net/culvert/mesh"
	"github.com/culvert-net/culvert/mesh/roster"
)

// JoinOptions is what `observer join` is told.
type JoinOptions struct {
	PlaceOptions
	Invite   roster.Invite
	Phrase   string
	Operator string
	Progress func(text string)
}

// JoinResult is what Join made.
type JoinResult struct {
	Invite roster.Invite
	Key    [32]byte
	Addrs  []string
}

// Join makes a data directory of an invite: keys, configuration, world file, and
// a place among the world's members. Interrupted, it goes on where it was when it
// is called again.
func Join(ctx context.Context, o JoinOptions) (_ *JoinResult, err error) {
	inv := o.Invite
	s, err := o.begin()
	if err != nil {
		return nil, err
	}
	defer s.data.Close()
	r := &JoinResult{Invite: inv, Key: s.public()}
	if r.Addrs, err = s.addresses(inv.World.Local, false); err != nil {
		return nil, err
	}
	if err := s.enter(inv.World); err != nil {
		return nil, err
	}
	log := slog.New(slog.DiscardHandler)
	m, err := openMember(s.data, inv.World, s.key, s.cfg, roster.NoProviders{}, log)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	// It only asks: others connect when serve runs.
	host, err := mesh.New(mesh.Config{Key: s.key, Local: inv.World.Local, Log: log})
	if err != nil {
		return nil, err
	}
	defer host.Close()
	err = member.Join(ctx, member.JoinConfig{
		Invite: inv, Phrase: o.Phrase, Key: s.key, Dial: member.JoinLinks{Host: host}, Role: roster.RoleMemory, Operator: o.Operator,
		Member: m, Progress: o.Progress,
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}
