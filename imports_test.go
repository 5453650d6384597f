// Package tandem_test holds the direction of imports: what docs/ARCHITECTURE.md says about folders, as a test.
package tandem_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// kind says what a folder at the root may be to the others.
type kind int

const (
	pure    kind = iota // decides: no I/O, no clock, no log, no goroutine; imports pure folders alone
	adapter             // speaks to one thing outside; imports pure folders, and no other adapter but by adapterExceptions
	support             // serves tests alone
	command             // puts all together; nothing imports it
)

// folders lists every folder at the root that holds Go code. A new one is entered here first.
func folders() map[string]kind {
	return map[string]kind{
		"because": pure, "billing": pure, "callflows": pure, "explain": pure, "messages": pure, "numbers": pure, "reach": pure, "routing": pure, "tenants": pure, "versions": pure, "webhooks": pure,
		"admin": adapter, "deliver": adapter, "directory": adapter, "esl": adapter, "freeswitch-conf": adapter, "kamailio-conf": adapter, "migrations": adapter,
		"fetch": adapter, "media": adapter, "nodes": adapter, "postgres": adapter, "provisioning": adapter, "rabbit": adapter, "stack": adapter,
		"sipptest": support,
		"cmd":      command,
	}
}

// purePackages are packages within folders of another kind that are pure all the same: they import nothing of the repository but pure
// folders, and do no I/O.
func purePackages() []string { return []string{"provisioning/phones"} }

// pure says whether a file's package is.
func (s source) pure() bool {
	return folders()[s.folder] == pure || slices.Contains(purePackages(), filepath.ToSlash(filepath.Dir(s.path)))
}

// exception lets one folder import another against the rule.
type exception struct {
	from, to  string
	testsOnly bool
	reason    string
}

func adapterExceptions() []exception {
	return []exception{
		{"nodes", "esl", false, "a media node is driven over its event socket: its events and typed commands are the language of nodes"},
		{"postgres", "migrations", false, "the files of the schema are run by the package that owns the connection"},
		{"provisioning", "postgres", false, "a use case is one transaction, and the store has a method for each"},
		{"sipptest", "stack", false, "SIPp is found and started as the other instances of a test run are"},
		{"esl", "freeswitch-conf", true, "the conformance suite starts a real FreeSWITCH with the configuration that is shipped"},
		{"nodes", "freeswitch-conf", true, "claims are tried on a real FreeSWITCH with the configuration that is shipped"},
		{"*", "stack", true, "a test that needs a real part gets it from stack"},
		{"*", "sipptest", true, "a test that needs a phone gets it from sipptest"},
	}
}

// impureImports are what no pure folder may import from the standard library; what begins with one of them and "/" too.
func impureImports() []string {
	return []string{"net", "os", "io/fs", "io/ioutil", "syscall", "log", "database", "plugin", "runtime", "testing", "expvar", "flag",
		"context", "sync", "crypto/rand", "crypto/tls", "math/rand", "unsafe", "embed", "path/filepath", "text/template", "html/template"}
}

// pureImports are exceptions to impureImports: no I/O in spite of their names. Of math/rand/v2 that holds for generators
// with a seed of their own, see impureCalls.
func pureImports() []string { return []string{"net/netip", "net/url", "math/rand/v2"} }

// rememberers are pure folders that keep what they have worked out already, and may be asked by several at once: what they answer is the
// same in whatever order they are asked.
func rememberers() map[string][]string {
	return map[string][]string{"tenants": {"sync", "sync/atomic"}} // flows that were read from the packed form
}

// impureCalls are what no pure folder may call from packages that are pure otherwise.
func impureCalls() map[string][]string {
	return map[string][]string{
		"time": {"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"},
		"fmt":  {"Print", "Printf", "Println", "Scan", "Scanf", "Scanln"},
		"math/rand/v2": {"Int", "IntN", "Int32", "Int32N", "Int64", "Int64N", "Uint", "UintN", "Uint32", "Uint32N", "Uint64", "Uint64N", "N",
			"Float32", "Float64", "ExpFloat64", "NormFloat64", "Perm", "Shuffle"}, // these draw from the system's randomness
	}
}

// source is one Go file of the repository.
type source struct {
	path   string // from the root
	folder string // the first part of path
	test   bool
	file   *ast.File
	at     func(ast.Node) string
}

// sources parses every Go file below the root's folders.
func sources(t *testing.T) []source {
	t.Helper()
	files := token.NewFileSet()
	var all []source
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "node_modules") {
			return filepath.SkipDir
		}
		folder, _, below := strings.Cut(filepath.ToSlash(path), "/")
		if d.IsDir() || !strings.HasSuffix(path, ".go") || !below {
			return nil
		}
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		all = append(all, source{path: path, folder: folder, test: strings.HasSuffix(path, "_test.go"), file: file,
			at: func(n ast.Node) string { return files.Position(n.Pos()).String() }})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 50 {
		t.Fatalf("only %d files are found: the search is broken", len(all))
	}
	return all
}

// imports gives the paths that a file imports, by the node that says so.
func (s source) imports() map[*ast.ImportSpec]string {
	all := map[*ast.ImportSpec]string{}
	for _, spec := range s.file.Imports {
		all[spec], _ = strconv.Unquote(spec.Path.Value)
	}
	return all
}

// names gives what a file imports by the name that it uses for it.
func (s source) names() map[string]string {
	all := map[string]string{}
	for spec, path := range s.imports() {
		name := strings.TrimSuffix(path, "/v2") // a major version is no name
		name = name[strings.LastIndexByte(name, '/')+1:]
		if spec.Name != nil {
			name = spec.Name.Name
		}
		all[name] = path
	}
	return all
}

// ours gives the folder of this repository that an import names, or "".
func ours(path string) string {
	rest, ok := strings.CutPrefix(path, "tandem/")
	if !ok {
		return ""
	}
	folder, _, _ := strings.Cut(rest, "/")
	return folder
}

func TestEveryFolderHasItsPlace(t *testing.T) {
	known, said := folders(), map[string]bool{}
	for _, s := range sources(t) {
		if _, ok := known[s.folder]; !ok && !said[s.folder] {
			said[s.folder] = true
			t.Errorf("%s is in none of the kinds of folders() in this test", s.folder)
		}
	}
}

func TestFoldersImportInOneDirection(t *testing.T) {
	known := folders()
	used := map[exception]bool{}
	for _, s := range sources(t) {
		for spec, path := range s.imports() {
			to := ours(path)
			if to == "" || to == s.folder {
				continue
			}
			e, excepted := exceptionFor(s, to)
			if excepted {
				used[e] = true
			}
			if why := refused(known, s, to); why != "" && !excepted {
				t.Errorf("%s: %s imports %s: %s", s.at(spec), s.folder, to, why)
			}
		}
	}
	for _, e := range adapterExceptions() {
		if !used[e] {
			t.Errorf("nothing needs the exception that %s may import %s any more", e.from, e.to)
		}
	}
}

// refused says why a file of one folder may not import another folder, or "".
func refused(known map[string]kind, s source, to string) string {
	from, target := known[s.folder], known[to]
	switch {
	case target == command:
		return "nothing imports a command"
	case from == command || target == pure:
		return ""
	case target == support:
		return "it serves tests alone"
	case from == pure:
		return "a pure folder imports pure folders alone"
	}
	return "adapters do not know each other; they meet in cmd, or through a small interface of the one that needs the other"
}

func exceptionFor(s source, to string) (exception, bool) {
	for _, e := range adapterExceptions() {
		if (e.from == s.folder || e.from == "*") && e.to == to && (s.test || !e.testsOnly) && folders()[s.folder] != pure {
			return e, true
		}
	}
	return exception{}, false
}

func TestPureFoldersImportNothingThatDoesIO(t *testing.T) {
	for _, s := range sources(t) {
		if !s.pure() || s.test {
			continue
		}
		for spec, path := range s.imports() {
			first, _, _ := strings.Cut(path, "/")
			switch {
			case first == "tandem" && folders()[ours(path)] != pure && folders()[s.folder] != pure:
				t.Errorf("%s: %s imports %s, which is not pure", s.at(spec), s.path, path)
			case first == "tandem":
			case strings.Contains(first, "."):
				t.Errorf("%s: %s imports %s, which is not of the standard library", s.at(spec), s.folder, path)
			case impure(path) && !slices.Contains(rememberers()[s.folder], path):
				t.Errorf("%s: %s imports %s", s.at(spec), s.folder, path)
			}
		}
	}
}

func impure(path string) bool {
	for _, p := range pureImports() {
		if path == p {
			return false
		}
	}
	for _, p := range impureImports() {
		if path == p || strings.HasPrefix(path, p+"/") {
			return true
		}
	}
	return false
}

func TestPureFoldersHaveNoClockAndNoGoroutine(t *testing.T) {
	for _, s := range sources(t) {
		if !s.pure() || s.test {
			continue
		}
		names := s.names()
		if _, dot := names["."]; dot {
			t.Errorf("%s: a dot import hides what is called", s.path)
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				t.Errorf("%s: %s starts a goroutine", s.at(n), s.folder)
			case *ast.SelectStmt, *ast.SendStmt, *ast.ChanType:
				t.Errorf("%s: %s uses a channel", s.at(n), s.folder)
			case *ast.FuncDecl:
				if n.Name.Name == "init" && n.Recv == nil {
					t.Errorf("%s: %s has an init", s.at(n), s.folder)
				}
			case *ast.CallExpr:
				if id, ok := n.Fun.(*ast.Ident); ok && (id.Name == "print" || id.Name == "println") {
					t.Errorf("%s: %s calls %s", s.at(n), s.folder, id.Name)
				}
			case *ast.SelectorExpr: // a call, or the function as a value
				x, ok := n.X.(*ast.Ident)
				if !ok {
					return true
				}
				for _, name := range impureCalls()[names[x.Name]] {
					if n.Sel.Name == name {
						t.Errorf("%s: %s uses %s.%s", s.at(n), s.folder, names[x.Name], name)
					}
				}
			}
			return true
		})
	}
}
