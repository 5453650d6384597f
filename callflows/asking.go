package callflows

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"tandem/messages"
)

// Elements that ask an HTTP server have their settings and their manners in common. The request is a command (Fetch), its
// answer an event (Fetched): what a call was told stands in its journal, so that a replay asks nobody.

// AskedFor says what an HTTP request is for.
type AskedFor string

// What flows ask HTTP servers for.
const (
	ForWebhook AskedFor = "webhook"
	ForLookup  AskedFor = "lookup"
	ForPivot   AskedFor = "pivot"
)

// Request is what Fetch asks.
type Request struct {
	Purpose  AskedFor `json:"purpose"`
	Method   string   `json:"method"` // GET or POST
	URL      string   `json:"url"`    // http or https, with nothing of the call's in its host
	Body     string   `json:"body,omitempty"`
	MaxBytes int      `json:"max_bytes"` // of the answer: a longer one is none
}

// Reply is what came of it.
type Reply struct {
	Status int    `json:"status,omitempty"` // of HTTP; 0 when there is none
	Body   string `json:"body,omitempty"`   // UTF-8
	Error  string `json:"error,omitempty"`  // why there is no answer, in words
}

// Bounds of asking.
const (
	MaxFetchSeconds = 10       // that an answer may take: nobody should hear silence for longer
	MaxFetched      = 8 << 10  // bytes of an answer
	MaxPivotBytes   = 16 << 10 // bytes of a flow that is fetched: it travels with the call's state
	maxURLBytes     = 1024     // of a URL, written out
	maxURLTemplate  = 512      // characters
	maxSent         = 10       // variables that one request tells of
)

// fetchURL is the form of a URL with templates: none in its scheme and host, and no user, so that nothing a caller says
// decides who is asked.
var fetchURL = regexp.MustCompile(`^https?://([A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|\[[0-9a-fA-F:.]{2,45}\])(:[0-9]{1,5})?` +
	`([/?]([^{}\p{C}\p{Z}#"<>\\^|]|\{(caller\.(number|name|device|trunk)|dialled|language|var\.[a-z][a-z0-9_]{0,31})\})*)?$`)

// askSettings are what every element that asks has among its settings.
type askSettings struct {
	URL     string   `json:"url"` // a template
	Method  string   `json:"method"`
	Seconds int      `json:"seconds"`
	Send    []string `json:"send"` // variables that the body tells of
}

// askMembers are their schemas.
func askMembers(purpose, method string, seconds int) []member {
	return []member{
		{name: "url", required: true, schema: schema{kind: textValue, max: maxURLTemplate, form: fetchURL,
			formWords: "a URL of http or https without user, blanks and #, in which after the host {caller.number}, {caller.name}, {caller.device}, {caller.trunk}, " +
				"{dialled}, {language} and {var.NAME} stand for what they name",
			description: "Where to ask " + purpose + ". It is kept in the call's journal: no place for secrets."}},
		{name: "method", schema: schema{kind: textValue, initial: method, oneOf: []any{"get", "post"},
			description: "post: the request tells of the call in a JSON object. get: it tells what the URL does."}},
		{name: "seconds", schema: schema{kind: wholeValue, initial: seconds, min: 1, max: MaxFetchSeconds, unit: "seconds",
			description: "How long the answer may take. Then it counts as none."}},
		{name: "send", schema: schema{kind: listValue, max: maxSent, items: &schema{kind: textValue, form: variableName,
			formWords: "1 to 32 lower-case letters, digits and _, beginning with a letter"},
			description: "Variables of the call that a post tells of. Others stay here: they may hold what the caller keyed."}},
	}
}

// request makes the command. It is false when the URL gets too long.
func (s *step) request(a askSettings, purpose AskedFor, limit int) (Command, bool) {
	r := &Request{Purpose: purpose, Method: strings.ToUpper(a.Method), URL: s.expandURL(a.URL), MaxBytes: limit}
	if len(r.URL) > maxURLBytes {
		return Command{}, false
	}
	if r.Method == "POST" {
		r.Body = s.document(purpose, a.Send)
	}
	return Command{Kind: Fetch, Fetch: r, Wait: time.Duration(a.Seconds) * time.Second}, true
}

// expandURL writes a URL out. Whatever is put in becomes part of a path or query and ends neither (RFC 3986 2.1).
func (s *step) expandURL(template string) string {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(template, "{")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		name, after, _ := strings.Cut(rest, "}")
		writeEscaped(&out, clip(s.value(name), MaxVariableBytes))
		template = after
	}
}

// writeEscaped writes a text in which only what RFC 3986 2.3 calls unreserved stands for itself.
func writeEscaped(out *strings.Builder, text string) {
	const hex = "0123456789ABCDEF"
	for i := range len(text) {
		switch c := text[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '.', c == '_', c == '~':
			out.WriteByte(c)
		default:
			out.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
}

// told is what a post says of the call.
type told struct {
	Purpose   AskedFor          `json:"purpose"`
	Call      string            `json:"call"`
	Tenant    string            `json:"tenant"`
	At        time.Time         `json:"at"`
	Caller    toldCaller        `json:"caller"`
	Dialled   string            `json:"dialled"`
	Language  string            `json:"language,omitempty"`
	Answered  bool              `json:"answered"`
	Variables map[string]string `json:"variables,omitempty"`
}

type toldCaller struct {
	Number string `json:"number"`
	Name   string `json:"name,omitempty"`
	Device string `json:"device,omitempty"`
	Trunk  string `json:"trunk,omitempty"`
}

func (s *step) document(purpose AskedFor, send []string) string {
	c, plain := &s.state.Call, func(text string) string { return clip(text, messages.MaxURI) } // as another worker has it
	doc := told{Purpose: purpose, Call: c.ID, Tenant: c.Tenant, At: s.event.At.UTC(), Dialled: plain(c.Dialled), Language: s.language(), Answered: s.state.Answered,
		Caller: toldCaller{Number: plain(c.Caller.Number), Name: plain(c.Caller.Name), Device: plain(c.Caller.Device), Trunk: plain(c.Caller.Trunk)}}
	for _, name := range send {
		if value, there := s.state.Variables[name]; there {
			if doc.Variables == nil {
				doc.Variables = map[string]string{}
			}
			doc.Variables[name] = plain(value)
		}
	}
	body, err := json.Marshal(doc)
	if err != nil {
		return "{}" // it is made of texts and a time of this century
	}
	return string(body)
}

// whom is a URL as it is told to people: without its query, which may hold what they need not see.
func whom(address string) string {
	address, _, _ = strings.Cut(address, "?")
	return clip(address, messages.MaxName)
}

// outcome says in words what came of a request.
func (r *Reply) outcome() string {
	switch {
	case r == nil:
		return "no answer"
	case r.Error != "":
		return clip(r.Error, messages.MaxName)
	}
	return "HTTP " + strconv.Itoa(r.Status)
}

// good says whether the server did what it was asked.
func (r *Reply) good() bool { return r != nil && r.Error == "" && r.Status >= 200 && r.Status < 300 }

// unasked notes the answer to a request that the element at work does not wait for.
func (s *step) unasked() {
	if !s.answers() {
		s.explain("http_answered", "outcome", s.event.Reply.outcome())
	}
}

// memberOf finds a text, number or truth value in a JSON document by its pointer (RFC 6901 section 4).
func memberOf(doc any, pointer string) (string, bool) {
	for part := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		part = strings.ReplaceAll(strings.ReplaceAll(part, "~1", "/"), "~0", "~")
		switch v := doc.(type) {
		case map[string]any:
			doc = v[part]
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(v) || strconv.Itoa(i) != part {
				return "", false
			}
			doc = v[i]
		default:
			return "", false
		}
	}
	switch v := doc.(type) {
	case string:
		return v, v != "" && utf8.ValidString(v)
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}

// readObject reads a JSON object.
func readObject(body string) (map[string]any, bool) {
	d := json.NewDecoder(strings.NewReader(body))
	d.UseNumber()
	var doc map[string]any
	if err := d.Decode(&doc); err != nil || doc == nil || d.More() {
		return nil, false
	}
	return doc, true
}
