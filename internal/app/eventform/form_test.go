package eventform

import (
	"bytes"
	"strings"
	"testing"
	"unicode"

	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/event/eventtest"
)

// Every event comes back from JSON as the bytes it was.
func TestRoundTrip(t *testing.T) {
	for name, e := range eventtest.All(t) {
		for _, stamp := range [][]byte{nil, []byte("a ticket")} {
			x := Export{Canonical: e.Canonical(), Stamp: stamp}
			text, err := ToJSON(x)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			back, err := FromJSON(text)
			if err != nil || !bytes.Equal(back.Canonical, x.Canonical) || !bytes.Equal(back.Stamp, stamp) {
				t.Errorf("%s: JSON %s came back as another event, %v", name, text, err)
			}
			if got, err := event.Decode(back.Canonical); err != nil || got.ID != e.ID {
				t.Errorf("%s: what came back is no event: %v", name, err)
			}
		}
	}
}

// JSON has the fields' names and no place for what is not there.
func TestJSON(t *testing.T) {
	e := eventtest.All(t)["receipt"]
	text, err := ToJSON(Export{Canonical: e.Canonical()})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`{"event":{"event_id":"` + e.ID.String() + `","world":"1111`, `"type":"receipt","body":{"receipt":{"receipt_id":"`, `"epoch":483500,`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("JSON = %s; want %s", text, want)
		}
	}
	if strings.Contains(string(text), "null") || strings.Contains(string(text), "stamp") || strings.Contains(string(text), "target_fah") {
		t.Errorf("JSON = %s; want no field for what is not there", text)
	}
	for _, change := range [][2]string{
		{`"epoch":483500`, `"epoch":-1`},
		{`"epoch":483500`, `"epoch":483500,"score":1`},
		{`"type":"receipt"`, `"type":"verdicts"`},
		{`"world":"11`, `"world":"1`},
		{`"receipt":{`, `"receipts":{`},
		{`"key":"`, `"keys":"`},
		{`{"event":`, `{"events":`},
	} {
		bad := strings.Replace(string(text), change[0], change[1], 1)
		if bad == string(text) {
			t.Fatalf("%q is not in %s", change[0], text)
		}
		if _, err := FromJSON([]byte(bad)); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}

func FuzzFromJSON(f *testing.F) {
	for _, e := range eventtest.All(f) {
		text, err := ToJSON(Export{Canonical: e.Canonical()})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		x, err := FromJSON(text)
		if err != nil {
			return
		}
		// What canonical bytes cannot say, such as a list out of order, is found by
		// event.Decode; what it accepts comes back.
		if _, err := event.Decode(x.Canonical); err != nil {
			return
		}
		out, err := ToJSON(x)
		if err != nil {
			t.Fatal(err)
		}
		if y, err := FromJSON(out); err != nil || !bytes.Equal(y.Canonical, x.Canonical) {
			t.Errorf("%s came back as another, %v", out, err)
		}
	})
}

// What a member wrote is shown on other people's terminals: no byte of it is one
// that a terminal obeys, and it comes back as it was.
func TestJSONIsSafeToShow(t *testing.T) {
	const reason = "\x1b[2J \u009b2J \x7f \u202eevil\u202c \u2066 é 語"
	e, err := event.SignDispute(eventtest.Key(1), event.Dispute{Place: eventtest.Place(), EventA: eventtest.Hash(1), EventB: eventtest.Hash(2), Reason: reason})
	if err != nil {
		t.Fatal(err)
	}
	text, err := ToJSON(Export{Canonical: e.Canonical()})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range string(text) {
		if unicode.IsControl(c) || unicode.Is(unicode.Bidi_Control, c) {
			t.Errorf("%U is in %s", c, text)
		}
	}
	if back, err := FromJSON(text); err != nil || !bytes.Equal(back.Canonical, e.Canonical()) {
		t.Errorf("it came back as another event, %v", err)
	}
}
