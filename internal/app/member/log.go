package member

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/eventlog"
	"github.com/culvert-net/culvert/mesh/roster"
	"github.com/culvert-net/culvert/mesh/world"
)

// What a member's owner asks of the event log.

// ListIn says which events a page is about. The zero value is all, in the order
// of arrival.
type ListIn struct {
	Epochs  []uint64      `json:"epochs,omitempty"`
	Type    string        `json:"type,omitempty"`
	Author  string        `json:"author,omitempty"`  // key in hexadecimal; of a member, also its beginning
	Subject string        `json:"subject,omitempty"` // TargetRef, in hexadecimal
	Since   time.Time     `json:"since,omitzero"`
	After   uint64        `json:"after,omitempty"` // the place where the last page ended
	Limit   int           `json:"limit,omitempty"`
	Newest  bool          `json:"newest,omitempty"` // the last ones, the newest first
	Raw     bool          `json:"raw,omitempty"`    // with canonical bytes
	Wait    time.Duration `json:"wait,omitempty"`   // for one to come, if there is none
}

// Page is some events.
type Page struct {
	Events []Listed `json:"events"`
	After  uint64   `json:"after"` // where the next page begins
	Last   uint64   `json:"last"`  // the greatest place on this one
	More   bool     `json:"more"`  // there may be more now
}

// Listed is an event in a list.
type Listed struct {
	ID       string    `json:"id"`
	Epoch    uint64    `json:"epoch"`
	Type     string    `json:"type"`
	Author   string    `json:"author"`
	Subject  string    `json:"subject,omitempty"`
	Received time.Time `json:"received"`
	Via      string    `json:"via"`
	Bytes    string    `json:"bytes,omitempty"` // canonical, in hexadecimal
	Stamp    string    `json:"stamp,omitempty"`
}

func (o *Ops) filter(in *ListIn) (eventlog.Filter, error) {
	f := eventlog.Filter{Epochs: in.Epochs, Since: in.Since, After: in.After, Newest: in.Newest, Limit: in.Limit}
	var err error
	if in.Type != "" {
		if f.Type, err = event.ParseType(in.Type); err != nil {
			return f, app.Usage(fmt.Errorf("%w; there are %v", err, event.Types()))
		}
	}
	if in.Author != "" {
		key, err := o.author(in.Author)
		if err != nil {
			return f, fmt.Errorf("author: %w", err)
		}
		f.Author = &key
	}
	if in.Subject != "" {
		subject, err := world.ParseHash(in.Subject)
		if err != nil {
			return f, app.Usage(fmt.Errorf("subject: %w", err))
		}
		f.Subject = &subject
	}
	return f, nil
}

// author is whose events are meant: anybody by all of a key, a member by the
// beginning of one, which is what lists show.
func (o *Ops) author(name string) (roster.Key, error) {
	if key, err := world.ParseHash(name); err == nil {
		return roster.Key(key), nil
	}
	key, err := o.find(name, func(yield func(roster.Key)) {
		for _, m := range o.Roster().Members() {
			yield(m.Key)
		}
	})
	if err != nil {
		return key, app.Usage(fmt.Errorf("%w. Of who is no member, give all 64 digits", err))
	}
	return key, nil
}

// errEnough ends a page.
var errEnough = errors.New("enough")

// List lists events, a page at a time.
func List() Op[ListIn, Page] {
	return Op[ListIn, Page]{Route: "/member/log", Limit: time.Minute, Do: (*Ops).list}
}

func (o *Ops) list(ctx context.Context, in ListIn) (Page, error) {
	f, err := o.filter(&in)
	if err != nil {
		return Page{}, err
	}
	late := time.NewTimer(in.Wait)
	defer late.Stop()
	for {
		updated := o.events.Updated()
		p, err := o.page(f, in.Raw)
		if err != nil || len(p.Events) > 0 || in.Wait <= 0 {
			return p, err
		}
		select {
		case <-updated:
		case <-late.C:
			return p, nil
		case <-ctx.Done():
			return p, nil
		}
	}
}

func (o *Ops) page(f eventlog.Filter, raw bool) (Page, error) {
	p := Page{Events: []Listed{}, After: f.After, Last: f.After}
	size := 0
	err := o.events.Scan(f, func(e *event.Event, meta eventlog.Meta) error {
		if len(p.Events) == maxPage || size > maxPageBytes {
			p.More = true
			return errEnough
		}
		row := listed(e, meta)
		if raw {
			canonical := e.Canonical()
			row.Bytes, row.Stamp = hex.EncodeToString(canonical), hex.EncodeToString(meta.Stamp)
			size += len(canonical)
		}
		p.Events, p.After, p.Last = append(p.Events, row), meta.Place, max(p.Last, meta.Place)
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return p, err
}

func listed(e *event.Event, meta eventlog.Meta) Listed {
	row := Listed{
		ID: e.ID.String(), Epoch: e.Epoch(), Type: e.Type().String(), Author: fullKey(e.Author()),
		Received: meta.Received.UTC(), Via: meta.Via.String(),
	}
	if subject, ok := e.Subject(); ok {
		row.Subject = subject.String()
	}
	return row
}

// Explained is what is known of an id.
type Explained struct {
	Stored    bool      `json:"stored"`
	Event     *Listed   `json:"event,omitempty"`
	Used      uint32    `json:"used,omitempty"` // of the author's quota for the type in its epoch
	Quota     uint32    `json:"quota,omitempty"`
	Seal      string    `json:"seal,omitempty"`
	Refused   string    `json:"refused,omitempty"` // why it was, lately
	RefusedAt time.Time `json:"refused_at,omitzero"`
	RefusedBy string    `json:"refused_via,omitempty"`
}

// Explain tells why an event is in the log, or not.
func Explain() Op[Named, Explained] {
	return Op[Named, Explained]{Route: "/member/explain", Do: (*Ops).explain}
}

func (o *Ops) explain(_ context.Context, in Named) (Explained, error) {
	id, err := world.ParseHash(in.Name)
	if err != nil {
		return Explained{}, app.Usage(err)
	}
	x, err := o.events.Explain(id)
	out := Explained{Stored: x.Stored}
	if x.Stored {
		row := listed(x.Event, x.Meta)
		out.Event, out.Used, out.Quota, out.Seal = &row, x.Used, x.Quota, x.Seal.String()
		if x.Event.Type() == event.TypeDescriptor {
			out.Seal = "seals do not name descriptors"
		}
	}
	if x.Refused {
		out.Refused, out.RefusedAt, out.RefusedBy = x.Reason.Error(), x.RefusedAt.UTC(), x.RefusedBy.String()
	}
	return out, err
}

// Vectored is the version vector of the last epochs, as far as this node knows it:
// its own counters.
type Vectored struct {
	Entries []VectorEntry `json:"entries"` // by epoch
}

// VectorEntry is how many events this node has brought into one epoch, under an id
// that nobody else can link.
type VectorEntry struct {
	Epoch   uint64 `json:"epoch"`
	Replica string `json:"replica"`
	Counter uint64 `json:"counter"`
}

// Vector shows the version vector.
func Vector() Op[None, Vectored] {
	return Op[None, Vectored]{Route: "/member/vector", Do: (*Ops).vector}
}

func (o *Ops) vector(_ context.Context, _ None) (Vectored, error) {
	out := Vectored{Entries: []VectorEntry{}}
	at := o.cfg.World.Epoch(time.Now())
	for epoch := at - min(at, eventlog.VectorEpochs-1); epoch <= at+1; epoch++ {
		counters, err := o.events.Vector(epoch)
		if err != nil {
			return out, err
		}
		for _, id := range slices.SortedFunc(maps.Keys(counters), func(a, b world.Hash) int { return bytes.Compare(a[:], b[:]) }) {
			out.Entries = append(out.Entries, VectorEntry{Epoch: epoch, Replica: id.String(), Counter: counters[id]})
		}
	}
	return out, nil
}

// CheckIn says how thoroughly.
type CheckIn struct {
	Full bool `json:"full"`
}

// Checked is what a check found.
type Checked struct {
	Epochs   int      `json:"epochs"`
	Pruned   int      `json:"pruned"`
	Events   uint64   `json:"events"`
	Problems []string `json:"problems"`
}

// Check holds the log's parts against each other.
func Check() Op[CheckIn, Checked] {
	return Op[CheckIn, Checked]{Route: "/member/check", Limit: 10 * time.Minute, Do: (*Ops).check}
}

func (o *Ops) check(_ context.Context, in CheckIn) (Checked, error) {
	r, err := o.events.Check(in.Full)
	if r.Problems == nil {
		r.Problems = []string{}
	}
	return Checked(r), err
}

// ImportIn is events with their stamps, as Listed has them.
type ImportIn struct {
	Events []Imported `json:"events"`
}

// Imported is one event to import.
type Imported struct {
	Bytes string `json:"bytes"`
	Stamp string `json:"stamp,omitempty"`
}

// ImportOut is what became of them.
type ImportOut struct {
	Added   int            `json:"added"`
	Known   int            `json:"known"`
	Refused map[string]int `json:"refused"` // by reason
}

// Import takes events as if they had come by sync.
func Import() Op[ImportIn, ImportOut] {
	return Op[ImportIn, ImportOut]{Route: "/member/import", Limit: 5 * time.Minute, Do: (*Ops).importEvents}
}

func (o *Ops) importEvents(ctx context.Context, in ImportIn) (ImportOut, error) {
	sent := make([]eventlog.Candidate, len(in.Events))
	for i, e := range in.Events {
		canonical, err := hex.DecodeString(e.Bytes)
		if err != nil {
			return ImportOut{}, app.Usage(fmt.Errorf("event %d is not in hexadecimal", i+1))
		}
		stamp, err := hex.DecodeString(e.Stamp)
		if err != nil {
			return ImportOut{}, app.Usage(fmt.Errorf("the stamp of event %d is not in hexadecimal", i+1))
		}
		sent[i] = eventlog.Candidate{Bytes: canonical}
		if len(stamp) > 0 {
			ticket, err := world.ParseTicket(stamp)
			if err != nil {
				return ImportOut{}, app.Usage(fmt.Errorf("the stamp of event %d: %w", i+1, err))
			}
			sent[i].Stamp = &ticket
		}
	}
	r, err := o.admission.Ingest(ctx, sent, eventlog.ViaSync, time.Now())
	out := ImportOut{Added: r.Added, Known: r.Known, Refused: make(map[string]int)}
	for _, x := range r.Refused {
		out.Refused[x.Reason.Label()]++
	}
	return out, err
}
