package bridge

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/member"
	"github.com/culvert-net/culvert/internal/serve"
	"github.com/culvert-net/culvert/mesh/roster"
	"github.com/culvert-net/culvert/mesh/world"
)

func joinCommand(data func() (string, error)) *cobra.Command {
	phraseFile := ""
	cmd := &cobra.Command{
		Use:   "join FILE",
		Short: "Become a member of the world, with an invite",
		Long: `join makes this bridge a member of its world, with an invite that a member gave you. A
bridge works without: it then chooses providers by what they offer and by what it saw
of them itself. A member also keeps the world's event log, so that what others saw
counts too. That happens in the background and over circuits: other members know a
key of this bridge, and not where it is.

It asks for the invite's phrase; a script gives it with --phrase-file, or in
` + member.PhraseVariable + `. A bridge that runs becomes a member at once. A join that was
interrupted goes on when it is run again.`,
		Example: `  bridge join invite.toml
  bridge join invite.toml --phrase-file phrase.txt`,
		Args: app.OneArgument("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := data()
			if err != nil {
				return err
			}
			inv, err := member.ReadInvite(args[0], time.Now())
			if err != nil {
				return err
			}
			phrase, err := member.ReadPhrase(cmd, phraseFile)
			if err != nil {
				return err
			}
			progress := func(text string) { fmt.Fprintln(cmd.ErrOrStderr(), text) }
			if err := join(cmd.Context(), dir, inv, phrase, progress); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "This bridge is a member of world %q (%s).\nSee: %s\n",
				inv.World.Phrase, inv.World.ID.Short(), app.NewLines(cmd, dir).Line("status"))
			return err
		},
	}
	cmd.Flags().StringVar(&phraseFile, "phrase-file", "", "file with the invite's phrase")
	return cmd
}

// join has the running bridge join, or does what it would do. A directory that
// is not set up yet gets the invite's world.
func join(ctx context.Context, dir string, inv roster.Invite, phrase string, progress func(string)) error {
	ctx, cancel := context.WithTimeout(ctx, joinTime)
	defer cancel()
	text, err := inv.Format()
	if err != nil {
		return err
	}
	progress("Asking over a circuit, which takes a moment to be built.")
	err = serve.Tell(ctx, filepath.Join(dir, serve.AdminSocket), routeJoin, joinRequest{Invite: string(text), Phrase: phrase}, &struct{}{})
	if !errors.Is(err, serve.ErrNoDaemon) {
		return app.Asked(err)
	}
	if err := enter(dir, inv.World); err != nil {
		return err
	}
	data, err := app.OpenData(dir, program)
	if err != nil {
		return err
	}
	defer data.Close()
	m, err := newWorld(ctx, &bridge{cfg: Defaults(), log: slog.New(slog.DiscardHandler), data: data}, inv.World, nil)
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- app.RunParts(running, m.parts()...) }() // waited for below
	err = m.(*inWorld).members.join(ctx, inv, phrase, progress)
	stop()
	return errors.Join(err, <-ended, m.close())
}

// enter makes dir a bridge's data directory in the world of an invite, unless it
// is one already.
func enter(dir string, w *world.World) error {
	old, err := world.Load(filepath.Join(dir, app.WorldFile))
	switch {
	case err == nil && old.ID == w.ID:
		return nil
	case err == nil:
		return app.Usage(fmt.Errorf("%s belongs to world %q (%s), and the invite is to %q (%s); choose another directory with --data",
			dir, old.Phrase, old.ID.Short(), w.Phrase, w.ID.Short()))
	case !errors.Is(err, fs.ErrNotExist):
		return app.Usage(err)
	}
	file, err := os.CreateTemp("", "culvert-world-*.toml")
	if err != nil {
		return fmt.Errorf("entering the world: %w", err)
	}
	defer os.Remove(file.Name())
	if err := errors.Join(file.Close(), world.WriteFile(file.Name(), w)); err != nil {
		return fmt.Errorf("entering the world: %w", err)
	}
	_, err = Init(dir, file.Name(), Defaults())
	return err
}
