package tunnel

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/body"
	"github.com/culvert-net/culvert/api/openai"
)

// specTable returns the rows, cells without backquotes, of the table of
// docs/spec/tunnel.md whose header begins with column.
func specTable(t *testing.T, column string) [][]string {
	t.Helper()
	text, err := os.ReadFile("../../docs/spec/tunnel.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "\n| "+column+" |")
	if !found {
		t.Fatalf("no table with the column %q", column)
	}
	rest, _, _ = strings.Cut(rest, "\n\n")
	var rows [][]string
	for _, line := range strings.Split(rest, "\n")[2:] {
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		for i := range cells {
			cells[i] = strings.Trim(cells[i], "` ")
		}
		rows = append(rows, cells)
	}
	return rows
}

func firstCells(rows [][]string) []string {
	var cells []string
	for _, r := range rows {
		cells = append(cells, r[0])
	}
	slices.Sort(cells)
	return cells
}

func sameWords(t *testing.T, what string, spec, code []string) {
	t.Helper()
	slices.Sort(code)
	if !slices.Equal(spec, code) {
		t.Errorf("%s: the document has %q, the code %q", what, spec, code)
	}
}

// The published tables are those of the code.
func TestSpec(t *testing.T) {
	var listed []string
	for _, r := range openai.Routes {
		listed = append(listed, "POST "+r.Path)
	}
	var published []string
	for _, row := range specTable(t, "method") {
		published = append(published, row[0]+" "+row[1])
	}
	sameWords(t, "routes", published, listed)
	sameWords(t, "request fields", firstCells(specTable(t, "request field")), append(slices.Collect(maps.Keys(requestFields)), roundField))
	sameWords(t, "forms", firstCells(specTable(t, "form")), forms(t))

	var outcomes []string
	for o := OutcomeOK; o.String() != "unknown"; o++ {
		outcomes = append(outcomes, o.String())
	}
	sameWords(t, "outcomes", firstCells(specTable(t, "outcome")), outcomes)

	all := make(http.Header)
	for _, name := range firstCells(specTable(t, "answer field")) {
		all.Set(name, "1")
	}
	all.Set("Content-Type", backend.ContentJSON)
	all.Set("X-Ratelimit-Mark", "1")
	all.Set("Set-Cookie", "1")
	var pass []string
	for name := range backend.ResponseHeader(all) {
		pass = append(pass, strings.ToLower(name))
	}
	sameWords(t, "answer fields", firstCells(specTable(t, "answer field")), pass)

	text, err := os.ReadFile("../../docs/spec/tunnel.md")
	if err != nil {
		t.Fatal(err)
	}
	for name := range refusedFields {
		if !strings.Contains(string(text), "`"+name+"`") {
			t.Errorf("the document does not name the refused field %s", name)
		}
	}
}

// forms are the values of the constants of type Form.
func forms(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "protocol.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		if typ, ok := spec.Type.(*ast.Ident); ok && typ.Name == "Form" {
			s, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			values = append(values, s)
		}
		return true
	})
	return values
}

func TestSpecLimits(t *testing.T) {
	code := map[string]any{
		"MaxHead": MaxHead, "MaxFields": MaxFields, "MaxBody": body.MaxBody, "MaxChunk": MaxChunk, "MaxAnswer": MaxAnswer,
		"DialLimit": DialLimit, "OpenLimit": OpenLimit, "FirstTokenLimit": FirstTokenLimit, "AnswerGap": AnswerGap, "EndLimit": EndLimit, "MaxRound": MaxRound, "SettleLimit": SettleLimit,
		"MaxRequests": MaxRequests, "MaxStreams": MaxStreams, "HeadLimit": HeadLimit, "BodyLimit": BodyLimit,
		"WriteStall": WriteStall, "LingerLimit": LingerLimit, "DrainLimit": DrainLimit,
	}
	rows := specTable(t, "limit")
	if len(rows) != len(code) {
		t.Errorf("the document has %d limits, want %d", len(rows), len(code))
	}
	for _, row := range rows {
		if want := fmt.Sprint(code[row[0]]); row[1] != want {
			t.Errorf("limit %s = %s in the document, %s in the code", row[0], row[1], want)
		}
	}
}
