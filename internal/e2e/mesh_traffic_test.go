//go:build e2e && mesh

package e2e

import (
	"testing"
	"time"
)

// What TestDirectoryTrafficIsIdentical shows of the start, over changes of the epoch.
func TestMeshDirectoryTraffic(t *testing.T) {
	t.Parallel()
	followAlike(t, 5*time.Minute, 3)
}
