package market

import (
	"strings"

	"github.com/culvert-net/culvert/ledger"
)

// Words that begin the lines of a provider's descriptor; what belongs to each
// follows behind a colon. Lines of other words are for others.
//
// docs/spec/market.md §1.
const (
	wordNode     = "node"     // transport key of a node, hexadecimal
	wordEndpoint = "endpoint" // where a node is, as multiaddr
	wordModel    = "model"
	wordSheet    = "sheet" // hash of a price sheet, hexadecimal
)

// maxDescriptor is the contract's.
const maxDescriptor = 4096

// Described is what a provider says of itself in the contract.
type Described struct {
	Nodes     []string // lines as pricing.NodeLine makes them
	Endpoints []string
	Models    []string
	Sheets    []string
}

// Descriptor is the text. Models that have no room are left out: the directory has
// them all, and prices are by its sheets.
func (d Described) Descriptor() []byte {
	var b []byte
	add := func(line string) {
		if len(b)+len(line)+1 <= maxDescriptor && !strings.ContainsAny(line, "\r\n") {
			b = append(append(b, line...), '\n')
		}
	}
	for _, line := range d.Nodes {
		add(line)
	}
	for _, part := range []struct {
		word string
		all  []string
	}{{wordSheet, d.Sheets}, {wordEndpoint, d.Endpoints}, {wordModel, d.Models}} {
		for _, text := range part.all {
			add(part.word + ":" + text)
		}
	}
	return b
}

// listing is what the contract says of a provider.
func listing(p ledger.Provider) Listing {
	l := Listing{Provider: p.Address, Price: p.Price, Bond: p.Bond, Until: p.BondUntil}
	for line := range strings.Lines(string(p.Descriptor)) {
		word, text, ok := strings.Cut(strings.TrimRight(line, "\r\n"), ":")
		if !ok || text == "" || !printable(text) {
			continue
		}
		switch word {
		case wordNode:
			l.Nodes = append(l.Nodes, text)
		case wordEndpoint:
			l.At = append(l.At, text)
		case wordModel:
			l.Models = append(l.Models, ListedModel{Model: text})
		}
	}
	return l
}

// printable reports whether a text of a stranger can be shown at a terminal.
func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}
