package app

import (
	"fmt"
	"io"
	"log/slog"
	"os"

	"golang.org/x/term"

	"github.com/culvert-net/culvert/internal/config"
)

// LogConfig is the [log] section of every program's config.toml.
type LogConfig struct {
	Level  string `toml:"level" flag:"log-level" doc:"How much to say: debug, info, warn or error. No level shows prompts, answers or keys."`
	Format string `toml:"format" flag:"log-format" doc:"text, json, or auto: text on a terminal and JSON lines elsewhere."`
}

// DefaultLog is what is used when nothing is configured.
func DefaultLog() LogConfig { return LogConfig{Level: "info", Format: "auto"} }

// Validate implements the check of config.Load.
func (c *LogConfig) Validate() error {
	if _, err := c.level(); err != nil {
		return config.At("level", err)
	}
	switch c.Format {
	case "text", "json", "auto":
		return nil
	}
	return config.At("format", fmt.Errorf("%q is not known; use text, json or auto", c.Format))
}

func (c *LogConfig) level() (level slog.Level, err error) {
	if level.UnmarshalText([]byte(c.Level)) != nil {
		return level, fmt.Errorf("%q is not known; use debug, info, warn or error", c.Level)
	}
	return level, nil
}

// NewLog makes a program's log on w, normally stderr. What Load has not checked
// is checked here.
func NewLog(w io.Writer, program string, cfg LogConfig) (*slog.Logger, error) {
	if err := cfg.Validate(); err != nil {
		return nil, Usage(fmt.Errorf("log: %w", err))
	}
	level, err := cfg.level()
	if err != nil {
		return nil, err
	}
	options := &slog.HandlerOptions{Level: level}
	if cfg.Format == "text" || cfg.Format == "auto" && OnTerminal(w) {
		return slog.New(slog.NewTextHandler(w, options)).With("program", program), nil
	}
	return slog.New(slog.NewJSONHandler(w, options)).With("program", program), nil
}

// OnTerminal reports whether a person sees w.
func OnTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
