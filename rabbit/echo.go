package rabbit

import (
	"bytes"
	"context"

	"tandem/messages"
)

// ServeEcho is the baseline of the benchmark of ServeRoutes: it consumes and publishes in the same way, but answers each
// request with the same rejection, without decoding, checking or deciding anything. It copies only what an edge needs
// to take the answer for its own. It must not serve real calls.
func (c *Client) ServeEcho(ctx context.Context, prefetch int) error {
	return c.serveRequests(ctx, prefetch, func(_ context.Context, body, _ []byte) (response, error) {
		server := member(body, `"Server-ID":`)
		if len(server) < 2 {
			return response{}, &messages.Refusal{Reason: "missing", Field: "Server-ID", Detail: "is required"}
		}
		reply := make([]byte, 0, 512)
		reply = append(reply, `{"Event-Category":"call","Event-Name":"route_resp","type":"route.answer.v1","verdict":"reject",`+
			`"call":"00000000-0000-0000-0000-000000000000","code":404,"phrase":"Not Found","t_index":`...)
		reply = append(reply, number(member(body, `"t_index":`))...)
		reply = append(reply, `,"t_label":`...)
		reply = append(reply, number(member(body, `"t_label":`))...)
		reply = append(reply, `,"call_id":`...)
		reply = append(reply, text(member(body, `"call_id":`))...)
		reply = append(reply, '}')
		return response{key: string(server[1 : len(server)-1]), body: reply}, nil
	})
}

// member returns the bytes of a string or number in a flat JSON object, as they stand there. name is the member's name
// with quotes and colon: inside a JSON string its quotes would be escaped, so that it cannot be found in a value.
func member(body []byte, name string) []byte {
	at := bytes.Index(body, []byte(name))
	if at < 0 {
		return nil
	}
	rest := bytes.TrimLeft(body[at+len(name):], " ")
	if len(rest) == 0 {
		return nil
	}
	if rest[0] != '"' {
		end := bytes.IndexAny(rest, ",} ")
		return rest[:max(end, 0)]
	}
	for i := 1; i < len(rest); i++ {
		switch rest[i] {
		case '\\':
			i++
		case '"':
			return rest[:i+1]
		}
	}
	return nil
}

func number(raw []byte) []byte {
	if len(raw) == 0 {
		return []byte("0")
	}
	return raw
}

func text(raw []byte) []byte {
	if len(raw) == 0 {
		return []byte(`""`)
	}
	return raw
}
