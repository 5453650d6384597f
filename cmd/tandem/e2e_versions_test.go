package main

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"tandem/tenants"
)

// TestVersionsArePublishedComparedAndRolledBack goes through the commands as an operator does.
func TestVersionsArePublishedComparedAndRolledBack(t *testing.T) {
	w := sharedWorld(t)
	c := w.company(t)
	menu := func(prompt string) map[string]tenants.Element {
		return map[string]tenants.Element{
			"main":  element("menu", map[string]any{"prompt": prompt, "attempts": 3}, map[string]string{"1": "group", "timeout": "bye", "invalid": "bye"}),
			"group": ringing("at_once", 20, "one", "two"), "bye": element("hangup", map[string]any{"cause": "NORMAL_CLEARING"}, nil)}
	}
	c.flow(t, "300", "main", menu("summer"))
	tenant := "/v1/tenants/" + c.id + "/versions"
	w.says(t, []string{"Nothing was published."}, "version", "list", c.id)
	w.says(t, []string{"Nothing, since nothing was published, -> The drafts: ", "The flow Flow 300 is new. It begins with the menu main and has 3 elements."}, "version", "diff", c.id)
	w.says(t, []string{"Version 1 is published: "}, "version", "publish", c.id, "--by", "anna", "--comment", "Opening")

	c.flow(t, "300", "main", menu("winter"))
	must(t, w.Provisioning.BlockCaller(within(t), c.id, "+12025550199"))
	words := `The flow Flow 300: the menu main plays "winter" instead of "summer" (the prompt that tells the choices).`
	w.says(t, []string{"Version 1 (live) -> The drafts: 2 changes.", words, "Calls from +12025550199 are refused."}, "version", "diff", c.id)
	w.says(t, []string{"Version 2 is published: 2 changes.", words}, "version", "publish", c.id, "--by", "anna", "--comment", "Winter")
	w.says(t, []string{"Nothing was published."}, "version", "publish", c.id, "--by", "anna")
	w.says(t, []string{"Version 1 is published again as version 3: 2 changes.", `plays "summer" instead of "winter"`, "The drafts are those of version 1 now."},
		"version", "rollback", c.id, "1", "--by", "ben", "--comment", "It is August")
	w.says(t, []string{"live", "Version 1 again. It is August", "anna", "ben", "Winter"}, "version", "list", c.id)
	w.says(t, []string{"Version 3 (live)", "Flow 300", "leads to user-one"}, "version", "show", c.id)
	w.says(t, []string{"Version 1 -> Version 3 (live): nothing differs."}, "version", "diff", c.id, "1", "live")
	awaitThat(t, "the worker does not run version 3", func(ctx context.Context) (bool, error) {
		var v versionView
		err := w.get(ctx, tenant+"/live", &v)
		return v.Version == 3 && v.Live, err
	})

	for _, r := range []struct {
		method, path string
		body         any
		status       int
		code         string
	}{
		{http.MethodGet, tenant + "/9", nil, http.StatusNotFound, "version_unknown"},
		{http.MethodGet, tenant + "/last", nil, http.StatusUnprocessableEntity, "version_invalid"},
		{http.MethodGet, tenant + "?limit=0", nil, http.StatusBadRequest, "limit_out_of_range"},
		{http.MethodGet, "/v1/tenants/ghost/versions", nil, http.StatusNotFound, "tenant_unknown"},
		{http.MethodPost, tenant + "/9/rollback", map[string]string{"by": "ben"}, http.StatusNotFound, "version_unknown"},
		{http.MethodPost, tenant + "/1/rollback", "text", http.StatusBadRequest, "body_unreadable"},
	} {
		status, answer := askAPI(t, r.method, w.HTTPAddress, r.path, r.body)
		if status != r.status || answer["code"] != r.code {
			t.Errorf("%s %s: %d %v, want %d %s", r.method, r.path, status, answer, r.status, r.code)
		}
	}
	_, answer := askAPI(t, http.MethodGet, w.HTTPAddress, tenant+"/2/diff?to=3", nil)
	changes, _ := answer["changes"].([]any)
	if first, _ := changes[0].(map[string]any); len(changes) != 2 || !strings.HasSuffix(first["path"].(string), "/elements/main/settings/prompt") {
		t.Errorf("got %v", answer)
	}
}
