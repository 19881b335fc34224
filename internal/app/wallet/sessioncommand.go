package wallet

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/ledger"
)

func (p Program) sessionCommand(from *Passphrases) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "session",
		Short: "Take the key of one channel to another machine",
		Long: `A session key signs what is paid out of one channel. It comes from this wallet by
itself. On another machine, which is to spend from the same channel and hold no
other money, the key alone is enough: export it here, import it there.`,
		Example: `  bridge wallet session export --provider 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed --out laptop.json
  bridge wallet session import laptop.json`,
	}
	cmd.AddCommand(p.exportCommand(from), p.bringCommand(from))
	return cmd
}

// exported is what export says.
type exported struct {
	SessionInfo
	Spends string `json:"spends"` // what whoever holds the file can do
}

func (p Program) exportCommand(from *Passphrases) *cobra.Command {
	var path SessionPath
	provider, out, passphraseFile, asJSON := "", "", "", false
	cmd := &cobra.Command{
		Use:   "export --provider ADDRESS --out FILE",
		Short: "Write one channel's session key to a file, under a passphrase of its own",
		Long: `export writes the session key of the channel with a provider to a new keystore
file. Its passphrase is another one than the wallet's: whoever gets the file and
its passphrase can spend what is in that channel, and nothing else.

Use a channel on one machine at a time. When the key is on the other one, do not
use the channel here: the two would sign over each other, and the provider counts
the higher figure.`,
		Example: `  bridge wallet session export --provider 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed --out laptop.json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case provider == "":
				return app.Usage(errors.New("--provider ADDRESS is missing: whose channel it is"))
			case out == "":
				return app.Usage(errors.New("--out FILE is missing: where the key goes"))
			}
			c, err := p.Config(cmd, from)
			if err != nil {
				return err
			}
			if path.Provider, err = ledger.ParseAddress(provider); err != nil {
				return app.Usage(fmt.Errorf("--provider: %w", err))
			}
			if path.Domain, err = p.Domain(c.Data); err != nil {
				return err
			}
			w, err := Open(cmd.Context(), c)
			if err != nil {
				return err
			}
			own := Passphrases{File: passphraseFile, Flag: "--" + otherFlag, In: c.From.In, Err: c.From.Err}
			passphrase, err := own.fresh(cmd.Context(), out)
			if err != nil {
				return err
			}
			info, err := ExportSession(w, path, out, passphrase, c.Cost)
			if err != nil {
				return err
			}
			done := exported{info, info.spends()}
			if asJSON {
				return app.PrintJSON(cmd.OutOrStdout(), done)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "Exported the session key %s.\nFile: %s\n%s\nOn the other machine: bridge wallet session import FILE\n", info.Key, info.File, done.Spends)
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&provider, "provider", "", "address of the provider")
	f.StringVar(&path.Group, "group", "", "isolation group that the channel is for (default: the common one)")
	f.Uint64Var(&path.Counter, "counter", 0, "which of the group's keys with this provider, from 0")
	f.StringVar(&out, "out", "", "file to write")
	f.StringVar(&passphraseFile, otherFlag, "", "read the passphrase of the new file from this file")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// spends says what whoever holds an exported key can do with it, and how that ends.
func (s SessionInfo) spends() string {
	return fmt.Sprintf("Whoever has the file and its passphrase can spend all that is in channel %s with provider %s, now and after a top-up; nothing else of the wallet. Use it there from then on, and here no more: neither machine knows what the other has spent. To end that, close the channel.", s.Channel, s.Provider)
}

func (p Program) bringCommand(from *Passphrases) *cobra.Command {
	passphraseFile, asJSON := "", false
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Keep a session key that another machine has exported",
		Long: `import reads a file of bridge wallet session export, and keeps its key in this data
directory, under the passphrase of this keystore. Delete FILE then.

The passphrase of FILE is asked for first. Where nobody can be asked it is that of
--file-passphrase-file, or else the same as the keystore's.`,
		Example: `  bridge wallet session import laptop.json`,
		Args:    app.OneArgument("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := p.Config(cmd, from)
			if err != nil {
				return err
			}
			passphrase, err := c.From.other(passphraseFile).existing(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			var info SessionInfo
			running, err := p.prepare(c.Data, func() (err error) {
				info, err = ImportSession(cmd.Context(), c, args[0], passphrase)
				return err
			})
			if err != nil {
				return err
			}
			if running {
				fmt.Fprintf(cmd.ErrOrStderr(), "The running %s uses it from its next start on.\n", p.Name)
			}
			if asJSON {
				return app.PrintJSON(cmd.OutOrStdout(), info)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "Imported the session key %s of channel %s.\nFile: %s\nDelete %s now.\n", info.Key, info.Channel, info.File, args[0])
			return err
		},
	}
	cmd.Flags().StringVar(&passphraseFile, otherFlag, "", "read the passphrase of FILE from this file")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
