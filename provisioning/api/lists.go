package api

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"

	"tandem/postgres"
)

// ListInput is what every list takes besides its filters.
type ListInput struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many at most."`
	Cursor string `query:"cursor" maxLength:"4096" doc:"next of the page before."`
	Sort   string `query:"sort" maxLength:"64" doc:"Field to sort by, with - before it for the last first."`
}

// Query makes the store's question of it. where are filters; empty ones do not count.
func (l ListInput) Query(where map[string]string) postgres.Query {
	q := postgres.Query{Sort: l.Sort, Cursor: l.Cursor, Limit: l.Limit, Where: map[string]string{}}
	for name, value := range where {
		if value != "" {
			q.Where[name] = value
		}
	}
	return q
}

// PageBody is a page of a list.
type PageBody[T any] struct {
	Items []T    `json:"items" nullable:"false"`
	Next  string `json:"next,omitempty" doc:"Cursor of the next page; absent on the last."`
}

// PageOutput answers with a page.
type PageOutput[T any] struct{ Body PageBody[T] }

// PageOf makes an answer of a page.
func PageOf[T any](p postgres.Page[T], err error) (*PageOutput[T], error) {
	if err != nil {
		return nil, err
	}
	return &PageOutput[T]{Body: PageBody[T](p)}, nil
}

// One answers with a single object and its entity tag.
type One[T any] struct {
	ETag string `header:"ETag" doc:"Names this state of the object; send it in If-Match."`
	Body T
}

// OneOf makes such an answer.
func OneOf[T any](v T, err error) (*One[T], error) {
	if err != nil {
		return nil, err
	}
	return &One[T]{ETag: Tag(v), Body: v}, nil
}

// None answers with nothing.
type None struct{}

// Tag is the entity tag of a value that is answered as JSON (RFC 9110 8.8.3).
func Tag(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return `""` // what is answered can be written
	}
	const enough = 12 // bytes
	sum := sha256.Sum256(text)
	return `"` + hex.EncodeToString(sum[:enough]) + `"`
}

// Conditional are the preconditions of a change (RFC 9110 13.1).
type Conditional struct {
	IfMatch     string `header:"If-Match" maxLength:"512" doc:"Entity tag that the object must still have; * asks that it exists."`
	IfNoneMatch string `header:"If-None-Match" maxLength:"512" doc:"* asks that the object does not exist yet."`
}

// Holds says whether the preconditions hold for the object as it is, nil when there is none.
func (c Conditional) Holds(current any) bool {
	if c.IfNoneMatch != "" && current != nil && (c.IfNoneMatch == "*" || tagged(c.IfNoneMatch, Tag(current))) {
		return false
	}
	return c.IfMatch == "" || current != nil && (c.IfMatch == "*" || tagged(c.IfMatch, Tag(current)))
}

func tagged(header, tag string) bool {
	for one := range strings.SplitSeq(header, ",") {
		if strings.TrimSpace(one) == tag {
			return true
		}
	}
	return false
}
