package observer

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/member"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/internal/files"
	"github.com/culvert-net/culvert/mesh/roster"
)

func petitionCommand(data func() (string, error)) *cobra.Command {
	out := ""
	cmd := &cobra.Command{
		Use:   "petition KEY",
		Short: "Write a change that waits to a file, for founders who are no members",
		Long: `petition writes a change that waits for approvals (observer world show) to a file. Members
hear of such changes by themselves; a founder who is none, or whose machine nobody reaches,
gets the file, runs observer world approve FILE, and sends it back. There the same command
takes the approval. KEY may be the beginning of the key.`,
		Example: `  observer world petition 3f9a1c07 --out petition.toml`,
		Args:    app.OneArgument("KEY"),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := data()
			if err != nil {
				return err
			}
			s, err := ask(cmd, dir, member.Petition(), member.Named{Name: args[0]})
			if err != nil {
				return err
			}
			where := "the file above"
			if out != "" {
				if err := files.Write(out, []byte(s.File), files.Private); err != nil {
					return fmt.Errorf("writing the petition: %w", err)
				}
				where = out
			} else if _, err := io.WriteString(cmd.OutOrStdout(), s.File); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.ErrOrStderr(), "To %s %.8s; %s missing.\nSend %s to a founder, who runs: observer world approve FILE, and sends it back.\nThen: %s\n",
				s.Change, s.Key, app.Count(s.Missing, "approval"), where, app.NewLines(cmd, dir).Line("world", "approve", "FILE"))
			return err
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "file to write (default: standard output)")
	return cmd
}

func sheetCommand(data func() (string, error)) *cobra.Command {
	out := ""
	yes, asJSON := false, false
	cmd := &cobra.Command{
		Use:   "approve FILE",
		Short: "Approve a change that came as a file, or take the approvals in one",
		Long: `approve shows what a file asks for, which observer world petition or create made: to admit
or to evict somebody, or to found a world. If you agree it adds this machine's approval to the
file; send it on, or back to where it came from. There approve takes what others gave, and
carries the change out when there is enough.

A founder needs nothing but its key for this (observer init): it need not be a member, nor
reach anybody.`,
		Example: `  observer world approve founding.toml
  observer world approve petition.toml --yes`,
		Args: app.OneArgument("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := data()
			if err != nil {
				return err
			}
			text, sheet, err := readSheet(args[0])
			if err != nil {
				return err
			}
			if !asJSON {
				fmt.Fprint(cmd.ErrOrStderr(), member.DescribeSheet(&sheet, time.Now()))
			}
			if err := agreed(cmd, yes); err != nil {
				return err
			}
			r, err := approveSheet(cmd, dir, string(text), sheet)
			if err != nil {
				return err
			}
			to := out
			if to == "" {
				to = args[0]
			}
			if err := files.Write(to, []byte(r.File), files.Private); err != nil {
				return fmt.Errorf("writing the petition: %w", err)
			}
			if asJSON {
				return app.PrintJSON(cmd.OutOrStdout(), r)
			}
			_, err = fmt.Fprint(cmd.OutOrStdout(), approvedText(&r, &sheet, to))
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&out, "out", "", "file to write with the approvals (default: FILE itself)")
	f.BoolVarP(&yes, "yes", "y", false, "do not ask")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// agreed asks whoever sits there: what is approved stands in a file by somebody else.
func agreed(cmd *cobra.Command, yes bool) error {
	if yes {
		return nil
	}
	if !app.OnTerminal(cmd.ErrOrStderr()) {
		return app.Usage(errors.New("nothing is approved yet; if you agree, add --yes"))
	}
	fmt.Fprint(cmd.ErrOrStderr(), "Approve? [y/N] ")
	said, err := app.ReadLine(cmd.InOrStdin(), 16)
	if err == nil && strings.HasPrefix(strings.ToLower(said), "y") {
		return nil
	}
	return app.Usage(errors.New("nothing was approved"))
}

// approveSheet approves as the member of the world that dir is in, or else by the key
// alone.
func approveSheet(cmd *cobra.Command, dir, text string, sheet roster.Sheet) (member.SheetOut, error) {
	if w, err := node.LoadWorld(worldPath(dir)); err == nil && w.ID == sheet.World.ID {
		return ask(cmd, dir, member.Approve(), member.SheetIn{File: text})
	}
	key, err := node.LoadKey((&app.Data{Dir: dir}).Path(node.KeyFile))
	if err != nil {
		return member.SheetOut{}, app.Usage(fmt.Errorf("%w; name the data directory with the founder's key: --data DIR", err))
	}
	if err := sheet.Approve(key, time.Now()); err != nil {
		return member.SheetOut{}, app.Usage(err)
	}
	out, err := sheet.Format()
	c := sheet.Petition.Change
	r := member.SheetOut{Approves: true, File: string(out)}
	r.Key, r.Missing = fmt.Sprintf("%x", c.Member.Key), sheet.Missing(time.Now())
	r.Change = map[roster.Kind]string{roster.Add: "admit", roster.Remove: "evict"}[c.Kind]
	return r, err
}

// approvedText says what came of it, and what is next.
func approvedText(r *member.SheetOut, sheet *roster.Sheet, file string) string {
	done := map[string]string{"admit": "admitted", "evict": "evicted"}[r.Change]
	if r.Done {
		return fmt.Sprintf("%.8s is %s; the group's keys are of generation %d.\n", r.Key, done, r.Generation)
	}
	says := "The approvals in it were taken; this machine may not give one."
	if r.Approves {
		says = fmt.Sprintf("%s has this machine's approval now.", file)
	}
	back, from := "observer world approve FILE", sheet.Petition.Proposer
	if sheet.Founds() {
		back = "observer world create --approved FILE"
	}
	if r.Missing > 0 {
		return fmt.Sprintf("%s %s missing: send it to other founders, or back to %x, where it is taken by: %s\n", says, app.Count(r.Missing, "approval"), from[:4], back)
	}
	return fmt.Sprintf("%s There are enough: send it back to %x, where it is taken by: %s\n", says, from[:4], back)
}
