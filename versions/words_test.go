package versions

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var placeholder = regexp.MustCompile(`\{([^}|]*)[^}]*\}`)

func TestEveryChangeHasWordsAndTheArgumentsThatTheyName(t *testing.T) {
	words, given := Catalog(), map[string]bool{}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		at := token.NewFileSet()
		file, err := parser.ParseFile(at, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if f, ok := call.Fun.(*ast.SelectorExpr); !ok || f.Sel.Name != "say" {
				return true
			}
			code, args := literals(t, at.Position(call.Pos()), call.Args[1:])
			given[code] = true
			var named []string
			for _, m := range placeholder.FindAllStringSubmatch(words[code], -1) {
				named = append(named, m[1])
			}
			slices.Sort(named)
			slices.Sort(args)
			if !slices.Equal(named, args) || !strings.HasSuffix(words[code], ".") {
				t.Errorf("%v: %s is said as %q, with %v", at.Position(call.Pos()), code, words[code], args)
			}
			return true
		})
	}
	for code := range words {
		if !given[code] {
			t.Errorf("nothing says %s", code)
		}
	}
}

// literals reads a code and the names of its arguments.
func literals(t *testing.T, at token.Position, args []ast.Expr) (code string, names []string) {
	t.Helper()
	for i, a := range args {
		if i > 0 && i%2 == 0 {
			continue // a value
		}
		lit, ok := a.(*ast.BasicLit)
		if !ok {
			t.Fatalf("%v: a code or the name of an argument is not written out", at)
		}
		text, err := strconv.Unquote(lit.Value)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			code = text
		} else {
			names = append(names, text)
		}
	}
	return code, names
}
