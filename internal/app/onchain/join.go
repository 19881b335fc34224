package onchain

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/config"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/network"
	"github.com/culvert-net/culvert/mesh/world"
)

// Settings are what is known of the chain, from all sources together.
type Settings struct {
	Preset        string // "": a chain of no preset
	Domain        ledger.Domain
	CodeHash      ledger.Hash
	DeployBlock   uint64
	Confirmations uint64
	Via           string
	URL           string // "" with ViaCircuit; it may hold a key, so Status has its host only
}

// Join completes a section that Validate has passed by the world's charter, and
// refuses what does not fit it: in a world, money is on one contract. It returns nil
// where no chain is asked: then nothing is paid. Without a world (nil) there is
// nothing to join.
func Join(c Config, w *world.World) (*Settings, error) {
	s, err := joined(c, w)
	if err != nil || s.URL == "" && s.Via != ViaCircuit {
		return nil, err // who has no address to ask has no money, or has not begun
	}
	return s, s.complete()
}

// Domain is the contract that money is on, for what needs no chain to be asked.
func Domain(c Config, w *world.World) (ledger.Domain, error) {
	s, err := joined(c, w)
	if err != nil {
		return ledger.Domain{}, err
	}
	return s.Domain, s.complete()
}

func joined(c Config, w *world.World) (*Settings, error) {
	p, err := presetNamed(c.Preset)
	if err != nil {
		return nil, config.At("chain.preset", err)
	}
	s := &Settings{
		Preset: c.Preset, DeployBlock: uint64(c.DeployBlock), Via: c.Via, URL: c.URL,
		Domain: ledger.Domain{ChainID: p.ChainID},
	}
	if s.URL == "" && s.Via != ViaCircuit && p.Dev {
		s.URL = devURL
	}
	if c.ChainID > 0 {
		s.Domain.ChainID = uint64(c.ChainID)
	}
	if c.Contract != "" {
		if s.Domain.Contract, err = ledger.ParseAddress(c.Contract); err != nil {
			return nil, config.At("chain.contract", err)
		}
	}
	if c.CodeHash != "" {
		if s.CodeHash, err = ledger.ParseHash(c.CodeHash); err != nil {
			return nil, config.At("chain.code_hash", err)
		}
	}
	if err := s.join(w); err != nil {
		return nil, err
	}
	// Whoever named the chain, by name or number, it is the same one.
	known, named := p, c.Preset != ""
	if !named {
		known, named = network.Of(s.Domain.ChainID)
	}
	switch {
	case c.Confirmations >= 0:
		s.Confirmations = uint64(c.Confirmations)
	case named:
		s.Confirmations = known.Confirmations
	default:
		s.Confirmations = defaultConfirmations
	}
	if named {
		s.Preset = known.Name
	}
	return s, nil
}

// join takes what is missing from the charter, and compares the rest.
func (s *Settings) join(w *world.World) error {
	if w == nil || w.Charter == nil || w.Charter.Chain == nil {
		return nil
	}
	c := w.Charter.Chain
	if s.Domain.ChainID == 0 {
		s.Domain.ChainID = c.ID
	}
	if s.Domain.Contract.IsZero() {
		s.Domain.Contract = c.Contract
	}
	if s.CodeHash.IsZero() {
		s.CodeHash = ledger.Hash(c.RuntimeCodeHash)
	}
	const other = "the charter of world %q says %v, and this %v: whoever pays elsewhere pays nobody of this world. Remove it, the world's is the default"
	switch {
	case s.Domain.ChainID != c.ID:
		key := "chain.chain_id"
		if s.Preset != "" {
			key = "chain.preset"
		}
		return config.At(key, app.Refused(fmt.Errorf(other, w.Phrase, c.ID, s.Domain.ChainID)))
	case s.Domain.Contract != c.Contract:
		return config.At("chain.contract", app.Refused(fmt.Errorf(other, w.Phrase, ledger.Address(c.Contract), s.Domain.Contract)))
	case s.CodeHash != ledger.Hash(c.RuntimeCodeHash):
		return config.At("chain.code_hash", app.Refused(fmt.Errorf(other, w.Phrase, ledger.Hash(c.RuntimeCodeHash), s.CodeHash)))
	}
	return nil
}

// complete refuses settings by which no transaction could be checked.
func (s *Settings) complete() error {
	const missing = "it is missing, and the world's charter has none either; whoever deployed the contract knows it"
	switch {
	case s.Domain.ChainID == 0:
		return config.At("chain.chain_id", errors.New(missing))
	case s.Domain.Contract.IsZero():
		return config.At("chain.contract", errors.New(missing))
	case s.CodeHash.IsZero():
		return config.At("chain.code_hash", errors.New(missing+"; without it, any program at that address would get the money"))
	}
	return nil
}

// Status is what a program says of its chain to its owner.
type Status struct {
	Preset   string         `json:"preset,omitempty"`
	ChainID  uint64         `json:"chain_id"`
	Contract ledger.Address `json:"contract"`
	Via      string         `json:"via"`
	Host     string         `json:"host,omitempty"`
	Warning  string         `json:"warning,omitempty"` // what the way to the chain shows, and to whom
}

// Status says what is set; nil: there is no chain.
func (s *Settings) Status() *Status {
	if s == nil {
		return nil
	}
	out := &Status{Preset: s.Preset, ChainID: s.Domain.ChainID, Contract: s.Domain.Contract, Via: s.Via, Host: s.host()}
	if s.Clearnet() {
		out.Warning = fmt.Sprintf("%s sees from which address this machine pays, and when; a node of your own does not tell", out.Host)
	}
	return out
}

// Clearnet reports whether somebody else sees who asks.
func (s *Settings) Clearnet() bool {
	u, err := url.Parse(s.URL)
	return s.URL != "" && (err != nil || !private(u.Hostname()))
}

// Warn logs it at a start, if somebody else sees who asks.
func (s *Settings) Warn(log *slog.Logger) {
	if s != nil && s.Clearnet() {
		log.Warn("the chain is asked over the clearnet: who pays is seen there", "host", s.host())
	}
}

// host is where the chain is asked, without what may be a key.
func (s *Settings) host() string {
	u, err := url.Parse(s.URL)
	if err != nil {
		return ""
	}
	return u.Host
}

// Rows adds the chain to a status that is printed.
func (s *Status) Rows(row func(name, format string, args ...any)) {
	if s == nil {
		return
	}
	name := fmt.Sprint(s.ChainID)
	if s.Preset != "" {
		name += " (" + s.Preset + ")"
	}
	way := s.Via
	if s.Host != "" {
		way += ", " + s.Host
	}
	row("Chain", "%s, contract %s, by %s", name, s.Contract, way)
	if s.Warning != "" {
		row("Seen", "%s", s.Warning)
	}
}
