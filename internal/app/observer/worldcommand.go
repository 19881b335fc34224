package observer

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/member"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/mesh/world"
)

func worldCommand(data func() (string, error)) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "world",
		Short: "Found a world, and say who is in it",
		Long: `world is about the world's members: who may read what others say of providers.

Who founds a world decides who is in it. A member invites others; whether an invite
is enough depends on the world: in one of mode closed so many founders have to
approve, in one of mode vouch three members of different operators may do so instead.
Founders evict. Every change gives the group a new key, which only members get.

The commands talk to the running observer, and take effect at once; if none runs,
they change the files.`,
		Example: `  observer world create "blue river"
  observer world invite > invite.toml
  observer world show`,
	}
	cmd.AddCommand(createCommand(data), inviteCommand(data), joinCommand(data), admitCommand(data), evictCommand(data), petitionCommand(data), sheetCommand(data),
		endorseCommand(data), rulesCommand(data), forkCommand(data), chooseCommand(data), showCommand(data))
	return cmd
}

func createCommand(data func() (string, error)) *cobra.Command {
	var o CreateOptions
	cmd := &cobra.Command{
		Use:   "create (PHRASE | --from FILE | --approved FILE)",
		Short: "Found a new world, of which this machine is the first member and a seed",
		Long: `create makes a world: its phrase, rules and charter, which together are its name; its
roster, with this machine as the first member; and a world.toml for everybody: bridges,
gateways and observers enter with it. Members need an invite besides.

What stands in the charter can never be changed without making another world: who
founds it, how many founders decide, how others are admitted, how much each may say, and
who signs the directory. Founders are named by their keys (observer init prints one).

Where more than one has to decide, founding takes the approvals of as many. create then
writes a file, which goes to the others: each runs observer world approve FILE, and sends it
back. With it, create --approved FILE founds the world; other flags are not given again.
Or bring the other founders' key files to this machine for the moment, with --founder-keys.

A world with money names the contract that it is on: --chain, --chain-contract and
--chain-code-hash, as gateway market deploy prints them. It cannot be changed either, and
nobody asks the chain here: compare them before anybody else enters. Bridges and gateways
of the world then need no contract in their own settings.

Others must be able to connect to this machine. One without a public address needs
--announce, with the public address that a router forwards to it; a world all of whose
nodes are in one private network is made with --local.`,
		Example: `  observer world create "blue river" --announce /ip4/YOUR.PUBLIC.IP/tcp/4811
  observer world create "home lab" --local
  observer world create paid --chain filecoin --chain-contract 0x… --chain-code-hash 0x…
  observer world create --from world2.toml --data ./second
  observer world create consortium --mode closed --founders KEY,KEY --founder-threshold 2
  observer world create --approved founding.toml`,
		Args: func(cmd *cobra.Command, args []string) error {
			if (o.From != "" || len(o.Approved) > 0) && len(args) == 0 {
				return nil
			}
			return app.OneArgument("PHRASE")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if o.Data, err = data(); err != nil {
				return err
			}
			if len(args) > 0 && (o.From != "" || len(o.Approved) > 0) {
				return app.Usage(errors.New("a phrase makes a world, and --from or --approved found one that is in a file; give one of them"))
			}
			if err := onlyApproved(cmd); err != nil {
				return err
			}
			o.Phrase = strings.Join(args, "")
			r, err := Create(o)
			if err != nil {
				return err
			}
			lines := app.NewLines(cmd, o.Data)
			if r.Petition != "" {
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "World %q (%s) waits for %s of other founders.\n%s", r.World.Phrase, r.World.ID.Short(), app.Count(r.Missing, "approval"), r.next(lines))
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "World %q (%s) is founded; %x is its first member.\nOther nodes connect to %s.\nWorld file, for everybody: %s\nSettings: %s\nNext: %s; then invite others: %s\n",
				r.World.Phrase, r.World.ID.Short(), r.Key[:4], strings.Join(r.Addrs, ", "), worldPath(o.Data), filepath.Join(o.Data, app.ConfigFile),
				lines.Line("serve"), lines.Line("world", "invite"))
			return err
		},
	}
	placeFlags(cmd, &o.PlaceOptions)
	f := cmd.Flags()
	f.StringVar(&o.From, "from", "", "found the world of this file, which nobody has founded yet; it says all but where this machine is")
	f.StringVar(&o.Mode, "mode", world.DefaultMode.String(), "how others are admitted: closed (founders approve) or vouch (or three members of different operators)")
	f.StringSliceVar(&o.Founders, "founders", nil, "keys of other founders, 64 hexadecimal digits each")
	f.IntVar(&o.Threshold, "founder-threshold", 1, "how many founders decide")
	f.StringSliceVar(&o.Others, "founder-keys", nil, "key files of other founders, if more than one decides")
	f.StringSliceVar(&o.Approved, "approved", nil, "found the world that create began, with what other founders approved in these files")
	f.IntVar(&o.Signers, "signers", 0, "how many founders sign the directory, this one first (default: all)")
	f.IntVar(&o.SignersT, "threshold", 0, "how many of them it takes (default: more than half)")
	f.IntVar(&o.FirstNodes, "first-nodes", 0, "how many nodes, this one included, the first directory waits for (default: 1); who comes later stands in it from the next epoch on")
	f.DurationVar(&o.Epoch, "epoch", 0, "length of an epoch (default: "+node.DefaultEpoch().String()+")")
	f.Uint32Var(&o.Quota, "quota", 0, fmt.Sprintf("events of one type that a member may publish in an epoch (default: %d)", world.DefaultQuota))
	f.StringVar(&o.Operator, "operator", "", "who runs this machine, as others see it: a-z, 0-9, dots and hyphens")
	f.StringVar(&o.Chain.Network, "chain", "", "the chain that the world's money is on: filecoin, calibration or dev (default: a world without money)")
	f.Uint64Var(&o.Chain.ID, "chain-id", 0, "its number, in place of --chain")
	f.StringVar(&o.Chain.Contract, "chain-contract", "", "address of the market's contract there (gateway market deploy prints it)")
	f.StringVar(&o.Chain.CodeHash, "chain-code-hash", "", "Keccak-256 of the contract's runtime code (likewise)")
	f.BoolVar(&o.Local, "local", false, "the world may use private addresses")
	f.BoolVar(&o.Sandbox, "sandbox", false, "a world to try things in: all of it is on this machine, and nothing is hidden")
	f.IntVar(&o.Hops, "hops", 0, "nodes of a circuit (1 and 2 in a sandbox only)")
	return cmd
}

// onlyApproved refuses flags that --approved would not heed: all was said before.
func onlyApproved(cmd *cobra.Command) error {
	if !cmd.Flags().Changed("approved") {
		return nil
	}
	var err error
	cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
		if f.Changed && f.Name != "approved" {
			err = app.Usage(fmt.Errorf("--%s was decided when the files of --approved were made; leave it out", f.Name))
		}
	})
	return err
}

// next is what founders do about a world that waits for approvals.
func (r *CreateResult) next(lines app.Lines) string {
	return fmt.Sprintf("Send %s to them. Each runs: observer world approve FILE, and sends it back.\nThen, within a week: %s\n",
		r.Petition, lines.Line("world", "create", "--approved", "FILE"))
}

func admitCommand(data func() (string, error)) *cobra.Command {
	return approveCommand(data, "admit KEY", "Approve that somebody who waits is admitted, or evicted", `admit gives this member's approval to a change that waits for it: a newcomer that another
member has invited, or an eviction that another founder has begun. Who waits is in:
observer world show. KEY may be the beginning of the key.`, member.Admit())
}

func evictCommand(data func() (string, error)) *cobra.Command {
	return approveCommand(data, "evict KEY", "Remove a member, at once", `evict removes a member from the world. So many founders have to agree as the world's charter
says; if this one is enough it takes effect at once: the group has a new key, which the
evicted does not get, so it reads nothing of what is said from then on. What it has read,
it knows. KEY may be the beginning of the key.`, member.Evict())
}

func approveCommand(data func() (string, error), use, short, long string, op member.Op[member.Named, member.Approved]) *cobra.Command {
	asJSON := false
	name, _, _ := strings.Cut(use, " ")
	cmd := &cobra.Command{
		Use: use, Short: short, Long: long, Example: "  observer world " + name + " 3f9a1c07",
		Args: app.OneArgument("KEY"),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := data()
			if err != nil {
				return err
			}
			a, err := ask(cmd, dir, op, member.Named{Name: args[0]})
			if err != nil {
				return err
			}
			if asJSON {
				return app.PrintJSON(cmd.OutOrStdout(), a)
			}
			done := map[string]string{"admit": "admitted", "evict": "evicted"}[a.Change]
			if a.Missing > 0 {
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "Approved. %.8s is not %s yet: %s missing. They are given with: observer world admit %.8s\n",
					a.Key, done, app.Count(a.Missing, "approval"), a.Key)
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%.8s is %s; the group's keys are of generation %d.\n", a.Key, done, a.Generation)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func chooseCommand(data func() (string, error)) *cobra.Command {
	return &cobra.Command{
		Use:   "choose ENTRY|CHOICE",
		Short: "Choose a branch of a roster that has forked",
		Long: `choose is for founders, when the roster has forked: two entries follow the same one, which
somebody who may make entries must have lied for. Members stay where they were until as
many founders as the charter says choose a branch. observer world show names the entries.

It prints the choice. If more founders have to sign, give it to the next one's choose.`,
		Example: `  observer world choose 91c0…
  observer world choose 01a3…`,
		Args: app.OneArgument("ENTRY or CHOICE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := data()
			if err != nil {
				return err
			}
			c, err := ask(cmd, dir, member.Choose(), member.ChooseIn{Name: args[0]})
			if err != nil {
				return err
			}
			if !c.Done {
				fmt.Fprintln(cmd.ErrOrStderr(), "More founders have to sign. The next one runs: observer world choose, with this:")
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), c.Choice)
			return err
		},
	}
}
