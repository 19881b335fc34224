package eventlog

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
)

// noRoom wraps ErrNoRoom around the errors of a disk that is full, of a quota
// and of a limit on files. Of one that could not be made larger bbolt leaves
// only the words.
func noRoom(err error) error {
	for _, no := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG} {
		if errors.Is(err, no) {
			return fmt.Errorf("%w (%v)", ErrNoRoom, err)
		}
	}
	if err != nil && strings.Contains(err.Error(), "file resize error") {
		return fmt.Errorf("%w (%v)", ErrNoRoom, err)
	}
	return err
}
