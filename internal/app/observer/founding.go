package observer

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/member"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/internal/files"
	"github.com/culvert-net/culvert/mesh/roster"
	"github.com/culvert-net/culvert/mesh/world"
)

// foundingFile is the petition of a world that waits for founders whose keys are on
// other machines. It goes when the world is founded.
const foundingFile = "founding.toml"

// petition begins to found a world, and says how many approvals are missing: it makes
// the wrap key, by which approvals name this node, and the file that others approve.
func (s *setup) petition(w *world.World, keys []ed25519.PrivateKey, operator string) (int, error) {
	if err := roster.CheckOperator(operator); err != nil {
		return 0, app.Usage(err)
	}
	if err := s.unfound(); err != nil { // a wrap key is of one world
		return 0, err
	}
	ring, err := roster.OpenKeyring(s.data.Path(member.GroupFile), roster.New(w))
	if err != nil {
		return 0, err
	}
	c := roster.Change{Kind: roster.Add, Member: roster.Member{Key: s.public(), Wrap: ring.Wrap(), Role: roster.RoleMemory, Operator: operator}}
	sheet := roster.Sheet{World: w, Petition: roster.Petition{Proposer: s.public(), Change: c}}
	for _, key := range keys {
		if err := sheet.Approve(key, time.Now()); err != nil {
			return 0, app.Usage(fmt.Errorf("--founder-keys: %w", err))
		}
	}
	text, err := sheet.Format()
	if err != nil {
		return 0, err
	}
	return sheet.Missing(time.Now()), files.Write(s.data.Path(foundingFile), text, files.Private)
}

// approved founds the world that petition began.
func (o *CreateOptions) approved() (*CreateResult, error) {
	sheet, err := readSheets(o.Approved)
	if err != nil {
		return nil, err
	}
	if !sheet.Founds() {
		return nil, app.Usage(errors.New("--approved founds a world, and this is a change of one that there is; take it with: observer world approve FILE"))
	}
	// A directory that was not set up is not made by asking for it.
	key, err := node.LoadKey((&app.Data{Dir: o.Data}).Path(node.KeyFile))
	if first := sheet.Petition.Change.Member.Key; err != nil || [32]byte(key.Public().(ed25519.PublicKey)) != first {
		return nil, app.Usage(errors.Join(fmt.Errorf("the founding was begun on another machine (%x): send it the file; --data %s is not its directory", first[:4], o.Data), err))
	}
	s, err := o.begin()
	if err != nil {
		return nil, err
	}
	defer s.data.Close()
	if err := s.free(sheet.World); err != nil {
		return nil, err
	}
	if n := sheet.Missing(time.Now()); n > 0 {
		return nil, app.Usage(fmt.Errorf("missing or too old: %s of other founders, who give them with: observer world approve FILE", app.Count(n, "approval")))
	}
	ring, err := roster.OpenKeyring(s.data.Path(member.GroupFile), roster.New(sheet.World))
	if err != nil {
		return nil, err
	}
	if ring.Wrap() != sheet.Petition.Change.Member.Wrap {
		return nil, app.Usage(fmt.Errorf("the approvals are of an earlier founding on this machine, which was begun anew since: send %s to the founders", s.data.Path(foundingFile)))
	}
	addrs, err := s.addresses(sheet.World.Local, true)
	if err != nil {
		return nil, err
	}
	first := member.Founder{Operator: sheet.Petition.Change.Member.Operator, Approvals: sheet.Petition.Change.Approvals}
	if err := s.found(sheet.World, nil, first); err != nil {
		return nil, err
	}
	r := &CreateResult{World: sheet.World, Key: s.public(), Addrs: addrs}
	if err := s.enter(sheet.World); err != nil {
		return nil, err
	}
	return r, os.RemoveAll(s.data.Path(foundingFile))
}

// readSheets reads copies of one petition, with the approvals of all.
func readSheets(names []string) (roster.Sheet, error) {
	var all roster.Sheet
	for i, name := range names {
		_, sheet, err := readSheet(name)
		if err != nil {
			return all, err
		}
		if i == 0 {
			all = sheet
		} else if err := all.Merge(sheet); err != nil {
			return all, app.Usage(fmt.Errorf("%s and %s: %w", names[0], name, err))
		}
	}
	return all, nil
}

// readSheet reads a petition's file.
func readSheet(name string) (text []byte, _ roster.Sheet, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, roster.Sheet{}, app.Usage(fmt.Errorf("reading the petition: %w", err))
	}
	defer f.Close()
	if text, err = io.ReadAll(io.LimitReader(f, roster.MaxSheetFile+1)); err != nil {
		return nil, roster.Sheet{}, err
	}
	sheet, err := roster.ParseSheet(text)
	if err != nil {
		return nil, sheet, app.Usage(fmt.Errorf("%s: %w; it is no petition, or a part of one: get the file again from whoever sent it", name, err))
	}
	return text, sheet, nil
}
