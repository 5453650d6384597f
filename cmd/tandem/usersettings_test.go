package main

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"tandem/postgres"
	rest "tandem/provisioning/client"
)

func TestSettingsWithoutPostgreSQLSaySo(t *testing.T) {
	store, err := postgres.Open(t.Context(), "postgres://nobody@127.0.0.1:1/nothing") // nothing listens on port 1
	must(t, err)
	t.Cleanup(store.Close)
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	w := &worker{store: store, apiStore: store, log: slog.New(slog.NewJSONHandler(io.Discard, nil)), operatorKey: testOperatorKey}
	w.settingOperations(w.openAPI(router))
	const path = "/v1/tenants/demo/users/anna/settings"
	for _, c := range []struct {
		method, path, from, body string
		status                   int
		code                     string
	}{
		{"GET", path, "192.0.2.7:5", "", 503, "postgresql_away"},
		{"PUT", path, "127.0.0.1:5", `[]`, 400, "body_unreadable"},
		{"PUT", path, "127.0.0.1:5", `{"settings":{}}`, 503, "postgresql_away"},
		{"PUT", path, "127.0.0.1:5", `{"by":"anna","settings":{"forward_all":{"on":true}}}`, 422, "configuration_invalid"},
		{"PUT", path, "127.0.0.1:5", `{"by":"anna","settings":{"do_not_disturb":true}}`, 503, "postgresql_away"},
		{"POST", "/v1/tenants/demo/feature-codes", "127.0.0.1:5", `{}`, 503, "postgresql_away"},
	} {
		request := httptest.NewRequestWithContext(t.Context(), c.method, c.path, strings.NewReader(c.body))
		request.Header.Set("Authorization", "Bearer "+testOperatorKey)
		request.RemoteAddr = c.from
		request.Header.Set("Content-Type", "application/json")
		answer := httptest.NewRecorder()
		router.ServeHTTP(answer, request)
		var problem struct{ Code string }
		if err := json.Unmarshal(answer.Body.Bytes(), &problem); err != nil || answer.Code != c.status || problem.Code != c.code ||
			answer.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s %s %s: %d %s", c.method, c.path, c.body, answer.Code, answer.Body)
		}
	}
}

func TestTheCommandChangesWhatIsNamedAlone(t *testing.T) {
	to, none, off := "102", "", false
	set := rest.UserSettings{User: "u", ForwardBusy: &rest.Forward{On: true, To: "103"}, DoNotDisturb: true, SpeedDials: map[string]string{"1": "101", "2": "102"}}
	c := userSetCommand{ForwardAll: &to, ForwardBusy: &none, CallWaiting: &off, SpeedDial: map[string]string{"1": "", "3": "103"}}
	must(t, c.change(&set))
	if !set.ForwardAll.On || set.ForwardAll.To != "102" || set.ForwardBusy.On || set.ForwardBusy.To != "103" || !set.DoNotDisturb || !set.NoCallWaiting ||
		len(set.SpeedDials) != 2 || set.SpeedDials["3"] != "103" {
		t.Errorf("got %+v", set)
	}
	if err := (&userSetCommand{}).change(&set); err == nil {
		t.Error("a command that names nothing is taken")
	}
}
