package redact_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/internal/redact"
)

const prompt = "what does my neighbour earn"

func TestTextIsNeverShown(t *testing.T) {
	for name, text := range map[string]redact.Text{
		"String": redact.String(prompt), "Bytes": redact.Bytes([]byte(prompt)),
	} {
		t.Run(name, func(t *testing.T) {
			exported := struct {
				T redact.Text
				P *redact.Text
			}{text, &text}
			unexported := struct{ t redact.Text }{text}
			var b strings.Builder
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%p", "%t"} {
				for _, v := range []any{text, &text, exported, &exported, unexported, []redact.Text{text}, map[string]redact.Text{"k": text}} {
					fmt.Fprintf(&b, verb+"\n", v)
				}
			}
			for _, h := range []slog.Handler{slog.NewJSONHandler(&b, nil), slog.NewTextHandler(&b, nil)} {
				slog.New(h).Info("x", "text", text, "in", exported, "un", unexported)
			}
			j, err := json.Marshal(exported)
			if err != nil {
				t.Fatal(err)
			}
			b.Write(j)
			fmt.Fprintln(&b, fmt.Errorf("wrapped: %v", text))
			for _, leak := range []string{
				"neighbour", hex.EncodeToString([]byte("neighbour")), strings.ToUpper(hex.EncodeToString([]byte("neighbour"))),
				base64.StdEncoding.EncodeToString([]byte(prompt))[:20], "110 101 105 103 104", // %d
			} {
				if strings.Contains(b.String(), leak) {
					t.Errorf("shown as %q:\n%s", leak, b.String())
				}
			}
			if !strings.Contains(string(j), fmt.Sprintf("redacted(%d bytes, ", len(prompt))) {
				t.Errorf("JSON is %s, want the length", j)
			}
		})
	}
}

func TestEqualTextsAreRecognised(t *testing.T) {
	if a, b := redact.String(prompt).String(), redact.Bytes([]byte(prompt)).String(); a != b {
		t.Errorf("the same text is %s and %s", a, b)
	}
	if a, b := redact.String(prompt).String(), redact.String(prompt[:len(prompt)-1]+"?").String(); a == b {
		t.Errorf("two texts are both %s", a)
	}
	if a, b := (redact.Text{}).String(), redact.String("").String(); a != b {
		t.Errorf("the empty text is %s and %s", a, b)
	}
}
