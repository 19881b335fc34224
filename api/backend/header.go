package backend

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/culvert-net/culvert/api/openai"
)

// Content types that requests and answers may have. They are sent in this
// form whatever parameters came with them.
const (
	ContentJSON   = "application/json"
	ContentStream = "text/event-stream"
)

// rateLimits are the only x-ratelimit headers passed on. The list is closed,
// so that a provider cannot mark a client with a header of its own.
var rateLimits = []string{
	"X-Ratelimit-Limit-Requests", "X-Ratelimit-Limit-Tokens",
	"X-Ratelimit-Remaining-Requests", "X-Ratelimit-Remaining-Tokens",
	"X-Ratelimit-Reset-Requests", "X-Ratelimit-Reset-Tokens",
}

// RequestHeader is everything of a request's header that may go to a far end:
// what the body is and what is wanted, both normalised. Whatever else the
// client sent (its name, its keys, its cookies, its library) stays here.
func RequestHeader(req *Request) http.Header {
	h := http.Header{"Accept": {ContentJSON}}
	if req.View.Stream {
		h.Set("Accept", ContentStream)
	}
	if req.Body != nil {
		h.Set("Content-Type", ContentJSON)
	}
	return h
}

// ResponseHeader is everything of an answer's header that may reach a client:
// Content-Type without parameters, Retry-After in seconds, and numeric
// x-ratelimit headers. An answer that is neither JSON nor an event stream has
// no Content-Type afterwards, and must not be passed on.
func ResponseHeader(from http.Header) http.Header {
	h := http.Header{}
	if t := ContentType(from); t != "" {
		h.Set("Content-Type", t)
	}
	if d := RetryAfter(from); d > 0 {
		h.Set("Retry-After", openai.Seconds(d))
	}
	for _, name := range rateLimits {
		if v := from.Get(name); number(v) {
			h.Set(name, v)
		}
	}
	return h
}

// ContentType is ContentJSON, ContentStream, or "" for any other.
func ContentType(h http.Header) string {
	t := h.Get("Content-Type")
	if t == ContentJSON || t == ContentStream {
		return t // as nearly always: parsing costs an allocation and more
	}
	// A parameter that does not parse leaves the type itself readable.
	t, _, _ = mime.ParseMediaType(t)
	if t == ContentJSON || t == ContentStream {
		return t
	}
	return ""
}

// RetryAfter is the wait that h asks for, 0 if it names none that makes sense.
func RetryAfter(h http.Header) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if v == "" {
		return 0
	}
	if seconds, err := strconv.ParseUint(v, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, maxRetryAfter)
	}
	if at, err := http.ParseTime(v); err == nil {
		return max(0, min(time.Until(at), maxRetryAfter))
	}
	return 0
}

// number reports whether v is digits with at most one point between them.
func number(v string) bool {
	if v == "" || len(v) > maxHeaderValue {
		return false
	}
	whole, part, point := strings.Cut(v, ".")
	return digits(whole) && (!point || digits(part))
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
