package bench

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/internal/app"
)

// What a profile cannot be of is refused before any program starts. An empty
// list of rows was a panic, and half a second a figure too low by as much.
func TestProfileRefuses(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"--rows="}, "local, key, new"},
		{[]string{"--rows=local,floor"}, "local, key, new"},
		{[]string{"--only="}, "seq, c16"},
		{[]string{"--only=seq,llama"}, "llama"},
		{[]string{"--only=down", "--rows=new"}, "upstream"},
		{[]string{"--duration=1500ms"}, "whole seconds"},
		{[]string{"--duration=0s"}, "whole seconds"},
	} {
		cmd := profileCommand()
		var said strings.Builder
		cmd.SetArgs(append(tt.args, "--bin", t.TempDir()))
		cmd.SetOut(&said)
		cmd.SetErr(&said)
		err := cmd.Execute()
		if app.Code(err) != app.ExitUsage || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "make build") {
			t.Errorf("profile %q = %v, want exit code 2 and %q", tt.args, err, tt.want)
		}
	}
}

// Where results cannot be kept is said before minutes of measuring, not after.
func TestResultsHaveAPlace(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"--history", file},
		{"--json", filepath.Join(file, "x.json")},
		{"--json", t.TempDir()},
		{"profile", "--history", filepath.Join(file, "below")},
	} {
		cmd := Command()
		var said strings.Builder
		cmd.SetArgs(append(args, "--bin", t.TempDir()))
		cmd.SetOut(&said)
		cmd.SetErr(&said)
		err := cmd.Execute()
		if flag := args[len(args)-2]; app.Code(err) != app.ExitUsage || !strings.HasPrefix(err.Error(), flag+": ") {
			t.Errorf("bench %q = %v, want exit code 2 and the flag", args, err)
		}
	}
	dir := filepath.Join(t.TempDir(), "new")
	o := &options{history: dir, json: filepath.Join(dir, "x.json")}
	if err := o.place(); err != nil {
		t.Errorf("place = %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
