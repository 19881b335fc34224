package tunnel

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/openai"
)

// refusal is a provider's error answer, rebuilt. It is the end of an attempt
// like any other failure, and an answer if no other attempt follows.
type refusal struct {
	api    *openai.Error
	status int         // as the provider sent it
	header http.Header // what backend.ResponseHeader let through
	money  string      // one of the codes about money; "": it is about something else
	again  bool        // another payment may be taken by the same provider
	origin backend.Origin
}

func (r *refusal) Error() string { return "provider answered status " + strconv.Itoa(r.status) }

// elsewhere reports whether another provider may do better.
func (r *refusal) elsewhere() bool {
	return r.status == http.StatusBadGateway || r.status == http.StatusServiceUnavailable || r.money != ""
}

// response is the refusal as an answer.
func (r *refusal) response() *backend.Response {
	resp := backend.ErrorResponse(r.api, r.header)
	resp.Origin = r.origin
	return resp
}

// rebuildError makes an error of ours from an error answer's status, header and
// body. Only an error envelope is read for its words; text of any other shape,
// and half an envelope, counts as none.
func rebuildError(status int, h http.Header, body []byte) *openai.Error {
	var envelope struct {
		Error *struct {
			Message *string `json:"message"`
		} `json:"error"`
	}
	if json.Unmarshal(body, &envelope) != nil || envelope.Error == nil || envelope.Error.Message == nil {
		body = nil
	}
	e := openai.FromUpstream(status, body)
	e.RetryAfter = backend.RetryAfter(h)
	return e
}
