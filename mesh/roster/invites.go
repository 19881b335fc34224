package roster

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// bucketInvites has a record for each invite that is open, or was used.
const bucketInvites = "roster-invites"

// Invites remembers the invites that this node gave out: which are open, how
// many attempts are left, and who used one. What it says is on the disk before
// it is said, so an invite is used once, whatever is killed.
type Invites struct {
	store kv.Store
	world *world.World
}

// NewInvites keeps invites of a world in store.
func NewInvites(store kv.Store, w *world.World) *Invites { return &Invites{store: store, world: w} }

// OpenInvite is an invite as its inviter sees it. The phrase is kept nowhere.
type OpenInvite struct {
	ID       InviteID
	Expires  time.Time
	Role     *Role
	Operator *string
	Attempts int  // left
	Used     bool // by Member
	Member   Key
}

// record is what is stored of an invite.
type inviteRecord struct {
	OpenInvite
	digest world.Hash    // of the member that used it
	phrase *world.Secret // what the phrase comes to
}

// Create makes an invite and its phrase, which is shown once: give the two to
// the newcomer by different ways. role and operator are what it must ask for;
// nil leaves it the choice.
func (v *Invites) Create(ctx context.Context, addrs []string, role *Role, operator *string, now time.Time) (Invite, string, error) {
	inv := Invite{Expires: now.Add(InviteLife).UTC().Truncate(time.Second), World: v.world, Addrs: addrs, Role: role, Operator: operator}
	_, _ = rand.Read(inv.ID[:]) // never fails: it ends the program first
	if _, err := inv.Format(); err != nil {
		return Invite{}, "", err
	}
	phrase := newPhrase()
	secret, err := phraseKey(inv.ID, phrase)
	if err != nil {
		return Invite{}, "", err
	}
	defer secret.Erase()
	rec := inviteRecord{phrase: secret, OpenInvite: OpenInvite{
		ID: inv.ID, Expires: inv.Expires, Role: role, Operator: operator, Attempts: MaxAttempts,
	}}
	err = v.store.Update(ctx, func(tx kv.Tx) error {
		n, err := sweepInvites(tx, now)
		if err != nil {
			return err
		}
		if n >= maxInvites {
			return fmt.Errorf("%d invites are open; revoke some, or wait until they expire", n)
		}
		return tx.Put(bucketInvites, inv.ID[:], rec.encode())
	})
	if err != nil {
		return Invite{}, "", fmt.Errorf("keeping the invite: %w", err)
	}
	return inv, phrase, nil
}

// sweepInvites deletes what is of no use any more and counts what is left. A
// used invite stays while its newcomer may ask how it stands.
func sweepInvites(tx kv.Tx, now time.Time) (left int, err error) {
	var old [][]byte
	err = tx.Scan(bucketInvites, nil, func(key, value []byte) error {
		rec, err := decodeInvite(value)
		if err != nil {
			return err
		}
		if rec.over(now) {
			old = append(old, slices.Clone(key))
		} else {
			left++
		}
		return nil
	})
	for _, key := range old {
		if err == nil {
			err = tx.Delete(bucketInvites, key)
		}
	}
	return left, err
}

func (rec *inviteRecord) over(now time.Time) bool {
	if rec.Used {
		return now.After(rec.Expires.Add(ApprovalLife))
	}
	return !now.Before(rec.Expires)
}

// List are the invites that are open or were used, without those that expired.
func (v *Invites) List(ctx context.Context, now time.Time) ([]OpenInvite, error) {
	var out []OpenInvite
	err := v.store.View(ctx, func(tx kv.Tx) error {
		out = nil
		return tx.Scan(bucketInvites, nil, func(_, value []byte) error {
			rec, err := decodeInvite(value)
			if err == nil && !rec.over(now) {
				out = append(out, rec.OpenInvite)
			}
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("listing invites: %w", err)
	}
	return out, nil
}

// Revoke ends an invite, whether it is there or not.
func (v *Invites) Revoke(ctx context.Context, id InviteID) error {
	err := v.store.Update(ctx, func(tx kv.Tx) error { return tx.Delete(bucketInvites, id[:]) })
	if err != nil {
		return fmt.Errorf("revoking invite %s: %w", id, err)
	}
	return nil
}

// refusal is a Reason on its way through functions that return errors.
type refusal struct{ reason Reason }

func (r refusal) Error() string { return r.reason.String() }

// prove checks a request's proof against its invite. A wrong one costs an
// attempt, before anybody is told. Errors that are refusals are for the
// newcomer; the secret is nil with ErrReason unless the proof was right.
func (v *Invites) prove(ctx context.Context, q Request, t Transcript, now time.Time) (*world.Secret, error) {
	var secret *world.Secret
	var refused error
	err := v.store.Update(ctx, func(tx kv.Tx) error {
		secret, refused = nil, nil
		rec, err := getInvite(tx, q.Invite)
		if errors.Is(err, kv.ErrNotFound) {
			refused = refusal{ReasonInvite}
			return nil
		}
		if err != nil {
			return err
		}
		switch {
		case rec.over(now):
			refused = refusal{ReasonExpired}
			return nil
		case rec.Attempts == 0:
			refused = refusal{ReasonAttempts}
			return nil
		}
		want := q.proof(rec.phrase, t)
		if subtle.ConstantTimeCompare(want[:], q.Proof[:]) != 1 {
			rec.Attempts--
			refused = refusal{ReasonPhrase}
			return tx.Put(bucketInvites, q.Invite[:], rec.encode())
		}
		secret = rec.phrase
		switch {
		case rec.Used && rec.digest != digest(q.Member):
			refused = refusal{ReasonUsed}
		case rec.Role != nil && *rec.Role != q.Member.Role, rec.Operator != nil && *rec.Operator != q.Member.Operator:
			refused = refusal{ReasonFixed}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("looking at invite %s: %w", q.Invite, err)
	}
	return secret, refused
}

// use marks an invite as used by a member, unless another was first. It is
// durable when it returns nil; the same member may use it again, to ask how its
// admission stands.
func (v *Invites) use(ctx context.Context, id InviteID, m Member) error {
	var refused error
	err := v.store.Update(ctx, func(tx kv.Tx) error {
		refused = nil
		rec, err := getInvite(tx, id)
		switch {
		case errors.Is(err, kv.ErrNotFound): // revoked meanwhile
			refused = refusal{ReasonInvite}
			return nil
		case err != nil:
			return err
		case rec.Used && rec.digest == digest(m):
			return nil
		case rec.Used:
			refused = refusal{ReasonUsed}
			return nil
		}
		rec.Used, rec.Member, rec.digest = true, m.Key, digest(m)
		return tx.Put(bucketInvites, id[:], rec.encode())
	})
	if err != nil {
		return fmt.Errorf("using invite %s: %w", id, err)
	}
	return refused
}

// digest tells members that differ in anything apart.
func digest(m Member) world.Hash { return world.Sum(m.append(nil)) }

func getInvite(tx kv.Tx, id InviteID) (*inviteRecord, error) {
	b, err := tx.Get(bucketInvites, id[:])
	if err != nil {
		return nil, err
	}
	return decodeInvite(b)
}

// inviteRecordFormat is the first byte of a record.
const inviteRecordFormat = 1

func (rec *inviteRecord) encode() []byte {
	b := []byte{inviteRecordFormat}
	b = postcard.AppendArray(b, rec.ID[:])
	b = postcard.AppendUint(b, uint64(rec.Expires.Unix()))
	b = postcard.AppendBool(b, rec.Role != nil)
	if rec.Role != nil {
		b = postcard.AppendUint(b, uint64(*rec.Role))
	}
	b = postcard.AppendBool(b, rec.Operator != nil)
	if rec.Operator != nil {
		b = postcard.AppendString(b, *rec.Operator)
	}
	b = postcard.AppendUint(b, uint64(rec.Attempts))
	b = postcard.AppendBool(b, rec.Used)
	if rec.Used {
		b = postcard.AppendArray(b, rec.Member[:])
		b = postcard.AppendArray(b, rec.digest[:])
	}
	raw := rec.phrase.Reveal()
	defer clear(raw[:])
	return postcard.AppendArray(b, raw[:])
}

func decodeInvite(b []byte) (*inviteRecord, error) {
	d := postcard.NewDecoder(b)
	if f := d.U8(); d.Err() == nil && f != inviteRecordFormat {
		return nil, fmt.Errorf("an invite of format %d needs a newer program", f)
	}
	var rec inviteRecord
	d.Array(rec.ID[:])
	rec.Expires = time.Unix(int64(min(d.U64(), 1<<40)), 0).UTC()
	if d.Bool() {
		role := Role(d.Variant(uint32(roles)))
		rec.Role = &role
	}
	if d.Bool() {
		operator := d.Text()
		rec.Operator = &operator
	}
	rec.Attempts = int(min(d.U32(), MaxAttempts))
	if rec.Used = d.Bool(); rec.Used {
		d.Array(rec.Member[:])
		d.Array(rec.digest[:])
	}
	var raw [32]byte
	defer clear(raw[:])
	d.Array(raw[:])
	rec.phrase = world.NewSecret(raw)
	if err := d.Finish(); err != nil {
		return nil, fmt.Errorf("an invite: %w: %w", ErrDamaged, err)
	}
	return &rec, nil
}
