package openai

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/culvert-net/culvert/api/backend"
	wire "github.com/culvert-net/culvert/api/openai"
)

// modelCache is the last list of models. Whoever holds the turn owns the rest.
type modelCache struct {
	turn  chan struct{} // holds one token while somebody looks or asks
	list  []backend.Model
	until time.Time

	last atomic.Pointer[[]backend.Model] // the same list, for those who have no turn
}

// peek is the last list, however old; nil if there was none.
func (c *modelCache) peek() []backend.Model {
	if list := c.last.Load(); list != nil {
		return *list
	}
	return nil
}

// Models implements backend.Backend. Callers that come while the server is
// being asked wait for that answer instead of asking too.
func (c *Client) Models(ctx context.Context) ([]backend.Model, error) {
	select {
	case c.models.turn <- struct{}{}:
		defer func() { <-c.models.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if time.Now().Before(c.models.until) {
		return slices.Clone(c.models.list), nil
	}
	list, err := c.askModels(ctx)
	if err != nil {
		return nil, err
	}
	c.models.list, c.models.until = list, time.Now().Add(modelsFresh)
	c.models.last.Store(&list)
	return slices.Clone(list), nil
}

func (c *Client) askModels(ctx context.Context) ([]backend.Model, error) {
	resp, err := c.send(ctx, http.MethodGet, c.root+"/models", http.Header{"Accept": {backend.ContentJSON}}, nil)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.Status != http.StatusOK {
		return nil, backend.ReadError(resp)
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxModelList))
	if err != nil {
		return nil, fmt.Errorf("reading the list of models: %w", err)
	}
	list, err := parseModels(text)
	if err != nil {
		e := wire.Upstream(http.StatusBadGateway, "bad_model_list", "the model server's list of models cannot be read")
		e.Cause = err
		return nil, e
	}
	return list, nil
}

var errNoList = errors.New("not a list of models")

// parseModels reads a list of models, sorted by id. Entries whose id nobody
// could ask for are left out.
func parseModels(text []byte) ([]backend.Model, error) {
	var doc struct {
		Data *[]struct {
			ID      string      `json:"id"`
			OwnedBy string      `json:"owned_by"`
			Created json.Number `json:"created"`
			Context json.Number `json:"max_model_len"` // vLLM
		} `json:"data"`
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("parsing the list of models: %w", err)
	}
	if doc.Data == nil {
		return nil, errNoList
	}
	data := *doc.Data
	list := make([]backend.Model, 0, min(len(data), maxModels))
	for _, m := range data {
		if len(list) == maxModels {
			break
		}
		if !shown(m.ID, maxModelID) {
			continue
		}
		if !shown(m.OwnedBy, maxOwner) {
			m.OwnedBy = ""
		}
		created, _ := m.Created.Int64() // absent or odd: unknown
		context, _ := m.Context.Int64()
		list = append(list, backend.Model{
			ID: m.ID, OwnedBy: m.OwnedBy, Created: max(0, created), Context: int(min(max(0, context), math.MaxInt32)),
		})
	}
	slices.SortStableFunc(list, func(a, b backend.Model) int { return strings.Compare(a.ID, b.ID) })
	list = slices.CompactFunc(list, func(a, b backend.Model) bool { return a.ID == b.ID })
	backend.SetAliases(list)
	return list, nil
}

// shown reports whether a name is short, printable and not empty.
func shown(s string, most int) bool {
	return s != "" && len(s) <= most && !strings.ContainsFunc(s, func(r rune) bool {
		return r == unicode.ReplacementChar || !unicode.IsPrint(r)
	})
}
