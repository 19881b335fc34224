//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The README's walk over the market is what people see: its commands are given to a
// sandbox, and print what it says, but for what differs from time to time.
func TestReadmeMarket(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## The market\n")
	section, _, _ = strings.Cut(section, "\n## ")
	steps := consoleSteps(section)
	if len(steps) < 10 {
		t.Fatalf("the README has %d steps; want the whole walk", len(steps))
	}

	here := t.TempDir()
	s := &stall{world: start(t, "--backend", "mock", "--chain", "--dir", filepath.Join(t.TempDir(), "d"))}
	s.restart("provider-1", patient()...) // so that it does not claim before it is told to
	for name, target := range map[string]string{"bin": programs, "world": filepath.Dir(s.Dirs["bridge"])} {
		target, err := filepath.Abs(target)
		if err == nil {
			err = os.Symlink(target, filepath.Join(here, name))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range steps {
		got := ""
		if strings.HasPrefix(step.command, "curl ") {
			s.earnings() // reads the chain, as the provider does every few seconds
			got = s.curl(step.command)
		} else {
			cmd := exec.Command("bash", "-c", step.command)
			cmd.Dir = here
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%s: %v\n%s", step.command, err, out)
			}
			got = string(out)
		}
		if blurred(got) != blurred(step.output) {
			t.Errorf("$ %s\nprints\n%s\nand the README says\n%s", step.command, got, step.output)
		}
	}
}

// step is a command of a console block, and what it prints.
type step struct{ command, output string }

// consoleSteps are those of all console blocks of a text.
func consoleSteps(text string) (steps []step) {
	for _, block := range regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(text, -1) {
		lines := strings.Split(strings.ReplaceAll(block[1], "\\\n", ""), "\n")
		for _, line := range lines {
			if command, ok := strings.CutPrefix(line, "$ "); ok {
				steps = append(steps, step{command: command})
			} else if n := len(steps); n > 0 {
				steps[n-1].output += line + "\n"
			}
		}
	}
	return steps
}

// curl asks what a command line with curl asks, and returns the header that it greps.
func (s *stall) curl(command string) string {
	s.t.Helper()
	body := regexp.MustCompile(`-d '([^']*)'`).FindStringSubmatch(command)
	header := regexp.MustCompile(`\| grep ([\w-]+)$`).FindStringSubmatch(command)
	if body == nil || header == nil || !strings.Contains(command, "/v1/chat/completions") {
		s.t.Fatalf("%s: the test does not know what that asks", command)
	}
	got := s.ask(body[1])
	if got.status != http.StatusOK {
		s.t.Fatalf("%s: %d %s", command, got.status, got.body)
	}
	s.settledAny()
	return fmt.Sprintf("%s: %s\n", header[1], got.header.Get(header[1]))
}

// settledAny waits until nothing is under way.
func (s *stall) settledAny() {
	s.t.Helper()
	eventually(s.t, patience, "the round is paid", func() error {
		for _, r := range told[[]row](s, "bridge", "rounds") {
			if !r.Confirmed {
				return fmt.Errorf("round %s is not", r.Round)
			}
		}
		return nil
	})
}

// blurred is a text without what differs from one run to the next.
func blurred(text string) string {
	for _, b := range []struct{ what, by string }{
		{`0x[0-9a-f]{64}\b`, "HASH"},
		{`0x[0-9a-fA-F]{40}\b`, "ADDRESS"},
		{`0x[0-9a-f]{32}\b`, "ROUND"},
		{`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`, "TIME"},
		{`block \d+`, "block N"},
		{`(fee\s+(of )?|at most |In it\s+|In the wallet\s+)[0-9.]+ (eth|gwei|wei)`, "${1}FEE"},
		{`[ ]+`, " "},
		{` ?\n`, "\n"},
	} {
		text = regexp.MustCompile(b.what).ReplaceAllString(text, b.by)
	}
	return strings.TrimSpace(text)
}
