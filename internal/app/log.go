package app

import (
	"fmt"
	"io"
	"log/slog"
	"os"

	"golang.org/x/term"
)

// LogConfig is the [log] section of every program's config.toml.
type LogConfig struct {
	Level  string `toml:"level" flag:"log-level" doc:"How much to say: debug, info, warn or error. No level shows prompts, answers or keys."`
	Format string `toml:"format" flag:"log-format" doc:"text, json, or auto: text on a terminal and JSON lines elsewhere."`
}

// DefaultLog is what is used when nothing is configured.
func DefaultLog() LogConfig { return LogConfig{Level: "info", Format: "auto"} }

// NewLog makes a program's log on w, normally stderr.
func NewLog(w io.Writer, program string, cfg LogConfig) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.Level)); err != nil {
		return nil, Usage(fmt.Errorf("log level %q: use debug, info, warn or error (--log-level, or level in [log])", cfg.Level))
	}
	options := &slog.HandlerOptions{Level: level}
	var h slog.Handler
	switch {
	case cfg.Format == "text", cfg.Format == "auto" && OnTerminal(w):
		h = slog.NewTextHandler(w, options)
	case cfg.Format == "json", cfg.Format == "auto":
		h = slog.NewJSONHandler(w, options)
	default:
		return nil, Usage(fmt.Errorf("log format %q: use text, json or auto (--log-format, or format in [log])", cfg.Format))
	}
	return slog.New(h).With("program", program), nil
}

// OnTerminal reports whether a person sees w.
func OnTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
