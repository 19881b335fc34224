package devchain

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"github.com/ethereum/go-ethereum/log"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/devchain/ready"
	"github.com/culvert-net/culvert/internal/serve"
	"github.com/culvert-net/culvert/internal/telemetry"
)

// ServeOptions is what the program runs on.
type ServeOptions struct {
	Data      string    // data directory
	Config    *Config   // loaded and checked
	ReadyFile string    // written once the chain answers; "" is none
	Out       io.Writer // what is on the chain
	Err       io.Writer // the log
}

// Serve runs the chain of a data directory until ctx ends.
func Serve(ctx context.Context, o ServeOptions) (err error) {
	logs, err := app.NewLog(o.Err, program, o.Config.Log)
	if err != nil {
		return err
	}
	log.SetDefault(log.NewLogger(quieter{logs.Handler()}))
	data, err := app.WaitData(ctx, o.Data, program)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, data.Close()) }()
	pages, err := app.BindPages(data, app.StatusConfig{}, o.Config.Debug)
	if err != nil {
		return err
	}
	defer pages.Close()
	began := time.Now()
	c, err := Start(ctx, Options{Data: data.Dir, Port: o.Config.Chain.Port, Period: o.Config.Chain.Period, Log: logs})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	file := c.Ready()
	if o.ReadyFile != "" {
		if err := ready.Write(o.ReadyFile, &file); err != nil {
			return err
		}
	}
	if err := introduce(o.Out, &file); err != nil {
		return err
	}
	head, _ := c.Head()
	logs.Info("devchain is serving", "rpc", file.RPC, "head", head, "took", time.Since(began).Round(time.Millisecond).String(), "version", app.Version())
	status := func() any { return c.status(began.UTC()) }
	admin := serve.Status(func() error { return nil }, status, telemetry.New(program, app.Version()).Handler())
	parts := append(pages.Parts(admin, &serve.Server{Handler: admin}, logs), app.Part{Name: "chain", Run: func(ctx context.Context) error {
		select {
		case err := <-c.Failed():
			return err
		case <-ctx.Done():
			return c.Close()
		}
	}})
	return app.RunParts(ctx, parts...)
}

// quieter is the log for go-ethereum, which speaks to who runs a node of a real
// chain.
type quieter struct{ slog.Handler }

// Enabled implements slog.Handler.
func (h quieter) Enabled(ctx context.Context, l slog.Level) bool {
	return h.Handler.Enabled(ctx, lower(l))
}

// Handle implements slog.Handler.
func (h quieter) Handle(ctx context.Context, r slog.Record) error {
	r.Level = lower(r.Level)
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h quieter) WithAttrs(attrs []slog.Attr) slog.Handler {
	return quieter{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h quieter) WithGroup(name string) slog.Handler { return quieter{h.Handler.WithGroup(name)} }

// lower makes its info our debug, and its warnings, of which a new chain gives some,
// our info.
func lower(l slog.Level) slog.Level {
	switch l {
	case slog.LevelInfo:
		return slog.LevelDebug
	case slog.LevelWarn:
		return slog.LevelInfo
	}
	return l
}
