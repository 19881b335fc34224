package world

import (
	"encoding/hex"
	"fmt"
	"math"
	"reflect"
)

// charterFile is the [charter] of a world file. Integers are wide and signed,
// so that what the file says can be shown when it is out of bounds.
type charterFile struct {
	Version            int64      `toml:"version"`
	Founders           []string   `toml:"founders"`
	FounderThreshold   int64      `toml:"founder_threshold"`
	Mode               string     `toml:"mode"`
	DirectorySigners   []string   `toml:"directory_signers"`
	DirectoryThreshold int64      `toml:"directory_threshold"`
	CircuitSuite       int64      `toml:"circuit_suite"`
	EventHorizonS      int64      `toml:"event_horizon_s"`
	QuotaPerAuthor     int64      `toml:"quota_per_author"`
	TicketBits         int64      `toml:"ticket_bits"`
	ContentPolicyHash  string     `toml:"content_policy_hash"`
	Chain              *chainFile `toml:"chain,omitempty"` // a table of its own, so it stands last
}

// chainFile is its [charter.chain], in worlds with money.
type chainFile struct {
	ID              int64  `toml:"chain_id"`
	Contract        string `toml:"contract"`
	RuntimeCodeHash string `toml:"runtime_code_hash"`
}

// charterNames and chainNames are the keys of the two tables.
func charterNames() []string { return tomlNames(reflect.TypeFor[charterFile]()) }
func chainNames() []string   { return tomlNames(reflect.TypeFor[chainFile]()) }

// charter reads the keys and numbers; their bounds are New's business.
func (f *charterFile) charter() (*Charter, error) {
	r := fieldReader{}
	c := &Charter{
		Version:            uint32(r.number("version", f.Version, math.MaxUint32)),
		Founders:           r.keys("founders", f.Founders),
		FounderThreshold:   uint32(r.number("founder_threshold", f.FounderThreshold, math.MaxUint32)),
		Mode:               r.mode(f.Mode),
		DirectorySigners:   r.keys("directory_signers", f.DirectorySigners),
		DirectoryThreshold: uint32(r.number("directory_threshold", f.DirectoryThreshold, math.MaxUint32)),
		CircuitSuite:       uint8(r.number("circuit_suite", f.CircuitSuite, math.MaxUint8)),
		EventHorizonS:      r.number("event_horizon_s", f.EventHorizonS, math.MaxInt64),
		QuotaPerAuthor:     uint32(r.number("quota_per_author", f.QuotaPerAuthor, math.MaxUint32)),
		TicketBits:         uint32(r.number("ticket_bits", f.TicketBits, math.MaxUint32)),
	}
	r.bytes("content_policy_hash", f.ContentPolicyHash, c.ContentPolicyHash[:])
	if f.Chain != nil {
		c.Chain = &Chain{ID: r.number("chain.chain_id", f.Chain.ID, math.MaxInt64)}
		r.bytes("chain.contract", f.Chain.Contract, c.Chain.Contract[:])
		r.bytes("chain.runtime_code_hash", f.Chain.RuntimeCodeHash, c.Chain.RuntimeCodeHash[:])
	}
	return c, r.err
}

// fieldReader turns what a file says into values and keeps the first error.
type fieldReader struct{ err error }

func (r *fieldReader) fail(name, problem string) {
	if r.err == nil {
		r.err = &FieldError{Field: "charter." + name, Problem: problem}
	}
}

func (r *fieldReader) number(name string, v int64, most uint64) uint64 {
	if v < 0 || uint64(v) > most {
		r.fail(name, fmt.Sprintf("%d is out of bounds; it may be 0 to %d", v, most))
		return 0
	}
	return uint64(v)
}

func (r *fieldReader) mode(s string) Mode {
	m, err := ParseMode(s)
	if err != nil {
		r.fail("mode", err.Error())
	}
	return m
}

// bytes reads hexadecimal digits that fill dst.
func (r *fieldReader) bytes(name, s string, dst []byte) {
	if err := readHex(s, dst); err != nil {
		r.fail(name, err.Error())
	}
}

func (r *fieldReader) keys(name string, list []string) [][32]byte {
	keys := make([][32]byte, len(list))
	for i, s := range list {
		r.bytes(fmt.Sprintf("%s[%d]", name, i), s, keys[i][:])
	}
	return keys
}

func readHex(s string, dst []byte) error {
	if len(s) != hex.EncodedLen(len(dst)) {
		return fmt.Errorf("it has %d hexadecimal digits, not %d characters", hex.EncodedLen(len(dst)), len(s))
	}
	if _, err := hex.Decode(dst, []byte(s)); err != nil {
		return fmt.Errorf("it has %d hexadecimal digits: %w", hex.EncodedLen(len(dst)), err)
	}
	return nil
}

// newCharterFile writes what charter reads.
func newCharterFile(c *Charter) *charterFile {
	if c == nil {
		return nil
	}
	f := &charterFile{
		Version: int64(c.Version), Founders: hexKeys(c.Founders), FounderThreshold: int64(c.FounderThreshold), Mode: c.Mode.String(),
		DirectorySigners: hexKeys(c.DirectorySigners), DirectoryThreshold: int64(c.DirectoryThreshold),
		CircuitSuite: int64(c.CircuitSuite), EventHorizonS: int64(c.EventHorizonS), QuotaPerAuthor: int64(c.QuotaPerAuthor),
		TicketBits: int64(c.TicketBits), ContentPolicyHash: c.ContentPolicyHash.String(),
	}
	if c.Chain != nil {
		f.Chain = &chainFile{
			ID: int64(c.Chain.ID), Contract: hex.EncodeToString(c.Chain.Contract[:]),
			RuntimeCodeHash: c.Chain.RuntimeCodeHash.String(),
		}
	}
	return f
}

func hexKeys(keys [][32]byte) []string {
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = hex.EncodeToString(k[:])
	}
	return out
}

// CharterChanges names the fields in which two charters differ, as in a world
// file; nil stands for a world without one.
func CharterChanges(a, b *Charter) []string {
	if a == nil || b == nil {
		if a == b {
			return nil
		}
		return []string{"charter"}
	}
	var out []string
	va, vb := reflect.ValueOf(*newCharterFile(a)), reflect.ValueOf(*newCharterFile(b))
	for i, name := range charterNames() {
		if !reflect.DeepEqual(va.Field(i).Interface(), vb.Field(i).Interface()) {
			out = append(out, "charter."+name)
		}
	}
	return out
}
