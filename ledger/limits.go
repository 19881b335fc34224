package ledger

// MaxEpoch is the last epoch of a channel: the contract keeps 24 bits of it,
// and reverts where it would need a 25th.
const MaxEpoch = 1<<24 - 1

const (
	// MaxModels of a sheet: more than one gateway's backends list, and its leaf
	// in a directory stays below 64 KiB.
	MaxModels = 256

	// MaxModelName is as long as a model's name on a sheet may be, in bytes.
	MaxModelName = 128

	// MaxSheetBytes is the largest signed sheet: head, models, signature.
	MaxSheetBytes = 1 + 16 + 8 + 20 + 12 + 2 + MaxModels*(1+MaxModelName+6*12) + 8 + 8 + 64

	// SheetNotice is how many seconds before it begins a new sheet has to be
	// published, so that payers have it when it does.
	SheetNotice = 60

	// MaxSheetLife is how many seconds a sheet may hold: a provider that is gone
	// should not bind anyone for years.
	MaxSheetLife = 90 * 24 * 3600
)

// MaxRounds of one transcript: a thousand a second for 8,900 years.
const MaxRounds = 1 << 48
