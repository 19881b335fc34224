package market

import "time"

const (
	// feeRoom is by how many times the quoted maximum the fees of an order may rise
	// until its transaction is in a block: each replacement raises them by an eighth
	// or a quarter, and a person who has agreed is not asked again.
	feeRoom = 2

	// consentRoom is how many times the gas of asking for a close one by consent may
	// take, which writes two balances, that are new at worst. It cannot be estimated
	// before there is a consent.
	consentRoom = 3

	// payRoom is how many times the gas of a token's approval a purchase takes, which
	// moves the token and writes a channel: two and a half with the tokens that there
	// are tests of. It cannot be estimated before the approval is there.
	payRoom = 4

	// maxRecord bounds an order that is kept: the longest has a descriptor of 4 KiB.
	maxRecord = 64 << 10

	// maxCommand bounds what a command sends over the admin socket.
	maxCommand = 64 << 10

	// seenPause is between two looks for the block of a transaction that is done, and
	// seenTries how many there are: the reader asks the same server as the writer.
	seenPause = 200 * time.Millisecond
	seenTries = 50

	// maxRounds is how many rounds are listed at once.
	maxRounds = 1000

	// maxBondDays is beyond what the contract takes, which says what it does.
	maxBondDays = 36500

	// fundsLimit bounds how long wallet show reads: the address is known at once, and
	// who has a long log to read first is told so.
	fundsLimit = 30 * time.Second

	// clockSlack is how far a block's time may lie in the future: chains let whoever
	// makes one choose it within some seconds.
	clockSlack = 20 * time.Second

	// quoteLimit bounds a quote: the chain's log may have to be read first.
	quoteLimit = 15 * time.Minute
)
