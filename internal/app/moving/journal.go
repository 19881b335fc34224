package moving

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// journalFile says that a swap is under way, and which.
const journalFile = "MOVING"

// journal is its content: a line with the two ids, and one for each name.
type journal struct {
	From, To string
	Files    []string
}

// maxFiles bounds the names: a data directory has a dozen.
const maxFiles = 100

func (j journal) format() []byte {
	return []byte(strings.Join(append([]string{j.From + " " + j.To}, j.Files...), "\n") + "\n")
}

func readJournal(path string) (journal, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return journal{}, err
	}
	j, err := parseJournal(text)
	if err != nil {
		return journal{}, fmt.Errorf("%s: %w; restore the file", path, err)
	}
	return j, nil
}

func parseJournal(text []byte) (journal, error) {
	body, ends := strings.CutSuffix(string(text), "\n")
	lines := strings.Split(body, "\n")
	from, to, two := strings.Cut(lines[0], " ")
	if !ends || !two {
		return journal{}, errors.New("it is damaged")
	}
	j := journal{From: from, To: to, Files: lines[1:]}
	return j, j.check()
}

// check refuses what would move a file out of the directory, or none.
func (j journal) check() error {
	for _, id := range []string{j.From, j.To} {
		if b, err := hex.DecodeString(id); err != nil || len(b) != 32 || strings.ToLower(id) != id {
			return fmt.Errorf("%q is no world's id", id)
		}
	}
	if j.From == j.To {
		return errors.New("both worlds are the same")
	}
	if len(j.Files) > maxFiles {
		return fmt.Errorf("%d files belong to a world; at most %d may", len(j.Files), maxFiles)
	}
	for _, name := range j.Files {
		if !fs.ValidPath(name) || name == "." || filepath.Base(name) != name || strings.ContainsAny(name, "\n\\:") || name == worldFile || name == journalFile || name == Dir {
			return fmt.Errorf("%q is no name of a file that belongs to a world", name)
		}
	}
	return nil
}
