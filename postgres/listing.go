package postgres

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"github.com/jackc/pgx/v5/pgconn"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// MaxPage bounds how many items of a list are given at once.
const MaxPage = 200

// ErrNotNewest says that something has happened to an object since.
var ErrNotNewest = errors.New("postgres: not the newest change of it")

// ErrBadList says that a list was asked for by a field that it is not to be had by, or with a cursor that is not of it.
var ErrBadList = errors.New("postgres: the list cannot be had so")

// Field is a member by which a list can be filtered and sorted.
type Field struct {
	Column string // of Listing.From
	Type   string // SQL type that a filter's text is read as; empty: text
	// Match is the operator of a filter, "=" unless it says otherwise: ">=" and the like.
	Match string
	// FilterOnly fields do not sort: few rows differ in them, or they may be NULL.
	FilterOnly bool
}

// Listing is a list of T that can be had page by page. All its texts are constants of the program.
type Listing[T any] struct {
	Columns string           // what is selected; members of T are scanned by their db tags
	From    string           // from which tables, joins included
	Where   string           // a condition that always holds; empty: none
	Fields  map[string]Field // by name in the API
	Key     string           // name of the field that no two rows share
}

// Query says which part of a list is asked for.
type Query struct {
	Where  map[string]string // field to value
	Sort   string            // field, with - before it for the last first; empty: the listing's key
	Cursor string            // Page.Next of the page before; empty: from the first
	Limit  int               // 1 to MaxPage; 0: a quarter of that
}

// Page is a part of a list.
type Page[T any] struct {
	Items []T
	Next  string // empty: there are no more
}

// cursor is where a page ends: the sort that it is of, and the last row's values.
type cursor struct {
	Sort string `json:"s"`
	Last string `json:"l"`
	Key  string `json:"k"`
}

// List reads a page. ErrBadList when the query does not fit.
func List[T any](ctx context.Context, s *Store, l Listing[T], q Query) (Page[T], error) {
	sql, args, limit, err := l.statement(q)
	if err != nil {
		return Page[T]{}, err
	}
	type row struct {
		Item T
		Last string
		Key  string
	}
	rows, err := s.pool.Query(ctx, sql, args)
	if err != nil {
		return Page[T]{}, listError(err)
	}
	found, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (row, error) {
		var one row
		item, err := pgx.RowToStructByNameLax[T](trimmed{r, &one.Last, &one.Key})
		one.Item = item
		return one, err
	})
	if err != nil {
		return Page[T]{}, listError(err)
	}
	p := Page[T]{Items: make([]T, 0, min(len(found), limit))}
	for _, r := range found[:min(len(found), limit)] {
		p.Items = append(p.Items, r.Item)
	}
	if len(found) > limit {
		last := found[limit-1]
		text, err := json.Marshal(cursor{Sort: q.Sort, Last: last.Last, Key: last.Key})
		if err != nil {
			return p, err
		}
		p.Next = base64.RawURLEncoding.EncodeToString(text)
	}
	return p, nil
}

// listError tells a filter or cursor that is no value of its field's type from a fault.
func listError(err error) error {
	if IsRefused(err) {
		return fmt.Errorf("%w: a value is not of its field's kind", ErrBadList)
	}
	return fmt.Errorf("postgres: list: %w", err)
}

// trimmed is a row without its last two columns, which are read into last and key.
type trimmed struct {
	pgx.CollectableRow
	last, key *string
}

const trimmedColumns = 2

func (t trimmed) FieldDescriptions() []pgconn.FieldDescription {
	all := t.CollectableRow.FieldDescriptions()
	return all[:len(all)-trimmedColumns]
}

func (t trimmed) Scan(dest ...any) error {
	return t.CollectableRow.Scan(append(dest, t.last, t.key)...)
}

// statement is the SQL of a page. Every part of it is a constant of the program; what the asker said is in the arguments.
func (l Listing[T]) statement(q Query) (string, pgx.StrictNamedArgs, int, error) {
	limit := q.Limit
	if limit <= 0 {
		limit = MaxPage / 4
	}
	limit = min(limit, MaxPage)
	args := pgx.StrictNamedArgs{"limit": limit + 1}
	sort, down := strings.CutPrefix(cmp.Or(q.Sort, l.Key), "-")
	by, ok := l.Fields[sort]
	if !ok || by.FilterOnly {
		return "", nil, 0, fmt.Errorf("%w: it does not sort by %q", ErrBadList, sort)
	}
	key := l.Fields[l.Key]
	var where []string
	if l.Where != "" {
		where = append(where, l.Where)
	}
	for _, name := range slices.Sorted(maps.Keys(q.Where)) {
		f, ok := l.Fields[name]
		if !ok {
			return "", nil, 0, fmt.Errorf("%w: it does not filter by %q", ErrBadList, name)
		}
		where = append(where, fmt.Sprintf("%s %s @%s::text::%s", f.Column, cmp.Or(f.Match, "="), "where_"+name, cmp.Or(f.Type, "text")))
		args["where_"+name] = text(q.Where[name])
	}
	direction, beyond := "ASC", ">"
	if down {
		direction, beyond = "DESC", "<"
	}
	if q.Cursor != "" {
		c, err := readCursor(q)
		if err != nil {
			return "", nil, 0, err
		}
		where = append(where, fmt.Sprintf("(%s, %s) %s (@after_last::text::%s, @after_key::text::%s)", by.Column, key.Column, beyond,
			cmp.Or(by.Type, "text"), cmp.Or(key.Type, "text")))
		args["after_last"], args["after_key"] = text(c.Last), text(c.Key)
	}
	sql := strings.Builder{}
	fmt.Fprintf(&sql, "SELECT %s, (%s)::text AS last_of_page, (%s)::text AS key_of_page FROM %s", l.Columns, by.Column, key.Column, l.From)
	if len(where) > 0 {
		sql.WriteString(" WHERE " + strings.Join(where, " AND "))
	}
	fmt.Fprintf(&sql, " ORDER BY %s %s, %s %s LIMIT @limit", by.Column, direction, key.Column, direction)
	return sql.String(), args, limit, nil
}

// maxCursor bounds a cursor, in bytes.
const maxCursor = 4096

func readCursor(q Query) (cursor, error) {
	var c cursor
	if len(q.Cursor) > maxCursor {
		return c, fmt.Errorf("%w: the cursor is not of this list", ErrBadList)
	}
	raw, err := base64.RawURLEncoding.DecodeString(q.Cursor)
	if err != nil || json.Unmarshal(raw, &c) != nil || c.Sort != q.Sort {
		return c, fmt.Errorf("%w: the cursor is not of this list", ErrBadList)
	}
	return c, nil
}
