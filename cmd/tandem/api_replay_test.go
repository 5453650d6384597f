package main

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
)

// By HTTP a replay says what tandem replay says.
func TestReplayByHTTPSaysWhatTheCommandSays(t *testing.T) {
	w := newReplayWorld(t)
	w.made(t, time.Now().Add(-time.Hour), 5)
	w.end(t, "CALL_REJECTED")
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	serving := &worker{store: w.Store, apiStore: w.Store, log: slog.New(slog.NewJSONHandler(io.Discard, nil)), operatorKey: testOperatorKey}
	serving.versionOperations(serving.openAPI(router))
	ask := func(tenant, body string) (int, map[string]any) {
		request := httptest.NewRequestWithContext(t.Context(), "POST", "/v1/tenants/"+tenant+"/replay", strings.NewReader(body))
		request.Header.Set("Authorization", "Bearer "+testOperatorKey)
		request.Header.Set("Content-Type", "application/json")
		answer := httptest.NewRecorder()
		router.ServeHTTP(answer, request)
		var got map[string]any
		must(t, json.Unmarshal(answer.Body.Bytes(), &got))
		return answer.Code, got
	}
	status, got := ask("shop", `{"since":"2h","draft":true}`)
	summary, _ := got["summary"].(map[string]any)
	if status != 200 || summary["calls"] != 5.0 || summary["different"] != 5.0 || got["under"] != "the draft" {
		t.Errorf("%d: %v", status, got)
	}
	for _, c := range []struct {
		tenant, body string
		status       int
		code         string
	}{
		{"ghost", `{"since":"2h","version":1}`, 404, "tenant_unknown"},
		{"ghost", `{"since":"2h","draft":true}`, 404, "tenant_unknown"},
		{"shop", `{"since":"2h","version":9}`, 404, "version_unknown"},
	} {
		if status, got := ask(c.tenant, c.body); status != c.status || got["code"] != c.code {
			t.Errorf("%s %s: %d %v", c.tenant, c.body, status, got)
		}
	}
	serving.replaying.Store(true)
	if status, got := ask("shop", `{"since":"2h","draft":true}`); status != 429 || got["code"] != "replay_under_way" {
		t.Errorf("a second one at once: %d %v", status, got)
	}
}
