package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jackc/pgx/v5"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"tandem/media"
	"tandem/provisioning/api"
	"tandem/sipptest"
	"tandem/stack"
)

// contract is a system of its own, with a worker whose API is asked: the reseller north and its customer ada, who has one of everything.
type contract struct {
	furnisher
	w        *world
	own      map[string]string // ids of ada's things, by what names them in paths
	document *huma.OpenAPI
	schemas  *jsonschema.Compiler
	examples map[string]api.Example
	whole    *testing.T // not one operation's
	up       string     // a call that is up all the time
	made     int
	answers  map[string]json.RawMessage // that are to be written into the examples
}

func newContract(t *testing.T) *contract {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), contractWait)
	t.Cleanup(cancel)
	w, err := newWorld(ctx, t, stack.ForTest(t), worldOptions{Name: "contract", Nodes: 1})
	must(t, err)
	w.tellOnFailure(t)
	worker := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: w.HTTPAddress})
	worker.ErrorLog = log.New(io.Discard, "", 0) // the stream that is left
	c := &contract{furnisher: furnisher{t: t, ctx: ctx, http: worker}, w: w, whole: t}
	c.examples, err = api.Examples()
	must(t, err)
	c.db, err = pgx.Connect(ctx, w.postgresURL)
	must(t, err)
	t.Cleanup(func() { _ = c.db.Close(context.WithoutCancel(ctx)) })
	c.document, err = wholeDocument()
	must(t, err)
	text, err := json.Marshal(c.document)
	must(t, err)
	tree, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	must(t, err)
	c.schemas = jsonschema.NewCompiler()
	c.schemas.AssertFormat()
	must(t, c.schemas.AddResource("openapi.json", tree))
	c.furnishAda()
	return c
}

func (c *contract) furnishAda() {
	c.t.Helper()
	c.make("POST", "/v1/tenants", member{"id": "north", "kind": "reseller", "name": "North Voice", "domain": "north.example.com"}, "")
	c.make("POST", "/v1/tenants", member{"id": "west", "kind": "reseller", "parent": "north", "name": "West Voice", "domain": "west.example.com"}, "")
	c.make("POST", "/v1/tenants", member{"id": "ada", "parent": "north", "name": "Ada & Co.", "domain": "ada.example.com"}, "")
	ids := with(api.PathExamples(), nil)
	ids["flow_id"], ids["username"], ids["email"], ids["domain"] = ids["id"], "grace-desk", "grace@example.com", "ada.example.com"
	c.own = c.furnish("north", "Ada's", "00:15:65:00:00:01", ids)
	c.make("PUT", "/v1/tenants/ada/limits", member{"max_calls": 50, "max_calls_per_second": 10, "max_outgoing": 20, "may_call_out": true, "outgoing_per_second": 5, "blocked_prefixes": []string{}, "shown_numbers": []string{}}, "")
	// The message in the box has a sound.
	hash := strings.Repeat("a", 64)
	file := filepath.Join(c.w.mediaDir(), media.Kept(hash))
	const all = 0o755
	must(c.t, os.MkdirAll(filepath.Dir(file), all))
	must(c.t, os.WriteFile(file, []byte("RIFF....WAVE"), all))
}

// operations are all of the document: those that read, those that change, and those that remove, the innermost first.
func (c *contract) operations() (all []*huma.Operation) {
	for _, path := range c.document.Paths {
		for _, op := range []*huma.Operation{path.Get, path.Delete, path.Post, path.Put, path.Patch} {
			if op != nil {
				all = append(all, op)
			}
		}
	}
	order := []string{"GET", "POST", "PUT", "PATCH", "DELETE"}
	slices.SortFunc(all, func(x, y *huma.Operation) int {
		return cmp.Or(slices.Index(order, x.Method)-slices.Index(order, y.Method), strings.Compare(x.Path, y.Path))
	})
	return all
}

type contractAnswer struct {
	status int
	header http.Header
	body   []byte
}

// send sends a request to the worker.
func (c *contract) send(secret, method, path, kind string, body []byte, header http.Header) contractAnswer {
	c.t.Helper()
	ctx := c.ctx
	if strings.HasSuffix(strings.Split(path, "?")[0], "/events") { // a stream, which ends when nobody listens any more
		limited, cancel := context.WithTimeout(ctx, streamLook)
		defer cancel()
		ctx = limited
	}
	request := httptest.NewRequestWithContext(ctx, method, path, bytes.NewReader(body))
	request.Header = header.Clone()
	if secret != "" {
		request.Header.Set("Authorization", "Bearer "+secret)
	}
	if len(body) > 0 {
		request.Header.Set("Content-Type", kind)
	}
	recorder := httptest.NewRecorder()
	c.http.ServeHTTP(recorder, request)
	return contractAnswer{recorder.Code, recorder.Header(), recorder.Body.Bytes()}
}

// fresh is a name that nothing has yet.
func (c *contract) fresh(what string) string {
	c.made++
	return fmt.Sprintf("%s-%d", what, c.made)
}

// number is one that nobody has, in a stock, after these steps; none: it is not in any.
func (c *contract) number(base string, steps ...string) string {
	c.made++
	number := fmt.Sprintf("+4930123%05d", c.made)
	for _, step := range steps {
		body := member{"numbers": []string{number}}
		switch step {
		case "":
			body = member{"numbers": []member{{"number": number}}}
		case "/assign", "/retake":
			body["tenant"] = "ada"
		}
		c.make("POST", base+"/numbers"+step, body, "")
	}
	return number
}

// tenant is a new customer of north's.
func (c *contract) tenant() string {
	id := c.fresh("tenant")
	return c.make("POST", "/v1/tenants", member{"id": id, "parent": "north", "name": "Blue", "domain": id + ".example.com"}, "id")
}

// published is a new customer who has published a flow, and changed its draft since.
func (c *contract) published() string {
	id := c.tenant()
	flow := func(cause string) member {
		return member{"id": "closed", "name": "Closed", "start": "end", "elements": member{"end": member{"type": "hangup", "settings": member{"cause": cause}}}}
	}
	c.make("PUT", "/v1/tenants/"+id+"/flows/closed", flow("USER_BUSY"), "")
	c.make("POST", "/v1/tenants/"+id+"/versions", member{"comment": "first"}, "")
	c.make("PUT", "/v1/tenants/"+id+"/flows/closed", flow("NORMAL_CLEARING"), "")
	return id
}

const contractPassword = "correct horse battery"

// person is one of the platform's people or a tenant's, and email is his.
func (c *contract) person(base string) (id, email string) {
	email = c.fresh("person") + "@example.com"
	return c.make("POST", base+"/people", member{"name": "Anna", "email": email, "role": map[bool]string{true: "platform_admin", false: "tenant_admin"}[base == "/v1"], "password": contractPassword}, "id"), email
}

// session is the token of somebody who is there for it alone.
func (c *contract) session() string {
	_, email := c.person("/v1")
	return c.make("POST", "/v1/sessions", member{"email": email, "password": contractPassword}, "token")
}

// porting is an order to bring a number of nobody's, after these steps.
func (c *contract) porting(steps ...string) string {
	base := "/v1/tenants/ada/portings"
	id := c.make("POST", base, member{"direction": "in", "carrier": "Other Telecom", "subscriber": "Ada & Co.", "numbers": []string{c.number("")}}, "id")
	for _, step := range steps {
		body := member{}
		switch step {
		case "documents?name=letter.pdf":
			c.send(testOperatorKey, "POST", base+"/"+id+"/"+step, "application/octet-stream", []byte("%PDF-1.4 letter"), http.Header{})
			continue
		case "schedule":
			body["on"] = time.Now().UTC().Format(time.DateOnly)
		}
		c.make("POST", base+"/"+id+"/"+step, body, "")
	}
	return id
}

// newestChange is the audit's last entry.
func (c *contract) newestChange(base string) string {
	var page struct{ Items []struct{ ID int64 } }
	a := c.ask(testOperatorKey, "GET", base+"/audit?limit=1&sort=-id", nil)
	must(c.t, json.Unmarshal([]byte(a.text), &page))
	if len(page.Items) == 0 {
		c.t.Fatalf("the audit is empty: %s", a.text)
	}
	return fmt.Sprint(page.Items[0].ID)
}

// call is one that is up between two phones of a company's, until a test is over.
func (c *contract) call(t *testing.T) string {
	o := c.w.company(t)
	o.publish(t)
	o.register(t, "two", "three")
	for _, user := range []string{"two", "three"} {
		o.listen(t, user, sipptest.Behaviour{})
	}
	o.call(t, "one", "102", sipptest.Call{CalleeEnds: true})
	return o.awaitTold(t, "talking")
}

// callUp is one that is up all the time.
func (c *contract) callUp() string {
	if c.up == "" {
		c.up = c.call(c.whole)
	}
	return c.up
}

// callOut lets a trunk be called.
func (c *contract) callOut(path, address string, body member) {
	body["name"], body["addresses"], body["outgoing"] = "Line out", []string{address}, member{"destinations": []string{"sip:" + address}}
	c.make("PUT", path, body, "")
}

// delivery is one to ada's webhook. A worker makes it of the event.
func (c *contract) delivery() (id string) {
	awaitThat(c.t, "there is no delivery", func(context.Context) (bool, error) {
		var page struct{ Items []struct{ ID int64 } }
		a := c.ask(testOperatorKey, "GET", "/v1/tenants/ada/webhooks/"+c.own["webhook"]+"/deliveries?limit=1", nil)
		err := json.Unmarshal([]byte(a.text), &page)
		if len(page.Items) > 0 {
			id = fmt.Sprint(page.Items[0].ID)
		}
		return id != "", err
	})
	return id
}

// order is one that a worker is at, who is slow.
func (c *contract) order(tenant any) string {
	id := c.fresh("order")
	_, err := c.db.Exec(c.ctx, `INSERT INTO orders (id, tenant_id, kind, state, total, created_by, started_at, claimed_by, lease_until)
		VALUES ($1, $2, 'number_import', 'running', 50000, 'operator', now(), 'nobody', now() + interval '1 hour')`, id, tenant)
	must(c.t, err)
	_, err = c.db.Exec(c.ctx, `INSERT INTO order_errors (order_id, tenant_id, n, line, field, code, detail) VALUES ($1, $2, 1, 7, 'number', 'number_invalid', 'is no number that there can be in Germany')`, id, tenant)
	must(c.t, err)
	return id
}

// branded gives ada a brand with a domain and a logo.
func (c *contract) branded() {
	c.t.Helper()
	c.make("PUT", "/v1/tenants/ada/brand", member{"name": "Northern Voice", "primary_color": "#0b5d4e", "accent_color": "#d9822b", "domain": "phone.north.example.com"}, "")
	if got := c.send(testOperatorKey, "PUT", "/v1/tenants/ada/brand/logo", "application/octet-stream", pngOf(c.t), http.Header{}); got.status != http.StatusOK {
		c.t.Fatalf("a logo: %d %s", got.status, got.body)
	}
}

// pngOf is a small picture.
func pngOf(t *testing.T) []byte {
	t.Helper()
	var picture bytes.Buffer
	must(t, png.Encode(&picture, image.NewGray(image.Rect(0, 0, 8, 8))))
	return picture.Bytes()
}

// media is a sound of ada's that nothing plays.
func (c *contract) media() string {
	return c.make("POST", "/v1/tenants/ada/media?name="+c.fresh("menu/number"), soundOf(time.Second), "id")
}

// shownSound is one whose sound can be shown in an example, which no real one can: that of the message in the box.
func (c *contract) shownSound() string {
	id := c.media()
	_, err := c.db.Exec(c.ctx, `UPDATE media SET hash = repeat('a', 64) WHERE tenant_id = 'ada' AND id = $1`, id)
	must(c.t, err)
	return id
}

// registration is one of ada's that no phone is behind, at an edge that nobody has heard of.
func (c *contract) registration() (id string) {
	must(c.t, c.db.QueryRow(c.ctx, `INSERT INTO registrations (username, domain, contact, tenant_id, event, at, cseq, expires_at, edge, edge_uri, call_id, source_address, source_port, transport, user_agent, path)
		VALUES ($1, 'ada.example.com', 'sip:gone@192.0.2.7', 'ada', 'registered', now(), 1, now() + interval '1 hour', 'edge', 'sip:127.0.0.1', 'c', '192.0.2.7', 5060, 'udp', 'Gone', '') RETURNING id`, c.fresh("phone")).Scan(&id))
	return id
}

// greeting is one of the box's own, whose sound can be shown.
func (c *contract) greeting() {
	if a := c.send(testOperatorKey, "PUT", "/v1/tenants/ada/voicemail/grace/greeting", "audio/wav", soundOf(time.Second), http.Header{}); a.status != http.StatusOK {
		c.t.Fatalf("a greeting: %d %s", a.status, a.body)
	}
	_, err := c.db.Exec(c.ctx, `UPDATE media SET hash = repeat('a', 64) WHERE tenant_id = 'ada' AND box = 'grace'`)
	must(c.t, err)
}
