package member

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/mesh/roster"
)

// What a newcomer was given: a file, and a phrase.

// ReadInvite reads an invite's file; - is standard input.
func ReadInvite(name string, now time.Time) (roster.Invite, error) {
	text, err := readFile(name)
	if err != nil {
		return roster.Invite{}, err
	}
	inv, err := roster.ParseInvite(text)
	if err != nil {
		return inv, app.Usage(fmt.Errorf("%s: %w; it is no invite, or a part of one: get the file again from whoever sent it", name, err))
	}
	if inv.Expired(now) {
		return inv, app.Usage(fmt.Errorf("%s: the invite expired at %s; ask for a new one (or is this machine's clock wrong?)", name, inv.Expires.Local().Format("2006-01-02 15:04")))
	}
	return inv, nil
}

// readFile reads as much as an invite may have.
func readFile(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(io.LimitReader(os.Stdin, roster.MaxInviteFile+1))
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, app.Usage(fmt.Errorf("reading the invite: %w", err))
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, roster.MaxInviteFile+1))
}

// PhraseVariable may hold the phrase of an invite.
const PhraseVariable = "CULVERT_INVITE_PHRASE"

// maxPhrase bounds what is read of a phrase: it has seven words.
const maxPhrase = 1 << 10

// ReadPhrase takes the phrase from a file, the environment, or whoever sits there.
// Never from a flag, which other users of the machine could read. A mistyped one is
// refused here: before a data directory is made, or anybody asked.
func ReadPhrase(cmd *cobra.Command, file string) (string, error) {
	phrase, err := readPhrase(cmd, file)
	if err != nil {
		return "", err
	}
	if err := roster.CheckPhrase(phrase); err != nil {
		return "", app.Usage(err)
	}
	return phrase, nil
}

func readPhrase(cmd *cobra.Command, file string) (string, error) {
	if file != "" {
		f, err := os.Open(file)
		if err != nil {
			return "", app.Usage(fmt.Errorf("--phrase-file: %w", err))
		}
		defer f.Close()
		text, err := io.ReadAll(io.LimitReader(f, maxPhrase))
		return strings.TrimSpace(string(text)), err
	}
	if phrase := os.Getenv(PhraseVariable); phrase != "" {
		return phrase, nil
	}
	if !app.OnTerminal(cmd.ErrOrStderr()) {
		return "", app.Usage(fmt.Errorf("the invite's phrase is missing: give it with --phrase-file FILE, or in %s", PhraseVariable))
	}
	fmt.Fprint(cmd.ErrOrStderr(), "Phrase of the invite: ")
	return app.ReadLine(cmd.InOrStdin(), maxPhrase)
}
