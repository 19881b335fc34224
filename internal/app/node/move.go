package node

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/moving"
	"github.com/culvert-net/culvert/mesh/world"
)

// Mover moves a program's data directory into a fork of its world. All fields are
// required.
type Mover struct {
	Program string
	Files   []string // patterns of what belongs to a world, but for its file
	// Fits says what of the configuration in dir a world does not allow.
	Fits func(dir string, w *world.World) error
	// Next says what to do in the new world.
	Next func(lines app.Lines) string
}

// Moved is where a data directory was, and is now.
type Moved struct {
	From *world.World // nil: it was in the new world already
	To   *world.World
	Kept string // where what belongs to From is
}

// Move moves dir into the world of a file. force is for worlds that are no fork of
// the present one. It may be repeated after an error.
func (m Mover) Move(dir, file string, force bool) (*Moved, error) {
	// The directory is not made by asking for it.
	if _, err := LoadWorld(filepath.Join(dir, app.WorldFile)); errors.Is(err, ErrNoWorld) {
		return nil, err
	}
	to, err := LoadWorld(file)
	if err != nil {
		return nil, err
	}
	data, err := app.OpenData(dir, m.Program)
	if err != nil {
		return nil, err
	}
	defer data.Close()
	// Once more: to open it may have completed an earlier move.
	from, err := LoadWorld(data.Path(app.WorldFile))
	if err != nil {
		return nil, err
	}
	if from.ID == to.ID {
		return &Moved{To: to}, nil
	}
	if why := notForked(from, to); len(why) > 0 && !force {
		return nil, app.Refused(fmt.Errorf("%s is no fork of world %q (%s): %s; to leave for it all the same, add --force",
			file, from.Phrase, from.ID.Short(), strings.Join(why, "; ")))
	}
	if err := m.Fits(dir, to); err != nil {
		return nil, err
	}
	text, err := world.Format(to)
	if err != nil {
		return nil, err
	}
	plan := moving.Plan{From: from.ID.String(), To: to.ID.String(), World: text, Files: m.Files}
	if err := moving.Swap(dir, plan); err != nil {
		return nil, fmt.Errorf("%w; repeat the command when that is put right", err)
	}
	return &Moved{From: from, To: to, Kept: moving.Left(dir, plan.From)}, nil
}

// RemoveMatching removes what in dir has a name of these patterns: what belongs to a
// world, where nobody wants it back.
func RemoveMatching(dir string, patterns []string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		for _, pattern := range patterns {
			if is, _ := path.Match(pattern, e.Name()); is { // patterns are written by programs
				if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// CheckEntry refuses a world that the node of a data directory could not enter: one
// without seeds that it may dial, if it is none itself.
func CheckEntry(dir string, w *world.World) error {
	key, err := LoadKey(filepath.Join(dir, KeyFile))
	if err != nil || IsSeed(w, [32]byte(key.Public().(ed25519.PublicKey))) {
		return err
	}
	return CheckSeeds(w)
}

// notForked is why a world does not come of another one by other rules alone.
func notForked(from, to *world.World) []string {
	var why []string
	if from.Phrase != to.Phrase {
		why = append(why, fmt.Sprintf("its phrase is %q", to.Phrase))
	}
	if names := world.CharterChanges(from.Charter, to.Charter); len(names) > 0 {
		why = append(why, "it has another "+strings.Join(names, ", "))
	}
	if from.Founder != to.Founder {
		why = append(why, "it names another founder")
	}
	if to.Sandbox && !from.Sandbox {
		why = append(why, "it is a sandbox")
	}
	if from.Rules.Hash() == to.Rules.Hash() {
		why = append(why, "its rules are the same")
	}
	return why
}

// Command is `move`.
func (m Mover) Command(data func() (string, error)) *cobra.Command {
	force := false
	cmd := &cobra.Command{
		Use:   "move WORLDFILE",
		Short: "Leave for a fork of this world, with the same keys and settings",
		Long: `move takes this machine into a world with the phrase and the charter of the present one and
other rules, as observer world fork makes them. Nobody has to: the present world goes on
as long as anybody is in it.

Keys, name, addresses and settings stay. What belongs to the world that is left, such as its
directory, is put away into worlds/ in the data directory. To come back, move to the
world.toml there.

It wants the ` + m.Program + ` to be stopped. Interrupted, it is completed when the data directory is next
used, and may be repeated.`,
		Example: "  " + m.Program + " move world2.toml",
		Args:    app.OneArgument("WORLDFILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := data()
			if err != nil {
				return err
			}
			r, err := m.Move(dir, args[0], force)
			if errors.Is(err, ErrNoWorld) {
				return fmt.Errorf("%w: there is nothing to move from; see: %s init --help", err, m.Program)
			}
			if err != nil {
				return err
			}
			return r.print(cmd, m.Next(app.NewLines(cmd, dir)))
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "also to a world with another phrase or charter, which is no fork of this one")
	return cmd
}

func (r *Moved) print(cmd *cobra.Command, next string) error {
	out := cmd.OutOrStdout()
	if r.From == nil {
		_, err := fmt.Fprintf(out, "This node is in world %q (%s) already.\nNext: %s\n", r.To.Phrase, r.To.ID.Short(), next)
		return err
	}
	changes := r.From.Rules.Changes(r.To.Rules)
	if len(changes) == 0 {
		changes = []string{"the same rules"}
	}
	_, err := fmt.Fprintf(out, "Moved from %s to %s, world %q: %s.\nThe way back: %s\nNext: %s\n",
		r.From.ID.Short(), r.To.ID.Short(), r.To.Phrase, strings.Join(changes, ", "), filepath.Join(r.Kept, app.WorldFile), next)
	return err
}
