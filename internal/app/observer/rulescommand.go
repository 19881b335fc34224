package observer

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/member"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/internal/files"
	"github.com/culvert-net/culvert/mesh/world"
)

func rulesCommand(data func() (string, error)) *cobra.Command {
	keep := ""
	asJSON := false
	cmd := &cobra.Command{
		Use:   "rules [HASH]",
		Short: "Print the rules of this world, or others that are known, to change or to pass on",
		Long: `rules prints the rules of this world as a file: change it, say that you want what it says
(observer world endorse --rules FILE), and pass the file on. Members tell one another the
hash of the rules they want and nothing else, so what rules say goes from person to person.

With HASH it prints other rules that this observer was shown, and with --keep it is shown
some: observer world show then says what they would change.`,
		Example: `  observer world rules > proposed.toml
  observer world rules --keep proposed.toml`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return app.OneArgument("HASH")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := data()
			if err != nil {
				return err
			}
			in := member.RulesIn{Hash: strings.Join(args, "")}
			if keep != "" {
				if in.Hash != "" {
					return app.Usage(errors.New("a hash names rules to print, and --keep a file to read; give one of the two"))
				}
				if in.Bundle, err = bundleIn(cmd, dir, keep); err != nil {
					return err
				}
			}
			r, err := ask(cmd, dir, member.Rules(), in)
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			switch {
			case asJSON:
				return app.PrintJSON(out, r)
			case keep != "" && r.Own:
				_, err = fmt.Fprintf(out, "Rules %s are those of this world.\n", r.Hash)
				return err
			case keep != "":
				_, err = fmt.Fprintf(out, "Rules %s are known now: %s.\n", r.Hash, strings.Join(r.Changes, ", "))
				return err
			}
			bundle, err := world.DecodeRuleBundle(r.Bundle)
			if err != nil {
				return err
			}
			text, err := world.FormatRules(bundle)
			if err == nil {
				_, err = out.Write(text)
			}
			return err
		},
	}
	cmd.Flags().StringVar(&keep, "keep", "", "file of rules, or world file with them, to keep")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// bundleIn reads a file of rules for the world of a data directory.
func bundleIn(cmd *cobra.Command, dir, file string) ([]byte, error) {
	w, err := node.LoadWorld(worldPath(dir))
	if err != nil {
		return nil, advised(err, app.NewLines(cmd, dir))
	}
	r, err := world.LoadRules(file, w.Sandbox)
	if err != nil {
		return nil, app.Usage(err)
	}
	return r.Canonical(), nil
}

func endorseCommand(data func() (string, error)) *cobra.Command {
	in := member.EndorseIn{Weight: 1}
	file := ""
	asJSON := false
	cmd := &cobra.Command{
		Use:   "endorse (--rules FILE | --hash HASH)",
		Short: "Tell other members that this one would live by other rules",
		Long: `endorse tells all members that this one would live by other rules: those of a file, which
observer world rules makes, or of a world file. When enough members say the same for long
enough (section [rules] of config.toml), each sees so in: observer world show. A founder
then makes the new world, with observer world fork, and whoever wants to goes there.

Members hear the hash of the rules only: send them the file, too. Each keeps it with
observer world rules --keep FILE, or by endorsing it.

A weight of 0 takes an endorsement back.`,
		Example: `  observer world endorse --rules proposed.toml
  observer world endorse --hash 8d2f… --weight 0`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := data()
			if err != nil {
				return err
			}
			switch {
			case file != "" && in.Rules != "":
				return app.Usage(errors.New("--rules and --hash both name the rules; give one of the two"))
			case file != "":
				if in.Bundle, err = bundleIn(cmd, dir, file); err != nil {
					return err
				}
			case in.Rules == "":
				return app.Usage(errors.New("name the rules: --rules FILE or --hash HASH"))
			}
			e, err := ask(cmd, dir, member.Endorse(), in)
			if err != nil {
				return err
			}
			if asJSON {
				return app.PrintJSON(cmd.OutOrStdout(), e)
			}
			says := "what they say is not known here: get the file, and keep it with observer world rules --keep FILE"
			if e.Known {
				says = strings.Join(e.Changes, ", ")
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "Said as event %s, in epoch %d.\nRules %s: %s.\n", e.ID, e.Epoch, e.Rules, says)
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&file, "rules", "", "file of rules, or world file with them")
	f.StringVar(&in.Rules, "hash", "", "hash of the rules")
	f.Float64Var(&in.Weight, "weight", 1, "how much: 0 (not any more) to 1")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func forkCommand(data func() (string, error)) *cobra.Command {
	var o ForkOptions
	file, hash, out := "", "", ""
	cmd := &cobra.Command{
		Use:   "fork (--rules FILE | --hash HASH)",
		Short: "Make a new world from this one, with other rules",
		Long: `fork makes a new world with the phrase and the charter of this one and other rules, which
enough members want (observer world show). It has a roster and a log of its own; the old
world goes on as long as anybody is in it.

A founder founds it with --data-new, which names a data directory for an observer with the
same key in the new world: it is the new world's first member and a seed, beside this
observer, which stays where it is. The seeds of this world are kept: those that move there
are found under their old addresses. The new world's first directory is signed at once unless
--first-nodes says for how many nodes it waits: who moves later stands in it from the next
epoch on, and until then nobody's requests go over them.

Without --data-new it makes the world file alone, which a founder has to found yet.`,
		Example: `  observer world fork --rules proposed.toml --data-new ./second --out world2.toml
  observer world fork --hash 8d2f… --out world2.toml`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := data()
			if err != nil {
				return err
			}
			in := member.RulesIn{Hash: hash}
			switch {
			case file != "" && hash != "":
				return app.Usage(errors.New("--rules and --hash both name the rules; give one of the two"))
			case file != "":
				if in.Bundle, err = bundleIn(cmd, dir, file); err != nil {
					return err
				}
			case hash == "":
				return app.Usage(errors.New("name the rules: --rules FILE or --hash HASH"))
			}
			rules, err := ask(cmd, dir, member.Rules(), in)
			if err != nil {
				return err
			}
			shown, err := ask(cmd, dir, member.Show(), member.None{})
			if err != nil {
				return err
			}
			o.From, o.Shown = dir, &shown
			if o.Rules, err = world.DecodeRuleBundle(rules.Bundle); err != nil {
				return err
			}
			r, err := Fork(o)
			if err != nil {
				return err
			}
			return r.print(cmd, out, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&file, "rules", "", "file of the new rules, or world file with them")
	f.StringVar(&hash, "hash", "", "hash of the new rules, if this observer knows what they say")
	f.StringVar(&out, "out", "", "file to write the new world file to (default: standard output without --data-new)")
	f.BoolVar(&o.Force, "force", false, "also if not enough members want the rules: nobody else may come")
	f.StringVar(&o.Place.Data, "data-new", "", "data directory in which this machine founds the new world")
	f.StringSliceVar(&o.Keys, "founder-keys", nil, "key files of other founders, if more than one decides")
	f.StringSliceVar(&o.Place.Listen, "listen", nil, "where other nodes of the new world connect, as multiaddr (default: a free port of all addresses, TCP and QUIC)")
	f.StringSliceVar(&o.Place.Announce, "announce", nil, "public address to publish there, as multiaddr, if it is not one of this machine's own")
	f.IntVar(&o.Place.FirstNodes, "first-nodes", 0, "how many nodes, this one included, the new world's first directory waits for (default: 1); who comes later stands in it from the next epoch on")
	f.StringVar(&o.Place.Status, "status-listen", "", "loopback address of the status page there (default: a free port)")
	return cmd
}

// print writes the new world file where it is wanted, and says what is next.
func (r *Forked) print(cmd *cobra.Command, file string, o ForkOptions) error {
	text, err := world.Format(r.World)
	if err != nil {
		return err
	}
	to, where := cmd.OutOrStdout(), file
	switch {
	case file != "":
		if err := files.Write(file, text, files.Private); err != nil {
			return fmt.Errorf("writing the world file: %w", err)
		}
	case r.Created != nil && r.Created.Petition == "":
		where = worldPath(o.Place.Data)
	case r.Created != nil:
		where = "(none yet)"
	default:
		if _, err := to.Write(text); err != nil {
			return err
		}
		to, where = cmd.ErrOrStderr(), "WORLDFILE"
	}
	name := os.Args[0] // as this command was called
	next := fmt.Sprintf("Nobody has founded it yet. A founder does so with: %s world fork --data-new DIR, or %s world create --from %s", name, name, where)
	switch {
	case r.Created != nil && r.Created.Petition != "":
		next = fmt.Sprintf("It waits for %s of other founders: send %s to them. Each runs: observer world approve FILE, and sends it back.\nThen: %s",
			app.Count(r.Created.Missing, "approval"), r.Created.Petition, app.Shell(name, "world", "create", "--approved", "FILE", "--data", o.Place.Data))
	case r.Created != nil:
		next = fmt.Sprintf("Founded in %s; this observer stays in the old world.\nNext: %s; and invite members", o.Place.Data, app.Shell(name, "serve", "--data", o.Place.Data))
	}
	_, err = fmt.Fprintf(to, "World %q (%s), from %s: %s.\nWorld file: %s\n%s.\nWhoever wants to goes there, each with its program stopped: gateway move %s, bridge move, observer move.\n",
		r.World.Phrase, r.World.ID.Short(), r.Old.ID.Short(), strings.Join(r.Old.Rules.Changes(r.World.Rules), ", "), where, next, where)
	return err
}
