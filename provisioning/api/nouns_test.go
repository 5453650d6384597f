package api_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"tandem/postgres"
)

func TestAResellerPutsACustomerOnTheAirAndTakesAMistakeBack(t *testing.T) {
	w := newWorld(t)
	reseller := w.key("north")
	w.ask(reseller, "POST", "/v1/tenants", object{"id": "new", "name": "New", "domain": "new.example"}).is(201, "")
	w.ask(reseller, "POST", "/v1/tenants/new/users", object{"id": "u", "name": "U", "extension": "101"}).is(201, "")
	var device struct{ Password, ID string }
	w.ask(reseller, "POST", "/v1/tenants/new/devices", object{"id": "d", "name": "D", "username": "d", "user": "u"}).into(201, &device)
	if len(device.Password) < 20 {
		t.Errorf("password %q", device.Password)
	}
	flow := object{"id": "main", "name": "Main", "start": "a", "elements": object{"a": object{"type": "ring", "settings": object{"users": []string{"u"}}}}}
	checked := w.ask(reseller, "POST", "/v1/tenants/new/flows/main/check", flow)
	checked.is(200, "")
	w.ask(reseller, "DELETE", "/v1/tenants/new/users/u", nil).is(409, "conflict")
	w.ask(reseller, "PUT", "/v1/tenants/new/devices/d", object{"name": "Other"}).is(200, "")

	var audit struct{ Items []postgres.AuditEntry }
	w.ask(reseller, "GET", "/v1/tenants/new/audit?object=devices", nil).into(200, &audit)
	w.ask(reseller, "POST", "/v1/tenants/new/audit/"+strconv.FormatInt(audit.Items[0].ID, 10)+"/undo", nil).is(200, "")
	var back postgres.DeviceRow
	w.ask(reseller, "GET", "/v1/tenants/new/devices/d", nil).into(200, &back)
	if back.Name != "D" || back.User != "u" {
		t.Errorf("after the undo the device is %+v", back)
	}
	w.ask(reseller, "POST", "/v1/tenants/new/audit/"+strconv.FormatInt(audit.Items[0].ID, 10)+"/undo", nil).is(409, "conflict")

	// Removing and undoing brings it back with its password.
	w.ask(reseller, "DELETE", "/v1/tenants/new/devices/d", nil).is(204, "")
	w.ask(reseller, "GET", "/v1/tenants/new/audit?object=devices&limit=1", nil).into(200, &audit)
	w.ask(reseller, "POST", "/v1/tenants/new/audit/"+strconv.FormatInt(audit.Items[0].ID, 10)+"/undo", nil).is(200, "")
	w.ask(reseller, "GET", "/v1/tenants/new/devices/d", nil).is(200, "")
}

// Every field by which a list says that it sorts sorts it.
func TestListsSortByTheirFields(t *testing.T) {
	w := newWorld(t)
	for _, id := range []string{"a", "b"} {
		w.ask(w.operator, "POST", "/v1/tenants/ada/devices", object{"id": id, "name": id, "username": id}).is(201, "")
	}
	for _, sort := range []string{"id", "-id", "name", "username", "created_at", "-created_at"} {
		w.ask(w.operator, "GET", "/v1/tenants/ada/devices?limit=1&sort="+sort, nil).is(200, "")
	}
	for _, sort := range []string{"at", "-at", "id"} {
		w.ask(w.operator, "GET", "/v1/tenants/ada/recordings?sort="+sort, nil).is(200, "")
	}
	for _, sort := range []string{"created_at", "name"} {
		w.ask(w.operator, "GET", "/v1/tenants/ada/media?sort="+sort, nil).is(200, "")
	}
}

func TestLimitsAndSuspensionHoldDownTheTree(t *testing.T) {
	w := newWorld(t)
	reseller := w.key("north")
	limits := object{"max_calls": 50, "max_calls_per_second": 0, "may_call_out": true, "max_outgoing": 0, "outgoing_per_second": 0, "blocked_prefixes": []string{"+1900"}, "shown_numbers": []string{}}
	w.ask(reseller, "PUT", "/v1/tenants/north/limits", limits).is(403, "own_tenant")
	limits["max_calls"] = 10
	w.ask(w.operator, "PUT", "/v1/tenants/north/limits", limits).is(200, "")
	limits["max_calls"] = 50
	var got struct {
		MaxCalls  int `json:"max_calls"`
		Effective struct {
			MaxCalls   int  `json:"max_calls"`
			MayCallOut bool `json:"may_call_out"`
		}
	}
	w.ask(reseller, "PUT", "/v1/tenants/ada/limits", limits).into(200, &got)
	if got.MaxCalls != 50 || got.Effective.MaxCalls != 10 || !got.Effective.MayCallOut {
		t.Errorf("limits %+v", got)
	}
	w.ask(w.operator, "POST", "/v1/tenants/north/suspend", nil).is(200, "")
	data, err := w.owner.Store.LoadData(w.ctx)
	must(t, err)
	for _, tenant := range data.Tenants {
		if want := tenant.ID == "north" || tenant.ID == "ada" || tenant.ID == "bob"; tenant.Suspended != want {
			t.Errorf("%s suspended: %t", tenant.ID, tenant.Suspended)
		}
		// Workers hold a tenant to its own, and all of a reseller's together to his.
		if tenant.ID == "ada" && (tenant.MaxCalls != 50 || tenant.Parent != "north") || tenant.ID == "north" && tenant.MaxCalls != 10 {
			t.Errorf("workers let %s, below %q, have %d calls", tenant.ID, tenant.Parent, tenant.MaxCalls)
		}
	}
	w.ask(w.operator, "POST", "/v1/tenants/ada/move", object{"parent": "south"}).is(200, "")
	var ada postgres.TenantRow
	w.ask(w.operator, "GET", "/v1/tenants/ada", nil).into(200, &ada)
	if ada.SuspendedAbove || ada.Parent != "south" {
		t.Errorf("after the move %+v", ada)
	}
	w.ask(reseller, "GET", "/v1/tenants/ada", nil).is(404, "not_found")
	w.ask(w.key("south"), "POST", "/v1/tenants/ada/move", object{"parent": "north"}).is(404, "not_found")
	w.ask(w.operator, "POST", "/v1/tenants/south/move", object{"parent": "ada"}).is(404, "not_found")
}

func TestListsArePagedSortedAndFilteredByTheirFieldsAlone(t *testing.T) {
	w := newWorld(t)
	for i := range 7 {
		w.ask(w.operator, "POST", "/v1/tenants/ada/users", object{"id": "u" + strconv.Itoa(i), "name": "N" + strconv.Itoa(i%2), "extension": strconv.Itoa(100 + i)}).is(201, "")
	}
	var ids []string
	for next, pages := "", 0; ; pages++ {
		var page struct {
			Items []postgres.UserRow
			Next  string
		}
		w.ask(w.operator, "GET", "/v1/tenants/ada/users?limit=3&sort=-name&cursor="+next, nil).into(200, &page)
		for _, u := range page.Items {
			ids = append(ids, u.ID)
		}
		if next = page.Next; next == "" {
			break
		}
	}
	if got := strings.Join(ids, " "); got != "u5 u3 u1 u6 u4 u2 u0" {
		t.Errorf("pages gave %s", got)
	}
	for _, query := range []string{"sort=ha1", "sort=number", "cursor=nonsense", "limit=0", "limit=201", "limit=x"} {
		if got := w.ask(w.operator, "GET", "/v1/tenants/ada/users?"+query, nil); got.Status != http.StatusBadRequest && got.Status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", query, got.Status, got.Text)
		}
	}
}

func TestAnEditOfWhatSomebodyElseHasChangedIsRefused(t *testing.T) {
	w := newWorld(t)
	made := w.ask(w.operator, "POST", "/v1/tenants/ada/users", object{"id": "u", "name": "U", "extension": "101"})
	tag := made.Header.Get("ETag")
	w.ask(w.operator, "PUT", "/v1/tenants/ada/users/u", object{"name": "V", "extension": "101"}, "If-Match", tag).is(200, "")
	w.ask(w.operator, "PUT", "/v1/tenants/ada/users/u", object{"name": "W", "extension": "101"}, "If-Match", tag).is(412, "stale")
}
