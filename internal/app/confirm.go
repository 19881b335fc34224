package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"golang.org/x/term"
)

// Action is something that costs money and cannot be taken back.
type Action struct {
	What  string      // in one line, as an order: "Buy tokens from 0x…"
	Facts [][2]string // name and value: amounts, who gets them, what is left
	Cost  string      // what the chain takes for it, as estimated; "" if that is not known
	Again string      // the command line that goes on with it, or does it again if nothing was sent
}

// Consent asks a person before an action, and shows how far it has come.
type Consent struct {
	In  io.Reader // standard input
	Err io.Writer // standard error
	Yes bool      // --yes: who wrote the command line has agreed
}

// Ask shows the action and returns nil if it is agreed to. Where no person can be
// asked and nobody has said --yes, nothing is done.
func (c *Consent) Ask(ctx context.Context, a Action) error {
	if err := c.show(a); err != nil {
		return err
	}
	if c.Yes {
		return nil
	}
	if !OnTerminal(c.Err) || !fromTerminal(c.In) {
		return Refused(errors.New("nothing was done: there is no terminal to ask at. If all of the above is right, add --yes"))
	}
	if _, err := fmt.Fprint(c.Err, "Do it? [y/N] "); err != nil {
		return err
	}
	answer := make(chan string, 1)
	// Nothing interrupts a read of a terminal, so this goroutine is not waited for
	// when the context ends; the program ends right after.
	go func() {
		line, err := ReadLine(c.In, maxAnswer)
		if err != nil {
			line = ""
		}
		answer <- line
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(c.Err)
		return fmt.Errorf("%w; nothing was done", context.Cause(ctx))
	case line := <-answer:
		switch strings.ToLower(line) {
		case "y", "yes":
			return nil
		}
		return Refused(errors.New("nothing was done"))
	}
}

// maxAnswer is more than anybody types for yes or no.
const maxAnswer = 16

// show writes the action for a person.
func (c *Consent) show(a Action) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", a.What)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, f := range a.Facts {
		fmt.Fprintf(w, "  %s\t%s\n", f[0], f[1])
	}
	cost := a.Cost
	if cost == "" {
		cost = "not known"
	}
	fmt.Fprintf(w, "  Estimated fee\t%s\n", cost)
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(c.Err, b.String())
	return err
}

func fromTerminal(in io.Reader) bool {
	f, ok := in.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Wait does what was agreed to. do says by show how far it has come; a person sees
// it on a line that the next replaces. If do fails or is interrupted, the error says
// how to go on: what was sent to the chain goes its way without this program.
func (c *Consent) Wait(ctx context.Context, a Action, do func(ctx context.Context, show func(format string, args ...any)) error) error {
	p := NewProgress(c.Err)
	err := do(ctx, p.Show)
	p.Clear()
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%w; what was sent goes on without this command. To see it through: %s", context.Cause(ctx), a.Again)
	}
	return fmt.Errorf("%w. To go on: %s", err, a.Again)
}
