package observer

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/member"
	"github.com/culvert-net/culvert/internal/files"
)

func inviteCommand(data func() (string, error)) *cobra.Command {
	in := member.InviteIn{}
	operator, out, revoke := "", "", ""
	asJSON, asQR := false, false
	cmd := &cobra.Command{
		Use:   "invite",
		Short: "Make an invite: a file and a phrase, for one newcomer",
		Long: `invite makes an invite that one newcomer can use within 24 hours: a file, which holds no
secret, and a phrase of seven words, which is shown once. Send the two by different ways,
such as the file by mail and the phrase over the phone. The newcomer runs

  observer join FILE

and is asked for the phrase. This observer has to be running then.

Without --out the file is printed, and the phrase with what to do goes to standard error.
With --qr it is printed as a QR code, for a machine with a camera and no other way in: what
a scanner reads is the file. It is wide; make the terminal's letters small.
Open invites are in: observer world show.`,
		Example: `  observer world invite --out invite.toml
  observer world invite --qr
  observer world invite --role memory --operator example.org > invite.toml
  observer world invite --revoke 0f3a…`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := data()
			if err != nil {
				return err
			}
			if revoke != "" {
				_, err := ask(cmd, dir, member.Revoke(), member.Named{Name: revoke})
				return err
			}
			if cmd.Flags().Changed("operator") {
				in.Operator = &operator
			}
			inv, err := ask(cmd, dir, member.Invite(), in)
			if err != nil {
				return err
			}
			if asJSON {
				return app.PrintJSON(cmd.OutOrStdout(), inv)
			}
			where := "the file above"
			if out != "" {
				if err := files.Write(out, []byte(inv.File), files.Private); err != nil {
					return fmt.Errorf("writing the invite: %w", err)
				}
			}
			if asQR {
				columns, err := printQR(cmd.OutOrStdout(), inv.File)
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.ErrOrStderr(), "The QR code takes %d columns. Save what a scanner reads as a file.\n", columns)
				where = "it"
			} else if out != "" {
				where = out
			} else if _, err := io.WriteString(cmd.OutOrStdout(), inv.File); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.ErrOrStderr(), "Invite %s, good for one newcomer until %s.\nSend %s, and by another way this phrase, which is not shown again:\n\n  %s\n\nThe newcomer runs: observer join FILE, or for its bridge: bridge join FILE\n",
				inv.ID, inv.Expires.Local().Format("2006-01-02 15:04"), where, inv.Phrase)
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&out, "out", "", "file to write (default: standard output)")
	f.StringVar(&in.Role, "role", "", "what the newcomer must be: bridge, memory, prober or both (default: its choice)")
	f.StringVar(&operator, "operator", "", "operator tag that the newcomer must take (default: its choice)")
	f.StringVar(&revoke, "revoke", "", "end the invite with this id instead")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	f.BoolVar(&asQR, "qr", false, "print it as a QR code, in place of text")
	return cmd
}

func joinCommand(data func() (string, error)) *cobra.Command {
	var o JoinOptions
	phraseFile := ""
	cmd := &cobra.Command{
		Use:   "join FILE",
		Short: "Become a member, with an invite",
		Long: `join makes this machine a member of the world that FILE invites to: it makes the data
directory, keys, configuration and world file, asks to be admitted, and waits for the
answer. It asks for the invite's phrase; a script gives it with --phrase-file, or in ` + member.PhraseVariable + `.

Whoever sent the invite has to be running, and may have to wait for other members to
approve. A join that was interrupted goes on when it is run again.`,
		Example: `  observer join invite.toml
  observer join invite.toml --phrase-file phrase.txt --operator example.org`,
		Args: app.OneArgument("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if o.Data, err = data(); err != nil {
				return err
			}
			if o.Invite, err = member.ReadInvite(args[0], time.Now()); err != nil {
				return err
			}
			if o.Phrase, err = member.ReadPhrase(cmd, phraseFile); err != nil {
				return err
			}
			o.Progress = func(text string) { fmt.Fprintln(cmd.ErrOrStderr(), text) }
			r, err := Join(cmd.Context(), o)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "This machine (%x) is a member of world %q (%s).\nOther nodes connect to %s.\nSettings: %s\nNext: %s\n",
				r.Key[:4], r.Invite.World.Phrase, r.Invite.World.ID.Short(), strings.Join(r.Addrs, ", "), filepath.Join(o.Data, app.ConfigFile), app.NewLines(cmd, o.Data).Line("serve"))
			return err
		},
	}
	placeFlags(cmd, &o.PlaceOptions)
	cmd.Flags().StringVar(&phraseFile, "phrase-file", "", "file with the invite's phrase")
	cmd.Flags().StringVar(&o.Operator, "operator", "", "who runs this machine, as others see it: a-z, 0-9, dots and hyphens")
	return cmd
}
