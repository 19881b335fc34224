package wallet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/internal/app"
	v3 "github.com/culvert-net/culvert/internal/app/wallet/v3"
	"github.com/culvert-net/culvert/ledger"
)

// Program is what the commands have to know of the program they are in.
type Program struct {
	Name     string                 // bridge or gateway
	Data     func() (string, error) // its data directory
	Sessions bool                   // it pays: it has session keys, and commands for them

	// Sandbox reports whether a data directory is a sandbox's, whose money is none.
	Sandbox func(dir string) bool

	// Domain is the contract that a data directory's channels are on. Only of one that
	// pays.
	Domain func(dir string) (ledger.Domain, error)

	// Funds reads what the wallet has, for wallet show; nil: that is not shown.
	Funds func(cmd *cobra.Command, c Config) *Funds
}

// Command is `wallet` and what is below it.
func (p Program) Command() *cobra.Command {
	whose := "It gets what this provider earns: its address is the provider's on the chain."
	if p.Sessions {
		whose = "It pays: channels to providers are bought from it, and what is left comes back to it."
	}
	cmd := &cobra.Command{
		Use:   "wallet",
		Short: "Make, bring and show the key that holds your money",
		Long: `The wallet is a key of an Ethereum account, in a file that only a passphrase opens.
` + whose + `

The passphrase is asked for. Where nobody can be asked, it is read from
--passphrase-file FILE, from ` + PassphraseVariable + `, or from systemd's credential
` + Credential + `. In a container, ` + KeyVariable + ` may hold the key itself,
and then there is no file.

Back up the directory keystore of the data directory, and write the passphrase
down: who loses one of them loses the money, and nobody can restore it.`,
		Example: `  ` + p.Name + ` wallet new
  ` + p.Name + ` wallet show`,
	}
	passphrases := BindPassphrases(cmd.PersistentFlags())
	cmd.AddCommand(p.newCommand(passphrases), p.importCommand(passphrases), p.showCommand(passphrases))
	if p.Sessions {
		cmd.AddCommand(p.sessionCommand(passphrases))
	}
	return cmd
}

// Config is that of a command that is called.
func (p Program) Config(cmd *cobra.Command, from *Passphrases) (Config, error) {
	dir, err := p.Data()
	if err != nil {
		return Config{}, err
	}
	own := *from
	own.In, own.Err = cmd.InOrStdin(), cmd.ErrOrStderr()
	c := Config{Data: dir, Sessions: p.Sessions, Cost: v3.Standard(), From: &own, New: app.NewLines(cmd, dir).Line("wallet", "new")}
	if p.Sandbox(dir) {
		c.Cost = v3.Light()
	}
	return c, nil
}

// prepare makes the data directory, or sees that it is this program's, and runs f. A
// daemon that runs is no hindrance: it reads its wallet when it starts, and files
// that are there are never changed.
func (p Program) prepare(dir string, f func() error) (running bool, err error) {
	data, err := app.OpenData(dir, p.Name)
	if errors.Is(err, app.ErrInUse) {
		state, err := app.InspectData(dir, p.Name)
		if err == nil {
			err = state.Format
		}
		if err != nil {
			return true, err
		}
		return true, f()
	}
	if err != nil {
		return false, err
	}
	defer data.Close()
	return false, f()
}

func (p Program) newCommand(from *Passphrases) *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "new",
		Short: "Make a wallet",
		Long: `new makes a key of chance and puts it into the data directory, under a passphrase
that you choose. One that is there is never overwritten.`,
		Example: `  ` + p.Name + ` wallet new
  ` + p.Name + ` wallet new --passphrase-file /run/secrets/culvert`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.keep(cmd, from, asJSON, "Made", func(c Config) (*Info, error) { return Create(cmd.Context(), c) })
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// keep makes a wallet and says what it is.
func (p Program) keep(cmd *cobra.Command, from *Passphrases, asJSON bool, did string, do func(Config) (*Info, error)) error {
	c, err := p.Config(cmd, from)
	if err != nil {
		return err
	}
	var info *Info
	running, err := p.prepare(c.Data, func() (err error) {
		info, err = do(c)
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
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s wallet %s.\nFile: %s\nBack up %s and write the passphrase down: without both, the money is lost.\n",
		did, info.Address, info.File, filepath.Dir(info.File))
	return err
}

func (p Program) importCommand(from *Passphrases) *cobra.Command {
	fileFrom, asJSON := "", false
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Make a wallet of a key that you have",
		Long: `import reads a keystore file of version 3, as geth, MetaMask and others write it,
or a private key in hexadecimal, and puts the key into the data directory under
this wallet's own passphrase. "-" is standard input: a key in the clear belongs
into no file.

The passphrase of a keystore FILE is asked for first. Where nobody can be asked it
is that of --file-passphrase-file, or else the same as the new one.`,
		Example: `  ` + p.Name + ` wallet import ~/UTC--2026-01-01T00-00-00Z--0123
  pass show my-key | ` + p.Name + ` wallet import -`,
		Args: app.OneArgument("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.keep(cmd, from, asJSON, "Imported", func(c Config) (*Info, error) {
				if err := c.vacant(); err != nil {
					return nil, err // before anything is asked
				}
				key, err := readKey(cmd.Context(), args[0], c.From.other(fileFrom))
				if err != nil {
					return nil, err
				}
				return Import(cmd.Context(), c, key)
			})
		},
	}
	cmd.Flags().StringVar(&fileFrom, otherFlag, "", "read the passphrase of FILE from this file")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// other is where the passphrase of another file comes from: the one that is named
// for it, else as this one's.
func (p *Passphrases) other(file string) *Passphrases {
	out := *p
	if file != "" {
		out.File, out.Flag = file, "--"+otherFlag
	}
	return &out
}

// otherFlag names the file with the passphrase of a file that is no part of the
// keystore.
const otherFlag = "file-passphrase-file"

// readKey reads a key to import: a keystore file, or hexadecimal digits.
func readKey(ctx context.Context, path string, from *Passphrases) (*ledger.Key, error) {
	in, name := from.In, "standard input"
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, app.Usage(err)
		}
		defer f.Close()
		in, name = f, path
	}
	text, err := io.ReadAll(io.LimitReader(in, v3.MaxFile+1))
	if err != nil {
		return nil, app.Usage(fmt.Errorf("%s: %w", name, err))
	}
	if !bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
		key, err := ParseKey(string(text))
		if err != nil {
			return nil, app.Usage(fmt.Errorf("%s: it is neither a keystore file (which begins with {) nor a key: %w", name, err))
		}
		return key, nil
	}
	file, err := v3.Decode(text)
	if err != nil {
		return nil, fileError(name, err)
	}
	switch noteOf(file).Kind {
	case kindSession:
		return nil, app.Usage(fmt.Errorf("%s: it is the key of one channel, and no wallet; bring it with: wallet session import", name))
	case kindRoot:
		return nil, app.Usage(fmt.Errorf("%s: it is the root of session keys, and no wallet. To restore a backup, put the whole directory %s back into the data directory", name, Dir))
	}
	passphrase, err := from.existing(ctx, name)
	if err != nil {
		return nil, err
	}
	return open(name, file, passphrase)
}

func (p Program) showCommand(from *Passphrases) *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Show the wallet's address, what is in it, and where its files are",
		Long: `show prints what is not secret, and needs no passphrase: the address, which others
pay to, what is in the wallet and what the contract holds for it, and the files to back
up. On Filecoin's chains the address has a second form, f410f… (t410f… on test
networks), which Filecoin's own programs want. What cannot be read now is said. No
command prints the key.`,
		Example: `  ` + p.Name + ` wallet show
  ` + p.Name + ` wallet show --json | jq -r .address`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := p.Config(cmd, from)
			if err != nil {
				return err
			}
			info, err := Look(c)
			if err != nil {
				return err
			}
			shown := struct {
				*Info
				Funds *Funds `json:"funds,omitempty"`
			}{Info: info}
			if p.Funds != nil && !info.Address.IsZero() {
				shown.Funds = p.Funds(cmd, c)
			}
			if asJSON {
				return app.PrintJSON(cmd.OutOrStdout(), shown)
			}
			return info.print(cmd.OutOrStdout(), shown.Funds, app.NewLines(cmd, c.Data))
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (i *Info) print(out io.Writer, funds *Funds, lines app.Lines) error {
	w, row := app.Rows(out)
	switch {
	case i.Address.IsZero():
		row("Wallet", "none of this machine's own")
	case i.File == "":
		row("Address", "%s", i.Address)
		row("Key", "from %s", KeyVariable)
	default:
		row("Address", "%s", i.Address)
		row("File", "%s", i.File)
	}
	if funds != nil {
		funds.rows(row, lines)
	}
	if i.SessionFile != "" {
		row("Sessions", "%s", i.SessionFile)
	}
	for _, s := range i.Sessions {
		row("Brought", "channel %s with %s, funded by %s", s.Channel, s.Provider, s.Funder)
	}
	return w.Flush()
}
