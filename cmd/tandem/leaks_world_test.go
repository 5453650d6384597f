package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/jackc/pgx/v5"

	"tandem/explain"
	"tandem/messages"
	"tandem/postgres"
	"tandem/provisioning"
	"tandem/provisioning/api"
	"tandem/stack"
)

// foreignMark is in every text of the foreign tenants, and in no request of others. The ids of requests cannot have it: they have no 8, 0 and 9.
const foreignMark = "Zq7809"

// streamLook is how long a stream of events is listened to: what it has to show at once is there.
const streamLook = 100 * time.Millisecond

// leakWorld is the whole API of a worker, with a database of its own: a reseller north with the customer ada, whose people and keys
// ask, and a reseller south with the customer eve, of whom they must see nothing.
type leakWorld struct {
	t    *testing.T
	ctx  context.Context
	w    *worker
	http http.Handler
	db   *pgx.Conn
	own  map[string]string // ids of ada's things, by what names them
	far  map[string]string // of eve's
}

func newLeakWorld(t *testing.T) *leakWorld {
	t.Helper()
	s := stack.ForTest(t)
	ctx, cancel := context.WithTimeout(t.Context(), leakWait)
	t.Cleanup(cancel)
	url := s.TestDatabase(t)
	must(t, postgres.Migrate(ctx, url))
	w := &worker{log: slog.New(slog.DiscardHandler), limits: api.Limits{PerSecond: 100_000, Burst: 1_000_000},
		settings: serveCommand{Name: "leaks", PostgresURL: url, AMQPURL: s.TestVHost(t), StateDir: t.TempDir(), OperatorKey: testOperatorKey, Phones: phoneFlags{SecretKey: newSecretKey()}}}
	must(t, w.open(ctx))
	t.Cleanup(w.close)
	w.running.Go(func() { _ = w.source.Run(ctx) })
	t.Cleanup(cancel)
	<-w.source.Ready()
	words, err := explain.Catalog()
	must(t, err)
	gin.SetMode(gin.ReleaseMode)
	l := &leakWorld{t: t, ctx: ctx, w: w, http: w.routes(words)}
	l.db, err = pgx.Connect(ctx, url)
	must(t, err)
	t.Cleanup(func() { _ = l.db.Close(context.WithoutCancel(ctx)) })
	operator := &provisioning.Service{Store: w.store}
	for _, n := range []provisioning.NewTenant{{ID: "north", Kind: "reseller", Name: "North", Domain: "north.example"}, {ID: "ada", Parent: "north", Name: "Ada", Domain: "ada.example"},
		{ID: "south", Kind: "reseller", Name: foreignMark + " South", Domain: "zq7809-south.example"}, {ID: "eve", Parent: "south", Name: foreignMark + " Eve", Domain: "zq7809-eve.example"}} {
		_, err := operator.CreateTenant(ctx, n)
		must(t, err)
	}
	l.own = l.furnish("ada", "north", "own", "Ada's", "+4930111000", "00:15:65:00:00:01")
	l.far = l.furnish("eve", "south", "far", foreignMark, "+4930999000", "00:15:65:00:00:02")
	l.own["parent"], l.own["holder"], l.far["parent"], l.far["holder"] = "north", "north", "south", "south"
	w.facts.begin(ctx)
	return l
}

type leakAnswer struct {
	status int
	text   string
}

// ask sends a request. A body that is no text is sent as JSON.
func (l *leakWorld) ask(secret, method, path string, body any) leakAnswer {
	l.t.Helper()
	var sent io.Reader
	kind := "application/json"
	switch b := body.(type) {
	case nil:
	case []byte:
		sent, kind = bytes.NewReader(b), "application/octet-stream"
	case string:
		sent, kind = strings.NewReader(b), "application/yaml"
	default:
		text, err := json.Marshal(b)
		must(l.t, err)
		sent = bytes.NewReader(text)
	}
	ctx := l.ctx
	if strings.Contains(path, "/events") { // a stream, which ends when nobody listens any more
		limited, cancel := context.WithTimeout(ctx, streamLook)
		defer cancel()
		ctx = limited
	}
	request := httptest.NewRequestWithContext(ctx, method, path, sent)
	if secret != "" {
		request.Header.Set("Authorization", "Bearer "+secret)
	}
	if sent != nil {
		request.Header.Set("Content-Type", kind)
	}
	recorder := httptest.NewRecorder()
	l.http.ServeHTTP(recorder, request)
	return leakAnswer{recorder.Code, recorder.Body.String()}
}

// make asks as the operator, and gives a member of the answer, which must be one of success.
func (l *leakWorld) make(method, path string, body any, member string) string {
	l.t.Helper()
	a := l.ask(testOperatorKey, method, path, body)
	if a.status >= http.StatusMultipleChoices {
		l.t.Fatalf("%s %s: %d %s", method, path, a.status, a.text)
	}
	var got map[string]any
	if member == "" {
		return ""
	}
	must(l.t, json.Unmarshal([]byte(a.text), &got))
	id, _ := got[member].(string)
	return id
}

type member = map[string]any

// furnish gives a tenant one of everything, and the ids of it by the names that operations have for them.
func (l *leakWorld) furnish(tenant, reseller, prefix, mark, number, mac string) map[string]string {
	l.t.Helper()
	base, password := "/v1/tenants/"+tenant, "correct horse battery"
	ids := map[string]string{"tenant": tenant, "user": prefix + "-user", "box": prefix + "-user", "device": prefix + "-device", "trunk": prefix + "-trunk", "number": number, "flow_id": prefix + "-thing",
		"id": prefix + "-thing", "dialled": number, "caller": number + "9", "call": prefix + "-call", "message": prefix + "-call.1", "version": "1", "username": prefix + "-phone",
		"domain": "zq7809-" + tenant + ".example", "email": prefix + "@example.com"}
	l.make("POST", "/v1/tenants/"+reseller+"/numbers", member{"numbers": []member{{"number": number, "note": mark, "tenant": tenant}}}, "")
	l.make("POST", base+"/users", member{"id": ids["user"], "name": mark + " user", "extension": "101", "number": number}, "")
	l.make("POST", base+"/devices", member{"id": ids["device"], "name": mark + " device", "username": ids["username"], "user": ids["user"]}, "")
	l.make("PUT", base+"/devices/"+ids["device"]+"/provisioning", member{"mac": mac, "vendor": "snom", "note": mark}, "")
	l.make("PUT", base+"/schedules/"+ids["id"], member{"id": ids["id"], "name": mark + " hours", "weekly": []member{{"days": []int{1}, "from": "09:00", "until": "17:00"}}}, "")
	l.make("PUT", base+"/lists/"+ids["id"], member{"id": ids["id"], "name": mark + " list", "entries": []string{mark}}, "")
	l.make("PUT", base+"/flows/"+ids["id"], member{"id": ids["id"], "name": mark + " flow", "start": "a", "elements": member{"a": member{"type": "ring", "settings": member{"users": []string{ids["user"]}}}}}, "")
	l.make("PUT", base+"/routes/"+number, member{"flow_id": ids["id"]}, "")
	l.make("PUT", base+"/blocked-callers/"+ids["caller"], nil, "")
	l.make("PUT", base+"/users/"+ids["user"]+"/settings", member{"settings": member{"user": ids["user"], "speed_dials": member{"1": number}}}, "")
	l.make("POST", base+"/versions", member{"comment": mark}, "")
	l.make("PUT", base+"/trunks/"+ids["trunk"], member{"name": mark + " trunk", "addresses": []string{"192.0.2." + mac[len(mac)-1:]}, "tenant": tenant}, "")
	l.make("POST", base+"/voicemail/"+ids["box"]+"/pin", member{"pin": "4711"}, "")
	ids["key"] = l.make("POST", base+"/keys", member{"name": mark + " key", "scopes": api.ScopesOf(api.RoleTenantAdmin), "expires_at": time.Now().Add(time.Hour)}, "id")
	ids["person"] = l.make("POST", base+"/people", member{"name": mark, "email": ids["email"], "role": "tenant_admin", "password": password}, "id")
	ids["porting"] = l.make("POST", base+"/portings", member{"direction": "in", "carrier": mark, "subscriber": mark, "numbers": []string{number[:len(number)-1] + "7"}}, "id")
	ids["document"] = l.make("POST", base+"/portings/"+ids["porting"]+"/documents?name="+mark+".pdf", []byte("%PDF-1.4 "+mark), "id")
	ids["webhook"] = l.make("POST", base+"/webhooks", member{"url": "https://example.com/hooks", "name": mark}, "id")
	l.make("POST", base+"/webhooks/"+ids["webhook"]+"/test", nil, "")
	ids["delivery"] = l.newest("events", "position", tenant)
	l.order("/v1/tenants/"+reseller, ids)
	l.ledger(tenant, ids, mark)
	ids["change"] = l.newest("audit", "id", tenant)
	return ids
}

// newest is the highest id that a tenant has in a table.
func (l *leakWorld) newest(table, column, tenant string) string {
	l.t.Helper()
	var id int64
	must(l.t, l.db.QueryRow(l.ctx, `SELECT coalesce(max(`+column+`), 1) FROM `+pgx.Identifier{table}.Sanitize()+` WHERE tenant_id = $1`, tenant).Scan(&id))
	return strconv.FormatInt(id, 10)
}

// order takes a sheet of numbers to be carried out, which nobody does here.
func (l *leakWorld) order(base string, ids map[string]string) {
	l.t.Helper()
	request := httptest.NewRequestWithContext(l.ctx, "POST", base+"/number-imports?country=DE", bytes.NewReader([]byte("number;note\n"+ids["number"][:len(ids["number"])-1]+"8;note\n")))
	request.Header.Set("Authorization", "Bearer "+testOperatorKey)
	request.Header.Set("Content-Type", "text/csv")
	answer := httptest.NewRecorder()
	l.http.ServeHTTP(answer, request)
	var o struct{ ID string }
	must(l.t, json.Unmarshal(answer.Body.Bytes(), &o))
	if ids["order"] = o.ID; o.ID == "" {
		l.t.Fatalf("no order: %s", answer.Body)
	}
}

// ledger writes a call of the tenant's, its journal and a message, and lets another be up.
func (l *leakWorld) ledger(tenant string, ids map[string]string, mark string) {
	l.t.Helper()
	for _, statement := range []string{
		`INSERT INTO calls (call, tenant_id, sip_call_id, "from", "to", started_at, ended_at, version) VALUES (@call, @tenant, @call, @mark, @mark, now(), now(), 1)`,
		`INSERT INTO journal (call, source, leg, n, tenant_id, at, version, element, because, input, output)
		 VALUES (@call, 'routing', '', 0, @tenant, now(), 1, '', '[]', json_build_object('from', @mark::text), '{}')`,
		`INSERT INTO cdrs (leg, call, tenant_id, role, node, sip_call_id, "from", from_name, "to", device, trunk, started_at, ended_at, sip_code, cause, q850, fault, version, estimated)
		 VALUES (@call, @call, @tenant, 'caller', 'node1', @call, @mark, @mark, @mark, '', '', now(), now(), 200, 'NORMAL_CLEARING', 16, 'none', 1, false)`,
		`INSERT INTO recordings (id, tenant_id, kind, call, leg, box, file, "from", from_name, at, length_ms, state, hash)
		 VALUES (@call || '/1', @tenant, 'voicemail', @call, @call, @box, 'x', @mark, @mark, now(), 1000, 'kept', repeat('a', 64))`,
		`INSERT INTO registrations (username, domain, contact, tenant_id, event, at, cseq, expires_at, edge, edge_uri, call_id, source_address, source_port, transport, user_agent, path)
		 SELECT @username, domain, 'sip:' || @mark || '@192.0.2.7', id, 'registered', now(), 1, now() + interval '1 hour', 'edge', 'sip:127.0.0.1', 'c', '192.0.2.7', 5060, 'udp', @mark, ''
		   FROM tenants WHERE id = @tenant`,
	} {
		_, err := l.db.Exec(l.ctx, statement, pgx.NamedArgs{"call": ids["call"], "tenant": tenant, "mark": mark, "box": ids["box"], "username": ids["username"]})
		must(l.t, err)
	}
	now := time.Now()
	l.w.facts.calls.Apply(&messages.CallEvent{Type: messages.CallEventV1, Call: ids["call"] + "-up", Tenant: tenant, State: messages.CallStarted, Node: "node1", At: now, From: mark, To: mark}, now)
}

// state is everything that the foreign tenants have, table by table.
func (l *leakWorld) state() map[string]string {
	l.t.Helper()
	rows, err := l.db.Query(l.ctx, `SELECT c.table_name FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
		WHERE c.table_schema = 'public' AND c.column_name = 'tenant_id' AND t.table_type = 'BASE TABLE' ORDER BY 1`)
	must(l.t, err)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(l.t, err)
	state, of := map[string]string{}, map[string]string{"tenants": "id"}
	for _, table := range tables {
		of[table] = "tenant_id"
	}
	batch := &pgx.Batch{}
	for table, column := range of {
		batch.Queue(`SELECT md5(coalesce(string_agg(x::text, '|' ORDER BY x::text), '')) FROM ` + pgx.Identifier{table}.Sanitize() + ` x WHERE ` + column + ` IN ('eve', 'south')`).QueryRow(func(row pgx.Row) error {
			var sum string
			err := row.Scan(&sum)
			state[table] = sum
			return err
		})
	}
	must(l.t, l.db.SendBatch(l.ctx, batch).Close())
	return state
}

// with is ids with some of others in their place.
func with(ids, others map[string]string, names ...string) map[string]string {
	mixed := maps.Clone(ids)
	for _, name := range names {
		mixed[name] = others[name]
	}
	return mixed
}
