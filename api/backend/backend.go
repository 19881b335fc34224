// Package backend is the one thing everything that can answer a request has
// in common: a model server next door, a hosted API, the demo model, or the
// whole mesh behind a circuit. The local API makes exactly one Do call per
// request, and so does a provider's end of a tunnel; that is why a provider
// tests its GPU without the mesh and one conformance suite (backendtest)
// covers both programs.
//
// A Backend knows nothing of HTTP servers, listeners, circuits or money; what a
// request has cost passes through as a Receipt. All methods may be called
// concurrently.
package backend

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/culvert-net/culvert/api/openai"
)

// Backend answers requests of the route table.
type Backend interface {
	// Do sends one request and returns as soon as the status is known; the
	// answer's bytes are then read from Response.Body. Do never retries once a
	// byte of an answer was handed on. Cancelling ctx stops the work at the far
	// end, in every phase. Errors that carry a status for the client are
	// *openai.Error; ctx's own error is returned unchanged.
	Do(ctx context.Context, req *Request) (*Response, error)

	// Models lists what Do accepts as a model, sorted by ID, with aliases. It answers from
	// what is known already or asks the far end, within ctx.
	Models(ctx context.Context) ([]Model, error)
}

// Request is one call. Whoever makes it owns Body and keeps it unchanged
// until Response.Body is closed.
type Request struct {
	ID     string      // request id, for local logs only; never leaves the machine
	Method string      // of the route table
	Path   string      // of the route table, e.g. /v1/chat/completions, without query
	Header http.Header // as the client sent it; each Backend applies its own allow list
	Body   []byte      // exactly the bytes the client sent
	View   openai.View // what was read from Body
	Group  Group       // what a provider may link this request with
	Purse  Purse       // what it may cost; nil: whatever it does

	// Account is the id of the API key that the request came with, "" without one:
	// a purse may be that key's alone. It never leaves the machine.
	Account string
}

// Group is an isolation group: requests of one may share a circuit, requests
// of two never do. It is a keyed hash, good for one start of the program; it
// means nothing elsewhere and never leaves the machine.
type Group [32]byte

// Response is the far end's answer.
type Response struct {
	Status int
	Header http.Header // only Content-Type, Retry-After and numeric x-ratelimit-*

	// Body yields the answer. io.EOF means complete; any other error means the
	// answer was cut. Closing before the end cancels the work. Never nil.
	Body io.ReadCloser

	Origin Origin

	// Settled is what the answer has cost, once Body has returned io.EOF; false:
	// it is not known yet, and Request.Purse will be told. Nil: it is free.
	Settled func() (Receipt, bool)
}

// Origin says where an answer came from, in names that mean something on
// this machine only.
type Origin struct {
	Provider string // local alias; "" in local mode
	Circuit  string // opaque circuit id; "" in local mode
}

// Model is one row of /v1/models.
type Model struct {
	ID      string
	Alias   string // another name under which Do takes it; "" if it has none
	OwnedBy string // "culvert" for the mesh, else what the server said
	Created int64  // unix seconds; 0 if unknown

	Context   int                 // tokens of a prompt and its answer; 0 if unknown
	Able      []openai.Capability // what it can do; nil if unknown
	Providers int                 // who serve it; 0 in local mode
	Price     *Price              // of who asks least; nil: somebody serves it free, or nobody says
}

// Price is what a model costs, for people and their programs. The amounts are in
// decimal, as whoever counts money here writes them.
type Price struct {
	Currency string // what amounts count, such as wei
	Input    string // per million tokens, like the next three
	Cached   string
	Output   string
	Reason   string // of tokens thought and not delivered
	Image    string // per million images
	Minimum  string // of one request
	Text     string // input and output for a person
}

// latest is what Ollama adds to a name that has no tag.
const latest = ":latest"

// AliasOf is the other name of a model: Ollama takes its names without :latest
// too, and people leave it out. "" if id has none.
func AliasOf(id string) string {
	short, tagged := strings.CutSuffix(id, latest)
	if !tagged || short == "" || strings.HasSuffix(short, "/") || strings.Contains(short[strings.LastIndexByte(short, '/')+1:], ":") {
		return ""
	}
	return short
}

// LongName is the ID whose alias name is; "" if it is none's.
func LongName(name string) string {
	if AliasOf(name+latest) != name {
		return ""
	}
	return name + latest
}

// SetAliases sets the Alias of each model of a list that is sorted by ID, unless
// another one has it for its ID.
func SetAliases(list []Model) {
	for i := range list {
		alias := AliasOf(list[i].ID)
		if _, taken := slices.BinarySearchFunc(list, alias, byID); !taken {
			list[i].Alias = alias
		}
	}
}

// FindModel finds a model by its ID, else by its alias, in a list that is sorted
// by ID.
func FindModel(list []Model, name string) (Model, bool) {
	if i, ok := slices.BinarySearchFunc(list, name, byID); ok {
		return list[i], true
	}
	if i, ok := slices.BinarySearchFunc(list, LongName(name), byID); ok && list[i].Alias == name {
		return list[i], true
	}
	return Model{}, false
}

func byID(m Model, id string) int { return strings.Compare(m.ID, id) }
