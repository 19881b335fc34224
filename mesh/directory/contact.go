package directory

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/culvert-net/culvert/mesh/world"
)

// contact is what the contact lines of one descriptor say (docs/spec/directory.md
// §1). Lines of kinds that are not known are not in here: they stay in the
// descriptor, which is passed on whole.
type contact struct {
	addrs  []string   // multiaddrs without /p2p, sorted; not those we cannot read
	onion  []OnionKey // newest first
	name   string
	caps   []string     // sorted
	prices []world.Hash // of price sheets, sorted
	pay    []Pay        // sorted
	seq    uint64
}

// sameNode reports whether two descriptors say the same of their node. Models
// differ in their caps only.
func (c *contact) sameNode(o *contact) bool {
	return c.seq == o.seq && c.name == o.name && slices.Equal(c.addrs, o.addrs) &&
		slices.Equal(c.prices, o.prices) && slices.Equal(c.pay, o.pay) &&
		slices.EqualFunc(c.onion, o.onion, func(a, b OnionKey) bool {
			return a.Public == b.Public && a.NotAfter.Equal(b.NotAfter)
		})
}

// lines are the contact lines that say c, in canonical order.
func (c *contact) lines() []string {
	out := slices.Clone(c.addrs)
	for _, k := range c.onion {
		out = append(out, fmt.Sprintf("onion:1:%s:%d", base64.RawURLEncoding.EncodeToString(k.Public[:]), k.NotAfter.Unix()))
	}
	for _, name := range c.caps {
		out = append(out, "cap:"+name)
	}
	for _, h := range c.prices {
		out = append(out, priceLine(h))
	}
	for _, p := range c.pay {
		out = append(out, "pay:"+p.String())
	}
	if c.name != "" {
		out = append(out, "name:"+c.name)
	}
	out = append(out, "seq:"+strconv.FormatUint(c.seq, 10))
	slices.Sort(out)
	return slices.Compact(out)
}

// parseContact reads the contact lines of the descriptor of key. A line of a
// kind we know must be in the one form we write; other lines are left alone.
func parseContact(lines []string, key [32]byte) (contact, error) {
	if len(lines) > maxLines {
		return contact{}, fmt.Errorf("%w: %d lines, at most %d are allowed", ReasonContact, len(lines), maxLines)
	}
	p := contactParser{key: key}
	for i, line := range lines {
		if err := p.line(line); err != nil {
			return contact{}, fmt.Errorf("%w: line %d: %w", ReasonContact, i, err)
		}
	}
	switch {
	case !p.hasSeq:
		return contact{}, fmt.Errorf("%w: no seq: line", ReasonContact)
	case p.places == 0 || p.places > maxAddrs:
		return contact{}, fmt.Errorf("%w: %d addresses, one to %d are allowed", ReasonContact, p.places, maxAddrs)
	case len(p.onion) == 0 || len(p.onion) > maxOnion:
		return contact{}, fmt.Errorf("%w: %d onion keys, one or two are allowed", ReasonContact, len(p.onion))
	case len(p.caps) > maxCaps:
		return contact{}, fmt.Errorf("%w: %d capabilities, at most %d are allowed", ReasonContact, len(p.caps), maxCaps)
	}
	if err := p.checkPayment(); err != nil {
		return contact{}, err
	}
	slices.Sort(p.addrs)
	p.addrs = slices.Compact(p.addrs)
	slices.Sort(p.caps)
	slices.SortFunc(p.onion, func(a, b OnionKey) int {
		if c := b.NotAfter.Compare(a.NotAfter); c != 0 {
			return c
		}
		return bytes.Compare(a.Public[:], b.Public[:])
	})
	return p.contact, nil
}

type contactParser struct {
	contact
	key    [32]byte // whose contact this is
	places int      // addresses, those we cannot read included
	hasSeq bool
}

var (
	errLineLength = errors.New("empty or too long")
	errLineForm   = errors.New("not in its canonical form")
	errLineTwice  = errors.New("said twice")
)

func (p *contactParser) line(s string) error {
	if s == "" || len(s) > maxLine {
		return errLineLength
	}
	if strings.HasPrefix(s, "/") {
		return p.addr(s)
	}
	kind, value, _ := strings.Cut(s, ":")
	switch kind {
	case "seq":
		return p.readSeq(value)
	case "name":
		if p.name != "" {
			return errLineTwice
		}
		if !validLabel(value) {
			return errLineForm
		}
		p.name = value
	case "cap":
		if !validLabel(value) {
			return errLineForm
		}
		p.caps = append(p.caps, value) // lines are unique, so these are
	case "price":
		return p.readPrice(value)
	case "pay":
		return p.readPay(value)
	case "onion":
		return p.readOnion(value)
	}
	return nil
}

// addr takes a multiaddr. One that does not parse may be of a transport that is
// newer than this program, so it is no error.
func (p *contactParser) addr(s string) error {
	p.places++
	a, err := world.ParseAddr(s)
	if err != nil {
		return nil
	}
	if a.HasKey && a.Key != p.key {
		return errors.New("the address names another key")
	}
	p.addrs = append(p.addrs, a.Transport)
	return nil
}

func (p *contactParser) readSeq(value string) error {
	if p.hasSeq {
		return errLineTwice
	}
	n, err := strconv.ParseUint(value, 10, 64)
	if err != nil || strconv.FormatUint(n, 10) != value {
		return errLineForm
	}
	p.seq, p.hasSeq = n, true
	return nil
}

// readOnion takes 1:<base64url>:<unix>. Other versions are other kinds of line.
func (p *contactParser) readOnion(value string) error {
	rest, ok := strings.CutPrefix(value, "1:")
	if !ok {
		return nil
	}
	encoded, unix, ok := strings.Cut(rest, ":")
	if !ok {
		return errLineForm
	}
	public, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if err != nil || len(public) != 32 || len(encoded) != base64.RawURLEncoding.EncodedLen(32) {
		return errLineForm
	}
	at, err := strconv.ParseInt(unix, 10, 64)
	if err != nil || at < 0 || strconv.FormatInt(at, 10) != unix {
		return errLineForm
	}
	k := OnionKey{Public: [32]byte(public), NotAfter: time.Unix(at, 0).UTC()}
	if slices.ContainsFunc(p.onion, func(o OnionKey) bool { return o.Public == k.Public }) {
		return errLineTwice
	}
	p.onion = append(p.onion, k)
	return nil
}

// validLabel is the form of names and capabilities: [a-z0-9-]{1,32}. They are
// shown in terminals and tables, so nothing else gets in.
func validLabel(s string) bool {
	if s == "" || len(s) > maxName {
		return false
	}
	for _, c := range []byte(s) {
		if c != '-' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}
