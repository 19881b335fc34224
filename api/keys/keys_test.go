package keys

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// memory is a Store, with ways to break it.
type memory struct {
	mu    sync.Mutex
	keys  map[string][]byte
	used  map[string][]byte
	saves int   // of usage
	fail  error // of every save
}

func newMemory() *memory { return &memory{keys: map[string][]byte{}, used: map[string][]byte{}} }

func (m *memory) Load(context.Context) (all []Record, used map[string]Usage, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, b := range m.keys {
		r, err := DecodeRecord(b)
		if err != nil {
			return nil, nil, err
		}
		all = append(all, *r)
	}
	used = map[string]Usage{}
	for id, b := range m.used {
		if used[id], err = DecodeUsage(b); err != nil {
			return nil, nil, err
		}
	}
	return all, used, nil
}

func (m *memory) SaveKey(_ context.Context, r *Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail == nil {
		m.keys[r.ID] = r.Encode()
	}
	return m.fail
}

func (m *memory) SaveUsage(_ context.Context, used map[string]Usage) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.saves++
	for id, u := range used {
		if m.fail == nil {
			m.used[id] = u.Encode()
		}
	}
	return m.fail
}

func (m *memory) set(fail error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = fail
}

func open(t testing.TB, store Store) *Ring {
	t.Helper()
	r, err := Open(context.Background(), store, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func add(t testing.TB, r *Ring, name string, rules Rules) (string, Key) {
	t.Helper()
	text, k, err := r.Add(context.Background(), name, rules)
	if err != nil {
		t.Fatalf("Add(%s) = %v", name, err)
	}
	return text, k
}

func find(t testing.TB, r *Ring, text string) *Grant {
	t.Helper()
	g, err := r.Find(text)
	if err != nil {
		t.Fatalf("Find = %v", err)
	}
	return g
}

func TestKeyText(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		text, digest := newKey()
		got, err := Parse(text)
		if err != nil || got != digest || seen[text] || !strings.HasPrefix(text, Prefix) || len(text) != len(Prefix)+56 {
			t.Fatalf("Parse of a new key of %d characters = %v (again: %t)", len(text), err, seen[text])
		}
		seen[text] = true
		// Every character counts.
		for i := len(Prefix); i < len(text); i++ {
			for _, c := range "a7" {
				wrong := text[:i] + string(c) + text[i+1:]
				if _, err := Parse(wrong); wrong != text && !errors.Is(err, ErrMistyped) {
					t.Fatalf("a key with character %d changed = %v, want ErrMistyped", i, err)
				}
			}
		}
	}
	text, _ := newKey()
	for name, tt := range map[string]struct {
		text string
		want error
	}{
		"nothing":     {"", ErrNotOurs},
		"another's":   {"sk-proj-abcdef", ErrNotOurs},
		"prefix only": {Prefix, ErrMistyped},
		"cut":         {text[:len(text)-1], ErrMistyped},
		"longer":      {text + "a", ErrMistyped},
		"upper case":  {Prefix + strings.ToUpper(text[len(Prefix):]), ErrMistyped},
		"line break":  {text[:len(text)-2] + "\r\n", ErrMistyped},
		"space":       {" " + text, ErrNotOurs},
		"not base32":  {Prefix + strings.Repeat("1", 56), ErrMistyped},
		"transposed":  {Prefix + text[len(Prefix)+1:] + text[len(Prefix):len(Prefix)+1], ErrMistyped},
	} {
		if _, err := Parse(tt.text); !errors.Is(err, tt.want) {
			t.Errorf("%s: Parse = %v, want %v", name, err, tt.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	text, _ := newKey()
	f.Add(text)
	f.Add(Prefix + strings.Repeat("a", 56))
	f.Fuzz(func(t *testing.T, text string) {
		digest, err := Parse(text)
		if err == nil && (len(text) != len(Prefix)+56 || digest == Digest{}) {
			t.Errorf("Parse(%q) was accepted", text)
		}
		if err != nil && !errors.Is(err, ErrNotOurs) && !errors.Is(err, ErrMistyped) {
			t.Errorf("Parse(%q) = %v", text, err)
		}
	})
}

func TestRules(t *testing.T) {
	for _, tt := range []struct {
		name  string
		rules Rules
		want  string // part of the error; "": none
	}{
		{"none", Rules{}, ""},
		{"all", Rules{Models: []string{"a", "b*", "*"}, Isolation: ByKey, Requests: Limit{1, 2, 3}, Tokens: Limit{Month: MaxLimit}}, ""},
		{"star inside", Rules{Models: []string{"a*b"}}, "at the end only"},
		{"two stars", Rules{Models: []string{"a**"}}, "at the end only"},
		{"empty model", Rules{Models: []string{""}}, "1 to 256"},
		{"space", Rules{Models: []string{"a b"}}, "characters"},
		{"a terminal's escape, of one character", Rules{Models: []string{"a\u009b31m*"}}, "characters"},
		{"turned letters", Rules{Models: []string{"a\u202eb"}}, "characters"},
		{"no UTF-8", Rules{Models: []string{"a\xff"}}, "characters"},
		{"another alphabet", Rules{Models: []string{"модель*"}}, ""},
		{"too many", Rules{Models: make([]string, MaxModels+1)}, "too many"},
		{"isolation", Rules{Isolation: "none"}, "isolation"},
		{"negative", Rules{Tokens: Limit{Day: -1}}, "per day"},
		{"too large", Rules{Requests: Limit{Minute: MaxLimit + 1}}, "per minute"},
	} {
		if err := tt.rules.Check(); (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: Check = %v, want %q", tt.name, err, tt.want)
		}
	}
	some := Rules{Models: []string{"llama3:8b", "qwen*"}}
	for model, want := range map[string]bool{
		"llama3:8b": true, "llama3:8b-q4": false, "llama3": false, "qwen": true, "qwen3-32b": true, "Qwen3": false, "": false, "qwen*": true,
	} {
		if some.Allows(model) != want {
			t.Errorf("Allows(%q) = %t, want %t", model, !want, want)
		}
	}
	if all := (Rules{}); !all.Allows("anything") {
		t.Error("no models means all, and one was refused")
	}
	for name, good := range map[string]bool{
		"laptop": true, "a.b-c_d@e": true, "": false, "-x": false, "key_x": false, "a b": false, "é": false, strings.Repeat("n", MaxName+1): false,
	} {
		if (CheckName(name) == nil) != good {
			t.Errorf("CheckName(%q) = %v", name, CheckName(name))
		}
	}
}

func TestFind(t *testing.T) {
	r := open(t, newMemory())
	if r.Required() {
		t.Error("a key is required though there is none")
	}
	text, k := add(t, r, "laptop", Rules{Models: []string{"m"}})
	other, _ := newKey()
	if got := find(t, r, text).Key(); !reflect.DeepEqual(*got, k) || !strings.HasSuffix(text, k.Hint) {
		t.Errorf("Find = %+v, want %+v", got, k)
	}
	for text, want := range map[string]string{other: "not known", "any": "not a key", text[:20]: "mistyped"} {
		refused, ok := errors.AsType[*RefusedError](second(r.Find(text)))
		if !ok || !strings.Contains(refused.Error(), want) {
			t.Errorf("Find of a wrong key = %v, want %q", refused, want)
		}
	}
	if _, _, err := r.Add(t.Context(), "laptop", Rules{}); !errors.Is(err, ErrNameTaken) {
		t.Errorf("a second key of the name = %v, want ErrNameTaken", err)
	}
	early := find(t, r, text)
	if _, err := r.Revoke(t.Context(), k.ID); err != nil {
		t.Fatal(err)
	}
	if err := second(r.Find(text)); err == nil || !strings.Contains(err.Error(), `"laptop" was revoked`) {
		t.Errorf("Find of a revoked key = %v", err)
	}
	if _, err := early.Admit(); err == nil || !strings.Contains(err.Error(), "revoked") {
		t.Errorf("Admit after Revoke = %v, want it refused though the key was found before", err)
	}
	if !r.Required() {
		t.Error("revoking the last key opened the door")
	}
	if _, err := r.Revoke(t.Context(), "laptop"); !errors.Is(err, ErrRevoked) {
		t.Errorf("second Revoke = %v, want ErrRevoked", err)
	}
	if _, err := r.Revoke(t.Context(), "nobody"); !errors.Is(err, ErrUnknown) {
		t.Errorf("Revoke of an unknown key = %v, want ErrUnknown", err)
	}
	// The name is free again, and names the key that is good.
	text, k = add(t, r, "laptop", Rules{})
	if revoked, err := r.Revoke(t.Context(), "laptop"); err != nil || revoked.ID != k.ID {
		t.Errorf("Revoke = %v, %v; want the second key", revoked.ID, err)
	}
	if second(r.Find(text)) == nil {
		t.Error("the second key is still good")
	}
}

func second[T any](_ T, err error) error { return err }

// A key that cannot be stored is not made.
func TestStoreFails(t *testing.T) {
	m := newMemory()
	r := open(t, m)
	add(t, r, "a", Rules{})
	m.set(errors.New("disk full"))
	if _, _, err := r.Add(t.Context(), "b", Rules{}); err == nil || len(r.List()) != 1 {
		t.Errorf("Add = %v with %d keys listed, want an error and one", err, len(r.List()))
	}
}

// A key ends when its owner says so, whatever becomes of the disk, and is stored
// as ended as soon as that works again.
func TestRevokeWithoutStore(t *testing.T) {
	m := newMemory()
	r := open(t, m)
	a, _ := add(t, r, "a", Rules{})
	b, _ := add(t, r, "b", Rules{})
	early := find(t, r, a)
	m.set(errors.New("disk full"))
	for _, name := range []string{"a", "b", "a"} {
		if _, err := r.Revoke(t.Context(), name); err == nil || errors.Is(err, ErrRevoked) || !strings.Contains(err.Error(), "disk full") {
			t.Errorf("Revoke of %s = %v, want that it is not durable", name, err)
		}
	}
	if second(r.Find(a)) == nil || second(r.Find(b)) == nil || second(early.Admit()) == nil {
		t.Error("a revoked key is still accepted")
	}
	if _, _, err := r.Add(t.Context(), "a", Rules{}); !errors.Is(err, ErrNameTaken) {
		t.Errorf("Add = %v; a restart would find two keys of the name", err)
	}
	m.set(nil)
	if _, err := r.Revoke(t.Context(), "a"); err != nil {
		t.Errorf("Revoke once more = %v", err)
	}
	if _, err := r.Revoke(t.Context(), "b"); !errors.Is(err, ErrRevoked) {
		t.Errorf("Revoke of the other = %v, want that it is stored too", err)
	}
	again := open(t, m)
	if second(again.Find(a)) == nil || second(again.Find(b)) == nil {
		t.Error("a restart has forgotten that a key was revoked")
	}
}

func TestExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, newMemory())
		if _, _, err := r.Add(t.Context(), "late", Rules{Expires: time.Now()}); err == nil {
			t.Error("a key that has expired was made")
		}
		text, _ := add(t, r, "short", Rules{Expires: time.Now().Add(time.Hour)})
		time.Sleep(time.Hour - time.Nanosecond)
		g := find(t, r, text)
		time.Sleep(time.Nanosecond)
		if err := second(r.Find(text)); err == nil || !strings.Contains(err.Error(), "expired at") {
			t.Errorf("Find = %v, want that it expired", err)
		}
		if err := second(g.Admit()); err == nil {
			t.Error("Admit let an expired key pass")
		}
	})
}

// at begins a bubble at a moment.
func at(t *testing.T, moment string, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		when, err := time.Parse(time.RFC3339, moment)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Until(when)) // a bubble begins in 2000
		f(t)
	})
}

func TestWindows(t *testing.T) {
	type limit struct{ r, t Limit }
	for _, tt := range []struct {
		name, from string
		limit      limit
		per        string
		until      string
	}{
		{"minute", "2026-03-10T12:00:59.5Z", limit{r: Limit{Minute: 2}}, "minute", "2026-03-10T12:01:00Z"},
		{"minute from its beginning", "2026-03-10T12:00:00Z", limit{r: Limit{Minute: 2}}, "minute", "2026-03-10T12:01:00Z"},
		{"day", "2026-12-31T00:00:00Z", limit{r: Limit{Day: 2}}, "day", "2027-01-01T00:00:00Z"},
		{"month", "2028-02-01T00:00:01Z", limit{r: Limit{Month: 2}}, "month", "2028-03-01T00:00:00Z"},
		{"month of a year's end", "2026-12-31T23:59:59Z", limit{r: Limit{Month: 2}}, "month", "2027-01-01T00:00:00Z"},
		{"the longer of two that are used up", "2026-03-10T12:00:00Z", limit{r: Limit{Minute: 2, Day: 2}}, "day", "2026-03-11T00:00:00Z"},
		{"the nearer of two", "2026-03-10T12:00:00Z", limit{r: Limit{Minute: 2, Day: 3}}, "minute", "2026-03-10T12:01:00Z"},
		{"tokens", "2026-03-10T12:00:00Z", limit{t: Limit{Day: 200}}, "day", "2026-03-11T00:00:00Z"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			at(t, tt.from, func(t *testing.T) {
				r := open(t, newMemory())
				text, _ := add(t, r, "k", Rules{Requests: tt.limit.r, Tokens: tt.limit.t})
				g := find(t, r, text)
				for i := range 2 {
					states, err := g.Admit()
					if err != nil || len(states) != 1 {
						t.Fatalf("Admit %d = %v, %v", i, states, err)
					}
					g.Used(100)
				}
				for range 3 { // what is refused is not counted
					_, err := g.Admit()
					over, ok := errors.AsType[*LimitError](err)
					if !ok || over.Per != tt.per || over.Until.Format(time.RFC3339) != tt.until || over.Remaining != 0 || over.Reset != time.Until(over.Until) {
						t.Fatalf("Admit = %v (%+v), want the limit per %s until %s", err, over, tt.per, tt.until)
					}
				}
				over, _ := errors.AsType[*LimitError](second(g.Admit()))
				time.Sleep(over.Reset - time.Nanosecond)
				if second(g.Admit()) == nil {
					t.Error("the window ended early")
				}
				time.Sleep(time.Nanosecond)
				if err := second(g.Admit()); err != nil {
					t.Errorf("Admit in the next window = %v", err)
				}
			})
		})
	}
}

// The numbers of windows follow one another, before 1970 too.
func TestWindowNumbers(t *testing.T) {
	for _, from := range []int64{-1e9, -61, -60, -1, 0, 59, 60, 951782399, 1772323199} {
		now := time.Unix(from, 5)
		for w := range window(windows) {
			end := w.end(now)
			if !end.After(now) || w.at(end) != w.at(now)+1 || w.at(end.Add(-1)) != w.at(now) {
				t.Errorf("%s of %v is %d and ends at %v, in %d", w, now.UTC(), w.at(now), end, w.at(end))
			}
		}
	}
}

func TestStates(t *testing.T) {
	r := open(t, newMemory())
	text, _ := add(t, r, "k", Rules{Requests: Limit{Day: 10}, Tokens: Limit{Month: 50}})
	g := find(t, r, text)
	states, err := g.Admit()
	if err != nil || len(states) != 2 || states[0].Kind != Requests || states[0].Remaining != 9 || states[1].Kind != Tokens || states[1].Remaining != 50 {
		t.Fatalf("Admit = %+v, %v", states, err)
	}
	// An answer that was under way goes beyond; the next request does not.
	g.Used(80)
	states, err = g.Admit()
	if over, ok := errors.AsType[*LimitError](err); !ok || over.Kind != Tokens || states[1].Remaining != 0 {
		t.Errorf("Admit = %+v, %v; want tokens to be used up", states, err)
	}
	g.Used(-5)
	g.Used(1 << 62)
	if u := r.List()[0].Used["month"]; u.Tokens != 80+MaxTokens || u.Requests != 1 {
		t.Errorf("used = %+v, want what makes no sense left out", u)
	}
}

// A clock that was wrong once does not use up a key.
func TestClockSetBack(t *testing.T) {
	future := time.Now().AddDate(10, 0, 0)
	var u Usage
	u.turn(future)
	u[month].Requests = 7
	u.turn(time.Now())
	if u[month] != (Used{Window: month.at(time.Now())}) {
		t.Errorf("usage = %+v, want it to begin anew", u)
	}
}

func TestRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		r := open(t, m)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- r.Run(ctx) }()
		text, _ := add(t, r, "k", Rules{Requests: Limit{Month: 3}})
		g := find(t, r, text)
		for range 2 {
			if err := second(g.Admit()); err != nil {
				t.Fatal(err)
			}
		}
		g.Used(5)
		// Killed before it was written: forgotten, in favour of the user.
		killed := open(t, m)
		if u := killed.List()[0].Used["month"]; u != (Count{}) {
			t.Errorf("used before a save = %+v, want nothing", u)
		}
		time.Sleep(SaveEvery)
		synctest.Wait()
		killed = open(t, m)
		if u := killed.List()[0].Used["month"]; u != (Count{Requests: 2, Tokens: 5}) || m.saves != 1 {
			t.Errorf("used after %v = %+v in %d saves, want all in one", SaveEvery, u, m.saves)
		}
		// Stopped in order: nothing is forgotten.
		if err := second(g.Admit()); err != nil {
			t.Fatal(err)
		}
		stop()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		again := open(t, m)
		if _, err := find(t, again, text).Admit(); err == nil {
			t.Error("a restart gave a fourth request")
		}
		// Nothing counted, nothing written.
		saves := m.saves
		ctx, stop = context.WithCancel(t.Context())
		go func() { done <- again.Run(ctx) }()
		time.Sleep(time.Hour)
		stop()
		if err := <-done; err != nil || m.saves != saves {
			t.Errorf("an hour of nothing: %v, %d saves", err, m.saves-saves)
		}
	})
}

// Under load a save does not wait for its time.
func TestSavedUnderLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		r := open(t, m)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- r.Run(ctx) }()
		text, _ := add(t, r, "k", Rules{})
		g := find(t, r, text)
		for range saveAfter {
			if err := second(g.Admit()); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if u := open(t, m).List()[0].Used["day"]; u.Requests != saveAfter {
			t.Errorf("saved at once = %+v, want %d requests", u, saveAfter)
		}
		stop()
		<-done
	})
}

// What cannot be saved is kept, and saved when it can be.
func TestSaveFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		r := open(t, m)
		text, _ := add(t, r, "k", Rules{})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- r.Run(ctx) }()
		m.set(errors.New("disk full"))
		if err := second(find(t, r, text).Admit()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * SaveEvery)
		m.set(nil)
		time.Sleep(2 * SaveEvery)
		synctest.Wait()
		if u := open(t, m).List()[0].Used["day"]; u.Requests != 1 {
			t.Errorf("saved = %+v, want the request", u)
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// However many ask at once, a limit admits as many as it says.
func TestConcurrency(t *testing.T) {
	m := newMemory()
	r := open(t, m)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	text, _ := add(t, r, "k", Rules{Requests: Limit{Month: 500}})
	var wg sync.WaitGroup
	var mu sync.Mutex
	admitted := 0
	for range 8 {
		wg.Go(func() {
			for range 200 {
				g, err := r.Find(text)
				if err != nil {
					t.Errorf("Find = %v", err)
					return
				}
				if _, err := g.Admit(); err == nil {
					g.Used(1)
					mu.Lock()
					admitted++
					mu.Unlock()
				}
				r.List()
			}
		})
	}
	for i := range 20 {
		name := fmt.Sprint("other", i)
		add(t, r, name, Rules{})
		if i%2 == 0 {
			if _, err := r.Revoke(t.Context(), name); err != nil {
				t.Errorf("Revoke = %v", err)
			}
		}
	}
	wg.Wait()
	stop()
	if err := <-done; err != nil || admitted != 500 {
		t.Errorf("%d requests were admitted (%v), want 500", admitted, err)
	}
	again := open(t, m).List()
	i := slices.IndexFunc(again, func(l Listed) bool { return l.Name == "k" })
	if u := again[i].Used["month"]; u != (Count{Requests: 500, Tokens: 500}) || len(again) != 21 {
		t.Errorf("after a restart used = %+v and %d keys", u, len(again))
	}
}

func TestRecord(t *testing.T) {
	_, digest := newKey()
	r := Record{Key: Key{
		ID: "key_abc", Name: "n", Hint: "wxyz", Created: time.Unix(1e9, 0).UTC(), Revoked: time.Unix(2e9, 0).UTC(),
		Rules: Rules{Models: []string{"m*"}, Isolation: ByKey, Requests: Limit{1, 2, 3}, Tokens: Limit{Day: 4}, Expires: time.Unix(3e9, 0).UTC()},
	}, Digest: digest}
	got, err := DecodeRecord(r.Encode())
	if err != nil || !reflect.DeepEqual(*got, r) {
		t.Fatalf("DecodeRecord = %+v, %v; want %+v", got, err, r)
	}
	whole := string(r.Encode())
	for name, text := range map[string]string{
		"nothing":         "",
		"null":            "null",
		"empty":           "{}",
		"unknown limit":   strings.Replace(whole, `"tokens"`, `"money"`, 1),
		"no digest":       strings.Replace(whole, `"sha256":"`, `"sha256":"x`, 1),
		"cut":             whole[:len(whole)-1],
		"more":            whole + "{}",
		"negative limit":  strings.Replace(whole, `"per_day":4`, `"per_day":-4`, 1),
		"no id":           strings.Replace(whole, `"key_abc"`, `""`, 1),
		"name with space": strings.Replace(whole, `"n"`, `"n n"`, 1),
		"too large":       `{"name":"` + strings.Repeat("x", maxRecord) + `"}`,
	} {
		if _, err := DecodeRecord([]byte(text)); err == nil {
			t.Errorf("%s: was accepted", name)
		}
	}
}

func FuzzDecodeRecord(f *testing.F) {
	_, digest := newKey()
	r := Record{Key: Key{ID: "key_abc", Name: "n", Created: time.Unix(1e9, 0).UTC(), Rules: Rules{Models: []string{"m*"}}}, Digest: digest}
	f.Add(r.Encode())
	f.Add([]byte(`{"id":"key_","name":"a","created":"2000-01-01T00:00:00Z","sha256":""}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := DecodeRecord(b)
		if err != nil {
			return
		}
		once := r.Encode()
		again, err := DecodeRecord(once)
		if err != nil || string(again.Encode()) != string(once) {
			t.Errorf("decoded and encoded again: %v, %s, was %s", err, again.Encode(), once)
		}
	})
}

func FuzzDecodeUsage(f *testing.F) {
	var u Usage
	u.turn(time.Unix(1e9, 0))
	f.Add(u.Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		if u, err := DecodeUsage(b); err == nil && string(u.Encode()) != string(b) {
			t.Errorf("%x is encoded again as %x", b, u.Encode())
		}
	})
}

// TestAllocations holds the cost of a key: measured at 8, in 2026-10.
func TestAllocations(t *testing.T) {
	r := open(t, newMemory())
	text, _ := add(t, r, "k", Rules{Requests: Limit{Month: MaxLimit}, Tokens: Limit{Day: MaxLimit}})
	if n := testing.AllocsPerRun(100, func() {
		g, err := r.Find(text)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = g.Admit()
		g.Used(10)
	}); n > 8 {
		t.Errorf("%v allocations for a request, want at most 8", n)
	}
}

// BenchmarkAdmit is what a key costs a request: find it, admit, count.
func BenchmarkAdmit(b *testing.B) {
	for _, keys := range []int{1, 1000} {
		b.Run(fmt.Sprint("keys=", keys), func(b *testing.B) {
			m := newMemory()
			r := open(b, m)
			ctx, stop := context.WithCancel(b.Context())
			done := make(chan error, 1)
			go func() { done <- r.Run(ctx) }()
			text := ""
			for i := range keys {
				text, _ = add(b, r, fmt.Sprint("k", i), Rules{Requests: Limit{Minute: MaxLimit, Month: MaxLimit}, Tokens: Limit{Day: MaxLimit}})
			}
			b.ReportAllocs()
			for b.Loop() {
				g, err := r.Find(text)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := g.Admit(); err != nil {
					b.Fatal(err)
				}
				g.Used(100)
			}
			stop()
			<-done
			b.ReportMetric(float64(m.saves)/float64(b.N), "saves/op")
		})
	}
}
