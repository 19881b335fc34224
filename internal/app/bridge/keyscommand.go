package bridge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/api/keys"
	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/keystore"
	"github.com/culvert-net/culvert/internal/serve"
)

func keysCommand(data func() (string, error)) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "keys",
		Short: "Say which apps may use the API, for what, and how much",
		Long: `Without keys, any program of yours may use the API, with any API key or none.
From the first key on, every request needs one: give each app, machine or person
a key of its own, and you can say what it may use, see what it has used, and end
it alone.

A key also separates: requests with two keys never share a circuit, so a
provider cannot link them by it.

Keys are in keys.db of the data directory, as hashes. The commands talk to the
running bridge, and take effect at once; if none runs, they change the file.
To go back to a bridge without keys, stop it and delete keys.db.`,
		Example: `  bridge keys add laptop
  bridge keys add kids --models 'llama3*' --requests-per-day 100
  bridge keys list
  bridge keys revoke kids`,
	}
	cmd.AddCommand(keysAddCommand(data), keysListCommand(data), keysRevokeCommand(data))
	return cmd
}

func keysAddCommand(data func() (string, error)) *cobra.Command {
	var rules keys.Rules
	expires := ""
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "Make a key and print it, once",
		Long: `add makes an API key and prints it. It is shown this once and stored nowhere as
it is: if it is lost, revoke it and make another.

Limits count within the minute, day and month of UTC, and begin anew with the
next. Requests count when they are sent on to a model; tokens, of prompt and
answer, when the answer ends, so answers under way at the same time may go
beyond a limit. So does money: a request that is let in may cost more
than is left, and the next one is refused. What is free is not. Without a flag
there is no limit.`,
		Example: `  # A key for everything. The key alone goes to stdout.
  bridge keys add laptop
  export OPENAI_API_KEY=$(bridge keys add editor)

  # Two models, a hundred requests a day, until the end of the year.
  bridge keys add kids --models 'llama3*,qwen3:8b' --requests-per-day 100 --expires 2027-01-01

  # Batch work: one circuit for all of it, which is faster, and two million tokens a month.
  bridge keys add batch --isolation key --tokens-per-month 2000000`,
		Args: app.OneArgument("NAME"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if rules.Expires, err = expiry(expires, time.Now()); err != nil {
				return app.Usage(err)
			}
			if err := errors.Join(keys.CheckName(args[0]), rules.Check()); err != nil {
				return app.Usage(err)
			}
			dir, err := data()
			if err != nil {
				return err
			}
			in, added := keyAdd{args[0], rules}, keyAdded{}
			err = tell(cmd.Context(), dir, routeKeyAdd, in, &added, func(k *keyring) (err error) {
				added, err = k.add(cmd.Context(), in)
				return err
			})
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "Key %s (%s). Copy it now, it is not shown again:\n", added.Key.Name, added.Key.ID)
			if _, err := fmt.Fprintln(cmd.OutOrStdout(), added.Text); err != nil {
				return err
			}
			if added.First {
				fmt.Fprintln(cmd.ErrOrStderr(), "It is the first one: from now on every request needs a key. Apps that sent any other are refused.")
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&rules.Models, "models", nil, "models it may use, separated by commas; * at the end of a name stands for any rest (default: all)")
	for _, kind := range []struct {
		name  string
		limit *keys.Limit
	}{{"requests", &rules.Requests}, {"tokens", &rules.Tokens}} {
		f.Int64Var(&kind.limit.Minute, kind.name+"-per-minute", 0, "limit of "+kind.name+" per minute")
		f.Int64Var(&kind.limit.Day, kind.name+"-per-day", 0, "limit of "+kind.name+" per day")
		f.Int64Var(&kind.limit.Month, kind.name+"-per-month", 0, "limit of "+kind.name+" per month")
	}
	for _, per := range []struct {
		window string
		limit  *keys.Amount
	}{{"minute", &rules.Money.Minute}, {"day", &rules.Money.Day}, {"month", &rules.Money.Month}} {
		f.Var(moneyLimit{per.limit}, "money-per-"+per.window, `limit of money per `+per.window+`, as "0.005 eth", or in wei`)
	}
	f.StringVar(&rules.Isolation, "isolation", "", "what a provider may link: conversation or key (default: as the bridge is set)")
	f.StringVar(&expires, "expires", "", "when it ends: 30d, 12h, 2027-01-01 (UTC) or a time with zone (default: never)")
	return cmd
}

// expiry reads --expires.
func expiry(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return future(t.UTC(), text, now)
		}
	}
	span, err := time.ParseDuration(text)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, bad := strconv.ParseUint(days, 10, 32)
		span, err = time.Duration(n)*24*time.Hour, bad
		if n > uint64(math.MaxInt64/(24*time.Hour)) {
			err = errors.New("too far away")
		}
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("--expires %q: give a span such as 30d or 12h, a date such as 2027-01-01, or a time such as 2027-01-01T12:00:00Z", text)
	}
	return future(now.Add(span).UTC().Truncate(time.Second), text, now)
}

func future(t time.Time, text string, now time.Time) (time.Time, error) {
	if !t.After(now) || t.Year() > 9999 {
		return time.Time{}, fmt.Errorf("--expires %q: that is not in the future", text)
	}
	return t, nil
}

func keysListCommand(data func() (string, error)) *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "list",
		Short: "Show the keys, their limits and what they have used",
		Long: `list shows every key, revoked ones too: its name and id, how it ends (to find it
in an app's settings), what it may do, and the requests, tokens and money of this month.
What a bridge that was killed counted in its last second is missing.`,
		Example: `  bridge keys list
  bridge keys list --json | jq '.[] | {name, used}'`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := data()
			if err != nil {
				return err
			}
			list := []keys.Listed{}
			err = serve.Ask(cmd.Context(), filepath.Join(dir, serve.AdminSocket), routeKeys, &list)
			if errors.Is(err, serve.ErrNoDaemon) {
				if _, err := os.Stat(filepath.Join(dir, keystore.File)); !errors.Is(err, fs.ErrNotExist) {
					err = withKeys(cmd.Context(), dir, func(k *keyring) error { list = k.List(); return nil })
					if err != nil {
						return err
					}
				}
			} else if err != nil {
				return err
			}
			if asJSON {
				e := json.NewEncoder(cmd.OutOrStdout())
				e.SetIndent("", "  ")
				return e.Encode(list)
			}
			return printKeys(cmd.OutOrStdout(), list, app.NewLines(cmd, dir).Line("keys", "add", "NAME"))
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// printKeys writes a table for a person, or how the first key is made.
func printKeys(out io.Writer, list []keys.Listed, add string) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(out, "There are no keys: any key is accepted. Make one with: "+add)
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tID\tKEY\tSTATE\tMODELS\tLIMITS\tUSED THIS MONTH")
	for _, k := range list {
		state := "good"
		switch {
		case !k.Revoked.IsZero():
			state = "revoked " + k.Revoked.Format(time.DateOnly)
		case !k.Good():
			state = "expired " + k.Expires.Format(time.DateOnly)
		case !k.Expires.IsZero():
			state = "until " + k.Expires.Format(time.DateOnly)
		}
		models := "all"
		if len(k.Models) > 0 {
			models = strings.Join(k.Models, ",")
		}
		month := k.Used["month"]
		used := fmt.Sprintf("%d requests, %d tokens", month.Requests, month.Tokens)
		if !month.Money.IsZero() {
			used += fmt.Sprintf(", %s wei", month.Money)
		}
		fmt.Fprintf(w, "%s\t%s\t%s…%s\t%s\t%s\t%s\t%s\n",
			k.Name, k.ID, keys.Prefix, k.Hint, state, models, limits(&k.Rules), used)
	}
	return w.Flush()
}

// limits are r's in a few words.
func limits(r *keys.Rules) string {
	var all []string
	for _, kind := range []struct {
		name  string
		limit keys.Limit
	}{{"requests", r.Requests}, {"tokens", r.Tokens}} {
		for _, l := range []struct {
			per string
			n   int64
		}{{"minute", kind.limit.Minute}, {"day", kind.limit.Day}, {"month", kind.limit.Month}} {
			if l.n > 0 {
				all = append(all, fmt.Sprintf("%d %s/%s", l.n, kind.name, l.per))
			}
		}
	}
	for _, l := range []struct {
		per string
		sum keys.Amount
	}{{"minute", r.Money.Minute}, {"day", r.Money.Day}, {"month", r.Money.Month}} {
		if !l.sum.IsZero() {
			all = append(all, fmt.Sprintf("%s wei/%s", l.sum, l.per))
		}
	}
	if len(all) == 0 {
		return "none"
	}
	return strings.Join(all, ", ")
}

func keysRevokeCommand(data func() (string, error)) *cobra.Command {
	return &cobra.Command{
		Use:   "revoke NAME|ID",
		Short: "End a key, at once and for ever",
		Long: `revoke ends a key: no request with it begins any more. Answers that are being
written are finished. The key stays on the list, and its name is free again.

After the last key was revoked, requests still need one.`,
		Example: `  bridge keys revoke laptop
  bridge keys revoke key_mzxw6ytb`,
		Args: app.OneArgument("NAME or ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := data()
			if err != nil {
				return err
			}
			var k keys.Key
			err = tell(cmd.Context(), dir, routeKeyRevoke, keyRevoke{args[0]}, &k, func(ring *keyring) (err error) {
				k, err = ring.Revoke(cmd.Context(), args[0])
				return err
			})
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "Revoked %s (%s).\n", k.Name, k.ID)
			return err
		},
	}
}

// tell commands the running bridge or, if none runs, does it to the file.
func tell(ctx context.Context, dir, route string, in, out any, without func(*keyring) error) error {
	err := serve.Tell(ctx, filepath.Join(dir, serve.AdminSocket), route, in, out)
	if errors.Is(err, serve.ErrNoDaemon) {
		return withKeys(ctx, dir, without)
	}
	return err
}

// withKeys opens the keys of a data directory that no bridge runs on.
func withKeys(ctx context.Context, dir string, f func(*keyring) error) error {
	d, err := app.OpenData(dir, program)
	if err != nil {
		return err
	}
	defer d.Close()
	k, err := openKeys(ctx, d, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	return errors.Join(f(k), k.close())
}
