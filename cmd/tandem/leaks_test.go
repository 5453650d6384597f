package main

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tandem/provisioning/api"
)

// leakWait bounds the whole of it: some ten thousand requests.
const leakWait = 8 * time.Minute

// leakAsker is one who asks.
type leakAsker struct {
	name     string
	home     string // his own tenant in paths
	platform bool   // every tenant is his to see: only what stands under another's path must stay hidden
	secret   string
	renew    func() string
}

// askers are every role, keys with all scopes that their tenants can have, and nobody.
func (l *leakWorld) askers() []*leakAsker {
	l.t.Helper()
	const password = "correct horse battery"
	person := func(base, role, user string) func() string {
		email := strings.ReplaceAll(role, "_", "-") + strings.ReplaceAll(base, "/", "-") + "@people.example"
		body := member{"name": role, "email": email, "role": role, "password": password}
		if user != "" {
			body["user"] = user
		}
		l.make("POST", base+"/people", body, "")
		return func() string {
			return l.make("POST", "/v1/sessions", member{"email": email, "password": password}, "token")
		}
	}
	key := func(base string, scopes []api.Scope) func() string {
		return func() string {
			return l.make("POST", base+"/keys", member{"name": "all", "scopes": scopes, "expires_at": time.Now().Add(time.Hour)}, "secret")
		}
	}
	oldKey := func(base string) func() string { // with the platform's scopes, which keys that were made before could have
		return func() string {
			secret := key(base, api.TenantScopes())()
			l.exec(`UPDATE api_keys SET scopes = scopes || '{platform:read,platform:write}' WHERE tenant_id IS NOT NULL AND NOT scopes @> '{platform:read}'`)
			return secret
		}
	}
	support := person("/v1", api.RoleSupport, "")
	all := []*leakAsker{
		{name: "nobody", home: "ada", renew: func() string { return "" }},
		{name: "platform_admin", home: "ada", platform: true, renew: person("/v1", api.RolePlatformAdmin, "")},
		{name: "support", home: "ada", platform: true, renew: support},
		{name: "support acting as ada", home: "ada", renew: func() string {
			a := l.ask(support(), "POST", "/v1/tenants/ada/act-as", nil)
			_, rest, _ := strings.Cut(a.text, `"token":"`)
			token, _, _ := strings.Cut(rest, `"`)
			return token
		}},
		{name: "reseller", home: "north", renew: person("/v1/tenants/north", api.RoleReseller, "")},
		{name: "tenant_admin", home: "ada", renew: person("/v1/tenants/ada", api.RoleTenantAdmin, "")},
		{name: "user", home: "ada", renew: person("/v1/tenants/ada", api.RoleUser, l.own["user"])},
		{name: "key of ada", home: "ada", renew: oldKey("/v1/tenants/ada")},
		{name: "key of north", home: "north", renew: oldKey("/v1/tenants/north")},
		{name: "key of the platform", home: "ada", platform: true, renew: key("/v1", api.Scopes())},
	}
	for _, a := range all {
		a.secret = a.renew()
		l.mustKnow(a)
	}
	return all
}

// mustKnow asks that he is somebody still: what nobody is answered shows nothing of what he would be.
func (l *leakWorld) mustKnow(a *leakAsker) {
	l.t.Helper()
	if a.secret == "" && a.name == "nobody" || l.ask(a.secret, "GET", "/v1/self", nil).status == http.StatusOK {
		return
	}
	if a.secret = a.renew(); l.ask(a.secret, "GET", "/v1/self", nil).status != http.StatusOK {
		l.t.Fatalf("%s cannot ask any more", a.name)
	}
}

// leakOps are all operations, those that read before those that change, so that what one makes is not taken for what another has.
func (l *leakWorld) leakOps() []*huma.Operation {
	var all []*huma.Operation
	for _, path := range l.w.rest.Document().Paths {
		for _, op := range []*huma.Operation{path.Get, path.Delete, path.Post, path.Put, path.Patch} {
			if op != nil {
				all = append(all, op)
			}
		}
	}
	order := []string{"GET", "DELETE", "POST", "PUT", "PATCH"}
	slices.SortFunc(all, func(x, y *huma.Operation) int {
		if x.Method != y.Method {
			return slices.Index(order, x.Method) - slices.Index(order, y.Method)
		}
		return strings.Compare(x.Path, y.Path)
	})
	return all
}

// references are the members of bodies, and the filters of lists, that name a thing by its id.
var references = map[string]string{"tenant": "tenant", "parent": "parent", "holder": "holder", "user": "user", "device": "device", "number": "number", "numbers": "number", "main_number": "number", "trunk": "trunk",
	"trunks": "trunk", "flow_id": "flow_id", "assigned_to": "tenant", "email": "email", "username": "username", "object_id": "device", "users": "user", "shown_numbers": "number", "prefix": "number"}

var inBraces = regexp.MustCompile(`\{(\w+)\}`)

// pathOf fills in a path.
func (l *leakWorld) pathOf(op *huma.Operation, ids map[string]string) string {
	return inBraces.ReplaceAllStringFunc(op.Path, func(name string) string {
		id, known := ids[strings.Trim(name, "{}")]
		if !known && name == "{name}" {
			id, known = "node1", true // media nodes are the platform's
		}
		if !known {
			l.t.Fatalf("%s: furnish does not say what %s is", op.OperationID, name)
		}
		return url.PathEscape(id)
	})
}

// body makes what an operation takes, of its schema and the ids that it may name.
func (l *leakWorld) body(op *huma.Operation, ids map[string]string, naming string) any {
	if op.RequestBody == nil {
		return nil
	}
	media := op.RequestBody.Content["application/json"]
	if op.RequestBody.Content["application/yaml"] != nil {
		return "tenant: " + ids["tenant"] + "\n"
	}
	switch {
	case op.RequestBody.Content["audio/wav"] != nil:
		return soundOf(time.Second)
	case media == nil:
		return []byte("%PDF-1.4")
	}
	return l.value(media.Schema, "", ids, naming)
}

func (l *leakWorld) resolve(s *huma.Schema) *huma.Schema {
	for s != nil && s.Ref != "" {
		s = l.w.rest.Document().Components.Schemas.SchemaFromRef(s.Ref)
	}
	return s
}

func (l *leakWorld) value(s *huma.Schema, name string, ids map[string]string, naming string) any {
	s = l.resolve(s)
	switch s.Type {
	case huma.TypeObject:
		v := member{}
		for key, p := range s.Properties {
			if slices.Contains(s.Required, key) || key == naming || l.names(p, naming) {
				v[key] = l.value(p, key, ids, naming)
			}
		}
		return v
	case huma.TypeArray:
		return []any{l.value(s.Items, name, ids, naming)}
	case huma.TypeInteger, huma.TypeNumber:
		return max(1, int(deref(s.Minimum)))
	case huma.TypeBoolean:
		return false
	}
	switch {
	case references[name] != "":
		return ids[references[name]]
	case len(s.Enum) > 0:
		return s.Enum[0]
	case s.Format == "date-time":
		return time.Now().Add(time.Hour)
	case len(s.Examples) > 0:
		return s.Examples[0]
	case s.Format == "date":
		return time.Now().Format(time.DateOnly)
	}
	return "correct horse"
}

func deref(f *float64) float64 {
	if f == nil {
		return 0
	}
	return *f
}

// names says whether a schema has a member of this name somewhere.
func (l *leakWorld) names(s *huma.Schema, name string) bool {
	if s = l.resolve(s); s == nil || name == "" {
		return false
	}
	if s.Items != nil {
		return l.names(s.Items, name)
	}
	for key, p := range s.Properties {
		if of := l.resolve(p); key == name && (of.Type == huma.TypeString || of.Type == huma.TypeArray) || l.names(p, name) {
			return true
		}
	}
	return false
}

// leakCase is one request that may show nothing.
type leakCase struct {
	what   string
	path   string
	body   any
	hidden bool // it names what is not his: the answer is 401, 403 or 404
	barred bool // it names what is not his, and may be refused for another reason too, but not carried out
}

// harmless are operations that may be carried out although they name a foreign id, since the id is not looked up: it is a name of his own
// then.
var harmless = map[string]string{
	"set-flow": "a draft of his own gets the id", "set-list": "a draft of his own gets the id", "set-schedule": "a draft of his own gets the id", "check-flow": "it is the flow in the body that is checked",
	"list-number-history-of-tenant": "what had nothing to do with him has no history, as far as he is told",
	"create-porting":                "it comes from another carrier, he says: whose it is matters when it is ported", "update-porting": "as create-porting",
	"set-user-settings": "the user in the path is meant, whoever the body names",
	"block-caller":      "whose calls he refuses is his own affair", "unblock-caller": "whose calls he takes is his own affair",
}

// casesOf are the requests of one operation by one who asks.
func (l *leakWorld) casesOf(op *huma.Operation, a *leakAsker) []leakCase {
	within := strings.Contains(op.Path, "{tenant}")
	if !within && a.platform {
		return nil // the platform's people see all that is the platform's
	}
	own := with(l.own, map[string]string{"tenant": a.home}, "tenant")
	var cases []leakCase
	add := func(what, path string, body any, hidden, barred bool) {
		cases = append(cases, leakCase{what, path, body, hidden, barred})
	}
	if within && !a.platform {
		for _, tenant := range []string{"eve", "south"} {
			add("the tenant "+tenant, l.pathOf(op, with(l.far, map[string]string{"tenant": tenant}, "tenant")), l.body(op, l.far, ""), true, true)
		}
	}
	if op.Method == http.MethodGet {
		add("his own", l.pathOf(op, own), nil, false, false)
	}
	for _, p := range op.Parameters {
		foreign := map[string]string{}
		switch {
		case p.In == "path" && p.Name != "tenant" && p.Name != "name" && p.Name != "version":
			barred := harmless[op.OperationID] == ""
			add("his tenant and a foreign "+p.Name, l.pathOf(op, with(own, l.far, p.Name)), l.body(op, own, ""), false, barred)
		case p.In == "query":
			foreign[p.Name] = l.far[references[p.Name]]
			if p.Name == "domain" {
				foreign[p.Name] = "zq7809-eve.example"
			}
			if foreign[p.Name] != "" {
				add("the query "+p.Name, l.pathOf(op, own)+"?live&username="+l.far["username"]+"&"+p.Name+"="+url.QueryEscape(foreign[p.Name]), l.body(op, own, ""), false, false)
			}
		}
	}
	for _, name := range l.referencesIn(op) {
		if a.platform && (name == "parent" || op.OperationID == "create-tenant") {
			continue // the platform's people move tenants where they like
		}
		add("the body's "+name, l.pathOf(op, own), l.body(op, with(own, l.far, references[name]), name), false, harmless[op.OperationID] == "")
	}
	return cases
}

// referencesIn are the members of an operation's body that name something.
func (l *leakWorld) referencesIn(op *huma.Operation) (all []string) {
	if op.RequestBody == nil || op.RequestBody.Content["application/json"] == nil {
		return nil
	}
	for name := range references {
		if name == "username" {
			continue // of a device: each tenant's are its own, below its domain
		}
		if l.names(op.RequestBody.Content["application/json"].Schema, name) {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

// fault is what is wrong with an answer; empty: nothing.
func (c leakCase) fault(a leakAnswer) string {
	refused := a.status == http.StatusUnauthorized || a.status == http.StatusForbidden || a.status == http.StatusNotFound
	switch {
	case strings.Contains(strings.ToLower(a.text), strings.ToLower(foreignMark)):
		return "shows what is another's"
	case a.status >= http.StatusInternalServerError && a.status != http.StatusServiceUnavailable:
		return "fails"
	case c.hidden && !refused:
		return "is not refused"
	case c.barred && a.status < http.StatusBadRequest:
		return "is carried out"
	}
	return ""
}

// leak is an answer that shows what it must not, or a request that has changed what is another's.
type leak struct{ operation, what string }

// tried is what came of asking all that is to be asked.
type tried struct {
	cases, served int
	leaks         []leak
}

// try sends the requests of operations by those who ask. A request that is no reading one must leave the foreign tenants as they were.
func (l *leakWorld) try(operations []*huma.Operation, askers []*leakAsker) (all tried) {
	l.t.Helper()
	before := l.state()
	for _, op := range operations {
		for _, a := range askers {
			if op.OperationID == "create-session" {
				continue // it names nobody but who signs in
			}
			for _, c := range l.casesOf(op, a) {
				got := l.ask(a.secret, op.Method, c.path, c.body)
				all.cases++
				if fault := c.fault(got); fault != "" {
					all.leaks = append(all.leaks, leak{op.OperationID, fmt.Sprintf("%s, %s: %s %s %v %s: %d %.300s", a.name, c.what, op.Method, c.path, c.body, fault, got.status, got.text)})
				}
				if got.status < http.StatusBadRequest {
					all.served++
					if op.Method != http.MethodGet {
						l.mustKnow(a)
					}
				}
			}
		}
		if op.Method == http.MethodGet {
			continue
		}
		now := l.state()
		for table, rows := range now {
			if before[table] != rows {
				all.leaks = append(all.leaks, leak{op.OperationID, "has changed the foreign tenants' " + table})
			}
		}
		before = now
	}
	return all
}

// Every operation of the document, asked by every role for what is another tenant's: in the path, in the query and in the body. Nothing of
// it is in an answer, and nothing of it is changed.
func TestNoOperationShowsAnotherTenantsAnything(t *testing.T) {
	l := newLeakWorld(t)
	all := l.try(l.leakOps(), l.askers())
	for _, k := range all.leaks {
		t.Errorf("%s: %s", k.operation, k.what)
	}
	if all.served < 100 {
		t.Errorf("only %d requests were served: who asks cannot ask for his own", all.served)
	}
	t.Logf("figure tenant_cases %d", all.cases)
	t.Logf("figure tenant_leaks %d", len(all.leaks))
}
