package doctor

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/culvert-net/culvert/internal/app"
)

// printer shows findings as they come, or all at once as JSON.
type printer struct {
	Output
	line *app.Progress // what is being looked at
}

func newPrinter(to Output) *printer {
	watched := to.Err
	if to.JSON {
		watched = io.Discard
	}
	return &printer{Output: to, line: app.NewProgress(watched)}
}

// Widths of the first two columns: the longest level, and the longest usual
// name of a check.
const (
	levelWidth = len("problem")
	checkWidth = len("announced address")
)

func (p *printer) finding(f Finding) error {
	if p.JSON {
		return nil
	}
	text := fmt.Sprintf("%-*s  %-*s  %s\n", levelWidth, f.Level, checkWidth, f.Check, f.Found)
	if f.Do != "" {
		text += fmt.Sprintf("%*s-> %s\n", levelWidth+checkWidth+4, "", f.Do)
	}
	_, err := io.WriteString(p.Out, text)
	return err
}

func (p *printer) summary(r *Report) error {
	if p.JSON {
		e := json.NewEncoder(p.Out)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(r)
	}
	warnings := ""
	if r.Warnings > 0 {
		warnings = ", " + app.Count(r.Warnings, "warning")
	}
	text := "No problem found" + warnings + ".\n"
	if r.Problems > 0 {
		text = app.Count(r.Problems, "problem") + warnings + ". Begin with the first: others often follow from it.\n"
	}
	_, err := io.WriteString(p.Out, "\n"+text)
	return err
}

// Spent is how long something took, as people read it.
func Spent(d time.Duration) string {
	if d < 10*time.Millisecond {
		return d.Round(100 * time.Microsecond).String()
	}
	return d.Round(time.Millisecond).String()
}
