package observer

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/eventform"
	"github.com/culvert-net/culvert/internal/app/member"
	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/event/protobuf"
)

// selection is which events a command is about.
type selection struct {
	member.ListIn
	epochs []string
	since  string
}

func (s *selection) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringSliceVar(&s.epochs, "epoch", nil, "of these epochs: numbers, or FROM-TO")
	f.StringVar(&s.Type, "type", "", "of this type: "+typeNames())
	f.StringVar(&s.Author, "author", "", "by the member whose key begins so, or by anybody, with all 64 hexadecimal digits")
	f.StringVar(&s.Subject, "subject", "", "about this TargetRef, 64 hexadecimal digits")
	f.StringVar(&s.since, "since", "", "received since then: a duration such as 2h, or a time such as 2026-11-21T15:00:00Z")
}

func typeNames() string {
	var names []string
	for _, t := range event.Types() {
		names = append(names, t.String())
	}
	return strings.Join(names, ", ")
}

// maxEpochs bounds an epoch range that is spelt out.
const maxEpochs = 10_000

// complete reads what flags have as text.
func (s *selection) complete(now time.Time) error {
	for _, text := range s.epochs {
		from, to, isRange := strings.Cut(text, "-")
		if !isRange {
			to = from
		}
		a, err := strconv.ParseUint(from, 10, 64)
		b, err2 := strconv.ParseUint(to, 10, 64)
		if err != nil || err2 != nil || b < a || b-a >= maxEpochs {
			return app.Usage(fmt.Errorf("--epoch %q: give a number, or a range such as 100-120 of at most %d", text, maxEpochs))
		}
		for e := a; e <= b; e++ {
			s.Epochs = append(s.Epochs, e)
		}
	}
	if s.since == "" {
		return nil
	}
	if d, err := time.ParseDuration(s.since); err == nil {
		s.Since = now.Add(-d)
		return nil
	}
	t, err := time.Parse(time.RFC3339, s.since)
	if err != nil {
		return app.Usage(fmt.Errorf("--since %q: give a duration such as 30m, or a time such as 2026-11-21T15:00:00Z", s.since))
	}
	s.Since = t
	return nil
}

func logCommand(data func() (string, error)) *cobra.Command {
	var s selection
	follow, asJSON := false, false
	last := 0
	cmd := &cobra.Command{
		Use:   "log",
		Short: "Show what members told one another",
		Long: `log lists events of the log in the order in which they arrived here. Events tell what was
measured, by whom and when. Whom they are about they say by a TargetRef, which changes every
epoch and names nobody outside of this group.`,
		Example: `  observer log --last 20
  observer log --follow --type attestation
  observer log --since 2h --author 3f9a… --json | jq -r .id`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := data()
			if err != nil {
				return err
			}
			if err := s.complete(time.Now()); err != nil {
				return err
			}
			print := printEvent(cmd.OutOrStdout(), asJSON)
			if last > 0 {
				if err := lastEvents(cmd, dir, &s, last, print); err != nil || !follow {
					return err
				}
			}
			return pages(cmd, dir, s.ListIn, follow, func(rows []member.Listed) error {
				for i := range rows {
					if err := print(&rows[i]); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	s.flags(cmd)
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with what arrives, until stopped")
	cmd.Flags().IntVar(&last, "last", 0, "begin with the last so many")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, one event a line")
	cmd.AddCommand(explainCommand(data), checkCommand(data), vectorCommand(data), exportCommand(data), importCommand(data))
	return cmd
}

// lastEvents prints the last events in the order of arrival, and sets where the
// next ones begin.
func lastEvents(cmd *cobra.Command, dir string, s *selection, n int, print func(*member.Listed) error) error {
	in := s.ListIn
	in.Newest, in.Limit = true, n
	p, err := ask(cmd, dir, member.List(), in)
	if err != nil {
		return err
	}
	for i := len(p.Events) - 1; i >= 0; i-- {
		if err := print(&p.Events[i]); err != nil {
			return err
		}
	}
	s.After = p.Last
	return nil
}

// followWait is how long one question waits for an event: the daemon's answers are
// due within seconds.
const followWait = 3 * time.Second

// pages asks for page after page.
func pages(cmd *cobra.Command, dir string, in member.ListIn, follow bool, take func([]member.Listed) error) error {
	for {
		p, err := ask(cmd, dir, member.List(), in)
		switch {
		case cmd.Context().Err() != nil:
			return nil // stopped
		case err != nil:
			return err
		}
		if err := take(p.Events); err != nil {
			return err
		}
		in.After = p.After
		if !p.More && !follow {
			return nil
		}
		if !p.More {
			in.Wait = followWait
		}
	}
}

func printEvent(out io.Writer, asJSON bool) func(*member.Listed) error {
	if asJSON {
		return func(e *member.Listed) error { return app.PrintJSONLine(out, e) }
	}
	return func(e *member.Listed) error {
		subject := ""
		if e.Subject != "" {
			subject = "  about " + e.Subject
		}
		_, err := fmt.Fprintf(out, "%s  epoch %d  %-11s  by %.8s  %s  (%s)%s\n",
			e.Received.Local().Format("2006-01-02 15:04:05"), e.Epoch, e.Type, e.Author, e.ID, e.Via, subject)
		return err
	}
}

func explainCommand(data func() (string, error)) *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "explain ID",
		Short: "Say why an event is in the log, or is not",
		Long: `explain says what is known of an event: when and how it came, how much of its author's quota
is used, and whether its epoch's seal names it; or why it was refused, if that was lately.
An event that was never sent here, and one of an epoch that was dropped, is not known.`,
		Example: `  observer log explain 91c0…`,
		Args:    app.OneArgument("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := data()
			if err != nil {
				return err
			}
			x, err := ask(cmd, dir, member.Explain(), member.Named{Name: args[0]})
			if err != nil {
				return err
			}
			if asJSON {
				return app.PrintJSON(cmd.OutOrStdout(), x)
			}
			w, row := app.Rows(cmd.OutOrStdout())
			if x.Stored {
				row("Stored", "%s of epoch %d, by %s", x.Event.Type, x.Event.Epoch, x.Event.Author)
				row("Arrived", "%s, by %s", x.Event.Received.Local().Format(time.DateTime), x.Event.Via)
				row("Quota", "%d of %d of this type are its author's in its epoch", x.Used, x.Quota)
				row("Seal", "%s", x.Seal)
			} else {
				row("Stored", "no")
			}
			if x.Refused != "" {
				row("Refused", "at %s, by %s: %s", x.RefusedAt.Local().Format(time.DateTime), x.RefusedBy, x.Refused)
			} else if !x.Stored {
				row("Refused", "not that is remembered; it was never sent here, or its epoch was dropped")
			}
			return w.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func checkCommand(data func() (string, error)) *cobra.Command {
	var in member.CheckIn
	asJSON := false
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check that the log is whole",
		Long: `check holds the log's parts against each other: with --full it counts everything anew and
recomputes the id of every event, which takes some seconds for each hundred thousand.

A log with a problem is no loss: stop the observer, move log.db away, and the next start
fetches it from other members.`,
		Example: `  observer log check --full`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := data()
			if err != nil {
				return err
			}
			r, err := ask(cmd, dir, member.Check(), in)
			if err != nil {
				return err
			}
			if asJSON {
				err = app.PrintJSON(cmd.OutOrStdout(), r)
			} else {
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d events in %s, %d dropped.\n%s", r.Events, app.Count(r.Epochs, "epoch"), r.Pruned, strings.Join(append(r.Problems, ""), "\n"))
			}
			if err == nil && len(r.Problems) > 0 {
				err = fmt.Errorf("%s found; move log.db away to have it fetched from other members", app.Count(len(r.Problems), "problem"))
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&in.Full, "full", false, "count everything anew")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// Formats of export and import.
const (
	formatJSON  = "json"
	formatProto = "protobuf"
)

func checkForm(format string) error {
	if format != formatJSON && format != formatProto {
		return app.Usage(fmt.Errorf("--format %q is not known; use json or protobuf", format))
	}
	return nil
}

func exportCommand(data func() (string, error)) *cobra.Command {
	var s selection
	format := ""
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write events in a form that other programs read",
		Long: `export writes events to standard output: as JSON, one a line, or as protobuf messages of the
reference implementation, each behind its length as a varint. docs/spec/event.md has the
fields. Both forms can be imported; a descriptor's stamp is in JSON alone.`,
		Example: `  observer log export > log.jsonl
  observer log export --format protobuf --epoch 480000-480100 > log.pb`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := data()
			if err != nil {
				return err
			}
			if err := errors.Join(checkForm(format), s.complete(time.Now())); err != nil {
				return err
			}
			s.Raw = true
			out := bufio.NewWriter(cmd.OutOrStdout())
			err = pages(cmd, dir, s.ListIn, false, func(rows []member.Listed) error {
				for _, e := range rows {
					if err := writeExport(out, e, format); err != nil {
						return err
					}
				}
				return nil
			})
			return errors.Join(err, out.Flush())
		},
	}
	s.flags(cmd)
	cmd.Flags().StringVar(&format, "format", formatJSON, "json or protobuf")
	return cmd
}

func writeExport(out *bufio.Writer, e member.Listed, format string) error {
	var x eventform.Export
	var err error
	if x.Canonical, err = hex.DecodeString(e.Bytes); err != nil {
		return fmt.Errorf("event %s: %w", e.ID, err)
	}
	if x.Stamp, err = hex.DecodeString(e.Stamp); err != nil {
		return fmt.Errorf("event %s: %w", e.ID, err)
	}
	if format == formatProto {
		ev, err := event.Decode(x.Canonical)
		if err != nil {
			return fmt.Errorf("event %s: %w", e.ID, err)
		}
		message := protobuf.Encode(ev)
		_, err = out.Write(append(binary.AppendUvarint(nil, uint64(len(message))), message...))
		return err
	}
	text, err := eventform.ToJSON(x)
	if err != nil {
		return err
	}
	_, err = out.Write(append(text, '\n'))
	return err
}
