package backendtest_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/culvert-net/culvert/api/backend/backendtest"
)

// TestRandomBody checks that the bodies are requests, and that writing them
// again through Go's own types would be noticed.
func TestRandomBody(t *testing.T) {
	const seed, n = 1, 300
	r := rand.New(rand.NewPCG(seed, seed))
	large, same := 0, 0
	for i := range n {
		body := backendtest.RandomBody(r, "m")
		if !json.Valid(body) {
			t.Fatalf("body %d of seed %d is not JSON: %.300q", i, seed, body)
		}
		if len(body) > 1<<20 {
			large++
		}
		var doc map[string]any
		if json.Unmarshal(body, &doc) != nil {
			continue // a number beyond float64: a forwarder that parses fails
		}
		if again, err := json.Marshal(doc); err == nil && bytes.Equal(again, body) {
			same++
		}
	}
	if large == 0 {
		t.Error("no body of a megabyte")
	}
	if same > n/50 {
		t.Errorf("%d of %d bodies survive a careless forwarder", same, n)
	}
}
