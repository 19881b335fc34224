package gateway

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/selling"
	"github.com/culvert-net/culvert/ledger"
)

func priceCommand(data func() (string, error)) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "price",
		Short: "Show and set what models cost",
		Long: `What this gateway serves is free until a price is set, or it registers in the market:
from then on nothing is free unless gateway price free says so, so that a lost file
gives nothing away. Prices are per million
tokens, for a model by its name or by default for all others, in the currency of the
world's contract: 0.2 gwei, 1 eth, or a number of wei.

A running gateway sees a change within seconds and signs a new price sheet. It holds
three epochs later, when everybody has it; until then, and for who has not, the one
before does.`,
	}
	cmd.AddCommand(priceShowCommand(data), priceSetCommand(data), priceFreeCommand(data))
	return cmd
}

// priceFile is where the prices of a data directory are.
func priceFile(data func() (string, error)) (string, error) {
	dir, err := data()
	if err != nil {
		return "", err
	}
	cfg := Defaults()
	if _, err := app.Load(cfg, program, dir, nil); err != nil {
		return "", err
	}
	return cfg.Price.path(dir), nil
}

func priceShowCommand(data func() (string, error)) *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Show what models cost",
		Example: `  gateway price show
  gateway price show --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			path, err := priceFile(data)
			if err != nil {
				return err
			}
			l, err := selling.ReadList(path)
			if err != nil {
				return app.Configured(err)
			}
			if asJSON {
				return app.PrintJSON(cmd.OutOrStdout(), priceRows(l))
			}
			return printPrices(cmd.OutOrStdout(), l)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, amounts in wei")
	return cmd
}

// byDefault stands for all models that are not named.
const byDefault = "*"

// priceRow is the price of a model, or of all others.
type priceRow struct {
	Model     string        `json:"model"` // byDefault for all others
	Input     ledger.Amount `json:"input"`
	Cached    ledger.Amount `json:"cached_input"`
	Output    ledger.Amount `json:"output"`
	Reasoning ledger.Amount `json:"reasoning"`
	Image     ledger.Amount `json:"image"`
	Minimum   ledger.Amount `json:"minimum"`
}

func priceRows(l selling.List) []priceRow {
	rows := []priceRow{}
	names := slices.Sorted(maps.Keys(l.Models))
	if l.Default != nil {
		names = append(names, byDefault)
	}
	for _, name := range names {
		p, _ := l.Of(name) // each has one
		rows = append(rows, priceRow{name, p.Input, p.Cached, p.Output, p.Reasoning, p.Image, p.Minimum})
	}
	return rows
}

func printPrices(out io.Writer, l selling.List) error {
	rows := priceRows(l)
	if l.Free {
		_, err := io.WriteString(out, "Everything is free, as you have said. Set a price with: gateway price set --input \"0.2 gwei\" --output \"0.8 gwei\"\n")
		return err
	}
	if len(rows) == 0 {
		_, err := io.WriteString(out, "No price is set: everything is free, unless this provider is in the market, which then serves nothing. Set one with: gateway price set --input \"0.2 gwei\" --output \"0.8 gwei\"\n")
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "MODEL\tINPUT\tCACHED\tOUTPUT\tREASONING\tIMAGE\tMINIMUM")
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Model, r.Input.Format(), r.Cached.Format(), r.Output.Format(), r.Reasoning.Format(), r.Image.Format(), r.Minimum.Format())
	}
	fmt.Fprintln(w, "per million tokens or images; MINIMUM per request; * is every other model")
	return w.Flush()
}

func priceSetCommand(data func() (string, error)) *cobra.Command {
	remove := false
	parts := make(map[string]*string)
	cmd := &cobra.Command{
		Use:   "set [MODEL]",
		Short: "Set what a model costs, or by default all others",
		Long: `set writes prices.toml, which a running gateway sees within seconds. What is not
given stays as it was; of a model without a price, cached input costs as input, and
reasoning that is not delivered, images and the minimum nothing.`,
		Example: `  # Everything at one price.
  gateway price set --input "0.2 gwei" --output "0.8 gwei"

  # One model at another.
  gateway price set llama3.3:70b --input "1 gwei" --cached "0.1 gwei" --output "4 gwei"

  # One model by the default price again; without MODEL, no default any more.
  gateway price set llama3.3:70b --remove`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := priceFile(data)
			if err != nil {
				return err
			}
			l, err := selling.ReadList(path)
			if err != nil {
				return app.Configured(err)
			}
			model := byDefault
			if len(args) == 1 {
				model = args[0]
			}
			given := make(map[string]string)
			for name, text := range parts {
				if cmd.Flags().Changed(name) {
					given[name] = *text
				}
			}
			if err := setPrice(&l, model, given, remove); err != nil {
				return app.Usage(err)
			}
			if err := l.Check(); err != nil {
				return app.Usage(err)
			}
			if err := l.Write(path); err != nil {
				return err
			}
			return printPrices(cmd.OutOrStdout(), l)
		},
	}
	for _, part := range (&selling.Price{}).Parts() {
		parts[part.Name] = cmd.Flags().String(part.Name, "", partHelp(part.Name))
	}
	cmd.Flags().BoolVar(&remove, "remove", false, "no price of its own any more")
	return cmd
}

func priceFreeCommand(data func() (string, error)) *cobra.Command {
	return &cobra.Command{
		Use:   "free",
		Short: "Ask for nothing: remove all prices",
		Long: `free removes all prices, and says in prices.toml that this is meant: a provider of the
market without a price serves nothing otherwise. Who has bought gets answers for
nothing then; who is to sell no more runs gateway exit as well.`,
		Example: `  gateway price free`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			path, err := priceFile(data)
			if err != nil {
				return err
			}
			l := selling.List{Free: true}
			if err := l.Write(path); err != nil {
				return err
			}
			return printPrices(cmd.OutOrStdout(), l)
		},
	}
}

// partHelp says what a part of a price is of.
func partHelp(name string) string {
	switch name {
	case "cached":
		return "per million tokens of the prompt that were in a cache"
	case "output":
		return "per million tokens of the answer"
	case "reasoning":
		return "per million tokens thought and not delivered"
	case "image":
		return "per million images"
	case "minimum":
		return "of one request"
	}
	return "per million tokens of the prompt"
}

// setPrice changes the price of a model, or of all others, in the parts given.
func setPrice(l *selling.List, model string, given map[string]string, remove bool) error {
	var p selling.Price
	has := false
	if model == byDefault {
		if has = l.Default != nil; has {
			p = *l.Default
		}
	} else {
		p, has = l.Models[model]
	}
	switch {
	case remove && len(given) > 0:
		return errors.New("either --remove or a price")
	case remove && !has:
		return fmt.Errorf("%s has no price of its own; gateway price show lists those that do", model)
	case remove && model == byDefault:
		l.Default = nil
		return nil
	case remove:
		delete(l.Models, model)
		return nil
	case len(given) == 0:
		return errors.New("no price is given; for example: --input \"0.2 gwei\" --output \"0.8 gwei\"")
	}
	for _, part := range p.Parts() {
		text, ok := given[part.Name]
		if !ok {
			continue
		}
		a, err := ledger.ParseAmount(text)
		if err != nil {
			return fmt.Errorf("--%s: %w", part.Name, err)
		}
		*part.Amount = &a
	}
	l.Free = false
	if model == byDefault {
		l.Default = &p
		return nil
	}
	if l.Models == nil {
		l.Models = make(map[string]selling.Price)
	}
	l.Models[model] = p
	return nil
}
