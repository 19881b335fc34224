package publish

import "time"

const (
	// publishTimeout bounds one publication, which is half a MiB at most, and
	// whose stamp waits until those of others are checked.
	publishTimeout = 30 * time.Second

	// firstAgain and lastAgain are the ends of the backoff for signers that could
	// not be told: nobody waits, but until then nobody new learns of us.
	firstAgain = time.Second
	lastAgain  = time.Minute

	// changeDelay lets a burst of changes end, since only four statements are
	// allowed per epoch.
	changeDelay = time.Second

	// clockTick is how often the clock is looked at even if no epoch is due:
	// timers stand still while a machine sleeps, epochs do not.
	clockTick = 30 * time.Second

	// settle is how long signers may not answer before operators are told: nodes
	// that start together need a second or two to find each other.
	settle = 5 * time.Second

	// maxOwnFile bounds the file of what was said: two epochs of 64 models.
	maxOwnFile = 1 << 20
)
