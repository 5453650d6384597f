package api

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"
)

//go:embed docs.html
var docsPage string

// DocsPath is where the document can be read by people. The page is whole in itself: it asks no other server.
const DocsPath = "/docs"

// docsGroup is the operations of one tag.
type docsGroup struct {
	Name       string
	Operations []docsOperation
}

// docsOperation is one operation, ready to be shown.
type docsOperation struct {
	*huma.Operation
	Scope   string
	OrOwn   bool
	Body    string // schema, as JSON
	Example string // of the body
	Answers []docsAnswer
}

type docsAnswer struct{ Status, Description, Schema, Example string }

// docs serves the page.
func (a *API) docs() {
	page := sync.OnceValues(a.renderDocs) // when it is asked for first: all operations are there then
	a.router.GET(DocsPath, func(c *gin.Context) {
		text, err := page()
		if err != nil {
			c.Status(http.StatusInternalServerError)
			return
		}
		c.Header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'")
		c.Data(http.StatusOK, "text/html; charset=utf-8", text)
	})
}

func (a *API) renderDocs() ([]byte, error) {
	parsed, err := template.New("docs").Funcs(template.FuncMap{"marked": marked}).Parse(docsPage)
	if err != nil {
		return nil, err
	}
	groups := map[string]*docsGroup{}
	var names []string
	for _, path := range a.Document().Paths {
		for _, op := range []*huma.Operation{path.Get, path.Post, path.Put, path.Patch, path.Delete} {
			if op == nil {
				continue
			}
			tag := "other"
			if len(op.Tags) > 0 {
				tag = op.Tags[0]
			}
			if groups[tag] == nil {
				groups[tag] = &docsGroup{Name: tag}
				names = append(names, tag)
			}
			groups[tag].Operations = append(groups[tag].Operations, a.docsOf(op))
		}
	}
	slices.Sort(names)
	sorted := make([]*docsGroup, 0, len(names))
	for _, name := range names {
		g := groups[name]
		slices.SortFunc(g.Operations, func(x, y docsOperation) int {
			return strings.Compare(x.Path+" "+x.Method, y.Path+" "+y.Method)
		})
		sorted = append(sorted, g)
	}
	var out bytes.Buffer
	err = parsed.Execute(&out, map[string]any{"Info": a.Document().Info, "Groups": sorted})
	return out.Bytes(), err
}

// marked shows what Markdown marks as strong and as code; all else of the text is text.
func marked(text string) template.HTML {
	escaped := template.HTMLEscapeString(text)
	for mark, tag := range map[string]string{"**": "b", "`": "code"} {
		parts := strings.Split(escaped, mark)
		var out strings.Builder
		for i, part := range parts {
			switch {
			case i == 0:
			case i%2 == 1 && i < len(parts)-1:
				out.WriteString("<" + tag + ">")
			case i%2 == 0:
				out.WriteString("</" + tag + ">")
			}
			out.WriteString(part)
		}
		escaped = out.String()
	}
	return template.HTML(escaped) //nolint:gosec // escaped above
}

func (a *API) docsOf(op *huma.Operation) docsOperation {
	d := docsOperation{Operation: op}
	d.Scope, _ = op.Extensions["x-scope"].(string)
	d.OrOwn, _ = op.Extensions["x-own"].(bool)
	if op.RequestBody != nil {
		for _, media := range op.RequestBody.Content {
			d.Body, d.Example = a.schemaText(media.Schema), exampleText(media.Example)
		}
	}
	for status, r := range op.Responses {
		if status >= "300" {
			continue
		}
		one := docsAnswer{Status: status, Description: r.Description}
		for _, media := range r.Content {
			one.Schema, one.Example = a.schemaText(media.Schema), exampleText(media.Example)
		}
		d.Answers = append(d.Answers, one)
	}
	slices.SortFunc(d.Answers, func(x, y docsAnswer) int { return strings.Compare(x.Status, y.Status) })
	return d
}

// exampleText is an example as people read it.
func exampleText(example any) string {
	raw, _ := example.(json.RawMessage)
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var out bytes.Buffer
	if json.Indent(&out, raw, "", "  ") != nil {
		return ""
	}
	return out.String()
}

// schemaText is a schema as people read it: what it refers to stands in its place, one step deep.
func (a *API) schemaText(s *huma.Schema) string {
	if s == nil {
		return ""
	}
	if s.Ref != "" {
		s = a.Document().Components.Schemas.SchemaFromRef(s.Ref)
	}
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return ""
	}
	return string(text)
}
