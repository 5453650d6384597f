package api_test

import (
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"

	"tandem/postgres"
	"tandem/provisioning/api"
)

func TestRecordingsOfCallsAreListedDeletedAndBroughtBack(t *testing.T) {
	w := newWorld(t)
	insert := `INSERT INTO recordings (id, tenant_id, kind, call, leg, box, file, "from", from_name, at, length_ms, state, hash)
		VALUES (@id, @tenant, @kind, @call, 'l', @box, 'f.wav', @from, '', @at::timestamptz, 1000, @state::text, CASE WHEN @state = 'kept' THEN repeat('a', 64) END)`
	for _, r := range []pgx.NamedArgs{
		{"id": "c1/1", "tenant": "ada", "kind": "call", "call": "c1", "box": "", "from": "+4930111", "at": "2026-03-01T10:00:00Z", "state": "kept"},
		{"id": "c2/7", "tenant": "ada", "kind": "call", "call": "c2", "box": "", "from": "+4930222", "at": "2026-03-02T10:00:00Z", "state": "lost"},
		{"id": "c2/8", "tenant": "ada", "kind": "call", "call": "c2", "box": "", "from": "+4930222", "at": "2026-03-02T11:00:00Z", "state": "discarded"},
		{"id": "c3/1", "tenant": "ada", "kind": "voicemail", "call": "c3", "box": "u", "from": "+4930222", "at": "2026-03-03T10:00:00Z", "state": "kept"},
		{"id": "c4/1", "tenant": "eve", "kind": "call", "call": "c4", "box": "", "from": "+4930222", "at": "2026-03-03T10:00:00Z", "state": "kept"},
	} {
		w.sql(insert, r)
	}
	key := w.key("ada", api.RecordingsRead, api.RecordingsWrite, api.VoicemailWrite, api.AuditRead, api.AuditWrite)
	list := func(query string, want ...string) (next string) {
		t.Helper()
		var page struct {
			Items []postgres.CallRecording
			Next  string
		}
		w.ask(key, "GET", "/v1/tenants/ada/recordings"+query, nil).into(200, &page)
		if len(page.Items) != len(want) {
			t.Fatalf("%s: %+v", query, page.Items)
		}
		for i, r := range page.Items {
			if r.ID != want[i] {
				t.Errorf("%s: %s at %d, want %s", query, r.ID, i, want[i])
			}
		}
		return page.Next
	}
	list("", "c2.7", "c1.1")
	list("?limit=1&cursor="+list("?limit=1", "c2.7"), "c1.1")
	list("?call=c1", "c1.1")
	list("?from=%2B4930222&since=2026-03-02T00:00:00Z&until=2026-03-02T10:30:00Z", "c2.7")
	w.ask(key, "GET", "/v1/tenants/ada/recordings/c3.1", nil).is(404, "not_found") // a message is in its box
	w.ask(key, "GET", "/v1/tenants/ada/recordings/c4.1", nil).is(404, "not_found")
	w.ask(key, "GET", "/v1/tenants/ada/recordings/c1.1/sound", nil).is(503, "no_media_folder")
	w.ask(w.key("ada", api.VoicemailRead), "GET", "/v1/tenants/ada/recordings", nil).is(403, "")

	w.ask(key, "DELETE", "/v1/tenants/ada/recordings/c1.1", nil).is(204, "")
	w.ask(key, "DELETE", "/v1/tenants/ada/recordings/c1.1", nil).is(404, "not_found")
	list("", "c2.7")
	var audit struct{ Items []postgres.AuditEntry }
	w.ask(key, "GET", "/v1/tenants/ada/audit?object=recordings", nil).into(200, &audit)
	if len(audit.Items) != 1 || audit.Items[0].ObjectID != "c1/1" {
		t.Fatalf("audit: %+v", audit.Items)
	}
	undo := "/v1/tenants/ada/audit/" + strconv.FormatInt(audit.Items[0].ID, 10) + "/undo"
	w.ask(w.key("ada", api.RecordingsWrite, api.AuditWrite), "POST", undo, nil).is(403, "")
	w.ask(key, "POST", undo, nil).is(200, "")
	list("", "c2.7", "c1.1")
}
