package wallet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/config"
	"github.com/culvert-net/culvert/internal/files"
)

// Where secrets come from when nobody is asked.
const (
	PassphraseVariable = "CULVERT_PASSPHRASE"
	KeyVariable        = "CULVERT_WALLET_KEY" // the wallet's key in hexadecimal, in place of a file

	// Credential is the name of the passphrase among systemd's credentials
	// (LoadCredential=), which lie in a directory that systemd names.
	Credential          = "culvert-passphrase"
	credentialDirectory = "CREDENTIALS_DIRECTORY"
)

// Passphrases is where a passphrase comes from: a file, the environment, a
// credential of systemd, or the person at the terminal, in this order.
type Passphrases struct {
	File string                   // "": none was named
	Flag string                   // the flag that names File
	Env  func(name string) string // os.Getenv; nil: the environment has none for this
	In   io.Reader                // standard input
	Err  io.Writer                // where a person is asked, normally stderr
}

// BindPassphrases is where the passphrase comes from of a program with these flags.
// Whoever has them sets In and Err, or nobody is asked.
func BindPassphrases(flags *pflag.FlagSet) *Passphrases {
	p := &Passphrases{Flag: "--passphrase-file", Env: os.Getenv}
	flags.StringVar(&p.File, "passphrase-file", "", "read the passphrase of the keystore from this file, its only line")
	return p
}

// existing gets the passphrase of what there is, once.
func (p *Passphrases) existing(ctx context.Context, of string) (config.Secret, error) {
	given, from, err := p.given()
	if err != nil || from != "" {
		return given, err
	}
	return p.ask(ctx, "Passphrase of "+of+": ")
}

// fresh gets a new passphrase: from a person twice.
func (p *Passphrases) fresh(ctx context.Context, of string) (config.Secret, error) {
	first, from, err := p.given()
	if err != nil {
		return first, err
	}
	if from == "" {
		if first, err = p.ask(ctx, fmt.Sprintf("New passphrase for %s, at least %d characters: ", of, minPassphrase)); err != nil {
			return first, err
		}
	}
	if len(first.Reveal()) < minPassphrase {
		return config.Secret{}, app.Usage(fmt.Errorf("the passphrase is shorter than %d characters; whoever gets the file would guess it. Take a longer one: nobody can restore it, so write it down", minPassphrase))
	}
	if from != "" {
		return first, nil
	}
	second, err := p.ask(ctx, "The same again: ")
	if err == nil && !first.Equal(second.Reveal()) {
		err = app.Usage(errors.New("the two passphrases differ; nothing was written, so do it again"))
	}
	return second, err
}

// given is a passphrase that nobody has to be asked for. from says where it is from;
// "" means that there is none.
func (p *Passphrases) given() (secret config.Secret, from string, err error) {
	if p.File != "" {
		secret, err = readPassphrase(p.File, p.Flag, true)
		return secret, p.File, err
	}
	if p.Env == nil {
		return config.Secret{}, "", nil
	}
	if text := p.Env(PassphraseVariable); text != "" {
		secret, err = checkPassphrase(text, PassphraseVariable)
		return secret, PassphraseVariable, err
	}
	if dir := p.Env(credentialDirectory); dir != "" {
		path := filepath.Join(dir, Credential)
		if _, err := os.Stat(path); err == nil {
			// systemd keeps the directory from others, and gives the file modes of its own.
			secret, err = readPassphrase(path, "the credential "+Credential, false)
			return secret, path, err
		}
	}
	return config.Secret{}, "", nil
}

func readPassphrase(path, what string, private bool) (config.Secret, error) {
	f, err := os.Open(path)
	if err != nil {
		return config.Secret{}, app.Usage(fmt.Errorf("%s: %w", what, err))
	}
	defer f.Close()
	if private {
		if err := files.CheckPrivate(path); err != nil {
			return config.Secret{}, app.Refused(fmt.Errorf("%s: %w", what, err))
		}
	}
	text, err := io.ReadAll(io.LimitReader(f, maxPassphrase+3)) // with the end of its line
	if err != nil {
		return config.Secret{}, app.Usage(fmt.Errorf("%s: %w", what, err))
	}
	line := strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
	return checkPassphrase(line, what)
}

// checkPassphrase refuses what is none. What is wrong is said without the text.
func checkPassphrase(text, what string) (config.Secret, error) {
	switch {
	case text == "":
		return config.Secret{}, app.Usage(fmt.Errorf("%s: the passphrase is empty", what))
	case len(text) > maxPassphrase:
		return config.Secret{}, app.Usage(fmt.Errorf("%s: more than %d bytes are no passphrase; is it the right file?", what, maxPassphrase))
	case strings.ContainsAny(text, "\r\n\x00"):
		return config.Secret{}, app.Usage(fmt.Errorf("%s: a passphrase is one line, and there are more; is it the right file?", what))
	}
	return config.NewSecret(text), nil
}

// ask lets a person type a passphrase that is not shown.
func (p *Passphrases) ask(ctx context.Context, prompt string) (config.Secret, error) {
	tty, done, err := p.terminal()
	if err != nil {
		return config.Secret{}, err
	}
	defer done()
	fd := int(tty.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return config.Secret{}, fmt.Errorf("asking for the passphrase: %w", err)
	}
	fmt.Fprint(p.Err, prompt)
	type typed struct {
		text []byte
		err  error
	}
	answer := make(chan typed, 1)
	// Nothing interrupts a read of a terminal, so this goroutine is not waited for
	// when the context ends; the program ends right after.
	go func() {
		text, err := term.ReadPassword(fd)
		answer <- typed{text, err}
	}()
	select {
	case <-ctx.Done():
		_ = term.Restore(fd, before) // else the shell would show nothing
		fmt.Fprintln(p.Err)
		return config.Secret{}, context.Cause(ctx)
	case a := <-answer:
		fmt.Fprintln(p.Err)
		if a.err != nil {
			return config.Secret{}, app.Usage(errors.New("no passphrase was typed"))
		}
		return checkPassphrase(string(a.text), "the terminal")
	}
}

// terminal is where a person types: standard input, or where that is a pipe the
// terminal that the program was started from.
func (p *Passphrases) terminal() (tty *os.File, done func(), err error) {
	if !app.OnTerminal(p.Err) {
		return nil, nil, app.Usage(fmt.Errorf("the passphrase is missing, and there is no terminal to ask at: give it by %s", p.ways()))
	}
	if f, ok := p.In.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return f, func() {}, nil
	}
	f, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return nil, nil, app.Usage(fmt.Errorf("the passphrase is missing, and standard input is no terminal: give it by %s", p.ways()))
	}
	return f, func() { _ = f.Close() }, nil
}

// ways are how a passphrase is given without a terminal. Who has no environment
// asks for another file's.
func (p *Passphrases) ways() string {
	if p.Env == nil {
		return p.Flag + " FILE"
	}
	return fmt.Sprintf("%s FILE, in %s, or as systemd's credential %s", p.Flag, PassphraseVariable, Credential)
}

// Given is a passphrase that is known.
func Given(secret config.Secret) *Passphrases {
	return &Passphrases{Env: func(name string) string {
		if name == PassphraseVariable {
			return secret.Reveal()
		}
		return ""
	}}
}

// Passphrase gets the passphrase of a wallet that another process is to open.
// Errors wrap ErrNone if there is no wallet.
func (c Config) Passphrase(ctx context.Context) (config.Secret, error) {
	if _, err := Look(c); err != nil {
		return config.Secret{}, err
	}
	return c.From.existing(ctx, keystoreOf(c.Data).dir)
}

// WithoutPassphrase is where a key in the environment comes from, and no passphrase:
// a wallet in a file stays closed, and nobody is asked.
func (p *Passphrases) WithoutPassphrase() *Passphrases {
	return &Passphrases{Err: io.Discard, Flag: p.Flag, Env: func(name string) string {
		if name == KeyVariable && p.Env != nil {
			return p.Env(name)
		}
		return ""
	}}
}
