package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/culvert-net/culvert/internal/files"
)

// machine is where and with what a run was made.
type machine struct {
	When   time.Time `json:"when"`
	CPU    string    `json:"cpu"`
	Cores  int       `json:"cores"`
	System string    `json:"system"`
	Go     string    `json:"go"`
	Commit string    `json:"commit"`
	Busy   string    `json:"busy"` // load average when the run began
}

func thisMachine(commit string) machine {
	return machine{
		When: time.Now().UTC(), CPU: cpuModel(), Cores: runtime.NumCPU(),
		System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(), Commit: commit, Busy: loadAverage(),
	}
}

func (m machine) line() string {
	return fmt.Sprintf("%s: %s, %d cores, %s, %s, commit %s, load average %s before.",
		m.When.Format("2006-01-02 15:04 UTC"), m.CPU, m.Cores, m.System, m.Go, m.Commit, m.Busy)
}

// cpuModel is what the system calls the CPU.
func cpuModel() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "a CPU that is not named"
	}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "a CPU that is not named"
}

// loadAverage is how many programs wanted to run in the last minute: others
// take part in what is measured.
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(string(text), " ")
	return first
}

// place makes sure, before anything is measured, that what will be can be kept.
func (o *options) place() error {
	if o.history != "" {
		if err := os.MkdirAll(o.history, 0o755); err != nil {
			return fmt.Errorf("--history: %w", err)
		}
		if err := writable(o.history); err != nil {
			return fmt.Errorf("--history: %w", err)
		}
	}
	if o.json == "" {
		return nil
	}
	if there, err := os.Stat(o.json); err == nil && there.IsDir() {
		return fmt.Errorf("--json: %s is a directory; name a file in it", o.json)
	}
	if err := writable(filepath.Dir(o.json)); err != nil {
		return fmt.Errorf("--json: %w", err)
	}
	return nil
}

// writable reports why no file can be made in dir.
func writable(dir string) error {
	f, err := os.CreateTemp(dir, ".bench-")
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err // the name of a file that nobody asked for would be no help
	}
	if err != nil {
		return fmt.Errorf("no file can be made in %s: %w; name another directory", dir, err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// writeHistory adds the report to dir as a file of its day. Another run of the
// same day takes its place.
func writeHistory(dir string, r *results, text string) error {
	day := r.Machine.When.Format(time.DateOnly)
	path := filepath.Join(dir, day+".md")
	if err := os.WriteFile(path, []byte("# Benchmarks of "+day+"\n\n"+text), 0o644); err != nil {
		return fmt.Errorf("--history: %w", err)
	}
	return nil
}

// writeJSON writes everything that was measured, each round by itself.
func writeJSON(path string, r *results) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("--json: %w", err)
	}
	if err := files.Write(path, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("--json: %w", err)
	}
	return nil
}
