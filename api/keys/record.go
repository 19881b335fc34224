package keys

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Key is what is known of a key: everything but the key.
type Key struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"` // no two that are not revoked have the same
	Hint    string    `json:"hint"` // its last characters, to find it in an app's settings
	Created time.Time `json:"created"`
	Rules
	Revoked time.Time `json:"revoked,omitzero"` // when; zero: not
}

// Rules are what a key may do. The zero value may do everything for ever.
type Rules struct {
	Models    []string  `json:"models,omitempty"`    // names, or beginnings that end in *; none: all
	Isolation string    `json:"isolation,omitempty"` // ByConversation, ByKey or "": as the bridge is set
	Requests  Limit     `json:"requests,omitzero"`   // requests that reach a model server
	Tokens    Limit     `json:"tokens,omitzero"`     // of prompts and answers
	Money     Money     `json:"money,omitzero"`      // that requests cost
	Expires   time.Time `json:"expires,omitzero"`    // zero: never
}

// What a provider may link of the requests with one key.
const (
	ByConversation = "conversation"
	ByKey          = "key"
)

// Limit is how much may be used within a minute, a day and a month of UTC; 0
// is no limit.
type Limit struct {
	Minute int64 `json:"per_minute,omitempty"`
	Day    int64 `json:"per_day,omitempty"`
	Month  int64 `json:"per_month,omitempty"`
}

// of is the limit for a window.
func (l Limit) of(w window) int64 { return [windows]int64{l.Minute, l.Day, l.Month}[w] }

// Money is the same for money.
type Money struct {
	Minute Amount `json:"per_minute,omitzero"`
	Day    Amount `json:"per_day,omitzero"`
	Month  Amount `json:"per_month,omitzero"`
}

// of is the limit for a window.
func (m Money) of(w window) Amount { return [windows]Amount{m.Minute, m.Day, m.Month}[w] }

const idPrefix = "key_"

// CheckName returns an error unless name may be a key's.
func CheckName(name string) error {
	if name == "" || len(name) > MaxName {
		return fmt.Errorf("the name has %d bytes; it must have 1 to %d", len(name), MaxName)
	}
	for _, c := range []byte(name) {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-_.@", c) >= 0) {
			return fmt.Errorf("the name %q must consist of letters, digits and -_.@", name)
		}
	}
	if name[0] == '-' || strings.HasPrefix(name, idPrefix) {
		return fmt.Errorf("the name %q must begin with neither - nor %s, so that it is not taken for a flag or an id", name, idPrefix)
	}
	return nil
}

// Check returns an error that names what of r makes no sense.
func (r *Rules) Check() error {
	if len(r.Models) > MaxModels {
		return fmt.Errorf("%d models are too many; a key has at most %d, and * at the end of a name stands for many", len(r.Models), MaxModels)
	}
	for _, m := range r.Models {
		if err := checkModel(m); err != nil {
			return err
		}
	}
	switch r.Isolation {
	case "", ByConversation, ByKey:
	default:
		return fmt.Errorf("isolation %q is neither %q nor %q", r.Isolation, ByConversation, ByKey)
	}
	for _, l := range []Limit{r.Requests, r.Tokens} {
		for w := range window(windows) {
			if n := l.of(w); n < 0 || n > MaxLimit {
				return fmt.Errorf("a limit of %d per %s is not between 1 and %d", n, w, int64(MaxLimit))
			}
		}
	}
	for w := range window(windows) {
		if r.Money.of(w).Compare(MaxAmount) > 0 {
			return fmt.Errorf("a limit of money per %s: %w", w, errAmount)
		}
	}
	return nil
}

func checkModel(m string) error {
	bare := strings.TrimSuffix(m, "*")
	switch {
	case m == "" || len(m) > MaxModel:
		return fmt.Errorf("a model's name has 1 to %d bytes, not %d", MaxModel, len(m))
	case strings.Contains(bare, "*"):
		return fmt.Errorf("model %q: * is understood at the end only", m)
	}
	for _, c := range bare { // as a request's, which is compared, and shown by bridge keys list
		if c == ' ' || c == utf8.RuneError || !unicode.IsPrint(c) {
			return fmt.Errorf("model %q holds characters that no model's name has", m)
		}
	}
	return nil
}

// Allows reports whether a request for model is within the rules.
func (r *Rules) Allows(model string) bool {
	for _, m := range r.Models {
		begin, open := strings.CutSuffix(m, "*")
		if open && strings.HasPrefix(model, begin) || m == model {
			return true
		}
	}
	return len(r.Models) == 0
}

// Record is a key as it is stored.
type Record struct {
	Key
	Digest Digest
}

// stored is the JSON of a Record.
type stored struct {
	Key
	Digest string `json:"sha256"`
}

// Encode is r as bytes for a store.
func (r *Record) Encode() []byte {
	b, err := json.Marshal(stored{r.Key, hex.EncodeToString(r.Digest[:])})
	if err != nil {
		panic("keys: plain structs always marshal: " + err.Error())
	}
	return b
}

// DecodeRecord reads what Encode wrote. What could mean another key than the
// one that was written, fields of a later version above all, is an error: a
// limit that is not understood would not be kept.
func DecodeRecord(b []byte) (*Record, error) {
	if len(b) > maxRecord {
		return nil, fmt.Errorf("a key's record of %d bytes; at most %d", len(b), maxRecord)
	}
	var s stored
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return nil, fmt.Errorf("a key's record: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("a key's record: something follows it")
	}
	r := &Record{Key: s.Key}
	digest, err := hex.DecodeString(s.Digest)
	if err != nil || len(digest) != len(r.Digest) {
		return nil, errors.New("a key's record: sha256 is no digest")
	}
	copy(r.Digest[:], digest)
	if err := CheckName(r.Name); err != nil {
		return nil, fmt.Errorf("a key's record: %w", err)
	}
	if err := r.Check(); err != nil {
		return nil, fmt.Errorf("a key's record: %w", err)
	}
	if !strings.HasPrefix(r.ID, idPrefix) || len(r.ID) > MaxName || r.Created.IsZero() {
		return nil, errors.New("a key's record: id or time of creation is missing")
	}
	return r, nil
}
