package wallet

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/internal/app/apptest"
)

func askedBy(p *apptest.Person) *Passphrases {
	return &Passphrases{Flag: "--passphrase-file", Env: environment(), In: p.TTY, Err: p.TTY}
}

// What is typed is not shown; a new passphrase is typed twice, and the same.
func TestTerminal(t *testing.T) {
	for _, tt := range []struct {
		name, second, want, says string
	}{
		{"the same", phrase, phrase, ""},
		{"a mistake", phrase + "x", "", "differ"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := apptest.NewPerson(t)
			type result struct {
				text string
				err  error
			}
			done := make(chan result, 1)
			go func() {
				got, err := askedBy(p).fresh(t.Context(), "it")
				done <- result{got.Reveal(), err}
			}()
			p.Waits(t, "at least 8 characters: ")
			p.Quiet(t)
			p.Types(t, phrase)
			p.Waits(t, "The same again: ")
			p.Quiet(t)
			p.Types(t, tt.second)
			r := <-done
			p.Waits(t, "\n")
			if tt.says == "" && (r.err != nil || r.text != tt.want) || tt.says != "" && (r.err == nil || !strings.Contains(r.err.Error(), tt.says)) {
				t.Errorf("%q, %v; want %q, or an error that says %q", r.text, r.err, tt.want, tt.says)
			}
			hidden(t, p.Seen)
		})
	}
}

// Whoever presses Ctrl-C at the question gets a terminal back that shows what is typed.
func TestTerminalInterrupted(t *testing.T) {
	p := apptest.NewPerson(t)
	if !p.Echoes(t) {
		t.Fatal("a terminal shows what is typed")
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	interrupted := errors.New("interrupted")
	done := make(chan error, 1)
	go func() { _, err := askedBy(p).existing(ctx, "it"); done <- err }()
	p.Waits(t, "Passphrase of it: ")
	p.Quiet(t)
	cancel(interrupted)
	if err := <-done; !errors.Is(err, interrupted) {
		t.Errorf("%v, want what ended the context", err)
	}
	if !p.Echoes(t) {
		t.Error("the terminal is left without echo")
	}
	p.Types(t, "x") // lets the reader end
}
