package openai

const (
	// maxFields bounds the top-level members of a request. OpenAI's chat has
	// forty; a View keeps an offset for each, so a body of nothing but members
	// must not cost many times its size.
	maxFields = 1024

	// maxInputs is how many texts OpenAI embeds in one request; each costs work
	// of its own, so one request must not hold an unbounded number.
	maxInputs = 2048

	// maxTracked bounds the choices of an answer, and the tool calls of one, that
	// are remembered to repair what follows. Real answers have a handful.
	maxTracked = 256

	// maxModelName bounds a model's name, which ends up in messages, routing
	// tables and metrics. The longest real ones (repository, file and
	// quantisation) stay below 200 bytes.
	maxModelName = 256

	// maxFieldName is the longest member name that is decoded. No field of any
	// rule is as long; a longer one is forwarded without being looked at.
	maxFieldName = 64

	// maxErrorMessage bounds what is passed on of another server's words:
	// enough for a schema violation with its path, too little for a page.
	maxErrorMessage = 1000

	// maxErrorWord bounds type, code and param of another server's error,
	// which are identifiers.
	maxErrorWord = 128

	// maxBound is the largest number by which a body bounds its answer, or has it
	// written several times: their product is a number still.
	maxBound = 1 << 31

	// MaxErrorBody is how much of an error answer is worth reading before it
	// is put in our shape.
	MaxErrorBody = 64 << 10
)
