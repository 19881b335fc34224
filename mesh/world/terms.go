package world

import (
	"slices"
	"time"
)

// Terms are what a world's members keep to: its charter's, or the defaults.
type Terms struct {
	Horizon            time.Duration // how long events are kept
	Quota              uint32        // events of one type by one author in one epoch
	TicketBits         uint32        // work of a ticket
	Mode               Mode          // who admits members
	Founders           [][32]byte    // Ed25519 keys, sorted; none if nobody is known
	FounderThreshold   uint32        // how many of them decide
	Signers            [][32]byte    // directory signers, sorted; none if nobody is known
	DirectoryThreshold uint32        // how many of them sign
}

// What holds in a world without a charter.
const (
	// DefaultHorizon keeps two weeks of events.
	DefaultHorizon = 14 * 24 * time.Hour

	// DefaultQuota allows a probe every few seconds in epochs of an hour, and
	// bounds what a member gone bad writes to everybody's disk.
	DefaultQuota = 1024

	// DefaultTicketBits asks for a few seconds of one core, once per epoch.
	DefaultTicketBits = 6

	// DefaultMode lets a world grow without its founder.
	DefaultMode = ModeVouch
)

// Terms are those of the charter; without one the defaults, with the world
// file's founder as sole founder and sole directory signer.
func (w *World) Terms() Terms {
	if c := w.Charter; c != nil {
		return Terms{
			Horizon: time.Duration(c.EventHorizonS) * time.Second, Quota: c.QuotaPerAuthor, TicketBits: c.TicketBits, Mode: c.Mode,
			Founders: slices.Clone(c.Founders), FounderThreshold: c.FounderThreshold,
			Signers: slices.Clone(c.DirectorySigners), DirectoryThreshold: c.DirectoryThreshold,
		}
	}
	t := Terms{
		Horizon: max(DefaultHorizon, MinHorizonEpochs*w.EpochLen()),
		Quota:   DefaultQuota, TicketBits: DefaultTicketBits, Mode: DefaultMode,
		FounderThreshold: 1, DirectoryThreshold: 1,
	}
	if w.Founder != [32]byte{} {
		t.Founders, t.Signers = [][32]byte{w.Founder}, [][32]byte{w.Founder}
	}
	return t
}
