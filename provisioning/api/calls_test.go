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
