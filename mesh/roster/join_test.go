package roster

import (
	"context"
	"crypto/ed25519"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/mesh/world"
)

// office is a desk in a world of its own.
type office struct {
	*Desk
	testing.TB
	world    *world.World
	founders []person
	store    kv.Store
	now      time.Time
}

// newOffice is the desk of the first founder, who founds the world with the
// others as members.
func newOffice(t *testing.T, s spec) *office {
	t.Helper()
	w, founders := testWorld(t, s)
	o := &office{TB: t, world: w, founders: founders, store: tempStore(t), now: start()}
	dir := t.TempDir()
	chain := openTest(t, dir, w)
	ring, err := OpenKeyring(filepath.Join(dir, "group.keys"), chain.Roster())
	if err != nil {
		t.Fatal(err)
	}
	o.founders[0].Member.Wrap = ring.Wrap()
	f := Founding{World: world.World{Phrase: w.Phrase, Rules: w.Rules, Charter: w.Charter}, Proposer: founders[0].key}
	for _, p := range founders {
		f.Keys, f.Members = append(f.Keys, p.key), append(f.Members, p.Member)
	}
	_, e, boxes, err := Found(f, o.now)
	if err != nil {
		t.Fatal(err)
	}
	if err := chain.Extend(e, boxes, o.now); err != nil {
		t.Fatal(err)
	}
	if err := ring.Open(founders[0].Key, boxes); err != nil {
		t.Fatal(err)
	}
	o.Desk = &Desk{
		Chain: chain, Keyring: ring, Invites: NewInvites(o.store, w), Pool: NewPool(chain.Roster(), o.store, founders[0].Key),
		Providers: NoProviders{}, Key: founders[0].key, Founders: []ed25519.PrivateKey{founders[0].key},
	}
	return o
}

// addr is where the inviter is.
const addr = "/ip4/192.0.2.7/tcp/4811/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"

// invite makes one, and sends it as a file.
func (o *office) invite(role *Role, operator *string) (Invite, string) {
	o.Helper()
	v, phrase, err := o.Invites.Create(o.Context(), []string{addr}, role, operator, o.now)
	if err != nil {
		o.Fatal(err)
	}
	file, err := v.Format()
	if err != nil {
		o.Fatal(err)
	}
	if strings.Contains(string(file), phrase) {
		o.Error("the phrase is in the file")
	}
	if v, err = ParseInvite(file); err != nil {
		o.Fatal(err)
	}
	return v, phrase
}

// newcomer is who was invited, with empty files.
type newcomer struct {
	person
	chain *Chain
	ring  *Keyring
	ask   *Ask
}

func (o *office) newcomer(n int, v Invite, phrase string) *newcomer {
	o.Helper()
	dir := o.TempDir()
	c := &newcomer{person: someone(n, ""), chain: openTest(o, dir, v.World)}
	var err error
	if c.ring, err = OpenKeyring(filepath.Join(dir, "group.keys"), c.chain.Roster()); err != nil {
		o.Fatal(err)
	}
	if c.ask, err = NewAsk(v, phrase, c.key, c.ring.Wrap(), RoleProber, "newcomers", nil, o.now); err != nil {
		o.Fatal(err)
	}
	c.Member = c.ask.member
	return c
}

// invited is a newcomer with an invite of its own.
func (o *office) invited(n int, role *Role, operator *string) *newcomer {
	o.Helper()
	v, phrase := o.invite(role, operator)
	return o.newcomer(n, v, phrase)
}

// session is one request and its answer.
func (o *office) session(c *newcomer, t Transcript) (Answer, error) {
	o.Helper()
	b, _, err := o.Desk.Ask(o.Context(), c.ask.Request(t).Canonical(), t, o.now)
	if err != nil {
		o.Log("desk:", err)
	}
	return c.ask.Answer(t, b)
}

// refused wants a refusal.
func (o *office) refused(ans Answer, err error, want Reason) {
	o.Helper()
	if ans.Kind != Refused || ans.Reason != want || err != nil && !errors.Is(err, ErrUnproved) {
		o.Errorf("answer %d, %q, %v, want %q", ans.Kind, ans.Reason, err, want)
	}
}

func TestJoin(t *testing.T) {
	o := newOffice(t, spec{n: 1, m: 1, t: 1})
	c := o.invited(20, nil, nil)
	ans, err := o.session(c, Transcript{1})
	if err != nil || ans.Kind != Admitted {
		t.Fatalf("answer %+v, %v, want to be admitted", ans.Kind, err)
	}
	if err := Join(c.chain, c.ring, ans, o.now); err != nil {
		t.Fatal(err)
	}
	epoch := o.world.Epoch(o.now)
	ours, errA := o.Keyring.EpochKey(epoch)
	theirs, errB := c.ring.EpochKey(epoch)
	if errA != nil || errB != nil || !same(ours, theirs) {
		t.Errorf("inviter and newcomer have different keys: %v, %v", errA, errB)
	}
	// The answer was lost, say: the same newcomer asks again.
	if again, err := o.session(c, Transcript{2}); err != nil || again.Kind != Admitted {
		t.Errorf("asking again: %+v, %v", again.Kind, err)
	}
	// Another newcomer has the file and the phrase, and comes too late.
	open, err := o.Invites.List(t.Context(), o.now)
	if err != nil || len(open) != 1 || !open[0].Used || open[0].Member != c.Key {
		t.Errorf("List = %+v, %v", open, err)
	}
}

func TestInviteIsUsedOnce(t *testing.T) {
	o := newOffice(t, spec{n: 1, m: 1, t: 1})
	v, phrase := o.invite(nil, nil)
	a, b := o.newcomer(20, v, phrase), o.newcomer(21, v, phrase)
	if ans, err := o.session(a, Transcript{1}); err != nil || ans.Kind != Admitted {
		t.Fatalf("answer %+v, %v", ans.Kind, err)
	}
	ans, err := o.session(b, Transcript{2})
	o.refused(ans, err, ReasonUsed)
	// The same key with another wrap key is another newcomer, too.
	c := o.newcomer(20, v, phrase)
	ans, err = o.session(c, Transcript{3})
	o.refused(ans, err, ReasonUsed)
}

// Ten come at once with one invite: one gets in, and there is no fork.
func TestInviteRace(t *testing.T) {
	o := newOffice(t, spec{n: 1, m: 1, t: 1})
	v, phrase := o.invite(nil, nil)
	other, otherPhrase := o.invite(nil, nil)
	var group sync.WaitGroup
	answers := make([]Answer, 10)
	for i := range answers {
		c := o.newcomer(20+i, v, phrase)
		if i == 9 {
			c = o.newcomer(20+i, other, otherPhrase)
		}
		group.Go(func() {
			tr := Transcript{byte(i)}
			b, _, err := o.Desk.Ask(context.Background(), c.ask.Request(tr).Canonical(), tr, o.now)
			if err == nil {
				answers[i], err = c.ask.Answer(tr, b)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	admitted := 0
	for _, a := range answers[:9] {
		if a.Kind == Admitted {
			admitted++
		} else {
			o.refused(a, nil, ReasonUsed)
		}
	}
	if admitted != 1 || answers[9].Kind != Admitted {
		t.Errorf("%d of nine got in with one invite; the tenth: %d", admitted, answers[9].Kind)
	}
	if _, forked := o.Chain.Roster().Forked(); forked || len(o.Chain.Roster().Members()) != 3 {
		t.Errorf("%d members, forked: %v", len(o.Chain.Roster().Members()), forked)
	}
}

func TestWrongPhrase(t *testing.T) {
	o := newOffice(t, spec{n: 1, m: 1, t: 1})
	v, phrase := o.invite(nil, nil)
	if words := strings.Count(phrase, "-") + 1; words > 7 {
		t.Errorf("%d words, want at most 7: %s", words, phrase)
	}
	for range MaxAttempts {
		wrong := o.newcomer(20, v, newPhrase())
		ans, err := o.session(wrong, Transcript{1})
		o.refused(ans, err, ReasonPhrase)
		wantError(t, err, ErrUnproved) // who does not know the phrase cannot know who answers
	}
	right := o.newcomer(21, v, phrase)
	ans, err := o.session(right, Transcript{1})
	o.refused(ans, err, ReasonAttempts)

	// The words may be typed in any case and with spaces; a wrong one is found at once.
	v, phrase = o.invite(nil, nil)
	typed := strings.ToUpper(strings.ReplaceAll(phrase, "-", " "))
	if ans, err := o.session(o.newcomer(22, v, typed), Transcript{1}); err != nil || ans.Kind != Admitted {
		t.Errorf("phrase %q: %+v, %v", typed, ans.Kind, err)
	}
	words := strings.Split(phrase, "-")
	words[0], words[1] = words[1], words[0]
	_, err = NewAsk(v, strings.Join(words, "-"), right.key, right.ring.Wrap(), RoleBridge, "", nil, o.now)
	if words[0] != words[1] {
		wantError(t, err, world.ErrPhraseChecksum)
	}
	_, err = NewAsk(v, world.PhraseAddress([]byte{1, 2, 3}), right.key, right.ring.Wrap(), RoleBridge, "", nil, o.now)
	if err == nil {
		t.Error("a short phrase is taken")
	}
}

func TestRefusals(t *testing.T) {
	role, operator := RoleMemory, "acme"
	for _, tt := range []struct {
		name string
		edit func(o *office, c *newcomer, q *Request)
		want Reason
	}{
		{"another world", func(_ *office, _ *newcomer, q *Request) { q.World[0]++ }, ReasonWorld},
		{"another version", func(_ *office, _ *newcomer, q *Request) { q.Version++ }, ReasonMalformed},
		{"another's signature", func(_ *office, _ *newcomer, q *Request) { q.Member.Key = someone(40, "").Key }, ReasonSignature},
		{"another invite", func(_ *office, c *newcomer, q *Request) {
			c.ask.invite.ID[0]++
			*q = c.ask.Request(Transcript{1})
		}, ReasonInvite},
		{"another role", func(_ *office, c *newcomer, q *Request) {
			c.ask.member.Role = RoleProber
			*q = c.ask.Request(Transcript{1})
		}, ReasonFixed},
		{"another operator", func(_ *office, c *newcomer, q *Request) {
			c.ask.member.Operator = "other"
			*q = c.ask.Request(Transcript{1})
		}, ReasonFixed},
		{"another session", func(_ *office, c *newcomer, q *Request) { *q = c.ask.Request(Transcript{2}) }, ReasonSignature},
		{"another session's proof", func(_ *office, c *newcomer, q *Request) { q.Proof = c.ask.Request(Transcript{2}).Proof }, ReasonPhrase},
		{"expired", func(o *office, _ *newcomer, _ *Request) { o.now = o.now.Add(InviteLife) }, ReasonExpired},
		{"revoked", func(o *office, c *newcomer, _ *Request) {
			if err := o.Invites.Revoke(o.Context(), c.ask.invite.ID); err != nil {
				o.Fatal(err)
			}
		}, ReasonInvite},
		{"a provider", func(o *office, c *newcomer, _ *Request) { o.Providers = fakeProviders{key: c.Key} }, ReasonProvider},
		{"a member's wrap key", func(o *office, c *newcomer, q *Request) {
			c.ask.member.Wrap = o.founders[0].Member.Wrap
			*q = c.ask.Request(Transcript{1})
		}, ReasonMember},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := newOffice(t, spec{n: 1, m: 1, t: 1})
			c := o.invited(20, &role, &operator)
			q := c.ask.Request(Transcript{1})
			tt.edit(o, c, &q)
			b, _, err := o.Desk.Ask(t.Context(), q.Canonical(), Transcript{1}, o.now)
			if err != nil {
				t.Log("desk:", err)
			}
			ans, err := DecodeAnswer(b)
			if err != nil {
				t.Fatal(err)
			}
			o.refused(ans, nil, tt.want)
			if len(o.Chain.Roster().Members()) != 1 {
				t.Error("who was refused is a member")
			}
		})
	}
	o := newOffice(t, spec{n: 1, m: 1, t: 1})
	b, _, _ := o.Desk.Ask(t.Context(), []byte{1, 2, 3}, Transcript{}, o.now)
	if ans, err := DecodeAnswer(b); err != nil || ans.Reason != ReasonMalformed {
		t.Errorf("garbage: %+v, %v", ans, err)
	}
	for r := range reasons {
		if len(r.String()) < 10 {
			t.Errorf("reason %d says %q", r, r)
		}
	}
}

// An answer in the inviter's name convinces nobody without the phrase.
func TestAnswerIsProved(t *testing.T) {
	o := newOffice(t, spec{n: 1, m: 1, t: 1})
	c := o.invited(20, nil, nil)
	tr := Transcript{1}
	good, _, err := o.Desk.Ask(t.Context(), c.ask.Request(tr).Canonical(), tr, o.now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.ask.Answer(tr, good); err != nil {
		t.Fatal(err)
	}
	_, err = c.ask.Answer(Transcript{2}, good)
	wantError(t, err, ErrUnproved)
	_, err = c.ask.Answer(tr, Answer{Kind: Pending, Missing: 1}.Canonical())
	wantError(t, err, ErrUnproved)
	good[len(good)-40] ^= 1 // in the box
	_, err = c.ask.Answer(tr, good)
	wantError(t, err, ErrUnproved)
}

// In a world of two founders the inviter's approval is one of two: the newcomer
// waits, and asks again when the other has approved.
func TestPending(t *testing.T) {
	o := newOffice(t, spec{n: 3, m: 2, t: 2})
	c := o.invited(20, nil, nil)
	for i := range 2 {
		ans, err := o.session(c, Transcript{byte(i)})
		if err != nil || ans.Kind != Pending || ans.Missing != 1 {
			t.Fatalf("answer %+v, %v, want to wait for one more", ans, err)
		}
	}
	list, err := o.Pool.List(t.Context(), o.now)
	if err != nil || len(list) != 1 || list[0].Missing != 1 {
		t.Fatalf("List = %+v, %v", list, err)
	}

	// The petition travels to the other founder, its approval back.
	petition, err := DecodePetition(list[0].Petition.Canonical())
	if err != nil {
		t.Fatal(err)
	}
	a, err := o.Chain.Roster().Approve(o.founders[1].key, petition, NoProviders{}, o.now)
	if err != nil {
		t.Fatal(err)
	}
	if a, err = DecodeApproval(a.Canonical()); err != nil {
		t.Fatal(err)
	}
	bad := a
	bad.Signature[5] ^= 1
	wantError(t, o.Pool.Approve(t.Context(), c.Key, bad, o.now), ErrSignature)
	stranger := signApproval(someone(40, "").key, o.world.ID, petition, world.Hash{}, a.Expiry)
	wantError(t, o.Pool.Approve(t.Context(), c.Key, stranger, o.now), ErrApproval)
	if err := o.Pool.Approve(t.Context(), someone(41, "").Key, a, o.now); err == nil {
		t.Error("an approval for who never asked is taken")
	}
	// The pool survives a restart of its owner.
	o.Pool = NewPool(o.Chain.Roster(), o.store, o.founders[0].Key)
	if err := o.Pool.Approve(t.Context(), c.Key, a, o.now); err != nil {
		t.Fatal(err)
	}
	ans, err := o.session(c, Transcript{9})
	if err != nil || ans.Kind != Admitted {
		t.Fatalf("answer %+v, %v, want to be admitted", ans.Kind, err)
	}
	if err := Join(c.chain, c.ring, ans, o.now); err != nil {
		t.Fatal(err)
	}
	if list, err := o.Pool.List(t.Context(), o.now); err != nil || len(list) != 0 {
		t.Errorf("List = %+v, %v, want none left", list, err)
	}
}

// Approvals that were collected for another form of the member, or too long
// ago, are forgotten.
func TestPoolForgets(t *testing.T) {
	o := newOffice(t, spec{n: 3, m: 2, t: 2})
	p := someone(20, "")
	put := func(m Member) {
		t.Helper()
		if err := o.Pool.Put(t.Context(), Change{Kind: Add, Member: m}, o.now); err != nil {
			t.Fatal(err)
		}
	}
	approvals := func() int {
		t.Helper()
		list, err := o.Pool.List(t.Context(), o.now)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			return -1
		}
		return len(list[0].Change.Approvals)
	}
	put(p.Member)
	a, err := o.Chain.Roster().Approve(o.founders[0].key, Petition{o.founders[0].Key, Change{Kind: Add, Member: p.Member}}, NoProviders{}, o.now)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Pool.Approve(t.Context(), p.Key, a, o.now); err != nil {
		t.Fatal(err)
	}
	put(p.Member)
	if n := approvals(); n != 1 {
		t.Errorf("%d approvals after asking again, want 1", n)
	}
	other := p.Member
	other.Role = RoleProber
	put(other)
	if n := approvals(); n != 0 {
		t.Errorf("%d approvals for another role, want 0", n)
	}
	o.now = o.now.Add(ApprovalLife)
	if n := approvals(); n != -1 {
		t.Errorf("%d approvals after a week, want that it is forgotten", n)
	}
	put(someone(21, "").Member) // and it makes room
	if err := o.Pool.Drop(t.Context(), someone(21, "").Key); err != nil {
		t.Fatal(err)
	}
	if n := approvals(); n != -1 {
		t.Error("what was dropped is there")
	}
}

// Whatever the store does in the middle, an invite is used once, and a wrong
// phrase that was answered has cost an attempt.
func TestInvitesSurviveFaults(t *testing.T) {
	for _, stored := range []bool{false, true} {
		o := newOffice(t, spec{n: 1, m: 1, t: 1})
		v, phrase := o.invite(nil, nil)
		a, b := o.newcomer(20, v, phrase), o.newcomer(21, v, phrase)
		whole := o.Invites
		o.Invites = NewInvites(&faulty{Store: o.store, fail: true, stored: stored}, o.world)
		wrong := o.newcomer(22, v, newPhrase())
		ans, err := o.session(wrong, Transcript{1})
		o.refused(ans, err, ReasonUnavailable) // nothing learnt
		if err := o.Invites.use(t.Context(), v.ID, a.Member); !errors.Is(err, errStore) {
			t.Fatal(err)
		}
		o.Invites = whole // a restart
		open, err := o.Invites.List(t.Context(), o.now)
		if err != nil || len(open) != 1 {
			t.Fatal(open, err)
		}
		if stored && (open[0].Attempts != MaxAttempts-1 || !open[0].Used) || !stored && (open[0].Attempts != MaxAttempts || open[0].Used) {
			t.Errorf("stored %v: %+v", stored, open[0])
		}
		if ans, err := o.session(a, Transcript{2}); err != nil || ans.Kind != Admitted {
			t.Errorf("stored %v: the newcomer is told %+v, %v", stored, ans, err)
		}
		ans, err = o.session(b, Transcript{3})
		o.refused(ans, err, ReasonUsed)
	}
}

func TestInvitesAreSwept(t *testing.T) {
	o := newOffice(t, spec{n: 1, m: 1, t: 1})
	v, phrase := o.invite(nil, nil)
	o.invite(nil, nil)
	c := o.newcomer(20, v, phrase)
	if ans, err := o.session(c, Transcript{1}); err != nil || ans.Kind != Admitted {
		t.Fatal(ans.Kind, err)
	}
	count := func() (listed, kept int) {
		t.Helper()
		open, err := o.Invites.List(t.Context(), o.now)
		if err != nil {
			t.Fatal(err)
		}
		err = o.store.View(t.Context(), func(tx kv.Tx) error {
			kept = 0
			return tx.Scan(bucketInvites, nil, func(_, _ []byte) error { kept++; return nil })
		})
		if err != nil {
			t.Fatal(err)
		}
		return len(open), kept
	}
	o.now = o.now.Add(InviteLife)
	if n, _ := count(); n != 1 {
		t.Errorf("%d invites after a day, want the used one", n)
	}
	o.now = o.now.Add(ApprovalLife + time.Second)
	o.invite(nil, nil)
	if n, kept := count(); n != 1 || kept != 1 {
		t.Errorf("%d invites, %d kept, want the new one alone", n, kept)
	}
}

// In vouch mode a newcomer brings its ticket.
func TestJoinByVouching(t *testing.T) {
	o := newOffice(t, spec{n: 3, m: 3, t: 2, mode: world.ModeVouch})
	o.Founders = nil
	v, phrase := o.invite(nil, nil)
	c := o.newcomer(20, v, phrase)
	ans, err := o.session(c, Transcript{1})
	o.refused(ans, err, ReasonTicket)
	epoch := o.world.Epoch(o.now)
	made, err := world.MakeTicket(t.Context(), o.world.ID, epoch, c.Key, nil, o.world.Charter.TicketBits)
	if err != nil {
		t.Fatal(err)
	}
	c.ask.ticket = &Ticket{Epoch: epoch, Ticket: made}
	ans, err = o.session(c, Transcript{2})
	if err != nil || ans.Kind != Pending || ans.Missing != 2 {
		t.Fatalf("answer %+v, %v, want two more", ans, err)
	}
	list, err := o.Pool.List(t.Context(), o.now)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range o.founders[1:] {
		a, err := o.Chain.Roster().Approve(p.key, list[0].Petition, NoProviders{}, o.now)
		if err != nil {
			t.Fatal(err)
		}
		if err := o.Pool.Approve(t.Context(), c.Key, a, o.now); err != nil {
			t.Fatal(err)
		}
	}
	if ans, err = o.session(c, Transcript{3}); err != nil || ans.Kind != Admitted {
		t.Errorf("answer %+v, %v, want to be admitted", ans.Kind, err)
	}
}

func TestInviteFile(t *testing.T) {
	v := sampleInvite(t)
	b, err := v.Format()
	if err != nil {
		t.Fatal(err)
	}
	if len(b) > 2900 {
		t.Errorf("%d bytes, more than a QR code holds:\n%s", len(b), b)
	}
	got, err := ParseInvite(b)
	if err != nil {
		t.Fatal(err)
	}
	if got.ID != v.ID || !got.Expires.Equal(v.Expires) || got.World.ID != v.World.ID || len(got.World.Seeds) != 3 ||
		*got.Role != *v.Role || *got.Operator != *v.Operator || got.Addrs[1] != v.Addrs[1] {
		t.Errorf("%+v came back as %+v", v, got)
	}
	if v.Expired(v.Expires.Add(-1)) || !v.Expired(v.Expires) {
		t.Error("an invite ends at its time")
	}
	for _, tt := range []struct{ old, new, want string }{
		{"invite_format = 1", "invite_format = 2", "invite_format"},
		{"invite_format = 1", "", "invite_format"},
		{`id = "01`, `id = "0`, "id"},
		{`role = "memory"`, `role = "king"`, "role"},
		{`operator = "acme"`, `operator = "ACME"`, "operator"},
		{"inviter = [", "inviters = [", "inviters"},
		{"/ip4/192.0.2.7", "/ip4/192.0.2", "inviter[0]"},
		{"phrase = ", "phrases = ", "world"},
		{"expires = 2026", "expires = 0026", "expires"},
	} {
		text := strings.Replace(string(b), tt.old, tt.new, 1)
		if text == string(b) {
			t.Fatalf("%q is not in\n%s", tt.old, b)
		}
		_, err := ParseInvite([]byte(text))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q for %q: %v, want an error that names %s", tt.new, tt.old, err, tt.want)
		}
	}
	_, err = ParseInvite(make([]byte, MaxInviteFile+1))
	if err == nil {
		t.Error("a large file is taken")
	}
	v.Addrs = nil
	if _, err := v.Format(); err == nil {
		t.Error("an invite without addresses is written")
	}
}
