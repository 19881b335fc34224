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
)

// DebugConfig is the [debug] section of every program.
type DebugConfig struct {
	Listen string `toml:"listen" flag:"debug" doc:"Address of the profiler (pprof), on loopback; empty switches it off."`
}

// Load completes cfg from the data directory's config.toml, the environment
// and flags. What is wrong with any of them is a mistake of configuration.
func Load(cfg any, program, dir string, flags *pflag.FlagSet) (config.Origins, error) {
	origins, err := config.Load(cfg, config.Options{
		Program: program, File: filepath.Join(dir, ConfigFile), Environ: os.Environ(), Flags: flags,
	})
	if err != nil && Code(err) == ExitFailed {
		return nil, Usage(err)
	}
	return origins, err
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
	if err := config.Template(&text, cfg); err != nil {
		return fmt.Errorf("writing the configuration: %w", err)
	}
	if err := files.Write(filepath.Join(dir, ConfigFile), []byte(uncomment(text.String(), set)), files.Private); err != nil {
		return fmt.Errorf("writing the configuration: %w", err)
	}
	return nil
}

// uncomment sets keys of a template.
func uncomment(template string, set []string) string {
	wanted := make(map[string]bool, len(set))
	for _, key := range set {
		wanted[key] = true
	}
	section := ""
	lines := strings.SplitAfter(template, "\n")
	for i, l := range lines {
		if name, ok := strings.CutPrefix(l, "["); ok {
			section = strings.TrimSuffix(strings.TrimSpace(name), "]") + "."
			continue
		}
		name, _, found := strings.Cut(strings.TrimPrefix(l, "# "), " = ")
		if found && strings.HasPrefix(l, "# ") && wanted[section+name] {
			lines[i] = strings.TrimPrefix(l, "# ")
			delete(wanted, section+name)
		}
	}
	if len(wanted) > 0 {
		panic(fmt.Sprintf("app: configuration keys %v do not exist", set))
	}
	return strings.Join(lines, "")
}

// ConfigCommand is `config check` and `config path`. cfg makes the defaults,
// dir finds the data directory; cfg's flags are bound already.
func ConfigCommand(program string, cfg any, dir func() (string, error)) *cobra.Command {
	parent := &cobra.Command{
		Use:   "config",
		Short: "Show what the program is told, and where",
		Long: "Values come from flags, then environment variables (" + envPrefix(program) + "<SECTION>_<KEY>),\n" +
			"then config.toml, then defaults. An unknown key is an error.",
		Args: cobra.NoArgs,
	}
	parent.AddCommand(&cobra.Command{
		Use:   "check",
		Short: "Print the effective configuration, secrets masked, each value with its origin",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := dir()
			if err != nil {
				return err
			}
			origins, err := Load(cfg, program, d, cmd.Flags())
			if err != nil {
				return err
			}
			return config.Print(cmd.OutOrStdout(), cfg, origins)
		},
	}, &cobra.Command{
		Use:   "path",
		Short: "Print where config.toml is",
		Args:  cobra.NoArgs,
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
