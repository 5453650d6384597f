package callflows

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

// use is one place in the source that gives a reason.
type use struct {
	at   token.Position
	code string
	args []string
}

// uses finds every because.New and s.explain of this package, and of package nodes, which drives it.
func uses(t *testing.T) []use {
	t.Helper()
	var all []use
	for _, folder := range []string{".", "../nodes"} {
		names, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if !strings.HasSuffix(name, "_test.go") {
				all = append(all, usesIn(t, name)...)
			}
		}
	}
	return all
}

func usesIn(t *testing.T, name string) []use {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var all []use
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || call.Ellipsis.IsValid() {
			return true
		}
		if f, ok := call.Fun.(*ast.SelectorExpr); ok && (isNamed(f.X, "s") && f.Sel.Name == "explain" || f.Sel.Name == "New" && isNamed(f.X, "because")) {
			all = append(all, readUse(t, files.Position(call.Pos()), call.Args))
		}
		return true
	})
	return all
}

func isNamed(e ast.Expr, name string) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == name
}

func readUse(t *testing.T, at token.Position, args []ast.Expr) use {
	t.Helper()
	u := use{at: at}
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
			u.code = text
			continue
		}
		u.args = append(u.args, text)
	}
	if len(args)%2 == 0 {
		t.Errorf("%v: %s has a name without a value", at, u.code)
	}
	return u
}

var placeholder = regexp.MustCompile(`\{([^}|]*)[^}]*\}`)

func TestEveryReasonHasWordsAndTheArgumentsThatTheyName(t *testing.T) {
	words, err := Reasons()
	if err != nil {
		t.Fatal(err)
	}
	given := map[string]bool{}
	for _, u := range uses(t) {
		given[u.code] = true
		template, ok := words[u.code]
		if !ok {
			t.Errorf("%v: %s has no words", u.at, u.code)
			continue
		}
		var named []string
		for _, m := range placeholder.FindAllStringSubmatch(template, -1) {
			named = append(named, m[1])
			if !slices.Contains(u.args, m[1]) {
				t.Errorf("%v: %s is said as %q and lacks %s", u.at, u.code, template, m[1])
			}
		}
		for _, a := range u.args {
			if a == "code" {
				t.Errorf("%v: %s has an argument of the name that its code has in JSON", u.at, u.code)
			}
			goesOn := slices.Contains(u.args, "flow_id") // with another flow: words name it, a canvas finds it and its element by their ids
			if goesOn && (a == "flow_id" || a == "element") {
				continue
			}
			if !slices.Contains(named, a) {
				t.Errorf("%v: %s gives %s, which its words %q do not say", u.at, u.code, a, template)
			}
		}
	}
	if len(given) < 40 {
		t.Errorf("only %d reasons are found in the source: the search is broken", len(given))
	}
	for code, template := range words {
		if !given[code] {
			t.Errorf("nothing gives %s", code)
		}
		if !strings.HasSuffix(template, ".") {
			t.Errorf("%s is no sentence: %q", code, template)
		}
	}
}
