// Package cases is what the clients in Go have in common: where to go, what to
// ask for, and how to say what became of it.
//
// A client calls Run with a function for each case of the list in
// internal/e2e/clients/cases_test.go, or the reason why it has no such thing.
package cases

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"reflect"
	"strings"
	"time"
)

// longest is how long one case may take: far more than it does on a machine with
// nothing else to do.
const longest = time.Minute

// Target is where the requests go.
type Target struct {
	BaseURL, Model string
	Good           string // a key that may do everything
	Narrow         string // one for another model
	Spent          string // one whose only request is used up
	Wrong          string // none
}

// Env is the target that the test has set.
func Env() Target {
	return Target{
		BaseURL: os.Getenv("CULVERT_BASE_URL"), Model: os.Getenv("CULVERT_MODEL"),
		Good: os.Getenv("CULVERT_KEY"), Narrow: os.Getenv("CULVERT_KEY_NARROW"), Spent: os.Getenv("CULVERT_KEY_SPENT"),
		Wrong: "sk-culvert-of-nobody",
	}
}

// What the model may call.
const (
	Tool        = "get_weather"
	Description = "The weather in a city"
)

// Parameters is the JSON schema of what it is called with.
func Parameters() map[string]any {
	return map[string]any{
		"type": "object", "additionalProperties": false,
		"properties": map[string]any{"city": map[string]any{"type": "string"}},
		"required":   []string{"city"},
	}
}

// TooLong is a prompt beyond the 32 MiB of a request.
func TooLong() string { return strings.Repeat("x", 33<<20) }

// Case is one case under way.
type Case struct {
	Name   string
	Nonce  string
	Tokens int // of the prompt, as the model server is to count them

	// After is the Retry-After that was planned, in seconds.
	After int
	// Note is what a success should be read with; it becomes a footnote.
	Note string
}

// Func does one case.
type Func func(ctx context.Context, c *Case) error

// Test is one case, or the reason why there is none.
type Test struct {
	Name string
	Func Func
	None string
}

// Plan is a prompt that has the model server do something.
func (c *Case) Plan(do string) string { return c.plan(map[string]any{}, do) }

// Refuse has it answer with a status.
func (c *Case) Refuse(status, after int) string {
	return c.plan(map[string]any{"status": status, "after": after}, "status")
}

// Retry has it refuse once, and say when to come again. The time should be
// beyond what the client would wait by itself.
func (c *Case) Retry(seconds int) string {
	c.After = seconds
	return c.plan(map[string]any{"status": http.StatusTooManyRequests, "after": seconds, "times": 1}, "status")
}

// Embed has it embed a text.
func (c *Case) Embed(text string) string { return c.plan(map[string]any{"text": text}, "embed") }

func (c *Case) plan(more map[string]any, do string) string {
	more["nonce"], more["tokens"] = c.Nonce, c.Tokens
	text, err := json.Marshal(more)
	if err != nil {
		panic("cases: " + err.Error())
	}
	// The model server looks for the beginning.
	return fmt.Sprintf(`{"do":%q,%s`, do, text[1:])
}

// Pieces are the answer to the plan "say", one for each event of a stream.
func (c *Case) Pieces() []string {
	all := []string{c.Nonce}
	for i := range 16 {
		all = append(all, fmt.Sprintf(" %d", i))
	}
	return append(all, " é漢🙂")
}

// Said is the whole of it.
func (c *Case) Said() string { return strings.Join(c.Pieces(), "") }

// Count is what the model server counts of it: a token for each piece.
func (c *Case) Count() int { return len(c.Pieces()) }

// Begun is what there is of it before a stream is cut.
func (c *Case) Begun() string { return strings.Join(c.Pieces()[:4], "") }

// Texts are two to embed.
func (c *Case) Texts() []string { return []string{c.Nonce + "é漢🙂", c.Nonce} }

// Calls are what the model server calls the tool with, as ID, Tool and city.
func (c *Case) Calls() [][3]string {
	var all [][3]string
	for _, which := range []string{"a", "b"} {
		all = append(all, [3]string{"call_" + c.Nonce + which, Tool, c.Nonce + which})
	}
	return all
}

// Call is one of them, from its arguments.
func Call(id, name, arguments string) [3]string {
	var args struct {
		City string `json:"city"`
	}
	if json.Unmarshal([]byte(arguments), &args) != nil {
		args.City = "no JSON: " + arguments
	}
	return [3]string{id, name, args.City}
}

// Weather is what the tool says of a city.
func Weather(city string) string { return "sunny " + city }

// Results is the model server's answer to that.
func (c *Case) Results() string {
	var all []string
	for _, call := range c.Calls() {
		all = append(all, call[0]+" said "+Weather(call[2]))
	}
	return strings.Join(all, ", ")
}

// Schema is that of the answer to the plan "schema", which Structured checks.
func Schema() map[string]any {
	return map[string]any{
		"type": "object", "additionalProperties": false,
		"properties": map[string]any{"nonce": map[string]any{"type": "string"}, "count": map[string]any{"type": "integer"}},
		"required":   []string{"nonce", "count"},
	}
}

// Structured checks an answer to Schema.
func (c *Case) Structured(answer string) error {
	var got struct {
		Nonce string `json:"nonce"`
		Count int    `json:"count"`
	}
	if err := json.Unmarshal([]byte(answer), &got); err != nil {
		return fmt.Errorf("answer %q: %w", answer, err)
	}
	return errors.Join(Equal("nonce", got.Nonce, c.Nonce), Equal("count", got.Count, c.Tokens))
}

// Vector is what the model server makes of a text.
func Vector(text string) []float32 {
	var v []float32
	for _, r := range text {
		v = append(v, float32(r)/128)
	}
	return v
}

// Arrived waits until the request is at the model server.
func (c *Case) Arrived(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, os.Getenv("CULVERT_CONTROL")+"/arrived/"+c.Nonce, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return Equal("arrival", resp.StatusCode, http.StatusOK)
}

// Stopped makes a call that is stopped once it is at the model server, and
// returns the error that it ended with.
func (c *Case) Stopped(ctx context.Context, call func(context.Context) error) (ended, err error) {
	asking, stop := context.WithCancel(ctx)
	defer stop()
	all := make(chan error, 1)
	go func() { all <- call(asking) }()
	if err := c.Arrived(ctx); err != nil {
		return nil, err
	}
	stop()
	return <-all, nil
}

// Cancelled wants such a call to end with context.Canceled.
func (c *Case) Cancelled(ctx context.Context, call func(context.Context) error) error {
	ended, err := c.Stopped(ctx, call)
	if err == nil && !errors.Is(ended, context.Canceled) {
		err = fmt.Errorf("the call ended with %v, want %w", ended, context.Canceled)
	}
	return err
}

// Equal is an error unless got is want.
func Equal(what string, got, want any) error {
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("%s = %v, want %v", what, got, want)
	}
	return nil
}

// Contains is an error unless text has part in it.
func Contains(what, text, part string) error {
	if !strings.Contains(text, part) {
		return fmt.Errorf("%s = %q, want it to contain %q", what, text, part)
	}
	return nil
}

// Raised is the error of the client's class T that a call ended with.
func Raised[T error](err error) (T, error) {
	var want T
	if err == nil {
		return want, fmt.Errorf("the call succeeds, want %T", want)
	}
	if !errors.As(err, &want) {
		return want, fmt.Errorf("the call ends with %T (%w), want %T", err, err, want)
	}
	return want, nil
}

// Run goes through the cases and prints what became of each.
func Run(tests []Test) {
	out := json.NewEncoder(os.Stdout)
	for _, t := range tests {
		c := &Case{Name: t.Name, Nonce: letters(12), Tokens: 100 + number(900)}
		line := map[string]any{"case": t.Name, "result": "none", "detail": t.None}
		if t.Func != nil {
			ctx, cancel := context.WithTimeout(context.Background(), longest)
			err := t.Func(ctx, c)
			cancel()
			line = map[string]any{"case": t.Name, "result": "ok", "detail": c.Note, "nonce": c.Nonce, "after": c.After}
			if err != nil {
				line["result"], line["detail"] = "fail", err.Error()
			}
		}
		if err := out.Encode(line); err != nil {
			panic("cases: " + err.Error())
		}
	}
}

// letters is a word of n random letters.
func letters(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('a' + number(26))
	}
	return string(b)
}

func number(below int64) int {
	n, err := rand.Int(rand.Reader, big.NewInt(below))
	if err != nil {
		panic("cases: " + err.Error())
	}
	return int(n.Int64())
}
