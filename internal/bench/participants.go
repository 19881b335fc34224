package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/sandbox"
	"github.com/culvert-net/culvert/internal/bench/process"
	"github.com/culvert-net/culvert/internal/bench/reference"
	"github.com/culvert-net/culvert/internal/bench/upstream"
)

// Names of the commands that participants are.
const (
	cmdUpstream = "upstream"
	cmdProxy    = "proxy"
	cmdRelay    = "relay"
	cmdWorld    = "world"
)

// participants are the commands that a run starts as processes.
func participants() []*cobra.Command {
	var llama bool
	up := participant(cmdUpstream, "The mock upstream", func(l net.Listener, _ string) error {
		return upstream.New(upstream.Config{Llama: llama}).Serve(l)
	})
	up.Flags().BoolVar(&llama, "llama", false, "behave like llama-server: close connections unsaid, and be slow on kept ones")
	proxy := participant(cmdProxy, "Go's ReverseProxy, in front of --to", func(l net.Listener, to string) error {
		server := &http.Server{
			Handler:           reference.Proxy(&url.URL{Scheme: "http", Host: to}),
			ReadHeaderTimeout: 10 * time.Second,
		}
		return server.Serve(l)
	})
	return []*cobra.Command{up, proxy, participant(cmdRelay, "A TCP relay, to --to", reference.Relay), worldCommand()}
}

// participant is a command that serves a port of its own choice until its
// standard input ends.
func participant(name, short string, serve func(l net.Listener, to string) error) *cobra.Command {
	var to string
	cmd := &cobra.Command{
		Use: name, Short: short, Hidden: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := app.WithParent(cmd.Context(), cmd.InOrStdin())
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			defer context.AfterFunc(ctx, func() { _ = l.Close() })() // what ends, ends
			fmt.Fprintf(cmd.OutOrStdout(), "%s%s\n", process.ReadyLine, l.Addr())
			if err := serve(l, to); err != nil && !errors.Is(err, net.ErrClosed) {
				return fmt.Errorf("%s: %w", name, err)
			}
			return nil
		},
	}
	if name != cmdUpstream {
		cmd.Flags().StringVar(&to, "to", "", "where to, as host:port")
	}
	return cmd
}

// worldCommand is a sandbox that ends when its standard input does.
func worldCommand() *cobra.Command {
	o := sandbox.Defaults()
	cmd := &cobra.Command{
		Use: cmdWorld, Short: "A sandbox", Hidden: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Out, o.Err = cmd.OutOrStdout(), cmd.ErrOrStderr()
			return sandbox.Run(app.WithParent(cmd.Context(), cmd.InOrStdin()), o)
		},
	}
	// A relay for the entry and one for the middle: a path has no choice, and each
	// program its place.
	o.Relays = o.Hops - 1
	o.Listen, o.LogLevel = "127.0.0.1:0", "warn"
	o.Epoch, o.Deposit = worldEpoch, worldDeposit
	f := cmd.Flags()
	f.StringVar(&o.Backend, "backend", "", "model server")
	f.BoolVar(&o.Chain, "chain", false, "paid for")
	f.StringVar(&o.Isolation, "isolation", "", "by what")
	f.StringVar(&o.Dir, "dir", "", "data")
	f.StringVar(&o.Bin, "bin", "", "programs")
	f.BoolVar(&o.Debug, "debug", false, "debug servers")
	f.StringVar(&o.ReadyFile, "ready-file", "", "written when ready")
	return cmd
}

// worldEpoch is longer than a run: the worlds that wait for their turn should
// not be busy with a new directory.
const worldEpoch = 15 * time.Minute

// worldDeposit lasts for a billion words, which no run uses.
const worldDeposit = "1000 eth"
