package store

import "testing"

func FuzzLine(f *testing.F) {
	good := generation{restores: 1, commits: 1<<64 - 1}
	f.Add(good.line())
	f.Add(generation{}.line())
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		g, err := parseLine(b)
		switch {
		case err == nil && string(g.line()) != string(b):
			t.Fatalf("%q is read as %+v", b, g)
		case err != nil && g != generation{}:
			t.Fatalf("%q is refused (%v) and read as %+v", b, err, g)
		}
		if again, err := parseLine(g.line()); err != nil || again != g || len(g.line()) != fileSize {
			t.Fatalf("%+v is written as %q and read as %+v, %v", g, g.line(), again, err)
		}
	})
}
