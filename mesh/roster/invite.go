package roster

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
	"golang.org/x/crypto/scrypt"

	"github.com/culvert-net/culvert/mesh/world"
)

// InviteID names an invite. It is public: it is in the file and in requests.
type InviteID [16]byte

func (id InviteID) String() string { return hex.EncodeToString(id[:]) }

// ParseInviteID reads what String writes.
func ParseInviteID(s string) (InviteID, error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(InviteID{}) {
		return InviteID{}, fmt.Errorf("%q is no invite's id: it has 32 hexadecimal digits", s)
	}
	return InviteID(b), nil
}

// Invite is what a newcomer is sent: all that is needed to ask, but for the
// phrase, which goes another way. It holds no secret.
type Invite struct {
	ID      InviteID
	Expires time.Time // to the second
	World   *world.World
	Addrs   []string // the inviter's: multiaddrs that end in its peer id

	// Role and Operator are what the newcomer must ask for; nil: its choice.
	Role     *Role
	Operator *string
}

// inviteFormat is the only format of invites so far.
const inviteFormat = 1

// inviteFile is an invite as TOML.
type inviteFile struct {
	Format   int64     `toml:"invite_format"`
	ID       string    `toml:"id"`
	Expires  time.Time `toml:"expires"`
	Inviter  []string  `toml:"inviter"`
	Role     *string   `toml:"role"`
	Operator *string   `toml:"operator"`
	World    string    `toml:"world"`
}

// Format is the invite's file. It is TOML, and the world file in it is to be
// read by people as well, so it stands there as it is.
func (v Invite) Format() ([]byte, error) {
	text, err := inFile(v.World)
	if err != nil {
		return nil, fmt.Errorf("writing an invite: %w", err)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "# An invite into a Culvert world. It is of use only with its phrase, which is sent another way.\n")
	fmt.Fprintf(&b, "invite_format = %d\nid = %q\nexpires = %s\n", inviteFormat, v.ID, v.Expires.UTC().Format(time.RFC3339))
	if v.Role != nil {
		fmt.Fprintf(&b, "role = %q\n", v.Role)
	}
	if v.Operator != nil {
		fmt.Fprintf(&b, "operator = %q\n", *v.Operator)
	}
	b.WriteString("inviter = [")
	for i, a := range v.Addrs {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%q", a)
	}
	fmt.Fprintf(&b, "]\nworld = '''\n%s'''\n", text)
	if _, err := ParseInvite(b.Bytes()); err != nil { // what is written must be readable
		return nil, fmt.Errorf("writing an invite: %w", err)
	}
	return b.Bytes(), nil
}

// inFile is a world file as it stands in another one, between three quotes.
func inFile(w *world.World) (string, error) {
	text, err := world.Format(w)
	if err != nil {
		return "", err
	}
	short := compact(string(text))
	if strings.Contains(short, "'''") {
		return "", errors.New("the world file has three quotes in a row")
	}
	return short, nil
}

// compact leaves out what a world file has for the eye, so that the invite fits
// into a QR code: comments, empty lines and indents.
func compact(text string) string {
	var out []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line != "" && line[0] != '#' {
			out = append(out, line+"\n")
		}
	}
	return strings.Join(out, "")
}

// ParseInvite reads an invite, and whether it is one at all; whether it has
// expired is Invite.Expired's business.
func ParseInvite(data []byte) (Invite, error) {
	fail := func(field, problem string) (Invite, error) {
		return Invite{}, fmt.Errorf("invite: %w", &world.FieldError{Field: field, Problem: problem})
	}
	if len(data) > MaxInviteFile {
		return Invite{}, fmt.Errorf("invite: it has more than %d bytes", MaxInviteFile)
	}
	var f inviteFile
	meta, err := toml.NewDecoder(bytes.NewReader(data)).Decode(&f)
	if err != nil {
		return Invite{}, fmt.Errorf("invite: %w", err)
	}
	if f.Format != inviteFormat {
		return fail("invite_format", fmt.Sprintf("%d is not known; this program reads format %d", f.Format, inviteFormat))
	}
	for _, key := range meta.Keys() {
		switch key.String() {
		case "invite_format", "id", "expires", "inviter", "role", "operator", "world":
		default:
			return fail(key.String(), "unknown key")
		}
	}
	v := Invite{Expires: f.Expires.UTC().Truncate(time.Second), Addrs: f.Inviter, Operator: f.Operator}
	if v.ID, err = ParseInviteID(f.ID); err != nil {
		return fail("id", err.Error())
	}
	if y := v.Expires.Year(); y < 1970 || y > 9999 {
		return fail("expires", "it is no time at which an invite ends")
	}
	if len(v.Addrs) == 0 || len(v.Addrs) > MaxInviteAddrs {
		return fail("inviter", fmt.Sprintf("%d addresses; there are 1 to %d", len(v.Addrs), MaxInviteAddrs))
	}
	for i, s := range v.Addrs {
		if a, err := world.ParseAddr(s); err != nil || !a.HasKey {
			return fail(fmt.Sprintf("inviter[%d]", i), "it is no multiaddr that ends in /p2p/<peer id>")
		}
	}
	if f.Role != nil {
		role, err := ParseRole(*f.Role)
		if err != nil {
			return fail("role", err.Error())
		}
		v.Role = &role
	}
	if f.Operator != nil {
		if err := CheckOperator(*f.Operator); err != nil {
			return fail("operator", err.Error())
		}
	}
	if v.World, err = world.Parse([]byte(f.World)); err != nil {
		return fail("world", err.Error())
	}
	return v, nil
}

// Expired reports whether the invite cannot be used any more.
func (v Invite) Expired(now time.Time) bool { return !now.Before(v.Expires) }

// newPhrase makes the phrase of an invite: seven words.
func newPhrase() string {
	var payload [invitePayload]byte
	_, _ = rand.Read(payload[:]) // never fails: it ends the program first
	return world.PhraseAddress(payload[:])
}

// CheckPhrase refuses what cannot be the phrase of any invite, so that whoever mistyped
// one is told before anything is done.
func CheckPhrase(phrase string) error {
	_, err := parsePhrase(phrase)
	return err
}

func parsePhrase(phrase string) ([]byte, error) {
	if strings.TrimSpace(phrase) == "" {
		return nil, errors.New("the invite's phrase is empty; it has seven words")
	}
	payload, err := world.ParsePhraseAddress(phrase)
	if err != nil {
		return nil, fmt.Errorf("the invite's phrase: %w", err)
	}
	if len(payload) != invitePayload {
		return nil, errors.New("the invite's phrase: it has seven words; is it that of a place on the map?")
	}
	return payload, nil
}

// phraseKey is what both sides compute from an invite's phrase. A mistyped
// phrase is found here, without an attempt at the inviter's.
func phraseKey(id InviteID, phrase string) (*world.Secret, error) {
	payload, err := parsePhrase(phrase)
	if err != nil {
		return nil, err
	}
	// The canonical form, whatever the case and the spaces that were typed.
	key, err := scrypt.Key([]byte(world.PhraseAddress(payload)), id[:], phraseN, phraseR, phraseP, 32)
	if err != nil {
		panic("roster: scrypt refuses fixed parameters: " + err.Error())
	}
	defer clear(key)
	return world.NewSecret([32]byte(key)), nil
}
