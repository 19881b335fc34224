package sandbox

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/internal/app/bridge"
	"github.com/culvert-net/culvert/internal/app/gateway"
	"github.com/culvert-net/culvert/internal/app/observer"
	"github.com/culvert-net/culvert/internal/telemetry"
)

// docs/spec/metrics.md lists what the programs' pages hold, and nothing else.
func TestDocumentedMetrics(t *testing.T) {
	of := make(map[string]string) // programs by row
	for _, program := range []struct {
		name     string
		families []telemetry.Family
	}{{"bridge", bridge.Metrics()}, {"gateway", gateway.Metrics()}, {"observer", observer.Metrics()}} {
		for _, f := range program.families {
			var labels []string
			for _, l := range f.Labels {
				values := make([]string, len(l.Values))
				for i, v := range l.Values {
					if values[i] = "`" + v + "`"; v == "" {
						values[i] = "none"
					}
				}
				if l.Open != "" {
					values = []string{l.Open}
				}
				labels = append(labels, "`"+l.Name+"`: "+strings.Join(values, " "))
			}
			row := fmt.Sprintf("| `%s` | %%s | %s | %s | %s |", f.Name, f.Type(), strings.Join(labels, "; "), f.Help)
			of[row] = strings.TrimPrefix(of[row]+", "+program.name, ", ")
		}
	}
	var want []string
	for _, row := range slices.Sorted(maps.Keys(of)) {
		want = append(want, fmt.Sprintf(row, of[row]))
	}
	text, err := os.ReadFile("../../../docs/spec/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "| `") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("docs/spec/metrics.md has not these rows, in this order:\n%s", strings.Join(want, "\n"))
	}
}
