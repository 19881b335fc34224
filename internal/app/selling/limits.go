package selling

import (
	"time"

	"github.com/culvert-net/culvert/ledger"
)

const (
	// every is how often the file of prices, the unit price and the clock are looked
	// at: an owner who sets a price looks whether it came.
	every = 5 * time.Second

	// notice is how long after it is made the first sheet begins: what publishing
	// takes, and then what payers are promised.
	notice = (ledger.SheetNotice + 15) * time.Second

	// leadEpochs is in how many epochs a next sheet begins: bundles are made once an
	// epoch, are fetched within a third of the next, and may be used for longer.
	leadEpochs = 3

	// life is how long a sheet holds, and so for how long an owner who asks for more
	// still takes less.
	life = 24 * time.Hour

	// maxKept bounds the sheets that are kept since they hold: more changes than
	// that in a day forget the oldest.
	maxKept = 16

	// maxFile bounds sheets.db, maxList the file of prices.
	maxFile = 64 + maxKept*(ledger.MaxSheetBytes+3)
	maxList = 256 << 10
)
