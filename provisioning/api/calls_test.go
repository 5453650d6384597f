package api_test

import (
	"testing"
	"time"

	"tandem/messages"
	"tandem/postgres"
)

func TestRecordsAreListedToTheirTenantAlone(t *testing.T) {
	w := newWorld(t)
	began := time.Now().UTC().Truncate(time.Microsecond).Add(-time.Hour)
	var cdrs []messages.CDR
	for i, tenant := range []string{"ada", "ada", "bob", ""} {
		id := string(rune('a' + i))
		cdrs = append(cdrs, messages.CDR{Leg: "leg-" + id, Call: "call-" + id, Tenant: tenant, Role: "caller", Node: "n", From: "101", To: "102", StartedAt: began.Add(time.Duration(i) * time.Minute),
			EndedAt: began.Add(30 * time.Minute), Cause: "NORMAL_CLEARING", Fault: "none"})
	}
	_, err := w.owner.Store.InsertCDRs(w.ctx, cdrs)
	must(t, err)
	key := w.key("ada")
	var page struct {
		Items []postgres.CDRRow
		Next  string
	}
	w.ask(key, "GET", "/v1/tenants/ada/cdrs?limit=1", nil).into(200, &page)
	if len(page.Items) != 1 || page.Items[0].Leg != "leg-b" || page.Next == "" {
		t.Fatalf("page %+v", page)
	}
	w.ask(key, "GET", "/v1/tenants/ada/cdrs?limit=1&cursor="+page.Next, nil).into(200, &page)
	if len(page.Items) != 1 || page.Items[0].Leg != "leg-a" {
		t.Fatalf("second page %+v", page)
	}
	var calls struct{ Items []postgres.CallRow }
	w.ask(key, "GET", "/v1/tenants/ada/past-calls?since="+began.Add(time.Second).Format(time.RFC3339), nil).into(200, &calls)
	if len(calls.Items) != 1 || calls.Items[0].Call != "call-b" {
		t.Errorf("calls since then: %+v", calls.Items)
	}
	w.ask(key, "GET", "/v1/tenants/bob/cdrs", nil).is(404, "not_found")
}

func TestSearchFindsWhatIsOnesOwnHoweverItIsWritten(t *testing.T) {
	w := newWorld(t)
	for _, tenant := range []string{"ada", "eve"} {
		w.ask(w.operator, "POST", "/v1/tenants/"+tenant+"/users", object{"id": "u", "name": "Grace 100% Hopper", "extension": "101"}).is(201, "")
		w.ask(w.operator, "POST", "/v1/tenants/"+tenant+"/devices", object{"id": "d", "name": "Hopper's phone", "username": "hopper", "user": "u"}).is(201, "")
	}
	var found struct {
		Users, Devices []struct{ Tenant, ID string }
		Tenants        []struct{ ID string }
	}
	for q, want := range map[string]int{"hopper": 1, "100%25": 1, "1__%25": 0, "101": 1} {
		w.ask(w.key("ada"), "GET", "/v1/search?q="+q, nil).into(200, &found)
		if len(found.Users) != want || want == 1 && found.Users[0].Tenant != "ada" {
			t.Errorf("%s finds the users %+v", q, found.Users)
		}
	}
	w.ask(w.operator, "GET", "/v1/search?q=hopper&kinds=device", nil).into(200, &found)
	if len(found.Users) != 0 || len(found.Devices) != 2 {
		t.Errorf("the platform finds %+v", found)
	}
	w.ask(w.key("north"), "GET", "/v1/search?q=ada", nil).into(200, &found)
	if len(found.Tenants) != 1 {
		t.Errorf("a reseller finds the tenants %+v", found.Tenants)
	}
	w.ask(w.key("north"), "GET", "/v1/tenants/eve/search?q=hopper", nil).is(404, "")
	w.ask(w.key("north"), "GET", "/v1/past-calls", nil).is(403, "platform_only")
}
