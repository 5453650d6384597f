// Package because holds reasons: why a decision was taken, as a code with arguments.
//
// A Reason is cheap to make and to keep on every call; words are made when somebody reads it. The packages that decide
// (routing, callflows) each declare the Catalog of the codes they use, and a test in each proves that every code which
// can be given has words.
//
// The package does no I/O and keeps no state.
package because

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Reason is one thing that was tried, chosen or rejected, and why.
type Reason struct {
	Code string // stable, lower case, words joined by "_": "number_unknown"
	Args Args
}

// Args are alternating names and values: "number", "101", "tenant", "Demo".
type Args []string

// New makes a reason. Arguments are alternating names and values; an odd last name gets an empty value.
func New(code string, args ...string) Reason { return Reason{Code: code, Args: args} }

// Get returns the value of a named argument, or "".
func (a Args) Get(name string) string {
	for i := 0; i+1 < len(a); i += 2 {
		if a[i] == name {
			return a[i+1]
		}
	}
	return ""
}

// UnmarshalJSON reads what MarshalJSON wrote. The order of the arguments is that of their names.
func (r *Reason) UnmarshalJSON(b []byte) error {
	var m map[string]string
	if err := json.Unmarshal(b, &m); err != nil {
		return fmt.Errorf("because: %w", err)
	}
	r.Code, r.Args = m["code"], nil
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if name != "code" {
			r.Args = append(r.Args, name, m[name])
		}
	}
	return nil
}

// Catalog gives each code its words. "{name}" stands for an argument; "{name|one|many}" for an argument that is a count,
// and the word that goes with it: "{seconds|second|seconds}" is "1 second" or "20 seconds".
type Catalog map[string]string

// Words says a reason in a sentence. A code that the catalog lacks (written by a newer release) is said by its code and
// arguments rather than hidden.
func (c Catalog) Words(r Reason) string {
	template, known := c[r.Code]
	if !known {
		return r.Code + " " + strings.Join(r.Args, " ")
	}
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(template, "{")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return out.String()
		}
		name, words, counted := strings.Cut(name, "|")
		value := r.Args.Get(name)
		out.WriteString(value)
		if counted {
			out.WriteString(" " + plural(value, words))
		}
		template = after
	}
}

// plural picks the word that goes with a count: the first of "one|many" for 1, the second for all else.
func plural(count, words string) string {
	one, many, _ := strings.Cut(words, "|")
	if count == "1" {
		return one
	}
	return many
}

// Merge joins catalogs. A code that two of them hold with different words is a programming error and is reported.
func Merge(catalogs ...Catalog) (Catalog, error) {
	all := Catalog{}
	for _, c := range catalogs {
		for code, words := range c {
			if had, ok := all[code]; ok && had != words {
				return nil, fmt.Errorf("because: code %q has two meanings", code)
			}
			all[code] = words
		}
	}
	return all, nil
}
