package network

import (
	"strings"
	"testing"
)

// Each chain has one name and one number, by both of which it is found.
func TestNetworks(t *testing.T) {
	for _, n := range All() {
		if got, err := Named(n.Name); err != nil || got != n {
			t.Errorf("%s is %+v, %v", n.Name, got, err)
		}
		if got, ok := Of(n.ChainID); ok == n.Dev || ok && got != n {
			t.Errorf("%d is %+v, %t", n.ChainID, got, ok)
		}
	}
	if _, err := Named("ethereum"); err == nil || !strings.Contains(err.Error(), "filecoin, calibration and dev") {
		t.Errorf("a name that there is not: %v", err)
	}
	if n, ok := Of(1); ok {
		t.Errorf("1 is %+v", n)
	}
}
