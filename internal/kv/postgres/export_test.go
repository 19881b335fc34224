package postgres

import "time"

// SetPatience bounds how long an Update waits for a server that went away.
func (s *Store) SetPatience(d time.Duration) { s.patience = d }
