package terms

import (
	"github.com/culvert-net/culvert/api/openai"
	"github.com/culvert-net/culvert/api/usage"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/channel"
)

const (
	// template is how many tokens a model's chat template, with a system prompt of
	// its own, adds to what was sent.
	template = 1024

	// image is how many tokens a picture in a prompt is at most; what it has in
	// bytes says nothing.
	image = 4096

	// DefaultOutput bounds the answer where neither the body nor the model's context
	// does: money is set aside for all of it.
	DefaultOutput = 16 << 10
)

// Terms is what a request can use at most.
type Terms struct {
	Input  uint64 // tokens of the prompt: a token has at least a byte
	Output uint64 // tokens of all choices that the body allows; 0: it does not say
	Images uint64 // pictures in the prompt
}

// Of reads a body as it travels. view was read from it.
func Of(body []byte, view openai.View) Terms {
	text, images := usage.Size(body)
	return Terms{
		Input:  uint64(text) + template + image*uint64(images),
		Output: uint64(view.Most(body)),
		Images: uint64(images),
	}
}

// Cap is the most tokens of one answer of a model with so large a context, in which
// none was asked for; 0: it is not known how large it is.
func Cap(context int, choices int) uint64 {
	most := uint64(DefaultOutput)
	if context > 0 {
		most = min(most, uint64(context))
	}
	return most * uint64(max(1, choices))
}

// Usage is what was counted of an answer.
func Usage(s usage.Snapshot) ledger.Usage {
	return ledger.Usage{
		Input: count(s.Input), Cached: count(s.Cached), Output: count(s.Output), Reasoning: count(s.Reasoning), Images: count(s.Images),
	}
}

// Delivery is what of an answer arrived since an earlier count.
func Delivery(s usage.Snapshot) channel.Delivery {
	return channel.Delivery{Text: count(s.Text.Content + s.Text.Reasoning), Tools: count(s.Text.Tools), ToolCalls: count(s.Text.Calls)}
}

func count(n int64) uint64 { return uint64(max(0, n)) }
