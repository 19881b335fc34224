package backendtest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
)

// RandomBody is a valid chat request for model that a forwarder which parses
// and writes it again would change: unknown fields, integers beyond 2^53, keys
// in odd order, odd spaces, escapes, numbers in odd notation, and now and then
// a string of a megabyte. None of its fields is one that is edited on the way.
func RandomBody(r *rand.Rand, model string) []byte {
	members := []string{
		`"model":` + space(r) + quote(model),
		`"messages":` + space(r) + messages(r),
	}
	for i := range r.IntN(12) {
		members = append(members, fmt.Sprintf("%s:%s%s", key(r, i), space(r), value(r, 3)))
	}
	if r.IntN(2) == 0 {
		members = append(members, `"temperature":`+number(r))
	}
	if r.IntN(50) == 0 {
		members = append(members, `"x_large":`+quote(text(r, 1<<20)))
	}
	r.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })

	var b strings.Builder
	b.WriteString(space(r) + "{")
	for i, m := range members {
		if i > 0 {
			b.WriteString(space(r) + ",")
		}
		b.WriteString(space(r) + m)
	}
	b.WriteString(space(r) + "}" + space(r))
	return []byte(b.String())
}

func messages(r *rand.Rand) string {
	var all []string
	for range 1 + r.IntN(4) {
		all = append(all, fmt.Sprintf(`{"content":%s,%s"role":"user","x_%d":%s}`,
			quote(text(r, r.IntN(300))), space(r), r.IntN(10), value(r, 2)))
	}
	return "[" + strings.Join(all, ","+space(r)) + "]"
}

// key is a name that no rule knows; some come twice, some are written with an
// escape, some differ from a known one by a letter.
func key(r *rand.Rand, i int) string {
	switch r.IntN(5) {
	case 0:
		return fmt.Sprintf(`"x\u005f%d"`, i)
	case 1:
		return `"modell"`
	case 2:
		return quote(text(r, 1+r.IntN(8)) + fmt.Sprint(i))
	default:
		return fmt.Sprintf(`"x_vendor_%d"`, i)
	}
}

func value(r *rand.Rand, depth int) string {
	switch n := r.IntN(8); {
	case n == 0:
		return "null"
	case n == 1:
		return "true"
	case n <= 3:
		return number(r)
	case n <= 5 || depth == 0:
		return quote(text(r, r.IntN(60)))
	case n == 6:
		return "[" + value(r, depth-1) + "," + space(r) + value(r, depth-1) + space(r) + "]"
	default:
		return `{"b":` + value(r, depth-1) + `,"a":` + space(r) + value(r, depth-1) + "}"
	}
}

func number(r *rand.Rand) string {
	return []string{
		"9007199254740993", "-9223372036854775809", "123456789012345678901234567890",
		"1.0", "1.10", "1E400", "-0", "0.1e-7", "3.141592653589793238462643383279",
		fmt.Sprint(r.Int64()),
	}[r.IntN(10)]
}

// text is n bytes or a few more, of letters and of what gets escaped.
func text(r *rand.Rand, n int) string {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456789<>&/\"\\\t\n"
	var b strings.Builder
	for b.Len() < n {
		switch r.IntN(20) {
		case 0:
			b.WriteString("é")
		case 1:
			b.WriteString("\u2028")
		case 2:
			b.WriteString("🚇")
		default:
			b.WriteByte(letters[r.IntN(len(letters))])
		}
	}
	return b.String()
}

// quote writes s as Go's encoder does not: without escaping HTML.
func quote(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic("backendtest: strings always marshal: " + err.Error())
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func space(r *rand.Rand) string {
	return []string{"", "", "", " ", "\n  ", "\t", " \r\n "}[r.IntN(7)]
}
