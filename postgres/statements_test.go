package postgres

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

var statementForm = regexp.MustCompile(`^(SELECT|INSERT|UPDATE|DELETE|WITH)\s`)

// minStatements guards the test against finding nothing.
const minStatements = 40

// Every statement of the package fits the migrated schema: PostgreSQL plans each without running it.
func TestEveryStatementIsPreparedAgainstTheSchema(t *testing.T) {
	s := newStore(t)
	statements := statementsOf(t, ".")
	if len(statements) < minStatements {
		t.Fatalf("found %d statements, fewer than %d: are they still raw string literals?", len(statements), minStatements)
	}
	conn, err := s.pool.Acquire(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	for where, sql := range statements {
		ordinal, _, err := pgx.NamedArgs{}.RewriteQuery(t.Context(), nil, sql, nil)
		if err != nil {
			t.Fatalf("%s: %v", where, err)
		}
		if _, err := conn.Conn().Prepare(t.Context(), "", ordinal); err != nil {
			t.Errorf("%s: %v", where, err)
		}
	}
}

// statementsOf collects the raw string literals of a package that are SQL, by file and line.
func statementsOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	found, files := map[string]string{}, token.NewFileSet()
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(files, e.Name(), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			literal, ok := n.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING || literal.Value[0] != '`' {
				return true
			}
			if sql := strings.TrimSpace(strings.Trim(literal.Value, "`")); statementForm.MatchString(sql) {
				at := files.Position(literal.Pos())
				found[fmt.Sprintf("%s:%d", at.Filename, at.Line)] = sql
			}
			return true
		})
	}
	return found
}
