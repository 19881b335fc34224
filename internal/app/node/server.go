package node

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/culvert-net/culvert/api/backend/openai"
	wire "github.com/culvert-net/culvert/api/openai"
)

// CheckURL refuses what cannot be the base URL of a model server. It asks
// nobody. Errors do not repeat a URL that may hold a password.
func CheckURL(url string) error {
	_, err := openai.New(openai.Config{BaseURL: url})
	if err == nil || strings.Contains(url, "://") {
		return err
	}
	if _, e := openai.New(openai.Config{BaseURL: "http://" + url}); e == nil {
		return fmt.Errorf("a base URL begins with http:// or https://; write http://%s", url)
	}
	return err
}

// WhyNoModels says in words why a model server did not list its models. The
// server's own words are not among them: they may quote a key.
func WhyNoModels(err error) string {
	var e *wire.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "it does not answer in time"
	case !errors.As(err, &e):
		return err.Error()
	case e.Code == "upstream_unreachable":
		return "it cannot be reached or closes the connection (is it running?)"
	case e.Status == http.StatusUnauthorized, e.Status == http.StatusForbidden:
		return fmt.Sprintf("it wants another API key than it got (status %d)", e.Status)
	case e.Status == http.StatusNotFound, e.Code == "unexpected_content_type", e.Code == "bad_model_list", e.Code == "unexpected_status":
		return "it does not answer like a model server (is the address that of an OpenAI-compatible API?)"
	}
	return fmt.Sprintf("it answers with status %d", e.Status)
}
