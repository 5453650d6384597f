package routing

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var placeholder = regexp.MustCompile(`\{([^}|]*)[^}]*\}`)

// TestEveryReasonHasWordsAndTheArgumentsThatTheyName reads the source: each explain, reject and because.New.
func TestEveryReasonHasWordsAndTheArgumentsThatTheyName(t *testing.T) {
	words, given := Reasons(), map[string]bool{}
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	files := gotoken.NewFileSet()
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(files, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || call.Ellipsis.IsValid() {
				return true
			}
			f, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			first := map[string]int{"explain": 0, "New": 0, "reject": 5} // where the code stands
			at, ok := first[f.Sel.Name]
			if x, named := f.X.(*ast.Ident); !ok || !named || x.Name != "d" && x.Name != "because" {
				return true
			}
			var texts []string
			for i, a := range call.Args[at:] {
				if i > 0 && i%2 == 0 {
					continue // a value
				}
				lit, ok := a.(*ast.BasicLit)
				if !ok {
					t.Fatalf("%v: a code or the name of an argument is not written out", files.Position(call.Pos()))
				}
				text, _ := strconv.Unquote(lit.Value)
				texts = append(texts, text)
			}
			code, args := texts[0], texts[1:]
			given[code] = true
			if len(call.Args[at:])%2 == 0 {
				t.Errorf("%s has a name without a value", code)
			}
			var named []string
			for _, m := range placeholder.FindAllStringSubmatch(words[code], -1) {
				named = append(named, m[1])
			}
			slices.Sort(named)
			slices.Sort(args)
			if words[code] == "" || !slices.Equal(slices.Compact(named), args) {
				t.Errorf("%v: %s with %v is said as %q", files.Position(call.Pos()), code, args, words[code])
			}
			return true
		})
	}
	if len(given) < 15 {
		t.Errorf("only %d reasons are found in the source: the search is broken", len(given))
	}
	for code := range words {
		if !given[code] {
			t.Errorf("nothing gives %s", code)
		}
	}
}
