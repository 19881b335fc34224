package member

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/mesh"
	"github.com/culvert-net/culvert/mesh/roster"
	"github.com/culvert-net/culvert/mesh/world"
)

// A request to join is a stream of its own, over a link or a circuit: the newcomer
// sends its key and 32 random bytes, the inviter 32 of its own, then the newcomer
// its request and the inviter its answer, each behind its length (u32, big-endian).
// Random bytes and both keys make the transcript; the newcomer signs it with the key
// it named, and the inviter's end of link or circuit shows the inviter's.

// labelSession begins the transcript of a session.
const labelSession = "culvert-join-session"

// transcript is what both ends have in common with nobody else.
func transcript(id world.Hash, newcomer, inviter [32]byte, theirs, ours [32]byte) roster.Transcript {
	b := []byte(labelSession)
	for _, part := range [][32]byte{id, newcomer, inviter, theirs, ours} {
		b = append(b, part[:]...)
	}
	return roster.Transcript(world.Sum(b))
}

// nonces swaps random bytes with the inviter, who sends last: it gains nothing by
// choosing its own, since the keys are the link's.
func nonces(rw io.ReadWriter) (ours, theirs [32]byte, err error) {
	_, _ = rand.Read(ours[:]) // never fails: it ends the program first
	if _, err := rw.Write(ours[:]); err != nil {
		return ours, theirs, err
	}
	_, err = io.ReadFull(rw, theirs[:])
	return ours, theirs, err
}

// noncesBack is the inviter's side of nonces.
func noncesBack(rw io.ReadWriter) (ours, theirs [32]byte, err error) {
	if _, err := io.ReadFull(rw, theirs[:]); err != nil {
		return ours, theirs, err
	}
	_, _ = rand.Read(ours[:]) // never fails: it ends the program first
	_, err = rw.Write(ours[:])
	return ours, theirs, err
}

func writeMessage(w io.Writer, b []byte) error {
	_, err := w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...))
	return err
}

func readMessage(r io.Reader, most int) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n == 0 || int64(n) > int64(most) {
		return nil, fmt.Errorf("a message of %d bytes, at most %d are taken", n, most)
	}
	// Read in parts: a length is only a claim.
	b, err := io.ReadAll(io.LimitReader(r, int64(n)))
	if err == nil && len(b) < int(n) {
		err = io.ErrUnexpectedEOF
	}
	return b, err
}

// requested is a request that has come whole.
type requested struct {
	newcomer   [32]byte
	transcript roster.Transcript
	request    []byte
}

// hearJoin is the part of the one request of a stream that anybody can have with us.
func (m *Member) hearJoin(rw io.ReadWriter) (r requested, err error) {
	if _, err := io.ReadFull(rw, r.newcomer[:]); err != nil {
		return r, err
	}
	ours, theirs, err := noncesBack(rw)
	if err != nil {
		return r, err
	}
	r.transcript = transcript(m.cfg.World.ID, r.newcomer, m.self, theirs, ours)
	r.request, err = readMessage(rw, roster.MaxRequest)
	return r, err
}

// judgeJoin is the answer to it, and whether who asks knows an invite's phrase.
func (m *Member) judgeJoin(ctx context.Context, r requested) (answer []byte, proved bool) {
	before, _ := m.Roster().Head()
	answer, proved, failed := m.desk.Ask(ctx, r.request, r.transcript, time.Now())
	after, _ := m.Roster().Head()
	switch {
	case after != before:
		m.cfg.Log.Info("a member was admitted", "member", short(r.newcomer), "generation", after)
	case failed != nil:
		m.cfg.Log.Info("a request to join was not granted", "newcomer", short(r.newcomer), "err", failed)
	}
	m.update() // what waits for approvals may have changed, too
	return answer, proved
}

// short is how members are named to people.
func short(key [32]byte) string { return fmt.Sprintf("%x", key[:4]) }

// JoinConfig is a newcomer's side. All fields are required but Operator.
type JoinConfig struct {
	Dir      string // data directory, whose lock the caller holds
	Invite   roster.Invite
	Phrase   string
	Key      ed25519.PrivateKey // by which members will know the newcomer
	Dial     JoinDialer
	Role     roster.Role
	Operator string
	Member   *Member // of Dir
	Progress func(text string)
}

// JoinDialer reaches whoever gave the invite.
type JoinDialer interface {
	// Open opens a stream for one request, to the node of that key at that
	// address. A newcomer that goes over circuits has no use for the address.
	Open(ctx context.Context, inviter [32]byte, addr string) (JoinStream, error)
}

// JoinStream is what a request to join travels on.
type JoinStream interface {
	io.ReadWriteCloser
	Reset() error
}

// JoinLinks opens streams for requests to join over links of a host.
type JoinLinks struct{ Host *mesh.Host }

var _ JoinDialer = JoinLinks{}

// Open implements JoinDialer.
func (l JoinLinks) Open(ctx context.Context, _ [32]byte, addr string) (JoinStream, error) {
	return l.Host.OpenAddr(ctx, mesh.ProtoJoin, addr)
}

// Join asks to be admitted until it is, or refused, or ctx ends. A member that
// was admitted already is no error: the answer may have been lost.
func Join(ctx context.Context, cfg JoinConfig) error {
	if cfg.Member.IsMember() == nil {
		return nil
	}
	ticket, err := cfg.ticket(ctx)
	if err != nil {
		return err
	}
	ask, err := roster.NewAsk(cfg.Invite, cfg.Phrase, cfg.Key, cfg.Member.Wrap(), cfg.Role, cfg.Operator, ticket, time.Now())
	if err != nil {
		return app.Usage(err)
	}
	for said := ""; ; {
		answer, err := cfg.ask(ctx, ask)
		text := ""
		switch {
		case ctx.Err() != nil:
			return app.NotReady(fmt.Errorf("joining: %w", context.Cause(ctx)))
		case err == nil && answer.Kind == roster.Admitted:
			return roster.Join(cfg.Member.chain, cfg.Member.keys, answer, time.Now())
		case err == nil && answer.Kind == roster.Pending:
			text = fmt.Sprintf("Waiting: %s missing. Members approve with: observer world admit %s",
				app.Count(int(answer.Missing), "approval"), fullKey(cfg.Member.Self()))
		case answer.Kind == roster.Refused && answer.Reason == roster.ReasonUnavailable:
			text = fmt.Sprintf("The inviter says: %s. Trying again.", answer.Reason)
		case answer.Kind == roster.Refused:
			return app.Refused(fmt.Errorf("not admitted: %s", answer.Reason))
		case errors.Is(err, roster.ErrUnproved):
			return app.Refused(fmt.Errorf("asking to join: %w; is the phrase that of this invite?", err))
		default:
			text = fmt.Sprintf("The inviter was not reached (%v). Is its observer running? Trying again.", err)
		}
		if text != said {
			cfg.Progress(text)
			said = text
		}
		select {
		case <-ctx.Done():
		case <-time.After(joinAgain):
		}
	}
}

func fullKey(key [32]byte) string { return fmt.Sprintf("%x", key) }

// ticket is the proof of work that some worlds want of newcomers.
func (cfg *JoinConfig) ticket(ctx context.Context) (*roster.Ticket, error) {
	w := cfg.Invite.World
	terms := w.Terms()
	if terms.Mode != world.ModeVouch {
		return nil, nil
	}
	cfg.Progress("Computing a ticket, which takes some seconds.")
	epoch := w.Epoch(time.Now())
	t, err := world.MakeTicket(ctx, w.ID, epoch, cfg.Member.Self(), nil, terms.TicketBits)
	if err != nil {
		return nil, fmt.Errorf("computing a ticket: %w", err)
	}
	return &roster.Ticket{Epoch: epoch, Ticket: t}, nil
}

// ask asks the inviter once, at the first of its addresses that answers.
func (cfg *JoinConfig) ask(ctx context.Context, ask *roster.Ask) (roster.Answer, error) {
	var last error
	for _, addr := range cfg.Invite.Addrs {
		a, err := world.ParseAddr(addr)
		if err != nil {
			return roster.Answer{Kind: roster.Pending}, err // ParseInvite has checked it
		}
		answer, err := cfg.askAt(ctx, ask, addr, a.Key)
		if err == nil || answer.Kind == roster.Refused {
			return answer, err
		}
		last = err
	}
	return roster.Answer{Kind: roster.Pending}, last
}

func (cfg *JoinConfig) askAt(ctx context.Context, ask *roster.Ask, addr string, inviter [32]byte) (roster.Answer, error) {
	none := roster.Answer{Kind: roster.Pending}
	ctx, cancel := context.WithTimeout(ctx, joinLimit)
	defer cancel()
	s, err := cfg.Dial.Open(ctx, inviter, addr)
	if err != nil {
		return none, err
	}
	stop := context.AfterFunc(ctx, func() { _ = s.Reset() })
	defer stop()
	defer s.Close()
	return exchange(s, ask, cfg.Invite.World.ID, cfg.Member.Self(), inviter)
}

// exchange is one question and its answer, on the newcomer's side of a stream.
func exchange(s io.ReadWriter, ask *roster.Ask, id world.Hash, self, inviter [32]byte) (roster.Answer, error) {
	none := roster.Answer{Kind: roster.Pending}
	if _, err := s.Write(self[:]); err != nil {
		return none, err
	}
	ours, theirs, err := nonces(s)
	if err != nil {
		return none, fmt.Errorf("it does not admit anybody now: %w", err)
	}
	t := transcript(id, self, inviter, ours, theirs)
	if err := writeMessage(s, ask.Request(t).Canonical()); err != nil {
		return none, err
	}
	b, err := readMessage(s, roster.MaxAnswer)
	if err != nil {
		return none, err
	}
	answer, err := ask.Answer(t, b)
	if err != nil && answer.Kind != roster.Refused {
		answer = none
	}
	return answer, err
}
