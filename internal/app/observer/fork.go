package observer

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/member"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/internal/files"
	"github.com/culvert-net/culvert/mesh/world"
)

// ForkOptions is what `observer world fork` is told.
type ForkOptions struct {
	From  string           // data directory in the old world
	Rules world.RuleBundle // of the new one
	Shown *member.Shown    // the old world, as its member knows it
	Force bool             // also if the rules are not active

	Place PlaceOptions // where the new world is founded; without Data it is not
	Keys  []string     // key files of other founders, if more than one decides
}

// Forked is what Fork made.
type Forked struct {
	Old, World *world.World
	Created    *CreateResult // nil: nobody has founded it
}

// Fork makes a world of the present one with other rules, and founds it if it is
// told where. Cut short, it can be repeated as long as the new directory has no
// world file.
func Fork(o ForkOptions) (*Forked, error) {
	old, err := node.LoadWorld(worldPath(o.From))
	if err != nil {
		return nil, err
	}
	if err := o.wanted(old); err != nil {
		return nil, err
	}
	made := *old
	made.ID, made.Rules = world.Hash{}, o.Rules
	w, err := world.New(made)
	if err != nil {
		return nil, app.Usage(err)
	}
	if o.Place.Data == "" {
		return &Forked{Old: old, World: w}, nil
	}
	if err := o.prepare(); err != nil {
		return nil, err
	}
	r, err := Create(CreateOptions{PlaceOptions: o.Place, Fork: w, Others: o.Keys, Operator: o.operator()})
	if err != nil {
		return nil, err
	}
	return &Forked{Old: old, World: r.World, Created: r}, nil
}

// wanted refuses rules that are no others, or that not enough members want.
func (o *ForkOptions) wanted(old *world.World) error {
	hash := o.Rules.Hash()
	if hash == old.Rules.Hash() {
		return app.Usage(errors.New("those are this world's own rules; change one (observer world rules prints them)"))
	}
	i := slices.IndexFunc(o.Shown.Rules, func(r member.ShownRules) bool { return r.Hash == hash.String() })
	if o.Force || i >= 0 && o.Shown.Rules[i].Active {
		return nil
	}
	state := "nobody endorses them"
	if i >= 0 {
		r := o.Shown.Rules[i]
		state = fmt.Sprintf("%.0f %% of the operators endorse them; enough did for %s", 100*r.Share, app.Count(int(r.For), "epoch"))
	}
	return app.Refused(fmt.Errorf("not enough members want rules %s for long enough: %s, so nobody else may come; see observer world show, or make the world all the same with --force",
		hash.Short(), state))
}

// operator is who runs this machine, as the old world's roster says.
func (o *ForkOptions) operator() string {
	for _, m := range o.Shown.Members {
		if m.Self {
			return m.Operator
		}
	}
	return ""
}

// prepare gives the new directory this machine's key and name, and ports beside
// those of the old one: both may run at once.
func (o *ForkOptions) prepare() error {
	key, err := node.LoadKey(filepath.Join(o.From, node.KeyFile))
	if err != nil {
		return err
	}
	place := &o.Place
	if err := os.MkdirAll(place.Data, 0o700); err != nil {
		return app.Usage(fmt.Errorf("--data-new: %w", err))
	}
	path := filepath.Join(place.Data, node.KeyFile)
	if _, err := os.Stat(path); err == nil {
		there, err := node.LoadKey(path)
		if err != nil {
			return err
		}
		if !ed25519.PrivateKey.Equal(there, key) {
			return app.Usage(fmt.Errorf("--data-new %s: another machine's key is there; choose another directory", place.Data))
		}
	} else if err := copyKey(path, filepath.Join(o.From, node.KeyFile)); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(place.Data, app.ConfigFile)); err == nil {
		return nil // it has a name and ports from an attempt before
	}
	cfg := Defaults()
	if _, err := app.Load(cfg, program, o.From, nil); err != nil {
		return err
	}
	place.Name = cfg.Node.Name
	if cfg.Rules != Defaults().Rules { // how this machine judges rules is no matter of the world
		place.Rules = &cfg.Rules
	}
	if len(place.Listen) == 0 {
		port, err := node.FreePort(defaultPort + 1)
		if err != nil {
			return err
		}
		place.Listen = node.ListenOn(port)
	}
	place.Status, err = node.StatusAddress(place.Status, statusPort+1)
	return err
}

// copyKey copies a key file.
func copyKey(to, from string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	defer clear(text)
	return files.Write(to, text, files.Private)
}
