//go:build !unix

package process

import "time"

// Own is not known here.
func Own() time.Duration { return 0 }
