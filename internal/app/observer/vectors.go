package observer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/files"
	"github.com/culvert-net/culvert/mesh/vectors"
)

// readable is the mode of a file of vectors, which holds no secret.
const readable fs.FileMode = 0o644

// VectorsCommand checks a file of test vectors, or writes ours.
func VectorsCommand() *cobra.Command {
	var write, asJSON bool
	cmd := &cobra.Command{
		Use:   "vectors FILE",
		Short: "Check a file of test vectors, or write ours",
		Long: `Check a file of test vectors: from the inputs of each, this program computes the
canonical bytes, ids, keys and signatures again and compares them, one line for
each. It reads the TerrainGossip reference's files and Culvert's own; what
they hold is written down in docs/spec/vectors.md.

The exit code is 1 if one of them does not match.`,
		Example: `  observer vectors test_vectors.json
  observer vectors --write vectors.json`,
		Args: app.OneArgument("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if write {
				return writeVectors(args[0])
			}
			return checkVectors(args[0], cmd.OutOrStdout(), asJSON)
		},
	}
	cmd.Flags().BoolVar(&write, "write", false, "write Culvert's own vectors to FILE instead")
	cmd.Flags().BoolVar(&asJSON, "json", false, "a JSON object for each vector, instead of a line")
	cmd.MarkFlagsMutuallyExclusive("write", "json")
	return cmd
}

func writeVectors(path string) error {
	data, err := vectors.Write()
	if err != nil {
		return err
	}
	if err := files.Write(path, data, readable); err != nil {
		return fmt.Errorf("writing the vectors: %w", err)
	}
	return nil
}

func checkVectors(path string, out io.Writer, asJSON bool) error {
	data, err := readVectors(path)
	if err != nil {
		return app.Usage(err)
	}
	lines, err := vectors.Check(data)
	if err != nil && !errors.Is(err, vectors.ErrMismatch) {
		return app.Usage(fmt.Errorf("%s: %w", path, err))
	}
	for _, l := range lines {
		text := printable(l.String())
		if asJSON {
			encoded, err := json.Marshal(vectorLine{Name: l.Name, OK: l.OK, Detail: l.Detail})
			if err != nil {
				return err
			}
			text = string(encoded)
		}
		if _, err := fmt.Fprintln(out, text); err != nil {
			return err
		}
	}
	return err
}

// printable takes out what would move a terminal's cursor: names come from a
// file that somebody was sent.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '?'
		}
		return r
	}, s)
}

// vectorLine is a line with --json.
type vectorLine struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
}

func readVectors(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the vectors: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, vectors.MaxFile+1)) // Check refuses what is larger
	if err != nil {
		return nil, fmt.Errorf("reading the vectors: %w", err)
	}
	return data, nil
}
