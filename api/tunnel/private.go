package tunnel

import (
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/openai"
)

// private is a backend whose errors about its provider's own key or account say
// no more than that.
type private struct{ backend.Backend }

// Do implements backend.Backend.
func (p private) Do(ctx context.Context, req *backend.Request) (*backend.Response, error) {
	resp, err := p.Backend.Do(ctx, req)
	if e, ok := errors.AsType[*openai.Error](err); ok && ownAffair(e) {
		return nil, errBackendRefused()
	}
	if err != nil || resp.Status == http.StatusOK {
		return resp, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, openai.MaxErrorBody+1))
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		text = nil // half an error is not worth another: its status says enough
	}
	e := rebuildError(resp.Status, resp.Header, text)
	if ownAffair(e) {
		return nil, errBackendRefused()
	}
	return backend.ErrorResponse(e, resp.Header), nil
}

// ownAffair reports whether a backend's error is between it and this provider:
// it speaks of our key or our account, not of the client's, and quotes it.
func ownAffair(e *openai.Error) bool {
	switch e.Status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired:
		return true
	}
	return e.Code == openai.CodeQuota
}

func errBackendRefused() *openai.Error {
	return openai.Upstream(http.StatusBadGateway, "backend_refused",
		"the provider's model server does not take the provider's requests; another provider may answer")
}
