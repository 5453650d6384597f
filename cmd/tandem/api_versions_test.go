package main

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"tandem/because"
	"tandem/callflows"
	"tandem/postgres"
	"tandem/provisioning"
	"tandem/versions"
)

// versionServer is the paths of versions on a worker whose PostgreSQL is away: nothing listens on port 1.
func versionServer(t *testing.T) http.Handler {
	t.Helper()
	store, err := postgres.Open(t.Context(), "postgres://nobody@127.0.0.1:1/nothing")
	must(t, err)
	t.Cleanup(store.Close)
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	w := &worker{store: store, apiStore: store, log: slog.New(slog.NewJSONHandler(io.Discard, nil)), operatorKey: testOperatorKey}
	w.versionOperations(w.openAPI(router))
	return router
}

func TestVersionsWithoutPostgreSQLSaySo(t *testing.T) {
	server := versionServer(t)
	for _, c := range []struct {
		method, path, from, kind, body string
		status                         int
		code                           string
	}{
		{"GET", "/v1/tenants/demo/versions", "192.0.2.7:5", "", "", 503, "postgresql_away"},
		{"GET", "/v1/tenants/demo/versions/live", "192.0.2.7:5", "", "", 503, "postgresql_away"},
		{"GET", "/v1/tenants/demo/versions/2/diff?to=live", "192.0.2.7:5", "", "", 503, "postgresql_away"},
		{"GET", "/v1/tenants/demo/versions?limit=1001", "127.0.0.1:5", "", "", 400, "limit_out_of_range"},
		{"GET", "/v1/tenants/demo/versions?before=-1", "127.0.0.1:5", "", "", 400, "version_invalid"},
		{"POST", "/v1/tenants/demo/versions", "192.0.2.7:5", "text/plain", `{"by":"anna"}`, 415, "content_type"},
		{"POST", "/v1/tenants/demo/versions", "[::1]:5", "application/json", `{"by":"anna"}`, 503, "postgresql_away"},
		{"POST", "/v1/tenants/demo/versions", "127.0.0.1:5", "application/json", `{"by":""}`, 503, "postgresql_away"},
		{"POST", "/v1/tenants/demo/versions", "127.0.0.1:5", "application/json", `anna`, 400, "body_unreadable"},
		{"POST", "/v1/tenants/demo/replay", "127.0.0.1:5", "application/json", `{"since":"24h","draft":true}`, 503, "postgresql_away"},
		{"POST", "/v1/tenants/demo/replay", "127.0.0.1:5", "application/json", `{"since":"24h","draft":true}`, 503, "postgresql_away"},
		{"POST", "/v1/tenants/demo/replay", "127.0.0.1:5", "application/json", `{"since":"24h"}`, 400, "period_invalid"},
		{"POST", "/v1/tenants/demo/replay", "127.0.0.1:5", "application/json", `{"since":"soon","draft":true}`, 400, "period_invalid"},
		{"POST", "/v1/tenants/demo/replay", "127.0.0.1:5", "application/json", `{"since":"2000h","version":3}`, 400, "period_too_long"},
		{"POST", "/v1/tenants/demo/replay", "127.0.0.1:5", "application/json", `{"since":` + strings.Repeat(" ", 5000) + `"1h"}`, 400, "body_unreadable"},
		{"POST", "/v1/tenants/demo/versions/1/rollback", "127.0.0.1:5", "application/json", `[]`, 400, "body_unreadable"},
		{"POST", "/v1/tenants/demo/versions/live/rollback", "127.0.0.1:5", "application/json", `{"by":"anna"}`, 422, "version_invalid"},
		{"POST", "/v1/tenants/demo/versions/1/rollback", "127.0.0.1:5", "application/json", `{"by":"anna","drafts":"burn"}`, 422, "configuration_invalid"},
		{"POST", "/v1/tenants/demo/versions/1/rollback", "127.0.0.1:5", "application/json", `{"by":"anna"}`, 503, "postgresql_away"},
	} {
		request := httptest.NewRequestWithContext(t.Context(), c.method, c.path, strings.NewReader(c.body))
		request.Header.Set("Authorization", "Bearer "+testOperatorKey)
		request.RemoteAddr = c.from
		request.Header.Set("Content-Type", c.kind)
		answer := httptest.NewRecorder()
		server.ServeHTTP(answer, request)
		var said refusal
		if err := json.Unmarshal(answer.Body.Bytes(), &said); err != nil || answer.Code != c.status || said.Code != c.code || int(said.Status) != c.status ||
			answer.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s %s from %s with %s: %d %s, want %d %s", c.method, c.path, c.from, c.body, answer.Code, answer.Body, c.status, c.code)
		}
	}
}

func TestARefusalIsToldWithEverythingThatIsWrong(t *testing.T) {
	answer := httptest.NewRecorder()
	c, _ := gin.CreateTestContext(answer)
	refusedProblem(c, &provisioning.Error{Code: provisioning.Conflict, Field: "version", Detail: "version 3 relies on 1 thing that is not so any more.", Faults: []callflows.FlowFault{
		{Path: "/routes/300", Code: "extension_taken", Detail: "300 has become an extension.", Mend: "Edit\x1b[2J the drafts."},
		{Path: "/flows/f/elements/e/exits/busy", Code: "exit_open", Warning: true}}})
	said := &refusal{}
	must(t, json.Unmarshal(answer.Body.Bytes(), said))
	want := "version: version 3 relies on 1 thing that is not so any more. (version_outdated)\n  /routes/300: 300 has become an extension. Edit?[2J the drafts."
	if answer.Code != http.StatusConflict || said.Error() != want {
		t.Errorf("%d %q", answer.Code, said.Error())
	}
}

func TestAChangeIsSentWithItsWordsItsCodeAndItsPlace(t *testing.T) {
	body, err := json.Marshal(viewOfChanges([]versions.Change{{Path: "/flows/f/elements/b", Was: "/flows/f/elements/a",
		Because: because.New("element_renamed", "flow", "F", "before", "the menu a", "after", "b")}}))
	must(t, err)
	want := `[{"path":"/flows/f/elements/b","was":"/flows/f/elements/a","change":{"after":"b","before":"the menu a","code":"element_renamed","flow":"F"},"words":"The flow F: the menu a has the key b."}]`
	if string(body) != want {
		t.Errorf("got %s", body)
	}
}
