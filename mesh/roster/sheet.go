package roster

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/culvert-net/culvert/mesh/world"
)

// Sheet is a petition as a file, which goes from founder to founder by hand: when a
// world is founded there is no roster that petitions could travel with, and a
// founder need not be a member, nor its key be on a machine that others reach. It
// holds no secret.
type Sheet struct {
	World    *world.World
	Petition Petition
	Standing world.Hash // of the change's key, which approvals name
}

// Sheet is a petition of this roster as a file.
func (r *Roster) Sheet(q Petition) Sheet {
	r.mu.Lock()
	defer r.mu.Unlock()
	return Sheet{World: r.rules.world, Petition: q, Standing: r.state.standing(q.Change.Member.Key)}
}

// Founds reports whether the petition is for a world's first entry: later a
// proposer is a member already.
func (s *Sheet) Founds() bool {
	return s.Petition.Change.Kind == Add && s.Petition.Proposer == s.Petition.Change.Member.Key
}

// Approve adds a founder's approval. The sheet is believed: one that says something
// else than the roster gets approvals that are no good there.
func (s *Sheet) Approve(key ed25519.PrivateKey, now time.Time) error {
	r := newRules(s.World)
	public := publicKey(key)
	if !slices.Contains(r.terms.Founders, public) {
		return fmt.Errorf("%w: %s is none of the founders of world %q (%s)", ErrApproval, short(public), s.World.Phrase, s.World.ID.Short())
	}
	c := &s.Petition.Change
	a := signApproval(key, s.World.ID, s.Petition, s.Standing, s.World.Epoch(now)+r.life)
	c.Approvals = merge(c.Approvals, []Approval{a})
	if len(c.Approvals) > MaxApprovals {
		return fmt.Errorf("%w: %d approvals", ErrFull, len(c.Approvals))
	}
	return nil
}

// Merge takes the approvals of another copy of the same sheet.
func (s *Sheet) Merge(other Sheet) error {
	mine, theirs := s.Petition, other.Petition
	mine.Change.Approvals, theirs.Change.Approvals = nil, nil
	if s.World.ID != other.World.ID || s.Standing != other.Standing || !bytes.Equal(mine.Canonical(), theirs.Canonical()) {
		return errors.New("the two are about different changes")
	}
	s.Petition.Change.Approvals = merge(s.Petition.Change.Approvals, other.Petition.Change.Approvals)
	return nil
}

// Approved are the founders whose approvals in the sheet are good.
func (s *Sheet) Approved(now time.Time) []Key {
	r := newRules(s.World)
	var out []Key
	for _, a := range s.Petition.Change.Approvals {
		message := ApprovalMessage(s.World.ID, s.Petition, s.Standing, a.Expiry)
		if slices.Contains(r.terms.Founders, a.Key) && s.World.Epoch(now) <= a.Expiry && r.verify.signature(a.Key, message, a.Signature[:]) {
			out = append(out, a.Key)
		}
	}
	return out
}

// Missing is how many more founders' approvals it takes.
func (s *Sheet) Missing(now time.Time) int {
	return max(0, int(s.World.Terms().FounderThreshold)-len(s.Approved(now)))
}

// sheetFormat is the only format of sheets so far.
const sheetFormat = 1

// sheetFile is a sheet as TOML.
type sheetFile struct {
	Format   int64  `toml:"petition_format"`
	Petition string `toml:"petition"`
	Standing string `toml:"standing"`
	World    string `toml:"world"`
}

// Format is the sheet's file.
func (s *Sheet) Format() ([]byte, error) {
	text, err := inFile(s.World)
	if err != nil {
		return nil, fmt.Errorf("writing a petition: %w", err)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "# A change of who is a member of a Culvert world, with the approvals it has. It holds no secret.\n")
	fmt.Fprintf(&b, "# To read it, and to approve it as a founder: observer world approve FILE\n")
	fmt.Fprintf(&b, "petition_format = %d\npetition = \"%x\"\nstanding = \"%s\"\nworld = '''\n%s'''\n", sheetFormat, s.Petition.Canonical(), s.Standing, text)
	return b.Bytes(), nil
}

// ParseSheet reads what Format writes. It verifies no approval.
func ParseSheet(data []byte) (Sheet, error) {
	fail := func(field string, problem error) (Sheet, error) {
		return Sheet{}, fmt.Errorf("petition: %w", &world.FieldError{Field: field, Problem: problem.Error()})
	}
	if len(data) > MaxSheetFile {
		return Sheet{}, fmt.Errorf("petition: it has more than %d bytes", MaxSheetFile)
	}
	var f sheetFile
	meta, err := toml.NewDecoder(bytes.NewReader(data)).Decode(&f)
	if err != nil {
		return Sheet{}, fmt.Errorf("petition: %w", err)
	}
	if f.Format != sheetFormat {
		return fail("petition_format", fmt.Errorf("%d is not known; this program reads format %d", f.Format, sheetFormat))
	}
	if more := meta.Undecoded(); len(more) > 0 {
		return fail(more[0].String(), errors.New("unknown key"))
	}
	var s Sheet
	raw, err := hex.DecodeString(f.Petition)
	if err == nil {
		s.Petition, err = DecodePetition(raw)
	}
	if err != nil {
		return fail("petition", err)
	}
	if s.Standing, err = world.ParseHash(f.Standing); err != nil {
		return fail("standing", err)
	}
	if s.World, err = world.Parse([]byte(f.World)); err != nil {
		return fail("world", err)
	}
	return s, nil
}
