package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tandem/provisioning/api"
)

// updateExamples writes what the worker answers into the examples. Whoever uses it reads what has changed.
var updateExamples = flag.Bool("update-examples", false, "write the worker's answers into provisioning/api/examples")

// shownItems is how many items of a list an example shows.
const shownItems = 2

// record keeps an answer for the examples.
func (c *contract) record(t *testing.T, r *contractRequest, got contractAnswer) {
	if !*updateExamples || t.Failed() || r.exchange.Answer == nil {
		return
	}
	if c.answers == nil {
		c.answers = map[string]json.RawMessage{}
	}
	if r.exchange.AnswerKind != "application/json" || !json.Valid(got.body) {
		text, err := marshal(c.plain(r, string(got.body)))
		must(t, err)
		c.answers[r.op.OperationID] = text
		return
	}
	var value any
	d := json.NewDecoder(bytes.NewReader(got.body))
	d.UseNumber()
	must(t, d.Decode(&value))
	text, err := marshal(c.tidy(r, "", value))
	must(t, err)
	c.answers[r.op.OperationID] = text
}

// tidy makes an answer what it would be elsewhere: without this world's ids, times, addresses and secrets.
func (c *contract) tidy(r *contractRequest, name string, value any) any {
	switch v := value.(type) {
	case map[string]any:
		for key, member := range v {
			v[key] = c.tidy(r, key, member)
		}
	case []any:
		if name == "items" || name == "calls" || name == "trunks" {
			v = v[:min(len(v), shownItems)]
		}
		for i, item := range v {
			v[i] = c.tidy(r, name, item)
		}
		return v
	case string:
		switch name {
		case "expires_at", "until", "lease_until":
			return "2030-01-31T12:00:00Z"
		case "scheduled_on", "wanted_on", "on":
			return "2030-01-31"
		case "from":
			if v == "Ada's" {
				return api.PathExamples()["caller"]
			}
		case "to":
			if v == "Ada's" {
				return api.PathExamples()["dialled"]
			}
		case "password", "pin":
			return "shown-once"
		case "request":
			return "k7fq2mzr4x1c"
		case "secret":
			return regexp.MustCompile(`[A-Z2-7]{16,}|[A-Za-z0-9+/=]{24,}$`).ReplaceAllString(v, "SHOWNONCE")
		}
		return c.plain(r, v)
	}
	return value
}

// plain does so with a text.
func (c *contract) plain(r *contractRequest, text string) string {
	for _, ids := range []map[string]string{r.ids, c.own} {
		for name, id := range ids {
			if example := cmp.Or(c.examples[r.op.OperationID].Path[name], api.PathExamples()[name]); example != "" && len(id) > len("1234") && id != example {
				text = strings.ReplaceAll(text, id, example)
			}
		}
	}
	for _, change := range []struct{ what, to string }{
		{`\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)`, "2026-03-02T09:30:00Z"},
		{`\b127\.0\.\d+\.\d+(:\d+)?`, "192.0.2.10"},
		{`\btd[mso]_[A-Z2-7]{16,}`, "tdm_SHOWNONCE"},
		{`(secret=)[A-Z2-7]{16,}`, "${1}SHOWNONCE"},
		{`(/provision/)[a-z0-9]{16,}`, "${1}SHOWNONCE"},
		{`\b(worker1)\.[A-Z0-9]{8}\b`, "${1}"},
		{`\bcompany\d+\b`, "ada"},
		{`\+4930123\d{5}\b`, api.PathExamples()["number"]},
		{`\b(tenant|person|phone|trunk|list|flow|schedule|order)-\d+\b`, "${1}-1"},
	} {
		text = regexp.MustCompile(change.what).ReplaceAllString(text, change.to)
	}
	known := slices.Collect(maps.Values(api.PathExamples()))
	return regexp.MustCompile(`\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b`).ReplaceAllStringFunc(text, func(id string) string {
		if slices.Contains(known, id) {
			return id
		}
		return "0b8f5a52-51f2-4c3e-9a37-6d1f0e6a7b09"
	})
}

// write writes the examples with the answers that were kept, a file for each tag.
func (c *contract) write(t *testing.T) {
	if !*updateExamples || len(c.answers) == 0 {
		return
	}
	all, err := api.Examples()
	must(t, err)
	files := map[string]map[string]api.Example{}
	for _, op := range c.operations() {
		example := all[op.OperationID]
		if answer := c.answers[op.OperationID]; answer != nil {
			example.Answer = answer
		}
		file := "other"
		if len(op.Tags) > 0 {
			file = op.Tags[0]
		}
		if files[file] == nil {
			files[file] = map[string]api.Example{}
		}
		files[file][op.OperationID] = example
	}
	for name, examples := range files {
		var out bytes.Buffer
		out.WriteString("{")
		for i, id := range slices.Sorted(maps.Keys(examples)) {
			out.WriteString(map[bool]string{true: ",", false: ""}[i > 0] + "\n  \"" + id + `": {`)
			e, between := examples[id], "\n    "
			path, err := marshal(e.Path)
			must(t, err)
			query, err := marshal(e.Query)
			must(t, err)
			for _, part := range []struct {
				name string
				text json.RawMessage
			}{{"path", path}, {"query", query}, {"request", e.Request}, {"answer", e.Answer}} {
				if text := string(part.text); text != "" && text != "null" {
					out.WriteString(between + `"` + part.name + `": ` + text)
					between = ",\n    "
				}
			}
			out.WriteString("\n  }")
		}
		out.WriteString("\n}\n")
		const all = 0o644
		must(t, os.WriteFile(filepath.Join("../../provisioning/api/examples", name+".json"), out.Bytes(), all))
	}
}

// marshal writes JSON on one line, as people read it.
func marshal(v any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSpace(out.Bytes()), err
}
