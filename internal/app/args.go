package app

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// strict lets cmd and all below it refuse what they do not understand. cobra by
// itself calls an argument too many an unknown command, and answers an unknown
// command below the first level with help and success.
func strict(cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		strict(sub)
	}
	switch {
	case !cmd.HasSubCommands():
		if cmd.Args == nil {
			cmd.Args = noArguments
		}
	case cmd.Runnable(): // the sandbox: a command with others below it
		cmd.Args = knownCommand
	default:
		cmd.Args = knownCommand
		cmd.DisableFlagsInUseLine = true // it has none that do anything by themselves
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
}

func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fmt.Errorf("%s takes flags only, and %q is none", cmd.CommandPath(), args[0])
}

// OneArgument is for commands that take one, which their usage calls what.
func OneArgument(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return fmt.Errorf("%s: %s is missing", cmd.CommandPath(), what)
		case len(args) > 1:
			return fmt.Errorf("%s takes one %s, and %q is another; quote what has spaces", cmd.CommandPath(), what, args[1])
		}
		return nil
	}
}

func knownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	text := fmt.Sprintf("%s has no command %q", cmd.CommandPath(), args[0])
	if cmd.SuggestionsMinimumDistance <= 0 {
		cmd.SuggestionsMinimumDistance = maxTypos
	}
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		text += "; did you mean " + strings.Join(near, " or ") + "?"
	}
	return errors.New(text)
}

// maxTypos is how many letters may be wrong in a command that is still
// suggested.
const maxTypos = 2

// flagError says what a flag takes, where pflag shows the error of Go's parser.
func flagError(err error) error {
	bad, ok := errors.AsType[*pflag.InvalidValueError](err)
	if !ok {
		return err
	}
	name, want := "--"+bad.GetFlag().Name, ""
	switch bad.GetFlag().Value.Type() {
	case "int", "int64":
		want = "a whole number"
	case "bool":
		want = "true or false"
	case "duration":
		want = "a duration such as 30s or 5m"
	}
	if want == "" {
		return fmt.Errorf("%s: %w", name, bad.Unwrap())
	}
	return fmt.Errorf("%s: %q is not %s", name, bad.GetValue(), want)
}

// Count is a number of things, in words: 1 relay, 2 relays.
func Count(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return strconv.Itoa(n) + " " + thing
}

// Shell is a command line that can be pasted into a shell.
func Shell(words ...string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = w
		if w == "" || strings.Trim(w, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+:=") != "" {
			quoted[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return strings.Join(quoted, " ")
}

// ReadLine is what a person types, up to the end of the line and at most so many
// bytes of it.
func ReadLine(in io.Reader, most int64) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(in, most)).ReadString('\n')
	if err != nil && line == "" {
		return "", Usage(errors.New("nothing was typed"))
	}
	return strings.TrimSpace(line), nil
}
