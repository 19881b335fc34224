package openai

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Error is an answer other than success, in the shape OpenAI's clients parse:
//
//	{"error":{"message":…,"type":…,"param":…,"code":…}}
//
// It is a Go error, an HTTP status and a JSON document at once. Message is
// written for the person at the client and says what to do next; it never
// holds a prompt, a key, a path of this machine or an upstream's own words
// that were not checked.
type Error struct {
	Status     int           // HTTP status sent to the client
	Type       string        // e.g. "invalid_request_error"
	Code       string        // e.g. "model_not_found"; "" is sent as null
	Param      string        // offending field; "" is sent as null
	Message    string        // one sentence for a person
	RetryAfter time.Duration // > 0 sends Retry-After, in whole seconds, rounded up

	// Cause is the local detail: for this machine's log, never for the client.
	// It is not unwrapped, for a context that ended inside a Backend is not
	// the caller's context ending.
	Cause error
}

// Error types of OpenAI's published errors, and the two of ours.
const (
	TypeInvalidRequest = "invalid_request_error"
	TypeAuthentication = "authentication_error"
	TypePermission     = "permission_error"
	TypeNotFound       = "not_found_error"
	TypeRateLimit      = "rate_limit_error"
	TypeServer         = "server_error"   // our side could not
	TypeUpstream       = "upstream_error" // the provider or backend could not
)

// CodeQuota is the code, and the type, of an account that is empty.
const CodeQuota = "insufficient_quota"

// Invalid is a 400 that names the offending parameter.
func Invalid(param, message string) *Error {
	return &Error{Status: http.StatusBadRequest, Type: TypeInvalidRequest, Param: param, Message: message}
}

// Unavailable is a 503 that passes by itself; after says when to ask again.
func Unavailable(code, message string, after time.Duration) *Error {
	return &Error{
		Status: http.StatusServiceUnavailable, Type: TypeServer,
		Code: code, Message: message, RetryAfter: after,
	}
}

// Upstream is a failure of the far end: 502 or 504.
func Upstream(status int, code, message string) *Error {
	return &Error{Status: status, Type: TypeUpstream, Code: code, Message: message}
}

// Quota is for a request that there is no money for. OpenAI's clients know the code,
// and do not ask again by themselves.
func Quota(message string) *Error {
	return &Error{Status: http.StatusTooManyRequests, Type: CodeQuota, Code: CodeQuota, Message: message}
}

// ModelNotFound is the 404 for a model nobody here or in the world serves.
func ModelNotFound(model, hint string) *Error {
	return &Error{
		Status: http.StatusNotFound, Type: TypeInvalidRequest, Code: "model_not_found", Param: "model",
		Message: "the model " + strconv.Quote(clip(model, maxModelName)) + " does not exist here; " + hint,
	}
}

// NotAble is the 400 for a model that exists, but not for this route.
func NotAble(model string, needs Capability) *Error {
	return &Error{
		Status: http.StatusBadRequest, Type: TypeInvalidRequest, Code: "capability_missing", Param: "model",
		Message: "nobody here offers " + string(needs) + " with the model " + strconv.Quote(clip(model, maxModelName)) +
			"; GET /v1/models lists the capabilities of each",
	}
}

// Error leaves Message out: an upstream's words may quote the prompt, and what
// is a Go error ends up in logs.
func (e *Error) Error() string {
	return strings.TrimSpace(fmt.Sprintf("%d %s %s", e.Status, e.Type, e.Code))
}

// JSON is the error envelope, without a trailing newline.
func (e *Error) JSON() []byte {
	type body struct {
		Message string  `json:"message"`
		Type    string  `json:"type"`
		Param   *string `json:"param"`
		Code    *string `json:"code"`
	}
	null := func(s string) *string {
		if s == "" {
			return nil
		}
		return &s
	}
	b, err := json.Marshal(struct {
		Error body `json:"error"`
	}{body{e.Message, e.Type, null(e.Param), null(e.Code)}})
	if err != nil {
		panic("openai: strings always marshal: " + err.Error())
	}
	return b
}

// Write sends e as the whole answer. Nothing may have been written before.
func (e *Error) Write(w http.ResponseWriter) {
	b := append(e.JSON(), '\n')
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(b)))
	if e.RetryAfter > 0 {
		h.Set("Retry-After", Seconds(e.RetryAfter))
	}
	w.WriteHeader(e.Status)
	// The client may be gone; there is nobody left to tell.
	_, _ = w.Write(b)
}

// Seconds is d as the value of a Retry-After header.
func Seconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}
