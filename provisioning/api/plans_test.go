package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tandem/provisioning/api"
)

// sendFile sends a file as it is.
func (w *world) sendFile(secret, path, file string, headers ...string) answer {
	w.t.Helper()
	request := httptest.NewRequestWithContext(w.ctx, http.MethodPost, path, strings.NewReader(file))
	request.Header.Set("Authorization", "Bearer "+secret)
	request.Header.Set("Content-Type", "application/yaml")
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	recorder := httptest.NewRecorder()
	w.http.ServeHTTP(recorder, request)
	return answer{Status: recorder.Code, Header: recorder.Header(), Text: recorder.Body.String(), t: w.t}
}

const phoneFile = `format: 1
users:
- {id: ann, name: Ann, extension: 101}
devices:
- {id: ann-desk, user_id: ann, name: Desk, username: ann}
voicemail_boxes:
- {user: ann}
trunks:
- {id: pbx, name: PBX, device: ann-desk, outgoing: {destinations: []}}
outbound_routes:
- {prefix: "+33", trunks: [pbx]}
flows:
- {id: main, name: Main, start: end, elements: {end: {type: hangup, settings: {cause: USER_BUSY}}}}
routes:
- {dialled: 200, flow_id: main}
`

type planned struct {
	MadeOf  string `json:"made_of"`
	Changes []struct{ Path, Words string }
	Summary []string
}

func TestATenantIsExportedPlannedAndApplied(t *testing.T) {
	w := newWorld(t)
	key := w.key("ada")
	base := "/v1/tenants/ada"
	first := w.sendFile(key, base+"/plan", phoneFile)
	var p planned
	first.into(200, &p)
	if len(p.Changes) != 7 || p.Changes[0].Words != "Adds user ann (extension 101)." || p.Summary[0] != "Adds 1 user." {
		t.Fatalf("plans %s", first.Text)
	}
	w.sendFile(key, base+"/apply", phoneFile).is(428, "plan_first")
	w.sendFile(key, base+"/apply", phoneFile, "If-Match", `"of another"`).is(412, "stale")
	var done struct {
		planned
		Published int64
		Passwords []struct{ Device, Username, Password string }
		PINs      []struct{ User, PIN string }
	}
	w.sendFile(key, base+"/apply?comment=first", phoneFile, "If-Match", first.Header.Get("ETag")).into(200, &done)
	if done.Published != 1 || len(done.Passwords) != 1 || done.Passwords[0].Password == "" || len(done.PINs) != 1 {
		t.Fatalf("applying gives %+v", done)
	}
	exported := w.ask(key, "GET", base+"/export", nil)
	exported.is(200, "")
	if exported.Header.Get("Content-Type") != "application/yaml" || !strings.Contains(exported.Text, "user_id: ann\n") || strings.Contains(exported.Text, done.Passwords[0].Password) {
		t.Fatalf("exports %s", exported.Text)
	}
	for _, format := range []string{"yaml", "json"} {
		file := w.ask(key, "GET", base+"/export?format="+format, nil)
		again := w.sendFile(key, base+"/plan", file.Text)
		again.into(200, &p)
		if len(p.Changes) != 0 || again.Header.Get("ETag") != exported.Header.Get("ETag") {
			t.Errorf("the export plans %s", again.Text)
		}
	}
	w.sendFile(key, base+"/apply?again=true", phoneFile).into(200, &done)
	if len(done.Changes) != 0 || done.Passwords == nil || len(done.Passwords) != 0 {
		t.Errorf("applying again does %+v", done)
	}
	audit := w.ask(key, "GET", base+"/audit?object=devices", nil)
	if !strings.Contains(audit.Text, `"created"`) || strings.Contains(audit.Text, "ha1") {
		t.Errorf("the audit tells %s", audit.Text)
	}
}

func TestAFileThatCannotBeReadIsRefusedWithItsPlaces(t *testing.T) {
	w := newWorld(t)
	got := w.sendFile(w.key("ada"), "/v1/tenants/ada/plan", "format: 1\nusers:\n- {id: a, nmae: x}\nflows:\n")
	got.is(422, "file_unreadable")
	for _, want := range []string{"line 3: /users/a/nmae is not known", "line 4: /flows is empty"} {
		if !strings.Contains(got.Text, want) {
			t.Errorf("%q is not in %s", want, got.Text)
		}
	}
	w.sendFile(w.key("ada"), "/v1/tenants/ada/plan", "format: 1\nusers:\n- {id: a, name: A, extension: 1}\n").is(422, "invalid")
}

func TestLimitsAreForThoseAboveATenant(t *testing.T) {
	w := newWorld(t)
	limits := "format: 1\nsettings: {max_calls: 99, calling_out: {allowed: true}}\n"
	w.sendFile(w.key("ada"), "/v1/tenants/ada/apply?again=true", limits).is(403, "own_tenant")
	w.sendFile(w.key("north", api.PlansWrite), "/v1/tenants/ada/apply?again=true", limits).is(403, "scope_missing")
	w.sendFile(w.key("ada"), "/v1/tenants/ada/apply?again=true", "format: 1\nsettings: {time_zone: Europe/Paris, calling_out: {withheld: true}}\n").is(200, "")
	w.sendFile(w.key("north"), "/v1/tenants/ada/apply?again=true", limits).is(200, "")
	w.sendFile(w.key("south"), "/v1/tenants/ada/apply?again=true", limits).is(404, "not_found")
	w.sendFile(w.key("ada", api.PlansRead), "/v1/tenants/ada/apply?again=true", limits).is(403, "scope_missing")
}

func TestATrunkOfAnotherTenantsIsNotTakenByAPlan(t *testing.T) {
	w := newWorld(t)
	w.sendFile(w.key("bob"), "/v1/tenants/bob/apply?again=true", "format: 1\ntrunks: [{id: pbx, name: Theirs}]\n").is(200, "")
	w.sendFile(w.key("ada"), "/v1/tenants/ada/apply?again=true", phoneFile).is(409, "conflict")
	w.sendFile(w.key("ada"), "/v1/tenants/ada/apply?again=true", "format: 1\ntrunks: [{id: mine, name: Mine, addresses: [192.0.2.5]}]\n").is(200, "")
	w.sendFile(w.key("bob"), "/v1/tenants/bob/apply?again=true", "format: 1\ntrunks: [{id: theirs, name: Theirs, addresses: [192.0.2.5]}]\n").is(409, "conflict")
}
