// Package client asks Tandem's API. The types of requests and answers, and a method for each operation, are made of the API's document
// (`make generate`); what is here is what they have in common.
//
// Guarantees:
//   - What the API refuses is a *RefusedError, whatever the operation; any other error means that no answer was read.
//   - An answer that is larger than MaxAnswer is an error, not a part of it.
//   - Nothing is asked twice by itself. WithKey lets a caller repeat a change as often as he likes.
//
// It refuses to send its key in the clear to another server: redirects are not followed.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"time"
)

// MaxAnswer bounds an answer that is read, in bytes.
const MaxAnswer = 64 << 20

// maxRefusal bounds what a stream's refusal says, in bytes.
const maxRefusal = 1 << 20

// Client asks the API at one address. Its fields are set before it is used, and then left alone; it may be used by any number of goroutines.
type Client struct {
	// Server is where the API is, without a path: https://tandem.example.com.
	Server string
	// Key is an API key, or the token of a session; empty: only what needs none is answered.
	Key string
	// Wait bounds one request and its answer, but no stream; 0: as long as the context.
	Wait time.Duration
	// HTTP sends the requests; nil: http.DefaultTransport.
	HTTP http.RoundTripper
}

// Answer is what an operation answered.
type Answer[T any] struct {
	Body   T
	Raw    []byte // as it came
	Status int
	Header http.Header
}

// ETag names the state of the object that was answered, for If-Match; empty: the answer has none.
func (a *Answer[T]) ETag() string { return a.Header.Get("ETag") }

// RefusedError is an answer that says no.
type RefusedError struct {
	Problem
	Raw []byte // as it came
}

func (e *RefusedError) Error() string { return fmt.Sprintf("%s (%s)", e.Detail, e.Code) }

// Refused is the refusal in an error; nil: the API has not refused.
func Refused(err error) *RefusedError {
	var refused *RefusedError
	if errors.As(err, &refused) {
		return refused
	}
	return nil
}

// UnreadableError is an answer that is none of the API's, as that of a proxy.
type UnreadableError struct {
	Server, Status string
}

func (e *UnreadableError) Error() string { return e.Server + " answers " + e.Status }

type keyOfContext struct{}

// WithKey gives the next change an Idempotency-Key, a text of the caller's own such as a UUID: within 24 hours it is carried out once, however often it is sent.
func WithKey(ctx context.Context, key string) context.Context {
	return context.WithValue(ctx, keyOfContext{}, key)
}

// request is one operation's.
type request struct {
	method, path, kind string
	params             any // query and headers
	body               any // []byte: sent as it is
}

// ask sends a request and reads the answer.
func ask[T any](ctx context.Context, c *Client, r request) (*Answer[T], error) {
	if c.Wait > 0 {
		limited, cancel := context.WithTimeout(ctx, c.Wait)
		defer cancel()
		ctx = limited
	}
	response, err := c.send(ctx, r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, MaxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("client: read the answer: %w", err)
	}
	if len(text) > MaxAnswer {
		return nil, fmt.Errorf("client: the answer is larger than %d bytes", MaxAnswer)
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		return nil, c.refusal(response, text)
	}
	a := &Answer[T]{Raw: text, Status: response.StatusCode, Header: response.Header}
	switch into := any(&a.Body).(type) {
	case *[]byte:
		*into = text
	case *struct{}:
	default:
		if err := json.Unmarshal(text, into); err != nil {
			return nil, fmt.Errorf("client: read the answer: %w", err)
		}
	}
	return a, nil
}

// stream sends a request whose answer has no end. Who asks closes it; his context ends it too.
func stream(ctx context.Context, c *Client, r request) (io.ReadCloser, error) {
	response, err := c.send(ctx, r)
	if err != nil {
		return nil, err
	}
	if response.StatusCode < http.StatusMultipleChoices {
		return response.Body, nil
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxRefusal))
	if err != nil {
		return nil, fmt.Errorf("client: read the answer: %w", err)
	}
	return nil, c.refusal(response, text)
}

// refusal is what an answer that is none of success says.
func (c *Client) refusal(response *http.Response, text []byte) error {
	refused := &RefusedError{Raw: text}
	if json.Unmarshal(text, &refused.Problem) != nil || refused.Code == "" {
		return &UnreadableError{Server: c.Server, Status: response.Status}
	}
	return refused
}

func (c *Client) send(ctx context.Context, r request) (*http.Response, error) {
	body, isText := r.body.([]byte)
	if !isText && r.body != nil {
		var err error
		if body, err = json.Marshal(r.body); err != nil {
			return nil, fmt.Errorf("client: %w", err)
		}
	}
	sent, err := http.NewRequestWithContext(ctx, r.method, strings.TrimSuffix(c.Server, "/")+r.path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	if r.kind != "" {
		sent.Header.Set("Content-Type", r.kind)
	}
	if c.Key != "" {
		sent.Header.Set("Authorization", "Bearer "+c.Key)
	}
	if key, ok := ctx.Value(keyOfContext{}).(string); ok && r.method != http.MethodGet {
		sent.Header.Set("Idempotency-Key", key)
	}
	sent.URL.RawQuery = r.ask(sent.Header).Encode()
	client := http.Client{Transport: c.HTTP, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return client.Do(sent)
}

// ask gives the query that a request's parameters make, and adds its headers. What is its type's zero is not sent.
func (r request) ask(header http.Header) url.Values {
	query := url.Values{}
	if r.params == nil {
		return query
	}
	params := reflect.ValueOf(r.params)
	for i := range params.NumField() {
		field, value := params.Type().Field(i), params.Field(i)
		if value.IsZero() {
			continue
		}
		if name, _, _ := strings.Cut(field.Tag.Get("form"), ","); name != "" {
			query.Set(name, textOf(value))
			continue
		}
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		header.Set(name, textOf(value))
	}
	return query
}

// textOf is a parameter as it is sent: the items of a list with commas between them.
func textOf(value reflect.Value) string {
	switch v := value.Interface().(type) {
	case time.Time:
		return v.Format(time.RFC3339Nano)
	case []string:
		return strings.Join(v, ",")
	}
	return fmt.Sprint(value.Interface())
}

// at fills in a path.
func at(path string, of ...any) string {
	for _, one := range of {
		before, rest, _ := strings.Cut(path, "{")
		_, after, _ := strings.Cut(rest, "}")
		path = before + url.PathEscape(fmt.Sprint(one)) + after
	}
	return path
}
