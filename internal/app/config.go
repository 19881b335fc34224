package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/culvert-net/culvert/internal/config"
	"github.com/culvert-net/culvert/internal/files"
	"github.com/culvert-net/culvert/internal/serve"
)

// StatusConfig is the [status] section of every program.
type StatusConfig struct {
	Listen string `toml:"listen" flag:"status-listen" doc:"Loopback address of the status page; empty switches it off."`
}

// Validate implements the check of config.Load.
func (c *StatusConfig) Validate() error { return config.At("listen", checkPage(c.Listen)) }

// DebugConfig is the [debug] section of every program.
type DebugConfig struct {
	Listen string `toml:"listen" flag:"debug" doc:"Address of the profiler (pprof), on loopback; empty switches it off."`
}

// Validate implements the check of config.Load.
func (c *DebugConfig) Validate() error { return config.At("listen", checkPage(c.Listen)) }

func checkPage(addr string) error {
	if addr == "" {
		return nil
	}
	err := serve.CheckPage(addr)
	if errors.Is(err, serve.ErrPublic) {
		return Refused(err)
	}
	return err
}

// Load completes cfg from the data directory's config.toml, the environment
// and flags. What is wrong with any of them is a mistake of configuration. also
// are checks of how cfg fits the directory's other files.
func Load(cfg any, program, dir string, flags *pflag.FlagSet, also ...func(dir string) error) (config.Origins, error) {
	// Another program's settings would be unknown keys.
	text, err := os.ReadFile(filepath.Join(dir, formatFile))
	if err == nil {
		err = checkFormat(filepath.Join(dir, formatFile), text, program)
	}
	if errors.Is(err, fs.ErrPermission) {
		return nil, Usage(fmt.Errorf("data directory: %w; it is another user's: run this as that user, or choose another directory with --data", err))
	}
	if Code(err) == ExitUsage {
		return nil, err
	}
	origins, err := config.Load(cfg, config.Options{
		Program: program, File: filepath.Join(dir, ConfigFile), Environ: os.Environ(), Flags: flags,
		Also: func() error {
			for _, check := range also {
				if err := check(dir); err != nil {
					return err
				}
			}
			return nil
		},
	})
	return origins, Configured(err)
}

// Configured marks what is wrong with a configuration as a mistake in it,
// unless it is marked already.
func Configured(err error) error {
	if err != nil && Code(err) == ExitFailed {
		return Usage(err)
	}
	return err
}

// WriteConfig writes a config.toml in which everything is explained, and only
// the given keys (section.name) are set: the rest follows the program's
// defaults. A file that is there already is kept; created says whether it was
// not.
func WriteConfig(dir string, cfg any, set ...string) (created bool, err error) {
	path := filepath.Join(dir, ConfigFile)
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	return true, ReplaceConfig(dir, cfg, set...)
}

// ReplaceConfig is WriteConfig for a file that nobody has edited.
func ReplaceConfig(dir string, cfg any, set ...string) error {
	var text strings.Builder
	if err := config.Template(&text, cfg, set...); err != nil {
		return fmt.Errorf("writing the configuration: %w", err)
	}
	if err := files.Write(filepath.Join(dir, ConfigFile), []byte(text.String()), files.Private); err != nil {
		return fmt.Errorf("writing the configuration: %w", err)
	}
	return nil
}

// ConfigCommand is `config check` and `config path`. cfg makes the defaults,
// dir finds the data directory. also are the checks that serve gives to Load.
func ConfigCommand(program string, cfg any, dir func() (string, error), also ...func(dir string) error) *cobra.Command {
	parent := &cobra.Command{
		Use:   "config",
		Short: "Show what the program is told, and where",
		Long: "Values come from flags, then environment variables (" + envPrefix(program) + "<SECTION>_<KEY>),\n" +
			"then config.toml, then defaults. An unknown key is an error.",
	}
	asJSON := false
	check := &cobra.Command{
		Use:   "check",
		Short: "Check as serve does, and print the effective configuration, secrets masked",
		Long: `check refuses what serve would refuse, and prints the rest: each value with where
it comes from, secrets and passwords masked.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := dir()
			if err != nil {
				return err
			}
			origins, err := Load(cfg, program, d, cmd.Flags(), also...)
			if err != nil {
				return err
			}
			if asJSON {
				return config.PrintJSON(cmd.OutOrStdout(), cfg, origins)
			}
			return config.Print(cmd.OutOrStdout(), cfg, origins)
		},
	}
	check.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	config.Bind(parent.PersistentFlags(), cfg)
	parent.AddCommand(check, &cobra.Command{
		Use:   "path",
		Short: "Print where config.toml is",
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := dir()
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), filepath.Join(d, ConfigFile))
			return err
		},
	})
	return parent
}

func envPrefix(program string) string { return "CULVERT_" + strings.ToUpper(program) + "_" }
