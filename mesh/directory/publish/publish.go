package publish

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/directory/bundle"
	"github.com/culvert-net/culvert/mesh/directory/mirror"
	"github.com/culvert-net/culvert/mesh/sealed"
	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// ownMagic marks the file of what a node said.
const ownMagic sealed.Magic = "CULVOWN\x01"

// Opener opens streams to seeds.
type Opener interface {
	// Open opens a stream of the directory protocol to a seed or mirror of the
	// world file. It does not retry. Close on the stream must unblock a pending
	// Read or Write.
	Open(ctx context.Context, seed string) (io.ReadWriteCloser, error)
}

// Config is what a Publisher needs. All but File, Sheet, Said,
// Stamped and Log is required.
type Config struct {
	World *world.World
	Key   ed25519.PrivateKey // transport key, signs the descriptors
	Keys  *directory.Keyring // rotated at the start of each epoch
	Seeds Opener

	// File is where what was said is kept; empty keeps nothing.
	File string

	// Self says what there is to say of this node: Name, Addrs, Models, Prices and
	// Pay. The
	// publisher fills in the rest. False means nothing yet: what was published
	// stays until its epoch has passed. It must not block, is called again after
	// Changed, and leaves the slices it returned alone.
	Self func() (directory.Node, bool)

	// Sheet is a price sheet that Self's Prices name, or named in this epoch; it is
	// sent with the descriptors. Nil is for a node that names none; false means that
	// it is lost, and then nobody is sent it. It must not block.
	Sheet func(world.Hash) ([]byte, bool)

	// Said is told of what this node says now, by a signer that is to know itself.
	// It does not block. Nil does nothing.
	Said func([]world.Descriptor)

	// Stamped is told the same, with the epoch's stamp, once that is made, by a
	// member that passes it on itself. It does not block. Nil does nothing.
	Stamped func(ds []world.Descriptor, stamp []byte)

	Log *slog.Logger // nil discards
}

// Status is what people are shown of a Publisher.
type Status struct {
	Described bool      // what this node says is signed
	Seeds     int       // how many there are to publish to, as far as is known
	Told      int       // how many of them know
	Published time.Time // zero for never
	Problem   string    // from a closed list; "" if all is well
	Stamped   uint64    // epoch of the stamp at hand; 0 for none
}

// Publisher says who its own node is.
type Publisher struct {
	cfg   Config // immutable
	self  [32]byte
	seeds []string       // but for this node itself; immutable
	said  *directory.Set // what this node said, and nothing else

	changed chan struct{} // one token: Self says something else

	mu     sync.Mutex
	status Status // guarded by mu

	// Owned by Run.
	own       []world.Descriptor    // what is said at present
	told      map[string]world.Hash // by seed: name of what it needs to hear no more
	mirrors   map[string]bool       // seeds that take no publications
	stamped   world.Hash            // name of what Stamped was told
	tries     int                   // rounds since own changed
	changedAt time.Time             // when own changed last
	stamp     []byte                // of stampFor
	stampFor  uint64
	failing   time.Time // since when somebody cannot be told; zero while all can
	warned    string    // what operators have heard of that
}

// New checks cfg. It starts nothing.
func New(cfg Config) (*Publisher, error) {
	if cfg.World == nil || cfg.Key == nil || cfg.Keys == nil || cfg.Seeds == nil || cfg.Self == nil {
		return nil, errors.New("directory publisher: World, Key, Keys, Seeds and Self are required")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	p := &Publisher{
		cfg: cfg, self: [32]byte(cfg.Key.Public().(ed25519.PublicKey)), said: directory.NewSet(cfg.World),
		changed: make(chan struct{}, 1), told: make(map[string]world.Hash), mirrors: make(map[string]bool),
	}
	for _, seed := range slices.Concat(cfg.World.Seeds, cfg.World.Mirrors) {
		a, err := world.ParseAddr(seed)
		if err != nil {
			return nil, &world.FieldError{Field: "seeds", Problem: err.Error()}
		}
		if a.Key != p.self {
			p.seeds = append(p.seeds, seed)
		}
	}
	p.status.Seeds = len(p.seeds)
	return p, nil
}

// Changed says that Self has something else to say now. Only four different
// contents are taken per epoch, so changes in quick succession are gathered.
func (p *Publisher) Changed() {
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

// Descriptors are what this node says at present.
func (p *Publisher) Descriptors(now time.Time) []world.Descriptor {
	_, _, ds := p.said.Said(p.self, p.cfg.World.Epoch(now))
	return ds
}

// Status says how the publisher is doing.
func (p *Publisher) Status() Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.status
}

// Run publishes until ctx ends; it is called once. It returns early only if the
// node cannot describe itself at the start, which is a mistake in what Self says
// or a disk that cannot hold the onion keys.
func (p *Publisher) Run(ctx context.Context) error {
	p.load(time.Now())
	if _, err := p.describe(time.Now()); err != nil && !passes(err) {
		return err
	}
	w := p.cfg.World
	for {
		epoch := w.Epoch(time.Now())
		due := time.Now().Round(0).Add(p.step(ctx))
		changed := false
		for !changed && w.Epoch(time.Now()) == epoch && time.Now().Round(0).Before(due) {
			next := min(time.Until(due), time.Until(w.EpochStart(epoch+1)), clockTick)
			timer := time.NewTimer(max(next, time.Millisecond))
			select {
			case <-timer.C:
			case <-p.changed:
				changed = true
			case <-ctx.Done():
			}
			timer.Stop()
			if ctx.Err() != nil {
				return nil
			}
		}
		delay := time.Duration(0)
		switch {
		case w.Epoch(time.Now()) != epoch:
			// Everybody's epoch begins now; signers are glad of some spread.
			delay = rand.N(w.EpochLen() / 64)
		case changed:
			delay = changeDelay
		}
		timer := time.NewTimer(delay)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
	}
}

// load reads what was said before, of which nothing is believed unverified.
func (p *Publisher) load(now time.Time) {
	if p.cfg.File == "" {
		return
	}
	b, err := sealed.Read(p.cfg.File, ownMagic, p.cfg.World.ID, maxOwnFile)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	var ds []world.Descriptor
	if err == nil {
		ds, err = decodeOwn(b)
	}
	if err != nil {
		p.cfg.Log.Warn("what this node said before is lost", "file", p.cfg.File, "err", err)
		return
	}
	p.said.Add(ds, now)
}

func encodeOwn(ds []world.Descriptor) []byte {
	raw := make([][]byte, 0, len(ds))
	for i := range ds {
		raw = append(raw, ds[i].Canonical())
	}
	return bundle.AppendLeaves(nil, raw)
}

func decodeOwn(b []byte) ([]world.Descriptor, error) {
	d := postcard.NewDecoder(b)
	raw := bundle.ReadLeaves(d)
	if err := d.Finish(); err != nil {
		return nil, err
	}
	var ds []world.Descriptor
	for _, b := range raw {
		desc, err := world.DecodeDescriptor(b)
		if err != nil {
			return nil, err
		}
		ds = append(ds, desc)
	}
	return ds, nil
}

// step brings the own descriptors up to date, tells seeds that do not know
// them, and returns when to come again without being called.
func (p *Publisher) step(ctx context.Context) time.Duration {
	now := time.Now()
	wait, err := p.describe(now)
	all := true
	if err != nil {
		wait = lastAgain
	} else if all, err = p.tell(ctx); ctx.Err() != nil {
		return wait
	}
	p.note(err, now)
	if all {
		return wait
	}
	p.tries++
	return min(wait, backoff(p.tries-1, min(lastAgain, p.cfg.World.EpochLen()/4)))
}

// backoff is the n-th pause of a series that doubles up to last, give or take a
// quarter, so that nodes that started together part ways.
func backoff(n int, last time.Duration) time.Duration {
	d := firstAgain
	for ; n > 0 && d < last; n-- {
		d *= 2
	}
	d = min(d, last)
	return d - d/4 + rand.N(d/2+1)
}

// describe signs what Self says, under a new seq if it is something new, and has
// it on disk before anybody hears of it. wait is when the content is to be
// looked at again at the latest.
func (p *Publisher) describe(now time.Time) (wait time.Duration, err error) {
	w := p.cfg.World
	wait = w.EpochLen()
	if err := p.cfg.Keys.Rotate(now); err != nil {
		return wait, err
	}
	p.said.Advance(now)
	epoch := w.Epoch(now)
	n, ok := p.cfg.Self()
	if !ok {
		if len(p.own) > 0 && p.own[0].Epoch != epoch {
			p.say(nil)
		}
		return wait, nil
	}
	n.Onion = p.cfg.Keys.Public()
	seq, changes, have := p.said.Said(p.self, epoch)
	want, err := directory.Build(p.cfg.Key, w.ID, epoch, seq, n)
	if err != nil {
		return wait, fmt.Errorf("describing this node: %w", err)
	}
	if name(want) == name(have) {
		p.say(have)
		return wait, nil
	}
	if due := p.changedAt.Add(p.holdOff(changes)); now.Before(due) {
		p.say(have)
		return due.Sub(now), nil
	}
	// The seq comes from the clock, so that a node that lost its memory does not
	// use one twice: that would be equivocation.
	seq = max(seq+1, uint64(max(0, now.Unix())))
	if want, err = directory.Build(p.cfg.Key, w.ID, epoch, seq, n); err != nil {
		return wait, fmt.Errorf("describing this node: %w", err)
	}
	if res := p.said.Add(want, now); len(res.Refused) > 0 {
		p.say(have)
		return wait, fmt.Errorf("describing this node: %w", res.Refused[0].Reason)
	}
	p.changedAt = now
	p.say(want)
	if p.cfg.File != "" {
		if err := sealed.Write(p.cfg.File, ownMagic, w.ID, encodeOwn(p.said.All())); err != nil {
			p.cfg.Log.Warn("what this node says is not on disk", "err", err) // the clock-made seq has to do
		}
	}
	return wait, nil
}

// holdOff is how long after a change the next one may come, given how many the
// epoch has seen, so that the last of the few that are allowed is not spent at
// its beginning.
func (p *Publisher) holdOff(changes int) time.Duration {
	switch changes {
	case 0, 1:
		return 0
	case 2:
		return p.cfg.World.EpochLen() / 8
	default:
		return p.cfg.World.EpochLen() / 4
	}
}

// say makes ds what seeds are told.
func (p *Publisher) say(ds []world.Descriptor) {
	if name(ds) != name(p.own) {
		p.tries = 0
		if p.cfg.Said != nil {
			p.cfg.Said(ds)
		}
	}
	p.own = ds
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status.Described = len(ds) > 0
}

// tell publishes to all seeds that do not know the present content, at once, and
// reports whether all do now, and what went wrong if anything did.
func (p *Publisher) tell(ctx context.Context) (all bool, failed error) {
	now := name(p.own)
	pending := slices.DeleteFunc(slices.Clone(p.seeds), func(seed string) bool { return p.told[seed] == now })
	unheard := p.cfg.Stamped != nil && p.stamped != now
	if len(p.own) == 0 || len(pending) == 0 && !unheard {
		return true, nil
	}
	if err := p.makeStamp(ctx, p.own[0].Epoch); err != nil {
		return false, err
	}
	if unheard {
		p.stamped = now
		p.cfg.Stamped(p.own, p.stamp)
	}
	sheets := p.sheets()
	outcomes := make([]error, len(pending))
	var wg sync.WaitGroup
	for i, seed := range pending {
		wg.Go(func() { outcomes[i] = p.publish(ctx, seed, sheets) })
	}
	wg.Wait()
	left, taken := 0, false
	for i, err := range outcomes {
		p.mirrors[pending[i]] = errors.Is(err, directory.ReasonNotTaking) // it leaves that to others
		if final(err) {
			p.told[pending[i]] = now
			taken = taken || !p.mirrors[pending[i]]
		} else {
			left++
		}
		if err != nil && !p.mirrors[pending[i]] {
			failed = err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status.Seeds, p.status.Told = 0, 0
	for _, seed := range p.seeds {
		if p.mirrors[seed] {
			continue
		}
		p.status.Seeds++
		if p.told[seed] == now {
			p.status.Told++
		}
	}
	if taken {
		p.status.Published = time.Now()
	}
	return left == 0, failed
}

// sheets are the price sheets that what is said at present names.
func (p *Publisher) sheets() (out [][]byte) {
	n, ok := p.said.Snapshot().Node(p.self)
	if !ok || p.cfg.Sheet == nil {
		return nil
	}
	for _, hash := range n.Prices {
		if b, ok := p.cfg.Sheet(hash); ok {
			out = append(out, b)
		}
	}
	return out
}

// makeStamp computes the stamp of an epoch, for as long as the epoch lasts.
func (p *Publisher) makeStamp(ctx context.Context, epoch uint64) error {
	w := p.cfg.World
	bits := w.Terms().TicketBits
	if bits == 0 || p.stamp != nil && p.stampFor == epoch {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, time.Until(w.EpochStart(epoch+1)))
	defer cancel()
	ticket, err := world.MakeTicket(ctx, w.ID, epoch, p.self, nil, bits)
	if err != nil {
		return fmt.Errorf("%w: %w", errStamp, err)
	}
	p.stamp, p.stampFor = ticket.Bytes(), epoch
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status.Stamped = epoch
	return nil
}

// What went wrong, for a person.
var (
	errUnreachable = errors.New("seed not reachable")
	errStamp       = errors.New("this machine does not finish the epoch's stamp in time")
)

// publish tells one seed.
func (p *Publisher) publish(ctx context.Context, seed string, sheets [][]byte) error {
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	stream, err := p.cfg.Seeds.Open(ctx, seed)
	if err != nil {
		return fmt.Errorf("%w: %w", errUnreachable, err)
	}
	defer stream.Close()
	stop := context.AfterFunc(ctx, func() { _ = stream.Close() }) // ends what is pending
	defer stop()
	res, err := mirror.Publish(stream, p.cfg.World.ID, p.stamp, p.own, sheets)
	switch {
	case err != nil && ctx.Err() != nil:
		return fmt.Errorf("%w: %w", ctx.Err(), err)
	case err != nil:
		return err
	case len(res.Refused) > 0:
		return res.Refused[0].Reason
	}
	return nil
}

// note keeps an outcome for Status, and tells operators of a failure that lasts.
func (p *Publisher) note(err error, now time.Time) {
	text := explain(err)
	p.mu.Lock()
	p.status.Problem = text
	p.mu.Unlock()
	switch {
	case err == nil:
		p.failing, p.warned = time.Time{}, ""
		return
	case p.failing.IsZero():
		p.failing = now
	}
	if text != p.warned && now.Sub(p.failing) >= settle {
		p.warned = text
		p.cfg.Log.Warn("not published everywhere", "err", text)
	}
}
