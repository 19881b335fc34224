package openai

// Capability names what a model's server must be able to do for a request. It
// is a word of a provider's descriptor (docs/spec/directory.md §1).
type Capability string

// The capabilities that routes need.
const (
	Chat        Capability = "chat"
	Completions Capability = "completions"
	Embeddings  Capability = "embeddings"
)

// Route is one row of the table of routes that lead to a model. All of them
// take POST.
type Route struct {
	Path  string     // compared whole; there are no patterns and no queries
	Needs Capability // what the model must be able to do

	// Parse reads a body of this route.
	Parse func(body []byte) (View, *Error)

	// Chunk is the object that a stream of this route consists of; "" if it
	// has none.
	Chunk string
}

// Routes is the whole table: the local API, both ends of a tunnel and the
// demonstration model serve these and no others.
var Routes = []Route{
	{"/v1/chat/completions", Chat, ParseChat, "chat.completion.chunk"},
	{"/v1/completions", Completions, ParseCompletion, "text_completion"},
	{"/v1/embeddings", Embeddings, ParseEmbedding, ""},
}

// RouteOf finds the row of a path.
func RouteOf(path string) (Route, bool) {
	for _, r := range Routes {
		if r.Path == path {
			return r, true
		}
	}
	return Route{}, false
}
