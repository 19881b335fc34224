package e2e

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/internal/app/bridge"
	"github.com/culvert-net/culvert/internal/app/devchain"
	"github.com/culvert-net/culvert/internal/app/gateway"
	"github.com/culvert-net/culvert/internal/app/observer"
	"github.com/culvert-net/culvert/internal/app/sandbox"
)

// Every command of ours in a block of README and documents is one that the programs
// take, with its flags and as many arguments.
func TestDocumentedCommands(t *testing.T) {
	programs := map[string]func() *cobra.Command{
		"bridge": bridge.Command, "gateway": gateway.Command, "observer": observer.Command, "devchain": devchain.Command, "sandbox": sandbox.Command,
	}
	files := []string{"../../README.md"}
	for _, pattern := range []string{"../../docs/*.md", "../../docs/runbooks/*.md"} {
		more, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, more...)
	}
	found := make(map[string]int) // by program
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range regexp.MustCompile("(?ms)^ *```(?:sh|console)\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
			for line := range strings.Lines(strings.ReplaceAll(block[1], "\\\n", " ")) {
				for _, args := range commandsOf(line) {
					command := programs[strings.TrimPrefix(args[0], "bin/")]
					if command == nil {
						continue
					}
					found[strings.TrimPrefix(args[0], "bin/")]++
					if err := understood(command(), args[1:]); err != nil {
						t.Errorf("%s: %s: %v", file, strings.TrimSpace(line), err)
					}
				}
			}
		}
	}
	if found["gateway"] < 20 || found["bridge"] < 10 || found["observer"] < 8 || found["devchain"] < 5 {
		t.Errorf("only these were found: %v", found)
	}
}

// commandsOf are the commands of a line, which may be joined by && or |, and their
// words.
func commandsOf(line string) (all [][]string) {
	line = strings.TrimPrefix(strings.TrimSpace(line), "$ ")
	var words []string
	for _, w := range regexp.MustCompile(`"[^"]*"|'[^']*'|[^\s"']+`).FindAllString(line, -1) {
		if strings.HasPrefix(w, "#") || w == ">" {
			break
		}
		switch w {
		case "&&", "|", ";":
			all, words = append(all, words), nil
		default:
			words = append(words, strings.Trim(w, `"'`))
		}
	}
	all = append(all, words)
	var commands [][]string
	for _, c := range all {
		if len(c) > 0 {
			commands = append(commands, c)
		}
	}
	return commands
}

// understood looks for a command, its flags and arguments, and runs nothing.
func understood(program *cobra.Command, args []string) error {
	cmd, rest, err := program.Find(args)
	if err != nil {
		return err
	}
	if cmd == program && len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		return fmt.Errorf("there is no command %q", args[0])
	}
	cmd.InitDefaultHelpFlag()
	if err := cmd.ParseFlags(rest); err != nil {
		return err
	}
	if !cmd.Runnable() {
		return errors.New("it does nothing")
	}
	return cmd.ValidateArgs(cmd.Flags().Args())
}

// What TestDocumentedCommands refuses must be refused.
func TestUnderstood(t *testing.T) {
	for _, c := range []struct {
		line string
		ok   bool
	}{
		{"gateway register --yes # sells", true},
		{`gateway price set --input "0.2 gwei" && gateway status`, true},
		{"gateway regster", false},
		{"gateway register --payuot 0x1", false},
		{"gateway wallet", false},
	} {
		var err error
		for _, args := range commandsOf(c.line) {
			err = errors.Join(err, understood(gateway.Command(), args[1:]))
		}
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", c.line, err)
		}
	}
}
