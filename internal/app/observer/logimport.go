package observer

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/eventform"
	"github.com/culvert-net/culvert/internal/app/member"
	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/event/protobuf"
)

// Bounds of an import.
const (
	// maxExported bounds one event in either form: in JSON bytes are twice as long.
	maxExported = 4 * event.MaxEvent

	// importBatch is how many are told at a time.
	importBatch = 256
)

func importCommand(data func() (string, error)) *cobra.Command {
	format := ""
	asJSON := false
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Take events that were exported",
		Long: `import takes events of a file, or of standard input (-), as if they had come from another
member: each is checked as any other, and what is refused is counted by the reason. On a
terminal it says how far it is.`,
		Example: `  observer log import log.jsonl
  observer log import - < log.pb`,
		Args: app.OneArgument("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := data()
			if err != nil {
				return err
			}
			if cmd.Flags().Changed("format") {
				if err := checkForm(format); err != nil {
					return err
				}
			}
			in := cmd.InOrStdin()
			var file *os.File
			if args[0] != "-" {
				if file, err = os.Open(args[0]); err != nil {
					return app.Usage(fmt.Errorf("reading events: %w", err))
				}
				defer file.Close()
				in = file
			}
			sum, done := member.ImportOut{Refused: make(map[string]int)}, 0
			line := app.NewProgress(cmd.ErrOrStderr())
			buffered := bufio.NewReader(in)
			if format == "" {
				format = formOf(buffered)
			}
			err = readExports(buffered, format, func(batch []member.Imported) error {
				r, err := ask(cmd, dir, member.Import(), member.ImportIn{Events: batch})
				sum.Added, sum.Known = sum.Added+r.Added, sum.Known+r.Known
				for reason, n := range r.Refused {
					sum.Refused[reason] += n
				}
				done += len(batch)
				line.Show("%d events%s, %d added", done, shareOf(file), sum.Added)
				return err
			})
			line.Clear()
			if err != nil {
				return fmt.Errorf("%w (%d events were added before)", err, sum.Added)
			}
			if asJSON {
				return app.PrintJSON(cmd.OutOrStdout(), sum)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d added, %d known before%s.\n", sum.Added, sum.Known, refusedText(sum.Refused))
			return err
		},
	}
	cmd.Flags().StringVar(&format, "format", "", "json or protobuf (default: what the file begins like)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// shareOf says how much of a file has been read, if that can be said.
func shareOf(f *os.File) string {
	if f == nil {
		return ""
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return ""
	}
	at, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return ""
	}
	return fmt.Sprintf(", %d %% of the file", 100*at/info.Size())
}

// formOf tells by the first byte which form a file has. In protobuf it is of a
// length, with the bit that says that more follows: an event has more than 127
// bytes. JSON begins with ASCII.
func formOf(in *bufio.Reader) string {
	if b, err := in.Peek(1); err == nil && b[0] >= 0x80 {
		return formatProto
	}
	return formatJSON
}

// readExports reads events in batches.
func readExports(in *bufio.Reader, format string, take func([]member.Imported) error) error {
	var batch []member.Imported
	for n := 1; ; n++ {
		x, err := readExport(in, format)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return app.Usage(fmt.Errorf("event %d: %w", n, err))
		}
		batch = append(batch, member.Imported{Bytes: hex.EncodeToString(x.Canonical), Stamp: hex.EncodeToString(x.Stamp)})
		if len(batch) == importBatch {
			if err := take(batch); err != nil {
				return err
			}
			batch = nil
		}
	}
	if len(batch) == 0 {
		return nil
	}
	return take(batch)
}

// errLong is about an event longer than any.
var errLong = fmt.Errorf("longer than an event is (%d bytes)", maxExported)

func readExport(in *bufio.Reader, format string) (x eventform.Export, err error) {
	if format == formatProto {
		n, err := binary.ReadUvarint(in)
		if err != nil {
			return x, err
		}
		if n > maxExported {
			return x, errLong
		}
		message := make([]byte, n)
		if _, err := io.ReadFull(in, message); err != nil {
			return x, errors.New("the file ends within it")
		}
		e, err := protobuf.Decode(message)
		if err != nil {
			return x, err
		}
		return eventform.Export{Canonical: e.Canonical()}, nil
	}
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		if len(line) > maxExported {
			return x, errLong
		}
		if err == nil || errors.Is(err, io.EOF) && len(line) > 0 {
			break
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return x, err
		}
	}
	return eventform.FromJSON(line)
}
