package api_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tandem/provisioning/api"
)

// send sends a body that is no JSON.
func (w *world) send(secret, path, contentType, body string) answer {
	w.t.Helper()
	request := httptest.NewRequestWithContext(w.ctx, http.MethodPost, path, strings.NewReader(body))
	request.Header.Set("Authorization", "Bearer "+secret)
	request.Header.Set("Content-Type", contentType)
	recorder := httptest.NewRecorder()
	w.http.ServeHTTP(recorder, request)
	return answer{Status: recorder.Code, Header: recorder.Header(), Text: recorder.Body.String(), t: w.t}
}

type numberList struct {
	Items []struct{ Number, State, Tenant, Holder, Note string }
	Next  string
}

func (l numberList) words() string {
	var all []string
	for _, n := range l.Items {
		all = append(all, strings.TrimSpace(n.Number+" "+n.State+" "+n.Tenant+" "+n.Holder+" "+n.Note))
	}
	return strings.Join(all, ", ")
}

func TestAResellerSellsNumbersOfHisStock(t *testing.T) {
	w := newWorld(t)
	north, ada, eve := w.key("north"), w.key("ada"), w.key("eve")
	w.ask(w.operator, "POST", "/v1/numbers", object{"numbers": []object{{"number": "+493012345601", "note": "ours"}, {"number": "+493012345602"}, {"number": "+442079460000", "tenant": "eve"}}}).is(201, "")
	w.ask(w.operator, "POST", "/v1/numbers/hand", object{"numbers": []string{"+493012345601", "+493012345602"}, "holder": "north"}).is(200, "")
	w.ask(north, "POST", "/v1/tenants/north/numbers/reserve", object{"numbers": []string{"+493012345601"}, "tenant": "ada"}).is(200, "")
	w.ask(ada, "POST", "/v1/tenants/ada/numbers/assign", object{"numbers": []string{"+493012345601"}, "tenant": "ada"}).is(200, "")
	w.ask(north, "POST", "/v1/tenants/north/numbers/assign", object{"numbers": []string{"+493012345602"}, "tenant": "eve"}).is(404, "not_found")

	var list numberList
	for path, want := range map[string]string{
		"/v1/tenants/north/numbers":                 "+493012345601 assigned ada north ours, +493012345602 available  north",
		"/v1/tenants/north/numbers?state=available": "+493012345602 available  north",
		"/v1/tenants/north/numbers?assigned_to=ada": "+493012345601 assigned ada north ours",
		"/v1/tenants/north/numbers?prefix=%2B44":    "",
		"/v1/tenants/ada/numbers":                   "+493012345601 assigned ada", // not who holds it, and not his note
		"/v1/tenants/bob/numbers":                   "",
		"/v1/tenants/eve/numbers":                   "+442079460000 assigned eve",
		"/v1/numbers?prefix=%2B44":                  "+442079460000 assigned eve",
	} {
		list = numberList{}
		w.ask(w.operator, "GET", path, nil).into(200, &list)
		if list.words() != want {
			t.Errorf("%s: %q, not %q", path, list.words(), want)
		}
	}
	w.ask(north, "GET", "/v1/numbers", nil).is(403, "platform_only")
	for _, path := range []string{"/v1/tenants/eve/numbers/+493012345601", "/v1/tenants/eve/numbers/+493099999999"} {
		w.ask(eve, "GET", path, nil).is(404, "not_found")
	}
	got := w.ask(north, "GET", "/v1/tenants/north/numbers/+493012345602", nil)
	got.is(200, "")
	w.ask(north, "PUT", "/v1/tenants/north/numbers/+493012345602", object{"kind": "geographic", "note": "golden"}, "If-Match", got.Header.Get("ETag")).is(200, "")
	w.ask(north, "PUT", "/v1/tenants/north/numbers/+493012345602", object{}, "If-Match", got.Header.Get("ETag")).is(412, "stale")
	w.ask(ada, "PUT", "/v1/tenants/ada/numbers/+493012345601", object{"note": "mine"}).is(409, "conflict")
	w.ask(ada, "POST", "/v1/tenants/ada/numbers/release", object{"numbers": []string{"+493012345601"}}).is(200, "")
	w.ask(north, "GET", "/v1/tenants/north/numbers/+493012345601/history?sort=id", nil).into(200, &struct{}{})

	// He hands some on to a reseller below him, whose they are then, and to nobody else's.
	w.ask(w.operator, "POST", "/v1/tenants", object{"id": "west", "kind": "reseller", "parent": "north", "name": "West", "domain": "west.example"}).is(201, "")
	handed := func(holder string) object { return object{"numbers": []string{"+493012345602"}, "holder": holder} }
	w.ask(north, "POST", "/v1/tenants/north/numbers/hand", handed("south")).is(404, "not_found")
	w.ask(north, "POST", "/v1/tenants/north/numbers/hand", handed("west")).is(200, "")
	w.ask(north, "GET", "/v1/tenants/north/numbers/+493012345602", nil).is(404, "not_found")
	w.ask(north, "POST", "/v1/tenants/north/numbers/hand", handed("west")).is(404, "not_found")
	w.ask(w.key("west"), "GET", "/v1/tenants/west/numbers/+493012345602", nil).is(200, "")
	var history struct{ Items []struct{ Step, By string } }
	w.ask(ada, "GET", "/v1/tenants/ada/numbers/+493012345601/history", nil).into(200, &history)
	if len(history.Items) != 3 || history.Items[0].Step != "reserve" || history.Items[2].Step != "release" || !strings.HasPrefix(history.Items[2].By, "key/") {
		t.Errorf("ada sees of its history %+v", history.Items)
	}
	w.ask(north, "PUT", "/v1/tenants/north/number-rules", object{"ageing_days": 7}).is(200, "")
	w.ask(ada, "PUT", "/v1/tenants/ada/number-rules", object{"ageing_days": 7}).is(409, "conflict")
}

// A number of which nobody has checked whose it is would be called by everybody on the platform.
func TestNobodyBringsNumbersInWhomThePlatformDoesNotTrust(t *testing.T) {
	w := newWorld(t)
	const password = "correct horse battery"
	w.ask(w.operator, "POST", "/v1/tenants/north/people", object{"name": "R", "email": "r@north.example", "role": "reseller", "password": password}).is(201, "")
	var session struct{ Token string }
	w.ask("", "POST", "/v1/sessions", object{"email": "r@north.example", "password": password}).into(201, &session)
	w.ask(session.Token, "POST", "/v1/tenants/north/numbers", object{"numbers": []object{{"number": "+493012345601"}}}).is(403, "scope_missing")
	w.send(session.Token, "/v1/tenants/north/number-imports", "text/csv", "number\n+493012345601\n").is(403, "scope_missing")
	w.ask(session.Token, "POST", "/v1/tenants/north/keys", object{"name": "k", "scopes": []string{"numbers:add"}, "expires_at": time.Now().Add(time.Hour)}).is(403, "scope_not_yours")
	trusted := w.key("north", api.NumbersAdd)
	w.ask(trusted, "POST", "/v1/tenants/north/numbers", object{"numbers": []object{{"number": "+493012345601"}}}).is(201, "")
	w.ask(w.key("ada", api.NumbersAdd), "POST", "/v1/tenants/ada/numbers", object{"numbers": []object{{"number": "+493012345602"}}}).is(409, "conflict")
}

func TestASheetOfNumbersIsAnOrderWithProgressAndErrors(t *testing.T) {
	w := newWorld(t)
	north := w.key("north")
	var order struct {
		ID, State     string
		Done, Errors  int
		Result        json.RawMessage
		Items         []struct{ ID string }
		CreatedBy     string `json:"created_by"`
		FinishedAt    string `json:"finished_at"`
		Total, DryRun any
	}
	taken := w.send(north, "/v1/tenants/north/number-imports?country=DE", "text/csv", "number,tenant\n030 12345601,ada\n030 12345602,eve\n030 12345602,\n")
	taken.into(202, &order)
	at := taken.Header.Get("Location")
	if order.State != "queued" || at != "/v1/tenants/north/orders/"+order.ID || !strings.HasPrefix(order.CreatedBy, "key/") {
		t.Errorf("%s %+v", at, order)
	}
	work := func() {
		t.Helper()
		if worked, err := w.owner.WorkOrder(context.WithoutCancel(w.ctx)); err != nil || !worked {
			t.Fatalf("%v %v", worked, err)
		}
	}
	work()
	w.ask(north, "GET", at, nil).into(200, &order)
	var faults struct {
		Items []struct {
			Line        int
			Code, Field string
		}
	}
	w.ask(north, "GET", at+"/errors", nil).into(200, &faults)
	if order.State != "failed" || order.Errors != 2 || len(faults.Items) != 2 || faults.Items[0].Line != 3 || faults.Items[0].Code != "tenant_unknown" || faults.Items[1].Code != "number_twice" {
		t.Errorf("%+v %+v", order, faults)
	}
	w.send(north, "/v1/tenants/north/number-imports?country=DE", "text/csv", "number,tenant\n030 12345601,ada\n").into(202, &order)
	work()
	w.ask(north, "GET", "/v1/tenants/north/orders/"+order.ID, nil).into(200, &order)
	if order.State != "done" || string(order.Result) != `{"added":1,"assigned":1,"encoding":"utf-8"}` || order.FinishedAt == "" {
		t.Errorf("%+v %s", order, order.Result)
	}
	w.ask(north, "POST", "/v1/tenants/north/orders/"+order.ID+"/cancel", nil).is(409, "conflict")
	w.ask(w.key("south"), "GET", "/v1/tenants/south/orders/"+order.ID, nil).is(404, "not_found")
	w.ask(w.key("south"), "GET", "/v1/tenants/south/orders/"+order.ID+"/errors", nil).is(404, "not_found")
	w.ask(north, "GET", "/v1/tenants/north/orders?state=done", nil).into(200, &order)
	if len(order.Items) != 1 {
		t.Errorf("%d orders are done", len(order.Items))
	}
	w.send(north, "/v1/tenants/north/number-imports", "text/csv", strings.Repeat("x", 16<<20+1)).is(413, "")
}

func TestAPortingOrderFromDraftToLive(t *testing.T) {
	w := newWorld(t)
	ada := w.key("ada", api.PortingRead, api.PortingWrite, api.NumbersRead)
	decider := w.key("", api.PortingDecide, api.PortingRead, api.NumbersRead)
	body := object{"direction": "in", "carrier": "Other Telecom", "subscriber": "Ada", "wanted_on": time.Now().UTC().Format(time.DateOnly), "numbers": []string{"+493012345601"}}
	var p struct{ ID, State string }
	w.ask(ada, "POST", "/v1/tenants/ada/portings", body).into(201, &p)
	at := "/v1/tenants/ada/portings/" + p.ID
	var d struct{ ID string }
	w.send(ada, at+"/documents?name=letter%20of%20authority.pdf", "application/octet-stream", "%PDF-1.7 x").into(201, &d)
	w.send(ada, at+"/documents?name=a.html", "application/octet-stream", "<html>").is(422, "invalid")
	given := w.ask(ada, "GET", at+"/documents/"+d.ID, nil)
	given.is(200, "")
	if given.Text != "%PDF-1.7 x" || given.Header.Get("Content-Type") != "application/pdf" || given.Header.Get("Content-Disposition") != "attachment; filename*=UTF-8''letter%20of%20authority.pdf" ||
		given.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%q %v", given.Text, given.Header)
	}
	w.ask(w.key("bob"), "GET", "/v1/tenants/bob/portings/"+p.ID+"/documents/"+d.ID, nil).is(404, "not_found")
	w.ask(w.key("bob"), "GET", at+"/documents/"+d.ID, nil).is(404, "not_found")

	delete(body, "direction")
	read := w.ask(ada, "GET", at, nil)
	w.ask(ada, "PUT", at, body, "If-Match", read.Header.Get("ETag")).is(200, "")
	w.ask(ada, "PUT", at, body, "If-Match", read.Header.Get("ETag")).is(412, "stale")
	w.ask(ada, "POST", at+"/submit", object{}).into(200, &p)
	w.ask(ada, "POST", at+"/accept", object{}).is(403, "scope_missing")
	w.ask(decider, "POST", at+"/accept", object{}).is(200, "")
	w.ask(decider, "POST", at+"/schedule", object{"on": "tomorrow"}).is(422, "invalid")
	w.ask(decider, "POST", at+"/schedule", object{"on": time.Now().UTC().Format(time.DateOnly)}).is(200, "")
	w.ask(ada, "POST", at+"/cancel", object{}).is(409, "conflict")
	w.ask(decider, "POST", at+"/ported", object{}).into(200, &p)
	if p.State != "ported" {
		t.Errorf("%+v", p)
	}
	var list numberList
	w.ask(ada, "GET", "/v1/tenants/ada/numbers", nil).into(200, &list)
	if list.words() != "+493012345601 assigned ada" {
		t.Errorf("ada has %q", list.words())
	}
	var all struct{ Items []struct{ ID, Tenant string } }
	w.ask(decider, "GET", "/v1/portings?state=ported", nil).into(200, &all)
	if len(all.Items) != 1 || all.Items[0].Tenant != "ada" {
		t.Errorf("%+v", all)
	}
}
