package e2e

import (
	"net/http"
	"testing"

	"github.com/culvert-net/culvert/api/backend/backendtest"
	"github.com/culvert-net/culvert/internal/openapi"
)

// measured is a client whose every answer is measured by OpenAI's description:
// all that the programs write themselves, and what the model server at upstream
// sent if that kept to it. The demonstration model always does.
func measured(t *testing.T, upstream string) *http.Client {
	t.Helper()
	if upstream == "mock" {
		return strict(t, nil)
	}
	return strict(t, func() bool { return backendtest.Foreign(upstream) })
}

// strict is a client whose answers keep to the description whoever made them,
// but for those that are foreign.
func strict(t *testing.T, foreign func() bool) *http.Client {
	t.Helper()
	d, err := openapi.Published()
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Transport: &openapi.Transport{
		Description: d, Report: func(err error) { t.Error(err) }, Foreign: foreign,
	}}
}
