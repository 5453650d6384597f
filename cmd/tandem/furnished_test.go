package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/provisioning/api"
)

// furnisher asks a worker's API, and makes in it whatever a test needs.
type furnisher struct {
	t    *testing.T
	ctx  context.Context
	http http.Handler
	db   *pgx.Conn
}

type leakAnswer struct {
	status int
	text   string
}

// ask sends a request. A body that is no text is sent as JSON.
func (f *furnisher) ask(secret, method, path string, body any) leakAnswer {
	f.t.Helper()
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
		must(f.t, err)
		sent = bytes.NewReader(text)
	}
	ctx := f.ctx
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
	f.http.ServeHTTP(recorder, request)
	return leakAnswer{recorder.Code, recorder.Body.String()}
}

// make asks as the operator, and gives a member of the answer, which must be one of success.
func (f *furnisher) make(method, path string, body any, member string) string {
	f.t.Helper()
	a := f.ask(testOperatorKey, method, path, body)
	if a.status >= http.StatusMultipleChoices {
		f.t.Fatalf("%s %s: %d %s", method, path, a.status, a.text)
	}
	var got map[string]any
	if member == "" {
		return ""
	}
	must(f.t, json.Unmarshal([]byte(a.text), &got))
	id, _ := got[member].(string)
	return id
}

type member = map[string]any

// plainIDs are ids for one of everything, by the names that operations have for them.
func plainIDs(tenant, prefix, number string) map[string]string {
	return map[string]string{"tenant": tenant, "user": prefix + "-user", "box": prefix + "-user", "device": prefix + "-device", "trunk": prefix + "-trunk", "number": number, "flow_id": prefix + "-thing",
		"id": prefix + "-thing", "dialled": number, "caller": number + "9", "call": prefix + "-call", "message": prefix + "-call.1", "recording": prefix + "-call.2", "version": "1", "username": prefix + "-phone",
		"domain": "zq7809-" + tenant + ".example", "email": prefix + "@example.com"}
}

// furnish gives a tenant one of everything, with these ids; those that the platform makes are added.
func (f *furnisher) furnish(reseller, mark, mac string, ids map[string]string) map[string]string {
	f.t.Helper()
	tenant, number := ids["tenant"], ids["number"]
	base, password := "/v1/tenants/"+tenant, "correct horse battery"
	f.make("POST", "/v1/tenants/"+reseller+"/numbers", member{"numbers": []member{{"number": number, "note": mark, "tenant": tenant}}}, "")
	f.make("POST", base+"/users", member{"id": ids["user"], "name": mark + " user", "extension": "101", "number": number}, "")
	f.make("POST", base+"/devices", member{"id": ids["device"], "name": mark + " device", "username": ids["username"], "user": ids["user"]}, "")
	f.make("PUT", base+"/devices/"+ids["device"]+"/provisioning", member{"mac": mac, "vendor": "snom", "note": mark}, "")
	f.make("PUT", base+"/schedules/"+ids["id"], member{"id": ids["id"], "name": mark + " hours", "weekly": []member{{"days": []int{1}, "from": "09:00", "until": "17:00"}}}, "")
	f.make("PUT", base+"/lists/"+ids["id"], member{"id": ids["id"], "name": mark + " list", "entries": []string{mark}}, "")
	f.make("PUT", base+"/flows/"+ids["id"], member{"id": ids["id"], "name": mark + " flow", "start": "a", "elements": member{"a": member{"type": "ring", "settings": member{"users": []string{ids["user"]}}}}}, "")
	f.make("PUT", base+"/routes/"+number, member{"flow_id": ids["id"]}, "")
	f.make("PUT", base+"/blocked-callers/"+ids["caller"], nil, "")
	f.make("PUT", base+"/users/"+ids["user"]+"/settings", member{"settings": member{"user": ids["user"], "speed_dials": member{"1": number}}}, "")
	f.make("POST", base+"/versions", member{"comment": mark}, "")
	f.make("PUT", base+"/brand", member{"name": mark + " brand", "primary_color": "#0b5d4e", "accent_color": "#d9822b", "email_name": mark}, "")
	f.make("PUT", base+"/trunks/"+ids["trunk"], member{"name": mark + " trunk", "addresses": []string{"192.0.2." + mac[len(mac)-1:]}, "tenant": tenant}, "")
	f.make("POST", base+"/voicemail/"+ids["box"]+"/pin", member{"pin": "4711"}, "")
	ids["key"] = f.make("POST", base+"/keys", member{"name": mark + " key", "scopes": api.ScopesOf(api.RoleTenantAdmin), "expires_at": time.Now().Add(time.Hour)}, "id")
	ids["person"] = f.make("POST", base+"/people", member{"name": mark, "email": ids["email"], "role": "tenant_admin", "password": password}, "id")
	ids["porting"] = f.make("POST", base+"/portings", member{"direction": "in", "carrier": mark, "subscriber": mark, "numbers": []string{number[:len(number)-1] + "7"}}, "id")
	ids["document"] = f.make("POST", base+"/portings/"+ids["porting"]+"/documents?name="+mark+".pdf", []byte("%PDF-1.4 "+mark), "id")
	ids["media"] = f.make("POST", base+"/media?name=menu/"+strings.ToLower(strings.ReplaceAll(mark, "'", "")), soundOf(time.Second), "id")
	ids["webhook"] = f.make("POST", base+"/webhooks", member{"url": "https://example.com/hooks", "name": mark}, "id")
	f.make("POST", base+"/webhooks/"+ids["webhook"]+"/test", nil, "")
	ids["delivery"] = f.newest("events", "position", tenant)
	f.order("/v1/tenants/"+reseller, ids)
	f.ledger(tenant, ids, mark)
	ids["change"] = f.newest("audit", "id", tenant)
	return ids
}

// newest is the highest id that a tenant has in a table.
func (f *furnisher) newest(table, column, tenant string) string {
	f.t.Helper()
	var id int64
	must(f.t, f.db.QueryRow(f.ctx, `SELECT coalesce(max(`+column+`), 1) FROM `+pgx.Identifier{table}.Sanitize()+` WHERE tenant_id = $1`, tenant).Scan(&id))
	return strconv.FormatInt(id, 10)
}

// order takes a sheet of numbers to be carried out, which nobody does here.
func (f *furnisher) order(base string, ids map[string]string) {
	f.t.Helper()
	request := httptest.NewRequestWithContext(f.ctx, "POST", base+"/number-imports?country=DE", bytes.NewReader([]byte("number;note\n"+ids["number"][:len(ids["number"])-1]+"8;note\n")))
	request.Header.Set("Authorization", "Bearer "+testOperatorKey)
	request.Header.Set("Content-Type", "text/csv")
	answer := httptest.NewRecorder()
	f.http.ServeHTTP(answer, request)
	var o struct{ ID string }
	must(f.t, json.Unmarshal(answer.Body.Bytes(), &o))
	if ids["order"] = o.ID; o.ID == "" {
		f.t.Fatalf("no order: %s", answer.Body)
	}
}

// ledger writes a call of the tenant's, its journal and a message, and lets another be up.
func (f *furnisher) ledger(tenant string, ids map[string]string, mark string) {
	f.t.Helper()
	for _, statement := range []string{
		`INSERT INTO calls (call, tenant_id, sip_call_id, "from", "to", started_at, ended_at, version) VALUES (@call, @tenant, @call, @mark, @mark, now(), now(), 1)`,
		`INSERT INTO journal (call, source, leg, n, tenant_id, at, version, element, because, input, output)
		 VALUES (@call, 'routing', '', 0, @tenant, now(), 1, '', '[]', json_build_object('from', @mark::text), '{}')`,
		`INSERT INTO cdrs (leg, call, tenant_id, role, node, sip_call_id, "from", from_name, "to", device, trunk, started_at, ended_at, sip_code, cause, q850, fault, version, estimated)
		 VALUES (@call, @call, @tenant, 'caller', 'node1', @call, @mark, @mark, @mark, '', '', now(), now(), 200, 'NORMAL_CLEARING', 16, 'none', 1, false)`,
		`INSERT INTO recordings (id, tenant_id, kind, call, leg, box, file, "from", from_name, at, length_ms, state, hash)
		 VALUES (@call || '/1', @tenant, 'voicemail', @call, @call, @box, 'x', @mark, @mark, now(), 1000, 'kept', repeat('a', 64))`,
		`INSERT INTO recordings (id, tenant_id, kind, call, leg, box, file, "from", from_name, at, length_ms, state, hash)
		 VALUES (@call || '/2', @tenant, 'call', @call, @call, '', 'y', @mark, @mark, now(), 1000, 'kept', repeat('a', 64))`,
		`INSERT INTO registrations (username, domain, contact, tenant_id, event, at, cseq, expires_at, edge, edge_uri, call_id, source_address, source_port, transport, user_agent, path)
		 SELECT @username, domain, 'sip:' || @mark || '@192.0.2.7', id, 'registered', now(), 1, now() + interval '1 hour', 'edge', 'sip:127.0.0.1', 'c', '192.0.2.7', 5060, 'udp', @mark, ''
		   FROM tenants WHERE id = @tenant`,
	} {
		_, err := f.db.Exec(f.ctx, statement, pgx.NamedArgs{"call": ids["call"], "tenant": tenant, "mark": mark, "box": ids["box"], "username": ids["username"]})
		must(f.t, err)
	}
	var registration string
	must(f.t, f.db.QueryRow(f.ctx, `SELECT id FROM registrations WHERE tenant_id = $1`, tenant).Scan(&registration))
	ids["registration"] = registration
}
